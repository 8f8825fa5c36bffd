//! The load generator: Bots on sockets that they share, driven by one thread on the second core. Knows no
//! meetings; what came is counted here.

use super::counts::{Bursts, Delays, is_picture};
use super::scenario::{PACED_OVER, Shape};
use super::stopwatch::{Departures, Stopwatch, time_of_day};
use crate::bots::bot::{Bot, Transmit};
use crate::bots::sending::source_number;
use crate::bots::world::is_media;
use signaling::ids::Source;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use symposia::clock;
use symposia::net::udp::{ReceiveBatch, SendBatch, Socket};

/// Sockets that the Bots share; each has a receive buffer of its own.
const SOCKETS: usize = 8;

/// How often the direct way is timed, at the next departure.
const DIRECT_INTERVAL: Duration = Duration::from_millis(4);

/// The longest sleep with nothing to do.
const SLEEP: Duration = Duration::from_micros(200);

/// A Bot with what is counted of it.
pub struct Client {
    pub bot: Bot,
    /// It decrypts and compares every byte.
    pub checks: bool,
    /// Media packets that came.
    pub packets: u64,
    /// When frames and sounds left, sounds first.
    departures: [Departures; 2],
    /// When it is next looked at.
    due: Option<Instant>,
}

/// All Bots.
pub struct Load {
    sockets: Vec<Socket>,
    pub clients: Vec<Client>,
    batch: Option<ReceiveBatch>,
    outs: Vec<SendBatch>,
    shape: Shape,
    rest: Duration,
    paced: BTreeMap<(Instant, u64), (usize, Transmit)>,
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    pub bursts: Bursts,
    /// Set while delays are measured.
    pub stopwatch: Option<Stopwatch>,
    /// How late it was with what was due.
    pub late: Delays,
    /// Media packets that left.
    pub sent: u64,
    timed_directly: Option<Instant>,
    busy: Duration,
    idle: Duration,
}

/// Whether a tag's source is a camera.
pub fn is_camera(source: u8) -> bool {
    source == source_number(Source::Camera)
}

