//! One recording under way: what its ring holds becomes frames, frames become files, and whoever asked for it hears how it
//! goes. Told the time. Knows no thread, no meeting and no clock.

use super::{News, Started, Status, StatusState, counters};
use crate::capture::{Capture, Output as Captured};
use crate::session::SessionId;
use crate::worker::ring::Ring;
use crate::worker::tap::Tapped;
use recordings::{Output, Recorder, Settings, State, TrackInfo, Trouble, Writer, Written, timeline};
use signaling::ids::Source;
use signaling::meeting::RecordingNews;
use signaling::protocol::{RecordingEndReason, RecordingTrouble};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc::UnboundedSender;

/// How long after it was captured a frame is handed over at the latest, where the link is no worse than usual: its way,
/// the patience with what is repaired, and what the recorder holds back of a picture.
const ON_ITS_WAY_MS: u64 = 1_000;

pub(super) struct Live {
    pub(super) id: String,
    folder: PathBuf,
    began: Instant,
    ended: Option<Instant>,
    ring: Arc<Ring<Tapped>>,
    capture: Capture,
    recorder: Recorder,
    writer: Writer,
    /// Names of all who were there.
    people: BTreeMap<u32, String>,
    /// Of those who are there. What comes of others is not looked at.
    sessions: HashMap<SessionId, u32>,
    tracks: HashMap<(SessionId, Source), u32>,
    /// The same the other way: of track 1, 2, ….
    sources: Vec<(SessionId, Source)>,
    /// Key frames to be asked for.
    keys: Vec<(SessionId, Source, u8)>,
    paused: bool,
    stopped: bool,
    state: StatusState,
    counted: u64,
    dropped: u64,
    news: UnboundedSender<News>,
}

/// What is left when it is over.
pub(super) struct Over {
    pub(super) id: String,
    pub(super) folder: PathBuf,
    pub(super) writer: Writer,
    pub(super) status: Status,
    /// Whether its end is on the disk.
    pub(super) whole: bool,
}

