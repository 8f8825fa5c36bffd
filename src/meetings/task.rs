//! One live meeting: a task that owns its [`signaling::Meeting`], hears its mailbox, its workers and
//! its clock, and carries out the effects in order. Knows no HTTP and decides nothing.

use super::counters;
use super::mailbox::{Description, Door, Mail};
use super::media::{self, Report, Sessions};
use super::outbox::{CloseReason, ConnectionId, Outbox};
use super::rate::{Bucket, Rate};
use super::recording::Recorder;
use super::refusal::Refusal;
use super::saver::Saver;
use super::steps::{Step, Steps};
use super::stored::RecordingSettings;
use crate::clock;
use crate::recordings::{Handle, NewRecording, News, Recordings};
use crate::store::Store;
use crate::worker::Media;
use crate::worker::api::Event as WorkerEvent;
use signaling::Meeting;
use signaling::ids::{Millis, ParticipantId};
use signaling::meeting::{Counts, Effect, RecordingCommand, RecordingNews};
use signaling::protocol::{
    Command, Event, MediaEvent, OutReason, Outcome, Policy, RecordingEndReason, RefusalCode, SendLimit, SendSlot,
    ServerMessage, Wish,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::{sleep, sleep_until, timeout};

/// How long changes that can wait do wait before they are stored.
const SAVE_WITHIN: Duration = Duration::from_secs(1);
/// How long a meeting without anybody stays in memory: a host who reloads finds it as it was.
const IDLE: Duration = Duration::from_secs(30);
/// Steps that may wait behind an acknowledgement before the mailbox is not read any more.
const MAX_STEPS: usize = 20_000;
/// How long the last write may take when the meeting leaves memory.
const LAST_SAVE_WITHIN: Duration = Duration::from_secs(5);

/// What a task is made of.
pub(super) struct Setup {
    pub(super) id: String,
    pub(super) meeting: Meeting,
    pub(super) policy_at_start: Policy,
    pub(super) store: Store,
    pub(super) media: Media,
    pub(super) recordings: Recordings,
    pub(super) recorded: RecordingSettings,
    pub(super) max_sections: usize,
    pub(super) max_tracks: usize,
    pub(super) renegotiations: Rate,
    pub(super) mailbox: mpsc::Receiver<Mail>,
    /// How many meetings have people in them.
    pub(super) occupied: Arc<AtomicUsize>,
}

/// Counts its meeting among those with people in them, until it is dropped.
struct Occupied(Arc<AtomicUsize>);

impl Occupied {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(count))
    }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

pub(super) struct Task {
    meeting: Meeting,
    policy_at_start: Policy,
    media: Media,
    max_sections: usize,
    max_tracks: usize,
    /// Opened with the first offer.
    sessions: Option<Sessions>,
    reports: Option<mpsc::Receiver<WorkerEvent>>,
    sockets: HashMap<ParticipantId, Outbox>,
    offers: HashMap<ParticipantId, Bucket>,
    renegotiations: Rate,
    steps: Steps,
    saver: Saver,
    store: Store,
    id: String,
    /// When changes that can wait are stored at the latest.
    save_at: Option<Instant>,
    idle_since: Option<Instant>,
    all_occupied: Arc<AtomicUsize>,
    occupied: Option<Occupied>,
    counts: Counts,
    leaving: bool,
    recorder: Recorder,
    recording_news: UnboundedReceiver<News>,
    recorded: RecordingSettings,
}

impl Task {
    pub(super) fn new(setup: Setup) -> (Self, mpsc::Receiver<Mail>) {
        let (recorder, recording_news) = Recorder::new(setup.recordings);
        let task = Self {
            saver: Saver::start(setup.store.clone(), setup.id.clone()),
            meeting: setup.meeting,
            policy_at_start: setup.policy_at_start,
            media: setup.media,
            max_sections: setup.max_sections,
            max_tracks: setup.max_tracks,
            sessions: None,
            reports: None,
            sockets: HashMap::new(),
            offers: HashMap::new(),
            renegotiations: setup.renegotiations,
            steps: Steps::default(),
            store: setup.store,
            id: setup.id,
            save_at: None,
            idle_since: Some(clock::now()),
            all_occupied: setup.occupied,
            occupied: None,
            counts: Counts::default(),
            leaving: false,
            recorder,
            recording_news,
            recorded: setup.recorded,
        };
        (task, setup.mailbox)
    }

