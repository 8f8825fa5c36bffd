//! The recorder: told of tracks, frames and events, it decides what is written and when, and what to do when the disk
//! does not take it. Told the time; touches no file. One batch is on its way at a time, so that a slow disk makes
//! batches larger and nothing else; what does not fit in the bound is left out, counted, and named in the manifest.

mod track;
mod trouble;

pub use trouble::{Trouble, Written};

use crate::disk::{Batch, Op};
use crate::frame::{Codec, Frame};
use crate::journal::{self, Journal};
use crate::manifest::{self, End, EndReason, Gap, GapReason, Record};
use crate::timeline;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use track::{Kept, Pushed, Track};

/// How often a disk that did not take something is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How long a recording that was stopped tries to write its end.
const LAST_TRY: Duration = Duration::from_secs(10);
/// A disk hangs that has had a batch for so long.
const HANGS: Duration = Duration::from_secs(3);

/// What a recording may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How often what came is written and synced. With the time of a write it is what a power cut loses.
    pub tick: Duration,
    /// Bytes that may wait for a slow disk.
    pub max_waiting: usize,
    /// Bytes that stay free on the disk.
    pub reserve: u64,
    /// Bytes of a recording.
    pub quota: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { tick: Duration::from_millis(400), max_waiting: 32 << 20, reserve: 256 << 20, quota: u64::MAX }
    }
}

/// Something to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackInfo {
    /// Whose.
    pub participant: u32,
    /// Their name.
    pub name: String,
    /// Which of their sources, in small letters and dashes; becomes part of names of files.
    pub source: String,
}

/// How it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// What comes is kept.
    Recording,
    /// What comes is kept, in memory only: the disk does not answer.
    Waiting,
    /// Nothing is kept, as somebody wanted.
    Paused,
    /// Nothing is kept, until this is over.
    Suspended(Trouble),
    /// No more is taken; the last is being written.
    Stopping,
    /// All is over, and on the disk unless this says otherwise. What is missing then, recovery completes.
    Finished(Result<(), Trouble>),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Write this, then call [`Recorder::handle_written`].
    Write(Arc<Batch>),
    /// The state is another one.
    State(State),
    /// This track can't go on without a key frame; said of each frame that is left out for that.
    KeyFrameWanted(u32),
    /// This track begins files faster than they are of use; said once. What would begin another is left out and counted.
    TooManyFiles(u32),
}

/// One recording.
#[derive(Debug)]
pub struct Recorder {
    settings: Settings,
    start: Instant,
    tracks: Vec<Track>,
    files: u32,
    /// What is to be written next, and how many bytes that is.
    waiting: Vec<Op>,
    waiting_len: usize,
    /// How long the journals are with what waits.
    journals: [u64; 2],
    /// What was accepted so far.
    bytes: u64,
    flight: Flight,
    /// Since when, and whether that is so long that it was told.
    flight_since: Instant,
    hangs: bool,
    batches: u64,
    next_tick: Instant,
    /// When what had come was last cut into parts; the same of the batch that was given out, and of what is written.
    cut_at: Instant,
    flight_cut_at: Instant,
    written_at: Instant,
    next_try: Instant,
    paused: Option<Instant>,
    trouble: Option<(Trouble, Instant)>,
    end: Ending,
    dropped: u64,
    told: State,
    outputs: VecDeque<Output>,
}

/// The one batch that was given out.
#[derive(Debug)]
enum Flight {
    None,
    Writing(Arc<Batch>),
    /// The disk did not take it; the same is tried again.
    Failed(Arc<Batch>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Ending {
    No,
    Since(Instant),
    Over(Result<(), Trouble>),
}

impl Recorder {
    /// Begins; `started_at` is the time of day in milliseconds since 1970.
    #[must_use]
    pub fn new(now: Instant, id: &str, title: &str, started_at: u64, settings: Settings) -> Self {
        let mut recorder = Self {
            settings,
            start: now,
            tracks: Vec::new(),
            files: 0,
            waiting: Vec::new(),
            waiting_len: 0,
            journals: [0, 0],
            bytes: 0,
            flight: Flight::None,
            flight_since: now,
            hangs: false,
            batches: 0,
            next_tick: now,
            cut_at: now,
            flight_cut_at: now,
            written_at: now,
            next_try: now,
            paused: None,
            trouble: None,
            end: Ending::No,
            dropped: 0,
            told: State::Recording,
            outputs: VecDeque::new(),
        };
        let (id, title) = (id.to_owned(), title.to_owned());
        recorder.note(&Record::Start { version: manifest::VERSION, id, title, started_at });
        recorder
    }

    /// The recording's time in ticks of a codec.
    #[must_use]
    pub fn ticks(&self, now: Instant, codec: Codec) -> u64 {
        let ns = now.saturating_duration_since(self.start).as_nanos();
        u64::try_from(ns * u128::from(codec.rate()) / 1_000_000_000).unwrap_or(u64::MAX)
    }

    fn ms(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.start).as_millis()).unwrap_or(u64::MAX)
    }

