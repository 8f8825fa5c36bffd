//! The full, controlling side of ICE for one pair after another (RFC 8445 §7), with consent (RFC 7675).

use rand::Rng;
use rand::rngs::StdRng;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use symposia::net::stun::{BindingRequest, Class, IntegrityKey, Message, TransactionId};
use symposia::session::plan::IceCredentials;

/// Between checks until one is answered.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// Between consent checks, as Chromium makes them.
pub const CONSENT_INTERVAL: Duration = Duration::from_millis(2500);

/// A controlling agent with one local address and one remote candidate.
pub struct Agent {
    pub local: IceCredentials,
    remote: IceCredentials,
    key: IntegrityKey,
    server: SocketAddr,
    tie_breaker: u64,
    pending: Vec<TransactionId>,
    pub next_check: Option<Instant>,
    pub connected: bool,
    /// The address that the server saw us send from.
    pub mapped: Option<SocketAddr>,
    /// Answered checks.
    pub answers: u64,
    /// Refused checks, by error code.
    pub refusals: Vec<u16>,
}

impl Agent {
    pub fn new(now: Instant, local: IceCredentials, remote: IceCredentials, server: SocketAddr, tie: u64) -> Self {
        let key = IntegrityKey::new(&remote.password);
        Self {
            local,
            remote,
            key,
            server,
            tie_breaker: tie,
            pending: Vec::new(),
            next_check: Some(now),
            connected: false,
            mapped: None,
            answers: 0,
            refusals: Vec::new(),
        }
    }

    /// Checks at once, from whatever address it has now.
    pub fn check_soon(&mut self, now: Instant) {
        self.connected = false;
        self.next_check = Some(now);
    }

    /// A check where one is due.
    pub fn poll(&mut self, now: Instant, random: &mut StdRng) -> Option<Vec<u8>> {
        self.next_check.filter(|at| *at <= now)?;
        let interval = if self.connected { CONSENT_INTERVAL } else { CHECK_INTERVAL };
        self.next_check = Some(now + interval);
        let mut transaction = [0; 12];
        random.fill_bytes(&mut transaction);
        let transaction = TransactionId(transaction);
        if self.pending.len() >= 32 {
            self.pending.remove(0);
        }
        self.pending.push(transaction);
        Some(self.request(transaction, true))
    }

    pub fn request(&self, transaction: TransactionId, use_candidate: bool) -> Vec<u8> {
        let request = BindingRequest {
            transaction,
            receiver: &self.remote.ufrag,
            sender: &self.local.ufrag,
            priority: 0x6e_ff_ff_ff,
            tie_breaker: self.tie_breaker,
            use_candidate,
        };
        let mut out = vec![0; 256];
        let len = request.write(&mut out, &self.key).expect("there is room");
        out.truncate(len);
        out
    }

    /// An answer to a check; true with the first that succeeded.
    pub fn handle(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) -> bool {
        let Ok(message) = Message::parse(datagram) else { return false };
        let Some(place) = self.pending.iter().position(|pending| *pending == message.transaction) else { return false };
        if from != self.server {
            return false;
        }
        match message.class {
            Class::Success if message.is_authentic(&self.key) => {
                self.pending.remove(place);
                self.answers += 1;
                self.mapped = message.mapped;
                if !self.connected {
                    self.connected = true;
                    self.next_check = Some(now + CONSENT_INTERVAL);
                    return true;
                }
                false
            }
            Class::Error => {
                self.pending.remove(place);
                self.refusals.extend(message.error);
                false
            }
            _ => false,
        }
    }

    pub fn server(&self) -> SocketAddr {
        self.server
    }
}
