//! One wave: meetings with people by WebSocket and a broadcast with viewers by WHEP come, send for a moment and
//! go; some say so and some just vanish. Knows nothing of what is judged.

use super::http::{Http, stream};
use crate::bots::bot::{Bot, BotShape};
use crate::bots::bot_identity;
use crate::bots::sending::LayerShape;
use crate::clients::Load;
use crate::scenario::Shape;
use crate::seat::Seat;
use serde_json::json;
use signaling::ids::{ParticipantId, Source, TrackId};
use signaling::protocol::{Command, Outcome, SendSlot, Wish};
use std::time::Duration;
use symposia::clock;

/// Meetings of a wave, and people in each.
const MEETINGS: usize = 4;
const PEOPLE: usize = 5;

/// Viewers of the wave's broadcast.
const VIEWERS: usize = 20;

/// One in so many goes without a word.
const VANISHES: usize = 10;

/// How long a wave sends.
const SENDS_FOR: Duration = Duration::from_millis(150);

/// Until all are connected.
const CONNECTED_WITHIN: Duration = Duration::from_secs(15);

const FRAME: LayerShape = LayerShape::new(180, 2_300);

/// What came of a wave.
#[derive(Debug, Default)]
pub struct Came {
    pub connected: usize,
    pub failed: usize,
}

/// A wave.
pub struct Wave {
    number: usize,
    load: Load,
}

impl Wave {
    pub fn new(number: usize) -> Self {
        Self { number, load: Load::new(Shape::Burst, Duration::ZERO) }
    }

    fn bot(&self, shape: BotShape) -> Bot {
        let index = self.load.clients.len();
        let seed = (self.number * 1_000 + index) as u64;
        Bot::new(index as u32 + 1, self.load.next_address(), shape, bot_identity(), seed)
    }

    fn take(&mut self, mut bot: Bot, answer: &str) {
        bot.handle_answer(clock::now(), answer);
        self.load.add(bot, true);
        self.load.run_until(clock::now() + Duration::from_millis(1), |_| false);
    }

    fn meeting(&mut self, http: &mut Http) -> (String, Vec<Seat>) {
        let body = json!({"waiting_room": false}).to_string();
        let made = http.call("POST", "/api/v1/meetings", "application/json", Some("dev"), &body);
        assert_eq!(made.status, 201, "{made:?}");
        let (id, link) = (made.text("id"), made.text("join_url"));
        let token = link.split_once("#t=").expect("a token in the fragment").1.to_owned();
        let (mut people, mut names) = (Vec::new(), Vec::new());
        for _ in 0..PEOPLE {
            let mut person = Seat::join(stream(http.from(), http.address()), &id, &token, "Soak");
            names.push(person.you);
            let bot = self.bot(BotShape { layers: 1, video_slots: PEOPLE - 1, audio_slots: 5, ..BotShape::default() });
            for source in [Source::Microphone, Source::Camera] {
                person.ask(Command::SetSource { source, on: true });
            }
            let sends = bot.sends().into_iter().map(|(mid, source)| SendSlot { mid: mid.0, source }).collect();
            let Outcome::Answer { sdp } = person.ask(Command::Offer { sdp: bot.offer(), sends }) else {
                panic!("an offer is answered with an answer")
            };
            self.take(bot, &sdp);
            people.push(person);
        }
        for (person, you) in people.iter_mut().zip(&names) {
            let track = |name: &ParticipantId| TrackId { participant: *name, source: Source::Camera };
            let others = names.iter().filter(|name| *name != you);
            let videos = others.map(|name| Wish { track: track(name), height: 180 }).collect();
            person.ask(Command::Watch { videos });
        }
        (id, people)
    }

    /// By WHIP or WHEP; where it is to be deleted.
    fn exchange(&mut self, http: &mut Http, path: &str, token: Option<&str>, shape: BotShape) -> String {
        let bot = self.bot(shape);
        let answer = http.call("POST", path, "application/sdp", token, &bot.offer());
        assert_eq!(answer.status, 201, "{answer:?}");
        self.take(bot, &answer.body);
        answer.headers.get("location").expect("where it is").clone()
    }

    fn start_sending(&mut self, place: usize) {
        let now = clock::now();
        let bot = &mut self.load.clients[place].bot;
        if bot.connected() && !bot.shape.sources.is_empty() {
            bot.start_sound(now, Source::Microphone, 20);
            bot.start_video(now, Source::Camera, &[FRAME], 15);
            self.load.schedule(place);
        }
    }

    /// Comes, sends and goes.
    pub fn run(mut self, http: &mut Http) -> Came {
        let mut meetings: Vec<_> = (0..MEETINGS).map(|_| self.meeting(http)).collect();
        let made = http.call("POST", "/api/v1/broadcasts", "application/json", Some("dev"), r#"{"title":"Soak"}"#);
        assert_eq!(made.status, 201, "{made:?}");
        let (broadcast, key) = (made.text("id"), made.text("stream_key"));
        let sends = BotShape { layers: 1, video_slots: 0, audio_slots: 0, ..BotShape::default() };
        let mut resources =
            vec![(self.exchange(http, &format!("/whip/{broadcast}"), Some(&key), sends), Some(key.clone()))];
        for _ in 0..VIEWERS {
            let watches = BotShape { sources: Vec::new(), video_slots: 1, audio_slots: 1, ..BotShape::default() };
            resources.push((self.exchange(http, &format!("/whep/{broadcast}"), None, watches), None));
        }
        self.load.run_until(clock::now() + CONNECTED_WITHIN, |clients| clients.iter().all(|c| c.bot.connected()));
        (0..self.load.clients.len()).for_each(|place| self.start_sending(place));
        self.load.run_until(clock::now() + SENDS_FOR, |_| false);
        let connected = self.load.clients.iter().filter(|client| client.bot.connected()).count();
        let failed = self.load.clients.len() - connected;

        for (index, (resource, key)) in resources.iter().enumerate() {
            if !(index + self.number).is_multiple_of(VANISHES) {
                http.call("DELETE", resource, "application/sdp", key.as_deref(), "");
            }
        }
        for (index, (id, people)) in meetings.iter_mut().enumerate() {
            let vanish = (index + self.number).is_multiple_of(VANISHES);
            for person in people.iter_mut().filter(|_| !vanish) {
                person.ask(Command::Leave);
            }
            // Some meetings are ended by the API, some by being empty; a lost connection's seat would be kept.
            if vanish || index % 2 == 0 {
                let ended = http.call("DELETE", &format!("/api/v1/meetings/{id}"), "text/plain", Some("dev"), "");
                assert!(ended.status < 300, "{ended:?}");
            }
        }
        let ended = http.call("DELETE", &format!("/api/v1/broadcasts/{broadcast}"), "text/plain", Some("dev"), "");
        assert!(ended.status < 300, "{ended:?}");
        Came { connected, failed }
    }
}
