//! Tests of `speakers`. Knows only what the module shows.

use super::*;
use proptest::prelude::*;

const STEP: Duration = Duration::from_millis(100);

fn start() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to begin with")]
    Instant::now()
}

const fn silent(key: u32) -> Candidate<u32> {
    Candidate { key, level: 80.0, loud: false, speaking: false }
}

const fn speaking(key: u32, level: f32) -> Candidate<u32> {
    Candidate { key, level, loud: true, speaking: true }
}

fn chosen(speakers: &Speakers<u32>) -> Vec<u32> {
    speakers.chosen().collect()
}

#[test]
fn everybody_is_chosen_while_there_is_room() {
    let mut speakers = Speakers::new(3);
    assert!(speakers.update(start(), [silent(1), silent(2)].into_iter()));
    assert_eq!(chosen(&speakers), [1, 2]);
    assert_eq!(speakers.speaking().count(), 0);
    assert!(!speakers.update(start(), [silent(2), silent(1)].into_iter()));
}

#[test]
fn the_loudest_come_first() {
    let mut speakers = Speakers::new(3);
    let all = [speaking(1, 40.0), silent(2), speaking(3, 20.0), speaking(4, 30.0)];
    assert!(speakers.update(start(), all.into_iter()));
    assert_eq!(chosen(&speakers), [3, 4, 1]);
    assert_eq!(speakers.speaking().collect::<Vec<_>>(), [3, 4, 1]);
}

#[test]
fn a_new_voice_displaces_the_silent_after_their_hold() {
    let (mut speakers, now) = (Speakers::new(2), start());
    speakers.update(now, [silent(1), silent(2)].into_iter());
    let begins = Candidate { speaking: false, ..speaking(3, 40.0) };
    assert!(!speakers.update(now + MIN_HOLD / 2, [silent(1), silent(2), begins].into_iter()));
    // Its very first loud moment counts, so that its first word is not cut.
    assert!(speakers.update(now + MIN_HOLD, [silent(1), silent(2), begins].into_iter()));
    assert!(speakers.is_chosen(3));
    assert!(!speakers.update(now + MIN_HOLD, [silent(1), silent(2), begins].into_iter()));
}

#[test]
fn two_voices_of_about_the_same_loudness_do_not_take_turns() {
    let (mut speakers, now) = (Speakers::new(1), start());
    speakers.update(now, [speaking(1, 30.0)].into_iter());
    for i in 1..100u16 {
        let wobble = if i % 2 == 0 { 4.0 } else { -4.0 };
        let both = [speaking(1, 30.0 + wobble), speaking(2, 30.0)];
        assert!(!speakers.update(now + STEP * i.into(), both.into_iter()));
    }
    assert!(speakers.update(now + STEP * 100, [speaking(1, 36.0), speaking(2, 30.0)].into_iter()));
    assert_eq!(chosen(&speakers), [2]);
}

#[test]
fn the_order_does_not_flap() {
    let (mut speakers, now) = (Speakers::new(2), start());
    speakers.update(now, [speaking(1, 30.0), speaking(2, 33.5)].into_iter());
    assert_eq!(chosen(&speakers), [1, 2]);
    assert!(!speakers.update(now + STEP, [speaking(1, 32.0), speaking(2, 30.0)].into_iter()));
    assert!(speakers.update(now + STEP, [speaking(1, 34.0), speaking(2, 30.0)].into_iter()));
    assert_eq!(chosen(&speakers), [2, 1]);
}

#[test]
fn who_left_frees_a_slot_at_once() {
    let (mut speakers, now) = (Speakers::new(1), start());
    speakers.update(now, [speaking(1, 30.0), silent(2)].into_iter());
    assert!(speakers.update(now, [silent(2)].into_iter()));
    assert_eq!(chosen(&speakers), [2]);
    assert!(speakers.update(now, std::iter::empty()));
    assert_eq!(chosen(&speakers), [0_u32; 0]);
}

proptest! {
    #[test]
    fn the_choice_is_full_fitting_and_held(
        rounds in prop::collection::vec(prop::collection::vec((20..90u8, any::<bool>()), 8), 1..60),
    ) {
        let (mut speakers, mut now) = (Speakers::new(3), start());
        let mut since = std::collections::HashMap::new();
        for levels in rounds {
            now += STEP;
            let candidates = levels.iter().enumerate().map(|(key, &(level, speaking))| {
                let loud = level <= 50;
                Candidate { key: key as u32, level: level.into(), loud, speaking: loud && speaking }
            });
            let before = chosen(&speakers);
            let changed = speakers.update(now, candidates);
            let after = chosen(&speakers);
            prop_assert_eq!(changed, before != after);
            prop_assert_eq!(after.len(), 3);
            for key in &after {
                since.entry(*key).or_insert(now);
            }
            for key in before.iter().filter(|key| !after.contains(key)) {
                prop_assert!(now - since.remove(key).unwrap() >= MIN_HOLD);
            }
            let speaking: Vec<_> = speakers.speaking().collect();
            prop_assert_eq!(&after[..speaking.len()], &speaking[..]);
        }
    }
}
