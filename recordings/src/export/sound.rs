//! The sound in windows of equal length, each mixed by one run of ffmpeg: silence between packets is filled within a
//! window only, which bounds what that takes. Knows no process.

use super::RATE;
use super::chunks::input;
use super::ffmpeg::BEFORE_INPUT;
use super::material::{Material, Piece};
use std::ops::Range;

/// How long a window is.
const WINDOW_MS: u64 = 30_000;
/// Inputs of one run at most: those who sent most. More would meet the bound on open files.
const VOICES: usize = 64;

/// A time whose sound one run mixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// When it begins, in milliseconds.
    pub from: u64,
    /// When it ends.
    pub to: u64,
    /// Which of [`Material::sounds`] are heard in it, and the bytes of them that are needed.
    pub voices: Vec<(usize, Range<u64>)>,
}

impl Window {
    /// How many samples it has.
    #[must_use]
    pub const fn samples(&self) -> u64 {
        (self.to - self.from) * (RATE as u64 / 1000)
    }
}

/// The windows of a recording, one behind the other; `length_ms` is how long its picture is.
#[must_use]
pub fn windows(material: &Material, length_ms: u64) -> Vec<Window> {
    let starts = (0..length_ms.div_ceil(WINDOW_MS)).map(|i| i * WINDOW_MS);
    let window = |from: u64| {
        let to = (from + WINDOW_MS).min(length_ms);
        let heard = |piece: &Piece| piece.span.from < to && piece.span.to > from;
        let mut voices: Vec<(usize, usize, Range<u64>)> = Vec::new();
        for (i, sound) in material.sounds.iter().enumerate() {
            let Some(first) = sound.pieces.iter().position(heard) else { continue };
            let last = sound.pieces.iter().rposition(heard).unwrap_or(first);
            // A decoder of Opus needs some packets until it sounds right.
            let range = sound.pieces[first.saturating_sub(1)].offset..sound.pieces[last].end;
            voices.push((last - first, i, range));
        }
        voices.sort_by_key(|(pieces, i, _)| (std::cmp::Reverse(*pieces), *i));
        voices.truncate(VOICES);
        let mut voices: Vec<_> = voices.into_iter().map(|(_, i, range)| (i, range)).collect();
        voices.sort_by_key(|(i, _)| *i);
        Window { from, to, voices }
    };
    starts.map(window).collect()
}

/// What ffmpeg is called with, in the recording's folder, to mix a window as 16-bit samples of two channels at `to`.
/// It is made 6 dB too quiet, so that people who speak at once are not cut off; who encodes it makes up for that.
pub(super) fn arguments(window: &Window, material: &Material, to: &str) -> Vec<String> {
    let mut arguments: Vec<String> = Vec::new();
    let mut graph = String::new();
    let mut mixed = String::new();
    for (i, (sound, parts)) in window.voices.iter().enumerate() {
        let sound = &material.sounds[*sound];
        arguments.extend(BEFORE_INPUT.into_iter().chain(["-f", "mov", "-i"]).map(str::to_owned));
        arguments.push(input(&sound.file, sound.head, parts));
        // What is missing between packets becomes silence as soon as it can be heard; what is before the window is
        // left out.
        graph.push_str(&format!(
            "[{i}:a:0]asetpts=PTS-{}/(1000*TB),aresample={RATE}:async=1:min_hard_comp=0.02:first_pts=0,\
             aformat=sample_fmts=fltp:channel_layouts=stereo[v{i}];",
            window.from
        ));
        mixed.push_str(&format!("[v{i}]"));
    }
    let voices = window.voices.len();
    let samples = window.samples();
    graph.push_str(&format!(
        "{mixed}amix=inputs={voices}:normalize=0:duration=longest,volume=0.5,apad,atrim=end_sample={samples}[out]"
    ));
    let rate = RATE.to_string();
    let options = [
        ["-filter_complex", &graph],
        ["-map", "[out]"],
        ["-c:a", "pcm_s16le"],
        ["-ar", &rate],
        ["-ac", "2"],
        ["-f", "s16le"],
    ];
    arguments.extend(options.iter().flatten().map(|option| (*option).to_owned()));
    arguments.push(to.to_owned());
    arguments
}
