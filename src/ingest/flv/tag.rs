//! The body of one FLV tag (Adobe, "Video File Format Specification" 10.1, annex E; enhanced RTMP v2), as encoders send
//! it by RTMP. Knows no time and nothing that came before.

use recordings::Codec;

/// What one tag says. It borrows from the tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag<'a> {
    /// What a decoder must know.
    Config(Codec, &'a [u8]),
    /// A coded picture or sound.
    Frame {
        /// With what.
        codec: Codec,
        /// One can begin to decode here.
        key: bool,
        /// Milliseconds from when it is decoded to when it is shown.
        composition: i32,
        /// It.
        data: &'a [u8],
    },
    /// One of several tracks.
    Multitrack,
    /// A codec that is not taken: a number of FLV, or four characters.
    Unknown(Name),
    /// Something without meaning here: the end of a sequence, a command, colours.
    Nothing,
}

/// How a codec that is not taken is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// As FLV numbers it.
    Number(u8),
    /// As enhanced RTMP has it.
    FourCc([u8; 4]),
}

/// A tag of pictures; `None` where it is cut.
#[must_use]
pub fn picture(body: &[u8]) -> Option<Tag<'_>> {
    let (&head, body) = body.split_first()?;
    let key = head >> 4 & 7 == 1;
    // A command for players of old.
    if head >> 4 & 7 == 5 {
        return Some(Tag::Nothing);
    }
    if head & 0x80 == 0 {
        let codec = match head & 15 {
            7 => Codec::H264,
            // Before there was enhanced RTMP, many sent HEVC so.
            12 => Codec::Hevc,
            other => return Some(Tag::Unknown(Name::Number(other))),
        };
        let (&kind, body) = body.split_first()?;
        let (composition, data) = composed(body)?;
        return Some(match kind {
            0 => Tag::Config(codec, data),
            1 => Tag::Frame { codec, key, composition, data },
            _ => Tag::Nothing,
        });
    }
    let (kind, body) = past_extras(head & 15, body)?;
    if kind == 6 {
        return Some(Tag::Multitrack);
    }
    let (name, data) = body.split_first_chunk::<4>()?;
    let codec = match name {
        b"avc1" => Codec::H264,
        b"hvc1" => Codec::Hevc,
        b"av01" => Codec::Av1,
        b"vp09" => Codec::Vp9,
        other => return Some(Tag::Unknown(Name::FourCc(*other))),
    };
    Some(match kind {
        0 => Tag::Config(codec, data),
        1 if matches!(codec, Codec::H264 | Codec::Hevc) => {
            let (composition, data) = composed(data)?;
            Tag::Frame { codec, key, composition, data }
        }
        1 | 3 => Tag::Frame { codec, key, composition: 0, data },
        _ => Tag::Nothing,
    })
}

/// A tag of sound; `None` where it is cut.
#[must_use]
pub fn sound(body: &[u8]) -> Option<Tag<'_>> {
    let (&head, body) = body.split_first()?;
    let frame = |codec, data| Tag::Frame { codec, key: true, composition: 0, data };
    match head >> 4 {
        9 => {
            let (kind, body) = past_extras(head & 15, body)?;
            if kind == 5 {
                return Some(Tag::Multitrack);
            }
            let (name, data) = body.split_first_chunk::<4>()?;
            let codec = match name {
                b"mp4a" => Codec::Aac,
                b"Opus" => Codec::Opus,
                other => return Some(Tag::Unknown(Name::FourCc(*other))),
            };
            Some(match kind {
                0 => Tag::Config(codec, data),
                1 => frame(codec, data),
                _ => Tag::Nothing,
            })
        }
        10 => {
            let (&kind, data) = body.split_first()?;
            Some(match kind {
                0 => Tag::Config(Codec::Aac, data),
                1 => frame(Codec::Aac, data),
                _ => Tag::Nothing,
            })
        }
        other => Some(Tag::Unknown(Name::Number(other))),
    }
}

