//! Source descriptions and goodbyes (RFC 3550 §6.5, §6.6).

use super::Malformed;
use crate::rtp::bytes::{u8_at, u32_at};

/// The item type of a canonical name.
pub(super) const CNAME: u8 = 1;

/// What is said of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    /// The source.
    pub ssrc: u32,
    /// The item's type: 1 is the canonical name, [`Item::is_cname`].
    pub kind: u8,
    /// Text that is meant to be UTF-8; untrusted.
    pub value: &'a [u8],
}

impl Item<'_> {
    /// Whether it is a canonical name.
    #[must_use]
    pub const fn is_cname(&self) -> bool {
        self.kind == CNAME
    }
}

/// A source description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceDescription<'a> {
    chunks: u8,
    body: &'a [u8],
}

impl<'a> SourceDescription<'a> {
    pub(super) const fn parse(chunks: u8, body: &'a [u8]) -> SourceDescription<'a> {
        SourceDescription { chunks, body }
    }

    /// The items of all sources; ends silently at the first that reaches beyond the packet.
    pub fn items(&self) -> impl Iterator<Item = Item<'a>> + use<'a> {
        Items { body: self.body, at: 0, chunks_left: self.chunks, ssrc: None }
    }
}

struct Items<'a> {
    body: &'a [u8],
    at: usize,
    chunks_left: u8,
    ssrc: Option<u32>,
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        loop {
            let Some(ssrc) = self.ssrc else {
                self.chunks_left = self.chunks_left.checked_sub(1)?;
                self.ssrc = Some(u32_at(self.body, self.at)?);
                self.at += 4;
                continue;
            };
            let kind = u8_at(self.body, self.at)?;
            if kind == 0 {
                // Zeros fill the chunk up to the next multiple of four, at least one of them.
                self.at = (self.at + 1).next_multiple_of(4);
                self.ssrc = None;
                continue;
            }
            let len = usize::from(u8_at(self.body, self.at + 1)?);
            let start = self.at + 2;
            let value = self.body.get(start..start + len)?;
            self.at = start + len;
            return Some(Item { ssrc, kind, value });
        }
    }
}

/// A goodbye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goodbye<'a> {
    sources: &'a [[u8; 4]],
}

impl<'a> Goodbye<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<Goodbye<'a>, Malformed> {
        let sources = body.as_chunks().0.get(..usize::from(count)).ok_or(Malformed::Length)?;
        Ok(Goodbye { sources })
    }

    /// The sources that end.
    pub fn sources(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.sources.iter().copied().map(u32::from_be_bytes)
    }
}
