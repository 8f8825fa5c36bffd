//! Media over TCP (RFC 6544) through the listener of the HTTP port, media threads and real sockets.

use crate::bots::bot::Bot;
use crate::bots::sending;
use crate::sockets::admit;
use signaling::ids::{ParticipantId, Source, TrackId};
use signaling::protocol::Wish;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};
use symposia::clock;
use symposia::config::Limits;
use symposia::http::listener::{self, Bounds, Listener};
use symposia::net::tcp;
use symposia::session::SessionId;
use symposia::worker::routers::Routers;
use symposia::worker::{Media, MediaConfig};
use tokio::runtime::Runtime;

/// Longer than any of these takes, and the longest that a failing test hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A listener and the media threads behind it, on one port number.
struct Server {
    media: Media,
    address: SocketAddr,
    routers: Routers,
    _reports: tokio::sync::mpsc::Receiver<symposia::worker::api::Event>,
    _listener: Listener,
    _runtime: Runtime,
}

impl Server {
    fn start(workers: usize) -> Self {
        let runtime = Runtime::new().expect("threads");
        let _inside = runtime.enter();
        let port = listener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a port is free");
        let address = port.address();
        let config = MediaConfig {
            listen: Some(address),
            tcp: Some(address),
            workers,
            loopback: true,
            ..MediaConfig::default()
        };
        let media = Media::start(&config).expect("the same port is free for UDP");
        let bounds = Bounds { request: Duration::from_secs(1), ..Bounds::new(&Limits::default(), &[]) };
        let listener = port.listen(None, bounds, Some(media.clone()));
        let (routers, reports) = Routers::open(media.clone(), 256);
        Self { media, address, routers, _reports: reports, _listener: listener, _runtime: runtime }
    }

    fn dropped(&self, reason: symposia::net::counters::Drop) -> u64 {
        self.media.stats().dropped[reason as usize]
    }
}

/// A Bot's ways to the server.
struct Client {
    bot: Bot,
    session: SessionId,
    udp: UdpSocket,
    tcp: Option<Stream>,
    /// By which way it sends.
    by_tcp: bool,
    /// Media that came by UDP and by TCP.
    came: [usize; 2],
}

/// A framed stream.
struct Stream {
    stream: TcpStream,
    begun: Vec<u8>,
    /// The server closed it.
    ended: bool,
}

impl Stream {
    fn connect(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).expect("the listener is there");
        stream.set_nonblocking(true).expect("it can be set");
        stream.set_nodelay(true).expect("it can be set");
        Self { stream, begun: Vec::new(), ended: false }
    }

    fn send(&mut self, data: &[u8]) {
        let framed = [&(data.len() as u16).to_be_bytes()[..], data].concat();
        // Loopback has room for what Bots send; an end is told by the next read.
        let _ = self.stream.write(&framed);
    }

    fn poll(&mut self) -> Vec<Vec<u8>> {
        let mut buffer = [0; 1 << 16];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => self.ended = true,
                Ok(read) => {
                    self.begun.extend_from_slice(&buffer[..read]);
                    continue;
                }
                Err(error) => self.ended |= error.kind() != ErrorKind::WouldBlock,
            }
            break;
        }
        let (mut at, mut found) = (0, Vec::new());
        while let Some(range) = tcp::next(&self.begun, at).expect("the server keeps to the framing") {
            at = range.end;
            found.push(self.begun[range].to_vec());
        }
        self.begun.drain(..at);
        found
    }
}

impl Client {
    fn new(server: &mut Server, name: u32, by_tcp: bool) -> Self {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        udp.set_nonblocking(true).expect("it can be set");
        let tcp = by_tcp.then(|| Stream::connect(server.address));
        let (bot, session) = admit(&server.media, &mut server.routers, name, udp.local_addr().expect("it is bound"));
        Self { bot, session, udp, tcp, by_tcp, came: [0; 2] }
    }

    /// Goes on by the other way, with a check that nominates it.
    fn turn(&mut self, by_tcp: bool) {
        self.by_tcp = by_tcp;
        self.bot.move_to(clock::now(), self.bot.address);
    }

    fn drive(&mut self, server: SocketAddr) {
        let mut buffer = [0; 2048];
        let mut came: Vec<(bool, Vec<u8>)> = Vec::new();
        while let Ok((len, _)) = self.udp.recv_from(&mut buffer) {
            came.push((false, buffer[..len].to_vec()));
        }
        let framed = self.tcp.as_mut().map(Stream::poll).unwrap_or_default();
        came.extend(framed.into_iter().map(|data| (true, data)));
        for (by_tcp, data) in came {
            self.came[usize::from(by_tcp)] += usize::from(crate::bots::world::is_media(&data));
            self.bot.handle_datagram(clock::now(), server, &data);
        }
        let now = clock::now();
        if self.bot.poll_timeout().is_some_and(|at| at <= now) {
            self.bot.handle_timeout(now);
        }
        while let Some(transmit) = self.bot.poll_transmit() {
            match (&mut self.tcp, self.by_tcp) {
                (Some(tcp), true) => tcp.send(&transmit.data),
                (None, true) => {}
                _ => drop(self.udp.send_to(&transmit.data, server)),
            }
        }
    }
}

