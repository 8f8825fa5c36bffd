//! A published track: its layers and who is subscribed. Knows sessions and slots by number only.

use super::allocation::{MAX_LAYERS, MAX_RUNGS};
use super::subscribers::Subscribers;
use crate::rtp::layer::Layer;
use crate::rtp::scalability::{MAX_TEMPORAL, Step, Target};
use crate::session::SessionId;
use crate::session::inbound::MAX_MISSED;
use crate::session::plan::{Codec, Kind, Ssrc};
use signaling::ids::{Source, TrackId};
use std::time::Instant;

/// Where a track's packets come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publisher {
    /// A session of this worker, by number.
    Here(u32),
    /// A session of another worker, which gives them away by a tap.
    Elsewhere(SessionId),
}

/// When the packet with this timestamp was captured, in nanoseconds of the server's clock.
type Captured = (u32, i64);

/// What a publisher sends of one source.
pub struct Track {
    /// Whose and which.
    pub id: TrackId,
    /// Sound or picture.
    pub kind: Kind,
    /// Who sends it.
    pub publisher: Publisher,
    /// Its packets are forwarded while the gate is open.
    pub open: bool,
    /// How often the gate has opened. All workers count alike.
    pub openings: u32,
    /// The last number that met a closed gate.
    refused: Option<u64>,
    /// Of each layer's newest packet, as the worker said where the publisher is.
    captured: [Option<Captured>; MAX_LAYERS],
    /// The codec of its packets now.
    pub codec: Option<Codec>,
    /// Lowest first.
    pub layers: Vec<Layer>,
    /// Who gets it.
    pub subscribers: Subscribers,
    /// What was last reported.
    pub reported_flowing: bool,
    /// What was last reported.
    pub reported_height: u16,
}

impl Track {
    /// A track of which nothing has come.
    #[must_use]
    pub const fn new(id: TrackId, kind: Kind, publisher: Publisher, open: bool) -> Self {
        Self {
            id,
            kind,
            publisher,
            open,
            openings: 0,
            refused: None,
            captured: [None; MAX_LAYERS],
            codec: None,
            layers: Vec::new(),
            subscribers: Subscribers::new(),
            reported_flowing: false,
            reported_height: 0,
        }
    }

    /// Whether the publisher's session is this worker's.
    #[must_use]
    pub const fn is_here(&self) -> bool {
        matches!(self.publisher, Publisher::Here(_))
    }

    /// A packet met the closed gate.
    pub fn refuse(&mut self, sequence: u64) {
        self.refused = self.refused.max(Some(sequence));
    }

    /// Whether a repetition that comes with a later packet may be of what was said while the gate was closed: up to the
    /// last that met it, or one of the few behind that got lost and could not.
    #[must_use]
    pub fn may_be_refused(&self, sequence: u64) -> bool {
        self.refused.is_some_and(|last| sequence <= last + MAX_MISSED as u64)
    }

    /// Opens or closes the gate; whether that is news.
    pub fn set_gate(&mut self, open: bool) -> bool {
        let news = self.open != open;
        self.open = open;
        self.openings = self.openings.wrapping_add(u32::from(news && open));
        news
    }

    /// When a packet that came from another worker was captured.
    pub fn note_captured(&mut self, layer: u8, timestamp: u32, captured_ns: i64) {
        if let Some(noted) = self.captured.get_mut(usize::from(layer)) {
            *noted = Some((timestamp, captured_ns));
        }
    }

    /// When content of a track from another worker was captured, in the server's nanoseconds.
    #[must_use]
    pub fn captured_ns(&self, layer: u8, timestamp: u32) -> Option<i64> {
        let (from, at) = (*self.captured.get(usize::from(layer))?)?;
        // The clocks of RFC 7587 and of all pictures.
        let ticks_a_second = if self.kind == Kind::Audio { 48_000 } else { 90_000 };
        let ticks = i64::from(timestamp.wrapping_sub(from).cast_signed());
        Some(at.wrapping_add(ticks * 1_000_000_000 / ticks_a_second))
    }

