//! People of one meeting: a WebSocket each, and a Bot on a socket of its own that sends real VP8 and Opus.

use crate::bots::bot::{Bot, BotShape};
use crate::bots::bot_identity;
use crate::bots::content::ivf;
use crate::bots::sending::LayerShape;
use crate::program::Program;
use crate::seat::Seat;
use serde_json::json;
use signaling::ids::{ParticipantId, Source, TrackId};
use signaling::protocol::{Command, Outcome, SendSlot, Wish};
use std::net::{TcpStream, UdpSocket};
use std::time::{Duration, Instant};
use symposia::clock;

/// Pictures of the film a second.
const FPS: u32 = 30;
const CONNECTED_WITHIN: Duration = Duration::from_secs(15);

pub struct Person {
    pub seat: Seat,
    bot: Bot,
    udp: UdpSocket,
    /// Datagrams of media that came.
    pub packets: u64,
}

pub struct Call {
    pub meeting: String,
    pub people: Vec<Person>,
}

impl Person {
    fn join(program: &Program, meeting: &str, token: &str, name: u32) -> Self {
        let stream = TcpStream::connect(program.address).expect("it listens");
        let seat = Seat::join(stream, meeting, token, &format!("Bot {name}"));
        let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
        udp.set_nonblocking(true).expect("an option");
        let shape = BotShape { layers: 1, video_slots: 4, audio_slots: 5, ..BotShape::default() };
        let bot = Bot::new(name, udp.local_addr().expect("bound"), shape, bot_identity(), u64::from(name));
        Self { seat, bot, udp, packets: 0 }
    }

    fn run(&mut self) {
        let mut bytes = [0; 2000];
        while let Ok((len, from)) = self.udp.recv_from(&mut bytes) {
            self.packets += 1;
            self.bot.handle_datagram(clock::now(), from, &bytes[..len]);
        }
        let now = clock::now();
        if self.bot.poll_timeout().is_some_and(|at| at <= now) {
            self.bot.handle_timeout(now);
        }
        while let Some(transmit) = self.bot.poll_transmit() {
            // A server that is killed refuses it.
            let _ = self.udp.send_to(&transmit.data, transmit.to);
        }
    }
}

impl Call {
    /// So many people, each with microphone and camera, who see each other.
    pub fn begin(program: &Program, people: u32, settings: &serde_json::Value) -> Self {
        let mut body = json!({ "waiting_room": false });
        body.as_object_mut().expect("one").extend(settings.as_object().expect("one").clone());
        let made = program.post("/api/v1/meetings", &body);
        let meeting = made["id"].as_str().expect("an id").to_owned();
        let link = made["join_url"].as_str().expect("a link");
        let token = link.split_once("#t=").expect("a token").1.to_owned();
        let people: Vec<_> = (1..=people).map(|name| Person::join(program, &meeting, &token, name)).collect();
        let mut call = Self { meeting, people };
        let names: Vec<_> = call.people.iter().map(|person| person.seat.you).collect();
        for person in &mut call.people {
            for source in [Source::Microphone, Source::Camera] {
                person.seat.ask(Command::SetSource { source, on: true });
            }
            let sends = person.bot.sends().into_iter().map(|(mid, source)| SendSlot { mid: mid.0, source }).collect();
            let offer = Command::Offer { sdp: person.bot.offer(), sends };
            let Outcome::Answer { sdp } = person.seat.ask(offer) else { panic!("no answer") };
            person.bot.handle_answer(clock::now(), &sdp);
            let others = names.iter().filter(|name| **name != person.seat.you);
            let track = |name: &ParticipantId| TrackId { participant: *name, source: Source::Camera };
            let videos = others.map(|name| Wish { track: track(name), height: 180 }).collect();
            person.seat.ask(Command::Watch { videos });
        }
        let until = clock::now() + CONNECTED_WITHIN;
        while !call.people.iter().all(|person| person.bot.connected()) {
            assert!(clock::now() < until, "not connected");
            call.run_for(Duration::from_millis(5));
        }
        let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/tests/fixtures/vp8-320x180.ivf");
        let film = ivf(&std::fs::read(fixture).expect("a film"));
        for person in &mut call.people {
            let now = clock::now();
            person.bot.start_video(now, Source::Camera, &[LayerShape::new(180, 1_000)], FPS);
            person.bot.sending.video(Source::Camera).film = Some(film.clone());
            person.bot.start_sound(now, Source::Microphone, 20);
            person.bot.sending.sound(Source::Microphone).silent = true;
        }
        call
    }

    /// They talk for so long.
    pub fn run_for(&mut self, time: Duration) {
        let until = clock::now() + time;
        while clock::now() < until {
            self.people.iter_mut().for_each(Person::run);
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// They talk until this holds; how long that took.
    pub fn run_until(&mut self, within: Duration, mut done: impl FnMut(&mut Self) -> bool) -> Duration {
        let began: Instant = clock::now();
        while !done(self) {
            assert!(clock::now() < began + within, "not within {within:?}");
            self.run_for(Duration::from_millis(50));
        }
        clock::now() - began
    }
}
