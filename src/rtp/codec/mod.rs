//! What a forwarder must know of payloads: where a frame begins, whether it is a key frame, which
//! numbers to rewrite. Decodes no picture and no sound.

pub mod av1;
pub mod h264;
pub mod opus;
pub mod vp8;
pub mod vp9;

use crate::session::plan::Codec;

/// Whether a key frame begins in this packet, so that a decoder can begin with it. Sound can begin anywhere.
#[must_use]
pub fn is_key_frame_start(codec: Codec, payload: &[u8]) -> bool {
    match codec {
        Codec::Opus | Codec::Red => !payload.is_empty(),
        Codec::Vp8 => vp8::is_key_frame_start(payload),
        Codec::Vp9 { .. } => vp9::is_key_frame_start(payload),
        Codec::H264 { .. } => h264::is_key_frame_start(payload),
        Codec::Av1 => av1::is_key_frame_start(payload),
    }
}

/// Whether a frame begins in this packet. For H.264 also of later packets of a frame that consists of
/// several NAL units, since only the timestamp tells them apart.
#[must_use]
pub fn starts_frame(codec: Codec, payload: &[u8]) -> bool {
    match codec {
        Codec::Opus | Codec::Red => !payload.is_empty(),
        Codec::Vp8 => vp8::Descriptor::parse(payload).is_ok_and(|descriptor| descriptor.starts_frame()),
        Codec::Vp9 { .. } => vp9::Descriptor::parse(payload).is_ok_and(|descriptor| descriptor.starts_picture()),
        Codec::H264 { .. } => h264::starts_frame(payload),
        Codec::Av1 => av1::starts_frame(payload),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Codec; 6] =
        [Codec::Opus, Codec::Red, Codec::Vp8, Codec::Vp9 { profile: 0 }, Codec::H264 { profile: 0x42e0 }, Codec::Av1];

    #[test]
    fn nothing_begins_in_an_empty_payload() {
        for codec in ALL {
            assert!(!is_key_frame_start(codec, &[]), "{codec:?}");
            assert!(!starts_frame(codec, &[]), "{codec:?}");
        }
    }

    proptest! {
        #[test]
        fn no_payload_panics(mut payload in prop::collection::vec(any::<u8>(), 0..64), picture: u16, tl0: u8) {
            for codec in ALL {
                let _ = (is_key_frame_start(codec, &payload), starts_frame(codec, &payload));
            }
            let _ = (vp8::resolution(&payload), opus::is_dtx(&payload));
            if let Ok(descriptor) = vp8::Descriptor::parse(&payload) {
                vp8::rewrite(&mut payload, &descriptor, Some(picture), Some(tl0));
            }
        }

        #[test]
        fn a_key_frame_starts_a_frame(payload in prop::collection::vec(any::<u8>(), 0..64)) {
            for codec in ALL {
                prop_assert!(!is_key_frame_start(codec, &payload) || starts_frame(codec, &payload), "{codec:?}");
            }
        }
    }
}
