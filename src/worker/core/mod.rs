//! The media plane of one worker as a core that is told the time: datagrams and commands in, datagrams
//! and reports out. Knows no sockets, threads or clocks, and nothing of meetings but numbers.
//!
//! Grammar: any `handle_*` in any order; after it [`Core::forward`] until it says that nothing is left,
//! sending the batch whenever it is full; [`Core::handle_timeout`] at [`Core::poll_timeout`].
//! A packet's way: [`Core::handle_datagram`] → `session::inbound` → `router::layer` (held until its frame
//! is whole) → a job in `forwarding` → `session::outbound` → the batch. One of another worker's session comes by
//! [`Core::handle_tapped`] and goes on from `router::layer`.

mod commands;
mod feedback;
mod forwarding;
mod jobs;
mod paces;
mod quality;
mod receiving;
mod remote;
mod slots;
mod ticks;

use super::api::{Command, Event, RouterId, SessionId};
use super::overload::{Load, Overload};
use super::tap::{Calls, Tap};
use super::timers::Timers;
use super::trace::Tracer;
use crate::net::counters::{Counters, Drop};
use crate::net::demux::Demux;
use crate::net::udp::{MAX_BURST_DATAGRAMS, SendBatch};
use crate::router::track::Track;
use crate::router::voices::Voices;
use crate::session::Session;
use crate::session::dtls::Identity;
use crate::session::limits::MediaLimits;
use jobs::Jobs;
use rand::rngs::StdRng;
use remote::Remote;
use rustc_hash::FxHashMap;
use signaling::ids::TrackId;
use signaling::protocol::SessionState;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Sessions of one worker at most; more are refused by the control side long before.
const MAX_SESSIONS: usize = 1 << 20;

/// How often a router with packets looks after its speakers, layers and reports.
const TICK: Duration = Duration::from_millis(250);

/// What became of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It was dealt with.
    Done,
    /// It is a session's of another worker: hand it over.
    Foreign(usize),
}

/// Whom a timer wakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sleeper {
    Session(u32),
    Router(u32),
}

impl Sleeper {
    const fn name(self) -> u32 {
        match self {
            Self::Session(number) => number << 1,
            Self::Router(number) => number << 1 | 1,
        }
    }

    const fn of(name: u32) -> Self {
        if name & 1 == 0 { Self::Session(name >> 1) } else { Self::Router(name >> 1) }
    }
}

/// The tracks and sessions of one meeting or broadcast.
struct Router {
    id: RouterId,
    events: mpsc::Sender<Event>,
    tracks: Vec<Option<Track>>,
    track_numbers: FxHashMap<TrackId, u32>,
    sessions: Vec<u32>,
    /// Where packets of its own sessions also go.
    taps: Vec<Tap>,
    voices: Voices,
    /// Reports that found the channel full; of each kind only the newest counts, so sessions are marked.
    late: VecDeque<Event>,
}

/// The media plane of one worker.
pub struct Core {
    index: usize,
    identity: Identity,
    /// The server's clock of clock maps and sender reports starts here.
    epoch: Instant,
    /// NTP time at `epoch` in nanoseconds since 1900.
    epoch_ntp_ns: u64,
    limits: MediaLimits,
    tracer: Option<Tracer>,
    random: StdRng,
    demux: Demux,
    sessions: Vec<Option<Box<Session>>>,
    free_sessions: Vec<u32>,
    session_numbers: FxHashMap<SessionId, u32>,
    remotes: FxHashMap<SessionId, Remote>,
    routers: Vec<Option<Router>>,
    free_routers: Vec<u32>,
    router_numbers: FxHashMap<RouterId, u32>,
    timers: Timers,
    jobs: Jobs,
    overload: Overload,
    /// Layers with a held frame, in the order of their deadlines.
    held: VecDeque<forwarding::HeldFrame>,
    calls: Calls,
    /// Reused where a list is needed for a moment.
    scratch: Scratch,
    /// What it counts.
    pub counters: Counters,
}

