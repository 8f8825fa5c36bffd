//! Which handshake datagrams the peer only repeats. Knows the record layer's framing (RFC 6347 §4.1,
//! §4.2.2) and nothing of what messages say.

use std::hash::Hasher;

/// Fragments remembered: a handshake has a dozen messages, and large certificates come in a few pieces.
const REMEMBERED: usize = 64;

const RECORD_HEADER: usize = 13;
const MESSAGE_HEADER: usize = 12;
const HANDSHAKE: u8 = 22;

/// A piece of a handshake message: its number, where it begins, how long it is.
type Fragment = (u16, u32, u32);

/// The plaintext handshake fragments that came, each with a digest of its header and content.
#[derive(Debug, Default)]
pub(super) struct Seen {
    fragments: Vec<(Fragment, u64)>,
    contradicted: bool,
}

impl Seen {
    /// Takes note of a datagram; true where it holds nothing but handshake fragments that came before.
    /// What can't be read, is encrypted or is of another kind is never a repetition.
    pub(super) fn is_repetition(&mut self, datagram: &[u8]) -> bool {
        let mut rest = datagram;
        let mut repeated = !rest.is_empty();
        while let Some((header, body)) = rest.split_first_chunk::<RECORD_HEADER>() {
            let len = usize::from(u16::from_be_bytes([header[11], header[12]]));
            let Some((record, after)) = body.split_at_checked(len) else { return false };
            let plain = header[0] == HANDSHAKE && header[3..5] == [0, 0];
            repeated &= plain && self.all_seen(record);
            rest = after;
        }
        repeated && rest.is_empty()
    }

    fn all_seen(&mut self, mut record: &[u8]) -> bool {
        let mut all = !record.is_empty();
        while let Some((header, body)) = record.split_first_chunk::<MESSAGE_HEADER>() {
            let number = u16::from_be_bytes([header[4], header[5]]);
            let three = |at: usize| u32::from_be_bytes([0, header[at], header[at + 1], header[at + 2]]);
            let (offset, len) = (three(6), three(9));
            // A piece that is longer than its record or its message was spoilt; what it left behind can't be mended.
            self.contradicted |= offset + len > three(1);
            let Some((content, after)) = body.split_at_checked(len as usize) else {
                self.contradicted = true;
                return false;
            };
            all &= self.insert((number, offset, len), digest(header, content));
            record = after;
        }
        all && record.is_empty()
    }

    /// Whether it was there already, as it is.
    fn insert(&mut self, fragment: Fragment, digest: u64) -> bool {
        if self.fragments.contains(&(fragment, digest)) {
            return true;
        }
        self.contradicted |= self.fragments.iter().any(|(other, _)| *other == fragment);
        if self.fragments.len() < REMEMBERED {
            self.fragments.push((fragment, digest));
        }
        false
    }

    /// Whether one piece came with two contents, or with a length that can't be: something was spoilt on its way or is not
    /// the peer's.
    pub(super) const fn is_contradicted(&self) -> bool {
        self.contradicted
    }

    /// Whether a message after the first came: the first may have to be answered again and again, since a
    /// stateless answer (HelloVerifyRequest) has no timer of its own.
    pub(super) fn is_past_first(&self) -> bool {
        self.fragments.iter().any(|((number, _, _), _)| *number > 0)
    }
}

/// Tells spoilt content from the same content; an attacker gains nothing by finding two of one digest.
fn digest(header: &[u8], content: &[u8]) -> u64 {
    let mut hasher = rustc_hash::FxHasher::default();
    hasher.write(header);
    hasher.write(content);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, epoch: u8, fragments: &[(u8, u8, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (number, offset, data) in fragments {
            body.extend([1, 0, 0, 200, 0, *number, 0, 0, *offset, 0, 0, data.len() as u8]);
            body.extend_from_slice(data);
        }
        let mut out = vec![kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 9, 0, body.len() as u8];
        out.extend(body);
        out
    }

    #[test]
    fn a_flight_is_a_repetition_once_each_of_its_pieces_came() {
        let mut seen = Seen::default();
        let (first, second) = (record(22, 0, &[(1, 0, &[7; 20])]), record(22, 0, &[(1, 20, &[7; 9]), (2, 0, &[])]));
        assert!(!seen.is_repetition(&first) && seen.is_past_first());
        let both = [first.clone(), second.clone()].concat();
        assert!(!seen.is_repetition(&both), "its second half is new");
        assert!(seen.is_repetition(&first) && seen.is_repetition(&second) && seen.is_repetition(&both));
    }

    #[test]
    fn other_content_in_the_same_place_is_no_repetition() {
        let mut seen = Seen::default();
        assert!(!seen.is_repetition(&record(22, 0, &[(1, 0, &[7; 20])])));
        assert!(seen.is_repetition(&record(22, 0, &[(1, 0, &[7; 20])])) && !seen.is_contradicted());
        assert!(!seen.is_repetition(&record(22, 0, &[(1, 0, &[8; 20])])));
        assert!(seen.is_contradicted());
    }

    #[test]
    fn a_length_that_can_not_be_is_told() {
        let whole = record(22, 0, &[(1, 0, &[])]);
        let mut spoilt = whole.clone();
        *spoilt.last_mut().unwrap() ^= 1;
        let mut seen = Seen::default();
        assert!(!seen.is_repetition(&whole) && !seen.is_contradicted());
        assert!(!seen.is_repetition(&spoilt) && seen.is_contradicted());
    }

    #[test]
    fn what_is_encrypted_broken_or_no_handshake_is_no_repetition() {
        let mut seen = Seen::default();
        let finished = record(22, 1, &[(4, 0, &[1; 8])]);
        let change = record(20, 0, &[]);
        let whole = record(22, 0, &[(1, 0, &[7; 20])]);
        for _ in 0..2 {
            assert!(!seen.is_repetition(&finished));
            assert!(!seen.is_repetition(&change));
            assert!(!seen.is_repetition(&[]));
        }
        seen.is_repetition(&whole);
        for cut in 1..whole.len() {
            assert!(!seen.is_repetition(&whole[..cut]), "{cut}");
        }
        assert!(!seen.is_repetition(&[whole, change].concat()));
    }
}