    /// Frames that came and were not kept, but for those of pauses.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Bytes of all files so far.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What was handed over before this, in milliseconds since the beginning, can be read; but for the last picture of a
    /// track, which is held back for up to 1.2 s where it stands.
    #[must_use]
    pub fn written_ms(&self) -> u64 {
        self.ms(self.written_at)
    }

    /// A track appeared; its frames are named by the number that this gives.
    pub fn add_track(&mut self, now: Instant, info: TrackInfo) -> u32 {
        let track = self.tracks.len() as u32 + 1;
        let TrackInfo { participant, name, source } = info;
        self.tracks.push(Track::new(track, &source));
        self.note(&Record::Track(manifest::Track { track, participant, name, source, at_ms: self.ms(now) }));
        track
    }

    /// A track is over.
    pub fn end_track(&mut self, track: u32) {
        let Some(found) = self.track_mut(track) else { return };
        let kept = found.end();
        self.keep(kept);
    }

    /// A frame came.
    pub fn handle_frame(&mut self, now: Instant, track: u32, frame: Frame) {
        if self.end != Ending::No {
            return;
        }
        let full = self.waiting_len > self.settings.max_waiting;
        if full && self.trouble.is_none() {
            self.suspend(now, Trouble::Slow);
        }
        let taken = self.paused.is_none() && self.trouble.is_none();
        self.dropped += u64::from(self.paused.is_none() && self.trouble.is_some());
        let (next_file, at_ms) = (self.files + 1, self.ms(now));
        let Some(found) = self.track_mut(track) else { return };
        if !taken {
            found.miss();
            return;
        }
        let asks = !frame.codec.is_audio();
        let (kept, pushed) = found.push(at_ms, frame, next_file);
        match pushed {
            Pushed::WantsKey if asks => self.outputs.push_back(Output::KeyFrameWanted(track)),
            Pushed::TooMany { first } => {
                self.dropped += 1;
                self.outputs.extend(first.then_some(Output::TooManyFiles(track)));
            }
            Pushed::WantsKey | Pushed::Done => {}
        }
        if asks && kept.hole {
            self.outputs.push_back(Output::KeyFrameWanted(track));
        }
        self.keep(kept);
    }

    /// Something happened.
    pub fn handle_event(&mut self, now: Instant, event: timeline::Event) {
        if self.end == Ending::No {
            let line = journal::line(&timeline::Entry { at_ms: self.ms(now), event });
            self.append(Journal::Timeline, line);
        }
    }

    /// From now on nothing is kept.
    pub fn pause(&mut self, now: Instant) {
        if self.end == Ending::No && self.paused.is_none() {
            self.paused = Some(now);
            self.cut_off();
        }
        self.tell();
    }

    /// A pause is over.
    pub fn resume(&mut self, now: Instant) {
        if let Some(from) = self.paused.take() {
            self.note_gap(from, now, GapReason::Paused);
        }
        self.tell();
    }

    /// Ends the recording.
    pub fn stop(&mut self, now: Instant) {
        self.finish(now, EndReason::Stopped);
    }

    fn finish(&mut self, now: Instant, why: EndReason) {
        if self.end != Ending::No {
            return;
        }
        for track in 1..=self.tracks.len() as u32 {
            self.end_track(track);
        }
        if let Some(from) = self.paused.take() {
            self.note_gap(from, now, GapReason::Paused);
        }
        if let Some((trouble, from)) = &self.trouble {
            self.note_gap(*from, now, trouble.reason());
        }
        self.note(&Record::End(End { at_ms: self.ms(now), why, dropped: self.dropped }));
        self.end = Ending::Since(now);
        self.next_tick = now;
        self.tell();
    }

    /// A batch is on the disk, or is not.
    pub fn handle_written(&mut self, now: Instant, written: Written) {
        let batch = match std::mem::replace(&mut self.flight, Flight::None) {
            Flight::Writing(batch) if batch.number == written.number => batch,
            other => {
                self.flight = other;
                return;
            }
        };
        self.hangs = false;
        let full = written.free.is_some_and(|free| free < self.settings.reserve);
        self.next_try = now + RETRY;
        match written.result {
            Ok(()) => {
                self.written_at = self.flight_cut_at;
                let behind = self.waiting_len > self.settings.max_waiting / 2;
                if full && self.end == Ending::No {
                    self.suspend(now, Trouble::DiskFull);
                } else if behind && self.trouble.is_some() {
                    // What waits goes first, at once.
                    self.next_try = now;
                } else {
                    self.go_on(now);
                }
                if self.bytes >= self.settings.quota {
                    self.finish(now, EndReason::Quota);
                }
            }
            Err(trouble) => {
                self.flight = Flight::Failed(batch);
                self.suspend(now, trouble);
            }
        }
        if let Ending::Since(since) = self.end {
            let trouble = self.trouble.as_ref().map(|(trouble, _)| trouble.clone());
            if matches!(self.flight, Flight::None) && self.waiting.is_empty() {
                self.end = Ending::Over(Ok(()));
            } else if let Some(trouble) = trouble.filter(|_| now >= since + LAST_TRY) {
                self.end = Ending::Over(Err(trouble));
            }
        }
        self.tell();
    }

