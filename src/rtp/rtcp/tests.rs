//! Tests of `rtcp`. Knows only what the module shows.

use super::*;
use proptest::prelude::*;

fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut buffer = [0xee; 1500];
    let mut writer = Writer::new(&mut buffer);
    write(&mut writer);
    writer.written().to_vec()
}

fn one(datagram: &[u8]) -> Packet<'_> {
    let mut packets = packets(datagram);
    let packet = packets.next().unwrap().unwrap();
    assert_eq!(packets.next(), None);
    packet
}

const BLOCK: ReportBlock = ReportBlock {
    ssrc: 0xbc5e_9a40,
    fraction_lost: 25,
    cumulative_lost: -3,
    highest_sequence: 0x0001_46e1,
    jitter: 273,
    last_sender_report: 0x09f3_6432,
    delay_since: 150_137,
};

#[test]
fn a_sender_report_has_the_fields_of_the_rfc() {
    let info =
        SenderInfo { ssrc: 0x902f_9e2e, ntp: Ntp(0xda8b_d1fc_dddd_a05a), timestamp: 0xaaf4_edd5, packets: 1, bytes: 2 };
    let bytes = written(|out| assert!(out.sender_report(&info, &[BLOCK])));
    let expected = [
        0x81, 0xc8, 0x00, 0x0c, 0x90, 0x2f, 0x9e, 0x2e, 0xda, 0x8b, 0xd1, 0xfc, 0xdd, 0xdd, 0xa0, 0x5a, 0xaa, 0xf4,
        0xed, 0xd5, 0, 0, 0, 1, 0, 0, 0, 2, 0xbc, 0x5e, 0x9a, 0x40, 25, 0xff, 0xff, 0xfd, 0, 1, 0x46, 0xe1, 0, 0, 1,
        0x11, 0x09, 0xf3, 0x64, 0x32, 0, 2, 0x4a, 0x79,
    ];
    assert_eq!(bytes, expected);
    let Packet::SenderReport(report) = one(&bytes) else { panic!("{bytes:?}") };
    assert_eq!(report.info, info);
    assert_eq!(report.blocks.iter().collect::<Vec<_>>(), [BLOCK]);
}

#[test]
fn a_receiver_report_may_be_empty() {
    let bytes = written(|out| assert!(out.receiver_report(7, &[])));
    assert_eq!(bytes, [0x80, 0xc9, 0, 1, 0, 0, 0, 7]);
    assert!(matches!(one(&bytes), Packet::ReceiverReport(report) if report.ssrc == 7 && report.blocks.is_empty()));
    assert!(!Writer::new(&mut [0; 4000]).receiver_report(7, &[BLOCK; 32]));
}

#[test]
fn a_report_with_fewer_blocks_than_it_counts_is_refused() {
    let mut bytes = written(|out| assert!(out.receiver_report(7, &[BLOCK])));
    bytes[0] = 0x82;
    assert_eq!(packets(&bytes).next(), Some(Err(Malformed::Length)));
}

#[test]
fn names_of_every_length_are_read_back() {
    for len in 0..9 {
        let name = "abcdefghi".get(..len).unwrap();
        let bytes = written(|out| {
            assert!(out.canonical_name(9, name));
            assert!(out.goodbye(&[9]));
        });
        let mut packets = packets(&bytes);
        let Some(Ok(Packet::SourceDescription(description))) = packets.next() else { panic!("{bytes:?}") };
        let items: Vec<_> = description.items().collect();
        assert_eq!(items, [Item { ssrc: 9, kind: 1, value: name.as_bytes() }]);
        assert!(matches!(packets.next(), Some(Ok(Packet::Goodbye(bye))) if bye.sources().eq([9])));
    }
}

