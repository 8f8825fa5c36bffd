//! A file with sound, read part by part in the order of time: what its packets say, added to the samples of all. A packet
//! stands where the recording's clock has it and not where the last one ended, since clocks run apart. Trusts no packet:
//! what cannot be decoded is silence.

use super::{PACKET, RATE};
use crate::mp4;
use crate::scan::Entry;
use opus_rs::OpusDecoder;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Samples of the longest packet (RFC 6716 §3.2.5).
const LONGEST: usize = 6 * PACKET;
/// Parts this near to each other go on (samples).
const TOUCHING: u64 = RATE / 10;
/// A packet or two between silences (DTX) is the noise of a room, and would pulse.
const SHORTEST: u64 = RATE / 10;
/// Sound begins and ends within so many samples, without a click.
const FADE: usize = 240;
/// A part is at most so long, whatever it says.
pub(super) const PART: u64 = 2 * RATE;
/// Bytes of a part at most: half a second of the fattest sound would not fill it.
const LARGEST: u64 = 1 << 20;

/// One part; a large meeting of hours has millions.
#[derive(Debug, Clone, Copy)]
struct Part {
    time: u64,
    offset: u64,
    duration: u32,
    len: u32,
    /// Sound begins with it, and ends.
    begins: bool,
    ends: bool,
}

/// One file.
pub(super) struct Voice {
    name: String,
    parts: Vec<Part>,
    next: usize,
    /// While it is heard.
    open: Option<(File, Box<OpusDecoder>)>,
}

impl Voice {
    pub(super) fn new(name: &str, entries: &[Entry]) -> Self {
        let end = |entry: &Entry| entry.time.saturating_add(entry.duration);
        let follows = |a: &Entry, b: &Entry| b.time <= end(a).saturating_add(TOUCHING);
        let stretches = entries.chunk_by(follows).filter(|stretch| {
            let (first, last) = (&stretch[0], &stretch[stretch.len() - 1]);
            end(last).saturating_sub(first.time) >= SHORTEST
        });
        let mut parts: Vec<Part> = Vec::new();
        for stretch in stretches {
            let last = stretch.len() - 1;
            let fits = |(_, part): &(usize, &Entry)| part.duration <= PART && part.len <= LARGEST;
            parts.extend(stretch.iter().enumerate().filter(fits).map(|(at, part)| Part {
                time: part.time,
                offset: part.offset,
                duration: part.duration as u32,
                len: part.len as u32,
                begins: at == 0,
                ends: at == last,
            }));
        }
        Self { name: name.to_owned(), parts, next: 0, open: None }
    }

    /// Goes to where what begins at a time (samples) needs to be decoded from.
    pub(super) fn seek(&mut self, from: u64) {
        self.next = self.parts.partition_point(|part| part.time + u64::from(part.duration) < from);
        self.open = None;
    }

    /// Adds what begins before `until` to `mix`, whose first sample is at `from`; `open` opens its file by its name.
    pub(super) fn add(
        &mut self,
        (from, until): (i64, i64),
        mix: &mut [f32],
        open: impl Fn(&str) -> io::Result<File>,
    ) -> io::Result<()> {
        let mut heard = false;
        while let Some(part) = self.parts.get(self.next).copied() {
            if part.time as i64 >= until {
                break;
            }
            self.next += 1;
            heard = true;
            self.add_part(part, from, mix, &open)?;
        }
        if !heard {
            self.open = None;
        }
        Ok(())
    }