    /// Runs until nobody is left, the meeting ended or the server stops.
    pub(super) async fn run(mut self, mailbox: &mut mpsc::Receiver<Mail>) {
        counters::MEETINGS.add(1);
        loop {
            self.settle();
            if self.leaving && self.steps.is_empty() {
                break;
            }
            let wake = self.next_wake();
            let room = self.steps.len() < MAX_STEPS;
            tokio::select! {
                () = self.steps.wait() => {}
                report = receive(self.reports.as_mut()) => self.report(report),
                Some(news) = self.recording_news.recv() => self.news(news),
                mail = mailbox.recv(), if room => match mail {
                    Some(mail) => self.mail(mail),
                    None => self.leaving = true,
                },
                () = pause(wake) => self.wake(),
            }
        }
        mailbox.close();
        self.leave().await;
    }

    /// Carries out what the meeting decided, and notes how many are where.
    fn settle(&mut self) {
        self.steps.run();
        let counts = self.meeting.counts();
        let signed = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        counters::PARTICIPANTS.add(signed(counts.admitted) - signed(self.counts.admitted));
        counters::WAITING.add(signed(counts.waiting) - signed(self.counts.waiting));
        let empty = counts.admitted + counts.waiting == 0;
        self.idle_since = if empty { Some(self.idle_since.unwrap_or_else(clock::now)) } else { None };
        self.occupied = (!empty).then(|| self.occupied.take().unwrap_or_else(|| Occupied::new(&self.all_occupied)));
        self.counts = counts;
    }

    fn mail(&mut self, mail: Mail) {
        let now = clock::unix();
        match mail {
            Mail::Enter { door, outbox, answer } => {
                let result = self.enter(now, door, &outbox);
                let entered = result.as_ref().ok().copied();
                if answer.send(result).is_err()
                    && let Some(participant) = entered
                {
                    // Whoever knocked has gone away meanwhile.
                    self.disconnected(now, participant, outbox.connection());
                }
            }
            Mail::Command { participant, connection, id, command } => {
                if self.is_current(participant, connection) {
                    self.command(now, participant, id, command);
                }
            }
            Mail::Disconnected { participant, connection } => self.disconnected(now, participant, connection),
            Mail::Record { what, only, answer } => {
                let result = self.record(what, only.as_deref());
                self.steps.push(Step::Answer(Box::new(move || {
                    // Who asked may be gone.
                    let _ = answer.send(result);
                })));
            }
            Mail::Describe { answer } => {
                let _ = answer.send(Description {
                    info: self.meeting.info(),
                    policy: *self.meeting.policy(),
                    counts: self.meeting.counts(),
                    recorded: self.meeting.recording().is_some(),
                    to_be_recorded: self.meeting.is_to_be_recorded(),
                });
            }
            Mail::ShutOut { account, answer } => {
                self.meeting.shut_out(now, account);
                self.carry_out(None, true);
                self.steps.push(Step::Answer(Box::new(move || {
                    // Who asked may be gone.
                    let _ = answer.send(());
                })));
            }
            Mail::End => {
                self.meeting.end(now);
                self.carry_out(None, true);
            }
            Mail::Stop => {
                self.meeting.stop(now);
                self.carry_out(None, true);
                self.leaving = true;
            }
        }
    }

    fn enter(&mut self, now: Millis, door: Door, outbox: &Outbox) -> Result<ParticipantId, Refusal> {
        if self.leaving {
            return Err(RefusalCode::Draining.into());
        }
        let result = match door {
            Door::Knock(knock) => self.meeting.knock(now, knock),
            Door::Resume { seat, last_event } => self.meeting.resume(now, &seat, last_event),
        };
        let newer = result.as_ref().ok().map(|participant| (*participant, outbox));
        self.carry_out(newer, false);
        result.map_err(Refusal::from)
    }

    fn is_current(&self, participant: ParticipantId, connection: ConnectionId) -> bool {
        self.sockets.get(&participant).is_some_and(|outbox| outbox.connection() == connection)
    }

    fn disconnected(&mut self, now: Millis, participant: ParticipantId, connection: ConnectionId) {
        if self.is_current(participant, connection) {
            self.sockets.remove(&participant);
            self.meeting.disconnected(now, participant);
            self.carry_out(None, false);
        }
    }

