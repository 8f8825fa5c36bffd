//! The lite side of ICE (RFC 8445 §2.5): it answers checks, and by them knows where the peer may be
//! reached and whether the peer still consents (RFC 7675). Knows no sockets and no media.

mod transactions;

#[cfg(test)]
mod tests;

use crate::net::stun::{BINDING, Class, ErrorCode, IntegrityKey, Message, binding_error, binding_success};
use crate::session::plan::IceCredentials;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};
use transactions::Transactions;

/// How many of the peer's addresses are kept. A browser checks from each of its interfaces, IPv4
/// and IPv6; more than a few that succeed at the same time are a sign of roaming, and the one
/// checked longest ago goes.
pub const MAX_ADDRESSES: usize = 16;

/// Without a check or media for so long the session is [`Connectivity::Disconnected`]. Chromium
/// checks the selected pair every 2.5 s, Firefox every 4 to 6 s (RFC 7675 §5.1), and no check is repeated.
pub const DISCONNECTED_AFTER: Duration = Duration::from_secs(7);

/// Without a check for so long consent has ended and nothing may be sent (RFC 7675 §5.1). A session that
/// was never checked fails after as long.
pub const FAILED_AFTER: Duration = Duration::from_secs(30);

/// The longest request that is looked at, in bytes: what fits the smallest IPv6 path. Checks take
/// about 100; the digest of anything longer is a stranger's to spend.
pub const MAX_REQUEST: usize = 1232;

/// The room for a reply, in bytes: the longest is 80 (an error that names eight attributes).
pub const MAX_REPLY: usize = 96;

/// How often addresses and states are looked at.
const TICK: Duration = Duration::from_secs(1);

/// Whether the peer is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Connectivity {
    /// No check has come yet.
    New,
    /// It checks, or sends.
    Connected,
    /// It has been silent for [`DISCONNECTED_AFTER`], or all its TCP connections are closed; it may come back.
    Disconnected,
    /// It has not checked for [`FAILED_AFTER`]; no address is valid. A later check connects again.
    Failed,
}

/// The way to the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Path {
    /// The peer's address.
    pub remote: SocketAddr,
    /// Ours, where known: what is sent must leave from it, or the peer's NAT or firewall drops it.
    pub local: Option<IpAddr>,
}

/// Why a datagram was no check to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// It is longer than [`MAX_REQUEST`] or no STUN message.
    Malformed,
    /// It is a STUN message, but no binding request.
    NotARequest,
    /// It lacks a user name or integrity; answered with 400.
    Incomplete,
    /// User name or integrity are wrong; answered with 401.
    Unauthenticated,
    /// It has attributes that must be understood and are not; answered with 420.
    UnknownAttribute,
    /// It claims the controlled role, which is ours; answered with 487.
    RoleConflict,
    /// Its transaction was seen before, from another address.
    Replayed,
}

/// What a datagram came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verdict {
    /// How many bytes of `out` to send back; never more than came in; 0 for none.
    pub reply: usize,
    /// An address that became valid: it may now be given to DTLS and SRTP.
    pub newly_valid: Option<SocketAddr>,
    /// An address that became the selected one.
    pub nominated: Option<SocketAddr>,
    /// Why it was not believed; nothing has changed then.
    pub refused: Option<Refusal>,
}

/// The credentials of one generation: ICE restarts make new ones.
#[derive(Debug)]
struct Generation {
    number: u32,
    local: IceCredentials,
    remote: IceCredentials,
    key: IntegrityKey,
}

impl Generation {
    fn new(number: u32, local: IceCredentials, remote: IceCredentials) -> Self {
        let key = IntegrityKey::new(&local.password);
        Self { number, local, remote, key }
    }

    /// Whether the user name is ours, a colon and the peer's (RFC 8445 §7.2.2).
    fn is_named_by(&self, username: &[u8]) -> bool {
        username
            .strip_prefix(self.local.ufrag.as_bytes())
            .and_then(|rest| rest.strip_prefix(b":"))
            .is_some_and(|rest| rest == self.remote.ufrag.as_bytes())
    }
}

/// An address whose check succeeded.
#[derive(Debug)]
struct Valid {
    path: Path,
    checked: Instant,
    generation: u32,
}

/// The agent of one session.
#[derive(Debug)]
pub struct IceLite {
    current: Generation,
    /// After a restart, until the peer nominates with the new credentials.
    previous: Option<Generation>,
    valid: Vec<Valid>,
    /// The address nominated last.
    nominated: Option<SocketAddr>,
    /// Addresses that are valid no longer and were not asked for yet.
    dropped: Vec<SocketAddr>,
    transactions: Transactions,
    state: Connectivity,
    /// When the last check came; before the first, when it was made.
    checked: Instant,
    heard: Instant,
    next_tick: Instant,
}

