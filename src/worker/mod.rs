//! The media threads: each drives one socket, its sessions and its routers. Knows no tokio, no HTTP, no rules of meetings.

pub mod api;
pub mod core;
mod handover;
pub mod metrics;
mod overload;
pub mod ring;
pub mod routers;
pub mod tap;
mod thread;
mod timers;
pub mod trace;

use crate::clock;
use crate::net::counters::Counters;
use crate::net::stun;
use crate::net::tcp::{Connections, NewConnection};
use crate::net::udp::{Socket, Waker, cores, interfaces};
use crate::session::dtls::{Identity, SetupError};
use crate::session::limits::MediaLimits;
use crate::session::plan::{Fingerprint, IceCredentials};
use crate::session::{SessionId, new_credentials, ufrag_worker};
use api::Command;
use core::{Core, CoreConfig};
use crossbeam_queue as queue;
use rand::SeedableRng;
use rand::rngs::StdRng;
use ring::Ring;
use signaling::ids::Source;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;
use tap::Tapped;
use thread::{Feedback, Neighbour, Thread};
use trace::Tracer;

/// Seconds between the eras of NTP (1900) and Unix (1970).
const NTP_UNIX_SECONDS: u64 = 2_208_988_800;

/// Workers at most: their index is two hexadecimal digits of a username fragment.
pub const MAX_WORKERS: usize = 256;

/// How the media plane is set up.
#[derive(Debug, Clone, Default)]
pub struct MediaConfig {
    /// The UDP address; the port is the HTTP port's, the address every interface's.
    pub listen: Option<SocketAddr>,
    /// Threads; 0 for one per core of the process's affinity mask.
    pub workers: usize,
    /// Where TCP connections are accepted for [`Media::take_connection`]; none: clients are told of UDP only.
    pub tcp: Option<SocketAddr>,
    /// Addresses that clients are told to send to; empty for those of the interfaces.
    pub advertise: Vec<IpAddr>,
    /// Where arrivals and what estimators are told are written, for finding faults.
    pub trace: Option<std::path::PathBuf>,
    /// What a peer may ask for.
    pub limits: MediaLimits,
    /// Also tell clients of the loopback addresses: for development and tests on one machine.
    pub loopback: bool,
}

/// Why there is no media plane.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The UDP port.
    #[error("UDP port {port} can't be opened: {error}. Another program may use it; choose another with --listen")]
    Bind {
        /// Which.
        port: u16,
        /// Why.
        error: std::io::Error,
    },
    /// DTLS.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The trace.
    #[error("the trace {} can't be written: {error}", file.display())]
    Trace {
        /// Which file.
        file: std::path::PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A thread or an eventfd.
    #[error("a media thread can't be started: {0}")]
    Thread(std::io::Error),
    /// No interface has an address, and none is configured.
    #[error("no network interface has an address; set [media] advertise")]
    NoAddress,
}

/// What all media threads of the process together count.
pub type MediaStats = Counters;

struct WorkerHandle {
    commands: Sender<Command>,
    waker: Option<Waker>,
    /// How many it has; the rest of what it counts is in [`metrics`].
    sessions: Arc<AtomicU64>,
    /// It has more to do than it can.
    over: Arc<AtomicBool>,
    /// What others give to it.
    taps: Arc<Ring<Tapped>>,
}

