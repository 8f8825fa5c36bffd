//! Datagrams in: STUN to the ICE agent, DTLS to the handshake, RTP and RTCP to the session and on to its
//! tracks. Knows no sockets.

use super::{Core, Disposition, track_of};
use crate::net::counters::Drop;
use crate::net::demux::Place;
use crate::net::stun;
use crate::net::tcp::is_tcp;
use crate::net::udp::SendBatch;
use crate::router::pace::Pace;
use crate::router::track::Publisher;
use crate::rtp;
use crate::rtp::ring::NewPacket;
use crate::rtp::scalability::Heights;
use crate::session::inbound::{Media, Received};
use crate::session::limits::Admission;
use crate::session::plan::{Kind, Ssrc};
use crate::session::{Change, ufrag_worker};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// No way that subscribers are behind takes longer ones.
const LONGEST_MEDIA: usize = 1_500;

impl Core {
    pub(super) fn handle_stun(
        &mut self,
        now: Instant,
        from: SocketAddr,
        to: Option<IpAddr>,
        data: &[u8],
        out: &mut SendBatch,
    ) -> Disposition {
        // A check costs a digest.
        if let Some(Place::Session(number)) = self.demux.by_address(from)
            && !self.session_mut(number).is_some_and(|session| session.admit_check(now))
        {
            self.counters.drop(Drop::Flood);
            return Disposition::Done;
        }
        let Some(ufrag) = stun::ufrag_of(data) else {
            self.counters.drop(Drop::Stun);
            return Disposition::Done;
        };
        let Some(number) = self.demux.by_ufrag(ufrag) else {
            // A connection stays with the worker that it named first.
            if let Some(worker) = ufrag_worker(ufrag).filter(|worker| *worker != self.index && !is_tcp(from)) {
                self.demux.add_foreign(from, worker);
                return Disposition::Foreign(worker);
            }
            self.counters.drop(Drop::Stun);
            return Disposition::Done;
        };
        let Some(session) = self.session_mut(number) else { return Disposition::Done };
        let checked = session.handle_stun(now, from, to, data, out);
        if !checked.proved {
            self.counters.drop(Drop::Stun);
            return Disposition::Done;
        }
        self.demux.add_address(from, number);
        self.forget_addresses(number);
        self.flush_session(now, number, out);
        self.apply_session_change(now, number, checked.change, out);
        self.arm_session(number);
        Disposition::Done
    }

    /// Whether a session may send one more datagram now.
    fn admits(&mut self, now: Instant, number: u32, bytes: usize) -> bool {
        let Some(session) = self.sessions.get_mut(number as usize).and_then(Option::as_deref_mut) else { return false };
        match session.admit(now, bytes, &self.limits) {
            Admission::Admitted => return true,
            Admission::FirstRefused => {
                let (session, participant) = (session.id.0, session.participant.0);
                tracing::warn!(session, participant, "more media than a participant may send: the rest is dropped");
            }
            Admission::Refused => {}
        }
        self.counters.drop(Drop::Flood);
        false
    }

    /// Whose a datagram is, where it is looked at.
    fn session_of(&mut self, now: Instant, from: SocketAddr, bytes: usize) -> Result<u32, Disposition> {
        match self.demux.by_address(from) {
            Some(Place::Session(number)) if self.admits(now, number, bytes) => Ok(number),
            Some(Place::Session(_)) => Err(Disposition::Done),
            Some(Place::Worker(worker)) => Err(Disposition::Foreign(worker)),
            None => {
                self.counters.drop(Drop::UnknownAddress);
                Err(Disposition::Done)
            }
        }
    }

    pub(super) fn handle_dtls(
        &mut self,
        now: Instant,
        from: SocketAddr,
        data: &[u8],
        out: &mut SendBatch,
    ) -> Disposition {
        let number = match self.session_of(now, from, data.len()) {
            Ok(number) => number,
            Err(disposition) => return disposition,
        };
        let Some(session) = self.session_mut(number) else { return Disposition::Done };
        let change = session.handle_dtls(now, data);
        self.flush_session(now, number, out);
        self.apply_session_change(now, number, change, out);
        self.arm_session(number);
        Disposition::Done
    }

    pub(super) fn handle_media(
        &mut self,
        now: Instant,
        from: SocketAddr,
        data: &mut [u8],
        out: &mut SendBatch,
    ) -> Disposition {
        let number = match self.session_of(now, from, data.len()) {
            Ok(number) => number,
            Err(disposition) => return disposition,
        };
        if data.len() > LONGEST_MEDIA {
            self.counters.drop(Drop::Malformed);
            return Disposition::Done;
        }
        let server_ns = self.server_ns(now);
        let Some(session) = self.session_mut(number) else { return Disposition::Done };
        let router = session.router;
        if rtp::is_rtcp(data) {
            match session.inbound.open_rtcp(data) {
                Ok(len) => self.handle_rtcp(now, number, &data[..len.min(data.len())], out),
                Err(reason) => self.counters.drop(reason),
            }
            self.arm_session(number);
            return Disposition::Done;
        }
        match session.inbound.handle_rtp(now, server_ns, data) {
            Received::Dropped(reason) => self.counters.drop(reason),
            Received::Padding { track, layer, seq, timestamp, bytes } => {
                self.count_received(bytes);
                self.counters.drop(Drop::Padding);
                if let (Some(track), Some(seq)) = (track, seq) {
                    self.skip(now, router, track, (layer, seq, timestamp), out);
                    self.give_padding(router, track, layer, seq, timestamp);
                }
            }
            Received::Media(media) => {
                session.note_traffic(now);
                self.count_received(media.bytes);
                for missed in media.missed.iter().rev().flatten() {
                    let track = media.track.and_then(|track| track_of(&self.routers, router, track));
                    if track.is_some_and(|track| track.may_be_refused(missed.seq)) {
                        continue;
                    }
                    self.publish(now, router, number, &media.of_missed(*missed));
                }
                self.publish(now, router, number, &media);
            }
        }
        if let Some(at) = self.session_mut(number).and_then(|session| session.inbound.take_new_deadline()) {
            self.timers.arm(super::Sleeper::Session(number).name(), at);
        }
        Disposition::Done
    }

