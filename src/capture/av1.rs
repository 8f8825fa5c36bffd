//! RTP payloads of AV1 (AV1 RTP specification §4) become a temporal unit whose OBUs have sizes. Decodes none.

use crate::rtp::codec::av1::AggregationHeader;
use recordings::codec::av1::{leb128, put_leb128};

const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const TILE_LIST: u8 = 8;
const PADDING: u8 = 15;

const HAS_SIZE: u8 = 0x02;
const HAS_EXTENSION: u8 = 0x04;

/// A temporal unit that is being put together.
#[derive(Debug, Default)]
pub(super) struct Body {
    unit: Vec<u8>,
    fragment: Option<Vec<u8>>,
    key: bool,
}

impl Body {
    /// `None` where fragments do not follow each other, or lengths lie.
    pub(super) fn push(&mut self, payload: &[u8]) -> Option<()> {
        let header = AggregationHeader::parse(payload).ok()?;
        if header.continues != self.fragment.is_some() {
            return None;
        }
        let mut rest = payload.get(1..)?;
        let mut place = 0;
        while !rest.is_empty() {
            place += 1;
            let element = if place == header.elements {
                std::mem::take(&mut rest)
            } else {
                let (len, after) = leb128(rest)?;
                let (element, after) = after.split_at_checked(len)?;
                rest = after;
                element
            };
            let mut obu = self.fragment.take().unwrap_or_default();
            obu.extend_from_slice(element);
            if rest.is_empty() && header.continued {
                self.fragment = Some(obu);
            } else {
                self.obu(&obu)?;
            }
        }
        Some(())
    }

    fn obu(&mut self, obu: &[u8]) -> Option<()> {
        let head = *obu.first()?;
        let kind = head >> 3 & 0x0f;
        if matches!(kind, TEMPORAL_DELIMITER | TILE_LIST | PADDING) {
            return Some(());
        }
        self.key |= kind == SEQUENCE_HEADER;
        if head & HAS_SIZE != 0 {
            self.unit.extend_from_slice(obu);
            return Some(());
        }
        let (heads, payload) = obu.split_at_checked(if head & HAS_EXTENSION != 0 { 2 } else { 1 })?;
        self.unit.push(head | HAS_SIZE);
        self.unit.extend_from_slice(&heads[1..]);
        put_leb128(&mut self.unit, payload.len());
        self.unit.extend_from_slice(payload);
        Some(())
    }

    /// The unit, and whether one can begin with it.
    pub(super) fn finish(self) -> Option<(Vec<u8>, bool)> {
        self.fragment.is_none().then_some((self.unit, self.key))
    }
}
