//! The server process: one worker on the first core, told by lines on its standard input whom to let in.

use crate::bots::world::policy;
use rand::SeedableRng;
use rand::rngs::StdRng;
use signaling::ids::{ParticipantId, Source, TrackId};
use signaling::protocol::Wish;
use std::io::{BufRead, Write};
use std::net::{Ipv4Addr, SocketAddr};
use symposia::net::udp::{cores, pin_to_core};
use symposia::session::plan::Mid;
use symposia::session::sdp::{self, Local, Offer};
use symposia::worker::api::{Command, OpenSession};
use symposia::worker::{Media, MediaConfig};
use tokio::sync::mpsc;

/// The participant that sends.
pub const PUBLISHER: u32 = 1;

pub fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(text: &str) -> String {
    let bytes = (0..text.len() / 2).filter_map(|at| u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok());
    String::from_utf8(bytes.collect()).expect("it was text")
}

/// Runs until standard input ends. Answers each line with one: `open NAME SDP` with the answer, `stats` with
/// the counts of received, sent and dropped packets and of sessions, `why` with the
/// reasons of drops.
pub fn serve() {
    if let Some(core) = cores().first() {
        pin_to_core(*core).expect("its own core");
    }
    let config = MediaConfig {
        listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
        workers: 1,
        advertise: vec![Ipv4Addr::LOCALHOST.into()],
        loopback: true,
        ..MediaConfig::default()
    };
    let media = Media::start(&config).expect("a port is free");
    let router = media.new_router();
    let (events, mut reports) = mpsc::channel(65_536);
    media.send(Command::OpenRouter { router, events });
    let mut random = StdRng::seed_from_u64(1);
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("lines");
        while reports.try_recv().is_ok() {}
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some("open"), Some(name), Some(offer)) => {
                let name = name.parse().expect("a number");
                let session = media.new_session(router);
                let local = Local {
                    credentials: media.credentials(session),
                    fingerprint: media.fingerprint(),
                    candidates: media.candidates(),
                    tcp_candidates: Vec::new(),
                    cname: "symposia".into(),
                };
                let offer = Offer::parse(&unhex(offer)).expect("a Bot's offer can be read");
                let answer = sdp::answer(&offer, &local, &policy(), &mut random).expect("and answered");
                let publishes = name == PUBLISHER;
                let sources = [(0, Source::Microphone), (1, Source::Camera)];
                let sends = sources.iter().filter(|_| publishes).map(|(mid, source)| (Mid(mid.to_string()), *source));
                media.send(Command::OpenSession(Box::new(OpenSession {
                    session,
                    router,
                    participant: ParticipantId(name),
                    plan: answer.plan,
                    sends: sends.collect(),
                    open_gates: vec![Source::Microphone, Source::Camera],
                })));
                let track = TrackId { participant: ParticipantId(PUBLISHER), source: Source::Camera };
                let wishes = if publishes { Vec::new() } else { vec![Wish { track, height: 720 }] };
                media.send(Command::Watch { session, wishes });
                println!("{}", hex(&answer.sdp));
            }
            (Some("why"), ..) => {
                let stats = media.stats();
                let reasons = symposia::net::counters::Drop::ALL.iter().zip(stats.dropped).filter(|(_, n)| *n > 0);
                let reasons: Vec<_> = reasons.map(|(reason, count)| format!("{}={count}", reason.label())).collect();
                let (keys, again) = (stats.key_frame_requests, stats.retransmitted);
                println!("{} key_frame_requests={keys} retransmitted={again}", reasons.join(" "));
            }
            _ => {
                let stats = media.stats();
                let dropped: u64 = stats.dropped.iter().sum();
                println!("{} {} {} {}", stats.received, stats.sent, dropped, stats.sessions);
            }
        }
        std::io::stdout().flush().expect("the other side reads");
    }
    media.stop();
}
