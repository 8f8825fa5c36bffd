//! Real frames, cut into packets by `rtc-rtp` as oracle, come out as they were, whatever happens to the packets.

#[path = "../../recordings/tests/recordings/media.rs"]
#[allow(dead_code, reason = "the package's own tests use the rest")]
pub mod media;

use super::reorder::PATIENCE;
use super::*;
use crate::clock;
use crate::session::inbound::Media;
use crate::session::plan::{self, Ssrc};
use crate::worker::tap::Packet;
use bytes::Bytes;
use media::{LARGE, SMALL};
use proptest::prelude::*;
use recordings::Codec;
use recordings::codec::h264;
use rtc_rtp::codec::{av1::Av1Payloader, h264::H264Payloader, vp8::Vp8Payloader, vp9::Vp9Payloader};
use rtc_rtp::packetizer::Payloader;
use std::time::Duration;

const MS: i64 = 1_000_000;
/// When the recordings of these tests begin, on the server's clock.
const ZERO: i64 = 5_000 * MS;
const SESSION: SessionId = SessionId(7);

const fn planned(codec: Codec) -> plan::Codec {
    match codec {
        Codec::Opus => plan::Codec::Opus,
        Codec::Vp8 => plan::Codec::Vp8,
        Codec::Vp9 => plan::Codec::Vp9 { profile: 0 },
        Codec::H264 => plan::Codec::H264 { profile: 0x42e0 },
        Codec::Av1 => plan::Codec::Av1,
        Codec::Hevc | Codec::Aac => panic!("no browser sends it"),
    }
}

/// A publisher's stream: frames of a fixture as packets with their numbers.
struct Stream {
    source: media::Source,
    layer: u8,
    openings: u32,
    seq: u64,
    /// When the first frame is captured, in milliseconds after the recording's begin, and its timestamp.
    start: (i64, u32),
    payloader: Box<dyn Payloader>,
}

impl Stream {
    fn new(codec: Codec, size: &str, layer: u8) -> Self {
        let payloader: Box<dyn Payloader> = match codec {
            Codec::Opus => Box::new(rtc_rtp::codec::opus::OpusPayloader),
            Codec::Vp8 => {
                let mut payloader = Vp8Payloader::default();
                payloader.enable_picture_id = true;
                Box::new(payloader)
            }
            Codec::Vp9 => Box::new(Vp9Payloader::default()),
            Codec::H264 => Box::new(H264Payloader::default()),
            Codec::Av1 => Box::new(Av1Payloader::default()),
            Codec::Hevc | Codec::Aac => panic!("no browser sends it"),
        };
        let source = media::Source::new(codec, size);
        Self { source, layer, openings: 0, seq: 65_530, start: (0, 0xffff_f000), payloader }
    }

    const fn of(&self) -> Source {
        if self.source.codec.is_audio() { Source::Microphone } else { Source::Camera }
    }

    /// The packets of a frame.
    fn packets(&mut self, number: u64) -> Vec<Tapped> {
        let frame = self.source.frame(number, 0);
        let data = match frame.codec {
            Codec::H264 => h264::units(&frame.data).flat_map(|unit| [&[0, 0, 0, 1], unit].concat()).collect(),
            _ => frame.data.to_vec(),
        };
        let payloads = self.payloader.payload(150, &Bytes::from(data)).expect("a frame");
        let timestamp = self.start.1.wrapping_add(frame.time as u32);
        let captured = ZERO + self.start.0 * MS + (frame.time * 1_000_000_000 / u64::from(frame.codec.rate())) as i64;
        let last = payloads.len() - 1;
        let packet = |(i, payload): (usize, Bytes)| {
            self.seq += 1;
            let media = media(self.seq, timestamp, i == last, self.source.codec, &payload, self.layer);
            let packet = Packet::of(&media, Some(captured), self.openings).expect("a short payload");
            Tapped { session: SESSION, source: self.of(), layer: self.layer, what: What::Packet(packet) }
        };
        payloads.into_iter().enumerate().map(packet).collect()
    }

    /// The frame as it is to come out.
    fn expected(&self, number: u64) -> Frame {
        let rate = u64::from(self.source.codec.rate());
        self.source.frame(number, self.start.0 as u64 * rate / 1000)
    }
}

