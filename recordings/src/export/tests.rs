//! Plans of meetings that never were, so that each rule can be seen alone.

use super::material::Piece;
use super::scenes::{Scene, Shows};
use super::*;
use crate::manifest::{Manifest, Record};
use crate::scan::{Entry as Part, Scan};
use crate::timeline::{Entry, Event};
use crate::{Codec, journal};
use proptest::prelude::*;
use std::collections::HashMap;

/// A file of somebody: track and file have the same number.
struct Sends {
    participant: u32,
    source: &'static str,
    /// Its parts: from, to and whether with a key frame.
    parts: Vec<(u64, u64, bool)>,
    size: (u16, u16),
}

/// Parts of half a second, with a key frame each so many.
fn parts(from: u64, to: u64, every: u64) -> Vec<(u64, u64, bool)> {
    let starts = (from..to).step_by(500).enumerate();
    starts.map(|(i, start)| (start, (start + 500).min(to), (i as u64).is_multiple_of(every))).collect()
}

fn camera(participant: u32, from: u64, to: u64) -> Sends {
    Sends { participant, source: "camera", parts: parts(from, to, 4), size: (640, 360) }
}

fn material(duration_ms: u64, sends: &[Sends], gaps: &[(u64, u64)], timeline: &[(u64, Event)]) -> Material {
    let mut lines = Vec::new();
    let mut note = |record: Record| lines.extend(journal::line(&record));
    let (id, title) = ("recording-1".to_owned(), "Algebra".to_owned());
    note(Record::Start { version: 1, id, title, started_at: 0 });
    let mut scans = HashMap::new();
    for (number, sends) in (1..).zip(sends) {
        let at_ms = sends.parts.first().map_or(0, |part| part.0);
        let (name, source) = (format!("P{}", sends.participant), sends.source.to_owned());
        let participant = sends.participant;
        note(Record::Track(crate::manifest::Track { track: number, participant, name, source, at_ms }));
        let codec = if sends.source == "microphone" { Codec::Opus } else { Codec::Vp8 };
        let (name, codecs) = (format!("{number:04}-{}.webm", sends.source), "vp8".to_owned());
        note(Record::File(crate::manifest::File { file: number, track: number, name, codec, codecs, at_ms }));
        let (width, height) = sends.size;
        note(Record::Size(crate::manifest::Size { file: number, at_ms, width, height }));
        let end_ms = sends.parts.last().map_or(0, |part| part.1);
        let closed = crate::manifest::Closed { file: number, bytes: 1, start_ms: at_ms, end_ms, frames: 1 };
        note(Record::Closed(closed));
        let rate = u64::from(codec.rate()) / 1000;
        let entry = |(i, part): (u64, &(u64, u64, bool))| {
            let (offset, time, duration) = (100 + i * 10, part.0 * rate, (part.1 - part.0) * rate);
            Part { offset, len: 10, time, duration, independent: part.2, frames: 1 }
        };
        let parts = (0..).zip(&sends.parts).map(entry).collect();
        scans.insert(number, Scan { init: vec![0; 100], parts, whole: 0 });
    }
    for (from_ms, to_ms) in gaps.iter().copied() {
        let why = crate::manifest::GapReason::Paused;
        note(Record::Gap(crate::manifest::Gap { from_ms, to_ms, why }));
    }
    let why = crate::manifest::EndReason::Stopped;
    note(Record::End(crate::manifest::End { at_ms: duration_ms, why, dropped: 0 }));
    let manifest = Manifest::read(&lines).expect("a manifest");
    let timeline: Vec<Entry> =
        timeline.iter().map(|(at_ms, event)| Entry { at_ms: *at_ms, event: event.clone() }).collect();
    Material::of(&manifest, &timeline, &scans, |file| file.name.clone())
}

/// Each scene as its bounds in milliseconds and what its tiles show, in a word each.
fn shape(scenes: &[Scene], canvas: &Canvas) -> Vec<(u64, u64, String)> {
    let word = |tile: &Tile| match tile.shows {
        Shows::Picture { picture, .. } => format!("{picture}:{}", tile.name),
        Shows::Person(_) => tile.name.clone(),
        Shows::Rest(rest) => format!("+{rest}"),
    };
    let tiles = |scene: &Scene| scene.tiles.iter().map(word).collect::<Vec<_>>().join(" ");
    scenes.iter().map(|scene| (canvas.ms(scene.from), canvas.ms(scene.to), tiles(scene))).collect()
}

