//! Which subscribers get frames whole and which packet by packet: looked after at each tick, and what a change of
//! pace must not lose. The policy is `router::pace`, the link's speed comes from `session::capacity`.

use super::{Core, Sleeper, track_of};
use crate::net::udp::SendBatch;
use crate::router::pace::{Pace, choose};
use crate::router::subscribers::Subscriber;
use crate::router::track::Track;
use crate::session::plan::Kind;
use std::time::Instant;

impl Core {
    /// Chooses for each picture that a session gets.
    pub(super) fn choose_paces(&mut self, now: Instant, number: u32, out: &mut SendBatch) {
        let Some(session) = self.sessions.get(number as usize).and_then(Option::as_ref) else { return };
        let router = session.router;
        // Packets one by one cost several times as much: nobody gets them while there is too much to do. The estimate
        // of the bandwidth says nothing here: while little is sent it grows past any link.
        let link = session.capacity.bits_per_second(now).filter(|_| !self.overload.is_over());
        for slot in 0..session.outbound.slot_count() {
            let Some(session) = self.sessions.get(number as usize).and_then(Option::as_ref) else { return };
            let Some((track_number, Some(layer))) = session.outbound.showing(slot) else { continue };
            let Some(track) = track_of(&self.routers, router, track_number) else { continue };
            let me = Subscriber { session: number, slot: slot as u16 };
            let Some((before, _)) = track.subscribers.find(me).filter(|_| track.kind == Kind::Video) else { continue };
            let bytes = track.layers.get(usize::from(layer)).and_then(crate::rtp::layer::Layer::frame_bytes);
            let Some(bytes) = bytes else { continue };
            let pace = choose(before, bytes, link);
            if pace != before {
                self.change_pace(now, (router, track_number), me, pace, out);
            }
        }
    }

    /// Lets a subscriber change lists. What waits for it in the queue, and for the end of its frame, goes out before:
    /// afterwards no job brings it. What a job of the other list brings again, `SendSlot` refuses.
    fn change_pace(
        &mut self,
        now: Instant,
        (router, number): (u32, u32),
        me: Subscriber,
        pace: Pace,
        out: &mut SendBatch,
    ) {
        let found = self.routers.get_mut(router as usize).and_then(Option::as_mut);
        let track = found.and_then(|found| found.tracks.get_mut(number as usize)?.as_mut());
        let session = self.sessions.get_mut(me.session as usize).and_then(Option::as_mut);
        let (Some(track), Some(session)) = (track, session) else { return };
        let Some((before, place)) = track.subscribers.find(me) else { return };
        let held = |track: &Track, layer: u8| match pace {
            Pace::AtOnce => track.layers.get(usize::from(layer))?.held(),
            // It got each of them when it came.
            Pace::Whole => None,
        };
        let layers = 0..track.layers.len() as u8;
        let waiting = self.jobs.waiting((router, number), before, place);
        let spans = waiting.chain(layers.filter_map(|layer| Some((layer, held(track, layer)?))));
        // Where the batch is full, the next tick tries again.
        if !out.has_room_for(spans.clone().map(|(_, span)| span.count()).sum()) {
            return;
        }
        for (index, span) in spans {
            let Some(layer) = track.layers.get(usize::from(index)) else { continue };
            let packets = layer.packets(span);
            session.outbound.forward(now, usize::from(me.slot), index, &packets, &mut self.counters, out);
        }
        if let Some(at) = session.outbound.take_new_deadline() {
            self.timers.arm(Sleeper::Session(me.session).name(), at);
        }
        track.subscribers.remove(me);
        self.jobs.unsubscribed(router, number, (before, place));
        if let Some(place) = track.subscribers.add(me, pace) {
            self.jobs.subscribed(router, number, (pace, place));
        }
    }
}