pub(super) fn media(seq: u64, timestamp: u32, marker: bool, codec: Codec, payload: &[u8], layer: u8) -> Media<'_> {
    Media {
        track: Some(0),
        layer,
        ssrc: Ssrc(u32::from(layer) + 1),
        seq,
        timestamp,
        marker,
        codec: planned(codec),
        key_start: false,
        heights: crate::rtp::scalability::Heights::default(),
        orientation: None,
        audio_level: None,
        vp8: None,
        scalability: crate::rtp::scalability::Scalability::NONE,
        descriptor: &[],
        payload,
        bytes: payload.len(),
        missed: [None; crate::session::inbound::MAX_MISSED],
    }
}

fn frames(capture: &mut Capture) -> Vec<Frame> {
    let outputs = std::iter::from_fn(|| capture.poll_output());
    outputs.filter_map(|output| if let Output::Frame { frame, .. } = output { Some(frame) } else { None }).collect()
}

fn wanted(capture: &mut Capture) -> Vec<u8> {
    let outputs = std::iter::from_fn(|| capture.poll_output());
    let layer = |output| if let Output::KeyFrameWanted { layer, .. } = output { Some(layer) } else { None };
    outputs.filter_map(layer).collect()
}

/// The times are exact but for a tick, since nanoseconds do not count ticks.
fn assert_same(came: &[Frame], expected: &[Frame]) {
    assert_eq!(came.len(), expected.len());
    for (i, (came, expected)) in came.iter().zip(expected).enumerate() {
        assert!(came.time.abs_diff(expected.time) <= 1, "frame {i}: {} {}", came.time, expected.time);
        assert_eq!((came.codec, came.key), (expected.codec, expected.key), "frame {i}");
        assert_eq!(came.data, expected.data, "frame {i} of {:?}", expected.codec);
    }
}

#[test]
fn frames_of_every_codec_come_out_as_they_were_sent() {
    for codec in Codec::OF_BROWSERS {
        let mut stream = Stream::new(codec, SMALL, 0);
        stream.start.0 = 1_234;
        let mut packets: Vec<Tapped> = (0..59).flat_map(|number| stream.packets(number)).collect();
        assert!(codec.is_audio() || packets.len() > 90, "{} packets", packets.len());
        // Each fifth and the one after it change places, and each seventh comes twice. The first stays: it says where
        // the stream begins.
        for i in (5..packets.len() - 1).step_by(5) {
            packets.swap(i, i + 1);
        }
        for i in (7..packets.len()).rev().step_by(7) {
            packets.insert(i, packets[i].clone());
        }
        let start = clock::now();
        let now = start + Duration::from_secs(4);
        let mut capture = Capture::new(start, ZERO, u16::MAX);
        packets.iter().for_each(|packet| capture.handle_tapped(now, packet));
        let expected: Vec<Frame> = (0..59).map(|number| stream.expected(number)).collect();
        assert_same(&frames(&mut capture), &expected);
        assert_eq!(capture.poll_timeout(), None);
    }
}

#[test]
fn what_is_lost_is_a_gap_and_pictures_go_on_with_a_key_frame() {
    for codec in Codec::OF_BROWSERS {
        let mut stream = Stream::new(codec, SMALL, 0);
        let start = clock::now();
        let mut capture = Capture::new(start, ZERO, u16::MAX);
        let (mut came, mut asked) = (Vec::new(), Vec::new());
        for number in 0..90 {
            let now = start + Duration::from_millis(33) * number as u32;
            let mut packets = stream.packets(number);
            if number == 10 {
                packets.remove(packets.len() / 2);
            }
            packets.iter().for_each(|packet| capture.handle_tapped(now, packet));
            while let Some(at) = capture.poll_timeout().filter(|at| *at <= now) {
                capture.handle_timeout(at);
            }
            while let Some(output) = capture.poll_output() {
                match output {
                    Output::Frame { frame, .. } => came.push((number, frame)),
                    Output::KeyFrameWanted { layer, .. } => asked.push((number, layer)),
                }
            }
        }
        let goes_on =
            if codec.is_audio() { 11 } else { (11..).find(|n| stream.expected(*n).key).expect("a key frame") };
        let expected: Vec<Frame> = (0..10).chain(goes_on..90).map(|number| stream.expected(number)).collect();
        let (when, frames): (Vec<u64>, Vec<Frame>) = came.into_iter().unzip();
        assert_same(&frames, &expected);
        // The packet might have been repaired for so long.
        let patience = PATIENCE.as_millis() as u64 / 33;
        assert!(!codec.is_audio() || (10 + patience..=12 + patience).contains(&when[10]), "{}", when[10]);
        assert!(codec.is_audio() || asked.iter().any(|(number, _)| (10..25).contains(number)), "{codec:?} {asked:?}");
    }
}

