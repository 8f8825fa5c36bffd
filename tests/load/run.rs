//! One measurement: a server process, a publisher and so many subscribers, and what came of it.

use super::Shape;
use super::bare::Limit;
use super::machine::{cpu_ns, resident_kib};
use super::server::{PUBLISHER, hex, unhex};
use crate::bots::bot::{Bot, BotShape, Transmit};
use crate::bots::bot_identity;
use crate::bots::sending::LayerShape;
use signaling::ids::Source;
use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use symposia::clock;
use symposia::net::udp::{ReceiveBatch, SendBatch, Socket, cores, pin_to_core};

/// Sockets that the Bots share; each has a receive buffer of its own.
const SOCKETS: usize = 8;

/// One in so many decrypts and checks each byte.
const CHECKS: usize = 50;

/// A frame: eight packets of 1,150 bytes, 30 times a second.
const FRAME: LayerShape = LayerShape { size: (1280, 720), frame_bytes: 9_200, packet_bytes: 1_150 };

/// Paced, a frame's packets leave one after another in this time.
const PACED_OVER: Duration = Duration::from_micros(11_700);

/// What a run showed.
#[derive(Debug)]
pub struct Row {
    shape: Shape,
    subscribers: usize,
    sent: u64,
    received: u64,
    cpu_ns: u64,
    seconds: f64,
    lost: i64,
    problems: usize,
    /// Pictures' packets by the length of the burst in which they came; of sound only the count.
    bursts: BTreeMap<usize, u64>,
    sounds: u64,
    idle_kib: u64,
    why: String,
    session_kib: f64,
}

struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Server {
    fn start() -> Self {
        let program = std::env::current_exe().expect("it is there");
        let mut child = Command::new(program)
            .arg("server")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it can be started");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, input, output }
    }

    fn ask(&mut self, line: &str) -> String {
        writeln!(self.input, "{line}").expect("the server reads");
        let mut answer = String::new();
        self.output.read_line(&mut answer).expect("the server answers");
        answer.trim().to_owned()
    }

    fn stats(&mut self) -> [u64; 4] {
        let answer = self.ask("stats");
        let mut numbers = answer.split(' ').map(|word| word.parse().expect("a number"));
        std::array::from_fn(|_| numbers.next().expect("four numbers"))
    }
}

struct Client {
    bot: Bot,
    checks: bool,
    /// Packets that came, where they are not looked into.
    packets: u64,
}

struct Load {
    sockets: Vec<Socket>,
    clients: Vec<Client>,
    batch: ReceiveBatch,
    outs: Vec<SendBatch>,
    paced: VecDeque<(Instant, Transmit)>,
    shape: Shape,
    bursts: BTreeMap<usize, u64>,
    sounds: u64,
}

fn address(index: usize, sockets: &[Socket]) -> SocketAddr {
    let port = sockets[index % SOCKETS].local_address().expect("it is bound").port();
    SocketAddr::from(([127, 3, (index >> 8) as u8, index as u8], port))
}

impl Load {
    fn place(&self, to: Option<IpAddr>) -> Option<usize> {
        let IpAddr::V4(ip) = to? else { return None };
        let [_, network, high, low] = ip.octets();
        let index = usize::from(high) << 8 | usize::from(low);
        (network == 3 && index < self.clients.len()).then_some(index)
    }

    fn receive(&mut self) -> bool {
        let mut any = false;
        let now = clock::now();
        for number in 0..SOCKETS {
            let mut batch = std::mem::take(&mut self.batch);
            self.sockets[number].receive_batch(&mut batch).expect("receiving works");
            for datagram in batch.iter_mut() {
                any = true;
                let Some(place) = self.place(datagram.to) else { continue };
                let client = &mut self.clients[place];
                let media = crate::bots::world::is_media(datagram.data);
                if media && datagram.position == 0 {
                    if datagram.data.len() > 400 {
                        *self.bursts.entry(datagram.burst).or_default() += datagram.burst as u64;
                    } else {
                        self.sounds += datagram.burst as u64;
                    }
                }
                if media && !client.checks && client.bot.connected() {
                    client.packets += 1;
                    client.bot.note_unopened(now, datagram.data);
                } else {
                    client.packets += u64::from(media);
                    client.bot.handle_datagram(now, datagram.from, datagram.data);
                }
            }
            self.batch = batch;
        }
        any
    }

