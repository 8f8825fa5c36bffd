//! Tests of `extension`. Knows only what the module shows.

use super::*;
use crate::rtp::header::Header;

fn packet(profile: u16, block: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x90, 0x60, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    packet.extend_from_slice(&profile.to_be_bytes());
    packet.extend_from_slice(&u16::try_from(block.len() / 4).unwrap().to_be_bytes());
    packet.extend_from_slice(block);
    packet
}

fn elements(packet: &[u8]) -> Vec<(u8, Vec<u8>)> {
    Header::parse(packet).unwrap().extensions(packet).map(|e| (e.id, e.value.to_vec())).collect()
}

// The shape of the example in RFC 8285 §4.2, with three elements and padding between them.
#[test]
fn one_byte_elements_are_found_between_padding() {
    let packet = packet(ONE_BYTE_PROFILE, &[0x10, 0xaa, 0x21, 0xbb, 0xbb, 0, 0, 0x33, 1, 2, 3, 4]);
    assert_eq!(elements(&packet), [(1, vec![0xaa]), (2, vec![0xbb, 0xbb]), (3, vec![1, 2, 3, 4])]);
    let header = Header::parse(&packet).unwrap();
    let found = header.find_extension(&packet, 3).unwrap();
    assert_eq!((found.offset, found.value), (24, &[1u8, 2, 3, 4][..]));
    assert_eq!(header.find_extension(&packet, 4), None);
}

// RFC 8285 §4.3: empty elements, and any low bits in the profile.
#[test]
fn two_byte_elements_may_be_empty_and_long() {
    let mut block = vec![7, 0, 0, 8, 17];
    block.extend_from_slice(&[9; 17]);
    block.resize(24, 0);
    assert_eq!(elements(&packet(0x1003, &block)), [(7, vec![]), (8, vec![9; 17])]);
}

#[test]
fn processing_stops_at_the_reserved_number() {
    assert_eq!(elements(&packet(ONE_BYTE_PROFILE, &[0x10, 1, 0xf0, 2, 0x20, 3, 0, 0])), [(1, vec![1])]);
    assert_eq!(elements(&packet(ONE_BYTE_PROFILE, &[0x10, 1, 0x01, 2, 0x20, 3, 0, 0])), [(1, vec![1])]);
}

#[test]
fn an_element_beyond_the_block_does_not_leak_the_payload() {
    let mut packet = packet(ONE_BYTE_PROFILE, &[0x10, 1, 0x25, 2]);
    packet.extend_from_slice(&[0x55; 20]);
    assert_eq!(elements(&packet), [(1, vec![1])]);
}

#[test]
fn another_profile_has_no_elements() {
    assert_eq!(elements(&packet(0xabcd, &[0x10, 1, 0, 0])), []);
}

#[test]
fn values_mean_what_their_specifications_say() {
    assert_eq!(AudioLevel::parse(&[0x9e]), Some(AudioLevel { voice: true, level: 30 }));
    assert_eq!(AudioLevel { voice: false, level: 127 }.to_byte(), 0x7f);
    assert_eq!(AudioLevel::parse(&[]), None);
    assert_eq!(transport_sequence(&[0x12, 0x34]), Some(0x1234));
    assert_eq!(transport_sequence(&[0x12]), None);
    assert_eq!(abs_send_time(&[1, 2, 3]), Some(0x01_0203));
    assert_eq!(abs_send_time(&[1, 2, 3, 4]), None);
    let turned = VideoOrientation { back_camera: true, flip: false, rotation: 1 };
    assert_eq!(VideoOrientation::parse(&[0x09]), Some(turned));
}

#[test]
fn texts_are_utf8_of_at_most_sixteen_bytes() {
    assert_eq!(text(b"q"), Some("q"));
    assert_eq!(text(b"0123456789abcdef"), Some("0123456789abcdef"));
    assert_eq!(text(b"0123456789abcdefg"), None);
    assert_eq!(text(b"hi\0\0"), Some("hi"));
    assert_eq!(text(b""), None);
    assert_eq!(text(&[0xff, 0xfe]), None);
}

#[test]
fn a_block_that_cannot_be_said_is_not_written() {
    let mut out = [0; 16];
    assert_eq!(write(&mut out, Form::OneByte, &[]), Some(0));
    assert_eq!(write(&mut out, Form::OneByte, &[(15, &[1])]), None);
    assert_eq!(write(&mut out, Form::OneByte, &[(1, &[])]), None);
    assert_eq!(write(&mut out, Form::OneByte, &[(1, &[0; 17])]), None);
    assert_eq!(write(&mut out, Form::TwoByte, &[(0, &[1])]), None);
    assert_eq!(write(&mut out, Form::OneByte, &[(1, &[1; 12])]), None);
    assert_eq!(write(&mut out, Form::OneByte, &[(1, &[1; 11])]), Some(16));
}
