//! The server process: one worker on the core that it is told, or one on each of two, told by lines on its standard input
//! whom to let in.

use super::machine;
use crate::bots::world::policy;
use rand::SeedableRng;
use rand::rngs::StdRng;
use recordings::timeline;
use signaling::ids::{ParticipantId, Source, TrackId};
use signaling::protocol::Wish;
use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::net::{Ipv4Addr, SocketAddr};
use symposia::clock;
use symposia::config::Config;
use symposia::net::counters::Drop;
use symposia::recordings::{Handle, NewRecording, Recordings, counters};
use symposia::session::SessionId;
use symposia::session::limits::MediaLimits;
use symposia::session::plan::Mid;
use symposia::session::sdp::{self, Local, Offer};
use symposia::store::{Store, Visibility};
use symposia::worker::api::Event;
use symposia::worker::routers::{NewSession, Routers};
use symposia::worker::{Media, MediaConfig};
use tokio::sync::mpsc;

pub fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(text: &str) -> String {
    let bytes = (0..text.len() / 2).filter_map(|at| u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok());
    String::from_utf8(bytes.collect()).expect("it was text")
}

/// Reports that may wait until the next line.
const REPORTS: usize = 65_536;

struct Meetings {
    media: Media,
    all: HashMap<usize, (Routers, mpsc::Receiver<Event>)>,
    /// Who is in each, and by which session.
    people: Vec<(usize, SessionId, ParticipantId)>,
    recorder: Option<Recorder>,
    random: StdRng,
}

/// What recordings need beside the media threads: begun with the first.
struct Recorder {
    runtime: tokio::runtime::Runtime,
    recordings: Recordings,
    live: HashMap<usize, Handle>,
    begun: u32,
    _folder: tempfile::TempDir,
}

impl Recorder {
    fn start(media: Media) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let config = Config { data: folder.path().to_owned(), ..Config::default() };
        let recordings = runtime.block_on(async {
            let store = Store::open(folder.path()).await.expect("a store");
            Recordings::start(&config, media, store)
        });
        Self { runtime, recordings, live: HashMap::new(), begun: 0, _folder: folder }
    }

    fn begin(&mut self, meeting: usize) -> &Handle {
        self.begun += 1;
        let new = NewRecording {
            id: format!("recording-{}", self.begun),
            meeting: meeting.to_string(),
            title: String::new(),
            height: u16::MAX,
            visibility: Visibility::Nobody,
        };
        let _inside = self.runtime.enter();
        let begun = self.recordings.begin(&new, clock::unix(), mpsc::unbounded_channel().0);
        self.live.entry(meeting).insert_entry(begun.expect("there is room").0).into_mut()
    }
}

impl Meetings {
    fn open(&mut self, meeting: usize, name: u32, publishes: bool, watches: &[u32], offer: &str) -> String {
        let (routers, _) = self.all.entry(meeting).or_insert_with(|| Routers::open(self.media.clone(), REPORTS));
        let session = routers.new_session();
        let local = Local {
            credentials: self.media.credentials(session),
            fingerprint: self.media.fingerprint(),
            candidates: self.media.candidates(),
            tcp_candidates: Vec::new(),
            cname: "symposia".into(),
            restarts: 0,
        };
        let offer = Offer::parse(offer).expect("a Bot's offer can be read");
        let answer = sdp::answer(&offer, &local, &policy(), &mut self.random).expect("and answered");
        let sources = [(0, Source::Microphone), (1, Source::Camera)];
        let sends = sources.iter().filter(|_| publishes).map(|(mid, source)| (Mid(mid.to_string()), *source));
        let new = NewSession {
            participant: ParticipantId(name),
            plan: answer.plan,
            sends: sends.collect(),
            open_gates: vec![Source::Microphone, Source::Camera],
        };
        routers.open_session(session, new);
        let track = |name: &u32| TrackId { participant: ParticipantId(*name), source: Source::Camera };
        let wishes = watches.iter().map(|name| Wish { track: track(name), height: 720 }).collect();
        routers.watch(session, wishes);
        self.people.push((meeting, session, ParticipantId(name)));
        answer.sdp
    }

    fn record(&mut self, meeting: usize, on: bool) {
        let recorder = self.recorder.get_or_insert_with(|| Recorder::start(self.media.clone()));
        let (routers, _) = self.all.get_mut(&meeting).expect("it was opened");
        if !on {
            routers.end_record();
            recorder.live.remove(&meeting);
            return;
        }
        let handle = recorder.begin(meeting);
        for (_, session, participant) in self.people.iter().filter(|(of, ..)| *of == meeting) {
            handle.note(timeline::Event::Joined { participant: participant.0, name: format!("Bot {}", participant.0) });
            handle.add_session(*session, *participant);
        }
        routers.record(handle.number(), handle.ring(), handle.height());
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
            ["record", meeting, on] => {
                self.record(meeting.parse().expect("a number"), on == "1");
                "done".to_owned()
            }
            ["recorded"] => format!("{} {}", counters::DROPPED.value(), counters::BYTES.value()),
            ["why"] => {
                let reasons = Drop::ALL.iter().zip(stats.dropped).filter(|(_, n)| *n > 0);
                let reasons: Vec<_> = reasons.map(|(reason, count)| format!("{}={count}", reason.label())).collect();
                let (keys, again) = (stats.key_frame_requests, stats.retransmitted);
                let (tapped, taken) = (stats.tapped, stats.taken);
                let crossed = format!("tapped={tapped} taken={taken}");
                format!("{} key_frame_requests={keys} retransmitted={again} {crossed}", reasons.join(" "))
            }
            _ => {
                // What was dropped on its way out had been received.
                let inward = |(reason, _): &(&Drop, u64)| !reason.is_outward();
                let dropped: u64 = Drop::ALL.iter().zip(stats.dropped).filter(inward).map(|(_, count)| count).sum();
                format!("{} {} {dropped}", stats.received, stats.sent)
            }
        }
    }
}

/// Runs until standard input ends. Answers each line with one: `open MEETING NAME PUBLISHES [WATCHED,…] OFFER` with
/// the answer, `record MEETING 0|1`, `recorded` with frames that were not kept and bytes that were, `stats` with the counts of received packets, sent ones and those dropped on their way in, `why` with the
/// reasons of drops.
pub fn serve() {
    // With a number of sessions as the last word there are two workers, and that many go to one.
    let spread = std::env::args().filter(|word| word != "--bench").nth(4).and_then(|word| word.parse().ok());
    match spread {
        None => machine::pin_to_argument(1),
        Some(_) => machine::use_arguments(1..3),
    }
    let limits = MediaLimits::default();
    let config = MediaConfig {
        listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
        workers: if spread.is_some() { 2 } else { 1 },
        limits: MediaLimits { sessions_per_worker: spread.unwrap_or(usize::MAX), ..limits },
        advertise: vec![Ipv4Addr::LOCALHOST.into()],
        loopback: true,
        ..MediaConfig::default()
    };
    let media = Media::start(&config).expect("a port is free");
    let random = StdRng::seed_from_u64(1);
    let mut meetings = Meetings { media, all: HashMap::new(), people: Vec::new(), recorder: None, random };
    for line in std::io::stdin().lock().lines() {
        for (_, reports) in meetings.all.values_mut() {
            while reports.try_recv().is_ok() {}
        }
        println!("{}", meetings.answer(&line.expect("lines")));
        std::io::stdout().flush().expect("the other side reads");
    }
    meetings.media.stop();
}
