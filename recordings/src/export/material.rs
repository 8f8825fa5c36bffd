//! What there is to be seen and heard, and when: manifest, timeline and scans brought together. A camera that sends
//! nothing for some seconds is off; a screen that nobody touches sends nothing, too, and stays until it is taken away.
//! Knows no layout.

use crate::frame::Codec;
use crate::manifest::{File, Manifest};
use crate::scan::Scan;
use crate::timeline::{Entry, Event};
use std::collections::HashMap;

/// How long a camera may send nothing and still be on.
const CAMERA_PATIENCE_MS: u64 = 5_000;
/// What is longer is no recording: somebody has changed its manifest.
pub(super) const LONGEST_MS: u64 = 7 * 24 * 3_600_000;
/// Where an event says that a source is off, its last pictures may have come a little later.
const LATE_MS: u64 = 500;

/// From when on, and until when, in milliseconds since the recording began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first millisecond.
    pub from: u64,
    /// The first one that is not in it.
    pub to: u64,
}

impl Span {
    /// Whether a time is in it.
    #[must_use]
    pub const fn holds(&self, ms: u64) -> bool {
        self.from <= ms && ms < self.to
    }
}

/// A part of a file, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// When it is to be seen or heard.
    pub span: Span,
    /// Where it begins in its file.
    pub offset: u64,
    /// Where it ends in its file.
    pub end: u64,
    /// Whether one can begin to decode with it.
    pub key: bool,
}

/// A file with pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Whose.
    pub participant: u32,
    /// A screen rather than a camera.
    pub screen: bool,
    /// Its file, relative to the recording's folder.
    pub file: String,
    /// The length of what it begins with.
    pub head: u64,
    /// Its parts.
    pub pieces: Vec<Piece>,
    /// When it is to be seen.
    pub seen: Vec<Span>,
    /// Width and height of its pictures, and from when on.
    pub sizes: Vec<(u64, u32, u32)>,
}

/// A file with sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound {
    /// Its file, relative to the recording's folder.
    pub file: String,
    /// The length of what it begins with.
    pub head: u64,
    /// Its parts.
    pub pieces: Vec<Piece>,
}

/// Somebody who was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their number in manifest and timeline.
    pub participant: u32,
    /// What they were called, and from when on.
    pub names: Vec<(u64, String)>,
    /// When they were there.
    pub there: Vec<Span>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Material {
    /// How long the recording is; a week at most.
    pub duration_ms: u64,
    /// In the order in which they came.
    pub people: Vec<Person>,
    /// In the order in which they began.
    pub pictures: Vec<Picture>,
    /// In the order in which they began.
    pub sounds: Vec<Sound>,
    /// When nothing was kept.
    pub gaps: Vec<Span>,
    /// Who spoke from then on, the loudest first.
    pub speaking: Vec<(u64, Vec<u32>)>,
}

impl Material {
    /// Of a recording that has ended. `scans` has what was found in its files by their number; a file that is not in it
    /// is left out. `place` says where a file lies, relative to the recording's folder.
    #[must_use]
    pub fn of(
        manifest: &Manifest,
        timeline: &[Entry],
        scans: &HashMap<u32, Scan>,
        place: impl Fn(&File) -> String,
    ) -> Self {
        let duration_ms = manifest.duration_ms().min(LONGEST_MS);
        let mut material = Self { duration_ms, ..Self::default() };
        material.gaps = manifest.gaps.iter().map(|gap| Span { from: gap.from_ms, to: gap.to_ms }).collect();
        for file in &manifest.files {
            let track = manifest.tracks.iter().find(|track| track.track == file.track);
            let (Some(track), Some(scan)) = (track, scans.get(&file.file)) else { continue };
            let (head, pieces) = (scan.init.len() as u64, pieces(file.codec, scan));
            if pieces.is_empty() {
                continue;
            }
            if file.codec.is_audio() {
                material.sounds.push(Sound { file: place(file), head, pieces });
                continue;
            }
            let screen = track.source == "screen";
            let ends = ends(timeline, track.participant, &track.source);
            let seen = seen(&pieces, screen, &ends, &material);
            let of_file = manifest.sizes.iter().filter(|size| size.file == file.file);
            let sizes = of_file.map(|size| (size.at_ms, size.width.into(), size.height.into())).collect();
            let participant = track.participant;
            material.pictures.push(Picture { participant, screen, file: place(file), head, pieces, seen, sizes });
        }
        material.people = people(manifest, timeline, &material.pictures);
        let speaking = timeline.iter().filter_map(|entry| match &entry.event {
            Event::Speaking { participants } => Some((entry.at_ms, participants.clone())),
            _ => None,
        });
        material.speaking = speaking.collect();
        material
    }

    /// Whether nothing was kept then.
    #[must_use]
    pub fn in_gap(&self, ms: u64) -> bool {
        self.gaps.iter().any(|gap| gap.holds(ms))
    }
}

impl Person {
    /// What they are called then.
    #[must_use]
    pub fn name(&self, ms: u64) -> &str {
        let known = self.names.iter().rev().find(|(at, _)| *at <= ms).or(self.names.first());
        known.map_or("", |(_, name)| name)
    }

    /// Whether they are there then.
    #[must_use]
    pub fn is_there(&self, ms: u64) -> bool {
        self.there.iter().any(|span| span.holds(ms))
    }
}

