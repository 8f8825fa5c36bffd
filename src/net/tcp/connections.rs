//! The connections of one worker: read, written and closed without ever waiting. Knows nothing of what datagrams hold.

use super::address::{mark, number_of};
use super::frame::{self, MAX_DATAGRAM, PREFIX};
use crate::net::udp::{MAX_BURST_DATAGRAMS, SendBatch};
use rustc_hash::FxHashMap;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::time::Timespec;
use std::any::Any;
use std::fmt;
use std::io::{self, ErrorKind, IoSlice, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::num::NonZeroU32;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// A connection that no session has known by then, through a check that proves it, is closed.
pub const PROVE_WITHIN: Duration = Duration::from_secs(5);

/// What one says before that must not be more, in bytes: a few checks.
const UNPROVED: usize = 8 << 10;

/// What the kernel may hold of a connection before datagrams are dropped, in bytes (it doubles them, for its own needs): 2.5 Mbit/s
/// over a round trip of 0.4 s, and half a second of what a thin link is too slow for.
const SEND_BUFFER: usize = 128 << 10;

/// What the kernel may hold of what came, in bytes: a peer that sends faster than we read is slowed down by TCP.
const RECEIVE_BUFFER: usize = 256 << 10;

/// Read of a connection before it is another one's turn, in bytes.
const TURN: usize = 16 << 10;

/// Connections that are looked at before the socket is again.
const TURNS: usize = 64;

/// What holds a place for a connection among a bounded number, until it is closed.
pub struct Place(#[expect(dead_code, reason = "it is there to be dropped")] Box<dyn Any + Send>);

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place")
    }
}

/// A connection that somebody else accepted.
#[derive(Debug)]
pub struct NewConnection {
    stream: TcpStream,
    peer: SocketAddr,
    local: Option<IpAddr>,
    read: Vec<u8>,
    place: Place,
}

impl NewConnection {
    /// Of which `read` was read already. `place` is dropped when it is closed.
    ///
    /// # Errors
    /// The kernel's, when it is no connection any more.
    pub fn new(stream: TcpStream, read: Vec<u8>, place: impl Any + Send) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let socket = socket2::SockRef::from(&stream);
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
        let (peer, local) = (stream.peer_addr()?, stream.local_addr()?);
        let local = Some(local.ip().to_canonical());
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        Ok(Self { stream, peer, local, read, place: Place(Box::new(place)) })
    }
}

/// What a connection said.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// A datagram.
    Datagram {
        /// The connection's address.
        from: SocketAddr,
        /// Ours.
        to: Option<IpAddr>,
        /// What it holds; at least one byte.
        data: &'a mut [u8],
    },
    /// It was closed, and nothing more can be sent to this address.
    Closed(SocketAddr),
}

struct Connection {
    stream: TcpStream,
    address: SocketAddr,
    local: Option<IpAddr>,
    /// The beginning of a datagram whose end did not come yet.
    begun: Vec<u8>,
    /// The end of a datagram whose beginning the kernel took.
    rest: Vec<u8>,
    opened: Instant,
    proved: bool,
    /// Bytes that came of it while it was not.
    unproved: usize,
    _place: Place,
}

/// All of a worker's.
pub struct Connections {
    epoll: OwnedFd,
    by_number: FxHashMap<NonZeroU32, Connection>,
    last: u32,
    /// Those with something to read, or to write on, as the kernel last said.
    ready: Vec<(NonZeroU32, EventFlags)>,
    /// New ones, of which something was read before.
    fresh: Vec<NonZeroU32>,
    /// Those that said much and are not known to be proved.
    doubtful: Vec<NonZeroU32>,
    room: Vec<u8>,
}

