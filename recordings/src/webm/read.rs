//! Reads our WebM as far as it is whole. Takes no more memory than one cluster; trusts nothing.

use super::ebml::{element, head, id, number};
use crate::checksum::Checksum;
use crate::frame::Codec;
use crate::scan::{Entry, Scan};
use std::io::{Read, Result, Seek, SeekFrom};

/// The longest element that we look at.
const LONGEST: u64 = 64 << 20;
/// The longest head of an element.
const LONGEST_HEAD: usize = 12;

/// Reads a file from its start; clusters count whose checksum is right.
///
/// # Errors
/// When it can't be read; what stands in it is never an error.
pub fn scan(file: &mut (impl Read + Seek)) -> Result<Scan> {
    scan_on(file, Scan::default())
}

/// Goes on behind what was found before in the same file.
///
/// # Errors
/// As [`scan`].
pub fn scan_on(file: &mut (impl Read + Seek), mut found: Scan) -> Result<Scan> {
    let mut init = std::mem::take(&mut found.init);
    let mut at = found.whole;
    let mut has_tracks = !init.is_empty();
    loop {
        file.seek(SeekFrom::Start(at))?;
        let mut start = Vec::with_capacity(LONGEST_HEAD);
        file.take(LONGEST_HEAD as u64).read_to_end(&mut start)?;
        let Some((kind, len, head_len)) = head(&start) else { break };
        let Some(len) = len else {
            if kind != id::SEGMENT || has_tracks {
                break;
            }
            init.extend_from_slice(&start[..head_len]);
            at += head_len as u64;
            continue;
        };
        if len > LONGEST {
            break;
        }
        file.seek(SeekFrom::Start(at))?;
        let whole = head_len as u64 + len;
        let mut bytes = Vec::new();
        file.take(whole).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != whole {
            break;
        }
        if kind == id::CLUSTER {
            let Some(entry) = has_tracks.then(|| cluster(&bytes[head_len..])).flatten() else { break };
            found.parts.push(Entry { offset: at, len: whole, ..entry });
        } else if found.parts.is_empty() && !has_tracks {
            init.extend_from_slice(&bytes);
            has_tracks = kind == id::TRACKS;
        } else {
            break;
        }
        at += whole;
        if has_tracks {
            found.whole = at;
        }
    }
    if has_tracks {
        found.init = init;
    }
    Ok(found)
}

/// What a cluster's content says.
fn cluster(content: &[u8]) -> Option<Entry> {
    let (kind, sum, mut rest) = element(content)?;
    if kind != id::CRC_32 || sum != Checksum::of(rest).to_le_bytes() {
        return None;
    }
    let (mut start, mut end, mut independent, mut frames) = (None, 0, false, 0);
    while !rest.is_empty() {
        let (kind, content, after) = element(rest)?;
        rest = after;
        match kind {
            id::TIMESTAMP => start = Some(number(content)?),
            id::SIMPLE_BLOCK => {
                independent |= frames == 0 && content.get(3)? & 0x80 != 0;
                frames += 1;
            }
            id::BLOCK_GROUP => {
                let (lasts, key) = group(content)?;
                independent |= frames == 0 && key;
                frames += 1;
                end = lasts;
            }
            _ => {}
        }
    }
    let per_ms = u64::from(Codec::Vp8.rate()) / 1000;
    let time = start?.checked_mul(per_ms)?;
    let duration = end.checked_mul(per_ms)?;
    time.checked_add(duration)?;
    (frames > 0).then_some(Entry { offset: 0, len: 0, time, duration, independent, frames })
}

/// When a block ends within its cluster, in milliseconds, and whether it refers to no other.
fn group(mut rest: &[u8]) -> Option<(u64, bool)> {
    let (mut relative, mut lasts, mut key) = (None, 0, true);
    while !rest.is_empty() {
        let (kind, content, after) = element(rest)?;
        rest = after;
        match kind {
            id::BLOCK => {
                let time = i16::from_be_bytes([*content.get(1)?, *content.get(2)?]);
                relative = Some(u64::try_from(time).ok()?);
            }
            id::BLOCK_DURATION => lasts = number(content)?,
            id::REFERENCE_BLOCK => key = false,
            _ => {}
        }
    }
    Some((relative?.checked_add(lasts)?, key))
}