    /// The time has come that [`Recorder::poll_timeout`] said.
    pub fn handle_timeout(&mut self, now: Instant) {
        if matches!(self.end, Ending::Over(_)) {
            return;
        }
        if now >= self.next_tick {
            // Where the machine stood still, ticks that were missed are not made up for.
            self.next_tick = now + self.settings.tick;
            if self.trouble.is_none() {
                self.cut(now);
                self.cut_at = now;
                if self.waiting.is_empty() && matches!(self.flight, Flight::None) {
                    self.written_at = now;
                }
            }
        }
        let retries = self.trouble.is_some();
        if retries {
            if now < self.next_try {
                return;
            }
            self.next_try = now + RETRY;
        }
        let batch = match std::mem::replace(&mut self.flight, Flight::None) {
            Flight::Writing(batch) => {
                self.flight = Flight::Writing(batch);
                self.doubt(now);
                None
            }
            Flight::Failed(batch) => Some(batch),
            // Where the disk was only full, a batch of nothing tells how full it is now.
            Flight::None => (retries || !self.waiting.is_empty()).then(|| self.next_batch()),
        };
        if let Some(batch) = batch {
            self.flight = Flight::Writing(Arc::clone(&batch));
            self.flight_since = now;
            self.outputs.push_back(Output::Write(batch));
        }
        self.tell();
    }

    /// When [`Recorder::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match (&self.end, &self.trouble) {
            (Ending::Over(_), _) => None,
            (_, Some(_)) => Some(self.next_try),
            _ => Some(self.next_tick),
        }
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn track_mut(&mut self, track: u32) -> Option<&mut Track> {
        self.tracks.get_mut(usize::try_from(track.checked_sub(1)?).ok()?)
    }

    fn cut(&mut self, now: Instant) {
        for index in 0..self.tracks.len() {
            let Some(codec) = self.tracks[index].codec() else { continue };
            let at = self.ticks(now, codec);
            let kept = self.tracks[index].cut(at);
            self.keep(kept);
        }
    }

    /// What came until now is kept, what comes next begins with a key frame.
    fn cut_off(&mut self) {
        for index in 0..self.tracks.len() {
            let kept = self.tracks[index].cut_off();
            self.keep(kept);
        }
    }

    fn keep(&mut self, kept: Kept) {
        self.files += kept.new_files;
        for op in kept.ops {
            self.push(op);
        }
        for record in kept.records {
            self.note(&record);
        }
    }

    fn note(&mut self, record: &Record) {
        self.append(Journal::Manifest, journal::line(record));
    }

    fn note_gap(&mut self, from: Instant, to: Instant, why: GapReason) {
        self.note(&Record::Gap(Gap { from_ms: self.ms(from), to_ms: self.ms(to), why }));
    }

    fn append(&mut self, journal: Journal, bytes: Vec<u8>) {
        let len = &mut self.journals[journal as usize];
        let at = *len;
        *len += bytes.len() as u64;
        self.push(Op::Note { journal, at, bytes });
    }

    fn push(&mut self, op: Op) {
        self.waiting_len += op.len();
        self.bytes += if matches!(op, Op::Complete { .. }) { 0 } else { op.len() as u64 };
        self.waiting.push(op);
    }

    fn suspend(&mut self, now: Instant, trouble: Trouble) {
        match &mut self.trouble {
            Some((known, _)) => *known = trouble,
            None => {
                self.trouble = Some((trouble, now));
                self.next_try = now + RETRY;
                self.cut_off();
            }
        }
        self.tell();
    }

    /// The disk took something, and has room.
    fn go_on(&mut self, now: Instant) {
        if let Some((trouble, from)) = self.trouble.take()
            && self.end == Ending::No
        {
            self.note_gap(from, now, trouble.reason());
            self.next_tick = now;
        }
    }

    /// A disk that neither takes a batch nor says so is told of, and not waited for at the end.
    fn doubt(&mut self, now: Instant) {
        if now < self.flight_since + HANGS {
            return;
        }
        self.hangs = true;
        if let Ending::Since(since) = self.end
            && now >= since + LAST_TRY
        {
            self.end = Ending::Over(Err(Trouble::Slow));
        }
    }

    fn next_batch(&mut self) -> Arc<Batch> {
        self.batches += 1;
        self.waiting_len = 0;
        self.flight_cut_at = self.cut_at;
        Arc::new(Batch { number: self.batches, ops: std::mem::take(&mut self.waiting) })
    }

    /// Says how it stands, where that is new.
    fn tell(&mut self) {
        let state = match (&self.end, &self.trouble, self.paused) {
            (Ending::Over(result), _, _) => State::Finished(result.clone()),
            (Ending::Since(_), _, _) => State::Stopping,
            (_, Some((trouble, _)), _) => State::Suspended(trouble.clone()),
            (_, None, Some(_)) => State::Paused,
            (_, None, None) if self.hangs => State::Waiting,
            (_, None, None) => State::Recording,
        };
        if state != self.told {
            self.told = state.clone();
            self.outputs.push_back(Output::State(state));
        }
    }
}