#[test]
fn the_best_layer_that_arrives_is_kept_and_changed_at_key_frames() {
    let (mut low, mut high) = (Stream::new(Codec::Vp8, SMALL, 0), Stream::new(Codec::Vp8, LARGE, 2));
    let start = clock::now();
    let mut capture = Capture::new(start, ZERO, u16::MAX);
    let mut came = Vec::new();
    for number in 0..240_u64 {
        let now = start + Duration::from_millis(33) * number as u32;
        let mut packets = low.packets(number);
        let of_high = high.packets(number);
        // The upper layer begins without its key frame, and ends after four seconds.
        if (15..120).contains(&number) {
            packets.extend(of_high);
        }
        packets.iter().for_each(|packet| capture.handle_tapped(now, packet));
        came.extend(frames(&mut capture));
    }
    let size = |frame: &Frame| recordings::codec::Config::of_key_frame(Codec::Vp8, &frame.data).and_then(|c| c.size());
    let sizes: Vec<_> = came.iter().filter(|frame| frame.key).filter_map(size).map(|(width, _)| width).collect();
    assert_eq!(sizes.first(), Some(&160));
    let up = sizes.iter().position(|width| *width == 320).expect("the upper layer");
    let down = sizes.iter().rposition(|width| *width == 320).expect("the upper layer");
    assert!(up > 0 && down < sizes.len() - 1 && sizes[up..=down].iter().all(|width| *width == 320), "{sizes:?}");
    // Where it changes, a picture may come of both.
    assert!(came.windows(2).all(|pair| pair[0].time < pair[1].time || (pair[1].key && pair[0].time == pair[1].time)));
}

#[test]
fn of_a_screen_on_which_nothing_moves_the_best_layer_is_kept() {
    let (mut low, mut high) = (Stream::new(Codec::Vp8, SMALL, 0), Stream::new(Codec::Vp8, LARGE, 1));
    let start = clock::now();
    let mut capture = Capture::new(start, ZERO, u16::MAX);
    let mut sizes = Vec::new();
    for second in 0..20_u64 {
        // Each picture a key frame of the fixture; now the one layer's comes first, now the other's.
        let number = second * 30;
        let now = start + Duration::from_millis(1_008) * second as u32;
        let packets = [low.packets(number), high.packets(number)];
        for turn in 0..2 {
            let now = now + Duration::from_millis(30) * turn;
            let layer = (u64::from(turn) + second + 1) % 2;
            packets[layer as usize].iter().for_each(|packet| capture.handle_tapped(now, packet));
            for frame in frames(&mut capture) {
                let size = recordings::codec::Config::of_key_frame(Codec::Vp8, &frame.data).and_then(|c| c.size());
                sizes.push((second, size.map(|(width, _)| width)));
            }
        }
    }
    assert!(sizes.iter().all(|(second, width)| *second == 0 || *width == Some(320)), "{sizes:?}");
    assert!(sizes.len() >= 20, "{sizes:?}");
}

#[test]
fn a_mute_costs_no_bytes_and_no_time() {
    let mut stream = Stream::new(Codec::Opus, SMALL, 0);
    let start = clock::now();
    let mut capture = Capture::new(start, ZERO, u16::MAX);
    for number in 0..10 {
        stream.packets(number).iter().for_each(|packet| capture.handle_tapped(start, packet));
    }
    // Eleven seconds later; the browser's timestamps stood still, its numbers went on.
    stream.openings = 1;
    stream.start.0 = 11_000;
    stream.seq += 400;
    for number in 10..20 {
        stream.packets(number).iter().for_each(|packet| capture.handle_tapped(start + Duration::from_secs(11), packet));
    }
    let times: Vec<u64> = frames(&mut capture).iter().map(|frame| frame.time / 48).collect();
    let before = (0..10).map(|number| number * 20);
    assert_eq!(times, before.chain((10..20).map(|number| 11_000 + number * 20)).collect::<Vec<_>>());
}

