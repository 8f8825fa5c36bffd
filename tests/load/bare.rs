//! The bare limit: what sealing and sending the same bursts costs with nothing around them, in a process of its
//! own on the server's core, in the same run. Receiving and opening what comes in is measured apart.

use super::machine;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use symposia::clock;
use symposia::net::udp::{ReceiveBatch, SendBatch, Socket};
use symposia::session::srtp::{Inbound, MAX_OVERHEAD, MasterKeys, Outbound, Profile, StreamState};

const DESTINATIONS: usize = 100;

/// Destinations a batch, as in the server.
const SLICE: usize = 16;

const BURSTS: [usize; 6] = [1, 2, 4, 8, 16, 32];
const PICTURE: usize = 1_180;
const SOUND: usize = 120;

/// Packets that wait when receiving begins.
const ROUND: usize = 800;

/// Destinations that are served at the rhythm of P1.
const AT_RHYTHM: [usize; 4] = [100, 200, 400, 800];

/// Between two frames of eight packets, and between two sounds.
const FRAME_EVERY: Duration = Duration::from_nanos(33_333_333);
const SOUND_EVERY: Duration = Duration::from_millis(20);

/// Each burst length.
const MEASURED_FOR: Duration = Duration::from_millis(500);

/// The same beside a single row.
const MEASURED_BRIEFLY_FOR: Duration = Duration::from_millis(250);

/// The cipher of the limit; Bots must have agreed on it, too.
pub const CIPHER: Profile = Profile::AeadAes128Gcm;

/// What design §12 measured for pictures on this machine while it was quiet, in nanoseconds per packet.
const DESIGN: [(usize, f64); 5] = [(1, 2_780.0), (2, 1_640.0), (4, 984.0), (8, 644.0), (16, 466.0)];

/// A run whose limit is farther from the design's than this share does not count.
const MAX_APART: f64 = 0.4;

/// Nanoseconds per packet by burst length.
#[derive(Debug, Clone, Default)]
pub struct Curve(BTreeMap<usize, f64>);

impl Curve {
    /// For any burst length: between those measured, by a straight line over the cost of a send.
    pub fn at(&self, len: usize) -> f64 {
        let below = self.0.range(..=len).next_back();
        let above = self.0.range(len..).next();
        match (below, above) {
            (Some((a, x)), Some((b, y))) if a != b => {
                let (send_a, send_b) = (x * *a as f64, y * *b as f64);
                (send_a + (send_b - send_a) * (len - a) as f64 / (b - a) as f64) / len as f64
            }
            (Some((_, x)), _) => *x,
            (None, Some((_, y))) => *y,
            (None, None) => 0.0,
        }
    }

    fn mean(&self, other: &Curve) -> Curve {
        Curve(self.0.iter().map(|(len, ns)| (*len, (ns + other.at(*len)) / 2.0)).collect())
    }
}

/// What sealing and sending costs.
#[derive(Debug, Clone, Default)]
pub struct Limit {
    pub picture: Curve,
    pub sound: Curve,
    /// Receiving and opening pictures, by the burst length in which they come.
    pub receive: Curve,
    /// By destinations, not by burst length: the mean of pictures and sound where the core rests between frames
    /// as it does in P1, so that it wakes up and begins with cold caches.
    pub rhythm: Curve,
}

impl Limit {
    pub fn mean(&self, other: &Limit) -> Limit {
        Limit {
            picture: self.picture.mean(&other.picture),
            sound: self.sound.mean(&other.sound),
            receive: self.receive.mean(&other.receive),
            rhythm: self.rhythm.mean(&other.rhythm),
        }
    }

    /// Nanoseconds per packet to so many destinations at the rhythm of P1, where that was measured.
    pub fn at_rhythm(&self, destinations: usize) -> Option<f64> {
        self.rhythm.0.get(&destinations).copied()
    }

