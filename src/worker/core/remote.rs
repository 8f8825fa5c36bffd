//! Sessions of other workers: their tracks stand in this worker's routers, their packets come by taps, and what
//! this worker's own sessions publish goes out by taps. Knows no other core, only rings.

use super::Core;
use crate::net::counters::Drop;
use crate::net::udp::SendBatch;
use crate::router::track::{Publisher, Track};
use crate::rtp::ring::NewPacket;
use crate::session::inbound::Media;
use crate::session::plan::Kind;
use crate::worker::api::{RemoteSession, RouterId, SessionId, Taker, Tap};
use crate::worker::tap::{Packet, Tapped, What};
use signaling::ids::{Source, TrackId};
use std::time::Instant;

/// What this worker has of a session elsewhere.
pub(super) struct Remote {
    pub(super) router: u32,
    published: Vec<(Source, u32)>,
}

impl Core {
    pub(super) fn add_remote(&mut self, now: Instant, remote: &RemoteSession, out: &mut SendBatch) {
        let Some(&router) = self.router_numbers.get(&remote.router) else { return };
        self.close_remote(now, remote.session, out);
        let mut published = Vec::new();
        for gate in &remote.gates {
            let id = TrackId { participant: remote.participant, source: gate.source };
            let kind = if gate.source.is_audio() { Kind::Audio } else { Kind::Video };
            let mut track = Track::new(id, kind, Publisher::Elsewhere(remote.session), gate.open);
            track.openings = gate.openings;
            published.extend(self.add_track(router, track).map(|number| (gate.source, number)));
        }
        self.remotes.insert(remote.session, Remote { router, published });
        self.refresh_router(now, router, out);
    }

    pub(super) fn close_remote(&mut self, now: Instant, session: SessionId, out: &mut SendBatch) {
        let Some(remote) = self.remotes.remove(&session) else { return };
        for (_, track) in remote.published {
            self.remove_track(now, remote.router, track);
        }
        self.refresh_router(now, remote.router, out);
    }

    /// Where the source of a session stands, be it of this worker or not: router and track.
    pub(super) fn find_published(&self, session: SessionId, source: Source) -> Option<(u32, u32)> {
        let (router, published) = match self.session_numbers.get(&session) {
            Some(&number) => {
                let session = self.sessions.get(number as usize)?.as_ref()?;
                (session.router, &session.published)
            }
            None => {
                let remote = self.remotes.get(&session)?;
                (remote.router, &remote.published)
            }
        };
        let track = published.iter().find(|(published, _)| *published == source).map(|(_, track)| *track);
        Some((router, track?))
    }

    pub(super) fn open_tap(&mut self, router: RouterId, tap: Tap) {
        self.close_tap(router, tap.taker);
        if let Some(&number) = self.router_numbers.get(&router)
            && let Some(found) = self.router_mut(number)
        {
            found.taps.push(tap);
        }
    }

    pub(super) fn close_tap(&mut self, router: RouterId, taker: Taker) {
        if let Some(&number) = self.router_numbers.get(&router)
            && let Some(found) = self.router_mut(number)
        {
            found.taps.retain(|tap| tap.taker != taker);
        }
    }

    /// A packet of a session here, whose gate is open, goes to each tap of its router.
    pub(super) fn give(&mut self, router: u32, session: u32, number: u32, media: &Media<'_>) {
        let Some(found) = self.routers.get(router as usize).and_then(Option::as_ref) else { return };
        if found.taps.is_empty() {
            return;
        }
        let Some(track) = found.tracks.get(number as usize).and_then(Option::as_ref) else { return };
        let Some(publisher) = self.sessions.get(session as usize).and_then(Option::as_ref) else { return };
        let captured_ns = publisher.inbound.captured_ns(number, media.layer, media.timestamp);
        let mut missed = false;
        for tap in &found.taps {
            let Some(packet) = Packet::of(media, captured_ns, track.openings) else {
                self.counters.drop(Drop::Malformed);
                continue;
            };
            let (source, layer) = (track.id.source, media.layer);
            if !tap.ring.push(Tapped { session: publisher.id, source, layer, what: What::Packet(packet) }) {
                self.counters.drop(Drop::TapFull);
                missed |= matches!(tap.taker, Taker::Worker(_));
                continue;
            }
            self.counters.tapped += 1;
            if let Taker::Worker(worker) = tap.taker {
                self.calls.add(worker);
            }
        }
        // Its subscribers can't ask for what their worker never had.
        if missed
            && let Some(layer) =
                self.track_mut(router, number).and_then(|track| track.layers.get_mut(usize::from(media.layer)))
        {
            layer.miss();
        }
    }

