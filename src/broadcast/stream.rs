//! One live stream: frames of a picture and of a sound become parts of two renditions, cut at the same places. Told the
//! time. Knows no publisher, no viewer and no socket.
//!
//! Picture and sound are renditions of their own: a viewer of sound needs no picture, several pictures share one sound,
//! and neither waits for the other. The picture says where segments begin: at key frames, or where a segment would
//! become longer than the playlist says; sound follows at its next frame. Times of a publisher are brought behind what
//! was there before, so that they only grow; an era ends where anything began anew.

pub use super::lane::Kind;
use super::lane::{Lane, Zero, ticks, us};
use super::playlist::{Shape, Variant, media};
use super::sound::{Grid, MOST_SILENCE_MS, is_sound};
use super::window::{Bounds, Window};
use recordings::codec::Config;
use recordings::{Codec, Frame};
use std::collections::VecDeque;
use std::time::Duration;

/// Pictures further apart did not go on.
const GAP_US: u64 = 2_000_000;
/// Pictures may come so much before the last one, while clocks settle, and are moved behind it.
const BACK_US: u64 = 500_000;
/// How long what is there waits for what was announced too.
const WAIT_US: u64 = 1_000_000;
/// How long what was there before is waited for, until players are told that nothing comes of it any more.
const RETIRED_AFTER_US: u64 = 2_000_000;
/// Silence stands in for sound that is so much behind the picture, until it is known to be later.
const SILENT_AFTER_US: u64 = 700_000;
/// Later than this it is no longer waited for.
const LATEST_US: u64 = 5_000_000;
/// What sound that is late is waited for longer than it was late.
const LATER_US: u64 = 300_000;
/// Sound further ahead of what is there did not go on, unless so much time has passed.
const AHEAD_US: u64 = 5 * GAP_US;
/// Sound before the first picture that is kept, until that says where both begin; and its bytes.
const EARLY_FRAMES: usize = 256;
const EARLY_BYTES: usize = 1 << 20;
/// What a segment may be longer than its playlist says, which counts in whole seconds.
const ROUNDED_US: u64 = 350_000;
/// Places that wait for the sound to be cut there.
const MOST_BOUNDARIES: usize = 64;
/// How long sound waits for the first picture.
const EARLY_US: u64 = 3_000_000;

/// What streams are made like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// No part is longer, but for one whose picture stood.
    pub part: Duration,
    /// No segment is shorter, but at the end of an era.
    pub segment: Duration,
    /// How long a playlist is.
    pub window: Duration,
    /// Bytes of all that is held.
    pub max_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            part: Duration::from_millis(350),
            segment: Duration::from_secs(2),
            window: Duration::from_secs(30),
            // Three of the longest segments at 20 Mbit/s, and half as much again.
            max_bytes: 128 << 20,
        }
    }
}

/// What a publisher says it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Pictures.
    pub picture: bool,
    /// Sound.
    pub sound: bool,
}

/// Where a rendition's next segment begins.
#[derive(Debug, Clone, Copy)]
struct Boundary {
    at_us: u64,
    era: u32,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Stream {
    settings: Settings,
    target: u64,
    expected: Expected,
    /// Whether sound begins without the picture, which was said to come.
    without_picture: bool,
    picture: Lane,
    sound: Lane,
    grid: Option<Grid>,
    /// For the sound to follow.
    boundaries: VecDeque<Boundary>,
    early: VecDeque<Frame>,
    /// How far behind the picture the sound of this publisher comes, where that is far, in microseconds.
    lag_us: u64,
    zero: Option<Zero>,
    era: u32,
    ended: bool,
    dropped: u64,
}

impl Stream {
    /// One that says in its playlists that no segment is longer than `target` seconds.
    #[must_use]
    pub fn new(settings: Settings, target: u64) -> Self {
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        // A playlist of three targets is what players are promised (RFC 8216 §6.2.2).
        let listed_us = micros(settings.window).max(3 * target * 1_000_000);
        // A player that was told of a segment gets it for as long again as parts are told of.
        let bounds = Bounds { listed_us, kept_us: 3 * target * 1_000_000, bytes: settings.max_bytes };
        // Sound is a sixteenth of what a picture takes, at most a quarter.
        let sound = Bounds { bytes: settings.max_bytes / 4, ..bounds };
        Self {
            settings,
            target,
            expected: Expected { picture: true, sound: true },
            without_picture: false,
            picture: Lane::new(bounds),
            sound: Lane::new(sound),
            grid: None,
            boundaries: VecDeque::new(),
            early: VecDeque::new(),
            lag_us: 0,
            zero: None,
            era: 0,
            ended: false,
            dropped: 0,
        }
    }