impl Connections {
    /// None yet.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            by_number: FxHashMap::default(),
            last: 0,
            ready: Vec::with_capacity(TURNS),
            fresh: Vec::new(),
            doubtful: Vec::new(),
            room: Vec::new(),
        })
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }

    /// Becomes readable when there is something to do; `None` while there is no connection.
    #[must_use]
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        (!self.is_empty()).then(|| self.epoll.as_fd())
    }

    /// Takes a connection over. What was read of it is heard with the next [`Connections::poll_ready`].
    ///
    /// # Errors
    /// The kernel's; it is closed then.
    pub fn open(&mut self, now: Instant, new: NewConnection) -> io::Result<()> {
        let NewConnection { stream, peer, local, read, place } = new;
        let number = loop {
            self.last = self.last.wrapping_add(1);
            if let Some(number) = NonZeroU32::new(self.last).filter(|number| !self.by_number.contains_key(number)) {
                break number;
            }
        };
        epoll::add(&self.epoll, &stream, EventData::new_u64(number.get().into()), EventFlags::IN)?;
        self.room.resize(TURN + PREFIX + MAX_DATAGRAM, 0);
        let address = mark(peer, number);
        let connection = Connection {
            stream,
            address,
            local,
            begun: read,
            rest: Vec::new(),
            opened: now,
            proved: false,
            unproved: 0,
            _place: place,
        };
        self.by_number.insert(number, connection);
        self.fresh.push(number);
        Ok(())
    }

    /// Asks the kernel which connections have something to say; then [`Connections::hear`] until it says no.
    pub fn poll_ready(&mut self) {
        self.ready.clear();
        const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
        let mut events = [MaybeUninit::<epoll::Event>::uninit(); TURNS];
        // It fails only where a signal came between, and then the next call tells.
        let Ok((events, _)) = epoll::wait(&self.epoll, &mut events, Some(&AT_ONCE)) else { return };
        let number = |event: &epoll::Event| u32::try_from(event.data.u64()).ok().and_then(NonZeroU32::new);
        self.ready.extend(events.iter().filter_map(|event| Some((number(event)?, event.flags))));
    }

    /// Lets one of them say so much that it is another's turn then; false when all had theirs.
    pub fn hear(&mut self, mut each: impl FnMut(Heard<'_>)) -> bool {
        let fresh = self.fresh.pop().map(|number| (number, EventFlags::IN));
        let Some((number, flags)) = fresh.or_else(|| self.ready.pop()) else { return false };
        let Some(connection) = self.by_number.get_mut(&number) else { return true };
        if flags.contains(EventFlags::OUT) {
            connection.flush(&self.epoll, number);
        }
        let open = flags == EventFlags::OUT || connection.hear(&mut self.room, &mut each);
        if open && connection.unproved > UNPROVED {
            self.doubtful.push(number);
        }
        if !open {
            let address = connection.address;
            self.by_number.remove(&number);
            each(Heard::Closed(address));
        }
        true
    }

    /// Sends, and takes out, what a batch has for connections. What the kernel takes not at once is dropped, by whole
    /// datagrams; gives how many were.
    pub fn send(&mut self, batch: &mut SendBatch) -> usize {
        let mut dropped = 0;
        batch.take_tcp(|to, bytes, segment| {
            let datagrams = bytes.chunks(segment.max(1));
            let all = datagrams.len();
            let found = number_of(to).and_then(|number| Some((number, self.by_number.get_mut(&number)?)));
            dropped += found.map_or(all, |(number, connection)| all - connection.send(&self.epoll, number, datagrams));
        });
        dropped
    }

    /// Closes those of the last turns that said too much for what no session knows.
    pub fn judge(&mut self, is_known: impl Fn(SocketAddr) -> bool) {
        while let Some(number) = self.doubtful.pop() {
            let Some(connection) = self.by_number.get_mut(&number) else { continue };
            if is_known(connection.address) {
                (connection.proved, connection.unproved) = (true, 0);
            } else {
                self.by_number.remove(&number);
            }
        }
    }

    /// Closes those that no session knows: at once where one did before, else when their time is over.
    pub fn sweep(&mut self, now: Instant, is_known: impl Fn(SocketAddr) -> bool) {
        self.by_number.retain(|_, connection| {
            let known = is_known(connection.address);
            let waits = !connection.proved && now.saturating_duration_since(connection.opened) < PROVE_WITHIN;
            connection.proved |= known;
            known || waits
        });
    }
}

