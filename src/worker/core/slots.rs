//! Which track stands in which receive slot, and which layer of it: after a wish, a gate, a voice, an
//! estimate changed. The policies are `router::slots`, `router::voices` and `router::allocation`.

use super::{Core, track_of};
use crate::net::counters::Drop;
use crate::net::udp::SendBatch;
use crate::router::allocation::{Ask, MAX_LAYERS, allocate};
use crate::router::pace::Pace;
use crate::router::slots::assign;
use crate::router::subscribers::Subscriber;
use crate::router::track::Publisher;
use crate::rtp::layer::{MAX_HELD, Span};
use crate::session::plan::Kind;
use crate::session::{Allocated, Session};
use crate::worker::api::Event;
use signaling::ids::Source;
use signaling::protocol::{PauseReason, SessionState, Slot};
use std::time::Instant;

/// Shared sound of screens that everybody gets beside the voices.
const MAX_SHARED_SOUND: usize = 2;

/// A picture that begins with a key frame of some moments ago takes the link for so long at most.
const RECENT_LINK_MS: usize = 100;

impl Core {
    /// Looks at every session of a router: a track came, went, opened or closed.
    pub(super) fn refresh_router(&mut self, now: Instant, router: u32, out: &mut SendBatch) {
        let sessions = self.router_mut(router).map(|found| found.sessions.clone()).unwrap_or_default();
        for number in sessions {
            self.refresh_session(now, number, out);
        }
    }

    /// Points a session's slots at what it should get now, allocates layers, reports.
    pub(super) fn refresh_session(&mut self, now: Instant, number: u32, out: &mut SendBatch) {
        // Also while it connects: key frames are asked for then, so that they are there when it is.
        let ready =
            |session: &mut Session| matches!(session.state(), SessionState::Connecting | SessionState::Connected);
        if !self.session_mut(number).is_some_and(ready) {
            return;
        }
        self.assign_slots(number, Kind::Video);
        self.assign_slots(number, Kind::Audio);
        self.allocate_layers(now, number, out);
        self.choose_paces(now, number, out);
        self.report_slots(now, number);
    }

    /// Only the voices changed.
    pub(super) fn refresh_voices(&mut self, now: Instant, router: u32) {
        let sessions = self.router_mut(router).map(|found| found.sessions.clone()).unwrap_or_default();
        for number in sessions {
            if self.session_mut(number).is_some_and(|session| session.state() == SessionState::Connected) {
                self.assign_slots(number, Kind::Audio);
                self.report_slots(now, number);
            }
        }
    }

    fn assign_slots(&mut self, number: u32, kind: Kind) {
        let mut wanted = std::mem::take(&mut self.scratch.tracks);
        let mut slots = std::mem::take(&mut self.scratch.slots);
        wanted.clear();
        slots.clear();
        self.collect_wanted(number, kind, &mut wanted);
        let Some(session) = self.session_mut(number) else { return };
        let router = session.router;
        slots.extend(session.outbound.slots_of(kind).map(|(_, track)| track));
        if assign(&mut slots, &wanted) {
            for (place, &after) in slots.iter().enumerate() {
                let Some(session) = self.session_mut(number) else { break };
                let Some((slot, before)) = session.outbound.slots_of(kind).nth(place) else { break };
                if before == after {
                    continue;
                }
                session.outbound.point(slot, after);
                session.slots_changed = true;
                if let Some(track) = before {
                    self.unsubscribe(router, track, number, slot as u16);
                }
                if let Some((after, track)) = after.and_then(|after| Some((after, self.track_mut(router, after)?))) {
                    let me = Subscriber { session: number, slot: slot as u16 };
                    if let Some(place) = track.subscribers.add(me, Pace::Whole) {
                        self.jobs.subscribed(router, after, (Pace::Whole, place));
                    }
                }
            }
        }
        self.scratch.tracks = wanted;
        self.scratch.slots = slots;
    }

    fn collect_wanted(&self, number: u32, kind: Kind, wanted: &mut Vec<u32>) {
        let Some(session) = self.sessions.get(number as usize).and_then(Option::as_ref) else { return };
        let Some(router) = self.routers.get(session.router as usize).and_then(Option::as_ref) else { return };
        let usable = |track: u32| {
            let track = router.tracks.get(track as usize).and_then(Option::as_ref);
            track.is_some_and(|track| track.open && track.id.participant != session.participant && track.kind == kind)
        };
        match kind {
            Kind::Video => {
                let tracks = session.wishes.iter().filter_map(|wish| router.track_number(wish.track));
                for track in tracks.filter(|track| usable(*track)) {
                    if !wanted.contains(&track) {
                        wanted.push(track);
                    }
                }
            }
            Kind::Audio => {
                let shared = (0_u32..).zip(&router.tracks).filter_map(|(number, track)| {
                    let track = track.as_ref()?;
                    (track.id.source == Source::ScreenAudio && track.reported_flowing).then_some(number)
                });
                wanted.extend(shared.filter(|track| usable(*track)).take(MAX_SHARED_SOUND));
                wanted.extend(router.voices.selected().filter(|track| usable(*track)));
            }
        }
    }

