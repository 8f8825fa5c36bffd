//! One run: a server process, the Bots of a scenario in their meetings, and what came of it.

use super::bare::{self, CIPHER, Limit};
use super::canary::Canaries;
use super::clients::{Client, Load};
use super::counts::{Bursts, Delays};
use super::machine::{cpu_ns, resident_kib};
use super::process::{Server, Stats};
use super::scenario::Scenario;
use super::stopwatch::{Stopwatch, Timed};
use crate::bots::bot::{Bot, BotShape};
use crate::bots::bot_identity;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use signaling::ids::Source;
use std::time::Duration;
use symposia::clock;

/// Bots that join at once.
const JOINING: usize = 25;

/// Until all of them are in.
const JOINED_WITHIN: Duration = Duration::from_secs(30);

/// Subscribers begin with what an unknown link is trusted with, and that grows slowly; until they have all they want.
const SETTLED_WITHIN: Duration = Duration::from_secs(25);

/// What is under way when all stop sending has come by then, or is lost.
const DRAINED_WITHIN: Duration = Duration::from_secs(8);

/// The server with its Bots.
pub struct Field {
    pub scenario: Scenario,
    pub server: Server,
    pub load: Load,
    random: StdRng,
    idle_kib: u64,
    meetings: usize,
}

/// What was measured in a window of time.
#[derive(Debug)]
pub struct Outcome {
    pub scenario: Scenario,
    /// Packets that came to Bots.
    pub forwarded: u64,
    /// Packets that the server accepted.
    pub received: u64,
    /// Processor time of the whole server process.
    pub cpu_ns: u64,
    pub seconds: f64,
    pub bursts: Bursts,
    /// The share of time in which the load generator was busy.
    pub load_share: f64,
    pub late: Delays,
    pub timed: Option<Timed>,
    /// What the whole run shows, once it is over.
    pub run: Run,
    /// The bare limit, measured right before and after.
    pub limit: Limit,
}

/// What a run shows from its beginning to its end.
#[derive(Debug, Default)]
pub struct Run {
    /// Sent by the server and not arrived.
    pub lost: i64,
    /// Sent by the Bots and neither accepted nor dropped with a reason by the server.
    pub unheard: i64,
    /// What was wrong with what came, by those who check.
    pub problems: Vec<String>,
    /// Bots that agreed on another cipher than the bare limit's.
    pub other_cipher: usize,
    pub idle_kib: u64,
    pub session_kib: f64,
    /// Drops by reason and more, as the server tells.
    pub why: String,
}

impl Outcome {
    /// Nanoseconds per forwarded packet, receiving included.
    pub fn cost(&self) -> f64 {
        self.cpu_ns as f64 / self.forwarded as f64
    }

    /// The share of a core that the server took.
    pub fn core(&self) -> f64 {
        self.cpu_ns as f64 / self.seconds / 1e9
    }

    pub fn out_a_second(&self) -> f64 {
        self.forwarded as f64 / self.seconds
    }

    pub fn in_a_second(&self) -> f64 {
        self.received as f64 / self.seconds
    }

    /// Of what all should get with a link that takes it, this share came.
    pub fn complete(&self) -> f64 {
        self.out_a_second() / self.scenario.expected_a_second()
    }
}

impl Field {
    /// A server and no Bots.
    pub fn new(scenario: &Scenario) -> Self {
        let server = Server::start(scenario.spread);
        std::thread::sleep(Duration::from_millis(100));
        let idle_kib = resident_kib(server.pid());
        let load = Load::new(scenario.shape, scenario.rest);
        Self { scenario: scenario.clone(), server, load, random: StdRng::seed_from_u64(7), idle_kib, meetings: 0 }
    }

    /// The whole scenario, all connected and nobody sending.
    pub fn open(scenario: &Scenario) -> Self {
        let mut field = Self::new(scenario);
        for _ in 0..scenario.meetings {
            field.add_meeting();
        }
        field.join();
        field
    }

    /// How many there are.
    pub const fn meetings(&self) -> usize {
        self.meetings
    }

