//! RTCP in and out: what peers miss, what they want anew, how their links are; and our own reports.

use super::{Core, track_of};
use crate::net::udp::SendBatch;
use crate::router::track::Publisher;
use crate::rtp::rtcp::{self, Ntp, Packet, ReportBlock, Writer, round_trip};
use crate::rtp::twcc_history::Fate;
use crate::session::bandwidth::Report;
use crate::session::outbound::DueReport;
use signaling::protocol::SessionState;
use std::time::Instant;

/// The longest RTCP datagram we write.
const MAX_RTCP: usize = 1200;

/// So many packets between two ticks are enough for the estimator to see how the link is.
const LEAST_SENT: u64 = 3;

/// Bytes of one that is sent for that alone: three of them in each tick are less than 20 kbit/s.
const LIFE_SIGN: usize = 160;

/// A probe of a thin link is a few hundred bytes: of one packet sent again nothing could be measured, of several small
/// ones of padding it can.
const LEAST_AGAIN: usize = 400;

impl Core {
    /// The time of reports: NTP, from the server's own clock.
    fn ntp(&self, now: Instant) -> Ntp {
        self.ntp_of(self.server_ns(now))
    }

    fn ntp_of(&self, server_ns: i64) -> Ntp {
        let ns = self.epoch_ntp_ns.wrapping_add_signed(server_ns);
        let (seconds, rest) = (ns / 1_000_000_000, ns % 1_000_000_000);
        Ntp((seconds << 32) | ((rest << 32) / 1_000_000_000))
    }

    pub(super) fn handle_rtcp(&mut self, now: Instant, number: u32, datagram: &[u8], out: &mut SendBatch) {
        let server_ns = self.server_ns(now);
        let mut estimate_moved = false;
        for packet in rtcp::packets(datagram) {
            let Ok(packet) = packet else {
                self.counters.drop(crate::net::counters::Drop::Malformed);
                continue;
            };
            let Some(session) = self.sessions.get_mut(number as usize).and_then(Option::as_deref_mut) else { return };
            match packet {
                Packet::SenderReport(report) => {
                    session.inbound.handle_sender_report(now, server_ns, &report.info);
                    report.blocks.iter().for_each(|block| self.handle_block(now, number, &block));
                }
                Packet::ReceiverReport(report) => {
                    report.blocks.iter().for_each(|block| self.handle_block(now, number, &block));
                }
                Packet::Goodbye(goodbye) => goodbye.sources().for_each(|ssrc| session.inbound.handle_goodbye(ssrc)),
                Packet::Nack(nack) => {
                    if let Some(slot) = session.outbound.slot_of(nack.media) {
                        nack.lost().for_each(|sequence| self.resend(now, number, slot, sequence, out));
                    }
                }
                Packet::PictureLoss(loss) => self.handle_picture_loss(now, number, loss.media, out),
                Packet::FullIntraRequest(request) => {
                    request.requests().for_each(|(ssrc, _)| self.handle_picture_loss(now, number, ssrc, out));
                }
                Packet::Remb(remb) => {
                    // Who has transport-wide feedback is judged by that.
                    if session.outbound.history_mut().is_none() {
                        session.bandwidth.handle_remb(remb.bitrate);
                        if let Some(tracer) = &mut self.tracer {
                            tracer.remb(session.id, remb.bitrate, session.bandwidth.estimate());
                        }
                        estimate_moved = true;
                    }
                }
                Packet::TransportFeedback(feedback) => {
                    let (bandwidth, capacity) = (&mut session.bandwidth, &mut session.capacity);
                    let mut trace = self.tracer.as_ref().map(|tracer| tracer.feedback(session.id));
                    let Some(history) = session.outbound.history_mut() else { continue };
                    let (mut told, mut lost) = (0, 0);
                    let heard = history.on_feedback(&feedback, |packet| {
                        told += 1;
                        lost += u32::from(packet.fate == Fate::Lost);
                        let arrived = match packet.fate {
                            Fate::ArrivedAt(at) => Some(at),
                            Fate::Arrived => return,
                            Fate::Lost => None,
                        };
                        let bytes = u32::from(packet.sent.size);
                        if let Some(arrived) = arrived.filter(|_| bandwidth.went_this_way(packet.sent.at)) {
                            capacity.handle_arrival(packet.sent.at, bytes, arrived);
                        }
                        let report = Report { sent: packet.sent.at, bytes, arrived };
                        bandwidth.handle_report(report);
                        if let Some(trace) = &mut trace {
                            trace.report(now, report);
                        }
                    });
                    if heard.is_ok() {
                        estimate_moved |= bandwidth.handle_feedback_end(now);
                        session.outbound.handle_loss(told, lost, bandwidth.estimate());
                        if let Some(trace) = &mut trace {
                            trace.end(now, bandwidth.estimate());
                        }
                    }
                    if let Some((tracer, trace)) = self.tracer.as_mut().zip(trace) {
                        tracer.told(trace);
                    }
                }
                Packet::SourceDescription(_) | Packet::Unknown { .. } => {}
            }
        }
        if estimate_moved {
            self.allocate_layers(now, number, out);
            self.report_slots(now, number);
        }
        // What feedback told may have begun a probe, or ended one.
        self.probe(now, number, out);
    }