#[derive(Default)]
struct Scratch {
    asks: Vec<crate::router::allocation::Ask>,
    order: Vec<slots::Rank>,
    given: Vec<Option<u8>>,
    tracks: Vec<u32>,
    slots: Vec<Option<u32>>,
    sessions: Vec<u32>,
    heights: FxHashMap<TrackId, u16>,
    due: Vec<crate::session::outbound::DueReport>,
    /// Track and layer.
    missing_keys: Vec<(u32, u8)>,
}

/// What a core is made with.
pub struct CoreConfig {
    /// Which worker it is, as in the ids and username fragments.
    pub index: usize,
    /// The server's certificate.
    pub identity: Identity,
    /// Where the server's clock starts.
    pub epoch: Instant,
    /// NTP time (RFC 5905) at that moment, in nanoseconds since 1900.
    pub epoch_ntp_ns: u64,
    /// What a peer may ask for.
    pub limits: MediaLimits,
    /// Notes what bandwidth estimators are told, while faults are looked for.
    pub tracer: Option<Tracer>,
    /// For sequence numbers and the like.
    pub random: StdRng,
}

/// A track of a router, both by number, where sessions are needed beside it; else [`Core::track_mut`].
fn track_of(routers: &[Option<Router>], router: u32, track: u32) -> Option<&Track> {
    routers.get(router as usize)?.as_ref()?.tracks.get(track as usize)?.as_ref()
}

impl Core {
    /// A worker without sessions.
    #[must_use]
    pub fn new(config: CoreConfig) -> Self {
        Self {
            index: config.index,
            identity: config.identity,
            epoch: config.epoch,
            epoch_ntp_ns: config.epoch_ntp_ns,
            limits: config.limits,
            tracer: config.tracer,
            random: config.random,
            demux: Demux::default(),
            sessions: Vec::new(),
            free_sessions: Vec::new(),
            session_numbers: FxHashMap::default(),
            remotes: FxHashMap::default(),
            routers: Vec::new(),
            free_routers: Vec::new(),
            router_numbers: FxHashMap::default(),
            timers: Timers::default(),
            jobs: Jobs::default(),
            overload: Overload::default(),
            held: VecDeque::new(),
            calls: Calls::default(),
            // Often there is none for a while, and then some while packets flow.
            scratch: Scratch { missing_keys: Vec::with_capacity(64), ..Scratch::default() },
            counters: Counters::default(),
        }
    }

    /// The server's clock: nanoseconds since its start.
    fn server_ns(&self, now: Instant) -> i64 {
        i64::try_from(now.saturating_duration_since(self.epoch).as_nanos()).unwrap_or(i64::MAX)
    }