struct Shared {
    workers: Vec<WorkerHandle>,
    identity: Identity,
    candidates: Vec<SocketAddr>,
    tcp_candidates: Vec<SocketAddr>,
    limits: MediaLimits,
    next: AtomicU64,
    /// When the server's clock began.
    epoch: Instant,
    random: Mutex<StdRng>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// The control side's handle on the media plane; clones share it.
#[derive(Clone)]
pub struct Media(Arc<Shared>);

impl Media {
    /// Opens the sockets and starts the threads.
    ///
    /// # Errors
    /// What is missing, in a sentence for the operator.
    pub fn start(config: &MediaConfig) -> Result<Self, StartError> {
        let listen = config.listen.unwrap_or_else(|| SocketAddr::from(([0; 8], 0)));
        let cpus = cores();
        let count = if config.workers == 0 { cpus.len().max(1) } else { config.workers }.min(MAX_WORKERS);
        let sockets = Socket::bind_group(listen, count).and_then(|sockets| {
            let port = sockets.first().map_or(Ok(listen), Socket::local_address)?.port();
            Ok((sockets, port))
        });
        let (sockets, port) = sockets.map_err(|error| StartError::Bind { port: listen.port(), error })?;
        let provider = rtc_crypto::default_provider()
            .map_err(|error| StartError::Thread(std::io::Error::other(error.to_string())))?;
        let identity = Identity::generate(&provider)?;
        let (epoch, unix) = (clock::now(), clock::unix());
        let epoch_ntp_ns = (NTP_UNIX_SECONDS * 1000 + unix.0) * 1_000_000;
        let mut neighbours = Vec::new();
        let mut rings = Vec::new();
        for socket in &sockets {
            let ring = Arc::new(Ring::of_datagrams());
            neighbours.push(Neighbour { ring: ring.clone(), waker: socket.waker() });
            rings.push(ring);
        }
        let tracer = match &config.trace {
            Some(file) => {
                let tracer = Tracer::create(file, epoch);
                Some(tracer.map_err(|error| StartError::Trace { file: file.clone(), error })?)
            }
            None => None,
        };
        let mut workers = Vec::new();
        let mut threads = Vec::new();
        for (index, (socket, ring)) in sockets.into_iter().zip(rings).enumerate() {
            let (commands, receiver) = channel();
            let sessions = Arc::new(AtomicU64::new(0));
            let over = Arc::new(AtomicBool::new(false));
            // One alone has nobody to get anything from.
            let taps = Arc::new(Ring::new(if count > 1 { tap::PLACES } else { 1 }));
            let waker = neighbours[index].waker.clone();
            let core = Core::new(CoreConfig {
                index,
                identity: identity.clone(),
                epoch,
                epoch_ntp_ns,
                limits: config.limits,
                tracer: tracer.clone(),
                random: StdRng::from_rng(&mut rand::rng()),
            });
            let thread = Thread {
                core,
                socket,
                connections: Connections::new().map_err(StartError::Thread)?,
                commands: receiver,
                ring,
                taps: taps.clone(),
                neighbours: neighbours.clone(),
                sessions: sessions.clone(),
                over: over.clone(),
                tracer: tracer.clone(),
                published: Counters::default(),
                cpu: (count > 1 && count <= cpus.len()).then(|| cpus[index]),
                feedback: Feedback::new(epoch),
            };
            let handle = std::thread::Builder::new().name(format!("media-{index}")).spawn(move || thread.run());
            threads.push(handle.map_err(StartError::Thread)?);
            workers.push(WorkerHandle { commands, waker: Some(waker), sessions, over, taps });
        }
        let mut addresses = if config.advertise.is_empty() {
            interfaces(config.loopback).map_err(StartError::Thread)?
        } else {
            config.advertise.clone()
        };
        // Some encoders try the first address only: one that every client is likely to reach goes first.
        addresses.sort_by_key(|address| (address.is_loopback(), address.is_ipv6()));
        addresses.dedup();
        if addresses.is_empty() {
            return Err(StartError::NoAddress);
        }
        let tcp_candidates = config.tcp.map(|listener| reachable_by_tcp(&addresses, listener)).unwrap_or_default();
        let candidates = addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
        Ok(Self(Arc::new(Shared {
            workers,
            identity,
            candidates,
            tcp_candidates,
            limits: config.limits,
            next: AtomicU64::new(1),
            epoch,
            random: Mutex::new(StdRng::from_rng(&mut rand::rng())),
            threads: Mutex::new(threads),
        })))
    }

    /// A handle without threads, for tests of the control side: the commands of so many workers come out of the
    /// receivers.
    ///
    /// # Errors
    /// When DTLS can't be set up.
    pub fn detached(count: usize, limits: MediaLimits) -> Result<(Self, Vec<Receiver<Command>>), SetupError> {
        let provider = rtc_crypto::default_provider().map_err(|error| SetupError::from_display(&error))?;
        let worker = |_| {
            let (commands, receiver) = channel();
            let taps = Arc::new(Ring::new(tap::PLACES));
            (WorkerHandle { commands, waker: None, sessions: Arc::default(), over: Arc::default(), taps }, receiver)
        };
        let (workers, receivers) = (0..count).map(worker).unzip();
        let media = Self(Arc::new(Shared {
            workers,
            identity: Identity::generate(&provider)?,
            candidates: vec![SocketAddr::from(([127, 0, 0, 1], 9))],
            tcp_candidates: Vec::new(),
            limits,
            next: AtomicU64::new(1),
            epoch: clock::now(),
            random: Mutex::new(StdRng::from_rng(&mut rand::rng())),
            threads: Mutex::default(),
        }));
        Ok((media, receivers))
    }

    fn number(&self) -> u64 {
        self.0.next.fetch_add(1, Ordering::Relaxed) & ((1 << 56) - 1)
    }

    fn workers(&self) -> usize {
        self.0.workers.len()
    }

    /// How many sessions a worker had lately.
    fn sessions(&self, worker: usize) -> u64 {
        self.0.workers.get(worker).map_or(0, |worker| worker.sessions.load(Ordering::Relaxed))
    }

