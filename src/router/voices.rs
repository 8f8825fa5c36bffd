//! Whose sound everybody gets (the loudest, design §4.6) and who is said to speak: the loudness of each
//! microphone and the choice among them. Knows tracks by number only.

use crate::rtp::extension::AudioLevel;
use crate::rtp::speakers::Candidate;
use crate::rtp::{Loudness, Speakers};
use std::time::Instant;

/// One more than a listener has slots, since nobody gets his own.
const SELECTED: usize = 6;

/// Where the client sends no levels its packets count as speech of this level: it would not send silence (DTX).
const UNKNOWN_LEVEL: u8 = 40;

struct Voice {
    track: u32,
    loudness: Loudness,
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
pub struct Voices {
    voices: Vec<Voice>,
    speakers: Speakers<u32>,
    reported: Vec<u32>,
    selection_changed: bool,
}

impl Default for Voices {
    fn default() -> Self {
        Self {
            voices: Vec::new(),
            speakers: Speakers::new(SELECTED),
            reported: Vec::with_capacity(SELECTED),
            selection_changed: false,
        }
    }
}

impl Voices {
    /// A packet of a microphone with its RFC 6464 level byte. Whether the selection changed with it: a voice that
    /// begins is taken in with its first loud packet, so that no word is cut.
    pub fn handle_packet(&mut self, now: Instant, track: u32, level: Option<u8>) -> bool {
        let parsed = AudioLevel::parse(&[level.unwrap_or(0x80 | UNKNOWN_LEVEL)]);
        let index = self.voices.iter().position(|voice| voice.track == track).unwrap_or_else(|| {
            self.voices.push(Voice { track, loudness: Loudness::new() });
            self.voices.len() - 1
        });
        let voice = &mut self.voices[index];
        if let Some(level) = parsed {
            voice.loudness.on_packet(now, level);
        }
        if self.speakers.is_chosen(track) || !(voice.loudness.is_loud() || self.voices.len() <= SELECTED) {
            return false;
        }
        let changed = self.choose(now);
        self.selection_changed |= changed;
        changed
    }

    /// Whether who is chosen changed; a new order alone is none.
    fn choose(&mut self, now: Instant) -> bool {
        let before = self.chosen_sum();
        self.speakers.update(
            now,
            self.voices.iter().map(|voice| Candidate {
                key: voice.track,
                level: voice.loudness.level(),
                loud: voice.loudness.is_loud(),
                speaking: voice.loudness.is_speaking(),
            }),
        );
        before != self.chosen_sum()
    }

    /// Which tracks are chosen, whatever their order, in one comparable value.
    fn chosen_sum(&self) -> [u32; SELECTED] {
        let mut chosen = [u32::MAX; SELECTED];
        for (place, track) in chosen.iter_mut().zip(self.speakers.chosen()) {
            *place = track;
        }
        chosen.sort_unstable();
        chosen
    }

    /// A track ended or was muted.
    pub fn remove(&mut self, now: Instant, track: u32) {
        self.voices.retain(|voice| voice.track != track);
        self.selection_changed |= self.choose(now);
    }

    /// Judges who speaks now; what changed since the last call.
    pub fn poll(&mut self, now: Instant) -> Changed {
        for voice in &mut self.voices {
            voice.loudness.handle_timeout(now);
        }
        let selection = self.choose(now) | std::mem::take(&mut self.selection_changed);
        let speakers = !self.speakers.speaking().eq(self.reported.iter().copied());
        if speakers {
            self.reported.clear();
            self.reported.extend(self.speakers.speaking());
        }
        Changed { selection, speakers }
    }

    /// Whose sound is forwarded.
    pub fn selected(&self) -> impl Iterator<Item = u32> + '_ {
        self.speakers.chosen()
    }

    /// Who speaks, loudest first.
    pub fn speaking(&self) -> impl Iterator<Item = u32> + '_ {
        self.speakers.speaking()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of a test")]
    fn start() -> Instant {
        Instant::now()
    }

    fn say(voices: &mut Voices, from: Instant, ms: u64, track: u32, level: u8) -> Instant {
        for packet in 0..ms / 20 {
            voices.handle_packet(from + Duration::from_millis(packet * 20), track, Some(level));
        }
        from + Duration::from_millis(ms)
    }

    fn selected(voices: &Voices) -> Vec<u32> {
        let mut selected: Vec<u32> = voices.selected().collect();
        selected.sort_unstable();
        selected
    }

    #[test]
    fn in_a_small_meeting_everybody_is_heard_from_the_first_packet() {
        let mut voices = Voices::default();
        for track in 0..6 {
            assert!(voices.handle_packet(start(), track, Some(127)));
        }
        assert_eq!(selected(&voices), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_new_voice_gets_in_with_its_first_word_and_silence_gets_nobody_in() {
        let mut voices = Voices::default();
        let mut now = start();
        for track in 0..6 {
            now = say(&mut voices, now, 400, track, 20);
        }
        now += Duration::from_secs(2);
        voices.poll(now);
        assert!(!voices.handle_packet(now, 9, Some(90)));
        let word = (0..6).any(|packet| voices.handle_packet(now + Duration::from_millis(packet * 20), 9, Some(25)));
        assert!(word, "it waits for no tick");
        assert!(selected(&voices).contains(&9));
    }

    #[test]
    fn who_speaks_is_told_once_and_so_is_the_end() {
        let mut voices = Voices::default();
        let now = say(&mut voices, start(), 400, 3, 30);
        assert!(voices.poll(now).speakers);
        assert_eq!(voices.speaking().collect::<Vec<_>>(), [3]);
        assert!(!voices.poll(now).speakers);
        assert!(voices.poll(now + Duration::from_secs(2)).speakers);
        assert_eq!(voices.speaking().count(), 0);
    }
}