    /// The layer with this index, made where it is the first packet's.
    pub fn layer_mut(&mut self, index: u8, ssrc: Ssrc) -> Option<&mut Layer> {
        let index = usize::from(index);
        if index >= MAX_LAYERS {
            return None;
        }
        while self.layers.len() <= index {
            self.layers.push(Layer::new(ssrc, self.kind));
        }
        let layer = &mut self.layers[index];
        layer.ssrc = ssrc;
        Some(layer)
    }

    /// The publisher sends a layer as another media stream, whose numbers begin anew: nothing of the old one counts
    /// any more. Whether that is so.
    pub fn restart_layer(&mut self, index: u8, ssrc: Ssrc) -> bool {
        let kind = self.kind;
        let Some(layer) = self.layers.get_mut(usize::from(index)).filter(|layer| layer.is_of_another(ssrc)) else {
            return false;
        };
        *layer = Layer::new(ssrc, kind);
        self.refused = None;
        true
    }

    /// Whether any of its packets arrive.
    #[must_use]
    pub fn flows(&self, now: Instant) -> bool {
        self.layers.iter().any(|layer| layer.flows(now))
    }

    /// What each layer takes now. Those of a screen, which sends its whole picture a few times a second at most and next
    /// to nothing while it is still, count until others have gone on for long. A lone layer counts while it is silent, too: a still screen sends next to
    /// nothing for long, and there is no other to go to.
    fn layer_rates(&self, now: Instant) -> [Option<u32>; MAX_LAYERS] {
        let mut rates = [None; MAX_LAYERS];
        let newest = self.layers.iter().filter_map(Layer::last_packet).max();
        for (rate, layer) in rates.iter_mut().zip(&self.layers) {
            *rate = if self.id.source == Source::Screen {
                layer.may_be_still(newest).then(|| layer.rate(now).unwrap_or(0))
            } else {
                layer.rate(now).filter(|_| !layer.stopped_before(newest))
            };
        }
        if let [_] = self.layers.as_slice()
            && rates[0].is_none()
        {
            rates[0] = Some(0);
        }
        rates
    }

    /// What each rung takes now that one can be given; see [`Track::target_of`].
    #[must_use]
    pub fn rates(&self, now: Instant) -> [Option<u32>; MAX_RUNGS] {
        let mut rates = [None; MAX_RUNGS];
        let layers = self.layer_rates(now);
        let alone = self.alone(now);
        let mut lowest = true;
        for (quality, rungs) in rates.chunks_exact_mut(usize::from(MAX_TEMPORAL)).enumerate() {
            let layer = alone.map_or(quality, usize::from);
            let (Some(layer), Some(whole)) = (self.layers.get(layer), layers[layer]) else { continue };
            let top = layer.top_step(now);
            let spatial = if alone.is_some() { quality as u8 } else { top.spatial() };
            if spatial > top.spatial() {
                continue;
            }
            if top == Step::new(0, 0) {
                rungs[0] = Some(whole);
                lowest = false;
                continue;
            }
            // A quarter of the pictures is better than none; it is not better than fewer pixels.
            let first = u8::from(!lowest && top.temporal() > 1);
            for temporal in first..=top.temporal() {
                rungs[usize::from(temporal)] = layer.step_rate(now, Step::new(spatial, temporal), whole);
            }
            lowest &= rungs.iter().all(Option::is_none);
        }
        rates
    }

    /// Which layer, and what of it, a rung stands for. Rungs are ordered by pixels, then by pictures a second: of a
    /// track of several streams each has the temporal layers of one, of a track of one the pixels of a spatial layer.
    #[must_use]
    pub fn target_of(&self, now: Instant, rung: u8) -> Target {
        let (quality, temporal) = (rung / MAX_TEMPORAL, rung % MAX_TEMPORAL);
        let alone = self.alone(now);
        let layer = alone.unwrap_or(quality);
        let top = self.layers.get(usize::from(layer)).map_or(Step::new(0, 0), |layer| layer.top_step(now));
        let spatial = if alone.is_some() { quality } else { top.spatial() };
        // Who has all pictures goes on having them when there are more.
        let temporal = if temporal >= top.temporal() { u8::MAX } else { temporal };
        Target { layer, step: Step::new(spatial, temporal) }
    }

