//! Whose sound everybody gets (the loudest, design §4.6) and who is said to speak. Knows tracks by number only.
//!
//! A voice that begins to speak is taken in with its first loud packet, in place of the one that has been
//! quiet longest, so that no word is cut; while all that are in speak, only a clearly louder one gets in.

use std::time::{Duration, Instant};

/// One more than a listener has slots, since nobody gets his own.
const SELECTED: usize = 6;

/// Louder than this (dBov, negative of RFC 6464's number) counts as speech.
const SPEECH: f32 = -50.0;

/// Who has been louder for this long speaks: a cough does not move the page.
const BEGINS_AFTER: Duration = Duration::from_millis(160);

/// Who has been quiet for this long does not speak any more: pauses between words are no end.
const ENDS_AFTER: Duration = Duration::from_millis(800);

/// How much louder than the quietest that speaks somebody must be to take its place.
const CLEARLY: f32 = 9.0;

/// Where the client sends no levels every packet counts as this loud: it would not send silence (DTX).
const UNKNOWN_LEVEL: f32 = -40.0;

#[derive(Debug, Clone, Copy)]
struct Voice {
    track: u32,
    /// Smoothed, in dBov.
    level: f32,
    loud_since: Option<Instant>,
    last_loud: Option<Instant>,
    selected: bool,
    speaking: bool,
}

/// What [`Voices::poll`] found changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changed {
    /// Whose sound is forwarded.
    pub selection: bool,
    /// Who speaks, or in which order.
    pub speakers: bool,
}

/// The voices of one router.
#[derive(Debug, Default)]
pub struct Voices {
    voices: Vec<Voice>,
    order: Vec<u32>,
    changed: Changed,
}

impl Voices {
    /// A packet of a microphone with its RFC 6464 level byte.
    /// Returns whether the selection changed with it, so that its very words are heard.
    pub fn handle_packet(&mut self, now: Instant, track: u32, level: Option<u8>) -> bool {
        let level = level.map_or(UNKNOWN_LEVEL, |byte| -f32::from(byte & 0x7f));
        let index = self.index(track);
        let voice = &mut self.voices[index];
        // Up at once, down slowly: a word has gaps.
        let factor = if level > voice.level { 0.6 } else { 0.05 };
        voice.level += (level - voice.level) * factor;
        if level > SPEECH {
            voice.loud_since.get_or_insert(now);
            voice.last_loud = Some(now);
        }
        if voice.selected || level <= SPEECH {
            return false;
        }
        let candidate = voice.level;
        let changed = self.take_in(now, index, candidate);
        self.changed.selection |= changed;
        changed
    }

    fn index(&mut self, track: u32) -> usize {
        if let Some(index) = self.voices.iter().position(|voice| voice.track == track) {
            return index;
        }
        let selected = self.voices.iter().filter(|voice| voice.selected).count() < SELECTED;
        self.changed.selection |= selected;
        self.voices.push(Voice { track, level: -127.0, loud_since: None, last_loud: None, selected, speaking: false });
        self.voices.len() - 1
    }

    fn take_in(&mut self, now: Instant, index: usize, level: f32) -> bool {
        if self.voices.iter().filter(|voice| voice.selected).count() < SELECTED {
            self.voices[index].selected = true;
            return true;
        }
        let quiet = |voice: &Voice| voice.last_loud.is_none_or(|at| now.saturating_duration_since(at) > ENDS_AFTER);
        let selected = || (0..).zip(&self.voices).filter(|(_, voice)| voice.selected);
        let longest_quiet = selected().filter(|(_, voice)| quiet(voice)).min_by_key(|(_, voice)| voice.last_loud);
        let quietest = selected()
            .min_by(|(_, a), (_, b)| a.level.total_cmp(&b.level))
            .filter(|(_, voice)| level > voice.level + CLEARLY);
        let Some((out, _)) = longest_quiet.or(quietest) else { return false };
        let out: usize = out;
        self.voices[out].selected = false;
        self.voices[index].selected = true;
        true
    }

