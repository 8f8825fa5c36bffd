//! Going back in a live stream: a playlist of all whole segments, those on the disk and those in memory. It is another one
//! than that of viewers at the end, who would load thousands of lines for nothing. Knows no HTTP.

use super::archive::{Archive, Entry};
use super::live::View;
use super::playlist;
use super::stream::Kind;
use bytes::Bytes;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// What a text was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Made {
    /// Its first segment, the first of it that was in memory, and the one after its last.
    first: u64,
    in_memory: u64,
    next: u64,
    ended: bool,
    /// How often the disk had something new: what was a gap is there now.
    changes: u64,
}

#[derive(Debug)]
pub(super) struct Back {
    archive: Archive,
    /// The last whole text of each rendition: thousands of lines are written once for all.
    texts: [Mutex<Option<(Made, Bytes)>>; 2],
}

impl Back {
    pub(super) fn new(archive: Archive) -> Self {
        Self { archive, texts: Default::default() }
    }

    /// Keeps the segments of a view that have ended, from the next one on.
    pub(super) fn keep(&self, kind: Kind, view: &View, next: &mut u64) {
        let ended = view.segments.iter().filter(|segment| segment.closed && segment.msn >= *next);
        let mut after = *next;
        for segment in ended {
            let head = view.heads.iter().find(|(number, _)| *number == segment.head);
            self.archive.keep(kind, segment, head.map(|(_, bytes)| bytes));
            after = segment.msn + 1;
        }
        *next = after;
    }

    /// The playlist, or what is new in it.
    pub(super) fn playlist(&self, kind: Kind, view: &View, target: u64, skip: bool) -> Bytes {
        let in_memory = view.segments.first().map_or(view.next.0, |first| first.msn);
        let (changes, mut entries) = self.archive.entries_before(kind, in_memory);
        let closed = view.segments.iter().filter(|segment| segment.closed);
        entries.extend(closed.map(|segment| Entry { len: Some(segment.len() as u64), ..Entry::of(segment) }));
        if skip && let Some(text) = playlist::rewind(&entries, kind.name(), target, (true, view.ended)) {
            return text.into();
        }
        let first = entries.first().map_or(0, |first| first.msn);
        let made = Made { first, in_memory, next: view.next.0, ended: view.ended, changes };
        let mut text = self.texts[kind as usize].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, text)) = text.as_ref().filter(|(of, _)| *of == made) {
            return text.clone();
        }
        let whole = playlist::rewind(&entries, kind.name(), target, (false, view.ended)).unwrap_or_default();
        text.insert((made, whole.into())).1.clone()
    }

    /// Where a segment lies that is no longer in memory, and its bytes.
    pub(super) fn find(&self, kind: Kind, msn: u64) -> Option<(PathBuf, u64)> {
        self.archive.find(kind, msn)
    }

    pub(super) fn head(&self, kind: Kind, number: u32) -> Option<Bytes> {
        self.archive.head(kind, number)
    }
}