fn joined(participant: u32, name: &str) -> Event {
    Event::Joined { participant, name: name.to_owned() }
}

fn source(participant: u32, source: &str, on: bool) -> Event {
    Event::Source { participant, source: source.to_owned(), on }
}

fn is(shape: &[(u64, u64, String)], expected: &[(u64, u64, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(from, to, tiles)| (*from, *to, (*tiles).to_owned())).collect();
    assert_eq!(shape, expected);
}

#[test]
fn people_come_and_go_and_cameras_are_turned_off() {
    let canvas = Canvas { fps: 10, ..Canvas::default() };
    let timeline = [
        (0, joined(1, "Ana")),
        (5_000, joined(2, "Bo")),
        (12_000, Event::Renamed { participant: 2, name: "Bob".to_owned() }),
        (20_000, Event::Left { participant: 1 }),
    ];
    let sends = [camera(1, 100, 10_000), camera(2, 15_000, 16_000)];
    let plan = material(25_000, &sends, &[(17_000, 18_000)], &timeline);
    let grid = scenes(&plan, Layout::Grid, &canvas);
    is(
        &shape(&grid, &canvas),
        &[
            (0, 5_000, "0:Ana"),
            (5_000, 10_000, "0:Ana Bo"),
            (10_000, 12_000, "Ana Bo"),
            (12_000, 15_000, "Ana Bob"),
            (15_000, 16_000, "Ana 1:Bob"),
            (16_000, 17_000, "Ana Bob"),
            (17_000, 18_000, ""),
            (18_000, 20_000, "Ana Bob"),
            (20_000, 25_000, "Bob"),
        ],
    );
}

#[test]
fn a_recording_without_a_timeline_shows_who_sent() {
    let canvas = Canvas { fps: 10, ..Canvas::default() };
    let plan = material(10_000, &[camera(1, 0, 10_000), camera(2, 4_000, 8_000)], &[], &[]);
    let grid = scenes(&plan, Layout::Grid, &canvas);
    is(&shape(&grid, &canvas), &[(0, 4_000, "0:P1"), (4_000, 8_000, "0:P1 1:P2"), (8_000, 10_000, "0:P1")]);
}

#[test]
fn a_camera_that_falters_stays_and_a_still_screen_stays_until_it_is_taken_away() {
    let canvas = Canvas { fps: 10, ..Canvas::default() };
    let mut falters = parts(0, 5_000, 1);
    falters.extend(parts(9_000, 12_000, 1));
    falters.extend(parts(20_000, 30_000, 1));
    let screen = Sends { participant: 1, source: "screen", parts: vec![(14_000, 14_500, true)], size: (1600, 1000) };
    let sends = [Sends { parts: falters, ..camera(1, 0, 0) }, screen];
    let timeline = [(0, joined(1, "Ana")), (14_000, source(1, "screen", true)), (18_000, source(1, "screen", false))];
    let plan = material(30_000, &sends, &[], &timeline);
    is(
        &shape(&scenes(&plan, Layout::Grid, &canvas), &canvas),
        &[
            (0, 12_000, "0:Ana"),
            (12_000, 14_000, "Ana"),
            (14_000, 18_000, "1:Ana Ana"),
            (18_000, 20_000, "Ana"),
            (20_000, 30_000, "0:Ana"),
        ],
    );
}

#[test]
fn who_has_no_room_is_counted_and_the_speaker_always_has() {
    let canvas = Canvas { fps: 10, tiles: 4, ..Canvas::default() };
    let mut timeline: Vec<(u64, Event)> = (1..=10).map(|i| (0, joined(i, &format!("P{i}")))).collect();
    timeline.push((10_000, Event::Speaking { participants: vec![9] }));
    let sends = [camera(5, 0, 20_000), camera(7, 0, 20_000)];
    let plan = material(20_000, &sends, &[], &timeline);
    is(
        &shape(&scenes(&plan, Layout::Grid, &canvas), &canvas),
        &[(0, 10_000, "P1 0:P5 1:P7 +7"), (10_000, 20_000, "0:P5 1:P7 P9 +7")],
    );
    is(
        &shape(&scenes(&plan, Layout::Speaker, &canvas), &canvas),
        &[(0, 10_000, "0:P5 P1 P2 1:P7 +6"), (10_000, 20_000, "P9 P1 0:P5 1:P7 +6")],
    );
}

#[test]
fn a_picture_is_read_from_its_key_frame_on_and_no_further_than_it_is_seen() {
    let canvas = Canvas { fps: 10, ..Canvas::default() };
    let mut there = parts(0, 4_000, 4);
    there.extend(parts(30_000, 34_000, 4));
    let plan = material(40_000, &[Sends { parts: there, ..camera(1, 0, 0) }], &[], &[(0, joined(1, "Ana"))]);
    let scenes = scenes(&plan, Layout::Grid, &canvas);
    is(
        &shape(&scenes, &canvas),
        &[(0, 4_000, "0:Ana"), (4_000, 30_000, "Ana"), (30_000, 34_000, "0:Ana"), (34_000, 40_000, "Ana")],
    );
    let chunks = chunks(&scenes, &plan, &canvas);
    assert_eq!(chunks.iter().map(Chunk::frames).collect::<Vec<_>>(), [40, 260, 40, 60]);
    let ffmpeg = Ffmpeg::of_name("ffmpeg");
    let call = |chunk: &Chunk| chunks::arguments(&ffmpeg, chunk, &plan, &canvas, None, "x/chunk.h264").join(" ");
    assert!(
        call(&chunks[0]).contains("concat:subfile,,start,0,end,100,,:0001-camera.webm|subfile,,start,100,end,180,,:")
    );
    assert!(!call(&chunks[1]).contains("-i ") && call(&chunks[1]).contains("-frames:v 260"));
    assert!(call(&chunks[2]).contains("|subfile,,start,180,end,260,,:0001-camera.webm"), "{}", call(&chunks[2]));
}

#[test]
fn long_scenes_are_cut_where_that_is_cheap() {
    let canvas = Canvas::default();
    let cheap = material(200_000, &[camera(1, 0, 200_000)], &[], &[]);
    let dear = Sends { parts: parts(0, 2_000_000, 100_000), ..camera(1, 0, 0) };
    let dear = material(2_000_000, &[dear], &[], &[]);
    let lengths = |plan: &Material| {
        let chunks = chunks(&scenes(plan, Layout::Grid, &canvas), plan, &canvas);
        chunks.iter().map(|chunk| chunk.frames() / 30).collect::<Vec<_>>()
    };
    assert_eq!(lengths(&cheap), [30, 30, 30, 30, 30, 30, 20]);
    assert_eq!(lengths(&dear), [600, 600, 600, 200], "one key frame at the beginning");
}

#[test]
fn sound_is_mixed_of_those_who_are_heard() {
    let microphone = |participant, parts| Sends { participant, source: "microphone", parts, size: (0, 0) };
    let sends = [
        microphone(1, parts(0, 70_000, 1)),
        microphone(2, vec![(35_000, 35_500, true), (65_000, 65_500, true)]),
        microphone(3, vec![(29_900, 30_000, true)]),
    ];
    let plan = material(70_000, &sends, &[], &[]);
    let windows = windows(&plan, 70_000);
    let bounds: Vec<_> = windows.iter().map(|window| (window.from, window.to, window.samples())).collect();
    assert_eq!(bounds, [(0, 30_000, 1_440_000), (30_000, 60_000, 1_440_000), (60_000, 70_000, 480_000)]);
    let voices = |i: usize| windows[i].voices.clone();
    // One part before: a decoder needs it.
    assert_eq!(voices(0), [(0, 100..700), (2, 100..110)]);
    assert_eq!(voices(1), [(0, 690..1_300), (1, 100..110)]);
    assert_eq!(voices(2), [(0, 1_290..1_500), (1, 100..120)]);
}

proptest! {
    /// Whatever happened: the picture has no holes, nobody is seen twice, and who is seen is there.
    #[test]
    fn scenes_follow_each_other_and_show_who_is_there(
        cameras in prop::collection::vec((1_u32..12, 0_u64..60_000, 1_u64..60_000, 1_u64..9, any::<bool>()), 0..20),
        events in prop::collection::vec((0_u64..70_000, 1_u32..12, 0_u8..5), 0..60),
        gaps in prop::collection::vec((0_u64..60_000, 1_u64..5_000), 0..3),
        duration in 1_u64..70_000,
        speaker: bool,
    ) {
        let layout = if speaker { Layout::Speaker } else { Layout::Grid };
        let canvas = Canvas { width: 640, height: 360, ..Canvas::default() };
        let sends: Vec<Sends> = cameras.into_iter().map(|(participant, from, lasts, every, screen)| Sends {
            participant,
            source: if screen { "screen" } else { "camera" },
            parts: parts(from, from + lasts, every),
            size: (90 + (from % 1_000) as u16, 160),
        }).collect();
        let mut timeline: Vec<(u64, Event)> = events.into_iter().map(|(at, participant, what)| (at, match what {
            0 => joined(participant, "Ana"),
            1 => Event::Left { participant },
            2 => source(participant, "screen", false),
            3 => Event::Renamed { participant, name: "Bo".to_owned() },
            _ => Event::Speaking { participants: vec![participant] },
        })).collect();
        timeline.sort_by_key(|(at, _)| *at);
        let gaps: Vec<(u64, u64)> = gaps.into_iter().map(|(from, lasts)| (from, from + lasts)).collect();
        let plan = material(duration, &sends, &gaps, &timeline);
        let end = canvas.frames(plan.duration_ms);
        let scenes = scenes(&plan, layout, &canvas);
        prop_assert!(scenes.windows(2).all(|pair| pair[0].to == pair[1].from && pair[0].tiles != pair[1].tiles));
        prop_assert_eq!(scenes.first().map_or(0, |scene| scene.from), 0);
        prop_assert_eq!(scenes.last().map_or(0, |scene| scene.to), end);
        for scene in &scenes {
            let mut pictures: Vec<usize> = Vec::new();
            for tile in &scene.tiles {
                prop_assert!(tile.place.x + tile.place.width <= 640 && tile.place.y + tile.place.height <= 360);
                if let Shows::Picture { picture, fit } = tile.shows {
                    prop_assert!(plan.pictures[picture].is_seen(canvas.ms(scene.to).saturating_sub(1)));
                    prop_assert!(fit.x >= tile.place.x && fit.x + fit.width <= tile.place.x + tile.place.width);
                    prop_assert!(fit.y >= tile.place.y && fit.y + fit.height <= tile.place.y + tile.place.height);
                    pictures.push(picture);
                }
            }
            pictures.sort_unstable();
            pictures.dedup();
            let all = scene.tiles.iter().filter(|tile| matches!(tile.shows, Shows::Picture { .. })).count();
            prop_assert_eq!(pictures.len(), all, "nobody is seen twice");
        }
        let chunks = chunks(&scenes, &plan, &canvas);
        prop_assert_eq!(chunks.iter().map(Chunk::frames).sum::<u64>(), end);
        prop_assert!(chunks.windows(2).all(|pair| pair[0].to == pair[1].from));
        let ffmpeg = Ffmpeg::of_name("ffmpeg");
        for chunk in &chunks {
            let call = chunks::arguments(&ffmpeg, chunk, &plan, &canvas, None, "x");
            prop_assert!(call.iter().filter(|word| *word == "-i").count() <= canvas.tiles + 1);
        }
        let windows = windows(&plan, plan.duration_ms);
        prop_assert_eq!(windows.iter().map(|window| window.to - window.from).sum::<u64>(), plan.duration_ms);
    }
}

#[test]
fn what_a_hand_has_changed_is_planned_without_a_panic() {
    let span = |from, to| super::Span { from, to };
    let piece = |from, to, offset, key| Piece { span: span(from, to), offset, end: offset + 10, key };
    let picture = Picture {
        participant: 1,
        screen: false,
        file: "0001-camera.webm".to_owned(),
        head: 10,
        pieces: vec![piece(u64::MAX - 5, u64::MAX, 10, false), piece(3, 1, 20, true)],
        seen: vec![span(0, u64::MAX)],
        sizes: vec![(0, 0, u32::MAX)],
    };
    let person = Person { participant: 1, names: Vec::new(), there: vec![span(0, u64::MAX)] };
    let plan = Material { duration_ms: 5_000, people: vec![person], pictures: vec![picture], ..Material::default() };
    let canvas = Canvas::default();
    let chunks = chunks(&scenes(&plan, Layout::Speaker, &canvas), &plan, &canvas);
    let ffmpeg = Ffmpeg::of_name("ffmpeg");
    for chunk in &chunks {
        chunks::arguments(&ffmpeg, chunk, &plan, &canvas, None, "x");
    }
    assert_eq!(chunks.iter().map(Chunk::frames).sum::<u64>(), 150);
}