    /// Whether a worker has more to do than it can.
    fn is_overloaded(&self, worker: usize) -> bool {
        self.0.workers.get(worker).is_some_and(|worker| worker.over.load(Ordering::Relaxed))
    }

    fn sessions_per_worker(&self) -> usize {
        self.0.limits.sessions_per_worker
    }

    /// Where others put what a worker is to take.
    #[must_use]
    pub fn taps(&self, worker: usize) -> Option<Arc<Ring<Tapped>>> {
        self.0.workers.get(worker).map(|worker| worker.taps.clone())
    }

    /// New ICE credentials of ours for a session; the username fragment names the worker.
    #[must_use]
    pub fn credentials(&self, session: SessionId) -> IceCredentials {
        let mut random = self.0.random.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        new_credentials(session.worker(), &mut *random)
    }

    /// A time in nanoseconds of the server's clock, as packets of a tap bear it.
    #[must_use]
    pub fn server_ns(&self, now: Instant) -> i64 {
        i64::try_from(now.saturating_duration_since(self.0.epoch).as_nanos()).unwrap_or(i64::MAX)
    }

    /// Asks a publisher for a key frame of a layer, once per window however often it is asked.
    pub fn want_key_frame(&self, session: SessionId, source: Source, layer: u8) {
        self.send_to(session.worker(), Command::WantKeyFrame { session, source, layer });
    }

    /// Of the server's DTLS certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.0.identity.fingerprint()
    }

    /// Where clients reach the media plane by UDP.
    #[must_use]
    pub fn candidates(&self) -> Vec<SocketAddr> {
        self.0.candidates.clone()
    }

    /// Where clients reach it by TCP when they have no UDP.
    #[must_use]
    pub fn tcp_candidates(&self) -> Vec<SocketAddr> {
        self.0.tcp_candidates.clone()
    }

    /// Which worker's session the first datagram of a TCP connection names; `None` where it is no check for one of ours.
    #[must_use]
    pub fn worker_named_by(&self, datagram: &[u8]) -> Option<usize> {
        stun::ufrag_of(datagram).and_then(ufrag_worker).filter(|worker| *worker < self.workers())
    }

    /// Gives a TCP connection to a worker, which closes it where it belongs to no session.
    pub fn take_connection(&self, worker: usize, connection: NewConnection) {
        self.send_to(worker, Command::TakeConnection(Box::new(connection)));
    }

    fn send_to(&self, worker: usize, command: Command) {
        let Some(worker) = self.0.workers.get(worker) else { return };
        // A worker that is gone has ended all its sessions; whoever waits for an acknowledgement sees its end dropped.
        if worker.commands.send(command).is_ok()
            && let Some(waker) = &worker.waker
        {
            waker.wake();
        }
    }

    /// What all media threads of the process counted, as of the last quarter of a second.
    #[must_use]
    pub fn stats(&self) -> MediaStats {
        metrics::counted()
    }

    /// Ends all sessions and waits for the threads.
    pub fn stop(&self) {
        for worker in 0..self.0.workers.len() {
            self.send_to(worker, Command::Stop);
        }
        let threads = std::mem::take(&mut *self.0.threads.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a media thread panicked");
            }
        }
    }
}

/// Of the addresses that clients are told those where the listener is: of its own kind, and where it listens on one only, that
/// one, unless a NAT stands before it.
fn reachable_by_tcp(addresses: &[IpAddr], listener: SocketAddr) -> Vec<SocketAddr> {
    let own = listener.ip();
    let told = addresses.iter().copied().filter(|address| match own {
        _ if own.is_loopback() || addresses.contains(&own) => *address == own,
        IpAddr::V4(_) => address.is_ipv4(),
        IpAddr::V6(_) => own.is_unspecified() || address.is_ipv6(),
    });
    told.map(|address| SocketAddr::new(address, listener.port())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_told_where_the_listener_is() {
        let all: Vec<IpAddr> = ["192.0.2.7", "2001:db8::7", "127.0.0.1"].map(|text| text.parse().unwrap()).into();
        let told = |addresses: &[IpAddr], listener: &str| {
            let told = reachable_by_tcp(addresses, listener.parse().unwrap());
            told.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(told(&all, "[::]:80"), "192.0.2.7:80 [2001:db8::7]:80 127.0.0.1:80");
        assert_eq!(told(&all, "0.0.0.0:80"), "192.0.2.7:80 127.0.0.1:80");
        assert_eq!(told(&all, "192.0.2.7:80"), "192.0.2.7:80");
        assert_eq!(told(&all, "127.0.0.1:80"), "127.0.0.1:80");
        assert_eq!(told(&all[..2], "127.0.0.1:80"), "", "only who is on this machine reaches it");
        assert_eq!(told(&all[..2], "10.0.0.7:80"), "192.0.2.7:80", "a NAT stands before it");
    }
}
