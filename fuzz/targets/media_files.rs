//! Our readers of fMP4 and WebM, and the heads of frames that go into such files.

#![no_main]

use fuzz::{Input, crc_32};
use libfuzzer_sys::fuzz_target;
use recordings::codec::{Config, av1, h264, opus, vp8, vp9};
use recordings::{Codec, Container, Part, Sample, Scan};
use std::io::Cursor;

// acceptance: SEC2
fuzz_target!(|bytes: &[u8]| {
    let Some((codec, rest)) = bytes.split_first() else { return };
    let codec = Codec::OF_BROWSERS[usize::from(*codec) % Codec::OF_BROWSERS.len()];
    // Of the two containers, by the codec.
    check(&scan(codec, rest), rest);
    read_frame(rest);
    write(codec, rest);
    forge(codec, rest);
});

fn scan(codec: Codec, file: &[u8]) -> Scan {
    Container::scan(codec, &mut Cursor::new(file)).expect("memory can be read")
}

fn check(scan: &Scan, file: &[u8]) {
    assert!(scan.whole <= file.len() as u64);
    let mut at = scan.init.len() as u64;
    for part in &scan.parts {
        assert!(part.offset >= at && part.len > 0 && part.frames > 0);
        at = part.offset + part.len;
    }
    assert!(scan.whole >= at || scan.parts.is_empty());
    let _ = (scan.start(), scan.end(), scan.frames());
}

fn read_frame(frame: &[u8]) {
    assert!(h264::units(frame).map(|unit| unit.len() + 4).sum::<usize>() <= frame.len());
    assert!(av1::obus(frame).map(|obu| obu.whole.len()).sum::<usize>() <= frame.len());
    assert!(opus::duration(frame).is_none_or(|ticks| (1..=5_760).contains(&ticks)));
    let halves = frame.split_at(frame.len() / 2);
    assert!(vp9::superframe(&[halves.0, halves.1]).is_some_and(|both| both.starts_with(frame)));
}

/// Whatever a publisher calls a key frame: what is written after it is read again, and up to every cut.
fn write(codec: Codec, bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let key = input.bytes();
    let Some(config) = Config::of_key_frame(codec, key) else { return };
    assert!(config.continues_with(&config) && !config.name().is_empty());
    let mut container = Container::new(&config);
    let mut file = container.init().to_vec();
    let mut ends = vec![file.len() as u64];
    let mut time = u64::from(input.word());
    for _ in 0..4 {
        let sample = |input: &mut Input<'_>, key| {
            let data = bytes::Bytes::copy_from_slice(input.bytes());
            let duration = 90 + u32::from(input.short()) % 40_000;
            Sample { duration, composition: i32::from(input.byte()) * 90, key, data }
        };
        let samples = vec![sample(&mut input, true), sample(&mut input, false)];
        let part = Part { codec, time, samples };
        time = part.end() + u64::from(input.byte()) * 90;
        file.extend(container.part(&part));
        ends.push(file.len() as u64);
    }
    if let Some(patch) = container.ends(time) {
        let at = patch.at as usize;
        assert!(at + patch.bytes.len() <= container.init().len(), "only the head is written over");
        file[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
    }
    let cut = usize::from(input.short()) % (file.len() + 1);
    let found = scan(codec, &file[..cut]);
    let expected = ends.iter().rev().find(|end| **end <= cut as u64).copied().unwrap_or(0);
    assert_eq!(found.whole, expected, "cut at {cut} of {}", file.len());
    assert_eq!(scan(codec, &file).frames(), 8);
}

/// A file of ours in whose last part bytes were changed and the checksum made right again: what a disk would never do, and
/// nothing but this brings past the checksum.
fn forge(codec: Codec, bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let config = match codec {
        Codec::Vp8 => Config::Vp8(vp8::Config { width: 160, height: 90 }),
        _ => Config::Opus,
    };
    let mut container = Container::new(&config);
    let sample = |key| Sample { duration: 960, composition: 0, key, data: bytes::Bytes::from_static(b"frame") };
    let samples = vec![sample(true), sample(false), sample(false)];
    let mut part = container.part(&Part { codec, time: input.long() >> 20, samples });
    let (start, end) = checked(codec, &part);
    for _ in 0..input.byte() % 24 {
        let (at, value) = (start + usize::from(input.byte()) % (end - start), input.byte());
        part[at] = value;
    }
    let sum = crc_32(&part[start..end]);
    match codec {
        Codec::Vp8 => part[start - 4..start].copy_from_slice(&sum.to_le_bytes()),
        _ => part[end + 8..].copy_from_slice(&sum.to_be_bytes()),
    }
    let file = [container.init(), &part].concat();
    check(&scan(codec, &file), &file);
}

/// What of a part its checksum is made of.
fn checked(codec: Codec, part: &[u8]) -> (usize, usize) {
    match codec {
        Codec::Vp8 => {
            let crc = part.windows(2).position(|window| window == [0xbf, 0x84]).expect("a checksum");
            (crc + 6, part.len())
        }
        _ => (0, part.len() - 12),
    }
}
