//! Commands of the control side: routers and sessions come and go, gates open and close.

use super::{Core, MAX_SESSIONS, Router};
use crate::net::udp::SendBatch;
use crate::router::track::{Publisher, Track};
use crate::router::voices::Voices;
use crate::session::plan::{Flow, Kind};
use crate::session::{NewSession, Session};
use crate::worker::api::{Command, Event, OpenSession, RouterId, SessionId};
use signaling::ids::{Source, TrackId};
use signaling::protocol::SessionState;
use std::collections::VecDeque;
use std::time::Instant;
use tokio::sync::mpsc;

pub(super) fn handle(core: &mut Core, now: Instant, command: Command, out: &mut SendBatch) {
    match command {
        Command::OpenRouter { router, events } => core.open_router(router, events),
        Command::CloseRouter { router } => core.close_router(now, router, out),
        Command::OpenSession(open) => core.open_session(now, *open, out),
        Command::RestartIce { session, local, remote } => {
            let Some(&number) = core.session_numbers.get(&session) else { return };
            let Some(found) = core.sessions.get_mut(number as usize).and_then(Option::as_mut) else { return };
            // The fragment before the last no longer counts.
            let before: Vec<String> = found.local_ufrags().map(str::to_owned).collect();
            core.demux.add_ufrag(&local.ufrag, number);
            found.restart_ice(local, remote);
            for old in before.iter().filter(|old| found.local_ufrags().all(|current| current != *old)) {
                core.demux.remove_ufrag(old);
            }
            core.arm_session(number);
        }
        Command::CloseSession { session, done } => {
            if let Some(&number) = core.session_numbers.get(&session) {
                core.close_session(now, number, out);
            } else {
                core.close_remote(now, session, out);
            }
            acknowledge(done);
        }
        Command::SetGate { session, source, open, done } => {
            core.set_gate(now, session, source, open, out);
            acknowledge(done);
        }
        Command::AddRemote(remote) => core.add_remote(now, &remote, out),
        Command::OpenTap { router, tap } => core.open_tap(router, tap),
        Command::CloseTap { router, taker, done } => {
            core.close_tap(router, taker);
            acknowledge(done);
        }
        Command::WantKeyFrame { session, source, layer } => {
            if let Some((router, track)) = core.find_published(session, source) {
                core.want_key(now, router, track, layer, out);
            }
        }
        Command::Watch { session, wishes } => {
            if let Some(&number) = core.session_numbers.get(&session)
                && let Some(found) = core.session_mut(number)
            {
                found.wishes = wishes;
                core.refresh_session(now, number, out);
            }
        }
        // The thread's, not the core's.
        Command::Stop | Command::TakeConnection(_) => {}
    }
}

fn acknowledge(done: Option<tokio::sync::oneshot::Sender<()>>) {
    if let Some(done) = done {
        // Whoever no longer waits for it needs no answer.
        let _ = done.send(());
    }
}

impl Core {
    fn open_router(&mut self, id: RouterId, events: mpsc::Sender<Event>) {
        let router = Router {
            id,
            events,
            tracks: Vec::new(),
            track_numbers: rustc_hash::FxHashMap::default(),
            sessions: Vec::new(),
            taps: Vec::new(),
            voices: Voices::default(),
            late: VecDeque::new(),
        };
        let number = self.free_routers.pop().unwrap_or_else(|| {
            self.routers.push(None);
            (self.routers.len() - 1) as u32
        });
        self.routers[number as usize] = Some(router);
        self.router_numbers.insert(id, number);
        self.counters.routers += 1;
    }

    fn close_router(&mut self, now: Instant, id: RouterId, out: &mut SendBatch) {
        let Some(number) = self.router_numbers.remove(&id) else { return };
        let sessions = self.router_mut(number).map(|router| std::mem::take(&mut router.sessions)).unwrap_or_default();
        for session in sessions {
            self.close_session(now, session, out);
        }
        let remotes = self.remotes.iter().filter(|(_, remote)| remote.router == number).map(|(session, _)| *session);
        for session in remotes.collect::<Vec<_>>() {
            self.close_remote(now, session, out);
        }
        self.timers.disarm(super::Sleeper::Router(number).name());
        self.routers[number as usize] = None;
        self.free_routers.push(number);
        self.counters.routers -= 1;
    }

