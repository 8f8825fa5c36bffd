//! The server process: one worker on the core that it is told, told by lines on its standard input whom to let in.

use super::machine;
use crate::bots::world::policy;
use rand::SeedableRng;
use rand::rngs::StdRng;
use signaling::ids::{ParticipantId, Source, TrackId};
use signaling::protocol::Wish;
use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::net::{Ipv4Addr, SocketAddr};
use symposia::net::counters::Drop;
use symposia::session::plan::Mid;
use symposia::session::sdp::{self, Local, Offer};
use symposia::worker::api::{Command, Event, OpenSession, RouterId};
use symposia::worker::{Media, MediaConfig};
use tokio::sync::mpsc;

pub fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(text: &str) -> String {
    let bytes = (0..text.len() / 2).filter_map(|at| u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok());
    String::from_utf8(bytes.collect()).expect("it was text")
}

struct Meetings {
    media: Media,
    routers: HashMap<usize, RouterId>,
    events: mpsc::Sender<Event>,
    random: StdRng,
}

impl Meetings {
    fn router(&mut self, meeting: usize) -> RouterId {
        *self.routers.entry(meeting).or_insert_with(|| {
            let router = self.media.new_router();
            self.media.send(Command::OpenRouter { router, events: self.events.clone() });
            router
        })
    }

    fn open(&mut self, meeting: usize, name: u32, publishes: bool, watches: &[u32], offer: &str) -> String {
        let router = self.router(meeting);
        let session = self.media.new_session(router);
        let local = Local {
            credentials: self.media.credentials(session),
            fingerprint: self.media.fingerprint(),
            candidates: self.media.candidates(),
            tcp_candidates: Vec::new(),
            cname: "symposia".into(),
        };
        let offer = Offer::parse(offer).expect("a Bot's offer can be read");
        let answer = sdp::answer(&offer, &local, &policy(), &mut self.random).expect("and answered");
        let sources = [(0, Source::Microphone), (1, Source::Camera)];
        let sends = sources.iter().filter(|_| publishes).map(|(mid, source)| (Mid(mid.to_string()), *source));
        self.media.send(Command::OpenSession(Box::new(OpenSession {
            session,
            router,
            participant: ParticipantId(name),
            plan: answer.plan,
            sends: sends.collect(),
            open_gates: vec![Source::Microphone, Source::Camera],
        })));
        let track = |name: &u32| TrackId { participant: ParticipantId(*name), source: Source::Camera };
        let wishes = watches.iter().map(|name| Wish { track: track(name), height: 720 }).collect();
        self.media.send(Command::Watch { session, wishes });
        answer.sdp
    }

    fn answer(&mut self, line: &str) -> String {
        let words: Vec<_> = line.split(' ').collect();
        let stats = self.media.stats();
        match words[..] {
            ["open", meeting, name, publishes, watches, offer] => {
                let watches = watches.trim_matches(['[', ']']).split(',').filter_map(|word| word.parse().ok());
                let watches: Vec<u32> = watches.collect();
                let (meeting, name) = (meeting.parse().expect("a number"), name.parse().expect("a number"));
                hex(&self.open(meeting, name, publishes == "1", &watches, &unhex(offer)))
            }
            ["why"] => {
                let reasons = Drop::ALL.iter().zip(stats.dropped).filter(|(_, n)| *n > 0);
                let reasons: Vec<_> = reasons.map(|(reason, count)| format!("{}={count}", reason.label())).collect();
                let (keys, again) = (stats.key_frame_requests, stats.retransmitted);
                format!("{} key_frame_requests={keys} retransmitted={again}", reasons.join(" "))
            }
            _ => {
                // What was dropped on its way out had been received.
                let inward = |(reason, _): &(&Drop, u64)| !matches!(reason, Drop::QueueFull | Drop::Send);
                let dropped: u64 = Drop::ALL.iter().zip(stats.dropped).filter(inward).map(|(_, count)| count).sum();
                format!("{} {} {dropped}", stats.received, stats.sent)
            }
        }
    }
}

/// Runs until standard input ends. Answers each line with one: `open MEETING NAME PUBLISHES [WATCHED,…] OFFER` with
/// the answer, `stats` with the counts of received packets, sent ones and those dropped on their way in, `why` with the
/// reasons of drops.
pub fn serve() {
    machine::pin_to_argument(1);
    let config = MediaConfig {
        listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
        workers: 1,
        advertise: vec![Ipv4Addr::LOCALHOST.into()],
        loopback: true,
        ..MediaConfig::default()
    };
    let media = Media::start(&config).expect("a port is free");
    let (events, mut reports) = mpsc::channel(65_536);
    let mut meetings = Meetings { media, routers: HashMap::new(), events, random: StdRng::seed_from_u64(1) };
    for line in std::io::stdin().lock().lines() {
        while reports.try_recv().is_ok() {}
        println!("{}", meetings.answer(&line.expect("lines")));
        std::io::stdout().flush().expect("the other side reads");
    }
    meetings.media.stop();
}
