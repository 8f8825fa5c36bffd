//! Live streams without a publisher or a network: frames in, playlists and parts out, read as a player reads them.

use super::stream::{Expected, Kind, Settings, Stream};
use super::window::Window;
use crate::capture::tests::media::{LARGE, SMALL, Source};
use bytes::Bytes;
use checker::Checker;
use proptest::prelude::*;
use recordings::codec::Config;
use recordings::{Codec, Frame, mp4};
use std::io::Cursor;

#[path = "../../tests/hls/checker.rs"]
mod checker;

const BOTH: Expected = Expected { picture: true, sound: true };
/// Some day, in milliseconds since 1970.
const DAY: u64 = 1_795_431_228_001;

/// A player of both renditions beside the stream.
struct Watched {
    stream: Stream,
    players: [Checker; 2],
    /// The newest segments of each rendition, with all that was ever in them.
    bytes: [Vec<(u64, usize, u64, Bytes)>; 2],
    heads: [Vec<(u32, Bytes)>; 2],
}

impl Watched {
    fn new(target: u64) -> Self {
        let stream = Stream::new(Settings::default(), target);
        Self { stream, players: Default::default(), bytes: Default::default(), heads: Default::default() }
    }

    /// Both playlists, where they changed.
    fn look(&mut self) {
        for (kind, index) in [(Kind::Picture, 0), (Kind::Sound, 1)] {
            let Some((window, full, delta)) = self.stream.take_changed(kind) else { continue };
            Self::keep(&mut self.bytes[index], window);
            for head in window.heads() {
                if !self.heads[index].contains(head) {
                    self.heads[index].push(head.clone());
                }
            }
            let player = &mut self.players[index];
            // A delta after the whole before it says the same as the whole.
            let knows = |delta: &String| {
                let delta = checker::read(delta);
                let last = player.last().and_then(|last| last.segments.last_key_value());
                last.is_some_and(|(msn, last)| last.whole.is_some() && *msn + 1 >= delta.first + delta.skipped)
            };
            if let Some(delta) = delta.filter(|delta| knows(delta)) {
                player.take(&delta);
            }
            player.take(&full);
        }
    }

    fn keep(bytes: &mut Vec<(u64, usize, u64, Bytes)>, window: &Window) {
        for segment in window.segments() {
            for (number, part) in segment.parts.iter().enumerate() {
                if bytes.last().is_none_or(|(msn, last, ..)| (*msn, *last) < (segment.msn, number)) {
                    bytes.push((segment.msn, number, part.duration_us, part.bytes.clone()));
                }
            }
        }
    }

    fn push(&mut self, frame: Frame, ms: u64) -> bool {
        let used = self.stream.push(frame, DAY + ms);
        self.look();
        used
    }

    /// All that was given of a rendition, as one file.
    fn file(&self, index: usize) -> Vec<u8> {
        let head = self.heads[index][0].1.to_vec();
        self.bytes[index].iter().fold(head, |mut file, (.., bytes)| {
            file.extend_from_slice(bytes);
            file
        })
    }

    fn last(&mut self, kind: Kind) -> checker::Playlist {
        let index = usize::from(kind == Kind::Sound);
        self.look();
        self.players[index].last().expect("a playlist").clone()
    }
}

/// Sends both for so many milliseconds from `from`, with a key frame each `keys` pictures.
fn send(watched: &mut Watched, picture: &Source, sound: &Source, (from, ms): (u64, u64), offset_ms: u64) {
    let (mut pictures, mut sounds) = (0, 0);
    let start = (from + offset_ms) * 90;
    let rate = u64::from(sound.codec.rate()) / 1000;
    loop {
        let (picture_ms, sound_ms) = (pictures * 100 / 3, sounds * sound.step() / rate);
        if picture_ms.min(sound_ms) >= ms {
            return;
        }
        if picture_ms <= sound_ms {
            watched.push(picture.frame(pictures, start), from + picture_ms);
            pictures += 1;
        } else {
            watched.push(sound.frame(sounds, (from + offset_ms) * rate), from + sound_ms);
            sounds += 1;
        }
    }
}