    fn send(&mut self) {
        let now = clock::now();
        for (index, client) in self.clients.iter_mut().enumerate() {
            if client.bot.poll_timeout().is_some_and(|at| at <= now) {
                client.bot.handle_timeout(now);
            }
            let mut media = 0;
            while let Some(transmit) = client.bot.poll_transmit() {
                if self.shape == Shape::Paced
                    && crate::bots::world::is_media(&transmit.data)
                    && transmit.data.len() > 400
                {
                    self.paced.push_back((now + PACED_OVER * media / 8, transmit));
                    media += 1;
                } else {
                    push(&mut self.outs[index % SOCKETS], &mut self.sockets[index % SOCKETS], &transmit);
                }
            }
        }
        while let Some((_, transmit)) = self.paced.pop_front_if(|(at, _)| *at <= now) {
            push(&mut self.outs[0], &mut self.sockets[0], &transmit);
        }
        for (out, socket) in self.outs.iter_mut().zip(&mut self.sockets) {
            if !out.is_empty() {
                socket.send_batch(out);
            }
        }
    }

    fn go_on(&mut self, until: Instant, done: impl Fn(&[Client]) -> bool) {
        let mut looked = clock::now();
        while clock::now() < until {
            let busy = self.receive();
            let now = clock::now();
            // Looking at every Bot costs; a publisher's clock is kept to a millisecond all the same.
            if now.duration_since(looked) >= Duration::from_millis(1) || !busy {
                looked = now;
                self.send();
                if done(&self.clients) {
                    return;
                }
            }
            if !busy {
                std::thread::sleep(Duration::from_micros(200));
            }
        }
    }
}

fn push(out: &mut SendBatch, socket: &mut Socket, transmit: &Transmit) {
    if out.is_full() {
        socket.send_batch(out);
    }
    out.push(&transmit.data, transmit.to, Some(transmit.from.ip()));
}

