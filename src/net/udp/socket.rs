//! A worker's socket. Knows no sessions and no batches' content.

use super::address::normal;
use super::outcome::{SendReport, Tally, flush};
use super::receive::ReceiveBatch;
use super::send::{Burst, MAX_BURST_DATAGRAMS, MAX_BURSTS, SendBatch};
use super::steering;
use super::transmit::{Family, Transmitter};
use super::wait::{Readiness, Waker, wait};
use quinn_udp::{UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Type};
use std::io;
use std::mem::size_of;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

/// Asked for as receive buffer, in bytes: 50 ms at 1 Gbit/s, while the worker does something else.
/// The kernel gives less to a process without CAP_NET_ADMIN (`net.core.rmem_max`).
const RECEIVE_BUFFER: libc::c_int = 8 << 20;

/// Asked for as send buffer, in bytes: four full batches on their way to the card.
const SEND_BUFFER: libc::c_int = 4 << 20;

/// A non-blocking UDP socket with its waker.
pub struct Socket {
    socket: UdpSocket,
    family: Family,
    state: UdpSocketState,
    transmitter: Transmitter,
    scratch: Vec<Burst>,
    tally: Tally,
    gso: bool,
    waker: Waker,
    feedback: Option<Feedback>,
}

/// A second socket on the port, for what need not be looked at at once.
struct Feedback {
    socket: UdpSocket,
    state: UdpSocketState,
}

impl Feedback {
    fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = bind(address, true)?;
        enlarge(socket.as_raw_fd(), libc::SO_RCVBUFFORCE, libc::SO_RCVBUF, RECEIVE_BUFFER);
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        Ok(Self { socket, state })
    }
}

