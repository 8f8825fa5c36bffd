//! STUN messages as they come from strangers: any datagram, and any attributes below a right header.

#![no_main]

use fuzz::net::stun::{
    BINDING, Builder, Class, IntegrityKey, MAX_UNKNOWN, Malformed, Message, TransactionId, is_stun, ufrag_of,
};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static KEY: LazyLock<IntegrityKey> = LazyLock::new(|| IntegrityKey::new("VOkJxbRl1RmTxUk/WvJxBt"));
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

// acceptance: SEC2
fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    if bytes.get(4..8) != Some(&COOKIE) {
        read(&under_a_header(bytes));
    }
});

/// The bytes as the attributes of a binding request.
fn under_a_header(attributes: &[u8]) -> Vec<u8> {
    let mut datagram = vec![0, 1];
    let length = attributes.len().next_multiple_of(4);
    datagram.extend((length as u16).to_be_bytes());
    datagram.extend(COOKIE);
    datagram.extend(*b"twelve bytes");
    datagram.extend(attributes);
    datagram.resize(20 + length, 0);
    datagram
}

fn read(datagram: &[u8]) {
    let shaped = is_stun(datagram);
    let ufrag = ufrag_of(datagram);
    let message = match Message::parse(datagram) {
        Ok(message) => message,
        Err(why) => {
            assert_eq!(shaped, why != Malformed::Header, "{why:?}");
            assert_eq!(ufrag, None);
            return;
        }
    };
    assert!(shaped && message.unknown().len() <= MAX_UNKNOWN && message.method < 1 << 12);
    assert!(message.has_integrity() || !message.is_authentic(&KEY), "authentic without integrity");
    if let Some(ufrag) = ufrag {
        assert!(message.class == Class::Request && message.method == BINDING);
        assert!(message.username.is_some_and(|username| username.starts_with(ufrag.as_bytes())));
    }
    write_again(&message);
}

/// What was read, written by us and read again, says the same.
fn write_again(message: &Message<'_>) {
    let mut out = [0; 1024];
    let TransactionId(transaction) = message.transaction;
    let mut builder = Builder::new(&mut out, message.class, message.method, TransactionId(transaction));
    if let Some(username) = message.username.filter(|username| username.len() <= 512) {
        builder.attribute(0x0006, &[username]);
    }
    if let Some(priority) = message.priority {
        builder.priority(priority);
    }
    if message.use_candidate {
        builder.use_candidate();
    }
    if let Some(tie_breaker) = message.controlling {
        builder.controlling(tie_breaker);
    }
    if let Some(tie_breaker) = message.controlled {
        builder.controlled(tie_breaker);
    }
    if let Some(address) = message.mapped {
        builder.mapped(address);
    }
    let len = builder.finish(Some(&KEY)).expect("it fits");
    let again = Message::parse(&out[..len]).expect("we write what we read");
    assert!(again.has_fingerprint && again.is_authentic(&KEY));
    assert_eq!((again.class, again.method, again.transaction), (message.class, message.method, message.transaction));
    assert_eq!((again.priority, again.use_candidate), (message.priority, message.use_candidate));
    assert_eq!((again.controlling, again.controlled), (message.controlling, message.controlled));
    assert_eq!(again.mapped.map(|mapped| (mapped.ip(), mapped.port())), message.mapped.map(|m| (m.ip(), m.port())));
    out[len / 2] ^= 1;
    assert!(!Message::parse(&out[..len]).is_ok_and(|damaged| damaged.has_fingerprint), "damage goes unnoticed");
}
