//! How much of a peer's handshake the library is given. Its fragment buffer bounds neither the number of
//! pieces nor what waits for keys, and it puts pieces together by recursion: without this a peer could
//! overflow the thread's stack. Knows the record layer's framing (RFC 6347 §4.1, §4.2.2) and no messages.

/// Pieces of handshake messages in the life of an association. A handshake has two dozen, and a browser
/// repeats a flight less than ten times; the library's work rises with the cube, to 20 ms for these.
const MAX_FRAGMENTS: usize = 512;

/// Bytes before the handshake is complete. A flight with certificates takes 1 to 3 KB.
const MAX_BYTES: usize = 256 * 1024;

const RECORD_HEADER: usize = 13;
const MESSAGE_HEADER: usize = 12;
const HANDSHAKE: u8 = 22;

/// What was given already.
#[derive(Debug, Default)]
pub(super) struct Budget {
    fragments: usize,
    bytes: usize,
}

impl Budget {
    /// Whether the library may have the datagram; false for good once it would be too much.
    pub(super) fn allows(&mut self, datagram: &[u8], handshaking: bool) -> bool {
        if handshaking {
            self.bytes = self.bytes.saturating_add(datagram.len());
        }
        self.fragments = self.fragments.saturating_add(fragments(datagram));
        self.bytes <= MAX_BYTES && self.fragments <= MAX_FRAGMENTS
    }
}

/// How many pieces the library will see at most. An encrypted record may hold as many as it has room for.
fn fragments(datagram: &[u8]) -> usize {
    let mut rest = datagram;
    let mut count = 0;
    while let Some((header, body)) = rest.split_first_chunk::<RECORD_HEADER>() {
        let len = usize::from(u16::from_be_bytes([header[11], header[12]]));
        let Some((record, after)) = body.split_at_checked(len) else { break };
        if header[0] == HANDSHAKE {
            let plain = header[3..5] == [0, 0];
            count += if plain { plain_fragments(record) } else { record.len() / MESSAGE_HEADER };
        }
        rest = after;
    }
    count
}

/// As the library walks: a piece reaches as far as its whole message would, or to the end.
fn plain_fragments(mut record: &[u8]) -> usize {
    let mut count = 0;
    while let Some((header, body)) = record.split_first_chunk::<MESSAGE_HEADER>() {
        let len = u32::from_be_bytes([0, header[1], header[2], header[3]]) as usize;
        record = body.get(len..).unwrap_or_default();
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::super::{Dtls, Identity};
    use super::*;
    use crate::session::plan::DtlsRole;
    use std::time::Duration;

    /// A record with one piece of a message, of `len` bytes in all, that begins at `offset`.
    fn piece(sequence: u32, epoch: u8, len: u32, offset: u32) -> Vec<u8> {
        let [_, l0, l1, l2] = len.to_be_bytes();
        let [_, o0, o1, o2] = offset.to_be_bytes();
        let mut record = vec![HANDSHAKE, 0xfe, 0xfd, 0, epoch, 0, 0];
        record.extend(sequence.to_be_bytes());
        record.extend([0, 12, 1, l0, l1, l2, 0, 0, o0, o1, o2, 0, 0, 1]);
        record
    }

    #[test]
    fn pieces_are_counted_as_the_library_counts_them() {
        assert_eq!(fragments(&piece(0, 0, 200, 0)), 1);
        assert_eq!(fragments(&[piece(0, 0, 200, 0), piece(1, 0, 200, 1)].concat()), 2);
        let mut empty_messages = piece(0, 0, 0, 0);
        empty_messages.extend_from_within(RECORD_HEADER..);
        empty_messages[12] = 24;
        assert_eq!(fragments(&empty_messages), 2, "two in one record");
        empty_messages[4] = 1;
        assert_eq!(fragments(&empty_messages), 2, "who knows what is encrypted");
        let change_cipher_spec = [20, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1];
        assert_eq!(fragments(&change_cipher_spec), 0);
        assert_eq!(fragments(&piece(0, 0, 200, 0)[..24]), 0, "half a record");
    }

    #[test]
    fn a_peer_has_so_many_pieces_and_so_many_bytes() {
        let mut budget = Budget::default();
        let allowed = (0..10_000).filter(|n| budget.allows(&piece(*n, 0, 0xff_ffff, *n), true)).count();
        assert_eq!(allowed, MAX_FRAGMENTS);
        let mut budget = Budget::default();
        let waiting = [[23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 0, 3, 0xf3].as_slice(), &[0; 1011]].concat();
        let allowed = (0..10_000).filter(|_| budget.allows(&waiting, true)).count();
        assert_eq!(allowed, MAX_BYTES / 1024);
        let mut budget = Budget::default();
        assert!((0..10_000).all(|_| budget.allows(&waiting, false)), "data after the handshake is not counted");
    }

    // acceptance: SEC2
    #[test]
    fn a_message_in_twenty_thousand_pieces_does_not_overflow_the_stack() {
        let provider = rtc_crypto::default_provider().expect("ring is built in");
        let identity = Identity::generate(&provider).expect("a certificate");
        let mut dtls = Dtls::new(&identity, DtlsRole::Passive, identity.fingerprint());
        let now = crate::clock::now();
        dtls.start(now);
        // The first piece comes last: only then does the library follow the chain, a call for each piece.
        let pieces: Vec<_> = (0..20_000).map(|n| piece(n, 0, 0xff_ffff, 19_999 - n)).collect();
        for datagram in pieces.chunks(80) {
            dtls.handle_datagram(now, &datagram.concat());
        }
        assert!(crate::clock::now() - now < Duration::from_secs(5), "a peer keeps the thread busy");
    }
}