    /// A TCP connection was closed: its path is dead at once, and its session may have others.
    pub fn handle_closed(&mut self, now: Instant, from: SocketAddr) {
        let place = self.demux.by_address(from);
        self.demux.forget_address(from);
        let Some(Place::Session(number)) = place else { return };
        let Some(session) = self.session_mut(number) else { return };
        session.handle_closed(now, from);
        self.forget_addresses(number);
    }

    /// Whether an address is one of a session here.
    #[must_use]
    pub fn serves(&self, address: SocketAddr) -> bool {
        matches!(self.demux.by_address(address), Some(Place::Session(_)))
    }

    /// Addresses whose consent is over get nothing, and nothing from them is looked at.
    pub(super) fn forget_addresses(&mut self, number: u32) {
        while let Some(address) = self.session_mut(number).and_then(crate::session::Session::poll_dropped_address) {
            self.demux.remove_address(address, number);
        }
    }

    fn count_received(&mut self, bytes: usize) {
        self.counters.received += 1;
        self.counters.received_bytes += bytes as u64;
    }

    fn publish(&mut self, now: Instant, router: u32, session: u32, media: &Media<'_>) {
        let Some(number) = media.track else {
            self.counters.drop(Drop::UnknownSection);
            return;
        };
        let Some(track) = self.track_mut(router, number) else { return };
        debug_assert_eq!(track.publisher, Publisher::Here(session));
        if !track.open {
            track.refuse(media.seq);
            self.counters.drop(Drop::GateClosed);
            return;
        }
        self.give(router, session, number, media);
        let packet = NewPacket {
            seq: media.seq,
            timestamp: media.timestamp,
            arrived: now,
            marker: media.marker,
            codec: media.codec,
            key_start: media.key_start,
            orientation: media.orientation,
            audio_level: media.audio_level,
            vp8: media.vp8,
            scalability: media.scalability,
            descriptor: media.descriptor,
            payload: media.payload,
        };
        self.take_in(now, (router, number, media.layer), media.ssrc, media.heights, &packet);
    }

    /// A packet whose gate is open, of a session here or elsewhere, takes its way to the subscribers of this worker.
    /// `place` is router, track and layer.
    pub(super) fn take_in(
        &mut self,
        now: Instant,
        place: (u32, u32, u8),
        ssrc: Ssrc,
        heights: Heights,
        packet: &NewPacket<'_>,
    ) {
        let (router, number, layer_index) = place;
        let Some(found) = self.routers.get_mut(router as usize).and_then(Option::as_mut) else { return };
        let Some(track) = found.tracks.get_mut(number as usize).and_then(Option::as_mut) else { return };
        if track.restart_layer(layer_index, ssrc) {
            self.jobs.forget_layer(router, number, layer_index);
            self.held.retain(|held| !held.is_of(router, number, layer_index));
            for subscriber in track.subscribers.iter() {
                if let Some(session) = self.sessions.get_mut(subscriber.session as usize).and_then(Option::as_mut) {
                    session.outbound.restart(usize::from(subscriber.slot), layer_index);
                }
            }
        }
        track.codec = Some(packet.codec);
        let kind = track.kind;
        let Some(layer) = track.layer_mut(layer_index, ssrc) else { return };
        if heights != Heights::default() {
            layer.heights = heights;
        }
        let release = layer.handle_packet(packet);
        if layer.take_change() {
            // Who shows what stopped must not wait for the next look at the layers.
            self.timers.arm(super::Sleeper::Router(router).name(), now);
        }
        let first = !track.reported_flowing;
        let at_once = !track.subscribers.of(Pace::AtOnce).is_empty();
        let mut voices_changed = false;
        if kind == Kind::Audio && track.id.source == signaling::ids::Source::Microphone {
            voices_changed = found.voices.handle_packet(now, number, packet.audio_level);
        }
        for span in release.earlier.into_iter().chain(release.now) {
            self.enqueue(now, kind, router, number, layer_index, span);
        }
        if at_once {
            self.enqueue_at_once(now, router, number, layer_index, packet.seq);
        }
        if let Some(at) = release.held_until {
            self.hold(at, router, number, layer_index);
        }
        if voices_changed {
            self.refresh_voices(now, router);
        }
        // The first packet is looked at right away, so that nobody waits a tick for a picture or a voice.
        if first {
            self.track_started(now, router, number);
        }
        self.arm_tick(now, router);
    }

    /// What changed in a session: reports it, and ends it where it is over.
    pub(super) fn apply_session_change(&mut self, now: Instant, number: u32, change: Change, out: &mut SendBatch) {
        let Change::State(state) = change else { return };
        let Some(session) = self.session_mut(number) else { return };
        let (router, id, participant) = (session.router, session.id, session.participant);
        self.report(now, router, crate::worker::api::Event::Session { session: id, participant, state });
        match state {
            signaling::protocol::SessionState::Connected => self.refresh_session(now, number, out),
            signaling::protocol::SessionState::Failed => self.close_session(now, number, out),
            _ => {}
        }
    }
}
