//! Fragments of a description (RFC 8840 §9), as WHIP and WHEP send them to trickle candidates and to restart ICE:
//! reads whose they are, writes what answers a restart. Knows no HTTP.

use super::answer::Local;
use super::error::SdpError;
use super::parse::{MAX_LINES, PASSWORD_LENGTH, UFRAG_LENGTH, ice_word, is_printable};
use super::write::{Lines, write_candidates};
use crate::session::plan::{IceCredentials, Kind, Mid};

/// What a fragment says that a lite agent needs: of which ICE session it is. Its candidates are passed over, since
/// a peer's address is learnt from its checks (RFC 8445 §7.3.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// Of the whole session, or of its first section that has any: all of a BUNDLE group share them.
    pub credentials: Option<IceCredentials>,
}

impl Fragment {
    /// Reads a fragment. Lines end with CRLF or LF; unknown ones are passed over.
    ///
    /// # Errors
    /// Where it is none, or its credentials are not what RFC 8839 §5.4 allows.
    pub fn parse(text: &str) -> Result<Self, SdpError> {
        let (mut ufrag, mut password) = (None, None);
        let mut any = false;
        for (index, line) in text.lines().map(str::trim_end).enumerate() {
            if index >= MAX_LINES {
                return Err(SdpError::TooManyLines { limit: MAX_LINES });
            }
            let bad = |what| SdpError::BadLine { line: index + 1, what };
            if line.is_empty() {
                continue;
            }
            any = true;
            let is_line = line.as_bytes().get(1) == Some(&b'=') && is_printable(line);
            let (kind, value) = line.split_once('=').filter(|_| is_line).ok_or_else(|| bad("no line of SDP"))?;
            let Some((name, value)) = value.split_once(':').filter(|_| kind == "a") else { continue };
            match name {
                "ice-ufrag" if ufrag.is_none() => {
                    let word = ice_word(value, UFRAG_LENGTH);
                    ufrag = Some(word.ok_or_else(|| bad("a=ice-ufrag needs 4 to 256 ICE characters"))?);
                }
                "ice-pwd" if password.is_none() => {
                    let word = ice_word(value, PASSWORD_LENGTH);
                    password = Some(word.ok_or_else(|| bad("a=ice-pwd needs 22 to 256 ICE characters"))?);
                }
                _ => {}
            }
        }
        match (ufrag, password) {
            _ if !any => Err(SdpError::NotSdp),
            (Some(ufrag), Some(password)) => Ok(Self { credentials: Some(IceCredentials { ufrag, password }) }),
            (None, None) => Ok(Self { credentials: None }),
            _ => Err(SdpError::MissingIce),
        }
    }
}

/// What answers a restart (RFC 9725 §4.3.3): our new credentials and candidates, in the section that carries the
/// transport of the BUNDLE group.
#[must_use]
pub fn restarted(local: &Local, (mid, kind): (&Mid, Kind)) -> String {
    let mut out = Lines::default();
    out.line(format_args!("a=ice-lite"));
    let media = match kind {
        Kind::Audio => "audio",
        Kind::Video => "video",
    };
    // RFC 8840 §9.2: protocol and format are there for the grammar only.
    out.line(format_args!("m={media} 9 RTP/AVP 0"));
    out.line(format_args!("a=mid:{}", mid.0));
    out.line(format_args!("a=ice-ufrag:{}", local.credentials.ufrag));
    out.line(format_args!("a=ice-pwd:{}", local.credentials.password));
    write_candidates(&mut out, local);
    out.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::plan::Fingerprint;

    #[test]
    fn a_fragment_names_its_ice_session() {
        // RFC 9725 §4.3.2, with the credentials at session level.
        let fragment = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n\
                        a=candidate:1 1 UDP 2130706431 192.0.2.1 3478 typ host\r\na=end-of-candidates\r\n";
        let credentials = IceCredentials { ufrag: "EsAw".to_owned(), password: "P2uYro0UCOQ4zxjKXaWCBui1".to_owned() };
        assert_eq!(Fragment::parse(fragment), Ok(Fragment { credentials: Some(credentials.clone()) }));
        let in_sections = "m=audio 9 RTP/AVP 0\na=mid:0\na=ice-ufrag:EsAw\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\n\
                           m=video 9 RTP/AVP 0\na=mid:1\na=ice-ufrag:other\na=ice-pwd:0123456789012345678901\n";
        assert_eq!(Fragment::parse(in_sections), Ok(Fragment { credentials: Some(credentials) }));
        assert_eq!(Fragment::parse("a=mid:0\n"), Ok(Fragment { credentials: None }));
    }

    #[test]
    fn what_is_no_fragment_is_refused() {
        for text in ["", " \r\n", "{\"candidate\": 1}", "a=ice-ufrag:EsAw\n", "a=ice-ufrag:Es w\na=ice-pwd:x\n"] {
            assert!(Fragment::parse(text).is_err(), "{text:?}");
        }
        let short = "a=ice-ufrag:EsAw\na=ice-pwd:tooshort\n";
        assert!(matches!(Fragment::parse(short), Err(SdpError::BadLine { line: 2, .. })));
        assert!(Fragment::parse(&"a=x\n".repeat(MAX_LINES + 1)).is_err());
    }

    #[test]
    fn the_answer_to_a_restart_can_be_read_again() {
        let credentials = IceCredentials { ufrag: "00abcd".to_owned(), password: "0123456789012345678901".to_owned() };
        let local = Local {
            credentials: credentials.clone(),
            fingerprint: Fingerprint([0; 32]),
            candidates: vec!["192.0.2.1:8080".parse().expect("an address")],
            tcp_candidates: Vec::new(),
            cname: "symposia".to_owned(),
            restarts: 0,
        };
        let text = restarted(&local, (&Mid("0".to_owned()), Kind::Audio));
        assert!(text.starts_with("a=ice-lite\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"), "{text}");
        assert!(text.contains("a=candidate:1 1 udp 2130706431 192.0.2.1 8080 typ host network-cost 500\r\n"), "{text}");
        assert!(text.ends_with("a=end-of-candidates\r\n"), "{text}");
        assert_eq!(Fragment::parse(&text), Ok(Fragment { credentials: Some(credentials) }));
    }
}