    const fn lane(&self, kind: Kind) -> &Lane {
        match kind {
            Kind::Picture => &self.picture,
            Kind::Sound => &self.sound,
        }
    }

    const fn lane_mut(&mut self, kind: Kind) -> &mut Lane {
        match kind {
            Kind::Picture => &mut self.picture,
            Kind::Sound => &mut self.sound,
        }
    }

    /// A publisher comes, or comes back.
    pub fn begin(&mut self, expected: Expected) {
        self.expected = expected;
        self.ended = false;
        (self.without_picture, self.lag_us) = (false, 0);
        (self.picture.pending, self.sound.pending) = (None, None);
        self.break_off();
    }

    /// What a track is coded with, where its frames do not say so themselves; again when that changes.
    pub fn set_config(&mut self, config: Config) {
        let kind = if config.codec().is_audio() { Kind::Sound } else { Kind::Picture };
        self.lane_mut(kind).announce(config);
    }

    /// A frame in the order of decoding, its time on the publisher's clock, which both tracks share; `now_ms` is the
    /// time of day. Says whether it was used.
    pub fn push(&mut self, frame: Frame, now_ms: u64) -> bool {
        let used = !self.ended
            && if frame.codec.is_audio() { self.push_sound(frame, now_ms) } else { self.push_picture(frame, now_ms) };
        self.dropped += u64::from(!used);
        self.retire();
        used
    }

    /// The publisher went: what came so far is given.
    pub fn pause(&mut self) {
        self.break_off();
    }

    /// No more comes.
    pub fn end(&mut self) {
        self.break_off();
        self.ended = true;
        for lane in [&mut self.picture, &mut self.sound] {
            lane.changed |= !lane.window.is_empty();
            lane.retired = false;
        }
    }

    /// Who watches a rendition that nothing comes of any more asks anew what there is, once told.
    fn retire(&mut self) {
        let Some(zero) = self.zero else { return };
        for kind in Kind::ALL {
            let other = self.lane(kind.other());
            let waited = other.given && other.end_us >= zero.ours_us + self.patience_us(kind);
            let lane = self.lane_mut(kind);
            let retired = waited && !lane.given && !lane.window.is_empty();
            lane.changed |= retired != lane.retired;
            lane.retired = retired;
        }
    }

    /// How long what was there before may be missing.
    const fn patience_us(&self, kind: Kind) -> u64 {
        match kind {
            // Of many encoders a key frame comes no earlier.
            Kind::Picture if self.expected.picture => 2 * self.target * 1_000_000,
            // It comes as silence, where it does not come otherwise.
            Kind::Picture | Kind::Sound => RETIRED_AFTER_US,
        }
    }

    /// Whether nothing comes of a rendition any more that players know.
    #[must_use]
    pub const fn is_retired(&self, kind: Kind) -> bool {
        self.lane(kind).retired
    }

    /// Frames that could not be used.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Bytes that are held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let early: usize = self.early.iter().map(|frame| frame.data.len()).sum();
        self.picture.bytes() + self.sound.bytes() + early
    }

    /// Whether pictures wait for a key frame.
    #[must_use]
    pub const fn wants_key(&self) -> bool {
        self.expected.picture && self.picture.wants_key
    }

    /// How long ago the last segment of the picture began, by what came since.
    #[must_use]
    pub fn since_key(&self) -> Duration {
        Duration::from_micros(self.picture.window.open_us())
    }

    /// What viewers are offered: what comes of this publisher. `None` while they must wait, or nothing changes.
    pub(super) fn variant(&self) -> Option<Variant> {
        let begun = self.zero?.ours_us;
        let expected = |kind| if kind == Kind::Picture { self.expected.picture } else { self.expected.sound };
        let wait = Kind::ALL.into_iter().filter_map(|kind| match self.lane(kind) {
            lane if lane.given => None,
            lane if !lane.window.is_empty() => Some(self.patience_us(kind)),
            _ => expected(kind).then_some(WAIT_US),
        });
        let wait = wait.max();
        let nothing = !self.picture.given && !self.sound.given;
        let passed = self.picture.end_us().max(self.sound.end_us()).saturating_sub(begun);
        if nothing || wait.is_some_and(|wait| passed < wait) {
            return None;
        }
        let used = Kind::ALL.map(|kind| self.lane(kind)).into_iter().filter(|lane| lane.given);
        let configs: Vec<&Config> = used.clone().filter_map(|lane| lane.config.as_ref()).collect();
        let peak = used.map(|lane| lane.window.peak()).sum::<u64>();
        let sound = self.sound.given.then_some(match &self.sound.config {
            Some(Config::Aac(aac)) if aac.channels > 0 => aac.channels,
            _ => 2,
        });
        let size = self.picture.given.then(|| self.picture.config.as_ref()?.size()).flatten();
        Some(Variant { codecs: configs.iter().map(|config| config.name_in_head()).collect(), size, peak, sound })
    }