#[test]
fn sound_and_picture_stand_on_one_clock() {
    let (mut sound, mut picture) = (Stream::new(Codec::Opus, SMALL, 0), Stream::new(Codec::Vp8, SMALL, 0));
    sound.start = (2_000, 17);
    picture.start = (2_000, 0x8000_0000);
    let start = clock::now();
    let now = start + Duration::from_secs(2);
    let mut capture = Capture::new(start, ZERO, u16::MAX);
    let packets: Vec<Tapped> = [picture.packets(0), sound.packets(0)].concat();
    packets.iter().for_each(|packet| capture.handle_tapped(now, packet));
    let ms: Vec<u64> = frames(&mut capture).iter().map(|frame| frame.codec.ms(frame.time)).collect();
    assert_eq!(ms, [2_000, 2_000]);
    // What keeps frames may say so of each: a publisher is asked once a second, until a key frame is kept.
    let mut asked = Vec::new();
    for number in 1..59 {
        let now = now + Duration::from_millis(33) * number as u32;
        capture.want_key(SESSION, Source::Camera);
        picture.packets(number).iter().for_each(|packet| capture.handle_tapped(now, packet));
        asked.extend(wanted(&mut capture).into_iter().map(|layer| (number, layer)));
    }
    assert!((2..=3).contains(&asked.len()) && asked.iter().all(|(_, layer)| *layer == 0), "{asked:?}");
    capture.end(SESSION, Source::Camera);
    capture.want_key(SESSION, Source::Camera);
    assert_eq!(wanted(&mut capture), [0; 0]);
}

#[test]
fn pictures_above_the_bound_are_not_kept_whatever_their_codec() {
    for codec in [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1] {
        let (mut low, mut high) = (Stream::new(codec, SMALL, 0), Stream::new(codec, LARGE, 2));
        let start = clock::now();
        let mut capture = Capture::new(start, ZERO, 90);
        let mut came = Vec::new();
        for number in 0..60_u64 {
            let now = start + Duration::from_millis(33) * number as u32;
            let packets = [low.packets(number), high.packets(number)].concat();
            packets.iter().for_each(|packet| capture.handle_tapped(now, packet));
            came.extend(frames(&mut capture));
        }
        let expected: Vec<Frame> = (0..60).map(|number| low.expected(number)).collect();
        assert_same(&came, &expected);
    }
}

#[test]
fn a_publisher_whose_reports_lie_moves_nobody_but_by_a_little() {
    let start = clock::now();
    let mut capture = Capture::new(start, ZERO, u16::MAX);
    let mut stream = Stream::new(Codec::Opus, SMALL, 0);
    for (number, said) in [0, i64::MAX, i64::MIN, ZERO + 9_000_000 * MS, 0].into_iter().enumerate() {
        for mut tapped in stream.packets(number as u64) {
            if let What::Packet(packet) = &mut tapped.what {
                packet.captured_ns = Some(said);
            }
            capture.handle_tapped(start + Duration::from_millis(30_000 + 20 * number as u64), &tapped);
        }
    }
    let times: Vec<u64> = frames(&mut capture).iter().map(|frame| frame.time / 48).collect();
    assert_eq!(times, [30_000, 30_020, 30_040, 30_060, 30_080]);
}

proptest! {
    #[test]
    fn no_payload_panics_and_what_comes_out_is_in_order(
        packets in prop::collection::vec(
            (0..5_usize, 0_u64..40, 0_u32..6, any::<bool>(), prop::collection::vec(any::<u8>(), 0..40), 0_u8..3), 0..60),
    ) {
        let now = clock::now();
        let mut capture = Capture::new(now, ZERO, u16::MAX);
        for (step, (codec, seq, time, marker, payload, layer)) in packets.iter().enumerate() {
            let media = media(*seq, time * 3_000, *marker, Codec::OF_BROWSERS[*codec], payload, *layer);
            let captured = ZERO + i64::from(*time) * 33 * MS;
            let packet = Packet::of(&media, Some(captured), 0).expect("short");
            let tapped =
                Tapped { session: SESSION, source: Source::Camera, layer: *layer, what: What::Packet(packet) };
            let now = now + PATIENCE * step as u32 / 4;
            capture.handle_tapped(now, &tapped);
            capture.handle_timeout(now);
        }
        let frames = frames(&mut capture);
        prop_assert!(frames.iter().all(|frame| !frame.data.is_empty()));
    }
}