impl IceLite {
    /// An agent that waits for the first check.
    #[must_use]
    pub fn new(now: Instant, local: IceCredentials, remote: IceCredentials) -> Self {
        Self {
            current: Generation::new(0, local, remote),
            previous: None,
            valid: Vec::with_capacity(MAX_ADDRESSES),
            nominated: None,
            dropped: Vec::new(),
            transactions: Transactions::new(),
            state: Connectivity::New,
            checked: now,
            heard: now,
            next_tick: now + TICK,
        }
    }

    /// New credentials (RFC 8445 §2.4). Addresses stay usable, and checks with the old credentials
    /// keep them so, until the peer nominates one with the new credentials.
    pub fn restart(&mut self, local: IceCredentials, remote: IceCredentials) {
        let number = self.current.number.wrapping_add(1);
        let replaced = std::mem::replace(&mut self.current, Generation::new(number, local, remote));
        // While nothing was nominated with the last ones, those before are in use.
        self.previous.get_or_insert(replaced);
    }

    /// Handles a STUN datagram that came from `from` to our address `to`. The reply is written to
    /// `out`, which should have room for [`MAX_REPLY`] bytes.
    pub fn handle_request(
        &mut self,
        now: Instant,
        from: SocketAddr,
        to: Option<IpAddr>,
        datagram: &[u8],
        out: &mut [u8],
    ) -> Verdict {
        // A reply longer than what caused it would serve to flood whoever the sender claims to be.
        let room = out.len().min(datagram.len());
        let out = &mut out[..room];
        let refuse = |refusal, reply: Option<usize>| Verdict {
            reply: reply.unwrap_or(0),
            refused: Some(refusal),
            ..Verdict::default()
        };
        if datagram.len() > MAX_REQUEST {
            return refuse(Refusal::Malformed, None);
        }
        let Ok(message) = Message::parse(datagram) else {
            return refuse(Refusal::Malformed, None);
        };
        if message.class != Class::Request || message.method != BINDING {
            return refuse(Refusal::NotARequest, None);
        }
        let transaction = message.transaction;
        let Some(username) = message.username.filter(|_| message.has_integrity()) else {
            return refuse(Refusal::Incomplete, binding_error(out, transaction, ErrorCode::BadRequest, &[], None));
        };
        let named = |generation: &&Generation| generation.is_named_by(username);
        let Some(generation) = Some(&self.current)
            .filter(named)
            .or(self.previous.as_ref().filter(named))
            .filter(|generation| message.is_authentic(&generation.key))
            // Old credentials keep what is valid; they open no new way.
            .filter(|generation| generation.number == self.current.number || self.is_valid(from))
        else {
            return refuse(
                Refusal::Unauthenticated,
                binding_error(out, transaction, ErrorCode::Unauthenticated, &[], None),
            );
        };
        if !message.unknown().is_empty() {
            let code = ErrorCode::UnknownAttribute;
            let reply = binding_error(out, transaction, code, message.unknown(), Some(&generation.key));
            return refuse(Refusal::UnknownAttribute, reply);
        }
        if message.controlled.is_some() {
            let reply = binding_error(out, transaction, ErrorCode::RoleConflict, &[], Some(&generation.key));
            return refuse(Refusal::RoleConflict, reply);
        }
        let number = generation.number;
        let seen = self.transactions.contains(transaction);
        if seen && !self.is_valid(from) {
            return refuse(Refusal::Replayed, None);
        }
        let reply = binding_success(out, transaction, from, &generation.key).unwrap_or(0);
        if seen {
            // The peer repeats a request whose answer was lost: it proves nothing new.
            return Verdict { reply, ..Verdict::default() };
        }
        self.transactions.insert(transaction);
        let newly_valid = self.note_check(now, Path { remote: from, local: to }, number);
        let nominated = (message.use_candidate && number == self.current.number).then(|| self.nominate(from)).flatten();
        Verdict { reply, newly_valid, nominated, refused: None }
    }

    /// A check succeeded: its address is valid, and the peer consents.
    fn note_check(&mut self, now: Instant, path: Path, generation: u32) -> Option<SocketAddr> {
        (self.heard, self.checked) = (now, now);
        self.state = Connectivity::Connected;
        if let Some(known) = self.valid.iter_mut().find(|valid| valid.path.remote == path.remote) {
            *known = Valid { path, checked: now, generation };
            return None;
        }
        if self.valid.len() >= MAX_ADDRESSES {
            self.drop_oldest();
        }
        self.dropped.retain(|dropped| *dropped != path.remote);
        self.valid.push(Valid { path, checked: now, generation });
        Some(path.remote)
    }

    fn nominate(&mut self, address: SocketAddr) -> Option<SocketAddr> {
        let before = self.nominated.replace(address);
        if self.previous.take().is_some() {
            let number = self.current.number;
            self.keep(|valid| valid.generation == number);
        }
        (before != self.nominated).then_some(address)
    }

