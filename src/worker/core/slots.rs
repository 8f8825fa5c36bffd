//! Which track stands in which receive slot, and which layer of it: after a wish, a gate, a voice, an
//! estimate changed. The policies are `router::slots`, `router::voices` and `router::allocation`.

use super::{Core, track_of};
use crate::net::counters::Drop;
use crate::net::udp::SendBatch;
use crate::router::allocation::{Ask, Lack, MAX_RUNGS, allocate};
use crate::router::pace::Pace;
use crate::router::slots::assign;
use crate::router::subscribers::Subscriber;
use crate::router::track::Publisher;
use crate::rtp::layer::{MAX_HELD, Span};
use crate::rtp::scalability::{MAX_TEMPORAL, Target};
use crate::session::bandwidth::Demand;
use crate::session::patience::Upward;
use crate::session::plan::Kind;
use crate::session::{Allocated, Session};
use crate::worker::api::Event;
use signaling::ids::Source;
use signaling::protocol::{PauseReason, SessionState, Slot, Wish};
use std::cmp::Reverse;
use std::time::Instant;

/// Shared sound of screens that everybody gets beside the voices.
const MAX_SHARED_SOUND: usize = 2;

/// A picture that begins with a key frame of some moments ago takes the link for so long at most.
const RECENT_LINK_MS: usize = 100;

/// Headers and tags of fifty sounds, in bits per second.
const SOUND_HEADERS: u32 = 16_000;

/// More than this no sound is counted for.
const MOST_SOUND: u32 = 100_000;

/// Where pictures take this many times the link, they stop at once instead of going on until the lower layer's key
/// frame: what they would add to the queue would hold that up longer.
const CUT: f64 = 1.5;

