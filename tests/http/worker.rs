//! A worker that forwards nothing: it records commands, acknowledges them unless told not to, and
//! reports what a test wants reported.

use signaling::ids::{ParticipantId, Source};
use signaling::protocol::Wish;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::time::Duration;
use symposia::worker::api::{Command, Event, RouterId, SessionId, Tap};
use tokio::sync::mpsc::Sender;

/// A command as it came, without its channels.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    OpenRouter(RouterId),
    CloseRouter(RouterId),
    OpenSession {
        session: SessionId,
        router: RouterId,
        participant: ParticipantId,
        sends: Vec<(String, Source)>,
        gates: Vec<Source>,
    },
    RestartIce {
        session: SessionId,
        local: String,
        remote: String,
    },
    CloseSession(SessionId),
    SetGate(SessionId, Source, bool),
    Watch(SessionId, Vec<Wish>),
}

#[derive(Default)]
struct State {
    seen: Mutex<Vec<Seen>>,
    events: Mutex<Option<Sender<Event>>>,
    hangs: AtomicBool,
    taps: Mutex<Vec<Tap>>,
}

#[derive(Clone, Default)]
pub struct Worker(Arc<State>);

impl Worker {
    pub fn start(commands: mpsc::Receiver<Command>) -> Self {
        let worker = Self::default();
        let it = worker.clone();
        std::thread::spawn(move || {
            let mut unanswered = Vec::new();
            for command in commands {
                let (seen, done) = it.note(command);
                if let Some(seen) = seen {
                    it.seen_now().push(seen);
                }
                if let Some(done) = done {
                    // What hangs keeps the channel open and says nothing.
                    if it.0.hangs.load(Ordering::Acquire) {
                        unanswered.push(done);
                    } else {
                        let _ = done.send(());
                    }
                }
            }
        });
        worker
    }

    fn note(&self, command: Command) -> (Option<Seen>, Option<tokio::sync::oneshot::Sender<()>>) {
        match command {
            Command::OpenRouter { router, events } => {
                *self.0.events.lock().expect("no panic") = Some(events);
                (Some(Seen::OpenRouter(router)), None)
            }
            Command::OpenTap { tap, .. } => {
                self.taps().push(tap);
                (None, None)
            }
            Command::CloseTap { taker, done, .. } => {
                self.taps().retain(|tap| tap.taker != taker);
                (None, done)
            }
            Command::CloseRouter { router } => (Some(Seen::CloseRouter(router)), None),
            Command::OpenSession(open) => {
                let sends = open.sends.into_iter().map(|(mid, source)| (mid.0, source)).collect();
                let (session, router, participant) = (open.session, open.router, open.participant);
                (Some(Seen::OpenSession { session, router, participant, sends, gates: open.open_gates }), None)
            }
            Command::RestartIce { session, local, remote } => {
                (Some(Seen::RestartIce { session, local: local.ufrag, remote: remote.ufrag }), None)
            }
            Command::CloseSession { session, done } => (Some(Seen::CloseSession(session)), done),
            Command::SetGate { session, source, open, done } => (Some(Seen::SetGate(session, source, open)), done),
            Command::Watch { session, wishes } => (Some(Seen::Watch(session, wishes)), None),
            _ => (None, None),
        }
    }

    fn seen_now(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.0.seen.lock().expect("no panic")
    }

    /// The taps that are open.
    pub fn taps(&self) -> MutexGuard<'_, Vec<Tap>> {
        self.0.taps.lock().expect("no panic")
    }

    /// From now on nothing is acknowledged.
    pub fn hang(&self) {
        self.0.hangs.store(true, Ordering::Release);
    }

    /// Everything seen so far.
    pub fn all(&self) -> Vec<Seen> {
        self.seen_now().clone()
    }

    /// Waits until something fitting was seen.
    pub async fn wait<T>(&self, fits: impl Fn(&Seen) -> Option<T>) -> T {
        for _ in 0..500 {
            if let Some(found) = self.all().iter().find_map(&fits) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the worker saw only {:?}", self.all());
    }

    /// A participant's session.
    pub async fn session_of(&self, participant: ParticipantId) -> SessionId {
        self.session_after(participant, None).await
    }

    /// A participant's first session that is another than the one before.
    pub async fn session_after(&self, participant: ParticipantId, before: Option<SessionId>) -> SessionId {
        self.wait(|seen| match seen {
            Seen::OpenSession { session, participant: of, .. } if *of == participant => {
                (Some(*session) != before).then_some(*session)
            }
            _ => None,
        })
        .await
    }

    /// The router opened last.
    pub fn router(&self) -> RouterId {
        let opened = |seen: &Seen| if let Seen::OpenRouter(router) = seen { Some(*router) } else { None };
        self.all().iter().rev().find_map(opened).expect("a router")
    }

    /// Reports to the router opened last.
    pub async fn report(&self, event: Event) {
        let events = self.0.events.lock().expect("no panic").clone();
        events.expect("a router").send(event).await.expect("somebody listens");
    }
}
