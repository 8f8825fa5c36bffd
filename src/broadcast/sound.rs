//! Sound on its own grid of samples: times that came rounded are put back on it, and where nothing came there is
//! silence, since players stop at a hole. Knows no parts.

use bytes::Bytes;
use recordings::codec::{Config, opus};
use recordings::{Codec, Frame};

/// What a clock that counts milliseconds says wrong, in milliseconds.
const ROUNDING_MS: u64 = 2;
/// Off by more than this, sound did not go on.
const JUMP_MS: u64 = 100;
/// Corrections are at most this part of the time that passed: nobody hears them.
const SLEW: u64 = 500;

/// At most so much silence stands for what never came, in milliseconds: nobody goes back further.
pub(super) const MOST_SILENCE_MS: u64 = 30_000;

/// 20 ms of silence (RFC 6716 §4.3): a CELT frame whose first bit says so.
const SILENT_OPUS: &[u8] = &[0xf8, 0xff, 0xfe];
/// A frame of AAC-LC for one channel without a spectrum.
const SILENT_MONO: &[u8] = &[0x00, 0xc8, 0x00, 0x80, 0x23, 0x80];
/// The same for two.
const SILENT_STEREO: &[u8] = &[0x21, 0x00, 0x49, 0x90, 0x02, 0x19, 0x00, 0x23, 0x80];

/// Where a stream of sound goes on.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    codec: Codec,
    /// How long a frame of AAC is, in ticks.
    frame: u64,
    silence: Option<(Bytes, u64)>,
    /// From when on sound is wanted.
    begins: u64,
    /// When what came so far ends, in ticks.
    end: Option<u64>,
}

/// Whether there is sound in it.
pub(super) fn is_sound(frame: &Frame) -> bool {
    match frame.codec {
        Codec::Aac => !frame.data.is_empty(),
        _ => opus::duration(&frame.data).is_some(),
    }
}

impl Grid {
    pub(super) fn new(config: &Config) -> Self {
        let codec = config.codec();
        let (frame, silence) = match config {
            Config::Aac(aac) => {
                let silent: &[u8] = if aac.channels == 1 { SILENT_MONO } else { SILENT_STEREO };
                // Other objects and channels have other silences; they get holes.
                let fits = aac.object == 2 && (1..=2).contains(&aac.channels) && aac.samples == 1024;
                (aac.frame(), fits.then(|| (Bytes::from_static(silent), aac.frame())))
            }
            _ => (0, Some((Bytes::from_static(SILENT_OPUS), 960))),
        };
        Self { codec, frame, silence, begins: 0, end: None }
    }

    /// What comes next begins anew.
    pub(super) const fn reset(&mut self) {
        self.end = None;
    }

    /// Sound is wanted from this tick on, where it did not begin yet.
    pub(super) const fn begin(&mut self, at: u64) {
        self.begins = at;
    }

    /// When what came so far ends, in ticks.
    pub(super) const fn end(&self) -> Option<u64> {
        self.end
    }

    const fn ticks(&self, ms: u64) -> u64 {
        ms * self.codec.rate() as u64 / 1000
    }

    fn lasts(&self, data: &[u8]) -> Option<u64> {
        match self.codec {
            Codec::Aac => (!data.is_empty()).then_some(self.frame),
            _ => opus::duration(data).map(u64::from),
        }
    }

    /// How much of the sound up to `end` a frame comes too late for, in ticks; `None` where it is used.
    pub(super) fn late_by(&self, time: u64) -> Option<u64> {
        self.end.and_then(|end| end.checked_sub(time)).filter(|late| *late > self.ticks(JUMP_MS))
    }