    fn command(&mut self, now: Millis, participant: ParticipantId, id: u64, command: Command) {
        let result = match command {
            Command::Offer { sdp, sends } => self.offer(participant, &sdp, sends),
            Command::Watch { videos } => self.watch(participant, videos),
            Command::TellLimit { limit } => self.tell_limit(participant, limit),
            // An ICE-lite side learns the peer's address from its checks (RFC 8445 §7.3.1.3).
            Command::Candidate { .. } => self.inside(participant).map(|()| Outcome::Done),
            command => {
                let urgent = is_urgent(&command);
                self.meeting.handle_command(now, participant, id, command);
                return self.carry_out(None, urgent);
            }
        };
        let message = match result {
            Ok(result) => ServerMessage::Reply { id, result },
            Err(refusal) => refusal.into_message(id),
        };
        self.send(participant, message);
    }

    fn inside(&self, participant: ParticipantId) -> Result<(), Refusal> {
        self.meeting.media_allowed(participant).map(|_| ()).ok_or_else(|| RefusalCode::NotAdmitted.into())
    }

    fn offer(&mut self, participant: ParticipantId, sdp: &str, sends: Vec<SendSlot>) -> Result<Outcome, Refusal> {
        let rights = self.meeting.media_allowed(participant).ok_or(RefusalCode::NotAdmitted)?;
        let (now, rate) = (clock::now(), self.renegotiations);
        let bucket = self.offers.entry(participant).or_insert_with(|| Bucket::new(rate, now));
        if let Err(later) = bucket.take(now) {
            return Err(Refusal::from(RefusalCode::TooMany).retry_after(later.0));
        }
        let sessions = self.sessions.get_or_insert_with(|| {
            let (sessions, reports) =
                Sessions::open(self.media.clone(), media::meeting_policy(self.max_sections), self.max_tracks);
            self.reports = Some(reports);
            sessions
        });
        if let Some(handle) = self.recorder.handle().filter(|_| sessions.is_fresh()) {
            // Nobody has a session yet.
            sessions.record(Arc::clone(handle));
        }
        let (sdp, report) = sessions.offer(participant, rights, sdp, sends, &mut rand::rng())?;
        self.tell(report);
        Ok(Outcome::Answer { sdp })
    }

    fn watch(&mut self, participant: ParticipantId, videos: Vec<Wish>) -> Result<Outcome, Refusal> {
        self.inside(participant)?;
        match &mut self.sessions {
            Some(sessions) => {
                let report = sessions.watch(participant, videos)?;
                self.tell(report);
                Ok(Outcome::Done)
            }
            None => Err(Refusal::from(RefusalCode::OutOfOrder).detail("offer first")),
        }
    }

    fn tell_limit(&mut self, participant: ParticipantId, limit: Option<SendLimit>) -> Result<Outcome, Refusal> {
        self.inside(participant)?;
        let Some(sessions) = &mut self.sessions else {
            return Err(Refusal::from(RefusalCode::OutOfOrder).detail("offer first"));
        };
        let report = sessions.tell_limit(clock::now(), participant, limit)?;
        self.tell(report);
        Ok(Outcome::Done)
    }