    /// One more meeting, whose people may still be joining.
    pub fn add_meeting(&mut self) {
        let first = self.load.clients.len();
        let name = |place: usize| (first + place + 1) as u32;
        for place in 0..self.scenario.people() {
            let publishes = place < self.scenario.publishers;
            let watched = self.scenario.watched(place);
            let shape = BotShape {
                sources: if publishes { vec![Source::Microphone, Source::Camera] } else { Vec::new() },
                layers: self.scenario.camera.len(),
                video_slots: watched.len(),
                audio_slots: self.scenario.heard(place),
                ..BotShape::default()
            };
            let seed = u64::from(name(place));
            let mut bot = Bot::new(name(place), self.load.next_address(), shape, bot_identity(), seed);
            let watched: Vec<_> = watched.into_iter().map(name).collect();
            let answer = self.server.open(self.meetings, name(place), publishes, &watched, &bot.offer());
            bot.handle_answer(clock::now(), &answer);
            // In each meeting another place is looked at.
            let checks = self.scenario.watches(place)
                && (first + place + self.meetings + 1).is_multiple_of(self.scenario.checks);
            self.load.add(bot, checks);
            if self.load.clients.len().is_multiple_of(JOINING) {
                self.join();
            }
        }
        self.meetings += 1;
    }

    /// Waits until all are connected.
    pub fn join(&mut self) {
        let connected = |clients: &[Client]| clients.iter().rev().take(2 * JOINING).all(|c| c.bot.connected());
        self.load.run_until(clock::now() + JOINED_WITHIN, connected);
        let missing = self.load.clients.iter().filter(|client| !client.bot.connected());
        let state = |bot: &Bot| {
            let ice = bot.agent.as_ref().is_some_and(|agent| agent.connected);
            format!(
                "{}: ice {ice}, keys {}, closed {}, failed {}",
                bot.name,
                bot.crypto.is_some(),
                bot.closed,
                bot.failed
            )
        };
        let missing: Vec<_> = missing.map(|client| state(&client.bot)).collect();
        assert!(missing.is_empty(), "not connected: {missing:#?}");
    }

    /// All from this client on begin to send, each at a time of its own.
    pub fn start_sending(&mut self, from: usize) {
        let now = clock::now();
        let frame = Duration::from_secs(1) / self.scenario.fps;
        for place in from..self.load.clients.len() {
            let in_meeting = place % self.scenario.people();
            if in_meeting >= self.scenario.publishers {
                continue;
            }
            let mut within = |time: Duration| now + time.mul_f64(f64::from(self.random.next_u32()) / 4.3e9);
            let (sound, picture) = (within(Duration::from_millis(20)), within(frame));
            let bot = &mut self.load.clients[place].bot;
            if in_meeting < self.scenario.microphones {
                // The first few are clearly louder than the rest, so that the choice of voices stands.
                let level = if in_meeting <= super::scenario::VOICES { 20 } else { 60 };
                bot.start_sound(sound, Source::Microphone, level);
            }
            bot.start_video(picture, Source::Camera, &self.scenario.camera, self.scenario.fps);
            self.load.schedule(place);
        }
    }

    /// Lets time pass.
    pub fn run(&mut self, time: Duration) {
        self.load.run_until(clock::now() + time, |_| false);
    }

    /// Until everybody gets what they should, or no more time is left.
    pub fn settle(&mut self) {
        let until = clock::now() + SETTLED_WITHIN;
        let enough = self.scenario.expected_a_second() * self.meetings as f64 / self.scenario.meetings as f64 * 0.97;
        self.run(Duration::from_secs(1));
        while clock::now() < until {
            let (began, before) = (clock::now(), self.load.packets());
            self.run(Duration::from_millis(500));
            let rate = (self.load.packets() - before) as f64 / clock::now().duration_since(began).as_secs_f64();
            if rate >= enough {
                return;
            }
        }
    }

