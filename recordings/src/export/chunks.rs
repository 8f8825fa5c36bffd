//! The picture in chunks, each made by one run of ffmpeg: what it reads, from where, and how it puts that together. A run
//! reads the tiles that are seen and nothing else, from the key frame on that it needs. Knows no process.

use super::ffmpeg::{BEFORE_INPUT, Ffmpeg};
use super::labels;
use super::material::{Material, Picture, Piece};
use super::scenes::{Scene, Shows};
use super::{Canvas, Tile};
use std::ops::Range;

/// A scene is made in chunks of about this, so that progress is seen, a retry costs little, and a child that outlives
/// the server ends soon.
const USUAL_MS: u64 = 30_000;
/// Where key frames are rare, each cut makes what came since the last one be decoded again: a chunk may grow to this.
const LONGEST_MS: u64 = 600_000;
/// What may be decoded again without a thought.
const CHEAP_MS: u64 = 6_000;

/// Pictures that one run makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Its first picture.
    pub from: u64,
    /// The first picture that is not in it.
    pub to: u64,
    /// What is on it.
    pub tiles: Vec<Tile>,
}

impl Chunk {
    /// How many pictures.
    #[must_use]
    pub const fn frames(&self) -> u64 {
        self.to - self.from
    }
}

/// Cuts scenes into chunks.
#[must_use]
pub fn chunks(scenes: &[Scene], material: &Material, canvas: &Canvas) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    for scene in scenes {
        let mut from = scene.from;
        while from < scene.to {
            let to = next_cut(scene, from, material, canvas);
            chunks.push(Chunk { from, to, tiles: scene.tiles.clone() });
            from = to;
        }
    }
    chunks
}

fn next_cut(scene: &Scene, from: u64, material: &Material, canvas: &Canvas) -> u64 {
    let usual = canvas.frames(USUAL_MS);
    let mut to = from + usual;
    // No crumbs: what is left over would be shorter than half of one.
    while to + usual / 2 < scene.to {
        let again = again_ms(&scene.tiles, material, canvas.ms(to));
        if again <= CHEAP_MS || to - from >= canvas.frames(LONGEST_MS) {
            return to;
        }
        to += usual;
    }
    scene.to
}

/// How much would have to be decoded again for a chunk that begins here.
fn again_ms(tiles: &[Tile], material: &Material, at: u64) -> u64 {
    let again = |tile: &Tile| match tile.shows {
        Shows::Picture { picture, .. } => {
            let begun = begun(&material.pictures[picture].pieces, at);
            begun.iter().rev().find(|piece| piece.key).map(|piece| at.saturating_sub(piece.span.from))
        }
        _ => None,
    };
    tiles.iter().filter_map(again).max().unwrap_or(0)
}

/// The parts that have begun until a time.
fn begun(pieces: &[Piece], at: u64) -> &[Piece] {
    &pieces[..pieces.partition_point(|piece| piece.span.from <= at)]
}

/// The bytes of a picture's file that are needed to see it from a time on until another; `None` where there is nothing.
fn needed(picture: &Picture, from: u64, to: u64) -> Option<Range<u64>> {
    let pieces = &picture.pieces;
    let span = picture.seen.iter().rev().find(|span| span.from < to)?;
    let first = pieces.partition_point(|piece| piece.span.from < span.from).min(pieces.len().checked_sub(1)?);
    let last = begun(pieces, to - 1).len().checked_sub(1)?;
    let now = begun(pieces, from).len().saturating_sub(1).max(first);
    // Where it was gone, what was there before must not flash up; but a publisher may go on without a key frame.
    let key = (first..=now).rev().chain((0..first).rev()).find(|i| pieces[*i].key);
    let start = key.or_else(|| pieces.iter().position(|piece| piece.key))?;
    (start <= last).then(|| pieces[start].offset..pieces[last].end)
}

/// A file's head and some of its parts as one input of ffmpeg. Names of our files need no escape.
pub(super) fn input(file: &str, head: u64, parts: &Range<u64>) -> String {
    let (start, end) = (parts.start, parts.end);
    format!("concat:subfile,,start,0,end,{head},,:{file}|subfile,,start,{start},end,{end},,:{file}")
}

