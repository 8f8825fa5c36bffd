//! What Bots put into packets: every payload names itself and fills the rest with bytes that follow from the
//! name, so that a receiver knows whose packet it got and that not a byte of it changed.

use symposia::rtp::codec::vp8::Descriptor;

/// Two bytes that every payload of a Bot has before its tag.
const MAGIC: [u8; 2] = [0xb0, 0x7a];

/// Bytes of a tag with its magic.
pub const TAG_LEN: usize = 21;

/// Bytes of the VP8 payload descriptor that Bots write.
pub const DESCRIPTOR_LEN: usize = 6;

/// What a payload says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag {
    /// Whose.
    pub bot: u32,
    /// The number of the source within `Source::ALL`.
    pub source: u8,
    /// The simulcast layer, 0 the lowest.
    pub layer: u8,
    /// The frame, from 0; the same in all layers.
    pub frame: u32,
    /// Which packet of the frame.
    pub packet: u16,
    /// Of how many.
    pub packets: u16,
    /// Where its frame stands among the layers of its stream, and what that needs.
    pub frame_layer: FrameLayer,
}

/// A frame's temporal and spatial layer, and the frames without which it can't be decoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FrameLayer {
    pub spatial: u8,
    pub temporal: u8,
    /// How many pictures back frames of the same spatial layer stand that it needs; 0 for none.
    pub needs: [u8; 2],
    /// It needs the spatial layer below in the same picture.
    pub needs_below: bool,
}

fn filler(tag: &Tag) -> impl Iterator<Item = u8> {
    let mut state = u64::from(tag.bot) << 40
        ^ u64::from(tag.source) << 36
        ^ u64::from(tag.layer) << 32
        ^ u64::from(tag.frame) << 8
        ^ u64::from(tag.packet)
        ^ u64::from(tag.frame_layer.spatial) << 50
        | 1 << 63;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    })
}

impl Tag {
    fn write(&self, out: &mut Vec<u8>, len: usize) {
        out.extend(MAGIC);
        out.extend(self.bot.to_be_bytes());
        out.extend([self.source, self.layer]);
        out.extend(self.frame.to_be_bytes());
        out.extend(self.packet.to_be_bytes());
        out.extend(self.packets.to_be_bytes());
        let FrameLayer { spatial, temporal, needs: [one, other], needs_below } = self.frame_layer;
        out.extend([spatial, temporal, one, other, u8::from(needs_below)]);
        out.extend(filler(self).take(len.saturating_sub(TAG_LEN)));
    }

    /// The frame that a tag names, without a look at what follows it.
    pub fn number(tag: &[u8]) -> Option<u32> {
        let tag = tag.first_chunk::<TAG_LEN>().filter(|tag| tag[..2] == MAGIC)?;
        Some(u32::from_be_bytes([tag[8], tag[9], tag[10], tag[11]]))
    }

    /// Reads a tag and checks every byte after it.
    pub fn read(body: &[u8]) -> Option<Tag> {
        let (tag, rest) = body.split_first_chunk::<TAG_LEN>()?;
        if tag[..2] != MAGIC {
            return None;
        }
        let found = Tag {
            bot: u32::from_be_bytes([tag[2], tag[3], tag[4], tag[5]]),
            source: tag[6],
            layer: tag[7],
            frame: u32::from_be_bytes([tag[8], tag[9], tag[10], tag[11]]),
            packet: u16::from_be_bytes([tag[12], tag[13]]),
            packets: u16::from_be_bytes([tag[14], tag[15]]),
            frame_layer: FrameLayer {
                spatial: tag[16],
                temporal: tag[17],
                needs: [tag[18], tag[19]],
                needs_below: tag[20] == 1,
            },
        };
        filler(&found).zip(rest).all(|(expected, byte)| expected == *byte).then_some(found)
    }
}

/// The numbers in a VP8 descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureNumbers {
    pub picture_id: u16,
    pub tl0: u8,
    pub key_index: u8,
    /// Y: the frame needs the lowest temporal layer only.
    pub sync: bool,
}