    /// The rung that somebody stands on who gets so much of a layer.
    #[must_use]
    pub fn rung_of(&self, now: Instant, target: Target) -> u8 {
        let top = self.layers.get(usize::from(target.layer)).map_or(Step::new(0, 0), |layer| layer.top_step(now));
        let spatial = target.step.spatial().min(top.spatial());
        let quality = if self.alone(now) == Some(target.layer) { spatial } else { target.layer };
        quality * MAX_TEMPORAL + target.step.temporal().min(top.temporal())
    }

    /// What it takes to go on with what somebody gets of a layer, in bits per second; `None` where that does not arrive.
    /// There may be no rung for it: on the way down one gets fewer pictures than anybody is given.
    #[must_use]
    pub fn going_rate(&self, now: Instant, target: Target) -> Option<u32> {
        let whole = (*self.layer_rates(now).get(usize::from(target.layer))?)?;
        let layer = self.layers.get(usize::from(target.layer))?;
        let top = layer.top_step(now);
        let temporal = target.step.temporal().min(top.temporal());
        layer.step_rate(now, Step::new(target.step.spatial().min(top.spatial()), temporal), whole)
    }

    /// The stream whose spatial layers are all sizes there are: the only one, or the only one that goes on. A publisher
    /// may turn the others of several off and send spatial layers in that one instead.
    fn alone(&self, now: Instant) -> Option<u8> {
        if self.layers.len() <= 1 {
            return Some(0);
        }
        let mut flowing = (0..).zip(&self.layers).filter(|(_, layer)| layer.flows(now));
        let (number, layer) = flowing.next().filter(|_| flowing.next().is_none())?;
        (layer.top_step(now).spatial() > 0).then_some(number)
    }

