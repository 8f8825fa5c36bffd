//! The routers of one meeting or broadcast, one on each worker that it needs: where its next session goes, and what each
//! worker must be told of the sessions on the others. Knows no rules and no packets.
//!
//! A worker takes sessions of a meeting until it has so many of them, or more to do than it can; then another one
//! joins in. What one router publishes, the others get by a tap: once for each worker that has sessions of the
//! meeting, however many those are.

use super::Media;
use super::api::{Command, Event, Gate, OpenSession, RemoteSession, RouterId, SessionId, Taker, Tap};
use super::ring::Ring;
use super::tap::Tapped;
use crate::session::plan::{IceCredentials, Mid, SessionPlan};
use signaling::ids::{ParticipantId, Source, TrackId};
use signaling::protocol::Wish;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
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
    /// What is wanted of a track, and by whom.
    wanted: HashMap<TrackId, Vec<(Asker, u16)>>,
    recorder: Option<Recorder>,
}

/// Who wants something of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asker {
    /// The sessions of a router.
    Router(RouterId),
    /// The recorder.
    Recorder,
}

/// Who takes what all routers give, those that join in later, too.
struct Recorder {
    tap: Tap,
    /// Of the largest picture that it takes.
    height: u16,
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

impl Member {
    fn pictures(&self) -> Vec<TrackId> {
        let sources = self.gates.iter().map(|gate| gate.source).filter(|source| !source.is_audio());
        sources.map(|source| TrackId { participant: self.participant, source }).collect()
    }
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
            recorder: None,
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
        if let Some(recorder) = &self.recorder {
            self.media.send_to(worker, Command::OpenTap { router, tap: recorder.tap.clone() });
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

    /// From now on all packets of open gates go to a recorder, too, of pictures up to this height. Says what is wanted
    /// of publishers by that.
    pub fn record(&mut self, machine: u64, ring: Arc<Ring<Tapped>>, height: u16) -> Vec<Event> {
        let tap = Tap { taker: Taker::Machine(machine), ring };
        for part in &self.parts {
            let open = Command::OpenTap { router: part.router, tap: tap.clone() };
            self.media.send_to(part.router.worker(), open);
        }
        self.recorder = Some(Recorder { tap, height });
        let tracks: Vec<_> = self.members.values().flat_map(Member::pictures).collect();
        tracks.into_iter().filter_map(|track| self.want(track, Asker::Recorder, height)).collect()
    }

    /// Nothing goes to the recorder any more.
    pub fn end_record(&mut self) -> Vec<Event> {
        let Some(recorder) = self.recorder.take() else { return Vec::new() };
        for part in &self.parts {
            let close = Command::CloseTap { router: part.router, taker: recorder.tap.taker, done: None };
            self.media.send_to(part.router.worker(), close);
        }
        let tracks: Vec<_> = self.members.values().flat_map(Member::pictures).collect();
        tracks.into_iter().filter_map(|track| self.want(track, Asker::Recorder, 0)).collect()
    }

    /// What the recorder wants of a session that was just opened.
    pub fn record_session(&mut self, session: SessionId) -> Vec<Event> {
        let (Some(recorder), Some(member)) = (&self.recorder, self.members.get(&session)) else { return Vec::new() };
        let (height, tracks) = (recorder.height, member.pictures());
        tracks.into_iter().filter_map(|track| self.want(track, Asker::Recorder, height)).collect()
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
                self.want(track, Asker::Router(router), height)
            }
            // All hear all microphones, so that one is enough to ask.
            Event::Speakers { router, .. } => {
                let first = self.parts.iter().find(|part| part.sessions > 0);
                first.is_none_or(|part| part.router == router).then_some(event)
            }
            Event::Session { .. } | Event::Slots { .. } | Event::Quality { .. } | Event::Flowing { .. } => Some(event),
        }
    }

