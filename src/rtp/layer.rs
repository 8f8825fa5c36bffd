//! One layer of a published track: its packets, what of them is held until the frame is whole, its
//! rate, and key-frame requests. Knows no subscribers, sessions or keys.

mod meter;
mod span;

use super::ring::{NewPacket, PacketRing};
use super::scalability::{Heights, Step};
use crate::session::plan::{Kind, Ssrc};
use meter::StepMeter;
pub use span::{MAX_HELD, Span, SpanPackets};
use std::time::{Duration, Instant};

/// A frame whose last packet does not come is released after this long (design §4.3).
pub const HOLD: Duration = Duration::from_millis(15);

/// More packets than this after a key frame are no way to begin: a new one is smaller.
const MAX_RECENT: u64 = 128;

/// A layer of which nothing came for this long is not sent any more.
pub const SILENT_AFTER: Duration = Duration::from_millis(1500);

/// A layer of which nothing came for this long while another of the same picture went on: its publisher's link became
/// too thin for it, and who sees it must not wait for what will not come.
const STOPPED_AFTER: Duration = Duration::from_millis(500);

/// As long may a layer of few pictures be behind the others, since an encoder leaves some of those out.
const STILL_FOR: Duration = Duration::from_secs(3);

/// Rates are averaged over about this long.
const RATE_WINDOW: Duration = Duration::from_millis(1000);

/// The latest key frame.
#[derive(Debug, Clone, Copy)]
struct KeyFrame {
    first: u64,
    timestamp: u32,
    at: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    span: Span,
    timestamp: u32,
    since: Instant,
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Release {
    /// The frame before, which is over since this packet belongs to the next.
    pub earlier: Option<Span>,
    /// What this packet completed, or the packet itself where it does not wait.
    pub now: Option<Span>,
    /// It waits until then at the latest.
    pub held_until: Option<Instant>,
}

/// One layer.
pub struct Layer {
    /// Its media stream.
    pub ssrc: Ssrc,
    /// Its packets.
    pub ring: PacketRing,
    /// Heights of its pictures, once a key frame told.
    pub heights: Heights,
    kind: Kind,
    held: Option<Held>,
    released: Option<u64>,
    last_packet: Option<Instant>,
    window_start: Option<Instant>,
    window_bytes: u64,
    rate: Option<u32>,
    /// What its own layers take, where it has any.
    steps: Option<Box<StepMeter>>,
    /// Ends of frames since the window began.
    window_frames: u32,
    frame_bytes: Option<u32>,
    key_wanted: bool,
    key_requested: Option<Instant>,
    last_key: Option<KeyFrame>,
    /// The highest number that came.
    newest: Option<u64>,
}

impl Layer {
    /// A layer of which nothing has come.
    #[must_use]
    pub const fn new(ssrc: Ssrc, kind: Kind) -> Self {
        Self {
            ssrc,
            ring: PacketRing::new(),
            heights: Heights::of_one(None),
            kind,
            held: None,
            released: None,
            last_packet: None,
            window_start: None,
            window_bytes: 0,
            rate: None,
            steps: None,
            window_frames: 0,
            frame_bytes: None,
            key_wanted: false,
            key_requested: None,
            last_key: None,
            newest: None,
        }
    }

    /// Takes a packet that is neither forged nor seen before.
    pub fn handle_packet(&mut self, packet: &NewPacket<'_>) -> Release {
        let now = packet.arrived;
        self.meter(now, packet.payload.len(), packet.marker);
        if !packet.scalability.is_plain() || self.steps.is_some() {
            let steps = self.steps.get_or_insert_default();
            steps.handle_packet(now, packet.payload.len(), &packet.scalability);
            if self.newest.is_none_or(|newest| packet.seq > newest) {
                steps.note_sent(now, packet.scalability.sent);
            }
        }
        self.ring.push(packet);
        self.newest = self.newest.max(Some(packet.seq));
        if packet.key_start {
            self.key_wanted = false;
            self.note_key(packet);
        }
        let alone = Span { first: packet.seq, last: packet.seq };
        if self.kind == Kind::Audio {
            return Release { now: Some(alone), ..Release::default() };
        }
        // Packets of a frame that went out already are not part of what is held: nothing goes out twice.
        if self.released.is_some_and(|last| packet.seq <= last) {
            return Release { now: Some(alone), ..Release::default() };
        }
        let Some(held) = &mut self.held else { return self.hold(packet, alone) };
        let before = held.span;
        if held.timestamp == packet.timestamp
            && let Some(longer) = before.with(packet.seq)
        {
            held.span = longer;
            let whole = packet.marker || longer.count() >= MAX_HELD;
            return Release { now: if whole { self.release() } else { None }, ..Release::default() };
        }
        if packet.seq < before.first {
            self.released = Some(packet.seq);
            return Release { now: Some(alone), ..Release::default() };
        }
        let earlier = self.release();
        // Of another frame by its time, and of this one by its number: it stands among those that were held.
        if packet.seq <= before.last {
            return Release { earlier, ..Release::default() };
        }
        Release { earlier, ..self.hold(packet, alone) }
    }

