//! Where one datagram ends and the next begins in a stream of bytes (RFC 4571 §2). Knows no sockets.

/// Bytes before each datagram: its length, the higher byte first.
pub const PREFIX: usize = 2;

/// The longest datagram that is taken, in bytes; browsers keep below 1,500.
pub(super) const MAX_DATAGRAM: usize = 2048;

/// A length that no peer of ours sends: what follows can't be told apart any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// The datagram that begins at `at`; `None` while it is not there whole. Empty ones, which the RFC allows, are datagrams.
///
/// # Errors
/// When it is longer than any that is taken.
pub fn next(bytes: &[u8], at: usize) -> Result<Option<std::ops::Range<usize>>, Malformed> {
    let Some(prefix) = bytes.get(at..).and_then(|rest| rest.first_chunk::<PREFIX>()) else { return Ok(None) };
    let len = usize::from(u16::from_be_bytes(*prefix));
    if len > MAX_DATAGRAM {
        return Err(Malformed);
    }
    let range = at + PREFIX..at + PREFIX + len;
    Ok((range.end <= bytes.len()).then_some(range))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn halves_wait_and_impossible_lengths_are_told() {
        assert_eq!(next(&[], 0), Ok(None));
        assert_eq!(next(&[0], 0), Ok(None));
        assert_eq!(next(&[0, 2, 7], 0), Ok(None));
        assert_eq!(next(&[0, 2, 7, 8, 9], 0), Ok(Some(2..4)));
        assert_eq!(next(&[0, 0, 0, 1], 0), Ok(Some(2..2)));
        assert_eq!(next(&[8, 1], 0), Err(Malformed));
        assert_eq!(next(&[0, 1, 5], 7), Ok(None));
    }

    proptest! {
        #[test]
        fn datagrams_come_out_as_they_went_in(datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..2049), 0..9)) {
            let framed = |data: &Vec<u8>| [&(data.len() as u16).to_be_bytes()[..], data].concat();
            let bytes: Vec<u8> = datagrams.iter().flat_map(framed).collect();
            let (mut at, mut found) = (0, Vec::new());
            while let Some(range) = next(&bytes, at).unwrap() {
                at = range.end;
                found.push(bytes[range].to_vec());
            }
            prop_assert_eq!((found, at), (datagrams, bytes.len()));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), at in 0_usize..80) {
            if let Ok(Some(range)) = next(&bytes, at) {
                prop_assert!(bytes.get(range).is_some());
            }
        }
    }
}
