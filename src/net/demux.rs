//! Whose a datagram is: by its address, by the ICE username fragment where the address is new.
//! Knows sessions by number only, and other workers by index.

use rustc_hash::FxHashMap;
use std::net::SocketAddr;

/// Addresses of other workers' sessions that are remembered. A stranger can fill this with made-up
/// checks; then the rest find their worker by their next check.
const MAX_FOREIGN: usize = 16_384;

/// Where a datagram belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A session of this worker.
    Session(u32),
    /// A session of another worker.
    Worker(usize),
}

/// The tables of one worker.
#[derive(Default)]
pub struct Demux {
    by_address: FxHashMap<SocketAddr, Place>,
    by_ufrag: FxHashMap<String, u32>,
    foreign: usize,
}

impl Demux {
    /// Whose a datagram from this address is.
    #[must_use]
    pub fn by_address(&self, from: SocketAddr) -> Option<Place> {
        self.by_address.get(&from).copied()
    }

    /// Which session has this username fragment.
    #[must_use]
    pub fn by_ufrag(&self, ufrag: &str) -> Option<u32> {
        self.by_ufrag.get(ufrag).copied()
    }

    /// A session's username fragment.
    pub fn add_ufrag(&mut self, ufrag: &str, session: u32) {
        self.by_ufrag.insert(ufrag.to_owned(), session);
    }

    /// A username fragment that no longer counts.
    pub fn remove_ufrag(&mut self, ufrag: &str) {
        self.by_ufrag.remove(ufrag);
    }

    /// An address that has passed an ICE check of a session.
    pub fn add_address(&mut self, from: SocketAddr, session: u32) {
        if let Some(Place::Worker(_)) = self.by_address.insert(from, Place::Session(session)) {
            self.foreign -= 1;
        }
    }

    /// An address whose checks name a session of another worker. An address with a session here keeps it:
    /// the check was not verified yet, and anybody can write a name.
    pub fn add_foreign(&mut self, from: SocketAddr, worker: usize) {
        if let Some(place) = self.by_address.get_mut(&from) {
            if let Place::Worker(old) = place {
                *old = worker;
            }
            return;
        }
        if self.foreign >= MAX_FOREIGN {
            self.by_address.retain(|_, place| matches!(place, Place::Session(_)));
            self.foreign = 0;
        }
        self.foreign += 1;
        self.by_address.insert(from, Place::Worker(worker));
    }

    /// Forgets all addresses and names of a session.
    pub fn remove_session(&mut self, session: u32) {
        self.by_address.retain(|_, place| *place != Place::Session(session));
        self.by_ufrag.retain(|_, owner| *owner != session);
    }

    /// Forgets an address of this session.
    pub fn remove_address(&mut self, from: SocketAddr, session: u32) {
        if self.by_address.get(&from) == Some(&Place::Session(session)) {
            self.by_address.remove(&from);
        }
    }

    /// Forgets an address, whosever it is: nothing can come from it any more.
    pub fn forget_address(&mut self, from: SocketAddr) {
        if let Some(Place::Worker(_)) = self.by_address.remove(&from) {
            self.foreign -= 1;
        }
    }

    /// Whether nothing of a session of this worker is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_ufrag.is_empty() && self.by_address.len() == self.foreign
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> SocketAddr {
        SocketAddr::from(([127, 0, (n >> 8) as u8, n as u8], 4000))
    }

    #[test]
    fn a_made_up_check_cannot_take_an_address_from_its_session() {
        let mut demux = Demux::default();
        demux.add_address(address(1), 7);
        demux.add_foreign(address(1), 3);
        assert_eq!(demux.by_address(address(1)), Some(Place::Session(7)));
    }

    #[test]
    fn strangers_cannot_fill_the_table_without_bound() {
        let mut demux = Demux::default();
        demux.add_address(address(60_000), 7);
        for n in 0..50_000 {
            demux.add_foreign(address(n), 1);
        }
        assert!(demux.by_address.len() <= MAX_FOREIGN + 1);
        assert_eq!(demux.by_address(address(60_000)), Some(Place::Session(7)));
        demux.remove_session(7);
        assert!(demux.is_empty());
    }
}
