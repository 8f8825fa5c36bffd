//! Datagrams that the kernel gave to another worker than their session's, as the ring to that worker carries them.
//! Knows no sessions.

use super::ring::Ring;
use std::net::{IpAddr, SocketAddr};

/// Datagrams that wait; more are dropped: 20 ms of a gigabit.
const PLACES: usize = 1024;

/// The longest datagram that is handed over: browsers keep below 1,500 bytes.
pub const MAX_DATAGRAM: usize = 2048;

/// A datagram of another worker's session.
pub struct Handover {
    from: SocketAddr,
    to: Option<IpAddr>,
    len: u16,
    bytes: [u8; MAX_DATAGRAM],
}

/// Why a datagram was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Its worker can't keep up.
    Full,
    /// It is longer than any that a session sends.
    TooLong,
}

impl Ring<Handover> {
    /// An empty ring for datagrams.
    #[must_use]
    pub fn of_datagrams() -> Self {
        Self::new(PLACES)
    }

    /// Puts a datagram in.
    ///
    /// # Errors
    /// When it is dropped.
    pub fn hand_over(&self, from: SocketAddr, to: Option<IpAddr>, data: &[u8]) -> Result<(), Refused> {
        let mut bytes = [0; MAX_DATAGRAM];
        bytes.get_mut(..data.len()).ok_or(Refused::TooLong)?.copy_from_slice(data);
        let taken = self.push(Handover { from, to, len: data.len() as u16, bytes });
        if taken { Ok(()) } else { Err(Refused::Full) }
    }

    /// Takes out the datagrams that wait.
    pub fn take_over(&self, mut each: impl FnMut(SocketAddr, Option<IpAddr>, &mut [u8])) {
        self.drain(|mut handover| {
            if let Some(data) = handover.bytes.get_mut(..usize::from(handover.len)) {
                each(handover.from, handover.to, data);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn datagrams_come_out_as_they_went_in() {
        let ring = Ring::of_datagrams();
        let sent: Vec<Vec<u8>> = [1, 100, 1500, MAX_DATAGRAM].iter().map(|len| vec![*len as u8; *len]).collect();
        for (port, data) in (1..).zip(&sent) {
            assert_eq!(ring.hand_over(address(port), Some(address(0).ip()), data), Ok(()));
        }
        assert_eq!(ring.hand_over(address(9), None, &[0; MAX_DATAGRAM + 1]), Err(Refused::TooLong));
        let mut got = Vec::new();
        ring.take_over(|from, to, data| got.push((from, to, data.to_vec())));
        let expected = (1..).zip(sent).map(|(port, data)| (address(port), Some(address(0).ip()), data));
        assert_eq!(got, expected.collect::<Vec<_>>());
    }

    #[test]
    fn a_full_ring_refuses_and_loses_nothing_that_it_took() {
        let ring = Ring::of_datagrams();
        let taken =
            (0..2000_u16).filter(|number| ring.hand_over(address(1), None, &number.to_be_bytes()).is_ok()).count();
        assert_eq!(taken, PLACES);
        let mut next = 0_u16;
        ring.take_over(|_, _, data| {
            assert_eq!(*data, next.to_be_bytes());
            next += 1;
        });
        assert_eq!(usize::from(next), PLACES);
        assert_eq!(ring.hand_over(address(1), None, &[1]), Ok(()));
    }

    /// Several threads put in at once while one takes out: each one's datagrams come whole, in its order, and what
    /// came and what was refused are together what was sent.
    #[test]
    fn many_workers_hand_over_at_once() {
        const EACH: u64 = 20_000;
        let (ring, refused) = (Arc::new(Ring::of_datagrams()), Arc::new(AtomicU64::new(0)));
        let senders: Vec<_> = (0..3_u16)
            .map(|sender| {
                let (ring, refused) = (ring.clone(), refused.clone());
                std::thread::spawn(move || {
                    for number in 0..EACH {
                        let mut data = [sender as u8; 300];
                        data[..8].copy_from_slice(&number.to_be_bytes());
                        if ring.hand_over(address(sender), None, &data).is_err() {
                            refused.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                })
            })
            .collect();
        let (mut came, mut last) = (0, [None; 3]);
        let mut take = || {
            ring.take_over(|from, _, data| {
                let sender = usize::from(from.port());
                assert!(data[8..].iter().all(|byte| usize::from(*byte) == sender), "torn");
                let number = u64::from_be_bytes(data[..8].try_into().unwrap());
                assert!(last[sender].is_none_or(|last| last < number), "out of order");
                last[sender] = Some(number);
                came += 1;
            });
        };
        while !senders.iter().all(std::thread::JoinHandle::is_finished) {
            take();
        }
        take();
        assert_eq!(came + refused.load(Ordering::Relaxed), 3 * EACH);
    }
}