    /// Measures for so long.
    pub fn measure(&mut self, time: Duration) -> Outcome {
        let pid = self.server.pid();
        self.load.begin();
        let (cpu, began, before, came) = (cpu_ns(pid), clock::now(), self.server.stats(), self.load.packets());
        self.load.run_until(began + time, |_| false);
        let (cpu, took) = (cpu_ns(pid) - cpu, clock::now().duration_since(began));
        let scenario = Scenario { meetings: self.meetings, ..self.scenario.clone() };
        Outcome {
            scenario,
            forwarded: self.load.packets() - came,
            received: self.server.stats().received - before.received,
            cpu_ns: cpu,
            seconds: took.as_secs_f64(),
            bursts: self.load.bursts.clone(),
            load_share: self.load.share(),
            late: self.load.late.clone(),
            timed: self.load.stopwatch.clone().map(|stopwatch| stopwatch.sum(|_, _| true).0),
            run: Run::default(),
            limit: Limit::default(),
        }
    }

    /// Measures delays for so long, and leaves out the windows in which a core was taken away. Also says the share of
    /// those that count.
    pub fn measure_undisturbed(&mut self, time: Duration) -> (Outcome, f64) {
        let canaries = Canaries::start();
        self.load.stopwatch = Some(Stopwatch::default());
        let mut outcome = self.measure(time);
        let stopwatch = self.load.stopwatch.take().unwrap_or_default();
        let quiet = |from, to| canaries.as_ref().is_none_or(|canaries| !canaries.disturbed(from, to));
        let (timed, share) = stopwatch.sum(quiet);
        outcome.timed = Some(timed);
        (outcome, share)
    }

    /// Until nothing is under way any more.
    fn drain(&mut self) -> Stats {
        let until = clock::now() + DRAINED_WITHIN;
        let mut before = (Stats::default(), 0);
        loop {
            // Longer than the server takes to publish its counts.
            self.run(Duration::from_millis(500));
            let now = (self.server.stats(), self.load.packets());
            if now == before || clock::now() > until {
                return now.0;
            }
            before = now;
        }
    }

    /// Ends the run: waits until nothing is under way, and compares what was sent with what came.
    pub fn close(mut self) -> Run {
        for client in &mut self.load.clients {
            client.bot.sending = crate::bots::sending::Sending::default();
        }
        let Stats { received, sent, dropped } = self.drain();
        let resident = resident_kib(self.server.pid()).saturating_sub(self.idle_kib);
        let clients = &self.load.clients;
        let problems = clients.iter().flat_map(|client| client.bot.problems()).collect();
        let other = |client: &&Client| client.bot.crypto.as_ref().is_none_or(|crypto| crypto.profile != CIPHER);
        Run {
            lost: sent as i64 - self.load.packets() as i64,
            unheard: self.load.sent as i64 - received as i64 - dropped as i64,
            problems,
            other_cipher: clients.iter().filter(other).count(),
            idle_kib: self.idle_kib,
            session_kib: resident as f64 / clients.len() as f64,
            why: self.server.why(),
        }
    }
}

/// Runs a scenario from its beginning to its end, between two measurements of the bare limit for its bursts.
pub fn run(scenario: &Scenario, time: Duration) -> Outcome {
    run_and_look(scenario, time, |_| ()).0
}

/// The same, with a look at the field before it is closed.
pub fn run_and_look<T>(scenario: &Scenario, time: Duration, look: impl FnOnce(&Field) -> T) -> (Outcome, T) {
    let lengths = scenario.burst_lengths();
    let before = bare::beside(&lengths);
    let mut field = Field::open(scenario);
    field.start_sending(0);
    field.settle();
    // Where all decrypt, all can be timed.
    field.load.stopwatch = (scenario.checks == 1).then(Stopwatch::default);
    let mut outcome = field.measure(time);
    let seen = look(&field);
    outcome.run = field.close();
    outcome.limit = before.mean(&bare::beside(&lengths));
    eprintln!("{}: {}", scenario.name, outcome.complaint().unwrap_or_else(|| "clean".into()));
    (outcome, seen)
}
