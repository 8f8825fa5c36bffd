//! What stands in the way of chosen packets: a NAT whose mappings change, a firewall without UDP, and what drops or spoils
//! single flights of a DTLS handshake. Knows no delay and no chance.

use crate::datagram::{Udp, is_udp};
use serde::Deserialize;
use std::collections::HashMap;
use std::time::Duration;

/// Which way a packet goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// From the server to the browser.
    Down,
    /// From the browser to the server.
    Up,
}

/// The flights of a DTLS 1.2 handshake (RFC 6347 §4.2.4), by what their first record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flight {
    /// ClientHello.
    ClientHello,
    /// ServerHello and what comes with it.
    ServerHello,
    /// The client's certificate, its key and Finished.
    Certificate,
    /// The server's ticket and Finished.
    Finished,
}

/// What befalls a flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// All its datagrams are lost.
    Drop,
    /// One bit of its first datagram is turned.
    Corrupt,
}

/// One wish: the first time that this flight comes this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Which way it goes.
    pub way: Way,
    /// Which.
    pub flight: Flight,
    /// What befalls it.
    pub fate: Fate,
}

/// What comes so soon after a flight's first datagram belongs to it: browsers send it again after 50 ms.
const FLIGHT: Duration = Duration::from_millis(30);

/// Where a NAT's ports begin, clear of those that kernels choose.
const FIRST_OUTSIDE: u16 = 20_000;

/// The NAT and the rules.
#[derive(Debug, Default)]
pub struct Meddling {
    rules: Vec<Rule>,
    dropping: HashMap<Way, Duration>,
    outside: Option<HashMap<u16, u16>>,
    next_outside: u16,
    without_udp: bool,
    /// Datagrams that rules dropped or spoilt.
    pub met: u64,
}

impl Meddling {
    /// Each rule is good for one flight; those not used yet are forgotten.
    pub fn set_rules(&mut self, rules: Vec<Rule>) {
        self.rules = rules;
    }

    /// The NAT forgets its mappings: each UDP port of the browser gets another one outside with its next packet, and
    /// what comes to the old one is dropped.
    pub fn rebind(&mut self) {
        self.outside = Some(HashMap::new());
    }

    /// Whether UDP passes, either way.
    pub fn let_udp(&mut self, pass: bool) {
        self.without_udp = !pass;
    }

    /// Changes a packet; false where it goes no further.
    pub fn handle_packet(&mut self, now: Duration, way: Way, packet: &mut [u8]) -> bool {
        if self.without_udp && is_udp(packet) {
            return false;
        }
        let Some(udp) = Udp::find(packet) else { return true };
        self.translate(way, udp, packet) && self.judge(now, way, udp, packet)
    }

    fn translate(&mut self, way: Way, udp: Udp, packet: &mut [u8]) -> bool {
        let Some(outside) = &mut self.outside else { return true };
        match way {
            Way::Up => {
                let next = &mut self.next_outside;
                let port = *outside.entry(udp.source_port(packet)).or_insert_with(|| {
                    *next = next.wrapping_add(1) % 10_000;
                    FIRST_OUTSIDE + *next
                });
                udp.set_source_port(packet, port);
                true
            }
            Way::Down => {
                let to = udp.destination_port(packet);
                let Some((&inside, _)) = outside.iter().find(|(_, port)| **port == to) else { return false };
                udp.set_destination_port(packet, inside);
                true
            }
        }
    }

    fn judge(&mut self, now: Duration, way: Way, udp: Udp, packet: &mut [u8]) -> bool {
        let payload = udp.payload(packet);
        if !payload.first().is_some_and(|first| (20..64).contains(first)) {
            return true;
        }
        if self.dropping.get(&way).is_some_and(|until| now < *until) {
            self.met += 1;
            return false;
        }
        let Some(flight) = flight_of(payload) else { return true };
        let Some(place) = self.rules.iter().position(|rule| rule.way == way && rule.flight == flight) else {
            return true;
        };
        self.met += 1;
        match self.rules.remove(place).fate {
            Fate::Drop => {
                self.dropping.insert(way, now + FLIGHT);
                false
            }
            Fate::Corrupt => {
                if let Some(last) = udp.payload_mut(packet).last_mut() {
                    *last ^= 1;
                }
                true
            }
        }
    }
}