    fn handle_block(&mut self, now: Instant, number: u32, block: &ReportBlock) {
        let round_trip = round_trip(self.ntp(now), block.last_sender_report, block.delay_since);
        if let Some(session) = self.session_mut(number)
            && session.outbound.slot_of(block.ssrc).is_some()
        {
            session.handle_downlink_report(block.fraction_lost, round_trip);
        }
    }

    fn resend(&mut self, now: Instant, number: u32, slot: usize, sequence: u16, out: &mut SendBatch) {
        let Some(session) = self.sessions.get_mut(number as usize).and_then(Option::as_mut) else { return };
        let Some((track, _)) = session.outbound.showing(slot) else { return };
        let track = track_of(&self.routers, session.router, track);
        // Of a closed track nothing goes again either.
        let Some(track) = track.filter(|track| track.open) else { return };
        if session.outbound.send_kept(now, slot, sequence, &mut self.counters, out) {
            return;
        }
        let Some(layer) = session.outbound.lost(now, slot, sequence) else { return };
        let Some(layer) = track.layers.get(usize::from(layer)) else { return };
        session.outbound.retransmit(now, slot, sequence, layer, &mut self.counters, out);
    }

    /// Sends what a probe of the link is to be filled with, where one runs.
    pub(super) fn probe(&mut self, now: Instant, number: u32, out: &mut SendBatch) {
        let Some(session) = self.sessions.get_mut(number as usize).and_then(Option::as_mut) else { return };
        let Some(wanted) = session.bandwidth.poll_probe(now) else { return };
        let shown = session.outbound.probing_slot();
        let layer = shown.and_then(|(_, shown)| {
            let (track, layer) = shown?;
            let router = self.routers.get(session.router as usize)?.as_ref()?;
            router.tracks.get(track as usize)?.as_ref()?.layers.get(usize::from(layer))
        });
        let (mut sent, mut back) = (0, 0);
        while let Some((slot, _)) = shown.filter(|_| sent < wanted) {
            let rest = (wanted - sent) as usize;
            let again = layer.filter(|_| rest >= LEAST_AGAIN).map(|layer| (back, layer));
            let Some(bytes) = session.outbound.probe(now, slot, rest, again, &mut self.counters, out) else { break };
            sent += bytes as u64;
            back += 1;
        }
        session.bandwidth.handle_probed(now, sent);
        if let Some(tracer) = &mut self.tracer {
            tracer.probe(session.id, now, sent);
        }
    }