/// Skips `ModEx` packets, which add to the one that follows (such as nanoseconds): what that is, and its body.
fn past_extras(mut kind: u8, mut body: &[u8]) -> Option<(u8, &[u8])> {
    while kind == 7 {
        let (&len, rest) = body.split_first()?;
        let (len, rest) = match len {
            255 => {
                let (len, rest) = rest.split_first_chunk::<2>()?;
                (usize::from(u16::from_be_bytes(*len)) + 1, rest)
            }
            len => (usize::from(len) + 1, rest),
        };
        let (&next, rest) = rest.get(len..)?.split_first()?;
        (kind, body) = (next & 15, rest);
    }
    Some((kind, body))
}

/// A signed number of 24 bits, and what follows it.
fn composed(body: &[u8]) -> Option<(i32, &[u8])> {
    let ([high, middle, low], data) = body.split_first_chunk::<3>()?;
    Some((i32::from_be_bytes([*high, *middle, *low, 0]) >> 8, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_of_both_generations_are_read() {
        assert_eq!(picture(&[0x17, 0, 0, 0, 0, 1, 2]), Some(Tag::Config(Codec::H264, &[1, 2])));
        let frame = |codec, key, composition, data| Some(Tag::Frame { codec, key, composition, data });
        assert_eq!(picture(&[0x27, 1, 0xff, 0xff, 0xfe, 9]), frame(Codec::H264, false, -2, &[9]));
        assert_eq!(picture(b"\x91hvc1\x00\x00\x21x"), frame(Codec::Hevc, true, 33, b"x"));
        assert_eq!(picture(b"\xa3hvc1x"), frame(Codec::Hevc, false, 0, b"x"));
        assert_eq!(picture(b"\x91av01x"), frame(Codec::Av1, true, 0, b"x"));
        assert_eq!(picture(b"\x90av01\x81"), Some(Tag::Config(Codec::Av1, b"\x81")));
        assert_eq!(picture(b"\x92av01"), Some(Tag::Nothing));
        assert_eq!(picture(&[0x57, 0]), Some(Tag::Nothing));
        assert_eq!(picture(b"\x91vp08x"), Some(Tag::Unknown(Name::FourCc(*b"vp08"))));
        assert_eq!(picture(&[0x14, 0]), Some(Tag::Unknown(Name::Number(4))));
        assert_eq!(picture(b"\x96\x01av01\x01"), Some(Tag::Multitrack));
        // Nanoseconds before the frame: three bytes of them.
        assert_eq!(picture(b"\x97\x02abc\x01av01x"), frame(Codec::Av1, true, 0, b"x"));
        for cut in [&[][..], &[0x17], &[0x17, 1, 0, 0], b"\x91av0", b"\x97\x02ab", b"\x97\xff\x00"] {
            assert_eq!(picture(cut), None, "{cut:x?}");
        }
    }

    #[test]
    fn sounds_of_both_generations_are_read() {
        let frame = |codec, data| Some(Tag::Frame { codec, key: true, composition: 0, data });
        assert_eq!(sound(&[0xaf, 0, 0x12, 0x10]), Some(Tag::Config(Codec::Aac, &[0x12, 0x10])));
        assert_eq!(sound(&[0xaf, 1, 5]), frame(Codec::Aac, &[5]));
        assert_eq!(sound(b"\x90OpusOpusHead"), Some(Tag::Config(Codec::Opus, b"OpusHead")));
        assert_eq!(sound(b"\x91Opusx"), frame(Codec::Opus, b"x"));
        assert_eq!(sound(b"\x91mp4ax"), frame(Codec::Aac, b"x"));
        assert_eq!(sound(b"\x94Opus\x00"), Some(Tag::Nothing));
        assert_eq!(sound(b"\x91fLaCx"), Some(Tag::Unknown(Name::FourCc(*b"fLaC"))));
        assert_eq!(sound(&[0x2f, 1]), Some(Tag::Unknown(Name::Number(2))));
        assert_eq!(sound(b"\x95\x01mp4a"), Some(Tag::Multitrack));
        for cut in [&[][..], &[0xaf], b"\x91Opu"] {
            assert_eq!(sound(cut), None, "{cut:x?}");
        }
    }
}
