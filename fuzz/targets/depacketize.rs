//! Packets of a publisher, in any order of codecs, become frames that containers and decoders are given.

#![no_main]

use fuzz::Input;
use fuzz::capture::Frames;
use libfuzzer_sys::fuzz_target;
use recordings::Codec;
use recordings::codec::{Config, av1, h264};

// acceptance: SEC2
fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let mut frames = Frames::default();
    let mut sent = 0;
    let mut got = 0;
    let codec = input.pick(&Codec::OF_BROWSERS);
    while !input.is_empty() {
        let choice = input.byte();
        if choice & 0x30 == 0x30 {
            frames.gap();
            continue;
        }
        let codec = if choice & 0x40 != 0 { input.pick(&Codec::OF_BROWSERS) } else { codec };
        let payload = input.bytes();
        sent += payload.len();
        for (key, data) in frames.push(codec, u32::from(choice & 0x0e), choice & 1 == 1, payload) {
            assert!(!data.is_empty());
            got += data.len();
            if key {
                let _ = Config::of_key_frame(codec, &data);
            }
            // What is put together of H.264 and AV1 can be taken apart again, to the last byte.
            let units: usize = h264::units(&data).map(|unit| unit.len() + 4).sum();
            let obus: usize = av1::obus(&data).map(|obu| obu.whole.len()).sum();
            assert!(units <= data.len() && obus <= data.len());
        }
    }
    // Each packet may bring the parameter sets before it once more, nothing else grows.
    assert!(got <= sent + 600 * bytes.len(), "{got} bytes of {sent}");
});
