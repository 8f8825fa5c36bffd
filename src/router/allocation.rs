//! Which rung of each wanted video a subscriber gets within the estimate of its link (design §4.6).
//! Pure; knows slots by their order only, and rungs (a size of picture with some or all of its pictures a second) by
//! what they take. Sound is not allocated: it always goes, and comes off the estimate first.

use crate::rtp::scalability::MAX_TEMPORAL;

/// Streams of one track at most.
pub const MAX_LAYERS: usize = 3;

/// What can be given of one track at most: each temporal layer of each.
pub const MAX_RUNGS: usize = MAX_LAYERS * MAX_TEMPORAL as usize;

/// Room that must be left over the whole sum before a rung goes up, so that it does not go up and down.
const HEADROOM_UP: f64 = 1.15;

/// The first video is shown where the link takes this share of its lowest rung.
const FIRST_SHARE: f64 = 0.8;

/// Why a video shows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// It shows something, or has not been looked at yet.
    None,
    /// There was no room for it.
    Room,
    /// There was none just now: it has to wait before it is given any.
    RoomJustNow,
}

/// One wanted video, in the order of importance.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// Bits per second of each rung that there is now, lowest first; `None` for those that do not arrive.
    pub rates: [Option<u32>; MAX_RUNGS],
    /// The highest rung that the tile can show.
    pub ceiling: u8,
    /// The rung it has now.
    pub current: Option<u8>,
    /// Bits per second of what it has now, while that arrives; there may be no rung for that.
    pub going: Option<u32>,
    /// The rung it was given before, which may be on its way.
    pub given: Option<u8>,
    /// Gets its ceiling before those after it get anything: a shared screen, since what nobody can read is not shared.
    pub whole: bool,
    /// Why it has none.
    pub lack: Lack,
}

impl Ask {
    /// Bits per second of the lowest rung.
    #[must_use]
    pub fn lowest_rate(&self) -> Option<u32> {
        self.lowest().map(|(_, rate)| rate)
    }

    /// Whether it is given less than it has, although that arrives and its tile can show it.
    #[must_use]
    pub fn is_squeezed(&self, given: Option<u8>) -> bool {
        self.going.is_some() && given < self.current && self.current <= Some(self.ceiling)
    }

    /// Whether it is given more than it has and was given before.
    #[must_use]
    pub fn is_raised(&self, given: Option<u8>) -> bool {
        given > self.current.max(self.given)
    }

    /// What the rung takes that its tile can show.
    fn highest_rate(&self) -> u32 {
        let wanted = self.rates.iter().take(usize::from(self.ceiling) + 1).rev().find_map(|rate| *rate);
        wanted.or(self.lowest_rate()).unwrap_or(0)
    }

    fn lowest(&self) -> Option<(u8, u32)> {
        (0..).zip(self.rates).find_map(|(layer, rate)| rate.map(|rate| (layer, rate)))
    }
}

/// What was given, and what it would take to give more, in bits per second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allocation {
    /// What all that was given takes.
    pub all: u32,
    /// Of that, what the first lowest rung takes.
    pub first: u32,
    /// The smallest estimate with which more would be given; 0 where nothing is missing.
    pub next: u32,
    /// What everything takes that is asked for.
    pub asked: u32,
}

/// Gives each ask a rung, or none where the link has no room (or nothing arrives); into `given`, which is cleared.
/// While the estimate is only a guess, the first is shown whatever it takes: that is how a link is found out.
pub fn allocate(estimate: u32, guess: bool, asks: &[Ask], given: &mut Vec<Option<u8>>) -> Allocation {
    given.clear();
    let mut left = f64::from(estimate);
    let mut missing: Option<f64> = None;
    let mut note = |more: f64| missing = Some(missing.map_or(more, |least| least.min(more)));
    let mut allocation = Allocation::default();
    for ask in asks {
        // The most important video is shown even somewhat over the estimate: one picture late beats none at all. Far
        // over it, sound would have to wait for pictures.
        let first = given.iter().all(Option::is_none);
        let reach = if first { if guess { f64::INFINITY } else { left / FIRST_SHARE } } else { left };
        // Who had no room comes back with as much over as who goes up.
        let needed = |rate: u32| f64::from(rate) * if ask.lack == Lack::None { 1.0 } else { HEADROOM_UP };
        let fits = ask.lowest().filter(|(_, rate)| ask.lack != Lack::RoomJustNow && needed(*rate) <= reach);
        if let Some((_, rate)) = fits {
            left -= f64::from(rate);
            if first {
                allocation.first = rate;
            }
        } else if let Some((_, rate)) = ask.lowest() {
            note(needed(rate) - left);
        }
        let mut layer = fits.map(|(layer, _)| layer);
        if ask.whole {
            raise(ask, ask.ceiling, &mut layer, &mut left, &mut note);
        }
        given.push(layer);
    }
    for (ask, layer) in asks.iter().zip(given.iter_mut()) {
        allocation.asked = allocation.asked.saturating_add(ask.highest_rate());
        // Everybody moves smoothly before anybody is sharp.
        let smooth = layer.map_or(0, |lowest| lowest / MAX_TEMPORAL * MAX_TEMPORAL + MAX_TEMPORAL - 1);
        raise(ask, smooth.min(ask.ceiling), layer, &mut left, &mut note);
    }
    for (ask, layer) in asks.iter().zip(given.iter_mut()).filter(|(ask, _)| !ask.whole) {
        raise(ask, ask.ceiling, layer, &mut left, &mut note);
    }
    allocation.all = (f64::from(estimate) - left) as u32;
    allocation.next = missing.map_or(0, |more| (f64::from(estimate) + more).ceil() as u32);
    allocation
}

