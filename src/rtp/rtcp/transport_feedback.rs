//! Transport-wide congestion control feedback
//! (`draft-holmer-rmcat-transport-wide-cc-extensions-01` §3.1), read lazily and written.

use super::Malformed;
use super::feedback::sources;
use crate::rtp::bytes::{put, u8_at, u16_at, u24_at};
use std::time::Duration;

/// The unit of arrival times.
pub const TICK: Duration = Duration::from_micros(250);
/// Ticks in one unit of the reference time, which is 64 ms.
pub const TICKS_PER_REFERENCE: u32 = 256;
/// How many packets one feedback that we write tells of, so that it stays below 1,200 bytes with every delta
/// two bytes long.
pub const MAX_STATUSES: usize = 512;

/// Length of what precedes the chunks, after the two sources.
const FIXED_LEN: usize = 8;
/// The longest run of one symbol in a run-length chunk.
const MAX_RUN: usize = 0x1fff;

/// What a feedback says of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Not received.
    Lost,
    /// Received, but not when.
    Untimed,
    /// Received so many ticks after the timed packet before it (the first one after the reference time).
    After(i16),
}

/// A feedback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransportFeedback<'a> {
    /// Who reports.
    pub sender: u32,
    /// A stream of the transport; of no meaning.
    pub media: u32,
    /// The transport-wide number of the first packet.
    pub base: u16,
    /// Of how many packets it tells.
    pub status_count: u16,
    /// The time from which the first delta counts, in units of 64 ms; 24 bits, signed and wrapping.
    pub reference: u32,
    /// Which feedback it is; goes up by one with each.
    pub count: u8,
    chunks: &'a [u8],
    deltas: &'a [u8],
}

impl<'a> TransportFeedback<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<TransportFeedback<'a>, Malformed> {
        let (sender, media) = sources(body)?;
        let short = Malformed::Short;
        let base = u16_at(body, 8).ok_or(short)?;
        let status_count = u16_at(body, 10).ok_or(short)?;
        let reference = u24_at(body, 12).ok_or(short)?;
        let count = u8_at(body, 15).ok_or(short)?;
        let rest = body.get(16..).ok_or(short)?;
        let (mut told, mut at) = (0usize, 0);
        while told < usize::from(status_count) {
            told += Chunk::parse(u16_at(rest, at).ok_or(short)?).len();
            at += 2;
        }
        let (chunks, deltas) = rest.split_at_checked(at).ok_or(short)?;
        Ok(TransportFeedback { sender, media, base, status_count, reference, count, chunks, deltas })
    }

    /// Each packet's number and status, in order. Ends early where deltas are missing.
    #[must_use]
    pub fn statuses(&self) -> Statuses<'a> {
        Statuses {
            chunks: self.chunks,
            deltas: self.deltas,
            chunk: None,
            in_chunk: 0,
            next: self.base,
            left: self.status_count,
        }
    }
}

/// See [`TransportFeedback::statuses`].
#[derive(Debug, Clone)]
pub struct Statuses<'a> {
    chunks: &'a [u8],
    deltas: &'a [u8],
    chunk: Option<Chunk>,
    in_chunk: usize,
    next: u16,
    left: u16,
}

impl Statuses<'_> {
    fn symbol(&mut self) -> Option<Symbol> {
        loop {
            if let Some(symbol) = self.chunk.and_then(|chunk| chunk.get(self.in_chunk)) {
                self.in_chunk += 1;
                return Some(symbol);
            }
            let (&word, rest) = self.chunks.split_first_chunk()?;
            self.chunks = rest;
            self.chunk = Some(Chunk::parse(u16::from_be_bytes(word)));
            self.in_chunk = 0;
        }
    }

    fn status(&mut self, symbol: Symbol) -> Option<Status> {
        Some(match symbol {
            Symbol::Lost => Status::Lost,
            Symbol::Untimed => Status::Untimed,
            Symbol::Small => {
                let (&delta, rest) = self.deltas.split_first()?;
                self.deltas = rest;
                Status::After(i16::from(delta))
            }
            Symbol::Large => {
                let (&delta, rest) = self.deltas.split_first_chunk()?;
                self.deltas = rest;
                Status::After(i16::from_be_bytes(delta))
            }
        })
    }
}

