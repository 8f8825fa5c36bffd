//! What is counted of the packets that came: lengths of bursts, and delays.

use super::bare::Limit;
use std::collections::BTreeMap;
use std::time::Duration;

/// A datagram that is longer holds a picture.
const LONGEST_SOUND: usize = 400;

/// Whether a media datagram of this length holds a picture.
pub const fn is_picture(len: usize) -> bool {
    len > LONGEST_SOUND
}

/// Packets by the length of the burst (the GSO send) in which they came.
#[derive(Debug, Clone, Default)]
pub struct Bursts {
    pub pictures: BTreeMap<usize, u64>,
    pub sounds: BTreeMap<usize, u64>,
}

impl Bursts {
    /// A media datagram of this length came in a burst of so many.
    pub fn note(&mut self, len: usize, burst: usize) {
        let of = if is_picture(len) { &mut self.pictures } else { &mut self.sounds };
        *of.entry(burst).or_default() += 1;
    }

    /// Sealing and sending the same packets in the same bursts, in nanoseconds.
    pub fn bare_ns(&self, limit: &Limit) -> f64 {
        let pictures = self.pictures.iter().map(|(len, count)| limit.picture.at(*len) * *count as f64);
        let sounds = self.sounds.iter().map(|(len, count)| limit.sound.at(*len) * *count as f64);
        pictures.chain(sounds).sum()
    }

    fn total(&self) -> u64 {
        self.pictures.values().chain(self.sounds.values()).sum()
    }

    /// The lengths that hold more than a twentieth of all packets.
    pub fn frequent(&self) -> impl Iterator<Item = usize> + '_ {
        let total = self.total();
        let often = move |(_, count): &(&usize, &u64)| **count * 20 > total;
        self.pictures.iter().chain(&self.sounds).filter(often).map(|(len, _)| *len)
    }

    fn shares(of: &BTreeMap<usize, u64>, most: usize) -> String {
        let total: u64 = of.values().sum();
        let mut sorted: Vec<_> = of.iter().collect();
        sorted.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let share = |(len, count): &(&usize, &u64)| format!("{len}: {:.0} %", **count as f64 * 100.0 / total as f64);
        sorted.iter().take(most).map(share).collect::<Vec<_>>().join(", ")
    }

    /// The most frequent lengths with their shares of packets.
    pub fn describe(&self) -> String {
        let (pictures, sounds) = (Self::shares(&self.pictures, 4), Self::shares(&self.sounds, 2));
        format!("{pictures}; sound {sounds}")
    }
}

/// Times, kept whole so that any percentile can be told.
#[derive(Debug, Clone, Default)]
pub struct Delays {
    /// Tenths of microseconds.
    tenths: Vec<u32>,
}

impl Delays {
    pub fn note(&mut self, delay: Duration) {
        self.tenths.push(u32::try_from(delay.as_nanos() / 100).unwrap_or(u32::MAX));
    }

    pub fn add(&mut self, other: &Self) {
        self.tenths.extend_from_slice(&other.tenths);
    }

    pub fn len(&self) -> usize {
        self.tenths.len()
    }

    /// The delay that this share of all stays below, in milliseconds; `NaN` with none.
    pub fn at(&mut self, share: f64) -> f64 {
        self.tenths.sort_unstable();
        let place = ((self.tenths.len() as f64 * share).ceil() as usize).clamp(1, self.tenths.len().max(1)) - 1;
        self.tenths.get(place).map_or(f64::NAN, |tenths| f64::from(*tenths) / 10_000.0)
    }

    pub fn clear(&mut self) {
        self.tenths.clear();
    }
}
