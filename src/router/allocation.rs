//! Which layer of each wanted video a subscriber gets within the estimate of its link (design §4.6).
//! Pure; knows slots by their order only. Sound is not allocated: it always goes, and comes off the estimate first.

/// Layers of one track at most.
pub const MAX_LAYERS: usize = 3;

/// Room that must be left over the whole sum before a layer goes up, so that it does not go up and down.
const HEADROOM_UP: f64 = 1.15;

/// One wanted video, in the order of importance.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// Bits per second of each layer that arrives now, lowest first; `None` for those that do not.
    pub rates: [Option<u32>; MAX_LAYERS],
    /// The highest layer that the tile can show.
    pub ceiling: u8,
    /// The layer it has now.
    pub current: Option<u8>,
}

impl Ask {
    /// Bits per second of the lowest layer that arrives.
    #[must_use]
    pub fn lowest_rate(&self) -> Option<u32> {
        self.lowest().map(|(_, rate)| rate)
    }

    fn lowest(&self) -> Option<(u8, u32)> {
        (0..).zip(self.rates).find_map(|(layer, rate)| rate.map(|rate| (layer, rate)))
    }
}

/// Gives each ask a layer, or none where the link has no room (or nothing arrives); into `given`, which is cleared.
pub fn allocate(estimate: u32, asks: &[Ask], given: &mut Vec<Option<u8>>) {
    given.clear();
    let mut left = f64::from(estimate);
    for ask in asks {
        // The most important video is shown even over the estimate: one picture late beats none at all.
        let first = given.iter().all(Option::is_none);
        let fits = ask.lowest().filter(|(_, rate)| first || f64::from(*rate) <= left);
        if let Some((_, rate)) = fits {
            left -= f64::from(rate);
        }
        given.push(fits.map(|(layer, _)| layer));
    }
    for (ask, layer) in asks.iter().zip(given.iter_mut()) {
        let Some(lowest) = *layer else { continue };
        let mut have = f64::from(ask.rates[usize::from(lowest)].unwrap_or(0));
        for higher in lowest + 1..=ask.ceiling.min(MAX_LAYERS as u8 - 1) {
            let Some(rate) = ask.rates[usize::from(higher)] else { continue };
            let more = f64::from(rate) - have;
            let going_up = ask.current.is_none_or(|current| higher > current);
            let needed = if going_up { more * HEADROOM_UP } else { more };
            if needed > left {
                break;
            }
            left -= more;
            have = f64::from(rate);
            *layer = Some(higher);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(ceiling: u8, current: Option<u8>) -> Ask {
        Ask { rates: [Some(150_000), Some(500_000), Some(1_700_000)], ceiling, current }
    }

    fn given(estimate: u32, asks: &[Ask]) -> Vec<Option<u8>> {
        let mut given = Vec::new();
        allocate(estimate, asks, &mut given);
        given
    }

    #[test]
    fn a_wide_link_gives_each_tile_what_it_can_show() {
        assert_eq!(given(10_000_000, &[ask(2, None), ask(1, None), ask(0, None)]), [Some(2), Some(1), Some(0)]);
    }

    #[test]
    fn everybody_is_seen_before_anybody_is_sharp() {
        assert_eq!(given(480_000, &[ask(2, None), ask(2, None), ask(2, None)]), [Some(0); 3]);
        assert_eq!(given(1_000_000, &[ask(2, None), ask(2, None)]), [Some(1), Some(0)]);
    }

    #[test]
    fn a_thin_link_shows_fewer_but_always_the_first() {
        assert_eq!(given(310_000, &[ask(2, None), ask(2, None), ask(2, None)]), [Some(0), Some(0), None]);
        assert_eq!(given(50_000, &[ask(2, None), ask(2, None)]), [Some(0), None]);
    }

    #[test]
    fn a_layer_is_kept_on_less_room_than_it_needs_to_begin() {
        assert_eq!(given(1_750_000, &[ask(2, Some(2))]), [Some(2)]);
        assert_eq!(given(1_750_000, &[ask(2, Some(1))]), [Some(1)]);
    }

    #[test]
    fn layers_that_do_not_arrive_are_passed_over() {
        let only_top = Ask { rates: [None, None, Some(900_000)], ceiling: 0, current: None };
        assert_eq!(given(2_000_000, &[only_top]), [Some(2)]);
        let nothing = Ask { rates: [None; 3], ceiling: 2, current: None };
        assert_eq!(given(2_000_000, &[nothing, ask(0, None)]), [None, Some(0)]);
    }
}