#[test]
fn a_description_of_several_sources_is_walked_through() {
    let bytes = [0x82, 0xca, 0, 6, 0, 0, 0, 1, 1, 2, b'a', b'b', 2, 1, b'c', 0, 0, 0, 0, 2, 1, 1, b'd', 0, 0, 0, 0, 0];
    let Packet::SourceDescription(description) = one(&bytes) else { panic!("{bytes:?}") };
    let items: Vec<_> = description.items().map(|item| (item.ssrc, item.kind, item.value)).collect();
    assert_eq!(items, [(1, 1, &b"ab"[..]), (1, 2, b"c"), (2, 1, b"d")]);
}

#[test]
fn a_goodbye_may_have_a_reason() {
    let bytes = [0x81, 0xcb, 0, 3, 0x90, 0x2f, 0x9e, 0x2e, 3, b'F', b'O', b'O', 0, 0, 0, 0];
    assert!(matches!(one(&bytes), Packet::Goodbye(bye) if bye.sources().eq([0x902f_9e2e])));
}

#[test]
fn lost_numbers_share_entries_and_come_back_in_order() {
    let lost = [0xfff0, 0xfffe, 0, 0x10, 0x11, 0x800];
    let bytes = written(|out| assert_eq!(out.nack(1, 2, &lost), lost.len()));
    assert_eq!(bytes.len(), 12 + 3 * 4);
    let Packet::Nack(nack) = one(&bytes) else { panic!("{bytes:?}") };
    assert_eq!((nack.sender, nack.media), (1, 2));
    assert_eq!(nack.lost().collect::<Vec<_>>(), lost);
}

#[test]
fn a_nack_takes_as_many_numbers_as_fit() {
    let lost: Vec<u16> = (0..10).map(|i| i * 100).collect();
    let mut buffer = [0; 21];
    let mut out = Writer::new(&mut buffer);
    assert_eq!(out.nack(1, 2, &lost), 2);
    assert_eq!(out.len(), 20);
    assert_eq!(out.nack(1, 2, &lost), 0);
    assert_eq!(out.nack(1, 2, &[]), 0);
}

#[test]
fn requests_for_key_frames_are_read_back() {
    let bytes = written(|out| {
        assert!(out.picture_loss(1, 2));
        assert!(out.full_intra_request(3, 4, 5));
    });
    assert_eq!(bytes[..12], [0x81, 0xce, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2]);
    let mut packets = packets(&bytes);
    assert_eq!(packets.next(), Some(Ok(Packet::PictureLoss(PictureLoss { sender: 1, media: 2 }))));
    assert!(matches!(packets.next(), Some(Ok(Packet::FullIntraRequest(fir))) if fir.requests().eq([(4, 5)])));
}

// The bitrate of the figure in draft-alvestrand-rmcat-remb-03 §2.2 as libwebrtc sends 1 Mbit/s.
#[test]
fn an_estimated_bitrate_is_read() {
    let bytes =
        [0x8f, 0xce, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0, b'R', b'E', b'M', b'B', 1, 0x0b, 0xd0, 0x90, 0x48, 0x14, 0x4d, 0x1d];
    let Packet::Remb(remb) = one(&bytes) else { panic!("{bytes:?}") };
    assert_eq!(remb.bitrate, 1_000_000);
    assert!(remb.streams().eq([0x4814_4d1d]));
    assert_eq!(written(|out| assert!(out.remb(1, 1_000_000, &[0x4814_4d1d]))), bytes);
}

#[test]
fn a_bitrate_of_any_size_is_written_rounded_down() {
    for bitrate in [0, 1, 0x3_ffff, 0x4_0000, 0x4_0001, 37_654_321, u64::MAX] {
        let bytes = written(|out| assert!(out.remb(1, bitrate, &[2, 3])));
        let Packet::Remb(remb) = one(&bytes) else { panic!("{bytes:?}") };
        assert!(remb.bitrate <= bitrate && bitrate - remb.bitrate <= bitrate >> 17, "{bitrate}: {}", remb.bitrate);
        assert!(remb.streams().eq([2, 3]));
    }
    assert!(!Writer::new(&mut [0; 4000]).remb(1, 1, &[0; 256]));
}

