//! Sequence numbers on their way through: what arrives in any order (the receive log), and what one
//! subscriber sees of it across switches, drops and insertions (the munger).

#![no_main]

use fuzz::rtp::munge::{Gap, Incoming};
use fuzz::rtp::receive_log::{Arrival, MAX_MISSING, ReceiveLog, RepairPolicy, Via};
use fuzz::rtp::rtcp::{Ntp, Packet, Writer, packets};
use fuzz::rtp::sequence::{PictureId, PictureIdBits};
use fuzz::rtp::{ArrivalRecorder, Munger};
use fuzz::{Input, START};
use libfuzzer_sys::fuzz_target;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

// acceptance: SEC2
fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    match first % 3 {
        0 => receive(Input::new(rest)),
        1 => munge(Input::new(rest)),
        _ => record(Input::new(rest)),
    }
});

fn receive(mut input: Input<'_>) {
    let policy = input.pick(&[None, Some(RepairPolicy::VIDEO), Some(RepairPolicy::AUDIO)]);
    let mut log = ReceiveLog::new(input.pick(&[48_000, 90_000]), policy);
    let (mut now, mut sequence, mut lost) = (*START, input.short(), Vec::new());
    let mut seen = BTreeSet::new();
    while !input.is_empty() {
        match input.byte() % 8 {
            0..=3 => {
                sequence = sequence.wrapping_add(u16::from(input.byte() % 8)).wrapping_sub(2);
                arrive(&mut log, now, sequence, &mut input, &mut seen);
            }
            4 => {
                sequence = input.short();
                arrive(&mut log, now, sequence, &mut input, &mut seen);
            }
            5 => now += Duration::from_millis(u64::from(input.byte())),
            6 => {
                let back = u64::from(input.byte());
                log.on_key_frame(log.highest().unwrap_or(back).saturating_sub(back));
                log.set_round_trip(Duration::from_millis(u64::from(input.short())));
            }
            _ => log.on_sender_report(now, Ntp(input.long())),
        }
        lost.clear();
        log.poll_nack(now, &mut lost);
        assert!(lost.len() <= MAX_MISSING, "{}", lost.len());
        if let Some(highest) = log.highest() {
            let newer = |number: &&u16| number.wrapping_sub(highest as u16).cast_signed() > 0;
            assert_eq!(lost.iter().find(newer), None, "asks for what may not have been sent");
        }
        assert!(policy.is_some() || lost.is_empty());
        let _ = (log.poll_timeout(), log.take_key_frame_request(), log.jitter());
        if let Some(report) = log.report(now, 7) {
            // Retransmissions are no part of the stream that is reported on.
            let highest = log.highest().unwrap_or_default().wrapping_sub(1 << 16) as u32;
            assert!(highest.wrapping_sub(report.highest_sequence) < 1 << 31, "{report:?} beyond {highest}");
        }
    }
    assert!(log.received() <= seen.len() as u64, "more received than came");
}

fn arrive(log: &mut ReceiveLog, now: Instant, sequence: u16, input: &mut Input<'_>, seen: &mut BTreeSet<u64>) {
    let via = if input.flag() { Via::Retransmission } else { Via::Media };
    let arrival = log.on_packet(now, sequence, input.word(), via);
    if let Some(number) = arrival.sequence() {
        assert_eq!(number as u16, sequence);
        assert!(seen.insert(number), "{number} is new twice");
        assert!(log.highest() >= Some(number));
    } else if arrival == Arrival::Duplicate {
        assert!(seen.iter().any(|number| *number as u16 == sequence), "{sequence} is no duplicate");
    }
}

/// What one subscriber was sent: no index twice, and whatever is asked for again is what was sent.
struct Subscriber {
    munger: Munger,
    /// By index, what the packet was; `None` of padding.
    sent: BTreeMap<u64, Option<Incoming>>,
}

