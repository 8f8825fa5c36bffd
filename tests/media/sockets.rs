//! The same through the kernel: threads, sockets with one port between them, datagrams that reach the wrong one.

use crate::bots::bot::{Bot, BotShape};
use crate::bots::{bot_identity, sending};
use rand::SeedableRng;
use rand::rngs::StdRng;
use signaling::ids::{ParticipantId, Source, TrackId};
use signaling::protocol::Wish;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};
use symposia::clock;
use symposia::session::sdp::{self, Local, Offer};
use symposia::worker::api::{Command, OpenSession};
use symposia::worker::{Media, MediaConfig};
use tokio::sync::mpsc;

/// Participants 1 and 2 meet, 3 and 4, and so on.
const fn partner(name: u32) -> u32 {
    ((name - 1) ^ 1) + 1
}

struct Client {
    bot: Bot,
    socket: UdpSocket,
    session: symposia::session::SessionId,
}

fn open(media: &Media, router: symposia::worker::api::RouterId, name: u32) -> Client {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    socket.set_nonblocking(true).expect("it can be set");
    let address = socket.local_addr().expect("it is bound");
    let shape = BotShape::default();
    let mut bot = Bot::new(name, address, shape.clone(), bot_identity(), u64::from(name));
    let session = media.new_session(router);
    let local = Local {
        credentials: media.credentials(session),
        fingerprint: media.fingerprint(),
        candidates: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, media.candidates()[0].port()))],
        tcp_candidates: Vec::new(),
        cname: "symposia".into(),
    };
    let offer = Offer::parse(&bot.offer()).expect("a Bot's offer can be read");
    let mut random = StdRng::seed_from_u64(u64::from(name));
    let answer = sdp::answer(&offer, &local, &crate::bots::world::policy(), &mut random).expect("and answered");
    media.send(Command::OpenSession(Box::new(OpenSession {
        session,
        router,
        participant: ParticipantId(name),
        plan: answer.plan,
        sends: bot.sends(),
        open_gates: shape.sources,
    })));
    bot.handle_answer(clock::now(), &answer.sdp);
    Client { bot, socket, session }
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

#[test]
fn meetings_on_two_workers_share_one_port_and_every_datagram_finds_its_session() {
    let config = MediaConfig {
        listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
        workers: 2,
        advertise: vec![Ipv4Addr::LOCALHOST.into()],
        trace: None,
        loopback: true,
        ..MediaConfig::default()
    };
    let media = Media::start(&config).expect("a port is free");
    let mut receivers = Vec::new();
    let mut clients = Vec::new();
    // Six meetings of two on two workers: whichever socket the kernel chooses, some datagrams reach the wrong one.
    for meeting in 0..6 {
        let router = media.new_router();
        let (events, receiver) = mpsc::channel(256);
        media.send(Command::OpenRouter { router, events });
        receivers.push(receiver);
        for person in 0..2 {
            clients.push(open(&media, router, meeting * 2 + person + 1));
        }
    }
    let workers: Vec<_> = clients.iter().map(|client| client.session.worker()).collect();
    assert!(workers.contains(&0) && workers.contains(&1), "{workers:?}");
    let limit = clock::now() + Duration::from_secs(10);
    drive(&mut clients, limit, |clients| clients.iter().all(|client| client.bot.connected()));
    assert!(clients.iter().all(|client| client.bot.connected()), "not all are connected after 10 s");
    let now = clock::now();
    for client in &mut clients {
        let other = partner(client.bot.name);
        let track = TrackId { participant: ParticipantId(other), source: Source::Camera };
        media.send(Command::Watch { session: client.session, wishes: vec![Wish { track, height: 360 }] });
        client.bot.start_video(now, Source::Camera, &sending::SIMULCAST, 15);
        client.bot.start_sound(now, Source::Microphone, 20);
    }
    let limit = clock::now() + Duration::from_secs(10);
    drive(&mut clients, limit, |clients| {
        clients.iter().all(|client| {
            let other = partner(client.bot.name);
            client.bot.count(other, Source::Camera) > 40 && client.bot.count(other, Source::Microphone) > 50
        })
    });
    for client in &clients {
        let (name, other) = (client.bot.name, partner(client.bot.name));
        assert!(client.bot.count(other, Source::Camera) > 40, "bot {name} got too few pictures");
        assert!(client.bot.count(other, Source::Microphone) > 50, "bot {name} got too little sound");
        assert_eq!(client.bot.problems(), [""; 0], "bot {name}");
        let others: usize = (1..=12).filter(|n| *n != other).map(|n| client.bot.count(n, Source::Microphone)).sum();
        assert_eq!(others, 0, "bot {name} hears another meeting, or itself");
    }
    media.stop();
    std::thread::sleep(Duration::from_millis(20));
    drive(&mut clients, clock::now() + Duration::from_millis(100), |_| false);
    drop(receivers);
}