/// Which flight a datagram begins; `None` for others.
fn flight_of(payload: &[u8]) -> Option<Flight> {
    const CHANGE_CIPHER: u8 = 20;
    const HANDSHAKE: u8 = 22;
    match (*payload.first()?, payload.get(13)) {
        (HANDSHAKE, Some(1)) => Some(Flight::ClientHello),
        (HANDSHAKE, Some(2)) => Some(Flight::ServerHello),
        (HANDSHAKE, Some(11)) => Some(Flight::Certificate),
        (HANDSHAKE, Some(4)) | (CHANGE_CIPHER, _) => Some(Flight::Finished),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datagram::tests::packet;

    fn handshake(kind: u8) -> Vec<u8> {
        let mut payload = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, kind];
        payload.extend([7; 19]);
        packet(5000, 8080, &payload)
    }

    #[test]
    fn a_flight_is_dropped_whole_and_once() {
        let mut meddling = Meddling::default();
        meddling.set_rules(vec![Rule { way: Way::Up, flight: Flight::ServerHello, fate: Fate::Drop }]);
        let mut pass = |ms, way, mut bytes: Vec<u8>| meddling.handle_packet(Duration::from_millis(ms), way, &mut bytes);
        assert!(pass(0, Way::Up, handshake(1)));
        assert!(pass(0, Way::Down, handshake(2)));
        assert!(!pass(1, Way::Up, handshake(2)));
        assert!(!pass(3, Way::Up, handshake(12)), "its second datagram");
        assert!(pass(3, Way::Up, packet(1, 2, &[0x80, 0x60])), "RTP is none of it");
        assert!(pass(51, Way::Up, handshake(2)), "sent again");
        assert_eq!(meddling.met, 2);
    }

    #[test]
    fn a_spoilt_datagram_differs_in_one_bit_and_has_no_checksum() {
        let mut meddling = Meddling::default();
        meddling.set_rules(vec![Rule { way: Way::Up, flight: Flight::Certificate, fate: Fate::Corrupt }]);
        let (before, mut after) = (handshake(11), handshake(11));
        assert!(meddling.handle_packet(Duration::ZERO, Way::Up, &mut after));
        let bits: u32 = before[28..].iter().zip(&after[28..]).map(|(a, b)| (a ^ b).count_ones()).sum();
        assert_eq!((bits, &after[26..28]), (1, &[0, 0][..]));
    }

    #[test]
    fn a_firewall_lets_all_but_udp_pass() {
        let mut meddling = Meddling::default();
        let mut tcp = packet(1, 2, b"x");
        tcp[9] = 6;
        let mut passes = |udp: bool| {
            meddling.let_udp(udp);
            [packet(1, 2, b"x"), tcp.clone()]
                .map(|mut bytes| meddling.handle_packet(Duration::ZERO, Way::Up, &mut bytes))
        };
        assert_eq!((passes(false), passes(true)), ([false, true], [true, true]));
    }

    #[test]
    fn after_a_rebinding_the_old_port_leads_nowhere() {
        let mut meddling = Meddling::default();
        let up = |meddling: &mut Meddling| {
            let mut bytes = packet(5000, 8080, &[0x80]);
            assert!(meddling.handle_packet(Duration::ZERO, Way::Up, &mut bytes));
            Udp::find(&bytes).unwrap().source_port(&bytes)
        };
        let down = |meddling: &mut Meddling, to| {
            let mut bytes = packet(8080, to, &[0x80]);
            let passed = meddling.handle_packet(Duration::ZERO, Way::Down, &mut bytes);
            passed.then(|| Udp::find(&bytes).unwrap().destination_port(&bytes))
        };
        assert_eq!(up(&mut meddling), 5000);
        meddling.rebind();
        assert_eq!(down(&mut meddling, 5000), None);
        let first = up(&mut meddling);
        assert_ne!(first, 5000);
        assert_eq!(down(&mut meddling, first), Some(5000));
        meddling.rebind();
        let second = up(&mut meddling);
        assert_ne!(second, first);
        assert_eq!((down(&mut meddling, first), down(&mut meddling, second)), (None, Some(5000)));
    }
}
