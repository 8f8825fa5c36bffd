//! How loud a track is, and whether somebody speaks on it, from the levels that its packets carry
//! (RFC 6464). Is told the time; decodes no sound.

use super::extension::AudioLevel;
use std::time::{Duration, Instant};

/// From this level on it may be speech, in −dBov: quiet voices on laptop microphones arrive at −30 to −45, rooms
/// at −60 and below.
pub const SPEECH_LEVEL: f32 = 50.0;
/// Below this it is quiet; between the two nothing changes.
pub const QUIET_LEVEL: f32 = 56.0;
/// How long it must be loud to be speaking: a cough or a key stroke is shorter.
pub const SPEAKING_AFTER: Duration = Duration::from_millis(100);
/// How long it must be quiet to be no longer speaking: pauses between sentences are shorter.
pub const QUIET_AFTER: Duration = Duration::from_millis(700);

/// Softer than this is all the same, so that a voice is noticed as soon after long silence as after short.
const FLOOR: f32 = 90.0;
/// What a sound counts less, in dB, where its sender says that it is no voice. Some never say that it is.
const NO_VOICE: f32 = 10.0;
/// How fast the smoothed level rises and falls: syllables are to be bridged, a first word is not to be missed.
const RISE: Duration = Duration::from_millis(40);
const FALL: Duration = Duration::from_millis(300);
/// A packet speaks for this long at most; what follows is silence (DTX sends nothing).
const PACKET: Duration = Duration::from_millis(60);

/// The loudness of one track.
#[derive(Debug, Clone)]
pub struct Loudness {
    /// Smoothed, in −dBov: the smaller, the louder.
    level: f32,
    latest: Option<Latest>,
    speech: Speech,
}

/// The latest packet, and up to when it was accounted for.
#[derive(Debug, Clone, Copy)]
struct Latest {
    level: f32,
    at: Instant,
    until: Instant,
}

/// Whether somebody speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speech {
    Quiet,
    /// Loud for so long, less what was quiet in between, which is not enough yet.
    Rising(Duration),
    Speaking,
    /// Speaking, but quiet since.
    Falling(Instant),
}

impl Default for Loudness {
    fn default() -> Loudness {
        Loudness::new()
    }
}

impl Loudness {
    /// Silent.
    #[must_use]
    pub const fn new() -> Loudness {
        Loudness { level: FLOOR, latest: None, speech: Speech::Quiet }
    }

    /// A packet of this level arrived.
    pub fn on_packet(&mut self, now: Instant, level: AudioLevel) {
        self.handle_timeout(now);
        let penalty = if level.voice { 0.0 } else { NO_VOICE };
        let level = (f32::from(level.level) + penalty).min(FLOOR);
        self.latest = Some(Latest { level, at: now, until: now });
    }

    /// Lets time pass: to be called before reading where packets may have stopped.
    pub fn handle_timeout(&mut self, now: Instant) {
        let Some(latest) = self.latest else { return };
        let end = latest.at + PACKET;
        if latest.until < end {
            self.smooth(latest.level, latest.until, now.min(end));
        }
        if now > end {
            self.smooth(FLOOR, latest.until.max(end), now);
        }
        self.latest = Some(Latest { until: latest.until.max(now), ..latest });
    }

