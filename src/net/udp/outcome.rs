//! What becomes of a batch: which errors of the kernel stop what, and the counts. Knows no system
//! calls; they are handed in.

use super::send::{Burst, MAX_BURST_DATAGRAMS, MAX_BURSTS};

/// What was sent of a batch and what was not. Counts of datagrams but for `sends`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SendReport {
    /// Given to the kernel.
    pub datagrams: usize,
    /// Messages they made: each is one trip through the kernel.
    pub sends: usize,
    /// Not sent.
    pub dropped: Dropped,
}

/// Datagrams that were not sent, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dropped {
    /// The socket's or the card's queue is full; media is not worth waiting for.
    pub full: usize,
    /// No way leads there.
    pub unreachable: usize,
    /// Larger than the way allows.
    pub too_large: usize,
    /// For another reason, such as a firewall rule.
    pub refused: usize,
}

impl Dropped {
    /// All of them.
    #[must_use]
    pub const fn total(self) -> usize {
        self.full + self.unreachable + self.too_large + self.refused
    }
}

/// The counts of a socket.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) report: SendReport,
    /// How many sends had so many datagrams.
    pub(super) lengths: [u64; MAX_BURST_DATAGRAMS + 1],
}

impl Tally {
    pub(super) const fn new() -> Self {
        let dropped = Dropped { full: 0, unreachable: 0, too_large: 0, refused: 0 };
        let report = SendReport { datagrams: 0, sends: 0, dropped };
        Self { report, lengths: [0; MAX_BURST_DATAGRAMS + 1] }
    }

    fn sent(&mut self, messages: &[Burst]) {
        for message in messages {
            self.report.datagrams += message.datagrams;
            self.report.sends += 1;
            if let Some(count) = self.lengths.get_mut(message.datagrams) {
                *count += 1;
            }
        }
    }
}

/// Sends bursts: whole while `gso` holds, else datagram by datagram. `send` is given messages and
/// says how many of the first the kernel took (at least one), or the error of the first. `scratch`
/// has room for [`MAX_BURSTS`].
pub(super) fn flush(
    bursts: &[Burst],
    gso: &mut bool,
    scratch: &mut Vec<Burst>,
    tally: &mut Tally,
    mut send: impl FnMut(&[Burst]) -> Result<usize, i32>,
) {
    let mut retries = 1;
    let mut rest = bursts;
    while let Some(first) = rest.first() {
        scratch.clear();
        if !*gso {
            let mut taken = 0;
            for burst in rest {
                if taken > 0 && scratch.len() + burst.datagrams > MAX_BURSTS {
                    break;
                }
                scratch.extend(burst.split());
                taken += 1;
            }
            drive(scratch, &mut retries, tally, &mut send);
            rest = rest.get(taken..).unwrap_or_default();
            continue;
        }
        let Some(refused) = drive(rest, &mut retries, tally, &mut send) else {
            return;
        };
        let burst = rest.get(refused).unwrap_or(first);
        let before = tally.report.datagrams;
        scratch.extend(burst.split());
        drive(scratch, &mut retries, tally, &mut send);
        // Where all its datagrams pass one by one, it is GSO that this kernel or card refuses, and not one of them that
        // was too long.
        *gso = tally.report.datagrams - before < burst.datagrams;
        rest = rest.get(refused + 1..).unwrap_or_default();
    }
}