// acceptance: L5
#[test]
fn half_an_hour_of_playlists_has_no_mistake() {
    let (picture, sound) = (Source::new(Codec::H264, SMALL), Source::new(Codec::Opus, SMALL));
    let mut watched = Watched::new(4);
    watched.stream.begin(BOTH);
    send(&mut watched, &picture, &sound, (0, 30 * 60_000), 77_000);
    for kind in Kind::ALL {
        let playlist = watched.last(kind);
        assert!(playlist.segments.len() >= 15 && playlist.skip_until == Some(24.0), "{playlist:?}");
        let first = playlist.segments.values().next().and_then(|one| one.whole.clone()).expect("a segment");
        assert!((1.9..2.1).contains(&first.seconds), "{first:?}");
        assert_eq!(playlist.reports.len(), 1);
    }
    // Both are cut at the same places.
    let (video, audio) = (watched.last(Kind::Picture), watched.last(Kind::Sound));
    for (msn, segment) in &video.segments {
        let beside = audio.segments.get(msn).and_then(|one| one.at).unwrap_or_else(|| panic!("no {msn}"));
        assert!(segment.at.expect("a time").abs_diff(beside) <= 21, "{msn}");
    }
    assert_eq!(watched.stream.dropped(), 0);
    assert!(watched.stream.bytes() < 4 << 20, "{}", watched.stream.bytes());
}

// acceptance: L6
#[test]
fn the_first_playlist_comes_with_the_first_part() {
    let (picture, sound) = (Source::new(Codec::H264, SMALL), Source::new(Codec::Opus, SMALL));
    let mut watched = Watched::new(10);
    watched.stream.begin(BOTH);
    send(&mut watched, &picture, &sound, (0, 300), 0);
    assert!(watched.stream.variant().is_none());
    send(&mut watched, &picture, &sound, (300, 100), 0);
    let variant = watched.stream.variant().expect("both are there");
    assert_eq!((variant.size, variant.sound), (Some((160, 90)), Some(2)));
    // hls.js wants a whole segment.
    for kind in Kind::ALL {
        assert!(watched.last(kind).segments.values().any(|segment| segment.whole.is_some()), "{kind:?}");
    }
    assert!(variant.codecs[0].starts_with("avc1.42") && variant.codecs[1] == "opus", "{variant:?}");
}

// acceptance: L3
#[test]
fn a_publisher_comes_back_in_another_size_behind_a_discontinuity() {
    let (small, large) = (Source::new(Codec::H264, SMALL), Source::new(Codec::H264, LARGE));
    let sound = Source::new(Codec::Opus, SMALL);
    let mut watched = Watched::new(4);
    watched.stream.begin(BOTH);
    send(&mut watched, &small, &sound, (0, 5_300), 1_000);
    watched.stream.pause();
    watched.look();
    let before = watched.last(Kind::Picture);
    watched.stream.begin(BOTH);
    // Its clock begins anew, too.
    send(&mut watched, &large, &sound, (15_300, 5_000), 0);
    for kind in Kind::ALL {
        let playlist = watched.last(kind);
        let eras: Vec<u64> = playlist.segments.values().map(|segment| segment.era).collect();
        assert!(eras.first() < eras.last() && eras.is_sorted(), "{kind:?}: {eras:?}");
    }
    let (playlist, sound) = (watched.last(Kind::Picture), watched.last(Kind::Sound));
    let era = |playlist: &checker::Playlist| playlist.segments.values().next_back().expect("segments").era;
    assert_eq!(era(&playlist), era(&sound), "players bring both together by it");
    let (last, first) = (before.segments.values().next_back(), playlist.segments.get(&(before.segments.len() as u64)));
    let (last, first) = (last.expect("segments"), first.expect("goes on"));
    assert_ne!(last.map, first.map);
    let apart = first.at.expect("a time") - last.at.expect("a time");
    assert!((10_000..13_000).contains(&apart), "the time of day tells of the pause: {apart} ms");
    watched.stream.end();
    assert!(Kind::ALL.into_iter().all(|kind| watched.last(kind).ended));
}

#[test]
fn what_is_given_is_read_back_whole_and_without_a_hole() {
    let sounds = [(Codec::Opus, None), (Codec::Aac, Config::of_record(Codec::Aac, &[0x12, 0x08]))];
    for (picture, (sound, config)) in
        [Codec::H264, Codec::Vp9, Codec::Av1, Codec::Hevc].into_iter().zip(sounds.iter().cycle())
    {
        let (picture, sound) = (Source::new(picture, SMALL), Source::new(*sound, SMALL));
        let mut watched = Watched::new(4);
        watched.stream.begin(BOTH);
        config.iter().for_each(|config| watched.stream.set_config(config.clone()));
        send(&mut watched, &picture, &sound, (0, 20_000), 3_000);
        watched.stream.end();
        watched.look();
        for index in [0, 1] {
            let scan = mp4::scan(&mut Cursor::new(watched.file(index))).expect("memory");
            assert_eq!(scan.whole, watched.file(index).len() as u64);
            assert!(scan.parts.windows(2).all(|pair| pair[0].time + pair[0].duration == pair[1].time));
            let codec = if index == 0 { picture.codec } else { sound.codec };
            assert!((19_900..20_100).contains(&codec.ms(scan.end())), "{codec:?}: {}", codec.ms(scan.end()));
        }
    }
}

