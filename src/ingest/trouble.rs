//! What a push is like, and what is wrong with it: told of its frames and of the time, says so within three seconds of
//! when it can be known. Knows no protocol and no words for people; those have the codes.

use super::media::{Format, Ignored};
use recordings::{Codec, Frame};
use serde::Serialize;
use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};
use utoipa::ToSchema;

/// How long nothing may come of what belongs to a broadcast.
const MISSING: Duration = Duration::from_millis(2_500);
/// Milliseconds from key frame to key frame, so many may be: those who come or change the quality wait for one. With
/// room for how milliseconds are rounded.
const KEY_INTERVAL: u64 = 4_050;
/// What arrival and times may come apart by within a minute, in milliseconds: more than networks delay for long.
const DRIFT: i64 = 300;
/// And since the beginning: a viewer's player has that much to go by.
const DRIFT_IN_ALL: i64 = 1_000;
/// Seconds of which the delays are kept.
const SECONDS: usize = 60;

/// What is wrong. Each is told by its code in `code`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Trouble {
    /// Pictures come in another order than they are shown in: no browser takes that by WHEP, and it costs delay.
    BFrames,
    /// More than 4 s from key frame to key frame.
    KeyFrameInterval {
        /// So many, as far as it is known by now.
        seconds: u32,
    },
    /// A picture or a sound is in a codec that is not taken.
    UnsupportedCodec {
        /// Sound rather than picture.
        audio: bool,
        /// What it is called.
        name: String,
    },
    /// More than one picture or one sound: only the first of each is taken.
    MoreTracks,
    /// No sound comes.
    NoAudio,
    /// No picture comes.
    NoVideo,
    /// More bits a second than the settings allow.
    Bitrate {
        /// So many come.
        bits_per_second: u64,
        /// So many may.
        limit: u64,
    },
    /// Its clock, or what its machine and network manage, is not that of the world: more than 0, and it falls behind.
    ClockDrift {
        /// By how much; 1,000,000 is standing still.
        parts_per_million: i32,
    },
    /// The times of its frames have jumped.
    TimeJumps,
}

/// What a picture is like.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Picture {
    /// `h264`, `hevc`, `av1`, `vp9`.
    pub codec: &'static str,
    /// In pixels; `null` where only the pictures say it.
    pub width: Option<u16>,
    /// As the width.
    pub height: Option<u16>,
    /// In bits.
    pub bits_per_second: u64,
    /// In frames, over the last two seconds.
    pub frames_per_second: f32,
    /// From key frame to key frame, in milliseconds; `null` before there were two.
    pub key_frame_interval_ms: Option<u64>,
}

/// What a sound is like.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Sound {
    /// `aac`, `opus`.
    pub codec: &'static str,
    /// In bits.
    pub bits_per_second: u64,
    /// Samples per second.
    pub rate: u32,
    /// 1, 2, …; 0 where only the sound itself says it.
    pub channels: u8,
}

/// What a push is like.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Report {
    /// Its picture; `null` before its format came.
    pub video: Option<Picture>,
    /// Its sound; `null` before its format came.
    pub audio: Option<Sound>,
    /// What is wrong with it.
    pub troubles: Vec<Trouble>,
}

/// Watches one push.
#[derive(Debug)]
pub struct Watch {
    began: Instant,
    limit: u64,
    picture: Side,
    sound: Side,
    ignored: BTreeSet<Ignored>,
    jumped: bool,
    keys: Keys,
    delays: Delays,
}

/// What both have.
#[derive(Debug)]
struct Side {
    format: Option<Format>,
    last: Instant,
    rate: Rate,
}

impl Watch {
    /// Begins; an encoder may send `limit` bits a second.
    #[must_use]
    pub fn new(now: Instant, limit: u64) -> Self {
        let side = || Side { format: None, last: now, rate: Rate::new(now) };
        Self {
            began: now,
            limit,
            picture: side(),
            sound: side(),
            ignored: BTreeSet::new(),
            jumped: false,
            keys: Keys::default(),
            delays: Delays::default(),
        }
    }

    /// A format came.
    pub fn handle_format(&mut self, format: &Format) {
        if format.codec.is_audio() {
            self.sound.format = Some(format.clone());
        } else {
            self.picture.format = Some(format.clone());
            self.keys = Keys::default();
        }
    }