    /// A number of a session here was only padding.
    pub(super) fn give_padding(&mut self, router: u32, number: u32, layer: u8, seq: u64, timestamp: u32) {
        let Some(found) = self.routers.get(router as usize).and_then(Option::as_ref) else { return };
        let Some(track) = found.tracks.get(number as usize).and_then(Option::as_ref) else { return };
        let Publisher::Here(session) = track.publisher else { return };
        let Some(publisher) = self.sessions.get(session as usize).and_then(Option::as_ref) else { return };
        for tap in found.taps.iter().filter(|_| track.open) {
            let what = What::Padding { seq, timestamp };
            // The next packet wakes whoever takes it; a gap in the numbers does not hurry.
            if !tap.ring.push(Tapped { session: publisher.id, source: track.id.source, layer, what }) {
                self.counters.drop(Drop::TapFull);
            }
        }
    }

    /// Asks the worker of a publisher elsewhere for a key frame. Where its ring is full, the next tick asks again.
    pub(super) fn ask_elsewhere(&mut self, router: u32, session: SessionId, source: Source, layer: u8) {
        let Some(found) = self.routers.get(router as usize).and_then(Option::as_ref) else { return };
        let worker = session.worker();
        let Some(tap) = found.taps.iter().find(|tap| tap.taker == Taker::Worker(worker)) else { return };
        if tap.ring.push(Tapped { session, source, layer, what: What::KeyFrameWanted }) {
            self.calls.add(worker);
        } else {
            self.counters.drop(Drop::TapFull);
        }
    }

    /// What another worker gave to this one.
    pub fn handle_tapped(&mut self, now: Instant, tapped: &Tapped, out: &mut SendBatch) {
        let place = self.find_published(tapped.session, tapped.source);
        let Tapped { layer, .. } = *tapped;
        match &tapped.what {
            What::Packet(packet) => {
                self.counters.taken += 1;
                match place {
                    Some((router, track)) => self.take_remote(now, router, track, layer, packet),
                    // Its session ended while it was on its way.
                    None => self.counters.drop(Drop::UnknownStream),
                }
            }
            What::Padding { seq, timestamp } => {
                if let Some((router, track)) = place {
                    self.skip(now, router, track, (layer, *seq, *timestamp), out);
                }
            }
            What::KeyFrameWanted => {
                if let Some((router, track)) = place {
                    self.want_key(now, router, track, layer, out);
                }
            }
        }
    }

    fn take_remote(&mut self, now: Instant, router: u32, number: u32, layer: u8, packet: &Packet) {
        let Some(track) = self.track_mut(router, number) else { return };
        if track.is_here() {
            return;
        }
        if !track.open || track.openings != packet.openings {
            self.counters.drop(Drop::GateClosed);
            return;
        }
        if let Some(captured_ns) = packet.captured_ns {
            track.note_captured(layer, packet.timestamp, captured_ns);
        }
        let Packet {
            ssrc, seq, timestamp, marker, codec, key_start, orientation, audio_level, vp8, scalability, ..
        } = *packet;
        let (descriptor, payload) = (packet.descriptor(), packet.payload());
        let new = NewPacket {
            seq,
            timestamp,
            arrived: now,
            marker,
            codec,
            key_start,
            orientation,
            audio_level,
            vp8,
            scalability,
            descriptor,
            payload,
        };
        self.take_in(now, (router, number, layer), ssrc, packet.heights, &new);
    }

    /// A worker that has something new in its ring and is to be woken; each is said once.
    pub fn poll_call(&mut self) -> Option<usize> {
        self.calls.pop()
    }
}