    fn add_part(
        &mut self,
        part: Part,
        from: i64,
        mix: &mut [f32],
        open: impl Fn(&str) -> io::Result<File>,
    ) -> io::Result<()> {
        let (file, decoder) = match &mut self.open {
            Some(open) => open,
            None => {
                let Some(decoder) = decoder() else { return Ok(()) };
                self.open.insert((open(&self.name)?, decoder))
            }
        };
        let mut bytes = vec![0; part.len as usize];
        file.read_exact_at(&mut bytes, part.offset)?;
        let samples = mp4::samples(&bytes);
        let (mut at, last) = (part.time, samples.len().saturating_sub(1));
        for (index, (duration, packet)) in samples.into_iter().enumerate() {
            let mut pcm = [0.0; LONGEST];
            let decoded = catch_unwind(AssertUnwindSafe(|| decoder.decode(packet, LONGEST, &mut pcm)));
            let len = match decoded {
                Ok(Ok(len)) => len.min(LONGEST),
                // What its state is worth then nobody knows.
                _ => match self::decoder() {
                    Some(new) => {
                        *decoder = new;
                        0
                    }
                    None => 0,
                },
            };
            let pcm = &mut pcm[..len];
            if part.begins && index == 0 {
                fade(pcm.iter_mut());
            }
            if part.ends && index == last {
                fade(pcm.iter_mut().rev());
            }
            lay(pcm, duration as usize, at as i64 - from, mix);
            at += u64::from(duration);
        }
        Ok(())
    }
}

fn decoder() -> Option<Box<OpusDecoder>> {
    OpusDecoder::new(RATE as i32, 1).ok().map(Box::new)
}

fn fade<'a>(samples: impl Iterator<Item = &'a mut f32>) {
    for (index, sample) in samples.take(FADE).enumerate() {
        *sample *= index as f32 / FADE as f32;
    }
}

/// Adds a packet's samples at a place. Where it is to last some thousandths longer or shorter than it does, as it is where a
/// sender's clock runs apart, it is stretched: the next one begins where it ends.
fn lay(pcm: &[f32], duration: usize, at: i64, mix: &mut [f32]) {
    let near = pcm.len().abs_diff(duration) * 100 <= duration && duration > 1;
    let lasts = if near { duration } else { pcm.len().min(duration) };
    let first = usize::try_from(-at).unwrap_or(0);
    for index in first..lasts {
        let Some(place) = usize::try_from(at + index as i64).ok().and_then(|place| mix.get_mut(place)) else { break };
        *place += if near && pcm.len() != duration {
            let from = index as f64 * (pcm.len() - 1) as f64 / (duration - 1) as f64;
            let (left, part) = (from as usize, from.fract() as f32);
            pcm[left] * (1.0 - part) + pcm.get(left + 1).map_or(0.0, |right| right * part)
        } else {
            pcm[index]
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(ms: u64, lasts: u64) -> Entry {
        let (time, duration) = (ms * 48, lasts * 48);
        Entry { offset: ms, len: 10, time, duration, independent: true, frames: 1 }
    }

    #[test]
    fn the_noise_between_silences_is_left_out_and_sound_begins_and_ends_softly() {
        let parts = [part(0, 500), part(500, 500), part(1_400, 20), part(1_800, 20), part(3_000, 500), part(3_550, 40)];
        let voice = Voice::new("", &parts);
        let kept: Vec<_> = voice.parts.iter().map(|part| (part.offset, part.begins, part.ends)).collect();
        assert_eq!(kept, [(0, true, false), (500, false, true), (3_000, true, false), (3_550, false, true)]);
        let hostile = [Entry { duration: PART + 1, ..part(0, 0) }, Entry { len: LARGEST + 1, ..part(0, 500) }];
        assert!(Voice::new("", &hostile).parts.is_empty());
    }

    #[test]
    fn packets_of_a_clock_that_runs_apart_touch_without_a_step() {
        let tone = |at: usize| (at as f32 * 0.05).sin();
        for duration in [958_usize, 960, 962] {
            let mut mix = vec![0.0; 4 * 962];
            for packet in 0..4 {
                let pcm: Vec<f32> = (packet * 960..(packet + 1) * 960).map(tone).collect();
                lay(&pcm, duration, (packet * duration) as i64 - 100, &mut mix);
            }
            let heard = &mix[..4 * duration - 100];
            let step = heard.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0_f32, f32::max);
            assert!(step < 0.11, "{duration}: {step}");
            assert!(mix[4 * duration - 100..].iter().all(|sample| *sample == 0.0));
        }
        let mut short = vec![0.0; 50];
        lay(&[1.0; 960], 960, -900, &mut short);
        assert_eq!(short, [1.0; 50]);
        lay(&[1.0; 960], 100, 0, &mut short);
        lay(&[1.0; 960], 0, 0, &mut short);
        assert_eq!(short, [2.0; 50]);
    }
}