    fn open_session(&mut self, now: Instant, open: OpenSession, out: &mut SendBatch) {
        let Some(&router) = self.router_numbers.get(&open.router) else { return };
        let older = self.router_mut(router).map(|found| found.sessions.clone()).unwrap_or_default();
        for number in older {
            if self.session_mut(number).is_some_and(|session| session.participant == open.participant) {
                self.close_session(now, number, out);
            }
        }
        if self.session_numbers.len() >= MAX_SESSIONS {
            let event =
                Event::Session { session: open.session, participant: open.participant, state: SessionState::Failed };
            self.report(now, router, event);
            return;
        }
        let number = self.free_sessions.pop().unwrap_or_else(|| {
            self.sessions.push(None);
            (self.sessions.len() - 1) as u32
        });
        let mut session = Session::new(NewSession {
            now,
            id: open.session,
            participant: open.participant,
            router,
            identity: &self.identity,
            plan: &open.plan,
            limits: self.limits,
            random: &mut self.random,
        });
        for (mid, source) in &open.sends {
            let section = open.plan.sections.iter().find(|section| section.mid == *mid);
            let Some(section) = section else { continue };
            let Flow::Receive(_) = section.flow else { continue };
            if (section.kind == Kind::Audio) != source.is_audio() {
                continue;
            }
            let id = TrackId { participant: open.participant, source: *source };
            let open_gate = open.open_gates.contains(source);
            if let Some(track) =
                self.add_track(router, Track::new(id, section.kind, Publisher::Here(number), open_gate))
            {
                session.inbound.set_track(mid, track);
                session.published.push((*source, track));
            }
        }
        self.demux.add_ufrag(&open.plan.local.ufrag, number);
        self.sessions[number as usize] = Some(Box::new(session));
        self.session_numbers.insert(open.session, number);
        if let Some(found) = self.router_mut(router) {
            found.sessions.push(number);
        }
        self.counters.sessions += 1;
        self.refresh_router(now, router, out);
        self.arm_session(number);
    }

    /// A participant has at most one track of a source: a second section that claims the same is ignored.
    pub(super) fn add_track(&mut self, router: u32, track: Track) -> Option<u32> {
        let router = self.router_mut(router)?;
        if router.track_numbers.contains_key(&track.id) {
            return None;
        }
        let number = router.tracks.iter().position(Option::is_none).unwrap_or_else(|| {
            router.tracks.push(None);
            router.tracks.len() - 1
        });
        router.track_numbers.insert(track.id, number as u32);
        router.tracks[number] = Some(track);
        Some(number as u32)
    }

    /// Ends a session: nothing of it passes any more, in either direction.
    pub(super) fn close_session(&mut self, now: Instant, number: u32, out: &mut SendBatch) {
        let Some(mut session) = self.sessions.get_mut(number as usize).and_then(Option::take) else { return };
        session.close(now, out);
        self.session_numbers.remove(&session.id);
        self.demux.remove_session(number);
        self.timers.disarm(super::Sleeper::Session(number).name());
        self.free_sessions.push(number);
        self.counters.sessions -= 1;
        let router = session.router;
        for (slot, track) in session.outbound.tracks() {
            self.unsubscribe(router, track, number, slot);
        }
        for (_, track) in &session.published {
            self.remove_track(now, router, *track);
        }
        if let Some(found) = self.router_mut(router) {
            found.sessions.retain(|other| *other != number);
        }
        // What it wanted nobody may want any more, which the tick says.
        self.arm_tick(now, router);
        self.refresh_router(now, router, out);
    }

    pub(super) fn remove_track(&mut self, now: Instant, router: u32, number: u32) {
        self.jobs.forget(router, number);
        self.forget_held(router, number);
        let Some(found) = self.router_mut(router) else { return };
        found.voices.remove(now, number);
        let Some(track) = found.tracks.get_mut(number as usize).and_then(Option::take) else { return };
        found.track_numbers.remove(&track.id);
        for subscriber in track.subscribers.iter() {
            if let Some(session) = self.session_mut(subscriber.session) {
                session.outbound.point(usize::from(subscriber.slot), None);
                session.slots_changed = true;
            }
        }
    }

    fn set_gate(&mut self, now: Instant, session: SessionId, source: Source, open: bool, out: &mut SendBatch) {
        let Some((router, track_number)) = self.find_published(session, source) else { return };
        let Some(track) = self.track_mut(router, track_number) else { return };
        if !track.set_gate(open) {
            return;
        }
        if !open {
            track.clear();
            let flowed = std::mem::take(&mut track.reported_flowing);
            let (id, here) = (track.id, track.is_here());
            self.jobs.forget(router, track_number);
            if let Some(found) = self.router_mut(router) {
                found.voices.remove(now, track_number);
            }
            if flowed && here {
                self.report(now, router, Event::Flowing { track: id, flowing: false });
            }
        }
        self.refresh_router(now, router, out);
    }
}
