//! Which track stands in which receive slot (design §4.6). Pure; knows tracks and slots by number only.

/// Points slots at the wanted tracks with as few changes as possible: a wanted track keeps its slot, a
/// new one takes a free one, in the order of the wishes; those for whom none is left go without.
/// Returns whether anything changed.
pub fn assign<T: Copy + PartialEq>(slots: &mut [Option<T>], wanted: &[T]) -> bool {
    let wanted = &wanted[..wanted.len().min(slots.len())];
    let mut changed = false;
    for slot in slots.iter_mut() {
        if slot.is_some_and(|track| !wanted.contains(&track)) {
            *slot = None;
            changed = true;
        }
    }
    for track in wanted {
        if slots.contains(&Some(*track)) {
            continue;
        }
        if let Some(free) = slots.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(*track);
            changed = true;
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::assign;
    use proptest::prelude::*;

    #[test]
    fn who_is_still_wanted_keeps_the_slot() {
        let mut slots = [Some('a'), Some('b'), Some('c'), None];
        assert!(assign(&mut slots, &['d', 'c', 'e', 'a']));
        assert_eq!(slots, [Some('a'), Some('d'), Some('c'), Some('e')]);
        assert!(!assign(&mut slots, &['e', 'a', 'd', 'c']));
    }

    #[test]
    fn the_first_wishes_win_when_slots_are_few() {
        let mut slots = [Some('a'), Some('b')];
        assert!(assign(&mut slots, &['c', 'd', 'a', 'b']));
        assert_eq!(slots, [Some('c'), Some('d')]);
    }

    proptest! {
        #[test]
        fn every_wish_that_fits_has_exactly_one_slot(
            before in prop::collection::vec(prop::option::of(0_u8..12), 1..9),
            wanted in prop::collection::hash_set(0_u8..12, 0..12),
        ) {
            let mut before = before;
            let mut seen = Vec::new();
            for slot in &mut before {
                if slot.is_some_and(|track| seen.contains(&track)) { *slot = None; }
                seen.extend(*slot);
            }
            let wanted: Vec<u8> = wanted.into_iter().collect();
            let mut slots = before.clone();
            assign(&mut slots, &wanted);
            for (index, track) in wanted.iter().enumerate() {
                let places = slots.iter().filter(|slot| **slot == Some(*track)).count();
                prop_assert_eq!(places, usize::from(index < slots.len()));
            }
            for (place, track) in slots.iter().enumerate() {
                if let Some(track) = track && before.contains(&Some(*track)) {
                    prop_assert_eq!(before[place], Some(*track));
                }
            }
        }
    }
}