    /// Whether packets came of another media stream than this one: then numbers begin anew.
    #[must_use]
    pub fn is_of_another(&self, ssrc: Ssrc) -> bool {
        self.newest.is_some() && self.ssrc != ssrc
    }

    /// Some encoders begin a key frame with two packets that could begin it (H.264's parameters, then the picture):
    /// the first counts.
    fn note_key(&mut self, packet: &NewPacket<'_>) {
        let first = match self.last_key {
            Some(last) if last.timestamp == packet.timestamp => last.first.min(packet.seq),
            Some(last) if packet.seq < last.first => return,
            _ => packet.seq,
        };
        self.last_key = Some(KeyFrame { first, timestamp: packet.timestamp, at: packet.arrived });
    }

    fn hold(&mut self, packet: &NewPacket<'_>, span: Span) -> Release {
        self.held = Some(Held { span, timestamp: packet.timestamp, since: packet.arrived });
        if packet.marker {
            Release { now: self.release(), ..Release::default() }
        } else {
            Release { held_until: Some(packet.arrived + HOLD), ..Release::default() }
        }
    }

    fn release(&mut self) -> Option<Span> {
        let held = self.held.take()?;
        self.released = Some(self.released.map_or(held.span.last, |last| last.max(held.span.last)));
        Some(held.span)
    }

    /// What has been held for [`HOLD`].
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Span> {
        self.held.filter(|held| now >= held.since + HOLD)?;
        self.release()
    }

    /// A key frame so young that no other would be asked for, with all that was released after it: whoever comes
    /// now can begin with it, and with what is `held` where that is wanted. `None` where any of it is missing.
    #[must_use]
    pub fn recent_key(&self, now: Instant, window: Duration, held: bool) -> Option<Span> {
        let KeyFrame { first, at, .. } = self.last_key?;
        if now.saturating_duration_since(at) >= window {
            return None;
        }
        let waits = self.held.filter(|_| !held);
        let last = waits.map_or(self.newest, |held| held.span.first.checked_sub(1))?;
        let whole =
            first <= last && last - first < MAX_RECENT && (first..=last).all(|seq| self.ring.get(seq).is_some());
        whole.then_some(Span { first, last })
    }

    /// What waits for the rest of its frame.
    #[must_use]
    pub fn held(&self) -> Option<Span> {
        self.held.map(|held| held.span)
    }

    fn meter(&mut self, now: Instant, bytes: usize, ends_frame: bool) {
        self.last_packet = Some(now);
        let start = *self.window_start.get_or_insert(now);
        self.window_bytes += bytes as u64;
        self.window_frames += u32::from(ends_frame);
        let elapsed = now.saturating_duration_since(start);
        if elapsed >= RATE_WINDOW {
            let rate = self.window_bytes as f64 * 8.0 / elapsed.as_secs_f64();
            let smooth = self.rate.map_or(rate, |before| f64::from(before) * 0.5 + rate * 0.5);
            self.rate = Some(smooth as u32);
            self.frame_bytes = self.bytes_of_a_frame().or(self.frame_bytes);
            if let Some(steps) = &mut self.steps {
                steps.end_window(elapsed);
            }
            self.window_frames = 0;
            self.window_start = Some(now);
            self.window_bytes = 0;
        }
    }

    fn bytes_of_a_frame(&self) -> Option<u32> {
        u32::try_from(self.window_bytes.checked_div(u64::from(self.window_frames))?).ok()
    }

    /// Payload bytes of a frame on the average of the last window, or of what came in the first.
    #[must_use]
    pub fn frame_bytes(&self) -> Option<u32> {
        self.frame_bytes.or_else(|| self.bytes_of_a_frame())
    }

