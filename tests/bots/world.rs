//! Workers' cores, mostly one, and Bots on one virtual clock, with links between them. No threads, no sockets, no waiting.

use super::bot::{Bot, BotShape};
use super::bottleneck::{Bottleneck, Shape};
use super::netem::{Direction, Link};
use super::workers::Others;
use super::{bot_identity, new_identity};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use signaling::ids::{ParticipantId, Source, TrackId};
use signaling::protocol::{SessionState, Wish};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use symposia::clock;
use symposia::net::counters::Drop;
use symposia::net::udp::SendBatch;
use symposia::session::limits::MediaLimits;
use symposia::session::plan::SessionPlan;
use symposia::session::sdp::{self, CodecKind, Local, Offer, Policy, Role};
use symposia::session::{SessionId, new_credentials};
use symposia::worker::api::{Command, Event, OpenSession, RouterId};
use symposia::worker::core::{Core, CoreConfig, Disposition};
use symposia::worker::tap::Tapped;
use symposia::worker::trace::Tracer;
use tokio::sync::{mpsc, oneshot};

/// Where the core is reached.
pub fn server_address() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 8080))
}

/// What the server agreed on with Bots that speak VP8.
pub fn policy() -> Policy {
    Policy {
        role: Role::Meeting,
        video_preference: vec![CodecKind::Vp8],
        max_video_bits_per_second: None,
        max_sections: 64,
    }
}

/// Whether a datagram is RTP, by RFC 7983 and RFC 5761.
pub fn is_media(datagram: &[u8]) -> bool {
    matches!(datagram.first(), Some(128..=191)) && !symposia::rtp::is_rtcp(datagram)
}

enum Flight {
    ToServer { from: SocketAddr, data: Vec<u8> },
    ToBot { to: SocketAddr, data: Vec<u8> },
}

/// A Bot with what the control side knows of it.
pub struct Place {
    pub bot: Bot,
    pub session: SessionId,
    pub router: RouterId,
    pub participant: ParticipantId,
    pub plan: SessionPlan,
    pub state: Option<SessionState>,
    /// It is not looked after any more.
    pub retired: bool,
    /// Its session was ended, and that is acknowledged.
    pub closed: bool,
    /// Where it was before it moved.
    pub earlier: Vec<SocketAddr>,
    uplink: Direction,
    downlink: Direction,
}

/// What differs from the default settings.
#[derive(Default)]
pub struct Plan {
    pub limits: MediaLimits,
    pub tracer: Option<Tracer>,
    /// Workers besides the first.
    pub others: usize,
}