#[test]
fn arrivals_are_read_back_as_they_were_written() {
    let arrivals = [Some(4), None, Some(-3), Some(255), Some(256), None, None, Some(0), Some(i16::MIN), Some(i16::MAX)];
    let bytes = written(|out| assert!(out.transport_feedback(1, 2, 0xfffc, 7, 0xab_cdef, &arrivals)));
    assert_eq!(bytes.len() % 4, 0);
    let Packet::TransportFeedback(feedback) = one(&bytes) else { panic!("{bytes:?}") };
    assert_eq!((feedback.base, feedback.status_count, feedback.count), (0xfffc, 10, 7));
    assert_eq!(feedback.reference, 0xab_cdef);
    let expected: Vec<_> = arrivals
        .iter()
        .enumerate()
        .map(|(i, arrival)| (0xfffc_u16.wrapping_add(i as u16), arrival.map_or(Status::Lost, Status::After)))
        .collect();
    assert_eq!(feedback.statuses().collect::<Vec<_>>(), expected);
}

// The layout of §3.1, put together by hand: a run of two, a one-bit and a two-bit vector; padded by one byte.
#[test]
fn every_kind_of_chunk_is_read() {
    let bytes = [
        0xaf, 0xcd, 0, 8, 0, 0, 0, 1, 0, 0, 0, 2, 0, 10, 0, 19, 0, 0, 5, 9, 0x20, 0x02, 0xa0, 0x01, 0xd8, 0x00, 1, 2,
        3, 4, 5, 0xff, 0xfe, 0, 0, 3,
    ];
    let Packet::TransportFeedback(feedback) = one(&bytes) else { panic!("{bytes:?}") };
    let arrived: Vec<_> = feedback.statuses().filter(|(_, status)| *status != Status::Lost).collect();
    assert_eq!(feedback.statuses().count(), 19);
    assert_eq!(
        arrived,
        [
            (10, Status::After(1)),
            (11, Status::After(2)),
            (12, Status::After(3)),
            (25, Status::After(4)),
            (26, Status::After(5)),
            (27, Status::After(-2)),
        ]
    );
}

#[test]
fn feedback_that_lacks_chunks_is_refused_and_one_that_lacks_deltas_ends_early() {
    let short = [0x8f, 0xcd, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 10, 0, 9, 0, 0, 5, 9, 0x20, 0x02, 0, 0];
    assert_eq!(packets(&short).next(), Some(Err(Malformed::Short)));
    let starved = [0x8f, 0xcd, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 10, 0, 9, 0, 0, 5, 9, 0x20, 0x09, 1, 2];
    assert!(matches!(one(&starved), Packet::TransportFeedback(feedback) if feedback.statuses().count() == 2));
}

#[test]
fn a_broken_body_does_not_hide_the_next_packet() {
    let bytes = [0x81, 0xc9, 0, 1, 0, 0, 0, 7, 0x81, 0xce, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2];
    let all: Vec<_> = packets(&bytes).collect();
    assert_eq!(all[0], Err(Malformed::Length));
    assert_eq!(all[1], Ok(Packet::PictureLoss(PictureLoss { sender: 1, media: 2 })));
}

#[test]
fn a_broken_header_ends_the_walk() {
    assert_eq!(packets(&[0x41, 0xc9, 0, 0]).collect::<Vec<_>>(), [Err(Malformed::Version)]);
    assert_eq!(packets(&[0x81, 0xc9, 0, 9, 1]).collect::<Vec<_>>(), [Err(Malformed::Short)]);
    assert_eq!(packets(&[0x81]).collect::<Vec<_>>(), [Err(Malformed::Short)]);
}

#[test]
fn a_flood_of_tiny_packets_is_cut_off() {
    let bytes = [0x80, 0xcb, 0, 0].repeat(MAX_PACKETS + 5);
    assert_eq!(packets(&bytes).count(), MAX_PACKETS + 1);
    assert_eq!(packets(&bytes).last(), Some(Err(Malformed::TooMany)));
}