    /// Whether its packets arrive.
    #[must_use]
    pub fn flows(&self, now: Instant) -> bool {
        self.last_packet.is_some_and(|at| now.saturating_duration_since(at) < SILENT_AFTER)
    }

    /// The highest number that came.
    #[must_use]
    pub const fn newest(&self) -> Option<u64> {
        self.newest
    }

    /// When the last packet came.
    #[must_use]
    pub const fn last_packet(&self) -> Option<Instant> {
        self.last_packet
    }

    /// Whether it stopped while another layer, whose last packet this is, went on.
    #[must_use]
    pub fn stopped_before(&self, newest: Option<Instant>) -> bool {
        let behind = newest.zip(self.last_packet).map(|(newest, last)| newest.saturating_duration_since(last));
        behind.is_some_and(|behind| behind >= STOPPED_AFTER)
    }

    /// The same of a layer that sends few pictures: whether it may still be there though others are ahead of it.
    #[must_use]
    pub fn may_be_still(&self, newest: Option<Instant>) -> bool {
        let behind = newest.zip(self.last_packet).map(|(newest, last)| newest.saturating_duration_since(last));
        behind.is_some_and(|behind| behind < STILL_FOR)
    }

    /// Bits per second, while its packets arrive.
    #[must_use]
    pub fn rate(&self, now: Instant) -> Option<u32> {
        if !self.flows(now) {
            return None;
        }
        // Before the first window is over, what came counts as if it took a whole one.
        Some(self.rate.unwrap_or(u32::try_from(self.window_bytes * 8).unwrap_or(u32::MAX)))
    }

    /// Bits per second of a step of it, of which all takes so much (nothing while it is still), where the publisher goes
    /// on with it. Where steps are not told apart, what it has whole.
    #[must_use]
    pub fn step_rate(&self, now: Instant, step: Step, whole: u32) -> Option<u32> {
        self.steps.as_ref().map_or(Some(whole), |steps| Some(steps.rate(now, step)?.min(whole)))
    }

    /// Whether the publisher has just said that it goes on with fewer layers than before; said once.
    pub fn take_change(&mut self) -> bool {
        self.steps.as_mut().is_some_and(|steps| steps.take_change())
    }

    /// The highest spatial and temporal layer of those that arrive, as a step.
    #[must_use]
    pub fn top_step(&self, now: Instant) -> Step {
        self.steps.as_ref().map_or(Step::new(0, 0), |steps| steps.top(now))
    }

    /// Whether its spatial layers need each other in key pictures only, so that one goes down at those only.
    #[must_use]
    pub fn goes_down_at_keys(&self) -> bool {
        self.steps.as_ref().is_some_and(|steps| steps.is_keyed())
    }

    /// Somebody misses a packet that cannot be had again: the next tick asks for a key frame.
    pub const fn miss(&mut self) {
        self.key_wanted = true;
    }

    /// A subscriber can't go on without a key frame. Says whether to ask the publisher now: once in a `window`,
    /// however many subscribers want one.
    pub fn want_key(&mut self, now: Instant, window: Duration) -> bool {
        self.key_wanted = true;
        self.poll_key_request(now, window)
    }

    /// Whether to ask the publisher now for a key frame that is still wanted.
    pub fn poll_key_request(&mut self, now: Instant, window: Duration) -> bool {
        let quiet = self.key_requested.is_none_or(|at| now.saturating_duration_since(at) >= window);
        let ask = self.key_wanted && quiet;
        if ask {
            self.key_requested = Some(now);
        }
        ask
    }

    /// Its publisher is muted or gone: nothing of what it sent may come out later.
    pub fn clear(&mut self) {
        self.ring.clear();
        self.held = None;
        self.last_packet = None;
        self.rate = None;
        self.window_start = None;
        self.window_bytes = 0;
        self.window_frames = 0;
        self.steps = None;
        self.frame_bytes = None;
        self.key_wanted = false;
        self.last_key = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::scalability::Scalability;
    use crate::session::plan::Codec;

    fn packet(seq: u64, timestamp: u32, marker: bool, arrived: Instant) -> NewPacket<'static> {
        NewPacket {
            seq,
            timestamp,
            arrived,
            marker,
            codec: Codec::Vp8,
            key_start: false,
            orientation: None,
            audio_level: None,
            vp8: None,
            scalability: Scalability::NONE,
            descriptor: &[],
            payload: &[0; 100],
        }
    }

    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of a test")]
    fn start() -> Instant {
        Instant::now()
    }