    /// What is wanted most of a track, where that is another height than before.
    fn want(&mut self, track: TrackId, asker: Asker, height: u16) -> Option<Event> {
        let said = self.wanted.entry(track).or_default();
        let most = |said: &[(Asker, u16)]| said.iter().map(|(_, height)| *height).max().unwrap_or(0);
        let before = most(said);
        said.retain(|(other, _)| *other != asker);
        said.push((asker, height));
        let height = most(said);
        let router = if let Asker::Router(router) = asker { router } else { RouterId(self.number) };
        (height != before).then_some(Event::Wanted { router, track, height })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::limits::MediaLimits;
    use crate::session::plan::{DtlsRole, ExtensionIds, Fingerprint};
    use std::sync::atomic::Ordering;
    use std::sync::mpsc::Receiver;

    const MICROPHONE: Source = Source::Microphone;

    struct Control {
        media: Media,
        commands: Vec<Receiver<Command>>,
        routers: Routers,
        _reports: mpsc::Receiver<Event>,
    }

    fn control(workers: usize, sessions_per_worker: usize) -> Control {
        let limits = MediaLimits { sessions_per_worker, ..MediaLimits::default() };
        let (media, commands) = Media::detached(workers, limits).expect("DTLS");
        let (routers, _reports) = Routers::open(media.clone(), 16);
        Control { media, commands, routers, _reports }
    }

    impl Control {
        fn join(&mut self, name: u32) -> SessionId {
            let credentials = || IceCredentials { ufrag: "00".repeat(4), password: "p".repeat(24) };
            let plan = SessionPlan {
                local: credentials(),
                remote: credentials(),
                fingerprint: Fingerprint([0; 32]),
                dtls: DtlsRole::Passive,
                extensions: ExtensionIds::default(),
                sections: Vec::new(),
            };
            let sends = vec![(Mid("0".into()), MICROPHONE)];
            let session = self.routers.new_session();
            let new = NewSession { participant: ParticipantId(name), plan, sends, open_gates: vec![MICROPHONE] };
            self.routers.open_session(session, new);
            session
        }

        fn overload(&self, worker: usize, over: bool) {
            self.media.0.workers[worker].over.store(over, Ordering::Relaxed);
        }

        /// What each worker was told since this was last asked.
        fn told(&self) -> Vec<Vec<Command>> {
            self.commands.iter().map(|commands| commands.try_iter().collect()).collect()
        }
    }

    #[test]
    fn an_overloaded_worker_gets_no_newcomer_while_another_can_take_him() {
        let mut control = control(2, 100);
        let first = control.join(1).worker();
        control.overload(first, true);
        assert_ne!(control.join(2).worker(), first);
        assert!(!control.routers.is_overloaded());
        control.overload(1 - first, true);
        assert!(control.routers.is_overloaded(), "now all are");
        assert_eq!(control.routers.spread(), 2);
        control.overload(first, false);
        assert_eq!(control.join(3).worker(), first);
    }

    #[test]
    fn one_that_joins_in_later_counts_gates_like_those_before() {
        let mut control = control(2, 1);
        let session = control.join(1);
        for open in [false, false, true, true, false, true] {
            control.routers.set_gate(session, MICROPHONE, open, false);
        }
        let second = control.join(2).worker();
        assert_ne!(second, session.worker());
        let told = control.told();
        let gates = told[second].iter().find_map(|command| match command {
            Command::AddRemote(remote) if remote.session == session => Some(remote.gates.clone()),
            _ => None,
        });
        assert_eq!(gates, Some(vec![Gate { source: MICROPHONE, open: true, openings: 2 }]));
    }

    #[test]
    fn an_end_is_acknowledged_by_each_worker_and_what_nobody_takes_is_given_no_more() {
        let mut control = control(3, 1);
        let sessions: Vec<_> = (1..=3).map(|name| control.join(name)).collect();
        let taps = |told: &[Vec<Command>]| {
            let opened = told.iter().flatten().filter(|command| matches!(command, Command::OpenTap { .. }));
            let closed = told.iter().flatten().filter(|command| matches!(command, Command::CloseTap { .. }));
            (opened.count(), closed.count())
        };
        assert_eq!(taps(&control.told()), (6, 0), "from each to each other");
        let ends = control.routers.close_session(sessions[1], true);
        let told = control.told();
        let closes = |told: &[Command]| told.iter().any(|command| matches!(command, Command::CloseSession { .. }));
        assert!(ends.len() == 3 && told.iter().all(|told| closes(told)));
        assert_eq!(taps(&told), (0, 2), "nothing more goes to the worker that he was on");
        assert!(control.routers.close_session(sessions[1], true).is_empty(), "it is over once");
        drop(control.routers);
        let closed =
            |told: Receiver<Command>| told.try_iter().any(|command| matches!(command, Command::CloseRouter { .. }));
        assert!(control.commands.into_iter().all(closed));
    }

    #[test]
    fn what_is_wanted_is_told_when_the_most_changes() {
        let mut control = control(2, 1);
        let sessions = [control.join(1), control.join(2)];
        let routers = sessions.map(|session| control.routers.router_on(session.worker()));
        let track = TrackId { participant: ParticipantId(1), source: Source::Camera };
        let mut say = |router: usize, height| {
            let event = Event::Wanted { router: routers[router], track, height };
            control.routers.merge(event).map(|event| match event {
                Event::Wanted { height, .. } => height,
                _ => panic!("{event:?}"),
            })
        };
        let told = [(0, 360), (1, 180), (1, 720), (0, 0), (1, 90), (1, 0)].map(|(router, height)| say(router, height));
        assert_eq!(told, [Some(360), None, Some(720), None, Some(90), Some(0)]);
        control.routers.close_session(sessions[0], false);
        let late = Event::Wanted { router: routers[1], track, height: 720 };
        assert_eq!(control.routers.merge(late), None, "he left");
        let speakers = |router| Event::Speakers { router, participants: vec![ParticipantId(2)] };
        assert_eq!(control.routers.merge(speakers(routers[0])), None, "nobody is there any more");
        assert!(control.routers.merge(speakers(routers[1])).is_some());
    }
}