    /// One datagram. `data` is opened in place.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        from: SocketAddr,
        to: Option<IpAddr>,
        data: &mut [u8],
        out: &mut SendBatch,
    ) -> Disposition {
        // RFC 7983: what a datagram is shows in its first byte.
        match data.first() {
            Some(0..=3) => self.handle_stun(now, from, to, data, out),
            Some(20..=63) => self.handle_dtls(now, from, data, out),
            Some(128..=191) => self.handle_media(now, from, data, out),
            _ => {
                self.counters.drop(Drop::Malformed);
                Disposition::Done
            }
        }
    }

    /// A command of the control side.
    pub fn handle_command(&mut self, now: Instant, command: Command, out: &mut SendBatch) {
        commands::handle(self, now, command, out);
    }

    /// When [`Core::handle_timeout`] wants to be called.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        let held = self.held.front().map(|held| held.at);
        held.into_iter().chain(self.timers.next()).min()
    }

    /// Whatever is due.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut SendBatch) {
        self.release_held(now);
        // What is left is due at once, after this was sent.
        while out.has_room_for(MAX_BURST_DATAGRAMS)
            && let Some(name) = self.timers.pop(now)
        {
            match Sleeper::of(name) {
                Sleeper::Session(number) => self.handle_session_timeout(now, number, out),
                Sleeper::Router(number) => self.tick(now, number, out),
            }
        }
    }

    fn handle_session_timeout(&mut self, now: Instant, number: u32, out: &mut SendBatch) {
        let Some(session) = self.session_mut(number) else { return };
        let change = session.handle_timeout(now);
        self.forget_addresses(number);
        self.flush_session(now, number, out);
        self.apply_session_change(now, number, change, out);
        self.probe(now, number, out);
        self.arm_session(number);
    }

    fn arm_session(&mut self, number: u32) {
        let deadline = self.sessions.get(number as usize).and_then(Option::as_ref).and_then(|s| s.poll_timeout());
        if let Some(at) = deadline {
            self.timers.arm(Sleeper::Session(number).name(), at);
        }
    }

    fn arm_tick(&mut self, now: Instant, router: u32) {
        self.timers.arm(Sleeper::Router(router).name(), now + TICK);
    }

    fn session_mut(&mut self, number: u32) -> Option<&mut Session> {
        self.sessions.get_mut(number as usize)?.as_deref_mut()
    }

    fn router_mut(&mut self, number: u32) -> Option<&mut Router> {
        self.routers.get_mut(number as usize)?.as_mut()
    }

    fn track_mut(&mut self, router: u32, track: u32) -> Option<&mut Track> {
        self.router_mut(router)?.tracks.get_mut(track as usize)?.as_mut()
    }

    /// Reports to the control side. What finds the channel full waits for the next tick.
    fn report(&mut self, now: Instant, router: u32, event: Event) {
        let Some(found) = self.router_mut(router) else { return };
        found.report(event);
        if !found.late.is_empty() {
            self.arm_tick(now, router);
        }
    }

    /// How busy the thread was lately, share of the time: gives up pictures where it can't keep up.
    pub fn handle_load(&mut self, now: Instant, busy: f32, out: &mut SendBatch) {
        let load = Load { busy, late: self.jobs.take_late() };
        if !self.overload.is_due(now, load) {
            return;
        }
        let sessions = self.sessions.iter().flatten().filter(|session| session.state() == SessionState::Connected);
        // Who shows one lowest layer only has nothing to give.
        let most = sessions.filter(|session| session.allocated.spare > 0).map(|session| session.allocated.all).max();
        if self.overload.handle_load(now, load, most.unwrap_or(0)) {
            for number in 0..self.sessions.len() as u32 {
                if self.session_mut(number).is_some_and(|session| session.state() == SessionState::Connected) {
                    self.allocate_layers(now, number, out);
                    self.report_slots(now, number);
                }
            }
        }
    }

    /// Whether there is more to forward than the thread can.
    #[must_use]
    pub const fn is_overloaded(&self) -> bool {
        self.overload.is_over()
    }

    /// The most that pictures to one subscriber may take in bits per second, while there is too much to do.
    #[must_use]
    pub const fn cap(&self) -> Option<u32> {
        self.overload.cap()
    }

    /// Whether nothing is left of any session or router.
    #[must_use]
    pub fn is_empty(&mut self) -> bool {
        self.session_numbers.is_empty()
            && self.router_numbers.is_empty()
            && self.remotes.is_empty()
            && self.demux.is_empty()
            && self.jobs.is_empty()
            && self.held.is_empty()
            && self.timers.is_empty()
    }
}

/// Reports kept for a full channel; beyond this the oldest goes.
const MAX_LATE: usize = 4096;

impl Router {
    fn track_number(&self, id: TrackId) -> Option<u32> {
        self.track_numbers.get(&id).copied()
    }

    fn report(&mut self, event: Event) {
        self.late.push_back(event);
        if self.late.len() > MAX_LATE {
            self.late.pop_front();
        }
        self.flush_reports();
    }

    fn flush_reports(&mut self) {
        while let Some(event) = self.late.pop_front() {
            match self.events.try_send(event) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(event)) => {
                    self.late.push_front(event);
                    return;
                }
                // Nobody listens any more; the command that ends the router is on its way.
                Err(mpsc::error::TrySendError::Closed(_)) => self.late.clear(),
            }
        }
    }
}