    /// A track ended or was muted.
    pub fn remove(&mut self, track: u32) {
        let before = self.voices.len();
        self.voices.retain(|voice| voice.track != track);
        if self.voices.len() != before {
            self.changed.selection = true;
            self.changed.speakers |= self.order.contains(&track);
            self.order.retain(|other| *other != track);
        }
    }

    /// Judges who speaks now; what changed since the last call.
    pub fn poll(&mut self, now: Instant) -> Changed {
        for voice in &mut self.voices {
            let quiet = voice.last_loud.is_none_or(|at| now.saturating_duration_since(at) > ENDS_AFTER);
            if quiet {
                voice.loud_since = None;
            }
            let long = voice.loud_since.is_some_and(|at| now.saturating_duration_since(at) >= BEGINS_AFTER);
            voice.speaking = !quiet && (voice.speaking || long);
        }
        let speaking = self.voices.iter().filter(|voice| voice.speaking).count();
        let known = self.order.iter().filter(|track| self.speaks(**track)).count();
        if speaking != known || known != self.order.len() {
            self.order.clear();
            self.order.extend(self.voices.iter().filter(|voice| voice.speaking).map(|voice| voice.track));
            let voices = &self.voices;
            let level = |track: &u32| voices.iter().find(|voice| voice.track == *track).map_or(-127.0, |v| v.level);
            self.order.sort_by(|a, b| level(b).total_cmp(&level(a)));
            self.changed.speakers = true;
        }
        std::mem::take(&mut self.changed)
    }

    fn speaks(&self, track: u32) -> bool {
        self.voices.iter().any(|voice| voice.track == track && voice.speaking)
    }

    /// Whose sound is forwarded.
    pub fn selected(&self) -> impl Iterator<Item = u32> + '_ {
        self.voices.iter().filter(|voice| voice.selected).map(|voice| voice.track)
    }

    /// Who speaks, loudest first.
    pub fn speaking(&self) -> impl Iterator<Item = u32> + '_ {
        self.order.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of a test")]
    fn start() -> Instant {
        Instant::now()
    }

    fn say(voices: &mut Voices, from: Instant, ms: u64, track: u32, level: u8) -> Instant {
        let mut now = from;
        for packet in 0..ms / 20 {
            now = from + Duration::from_millis(packet * 20);
            voices.handle_packet(now, track, Some(level));
        }
        now
    }

    #[test]
    fn a_new_voice_takes_the_place_of_the_one_quiet_longest_with_its_first_word() {
        let start = start();
        let mut voices = Voices::default();
        let mut now = start;
        for track in 0..6 {
            now = say(&mut voices, now, 400, track, 20);
        }
        assert_eq!(voices.selected().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
        assert!(!voices.handle_packet(now, 9, Some(90)), "silence gets nobody in");
        assert!(voices.handle_packet(now, 9, Some(25)));
        assert_eq!(voices.selected().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 9]);
    }

    #[test]
    fn who_speaks_begins_after_a_moment_and_ends_after_a_pause() {
        let start = start();
        let mut voices = Voices::default();
        say(&mut voices, start, 60, 3, 30);
        assert!(!voices.poll(start + Duration::from_millis(60)).speakers);
        let now = say(&mut voices, start + Duration::from_millis(60), 300, 3, 30);
        assert!(voices.poll(now).speakers);
        assert_eq!(voices.speaking().collect::<Vec<_>>(), [3]);
        assert!(!voices.poll(now + ENDS_AFTER).speakers);
        assert!(voices.poll(now + ENDS_AFTER + Duration::from_millis(1)).speakers);
        assert_eq!(voices.speaking().count(), 0);
    }

    #[test]
    fn while_all_speak_only_a_clearly_louder_voice_gets_in() {
        let start = start();
        let mut voices = Voices::default();
        for packet in 0..20 {
            for track in 0..6 {
                voices.handle_packet(start + Duration::from_millis(packet * 20), track, Some(30));
            }
        }
        let now = start + Duration::from_millis(400);
        assert!(!(0..5).any(|_| voices.handle_packet(now, 7, Some(28))));
        assert!((0..5).any(|_| voices.handle_packet(now, 8, Some(8))));
    }
}