/// Everything.
pub struct World {
    pub start: Instant,
    pub now: Instant,
    pub core: Core,
    /// The other workers, and the meeting that may spread over all.
    pub others: Others,
    pub places: Vec<Place>,
    pub events: Vec<Event>,
    routers: Vec<(RouterId, mpsc::Receiver<Event>)>,
    pub(super) random: StdRng,
    identity: symposia::session::dtls::Identity,
    flights: BTreeMap<(Instant, u64), Flight>,
    flown: u64,
    next_id: u64,
    out: SendBatch,
    /// Datagrams that came for nobody.
    pub unclaimed: Vec<(SocketAddr, Vec<u8>)>,
    /// RTP datagrams that were given to the core.
    pub media_in: u64,
    /// RTP and RTCP that went to sessions after their end was acknowledged.
    pub after_the_end: Vec<(Instant, SocketAddr)>,
    /// The thread forwards no sooner than so long after the first datagram that it did not yet look at.
    pub busy_for: Option<Duration>,
    forwards_at: Option<Instant>,
    /// Datagrams that the core sent, and the sends that they made.
    pub datagrams: usize,
    pub sends: usize,
    /// Told when the core is entered and left.
    pub probe: Option<fn(bool)>,
    /// Datagrams from the server, in order, while they are looked at.
    pub watch: Option<Vec<(Instant, SocketAddr, Vec<u8>)>>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self::with(seed, Plan::default())
    }

    /// With other bounds than those of the default settings, or a trace.
    pub fn with(seed: u64, plan: Plan) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let start = clock::now();
        let identity = new_identity();
        let mut core = |index| {
            Core::new(CoreConfig {
                index,
                identity: identity.clone(),
                epoch: start,
                epoch_ntp_ns: 3_900_000_000_000_000_000,
                limits: plan.limits,
                tracer: plan.tracer.clone(),
                random: StdRng::seed_from_u64(random.next_u64()),
            })
        };
        let (core, cores) = (core(0), (1..=plan.others).map(core).collect());
        let others = Others::new(cores, plan.limits);
        let mut world = Self {
            start,
            now: start,
            core,
            others,
            places: Vec::new(),
            events: Vec::new(),
            routers: Vec::new(),
            random,
            identity,
            flights: BTreeMap::new(),
            flown: 0,
            next_id: 1,
            out: SendBatch::new(),
            unclaimed: Vec::new(),
            media_in: 0,
            after_the_end: Vec::new(),
            busy_for: None,
            forwards_at: None,
            datagrams: 0,
            sends: 0,
            probe: None,
            watch: None,
        };
        // Several workers have the meeting that the control side spreads over them.
        if plan.others == 0 {
            world.open_router();
        }
        world
    }

    /// Two in a call: the first shows himself and speaks, the second watches him.
    pub fn call(seed: u64, plan: Plan) -> Self {
        let mut world = Self::with(seed, plan);
        world.join(1, BotShape::default());
        world.join(2, BotShape::default());
        world.connect();
        world.publish(0, 20);
        world.watch_tracks(1, &[(1, Source::Camera, 720)]);
        world
    }

    /// Makes another router; the first is there from the start.
    pub fn open_router(&mut self) -> RouterId {
        let router = RouterId(self.routers.len() as u64 + 1);
        let (events, receiver) = mpsc::channel(1024);
        self.routers.push((router, receiver));
        self.command(Command::OpenRouter { router, events });
        router
    }

    pub fn router(&self, index: usize) -> RouterId {
        self.routers[index].0
    }

    pub fn command(&mut self, command: Command) {
        self.inside(0, |core, now, out| core.handle_command(now, command, out));
        self.drain();
    }

    pub(super) fn inside<R>(&mut self, worker: usize, call: impl FnOnce(&mut Core, Instant, &mut SendBatch) -> R) -> R {
        if let Some(probe) = self.probe {
            probe(true);
        }
        let core = if worker == 0 { &mut self.core } else { &mut self.others.cores[worker - 1] };
        let result = call(core, self.now, &mut self.out);
        if let Some(probe) = self.probe {
            probe(false);
        }
        result
    }

    pub(super) fn local(&mut self, worker: usize) -> Local {
        Local {
            credentials: new_credentials(worker, &mut self.random),
            fingerprint: self.identity.fingerprint(),
            candidates: vec![server_address()],
            tcp_candidates: Vec::new(),
            cname: "symposia".into(),
            restarts: 0,
        }
    }

    /// A Bot joins the first router as the participant of this number, with all gates open.
    pub fn join(&mut self, name: u32, shape: BotShape) -> usize {
        let gates = shape.sources.clone();
        let router = self.router(0);
        self.join_router(router, name, shape, &gates, Link::CLEAN)
    }

    pub fn join_router(
        &mut self,
        router: RouterId,
        name: u32,
        shape: BotShape,
        open_gates: &[Source],
        link: Link,
    ) -> usize {
        self.join_as(router, ParticipantId(name), name, shape, open_gates, link)
    }

    /// As [`World::join_router`], but with another name in tags than the participant's number.
    pub fn join_as(
        &mut self,
        router: RouterId,
        participant: ParticipantId,
        name: u32,
        shape: BotShape,
        open_gates: &[Source],
        link: Link,
    ) -> usize {
        let mut bot = self.new_bot(name, shape);
        let local = self.local(0);
        let offer = Offer::parse(&bot.offer()).expect("a Bot's offer can be read");
        let answer = sdp::answer(&offer, &local, &policy(), &mut self.random).expect("and answered");
        let session = SessionId(self.next_id);
        self.next_id += 1;
        self.command(Command::OpenSession(Box::new(OpenSession {
            session,
            router,
            participant,
            plan: answer.plan.clone(),
            sends: bot.sends(),
            open_gates: open_gates.to_vec(),
        })));
        bot.handle_answer(self.now, &answer.sdp);
        self.add_place(bot, session, router, participant, answer.plan, link)
    }

    pub(super) fn new_bot(&mut self, name: u32, shape: BotShape) -> Bot {
        let number = u16::try_from(self.places.len()).expect("few Bots");
        let address = SocketAddr::from(([10, 0, (number >> 8) as u8, number as u8], 40_000));
        Bot::new(name, address, shape, bot_identity(), self.random.next_u64())
    }

    pub(super) fn add_place(
        &mut self,
        bot: Bot,
        session: SessionId,
        router: RouterId,
        participant: ParticipantId,
        plan: SessionPlan,
        link: Link,
    ) -> usize {
        let (up, down) = (self.random.next_u64(), self.random.next_u64());
        self.places.push(Place {
            bot,
            session,
            router,
            participant,
            plan,
            state: None,
            retired: false,
            closed: false,
            earlier: Vec::new(),
            uplink: Direction::new(link, up),
            downlink: Direction::new(link, down),
        });
        self.places.len() - 1
    }

    pub fn bot(&mut self, place: usize) -> &mut Bot {
        &mut self.places[place].bot
    }

    /// What the links of a Bot do from now on.
    pub fn set_links(&mut self, place: usize, uplink: Link, downlink: Link) {
        self.places[place].uplink.link = uplink;
        self.places[place].downlink.link = downlink;
    }

    /// A Bot's downlink is as thin as this from now on.
    pub fn set_downlink_shape(&mut self, place: usize, shape: Shape) {
        self.places[place].downlink.thin = Some((self.now, Bottleneck::new(shape)));
    }

    /// How long a datagram to a Bot would wait for its downlink now.
    pub fn downlink_queue(&self, place: usize) -> Duration {
        let waits = self.places[place]
            .downlink
            .thin
            .as_ref()
            .map_or(0, |(since, thin)| thin.delay(self.now.saturating_duration_since(*since).as_micros() as u64));
        Duration::from_micros(waits)
    }

    /// The Bot begins to send its camera in three layers and its microphone.
    pub fn publish(&mut self, place: usize, level: u8) {
        let now = self.now;
        let bot = self.bot(place);
        if bot.shape.sources.contains(&Source::Camera) {
            let layers = bot.shape.layers.max(1);
            let shapes =
                if layers == 1 { &super::sending::SIMULCAST[2..] } else { &super::sending::SIMULCAST[..layers] };
            bot.start_video(now, Source::Camera, shapes, 30);
        }
        if bot.shape.sources.contains(&Source::Microphone) {
            bot.start_sound(now, Source::Microphone, level);
        }
    }

    /// What a Bot wants to see: participants' sources and heights.
    pub fn watch_tracks(&mut self, place: usize, wishes: &[(u32, Source, u16)]) {
        let wishes: Vec<_> = wishes
            .iter()
            .map(|(name, source, height)| Wish {
                track: TrackId { participant: ParticipantId(*name), source: *source },
                height: *height,
            })
            .collect();
        let session = self.places[place].session;
        if self.others.watch(session, &wishes) {
            self.pump();
            return;
        }
        self.command(Command::Watch { session, wishes });
    }

    /// Something that a tap's taker says to the first worker.
    pub fn ask(&mut self, tapped: &Tapped) {
        self.inside(0, |core, now, out| core.handle_tapped(now, tapped, out));
        self.drain();
    }

    /// Opens or closes a gate; it is acknowledged before this returns.
    pub fn set_gate(&mut self, place: usize, source: Source, open: bool) {
        let session = self.places[place].session;
        if let Some(acknowledged) = self.others.set_gate(session, source, open) {
            return self.all_acknowledge(acknowledged);
        }
        let (done, mut acknowledged) = oneshot::channel();
        self.command(Command::SetGate { session, source, open, done: Some(done) });
        acknowledged.try_recv().expect("a gate is acknowledged at once");
    }

    /// Ends a session; it is acknowledged before this returns.
    pub fn close(&mut self, place: usize) {
        let session = self.places[place].session;
        if let Some(acknowledged) = self.others.close_session(session) {
            self.all_acknowledge(acknowledged);
        } else {
            let (done, mut acknowledged) = oneshot::channel();
            self.command(Command::CloseSession { session, done: Some(done) });
            acknowledged.try_recv().expect("the end of a session is acknowledged at once");
        }
        self.places[place].closed = true;
    }

    /// An ICE restart with new credentials on both sides.
    pub fn restart_ice(&mut self, place: usize) {
        let offer = Offer::parse(&self.bot(place).restart_offer()).expect("a Bot's offer can be read");
        let local = self.local(self.places[place].session.worker());
        let answer = sdp::reanswer(&self.places[place].plan, &offer, &local, &policy()).expect("and answered");
        let session = self.places[place].session;
        let (local, remote) = (answer.plan.local.clone(), answer.plan.remote.clone());
        self.places[place].plan = answer.plan;
        self.command(Command::RestartIce { session, local, remote });
        let now = self.now;
        self.bot(place).handle_restart_answer(now, &answer.sdp);
    }

    /// A datagram from anywhere to the core, with no link between.
    pub fn inject(&mut self, from: SocketAddr, data: &[u8]) {
        self.receive(from, &mut data.to_vec());
    }

    /// A datagram comes to the worker that the kernel gives it to, and goes on to its session's.
    fn receive(&mut self, from: SocketAddr, data: &mut [u8]) {
        let to = Some(server_address().ip());
        let mut take = |world: &mut Self, worker| {
            world.inside(worker, |core, now, out| core.handle_datagram(now, from, to, data, out))
        };
        if let Disposition::Foreign(worker) = take(self, self.others.received_by(from)) {
            take(self, worker);
        }
        let busy = self.busy_for.map(|time| self.now + time);
        self.forwards_at = self.forwards_at.or(busy);
        self.drain();
    }

    /// Forwards what waits, on all workers until none has anything for another.
    pub(super) fn drain(&mut self) {
        loop {
            for worker in 0..=self.others.cores.len() {
                self.drain_worker(worker);
            }
            if !self.cross() {
                break;
            }
        }
        self.collect_events();
    }

    /// Puts all that a core sends on the links.
    fn drain_worker(&mut self, worker: usize) {
        loop {
            let busy = self.forwards_at.is_some_and(|at| at > self.now);
            let more = !busy && self.inside(worker, |core, now, out| core.forward(now, out));
            self.datagrams += self.out.datagrams();
            self.sends += self.out.sends();
            for sent in self.out.iter() {
                if let Some(watch) = &mut self.watch {
                    watch.push((self.now, sent.to, sent.data.to_vec()));
                }
                let known = |place: &&Place| place.bot.address == sent.to || place.earlier.contains(&sent.to);
                if matches!(sent.data.first(), Some(128..=191))
                    && self.places.iter().rev().find(known).is_some_and(|place| place.closed)
                {
                    self.after_the_end.push((self.now, sent.to));
                }
                // The newest at an address is who is there.
                let Some(place) = self.places.iter_mut().rev().find(|place| place.bot.address == sent.to) else {
                    self.unclaimed.push((sent.to, sent.data.to_vec()));
                    continue;
                };
                for at in place.downlink.arrivals(self.now, sent.data.len()) {
                    self.flown += 1;
                    self.flights.insert((at, self.flown), Flight::ToBot { to: sent.to, data: sent.data.to_vec() });
                }
            }
            self.out.clear();
            if !more {
                break;
            }
        }
    }

    fn collect_events(&mut self) {
        self.others.collect_events(&mut self.places, &mut self.events);
        for (_, receiver) in &mut self.routers {
            while let Ok(event) = receiver.try_recv() {
                if let Event::Session { session, state, .. } = &event {
                    for place in self.places.iter_mut().filter(|place| place.session == *session) {
                        place.state = Some(*state);
                    }
                }
                self.events.push(event);
            }
        }
    }

    fn collect(&mut self, place: usize) {
        while let Some(transmit) = self.places[place].bot.poll_transmit() {
            for at in self.places[place].uplink.arrivals(self.now, transmit.data.len()) {
                self.flown += 1;
                let flight = Flight::ToServer { from: transmit.from, data: transmit.data.clone() };
                self.flights.insert((at, self.flown), flight);
            }
        }
    }

    fn next_time(&mut self) -> Option<Instant> {
        let flight = self.flights.first_key_value().map(|((at, _), _)| *at);
        let bots = self.places.iter().filter(|place| !place.retired).filter_map(|place| place.bot.poll_timeout());
        let others = self.others.cores.iter_mut().filter_map(Core::poll_timeout).min();
        self.core.poll_timeout().into_iter().chain(others).chain(flight).chain(bots).chain(self.forwards_at).min()
    }

    /// Tells the core what share of the time its thread computed lately.
    pub fn load(&mut self, busy: f32) {
        self.inside(0, |core, now, out| core.handle_load(now, busy, out));
        self.drain();
    }

    /// Lets time pass until then.
    pub fn run_until(&mut self, until: Instant) {
        for place in 0..self.places.len() {
            self.collect(place);
        }
        while let Some(next) = self.next_time().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            while let Some(entry) = self.flights.first_entry().filter(|entry| entry.key().0 <= self.now) {
                match entry.remove() {
                    Flight::ToServer { from, mut data } => {
                        self.media_in += u64::from(is_media(&data));
                        self.receive(from, &mut data);
                    }
                    Flight::ToBot { to, data } => {
                        let found = self.places.iter().rposition(|place| place.bot.address == to);
                        if let Some(place) = found.filter(|place| !self.places[*place].retired) {
                            self.places[place].bot.handle_datagram(self.now, server_address(), &data);
                            self.collect(place);
                        }
                    }
                }
            }
            if self.forwards_at.is_some_and(|at| at <= self.now) {
                self.forwards_at = None;
                self.drain();
            }
            for worker in 0..=self.others.cores.len() {
                let now = self.now;
                if self.inside(worker, |core, _, _| core.poll_timeout().is_some_and(|at| at <= now)) {
                    self.inside(worker, |core, now, out| core.handle_timeout(now, out));
                    self.drain();
                }
            }
            for place in 0..self.places.len() {
                if !self.places[place].retired && self.places[place].bot.poll_timeout().is_some_and(|at| at <= self.now)
                {
                    let now = self.now;
                    self.places[place].bot.handle_timeout(now);
                    self.collect(place);
                }
            }
        }
        self.now = until;
    }

    pub fn run(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    pub fn run_ms(&mut self, ms: u64) {
        self.run(Duration::from_millis(ms));
    }

    /// Lets time pass until all Bots are connected; panics where that takes more than 5 s.
    pub fn connect(&mut self) {
        for _ in 0..250 {
            if self.places.iter().all(|place| place.closed || place.bot.connected()) {
                // The server's last flight may be under way still.
                self.run_ms(50);
                return;
            }
            self.run_ms(20);
        }
        let states: Vec<_> =
            self.places.iter().map(|place| (place.bot.name, place.bot.connected(), place.state)).collect();
        panic!("not all are connected: {states:?}");
    }

    pub fn dropped(&self, reason: Drop) -> u64 {
        self.core.counters.dropped[reason as usize]
    }

    /// Everything that was wrong with what any Bot got.
    pub fn problems(&self) -> Vec<String> {
        self.places
            .iter()
            .flat_map(|place| {
                place.bot.problems().into_iter().map(|problem| format!("bot {}: {problem}", place.bot.name))
            })
            .collect()
    }
}