    /// Takes a frame, and gives it on the grid, after as much silence as was missing. Nothing where it is no sound, or
    /// was heard already.
    pub(super) fn push(&mut self, frame: Frame, mut give: impl FnMut(Frame)) {
        let Some(lasts) = self.lasts(&frame.data) else { return };
        let time = match self.end {
            None => {
                self.end = Some(self.begins);
                self.fill_up_to(frame.time, &mut give)
            }
            Some(expected) => {
                let off = frame.time.abs_diff(expected);
                if self.late_by(frame.time).is_some() {
                    return;
                }
                if off <= self.ticks(ROUNDING_MS) {
                    expected
                } else if off <= self.ticks(JUMP_MS) {
                    let step = (lasts / SLEW).min(off);
                    if frame.time > expected { expected + step } else { expected - step }
                } else {
                    self.fill_up_to(frame.time, &mut give)
                }
            }
        };
        self.end = Some(time + lasts);
        give(Frame { time, ..frame });
    }

    /// Gives silence until a tick, and when what comes then begins: where there is silence, without even a small hole.
    fn fill_up_to(&mut self, until: u64, give: &mut impl FnMut(Frame)) -> u64 {
        self.fill(until, give);
        let end = self.end.unwrap_or_default();
        if self.silence.is_some() { end } else { until.max(end) }
    }

    /// Gives silence until a tick, at once where nothing came yet.
    pub(super) fn fill(&mut self, until: u64, give: &mut impl FnMut(Frame)) {
        let Some((data, lasts)) = self.silence.clone() else { return };
        let mut end = self.end.unwrap_or(self.begins);
        if end + lasts > until {
            return;
        }
        end += until.saturating_sub(end).saturating_sub(self.ticks(MOST_SILENCE_MS)) / lasts * lasts;
        while end + lasts <= until {
            give(Frame { codec: self.codec, time: end, composition: 0, key: true, data: data.clone() });
            end += lasts;
        }
        self.end = Some(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AAC: &[u8] = &[0x12, 0x10];
    const MS: u64 = 28_224;

    fn frame(codec: Codec, time: u64) -> Frame {
        let data = Bytes::from_static(if codec == Codec::Aac { &[1, 2] } else { &[0x78, 1] });
        Frame { codec, time, composition: 0, key: true, data }
    }

    #[test]
    fn an_hour_of_rounded_times_is_put_back_on_the_samples() {
        let config = Config::of_record(Codec::Aac, AAC).expect("a record");
        let mut grid = Grid::new(&config);
        let mut last = None;
        for number in 0..155_040_u64 {
            // As RTMP tells it: in whole milliseconds.
            let ms = number * 1024 * 1000 / 44_100;
            grid.push(frame(Codec::Aac, ms * MS), |frame| {
                assert_eq!(frame.time, number * 1024 * 640);
                last = Some(frame.time);
            });
        }
        assert_eq!(last, Some(155_039 * 1024 * 640));
    }

    #[test]
    fn a_clock_that_is_fast_is_followed_without_a_jump() {
        let mut grid = Grid::new(&Config::Opus);
        let (mut last, mut worst) = (None::<u64>, 0);
        for number in 0..180_000_u64 {
            // 50 ppm, an hour.
            let time = number * 960 + number * 960 / 20_000;
            grid.push(frame(Codec::Opus, time), |frame| {
                assert!(last.is_none_or(|last| (959..=961).contains(&(frame.time - last))));
                last = Some(frame.time);
                worst = worst.max(frame.time.abs_diff(time));
            });
        }
        assert!(worst <= 3 * 48, "{worst}");
    }

    #[test]
    fn what_is_missing_is_silence_and_what_was_heard_is_left_out() {
        let mut grid = Grid::new(&Config::Opus);
        let mut times = Vec::new();
        for ms in [0, 20, 400, 100, 420] {
            grid.push(frame(Codec::Opus, ms * 48), |frame| times.push((frame.time / 48, frame.data.len())));
        }
        let silent = (2..20).map(|number| (number * 20, 3));
        let expected: Vec<_> = [(0, 2), (20, 2)].into_iter().chain(silent).chain([(400, 2), (420, 2)]).collect();
        assert_eq!(times, expected);
        assert_eq!(opus::duration(SILENT_OPUS), Some(960));
    }
}