/// What decides among wishes (the less the sooner): of which kind, how large, and where it stood.
pub(super) type Rank = (u8, Reverse<u16>, u16);

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
        let mut order = std::mem::take(&mut self.scratch.order);
        asks.clear();
        slots.clear();
        order.clear();
        let Some(session) = self.sessions.get(number as usize).and_then(Option::as_ref) else { return };
        let sound = self.sound_rate(now, session);
        let (guess, estimate) = (session.bandwidth.is_guess(), session.bandwidth.estimate());
        let link = estimate.saturating_sub(sound);
        // What no longer fits gives way at once; what would fit again has to wait.
        let upward = session.patience.upward(now, link);
        let held = upward == Upward::Nothing;
        self.collect_asks(now, session, held, (&mut order, &mut asks, &mut slots));
        let going = asks.iter().filter_map(|ask| ask.going).fold(0, u32::saturating_add);
        // Nothing is taken away because of a guess.
        let link = if guess { link.max(going) } else { link };
        let room = self.overload.cap().map_or(link, |cap| cap.min(link));
        let allowed = if let Upward::Below { most, .. } = upward { room.min(most.max(going)) } else { room };
        let allocation = allocate(allowed, guess, &asks, &mut given);
        let cut = !guess && f64::from(going) > f64::from(link) * CUT;
        let squeezed = !guess && asks.iter().zip(&given).any(|(ask, layer)| ask.is_squeezed(*layer));
        let raised = asks.iter().zip(&given).any(|(ask, rung)| ask.is_raised(*rung));
        let with_sound = |rate: u32| if rate == 0 { 0 } else { rate.saturating_add(sound) };
        let demand = Demand {
            now: allocation.all.saturating_add(sound),
            // Where the worker is what is thin, or more was just too much, the link is not asked for more.
            // Nor is one at whose end nobody is.
            next: match upward {
                _ if squeezed || room < link || session.state() == SessionState::Disconnected => 0,
                Upward::Nothing => 0,
                Upward::Below { other, .. } => with_sound(allocation.next.max(other)),
                Upward::Free => with_sound(allocation.next),
            },
            all: with_sound(allocation.asked),
        };
        if let Some(session) = self.session_mut(number) {
            let all = allocation.all;
            session.allocated = Allocated { all, spare: all.saturating_sub(allocation.first) };
            session.outbound.set_link((!guess).then_some(estimate));
            if squeezed {
                session.patience.handle_gave_way(now, going, link);
            } else if raised {
                session.patience.handle_raised(now);
            }
        }
        self.set_demand(now, number, demand);
        // What the server can't do is not the link's fault, even where that is thin, too.
        let thin = if room < link { PauseReason::Overload } else { PauseReason::Bandwidth };
        for ((slot, ask), layer) in slots.iter().zip(&asks).zip(&given) {
            let Some(slot) = slot.map(|slot| slot as usize) else { continue };
            let arrives = ask.rates.iter().any(Option::is_some);
            // Fewer pictures a second of the same size are had at once.
            let size = |rung: Option<u8>| rung.map(|rung| rung / MAX_TEMPORAL);
            if cut
                && size(*layer) < size(ask.current)
                && !self.shrinks_anywhere(now, number, slot, *layer)
                && let Some(session) = self.session_mut(number)
            {
                session.outbound.interrupt(slot);
            }
            self.set_target(now, number, slot, *layer, arrives.then_some(thin), out);
        }
        self.scratch.order = order;
        self.scratch.asks = asks;
        self.scratch.given = given;
        self.scratch.slots = slots;
    }

    /// What the sounds take that a session gets, in bits per second.
    fn sound_rate(&self, now: Instant, session: &Session) -> u32 {
        let Some(router) = self.routers.get(session.router as usize).and_then(Option::as_ref) else { return 0 };
        let tracks = session.outbound.slots_of(Kind::Audio).filter_map(|(_, track)| track);
        let layers = tracks.filter_map(|track| router.tracks.get(track as usize)?.as_ref()?.layers.first());
        let times = u32::try_from(session.outbound.repeated()).unwrap_or(0) + 1;
        let rates = layers.filter_map(|layer| layer.rate(now));
        rates.map(|rate| rate.min(MOST_SOUND).saturating_mul(times) + SOUND_HEADERS).sum()
    }

    /// What a session asks of its link, most important first: screens, who speaks, then by size.
    fn collect_asks(
        &self,
        now: Instant,
        session: &Session,
        held: bool,
        (order, asks, slots): (&mut Vec<Rank>, &mut Vec<Ask>, &mut Vec<Option<u32>>),
    ) {
        let Some(router) = self.routers.get(session.router as usize).and_then(Option::as_ref) else { return };
        let speaks = |wish: &Wish| {
            let speakers = router.voices.speaking().filter_map(|track| router.tracks.get(track as usize)?.as_ref());
            speakers.into_iter().any(|track| track.id.participant == wish.track.participant)
        };
        order.extend(session.wishes.iter().zip(0..).map(|(wish, place)| {
            let rank = match wish.track.source {
                Source::Screen => 0,
                _ if speaks(wish) => 1,
                _ => 2,
            };
            (rank, Reverse(wish.height), place)
        }));
        order.sort_unstable();
        for wish in order.iter().filter_map(|(_, _, place)| session.wishes.get(usize::from(*place))) {
            let Some(wanted) = router.track_number(wish.track) else { continue };
            let slot = session.outbound.slots_of(Kind::Video).find(|(_, track)| *track == Some(wanted));
            let Some((slot, _)) = slot else { continue };
            if slots.contains(&Some(slot as u32)) {
                continue;
            }
            let Some(track) = router.tracks.get(wanted as usize).and_then(Option::as_ref) else { continue };
            let playable = track.codec.is_none_or(|codec| session.outbound.plays(slot, codec));
            let rates = if playable { track.rates(now) } else { [None; MAX_RUNGS] };
            let rung_of = |target| track.rung_of(now, target);
            let showing = session.outbound.current(slot);
            let (current, given) = (showing.map(rung_of), session.outbound.target(slot).map(rung_of));
            let going = showing.and_then(|showing| track.going_rate(now, showing));
            let ceiling = track.rung_for_height(now, wish.height);
            // What is on its way up goes on.
            let before = current.max(given);
            let ceiling = before.filter(|_| held).map_or(ceiling, |before| ceiling.min(before));
            let whole = wish.track.source == Source::Screen;
            let lack = match session.outbound.paused(slot).filter(|_| current.is_none()) {
                Some(PauseReason::Bandwidth | PauseReason::Overload) if held => Lack::RoomJustNow,
                Some(PauseReason::Bandwidth | PauseReason::Overload) => Lack::Room,
                _ => Lack::None,
            };
            asks.push(Ask { rates, ceiling, current, going, given, lack, whole });
            slots.push(Some(slot as u32));
        }
    }

    /// Tells the estimator, which may begin a probe.
    fn set_demand(&mut self, now: Instant, number: u32, demand: Demand) {
        let Some(session) = self.sessions.get_mut(number as usize).and_then(Option::as_mut) else { return };
        // Without transport-wide feedback a probe could not be told from anything else.
        if session.outbound.told_of().is_none() || !session.bandwidth.set_demand(now, demand) {
            return;
        }
        if let Some(tracer) = &mut self.tracer {
            tracer.demand(session.id, now, demand);
        }
        self.arm_session(number);
    }

    /// Whether a slot's picture gets as small as that rung says without a key frame: its stream brings the smaller one
    /// in each picture.
    fn shrinks_anywhere(&self, now: Instant, number: u32, slot: usize, rung: Option<u8>) -> bool {
        let Some(session) = self.sessions.get(number as usize).and_then(Option::as_ref) else { return false };
        let shown =
            session.outbound.showing(slot).and_then(|(track, _)| track_of(&self.routers, session.router, track));
        let (Some(track), Some(rung), Some(current)) = (shown, rung, session.outbound.current(slot)) else {
            return false;
        };
        let layer = track.layers.get(usize::from(current.layer));
        track.target_of(now, rung).layer == current.layer && layer.is_some_and(|layer| !layer.goes_down_at_keys())
    }

    /// `lacks`: why it has no layer where none is given; `None` where nothing arrives.
    fn set_target(
        &mut self,
        now: Instant,
        number: u32,
        slot: usize,
        rung: Option<u8>,
        lacks: Option<PauseReason>,
        out: &mut SendBatch,
    ) {
        let Some(session) = self.session_mut(number) else { return };
        let router = session.router;
        let Some((_, Some(track))) = session.outbound.slots_of(Kind::Video).find(|(other, _)| *other == slot) else {
            return;
        };
        let before = session.outbound.target(slot);
        let found = track_of(&self.routers, router, track);
        let target = match found {
            Some(track) if lacks.is_some() => rung.map(|rung| track.target_of(now, rung)),
            // Nothing arrives yet: the first key frame of the lowest layer may start the picture, unasked.
            _ => before.or(Some(Target::LOWEST)),
        };
        let layer = target.map(|target| target.layer);
        let codec = found.and_then(|track| track.codec);
        let shown = found.and_then(|track| track.layers.get(usize::from(layer?)));
        let anywhere = shown.is_some_and(|layer| !layer.goes_down_at_keys());
        let flows = shown.is_some_and(|layer| layer.flows(now));
        let step_of = |target: Target| found.map(|track| track.rung_of(now, target));
        let current = self.sessions.get(number as usize).and_then(|found| found.as_ref()?.outbound.current(slot));
        let same = current.zip(target).filter(|(current, target)| current.layer == target.layer);
        let differs = flows && same.is_some_and(|(current, target)| step_of(current) != step_of(target));
        let Some(session) = self.session_mut(number) else { return };
        let needs_key =
            session.outbound.set_target(slot, target, anywhere) | session.outbound.is_overdue(now, slot, differs);
        let paused = match (rung, codec) {
            (Some(_), _) => None,
            (None, Some(codec)) if !session.outbound.plays(slot, codec) => Some(PauseReason::Codec),
            (None, _) => Some(lacks.unwrap_or(PauseReason::NoPackets)),
        };
        if session.outbound.set_paused(slot, paused) {
            session.slots_changed = true;
        }
        if let Some(layer) = layer.filter(|_| needs_key)
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
        if session.outbound.current(slot).is_some() {
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
            if session.outbound.current(slot).is_some() {
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