impl Socket {
    /// Binds a socket. `[::]` takes IPv4 too, and is `0.0.0.0` where the machine has no IPv6. With
    /// `reuse_port` several sockets share the port, and the kernel spreads senders over them.
    ///
    /// # Errors
    /// The kernel's, as when the port is in use.
    pub fn bind(address: SocketAddr, reuse_port: bool) -> io::Result<Self> {
        let any_v6 = address.is_ipv6() && address.ip().is_unspecified();
        match bind(address, reuse_port) {
            Err(error) if any_v6 && lacks_ipv6(&error) => {
                bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port())), reuse_port)
            }
            other => other,
        }
        .and_then(Self::new)
    }

    /// Binds a socket for each worker to one port, as [`Socket::bind`] does. A peer's datagrams all come to one of them.
    /// Where the kernel has programs that steer, transport-wide feedback is kept apart from the rest: it ends no wait and comes by
    /// [`Socket::receive_feedback`].
    ///
    /// # Errors
    /// The kernel's, as when the port is in use.
    pub fn bind_group(address: SocketAddr, workers: usize) -> io::Result<Vec<Self>> {
        let first = Self::bind(address, true)?;
        let address = first.local_address()?;
        // First the program, then what it may choose: until that is there, the kernel spreads over the rest.
        let steered = steering::attach(first.socket.as_raw_fd(), workers);
        let mut sockets = vec![first];
        for _ in 1..workers {
            sockets.push(Self::bind(address, true)?);
        }
        if let Err(error) = steered {
            tracing::debug!(%error, "the kernel does not keep feedback apart");
            return Ok(sockets);
        }
        for socket in &mut sockets {
            socket.feedback = Some(Feedback::bind(address)?);
        }
        Ok(sockets)
    }

    fn new(socket: UdpSocket) -> io::Result<Self> {
        let family = if socket.local_addr()?.is_ipv6() { Family::V6 } else { Family::V4 };
        enlarge(socket.as_raw_fd(), libc::SO_RCVBUFFORCE, libc::SO_RCVBUF, RECEIVE_BUFFER);
        enlarge(socket.as_raw_fd(), libc::SO_SNDBUFFORCE, libc::SO_SNDBUF, SEND_BUFFER);
        // Packet info, GRO, arrival times and no fragmentation.
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let gso = state.max_gso_segments() >= MAX_BURST_DATAGRAMS;
        Ok(Self {
            socket,
            family,
            state,
            transmitter: Transmitter::new(),
            scratch: Vec::with_capacity(MAX_BURSTS),
            tally: Tally::new(),
            gso,
            waker: Waker::new()?,
            feedback: None,
        })
    }

    /// Where it is bound.
    ///
    /// # Errors
    /// The kernel's.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr().map(normal)
    }

    /// Whether it takes IPv6 datagrams (and, bound to `[::]`, IPv4 ones too).
    #[must_use]
    pub fn is_ipv6(&self) -> bool {
        self.family == Family::V6
    }

    /// Takes what waits, as much as fits, in place of what the batch held. An empty batch when nothing waits.
    ///
    /// # Errors
    /// The kernel's; the batch is empty then.
    pub fn receive_batch(&mut self, batch: &mut ReceiveBatch) -> io::Result<()> {
        receive(&self.socket, &self.state, batch)
    }

    /// Whether feedback is kept apart and must be asked for.
    #[must_use]
    pub const fn keeps_feedback(&self) -> bool {
        self.feedback.is_some()
    }

    /// Takes the feedback that waits, as [`Socket::receive_batch`] does the rest.
    ///
    /// # Errors
    /// The kernel's; the batch is empty then.
    pub fn receive_feedback(&mut self, batch: &mut ReceiveBatch) -> io::Result<()> {
        match &self.feedback {
            Some(feedback) => receive(&feedback.socket, &feedback.state, batch),
            None => {
                batch.clear();
                Ok(())
            }
        }
    }

    /// Sends a batch and empties it. It never waits: what finds the queue full is dropped and counted.
    pub fn send_batch(&mut self, batch: &mut SendBatch) -> SendReport {
        self.tally.report = SendReport::default();
        let (socket, family, arena) = (self.socket.as_raw_fd(), self.family, batch.arena());
        flush(batch.bursts(), &mut self.gso, &mut self.scratch, &mut self.tally, |messages| {
            self.transmitter.send(socket, family, messages, arena)
        });
        batch.clear();
        self.tally.report
    }

    /// How many sends had so many datagrams, since the socket was bound.
    #[must_use]
    pub const fn burst_lengths(&self) -> &[u64; MAX_BURST_DATAGRAMS + 1] {
        &self.tally.lengths
    }

    /// Whether bursts leave by GSO: the kernel has it and no card has refused it.
    #[must_use]
    pub const fn has_gso(&self) -> bool {
        self.gso
    }

    #[cfg(test)]
    pub(super) fn refuse_gso(&mut self) {
        self.gso = false;
    }

    /// For other threads, to end [`Self::wait`].
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Waits until datagrams are there, something else is readable, a [`Waker`] is used or the time is over (`None`: forever).
    ///
    /// # Errors
    /// The kernel's, for want of memory.
    pub fn wait(&self, also: Option<BorrowedFd<'_>>, timeout: Option<Duration>) -> io::Result<Readiness> {
        wait(self.socket.as_raw_fd(), &self.waker, also, timeout)
    }
}

fn receive(socket: &UdpSocket, state: &UdpSocketState, batch: &mut ReceiveBatch) -> io::Result<()> {
    match batch.fill(|buffers, metas| state.recv(UdpSockRef::from(socket), buffers, metas)) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        other => other,
    }
}

fn bind(address: SocketAddr, reuse_port: bool) -> io::Result<UdpSocket> {
    let socket = socket2::Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    if reuse_port {
        set_option(socket.as_raw_fd(), libc::SO_REUSEPORT, 1)?;
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Whether it failed because there is no IPv6, or none to be had by a dual-stack socket.
fn lacks_ipv6(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL | libc::ENOPROTOOPT))
}

/// Asks for a buffer size with the right to exceed the system's limit, then without.
fn enlarge(socket: RawFd, force: libc::c_int, plain: libc::c_int, size: libc::c_int) {
    if set_option(socket, force, size).is_err() {
        // It is a wish: the socket works with the size it has.
        let _ = set_option(socket, plain, size);
    }
}

#[expect(unsafe_code, reason = "neither the standard library nor socket2 offers these options")]
fn set_option(socket: RawFd, name: libc::c_int, value: libc::c_int) -> io::Result<()> {
    let size = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the kernel reads `size` bytes of the value, which lives on.
    match unsafe { libc::setsockopt(socket, libc::SOL_SOCKET, name, (&raw const value).cast(), size) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let local = self.local_address().unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0));
        f.debug_struct("Socket").field("local", &local).field("gso", &self.gso).finish_non_exhaustive()
    }
}