/// A picture as an input from a time on until another.
fn input_of(picture: &Picture, start: u64, end: u64) -> Option<Vec<String>> {
    let parts = needed(picture, start, end)?;
    let format = if picture.file.ends_with(".webm") { "matroska" } else { "mov" };
    // One thread: more would each hold pictures of their own, for each tile. Frames of other sizes go through the same
    // graph, whose clock would begin anew otherwise.
    let before = BEFORE_INPUT.into_iter().chain(["-reinit_filter", "0", "-f", format, "-i"]);
    let mut arguments: Vec<String> = before.map(str::to_owned).collect();
    arguments.push(input(&picture.file, picture.head, &parts));
    Some(arguments)
}

/// What ffmpeg is called with to see whether anything can be seen of a tile in a chunk, where that shows a picture.
pub(super) fn probe(chunk: &Chunk, tile: &Tile, material: &Material, canvas: &Canvas) -> Option<Vec<String>> {
    let Shows::Picture { picture, .. } = tile.shows else { return None };
    let mut arguments = input_of(&material.pictures[picture], canvas.ms(chunk.from), canvas.ms(chunk.to))?;
    arguments.extend(["-map", "0:v:0", "-frames:v", "1", "-f", "null", "-"].map(str::to_owned));
    Some(arguments)
}

/// What ffmpeg is called with, in the recording's folder, to make a chunk as H.264 with start codes at `to`. `names` is
/// the file with its labels, where there are any.
pub(super) fn arguments(
    ffmpeg: &Ffmpeg,
    chunk: &Chunk,
    material: &Material,
    canvas: &Canvas,
    names: Option<&str>,
    to: &str,
) -> Vec<String> {
    let (start, end) = (canvas.ms(chunk.from), canvas.ms(chunk.to));
    let Canvas { width, height, fps, .. } = *canvas;
    let mut arguments: Vec<String> = Vec::new();
    let mut graph = format!("color=c=0x{}:s={width}x{height}:r={fps},format=yuv420p", labels::BACKGROUND);
    for tile in &chunk.tiles {
        let Tile { place, .. } = tile;
        let colour = match tile.shows {
            Shows::Person(number) => labels::colour(number),
            Shows::Picture { .. } | Shows::Rest(_) => labels::EMPTY,
        };
        let (x, y, w, h) = (place.x, place.y, place.width, place.height);
        graph.push_str(&format!(",drawbox=x={x}:y={y}:w={w}:h={h}:color=0x{colour}:t=fill"));
    }
    let mut inputs = 0;
    for tile in &chunk.tiles {
        let Shows::Picture { picture, fit } = tile.shows else { continue };
        let picture = &material.pictures[picture];
        let Some(input) = input_of(picture, start, end) else { continue };
        arguments.extend(input);
        let quality = if picture.screen { "bicubic" } else { "bilinear" };
        let (x, y, w, h) = (fit.x, fit.y, fit.width, fit.height);
        // Its own times count from the recording's beginning. What is before the chunk is shown as its first picture
        // where nothing newer is there: overlay takes the last one that is not later, and keeps it at the end.
        graph.push_str(&format!(
            "[b{inputs}];[{inputs}:v:0]setpts=PTS-{start}/(1000*TB),scale={w}:{h}:flags={quality},setsar=1,\
             format=yuv420p[t{inputs}];[b{inputs}][t{inputs}]overlay={x}:{y}:eof_action=repeat"
        ));
        inputs += 1;
    }
    if let Some(names) = names {
        graph.push_str(&format!(",ass=f={names}"));
    }
    graph.push_str(",format=yuv420p[out]");
    let threads = ffmpeg.threads.to_string();
    let (frames, group) = (chunk.frames().to_string(), (fps * 4).to_string());
    // Most of what browsers send is BT.601; to convert it would double the cost, to say so costs nothing. No B-frames:
    // a stream without a container has no other times than its order.
    let options = [
        ["-filter_complex", &graph],
        ["-map", "[out]"],
        ["-frames:v", &frames],
        ["-c:v", "libx264"],
        ["-preset", "veryfast"],
        ["-profile:v", "high"],
        ["-crf", "23"],
        ["-maxrate", "5M"],
        ["-bufsize", "10M"],
        ["-bf", "0"],
        ["-g", &group],
        ["-threads", &threads],
        ["-color_primaries", "smpte170m"],
        ["-color_trc", "smpte170m"],
        ["-colorspace", "smpte170m"],
        ["-color_range", "tv"],
        ["-f", "h264"],
    ];
    arguments.extend(options.iter().flatten().map(|option| (*option).to_owned()));
    arguments.push(to.to_owned());
    arguments
}
