//! Tags of FLV, as RTMP carries them, become formats and frames. Knows no connection.

pub mod tag;
pub mod timeline;

use super::media::{Event, Format, Ignored};
use bytes::Bytes;
use recordings::codec::{Config, h264, opus};
use recordings::{Codec, Frame};
use std::collections::{BTreeSet, VecDeque};
use tag::{Name, Tag};
use timeline::{Counted, Timeline};

/// Of pictures.
const TICKS_PER_MS: i64 = 90;
/// Kinds of things that are said to be ignored; each is said once, and a stranger may invent codecs.
const MOST_IGNORED: usize = 8;
/// The longest record that configures a decoder; those of HEVC have some hundred bytes.
const LONGEST_CONFIG: usize = 16 << 10;

/// Reads the tags of one push.
#[derive(Debug, Default)]
pub struct Demuxer {
    timeline: Timeline,
    sound: Option<Sound>,
    picture: Option<Picture>,
    ignored: BTreeSet<Ignored>,
    /// Tags that could not be read, and frames before their format.
    dropped: u64,
    events: VecDeque<Event>,
}

#[derive(Debug)]
struct Sound {
    format: Format,
    /// Samples of a packet; none where the packet says it.
    samples: Option<u32>,
    /// Ticks of a sample.
    tick: i64,
    counted: Counted,
    last: Option<i64>,
}

#[derive(Debug)]
struct Picture {
    format: Format,
    /// Bytes of the length before a NAL unit.
    length: usize,
    last: Option<i64>,
    /// Nothing is given on before the first key frame.
    begun: bool,
}

impl Demuxer {
    /// Takes the body of a tag.
    pub fn handle_tag(&mut self, sound: bool, time: u32, body: &Bytes) {
        let tag = if sound { tag::sound(body) } else { tag::picture(body) };
        match tag {
            None => self.dropped += 1,
            Some(Tag::Nothing) => {}
            Some(Tag::Multitrack) => self.ignore(Ignored::MoreTracks),
            Some(Tag::Unknown(name)) => self.ignore(Ignored::Codec { sound, name: spelt(sound, name) }),
            Some(Tag::Config(codec, config)) => self.handle_config(codec, body.slice_ref(config)),
            Some(Tag::Frame { codec, key, composition, data }) => {
                let data = body.slice_ref(data);
                if sound {
                    self.handle_sound(codec, time, data);
                } else {
                    self.handle_picture(codec, time, Shown { key, composition }, data);
                }
            }
        }
    }

    /// What came out, in order.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Tags that could not be read, and frames that came before what is needed to decode them.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// How often times have jumped.
    #[must_use]
    pub const fn jumps(&self) -> u32 {
        self.timeline.jumps()
    }

    fn ignore(&mut self, what: Ignored) {
        if self.ignored.len() < MOST_IGNORED && self.ignored.insert(what.clone()) {
            self.events.push_back(Event::Ignored(what));
        }
    }

    fn handle_config(&mut self, codec: Codec, config: Bytes) {
        if config.len() > LONGEST_CONFIG {
            self.dropped += 1;
            return;
        }
        if codec.is_audio() {
            self.handle_sound_config(codec, config);
        } else {
            self.handle_picture_config(codec, config);
        }
    }

    fn handle_sound_config(&mut self, codec: Codec, record: Bytes) {
        let format = Format { codec, record };
        // Many send it again and again.
        if self.sound.as_ref().is_some_and(|sound| sound.format == format) {
            return;
        }
        let (rate, samples, tick) = match format.config() {
            Some(Config::Aac(config)) => (config.rate, Some(config.samples.into()), config.tick()),
            Some(Config::Opus) if format.record.len() >= 19 && format.record.starts_with(b"OpusHead") => {
                (codec.rate(), None, 1)
            }
            _ => {
                self.dropped += 1;
                return;
            }
        };
        self.events.push_back(Event::Format(format.clone()));
        let last = self.sound.take().filter(|sound| sound.format.codec == codec).and_then(|sound| sound.last);
        let (counted, tick) = (Counted::new(rate), tick.cast_signed());
        self.sound = Some(Sound { format, samples, tick, counted, last });
    }

