//! What a router with packets looks after four times a second: who speaks, which layers arrive, what is
//! wanted, how good connections are. A router without packets has no tick.

use super::Core;
use crate::net::udp::SendBatch;
use crate::session::plan::Kind;
use crate::worker::api::Event;
use signaling::ids::Source;
use signaling::protocol::SessionState;
use std::time::Instant;

impl Core {
    pub(super) fn tick(&mut self, now: Instant, number: u32, out: &mut SendBatch) {
        let mut sessions = std::mem::take(&mut self.scratch.sessions);
        sessions.clear();
        let Some(router) = self.router_mut(number) else { return };
        router.flush_reports();
        let voices = router.voices.poll(now);
        sessions.extend_from_slice(&router.sessions);
        if voices.selection {
            self.refresh_voices(now, number);
        }
        if voices.speakers {
            self.report_speakers(now, number);
        }
        self.ask_for_missing_keys(now, number, out);
        for session in &sessions {
            // Whoever never comes to be connected must not ask for key frames for ever.
            if self.session_mut(*session).is_some_and(|found| found.state() != SessionState::Connecting) {
                self.look_for_silence(now, *session, out);
                self.allocate_layers(now, *session, out);
                self.choose_paces(now, *session, out);
            }
            self.report_slots(now, *session);
            self.report_quality(now, number, *session);
        }
        self.scratch.sessions = sessions;
        self.report_wanted(now, number);
        let flowing = self.report_flowing(now, number);
        if flowing || self.router_mut(number).is_some_and(|router| !router.late.is_empty()) {
            self.arm_tick(now, number);
        }
    }

    fn report_speakers(&mut self, now: Instant, number: u32) {
        let Some(router) = self.router_mut(number) else { return };
        let id = router.id;
        let participants = router
            .voices
            .speaking()
            .filter_map(|track| Some(router.tracks.get(track as usize)?.as_ref()?.id.participant))
            .collect();
        self.report(now, number, Event::Speakers { router: id, participants });
    }

    fn ask_for_missing_keys(&mut self, now: Instant, number: u32, out: &mut SendBatch) {
        let window = self.limits.key_frame_window;
        let mut missing = std::mem::take(&mut self.scratch.missing_keys);
        missing.clear();
        let Some(router) = self.router_mut(number) else { return };
        for (track_number, track) in (0..).zip(&mut router.tracks) {
            let Some(track) = track.as_mut().filter(|track| track.kind == Kind::Video && track.open) else { continue };
            let layers = (0..).zip(&mut track.layers);
            let due = layers.filter_map(|(index, layer)| layer.poll_key_request(now, window).then_some(index));
            missing.extend(due.map(|layer| (track_number, layer)));
        }
        for (track, layer) in &missing {
            self.ask_for_key(now, number, *track, *layer, out);
        }
        self.scratch.missing_keys = missing;
    }

    fn report_wanted(&mut self, now: Instant, number: u32) {
        let mut heights = std::mem::take(&mut self.scratch.heights);
        heights.clear();
        let Some(router) = self.routers.get(number as usize).and_then(Option::as_ref) else { return };
        let sessions = router.sessions.iter().filter_map(|number| self.sessions.get(*number as usize)?.as_ref());
        for wish in sessions.flat_map(|session| &session.wishes) {
            let height = heights.entry(wish.track).or_default();
            *height = (*height).max(wish.height);
        }
        let mut events = Vec::new();
        let Some(router) = self.router_mut(number) else { return };
        let id = router.id;
        for track in router.tracks.iter_mut().flatten().filter(|track| track.kind == Kind::Video) {
            let height = heights.get(&track.id).copied().unwrap_or(0);
            if std::mem::replace(&mut track.reported_height, height) != height {
                events.push(Event::Wanted { router: id, track: track.id, height });
            }
        }
        self.scratch.heights = heights;
        for event in events {
            self.report(now, number, event);
        }
    }

    /// Says which tracks stopped; whether any still flows.
    fn report_flowing(&mut self, now: Instant, number: u32) -> bool {
        let Some(router) = self.router_mut(number) else { return false };
        let mut flowing = false;
        let mut stopped = Vec::new();
        for track in router.tracks.iter_mut().flatten() {
            let flows = track.flows(now);
            flowing |= flows;
            if track.reported_flowing && !flows {
                track.reported_flowing = false;
                stopped.push((track.id, track.is_here()));
            }
        }
        let shared = stopped.iter().any(|(track, _)| track.source == Source::ScreenAudio);
        for (track, _) in stopped.into_iter().filter(|(_, here)| *here) {
            self.report(now, number, Event::Flowing { track, flowing: false });
        }
        if shared {
            self.refresh_voices(now, number);
        }
        flowing
    }
}
