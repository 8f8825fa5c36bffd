//! Text to [`Offer`]: reads line by line what we need and passes over the rest. Knows no policy.

use super::error::SdpError;
use super::offer::{Direction, MediaKind, MediaSection, Offer, Setup};
use super::section::Section;
use crate::session::plan::{Fingerprint, IceCredentials, Mid};

/// Bytes of a description. Chromium's offer with 49 video slots has 268,000, twice that with candidates and more codecs.
pub const MAX_BYTES: usize = 512 * 1024;
/// Lines of a description; the same offer has 8,690.
pub const MAX_LINES: usize = 20_000;
/// Media sections; the largest pool is 4 + 49 + 5.
pub const MAX_SECTIONS: usize = 128;
/// Payload types of a section; there are no more numbers.
pub const MAX_PAYLOADS: usize = 128;
/// Header extensions of a section; Chromium offers 13.
pub const MAX_EXTENSIONS: usize = 32;
/// Encodings of a section; browsers send at most 3.
pub const MAX_RIDS: usize = 4;
/// Different SSRCs, and groups of them, of a section; Firefox names 6 for three encodings with RTX.
pub const MAX_SSRCS: usize = 32;
/// Bytes of a mid or rid, as [`Mid`] and [`Rid`] say.
pub(super) const MAX_NAME: usize = 16;
/// Bytes of `<proto>` and other words that the answer repeats.
pub(super) const MAX_WORD: usize = 64;
/// Bytes of `<fmt> …` that the answer to a refused section repeats: 128 numbers with their spaces, or a name.
const MAX_FORMATS: usize = 512;
/// RFC 8839 §5.4.
pub(super) const UFRAG_LENGTH: std::ops::RangeInclusive<usize> = 4..=256;
/// RFC 8839 §5.4.
pub(super) const PASSWORD_LENGTH: std::ops::RangeInclusive<usize> = 22..=256;

impl Offer {
    /// Reads a description. Lines end with CRLF or LF; unknown ones are passed over.
    ///
    /// # Errors
    /// Where it is no description, breaks a bound, or lacks what every section must have.
    pub fn parse(text: &str) -> Result<Self, SdpError> {
        if text.len() > MAX_BYTES {
            return Err(SdpError::TooLarge { bytes: text.len(), limit: MAX_BYTES });
        }
        let mut reader = Reader::default();
        for (index, line) in text.lines().enumerate() {
            if index >= MAX_LINES {
                return Err(SdpError::TooManyLines { limit: MAX_LINES });
            }
            let line = line.trim_end();
            if index == 0 && line != "v=0" {
                return Err(SdpError::NotSdp);
            }
            reader.line = index + 1;
            reader.read_line(line)?;
        }
        if reader.line == 0 {
            return Err(SdpError::NotSdp);
        }
        reader.finish()
    }
}

/// What stands above the first `m=` line, or under one.
#[derive(Default)]
pub(super) struct Level {
    ufrag: Option<String>,
    password: Option<String>,
    pub(super) fingerprint: Option<Fingerprint>,
    pub(super) setup: Option<Setup>,
    pub(super) direction: Option<Direction>,
    pub(super) extmap_allow_mixed: bool,
}

impl Level {
    pub(super) fn credentials(&mut self) -> Option<IceCredentials> {
        Some(IceCredentials { ufrag: self.ufrag.take()?, password: self.password.take()? })
    }
}

#[derive(Default)]
struct Reader {
    line: usize,
    session_id: u64,
    session_version: u64,
    bundle: Option<Vec<Mid>>,
    ice_lite: bool,
    session: Level,
    sections: Vec<Section>,
}

impl Reader {
    fn bad(&self, what: &'static str) -> SdpError {
        SdpError::BadLine { line: self.line, what }
    }

    fn read_line(&mut self, line: &str) -> Result<(), SdpError> {
        match line.split_once('=') {
            Some(("m", value)) => self.read_media(value),
            Some(("o", value)) => {
                let mut words = value.split(' ').skip(1);
                self.session_id = number(words.next()).unwrap_or(0);
                self.session_version = number(words.next()).unwrap_or(0);
                Ok(())
            }
            Some(("a", value)) => {
                let (name, value) = value.split_once(':').unwrap_or((value, ""));
                if self.read_transport(name, value)? {
                    return Ok(());
                }
                if self.sections.is_empty() { self.read_session(name, value) } else { self.read_section(name, value) }
            }
            _ => Ok(()),
        }
    }

    fn read_media(&mut self, value: &str) -> Result<(), SdpError> {
        if self.sections.len() >= MAX_SECTIONS {
            return Err(SdpError::TooManySections { limit: MAX_SECTIONS });
        }
        let mut words = value.splitn(4, ' ');
        let (Some(media), Some(port), Some(protocol)) = (words.next(), words.next(), words.next()) else {
            return Err(self.bad("an m= line needs media, port, protocol and formats"));
        };
        let formats = words.next().unwrap_or("").trim();
        // `9/2` gives a number of ports, which nobody uses.
        let port = number(port.split('/').next()).ok_or_else(|| self.bad("the port is no number"))?;
        if !is_word(media, MAX_WORD) || !is_word(protocol, MAX_WORD) || !is_line(formats, MAX_FORMATS) {
            return Err(self.bad("an m= line has a word that is too long or not printable"));
        }
        let kind = match media {
            "audio" => MediaKind::Audio,
            "video" => MediaKind::Video,
            other => MediaKind::Other(other.to_owned()),
        };
        let section = Section::new(kind, port, protocol, formats);
        self.sections.push(section.map_err(|error| error.at(self.line))?);
        Ok(())
    }

