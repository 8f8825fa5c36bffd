//! Tests of `header`. Knows only what the module shows.

use super::*;
use crate::rtp::extension::{AudioLevel, abs_send_time, text, transport_sequence};
use ::bytes::Bytes;
use proptest::prelude::*;
use rtc_shared::marshal::{Marshal, Unmarshal};

fn oracle_bytes(header: &rtc_rtp::header::Header, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header.marshal().unwrap().to_vec();
    bytes.extend_from_slice(payload);
    bytes
}

prop_compose! {
    fn oracle_header()(
        marker: bool,
        payload_type in 0..128u8,
        sequence_number: u16,
        timestamp: u32,
        ssrc: u32,
        csrc in prop::collection::vec(any::<u32>(), 0..16),
        extensions in prop::collection::btree_map(1..15u8, prop::collection::vec(any::<u8>(), 1..17), 0..6),
    ) -> rtc_rtp::header::Header {
        let mut header = rtc_rtp::header::Header {
            version: 2, marker, payload_type, sequence_number, timestamp, ssrc, csrc, ..Default::default()
        };
        for (id, value) in extensions {
            header.set_extension(id, Bytes::from(value)).unwrap();
        }
        header
    }
}

proptest! {
    #[test]
    fn headers_of_the_oracle_are_read(oracle in oracle_header(), payload in prop::collection::vec(any::<u8>(), 0..40)) {
        let packet = oracle_bytes(&oracle, &payload);
        let header = Header::parse(&packet).unwrap();
        prop_assert_eq!(header.marker, oracle.marker);
        prop_assert_eq!(header.payload_type, oracle.payload_type);
        prop_assert_eq!(header.sequence, oracle.sequence_number);
        prop_assert_eq!(header.timestamp, oracle.timestamp);
        prop_assert_eq!(header.ssrc, oracle.ssrc);
        prop_assert_eq!(header.csrcs(&packet).collect::<Vec<_>>(), oracle.csrc);
        prop_assert_eq!(header.payload(&packet), Ok(&payload[..]));
        let ours: Vec<_> = header.extensions(&packet).map(|e| (e.id, e.value.to_vec())).collect();
        let theirs: Vec<_> = oracle.extensions.iter().map(|e| (e.id, e.payload.to_vec())).collect();
        prop_assert_eq!(ours, theirs);
        for extension in header.extensions(&packet) {
            let there = &packet[extension.offset..extension.offset + extension.value.len()];
            prop_assert_eq!(there, extension.value);
        }
    }

    #[test]
    fn the_oracle_reads_what_we_write(
        marker: bool,
        payload_type in 0..128u8,
        sequence: u16,
        timestamp: u32,
        ssrc: u32,
        elements in prop::collection::btree_map(1..15u8, prop::collection::vec(any::<u8>(), 1..17), 0..6),
        two_bytes: bool,
    ) {
        let fields = Fields { marker, payload_type, sequence, timestamp, ssrc };
        let form = if two_bytes { Form::TwoByte } else { Form::OneByte };
        let elements: Vec<_> = elements.iter().map(|(id, value)| (*id, &value[..])).collect();
        let mut out = [0xa5; 160];
        let len = write(&mut out, &fields, form, &elements).unwrap();
        let mut bytes = Bytes::copy_from_slice(&out[..len]);
        let oracle = rtc_rtp::header::Header::unmarshal(&mut bytes).unwrap();
        prop_assert_eq!(
            (oracle.marker, oracle.payload_type, oracle.sequence_number, oracle.timestamp, oracle.ssrc),
            (marker, payload_type, sequence, timestamp, ssrc)
        );
        let theirs: Vec<_> = oracle.extensions.iter().map(|e| (e.id, &e.payload[..])).collect();
        prop_assert_eq!(theirs, elements);
        prop_assert_eq!(Header::parse(&out[..len]).unwrap().len, len);
    }

    #[test]
    fn setters_change_their_field_only(
        oracle in oracle_header(),
        marker: bool,
        payload_type in 0..128u8,
        sequence: u16,
        timestamp: u32,
        ssrc: u32,
    ) {
        let mut packet = oracle_bytes(&oracle, b"payload");
        set_marker(&mut packet, marker);
        set_payload_type(&mut packet, payload_type);
        set_sequence(&mut packet, sequence);
        set_timestamp(&mut packet, timestamp);
        set_ssrc(&mut packet, ssrc);
        let expected = rtc_rtp::header::Header {
            marker, payload_type, sequence_number: sequence, timestamp, ssrc, ..oracle
        };
        prop_assert_eq!(packet, oracle_bytes(&expected, b"payload"));
    }

    #[test]
    fn padding_can_be_taken_off_again(oracle in oracle_header(), first in 0..260usize, second in 0..260usize) {
        let mut buffer = oracle_bytes(&oracle, b"payload");
        let len = buffer.len();
        buffer.resize(len + 600, 0xee);
        let once = pad(&mut buffer, len, len + first);
        let twice = pad(&mut buffer, once, once + second);
        prop_assert!(twice == once || twice == once + second);
        prop_assert_eq!(once, if first <= 255 { len + first } else { len });
        let packet = &buffer[..twice];
        prop_assert_eq!(Header::parse(packet).unwrap().payload(packet), Ok(&b"payload"[..]));
    }

    #[test]
    fn no_bytes_panic(mut packet in prop::collection::vec(any::<u8>(), 0..80), rtp: bool) {
        if let (true, Some(first)) = (rtp, packet.first_mut()) {
            *first = 0x80 | (*first & 0x3f);
        }
        let _ = is_rtcp(&packet);
        if let Ok(header) = Header::parse(&packet) {
            prop_assert!(header.len <= packet.len());
            let _ = header.payload(&packet);
            let _ = header.csrcs(&packet).count();
            for extension in header.extensions(&packet) {
                let _ = (text(extension.value), transport_sequence(extension.value), abs_send_time(extension.value));
                let _ = AudioLevel::parse(extension.value);
            }
        }
        set_marker(&mut packet, true);
        set_ssrc(&mut packet, 1);
        let len = packet.len();
        let _ = pad(&mut packet, len / 2, len);
    }
}

