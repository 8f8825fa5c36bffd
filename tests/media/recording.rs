//! What a recorder's tap gives becomes a recording: of real sessions over links that lose, in virtual time.

use crate::bots::content::Tag;
use crate::bots::netem::Link;
use crate::bots::world::{Plan, World};
use recordings::manifest::Manifest;
use recordings::{Codec, Container, Frame, Output as ToWrite, Recorder, Settings, Step, TrackInfo, Written};
use signaling::ids::Source;
use std::collections::{BTreeMap, HashMap};
use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;
use symposia::capture::{Capture, Output};
use symposia::session::SessionId;
use symposia::worker::api::{Command, Taker, Tap};
use symposia::worker::ring::Ring;
use symposia::worker::tap::{Tapped, What};

/// A recorder beside a world, with a disk of memory.
struct Recorded {
    ring: Arc<Ring<Tapped>>,
    capture: Capture,
    recorder: Recorder,
    tracks: HashMap<(SessionId, Source), u32>,
    frames: Vec<(Source, Frame)>,
    folder: BTreeMap<String, Vec<u8>>,
}

impl Recorded {
    fn new(world: &mut World) -> Self {
        let ring = Arc::new(Ring::new(symposia::worker::tap::PLACES));
        let tap = Tap { taker: Taker::Machine(1), ring: Arc::clone(&ring) };
        let router = world.router(0);
        world.command(Command::OpenTap { router, tap });
        let zero_ns = world.now.duration_since(world.start).as_nanos() as i64;
        let recorder = Recorder::new(world.now, "recording-1", "Bots", 0, Settings::default());
        let capture = Capture::new(world.now, zero_ns, u16::MAX);
        let (tracks, frames, folder) = (HashMap::new(), Vec::new(), BTreeMap::new());
        Self { ring, capture, recorder, tracks, frames, folder }
    }

    fn run(&mut self, world: &mut World, time: Duration) {
        let until = world.now + time;
        while world.now < until {
            world.run_ms(10);
            let now = world.now;
            self.ring.drain(|tapped| self.capture.handle_tapped(now, &tapped));
            self.capture.handle_timeout(now);
            while let Some(output) = self.capture.poll_output() {
                match output {
                    Output::Frame { session, source, frame } => {
                        let name = if source.is_audio() { "microphone" } else { "camera" };
                        let info = TrackInfo { participant: 1, name: "Ada".to_owned(), source: name.to_owned() };
                        let recorder = &mut self.recorder;
                        let track =
                            *self.tracks.entry((session, source)).or_insert_with(|| recorder.add_track(now, info));
                        recorder.handle_frame(now, track, frame.clone());
                        self.frames.push((source, frame));
                    }
                    Output::KeyFrameWanted { session, source, layer } => {
                        world.ask(&Tapped { session, source, layer, what: What::KeyFrameWanted });
                    }
                }
            }
            if self.recorder.poll_timeout().is_some_and(|at| at <= now) {
                self.recorder.handle_timeout(now);
            }
            self.write(world);
        }
    }

    fn write(&mut self, world: &World) {
        while let Some(output) = self.recorder.poll_output() {
            let ToWrite::Write(batch) = output else { continue };
            for step in batch.steps() {
                if let Step::Write { file, at, bytes, .. } = step {
                    let content = self.folder.entry(file.to_owned()).or_default();
                    let at = at as usize;
                    content.resize(content.len().max(at + bytes.len()), 0);
                    content[at..at + bytes.len()].copy_from_slice(bytes);
                }
            }
            self.recorder.handle_written(world.now, Written { number: batch.number, result: Ok(()), free: None });
        }
    }

    fn stop(&mut self, world: &World) -> Manifest {
        self.recorder.stop(world.now);
        while self.recorder.poll_timeout().is_some() {
            self.recorder.handle_timeout(world.now + Duration::from_secs(1));
            self.write(world);
        }
        Manifest::read(&self.folder["manifest.jsonl"]).expect("a manifest")
    }

