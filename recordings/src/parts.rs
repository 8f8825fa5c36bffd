//! Frames become parts: short, without gaps inside, a key frame only at the start. Knows no container and no clock.

use crate::codec::{Config, opus};
use crate::frame::{Codec, Frame, Part, Sample};

/// No part is longer, but for one whose last picture stood.
pub const LONGEST_MS: u64 = 500;
/// How long a picture may stand before it counts as a gap that nothing came.
const STILL_MS: u64 = 2_000;
/// What a picture lasts of which nobody knows yet: it was written before the next came.
const USUAL_MS: u64 = 33;
/// How long the last picture is held back at most, for the next one to tell how long it lasts: of a screen on which nothing
/// moves, browsers send one each second. Behind a hole they decode nothing until the next key frame.
const HELD_MS: u64 = 1_200;
/// What packets of sound may be apart, or overlap, and still follow each other: clocks are corrected in small steps.
const JOINED_MS: u64 = 10;

/// Cuts the frames of one track into parts.
#[derive(Debug)]
pub struct Cutter {
    codec: Codec,
    /// How long a frame of AAC is, in ticks: it does not say itself.
    frame: u64,
    longest_ms: u64,
    open: Vec<Frame>,
    /// How long the picture before the last lasted, or the last packet of sound.
    usual: u64,
    /// When what was given out ends.
    end: u64,
}