#[test]
fn rtcp_is_told_from_rtp_by_its_second_byte() {
    for kind in 0..=255u8 {
        assert_eq!(is_rtcp(&[0x80, kind, 0, 0]), (192..=223).contains(&kind), "{kind}");
    }
    assert!(!is_rtcp(&[0x80]));
}

#[test]
fn what_is_not_rtp_is_refused_by_reason() {
    let mut packet = [0u8; 20];
    assert_eq!(Header::parse(&packet), Err(Malformed::Version));
    packet[0] = 0x80;
    assert_eq!(Header::parse(&packet[..11]), Err(Malformed::Short));
    packet[0] = 0x83;
    assert_eq!(Header::parse(&packet), Err(Malformed::Short));
    packet[0] = 0x90;
    packet[14..16].copy_from_slice(&[0xff, 0xff]);
    assert_eq!(Header::parse(&packet), Err(Malformed::Short));
    assert_eq!(Header::parse(&vec![0x80; 70_000]), Err(Malformed::Long));
}

#[test]
fn a_padding_count_of_zero_or_too_much_is_refused() {
    let mut packet = [0u8; 16];
    packet[0] = 0xa0;
    let header = Header::parse(&packet).unwrap();
    assert_eq!(header.payload_range(&packet), Err(Malformed::Padding));
    packet[15] = 5;
    assert_eq!(header.payload_range(&packet), Err(Malformed::Padding));
    packet[15] = 4;
    assert_eq!(header.payload_range(&packet), Ok(12..12));
    assert_eq!(header.payload_range(&packet[..11]), Err(Malformed::Short));
}