    fn handle_picture_config(&mut self, codec: Codec, mut record: Bytes) {
        let length = match codec {
            Codec::H264 => record.get(4).copied(),
            Codec::Hevc => record.get(21).copied(),
            _ => Some(3),
        };
        let Some(length) = length.map(|length| usize::from(length & 3) + 1) else {
            self.dropped += 1;
            return;
        };
        if codec == Codec::Vp9 {
            record = Bytes::new();
        } else if length != 4 {
            // Frames leave here with lengths of four bytes, and so it must say.
            let mut changed = record.to_vec();
            changed[if codec == Codec::H264 { 4 } else { 21 }] |= 3;
            record = changed.into();
        }
        let format = Format { codec, record };
        if self.picture.as_ref().is_some_and(|picture| picture.format == format) {
            return;
        }
        if codec != Codec::Vp9 && format.config().is_none() {
            self.dropped += 1;
            return;
        }
        self.events.push_back(Event::Format(format.clone()));
        let last = self.picture.take().and_then(|picture| picture.last);
        self.picture = Some(Picture { format, length, last, begun: false });
    }

    fn handle_sound(&mut self, codec: Codec, time: u32, data: Bytes) {
        let Some(sound) = self.sound.as_mut().filter(|sound| sound.format.codec == codec) else {
            self.dropped += 1;
            return;
        };
        // An empty one is what some send to say that there is silence.
        let samples = sound.samples.or_else(|| opus::duration(&data));
        let Some(samples) = samples.filter(|_| !data.is_empty()) else {
            self.dropped += 1;
            return;
        };
        let time = sound.counted.handle(self.timeline.handle(time), samples).saturating_mul(sound.tick);
        let Some(time) = forward(&mut sound.last, time) else {
            self.dropped += 1;
            return;
        };
        self.events.push_back(Event::Frame(Frame { codec, time, composition: 0, key: true, data }));
    }

    fn handle_picture(&mut self, codec: Codec, time: u32, shown: Shown, data: Bytes) {
        // VP9 needs no configuration, and some send none.
        if codec == Codec::Vp9 && self.picture.as_ref().is_none_or(|picture| picture.format.codec != codec) {
            self.handle_picture_config(codec, Bytes::new());
        }
        let picture = self.picture.as_mut().filter(|picture| picture.format.codec == codec && !data.is_empty());
        let Some(picture) = picture.filter(|picture| picture.begun || shown.key) else {
            self.dropped += 1;
            return;
        };
        let data = if matches!(codec, Codec::H264 | Codec::Hevc) && picture.length != 4 {
            with_long_lengths(&data, picture.length)
        } else {
            data
        };
        let ticks = self.timeline.handle(time) * TICKS_PER_MS;
        let time = forward(&mut picture.last, ticks);
        let composition = i64::from(shown.composition) * TICKS_PER_MS;
        let (Some(time), Ok(composition)) = (time, i32::try_from(composition)) else {
            self.dropped += 1;
            return;
        };
        picture.begun = true;
        // Where the decode time had to be moved, what is seen when stays.
        let moved = ticks.saturating_sub(i64::try_from(time).unwrap_or(i64::MAX));
        let composition = composition.saturating_add(i32::try_from(moved).unwrap_or(0));
        self.events.push_back(Event::Frame(Frame { codec, time, composition, key: shown.key, data }));
    }
}

#[derive(Debug, Clone, Copy)]
struct Shown {
    key: bool,
    composition: i32,
}

/// A time after the last one and not below 0: encoders repeat milliseconds, and begin a little before.
fn forward(last: &mut Option<i64>, time: i64) -> Option<u64> {
    let time = time.max(last.map_or(0, |last| last + 1));
    *last = Some(time);
    u64::try_from(time).ok()
}