impl Iterator for Statuses<'_> {
    type Item = (u16, Status);

    fn next(&mut self) -> Option<(u16, Status)> {
        self.left = self.left.checked_sub(1)?;
        let symbol = self.symbol()?;
        let Some(status) = self.status(symbol) else {
            self.left = 0;
            return None;
        };
        let number = self.next;
        self.next = number.wrapping_add(1);
        Some((number, status))
    }
}

/// How a chunk says what became of a packet (§3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Lost = 0,
    Small = 1,
    Large = 2,
    Untimed = 3,
}

impl Symbol {
    const fn of_bits(bits: u16) -> Symbol {
        match bits & 3 {
            0 => Symbol::Lost,
            1 => Symbol::Small,
            2 => Symbol::Large,
            _ => Symbol::Untimed,
        }
    }

    const fn of_arrival(arrival: Option<i16>) -> Symbol {
        match arrival {
            None => Symbol::Lost,
            Some(0..=255) => Symbol::Small,
            Some(_) => Symbol::Large,
        }
    }

    const fn delta_len(self) -> usize {
        match self {
            Symbol::Lost | Symbol::Untimed => 0,
            Symbol::Small => 1,
            Symbol::Large => 2,
        }
    }
}

/// 16 bits that tell of several packets (§3.1.2 to §3.1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunk {
    Run(Symbol, u16),
    /// 14 packets, a bit each, the first in the highest bit.
    OneBit(u16),
    /// 7 packets, two bits each.
    TwoBit(u16),
}

impl Chunk {
    const fn parse(word: u16) -> Chunk {
        match word >> 14 {
            0 | 1 => Chunk::Run(Symbol::of_bits(word >> 13), word & 0x1fff),
            2 => Chunk::OneBit(word & 0x3fff),
            _ => Chunk::TwoBit(word & 0x3fff),
        }
    }

    const fn len(self) -> usize {
        match self {
            Chunk::Run(_, run) => run as usize,
            Chunk::OneBit(_) => 14,
            Chunk::TwoBit(_) => 7,
        }
    }

    fn get(self, index: usize) -> Option<Symbol> {
        if index >= self.len() {
            return None;
        }
        Some(match self {
            Chunk::Run(symbol, _) => symbol,
            Chunk::OneBit(bits) => Symbol::of_bits(bits >> (13 - index) & 1),
            Chunk::TwoBit(bits) => Symbol::of_bits(bits >> (12 - 2 * index)),
        })
    }

    const fn to_word(self) -> u16 {
        match self {
            Chunk::Run(symbol, run) => (symbol as u16) << 13 | run,
            Chunk::OneBit(bits) => 0x8000 | bits,
            Chunk::TwoBit(bits) => 0xc000 | bits,
        }
    }

    /// The chunk that tells of most of the `arrivals` from the first on, and of how many.
    fn covering(arrivals: &[Option<i16>]) -> (Chunk, usize) {
        let symbol = |arrival: &Option<i16>| Symbol::of_arrival(*arrival);
        let first = arrivals.first().map_or(Symbol::Lost, symbol);
        let run = arrivals.iter().take(MAX_RUN).take_while(|arrival| symbol(arrival) == first).count();
        let wide = arrivals.iter().take(14).any(|arrival| symbol(arrival) == Symbol::Large);
        let vector = if wide { 7 } else { 14 };
        if run >= vector.min(arrivals.len()) {
            return (Chunk::Run(first, run as u16), run);
        }
        let covered = vector.min(arrivals.len());
        let mut bits = 0;
        for i in 0..vector {
            let symbol = arrivals.get(i).map_or(Symbol::Lost, symbol) as u16;
            bits = if wide { bits << 2 | symbol } else { bits << 1 | symbol };
        }
        (if wide { Chunk::TwoBit(bits) } else { Chunk::OneBit(bits) }, covered)
    }
}

