//! Reports how good the connections of a router are. The steps and their patience are `session::quality`; what it
//! cannot see itself is said here: whether a session lacks room for what it wants.

use super::Core;
use crate::router::allocation::MAX_RUNGS;
use crate::session::Session;
use crate::session::plan::Kind;
use crate::worker::api::Event;
use signaling::protocol::PauseReason;
use std::time::Instant;

impl Core {
    pub(super) fn report_quality(&mut self, now: Instant, router: u32, number: u32) {
        let Some(session) = self.sessions.get(number as usize).and_then(Option::as_ref) else { return };
        // Where this worker has too much to do, it is not the link that has no room.
        let lacking = self.overload.cap().is_none() && self.lacks_room(now, session);
        let Some(session) = self.session_mut(number) else { return };
        // A guess is nothing to tell people.
        let estimate = (!session.bandwidth.is_guess()).then(|| session.bandwidth.estimate());
        session.handle_room(now, estimate, lacking);
        let participant = session.participant;
        if let Some(conditions) = session.poll_quality(now) {
            self.report(now, router, Event::Quality { participant, conditions });
        }
    }

    /// Whether a picture that it wants does not go out, or in fewer pixels than its tile has, though more arrives.
    fn lacks_room(&self, now: Instant, session: &Session) -> bool {
        let Some(router) = self.routers.get(session.router as usize).and_then(Option::as_ref) else { return false };
        if session.outbound.reported().any(|(_, _, paused)| paused == Some(PauseReason::Bandwidth)) {
            return true;
        }
        session.outbound.slots_of(Kind::Video).any(|(slot, track)| {
            let Some(track) = track.and_then(|track| router.tracks.get(track as usize)?.as_ref()) else { return false };
            let Some(wish) = session.wishes.iter().find(|wish| wish.track == track.id) else { return false };
            let Some(target) = session.outbound.target(slot) else { return false };
            let ceiling = usize::from(track.rung_for_height(now, wish.height)).min(MAX_RUNGS - 1);
            let target = usize::from(track.rung_of(now, target));
            // The rates are looked at only where a higher rung might be missing.
            target < ceiling && track.rates(now).iter().take(ceiling + 1).skip(target + 1).any(Option::is_some)
        })
    }
}
