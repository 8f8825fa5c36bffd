//! RTCP compounds: every packet and everything in it is walked, then written by us and read again.

#![no_main]

use fuzz::rtp::Malformed;
use fuzz::rtp::rtcp::{MAX_LOST_PER_NACK, MAX_PACKETS, MAX_STATUSES, Packet, Status, Writer, packets};
use fuzz::rtp::twcc_history::SendHistory;
use fuzz::{Input, START};
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeSet;

// acceptance: SEC2
fuzz_target!(|datagram: &[u8]| {
    let mut count = 0;
    for packet in packets(datagram) {
        count += 1;
        assert!(count <= MAX_PACKETS + 1, "endless");
        match packet {
            Ok(packet) => walk(&packet),
            Err(why) => assert!(count <= MAX_PACKETS || why == Malformed::TooMany),
        }
    }
    feed_back(datagram);
});

/// Writes what was read, lets `write` fail only for want of room, and gives what is read then.
fn written<'a>(room: &'a mut [u8], write: impl FnOnce(&mut Writer<'_>) -> bool) -> Option<Packet<'a>> {
    let mut writer = Writer::new(room);
    if !write(&mut writer) {
        assert!(writer.is_empty(), "half a packet was written");
        return None;
    }
    let len = writer.len();
    assert!(len.is_multiple_of(4));
    let mut again = packets(&room[..len]);
    let packet = again.next().expect("a packet").expect("we write what we read");
    assert_eq!(again.next(), None);
    Some(packet)
}

fn walk(packet: &Packet<'_>) {
    let mut room = [0; 4096];
    match packet {
        Packet::SenderReport(report) => {
            let blocks: Vec<_> = report.blocks.iter().collect();
            assert_eq!(blocks.len(), report.blocks.len());
            let again = written(&mut room, |writer| writer.sender_report(&report.info, &blocks));
            let Some(Packet::SenderReport(again)) = again else { panic!("{again:?}") };
            assert_eq!((again.info, again.blocks.iter().collect::<Vec<_>>()), (report.info, blocks));
        }
        Packet::ReceiverReport(report) => {
            let blocks: Vec<_> = report.blocks.iter().collect();
            let again = written(&mut room, |writer| writer.receiver_report(report.ssrc, &blocks));
            let Some(Packet::ReceiverReport(again)) = again else { panic!("{again:?}") };
            assert_eq!((again.ssrc, again.blocks.iter().collect::<Vec<_>>()), (report.ssrc, blocks));
        }
        Packet::SourceDescription(description) => {
            for item in description.items().filter(|item| item.is_cname()) {
                let Ok(name) = std::str::from_utf8(item.value) else { continue };
                let again = written(&mut room, |writer| writer.canonical_name(item.ssrc, name));
                let Some(Packet::SourceDescription(again)) = again else { panic!("{again:?}") };
                assert_eq!(again.items().collect::<Vec<_>>(), [item]);
            }
        }
        Packet::Goodbye(goodbye) => {
            let sources: Vec<_> = goodbye.sources().collect();
            let again = written(&mut room, |writer| writer.goodbye(&sources));
            let Some(Packet::Goodbye(again)) = again else { panic!("{again:?}") };
            assert_eq!(again.sources().collect::<Vec<_>>(), sources);
        }
        Packet::Nack(nack) => {
            let lost: Vec<_> = nack.lost().collect();
            assert!(lost.len() <= MAX_LOST_PER_NACK);
            let mut taken = 0;
            let again = written(&mut room, |writer| {
                taken = writer.nack(nack.sender, nack.media, &lost);
                taken > 0
            });
            if let Some(Packet::Nack(again)) = again {
                let asked: BTreeSet<_> = again.lost().collect();
                assert_eq!(asked, lost[..taken].iter().copied().collect());
            }
        }
        Packet::PictureLoss(loss) => {
            let again = written(&mut room, |writer| writer.picture_loss(loss.sender, loss.media));
            assert_eq!(again.as_ref(), Some(packet));
        }
        Packet::FullIntraRequest(request) => {
            for (media, number) in request.requests() {
                let again = written(&mut room, |writer| writer.full_intra_request(request.sender, media, number));
                let Some(Packet::FullIntraRequest(again)) = again else { panic!("{again:?}") };
                assert_eq!(again.requests().collect::<Vec<_>>(), [(media, number)]);
            }
        }
        Packet::Remb(remb) => assert!(remb.streams().count() <= 255),
        Packet::TransportFeedback(feedback) => {
            let statuses: Vec<_> = feedback.statuses().collect();
            assert!(statuses.len() <= usize::from(feedback.status_count));
            if statuses.len() > MAX_STATUSES || statuses.iter().any(|(_, status)| *status == Status::Untimed) {
                return;
            }
            let arrivals: Vec<_> = statuses
                .iter()
                .map(|(_, status)| match status {
                    Status::After(ticks) => Some(*ticks),
                    Status::Lost | Status::Untimed => None,
                })
                .collect();
            let again = written(&mut room, |writer| {
                let (sender, media, base) = (feedback.sender, feedback.media, feedback.base);
                writer.transport_feedback(sender, media, base, feedback.count, feedback.reference, &arrivals)
            });
            let Some(Packet::TransportFeedback(again)) = again else { panic!("{again:?}") };
            assert_eq!(again.statuses().collect::<Vec<_>>(), statuses);
            assert_eq!((again.base, again.reference), (feedback.base, feedback.reference));
        }
        Packet::Unknown { format, .. } => assert!(*format < 32),
    }
}

/// Feedback about packets that were sent, as a congestion controller takes it.
fn feed_back(datagram: &[u8]) {
    let mut input = Input::new(datagram);
    let mut history = SendHistory::new(64);
    for size in 0..u16::from(input.byte()) {
        history.record(*START, size, size);
    }
    for packet in packets(datagram).flatten() {
        if let Packet::TransportFeedback(feedback) = packet {
            let mut acknowledged = 0;
            let _ = history.on_feedback(&feedback, |_| acknowledged += 1);
            assert!(acknowledged <= 64, "{acknowledged} packets of 64");
        }
    }
}