    /// When [`Loudness::is_speaking`] may change if no packet comes.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.speech {
            // Only packets make it rise.
            Speech::Quiet | Speech::Rising(_) => None,
            Speech::Speaking => self.latest.map(|latest| latest.until.max(latest.at + PACKET) + FALL),
            Speech::Falling(since) => Some(since + QUIET_AFTER),
        }
    }

    /// The smoothed level in −dBov, from 0 for the loudest to 90 for silence.
    #[must_use]
    pub const fn level(&self) -> f32 {
        self.level
    }

    /// Whether it is loud enough for speech at the moment, however shortly.
    #[must_use]
    pub fn is_loud(&self) -> bool {
        self.level <= SPEECH_LEVEL
    }

    /// Whether somebody speaks, pauses between words included.
    #[must_use]
    pub const fn is_speaking(&self) -> bool {
        matches!(self.speech, Speech::Speaking | Speech::Falling(_))
    }

    /// It was this loud between the two times.
    fn smooth(&mut self, target: f32, from: Instant, to: Instant) {
        let passed = to.saturating_duration_since(from);
        if passed.is_zero() {
            return;
        }
        let time = if target < self.level { RISE } else { FALL };
        // The backward Euler step: no overshoot however long the step, and no platform's `exp`.
        let share = passed.as_secs_f32() / (time + passed).as_secs_f32();
        self.level += (target - self.level) * share;
        self.speech = self.next_speech(target <= SPEECH_LEVEL, from, to);
    }

    /// What follows after a time in which single packets were loud or not, beside the smoothed level.
    fn next_speech(&self, packets_loud: bool, from: Instant, to: Instant) -> Speech {
        let (loud, quiet) = (self.level <= SPEECH_LEVEL, self.level >= QUIET_LEVEL);
        let lasted = |since: Instant, wait| to.saturating_duration_since(since) >= wait;
        match self.speech {
            Speech::Quiet if loud => Speech::Rising(to - from),
            Speech::Rising(_) if quiet => Speech::Quiet,
            Speech::Rising(loud_for) if !packets_loud => Speech::Rising(loud_for.saturating_sub(to - from)),
            Speech::Rising(loud_for) if loud_for + (to - from) >= SPEAKING_AFTER => Speech::Speaking,
            Speech::Rising(loud_for) => Speech::Rising(loud_for + (to - from)),
            Speech::Speaking if quiet && lasted(from, QUIET_AFTER) => Speech::Quiet,
            Speech::Speaking if quiet => Speech::Falling(from),
            Speech::Falling(_) if loud => Speech::Speaking,
            Speech::Falling(since) if lasted(since, QUIET_AFTER) => Speech::Quiet,
            unchanged => unchanged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(20);

    fn start() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "a test needs some instant to begin with")]
        Instant::now()
    }

    /// Packets of one level, 20 ms apart, until the given time.
    fn play(loudness: &mut Loudness, from: Instant, length: Duration, level: u8) -> Instant {
        let mut now = from;
        while now < from + length {
            loudness.on_packet(now, AudioLevel { voice: true, level });
            now += TICK;
        }
        loudness.handle_timeout(now);
        now
    }

    fn delay_until(mut loudness: Loudness, from: Instant, level: Option<u8>, speaking: bool) -> Duration {
        let mut now = from;
        while loudness.is_speaking() != speaking {
            match level {
                Some(level) => loudness.on_packet(now, AudioLevel { voice: true, level }),
                None => loudness.handle_timeout(now),
            }
            now += TICK;
            assert!(now < from + Duration::from_secs(5), "never");
        }
        now - from
    }

    #[test]
    fn a_voice_is_noticed_within_a_quarter_second() {
        for level in [20, 30, 40] {
            let delay = delay_until(Loudness::new(), start(), Some(level), true);
            assert!((100..=250).contains(&delay.as_millis()), "{level}: {delay:?}");
        }
    }

    #[test]
    fn a_key_stroke_is_no_voice() {
        let mut loudness = Loudness::new();
        let now = play(&mut loudness, start(), Duration::from_millis(60), 25);
        let now = play(&mut loudness, now, Duration::from_millis(100), 80);
        assert!(!loudness.is_speaking());
        play(&mut loudness, now, Duration::from_secs(1), 80);
        assert!(!loudness.is_speaking());
    }

    #[test]
    fn typing_is_no_voice() {
        let mut loudness = Loudness::new();
        let mut now = start();
        for _ in 0..20 {
            now = play(&mut loudness, now, Duration::from_millis(40), 30);
            now = play(&mut loudness, now, Duration::from_millis(120), 75);
            assert!(!loudness.is_speaking());
        }
    }

    #[test]
    fn pauses_between_words_are_bridged_and_silence_is_not() {
        let mut loudness = Loudness::new();
        let mut now = play(&mut loudness, start(), Duration::from_secs(1), 30);
        for _ in 0..5 {
            now = play(&mut loudness, now, Duration::from_millis(400), 90);
            assert!(loudness.is_speaking());
            now = play(&mut loudness, now, Duration::from_millis(200), 30);
            assert!(loudness.is_speaking());
        }
        let delay = delay_until(loudness.clone(), now, Some(90), false);
        assert!((500..=1200).contains(&delay.as_millis()), "{delay:?}");
    }

    #[test]
    fn who_stops_sending_stops_speaking() {
        let mut loudness = Loudness::new();
        let now = play(&mut loudness, start(), Duration::from_secs(1), 30);
        let delay = delay_until(loudness.clone(), now, None, false);
        assert!((500..=1200).contains(&delay.as_millis()), "{delay:?}");
        // Also when time is told once only, long after.
        loudness.handle_timeout(now + Duration::from_secs(3));
        assert!(!loudness.is_speaking());
        assert!(loudness.level() > QUIET_LEVEL);
    }

    #[test]
    fn told_by_its_timeouts_only_it_ends() {
        let mut loudness = Loudness::new();
        let now = play(&mut loudness, start(), Duration::from_secs(1), 30);
        let mut steps = 0;
        while let Some(at) = loudness.poll_timeout() {
            loudness.handle_timeout(at);
            steps += 1;
            assert!(steps < 20 && at < now + Duration::from_secs(3));
        }
        assert!(!loudness.is_speaking());
    }

    #[test]
    fn what_is_marked_as_no_voice_counts_less() {
        let (mut voice, mut noise) = (Loudness::new(), Loudness::new());
        let now = start();
        for i in 0..50 {
            voice.on_packet(now + TICK * i, AudioLevel { voice: true, level: 45 });
            noise.on_packet(now + TICK * i, AudioLevel { voice: false, level: 45 });
        }
        assert!(voice.is_speaking());
        assert!(!noise.is_speaking());
        assert!(voice.level() < noise.level());
    }
}