fn until(server: &Server, clients: &mut [Client], what: &str, mut done: impl FnMut(&mut [Client]) -> bool) {
    let end = clock::now() + PATIENCE;
    while !done(clients) {
        assert!(clock::now() < end, "{what}");
        clients.iter_mut().for_each(|client| client.drive(server.address));
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn run(server: &Server, clients: &mut [Client], time: Duration) {
    let end: Instant = clock::now() + time;
    until(server, clients, "time passes", |_| clock::now() >= end);
}

/// All see and hear each other.
fn meet(server: &Server, clients: &mut [Client]) {
    until(server, clients, "all are connected", |clients| clients.iter().all(|client| client.bot.connected()));
    let names: Vec<u32> = clients.iter().map(|client| client.bot.name).collect();
    for client in clients.iter_mut() {
        let others = names.iter().filter(|name| **name != client.bot.name);
        let track = |name: &u32| TrackId { participant: ParticipantId(*name), source: Source::Camera };
        server.routers.watch(client.session, others.map(|name| Wish { track: track(name), height: 180 }).collect());
        let now = clock::now();
        client.bot.start_video(now, Source::Camera, &sending::SIMULCAST, 15);
        client.bot.start_sound(now, Source::Microphone, 20);
    }
    until(server, clients, "all see and hear each other", |clients| {
        clients.iter().all(|client| {
            let others = names.iter().filter(|name| **name != client.bot.name);
            let bot = &client.bot;
            others
                .clone()
                .all(|name| bot.count(*name, Source::Camera) > 40 && bot.count(*name, Source::Microphone) > 50)
        })
    });
}

// acceptance: N6
#[test]
fn people_without_udp_meet_others_through_the_http_port() {
    let mut server = Server::start(2);
    let mut clients = [(1, true), (2, false), (3, true)].map(|(name, by_tcp)| Client::new(&mut server, name, by_tcp));
    meet(&server, &mut clients);
    for client in &clients {
        assert_eq!(client.bot.problems(), [""; 0]);
        let [udp, tcp] = client.came;
        assert!(if client.by_tcp { udp == 0 && tcp > 100 } else { tcp == 0 && udp > 100 }, "{udp} {tcp}");
        let mapped = client.bot.agent.as_ref().and_then(|agent| agent.mapped).expect("checks were answered");
        let own = client.tcp.as_ref().map_or(client.udp.local_addr(), |tcp| tcp.stream.local_addr());
        assert_eq!(mapped, own.expect("it is bound"), "the peer is told its own address");
    }
    // Once the session is over the connection is closed.
    server.routers.close_session(clients[0].session, true);
    until(&server, &mut clients[..1], "the connection is closed", |clients| {
        clients[0].tcp.as_ref().is_some_and(|tcp| tcp.ended)
    });
    server.media.stop();
}

// acceptance: N6
#[test]
fn the_last_nomination_chooses_between_tcp_and_udp_and_a_closed_connection_is_left_at_once() {
    let mut server = Server::start(1);
    let mut clients = [(1, false), (2, true)].map(|(name, by_tcp)| Client::new(&mut server, name, by_tcp));
    meet(&server, &mut clients);
    let comes_by = |clients: &mut [Client], way: usize| {
        let before = clients[1].came;
        until(&server, clients, "media goes on", |clients| clients[1].came[way] > before[way] + 20);
        // What was under way came; now all comes that way.
        let before = clients[1].came;
        run(&server, clients, Duration::from_millis(300));
        let after = clients[1].came;
        assert!(after[way] > before[way] && after[1 - way] == before[1 - way], "{way}: {before:?} {after:?}");
    };
    comes_by(&mut clients, 1);
    clients[1].turn(false);
    comes_by(&mut clients, 0);
    clients[1].turn(true);
    comes_by(&mut clients, 1);
    // The connection ends; UDP was checked lately, so it is the way, without another check.
    clients[1].bot.agent.as_mut().expect("it has one").next_check = None;
    clients[1].tcp = None;
    clients[1].by_tcp = false;
    let closed = clock::now();
    comes_by(&mut clients, 0);
    assert!(clock::now() - closed < Duration::from_secs(5), "it did not wait for consent to end");
    // And another connection takes its place.
    clients[1].tcp = Some(Stream::connect(server.address));
    clients[1].turn(true);
    comes_by(&mut clients, 1);
    assert_eq!(clients[0].bot.problems(), [""; 0]);
    server.media.stop();
}

// acceptance: SEC7
#[test]
fn strangers_on_connections_are_closed_in_time_and_harm_nobody() {
    let mut server = Server::start(1);
    let mut clients = [(1, true), (2, false)].map(|(name, by_tcp)| Client::new(&mut server, name, by_tcp));
    meet(&server, &mut clients);
    let credentials = server.media.credentials(clients[0].session);
    let real =
        clients[0].bot.agent.as_ref().expect("it has one").request(symposia::net::stun::TransactionId([9; 12]), true);
    let named = |ufrag: &str| {
        let request = symposia::net::stun::BindingRequest {
            transaction: symposia::net::stun::TransactionId([8; 12]),
            receiver: ufrag,
            sender: "nobody",
            priority: 1,
            tie_breaker: 1,
            use_candidate: true,
        };
        let mut out = vec![0; 256];
        let key = symposia::net::stun::IntegrityKey::new("no-password-of-anybody-at-all");
        let len = request.write(&mut out, &key).expect("there is room");
        [&(len as u16).to_be_bytes()[..], &out[..len]].concat()
    };
    let of_live_session = String::from_utf8_lossy(&real).into_owned();
    assert!(of_live_session.contains(':'), "a check has names");
    let half = [&(real.len() as u16).to_be_bytes()[..], &real[..20]].concat();
    // What it sends, and after how long at most the server has closed it.
    let (soon, later) = (Duration::from_millis(2_500), tcp::PROVE_WITHIN + Duration::from_millis(3_500));
    let cases: [(&str, Vec<u8>, Duration); 7] = [
        ("half a check and nothing more", half, soon),
        ("a length longer than any check", vec![0x05, 0xff, 0, 1], soon),
        ("an empty datagram", vec![0, 0], soon),
        ("a datagram that is no check", [&[0, 30][..], &[0x80; 30]].concat(), soon),
        ("a check for a worker that is not there", named("fe012345678901234567"), soon),
        ("a check for no session", named(&credentials.ufrag), later),
        ("nothing", Vec::new(), soon),
    ];
    let mut strangers: Vec<_> = cases
        .into_iter()
        .map(|(what, bytes, within)| {
            let mut stream = Stream::connect(server.address);
            let _ = stream.stream.write_all(&bytes);
            (what, stream, clock::now() + within)
        })
        .collect();
    let sounds = clients[1].bot.count(1, Source::Microphone);
    let started = clock::now();
    let mut answered = 0;
    until(&server, &mut clients, "all strangers are closed", |_| {
        for (what, stream, end) in strangers.iter_mut().filter(|(_, stream, _)| !stream.ended) {
            answered += stream.poll().len();
            assert!(stream.ended || clock::now() < *end, "{what}: it is still open");
        }
        strangers.iter().all(|(_, stream, _)| stream.ended)
    });
    assert_eq!(answered, 0, "strangers were answered");
    let heard = clients[1].bot.count(1, Source::Microphone) - sounds;
    let expected = clock::now().duration_since(started).as_millis() as usize / 20;
    assert!(heard * 10 >= expected * 9, "{heard} of {expected} sounds");
    assert_eq!(clients[1].bot.problems(), [""; 0]);
    assert_eq!(server.dropped(symposia::net::counters::Drop::TcpFull), 0);
    server.media.stop();
}

/// Two datagrams in one segment, halves of them, and a length that no peer has: after the last the session is closed to
/// this connection, but not over.
#[test]
fn a_participant_that_breaks_the_framing_loses_the_connection_only() {
    let mut server = Server::start(1);
    let mut clients = [(1, true), (2, false)].map(|(name, by_tcp)| Client::new(&mut server, name, by_tcp));
    meet(&server, &mut clients);
    clients[0].tcp.as_mut().expect("it has one").stream.write_all(&[0xff; 4]).expect("it is open");
    until(&server, &mut clients, "the connection is closed", |clients| {
        clients[0].tcp.as_ref().is_some_and(|tcp| tcp.ended)
    });
    clients[0].tcp = Some(Stream::connect(server.address));
    clients[0].turn(true);
    let before = clients[1].bot.count(1, Source::Microphone);
    until(&server, &mut clients, "he is heard again", |clients| {
        clients[1].bot.count(1, Source::Microphone) > before + 20
    });
    assert_eq!(clients[1].bot.problems(), [""; 0]);
    server.media.stop();
}