impl Picture {
    /// Whether it is to be seen then.
    #[must_use]
    pub fn is_seen(&self, ms: u64) -> bool {
        self.seen.iter().any(|span| span.holds(ms))
    }

    /// How large its pictures are then.
    #[must_use]
    pub fn size(&self, ms: u64) -> (u32, u32) {
        let known = self.sizes.iter().rev().find(|(at, ..)| *at <= ms).or(self.sizes.first());
        known.map_or((16, 9), |(_, width, height)| ((*width).max(1), (*height).max(1)))
    }
}

fn pieces(codec: Codec, scan: &Scan) -> Vec<Piece> {
    let piece = |part: &crate::scan::Entry| Piece {
        span: Span { from: codec.ms(part.time), to: codec.ms(part.time.saturating_add(part.duration)) },
        offset: part.offset,
        end: part.offset.saturating_add(part.len),
        key: part.independent,
    };
    scan.parts.iter().map(piece).collect()
}

/// When a source is said to be taken away.
fn ends(timeline: &[Entry], of: u32, which: &str) -> Vec<u64> {
    let is_end = |entry: &&Entry| match &entry.event {
        Event::Source { participant, source, on } => *participant == of && source == which && !on,
        Event::Left { participant } => *participant == of,
        _ => false,
    };
    timeline.iter().filter(is_end).map(|entry| entry.at_ms).collect()
}

fn seen(pieces: &[Piece], screen: bool, ends: &[u64], material: &Material) -> Vec<Span> {
    let parted = |from: u64, to: u64| {
        let pause = material.gaps.iter().any(|gap| gap.from < to && from < gap.to);
        pause || ends.iter().any(|end| (from.saturating_sub(LATE_MS)..to).contains(end))
    };
    let mut seen: Vec<Span> = Vec::new();
    for piece in pieces {
        match seen.last_mut() {
            Some(last) if piece.span.from <= last.to => last.to = last.to.max(piece.span.to),
            Some(last)
                if !parted(last.to, piece.span.from) && (screen || piece.span.from - last.to <= CAMERA_PATIENCE_MS) =>
            {
                last.to = piece.span.to;
            }
            _ => seen.push(piece.span),
        }
    }
    if screen && !ends.is_empty() {
        // Nobody touched it after its last picture: it stood until it was taken away.
        let starts: Vec<u64> = seen.iter().map(|span| span.from).collect();
        for (i, span) in seen.iter_mut().enumerate() {
            if ends.iter().any(|end| (span.to.saturating_sub(LATE_MS)..=span.to).contains(end)) {
                continue;
            }
            let stops = ends.iter().chain(starts.get(i + 1)).chain(material.gaps.iter().map(|gap| &gap.from));
            let stop = stops.copied().filter(|stop| *stop >= span.to).min().unwrap_or(material.duration_ms);
            span.to = stop.min(material.duration_ms).max(span.to);
        }
    }
    seen
}

fn people(manifest: &Manifest, timeline: &[Entry], pictures: &[Picture]) -> Vec<Person> {
    let mut people: Vec<Person> = Vec::new();
    let mut of = |participant: u32, at: u64, name: Option<&str>| -> usize {
        let found = people.iter().position(|person| person.participant == participant);
        let index = found.unwrap_or_else(|| {
            people.push(Person { participant, names: Vec::new(), there: Vec::new() });
            people.len() - 1
        });
        let names = &mut people[index].names;
        if let Some(name) = name.filter(|name| names.last().is_none_or(|(_, last)| last != name)) {
            names.push((at, name.to_owned()));
        }
        index
    };
    let mut open: HashMap<usize, u64> = HashMap::new();
    let mut spans: Vec<(usize, Span)> = Vec::new();
    for Entry { at_ms, event } in timeline {
        match event {
            Event::Joined { participant, name } => {
                open.entry(of(*participant, *at_ms, Some(name))).or_insert(*at_ms);
            }
            Event::Renamed { participant, name } => {
                of(*participant, *at_ms, Some(name));
            }
            Event::Left { participant } => {
                let index = of(*participant, *at_ms, None);
                spans.extend(open.remove(&index).map(|from| (index, Span { from, to: *at_ms })));
            }
            _ => {}
        }
    }
    // A timeline may be missing, or not know somebody: who sent was there.
    for track in &manifest.tracks {
        let known = timeline.iter().any(
            |entry| matches!(&entry.event, Event::Joined { participant, .. } if *participant == track.participant),
        );
        let index = of(track.participant, track.at_ms, (!known).then_some(track.name.as_str()));
        let files = manifest.files.iter().filter(|file| file.track == track.track);
        let last = files.filter_map(|file| manifest.closed(file.file)).map(|closed| closed.end_ms).max();
        spans.extend(last.filter(|_| !known).map(|to| (index, Span { from: track.at_ms, to })));
    }
    for picture in pictures {
        let index = of(picture.participant, 0, None);
        spans.extend(picture.seen.iter().map(|span| (index, *span)));
    }
    let end = manifest.duration_ms().min(LONGEST_MS);
    spans.extend(open.into_iter().map(|(index, from)| (index, Span { from, to: end })));
    for (index, span) in spans {
        people[index].there.push(span);
    }
    people.iter_mut().for_each(|person| person.there.sort_by_key(|span| span.from));
    people.retain(|person| !person.there.is_empty());
    people.sort_by_key(|person| (person.there.first().map_or(0, |span| span.from), person.participant));
    people
}