    /// The window of a rendition and its playlists, the whole and the shorter one, where anything is new since they were
    /// asked for.
    pub(super) fn take_changed(&mut self, kind: Kind) -> Option<(&Window, String, Option<String>)> {
        let other = self.lane(kind.other());
        let other = other.window.last().filter(|_| !other.retired).map(|last| (kind.other().name(), last));
        let target_us = self.target * 1_000_000;
        let window_us = u64::try_from(self.settings.window.as_micros()).unwrap_or(u64::MAX);
        let shape = Shape {
            name: kind.name(),
            target: self.target,
            part_ms: u64::try_from(self.settings.part.as_millis()).unwrap_or(u64::MAX),
            // Only where playlists are so long that anything could be left out.
            skip_us: (window_us > 6 * target_us).then_some(6 * target_us),
            other,
            ended: self.ended,
        };
        let lane = self.lane_mut(kind);
        if !std::mem::take(&mut lane.changed) || lane.window.is_empty() {
            return None;
        }
        let full = media(&lane.window, &shape, false)?;
        let delta = media(&lane.window, &shape, true);
        Some((&lane.window, full, delta))
    }

    /// What comes next has nothing to do with what came.
    fn break_off(&mut self) {
        let began = self.zero.is_some();
        let zero = self.zero.take();
        self.early.clear();
        self.boundaries.clear();
        for lane in [&mut self.picture, &mut self.sound] {
            lane.finish(zero);
            lane.shift = None;
            lane.wants_key = true;
            lane.given = false;
        }
        if let Some(grid) = &mut self.grid {
            grid.reset();
        }
        if began {
            self.era += 1;
        }
        (self.picture.era, self.sound.era) = (self.era, self.era);
    }

    /// Another size or codec: segments begin anew, times go on.
    fn change_picture(&mut self, config: Config) {
        if let Some(old) = &self.picture.config {
            // Ticks of another codec; all pictures have the same.
            debug_assert_eq!(old.codec().rate(), config.codec().rate());
            self.picture.finish(self.zero);
            self.picture.wants_key = true;
            self.era += 1;
            self.picture.era = self.era;
            self.follow(self.picture.end_us());
        }
        self.picture.set(config, self.settings.part);
    }

    /// The sound is to be cut here, too.
    fn follow(&mut self, at_us: u64) {
        // Where there is none, nobody takes them out.
        if self.boundaries.len() >= MOST_BOUNDARIES {
            self.boundaries.pop_front();
        }
        self.boundaries.push_back(Boundary { at_us, era: self.era });
    }

    /// Both tracks count from here, after all that was there.
    fn start(&mut self, theirs_us: u64, now_ms: u64) -> Zero {
        let ours_us = self.picture.end_us().max(self.sound.end_us());
        *self.zero.insert(Zero { theirs_us, ours_us, at_ms: now_ms })
    }

