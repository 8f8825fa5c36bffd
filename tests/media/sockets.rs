//! The same through the kernel: threads, sockets with one port between them, datagrams that reach the wrong one.

use crate::bots::bot::{Bot, BotShape};
use crate::bots::{bot_identity, sending};
use rand::SeedableRng;
use rand::rngs::StdRng;
use signaling::ids::{ParticipantId, Source, TrackId};
use signaling::protocol::Wish;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use symposia::clock;
use symposia::session::SessionId;
use symposia::session::limits::MediaLimits;
use symposia::session::sdp::{self, Local, Offer};
use symposia::worker::routers::{NewSession, Routers};
use symposia::worker::{Media, MediaConfig};

struct Client {
    bot: Bot,
    socket: UdpSocket,
    session: SessionId,
}

fn open(media: &Media, routers: &mut Routers, name: u32) -> Client {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    socket.set_nonblocking(true).expect("it can be set");
    let (bot, session) = admit(media, routers, name, socket.local_addr().expect("it is bound"));
    Client { bot, socket, session }
}

/// A Bot whose offer was answered.
pub fn admit(media: &Media, routers: &mut Routers, name: u32, address: SocketAddr) -> (Bot, SessionId) {
    let shape = BotShape::default();
    let mut bot = Bot::new(name, address, shape.clone(), bot_identity(), u64::from(name));
    let session = routers.new_session();
    let local = Local {
        credentials: media.credentials(session),
        fingerprint: media.fingerprint(),
        candidates: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, media.candidates()[0].port()))],
        tcp_candidates: media.tcp_candidates(),
        cname: "symposia".into(),
        restarts: 0,
    };
    let offer = Offer::parse(&bot.offer()).expect("a Bot's offer can be read");
    let mut random = StdRng::seed_from_u64(u64::from(name));
    let answer = sdp::answer(&offer, &local, &crate::bots::world::policy(), &mut random).expect("and answered");
    let participant = ParticipantId(name);
    let new = NewSession { participant, plan: answer.plan, sends: bot.sends(), open_gates: shape.sources };
    routers.open_session(session, new);
    bot.handle_answer(clock::now(), &answer.sdp);
    (bot, session)
}

fn drive(clients: &mut [Client], until: Instant, mut done: impl FnMut(&[Client]) -> bool) {
    let mut buffer = [0; 2048];
    while clock::now() < until {
        let mut idle = true;
        for client in clients.iter_mut() {
            loop {
                match client.socket.recv_from(&mut buffer) {
                    Ok((len, from)) => {
                        idle = false;
                        client.bot.handle_datagram(clock::now(), from, &buffer[..len]);
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => panic!("receiving failed: {error}"),
                }
            }
            let now = clock::now();
            if client.bot.poll_timeout().is_some_and(|at| at <= now) {
                client.bot.handle_timeout(now);
            }
            while let Some(transmit) = client.bot.poll_transmit() {
                client.socket.send_to(&transmit.data, transmit.to).expect("loopback takes it");
            }
        }
        if idle {
            if done(clients) {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// So many meetings of so many people: all see and hear all of theirs, and nobody else. How many packets one worker gave
/// another, and how many were accepted.
fn meet(meetings: u32, people: u32, sessions_per_worker: usize) -> (u64, u64) {
    let config = MediaConfig {
        listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
        workers: 2,
        advertise: vec![Ipv4Addr::LOCALHOST.into()],
        loopback: true,
        limits: MediaLimits { sessions_per_worker, ..MediaLimits::default() },
        ..MediaConfig::default()
    };
    let media = Media::start(&config).expect("a port is free");
    let before = media.stats();
    let mut all = Vec::new();
    let mut clients = Vec::new();
    for meeting in 0..meetings {
        let (mut routers, reports) = Routers::open(media.clone(), 256);
        clients.extend((0..people).map(|person| open(&media, &mut routers, meeting * people + person + 1)));
        all.push((routers, reports));
    }
    let workers: Vec<_> = clients.iter().map(|client| client.session.worker()).collect();
    assert!(workers.contains(&0) && workers.contains(&1), "{workers:?}");
    let limit = clock::now() + Duration::from_secs(10);
    drive(&mut clients, limit, |clients| clients.iter().all(|client| client.bot.connected()));
    assert!(clients.iter().all(|client| client.bot.connected()), "not all are connected after 10 s");
    let now = clock::now();
    let others = |name: u32| {
        let first = (name - 1) / people * people + 1;
        (first..first + people).filter(move |other| *other != name)
    };
    for client in &mut clients {
        let track = |name| TrackId { participant: ParticipantId(name), source: Source::Camera };
        let wishes = others(client.bot.name).map(|name| Wish { track: track(name), height: 180 }).collect();
        all[((client.bot.name - 1) / people) as usize].0.watch(client.session, wishes);
        client.bot.start_video(now, Source::Camera, &sending::SIMULCAST, 15);
        client.bot.start_sound(now, Source::Microphone, 20);
    }
    let enough = |client: &Client, other| {
        client.bot.count(other, Source::Camera) > 40 && client.bot.count(other, Source::Microphone) > 50
    };
    let limit = clock::now() + Duration::from_secs(20);
    drive(&mut clients, limit, |clients| {
        clients.iter().all(|client| others(client.bot.name).all(|other| enough(client, other)))
    });
    for client in &clients {
        let name = client.bot.name;
        for other in others(name) {
            assert!(client.bot.count(other, Source::Camera) > 40, "bot {name} got too few pictures of {other}");
            assert!(client.bot.count(other, Source::Microphone) > 50, "bot {name} got too little sound of {other}");
        }
        assert_eq!(client.bot.problems(), [""; 0], "bot {name}");
        let strangers = (1..=meetings * people).filter(|n| others(name).all(|other| other != *n));
        let heard: usize = strangers.map(|n| client.bot.count(n, Source::Microphone)).sum();
        assert_eq!(heard, 0, "bot {name} hears another meeting, or itself");
    }
    media.stop();
    std::thread::sleep(Duration::from_millis(20));
    drive(&mut clients, clock::now() + Duration::from_millis(100), |_| false);
    let after = media.stats();
    (after.tapped - before.tapped, after.received - before.received)
}

/// Counts are of the whole process, so that one test at a time may look at them.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn meetings_on_two_workers_share_one_port_and_every_datagram_finds_its_session() {
    let _alone = ALONE.lock();
    // Whichever socket the kernel chooses, some datagrams reach the wrong worker.
    let (tapped, received) = meet(6, 2, 150);
    assert!(tapped == 0 && received > 1000, "{tapped} of {received} crossed");
}

#[test]
fn one_meeting_over_two_workers_is_one_meeting() {
    let _alone = ALONE.lock();
    let (tapped, received) = meet(1, 4, 2);
    assert_eq!(tapped, received, "each packet crosses once, however many watch");
}