    fn span(first: u64, last: u64) -> Option<Span> {
        Some(Span { first, last })
    }

    #[test]
    fn a_frame_goes_out_whole_with_its_marker() {
        let now = start();
        let mut layer = Layer::new(Ssrc(1), Kind::Video);
        assert_eq!(layer.handle_packet(&packet(1, 10, false, now)).held_until, Some(now + HOLD));
        assert_eq!(layer.handle_packet(&packet(2, 10, false, now)), Release::default());
        assert_eq!(layer.handle_packet(&packet(3, 10, true, now)).now, span(1, 3));
    }

    #[test]
    fn a_lost_marker_does_not_hold_the_frame_longer_than_the_next_one_or_fifteen_milliseconds() {
        let now = start();
        let mut layer = Layer::new(Ssrc(1), Kind::Video);
        layer.handle_packet(&packet(1, 10, false, now));
        layer.handle_packet(&packet(2, 10, false, now));
        let next = layer.handle_packet(&packet(4, 20, false, now));
        assert_eq!(next.earlier, span(1, 2));
        assert_eq!(layer.handle_timeout(now + HOLD / 2), None);
        assert_eq!(layer.handle_timeout(now + HOLD), span(4, 4));
        // The repaired marker packet of the first frame, and a late one of the second.
        assert_eq!(layer.handle_packet(&packet(3, 10, true, now)).now, span(3, 3));
    }

