//! RTP header extensions (RFC 8285): walk through them, find one, read the few that we use, write
//! a block. Knows no negotiation: which number means what is the caller's.

use super::bytes::{put, u16_at, u24_at};
use super::header::ExtensionBlock;

/// The profile field of the one-byte form.
pub const ONE_BYTE_PROFILE: u16 = 0xbede;
/// The profile field of the two-byte form; its low four bits are free.
pub const TWO_BYTE_PROFILE: u16 = 0x1000;
/// The longest `mid` or `rid` that we take, in bytes: the limit of [`crate::session::plan::Mid`].
pub const MAX_TEXT: usize = 16;

/// How elements are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Numbers 1 to 14, values of 1 to 16 bytes.
    OneByte,
    /// Numbers 1 to 255, values of 0 to 255 bytes; only where `a=extmap-allow-mixed` was agreed or
    /// one element needs it.
    TwoByte,
}

impl Form {
    /// By the profile field; `None` for a block that is not of RFC 8285.
    #[must_use]
    pub const fn of_profile(profile: u16) -> Option<Form> {
        match profile {
            ONE_BYTE_PROFILE => Some(Form::OneByte),
            p if p & 0xfff0 == TWO_BYTE_PROFILE => Some(Form::TwoByte),
            _ => None,
        }
    }
}

/// One element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension<'a> {
    /// Its number, as in `a=extmap`.
    pub id: u8,
    /// Where its value begins in the packet, in bytes, for rewriting in place.
    pub offset: usize,
    /// Its value.
    pub value: &'a [u8],
}

/// The elements of one packet. Ends silently at the first that reaches beyond the block.
#[derive(Debug, Clone)]
pub struct Extensions<'a> {
    packet: &'a [u8],
    form: Option<Form>,
    at: usize,
    end: usize,
}

impl<'a> Extensions<'a> {
    pub(super) fn new(packet: &'a [u8], block: ExtensionBlock) -> Extensions<'a> {
        let end = usize::from(block.end).min(packet.len());
        Extensions { packet, form: Form::of_profile(block.profile), at: usize::from(block.start), end }
    }

    pub(super) const fn none() -> Extensions<'a> {
        Extensions { packet: &[], form: None, at: 0, end: 0 }
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = if self.at < self.end { self.packet.get(self.at).copied() } else { None };
        self.at += 1;
        byte
    }

    fn step(&mut self) -> Option<Extension<'a>> {
        let form = self.form?;
        let head = loop {
            // A zero byte pads between elements in both forms.
            match self.byte()? {
                0 => {}
                head => break head,
            }
        };
        let (id, len) = match form {
            // RFC 8285 §4.2: number 15 stops processing, as does number 0 with a length.
            Form::OneByte => match head >> 4 {
                0 | 15 => return None,
                id => (id, usize::from(head & 0x0f) + 1),
            },
            Form::TwoByte => (head, usize::from(self.byte()?)),
        };
        let offset = self.at;
        let end = offset + len;
        if end > self.end {
            return None;
        }
        self.at = end;
        Some(Extension { id, offset, value: self.packet.get(offset..end)? })
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Extension<'a>;

    fn next(&mut self) -> Option<Extension<'a>> {
        let next = self.step();
        if next.is_none() {
            self.form = None;
        }
        next
    }
}

/// Writes an extension block, with its four-byte head and padded to a multiple of four, to the
/// start of `out` and returns its length: 0 for no elements.
///
/// `None`, with the content of `out` undefined, where it does not fit or an element cannot be
/// said in this form.
pub fn write(out: &mut [u8], form: Form, elements: &[(u8, &[u8])]) -> Option<usize> {
    if elements.is_empty() {
        return Some(0);
    }
    let mut at = 4;
    for &(id, value) in elements {
        match form {
            Form::OneByte => {
                if !(1..=14).contains(&id) || !(1..=16).contains(&value.len()) {
                    return None;
                }
                *out.get_mut(at)? = id << 4 | (value.len() - 1) as u8;
                at += 1;
            }
            Form::TwoByte => {
                let len = u8::try_from(value.len()).ok()?;
                if id == 0 || !put(out, at, &[id, len]) {
                    return None;
                }
                at += 2;
            }
        }
        if !put(out, at, value) {
            return None;
        }
        at += value.len();
    }
    let end = at.next_multiple_of(4);
    out.get_mut(at..end)?.fill(0);
    let profile = match form {
        Form::OneByte => ONE_BYTE_PROFILE,
        Form::TwoByte => TWO_BYTE_PROFILE,
    };
    let words = u16::try_from(end / 4 - 1).ok()?;
    put(out, 0, &profile.to_be_bytes());
    put(out, 2, &words.to_be_bytes());
    Some(end)
}

/// Loudness of the sound in a packet (RFC 6464).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioLevel {
    /// Whether the sender believes that it is voice.
    pub voice: bool,
    /// In −dBov: 0 is as loud as can be, 127 is silence.
    pub level: u8,
}

impl AudioLevel {
    /// From an element's value; also where it is padded to two bytes (RFC 6464 §3).
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<AudioLevel> {
        value.first().map(|byte| AudioLevel { voice: byte & 0x80 != 0, level: byte & 0x7f })
    }

    /// As an element's value.
    #[must_use]
    pub const fn to_byte(self) -> u8 {
        (self.voice as u8) << 7 | (self.level & 0x7f)
    }
}

/// How the picture is to be turned (3GPP TS 26.114 §7.4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoOrientation {
    /// Taken by the back-facing camera.
    pub back_camera: bool,
    /// To be mirrored.
    pub flip: bool,
    /// In quarter turns clockwise, 0 to 3.
    pub rotation: u8,
}

impl VideoOrientation {
    /// From an element's value.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<VideoOrientation> {
        let byte = *value.first()?;
        Some(VideoOrientation { back_camera: byte & 0x08 != 0, flip: byte & 0x04 != 0, rotation: byte & 0x03 })
    }
}

/// The transport-wide sequence number
/// (`draft-holmer-rmcat-transport-wide-cc-extensions-01` §2).
#[must_use]
pub fn transport_sequence(value: &[u8]) -> Option<u16> {
    u16_at(value, 0)
}

/// The absolute send time: the low 24 bits of seconds in 6.18 fixed point; wraps every 64 s.
#[must_use]
pub fn abs_send_time(value: &[u8]) -> Option<u32> {
    if value.len() == 3 { u24_at(value, 0) } else { None }
}

/// A `mid` or `rid` (RFC 9143 §15, RFC 8852 §3): UTF-8 of 1 to [`MAX_TEXT`] bytes.
#[must_use]
pub fn text(value: &[u8]) -> Option<&str> {
    // Some senders pad the text with zeros to keep the element's length constant.
    let end = value.iter().position(|&byte| byte == 0).unwrap_or(value.len());
    let value = value.get(..end)?;
    if value.is_empty() || value.len() > MAX_TEXT {
        return None;
    }
    std::str::from_utf8(value).ok()
}

#[cfg(test)]
#[path = "extension_tests.rs"]
mod tests;