impl Connection {
    /// Reads a turn; false where it is at its end.
    fn hear(&mut self, room: &mut [u8], each: &mut impl FnMut(Heard<'_>)) -> bool {
        let begun = self.begun.len().min(room.len());
        room[..begun].copy_from_slice(&self.begun[..begun]);
        let (read, open) = match (&self.stream).read(&mut room[begun..]) {
            Ok(0) => (0, false),
            Ok(read) => (read, true),
            Err(error) => (0, matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)),
        };
        if !self.proved {
            self.unproved += read;
        }
        self.begun.clear();
        let came = &mut room[..begun + read];
        let mut at = 0;
        loop {
            match frame::next(came, at) {
                Ok(Some(range)) => {
                    at = range.end;
                    if let Some(data) = came.get_mut(range).filter(|data| !data.is_empty()) {
                        each(Heard::Datagram { from: self.address, to: self.local, data });
                    }
                }
                Ok(None) => break,
                Err(frame::Malformed) => return false,
            }
        }
        self.begun.extend_from_slice(came.get(at..).unwrap_or_default());
        open
    }

    /// Sends datagrams, and gives how many the kernel took. One that it took in part is ours to finish.
    fn send<'a>(&mut self, epoll: &OwnedFd, number: NonZeroU32, datagrams: impl Iterator<Item = &'a [u8]>) -> usize {
        if !self.rest.is_empty() {
            self.flush(epoll, number);
            if !self.rest.is_empty() {
                return 0;
            }
        }
        let mut all: [&[u8]; MAX_BURST_DATAGRAMS] = [&[]; MAX_BURST_DATAGRAMS];
        let mut prefixes = [[0; PREFIX]; MAX_BURST_DATAGRAMS];
        let mut count = 0;
        for (datagram, (place, prefix)) in datagrams.zip(all.iter_mut().zip(&mut prefixes)) {
            (*place, *prefix) = (datagram, (datagram.len() as u16).to_be_bytes());
            count += 1;
        }
        let mut slices = [IoSlice::new(&[]); MAX_BURST_DATAGRAMS * 2];
        for (pair, (datagram, prefix)) in slices.chunks_exact_mut(2).zip(all.iter().zip(&prefixes)).take(count) {
            pair.copy_from_slice(&[IoSlice::new(prefix), IoSlice::new(datagram)]);
        }
        let mut written = (&self.stream).write_vectored(&slices[..count * 2]).unwrap_or(0);
        for (taken, (datagram, prefix)) in all.iter().zip(&prefixes).take(count).enumerate() {
            if written == 0 {
                return taken;
            }
            let rest = (PREFIX + datagram.len()).saturating_sub(written);
            if rest > 0 {
                self.rest.extend_from_slice(&prefix[written.min(PREFIX)..]);
                self.rest.extend_from_slice(&datagram[written.saturating_sub(PREFIX)..]);
                self.watch(epoll, number, EventFlags::IN | EventFlags::OUT);
                return taken + 1;
            }
            written -= PREFIX + datagram.len();
        }
        count
    }

    /// Finishes the datagram that was begun.
    fn flush(&mut self, epoll: &OwnedFd, number: NonZeroU32) {
        // An error is told by the next read.
        let written = (&self.stream).write(&self.rest).unwrap_or(0);
        self.rest.drain(..written);
        if self.rest.is_empty() {
            self.watch(epoll, number, EventFlags::IN);
        }
    }

    fn watch(&self, epoll: &OwnedFd, number: NonZeroU32, what: EventFlags) {
        // It has no reason to fail; if it did, the rest would leave with the next datagram.
        let _ = epoll::modify(epoll, &self.stream, EventData::new_u64(number.get().into()), what);
    }
}