    /// A frame came.
    pub fn handle_frame(&mut self, now: Instant, frame: &Frame) {
        let sound = frame.codec.is_audio();
        let side = if sound { &mut self.sound } else { &mut self.picture };
        if side.format.is_none() {
            return;
        }
        side.last = now;
        side.rate.add(now, frame.data.len());
        let ms = frame.codec.ms(frame.time);
        if !sound {
            self.keys.handle_frame(ms, frame);
        }
        let arrived = now.saturating_duration_since(self.began).as_millis();
        self.delays.handle(i64::try_from(arrived).unwrap_or(i64::MAX), i64::try_from(ms).unwrap_or(i64::MAX));
    }

    /// Something is not taken.
    pub fn handle_ignored(&mut self, what: Ignored) {
        self.ignored.insert(what);
    }

    /// How often times have jumped so far.
    pub const fn handle_jumps(&mut self, jumps: u32) {
        self.jumped = jumps > 0;
    }

    /// How it is.
    pub fn report(&mut self, now: Instant) -> Report {
        let size = self.picture.format.as_ref().and_then(|format| format.config()?.size());
        let video = self.picture.format.as_ref().map(|format| Picture {
            codec: name(format.codec),
            width: size.map(|(width, _)| width),
            height: size.map(|(_, height)| height),
            bits_per_second: self.picture.rate.bits(now),
            frames_per_second: self.picture.rate.frames(now),
            key_frame_interval_ms: self.keys.interval,
        });
        let audio = self.sound.format.as_ref().map(|format| Sound {
            codec: name(format.codec),
            bits_per_second: self.sound.rate.bits(now),
            rate: format.sample_rate(),
            channels: format.channels(),
        });
        Report { troubles: self.troubles(now), video, audio }
    }

    fn troubles(&mut self, now: Instant) -> Vec<Trouble> {
        let mut found = Vec::new();
        if self.keys.reordered {
            found.push(Trouble::BFrames);
        }
        if let Some(seconds) = self.keys.too_rare() {
            found.push(Trouble::KeyFrameInterval { seconds });
        }
        let unsupported = |sound: bool| {
            self.ignored.iter().any(|what| matches!(what, Ignored::Codec { sound: of, .. } if *of == sound))
        };
        let missing = |side: &Side| now.saturating_duration_since(side.last) >= MISSING;
        // Whoever sends what is not taken is told that, and not that nothing came.
        if missing(&self.sound) && !unsupported(true) {
            found.push(Trouble::NoAudio);
        }
        if missing(&self.picture) && !unsupported(false) {
            found.push(Trouble::NoVideo);
        }
        found.extend(self.ignored.iter().map(|what| match what {
            Ignored::Codec { sound, name } => Trouble::UnsupportedCodec { audio: *sound, name: name.clone() },
            Ignored::MoreTracks => Trouble::MoreTracks,
        }));
        let bits_per_second = self.picture.rate.bits(now) + self.sound.rate.bits(now);
        if bits_per_second > self.limit {
            found.push(Trouble::Bitrate { bits_per_second, limit: self.limit });
        }
        if let Some(parts_per_million) = self.delays.drift() {
            found.push(Trouble::ClockDrift { parts_per_million });
        }
        if self.jumped {
            found.push(Trouble::TimeJumps);
        }
        found
    }
}

const fn name(codec: Codec) -> &'static str {
    match codec {
        Codec::H264 => "h264",
        Codec::Hevc => "hevc",
        Codec::Av1 => "av1",
        Codec::Vp9 => "vp9",
        Codec::Vp8 => "vp8",
        Codec::Aac => "aac",
        Codec::Opus => "opus",
    }
}

/// Key frames, and the order of all.
#[derive(Debug, Default)]
struct Keys {
    /// When the last one was decoded, in milliseconds.
    last: Option<u64>,
    newest: u64,
    interval: Option<u64>,
    /// When the latest of all is shown, in ticks.
    shown: Option<i64>,
    reordered: bool,
}

impl Keys {
    fn handle_frame(&mut self, ms: u64, frame: &Frame) {
        let shown = i64::try_from(frame.time).unwrap_or(i64::MAX).saturating_add(frame.composition.into());
        self.reordered |= self.shown.is_some_and(|latest| shown < latest);
        self.shown = self.shown.max(Some(shown));
        self.newest = ms;
        if frame.key {
            self.interval = self.last.map(|last| ms.saturating_sub(last)).or(self.interval);
            self.last = Some(ms);
        }
    }