/// NAL units after lengths of four bytes, of ones after shorter lengths; ends where a length reaches beyond.
fn with_long_lengths(data: &[u8], length: usize) -> Bytes {
    let mut out = Vec::with_capacity(data.len() + 64);
    let mut rest = data;
    while let Some((len, after)) = rest.split_at_checked(length) {
        let len = len.iter().fold(0, |len, byte| len << 8 | usize::from(*byte));
        let Some((unit, after)) = after.split_at_checked(len) else { break };
        h264::put_unit(&mut out, unit);
        rest = after;
    }
    out.into()
}

/// How people call a codec.
fn spelt(sound: bool, name: Name) -> String {
    let known = match (sound, name) {
        (true, Name::Number(2 | 14)) => "MP3",
        (true, Name::Number(0 | 3)) => "PCM",
        (true, Name::Number(7 | 8)) => "G.711",
        (true, Name::Number(11)) => "Speex",
        (false, Name::Number(2)) => "H.263",
        (false, Name::Number(4 | 5)) => "VP6",
        (_, Name::Number(number)) => return format!("FLV {number}"),
        (_, Name::FourCc(name)) => {
            return name.iter().map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '?' }).collect();
        }
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // x264 at 1920 × 1080.
    const AVC: &[u8] = &[
        0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x28, 0xff, 0xe1, 0, 26, 0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02,
        0x27, 0xe5, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc6, 0x58, 1, 0, 2,
        0x68, 0xeb,
    ];
    /// Of 44,100 Hz.
    const TICK: u64 = 640;
    const ASC: &[u8] = &[0xaf, 0, 0x12, 0x10];

    fn events(demuxer: &mut Demuxer, tags: &[(bool, u32, &[u8])]) -> Vec<Event> {
        for (sound, time, body) in tags {
            demuxer.handle_tag(*sound, *time, &Bytes::copy_from_slice(body));
        }
        std::iter::from_fn(|| demuxer.poll_event()).collect()
    }

    fn frames(events: &[Event]) -> Vec<(bool, u64, i32, bool)> {
        let frame = |event: &Event| match event {
            Event::Frame(frame) => Some((frame.codec.is_audio(), frame.time, frame.composition, frame.key)),
            _ => None,
        };
        events.iter().filter_map(frame).collect()
    }

    #[test]
    fn pictures_and_sounds_come_with_their_formats() {
        let mut demuxer = Demuxer::default();
        let key = [0x17, 1, 0, 0, 80, 0, 0, 0, 1, 5];
        let delta = [0x27, 1, 0, 0, 0, 0, 0, 0, 1, 1];
        let found = events(
            &mut demuxer,
            &[
                (false, 0, AVC),
                (false, 0, AVC),
                (true, 0, ASC),
                (false, 1000, &delta),
                (false, 1040, &key),
                (true, 1045, &[0xaf, 1, 9]),
                (false, 1080, &delta),
                (true, 1068, &[0xaf, 1, 9]),
            ],
        );
        let Event::Format(picture) = &found[0] else { panic!("{found:?}") };
        assert_eq!(picture.config().unwrap().size(), Some((1920, 1080)));
        let Event::Format(sound) = &found[1] else { panic!("{found:?}") };
        assert_eq!((sound.codec, sound.sample_rate(), sound.channels()), (Codec::Aac, 44_100, 2));
        assert_eq!(
            frames(&found),
            [
                (false, 0, 7200, true),
                (true, 220 * TICK, 0, true),
                (false, 3600, 0, false),
                (true, (220 + 1024) * TICK, 0, true)
            ]
        );
        assert_eq!(demuxer.dropped(), 1, "a picture before the first key frame");
    }

    #[test]
    fn a_new_format_begins_with_a_key_frame_and_times_go_on() {
        let mut demuxer = Demuxer::default();
        let key: &[u8] = &[0x17, 1, 0, 0, 0, 0, 0, 0, 1, 5];
        let delta: &[u8] = &[0x27, 1, 0, 0, 0, 0, 0, 0, 1, 1];
        let mut other = AVC.to_vec();
        // Another level.
        other[8] = 0x1f;
        let found = events(
            &mut demuxer,
            &[(false, 0, AVC), (false, 5000, key), (false, 0, &other), (false, 5040, delta), (false, 5080, key)],
        );
        assert_eq!(frames(&found), [(false, 0, 0, true), (false, 7200, 0, true)]);
    }

    #[test]
    fn equal_times_grow_and_are_shown_when_they_were_to_be() {
        let mut demuxer = Demuxer::default();
        let key: &[u8] = &[0x17, 1, 0, 0, 40, 0, 0, 0, 1, 5];
        let found = events(&mut demuxer, &[(false, 0, AVC), (false, 7, key), (false, 7, key), (false, 6, key)]);
        assert_eq!(frames(&found), [(false, 0, 3600, true), (false, 1, 3599, true), (false, 2, 3508, true)]);
    }

    #[test]
    fn short_lengths_become_long_ones() {
        let mut demuxer = Demuxer::default();
        let mut config = AVC.to_vec();
        config[9] = 0xfd;
        let found =
            events(&mut demuxer, &[(false, 0, &config), (false, 0, &[0x17, 1, 0, 0, 0, 0, 2, 6, 7, 0, 1, 8, 0, 9])]);
        let [Event::Format(format), Event::Frame(frame)] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(format.record[4], 0xff);
        assert_eq!(frame.data.as_ref(), [0, 0, 0, 2, 6, 7, 0, 0, 0, 1, 8]);
    }

    #[test]
    fn what_is_not_taken_is_said_once() {
        let mut demuxer = Demuxer::default();
        let found = events(
            &mut demuxer,
            &[
                (true, 0, &[0x2f, 1]),
                (true, 0, &[0x2f, 1]),
                (false, 0, b"\x91vp08x"),
                (false, 0, b"\x96\x01av01\x01"),
                (true, 0, b"\x95\x01mp4a"),
            ],
        );
        let ignored = |sound, name: &str| Event::Ignored(Ignored::Codec { sound, name: name.to_owned() });
        assert_eq!(found, [ignored(true, "MP3"), ignored(false, "vp08"), Event::Ignored(Ignored::MoreTracks)]);
        for name in 0..20_u8 {
            events(&mut demuxer, &[(false, 0, &[0x91, b'x', b'x', b'x', b'a' + name])]);
        }
        assert_eq!(demuxer.ignored.len(), MOST_IGNORED);
    }

    #[test]
    fn opus_says_itself_how_long_it_is() {
        let mut demuxer = Demuxer::default();
        let head = [b"\x90Opus".as_slice(), b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0"].concat();
        // 20 ms, code 0.
        let packet = b"\x91Opus\xfc\xff";
        let found =
            events(&mut demuxer, &[(true, 0, &head), (true, 100, packet), (true, 121, packet), (true, 140, packet)]);
        assert_eq!(frames(&found), [(true, 0, 0, true), (true, 960, 0, true), (true, 1920, 0, true)]);
    }

    proptest! {
        #[test]
        fn no_tags_panic_and_times_grow(tags in prop::collection::vec(
            (any::<bool>(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..40), 0..4_u8), 0..100)
        ) {
            let mut demuxer = Demuxer::default();
            let mut last = [None, None];
            for (sound, time, mut body, kind) in tags {
                // Often enough something that gets further.
                match (kind, sound) {
                    (1, false) => body = AVC.to_vec(),
                    (1, true) => body = ASC.to_vec(),
                    (2, false) => body.splice(0..0, [0x17, 1]).for_each(drop),
                    (2, true) => body.splice(0..0, [0xaf, 1]).for_each(drop),
                    _ => {}
                }
                for event in events(&mut demuxer, &[(sound, time, &body)]) {
                    if let Event::Frame(frame) = event {
                        let last = &mut last[usize::from(frame.codec.is_audio())];
                        prop_assert!(last.is_none_or(|last| last < frame.time));
                        *last = Some(frame.time);
                    }
                }
            }
        }
    }
}