    /// Makes room: drops the address checked longest ago that is not the nominated one.
    fn drop_oldest(&mut self) {
        let nominated = self.nominated;
        let others = self.valid.iter().filter(|valid| Some(valid.path.remote) != nominated);
        if let Some(oldest) = others.min_by_key(|valid| valid.checked).map(|valid| valid.path.remote) {
            self.keep(|valid| valid.path.remote != oldest);
        }
    }

    fn keep(&mut self, stays: impl Fn(&Valid) -> bool) {
        let dropped = &mut self.dropped;
        self.valid.retain(|valid| {
            let stays = stays(valid);
            if !stays {
                dropped.push(valid.path.remote);
            }
            stays
        });
    }

    /// Notes that an authenticated packet came from a valid address: the peer is there, which keeps
    /// the state [`Connectivity::Connected`]. It is no consent: only checks are.
    pub fn note_traffic(&mut self, now: Instant) {
        self.heard = now;
        if self.state == Connectivity::Disconnected {
            self.state = Connectivity::Connected;
        }
    }

    /// When [`Self::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        (self.state != Connectivity::Failed).then_some(self.next_tick)
    }

    /// Ends the consent of addresses that are checked no more, and tells the state after that.
    pub fn handle_timeout(&mut self, now: Instant) -> Connectivity {
        if now < self.next_tick {
            return self.state;
        }
        self.next_tick = now + TICK;
        self.keep(|valid| now.saturating_duration_since(valid.checked) < FAILED_AFTER);
        self.leave_dead_selection(now);
        self.state = if self.valid.is_empty() {
            match self.state {
                _ if now.saturating_duration_since(self.checked) >= FAILED_AFTER => Connectivity::Failed,
                Connectivity::New => Connectivity::New,
                // Its connections were closed; it may come by another.
                _ => Connectivity::Disconnected,
            }
        } else if now.saturating_duration_since(self.heard) < DISCONNECTED_AFTER {
            Connectivity::Connected
        } else {
            Connectivity::Disconnected
        };
        self.state
    }

    /// The address was that of a TCP connection, which is closed: nothing can be sent there. Whether one is left shows
    /// at the next tick, since connections can come and go a thousand times a second and everybody is told of it.
    pub fn handle_closed(&mut self, now: Instant, address: SocketAddr) {
        self.keep(|valid| valid.path.remote != address);
        self.leave_dead_selection(now);
    }

    /// Where the peer nominated several addresses and then checks another than the last, that other
    /// one is where it listens.
    fn leave_dead_selection(&mut self, now: Instant) {
        let alive = |valid: &Valid| now.saturating_duration_since(valid.checked) < DISCONNECTED_AFTER;
        if self.valid.iter().any(|valid| Some(valid.path.remote) == self.nominated && alive(valid)) {
            return;
        }
        if let Some(latest) = self.valid.iter().max_by_key(|valid| valid.checked).filter(|valid| alive(valid)) {
            self.nominated = self.nominated.and(Some(latest.path.remote));
        }
    }

    /// An address that is valid no longer: whoever keeps a table of addresses takes it out. `None`
    /// when all were told. Ask after every call that is given a time.
    pub fn poll_dropped(&mut self) -> Option<SocketAddr> {
        self.dropped.pop()
    }

    /// Whether a check from this address succeeded and consent for it lasts.
    #[must_use]
    pub fn is_valid(&self, address: SocketAddr) -> bool {
        self.valid.iter().any(|valid| valid.path.remote == address)
    }

    /// Where to send: the address nominated last; before any nomination (RFC 8445 §12.1) the one
    /// checked last. After a restart what counts are checks with the new credentials as soon as there is one: a browser
    /// may need half a second more to nominate, and restarted because it doubts the ways of before.
    #[must_use]
    pub fn selected(&self) -> Option<Path> {
        if self.previous.is_some()
            && let Some(anew) = self.latest(|valid| valid.generation == self.current.number)
        {
            return Some(anew);
        }
        let nominated = self.valid.iter().find(|valid| Some(valid.path.remote) == self.nominated);
        nominated.map(|valid| valid.path).or_else(|| self.latest(|_| true))
    }

    /// The address checked last of those that fit.
    fn latest(&self, fits: impl Fn(&Valid) -> bool) -> Option<Path> {
        self.valid.iter().filter(|valid| fits(valid)).max_by_key(|valid| valid.checked).map(|valid| valid.path)
    }

    /// Whether the peer is there.
    #[must_use]
    pub const fn state(&self) -> Connectivity {
        self.state
    }

    /// Our ufrags that requests may name: the current one and, during a restart, the one before.
    pub fn local_ufrags(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.current).chain(&self.previous).map(|generation| generation.local.ufrag.as_str())
    }
}