    /// Takes the meeting's effects: media at once, the rest in order behind their acknowledgements.
    /// `newer` is the socket that takes up a seat.
    fn carry_out(&mut self, newer: Option<(ParticipantId, &Outbox)>, urgent: bool) {
        let mut older = newer.and_then(|(participant, outbox)| self.sockets.insert(participant, outbox.clone()));
        let mut out = HashMap::new();
        while let Some(effect) = self.meeting.poll_effect() {
            match effect {
                Effect::Send { to, message } => {
                    if let ServerMessage::Event { event: Event::Out { reason }, .. } = &message {
                        out.insert(to, *reason);
                    }
                    if let ServerMessage::Event { event: Event::Chat { message }, .. } = &message {
                        self.recorder.wrote(message);
                    }
                    self.send(to, message);
                }
                Effect::Replace { message, .. } => {
                    if let Some(older) = older.take() {
                        self.steps.push(Step::Send(older.clone(), message));
                        self.steps.push(Step::Close(older, CloseReason::Replaced));
                    }
                }
                Effect::CloseSocket { participant } => {
                    if let Some(outbox) = self.sockets.remove(&participant) {
                        let stopping = out.get(&participant) == Some(&OutReason::ServerStopping);
                        let reason = if stopping { CloseReason::ServerStopping } else { CloseReason::Out };
                        self.steps.push(Step::Close(outbox, reason));
                    }
                }
                Effect::SetGate { participant, epoch, source, open } => {
                    let done = self.sessions.as_mut().map(|all| all.set_gate(participant, epoch, source, open));
                    self.steps.push_all(done.into_iter().flatten().map(Step::Acknowledged));
                }
                Effect::EndMedia { participant, epoch } => {
                    self.offers.remove(&participant);
                    let done = self.sessions.as_mut().map(|all| all.end(participant, epoch));
                    self.steps.push_all(done.into_iter().flatten().map(Step::Acknowledged));
                }
                Effect::StartRecording { id } => self.start_recording(id),
                Effect::PauseRecording { .. } => {
                    let done = self.recorder.handle().map(|handle| handle.pause());
                    self.steps.push_all(done.map(Step::Acknowledged));
                }
                Effect::ResumeRecording { .. } => self.with_recording(|handle| handle.resume()),
                Effect::StopRecording { .. } => self.end_recording(),
                Effect::MarkRecording { text, .. } => self.recorder.mark(text),
                Effect::Banned { identity } => {
                    let done = self.recorder.forget_browser(&self.id, &identity);
                    self.steps.push_all(done.map(Step::Acknowledged));
                }
                Effect::Persist => self.persist(urgent),
                Effect::Ended => {
                    let version = self.saver.end();
                    self.steps.push(Step::Written(Box::pin(self.saver.written(version))));
                    self.leaving = true;
                }
            }
        }
        self.follow();
    }

    /// The recording learns who is there.
    fn follow(&mut self) {
        let noted = self.recorder.follow(&self.meeting);
        self.steps.push_all(noted.map(Step::Acknowledged));
    }

    fn start_recording(&mut self, id: String) {
        let RecordingSettings { height, visibility, .. } = self.recorded;
        let (meeting, title) = (self.id.clone(), self.meeting.info().title);
        let height = height.unwrap_or(u16::MAX);
        let new = NewRecording { id: id.clone(), meeting, title, height, visibility };
        let written = self.meeting.public_chat().last().map_or(0, |message| message.id);
        let Some((handle, noted)) = self.recorder.begin(new, clock::unix(), written) else {
            let news = RecordingNews::Ended(RecordingEndReason::Failed);
            return self.meeting.handle_recording_news(clock::unix(), &id, news);
        };
        self.steps.push(Step::Acknowledged(noted));
        // Names before pictures.
        self.follow();
        let report = self.sessions.as_mut().and_then(|sessions| sessions.record(handle));
        self.tell(report);
    }

    fn with_recording(&self, what: impl Fn(&Handle)) {
        if let Some(handle) = self.recorder.handle() {
            what(handle);
        }
    }

    fn end_recording(&mut self) {
        self.recorder.end();
        let report = self.sessions.as_mut().and_then(Sessions::end_record);
        self.tell(report);
    }

    /// What becomes of a recording by itself.
    fn news(&mut self, News { id, news }: News) {
        if self.recorder.handle().is_none_or(|handle| handle.id() != id) {
            return;
        }
        if matches!(news, RecordingNews::Ended(_)) {
            self.end_recording();
        }
        self.meeting.handle_recording_news(clock::unix(), &id, news);
        self.carry_out(None, false);
    }

    /// Somebody asks by REST; where `only` names a recording, it is about that one. Answered with its id, after all is true.
    fn record(&mut self, what: RecordingCommand, only: Option<&str>) -> Result<String, Refusal> {
        let id = |meeting: &Meeting| meeting.recording().map(|recording| recording.id);
        let before = id(&self.meeting);
        if only.is_some() && before.as_deref() != only {
            return Err(RefusalCode::NotRecording.into());
        }
        self.meeting.handle_recording(clock::unix(), what)?;
        self.carry_out(None, true);
        let id = if what == RecordingCommand::Stop { before } else { id(&self.meeting) };
        id.ok_or_else(|| Refusal::from(RefusalCode::Internal).detail("nothing can be recorded now"))
    }

    /// Stores now and has what follows wait for it, or stores soon.
    fn persist(&mut self, urgent: bool) {
        if urgent {
            self.save_at = None;
            let ended = self.meeting.has_ended();
            let version = if ended { self.saver.end() } else { self.saver.save(self.meeting.snapshot()) };
            self.steps.push(Step::Written(Box::pin(self.saver.written(version))));
        } else if self.save_at.is_none() {
            self.save_at = Some(clock::now() + SAVE_WITHIN);
        }
    }

