//! Lines that are only ever appended, each with its checksum, so that what a cut left of the last one is told from a
//! whole one: `crc32 in 8 hex digits`, a space, JSON, a line feed. The checksum says whether a line is whole, also where
//! the cut took only its line feed: who appends ends that line first, and would make it whole then. Knows no records.

use crate::checksum::Checksum;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The two journals of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Journal {
    /// What there is.
    Manifest,
    /// What happened.
    Timeline,
}

impl Journal {
    /// Its file in the recording's folder.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Journal::Manifest => "manifest.jsonl",
            Journal::Timeline => "timeline.jsonl",
        }
    }
}

/// A line with its checksum.
pub(crate) fn line(record: &impl Serialize) -> Vec<u8> {
    // Our records have no maps with other keys than texts: nothing that JSON can't say.
    let json = serde_json::to_string(record).unwrap_or_default();
    format!("{:08x} {json}\n", Checksum::of(json.as_bytes())).into_bytes()
}

/// The records of a journal in their order, without what is not whole or not known.
pub(crate) fn read<T: DeserializeOwned>(journal: &[u8]) -> Vec<T> {
    journal.split_inclusive(|byte| *byte == b'\n').filter_map(record).collect()
}

fn record<T: DeserializeOwned>(line: &[u8]) -> Option<T> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let (sum, json) = line.split_at_checked(9)?;
    let sum = sum.strip_suffix(b" ")?;
    let written = u32::from_str_radix(std::str::from_utf8(sum).ok()?, 16).ok()?;
    (written == Checksum::of(json)).then(|| serde_json::from_slice(json).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_whole_is_passed_over() {
        let mut journal = line(&"one");
        assert_eq!(journal, b"91c55400 \"one\"\n");
        journal.extend(b"00000000 \"wrong\"\n\n zeros: \0\0\0\n");
        journal.extend(line(&"two"));
        let last = line(&"three");
        journal.extend(&last[..last.len() - 1]);
        assert_eq!(read::<String>(&journal), ["one", "two", "three"]);
        journal.pop();
        assert_eq!(read::<String>(&journal), ["one", "two"]);
    }
}