/// A VP8 payload of about `len` bytes: valid descriptor, valid frame header in the first packet.
pub fn vp8_payload(tag: &Tag, numbers: PictureNumbers, key: bool, size: (u16, u16), len: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(len);
    let first = tag.packet == 0;
    out.push(0x80 | if first { 0x10 } else { 0 });
    out.push(0xf0);
    out.extend((0x8000 | numbers.picture_id).to_be_bytes());
    out.push(numbers.tl0);
    let sync = if numbers.sync { 0x20 } else { 0 };
    out.push(tag.frame_layer.temporal << 6 | sync | numbers.key_index & 0x1f);
    if first {
        out.extend([if key { 0x10 } else { 0x11 }, 0, 0]);
        if key {
            out.extend([0x9d, 0x01, 0x2a]);
            out.extend(size.0.to_le_bytes());
            out.extend(size.1.to_le_bytes());
        }
    }
    let rest = len.saturating_sub(out.len()).max(TAG_LEN);
    tag.write(&mut out, rest);
    out
}

/// A part of a real VP8 frame: the first part begins it.
pub fn film_payload(first: bool, numbers: PictureNumbers, part: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(DESCRIPTOR_LEN + part.len());
    out.extend([0x80 | if first { 0x10 } else { 0 }, 0xf0]);
    out.extend((0x8000 | numbers.picture_id).to_be_bytes());
    out.extend([numbers.tl0, numbers.key_index & 0x1f]);
    out.extend_from_slice(part);
    out
}

/// The frames of an IVF file.
pub fn ivf(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = bytes.get(32..).unwrap_or_default();
    let mut frames = Vec::new();
    while let Some((head, after)) = rest.split_first_chunk::<12>() {
        let len = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let Some(frame) = after.get(..len) else { break };
        frames.push(frame.to_vec());
        rest = &after[len..];
    }
    frames
}

/// 20 ms of silence that decoders take for real, as Opus has it.
pub const SILENCE: [u8; 3] = [0xf8, 0xff, 0xfe];

/// An Opus payload of about `len` bytes.
pub fn opus_payload(tag: &Tag, len: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(len);
    out.push(0x78);
    tag.write(&mut out, len.saturating_sub(1).max(TAG_LEN));
    out
}

/// What came in a video payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    pub tag: Tag,
    pub picture_id: u16,
    pub tl0: u8,
    pub key: bool,
}

/// Reads a VP8 payload of a Bot; `None` where a byte of it is not as it was sent.
pub fn read_vp8(payload: &[u8]) -> Option<Picture> {
    let descriptor = Descriptor::parse(payload).ok()?;
    let mut body = payload.get(descriptor.len..)?;
    let mut key = false;
    if descriptor.starts_frame() {
        key = body.first()? & 1 == 0;
        body = body.get(if key { 10 } else { 3 }..)?;
    }
    Some(Picture {
        tag: Tag::read(body)?,
        picture_id: descriptor.picture_id?.value.value,
        tl0: descriptor.tl0?.value,
        key,
    })
}

/// Reads an Opus payload of a Bot.
pub fn read_opus(payload: &[u8]) -> Option<Tag> {
    Tag::read(payload.get(1..)?)
}

#[test]
fn payloads_name_themselves_and_show_any_change() {
    let frame_layer = FrameLayer { temporal: 2, needs: [1, 2], ..FrameLayer::default() };
    let tag = Tag { bot: 7, source: 1, layer: 2, frame: 99, packet: 0, packets: 3, frame_layer };
    let numbers = PictureNumbers { picture_id: 0x1234, tl0: 5, key_index: 3, sync: false };
    let payload = vp8_payload(&tag, numbers, true, (1280, 720), 1150);
    assert_eq!(payload.len(), 1150);
    assert_eq!(symposia::rtp::codec::vp8::resolution(&payload), Some((1280, 720)));
    assert_eq!(read_vp8(&payload), Some(Picture { tag, picture_id: 0x1234, tl0: 5, key: true }));
    for at in [20, 500, 1149] {
        let mut changed = payload.clone();
        changed[at] ^= 1;
        assert_ne!(read_vp8(&changed).map(|picture| picture.tag), Some(tag), "{at}");
    }
    let sound = opus_payload(&tag, 100);
    assert_eq!((sound.len(), read_opus(&sound)), (100, Some(tag)));
}