#[test]
fn sound_that_stops_beside_a_picture_is_silence() {
    let (picture, sound) = (Source::new(Codec::H264, SMALL), Source::new(Codec::Opus, SMALL));
    let mut watched = Watched::new(4);
    watched.stream.begin(BOTH);
    send(&mut watched, &picture, &sound, (0, 3_000), 0);
    for number in 90..600 {
        watched.push(picture.frame(number, 0), number * 100 / 3);
    }
    let scan = mp4::scan(&mut Cursor::new(watched.file(1))).expect("memory");
    assert!(Codec::Opus.ms(scan.end()) >= 18_800, "{}", Codec::Opus.ms(scan.end()));
    assert!(watched.last(Kind::Sound).segments.len() >= 8);
}

#[test]
fn a_sound_alone_is_a_stream_of_its_own() {
    let sound = Source::new(Codec::Opus, SMALL);
    let mut watched = Watched::new(4);
    watched.stream.begin(Expected { picture: false, sound: true });
    (0..1_000).for_each(|number| assert!(watched.push(sound.frame(number, 48_000_000), number * 20)));
    let variant = watched.stream.variant().expect("there is sound");
    assert_eq!((variant.size, variant.codecs.as_slice()), (None, ["opus".to_owned()].as_slice()));
    let wholes = |playlist: &checker::Playlist| {
        playlist.segments.values().filter_map(|one| Some(one.whole.as_ref()?.seconds)).collect::<Vec<_>>()
    };
    let playlist = watched.last(Kind::Sound);
    assert!(wholes(&playlist).len() >= 8);
    assert!(wholes(&playlist).iter().skip(1).all(|seconds| (1.9..2.1).contains(seconds)));
    // Its clock begins anew.
    (0..500).for_each(|number| assert!(watched.push(sound.frame(number, 0), 20_000 + number * 20)));
    let playlist = watched.last(Kind::Sound);
    assert_eq!(playlist.segments.values().next_back().map(|last| last.era), Some(1));
}

#[test]
fn what_no_segment_can_begin_with_is_cut_where_it_would_become_too_long() {
    let (picture, sound) = (Source::new(Codec::H264, SMALL), Source::new(Codec::Opus, SMALL));
    let mut watched = Watched::new(4);
    watched.stream.begin(BOTH);
    // One key frame, and never again.
    watched.push(picture.frame(0, 0), 0);
    for number in 1..900_u64 {
        let place = 1 + number % 20;
        watched.push(Frame { time: number * 3_000, ..picture.frame(place, 0) }, number * 100 / 3);
        watched.push(sound.frame(number, 0), number * 100 / 3);
    }
    let playlist = watched.last(Kind::Picture);
    let wholes: Vec<f64> = playlist.segments.values().filter_map(|one| Some(one.whole.as_ref()?.seconds)).collect();
    assert!(wholes.iter().skip(1).all(|seconds| (3.9..4.5).contains(seconds)), "{wholes:?}");
}

/// Pictures alone for so many milliseconds.
fn send_pictures(watched: &mut Watched, picture: &Source, (from, ms): (u64, u64)) {
    for number in 0..ms * 3 / 100 {
        watched.push(picture.frame(number, from * 90), from + number * 100 / 3);
    }
}

fn last_ms(playlist: &checker::Playlist) -> u64 {
    playlist.segments.values().next_back().and_then(|last| last.at).expect("a time")
}

#[test]
fn a_publisher_who_comes_back_without_sound_is_heard_as_silence() {
    let (picture, sound) = (Source::new(Codec::H264, SMALL), Source::new(Codec::Opus, SMALL));
    let mut watched = Watched::new(4);
    watched.stream.begin(BOTH);
    send(&mut watched, &picture, &sound, (0, 5_000), 0);
    watched.stream.pause();
    watched.look();
    watched.stream.begin(Expected { picture: true, sound: false });
    send_pictures(&mut watched, &picture, (10_000, 8_000));
    let (video, audio) = (watched.last(Kind::Picture), watched.last(Kind::Sound));
    assert!(last_ms(&audio).abs_diff(last_ms(&video)) <= 2_000, "{audio:?}");
    assert_eq!(watched.stream.variant().expect("there is a picture").sound, Some(2));
    assert!(!watched.stream.is_retired(Kind::Sound));
}

