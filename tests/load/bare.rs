//! The bare limit: what sealing and sending the same bursts costs with nothing around them, in a process of its
//! own on the server's core, in the same run. What comes in is not in it.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use symposia::clock;
use symposia::net::udp::{ReceiveBatch, SendBatch, Socket, cores, pin_to_core};
use symposia::session::srtp::{MAX_OVERHEAD, MasterKeys, Outbound, Profile};

const DESTINATIONS: usize = 100;

/// Destinations a batch, as in the server.
const SLICE: usize = 16;

const BURSTS: [usize; 6] = [1, 2, 4, 8, 16, 32];
const PICTURE: usize = 1_180;
const SOUND: usize = 120;

/// Nanoseconds per packet.
#[derive(Debug, Clone, Default)]
pub struct Limit {
    /// Pictures, by burst length.
    pub picture: BTreeMap<usize, f64>,
    /// Sound, alone.
    pub sound: f64,
}

impl Limit {
    pub fn mean(&self, other: &Limit) -> Limit {
        let picture = self.picture.iter().map(|(len, ns)| (*len, (ns + other.picture.get(len).unwrap_or(ns)) / 2.0));
        Limit { picture: picture.collect(), sound: (self.sound + other.sound) / 2.0 }
    }

    /// For any burst length: between those measured, by a straight line over the cost of a send.
    pub fn picture_ns(&self, len: usize) -> f64 {
        let below = self.picture.range(..=len).next_back();
        let above = self.picture.range(len..).next();
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
}

fn keys() -> MasterKeys {
    MasterKeys::new(Profile::AeadAes128Gcm, &[7; 16], &[9; 12]).expect("the lengths are the profile's")
}

struct Sink {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
    address: SocketAddr,
}

/// A socket that takes all and looks at nothing, on the other core.
fn sink(core: Option<usize>) -> Sink {
    let mut socket = Socket::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), false).expect("a port is free");
    let address = socket.local_address().expect("it is bound");
    let stop = Arc::new(AtomicBool::new(false));
    let told = stop.clone();
    let thread = std::thread::spawn(move || {
        core.map(pin_to_core).transpose().expect("its own core");
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

/// Seals and sends bursts for a while; nanoseconds per packet.
fn send(len: usize, burst: usize, sink: &Sink) -> f64 {
    let mut socket = Socket::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), false).expect("a port is free");
    let outbound: Vec<_> = (0..DESTINATIONS).map(|_| Outbound::new(&keys())).collect();
    let mut numbers = vec![0_u64; DESTINATIONS];
    let mut plain = vec![0_u8; len];
    StdRng::seed_from_u64(1).fill_bytes(&mut plain);
    plain[0] = 0x80;
    let mut batch = SendBatch::new();
    let (mut packets, mut rested) = (0_u64, 0);
    let before = thread_ns();
    let until = clock::now() + Duration::from_millis(700);
    while clock::now() < until {
        for (destination, keys) in outbound.iter().enumerate() {
            let to = SocketAddr::from(([127, 2, 0, destination as u8], sink.address.port()));
            if destination % SLICE == 0 || !batch.has_room_for(burst) {
                socket.send_batch(&mut batch);
            }
            for _ in 0..burst {
                let Some(place) = batch.reserve(len + MAX_OVERHEAD) else { break };
                place[..len].copy_from_slice(&plain);
                numbers[destination] += 1;
                place[2..4].copy_from_slice(&(numbers[destination] as u16).to_be_bytes());
                place[4..8].copy_from_slice(&(packets as u32).to_be_bytes());
                let roc = (numbers[destination] >> 16) as u32;
                let sealed = keys.seal_rtp(place, 12, len, roc).expect("there is room");
                batch.commit(sealed, to, None);
                packets += 1;
            }
        }
        socket.send_batch(&mut batch);
        // The other core takes what was sent; its queue must not fill.
        if packets - rested >= 1_600 {
            rested = packets;
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    (thread_ns() - before) as f64 / packets as f64
}

/// Measures and prints, one figure a line; for [`run`].
pub fn measure() {
    let cores = cores();
    if let Some(core) = cores.first() {
        pin_to_core(*core).expect("its own core");
    }
    let sink = sink(cores.get(1).copied());
    for burst in BURSTS {
        println!("picture {burst} {}", send(PICTURE, burst, &sink));
    }
    println!("sound 1 {}", send(SOUND, 1, &sink));
}

/// Measures in a process of its own.
pub fn run() -> Limit {
    let program = std::env::current_exe().expect("it is there");
    let output = Command::new(program).arg("bare").output().expect("it can be started");
    let mut limit = Limit::default();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let words: Vec<_> = line.split(' ').collect();
        let [kind, burst, ns] = words[..] else { continue };
        let ns: f64 = ns.parse().expect("a number");
        match kind {
            "picture" => {
                limit.picture.insert(burst.parse().expect("a number"), ns);
            }
            _ => limit.sound = ns,
        }
    }
    limit
}

pub fn print(limit: &Limit) {
    let pictures: Vec<_> = limit.picture.iter().map(|(len, ns)| format!("{len}: {ns:.0}")).collect();
    println!(
        "bare limit, ns per packet of {PICTURE} B by burst length: {}; sound: {:.0}",
        pictures.join(", "),
        limit.sound
    );
}

pub fn compare(before: &Limit, after: &Limit) {
    let apart = (after.picture_ns(8) / before.picture_ns(8) - 1.0) * 100.0;
    println!(
        "\nThe bare limit at the end of the run was {apart:+.0} % of that at its beginning; the table takes the mean."
    );
}