/// Length of the feedback after its two sources, without padding; `None` for more than
/// [`MAX_STATUSES`].
pub(super) fn body_len(arrivals: &[Option<i16>]) -> Option<usize> {
    if arrivals.len() > MAX_STATUSES {
        return None;
    }
    let mut len = FIXED_LEN;
    let mut rest = arrivals;
    while !rest.is_empty() {
        let (_, covered) = Chunk::covering(rest);
        len += 2;
        rest = &rest[covered..];
    }
    Some(len + arrivals.iter().map(|&arrival| Symbol::of_arrival(arrival).delta_len()).sum::<usize>())
}

/// Writes what [`body_len`] measured.
pub(super) fn write(body: &mut [u8], base: u16, count: u8, reference: u32, arrivals: &[Option<i16>]) {
    put(body, 0, &base.to_be_bytes());
    put(body, 2, &(arrivals.len() as u16).to_be_bytes());
    put(body, 4, &(reference << 8 | u32::from(count)).to_be_bytes());
    let mut at = FIXED_LEN;
    let mut rest = arrivals;
    while !rest.is_empty() {
        let (chunk, covered) = Chunk::covering(rest);
        put(body, at, &chunk.to_word().to_be_bytes());
        at += 2;
        rest = &rest[covered..];
    }
    for &arrival in arrivals.iter().flatten() {
        let bytes = arrival.to_be_bytes();
        let len = Symbol::of_arrival(Some(arrival)).delta_len();
        put(body, at, &bytes[2 - len..]);
        at += len;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The examples of §3.1.3 and §3.1.4.
    #[test]
    fn chunks_of_the_draft_are_read_and_written() {
        assert_eq!(Chunk::parse(0x00dd), Chunk::Run(Symbol::Lost, 221));
        assert_eq!(Chunk::parse(0x6018), Chunk::Run(Symbol::Untimed, 24));
        let one_bit = Chunk::parse(0x9f1c);
        let received: Vec<_> = (0..14).map(|i| one_bit.get(i) == Some(Symbol::Small)).collect();
        let expected = [0, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0].map(|bit| bit == 1);
        assert_eq!(received, expected);
        let two_bit = Chunk::parse(0xcd50);
        let symbols: Vec<_> = (0..7).filter_map(|i| two_bit.get(i)).collect();
        use Symbol::{Lost, Small, Untimed};
        assert_eq!(symbols, [Lost, Untimed, Small, Small, Small, Lost, Lost]);
        for word in [0x00dd, 0x6018, 0x9f1c, 0xcd50] {
            assert_eq!(Chunk::parse(word).to_word(), word);
        }
    }

    #[test]
    fn a_run_is_chosen_where_it_says_more_than_a_vector() {
        let steady = [Some(4); 20];
        assert_eq!(Chunk::covering(&steady), (Chunk::Run(Symbol::Small, 20), 20));
        let mixed = [Some(4), None, Some(4)];
        assert_eq!(Chunk::covering(&mixed), (Chunk::OneBit(0b10_1000_0000_0000), 3));
        let wide = [Some(4), Some(-1), None];
        assert_eq!(Chunk::covering(&wide), (Chunk::TwoBit(0b01_1000_0000_0000), 3));
    }

    #[test]
    fn the_longest_feedback_stays_below_1200_bytes() {
        let arrivals: Vec<_> = (0..MAX_STATUSES).map(|i| Some(if i % 2 == 0 { -1 } else { 300 })).collect();
        let len = body_len(&arrivals).unwrap();
        assert!(len + 12 <= 1200, "{len}");
        assert_eq!(body_len(&vec![None; MAX_STATUSES + 1]), None);
    }
}
