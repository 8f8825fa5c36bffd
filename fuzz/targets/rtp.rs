//! RTP: the header with its extensions, and what a forwarder reads and rewrites of each codec's payload.

#![no_main]

use fuzz::rtp::codec::{self, av1, h264, opus, vp8, vp9};
use fuzz::rtp::extension::{self, AudioLevel, Form, VideoOrientation};
use fuzz::rtp::{Header, header, is_rtcp, red};
use fuzz::session::plan::Codec;
use libfuzzer_sys::fuzz_target;

const CODECS: [Codec; 6] =
    [Codec::Opus, Codec::Red, Codec::Vp8, Codec::Vp9 { profile: 0 }, Codec::H264 { profile: 0x42e0 }, Codec::Av1];

// acceptance: SEC2
fuzz_target!(|packet: &[u8]| {
    let _ = is_rtcp(packet);
    // Also alone, so that the fuzzer need not find a header first.
    read_payload(packet);
    if let Ok(header) = Header::parse(packet) {
        read_packet(packet, &header);
        rewrite_packet(packet, &header);
    }
});

fn read_packet(packet: &[u8], header: &Header) {
    assert!(header.len <= packet.len() && header.payload_type < 128);
    assert_eq!(header.csrcs(packet).count(), usize::from(header.csrc_count));
    let mut last = 0;
    for element in header.extensions(packet) {
        assert!(element.offset > last && element.offset + element.value.len() <= header.len, "{element:?}");
        assert_eq!(&packet[element.offset..element.offset + element.value.len()], element.value);
        last = element.offset;
        let _ = (AudioLevel::parse(element.value).map(AudioLevel::to_byte), VideoOrientation::parse(element.value));
        let _ = (extension::transport_sequence(element.value), extension::abs_send_time(element.value));
        assert!(extension::text(element.value).is_none_or(|text| (1..=extension::MAX_TEXT).contains(&text.len())));
        assert!(header.find_extension(packet, element.id).is_some());
    }
    if let Ok(payload) = header.payload(packet) {
        assert!(payload.len() <= packet.len() - header.len);
        read_payload(payload);
    }
}

fn read_payload(payload: &[u8]) {
    for codec in CODECS {
        let _ = (codec::is_key_frame_start(codec, payload), codec::starts_frame(codec, payload));
    }
    let _ = (vp8::resolution(payload), opus::is_dtx(payload), h264::has_sequence_parameters(payload));
    let units: usize = h264::nal_units(payload).map(|unit| unit.body.len()).sum();
    assert!(units <= payload.len(), "more NAL units than bytes");
    let _ = av1::AggregationHeader::parse(payload);
    if let Ok(descriptor) = vp9::Descriptor::parse(payload) {
        assert!(descriptor.len <= payload.len());
        assert!(descriptor.spatial_layers.is_none_or(|layers| (1..=8).contains(&layers)));
    }
    if let Ok(descriptor) = vp8::Descriptor::parse(payload) {
        assert!(descriptor.len <= payload.len());
        let mut rewritten = payload.to_vec();
        vp8::rewrite(&mut rewritten, &descriptor, Some(0x1234), Some(0x56));
        let again = vp8::Descriptor::parse(&rewritten).expect("a rewritten descriptor is one");
        assert_eq!(again.len, descriptor.len);
        let mask = |field: vp8::Field<fuzz::rtp::sequence::PictureId>| 0x1234 & field.value.bits.mask();
        assert_eq!(again.picture_id.map(|field| field.value.value), descriptor.picture_id.map(mask));
        assert_eq!(again.tl0.map(|field| field.value), descriptor.tl0.map(|_| 0x56));
        assert_eq!(&rewritten[descriptor.len..], &payload[descriptor.len..], "the picture was touched");
    }
    read_redundancy(payload);
}

fn read_redundancy(payload: &[u8]) {
    let Ok(parsed) = red::Red::parse(payload) else { return };
    let blocks: Vec<_> = parsed.redundant().collect();
    assert!(blocks.len() < red::MAX_BLOCKS);
    let mut out = vec![0; payload.len()];
    assert_eq!(red::write(&mut out, &blocks, parsed.primary), Some(payload.len()));
    let again = red::Red::parse(&out).expect("we write what we read");
    assert_eq!((again.primary, again.redundant().collect::<Vec<_>>()), (parsed.primary, blocks));
}

/// What is set is read, and nothing else changes.
fn rewrite_packet(packet: &[u8], before: &Header) {
    let mut changed = packet.to_vec();
    header::set_marker(&mut changed, !before.marker);
    header::set_payload_type(&mut changed, 0x9d);
    header::set_sequence(&mut changed, 0xbeef);
    header::set_timestamp(&mut changed, 0xdead_beef);
    header::set_ssrc(&mut changed, 0xfeed_f00d);
    let after = Header::parse(&changed).expect("a changed header is one");
    let expected = Header {
        marker: !before.marker,
        payload_type: 0x1d,
        sequence: 0xbeef,
        timestamp: 0xdead_beef,
        ssrc: 0xfeed_f00d,
        ..*before
    };
    assert_eq!(after, expected);
    pad(packet, before);
    write_anew(packet, before);
}

fn pad(packet: &[u8], before: &Header) {
    let Ok(payload) = before.payload(packet) else { return };
    let target = packet.len() + packet.len() % 300;
    let mut buffer = packet.to_vec();
    buffer.resize(target, 0xff);
    let len = header::pad(&mut buffer, packet.len(), target);
    assert!(len == packet.len() || len == target);
    if len <= usize::from(u16::MAX) {
        let padded = Header::parse(&buffer[..len]).expect("a padded packet is one");
        assert_eq!(padded.payload(&buffer[..len]), Ok(payload));
    }
}

/// The same elements in a header of our own.
fn write_anew(packet: &[u8], before: &Header) {
    let elements: Vec<_> = before.extensions(packet).map(|element| (element.id, element.value)).collect();
    let fields = header::Fields {
        marker: before.marker,
        payload_type: before.payload_type,
        sequence: before.sequence,
        timestamp: before.timestamp,
        ssrc: before.ssrc,
    };
    for form in [Form::OneByte, Form::TwoByte] {
        let mut out = vec![0; packet.len() * 2 + 64];
        let Some(len) = header::write(&mut out, &fields, form, &elements) else {
            assert_eq!(form, Form::OneByte, "what was read can be said in two bytes");
            continue;
        };
        // The two-byte form may grow beyond what one packet holds.
        if len > usize::from(u16::MAX) {
            continue;
        }
        let written = Header::parse(&out[..len]).expect("we write what we read");
        assert_eq!((written.len, written.ssrc, written.sequence), (len, before.ssrc, before.sequence));
        let again: Vec<_> = written.extensions(&out).map(|element| (element.id, element.value)).collect();
        assert_eq!(again, elements);
    }
}
