//! What a live stream is cut into: heads with the parameter sets, short parts, times that never drift.

use crate::media::{SMALL, Source};
use crate::players::play;
use recordings::codec::Config;
use recordings::parts::Cutter;
use recordings::{Codec, Frame, Part, mp4};
use std::io::Cursor;

/// AAC-LC of one channel at 44,100 samples a second.
const AAC: &[u8] = &[0x12, 0x08];
const LONGEST_MS: u64 = 350;

fn config(source: &Source) -> Config {
    match source.codec {
        Codec::Aac => Config::of_record(Codec::Aac, AAC),
        codec => Config::of_key_frame(codec, &source.frame(0, 0).data),
    }
    .expect("a configuration")
}

fn parts(config: &Config, frames: impl Iterator<Item = Frame>) -> Vec<Part> {
    let mut cutter = Cutter::with_longest(config, LONGEST_MS);
    let mut parts: Vec<Part> = frames.filter_map(|frame| cutter.push(frame)).collect();
    parts.extend(cutter.end());
    parts
}

#[test]
fn streams_of_every_codec_play_and_are_read_as_they_were_written() {
    let folder = tempfile::tempdir().expect("a folder");
    for codec in [Codec::Opus, Codec::Aac, Codec::Vp9, Codec::H264, Codec::Av1, Codec::Hevc] {
        let source = Source::new(codec, SMALL);
        let config = config(&source);
        let parts = parts(&config, (0..180).map(|number| source.frame(number, 0)));
        assert!(parts.iter().all(|part| codec.ms(part.duration()) <= LONGEST_MS), "{codec:?}");
        let mut writer = mp4::Writer::for_stream(&config);
        let mut file = writer.init().to_vec();
        parts.iter().for_each(|part| file.extend(writer.part(part)));
        let scan = mp4::scan(&mut Cursor::new(&file)).expect("memory");
        assert_eq!((scan.whole, scan.frames(), scan.parts.len()), (file.len() as u64, 180, parts.len()), "{codec:?}");
        for (read, part) in scan.parts.iter().zip(&parts) {
            assert_eq!((read.time, read.duration, read.independent), (part.time, part.duration(), part.independent()));
        }
        let path = folder.path().join(format!("{codec:?}.mp4"));
        std::fs::write(&path, &file).expect("written");
        if let Some((frames, _)) = play(&path) {
            assert_eq!(frames, 180, "{codec:?}");
        }
    }
}

#[test]
fn pictures_that_are_shown_in_another_order_say_when() {
    let source = Source::new(Codec::H264, SMALL);
    let config = config(&source);
    // Decoded 0 3 1 2 …: what is shown third is decoded second.
    let composed = |number: u64| [3_000, 9_000, 0, 0][number as usize % 4];
    let frames = (0..8).map(|number| Frame { composition: composed(number), ..source.frame(number, 0) });
    let part = &parts(&config, frames)[0];
    let mut writer = mp4::Writer::for_stream(&config);
    let file = [writer.init().to_vec(), writer.part(part)].concat();
    let offsets: Vec<u8> = [3_000_u32, 9_000, 0, 0].iter().flat_map(|offset| offset.to_be_bytes()).collect();
    let spread: Vec<u8> = part.samples.iter().flat_map(|sample| (sample.composition as u32).to_be_bytes()).collect();
    assert_eq!(&spread[..16], &offsets[..]);
    // Each stands last in its entry of sixteen bytes.
    let entry = |bytes: &[u8]| bytes.windows(32).any(|two| two[12..16] == offsets[..4] && two[28..32] == offsets[4..8]);
    assert!(entry(&file));
    assert_eq!(mp4::scan(&mut Cursor::new(&file)).expect("memory").whole, file.len() as u64);
}

#[test]
fn an_hour_of_aac_ends_when_its_samples_do() {
    let source = Source::new(Codec::Aac, SMALL);
    let config = config(&source);
    let mut writer = mp4::Writer::for_stream(&config);
    let mut cutter = Cutter::with_longest(&config, LONGEST_MS);
    // 155,040 frames of 1,024 samples are an hour and half a frame.
    let (mut file, mut parts) = (writer.init().to_vec(), 0);
    for number in 0..155_040 {
        if let Some(part) = cutter.push(source.frame(number, 0)) {
            let bytes = writer.part(&part);
            // Only where the last ones stand is looked at.
            if number > 154_000 {
                file.extend(bytes);
            }
            parts += 1;
        }
    }
    let scan = mp4::scan(&mut Cursor::new(&file)).expect("memory");
    let last = scan.parts.last().expect("parts");
    assert_eq!((last.time + last.duration) % (1024 * 640), 0);
    let samples = (last.time + last.duration) / 640;
    assert!(155_040 * 1024 - samples <= 15 * 1024 && parts > 10_000, "{samples} samples");
}