    pub(super) fn unsubscribe(&mut self, router: u32, track: u32, session: u32, slot: u16) {
        let subscriber = Subscriber { session, slot };
        let Some(found) = self.track_mut(router, track) else { return };
        if let Some(place) = found.subscribers.remove(subscriber) {
            self.jobs.unsubscribed(router, track, place);
        }
    }

    /// Gives each video slot a layer within the estimate, and asks for the key frames that this takes.
    pub(super) fn allocate_layers(&mut self, now: Instant, number: u32, out: &mut SendBatch) {
        let mut asks = std::mem::take(&mut self.scratch.asks);
        let mut given = std::mem::take(&mut self.scratch.given);
        let mut slots = std::mem::take(&mut self.scratch.slots);
        asks.clear();
        slots.clear();
        let Some(session) = self.sessions.get(number as usize).and_then(Option::as_ref) else { return };
        let Some(router) = self.routers.get(session.router as usize).and_then(Option::as_ref) else { return };
        let number_of = |wish: &signaling::protocol::Wish| router.track_number(wish.track);
        for wish in &session.wishes {
            let Some(wanted) = number_of(wish) else { continue };
            let slot = session.outbound.slots_of(Kind::Video).find(|(_, track)| *track == Some(wanted));
            let Some((slot, _)) = slot else { continue };
            if slots.contains(&Some(slot as u32)) {
                continue;
            }
            let Some(track) = router.tracks.get(wanted as usize).and_then(Option::as_ref) else { continue };
            let playable = track.codec.is_none_or(|codec| session.outbound.plays(slot, codec));
            let rates = if playable { track.rates(now) } else { [None; MAX_LAYERS] };
            let current = session.outbound.layer(slot);
            asks.push(Ask { rates, ceiling: track.layer_for_height(wish.height), current });
            slots.push(Some(slot as u32));
        }
        let link = session.bandwidth.estimate().saturating_sub(session.outbound.sound_rate());
        allocate(self.overload.cap().map_or(link, |cap| cap.min(link)), &asks, &mut given);
        let rates =
            asks.iter().zip(&given).filter_map(|(ask, layer)| ask.rates.get(usize::from((*layer)?)).copied()?);
        let all = rates.fold(0, u32::saturating_add);
        let first = asks.iter().zip(&given).find_map(|(ask, layer)| layer.and(ask.lowest_rate()));
        let allocated = Allocated { all, spare: all.saturating_sub(first.unwrap_or(0)) };
        if let Some(session) = self.session_mut(number) {
            session.allocated = allocated;
        }
        for ((slot, ask), layer) in slots.iter().zip(&asks).zip(&given) {
            let Some(slot) = slot.map(|slot| slot as usize) else { continue };
            let arrives = ask.rates.iter().any(Option::is_some);
            self.set_target(now, number, slot, *layer, arrives, out);
        }
        self.scratch.asks = asks;
        self.scratch.given = given;
        self.scratch.slots = slots;
    }

    fn set_target(
        &mut self,
        now: Instant,
        number: u32,
        slot: usize,
        layer: Option<u8>,
        arrives: bool,
        out: &mut SendBatch,
    ) {
        let Some(session) = self.session_mut(number) else { return };
        let router = session.router;
        let Some((_, Some(track))) = session.outbound.slots_of(Kind::Video).find(|(other, _)| *other == slot) else {
            return;
        };
        // Nothing arrives yet: the first key frame of the lowest layer may start the picture, unasked.
        let target = if arrives { layer } else { session.outbound.target(slot).or(Some(0)) };
        let needs_key = session.outbound.set_target(slot, target);
        let codec = self.track_mut(router, track).and_then(|track| track.codec);
        let Some(session) = self.session_mut(number) else { return };
        let paused = match (layer, codec) {
            (Some(_), _) => None,
            (None, Some(codec)) if !session.outbound.plays(slot, codec) => Some(PauseReason::Codec),
            (None, _) if arrives => Some(PauseReason::Bandwidth),
            (None, _) => Some(PauseReason::NoPackets),
        };
        if session.outbound.set_paused(slot, paused) {
            session.slots_changed = true;
        }
        if let Some(layer) = target.filter(|_| needs_key)
            && self.begin_with_recent_key(now, number, slot, track, layer, out) != Some(layer)
        {
            self.want_key(now, router, track, layer, out);
        }
    }

