//! Vectors of RFC 5769, round trips, and any bytes.

use super::*;
use proptest::prelude::*;
use std::net::SocketAddr;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";

const TRANSACTION: TransactionId =
    TransactionId([0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae]);

/// RFC 5769 §2.1.
fn request() -> Vec<u8> {
    hex("00 01 00 58 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae
         80 22 00 10 53 54 55 4e 20 74 65 73 74 20 63 6c 69 65 6e 74
         00 24 00 04 6e 00 01 ff
         80 29 00 08 93 2f f9 b1 51 26 3b 36
         00 06 00 09 65 76 74 6a 3a 68 36 76 59 20 20 20
         00 08 00 14 9a ea a7 0c bf d8 cb 56 78 1e f2 b5 b2 d3 f2 49 c1 b5 71 a2
         80 28 00 04 e5 7a 3b cf")
}

#[test]
fn reads_the_request_of_rfc_5769() {
    let bytes = request();
    let message = Message::parse(&bytes).unwrap();
    assert_eq!((message.class, message.method), (Class::Request, BINDING));
    assert_eq!(message.transaction, TRANSACTION);
    assert_eq!(message.username, Some(&b"evtj:h6vY"[..]));
    assert_eq!(message.priority, Some(0x6e00_01ff));
    assert_eq!(message.controlled, Some(0x932f_f9b1_5126_3b36));
    assert_eq!(message.controlling, None);
    assert!(message.has_fingerprint && !message.use_candidate);
    assert!(message.is_authentic(&IntegrityKey::new(PASSWORD)));
    assert!(!message.is_authentic(&IntegrityKey::new("VOkJxbRl1RmTxUk/WvJxBT")));
    assert_eq!(ufrag_of(&bytes), Some("evtj"));
}

#[test]
fn reads_the_responses_of_rfc_5769() {
    let over_ipv4 = hex("01 01 00 3c 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae
         80 22 00 0b 74 65 73 74 20 76 65 63 74 6f 72 20
         00 20 00 08 00 01 a1 47 e1 12 a6 43
         00 08 00 14 2b 91 f5 99 fd 9e 90 c3 8c 74 89 f9 2a f9 ba 53 f0 6b e7 d7
         80 28 00 04 c0 7d 4c 96");
    let over_ipv6 = hex("01 01 00 48 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae
         80 22 00 0b 74 65 73 74 20 76 65 63 74 6f 72 20
         00 20 00 14 00 02 a1 47 01 13 a9 fa a5 d3 f1 79 bc 25 f4 b5 be d2 b9 d9
         00 08 00 14 a3 82 95 4e 4b e6 7b f1 17 84 c9 7c 82 92 c2 75 bf e3 ed 41
         80 28 00 04 c8 fb 0b 4c");
    for (bytes, address) in
        [(over_ipv4, "192.0.2.1:32853"), (over_ipv6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")]
    {
        let message = Message::parse(&bytes).unwrap();
        assert_eq!((message.class, message.transaction), (Class::Success, TRANSACTION));
        assert_eq!(message.mapped, Some(address.parse().unwrap()));
        assert!(message.has_fingerprint && message.is_authentic(&IntegrityKey::new(PASSWORD)));
        assert_eq!(ufrag_of(&bytes), None, "a response is for nobody in particular");
    }
}

#[test]
fn a_check_is_read_as_it_was_written() {
    let key = IntegrityKey::new(PASSWORD);
    let mut out = [0; 256];
    let written = BindingRequest {
        transaction: TRANSACTION,
        receiver: "ours",
        sender: "theirs",
        priority: 7,
        tie_breaker: 0x0102_0304_0506_0708,
        use_candidate: true,
    };
    let len = written.write(&mut out, &key).unwrap();
    let message = Message::parse(&out[..len]).unwrap();
    assert_eq!(message.username, Some(&b"ours:theirs"[..]));
    assert_eq!((message.priority, message.controlling), (Some(7), Some(0x0102_0304_0506_0708)));
    assert!(message.use_candidate && message.has_fingerprint && message.is_authentic(&key));
    for room in 0..len {
        assert_eq!(written.write(&mut out[..room], &key), None);
    }
}

#[test]
fn answers_are_read_as_they_were_written() {
    let key = IntegrityKey::new(PASSWORD);
    let mut out = [0; 256];
    for address in ["192.0.2.1:1", "[2001:db8::1]:65535"] {
        let address: SocketAddr = address.parse().unwrap();
        let len = binding_success(&mut out, TRANSACTION, address, &key).unwrap();
        let message = Message::parse(&out[..len]).unwrap();
        assert_eq!((message.class, message.mapped), (Class::Success, Some(address)));
        assert!(message.is_authentic(&key));
    }
    for (code, number) in [
        (ErrorCode::BadRequest, 400),
        (ErrorCode::Unauthenticated, 401),
        (ErrorCode::UnknownAttribute, 420),
        (ErrorCode::RoleConflict, 487),
    ] {
        let len = binding_error(&mut out, TRANSACTION, code, &[0x7001, 0x7002, 0x7003], None).unwrap();
        let message = Message::parse(&out[..len]).unwrap();
        assert_eq!((message.class, message.error), (Class::Error, Some(number)));
        assert!(!message.has_integrity() && message.has_fingerprint);
    }
}

#[test]
fn any_flipped_bit_is_noticed() {
    let genuine = request();
    let key = IntegrityKey::new(PASSWORD);
    for bit in 0..genuine.len() * 8 {
        let mut bytes = genuine.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        // The fingerprint notices all but a flip that hides the fingerprint itself.
        let accepted = Message::parse(&bytes).is_ok_and(|message| message.has_fingerprint);
        assert!(!accepted, "bit {bit}");
    }
    let mut without_fingerprint = genuine[..genuine.len() - 8].to_vec();
    without_fingerprint[3] -= 8;
    assert!(Message::parse(&without_fingerprint).unwrap().is_authentic(&key));
    for bit in 0..(without_fingerprint.len() - 20) * 8 {
        let mut bytes = without_fingerprint.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let authentic = Message::parse(&bytes).is_ok_and(|message| message.is_authentic(&key));
        assert!(!authentic, "bit {bit}");
    }
}

#[test]
fn what_follows_the_integrity_is_not_believed() {
    let key = IntegrityKey::new(PASSWORD);
    let mut out = [0; 256];
    let mut builder = Builder::new(&mut out, Class::Request, BINDING, TRANSACTION);
    builder.username("ours", "theirs");
    let len = builder.finish(Some(&key)).unwrap() - 8;
    // Cut the fingerprint and add USE-CANDIDATE instead.
    out[len..len + 4].copy_from_slice(&[0, 0x25, 0, 0]);
    out[3] = (len + 4 - HEADER) as u8;
    let message = Message::parse(&out[..len + 4]).unwrap();
    assert!(message.is_authentic(&key));
    assert!(!message.use_candidate);
}

#[test]
fn unknown_attributes_that_must_be_understood_are_named_up_to_a_bound() {
    let mut out = [0; 256];
    let mut builder = Builder::new(&mut out, Class::Request, BINDING, TRANSACTION);
    for kind in 0x7000..0x7000 + 2 * MAX_UNKNOWN as u16 {
        builder.attribute(kind, &[]);
    }
    builder.attribute(0xc057, &[&[0, 0, 0, 1]]);
    let len = builder.finish(None).unwrap();
    let message = Message::parse(&out[..len]).unwrap();
    let expected: Vec<u16> = (0x7000..0x7000 + MAX_UNKNOWN as u16).collect();
    assert_eq!(message.unknown(), expected);
}

#[test]
fn headers_and_attributes_of_wrong_lengths_are_malformed() {
    let genuine = request();
    assert!(is_stun(&genuine));
    for len in 0..genuine.len() {
        assert!(!is_stun(&genuine[..len]));
        assert_eq!(Message::parse(&genuine[..len]).unwrap_err(), Malformed::Header);
    }
    let longer = [&genuine[..], &[0]].concat();
    assert_eq!(Message::parse(&longer).unwrap_err(), Malformed::Header);
    // An attribute that reaches one byte beyond the end.
    let mut reaching = hex("00 01 00 08 21 12 a4 42 00 00 00 00 00 00 00 00 00 00 00 00  80 22 00 05 00 00 00 00");
    assert_eq!(Message::parse(&reaching).unwrap_err(), Malformed::Attribute);
    reaching[23] = 4;
    assert!(Message::parse(&reaching).is_ok());
    // PRIORITY of another length than four.
    reaching[20..22].copy_from_slice(&[0, 0x24]);
    reaching[23] = 3;
    assert_eq!(Message::parse(&reaching).unwrap_err(), Malformed::Attribute);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]
    #[test]
    fn any_bytes_are_read_or_refused_without_a_panic(
        mut bytes in prop::collection::vec(any::<u8>(), 0..600),
        framed in any::<bool>(),
    ) {
        if framed && bytes.len() >= HEADER {
            bytes.truncate(bytes.len() & !3);
            let length = (bytes.len() - HEADER) as u16;
            bytes[0] &= 0x3f;
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
            bytes[4..8].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
            prop_assert!(is_stun(&bytes));
        }
        if let Ok(message) = Message::parse(&bytes) {
            prop_assert!(!message.is_authentic(&IntegrityKey::new(PASSWORD)));
        }
        let _ = ufrag_of(&bytes);
    }

    #[test]
    fn every_class_and_method_survives_a_round_trip(method in 0u16..0x1000, class in 0usize..4) {
        let class = [Class::Request, Class::Indication, Class::Success, Class::Error][class];
        let mut out = [0; 64];
        let len = Builder::new(&mut out, class, method, TRANSACTION).finish(None).unwrap();
        let message = Message::parse(&out[..len]).unwrap();
        prop_assert_eq!((message.class, message.method), (class, method));
    }
}