#[test]
fn what_an_earlier_publisher_had_is_offered_no_more() {
    let (picture, sound) = (Source::new(Codec::H264, SMALL), Source::new(Codec::Opus, SMALL));
    let aac = Source::new(Codec::Aac, SMALL);
    let mut watched = Watched::new(4);
    watched.stream.begin(BOTH);
    // Six channels, for which there is no silence.
    watched.stream.set_config(Config::of_record(Codec::Aac, &[0x12, 0x30]).expect("a record"));
    send(&mut watched, &picture, &aac, (0, 5_000), 0);
    watched.stream.pause();
    watched.stream.begin(BOTH);
    send_pictures(&mut watched, &picture, (10_000, 4_000));
    assert_eq!(watched.stream.variant().expect("there is a picture").sound, None);
    assert!(watched.stream.is_retired(Kind::Sound), "who listens must ask anew");
    // And without a picture.
    watched.stream.pause();
    watched.stream.begin(BOTH);
    (0..600).for_each(|number| _ = watched.push(sound.frame(number, 0), 20_000 + number * 20));
    let variant = watched.stream.variant().expect("there is sound");
    assert_eq!((variant.size, variant.codecs.as_slice()), (None, ["opus".to_owned()].as_slice()));
    assert!(watched.stream.is_retired(Kind::Picture) && !watched.stream.is_retired(Kind::Sound));
    assert!(watched.stream.wants_key(), "it is still asked for");
    for number in 0..30 {
        watched.push(picture.frame(number, 12_000 * 90), 32_000 + number * 100 / 3);
    }
    assert!(!watched.stream.is_retired(Kind::Picture));
    assert!(watched.stream.variant().expect("there are both").size.is_some());
}

#[test]
fn frames_without_parameter_sets_have_a_head_with_the_numbers_they_name() {
    const RECORD: &[u8] = &[
        1, 0x64, 0, 0x28, 0xff, 0xe1, 0, 26, 0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27, 0xe5, 0x84,
        0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc6, 0x58, 1, 0,
    ];
    // The same picture set as number 0 and as number 1.
    let configs = [&[2, 0x68, 0xeb][..], &[3, 0x68, 0x5a, 0xc0]]
        .map(|set| Config::of_record(Codec::H264, &[RECORD, set].concat()).expect("a record"));
    assert!(configs[0] != configs[1] && configs[0].is_same_but_numbers(&configs[1]));
    let mut watched = Watched::new(4);
    watched.stream.begin(Expected { picture: true, sound: false });
    for number in 0..200_u64 {
        // Said again with each key frame, as encoders do; another one from the third on.
        if number % 50 == 0 {
            watched.stream.set_config(configs[usize::from(number >= 100)].clone());
        }
        let (key, unit) = if number % 50 == 0 { (true, 0x65) } else { (false, 0x41) };
        let data = [&[0, 0, 0, 200, unit][..], &[7; 199]].concat().into();
        let frame = Frame { codec: Codec::H264, time: number * 3_600, composition: 0, key, data };
        assert!(watched.push(frame, number * 40));
    }
    assert_eq!(watched.heads[0].len(), 2);
}

#[test]
fn formats_alone_cost_nothing() {
    let (picture, sound) = (Source::new(Codec::H264, SMALL), Source::new(Codec::Opus, SMALL));
    let large = Source::new(Codec::H264, LARGE);
    let configs =
        [&picture, &large].map(|one| Config::of_key_frame(Codec::H264, &one.frame(0, 0).data).expect("a key"));
    let sounds = [[0x12, 0x10], [0x12, 0x08]].map(|record| Config::of_record(Codec::Aac, &record).expect("a record"));
    let mut watched = Watched::new(4);
    watched.stream.begin(BOTH);
    send(&mut watched, &picture, &sound, (0, 5_000), 0);
    for number in 0..10_000 {
        watched.stream.set_config(configs[number % 2].clone());
        watched.stream.set_config(sounds[number % 2].clone());
        // A frame without anything in it.
        let empty = Frame { codec: Codec::Aac, time: 6_000 * 28_224, composition: 0, key: true, data: Bytes::new() };
        assert!(!watched.push(empty, 5_000));
    }
    send(&mut watched, &picture, &sound, (5_000, 5_000), 0);
    for kind in Kind::ALL {
        let playlist = watched.last(kind);
        assert!(playlist.segments.values().all(|segment| segment.era <= 2), "{kind:?}: {playlist:?}");
    }
    assert!(watched.heads.iter().all(|heads| heads.len() <= 2));
}

