//! Tags of a push, in any order and with any times, become formats and frames.

#![no_main]

use bytes::Bytes;
use fuzz::Input;
use fuzz::ingest::flv::Demuxer;
use fuzz::ingest::media::Event;
use libfuzzer_sys::fuzz_target;
use recordings::codec::Config;

// acceptance: SEC2
fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let mut demuxer = Demuxer::default();
    let mut codecs = [None; 2];
    let mut last = [None; 2];
    let mut ignored = 0;
    let mut now = 0_u32;
    while !input.is_empty() {
        let choice = input.byte();
        // Mostly onward, sometimes anywhere.
        now = if choice & 0xe0 == 0xe0 { input.word() } else { now.wrapping_add(u32::from(choice >> 1 & 31)) };
        let body = Bytes::copy_from_slice(input.bytes());
        demuxer.handle_tag(choice & 1 == 1, now, &body);
        while let Some(event) = demuxer.poll_event() {
            match event {
                Event::Format(format) => {
                    let side = usize::from(format.codec.is_audio());
                    codecs[side] = Some(format.codec);
                    if let Some(config) = format.config() {
                        assert_eq!(config.codec(), format.codec);
                    }
                    last[side] = if side == 1 { None } else { last[side] };
                }
                Event::Frame(frame) => {
                    let side = usize::from(frame.codec.is_audio());
                    assert_eq!(codecs[side], Some(frame.codec), "a frame of the format that was told");
                    assert!(last[side].is_none_or(|last| last < frame.time), "times grow");
                    assert!(!frame.data.is_empty() || side == 0);
                    // Short lengths grow to long ones, nothing else does.
                    assert!(frame.data.len() <= body.len() * 4 + 4);
                    last[side] = Some(frame.time);
                    if frame.key {
                        let _ = Config::of_key_frame(frame.codec, &frame.data);
                    }
                }
                Event::Ignored(_) => ignored += 1,
            }
        }
    }
    assert!(ignored <= 8);
});