    fn send(&mut self, to: ParticipantId, message: ServerMessage) {
        if let Some(outbox) = self.sockets.get(&to) {
            self.steps.push(Step::Send(outbox.clone(), message));
        }
    }

    /// Passes on what a worker reports. Not numbered, so it does not wait in line.
    fn report(&mut self, event: WorkerEvent) {
        let Some(sessions) = &mut self.sessions else { return };
        let failed = Sessions::failed(&event);
        let report = sessions.report(event);
        self.tell(report);
        let Some(sessions) = &mut self.sessions else { return };
        if let Some(session) = failed {
            sessions.forget(session);
        }
    }

    fn tell(&self, report: Option<Report>) {
        let tell = |to: ParticipantId, media| {
            // Whoever waits gets nothing of the meeting, whatever is still on its way.
            let inside = self.meeting.media_allowed(to).is_some();
            if let Some(outbox) = self.sockets.get(&to).filter(|_| inside) {
                outbox.send(ServerMessage::Media { media });
            }
        };
        match report {
            Some(Report::One(participant, media)) => tell(participant, media),
            Some(Report::Each(all)) => all.into_iter().for_each(|(participant, media)| tell(participant, media)),
            Some(Report::Everyone(media)) => {
                if let MediaEvent::Speakers { participants } = &media {
                    self.recorder.speak(participants);
                }
                let everyone = self.sessions.iter().flat_map(Sessions::participants);
                everyone.for_each(|participant| tell(participant, media.clone()));
            }
            None => {}
        }
    }

    fn next_wake(&self) -> Option<Instant> {
        let now = clock::now();
        let seats =
            self.meeting.poll_timeout().map(|at| now + Duration::from_millis(at.0.saturating_sub(clock::unix().0)));
        let idle = self.idle_since.map(|since| since + IDLE);
        [seats, idle, self.save_at].into_iter().flatten().min()
    }

    fn wake(&mut self) {
        let (now, unix) = (clock::now(), clock::unix());
        if self.meeting.poll_timeout().is_some_and(|at| at <= unix) {
            self.meeting.handle_timeout(unix);
            self.carry_out(None, false);
        }
        if self.save_at.is_some_and(|at| at <= now) {
            self.save_at = None;
            self.saver.save(self.meeting.snapshot());
        }
        let idle = self.idle_since.is_some_and(|since| now.saturating_duration_since(since) >= IDLE);
        self.leaving |= idle;
    }

    /// Writes what is left to write and lets go of everybody.
    async fn leave(mut self) {
        if !self.meeting.has_ended() && self.save_at.take().is_some() {
            self.saver.save(self.meeting.snapshot());
        }
        let written = self.saver.written(self.saver.newest());
        if timeout(LAST_SAVE_WITHIN, written).await.is_err() {
            tracing::error!("a meeting's state was not stored in time");
        }
        let nothing_kept = self.meeting.log().next().is_none() && *self.meeting.policy() == self.policy_at_start;
        let counts = self.meeting.counts();
        if !self.meeting.has_ended()
            && counts.admitted + counts.waiting == 0
            && nothing_kept
            && let Err(error) = self.store.drop_snapshot(&self.id).await
        {
            tracing::error!(%error, "a meeting's snapshot could not be dropped");
        }
        counters::MEETINGS.add(-1);
        let signed = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        counters::PARTICIPANTS.add(-signed(self.counts.admitted));
        counters::WAITING.add(-signed(self.counts.waiting));
    }
}

/// What binds others, or who may do what, is stored before anybody hears of it; the rest within a second.
const fn is_urgent(command: &Command) -> bool {
    matches!(
        command,
        Command::SetPolicy { .. }
            | Command::MuteAll { .. }
            | Command::Remove { .. }
            | Command::SendToWaitingRoom { .. }
            | Command::SetRole { .. }
            | Command::SuspendAll
            | Command::PauseRecording
            | Command::StopRecording
            | Command::End
    )
}

async fn receive(reports: Option<&mut mpsc::Receiver<WorkerEvent>>) -> WorkerEvent {
    if let Some(reports) = reports
        && let Some(report) = reports.recv().await
    {
        return report;
    }
    // No session yet, or the worker is gone.
    std::future::pending().await
}

async fn pause(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until.into()).await,
        None => sleep(Duration::from_secs(3600)).await,
    }
}