/// Sends messages until all are sent or dropped, or until one is refused that may pass without GSO:
/// then says which.
fn drive(
    messages: &[Burst],
    retries: &mut u32,
    tally: &mut Tally,
    send: &mut impl FnMut(&[Burst]) -> Result<usize, i32>,
) -> Option<usize> {
    let mut next = 0;
    while let Some(rest) = messages.get(next..).filter(|rest| !rest.is_empty()) {
        let error = match send(rest) {
            Ok(count) => {
                let count = count.clamp(1, rest.len());
                tally.sent(&rest[..count]);
                next += count;
                continue;
            }
            Err(error) => error,
        };
        let datagrams = rest[0].datagrams;
        let dropped = &mut tally.report.dropped;
        match error {
            libc::EINTR => continue,
            libc::EAGAIN if *retries > 0 => {
                *retries -= 1;
                continue;
            }
            libc::EAGAIN => {
                dropped.full += rest.iter().map(|message| message.datagrams).sum::<usize>();
                return None;
            }
            libc::EIO | libc::EINVAL if datagrams > 1 => return Some(next),
            libc::ENOBUFS | libc::ENOMEM => dropped.full += datagrams,
            libc::EMSGSIZE => dropped.too_large += datagrams,
            libc::ENETUNREACH
            | libc::EHOSTUNREACH
            | libc::ENETDOWN
            | libc::EADDRNOTAVAIL
            | libc::EAFNOSUPPORT
            | libc::ECONNREFUSED => dropped.unreachable += datagrams,
            _ => dropped.refused += datagrams,
        }
        next += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use std::net::SocketAddr;

    fn burst(port: u16, datagrams: usize) -> Burst {
        let to = SocketAddr::from(([127, 0, 0, 1], port));
        Burst { to, from: None, start: 0, len: 100 * datagrams, segment: 100, datagrams }
    }

    /// Flushes with a kernel that answers as scripted, then takes everything. Gives the report, the
    /// lengths of the messages that left and whether GSO is still on.
    fn flushed(bursts: &[Burst], script: &[Result<usize, i32>]) -> (SendReport, Vec<usize>, bool) {
        let mut script: VecDeque<_> = script.iter().copied().collect();
        let (mut gso, mut tally, mut left) = (true, Tally::new(), Vec::new());
        flush(bursts, &mut gso, &mut Vec::new(), &mut tally, |messages| {
            let answer = script.pop_front().unwrap_or(Ok(messages.len()));
            left.extend(messages.iter().take(answer.unwrap_or(0)).map(|message| message.datagrams));
            answer
        });
        assert!(script.is_empty(), "the kernel was asked less often than expected");
        let asked: usize = bursts.iter().map(|burst| burst.datagrams).sum();
        assert_eq!(tally.report.datagrams + tally.report.dropped.total(), asked);
        assert_eq!(tally.report.sends, left.len());
        (tally.report, left, gso)
    }

    #[test]
    fn a_full_queue_is_tried_once_more_and_then_the_rest_is_dropped() {
        let bursts = [burst(1, 3), burst(2, 1), burst(3, 5)];
        let again = Err(libc::EAGAIN);
        let (report, left, gso) = flushed(&bursts, &[Ok(1), again, again]);
        assert_eq!((left, gso), (vec![3], true));
        assert_eq!(report.dropped, Dropped { full: 6, ..Dropped::default() });
        assert_eq!(flushed(&bursts, &[again]).1, [3, 1, 5]);
        assert_eq!(flushed(&bursts, &[Err(libc::EINTR), Err(libc::EINTR)]).1, [3, 1, 5]);
    }

    #[test]
    fn an_error_of_one_message_drops_that_one() {
        let bursts = [burst(1, 3), burst(2, 2), burst(3, 5)];
        for (error, expected) in [
            (libc::ENETUNREACH, Dropped { unreachable: 2, ..Dropped::default() }),
            (libc::EMSGSIZE, Dropped { too_large: 2, ..Dropped::default() }),
            (libc::EPERM, Dropped { refused: 2, ..Dropped::default() }),
            (libc::ENOBUFS, Dropped { full: 2, ..Dropped::default() }),
        ] {
            let (report, left, gso) = flushed(&bursts, &[Ok(1), Err(error)]);
            assert_eq!((report.dropped, left, gso), (expected, vec![3, 5], true));
        }
    }

    #[test]
    fn where_gso_is_refused_datagrams_leave_one_by_one_from_then_on() {
        let bursts = [burst(1, 1), burst(2, 3), burst(3, 2)];
        for error in [libc::EIO, libc::EINVAL] {
            let (report, left, gso) = flushed(&bursts, &[Ok(1), Err(error)]);
            assert_eq!((report.datagrams, report.dropped.total()), (6, 0));
            assert_eq!((left, gso), (vec![1; 6], false));
        }
    }

    #[test]
    fn where_single_datagrams_are_refused_too_gso_is_not_to_blame() {
        let bursts = [burst(1, 2), burst(2, 3)];
        let invalid = Err(libc::EINVAL);
        let (report, left, gso) = flushed(&bursts, &[invalid, invalid, invalid]);
        assert_eq!((report.dropped.refused, left, gso), (2, vec![3], true));
    }

    #[test]
    fn one_datagram_that_is_too_long_does_not_end_gso_for_all() {
        let bursts = [burst(1, 3), burst(2, 2)];
        let (report, left, gso) = flushed(&bursts, &[Err(libc::EINVAL), Ok(1), Err(libc::EMSGSIZE), Ok(1)]);
        assert_eq!((report.dropped.too_large, left, gso), (1, vec![1, 1, 2], true));
    }

    #[test]
    fn without_gso_no_call_has_more_messages_than_the_kernel_takes() {
        let bursts = vec![burst(1, 64); 40];
        let (mut gso, mut tally, mut calls) = (false, Tally::new(), Vec::new());
        flush(&bursts, &mut gso, &mut Vec::new(), &mut tally, |messages| {
            calls.push(messages.len());
            Ok(messages.len())
        });
        assert_eq!(calls, [1024, 1024, 512]);
        assert_eq!(tally.lengths[1], 2560);
    }
}
