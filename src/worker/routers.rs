//! The routers of one meeting or broadcast, one on each worker that it needs: where its next session goes, and what each
//! worker must be told of the sessions on the others. Knows no rules and no packets.
//!
//! A worker takes sessions of a meeting until it has so many of them, or more to do than it can; then another one
//! joins in. What one router publishes, the others get by a tap: once for each worker that has sessions of the
//! meeting, however many those are.

use super::Media;
use super::api::{Command, Event, Gate, OpenSession, RemoteSession, RouterId, SessionId, Taker, Tap};
use crate::session::plan::{IceCredentials, Mid, SessionPlan};
use signaling::ids::{ParticipantId, Source, TrackId};
use signaling::protocol::Wish;
use std::collections::{BTreeMap, HashMap};
use tokio::sync::{mpsc, oneshot};

/// A session to be made.
pub struct NewSession {
    /// Whose.
    pub participant: ParticipantId,
    /// What was agreed.
    pub plan: SessionPlan,
    /// As in [`OpenSession`].
    pub sends: Vec<(Mid, Source)>,
    /// As in [`OpenSession`].
    pub open_gates: Vec<Source>,
}

/// The routers of one meeting or broadcast. Dropped, they close with all their sessions.
pub struct Routers {
    media: Media,
    /// The same in the ids of all its routers.
    number: u64,
    /// Weak, so that the reports end with the last worker.
    events: mpsc::WeakSender<Event>,
    /// In the order in which they were needed.
    parts: Vec<Part>,
    members: BTreeMap<SessionId, Member>,
    /// What each router says is wanted of a track.
    wanted: HashMap<TrackId, Vec<(RouterId, u16)>>,
}

struct Part {
    router: RouterId,
    /// How many it has; with none nothing needs to go there.
    sessions: usize,
}

struct Member {
    participant: ParticipantId,
    gates: Vec<Gate>,
}

impl Routers {
    /// A router on the worker with the fewest sessions. Reports of all routers come out of the receiver; so many wait.
    #[must_use]
    pub fn open(media: Media, reports: usize) -> (Self, mpsc::Receiver<Event>) {
        let (events, receiver) = mpsc::channel(reports);
        let number = media.number();
        // With as few sessions on several, they take turns.
        let count = media.workers();
        let order = (0..count).map(|i| (i + number as usize) % count);
        let worker = order.min_by_key(|worker| media.sessions(*worker)).unwrap_or(0);
        let mut routers = Self {
            media,
            number,
            events: events.downgrade(),
            parts: Vec::new(),
            members: BTreeMap::new(),
            wanted: HashMap::new(),
        };
        routers.open_part(worker);
        (routers, receiver)
    }

    /// A name for a new session, which also says on which worker it will be.
    #[must_use]
    pub fn new_session(&self) -> SessionId {
        SessionId((self.next_worker() as u64) << 56 | self.media.number())
    }

    /// Whether a newcomer would come to a media thread that has more to do than it can, so that he should be refused.
    #[must_use]
    pub fn is_overloaded(&self) -> bool {
        self.media.is_overloaded(self.next_worker())
    }

    /// On how many workers it is.
    #[must_use]
    pub const fn spread(&self) -> usize {
        self.parts.len()
    }

    fn next_worker(&self) -> usize {
        let media = &self.media;
        let has_room =
            |part: &&Part| part.sessions < media.sessions_per_worker() && !media.is_overloaded(part.router.worker());
        if let Some(part) = self.parts.iter().find(has_room) {
            return part.router.worker();
        }
        let is_new = |worker: &usize| self.parts.iter().all(|part| part.router.worker() != *worker);
        let fresh = (0..media.workers()).filter(|worker| is_new(worker) && !media.is_overloaded(*worker));
        let fresh = fresh.min_by_key(|worker| media.sessions(*worker));
        let fullest_last = |part: &&Part| (media.is_overloaded(part.router.worker()), part.sessions);
        let least = || self.parts.iter().min_by_key(fullest_last).map(|part| part.router.worker());
        fresh.or_else(least).unwrap_or(0)
    }

    const fn router_on(&self, worker: usize) -> RouterId {
        RouterId((worker as u64) << 56 | self.number)
    }