#[test]
fn padding_is_taken_off_and_checked() {
    let mut bytes = [0xa0, 0xc9, 0, 2, 0, 0, 0, 7, 0, 0, 0, 4];
    assert!(matches!(one(&bytes), Packet::ReceiverReport(_)));
    bytes[11] = 9;
    assert_eq!(packets(&bytes).next(), Some(Err(Malformed::Padding)));
    bytes[11] = 0;
    assert_eq!(packets(&bytes).next(), Some(Err(Malformed::Padding)));
}

#[test]
fn extended_reports_are_unknown() {
    let bytes = [0x80, 207, 0, 1, 0, 0, 0, 7];
    assert_eq!(one(&bytes), Packet::Unknown { packet_type: 207, format: 0, body: &[0, 0, 0, 7] });
}

#[test]
fn what_does_not_fit_is_not_written() {
    for room in 0..12 {
        let mut buffer = vec![0xee; room];
        let mut out = Writer::new(&mut buffer);
        assert!(!out.picture_loss(1, 2));
        assert!(!out.transport_feedback(1, 2, 3, 4, 5, &[Some(1)]));
        assert!(!out.canonical_name(1, "some name"));
        assert!(out.is_empty());
        assert!(buffer.iter().all(|byte| *byte == 0xee));
    }
}

fn walk(datagram: &[u8]) {
    for packet in packets(datagram) {
        match packet {
            Ok(Packet::SenderReport(report)) => drop(report.blocks.iter().count()),
            Ok(Packet::ReceiverReport(report)) => drop(report.blocks.iter().count()),
            Ok(Packet::SourceDescription(description)) => drop(description.items().count()),
            Ok(Packet::Goodbye(bye)) => drop(bye.sources().count()),
            Ok(Packet::Nack(nack)) => drop(nack.lost().count()),
            Ok(Packet::FullIntraRequest(fir)) => drop(fir.requests().count()),
            Ok(Packet::Remb(remb)) => drop(remb.streams().count()),
            Ok(Packet::TransportFeedback(feedback)) => {
                assert!(feedback.statuses().count() <= usize::from(feedback.status_count));
            }
            Ok(Packet::PictureLoss(_) | Packet::Unknown { .. }) | Err(_) => {}
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        walk(&bytes);
    }

    #[test]
    fn no_body_panics(
        parts in prop::collection::vec((0..64u8, 200..208u8, prop::collection::vec(any::<u32>(), 0..12)), 0..5),
    ) {
        let mut bytes = Vec::new();
        for (flags, kind, words) in parts {
            bytes.extend([0x80 | flags, kind, 0, words.len() as u8]);
            bytes.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        }
        walk(&bytes);
    }

    #[test]
    fn any_arrivals_are_read_back(
        base: u16,
        arrivals in prop::collection::vec(prop::option::weighted(0.8, prop_oneof![0..=255i16, any::<i16>()]), 1..400),
    ) {
        let bytes = written(|out| assert!(out.transport_feedback(1, 2, base, 0, 0, &arrivals)));
        prop_assert!(bytes.len() <= 1200);
        let Packet::TransportFeedback(feedback) = one(&bytes) else { panic!("{bytes:?}") };
        let read: Vec<_> = feedback.statuses().map(|(_, status)| status).collect();
        let told: Vec<_> = arrivals.iter().map(|arrival| arrival.map_or(Status::Lost, Status::After)).collect();
        prop_assert_eq!(read, told);
    }

    #[test]
    fn any_lost_numbers_are_read_back(start: u16, steps in prop::collection::vec(1..40u16, 1..100)) {
        let mut number = start;
        let lost: Vec<_> = steps.iter().map(|step| { number = number.wrapping_add(*step); number }).collect();
        let bytes = written(|out| assert_eq!(out.nack(1, 2, &lost), lost.len()));
        let Packet::Nack(nack) = one(&bytes) else { panic!("{bytes:?}") };
        prop_assert_eq!(nack.lost().collect::<Vec<_>>(), lost);
    }
}