    /// A large frame leaves in parts; a repaired packet of the first part comes while the second is held.
    #[test]
    fn no_packet_is_released_twice() {
        let now = start();
        let mut layer = Layer::new(Ssrc(1), Kind::Video);
        let mut released = Vec::new();
        let mut take = |layer: &mut Layer, seq, timestamp, marker| {
            let release = layer.handle_packet(&packet(seq, timestamp, marker, now));
            for span in release.earlier.into_iter().chain(release.now) {
                released.extend(layer.packets(span).iter().map(|(packet, _)| packet.seq));
            }
        };
        for seq in (100..164).filter(|seq| *seq != 160) {
            take(&mut layer, seq, 10, false);
        }
        // The next part, the packet that was missed, one that lies about its frame, one before all, the end.
        for (seq, timestamp, marker) in
            [(164, 10, false), (165, 10, false), (160, 10, false), (167, 10, false), (166, 20, false), (168, 10, true)]
        {
            take(&mut layer, seq, timestamp, marker);
        }
        for (seq, timestamp, marker) in [(180, 40, false), (179, 30, false), (178, 40, false), (181, 40, true)] {
            take(&mut layer, seq, timestamp, marker);
        }
        let mut once = released.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), released.len(), "{released:?}");
        assert_eq!(once, (100..=168).chain(178..=181).collect::<Vec<_>>());
    }

    #[test]
    fn a_key_frame_begins_with_its_parameters() {
        let now = start();
        let window = Duration::from_millis(400);
        let mut layer = Layer::new(Ssrc(1), Kind::Video);
        layer.handle_packet(&NewPacket { key_start: true, ..packet(5, 10, false, now) });
        layer.handle_packet(&NewPacket { key_start: true, ..packet(6, 10, false, now) });
        layer.handle_packet(&packet(7, 10, true, now));
        assert_eq!(layer.recent_key(now, window, false), span(5, 7));
    }

    #[test]
    fn frames_are_as_large_as_in_the_last_second() {
        let mut layer = Layer::new(Ssrc(1), Kind::Video);
        let mut now = start();
        assert_eq!(layer.frame_bytes(), None);
        let mut seq = 0;
        let mut second = |layer: &mut Layer, packets: u64| {
            for frame in 0..20 {
                for packet in 1..=packets {
                    seq += 1;
                    layer.handle_packet(&super::tests::packet(seq, frame, packet == packets, now));
                }
                now += Duration::from_millis(60);
            }
        };
        second(&mut layer, 5);
        // The window ends within a frame.
        assert!(layer.frame_bytes().is_some_and(|bytes| (480..=520).contains(&bytes)), "{:?}", layer.frame_bytes());
        second(&mut layer, 2);
        second(&mut layer, 2);
        assert!(layer.frame_bytes().is_some_and(|bytes| (190..=210).contains(&bytes)), "{:?}", layer.frame_bytes());
        layer.clear();
        assert_eq!(layer.frame_bytes(), None);
    }

    #[test]
    fn sound_is_never_held() {
        let mut layer = Layer::new(Ssrc(1), Kind::Audio);
        assert_eq!(layer.handle_packet(&packet(1, 10, false, start())).now, span(1, 1));
    }

    #[test]
    fn a_frame_larger_than_one_send_leaves_in_several() {
        let now = start();
        let mut layer = Layer::new(Ssrc(1), Kind::Video);
        let spans: Vec<_> =
            (0..150).filter_map(|seq| layer.handle_packet(&packet(seq, 10, seq == 149, now)).now).collect();
        assert_eq!(spans.iter().map(|s| (s.first, s.last)).collect::<Vec<_>>(), [(0, 63), (64, 127), (128, 149)]);
    }

    #[test]
    fn one_key_frame_request_per_window_and_none_once_it_came() {
        let now = start();
        let mut layer = Layer::new(Ssrc(1), Kind::Video);
        let window = Duration::from_millis(400);
        assert!(layer.want_key(now, window));
        assert!(!layer.want_key(now + window / 2, window));
        assert!(layer.poll_key_request(now + window, window));
        layer.handle_packet(&NewPacket { key_start: true, ..packet(1, 10, true, now + window) });
        assert!(!layer.poll_key_request(now + 3 * window, window));
    }

    #[test]
    fn whoever_comes_soon_after_a_key_frame_begins_with_it_and_all_after_it() {
        let now = start();
        let window = Duration::from_millis(400);
        let mut layer = Layer::new(Ssrc(1), Kind::Video);
        layer.handle_packet(&packet(1, 10, true, now));
        assert_eq!(layer.recent_key(now, window, false), None);
        layer.handle_packet(&NewPacket { key_start: true, ..packet(2, 20, false, now) });
        assert_eq!(layer.recent_key(now, window, false), None, "the frame is held still");
        assert_eq!(layer.recent_key(now, window, true), span(2, 2), "but begun");
        layer.handle_packet(&packet(3, 20, true, now));
        layer.handle_packet(&packet(4, 30, true, now));
        layer.handle_packet(&packet(5, 40, false, now));
        assert_eq!(layer.recent_key(now, window, false), span(2, 4));
        assert_eq!(layer.recent_key(now + window, window, false), None, "a new one is asked for instead");
        layer.handle_packet(&packet(7, 50, true, now));
        assert_eq!(layer.recent_key(now, window, false), None, "a packet is missing");
        layer.handle_packet(&packet(6, 40, true, now));
        assert_eq!(layer.recent_key(now, window, false), span(2, 7));
        layer.clear();
        assert_eq!(layer.recent_key(now, window, false), None, "nothing from before a mute comes out after it");
    }

    /// Real browsers send a frame in one burst (tests/fixtures/arrivals): each frame goes out once and whole, with
    /// its last packet, and hardly any is held until the time is over.
    #[test]
    fn frames_of_real_browsers_go_out_whole() {
        for (trace, video) in [
            (include_str!("../../tests/fixtures/arrivals/chromium.csv"), 96),
            (include_str!("../../tests/fixtures/arrivals/firefox.csv"), 120),
        ] {
            let start = start();
            let mut layers = std::collections::BTreeMap::new();
            let (mut frames, mut whole, mut late) = (std::collections::BTreeSet::new(), 0, 0);
            for line in trace.lines().skip(1) {
                let field: Vec<u64> = line.split(',').map(|field| field.parse().expect("a number")).collect();
                let [us, _, _, _, _, payload_type, marker, seq, timestamp, ssrc] = field[..] else { panic!("{line}") };
                if payload_type != video {
                    continue;
                }
                let now = start + Duration::from_micros(us);
                frames.insert((ssrc, timestamp));
                let layer = layers.entry(ssrc).or_insert_with(|| Layer::new(Ssrc(ssrc as u32), Kind::Video));
                late += usize::from(layer.handle_timeout(now).is_some());
                let release = layer.handle_packet(&packet(seq, timestamp as u32, marker == 1, now));
                assert_eq!(release.earlier, None, "a frame ended without its marker");
                whole += usize::from(release.now.is_some());
            }
            assert!(frames.len() > 100, "the trace is there");
            assert_eq!(whole, frames.len());
            assert!(late * 50 <= frames.len(), "{late} of {} frames waited in vain", frames.len());
        }
    }
}
