//! One rendition of a live stream: a cutter and a writer for what it is coded with, and the window that its parts go to.
//! Knows neither the other rendition nor where segments begin.

use super::window::{Bounds, Part, Window};
use bytes::Bytes;
use recordings::codec::Config;
use recordings::parts::Cutter;
use recordings::{Codec, mp4};
use std::time::Duration;

/// What the last picture before a break is said to last at most.
const LAST_MS: u64 = 100;
/// No part has more bytes, but for one frame that has: times that stand still would make one of any size.
const PART_BYTES: usize = 4 << 20;
/// What a picture may come late without making a part longer than is said, in milliseconds.
const JITTER_MS: u64 = 15;

/// One of the two renditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What is seen.
    Picture,
    /// What is heard.
    Sound,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Picture, Self::Sound];

    /// As URLs name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Picture => "video",
            Self::Sound => "audio",
        }
    }

    /// As URLs name the playlists of all that can be gone back to.
    pub const BACK: (&'static str, &'static str) = ("rewind-video", "rewind-audio");

    pub(super) const fn other(self) -> Self {
        match self {
            Self::Picture => Self::Sound,
            Self::Sound => Self::Picture,
        }
    }
}

#[derive(Debug)]
pub(super) struct Lane {
    pub(super) config: Option<Config>,
    /// What comes next is coded with. It has no head until something comes: formats alone cost nothing.
    pub(super) pending: Option<Config>,
    pub(super) cutter: Option<(Cutter, mp4::Writer)>,
    pub(super) window: Window,
    /// From the publisher's ticks to ours.
    pub(super) shift: Option<i64>,
    pub(super) era: u32,
    /// The time of the last frame, in ticks.
    pub(super) last: Option<u64>,
    /// When what was given ends.
    pub(super) end_us: u64,
    pub(super) wants_key: bool,
    pub(super) changed: bool,
    /// Whether anything was given since both tracks count from where they do.
    pub(super) given: bool,
    /// Whether players are told that nothing comes of it, so that they ask anew what there is.
    pub(super) retired: bool,
}

/// The moment that both tracks of a publisher count from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Zero {
    /// Theirs, in microseconds.
    pub(super) theirs_us: u64,
    /// Ours.
    pub(super) ours_us: u64,
    /// The time of day, in milliseconds since 1970.
    pub(super) at_ms: u64,
}

pub(super) fn us(ticks: u64, codec: Codec) -> u64 {
    u64::try_from(u128::from(ticks) * 1_000_000 / u128::from(codec.rate())).unwrap_or(u64::MAX)
}

pub(super) fn ticks(us: u64, codec: Codec) -> i64 {
    i64::try_from(u128::from(us) * u128::from(codec.rate()) / 1_000_000).unwrap_or(i64::MAX)
}

impl Lane {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            config: None,
            pending: None,
            cutter: None,
            window: Window::new(bounds),
            shift: None,
            era: 0,
            last: None,
            end_us: 0,
            wants_key: true,
            changed: false,
            given: false,
            retired: false,
        }
    }

    /// What its frames will be coded with. They may carry no parameter sets: then the head must have the very numbers
    /// that they name.
    pub(super) fn announce(&mut self, config: Config) {
        self.pending = (self.config.as_ref() != Some(&config)).then_some(config);
    }

    /// Whether frames with these parameter sets in them need no other head.
    pub(super) fn goes_on_with(&self, config: &Config) -> bool {
        self.config.as_ref().is_some_and(|now| now.is_same_but_numbers(config))
    }

    /// Bytes that are held.
    pub(super) fn bytes(&self) -> usize {
        self.window.bytes() + self.waiting()
    }

    fn waiting(&self) -> usize {
        self.cutter.as_ref().map_or(0, |(cutter, _)| cutter.waiting())
    }

    /// Whether a frame of so many bytes has to begin another segment, or at least another part.
    pub(super) fn is_full_for(&self, len: usize) -> (bool, bool) {
        let waiting = self.waiting();
        let part = waiting > 0 && waiting + len > PART_BYTES;
        (self.window.open_bytes() + waiting + len > self.window.segment_bytes(), part)
    }

    /// Another configuration: what follows needs another head.
    pub(super) fn set(&mut self, config: Config, part: Duration) {
        let writer = mp4::Writer::for_stream(&config);
        self.window.add_head(Bytes::copy_from_slice(writer.init()));
        let longest = u64::try_from(part.as_millis()).unwrap_or(u64::MAX) - JITTER_MS;
        let end = u64::try_from(ticks(self.end_us, config.codec())).unwrap_or(0);
        self.cutter = Some((Cutter::with_longest(&config, longest).after(end), writer));
        self.config = Some(config);
        self.pending = None;
    }

    pub(super) fn add(&mut self, part: Option<recordings::Part>, zero: Zero) {
        let (Some(part), Some((_, writer))) = (part, &mut self.cutter) else { return };
        let (from, to) = (us(part.time, part.codec), us(part.end(), part.codec));
        self.end_us = to;
        let made = Part { duration_us: to - from, independent: part.independent(), bytes: writer.part(&part).into() };
        let at_ms = (zero.at_ms + from / 1000).saturating_sub(zero.ours_us / 1000);
        self.window.push(made, self.era, at_ms);
        (self.changed, self.given) = (true, true);
    }

    /// All that came is given, and the segment ends.
    pub(super) fn finish(&mut self, zero: Option<Zero>) {
        let part = self.cutter.as_mut().and_then(|(cutter, _)| cutter.end_within(LAST_MS));
        if let Some(zero) = zero {
            self.add(part, zero);
        }
        self.window.close();
        self.changed = true;
    }

    pub(super) fn end_us(&self) -> u64 {
        let last = self.config.as_ref().zip(self.last).map_or(0, |(config, last)| us(last, config.codec()));
        last.max(self.end_us)
    }
}