    fn push_picture(&mut self, frame: Frame, now_ms: u64) -> bool {
        let codec = frame.codec;
        if frame.key {
            let announced = self.picture.pending.take_if(|config| config.codec() == codec);
            let carried = Config::of_key_frame(codec, &frame.data);
            let config = match carried {
                Some(config) => Some(config).filter(|config| !self.picture.goes_on_with(config)),
                None => announced,
            };
            if let Some(config) = config {
                self.change_picture(config);
            }
        }
        if self.picture.config.as_ref().is_none_or(|config| config.codec() != codec || codec == Codec::Vp8) {
            return false;
        }
        if !frame.key && self.picture.wants_key {
            return false;
        }
        let their_us = us(frame.time, codec);
        if let (Some(zero), Some(last)) = (self.zero, self.picture.last.filter(|_| self.picture.shift.is_some())) {
            let ours = (their_us + zero.ours_us).saturating_sub(zero.theirs_us);
            let last = us(last, codec);
            if ours > last + GAP_US || ours + BACK_US < last {
                self.break_off();
                if !frame.key {
                    return false;
                }
            }
        }
        if let (Some(zero), None) = (self.zero, self.picture.shift)
            && their_us + zero.ours_us > zero.theirs_us + self.sound.end_us().max(zero.ours_us) + AHEAD_US
        {
            // The sound began without it, on another clock or long ago.
            self.break_off();
        }
        let zero = match self.zero {
            Some(zero) => zero,
            None => self.start(their_us, now_ms),
        };
        let shift = *self.picture.shift.get_or_insert(ticks(zero.ours_us, codec) - ticks(zero.theirs_us, codec));
        let time = frame.time.saturating_add_signed(shift);
        let began = self.picture.wants_key;
        self.picture.wants_key = false;
        self.without_picture = false;
        let time = time.max(self.picture.last.map_or(0, |last| last + 1));
        let mut open_us = self.open_us(time, codec);
        if !began && open_us > self.target * 1_000_000 + ROUNDED_US {
            open_us = self.cut_before_last(time, codec, zero);
        }
        let shortest = u64::try_from(self.settings.segment.as_micros()).unwrap_or(u64::MAX);
        // The very first segment was one part only; that is made up for.
        let shortest = if self.picture.window.edge().0 <= 1 { shortest / 2 } else { shortest };
        // Pictures do not come to the millisecond: a key frame each two seconds is one each two seconds.
        let due = frame.key && open_us + 50_000 >= shortest;
        let lane = &mut self.picture;
        let (full, part_full) = lane.is_full_for(frame.data.len());
        let cuts = !began && (due || full || open_us >= self.target * 1_000_000);
        lane.last = Some(time);
        let Some((cutter, _)) = &mut lane.cutter else { return false };
        let part = cutter.push_and_cut(Frame { time, ..frame }, cuts || part_full);
        lane.add(part, zero);
        if cuts {
            lane.window.close();
            self.follow(us(time, codec));
        }
        let early = std::mem::take(&mut self.early);
        for frame in early {
            self.push_sound(frame, now_ms);
        }
        self.keep_sound_going(us(time, codec), zero);
        true
    }

    /// The last picture stood so long that its segment would be longer than is said: it begins the next one. Gives how
    /// long that is now, in microseconds.
    fn cut_before_last(&mut self, time: u64, codec: Codec, zero: Zero) -> u64 {
        let Some(last) = self.picture.last else { return 0 };
        let part = self.picture.cutter.as_mut().and_then(|(cutter, _)| cutter.finish_but_last());
        self.picture.add(part, zero);
        self.picture.window.close();
        self.follow(us(last, codec));
        us(time, codec) - us(last, codec)
    }

    /// How long the open segment of the picture is with what is not yet given, in microseconds.
    fn open_us(&self, time: u64, codec: Codec) -> u64 {
        let waits = self.picture.cutter.as_ref().and_then(|(cutter, _)| cutter.waits_since());
        self.picture.window.open_us() + waits.map_or(0, |since| us(time, codec).saturating_sub(us(since, codec)))
    }

    /// Where nothing comes of the sound, there is silence, also where an earlier publisher had sound and this one has
    /// none: players wait for both.
    fn keep_sound_going(&mut self, picture_us: u64, zero: Zero) {
        let Some(config) = &self.sound.config else { return };
        let codec = config.codec();
        let at = |us| u64::try_from(ticks(us, codec)).unwrap_or(0);
        let until = at(picture_us.saturating_sub(SILENT_AFTER_US.max(self.lag_us)));
        let mut silence = Vec::new();
        if let Some(grid) = &mut self.grid {
            if grid.end().is_none() {
                grid.begin(at(zero.ours_us));
            }
            grid.fill(until, &mut |frame| silence.push(frame));
        }
        for frame in silence {
            self.add_sound(frame, zero);
        }
    }

