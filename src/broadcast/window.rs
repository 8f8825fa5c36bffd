//! What viewers can get of one rendition: its newest segments with their parts, bounded by time and bytes. Told the
//! time by what is pushed. Knows no frames, no playlists and no viewers.

use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Arc;

/// A piece of a segment that can be had before the segment is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// In microseconds.
    pub duration_us: u64,
    /// Whether one can begin to decode with it.
    pub independent: bool,
    /// A fragment of MP4.
    pub bytes: Bytes,
}

/// Parts between two places at which one can begin to decode, mostly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its media sequence number.
    pub msn: u64,
    /// Which head it is decoded with.
    pub head: u32,
    /// Another one than that of the segment before: times, codec or size begin anew.
    pub era: u32,
    /// When it was captured, in milliseconds since 1970.
    pub at_ms: u64,
    /// Of its parts, in microseconds.
    pub duration_us: u64,
    /// In order.
    pub parts: Vec<Part>,
    /// No part is added any more.
    pub closed: bool,
}

impl Segment {
    /// Of its parts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.bytes.len()).sum()
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether one can begin to decode with it.
    #[must_use]
    pub fn independent(&self) -> bool {
        self.parts.first().is_some_and(|part| part.independent)
    }
}

/// What it holds at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// How long a playlist is, in microseconds.
    pub(super) listed_us: u64,
    /// For how long segments can be had that are in no playlist any more, in microseconds.
    pub(super) kept_us: u64,
    /// Of all of them.
    pub(super) bytes: usize,
}

/// Playlists do not say of more than so many eras in a row that nothing is left of them.
const MOST_ERAS: u32 = 32;

#[derive(Debug)]
pub(super) struct Window {
    bounds: Bounds,
    /// The last one may be open. Shared with what viewers were given.
    segments: VecDeque<Arc<Segment>>,
    /// The first that playlists name.
    listed: u64,
    next: u64,
    bytes: usize,
    heads: Vec<(u32, Bytes)>,
    last_head: u32,
    /// The highest rate of a segment so far, in bits per second.
    peak: u64,
}

impl Window {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            segments: VecDeque::new(),
            listed: 0,
            next: 0,
            bytes: 0,
            heads: Vec::new(),
            last_head: 0,
            peak: 0,
        }
    }

    /// Takes a head for what comes next.
    pub(super) fn add_head(&mut self, bytes: Bytes) {
        self.last_head += 1;
        self.heads.push((self.last_head, bytes));
    }

    /// Adds a part to the open segment, or to a new one that begins with it.
    pub(super) fn push(&mut self, part: Part, era: u32, at_ms: u64) {
        if self.segments.back().is_none_or(|last| last.closed) {
            let (msn, head) = (self.next, self.last_head);
            self.next += 1;
            if self.segments.back().is_some_and(|last| era > last.era + MOST_ERAS) {
                self.listed = msn;
            }
            let segment = Segment { msn, head, era, at_ms, duration_us: 0, parts: Vec::new(), closed: false };
            self.segments.push_back(Arc::new(segment));
        }
        self.bytes += part.bytes.len();
        if let Some(last) = self.segments.back_mut() {
            let last = Arc::make_mut(last);
            last.duration_us += part.duration_us;
            last.parts.push(part);
            // The very first is one part alone: hls.js gives up on a playlist without a whole segment.
            last.closed = last.msn == 0;
            // A first part alone is mostly a key frame, and says nothing of a rate.
            if last.duration_us >= 1_000_000 || self.peak == 0 {
                self.peak = self.peak.max(last.len() as u64 * 8_000_000 / last.duration_us.max(1));
            }
        }
        self.trim();
    }

    /// Closes the open segment.
    pub(super) fn close(&mut self) {
        if let Some(last) = self.segments.back_mut().filter(|last| !last.closed) {
            Arc::make_mut(last).closed = true;
        }
    }

    /// How long the open segment is, in microseconds.
    pub(super) fn open_us(&self) -> u64 {
        self.segments.back().filter(|last| !last.closed).map_or(0, |last| last.duration_us)
    }

    /// How many bytes the open segment has.
    pub(super) fn open_bytes(&self) -> usize {
        self.segments.back().filter(|last| !last.closed).map_or(0, |last| last.len())
    }

    /// How many bytes a segment may have: an open one is never given up.
    pub(super) const fn segment_bytes(&self) -> usize {
        self.bounds.bytes / 4
    }

    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Everything that can be had, oldest first.
    pub(super) fn segments(&self) -> impl DoubleEndedIterator<Item = &Arc<Segment>> {
        self.segments.iter()
    }

    /// What playlists name, oldest first.
    pub(super) fn listed(&self) -> impl DoubleEndedIterator<Item = &Arc<Segment>> {
        self.segments.iter().filter(|segment| segment.msn >= self.listed)
    }

    pub(super) fn heads(&self) -> &[(u32, Bytes)] {
        &self.heads
    }

    /// The next part: its segment, and its number there.
    pub(super) fn edge(&self) -> (u64, usize) {
        match self.segments.back() {
            Some(last) if !last.closed => (last.msn, last.parts.len()),
            _ => (self.next, 0),
        }
    }

    /// The last part there is.
    pub(super) fn last(&self) -> Option<(u64, usize)> {
        self.segments.back().and_then(|last| Some((last.msn, last.parts.len().checked_sub(1)?)))
    }

    pub(super) const fn peak(&self) -> u64 {
        self.peak
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    fn trim(&mut self) {
        let (mut after, mut listed) = (0, self.listed);
        for segment in self.segments.iter().rev() {
            if after >= self.bounds.listed_us {
                listed = listed.max(segment.msn + 1);
                break;
            }
            // Only whole ones count.
            after += if segment.closed { segment.duration_us } else { 0 };
        }
        self.listed = listed;
        let total: u64 = self.segments.iter().map(|segment| segment.duration_us).sum();
        let mut spare = total.saturating_sub(self.bounds.listed_us + self.bounds.kept_us);
        while self.segments.len() > 1 {
            let Some(first) = self.segments.front() else { break };
            let old = first.msn < self.listed && first.duration_us <= spare;
            if !old && self.bytes <= self.bounds.bytes {
                break;
            }
            spare = spare.saturating_sub(first.duration_us);
            self.bytes -= first.len();
            self.listed = self.listed.max(first.msn + 1);
            self.segments.pop_front();
        }
        let first = self.segments.front().map_or(self.last_head, |first| first.head);
        self.heads.retain(|(number, _)| *number >= first);
    }
}