/// Runs one measurement.
pub fn run(shape: Shape, subscribers: usize, time: Duration) -> Row {
    let cores = cores();
    if let Some(core) = cores.get(1) {
        pin_to_core(*core).expect("the load's core");
    }
    let mut server = Server::start();
    server.stats();
    std::thread::sleep(Duration::from_millis(200));
    let pid = server.child.id();
    let idle_kib = resident_kib(pid);
    let bind = || Socket::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), false).expect("a port is free");
    let sockets: Vec<_> = (0..SOCKETS).map(|_| bind()).collect();
    let mut load = Load {
        sockets,
        clients: Vec::new(),
        batch: ReceiveBatch::new(),
        outs: (0..SOCKETS).map(|_| SendBatch::new()).collect(),
        paced: VecDeque::new(),
        shape,
        bursts: BTreeMap::new(),
        sounds: 0,
    };
    for index in 0..=subscribers {
        let bot_shape = if index == 0 {
            BotShape { layers: 1, video_slots: 0, audio_slots: 0, ..BotShape::default() }
        } else {
            BotShape { sources: Vec::new(), layers: 1, video_slots: 1, audio_slots: 1, ..BotShape::default() }
        };
        let name = PUBLISHER + index as u32;
        let mut bot = Bot::new(name, address(index, &load.sockets), bot_shape, bot_identity(), u64::from(name));
        let answer = server.ask(&format!("open {name} {}", hex(&bot.offer())));
        bot.handle_answer(clock::now(), &unhex(&answer));
        load.clients.push(Client { bot, checks: index % CHECKS == 1, packets: 0 });
        if index % 25 == 0 || index == subscribers {
            let limit = clock::now() + Duration::from_secs(20);
            load.go_on(limit, |clients| clients.iter().all(|client| client.bot.connected()));
        }
    }
    let connected = load.clients.iter().filter(|client| client.bot.connected()).count();
    assert_eq!(connected, subscribers + 1, "not all are connected");
    let now = clock::now();
    load.clients[0].bot.start_sound(now, Source::Microphone, 20);
    load.clients[0].bot.start_video(now, Source::Camera, &[FRAME], 30);
    load.go_on(now + Duration::from_secs(2), |_| false);

    // The counts are published four times a second; both ends of the measurement wait for that.
    let packets = |load: &Load| load.clients.iter().skip(1).map(|client| client.packets).sum::<u64>();
    load.bursts.clear();
    load.sounds = 0;
    let (cpu, began, counts, came) = (cpu_ns(pid), clock::now(), server.stats(), packets(&load));
    load.go_on(began + time, |_| false);
    let (cpu, took) = (cpu_ns(pid) - cpu, clock::now().duration_since(began));
    let after = server.stats();
    let arrived = packets(&load) - came;
    // Until nothing is under way: then all that was sent must have come.
    load.clients[0].bot.sending = crate::bots::sending::Sending::default();
    load.go_on(clock::now() + Duration::from_millis(700), |_| false);
    let total = server.stats();
    let lost = total[1] as i64 - packets(&load) as i64;
    let why =
        format!("{} publisher={:?} server sent {}", server.ask("why"), load.clients[0].bot.heard, after[1] - counts[1]);
    let problems: usize = load.clients.iter().map(|client| client.bot.problems().len()).sum();
    let session_kib = resident_kib(pid).saturating_sub(idle_kib) as f64 / (subscribers + 1) as f64;
    drop(server.input);
    server.child.wait().expect("it ends");
    Row {
        shape,
        subscribers,
        sent: arrived,
        received: after[0] - counts[0],
        cpu_ns: cpu,
        seconds: took.as_secs_f64(),
        lost,
        problems,
        bursts: load.bursts,
        sounds: load.sounds,
        idle_kib,
        why,
        session_kib,
    }
}

impl Row {
    /// What the server and the publisher counted, where a run is not clean.
    pub fn complaint(&self) -> Option<String> {
        let clean = self.lost == 0 && self.problems == 0;
        (!clean).then(|| format!("{:?} {}: lost {}, {}", self.shape, self.subscribers, self.lost, self.why))
    }
}

/// The table for `docs/benchmarks.md`.
pub fn print(rows: &[Row], limit: &Limit) {
    println!(
        "\n| shape | subscribers | × bare limit | µs per forwarded packet | bare limit µs | packets/s in | packets/s out | core | lost | problems | KiB/session | idle MiB | bursts |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for row in rows {
        let pictures: f64 = row.bursts.iter().map(|(len, count)| limit.picture_ns(*len) * *count as f64).sum();
        let bare = pictures + row.sounds as f64 * limit.sound;
        let (bare, cost) = (bare / row.sent as f64 / 1000.0, row.cpu_ns as f64 / row.sent as f64 / 1000.0);
        let total: u64 = row.bursts.values().sum();
        let mut bursts: Vec<_> = row.bursts.iter().collect();
        bursts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let bursts: Vec<_> = bursts
            .iter()
            .take(4)
            .map(|(len, count)| format!("{len}: {:.0} %", **count as f64 * 100.0 / total as f64))
            .collect();
        println!(
            "| {:?} | {} | {:.2} | {cost:.2} | {bare:.2} | {:.0} | {:.0} | {:.0} % | {} | {} | {:.0} | {:.1} | {} |",
            row.shape,
            row.subscribers,
            cost / bare,
            row.received as f64 / row.seconds,
            row.sent as f64 / row.seconds,
            row.cpu_ns as f64 / row.seconds / 1e7,
            row.lost,
            row.problems,
            row.session_kib,
            row.idle_kib as f64 / 1024.0,
            bursts.join(", "),
        );
    }
}
