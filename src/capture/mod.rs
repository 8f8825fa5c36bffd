//! From the packets that a tap gives to frames of a recording: in order again, put together, on one clock, of the best
//! layer that arrives. Told the time. Knows no socket, no file, and nothing of who subscribes.
//!
//! What is lost stays lost: a gap in the times says so, and pictures go on with the next key frame.

mod assemble;
mod av1;
mod h264;
mod layers;
mod placement;
mod reorder;

use crate::session::SessionId;
use crate::worker::tap::{Tapped, What};
use layers::Layers;
use recordings::Frame;
use rustc_hash::FxHashMap;
use signaling::ids::Source;
use std::collections::VecDeque;
use std::time::Instant;

/// What comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A frame of a source.
    Frame {
        /// Whose.
        session: SessionId,
        /// Which source.
        source: Source,
        /// With its time on the recording's clock.
        frame: Frame,
    },
    /// Pictures can't go on, or not as good as they could be, without a key frame.
    KeyFrameWanted {
        /// Whose.
        session: SessionId,
        /// Which source.
        source: Source,
        /// Which layer of it.
        layer: u8,
    },
}

/// When the recording began.
#[derive(Debug, Clone, Copy)]
struct Zero {
    at: Instant,
    /// The same in nanoseconds of the server's clock.
    ns: i64,
}

/// A publisher's reports may place its frames so far before they came: what links hold back, and repair takes.
const EARLIEST_NS: i64 = 10_000_000_000;
/// And so far after, while the clock map learns.
const LATEST_NS: i64 = 1_000_000_000;

impl Zero {
    /// When a frame was captured, in nanoseconds since the recording began. What a publisher says of its clock is
    /// believed as far as it can be true; else the time counts at which the frame was there.
    fn captured_ns(&self, now: Instant, server_ns: i64) -> i64 {
        let came = i64::try_from(now.saturating_duration_since(self.at).as_nanos()).unwrap_or(i64::MAX);
        let said = server_ns.saturating_sub(self.ns);
        if (-EARLIEST_NS..=LATEST_NS).contains(&said.saturating_sub(came)) { said } else { came }
    }
}

/// All sources of a meeting.
#[derive(Debug)]
pub struct Capture {
    zero: Zero,
    /// Higher pictures are not kept where lower ones come.
    height: u16,
    sources: FxHashMap<(SessionId, Source), Layers>,
    outputs: VecDeque<Output>,
}

impl Capture {
    /// Of a recording that begins now, with pictures up to a height; `server_ns` is that time on the server's clock, in
    /// nanoseconds.
    #[must_use]
    pub fn new(now: Instant, server_ns: i64, height: u16) -> Self {
        Self { zero: Zero { at: now, ns: server_ns }, height, sources: FxHashMap::default(), outputs: VecDeque::new() }
    }

    /// Something that a tap gave.
    pub fn handle_tapped(&mut self, now: Instant, tapped: &Tapped) {
        let key = (tapped.session, tapped.source);
        match &tapped.what {
            What::Packet(packet) => {
                let height = self.height;
                let source = self.sources.entry(key).or_insert_with(|| Layers::new(height));
                source.handle_packet(now, tapped.layer, packet);
            }
            What::Padding { seq, .. } => {
                let Some(source) = self.sources.get_mut(&key) else { return };
                source.handle_padding(now, tapped.layer, *seq);
            }
            What::KeyFrameWanted => return,
        }
        self.collect(now, key);
    }

    /// A source needs a key frame, since earlier frames were not kept. It is asked for with its next packet, and again
    /// until one came.
    pub fn want_key(&mut self, session: SessionId, source: Source) {
        if let Some(layers) = self.sources.get_mut(&(session, source)) {
            layers.want_key();
        }
    }

    /// A source is over.
    pub fn end(&mut self, session: SessionId, source: Source) {
        self.sources.remove(&(session, source));
    }

    /// When [`Capture::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.sources.values().filter_map(Layers::poll_timeout).min()
    }

    /// Gives up what was waited for too long.
    pub fn handle_timeout(&mut self, now: Instant) {
        let due = self.sources.iter().filter(|(_, source)| source.poll_timeout().is_some_and(|at| at <= now));
        let due: Vec<_> = due.map(|(key, _)| *key).collect();
        for key in due {
            self.collect(now, key);
        }
    }

    /// What came out.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn collect(&mut self, now: Instant, key: (SessionId, Source)) {
        let Some(layers) = self.sources.get_mut(&key) else { return };
        let (session, source) = key;
        let (zero, outputs) = (self.zero, &mut self.outputs);
        layers.collect(now, zero, |frame| outputs.push_back(Output::Frame { session, source, frame }));
        let wanted = layers.poll_wanted(now);
        outputs.extend(wanted.map(|layer| Output::KeyFrameWanted { session, source, layer }));
    }
}

#[cfg(test)]
mod hour;
#[cfg(test)]
pub(crate) mod tests;