fn munge(mut input: Input<'_>) {
    let mut subscriber = Subscriber {
        munger: Munger::new(input.pick(&[48_000, 90_000]), input.short(), input.word()),
        sent: BTreeMap::new(),
    };
    let bits = input.pick(&[None, Some(PictureIdBits::Seven), Some(PictureIdBits::Fifteen)]);
    let (mut sequence, mut picture) = (1 << 16, input.short());
    let mut handled = BTreeSet::new();
    while !input.is_empty() {
        let what = input.byte();
        sequence += u64::from(what >> 5);
        picture = picture.wrapping_add(u16::from(what >> 3 & 1));
        let value = |picture: u16, bits: PictureIdBits| PictureId { value: picture & bits.mask(), bits };
        let mut packet = Incoming {
            sequence,
            timestamp: u32::from(picture).wrapping_mul(3000),
            picture_id: bits.map(|bits| value(picture, bits)),
            tl0: bits.map(|_| (picture >> 2) as u8),
            frame: bits.is_none().then_some(picture),
        };
        match what % 8 {
            0 => {
                // Another layer has its own numbers.
                packet.sequence = (1 << 16) + u64::from(input.short());
                packet.timestamp = input.word();
                (sequence, picture) = (packet.sequence, input.short());
                packet.picture_id = bits.map(|bits| value(picture, bits));
                handled = BTreeSet::from([sequence]);
                let outgoing = subscriber.munger.switch(
                    input.byte() % 3,
                    &packet,
                    Duration::from_millis(u64::from(input.short())),
                );
                subscriber.note(outgoing.index, Some(packet));
            }
            1 => {
                if let Some((index, _)) = subscriber.munger.insert() {
                    subscriber.note(index, None);
                }
            }
            2 | 3 => subscriber.drop_one(&packet, &mut handled),
            4 => {
                // A late one.
                packet.sequence = sequence.saturating_sub(u64::from(input.byte()));
                subscriber.forward(&packet, &mut handled);
            }
            _ => subscriber.forward(&packet, &mut handled),
        }
    }
    subscriber.judge();
}

impl Subscriber {
    fn note(&mut self, index: u64, packet: Option<Incoming>) {
        assert!(self.sent.insert(index, packet).is_none(), "{index} was sent twice: that breaks SRTP");
    }

    /// A router hands each packet over once.
    fn forward(&mut self, packet: &Incoming, handled: &mut BTreeSet<u64>) {
        if !handled.insert(packet.sequence) {
            return;
        }
        match self.munger.map(packet) {
            Some(outgoing) => self.note(outgoing.index, Some(*packet)),
            None => self.fill(packet),
        }
    }

    /// What was kept free for a packet that is not forwarded goes out empty.
    fn fill(&mut self, packet: &Incoming) {
        if let Some((index, _)) = self.munger.fill(packet) {
            assert_eq!(self.munger.index_of(index as u16), Some(index));
            self.note(index, None);
        }
    }

    fn drop_one(&mut self, packet: &Incoming, handled: &mut BTreeSet<u64>) {
        if !handled.insert(packet.sequence) {
            return;
        }
        let gap = self.munger.drop_packet(packet);
        assert_eq!(self.munger.fill(packet).map_or(Gap::Closed, |(index, _)| Gap::Open(index)), gap);
        if let Gap::Open(index) = gap {
            self.note(index, None);
        }
    }

    fn judge(&self) {
        assert_eq!(self.munger.highest(), self.sent.keys().next_back().copied());
        for (index, packet) in self.sent.iter().rev().take(200) {
            let Some(origin) = self.munger.origin(*index as u16) else { continue };
            let Some(packet) = packet else { continue };
            assert_eq!(origin.sequence, packet.sequence, "{index} came from elsewhere");
            if let Some(again) = self.munger.again(origin.generation, packet) {
                assert_eq!(again.index, *index, "sent again under another number");
            }
        }
    }
}

fn record(mut input: Input<'_>) {
    let (mut recorder, mut now, mut sequence) = (ArrivalRecorder::new(), *START, input.short());
    while !input.is_empty() {
        match input.byte() % 4 {
            0 => now += Duration::from_micros(u64::from(input.short()) * 100),
            1 => sequence = input.short(),
            _ => sequence = sequence.wrapping_add(u16::from(input.byte() % 4)),
        }
        recorder.record(now, sequence);
        if recorder.poll_timeout().is_some_and(|due| due <= now) {
            let mut room = [0; 1200];
            let mut writer = Writer::new(&mut room);
            if recorder.poll_feedback(now, 1, 2, &mut writer) {
                let told: Vec<_> = packets(writer.written()).collect();
                let is_feedback = |packet: &_| matches!(packet, Ok(Packet::TransportFeedback(_)));
                assert!(!told.is_empty() && told.iter().all(is_feedback), "{told:?}");
            }
        }
    }
}
