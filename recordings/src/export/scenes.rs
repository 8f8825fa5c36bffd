//! Who is seen when, and where: the recording in scenes, in each of which nobody comes, goes or moves. Decided by what is
//! there, never by what would be easy for ffmpeg. Knows no file and no program.

use super::layout::{self, Rect};
use super::material::{Material, Person, Picture};
use super::speakers::speakers;
use super::{Canvas, Layout};

/// What happens closer together than this is shown at once: nobody could follow it.
const TOGETHER_MS: u64 = 200;

/// A time in which nothing changes but what cameras and screens show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scene {
    /// Its first picture.
    pub from: u64,
    /// The first picture that is not in it.
    pub to: u64,
    /// What is on the picture. Nobody in a gap.
    pub tiles: Vec<Tile>,
}

/// Somebody on the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Where.
    pub place: Rect,
    /// What they are called; empty where that is not to be said.
    pub name: String,
    /// What stands there.
    pub shows: Shows,
}

/// What stands in a tile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shows {
    /// A camera or a screen.
    Picture {
        /// Which of [`Material::pictures`].
        picture: usize,
        /// Where in the tile, so that it keeps its shape.
        fit: Rect,
    },
    /// The person without a picture; their number gives them a colour.
    Person(u32),
    /// So many more.
    Rest(usize),
}

/// The scenes of a recording, one behind the other, from its first picture to its last.
#[must_use]
pub fn scenes(material: &Material, layout: Layout, canvas: &Canvas) -> Vec<Scene> {
    let speakers = speakers(&material.speaking, material.duration_ms);
    let end = canvas.frames(material.duration_ms);
    let starts = changes(material, &speakers, canvas);
    let mut scenes: Vec<Scene> = Vec::new();
    for (i, from) in starts.iter().enumerate() {
        let to = starts.get(i + 1).copied().unwrap_or(end);
        if *from >= to {
            continue;
        }
        // What happened together is over at the end of the scene.
        let at = canvas.ms(to).saturating_sub(1);
        let speaker = speakers.iter().rev().find(|(since, _)| *since <= at).map(|(_, speaker)| *speaker);
        let tiles = tiles(material, layout, canvas, at, speaker);
        match scenes.last_mut() {
            Some(last) if last.tiles == tiles => last.to = to,
            _ => scenes.push(Scene { from: *from, to, tiles }),
        }
    }
    scenes
}

/// The pictures with which something may change.
fn changes(material: &Material, speakers: &[(u64, u32)], canvas: &Canvas) -> Vec<u64> {
    let pictures = material.pictures.iter().flat_map(|picture| {
        picture.seen.iter().flat_map(|span| [span.from, span.to]).chain(picture.sizes.iter().map(|(at, ..)| *at))
    });
    let people = material.people.iter().flat_map(|person| {
        person.there.iter().flat_map(|span| [span.from, span.to]).chain(person.names.iter().map(|(at, _)| *at))
    });
    let gaps = material.gaps.iter().flat_map(|gap| [gap.from, gap.to]);
    let mut times: Vec<u64> = pictures.chain(people).chain(gaps).chain(speakers.iter().map(|(at, _)| *at)).collect();
    times.sort_unstable();
    let mut kept = vec![0];
    for at in times {
        let last = kept.last().copied().unwrap_or(0);
        if at >= last + TOGETHER_MS && at.saturating_add(TOGETHER_MS) <= material.duration_ms {
            kept.push(at);
        }
    }
    kept.into_iter().map(|at| canvas.frames(at)).collect()
}

/// Somebody who is there, with what they show.
struct Candidate<'a> {
    person: &'a Person,
    camera: Option<usize>,
}

fn tiles(material: &Material, layout: Layout, canvas: &Canvas, at: u64, speaker: Option<u32>) -> Vec<Tile> {
    if material.in_gap(at) {
        return Vec::new();
    }
    let shown = |is: &dyn Fn(&Picture) -> bool| {
        material.pictures.iter().enumerate().rev().find(|(_, picture)| picture.is_seen(at) && is(picture))
    };
    let mut people: Vec<Candidate<'_>> = material
        .people
        .iter()
        .filter(|person| person.is_there(at))
        .map(|person| {
            let is = |picture: &Picture| !picture.screen && picture.participant == person.participant;
            Candidate { person, camera: shown(&is).map(|(index, _)| index) }
        })
        .collect();
    let screen = shown(&|picture| picture.screen);
    let is_speaker = |candidate: &Candidate<'_>| Some(candidate.person.participant) == speaker;
    let large = if let Some((index, picture)) = screen {
        let whose = material.people.iter().find(|person| person.participant == picture.participant);
        Some((whose.map_or("", |person| person.name(at)).to_owned(), Content::Picture(index)))
    } else if layout == Layout::Speaker && !people.is_empty() {
        let with_camera = || people.iter().position(|candidate| candidate.camera.is_some());
        let first = people.iter().position(is_speaker).or_else(with_camera).unwrap_or(0);
        let candidate = people.remove(first);
        Some((candidate.person.name(at).to_owned(), candidate.content()))
    } else {
        None
    };
    let room = if large.is_some() { layout::BESIDE.min(canvas.tiles) } else { canvas.tiles };
    let (people, rest) = choose(people, room, is_speaker);
    let mut contents: Vec<(String, Content)> = people
        .iter()
        .map(|candidate| (candidate.person.name(at).to_owned(), candidate.content()))
        .chain((rest > 0).then_some((String::new(), Content::Rest(rest))))
        .collect();
    let places = match large {
        Some(large) => {
            contents.insert(0, large);
            layout::large(canvas, contents.len() - 1)
        }
        None if contents.is_empty() => Vec::new(),
        None => layout::grid(canvas, contents.len()),
    };
    let tile = |(place, (name, content)): (Rect, (String, Content))| Tile {
        place,
        name,
        shows: match content {
            Content::Picture(picture) => {
                let (width, height) = material.pictures[picture].size(at);
                Shows::Picture { picture, fit: place.fit(width, height) }
            }
            Content::Person(number) => Shows::Person(number),
            Content::Rest(rest) => Shows::Rest(rest),
        },
    };
    places.into_iter().zip(contents).map(tile).collect()
}

enum Content {
    Picture(usize),
    Person(u32),
    Rest(usize),
}

impl Candidate<'_> {
    fn content(&self) -> Content {
        self.camera.map_or(Content::Person(self.person.participant), Content::Picture)
    }
}

/// Who is seen where not all have room, and how many are not: the speaker, then those with a camera, in the order in
/// which they came, so that few move when one comes or goes.
fn choose<'a>(
    people: Vec<Candidate<'a>>,
    room: usize,
    is_speaker: impl Fn(&Candidate<'a>) -> bool,
) -> (Vec<Candidate<'a>>, usize) {
    if people.len() <= room {
        return (people, 0);
    }
    let count = people.len();
    let mut ranked: Vec<(usize, Candidate<'a>)> = people.into_iter().enumerate().collect();
    ranked.sort_by_key(|(i, candidate)| (!is_speaker(candidate), candidate.camera.is_none(), *i));
    ranked.truncate(room.saturating_sub(1));
    ranked.sort_by_key(|(i, _)| *i);
    let chosen: Vec<Candidate<'a>> = ranked.into_iter().map(|(_, candidate)| candidate).collect();
    let rest = count - chosen.len();
    (chosen, rest)
}
