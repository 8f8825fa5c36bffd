//! How long packets take through the server, from the moment before the Bot's system call to the kernel's receive
//! stamp at the other Bot; and the same from the load generator straight to itself, which is to be subtracted.

use super::counts::Delays;
use crate::bots::content::Tag;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// So short that few are disturbed when the host takes a core away.
const WINDOW: Duration = Duration::from_millis(200);

/// Frames of a source whose times are remembered; a packet that is later than so many frames is not timed.
const REMEMBERED: usize = 256;

/// The time of day, on the clock of the kernel's receive stamps.
#[expect(clippy::disallowed_methods, reason = "receive stamps are times of day")]
pub fn time_of_day() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}

/// Pictures and sound.
#[derive(Debug, Clone, Default)]
pub struct Pair {
    pub pictures: Delays,
    pub sounds: Delays,
}

/// When the frames of one source left.
#[derive(Debug, Clone, Default)]
pub struct Departures {
    times: Vec<(u32, Duration)>,
}

impl Departures {
    /// The frames before `next` left now, as far as they had not before.
    pub fn note(&mut self, before: u32, next: u32, at: Duration) {
        self.times.resize(REMEMBERED, (u32::MAX, Duration::ZERO));
        for frame in before..next {
            self.times[frame as usize % REMEMBERED] = (frame, at);
        }
    }

    fn of(&self, frame: u32) -> Option<Duration> {
        let (known, at) = self.times.get(frame as usize % REMEMBERED)?;
        (*known == frame).then_some(*at)
    }
}

/// What is timed, in windows by the time of arrival.
#[derive(Debug, Clone, Default)]
pub struct Stopwatch {
    windows: BTreeMap<u128, Timed>,
}

impl Stopwatch {
    /// The window of a time of day.
    pub fn window(&mut self, at: Duration) -> &mut Timed {
        self.windows.entry(at.as_nanos() / WINDOW.as_nanos()).or_default()
    }

    /// All windows that count by their beginning and end, as one, and their share.
    pub fn sum(self, counts: impl Fn(Duration, Duration) -> bool) -> (Timed, f64) {
        let (all, mut kept, mut sum) = (self.windows.len(), 0, Timed::default());
        for (number, window) in self.windows {
            let from = Duration::from_nanos((number * WINDOW.as_nanos()) as u64);
            if counts(from, from + WINDOW) {
                kept += 1;
                sum.add(&window);
            }
        }
        (sum, kept as f64 / all.max(1) as f64)
    }
}

/// How long what came in some time had taken.
#[derive(Debug, Clone, Default)]
pub struct Timed {
    /// Packets that complete a frame, and sounds.
    pub through: Pair,
    /// From the load generator to itself.
    pub direct: Pair,
    /// Complete frames by layer.
    pub layers: [u64; 3],
    /// Of each frame of pictures the slowest destination's.
    last: HashMap<(u32, u32), Duration>,
}

impl Timed {
    /// A packet came.
    pub fn arrived(&mut self, tag: &Tag, departures: &Departures, at: Duration) {
        let completes = tag.packet + 1 == tag.packets;
        let Some(left) = departures.of(tag.frame).filter(|_| completes) else { return };
        let delay = at.saturating_sub(left);
        if super::clients::is_camera(tag.source) {
            self.through.pictures.note(delay);
            if let Some(count) = self.layers.get_mut(usize::from(tag.layer)) {
                *count += 1;
            }
            let last = self.last.entry((tag.bot, tag.frame)).or_default();
            *last = delay.max(*last);
        } else {
            self.through.sounds.note(delay);
        }
    }

    fn add(&mut self, other: &Self) {
        for (one, other) in [(&mut self.through, &other.through), (&mut self.direct, &other.direct)] {
            one.pictures.add(&other.pictures);
            one.sounds.add(&other.sounds);
        }
        self.layers.iter_mut().zip(other.layers).for_each(|(one, other)| *one += other);
        // A frame whose last destination came in the next window is in both; the slower is its last.
        for (frame, delay) in &other.last {
            let last = self.last.entry(*frame).or_default();
            *last = (*delay).max(*last);
        }
    }

    /// Of each frame how long until the last destination had it.
    pub fn last_destinations(&self) -> Delays {
        let mut delays = Delays::default();
        self.last.values().for_each(|delay| delays.note(*delay));
        delays
    }
}