    fn others(&self, router: RouterId) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(move |part| part.router != router)
    }

    /// A worker joins in, and learns of all that the others have.
    fn open_part(&mut self, worker: usize) {
        let router = self.router_on(worker);
        // Without a worker there is nobody to tell; its sessions fail by themselves.
        let Some(events) = self.events.upgrade() else { return };
        self.media.send_to(worker, Command::OpenRouter { router, events });
        for (session, member) in &self.members {
            self.announce(router, *session, member);
        }
        for part in self.others(router).filter(|part| part.sessions > 0) {
            self.open_tap(router, part.router.worker());
        }
        self.parts.push(Part { router, sessions: 0 });
    }

    fn announce(&self, router: RouterId, session: SessionId, member: &Member) {
        if member.gates.is_empty() {
            return;
        }
        let (participant, gates) = (member.participant, member.gates.clone());
        let remote = RemoteSession { session, router, participant, gates };
        self.media.send_to(router.worker(), Command::AddRemote(Box::new(remote)));
    }

    fn open_tap(&self, router: RouterId, taker: usize) {
        if let Some(ring) = self.media.taps(taker) {
            let tap = Tap { taker: Taker::Worker(taker), ring };
            self.media.send_to(router.worker(), Command::OpenTap { router, tap });
        }
    }

    /// Makes a session of this name on its worker, and tells the others what it publishes.
    pub fn open_session(&mut self, session: SessionId, new: NewSession) {
        let worker = session.worker();
        if self.parts.iter().all(|part| part.router.worker() != worker) {
            self.open_part(worker);
        }
        let router = self.router_on(worker);
        let NewSession { participant, plan, sends, open_gates } = new;
        let gate = |source: Source| Gate { source, open: open_gates.contains(&source), openings: 0 };
        let gates = sends.iter().map(|(_, source)| gate(*source)).collect();
        let member = Member { participant, gates };
        for part in self.others(router) {
            self.announce(part.router, session, &member);
        }
        self.forget_wanted(participant);
        self.members.insert(session, member);
        let open = OpenSession { session, router, participant, plan, sends, open_gates };
        self.media.send_to(worker, Command::OpenSession(Box::new(open)));
        let Some(part) = self.parts.iter_mut().find(|part| part.router == router) else { return };
        part.sessions += 1;
        if part.sessions == 1 {
            for other in self.others(router) {
                self.open_tap(other.router, worker);
            }
        }
    }

    /// Opens or closes the gate of a source on all workers; each acknowledges where that is asked for.
    pub fn set_gate(
        &mut self,
        session: SessionId,
        source: Source,
        open: bool,
        acknowledge: bool,
    ) -> Vec<oneshot::Receiver<()>> {
        let Some(member) = self.members.get_mut(&session) else { return Vec::new() };
        if let Some(gate) = member.gates.iter_mut().find(|gate| gate.source == source) {
            // As the workers count, so that one that joins in later counts like them.
            gate.openings = gate.openings.wrapping_add(u32::from(open && !gate.open));
            gate.open = open;
        }
        self.tell_all(session, acknowledge, |done| Command::SetGate { session, source, open, done })
    }

    /// Ends a session and what the other workers have of it; each acknowledges where that is asked for.
    pub fn close_session(&mut self, session: SessionId, acknowledge: bool) -> Vec<oneshot::Receiver<()>> {
        let Some(member) = self.members.remove(&session) else { return Vec::new() };
        self.forget_wanted(member.participant);
        let acknowledgements = self.tell_all(session, acknowledge, |done| Command::CloseSession { session, done });
        let router = self.router_on(session.worker());
        if let Some(part) = self.parts.iter_mut().find(|part| part.router == router) {
            part.sessions -= 1;
            if part.sessions == 0 {
                let taker = Taker::Worker(router.worker());
                for other in self.others(router) {
                    let close = Command::CloseTap { router: other.router, taker, done: None };
                    self.media.send_to(other.router.worker(), close);
                }
            }
        }
        acknowledgements
    }

    /// The session's own worker hears it last: it must not give what the others would not take yet.
    fn tell_all(
        &self,
        session: SessionId,
        acknowledge: bool,
        command: impl Fn(Option<oneshot::Sender<()>>) -> Command,
    ) -> Vec<oneshot::Receiver<()>> {
        let own = self.router_on(session.worker());
        let mut acknowledgements = Vec::new();
        for router in self.others(own).map(|part| part.router).chain([own]) {
            let (done, acknowledged) = oneshot::channel();
            acknowledgements.extend(acknowledge.then_some(acknowledged));
            self.media.send_to(router.worker(), command(acknowledge.then_some(done)));
        }
        acknowledgements
    }

    /// What videos a session wants, most important first.
    pub fn watch(&self, session: SessionId, wishes: Vec<Wish>) {
        self.media.send_to(session.worker(), Command::Watch { session, wishes });
    }

    /// New ICE credentials on both sides of a session.
    pub fn restart_ice(&self, session: SessionId, local: IceCredentials, remote: IceCredentials) {
        self.media.send_to(session.worker(), Command::RestartIce { session, local, remote });
    }

    /// Makes one report of what several routers say of the same thing; `None` where it says nothing new.
    pub fn merge(&mut self, event: Event) -> Option<Event> {
        match event {
            Event::Wanted { router, track, height } => {
                // It may be late, about somebody who left.
                self.members.values().find(|member| member.participant == track.participant)?;
                let said = self.wanted.entry(track).or_default();
                let most = |said: &[(RouterId, u16)]| said.iter().map(|(_, height)| *height).max().unwrap_or(0);
                let before = most(said);
                said.retain(|(other, _)| *other != router);
                said.push((router, height));
                let height = most(said);
                (height != before).then_some(Event::Wanted { router, track, height })
            }
            // All hear all microphones, so that one is enough to ask.
            Event::Speakers { router, .. } => {
                let first = self.parts.iter().find(|part| part.sessions > 0);
                first.is_none_or(|part| part.router == router).then_some(event)
            }
            Event::Session { .. } | Event::Slots { .. } | Event::Quality { .. } | Event::Flowing { .. } => Some(event),
        }
    }

    /// Tracks of a new session begin with nobody having asked for them.
    fn forget_wanted(&mut self, participant: ParticipantId) {
        self.wanted.retain(|track, _| track.participant != participant);
    }

    /// Ends all sessions.
    pub fn close(&mut self) {
        self.members.clear();
        self.wanted.clear();
        for part in self.parts.drain(..) {
            self.media.send_to(part.router.worker(), Command::CloseRouter { router: part.router });
        }
    }
}

impl Drop for Routers {
    fn drop(&mut self) {
        self.close();
    }
}