    fn too_rare(&self) -> Option<u32> {
        let since = self.last.map_or(0, |last| self.newest.saturating_sub(last));
        let longest = since.max(self.interval.unwrap_or(0));
        (longest > KEY_INTERVAL).then(|| u32::try_from(longest / 1000).unwrap_or(u32::MAX))
    }
}

/// Bytes and frames of the last two seconds.
#[derive(Debug)]
struct Rate {
    buckets: [(u64, u32); Rate::BUCKETS],
    began: Instant,
    /// Of the current bucket, from the beginning.
    current: u64,
}

impl Rate {
    const BUCKETS: usize = 9;
    const BUCKET_MS: u64 = 250;

    fn new(now: Instant) -> Self {
        Self { buckets: [(0, 0); Self::BUCKETS], began: now, current: 0 }
    }

    fn move_to(&mut self, now: Instant) {
        let ms = u64::try_from(now.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX);
        let bucket = ms / Self::BUCKET_MS;
        let steps = bucket.saturating_sub(self.current).min(Self::BUCKETS as u64);
        for step in 0..steps {
            self.buckets[((bucket - step) % Self::BUCKETS as u64) as usize] = (0, 0);
        }
        self.current = self.current.max(bucket);
    }

    fn add(&mut self, now: Instant, bytes: usize) {
        self.move_to(now);
        let (of_bytes, of_frames) = &mut self.buckets[(self.current % Self::BUCKETS as u64) as usize];
        *of_bytes += bytes as u64;
        *of_frames += 1;
    }

    /// Sums of the buckets that are complete, and how many of them lie behind the beginning.
    fn sums(&mut self, now: Instant) -> (u64, u64, u64) {
        self.move_to(now);
        let open = (self.current % Self::BUCKETS as u64) as usize;
        let complete = self.buckets.iter().enumerate().filter(|(place, _)| *place != open);
        let (bytes, frames) =
            complete.fold((0, 0), |(bytes, frames), (_, bucket)| (bytes + bucket.0, frames + u64::from(bucket.1)));
        (bytes, frames, self.current.clamp(1, Self::BUCKETS as u64 - 1))
    }

    fn bits(&mut self, now: Instant) -> u64 {
        let (bytes, _, buckets) = self.sums(now);
        bytes * 8 * 1000 / (buckets * Self::BUCKET_MS)
    }

    fn frames(&mut self, now: Instant) -> f32 {
        let (_, frames, buckets) = self.sums(now);
        // A thousand times what is wanted fits a float exactly for any frame rate there is.
        (frames * 10_000 / (buckets * Self::BUCKET_MS)) as f32 / 10.0
    }
}

/// How much later than it says each frame came; the least of each second, which waited for nothing.
#[derive(Debug, Default)]
struct Delays {
    first: Option<(i64, i64)>,
    complete: VecDeque<(i64, i64)>,
    /// The second that is under way.
    current: Option<(i64, i64)>,
}

impl Delays {
    fn handle(&mut self, arrived_ms: i64, says_ms: i64) {
        let (second, delay) = (arrived_ms / 1000, arrived_ms - says_ms);
        match &mut self.current {
            Some((of, least)) if *of == second => *least = delay.min(*least),
            _ => {
                if let Some(complete) = self.current.replace((second, delay)) {
                    self.first.get_or_insert(complete);
                    self.complete.push_back(complete);
                    if self.complete.len() > SECONDS {
                        self.complete.pop_front();
                    }
                }
            }
        }
    }

    /// In parts of a million, where it is one.
    fn drift(&self) -> Option<i32> {
        let (second, least) = *self.complete.back()?;
        let since = |then: &(i64, i64), most: i64| {
            let (apart, seconds) = (least - then.1, second - then.0);
            (apart.abs() > most && seconds > 0).then(|| i32::try_from(apart * 1000 / seconds).unwrap_or(i32::MAX))
        };
        since(self.complete.front()?, DRIFT).or_else(|| since(self.first.as_ref()?, DRIFT_IN_ALL))
    }
}

#[cfg(test)]
#[path = "trouble_tests.rs"]
mod tests;