    /// Times of the frames of a source in milliseconds, with the number that the Bot gave to each.
    fn numbered(&self, wanted: Source) -> Vec<(u32, f64)> {
        let of = |(source, frame): &(Source, Frame)| {
            let head = match frame.codec {
                Codec::Opus => 1,
                _ if frame.key => 10,
                _ => 3,
            };
            let tagged = frame.data.get(head..head + crate::bots::content::TAG_LEN)?;
            let number = Tag::number(tagged)?;
            (*source == wanted).then(|| (number, frame.time as f64 * 1000.0 / f64::from(frame.codec.rate())))
        };
        self.frames.iter().filter_map(of).collect()
    }
}

// acceptance: R3
#[test]
fn a_lossy_call_is_kept_whole_with_sound_and_picture_in_step() {
    let mut world = World::call(41, Plan::default());
    world.set_links(0, Link::losing(20), Link::CLEAN);
    let mut recorded = Recorded::new(&mut world);
    recorded.run(&mut world, Duration::from_secs(20));
    let (pictures, sounds) = (recorded.numbered(Source::Camera), recorded.numbered(Source::Microphone));
    assert!(pictures.len() > 560 && sounds.len() > 960, "{} pictures, {} sounds", pictures.len(), sounds.len());
    // What the Bot's timestamps say is kept, to a millisecond in all; both began at the same moment.
    let offset = |frames: &[(u32, f64)], step: f64| {
        let offsets = frames.iter().map(|(number, ms)| ms - f64::from(*number) * step);
        offsets.fold((f64::MAX, f64::MIN), |(least, most), offset| (least.min(offset), most.max(offset)))
    };
    let (picture, sound) = (offset(&pictures, 33.333), offset(&sounds, 20.0));
    for (least, most) in [picture, sound] {
        assert!(most - least < 12.0, "{picture:?} {sound:?}");
    }
    assert!((picture.0 - sound.0).abs() < 20.0, "{picture:?} {sound:?}");
    // Repaired by asking again, all but the last of it.
    assert!(sounds.windows(2).all(|pair| pair[0].0 < pair[1].0), "each sound once, in order");
    // Where the layer changes, a picture may come of both.
    let missing =
        |frames: &[(u32, f64)]| frames.windows(2).map(|pair| (pair[1].0 - pair[0].0).saturating_sub(1)).sum::<u32>();
    assert!(missing(&pictures) <= 40 && missing(&sounds) <= 40, "{} {}", missing(&pictures), missing(&sounds));
    let manifest = recorded.stop(&world);
    assert_eq!(manifest.files.len(), 2);
    for file in &manifest.files {
        let bytes = &recorded.folder[&file.name];
        let scan = Container::scan(file.codec, &mut Cursor::new(bytes)).expect("memory");
        assert!(scan.whole == bytes.len() as u64 && file.codec.ms(scan.end()) > 19_000, "{}", file.name);
    }
    let size = manifest.sizes.last().expect("a size");
    assert_eq!((size.width, size.height), (1280, 720), "the best layer that arrives");
}

#[test]
fn a_mute_leaves_a_gap_and_times_go_on() {
    let mut world = World::call(42, Plan::default());
    let mut recorded = Recorded::new(&mut world);
    recorded.run(&mut world, Duration::from_secs(3));
    world.set_gate(0, Source::Microphone, false);
    recorded.run(&mut world, Duration::from_secs(4));
    world.set_gate(0, Source::Microphone, true);
    recorded.run(&mut world, Duration::from_secs(3));
    let sounds = recorded.numbered(Source::Microphone);
    let gap = sounds.windows(2).map(|pair| (pair[0].1, pair[1].1)).max_by(|a, b| (a.1 - a.0).total_cmp(&(b.1 - b.0)));
    let (from, to) = gap.expect("sounds");
    assert!((2_900.0..3_050.0).contains(&from) && (6_950.0..7_100.0).contains(&to), "{from} {to}");
    let manifest = recorded.stop(&world);
    let sound = manifest.files.iter().find(|file| file.codec == Codec::Opus).expect("a file");
    let scan = Container::scan(Codec::Opus, &mut Cursor::new(&recorded.folder[&sound.name])).expect("memory");
    let silent: Vec<_> = scan.parts.iter().filter(|part| (3_100..6_900).contains(&Codec::Opus.ms(part.time))).collect();
    assert!(silent.is_empty(), "no bytes for silence: {silent:?}");
}