impl Cutter {
    /// Of a track's frames of this configuration, or one with which it goes on.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self::with_longest(config, LONGEST_MS)
    }

    /// Of parts that are no longer than this, in milliseconds.
    #[must_use]
    pub fn with_longest(config: &Config, longest_ms: u64) -> Self {
        let codec = config.codec();
        let frame = if let Config::Aac(aac) = config { aac.frame() } else { 0 };
        let usual = USUAL_MS * u64::from(codec.rate()) / 1000;
        Self { codec, frame, longest_ms, open: Vec::new(), usual, end: 0 }
    }

    const fn ticks(&self, ms: u64) -> u64 {
        ms * self.codec.rate() as u64 / 1000
    }

    /// Takes a frame, and gives the part that it ends. Sound that is not later than the last is left out; a picture is
    /// moved behind it, since others refer to it.
    pub fn push(&mut self, frame: Frame) -> Option<Part> {
        let cuts = frame.key && !self.codec.is_audio();
        self.push_and_cut(frame, cuts)
    }

    /// As [`Cutter::push`], but it is said whether a part begins with this frame.
    pub fn push_and_cut(&mut self, mut frame: Frame, cuts: bool) -> Option<Part> {
        // What had to be written before its length was known may have been said to last a little too long.
        frame.time = frame.time.max(self.end);
        let Some(last) = self.open.last() else {
            self.open.push(frame);
            return None;
        };
        if !self.codec.is_audio() {
            frame.time = frame.time.max(last.time + self.ticks(1));
        }
        let apart = frame.time.checked_sub(last.time).filter(|apart| *apart > 0)?;
        let first = self.open.first().map_or(0, |first| first.time);
        let mut overlaps = false;
        let follows = if self.codec.is_audio() {
            let lasts = self.lasts(last);
            let follows = apart.abs_diff(lasts) <= self.ticks(JOINED_MS);
            self.usual = if follows { apart } else { lasts };
            overlaps = apart < lasts;
            follows
        } else {
            let follows = apart <= self.ticks(STILL_MS);
            if follows {
                self.usual = apart.min(self.ticks(HELD_MS));
            }
            follows
        };
        let too_long = frame.time + self.usual - first > self.ticks(self.longest_ms);
        // One that alone takes longer than a part ends the one that it is in.
        let longest = self.ticks(self.longest_ms);
        let over = follows && frame.time - first > longest && apart <= longest;
        let part = if !follows {
            self.finish(overlaps.then_some(frame.time))
        } else if over && !cuts && self.open.len() > 1 && apart <= self.ticks(self.longest_ms) {
            // The last picture lasted longer than those before it, and is no part of its own: it begins the next one.
            self.finish_but_last()
        } else if too_long || cuts {
            self.finish(Some(frame.time))
        } else {
            None
        };
        self.open.push(frame);
        part
    }

    /// Gives what is there, at a tick of the recording; `now` is its time in ticks. The last picture waits a little for
    /// the next one.
    pub fn cut(&mut self, now: u64) -> Option<Part> {
        if self.codec.is_audio() {
            return self.finish(None);
        }
        let last = self.open.last()?.time;
        let held = now.saturating_sub(last);
        let part = self.finish_but_last();
        if part.is_none() && held >= self.ticks(HELD_MS) { self.finish(None) } else { part }
    }

    /// Gives all that is there.
    pub fn end(&mut self) -> Option<Part> {
        self.finish(None)
    }

    /// Gives all that is there; a last picture is not said to last longer than this, in milliseconds.
    pub fn end_within(&mut self, most_ms: u64) -> Option<Part> {
        self.usual = self.usual.min(self.ticks(most_ms));
        self.finish(None)
    }

    /// The bytes that wait to be given.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.open.iter().map(|frame| frame.data.len()).sum()
    }

    /// When what waits to be given begins, in ticks.
    #[must_use]
    pub fn waits_since(&self) -> Option<u64> {
        self.open.first().map(|first| first.time)
    }

    /// Parts begin no earlier than this tick.
    #[must_use]
    pub const fn after(mut self, end: u64) -> Self {
        self.end = end;
        self
    }

    /// When the last part ended, in ticks.
    #[must_use]
    pub const fn ended(&self) -> u64 {
        self.end
    }

    /// Gives what is there but the last picture, where there is anything.
    pub fn finish_but_last(&mut self) -> Option<Part> {
        let last = self.open.pop()?;
        let part = self.finish(Some(last.time));
        self.open.push(last);
        part
    }

    /// Makes a part of what is open, whose last frame lasts until `next`, or as long as is usual.
    fn finish(&mut self, next: Option<u64>) -> Option<Part> {
        let time = self.open.first()?.time;
        let last = self.open.last()?;
        let lasts = if self.codec.is_audio() { self.lasts(last) } else { self.usual };
        let mut end = next.unwrap_or(last.time + lasts);
        let frames = std::mem::take(&mut self.open);
        self.end = end;
        let mut samples: Vec<Sample> = Vec::with_capacity(frames.len());
        for frame in frames.into_iter().rev() {
            let duration = u32::try_from(end.saturating_sub(frame.time)).unwrap_or(u32::MAX);
            end = frame.time;
            let Frame { composition, key, data, .. } = frame;
            samples.push(Sample { duration, composition, key, data });
        }
        samples.reverse();
        Some(Part { codec: self.codec, time, samples })
    }

    /// How long a frame of sound is, in ticks.
    fn lasts(&self, frame: &Frame) -> u64 {
        match self.codec {
            Codec::Aac => self.frame,
            _ => u64::from(opus::duration(&frame.data).unwrap_or(960)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;

    const VP8: Config = Config::Vp8(crate::codec::vp8::Config { width: 160, height: 90 });

    fn sound(ms: u64) -> Frame {
        Frame { codec: Codec::Opus, time: ms * 48, composition: 0, key: true, data: Bytes::from_static(&[0x78, 1]) }
    }

    fn picture(ms: u64, key: bool) -> Frame {
        Frame { codec: Codec::Vp8, time: ms * 90, composition: 0, key, data: Bytes::from_static(&[0]) }
    }

    /// Start, end and number of frames of each part, in milliseconds.
    fn shape(parts: &[Part]) -> Vec<(u64, u64, usize)> {
        parts.iter().map(|part| (part.codec.ms(part.time), part.codec.ms(part.end()), part.samples.len())).collect()
    }

    #[test]
    fn sound_that_pauses_begins_a_part_of_its_own() {
        let mut cutter = Cutter::new(&Config::Opus);
        let mut parts: Vec<Part> =
            [0, 20, 41, 60, 400, 420].into_iter().filter_map(|ms| cutter.push(sound(ms))).collect();
        parts.extend(cutter.cut(0));
        assert_eq!(shape(&parts), [(0, 80, 4), (400, 440, 2)]);
        assert_eq!(parts[0].samples.iter().map(|sample| sample.duration).collect::<Vec<_>>(), [960, 1008, 912, 960]);
    }

    #[test]
    fn key_frames_begin_parts_and_the_last_picture_waits_for_the_next() {
        let mut cutter = Cutter::new(&VP8);
        let mut parts: Vec<Part> = [(0, true), (33, false), (66, false), (100, true), (133, false)]
            .into_iter()
            .filter_map(|(ms, key)| cutter.push(picture(ms, key)))
            .collect();
        parts.extend(cutter.cut(140 * 90));
        assert_eq!(shape(&parts), [(0, 100, 3), (100, 133, 1)]);
        assert_eq!(cutter.cut(1_200 * 90), None, "it may last longer");
        assert_eq!(shape(&[cutter.cut(1_333 * 90).expect("held long enough")]), [(133, 166, 1)]);
        assert_eq!(cutter.push(picture(150, false)), None);
        assert_eq!(cutter.end().map(|part| part.time / 90), Some(166), "parts never overlap");
    }

    #[test]
    fn a_screen_on_which_nothing_moves_has_no_holes() {
        let mut cutter = Cutter::new(&VP8);
        let mut parts = Vec::new();
        for ms in 0..10_000 {
            // They come 150 ms after they were captured.
            if ms % 1_008 == 150 {
                parts.extend(cutter.push(picture(ms - 150, ms == 150)));
            }
            if ms % 400 == 0 {
                parts.extend(cutter.cut(ms * 90));
            }
        }
        assert!(parts.len() >= 8 && parts.windows(2).all(|pair| pair[0].end() == pair[1].time), "{:?}", shape(&parts));
    }

    #[test]
    fn a_picture_that_stands_lasts_and_a_pause_is_a_gap() {
        let mut cutter = Cutter::new(&VP8);
        let mut parts: Vec<Part> =
            [0, 1_500, 9_000, 8_990].into_iter().filter_map(|ms| cutter.push(picture(ms, ms == 0))).collect();
        parts.extend(cutter.end());
        assert_eq!(shape(&parts), [(0, 1_500, 1), (1_500, 2_700, 1), (9_000, 9_002, 2)]);
    }

    proptest! {
        #[test]
        fn parts_are_in_order_short_and_lose_nothing(
            steps in prop::collection::vec((1_u64..700, any::<bool>(), any::<bool>()), 1..80),
            audio: bool,
        ) {
            let codec = if audio { Codec::Opus } else { Codec::Vp8 };
            let mut cutter = Cutter::new(if audio { &Config::Opus } else { &VP8 });
            let (mut ms, mut parts) = (0, Vec::new());
            for (step, key, tick) in &steps {
                ms += step;
                parts.extend(cutter.push(if audio { sound(ms) } else { picture(ms, *key) }));
                if *tick {
                    parts.extend(cutter.cut((ms + 20) * u64::from(codec.rate()) / 1000));
                }
            }
            parts.extend(cutter.end());
            let frames: usize = parts.iter().map(|part| part.samples.len()).sum();
            // Sound whose packets begin within others is left out at most.
            prop_assert!(frames <= steps.len() && (audio || frames == steps.len()));
            for pair in parts.windows(2) {
                prop_assert!(pair[0].end() <= pair[1].time, "{:?}", shape(&parts));
            }
            for part in &parts {
                prop_assert!(part.samples.iter().all(|sample| sample.duration > 0));
                let last = part.samples.last().map_or(0, |last| u64::from(last.duration));
                prop_assert!(codec.ms(part.duration() - last) <= LONGEST_MS, "{:?}", shape(&parts));
                let later_keys = part.samples.iter().skip(1).filter(|sample| sample.key).count();
                prop_assert!(audio || later_keys == 0);
            }
        }
    }
}
