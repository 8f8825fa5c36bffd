//! EBML elements (RFC 8794): written, and their heads read. Knows no frames.

/// The elements of WebM that we use (RFC 9559).
pub(super) mod id {
    pub(in super::super) const EBML: u32 = 0x1a45_dfa3;
    pub(in super::super) const EBML_VERSION: u32 = 0x4286;
    pub(in super::super) const EBML_READ_VERSION: u32 = 0x42f7;
    pub(in super::super) const EBML_MAX_ID_LENGTH: u32 = 0x42f2;
    pub(in super::super) const EBML_MAX_SIZE_LENGTH: u32 = 0x42f3;
    pub(in super::super) const DOC_TYPE: u32 = 0x4282;
    pub(in super::super) const DOC_TYPE_VERSION: u32 = 0x4287;
    pub(in super::super) const DOC_TYPE_READ_VERSION: u32 = 0x4285;
    pub(in super::super) const VOID: u32 = 0xec;
    pub(in super::super) const CRC_32: u32 = 0xbf;
    pub(in super::super) const SEGMENT: u32 = 0x1853_8067;
    pub(in super::super) const INFO: u32 = 0x1549_a966;
    pub(in super::super) const TIMESTAMP_SCALE: u32 = 0x2a_d7b1;
    pub(in super::super) const DURATION: u32 = 0x4489;
    pub(in super::super) const MUXING_APP: u32 = 0x4d80;
    pub(in super::super) const WRITING_APP: u32 = 0x5741;
    pub(in super::super) const TRACKS: u32 = 0x1654_ae6b;
    pub(in super::super) const TRACK_ENTRY: u32 = 0xae;
    pub(in super::super) const TRACK_NUMBER: u32 = 0xd7;
    pub(in super::super) const TRACK_UID: u32 = 0x73c5;
    pub(in super::super) const TRACK_TYPE: u32 = 0x83;
    pub(in super::super) const FLAG_LACING: u32 = 0x9c;
    pub(in super::super) const CODEC_ID: u32 = 0x86;
    pub(in super::super) const VIDEO: u32 = 0xe0;
    pub(in super::super) const PIXEL_WIDTH: u32 = 0xb0;
    pub(in super::super) const PIXEL_HEIGHT: u32 = 0xba;
    pub(in super::super) const CLUSTER: u32 = 0x1f43_b675;
    pub(in super::super) const TIMESTAMP: u32 = 0xe7;
    pub(in super::super) const SIMPLE_BLOCK: u32 = 0xa3;
    pub(in super::super) const BLOCK_GROUP: u32 = 0xa0;
    pub(in super::super) const BLOCK: u32 = 0xa1;
    pub(in super::super) const BLOCK_DURATION: u32 = 0x9b;
    pub(in super::super) const REFERENCE_BLOCK: u32 = 0xfb;
}

/// Elements, one after the other.
#[derive(Debug, Default)]
pub(super) struct Ebml(Vec<u8>);

impl Ebml {
    fn head(&mut self, id: u32, len: usize) {
        self.id(id);
        let len = len as u64;
        // The shortest width whose ones do not all stand: those mean that the length is unknown.
        let width = (1..8).find(|width| len < (1 << (7 * width)) - 1).unwrap_or(8);
        let marked = len | 1 << (7 * width);
        self.0.extend_from_slice(&marked.to_be_bytes()[8 - width..]);
    }

    fn id(&mut self, id: u32) {
        let bytes = id.to_be_bytes();
        self.0.extend_from_slice(&bytes[id.leading_zeros() as usize / 8..]);
    }

    /// A number without a sign.
    pub(super) fn uint(&mut self, id: u32, value: u64) {
        let bytes = value.to_be_bytes();
        self.bytes(id, &bytes[(value.leading_zeros() as usize / 8).min(7)..]);
    }

    /// A small number.
    pub(super) fn int(&mut self, id: u32, value: i8) {
        self.bytes(id, &value.to_be_bytes());
    }

    /// A number of eight bytes.
    pub(super) fn float(&mut self, id: u32, value: f64) {
        self.bytes(id, &value.to_be_bytes());
    }

    /// Bytes, or a text.
    pub(super) fn bytes(&mut self, id: u32, value: &[u8]) {
        self.head(id, value.len());
        self.0.extend_from_slice(value);
    }

    /// An element with others in it.
    pub(super) fn master(&mut self, id: u32, inner: Self) {
        self.bytes(id, &inner.0);
    }

    /// The head of an element that goes on to the end of the file.
    pub(super) fn unknown_length(&mut self, id: u32) {
        self.id(id);
        self.0.extend_from_slice(&[0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    }

    /// Elements that are written already.
    pub(super) fn raw(&mut self, elements: &[u8]) {
        self.0.extend_from_slice(elements);
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Of an element with a known length: its id, its content and what follows.
pub(super) fn element(bytes: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let (id, len, head) = head(bytes)?;
    let (content, rest) = bytes.get(head..)?.split_at_checked(usize::try_from(len?).ok()?)?;
    Some((id, content, rest))
}

/// The head of an element: its id, its length where it is known, and how many bytes the head takes.
pub(super) fn head(bytes: &[u8]) -> Option<(u32, Option<u64>, usize)> {
    let id_len = bytes.first()?.leading_zeros() as usize + 1;
    if id_len > 4 {
        return None;
    }
    let id = bytes.get(..id_len)?.iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
    let width = bytes.get(id_len)?.leading_zeros() as usize + 1;
    if width > 8 {
        return None;
    }
    let marked = bytes.get(id_len..id_len + width)?.iter().fold(0, |len, byte| len << 8 | u64::from(*byte));
    let len = marked & ((1 << (7 * width)) - 1);
    let unknown = len == (1 << (7 * width)) - 1;
    Some((id, (!unknown).then_some(len), id_len + width))
}

/// A number of one to eight bytes.
pub(super) fn number(content: &[u8]) -> Option<u64> {
    (1..=8).contains(&content.len()).then(|| content.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_as_few_bytes_as_they_can() {
        for (len, head_len) in [(0, 2), (126, 2), (127, 3), (16_382, 3), (16_383, 4)] {
            let mut ebml = Ebml::default();
            ebml.bytes(id::VOID, &vec![7; len]);
            let bytes = ebml.into_bytes();
            assert_eq!(bytes.len(), len + head_len);
            let (found, content, rest) = element(&bytes).expect("an element");
            assert_eq!((found, content.len(), rest.len()), (id::VOID, len, 0));
            assert!(element(&bytes[..bytes.len() - 1]).is_none());
        }
        let mut ebml = Ebml::default();
        ebml.unknown_length(id::SEGMENT);
        assert_eq!(head(&ebml.into_bytes()), Some((id::SEGMENT, None, 12)));
    }
}