impl Live {
    /// Begins; `server_ns` is the time on the clock of the packets. Whether its folder could be made is told to `began`, what
    /// comes of each batch to `done`.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub(super) fn begin(
        (now, server_ns): (Instant, i64),
        started: Started,
        settings: Settings,
        began: impl FnOnce(io::Result<()>) + Send + 'static,
        done: impl Fn(Written) + Send + 'static,
    ) -> Result<Self, (io::Error, Started)> {
        let writer = match Writer::start(&started.folder, began, done) {
            Ok(writer) => writer,
            Err(error) => return Err((error, started)),
        };
        let Started { id, folder, title, started_at, height, ring, news } = started;
        counters::RUNNING.add(1);
        counters::STARTED.add(1);
        Ok(Self {
            capture: Capture::new(now, server_ns, height),
            recorder: Recorder::new(now, &id, &title, started_at.0, settings),
            writer,
            id,
            folder,
            began: now,
            ended: None,
            ring,
            people: BTreeMap::new(),
            sessions: HashMap::new(),
            tracks: HashMap::new(),
            sources: Vec::new(),
            keys: Vec::new(),
            paused: false,
            stopped: false,
            state: StatusState::Recording,
            counted: 0,
            dropped: 0,
            news,
        })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// From now on packets of this session are somebody's.
    pub(super) fn add_session(&mut self, session: SessionId, participant: u32) {
        self.sessions.insert(session, participant);
    }

    /// What came until now is kept, and nothing of this session after it.
    pub(super) fn end_session(&mut self, now: Instant, session: SessionId) {
        self.take(now);
        self.sessions.remove(&session);
        for source in Source::ALL {
            self.capture.end(session, source);
            if let Some(track) = self.tracks.remove(&(session, source)) {
                self.recorder.end_track(track);
            }
        }
    }

    pub(super) fn handle_event(&mut self, now: Instant, event: timeline::Event) {
        match &event {
            timeline::Event::Joined { participant, name } | timeline::Event::Renamed { participant, name } => {
                self.people.insert(*participant, name.clone());
            }
            // Nothing is kept of what people say meanwhile.
            timeline::Event::Chat { .. } | timeline::Event::Speaking { .. } if self.paused => return,
            _ => {}
        }
        self.recorder.handle_event(now, event);
    }

    pub(super) fn set_paused(&mut self, now: Instant, paused: bool) {
        // What came before belongs to before.
        self.take(now);
        self.paused = paused;
        if paused {
            self.recorder.pause(now);
        } else {
            // What waits there for a repair was said in the pause.
            for (session, source) in self.sessions.keys().flat_map(|one| Source::ALL.map(|source| (*one, source))) {
                self.capture.end(session, source);
            }
            self.recorder.resume(now);
        }
    }

    pub(super) fn stop(&mut self, now: Instant) {
        if !self.stopped {
            self.take(now);
            self.stopped = true;
            self.recorder.stop(now);
        }
    }

    pub(super) fn handle_written(&mut self, now: Instant, written: Written) {
        self.recorder.handle_written(now, written);
    }

    /// Does what is due. `ask` asks a publisher for a key frame. Says when all is over, with what became of it.
    pub(super) fn poll(&mut self, now: Instant, ask: impl Fn(SessionId, Source, u8)) -> Option<Result<(), Trouble>> {
        self.take(now);
        if self.recorder.poll_timeout().is_some_and(|at| at <= now) {
            self.recorder.handle_timeout(now);
        }
        let mut over = None;
        while let Some(output) = self.recorder.poll_output() {
            match output {
                Output::Write(batch) => self.writer.write(batch),
                Output::KeyFrameWanted(track) => {
                    let source = usize::try_from(track).ok().and_then(|track| self.sources.get(track.checked_sub(1)?));
                    if let Some(&(session, source)) = source {
                        self.capture.want_key(session, source);
                    }
                }
                Output::TooManyFiles(track) => {
                    tracing::warn!(
                        recording = self.id,
                        track,
                        "a publisher changes codecs all the time: pictures are left out"
                    );
                }
                Output::State(state) => over = self.stands(now, state).or(over),
            }
        }
        // The recorder may have wanted some, too.
        self.take(now);
        for (session, source, layer) in self.keys.drain(..) {
            ask(session, source, layer);
        }
        counters::BYTES.add(self.recorder.bytes() - self.counted);
        counters::DROPPED.add(self.recorder.dropped() - self.dropped);
        (self.counted, self.dropped) = (self.recorder.bytes(), self.recorder.dropped());
        over
    }

    /// What is in the ring becomes frames, and frames go to the recorder.
    fn take(&mut self, now: Instant) {
        let (capture, sessions) = (&mut self.capture, &self.sessions);
        self.ring.drain(|tapped| {
            if sessions.contains_key(&tapped.session) {
                capture.handle_tapped(now, &tapped);
            }
        });
        if self.capture.poll_timeout().is_some_and(|at| at <= now) {
            self.capture.handle_timeout(now);
        }
        while let Some(output) = self.capture.poll_output() {
            match output {
                Captured::Frame { session, source, frame } => {
                    if let Some(track) = self.track(now, session, source) {
                        self.recorder.handle_frame(now, track, frame);
                    }
                }
                Captured::KeyFrameWanted { session, source, layer } => self.keys.push((session, source, layer)),
            }
        }
    }

    fn track(&mut self, now: Instant, session: SessionId, source: Source) -> Option<u32> {
        if let Some(track) = self.tracks.get(&(session, source)) {
            return Some(*track);
        }
        let participant = *self.sessions.get(&session)?;
        let name = self.people.get(&participant).cloned().unwrap_or_default();
        let info = TrackInfo { participant, name, source: source.word().to_owned() };
        let track = self.recorder.add_track(now, info);
        self.tracks.insert((session, source), track);
        self.sources.push((session, source));
        Some(track)
    }

    fn stands(&mut self, now: Instant, state: State) -> Option<Result<(), Trouble>> {
        let suspended = matches!(self.state, StatusState::Suspended);
        let (stands, news) = match &state {
            State::Recording => (StatusState::Recording, Some(RecordingNews::Trouble(None))),
            // Hosts hear of it before anything is lost.
            State::Waiting => (StatusState::Recording, Some(RecordingNews::Trouble(Some(RecordingTrouble::Slow)))),
            State::Paused => (StatusState::Paused, Some(RecordingNews::Trouble(None))),
            State::Suspended(trouble) => {
                tracing::warn!(recording = self.id, %trouble, "a recording is suspended");
                (StatusState::Suspended, Some(RecordingNews::Trouble(Some(told(trouble)))))
            }
            State::Stopping | State::Finished(_) => {
                self.ended.get_or_insert(now);
                // Where nobody asked for it, it became too large.
                let quota = (!std::mem::replace(&mut self.stopped, true))
                    .then_some(RecordingNews::Ended(RecordingEndReason::Quota));
                (StatusState::Finishing, quota)
            }
        };
        counters::SUSPENDED.add(i64::from(stands == StatusState::Suspended) - i64::from(suspended));
        self.state = stands;
        if let Some(news) = news {
            self.tell(news);
        }
        if let State::Finished(result) = state { Some(result) } else { None }
    }

    /// It can't go on. Its meeting hears so.
    pub(super) fn fail(&mut self) {
        if !std::mem::replace(&mut self.stopped, true) {
            self.tell(RecordingNews::Ended(RecordingEndReason::Failed));
        }
    }

    fn tell(&self, news: RecordingNews) {
        // A meeting that is over needs not hear it.
        let _ = self.news.send(News { id: self.id.clone(), news });
    }

    /// How it stands.
    pub(super) fn status(&self, now: Instant) -> Status {
        let passed = self.ended.unwrap_or(now).saturating_duration_since(self.began);
        Status {
            state: self.state,
            duration_ms: u64::try_from(passed.as_millis()).unwrap_or(u64::MAX),
            written_ms: self.recorder.written_ms().saturating_sub(ON_ITS_WAY_MS),
            bytes: self.recorder.bytes(),
            participants: self.people.values().cloned().collect(),
        }
    }

    pub(super) fn into_over(self, now: Instant, whole: bool) -> Over {
        counters::RUNNING.add(-1);
        counters::SUSPENDED.add(-i64::from(self.state == StatusState::Suspended));
        let status = self.status(now);
        Over { id: self.id, folder: self.folder, writer: self.writer, status, whole }
    }
}

const fn told(trouble: &Trouble) -> RecordingTrouble {
    match trouble {
        Trouble::DiskFull => RecordingTrouble::DiskFull,
        Trouble::ReadOnly => RecordingTrouble::ReadOnly,
        Trouble::Slow => RecordingTrouble::Slow,
        Trouble::Failed(_) => RecordingTrouble::Failed,
    }
}
