//! A recorder with tracks of real frames in virtual time, and what it wanted written. Touches no file.

use crate::media::{SMALL, Source};
use recordings::manifest::Manifest;
use recordings::{Batch, Codec, Output, Recorder, Settings, State, Step, TrackInfo, Written};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What stands in a folder.
pub type Folder = BTreeMap<String, Vec<u8>>;

/// Any instant will do to begin with.
#[expect(clippy::disallowed_methods, reason = "tests choose when they begin")]
pub fn start() -> Instant {
    Instant::now()
}

pub struct Fed {
    pub source: Source,
    pub track: u32,
    start: u64,
    next: u64,
    off: bool,
}

/// Plays sources into a recorder.
pub struct Rig {
    pub now: Instant,
    pub recorder: Recorder,
    pub fed: Vec<Fed>,
    pub states: Vec<State>,
    pub asked: Vec<u32>,
    pub refused: Vec<u32>,
    /// What was given out and not answered yet.
    pub due: Option<Arc<Batch>>,
}

impl Rig {
    pub fn new(settings: Settings) -> Self {
        let now = start();
        let recorder = Recorder::new(now, "recording-1", "Algebra, second lesson", 1_790_000_000_000, settings);
        Self { now, recorder, fed: Vec::new(), states: Vec::new(), asked: Vec::new(), refused: Vec::new(), due: None }
    }

    pub fn add(&mut self, codec: Codec, size: &str) -> usize {
        let source = if codec.is_audio() { "microphone" } else { "camera" };
        let participant = self.fed.len() as u32 + 1;
        let info = TrackInfo { participant, name: format!("Participant {participant}"), source: source.to_owned() };
        self.add_source(info, Source::new(codec, size))
    }

    pub fn add_source(&mut self, info: TrackInfo, source: Source) -> usize {
        let track = self.recorder.add_track(self.now, info);
        let start = self.recorder.ticks(self.now, source.codec);
        self.fed.push(Fed { source, track, start, next: 0, off: false });
        self.fed.len() - 1
    }

    /// Its publisher sends nothing more, or goes on with the key frame that the source begins with.
    pub fn turn_on(&mut self, index: usize, on: bool) {
        let fed = &mut self.fed[index];
        fed.off = !on;
        if on {
            fed.start = self.recorder.ticks(self.now, fed.source.codec) + fed.source.step();
            fed.next = 0;
        }
    }

    /// A track of each codec.
    pub fn add_all(&mut self) {
        for codec in Codec::OF_BROWSERS {
            self.add(codec, SMALL);
        }
    }

    /// From now on the track's frames come from another source, which begins at its start.
    pub fn change(&mut self, index: usize, codec: Codec, size: &str) {
        self.change_source(index, Source::new(codec, size));
    }

    pub fn change_source(&mut self, index: usize, source: Source) {
        self.fed[index].start = self.recorder.ticks(self.now, source.codec) + source.step();
        self.fed[index].source = source;
        self.fed[index].next = 0;
    }

    /// Frames of so much time are lost on the way; pictures go on with the next key frame.
    pub fn lose(&mut self, index: usize, time: Duration) {
        let fed = &mut self.fed[index];
        let ticks = time.as_millis() as u64 * u64::from(fed.source.codec.rate()) / 1000;
        fed.next += ticks / fed.source.step();
        while !fed.source.frame(fed.next, fed.start).key {
            fed.next += 1;
        }
    }

    /// Lets time pass; each batch is answered by `answer` when that gives an answer.
    pub fn run(&mut self, time: Duration, mut answer: impl FnMut(Instant, &Batch) -> Option<Written>) {
        let until = self.now + time;
        while self.now < until {
            self.now += Duration::from_millis(10);
            for fed in self.fed.iter_mut().filter(|fed| !fed.off) {
                let at = self.recorder.ticks(self.now, fed.source.codec);
                loop {
                    let frame = fed.source.frame(fed.next, fed.start);
                    if frame.time > at {
                        break;
                    }
                    fed.next += 1;
                    self.recorder.handle_frame(self.now, fed.track, frame);
                }
            }
            self.turn(&mut answer);
        }
    }

    fn turn(&mut self, answer: &mut impl FnMut(Instant, &Batch) -> Option<Written>) {
        if self.recorder.poll_timeout().is_some_and(|at| at <= self.now) {
            self.recorder.handle_timeout(self.now);
        }
        self.drain();
        if let Some(batch) = self.due.take() {
            match answer(self.now, &batch) {
                Some(written) => self.recorder.handle_written(self.now, written),
                None => self.due = Some(batch),
            }
        }
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.recorder.poll_output() {
            match output {
                Output::Write(batch) => assert!(self.due.replace(batch).is_none(), "one batch at a time"),
                Output::State(state) => self.states.push(state),
                Output::KeyFrameWanted(track) => self.asked.push(track),
                Output::TooManyFiles(track) => self.refused.push(track),
            }
        }
    }

    /// Stops, and lets time pass until all is over.
    pub fn stop(&mut self, mut answer: impl FnMut(Instant, &Batch) -> Option<Written>) {
        self.recorder.stop(self.now);
        for _ in 0..6_000 {
            if self.recorder.poll_timeout().is_none() {
                return;
            }
            self.now += Duration::from_millis(10);
            self.turn(&mut answer);
        }
        panic!("it never ended: {:?}", self.states);
    }
}

/// The answer of a disk that works.
pub fn taken(batch: &Batch) -> Option<Written> {
    Some(Written { number: batch.number, result: Ok(()), free: Some(u64::MAX) })
}

/// Does a step to a folder in memory.
pub fn apply(folder: &mut Folder, step: &Step<'_>) {
    if let Step::Write { file, at, bytes, make } = step {
        assert!(*make || folder.contains_key(*file), "{file} is written to before it is made");
        let content = folder.entry((*file).to_owned()).or_default();
        let at = *at as usize;
        assert!(at <= content.len(), "{file} has a hole");
        content.resize(content.len().max(at + bytes.len()), 0);
        content[at..at + bytes.len()].copy_from_slice(bytes);
    }
}

/// Writes to a folder in memory, and the log of it.
pub fn record(folder: &mut Folder, batch: &Batch) -> Option<Written> {
    batch.steps().iter().for_each(|step| apply(folder, step));
    taken(batch)
}

pub fn manifest(folder: &Folder) -> Manifest {
    Manifest::read(&folder["manifest.jsonl"]).expect("a manifest")
}