    /// The burst lengths among these for which the limit is too far from the design's.
    pub fn out_of_range(&self, lengths: impl Iterator<Item = usize>) -> Vec<usize> {
        let far = |len: &usize| {
            // The design measured some lengths; the others are judged by the nearest below.
            let (measured, design) =
                DESIGN.iter().rev().find(|(measured, _)| measured <= len).copied().unwrap_or(DESIGN[0]);
            (self.picture.at(measured) / design - 1.0).abs() > MAX_APART
        };
        let mut found: Vec<_> = lengths.filter(far).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn keys() -> MasterKeys {
    MasterKeys::new(CIPHER, &[7; 16], &[9; 12]).expect("the lengths are the profile's")
}

struct Sink {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
    address: SocketAddr,
}

/// A socket that takes all and looks at nothing, on the other core.
fn sink() -> Sink {
    let mut socket = Socket::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), false).expect("a port is free");
    let address = socket.local_address().expect("it is bound");
    let stop = Arc::new(AtomicBool::new(false));
    let told = stop.clone();
    let thread = std::thread::spawn(move || {
        machine::pin_to_argument(2);
        let mut batch = ReceiveBatch::new();
        while !told.load(Ordering::Relaxed) {
            let _ = socket.receive_batch(&mut batch);
            if batch.datagrams() == 0 {
                // It does not wait at the socket, as the Bots do not: the sender would pay for waking it.
                std::thread::sleep(Duration::from_micros(100));
            }
        }
    });
    Sink { stop, thread: Some(thread), address }
}

impl std::ops::Drop for Sink {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().map(std::thread::JoinHandle::join);
    }
}

/// Processor time of this thread. The kernel counts it up when the thread sleeps, so sleep before.
fn thread_ns() -> u64 {
    std::thread::sleep(Duration::from_millis(1));
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// What seals and sends.
struct Source {
    socket: Socket,
    outbound: Vec<(Outbound, u64)>,
    plain: Vec<u8>,
    batch: SendBatch,
    packets: u64,
    to: u16,
}

impl Source {
    fn new(destinations: usize, to: u16) -> Self {
        let mut plain = vec![0_u8; PICTURE];
        StdRng::seed_from_u64(1).fill_bytes(&mut plain);
        plain[0] = 0x80;
        Self {
            socket: Socket::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), false).expect("a port is free"),
            outbound: (0..destinations).map(|_| (Outbound::new(&keys()), 0)).collect(),
            plain,
            batch: SendBatch::new(),
            packets: 0,
            to,
        }
    }

    /// A burst to each destination.
    fn send(&mut self, len: usize, burst: usize) {
        for (destination, (keys, number)) in self.outbound.iter_mut().enumerate() {
            let to = SocketAddr::from(([127, 2, (destination >> 8) as u8, destination as u8], self.to));
            if destination % SLICE == 0 || !self.batch.has_room_for(burst) {
                self.socket.send_batch(&mut self.batch);
            }
            for _ in 0..burst {
                let Some(place) = self.batch.reserve(len + MAX_OVERHEAD) else { break };
                place[..len].copy_from_slice(&self.plain[..len]);
                *number += 1;
                place[2..4].copy_from_slice(&(*number as u16).to_be_bytes());
                place[4..8].copy_from_slice(&(self.packets as u32).to_be_bytes());
                let roc = (*number >> 16) as u32;
                let sealed = keys.seal_rtp(place, 12, len, roc).expect("there is room");
                self.batch.commit(sealed, to, None);
                self.packets += 1;
            }
        }
        self.socket.send_batch(&mut self.batch);
    }
}

/// Seals and sends bursts for a while; nanoseconds per packet.
fn send(len: usize, burst: usize, time: Duration, sink: &Sink) -> f64 {
    let mut source = Source::new(DESTINATIONS, sink.address.port());
    let mut rested = 0;
    let before = thread_ns();
    let until = clock::now() + time;
    while clock::now() < until {
        source.send(len, burst);
        // The other core takes what was sent; its queue must not fill.
        if source.packets - rested >= 1_600 {
            rested = source.packets;
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    (thread_ns() - before) as f64 / source.packets as f64
}

/// Receives and opens pictures that come in bursts, as many at a time as have come; nanoseconds per packet.
fn receive(burst: usize, time: Duration) -> f64 {
    let mut socket = Socket::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), false).expect("a port is free");
    let port = socket.local_address().expect("it is bound").port();
    let (turn, told) = std::sync::mpsc::sync_channel(0);
    let sender = std::thread::spawn(move || {
        machine::pin_to_argument(2);
        let mut source = Source::new(1, port);
        while told.recv().is_ok() {
            (0..ROUND / burst).for_each(|_| source.send(PICTURE, burst));
        }
    });
    let (keys, mut stream) = (Inbound::new(&keys()), StreamState::default());
    let (mut batch, mut opened, mut spent) = (ReceiveBatch::new(), 0_u64, 0);
    let until = clock::now() + time;
    while clock::now() < until && turn.send(()).is_ok() {
        // All of the round comes in this time, which is not counted.
        std::thread::sleep(Duration::from_millis(3));
        let before = thread_ns();
        while socket.receive_batch(&mut batch).is_ok() && batch.datagrams() > 0 {
            for datagram in batch.iter_mut() {
                opened += u64::from(keys.open_rtp(&mut stream, datagram.data, 12).is_ok());
            }
        }
        spent += thread_ns() - before;
    }
    drop(turn);
    let _ = sender.join();
    spent as f64 / opened as f64
}

