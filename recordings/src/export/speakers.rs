//! Who is shown as the speaker, and from when on: a cough moves nobody, and since all is known beforehand, whoever speaks
//! is there with the first word. Knows no pictures.

/// Speaks for so long, or is not shown for it.
const WORTH_MS: u64 = 1_000;
/// Is shown for so long at least.
const STAYS_MS: u64 = 2_000;

/// From when on who is shown, of `speaking` (from when on who spoke, the loudest first).
pub(super) fn speakers(speaking: &[(u64, Vec<u32>)], duration_ms: u64) -> Vec<(u64, u32)> {
    let mut shown: Vec<(u64, u32)> = Vec::new();
    for (i, (at, participants)) in speaking.iter().enumerate() {
        let Some(first) = participants.first() else { continue };
        let settled = shown.last().is_none_or(|(since, _)| *at >= since.saturating_add(STAYS_MS));
        let goes_on = shown.last().is_some_and(|(_, last)| participants.contains(last));
        if shown.last().is_some_and(|(_, last)| last == first) || (goes_on && !settled) {
            continue;
        }
        // Until they are silent, whoever else is louder meanwhile.
        let stops = speaking[i..].iter().find(|(_, later)| !later.contains(first)).map_or(duration_ms, |(at, _)| *at);
        if stops.saturating_sub(*at) < WORTH_MS {
            continue;
        }
        let from = shown.last().map_or(*at, |(since, _)| (*at).max(since.saturating_add(STAYS_MS)));
        if from < stops {
            shown.push((from, *first));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_speaks_is_there_with_the_first_word_and_a_cough_moves_nobody() {
        let speaking = [
            (1_000, vec![1]),
            (5_000, vec![2, 1]),
            (5_300, vec![1]),
            (9_000, vec![]),
            (10_000, vec![2]),
            (10_900, vec![3, 2]),
            (14_000, vec![3]),
            (20_000, vec![]),
        ];
        assert_eq!(speakers(&speaking, 30_000), [(1_000, 1), (10_000, 2), (14_000, 3)]);
        assert_eq!(speakers(&[(500, vec![9])], 1_200), [], "too short to be shown");
        assert_eq!(speakers(&[], 10_000), []);
    }
}