    /// Reads what may stand at both levels; says whether it was such a line.
    fn read_transport(&mut self, name: &str, value: &str) -> Result<bool, SdpError> {
        let line = self.line;
        let bad = |what| SdpError::BadLine { line, what };
        let level = self.sections.last_mut().map_or(&mut self.session, |section| &mut section.level);
        match name {
            "ice-ufrag" => {
                level.ufrag = Some(
                    ice_word(value, UFRAG_LENGTH).ok_or_else(|| bad("a=ice-ufrag needs 4 to 256 ICE characters"))?,
                );
            }
            "ice-pwd" => {
                level.password = Some(
                    ice_word(value, PASSWORD_LENGTH).ok_or_else(|| bad("a=ice-pwd needs 22 to 256 ICE characters"))?,
                );
            }
            "fingerprint" => {
                let (hash, digits) = value.trim().split_once(' ').unwrap_or((value, ""));
                if hash.eq_ignore_ascii_case("sha-256") {
                    let fingerprint = fingerprint(digits.trim());
                    level.fingerprint =
                        Some(fingerprint.ok_or_else(|| bad("a sha-256 fingerprint is 32 pairs of hex digits"))?);
                }
            }
            "setup" => {
                level.setup = Some(match value.trim() {
                    "actpass" => Setup::ActPass,
                    "active" => Setup::Active,
                    "passive" => Setup::Passive,
                    _ => return Err(bad("a=setup must be actpass, active or passive")),
                });
            }
            "extmap-allow-mixed" => level.extmap_allow_mixed = true,
            _ => match Direction::read(name) {
                Some(direction) => level.direction = Some(direction),
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    fn read_session(&mut self, name: &str, value: &str) -> Result<(), SdpError> {
        match name {
            "ice-lite" => self.ice_lite = true,
            "group" if self.bundle.is_none() => {
                let mut words = value.split(' ').filter(|word| !word.is_empty());
                if words.next() == Some("BUNDLE") {
                    let mids = words.map(|word| self.mid(word)).collect::<Result<Vec<_>, _>>()?;
                    if mids.len() > MAX_SECTIONS {
                        return Err(SdpError::TooManySections { limit: MAX_SECTIONS });
                    }
                    self.bundle = Some(mids);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn mid(&self, word: &str) -> Result<Mid, SdpError> {
        if is_word(word, MAX_NAME) {
            Ok(Mid(word.to_owned()))
        } else {
            Err(self.bad("a mid has 1 to 16 printable characters without spaces"))
        }
    }

    fn read_section(&mut self, name: &str, value: &str) -> Result<(), SdpError> {
        if name == "mid" {
            let mid = self.mid(value.trim())?;
            if let Some(section) = self.sections.last_mut() {
                section.mid = Some(mid);
            }
            return Ok(());
        }
        let line = self.line;
        let Some(section) = self.sections.last_mut() else { return Ok(()) };
        section.read_attribute(name, value).map_err(|error| error.at(line))
    }

    fn finish(mut self) -> Result<Offer, SdpError> {
        let default_direction = self.session.direction.unwrap_or(Direction::SendRecv);
        let mut sections: Vec<MediaSection> = Vec::with_capacity(self.sections.len());
        for (index, section) in self.sections.into_iter().enumerate() {
            let section = section.finish(index, default_direction)?;
            if sections.iter().any(|earlier| earlier.mid == section.mid) {
                return Err(SdpError::DuplicateMid(section.mid));
            }
            sections.push(section);
        }
        Ok(Offer {
            session_id: self.session_id,
            session_version: self.session_version,
            bundle: self.bundle,
            extmap_allow_mixed: self.session.extmap_allow_mixed,
            ice_lite: self.ice_lite,
            credentials: self.session.credentials(),
            fingerprint: self.session.fingerprint,
            setup: self.session.setup,
            sections,
        })
    }
}

pub(super) fn number<T: std::str::FromStr>(word: Option<&str>) -> Option<T> {
    word?.trim().parse().ok()
}

pub(super) fn is_word(text: &str, max: usize) -> bool {
    !text.is_empty() && text.len() <= max && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_line(text: &str, max: usize) -> bool {
    text.len() <= max && is_printable(text)
}

pub(super) fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

pub(super) fn ice_word(text: &str, length: std::ops::RangeInclusive<usize>) -> Option<String> {
    let text = text.trim();
    // `=`, `-` and `_` are no ice-chars of RFC 8839, yet some clients write plain or URL-safe base64.
    let valid = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'-' | b'_'));
    (valid && length.contains(&text.len())).then(|| text.to_owned())
}

fn fingerprint(digits: &str) -> Option<Fingerprint> {
    let mut bytes = [0; 32];
    let mut pairs = digits.split(':');
    for byte in &mut bytes {
        let pair = pairs.next().filter(|pair| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit()))?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    pairs.next().is_none().then_some(Fingerprint(bytes))
}