    /// Where a slot shows nothing yet and a key frame of the wanted layer, or of a lower one, has just come for
    /// others, sends that and what followed it. The layer that the slot shows now, or that it will show without a
    /// key frame of its own once its session is connected.
    fn begin_with_recent_key(
        &mut self,
        now: Instant,
        number: u32,
        slot: usize,
        track_number: u32,
        target: u8,
        out: &mut SendBatch,
    ) -> Option<u8> {
        let session = self.sessions.get_mut(number as usize).and_then(Option::as_mut)?;
        if session.outbound.layer(slot).is_some() {
            return None;
        }
        let router = session.router;
        let track = track_of(&self.routers, router, track_number)?;
        let me = Subscriber { session: number, slot: u16::try_from(slot).ok()? };
        let (pace, place) = track.subscribers.find(me)?;
        let window = self.limits.key_frame_window;
        let most = session.bandwidth.estimate() as usize / 8 * RECENT_LINK_MS / 1000;
        for index in (0..=target).rev() {
            let Some(layer) = track.layers.get(usize::from(index)) else { continue };
            let Some(recent) = layer.recent_key(now, window, pace == Pace::AtOnce) else { continue };
            if session.state() != SessionState::Connected {
                return Some(index);
            }
            // What waits in the queue will come to this subscriber by itself, and must not come twice.
            let waiting = self.jobs.first_waiting((router, track_number, index), (pace, place), recent.first);
            let last = waiting.map_or(recent.last, |first| recent.last.min(first.saturating_sub(1)));
            if last < recent.first {
                return Some(index);
            }
            let numbers = recent.first..=last;
            let bytes: usize = numbers.clone().filter_map(|seq| Some(layer.ring.get(seq)?.1.len())).sum();
            if bytes > most || !out.has_room_for(numbers.count()) {
                continue;
            }
            let mut first = recent.first;
            while first <= last {
                let span = Span { first, last: last.min(first + MAX_HELD as u64 - 1) };
                session.outbound.forward(now, slot, index, &layer.packets(span), &mut self.counters, out);
                first = span.last + 1;
            }
            if let Some(at) = session.outbound.take_new_deadline() {
                self.timers.arm(super::Sleeper::Session(number).name(), at);
            }
            if session.outbound.layer(slot).is_some() {
                return Some(index);
            }
        }
        None
    }

    /// A key frame of this layer is wanted: asks its publisher, once per window.
    pub(super) fn want_key(&mut self, now: Instant, router: u32, track: u32, layer: u8, out: &mut SendBatch) {
        let window = self.limits.key_frame_window;
        let Some(found) = self.track_mut(router, track) else { return };
        let Some(found) = found.layers.get_mut(usize::from(layer)) else { return };
        if found.want_key(now, window) {
            self.ask_for_key(now, router, track, layer, out);
        }
    }

    pub(super) fn ask_for_key(&mut self, now: Instant, router: u32, track: u32, layer: u8, out: &mut SendBatch) {
        let Some(found) = self.track_mut(router, track) else { return };
        let Some(ssrc) = found.layers.get(usize::from(layer)).map(|layer| layer.ssrc) else { return };
        match found.publisher {
            Publisher::Here(publisher) => {
                self.counters.key_frame_requests += 1;
                if let Some(session) = self.session_mut(publisher)
                    && !session.send_picture_loss(now, ssrc, out)
                {
                    self.counters.drop(Drop::QueueFull);
                }
            }
            Publisher::Elsewhere(session) => {
                let source = found.id.source;
                self.ask_elsewhere(router, session, source, layer);
            }
        }
    }

    /// The first packet of a track: whoever waits for it gets it without waiting for the tick.
    pub(super) fn track_started(&mut self, now: Instant, router: u32, number: u32) {
        let Some(track) = self.track_mut(router, number) else { return };
        track.reported_flowing = true;
        let (id, kind) = (track.id, track.kind);
        if track.is_here() {
            self.report(now, router, Event::Flowing { track: id, flowing: true });
        }
        match kind {
            Kind::Audio => self.refresh_voices(now, router),
            // Layers are allocated at the next tick, which is made to come at once.
            Kind::Video => self.timers.arm(super::Sleeper::Router(router).name(), now),
        }
    }

    pub(super) fn report_slots(&mut self, now: Instant, number: u32) {
        let Some(session) = self.sessions.get_mut(number as usize).and_then(Option::as_mut) else { return };
        if !std::mem::take(&mut session.slots_changed) {
            return;
        }
        let Some(router) = self.routers.get(session.router as usize).and_then(Option::as_ref) else { return };
        let slots = session
            .outbound
            .reported()
            .filter_map(|(mid, track, paused)| {
                let track = router.tracks.get(track as usize)?.as_ref()?;
                Some(Slot { mid: mid.0.clone(), track: track.id, paused })
            })
            .collect();
        let event = Event::Slots { session: session.id, participant: session.participant, slots };
        let router = session.router;
        self.report(now, router, event);
    }
}
