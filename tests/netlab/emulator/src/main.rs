//! The emulator between two TUN devices: `netlab-emulator SERVER_SIDE BROWSER_SIDE SEED`. Makes both devices, says
//! `{"ready":true}`, takes control lines (see [`Control`]) until its input ends, and tells its counters every 100 ms
//! and, with more words, whatever was wrong with a line. Knows no namespace and no browser.

use netlab_emulator::meddling::{Meddling, Rule, Way};
use netlab_emulator::path::{Counters, Path};
use netlab_emulator::settings::Settings;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};
use tun_rs::{DeviceBuilder, SyncDevice};

/// How often counters are told.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// Longer than any packet of these devices.
const MTU: u16 = 1500;

/// A line of the input: what is in it changes, the rest stays.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Control {
    down: Option<Settings>,
    up: Option<Settings>,
    rules: Option<Vec<Rule>>,
    rebind: bool,
    /// Whether UDP passes.
    udp: Option<bool>,
}

/// A line of the output.
#[derive(Debug, Serialize)]
struct Told {
    /// Milliseconds since the start.
    at: u64,
    down: Side,
    up: Side,
    /// Datagrams that rules met.
    met: u64,
}

#[derive(Debug, Serialize)]
struct Side {
    queue_ms: f64,
    #[serde(flatten)]
    counters: Counters,
}

enum Message {
    Packet(Way, Vec<u8>),
    Line(String),
    End,
}

#[expect(clippy::disallowed_methods, reason = "the shell around the core, which is told the time")]
fn clock() -> Instant {
    Instant::now()
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server_side, browser_side, seed] = arguments.as_slice() else {
        return Err(io::Error::other("use: netlab-emulator SERVER_SIDE BROWSER_SIDE SEED"));
    };
    let seed: u64 = seed.parse().map_err(io::Error::other)?;
    let make = |name: &String| DeviceBuilder::new().name(name).mtu(MTU).build_sync().map(Arc::new);
    let (server_side, browser_side) = (make(server_side)?, make(browser_side)?);
    let (sender, receiver) = channel();
    listen(&server_side, Way::Down, &sender);
    listen(&browser_side, Way::Up, &sender);
    thread::spawn(move || {
        let lines = io::stdin().lock().lines().map_while(Result::ok).map(Message::Line);
        for message in lines.chain([Message::End]) {
            let _ = sender.send(message);
        }
    });
    say("{\"ready\":true}")?;
    emulate(&server_side, &browser_side, seed, &receiver)
}

fn listen(device: &Arc<SyncDevice>, way: Way, sender: &Sender<Message>) {
    let (device, sender) = (Arc::clone(device), sender.clone());
    thread::spawn(move || {
        let mut buffer = [0; MTU as usize + 100];
        // A device that moves to another namespace says so by an error while it is down.
        loop {
            match device.recv(&mut buffer) {
                Ok(len) if sender.send(Message::Packet(way, buffer[..len].to_vec())).is_err() => return,
                Ok(_) => {}
                Err(_) => thread::sleep(Duration::from_millis(5)),
            }
        }
    });
}

fn emulate(
    server_side: &SyncDevice,
    browser_side: &SyncDevice,
    seed: u64,
    messages: &Receiver<Message>,
) -> io::Result<()> {
    let start = clock();
    let now = || clock().saturating_duration_since(start);
    let (mut down, mut up, mut meddling) = (Path::new(seed), Path::new(seed ^ 1), Meddling::default());
    let mut tell_at = TELL_EVERY;
    loop {
        let next = [down.poll_timeout(), up.poll_timeout()].into_iter().flatten().fold(tell_at, Duration::min);
        match messages.recv_timeout(next.saturating_sub(now())) {
            Ok(Message::Packet(way, mut packet)) => {
                let now = now();
                if meddling.handle_packet(now, way, &mut packet) {
                    let path = if way == Way::Down { &mut down } else { &mut up };
                    path.handle_packet(now, packet);
                }
            }
            Ok(Message::Line(line)) => match serde_json::from_str::<Control>(&line) {
                Ok(control) => {
                    let now = now();
                    control.down.into_iter().for_each(|settings| down.set(now, settings));
                    control.up.into_iter().for_each(|settings| up.set(now, settings));
                    control.rules.into_iter().for_each(|rules| meddling.set_rules(rules));
                    control.udp.into_iter().for_each(|pass| meddling.let_udp(pass));
                    if control.rebind {
                        meddling.rebind();
                    }
                }
                Err(error) => say(&serde_json::json!({ "error": format!("{error}: {line}") }).to_string())?,
            },
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        let now = now();
        for (path, device) in [(&mut down, browser_side), (&mut up, server_side)] {
            path.handle_timeout(now);
            while let Some(packet) = path.poll_output(now) {
                // A device that is down takes nothing, as a cable that is not plugged in.
                let _ = device.send(&packet);
            }
        }
        if now >= tell_at {
            tell_at = now + TELL_EVERY;
            let side = |path: &Path| Side {
                queue_ms: path.queue_delay(now).as_secs_f64() * 1000.0,
                counters: path.counters(),
            };
            let told = Told { at: now.as_millis() as u64, down: side(&down), up: side(&up), met: meddling.met };
            say(&serde_json::to_string(&told).map_err(io::Error::other)?)?;
        }
    }
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}