    /// How many sizes of picture there are, and the height of each as far as key frames told.
    fn heights(&self, now: Instant) -> impl ExactSizeIterator<Item = Option<u16>> + DoubleEndedIterator + '_ {
        let alone = self.alone(now).and_then(|number| self.layers.get(usize::from(number)));
        let count = alone.map_or(self.layers.len(), |layer| usize::from(layer.top_step(now).spatial()) + 1);
        (0..count).map(move |quality| match alone {
            Some(layer) => layer.heights.of(quality as u8),
            None => self.layers[quality].heights.highest(),
        })
    }

    /// The lowest rung but for pictures a second that shows a tile of this height whole, by what key frames told; where
    /// they have not yet, each layer counts for half of the next (as our web app encodes them).
    #[must_use]
    pub fn rung_for_height(&self, now: Instant, height: u16) -> u8 {
        let top = self.heights(now).len().saturating_sub(1);
        let known = (0..).zip(self.heights(now)).filter_map(|(quality, told)| Some((quality, u32::from(told?)))).last();
        let (known_of, known) = known.unwrap_or((top, 720));
        // A picture may be enlarged by a tenth before anybody would see it.
        let enough = |(quality, told): (usize, Option<u16>)| {
            let guess = if quality < known_of { known >> (known_of - quality) } else { known << (quality - known_of) };
            told.map_or(guess, u32::from) * 11 / 10 >= u32::from(height)
        };
        let quality = self.heights(now).enumerate().position(enough).unwrap_or(top);
        quality as u8 * MAX_TEMPORAL + MAX_TEMPORAL - 1
    }

    /// Nothing of what came before may come out.
    pub fn clear(&mut self) {
        self.layers.iter_mut().for_each(Layer::clear);
        self.codec = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::ring::NewPacket;
    use crate::rtp::scalability::{Heights, Scalability, Steps};
    use signaling::ids::ParticipantId;
    use std::time::Duration;

    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of a test")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn what_was_said_behind_a_closed_gate_is_not_repeated_after_it() {
        let id = TrackId { participant: ParticipantId(1), source: Source::Microphone };
        let mut track = Track::new(id, Kind::Audio, Publisher::Here(0), true);
        assert!(!track.may_be_refused(7), "nothing met a closed gate yet");
        track.refuse(10);
        track.refuse(9);
        let refused: Vec<_> = (8..=14).filter(|number| track.may_be_refused(*number)).collect();
        assert_eq!(refused, [8, 9, 10, 11, 12], "11 and 12 may have been lost on their way to it");
    }

    /// A packet of a picture that fills it.
    fn picture(seq: u64, now: Instant) -> NewPacket<'static> {
        NewPacket {
            seq,
            timestamp: seq as u32 * 3000,
            arrived: now,
            marker: true,
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

    fn show(track: &mut Track, layer: u8, now: Instant, seq: u64) {
        track.layer_mut(layer, Ssrc(u32::from(layer))).expect("a layer").handle_packet(&picture(seq, now));
    }

    #[test]
    fn a_screen_that_is_still_goes_on_being_there() {
        let start = start();
        for (source, still) in [(Source::Screen, true), (Source::Camera, false)] {
            let id = TrackId { participant: ParticipantId(1), source };
            let mut track = Track::new(id, Kind::Video, Publisher::Here(0), true);
            for layer in [0, 1] {
                show(&mut track, layer, start, 1);
            }
            let rates = track.rates(start + Duration::from_secs(20));
            assert_eq!([rates[0], rates[3]].iter().all(Option::is_some), still, "{source:?}: {rates:?}");
            // One layer of few pictures is not gone while the other moves on, but after some seconds it is.
            show(&mut track, 0, start + Duration::from_millis(800), 2);
            assert_eq!(track.rates(start + Duration::from_millis(900))[3].is_some(), still, "{source:?}");
            show(&mut track, 0, start + Duration::from_secs(4), 3);
            assert_eq!(track.rates(start + Duration::from_secs(4))[3], None, "{source:?}");
        }
    }

    /// A frame of a stream with layers, which is needed for its own step and those above.
    fn layered(track: &mut Track, layer: u8, now: Instant, seq: u64, (spatial, temporal): (u8, u8)) {
        let scalability = Scalability {
            needed: Steps::of(|step| step.spatial() >= spatial && step.temporal() >= temporal),
            spatial,
            temporal,
            starts: true,
            ..Scalability::NONE
        };
        let found = track.layer_mut(layer, Ssrc(u32::from(layer))).expect("a layer");
        found.handle_packet(&NewPacket { scalability, ..picture(seq, now) });
    }

    /// All frames of a second, of so many spatial and temporal layers.
    fn second(track: &mut Track, layer: u8, from: Instant, spatial: u8, temporal: u8) -> Instant {
        for frame in 0..36_u64 {
            let now = from + Duration::from_millis(30 * frame);
            let first = track.layers.get(usize::from(layer)).and_then(Layer::newest).map_or(0, |newest| newest + 1);
            let place = [0, 2, 1, 2][frame as usize % 4].min(temporal - 1);
            for one in 0..spatial {
                layered(track, layer, now, first + u64::from(one), (one, place));
            }
        }
        from + Duration::from_millis(30 * 36)
    }

    fn shown(track: &Track, now: Instant) -> Vec<usize> {
        track.rates(now).iter().enumerate().filter(|(_, rate)| rate.is_some()).map(|(rung, _)| rung).collect()
    }

    #[test]
    fn a_still_screen_with_temporal_layers_goes_on_being_there() {
        let id = TrackId { participant: ParticipantId(1), source: Source::Screen };
        for layers in [1, 2] {
            let mut track = Track::new(id, Kind::Video, Publisher::Here(0), true);
            let start = start();
            let now = (0..layers).map(|layer| second(&mut track, layer, start, 1, 3)).max().expect("a layer");
            let moving = shown(&track, now);
            assert_eq!(moving.len(), if layers == 1 { 3 } else { 5 }, "{moving:?}");
            assert_eq!(shown(&track, now + Duration::from_secs(20)), moving, "{layers}");
        }
    }

    #[test]
    fn without_its_top_layer_a_tile_gets_what_it_got() {
        let id = TrackId { participant: ParticipantId(1), source: Source::Camera };
        let mut track = Track::new(id, Kind::Video, Publisher::Here(0), true);
        let now = second(&mut track, 0, start(), 3, 3);
        for (spatial, height) in [(0, 180), (1, 360), (2, 720)] {
            track.layers[0].heights.tell(spatial, height);
        }
        assert_eq!([90, 300, 700].map(|height| track.rung_for_height(now, height) / 3), [0, 1, 2]);
        let now = second(&mut track, 0, now, 2, 3);
        assert_eq!(track.layers[0].top_step(now).spatial(), 1);
        assert_eq!([90, 300, 700].map(|height| track.rung_for_height(now, height) / 3), [0, 1, 1]);
    }

    #[test]
    fn a_layer_that_the_publisher_gives_up_is_gone_at_once() {
        let id = TrackId { participant: ParticipantId(1), source: Source::Camera };
        let mut track = Track::new(id, Kind::Video, Publisher::Here(0), true);
        let now = second(&mut track, 0, start(), 3, 1);
        assert_eq!(track.layers[0].top_step(now).spatial(), 2);
        let scalability = Scalability { sent: Step::new(1, 2), starts: true, ..Scalability::NONE };
        track.layers[0].handle_packet(&NewPacket { scalability, ..picture(1000, now) });
        assert_eq!(track.layers[0].top_step(now).spatial(), 1);
        assert_eq!(track.layers[0].step_rate(now, Step::ALL, 1_000_000), None);
        assert_eq!([(); 2].map(|()| track.layers[0].take_change()), [true, false]);
        // What comes late said so before it knew.
        track.layers[0].handle_packet(&NewPacket {
            scalability: Scalability { sent: Step::ALL, ..scalability },
            ..picture(999, now)
        });
        assert_eq!(track.layers[0].top_step(now).spatial(), 1);
    }

    #[test]
    fn what_goes_out_on_the_way_down_is_counted() {
        let id = TrackId { participant: ParticipantId(1), source: Source::Camera };
        let mut track = Track::new(id, Kind::Video, Publisher::Here(0), true);
        let start = start();
        second(&mut track, 0, start, 1, 3);
        let now = second(&mut track, 1, start, 1, 3);
        let target = |temporal| Target { layer: 1, step: Step::new(0, temporal) };
        assert_eq!(track.rates(now)[usize::from(track.rung_of(now, target(0)))], None, "nobody is given so few");
        let [few, all] = [0, 2].map(|temporal| track.going_rate(now, target(temporal)).expect("a rate"));
        assert!(few > 0 && few * 3 < all, "{few} of {all}");
    }

    #[test]
    fn one_stream_with_spatial_layers_takes_the_place_of_several() {
        let id = TrackId { participant: ParticipantId(1), source: Source::Camera };
        let mut track = Track::new(id, Kind::Video, Publisher::Here(0), true);
        let start = start();
        let now = (0..3).map(|layer| second(&mut track, layer, start, 1, 1)).max().expect("a layer");
        assert_eq!(shown(&track, now), [0, 3, 6]);
        let mut now = now;
        for _ in 0..3 {
            now = second(&mut track, 2, now, 3, 1);
        }
        assert_eq!(shown(&track, now), [0, 3, 6]);
        let targets = [0, 3, 6].map(|rung| track.target_of(now, rung));
        assert_eq!(targets.map(|target| (target.layer, target.step.spatial())), [(2, 0), (2, 1), (2, 2)]);
        assert_eq!(targets.map(|target| track.rung_of(now, target)), [0, 3, 6]);
    }

    #[test]
    fn the_layer_follows_the_tile() {
        let id = TrackId { participant: ParticipantId(1), source: Source::Camera };
        let mut track = Track::new(id, Kind::Video, Publisher::Here(0), true);
        let now = start();
        assert_eq!(track.rung_for_height(now, 720) / 3, 0);
        for (index, height) in [(0, 180), (1, 360), (2, 720)] {
            track.layer_mut(index, Ssrc(u32::from(index))).expect("a layer").heights = Heights::of_one(Some(height));
        }
        let chosen: Vec<_> = [90, 180, 190, 300, 380, 500, 720, 2000]
            .iter()
            .map(|height| track.rung_for_height(now, *height) / 3)
            .collect();
        assert_eq!(chosen, [0, 0, 0, 1, 1, 2, 2, 2]);
    }
}
