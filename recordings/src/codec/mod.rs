//! What a container and a player must know before the first frame, read from key frames. Decodes no picture.

pub mod aac;
pub mod av1;
pub mod h264;
pub mod hevc;
pub mod opus;
pub mod vp8;
pub mod vp9;

use crate::frame::Codec;

/// What a decoder is set up with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Config {
    /// Always stereo: a decoder makes that of mono, too.
    Opus,
    /// What the key frame says.
    Vp8(vp8::Config),
    /// What the key frame says.
    Vp9(vp9::Config),
    /// The parameter sets of the key frame.
    H264(h264::Config),
    /// The sequence header of the key frame.
    Av1(av1::Config),
    /// The parameter sets of the key frame, or of the record.
    Hevc(hevc::Config),
    /// What the record says: no frame does.
    Aac(aac::Config),
}

impl Config {
    /// Of a key frame, in the form that [`Codec`] tells of; `None` where it is none that we can read.
    #[must_use]
    pub fn of_key_frame(codec: Codec, data: &[u8]) -> Option<Self> {
        Some(match codec {
            Codec::Opus => {
                opus::duration(data)?;
                Self::Opus
            }
            Codec::Vp8 => Self::Vp8(vp8::Config::of(data)?),
            Codec::Vp9 => Self::Vp9(vp9::Config::of(data)?),
            Codec::H264 => Self::H264(h264::Config::of(data)?),
            Codec::Av1 => Self::Av1(av1::Config::of(data)?),
            Codec::Hevc => Self::Hevc(hevc::Config::of(data)?),
            Codec::Aac => return None,
        })
    }

    /// Of a record as MP4, FLV and Matroska have them: `avcC`, `hvcC`, `av1C`, an AudioSpecificConfig. `None` where it
    /// is none that we can read, or of frames whose lengths do not have four bytes. VP8, VP9 and Opus say in their
    /// frames what there is to know.
    #[must_use]
    pub fn of_record(codec: Codec, record: &[u8]) -> Option<Self> {
        Some(match codec {
            Codec::Opus => Self::Opus,
            Codec::Vp8 | Codec::Vp9 => return None,
            Codec::H264 => Self::H264(h264::Config::of_record(record)?),
            Codec::Hevc => Self::Hevc(hevc::Config::of_record(record)?),
            // Four bytes, then the sequence header.
            Codec::Av1 => Self::Av1(av1::Config::of(record.get(4..)?)?),
            Codec::Aac => Self::Aac(aac::Config::of(record)?),
        })
    }

    /// Of what it is.
    #[must_use]
    pub const fn codec(&self) -> Codec {
        match self {
            Self::Opus => Codec::Opus,
            Self::Vp8(_) => Codec::Vp8,
            Self::Vp9(_) => Codec::Vp9,
            Self::H264(_) => Codec::H264,
            Self::Av1(_) => Codec::Av1,
            Self::Hevc(_) => Codec::Hevc,
            Self::Aac(_) => Codec::Aac,
        }
    }

    /// Width and height in pixels.
    #[must_use]
    pub const fn size(&self) -> Option<(u16, u16)> {
        match self {
            Self::Opus | Self::Aac(_) => None,
            Self::Vp8(config) => Some((config.width, config.height)),
            Self::Vp9(config) => Some((config.width, config.height)),
            Self::H264(config) => Some((config.width, config.height)),
            Self::Av1(config) => Some((config.width, config.height)),
            Self::Hevc(config) => Some((config.width, config.height)),
        }
    }

    /// Whether a decoder that was set up with this one goes on where `next` begins: the size may change in the middle
    /// of a file, since key frames say it again, how colours are coded may not.
    #[must_use]
    pub fn continues_with(&self, next: &Self) -> bool {
        match (self, next) {
            (Self::Opus, Self::Opus) | (Self::Vp8(_), Self::Vp8(_)) => true,
            (Self::Vp9(a), Self::Vp9(b)) => a.format() == b.format(),
            (Self::H264(a), Self::H264(b)) => a.profile() == b.profile(),
            (Self::Av1(a), Self::Av1(b)) => a.format() == b.format(),
            (Self::Hevc(a), Self::Hevc(b)) => a.format() == b.format(),
            (Self::Aac(a), Self::Aac(b)) => a == b,
            _ => false,
        }
    }

    /// Whether a decoder needs no other head for `next`: nothing differs but the numbers of parameter sets, which stand
    /// in the key frames.
    #[must_use]
    pub fn is_same_but_numbers(&self, next: &Self) -> bool {
        match (self, next) {
            (Self::H264(a), Self::H264(b)) => a.is_same_but_numbers(b),
            _ => self == next,
        }
    }

    /// As [`Config::name`], for a stream whose head has the parameter sets.
    #[must_use]
    pub fn name_in_head(&self) -> String {
        let name = self.name();
        name.strip_prefix("avc3").map(|rest| format!("avc1{rest}")).unwrap_or(name)
    }

    /// What a browser is asked with (RFC 6381).
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Opus => "opus".to_owned(),
            Self::Vp8(_) => "vp8".to_owned(),
            Self::Vp9(config) => config.name(),
            Self::H264(config) => config.name(),
            Self::Av1(config) => config.name(),
            Self::Hevc(config) => config.name(),
            Self::Aac(config) => config.name(),
        }
    }
}