    fn push_sound(&mut self, frame: Frame, now_ms: u64) -> bool {
        let codec = frame.codec;
        if codec == Codec::Opus {
            self.sound.announce(Config::Opus);
        }
        let config = self.sound.pending.as_ref().or(self.sound.config.as_ref());
        if config.is_none_or(|config| config.codec() != codec) || !is_sound(&frame) {
            return false;
        }
        let their_us = us(frame.time, codec);
        let zero = match self.zero {
            Some(zero) => zero,
            // The first picture says where both begin.
            None if !self.alone() => return self.wait_for_picture(frame, now_ms),
            None => self.start(their_us, now_ms),
        };
        if let Some(config) = self.sound.pending.take() {
            let under_way = self.grid.as_ref().is_some_and(|grid| grid.end().is_some());
            if under_way {
                self.break_off();
            }
            self.grid = Some(Grid::new(&config));
            // Ticks of another codec.
            (self.sound.last, self.sound.shift) = (None, None);
            self.sound.set(config, self.settings.part);
            if under_way {
                return self.push_sound(frame, now_ms);
            }
        }
        let shift = *self.sound.shift.get_or_insert(ticks(zero.ours_us, codec) - ticks(zero.theirs_us, codec));
        // Sound from before the first picture, or from before the publisher's clock was set anew.
        let time = frame.time.checked_add_signed(shift).filter(|time| us(*time, codec) >= zero.ours_us);
        let end = self.grid.as_ref().and_then(Grid::end);
        let goes_on = |end| time.is_some_and(|time| us(time, codec).abs_diff(us(end, codec)) <= AHEAD_US);
        if self.alone() && end.is_some_and(|end| !goes_on(end)) {
            // Its clock was set anew. Beside a picture silence goes on, and the picture says when something begins anew.
            self.break_off();
            return self.push_sound(frame, now_ms);
        }
        let Some(time) = time else { return false };
        let at_us = us(time, codec);
        let there_us = end.map_or(self.picture.end_us().max(zero.ours_us), |end| us(end, codec));
        let passed_us = now_ms.saturating_sub(zero.at_ms) * 1000;
        if at_us > there_us + AHEAD_US {
            if end.is_none() || at_us > zero.ours_us + passed_us + AHEAD_US {
                return false;
            }
            self.break_off();
            return self.push_sound(frame, now_ms);
        }
        let picture_us = self.picture.last.map_or(0, |last| us(last, Codec::H264));
        let mut frames = Vec::new();
        if let Some(grid) = &mut self.grid {
            if grid.end().is_none() {
                // From where the picture begins, as far as anybody can go back.
                let from_us = zero.ours_us.max(at_us.saturating_sub(MOST_SILENCE_MS * 1000));
                grid.begin(u64::try_from(ticks(from_us, codec)).unwrap_or(0));
            }
            if grid.late_by(time).is_some() && picture_us > at_us {
                // There is silence already. If all of it comes so late, it is waited for.
                self.lag_us = self.lag_us.max(picture_us - at_us + LATER_US).min(LATEST_US);
            }
            grid.push(Frame { time, ..frame }, |frame| frames.push(frame));
        }
        let used = !frames.is_empty();
        for frame in frames {
            self.add_sound(frame, zero);
        }
        used
    }

    /// Sound that comes before the first picture, for which it does not wait for ever.
    fn wait_for_picture(&mut self, frame: Frame, now_ms: u64) -> bool {
        let at_us = us(frame.time, frame.codec);
        if self.early.front().is_some_and(|first| at_us > us(first.time, first.codec) + EARLY_US) {
            self.without_picture = true;
            let early = std::mem::take(&mut self.early);
            return early.into_iter().chain([frame]).fold(false, |_, frame| self.push_sound(frame, now_ms));
        }
        let bytes: usize = self.early.iter().map(|frame| frame.data.len()).sum();
        if bytes + frame.data.len() > EARLY_BYTES {
            return false;
        }
        if self.early.len() >= EARLY_FRAMES {
            self.early.pop_front();
            self.dropped += 1;
        }
        self.early.push_back(frame);
        true
    }

    /// Whether there is no picture.
    const fn alone(&self) -> bool {
        !self.expected.picture || self.without_picture
    }

    /// A frame on the grid.
    fn add_sound(&mut self, frame: Frame, zero: Zero) {
        let (time, at_us) = (frame.time, us(frame.time, frame.codec));
        let alone = self.alone();
        let mut cut = None;
        while let Some(boundary) = self.boundaries.front().copied().filter(|boundary| boundary.at_us <= at_us) {
            self.boundaries.pop_front();
            cut = Some(boundary.era);
        }
        let lane = &mut self.sound;
        let shortest = u64::try_from(self.settings.segment.as_micros()).unwrap_or(u64::MAX);
        let waits = lane.cutter.as_ref().and_then(|(cutter, _)| cutter.waits_since());
        let open_us = lane.window.open_us() + waits.map_or(0, |since| at_us.saturating_sub(us(since, frame.codec)));
        let (full, part_full) = lane.is_full_for(frame.data.len());
        // Alone it says itself where segments begin; beside a picture that stands, too.
        let due = alone && open_us >= shortest;
        if due || full || open_us >= self.target * 1_000_000 {
            cut = cut.or(Some(lane.era));
        }
        lane.last = Some(time);
        let Some((cutter, _)) = &mut lane.cutter else { return };
        let part = cutter.push_and_cut(frame, cut.is_some() || part_full);
        lane.add(part, zero);
        if let Some(era) = cut {
            lane.window.close();
            lane.era = era;
        }
    }
}