impl Load {
    /// After each frame that left it does nothing for so long.
    pub fn new(shape: Shape, rest: Duration) -> Self {
        let bind = || Socket::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), false).expect("a port is free");
        // The last one takes what goes the direct way.
        let sockets = (0..=SOCKETS).map(|_| bind()).collect();
        Self {
            sockets,
            clients: Vec::new(),
            batch: Some(ReceiveBatch::new()),
            outs: (0..SOCKETS).map(|_| SendBatch::new()).collect(),
            shape,
            rest,
            paced: BTreeMap::new(),
            due: BinaryHeap::new(),
            bursts: Bursts::default(),
            stopwatch: None,
            late: Delays::default(),
            sent: 0,
            timed_directly: None,
            busy: Duration::ZERO,
            idle: Duration::ZERO,
        }
    }

    fn port(&self, socket: usize) -> u16 {
        self.sockets[socket].local_address().expect("it is bound").port()
    }

    /// Where the next Bot lives.
    pub fn next_address(&self) -> SocketAddr {
        let index = self.clients.len();
        SocketAddr::from(([127, 3, (index >> 8) as u8, index as u8], self.port(index % SOCKETS)))
    }

    /// Adds a Bot, which must have got its answer.
    pub fn add(&mut self, bot: Bot, checks: bool) {
        self.clients.push(Client { bot, checks, packets: 0, departures: Default::default(), due: None });
        self.schedule(self.clients.len() - 1);
    }

    /// Media packets that came to all.
    pub fn packets(&self) -> u64 {
        self.clients.iter().map(|client| client.packets).sum()
    }

    /// Begins to count anew.
    pub fn begin(&mut self) {
        self.bursts = Bursts::default();
        self.late.clear();
        self.stopwatch = self.stopwatch.take().map(|_| Stopwatch::default());
        (self.busy, self.idle) = (Duration::ZERO, Duration::ZERO);
    }

    /// The share of time in which the load generator had something to do, since [`Load::begin`].
    pub fn share(&self) -> f64 {
        self.busy.as_secs_f64() / (self.busy + self.idle).as_secs_f64()
    }

    /// To be called when something of a Bot's was changed from outside.
    pub fn schedule(&mut self, place: usize) {
        let client = &mut self.clients[place];
        let Some(at) = client.bot.poll_timeout() else { return };
        if client.due.is_none_or(|due| at < due) {
            client.due = Some(at);
            self.due.push(Reverse((at, place)));
        }
    }

    fn place(&self, to: Option<IpAddr>) -> Option<usize> {
        let IpAddr::V4(ip) = to? else { return None };
        let [_, network, high, low] = ip.octets();
        let index = usize::from(high) << 8 | usize::from(low);
        (network == 3 && index < self.clients.len()).then_some(index)
    }

    fn receive(&mut self, socket: usize) -> bool {
        let Some(mut batch) = self.batch.take() else { return false };
        self.sockets[socket].receive_batch(&mut batch).expect("receiving works");
        let (now, day) = (clock::now(), time_of_day());
        let mut any = false;
        for datagram in batch.iter_mut() {
            any = true;
            // The kernel's stamp: how long the datagram waited for this thread is no part of its way.
            let at = datagram.at.unwrap_or(day);
            if socket == SOCKETS {
                self.came_directly(datagram.data, datagram.position, at);
                continue;
            }
            let Some(place) = self.place(datagram.to) else { continue };
            let arrival = now.checked_sub(day.saturating_sub(at)).unwrap_or(now);
            self.came(place, arrival, at, datagram.from, datagram.data, datagram.burst);
            if datagram.position + 1 == datagram.burst {
                self.collect(place, now);
                self.schedule(place);
            }
        }
        self.batch = Some(batch);
        if any {
            self.flush();
        }
        any
    }

    fn came(&mut self, place: usize, arrival: Instant, at: Duration, from: SocketAddr, data: &mut [u8], burst: usize) {
        let client = &mut self.clients[place];
        if !is_media(data) {
            client.bot.handle_datagram(arrival, from, data);
            return;
        }
        client.packets += 1;
        self.bursts.note(data.len(), burst);
        if !client.checks && client.bot.connected() {
            client.bot.note_unopened(arrival, data);
            return;
        }
        client.bot.handle_datagram(arrival, from, data);
        let opened = client.bot.opened.take();
        if let Some((stopwatch, tag)) = self.stopwatch.as_mut().zip(opened)
            && let Some(sender) = self.clients.get((tag.bot as usize).wrapping_sub(1))
        {
            stopwatch.window(at).arrived(&tag, &sender.departures[usize::from(is_camera(tag.source))], at);
        }
    }

    fn came_directly(&mut self, data: &[u8], position: usize, at: Duration) {
        let (Some(stopwatch), Some(stamp)) = (&mut self.stopwatch, data.first_chunk::<8>()) else { return };
        if position > 0 {
            return;
        }
        let delay = at.saturating_sub(Duration::from_nanos(u64::from_be_bytes(*stamp)));
        let pair = &mut stopwatch.window(at).direct;
        if is_picture(data.len()) { pair.pictures.note(delay) } else { pair.sounds.note(delay) }
    }

    /// What a Bot has to send.
    fn collect(&mut self, place: usize, now: Instant) {
        let mut media = 0;
        while let Some(transmit) = self.clients[place].bot.poll_transmit() {
            let is_media = is_media(&transmit.data);
            self.sent += u64::from(is_media);
            if self.shape == Shape::Paced && is_media && is_picture(transmit.data.len()) {
                self.paced.insert((now + PACED_OVER * media / 8, self.sent), (place, transmit));
                media += 1;
            } else {
                self.push(place, &transmit);
            }
        }
    }

    fn push(&mut self, place: usize, transmit: &Transmit) {
        let (out, socket) = (&mut self.outs[place % SOCKETS], &mut self.sockets[place % SOCKETS]);
        if out.is_full() {
            socket.send_batch(out);
        }
        out.push(&transmit.data, transmit.to, Some(transmit.from.ip()));
    }

    fn flush(&mut self) {
        for (out, socket) in self.outs.iter_mut().zip(&mut self.sockets) {
            if !out.is_empty() {
                socket.send_batch(out);
            }
        }
    }

    /// Lets a Bot whose time has come do what is due.
    fn wake(&mut self, place: usize, now: Instant) {
        let client = &mut self.clients[place];
        let frames = |bot: &Bot| {
            let sounds = bot.sending.sounds.first().map_or(0, |sound| sound.frames());
            [sounds, bot.sending.videos.first().map_or(0, |video| video.frames())]
        };
        let before = frames(&client.bot);
        client.bot.handle_timeout(now);
        let after = frames(&client.bot);
        self.collect(place, now);
        if before == after {
            return;
        }
        if self.stopwatch.is_some() {
            let day = time_of_day();
            for (source, departures) in self.clients[place].departures.iter_mut().enumerate() {
                departures.note(before[source], after[source], day);
            }
        }
        // Each leaves alone, as it would from a machine of its own.
        self.flush();
        let due = self.timed_directly.is_none_or(|last| now.duration_since(last) >= DIRECT_INTERVAL);
        if self.stopwatch.is_some() && due {
            self.timed_directly = Some(now);
            self.send_directly(before[1] != after[1]);
        }
        if before[1] != after[1] {
            std::thread::sleep(self.rest);
        }
    }

    /// The same burst from here to here.
    fn send_directly(&mut self, picture: bool) {
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port(SOCKETS)));
        let mut bytes = [0; 1_180];
        let (len, burst) = if picture { (bytes.len(), 8) } else { (120, 1) };
        let nanos = u64::try_from(time_of_day().as_nanos()).unwrap_or(u64::MAX);
        bytes[..8].copy_from_slice(&nanos.to_be_bytes());
        for _ in 0..burst {
            self.outs[0].push(&bytes[..len], to, None);
        }
        self.flush();
    }

    fn send_due(&mut self) -> bool {
        let now = clock::now();
        let mut any = false;
        while let Some(entry) = self.paced.first_entry().filter(|entry| entry.key().0 <= now) {
            let (place, transmit) = entry.remove();
            self.push(place, &transmit);
            any = true;
        }
        while let Some(Reverse((at, place))) = self.due.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.due.pop();
            // An earlier time was set in the meantime, and that one counts.
            if self.clients[place].due != Some(at) {
                continue;
            }
            any = true;
            self.clients[place].due = None;
            if self.clients[place].bot.poll_timeout().is_some_and(|at| at <= now) {
                self.late.note(now.duration_since(at));
                self.wake(place, now);
            }
            self.schedule(place);
        }
        self.flush();
        any
    }

    /// Lets time pass until then, or until it is done.
    pub fn run_until(&mut self, until: Instant, done: impl Fn(&[Client]) -> bool) {
        let mut began = clock::now();
        let mut asked = began;
        while began < until {
            let mut busy = false;
            for socket in 0..self.sockets.len() {
                busy |= self.receive(socket);
                busy |= self.send_due();
            }
            let now = clock::now();
            if now.duration_since(asked) >= Duration::from_millis(1) {
                asked = now;
                if done(&self.clients) {
                    return;
                }
            }
            if busy {
                self.busy += now.duration_since(began);
                began = now;
            } else {
                let due = self.due.peek().map_or(SLEEP, |Reverse((at, _))| at.saturating_duration_since(now));
                std::thread::sleep(due.min(SLEEP));
                let now = clock::now();
                self.idle += now.duration_since(began);
                began = now;
            }
        }
    }
}