/// Takes an ask as high as this and what is left allow; notes what the next rung lacks.
fn raise(ask: &Ask, ceiling: u8, layer: &mut Option<u8>, left: &mut f64, note: &mut impl FnMut(f64)) {
    let Some(lowest) = *layer else { return };
    let mut have = f64::from(ask.rates[usize::from(lowest)].unwrap_or(0));
    for higher in lowest + 1..=ceiling.min(MAX_RUNGS as u8 - 1) {
        let Some(rate) = ask.rates[usize::from(higher)] else { continue };
        let more = f64::from(rate) - have;
        let going_up = ask.current.is_none_or(|current| higher > current);
        let needed = if going_up { more * HEADROOM_UP } else { more };
        if needed > *left {
            note(needed - *left);
            break;
        }
        *left -= more;
        have = f64::from(rate);
        *layer = Some(higher);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rungs(rates: [Option<u32>; 3]) -> [Option<u32>; MAX_RUNGS] {
        std::array::from_fn(|rung| rates.get(rung).copied().flatten())
    }

    fn ask(ceiling: u8, current: Option<u8>) -> Ask {
        Ask {
            rates: rungs([Some(150_000), Some(500_000), Some(1_700_000)]),
            ceiling,
            current,
            going: None,
            given: None,
            lack: Lack::None,
            whole: false,
        }
    }

    fn given(estimate: u32, asks: &[Ask]) -> Vec<Option<u8>> {
        let mut given = Vec::new();
        let allocation = allocate(estimate, false, asks, &mut given);
        let rates = asks.iter().zip(&given).filter_map(|(ask, layer)| ask.rates[usize::from((*layer)?)]);
        assert_eq!(allocation.all, rates.sum::<u32>());
        given
    }

    #[test]
    fn a_guess_does_not_keep_the_first_picture_away() {
        let only = Ask {
            rates: rungs([Some(2_500_000), None, None]),
            ceiling: 0,
            current: None,
            going: None,
            given: None,
            lack: Lack::None,
            whole: false,
        };
        let mut given = Vec::new();
        allocate(1_000_000, true, &[only, only], &mut given);
        assert_eq!(given, [Some(0), None]);
        allocate(1_000_000, false, &[only, only], &mut given);
        assert_eq!(given, [None, None]);
    }

    #[test]
    fn a_shared_screen_is_whole_before_anybody_else_is_seen() {
        let screen = Ask {
            rates: rungs([Some(60_000), Some(300_000), None]),
            ceiling: 1,
            current: Some(1),
            going: None,
            given: None,
            lack: Lack::None,
            whole: true,
        };
        assert_eq!(given(420_000, &[screen, ask(2, None)]), [Some(1), None], "faces would make it unreadable");
        assert_eq!(given(460_000, &[screen, ask(2, None)]), [Some(1), Some(0)]);
        assert_eq!(given(220_000, &[screen, ask(2, None)]), [Some(0), Some(0)], "what it can't use is for faces");
    }

    /// With exactly what it says is missing, more is given.
    #[test]
    fn it_says_what_it_would_take_to_give_more() {
        let asks = [ask(2, Some(0)), ask(2, Some(0)), ask(1, None)];
        let (mut estimate, mut steps) = (0, Vec::<Vec<Option<u8>>>::new());
        loop {
            let mut given = Vec::new();
            let allocation = allocate(estimate, false, &asks, &mut given);
            assert!(!steps.contains(&given), "{steps:?} and again {given:?} at {estimate}");
            assert_eq!(allocation.asked, 1_700_000 * 2 + 500_000);
            steps.push(given);
            if allocation.next == 0 {
                break;
            }
            assert!(allocation.next > estimate);
            estimate = allocation.next;
        }
        assert_eq!(steps.last(), Some(&vec![Some(2), Some(2), Some(1)]));
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
    fn a_thin_link_shows_fewer_and_the_first_where_that_does_not_drown_the_sound() {
        assert_eq!(given(310_000, &[ask(2, None), ask(2, None), ask(2, None)]), [Some(0), Some(0), None]);
        assert_eq!(given(125_000, &[ask(2, None), ask(2, None)]), [Some(0), None]);
        assert_eq!(given(100_000, &[ask(2, None), ask(2, None)]), [None, None]);
    }

    #[test]
    fn who_gave_way_waits_and_comes_back_with_room_to_spare() {
        let gone = |lack| Ask { lack, ..ask(2, None) };
        assert_eq!(given(470_000, &[ask(0, Some(0)), gone(Lack::RoomJustNow)]), [Some(0), None]);
        assert_eq!(given(310_000, &[ask(0, Some(0)), gone(Lack::Room)]), [Some(0), None]);
        assert_eq!(given(325_000, &[ask(0, Some(0)), gone(Lack::Room)]), [Some(0), Some(0)]);
        // What shows something keeps it on less.
        assert_eq!(given(310_000, &[ask(0, Some(0)), ask(0, Some(0))]), [Some(0); 2]);
        // The first does so, too.
        assert_eq!(given(130_000, &[gone(Lack::Room)]), [None]);
        assert_eq!(given(140_000, &[gone(Lack::Room)]), [Some(0)]);
    }

    #[test]
    fn a_layer_is_kept_on_less_room_than_it_needs_to_begin() {
        assert_eq!(given(1_750_000, &[ask(2, Some(2))]), [Some(2)]);
        assert_eq!(given(1_750_000, &[ask(2, Some(1))]), [Some(1)]);
    }

    /// Three cameras of Chromium's: 7.5, 15 and 30 pictures a second of 180 lines, 15 and 30 of 360.
    #[test]
    fn fewer_pictures_a_second_are_better_than_none_of_somebody() {
        let rates = [60, 90, 150, 0, 350, 500].map(|kbit: u32| (kbit > 0).then_some(kbit * 1000));
        let rates = std::array::from_fn(|rung| rates.get(rung).copied().flatten());
        let ask = Ask { rates, ceiling: 5, current: None, going: None, given: None, lack: Lack::None, whole: false };
        let steps = |estimate| {
            let mut given = Vec::new();
            allocate(estimate, false, &[ask; 3], &mut given);
            given
        };
        assert_eq!(steps(180_000), [Some(0); 3]);
        assert_eq!(steps(250_000), [Some(1), Some(1), Some(0)]);
        assert_eq!(steps(480_000), [Some(2); 3], "nobody is sharp before all move");
        assert_eq!(steps(700_000), [Some(4), Some(2), Some(2)]);
        assert_eq!(steps(900_000), [Some(5), Some(2), Some(2)]);
        assert_eq!(steps(2_000_000), [Some(5); 3]);
    }

    #[test]
    fn what_is_on_its_way_up_goes_up_once() {
        let ask = Ask { given: Some(1), ..ask(2, Some(0)) };
        assert_eq!([0, 1, 2].map(|rung| ask.is_raised(Some(rung))), [false, false, true]);
        assert!(!ask.is_raised(None));
        assert!(Ask { current: None, given: None, ..ask }.is_raised(Some(0)));
    }

    #[test]
    fn layers_that_do_not_arrive_are_passed_over() {
        let only_top = Ask {
            rates: rungs([None, None, Some(900_000)]),
            ceiling: 0,
            current: None,
            going: None,
            given: None,
            lack: Lack::None,
            whole: false,
        };
        assert_eq!(given(2_000_000, &[only_top]), [Some(2)]);
        let nothing = Ask {
            rates: [None; MAX_RUNGS],
            ceiling: 2,
            current: None,
            going: None,
            given: None,
            lack: Lack::None,
            whole: false,
        };
        assert_eq!(given(2_000_000, &[nothing, ask(0, None)]), [None, Some(0)]);
    }
}
