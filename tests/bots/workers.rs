//! Several workers in a [`World`], and a meeting that spreads over them as the server's does: the control side's own
//! `Routers` say what each worker is told, and packets cross by the rings of their taps.

use super::bot::BotShape;
use super::netem::Link;
use super::world::{Place, Plan, World, policy};
use signaling::ids::{ParticipantId, Source};
use signaling::protocol::Wish;
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::Receiver;
use symposia::session::SessionId;
use symposia::session::limits::MediaLimits;
use symposia::session::sdp::{self, Offer};
use symposia::worker::Media;
use symposia::worker::api::{Command, Event, RouterId};
use symposia::worker::core::Core;
use symposia::worker::routers::{NewSession, Routers};
use tokio::sync::{mpsc, oneshot};

/// The workers besides the first, and the one meeting that may be on all of them.
pub struct Others {
    pub cores: Vec<Core>,
    /// `None` where there is one worker only.
    pub meeting: Option<Meeting>,
    /// This worker takes nothing out of its ring.
    pub stalled: Option<usize>,
}

pub struct Meeting {
    pub routers: Routers,
    media: Media,
    commands: Vec<Receiver<Command>>,
    reports: mpsc::Receiver<Event>,
}

impl Others {
    pub fn new(cores: Vec<Core>, limits: MediaLimits) -> Self {
        let meeting = (!cores.is_empty()).then(|| {
            let (media, commands) = Media::detached(cores.len() + 1, limits).expect("DTLS");
            let (routers, reports) = Routers::open(media.clone(), 4096);
            Meeting { routers, media, commands, reports }
        });
        Self { cores, meeting, stalled: None }
    }

    /// The worker that the kernel chooses for datagrams from there, whosever they are.
    pub fn received_by(&self, from: SocketAddr) -> usize {
        let IpAddr::V4(address) = from.ip() else { return 0 };
        usize::from(address.octets()[3] / 2) % (self.cores.len() + 1)
    }

    fn routers(&mut self) -> Option<&mut Routers> {
        self.meeting.as_mut().map(|meeting| &mut meeting.routers)
    }

    pub fn watch(&mut self, session: SessionId, wishes: &[Wish]) -> bool {
        let Some(routers) = self.routers() else { return false };
        routers.watch(session, wishes.to_vec());
        true
    }

    pub fn set_gate(&mut self, session: SessionId, source: Source, open: bool) -> Option<Vec<oneshot::Receiver<()>>> {
        self.routers().map(|routers| routers.set_gate(session, source, open, true))
    }

    pub fn close_session(&mut self, session: SessionId) -> Option<Vec<oneshot::Receiver<()>>> {
        self.routers().map(|routers| routers.close_session(session, true))
    }

    pub fn collect_events(&mut self, places: &mut [Place], events: &mut Vec<Event>) {
        let Some(meeting) = &mut self.meeting else { return };
        while let Ok(event) = meeting.reports.try_recv() {
            if let Event::Session { session, state, .. } = &event {
                for place in places.iter_mut().filter(|place| place.session == *session) {
                    place.state = Some(*state);
                }
            }
            events.extend(meeting.routers.merge(event));
        }
    }
}

impl World {
    /// A meeting over so many workers, each of which takes so many of its sessions.
    pub fn over(seed: u64, workers: usize, sessions_per_worker: usize) -> Self {
        let limits = MediaLimits { sessions_per_worker, ..MediaLimits::default() };
        let mut world = Self::with(seed, Plan { limits, others: workers - 1, ..Plan::default() });
        world.pump();
        world
    }

    pub fn core_of(&mut self, worker: usize) -> &mut Core {
        if worker == 0 { &mut self.core } else { &mut self.others.cores[worker - 1] }
    }

    /// On which worker a Bot's session is.
    pub fn worker_of(&self, place: usize) -> usize {
        self.places[place].session.worker()
    }

    /// A Bot joins the meeting, on the worker that the control side chooses.
    pub fn meet(&mut self, name: u32, shape: BotShape) -> usize {
        let gates = shape.sources.clone();
        self.meet_with(name, shape, gates)
    }

    pub fn meet_with(&mut self, name: u32, shape: BotShape, open_gates: Vec<Source>) -> usize {
        let mut bot = self.new_bot(name, shape);
        let session = self.others.routers().expect("several workers").new_session();
        let local = self.local(session.worker());
        let offer = Offer::parse(&bot.offer()).expect("a Bot's offer can be read");
        let answer = sdp::answer(&offer, &local, &policy(), &mut self.random).expect("and answered");
        let participant = ParticipantId(name);
        let new = NewSession { participant, plan: answer.plan.clone(), sends: bot.sends(), open_gates };
        self.others.routers().expect("several workers").open_session(session, new);
        self.pump();
        bot.handle_answer(self.now, &answer.sdp);
        self.add_place(bot, session, RouterId(0), participant, answer.plan, Link::CLEAN)
    }

    /// What was said to one worker comes to it.
    pub fn pump_worker(&mut self, worker: usize) {
        loop {
            let Some(meeting) = &self.others.meeting else { return };
            let Ok(command) = meeting.commands[worker].try_recv() else { break };
            self.inside(worker, |core, now, out| core.handle_command(now, command, out));
        }
        self.drain();
    }

    /// What was said to the workers comes to them.
    pub fn pump(&mut self) {
        (0..=self.others.cores.len()).for_each(|worker| self.pump_worker(worker));
    }

    /// All workers hear, and each says that it did.
    pub fn all_acknowledge(&mut self, acknowledged: Vec<oneshot::Receiver<()>>) {
        self.pump();
        for mut done in acknowledged {
            done.try_recv().expect("every worker acknowledges at once");
        }
    }

    /// Workers take what others gave them; whether there was anything.
    pub fn cross(&mut self) -> bool {
        let mut any = false;
        for worker in 0..=self.others.cores.len() {
            let Some(meeting) = self.others.meeting.as_ref().filter(|_| self.others.stalled != Some(worker)) else {
                continue;
            };
            let ring = meeting.media.taps(worker).expect("each has a ring");
            ring.drain(|tapped| {
                any = true;
                self.inside(worker, |core, now, out| core.handle_tapped(now, &tapped, out));
            });
        }
        any
    }

    /// The meeting ends.
    pub fn end_meeting(&mut self) {
        self.others.routers().expect("several workers").close();
        self.pump();
    }
}
