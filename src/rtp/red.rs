//! Redundant audio (RFC 2198): the blocks of a payload, read in place and written. Knows no codec.

use super::Malformed;
use super::bytes::{put, u8_at, u24_at};

/// How many blocks a payload may have; browsers send two, for nine there is no use.
pub const MAX_BLOCKS: usize = 9;
/// The longest redundant block, in bytes: its length has ten bits.
pub const MAX_REDUNDANT_LEN: usize = 0x3ff;
/// How far back a redundant block can lie, in ticks: its offset has 14 bits.
pub const MAX_OFFSET: u16 = 0x3fff;

/// One block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'a> {
    /// The payload type of what it holds, 0 to 127.
    pub payload_type: u8,
    /// How many ticks before the packet's timestamp it belongs; 0 for the primary block.
    pub offset: u16,
    /// What it holds; may be empty where the sender had nothing to repeat.
    pub data: &'a [u8],
}

/// A payload whose structure was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Red<'a> {
    heads: &'a [[u8; 4]],
    redundant: &'a [u8],
    /// What the packet is about.
    pub primary: Block<'a>,
}

impl<'a> Red<'a> {
    /// Reads a payload.
    ///
    /// # Errors
    /// When it ends before its blocks do, or has more than [`MAX_BLOCKS`].
    pub fn parse(payload: &'a [u8]) -> Result<Red<'a>, Malformed> {
        let (heads, _) = payload.as_chunks::<4>();
        let mut count = 0;
        let mut len = 0;
        while u8_at(payload, count * 4).ok_or(Malformed::Short)? & 0x80 != 0 {
            let head = heads.get(count).ok_or(Malformed::Short)?;
            count += 1;
            if count >= MAX_BLOCKS {
                return Err(Malformed::TooMany);
            }
            len += data_len(head);
        }
        let payload_type = u8_at(payload, count * 4).ok_or(Malformed::Short)?;
        let data = payload.get(count * 4 + 1..).ok_or(Malformed::Short)?;
        let (redundant, primary) = data.split_at_checked(len).ok_or(Malformed::Short)?;
        let primary = Block { payload_type, offset: 0, data: primary };
        Ok(Red { heads: &heads[..count], redundant, primary })
    }

    /// The redundant blocks, the oldest first as senders write them.
    pub fn redundant(&self) -> impl Iterator<Item = Block<'a>> + use<'a> {
        let mut rest = self.redundant;
        self.heads.iter().map_while(move |head| {
            let (data, after) = rest.split_at_checked(data_len(head))?;
            rest = after;
            let offset = (u24_at(head, 1)? >> 10) as u16;
            Some(Block { payload_type: head[0] & 0x7f, offset, data })
        })
    }
}

fn data_len(head: &[u8; 4]) -> usize {
    usize::from(u16::from_be_bytes([head[2], head[3]]) & 0x3ff)
}

/// Writes a payload of redundant blocks (the oldest first) and a primary one to the start of `out` and returns
/// its length; `None`, with the content of `out` undefined, where it does not fit or a block exceeds what
/// its fields can say.
pub fn write(out: &mut [u8], redundant: &[Block<'_>], primary: Block<'_>) -> Option<usize> {
    if redundant.len() >= MAX_BLOCKS {
        return None;
    }
    let mut head = 0;
    let mut data = redundant.len() * 4 + 1;
    for block in redundant {
        if block.data.len() > MAX_REDUNDANT_LEN || block.offset > MAX_OFFSET {
            return None;
        }
        let word = 0x8000_0000
            | u32::from(block.payload_type & 0x7f) << 24
            | u32::from(block.offset) << 10
            | block.data.len() as u32;
        if !put(out, head, &word.to_be_bytes()) || !put(out, data, block.data) {
            return None;
        }
        head += 4;
        data += block.data.len();
    }
    (put(out, head, &[primary.payload_type & 0x7f]) && put(out, data, primary.data)).then(|| data + primary.data.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // As Chromium sends it: one redundant Opus block of 960 ticks before.
    const PAYLOAD: [u8; 9] = [0x80 | 111, 0x0f, 0x00, 0x02, 111, 0xaa, 0xbb, 0xcc, 0xdd];

    #[test]
    fn blocks_are_read_in_order() {
        let red = Red::parse(&PAYLOAD).unwrap();
        assert_eq!(red.primary, Block { payload_type: 111, offset: 0, data: &[0xcc, 0xdd] });
        let redundant: Vec<_> = red.redundant().collect();
        assert_eq!(redundant, [Block { payload_type: 111, offset: 960, data: &[0xaa, 0xbb] }]);
    }

    #[test]
    fn a_payload_without_redundancy_is_one_byte_longer_than_its_block() {
        let red = Red::parse(&[111, 1, 2, 3]).unwrap();
        assert_eq!(red.primary.data, [1, 2, 3]);
        assert_eq!(red.redundant().count(), 0);
    }

    #[test]
    fn what_is_truncated_or_too_long_is_refused() {
        for len in 0..7 {
            assert_eq!(Red::parse(&PAYLOAD[..len]), Err(Malformed::Short), "{len}");
        }
        assert_eq!(Red::parse(&[0x80; 64]), Err(Malformed::TooMany));
    }

    proptest! {
        #[test]
        fn no_payload_panics(payload in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(red) = Red::parse(&payload) {
                prop_assert!(red.redundant().map(|block| block.data.len()).sum::<usize>() <= payload.len());
            }
        }

        #[test]
        fn what_is_written_reads_the_same(
            blocks in prop::collection::vec((0..128u8, 0..=MAX_OFFSET, prop::collection::vec(any::<u8>(), 0..20)), 0..4),
            primary in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let redundant: Vec<_> = blocks
                .iter()
                .map(|(payload_type, offset, data)| Block { payload_type: *payload_type, offset: *offset, data })
                .collect();
            let primary = Block { payload_type: 111, offset: 0, data: &primary };
            let mut out = [0; 128];
            let len = write(&mut out, &redundant, primary).unwrap();
            let red = Red::parse(&out[..len]).unwrap();
            prop_assert_eq!(red.primary, primary);
            prop_assert_eq!(red.redundant().collect::<Vec<_>>(), redundant);
        }
    }
}