    /// Looks whether anything is heard of what a session is sent. Where pictures are missing for want of room and next
    /// to nothing goes, sends a little that feedback can tell of: else nothing would ever show that there is room.
    pub(super) fn look_for_silence(&mut self, now: Instant, number: u32, out: &mut SendBatch) {
        let Some(session) = self.sessions.get_mut(number as usize).and_then(Option::as_mut) else { return };
        let Some(look) = session.look_for_silence() else { return };
        if look.unheard {
            session.bandwidth.handle_silence();
            if let Some(tracer) = &mut self.tracer {
                tracer.silence(session.id);
            }
        }
        if !session.bandwidth.is_more_wanted() || session.state() != SessionState::Connected {
            return;
        }
        let Some((slot, _)) = session.outbound.probing_slot() else { return };
        for _ in look.sent..LEAST_SENT {
            session.outbound.probe(now, slot, LIFE_SIGN, None, &mut self.counters, out);
        }
        session.note_own();
    }

    fn handle_picture_loss(&mut self, now: Instant, number: u32, ssrc: u32, out: &mut SendBatch) {
        let Some(session) = self.session_mut(number) else { return };
        let router = session.router;
        if !session.may_ask_for_key(now) {
            return;
        }
        let showing = session.outbound.slot_of(ssrc).and_then(|slot| session.outbound.showing(slot));
        if let Some((track, Some(layer))) = showing {
            self.want_key(now, router, track, layer, out);
        }
    }

    /// A number that was only padding is left out of what subscribers get.
    pub(super) fn skip(&mut self, now: Instant, router: u32, track: u32, padding: (u8, u64, u32), out: &mut SendBatch) {
        let Some(found) = track_of(&self.routers, router, track) else { return };
        for subscriber in found.subscribers.iter() {
            if let Some(session) = self.sessions.get_mut(subscriber.session as usize).and_then(Option::as_mut) {
                session.outbound.skip(now, usize::from(subscriber.slot), padding, &mut self.counters, out);
            }
        }
    }

    /// What a session has to say: handshake, feedback, reports.
    pub(super) fn flush_session(&mut self, now: Instant, number: u32, out: &mut SendBatch) {
        let mut keys = Vec::new();
        let Some(session) = self.session_mut(number) else { return };
        let router = session.router;
        session.flush_dtls(out);
        session.flush_rtcp(now, out, &mut keys);
        for (track, layer) in keys {
            self.want_key(now, router, track, layer, out);
        }
        self.send_reports(now, number, out);
    }

    fn send_reports(&mut self, now: Instant, number: u32, out: &mut SendBatch) {
        let mut due = std::mem::take(&mut self.scratch.due);
        due.clear();
        if let Some(session) = self.session_mut(number) {
            session.outbound.due_reports(now, &mut due);
        }
        if !due.is_empty() {
            self.write_reports(now, number, &due, out);
        }
        self.scratch.due = due;
    }

    /// When the last packet that a report tells of was captured, in the server's nanoseconds.
    fn captured_ns(&self, router: u32, report: &DueReport) -> Option<i64> {
        let track = track_of(&self.routers, router, report.track)?;
        match track.publisher {
            Publisher::Here(session) => {
                let session = self.sessions.get(session as usize)?.as_ref()?;
                session.inbound.captured_ns(report.track, report.layer, report.timestamp)
            }
            Publisher::Elsewhere(_) => track.captured_ns(report.layer, report.timestamp),
        }
    }

    fn write_reports(&mut self, now: Instant, number: u32, due: &[DueReport], out: &mut SendBatch) {
        let Some(session) = self.session_mut(number) else { return };
        let router = session.router;
        let server_ns = self.server_ns(now);
        let ntp = self.ntp_of(server_ns);
        let mut buffer = [0; MAX_RTCP];
        let mut writer = Writer::new(&mut buffer);
        for report in due {
            let Some(captured) = self.captured_ns(router, report) else { continue };
            let Some(session) = self.sessions.get(number as usize).and_then(Option::as_ref) else { return };
            session.outbound.write_report(report.slot, ntp, server_ns - captured, &mut writer);
        }
        let len = writer.len();
        if len > 0
            && let Some(session) = self.session_mut(number)
        {
            session.outbound.send_rtcp(&buffer[..len], out);
        }
    }
}