#[test]
fn memory_is_bounded_whatever_the_times_are() {
    let picture = Source::new(Codec::H264, SMALL);
    let settings = Settings { max_bytes: 8 << 20, ..Settings::default() };
    let data = Bytes::from(vec![1; 256 << 10]);
    // All at once, and each as long as a picture may stand.
    for step in [0, 1_900 * 90] {
        let mut stream = Stream::new(settings, 10);
        stream.begin(Expected { picture: true, sound: false });
        stream.push(picture.frame(0, 0), DAY);
        let mut most = 0;
        for number in 1..400 {
            let frame = Frame { key: false, time: number * step, data: data.clone(), ..picture.frame(0, 0) };
            assert!(stream.push(frame, DAY + number));
            most = most.max(stream.bytes());
        }
        assert!(most <= 14 << 20, "{most}");
        let sound = Source::new(Codec::Opus, SMALL);
        stream.pause();
        stream.begin(BOTH);
        for number in 0..400 {
            let mut data = sound.frame(0, 0).data.to_vec();
            data.resize(256 << 10, 0);
            stream.push(Frame { data: data.into(), ..sound.frame(number, 0) }, DAY);
            most = most.max(stream.bytes());
        }
        assert!(most <= 14 << 20, "{most}");
    }
}

#[test]
fn sound_that_jumps_makes_no_more_silence_than_anybody_could_hear() {
    let (picture, sound) = (Source::new(Codec::H264, SMALL), Source::new(Codec::Opus, SMALL));
    let mut watched = Watched::new(4);
    watched.stream.begin(Expected { picture: true, sound: false });
    send_pictures(&mut watched, &picture, (0, 600_000));
    // Ten minutes later there is sound.
    for number in 0..100 {
        watched.push(sound.frame(number, 600_000 * 48), 600_000 + number * 20);
    }
    let silent = watched.bytes[1].iter().map(|(_, _, us, _)| us).sum::<u64>();
    assert!((28_000_000..34_000_000).contains(&silent), "{silent}");
    // A year later, as its clock says.
    let used = watched.push(sound.frame(0, 365 * 86_400 * 48_000), 602_100);
    assert!(!used && watched.bytes[1].len() < 120);
}

#[test]
fn sound_that_always_comes_late_is_heard() {
    let (picture, sound) = (Source::new(Codec::H264, SMALL), Source::new(Codec::Opus, SMALL));
    let mut watched = Watched::new(4);
    watched.stream.begin(BOTH);
    let mut used = Vec::new();
    for number in 0..600 {
        watched.push(picture.frame(number, 0), number * 100 / 3);
        let ms = number * 100 / 3;
        if ms >= 1_500 && ms / 20 > (ms - 33) / 20 {
            used.push(watched.push(sound.frame((ms - 1_500) / 20, 0), ms));
        }
    }
    let late = used.iter().skip(used.len() / 2);
    assert!(late.clone().all(|used| *used), "{} of {}", late.filter(|used| **used).count(), used.len() / 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever a publisher does, players find no mistake in what they are told, and memory is bounded.
    #[test]
    fn any_publisher_leaves_playlists_without_a_mistake(
        acts in prop::collection::vec((0_u8..24, 1_u64..120, any::<bool>()), 1..500),
        target in 2_u64..10,
    ) {
        let sources = [Source::new(Codec::H264, SMALL), Source::new(Codec::H264, LARGE), Source::new(Codec::Vp9, SMALL)];
        let sound = Source::new(Codec::Opus, SMALL);
        let mut watched = Watched::new(target);
        watched.players.iter_mut().for_each(|player| player.pictures_stand = true);
        watched.stream.begin(BOTH);
        let (mut ms, mut clock, mut source, mut number) = (0, 5_000_u64, 0, 0);
        for (act, step, key) in acts {
            ms += step;
            clock += step;
            match act {
                // A gap, a clock that is set back, one that is set forward.
                0 => (ms, clock) = (ms + step * 40, clock + step * 40),
                1 => clock = clock.saturating_sub(step * 30),
                2 => clock += step * 500,
                3 => source = (source + 1) % sources.len(),
                4 => {
                    watched.stream.pause();
                    watched.look();
                    watched.stream.begin(BOTH);
                    clock = step;
                }
                5..=13 => {
                    number = if key { 0 } else { number + 1 };
                    watched.push(Frame { time: clock * 90, ..sources[source].frame(number, 0) }, ms);
                }
                _ => {
                    watched.push(Frame { time: clock * 48, ..sound.frame(number, 0) }, ms);
                }
            }
        }
        watched.stream.end();
        watched.look();
        prop_assert!(watched.stream.bytes() <= 80 << 20);
        for lane in &watched.bytes {
            prop_assert!(lane.windows(2).all(|pair| (pair[0].0, pair[0].1) < (pair[1].0, pair[1].1)));
        }
    }
}