/// The same at the times of P1: frames and sounds to so many; nanoseconds per packet.
fn at_rhythm(destinations: usize, sink: &Sink) -> f64 {
    let mut source = Source::new(destinations, sink.address.port());
    let before = thread_ns();
    let start = clock::now();
    let (mut frame, mut sound) = (start, start);
    while frame < start + MEASURED_FOR * 2 {
        std::thread::sleep(frame.min(sound).saturating_duration_since(clock::now()));
        if sound <= frame {
            source.send(SOUND, 1);
            sound += SOUND_EVERY;
        } else {
            source.send(PICTURE, 8);
            frame += FRAME_EVERY;
        }
    }
    (thread_ns() - before) as f64 / source.packets as f64
}

/// Measures and prints, one figure a line; for [`run`] and [`beside`]. The words after the cores are burst lengths, of which
/// only pictures are measured, and single sounds; without any it is all.
pub fn measure() {
    machine::pin_to_argument(1);
    let sink = sink();
    let lengths: Vec<usize> = std::env::args().skip(4).filter_map(|word| word.parse().ok()).collect();
    if !lengths.is_empty() {
        for burst in lengths {
            println!("picture {burst} {}", send(PICTURE, burst, MEASURED_BRIEFLY_FOR, &sink));
            println!("receive {burst} {}", receive(burst, MEASURED_BRIEFLY_FOR));
        }
        println!("sound 1 {}", send(SOUND, 1, MEASURED_BRIEFLY_FOR, &sink));
        return;
    }
    for burst in BURSTS {
        println!("picture {burst} {}", send(PICTURE, burst, MEASURED_FOR, &sink));
        println!("sound {burst} {}", send(SOUND, burst, MEASURED_FOR, &sink));
        println!("receive {burst} {}", receive(burst, MEASURED_FOR));
    }
    for destinations in AT_RHYTHM {
        println!("rhythm {destinations} {}", at_rhythm(destinations, &sink));
    }
}

/// Measures in a process of its own.
pub fn run() -> Limit {
    read(machine::child("bare"))
}

/// The limit for single sounds and pictures in bursts of these lengths, for a row that is measured at the same time: what
/// else the host does changes from minute to minute.
pub fn beside(lengths: &[usize]) -> Limit {
    let mut command = machine::child("bare");
    command.args(lengths.iter().map(usize::to_string));
    read(command)
}

fn read(mut command: Command) -> Limit {
    let output = command.output().expect("it can be started");
    let mut limit = Limit::default();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let words: Vec<_> = line.split(' ').collect();
        let [kind, burst, ns] = words[..] else { continue };
        let (burst, ns) = (burst.parse().expect("a number"), ns.parse().expect("a number"));
        let curve = match kind {
            "picture" => &mut limit.picture,
            "receive" => &mut limit.receive,
            "sound" => &mut limit.sound,
            _ => &mut limit.rhythm,
        };
        curve.0.insert(burst, ns);
    }
    limit
}

/// The table of one or more measurements.
pub fn print(limits: &[&Limit]) {
    let lengths = BURSTS.map(|len| len.to_string());
    let headers: Vec<_> =
        ["bare limit, ns per packet by burst length"].into_iter().chain(lengths.iter().map(String::as_str)).collect();
    let row = |name: String, curve: &Curve| {
        std::iter::once(name).chain(BURSTS.map(|len| format!("{:.0}", curve.at(len)))).collect::<Vec<_>>()
    };
    let mut rows = Vec::new();
    for limit in limits {
        rows.push(row(format!("pictures of {PICTURE} B"), &limit.picture));
        rows.push(row(format!("sound of {SOUND} B"), &limit.sound));
        rows.push(row(format!("receiving pictures of {PICTURE} B"), &limit.receive));
    }
    let design = DESIGN.iter().map(|(len, ns)| (*len, *ns)).collect();
    rows.push(row("pictures, design §12".into(), &Curve(design)));
    super::report::table(&headers, &rows);
    let out = limits.last().map(|limit| limit.out_of_range(BURSTS.into_iter())).unwrap_or_default();
    if !out.is_empty() {
        println!("\nLimit out of range (±{:.0} % of design §12) for bursts of {out:?}.", MAX_APART * 100.0);
    }
}
