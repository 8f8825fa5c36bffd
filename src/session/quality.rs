//! How good a connection is in each direction, in the steps that people read, and why. Knows only loss, round trips
//! and whether the link has room for what is wanted.

use signaling::protocol::{Cause, Condition, Link, Quality};
use std::time::{Duration, Instant};

/// A worse step is told when it has held this long: a lost packet is no news.
const WORSE_AFTER: Duration = Duration::from_secs(2);

/// A better step is told later: who reads that all is well wants to rely on it.
const BETTER_AFTER: Duration = Duration::from_secs(5);

/// Figures that change while the step stays are told again so often at most.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Shares lost from which loss can be noticed in spite of repair; and from which it is hardly usable.
const FAIR_LOSS: f32 = 0.04;
const POOR_LOSS: f32 = 0.15;

/// Milliseconds from which people begin to talk over each other; and from which talk breaks down.
const FAIR_DELAY: f32 = 300.0;
const POOR_DELAY: f32 = 700.0;

/// A step is left only below this share of what leads to it.
const LEAVE: f32 = 0.75;

/// For so long the link must have no room for what is wanted: layers change all the time.
const THIN_AFTER: Duration = Duration::from_secs(6);

/// What carries more than this is not thin, whatever else is wanted of it, in bits per second.
const THIN: u32 = 2_500_000;

/// What carries less than this has no room for any picture but the smallest.
const VERY_THIN: u32 = 150_000;

/// Of how many in a row loss is averaged: reports of the peer come per stream, ours once a second.
const UPLINK_GAIN: f32 = 0.3;
const DOWNLINK_GAIN: f32 = 0.1;

/// How good both directions of a connection are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Conditions {
    /// What others notice of it: its uplink, and how long everything takes.
    pub uplink: Condition,
    /// What only its participant notices.
    pub downlink: Condition,
    /// What the downlink carries, in kbit/s.
    pub downlink_kbps: Option<u32>,
}

/// The quality of one connection.
#[derive(Debug, Default)]
pub(super) struct QualityMeter {
    uplink_loss: f32,
    downlink_loss: f32,
    round_trip: Option<f32>,
    estimate: Option<u32>,
    lacking_since: Option<Instant>,
    thin: bool,
    uplink: Steady,
    downlink: Steady,
    kbps: Option<(u32, Instant)>,
}

/// A condition that is told when it has held.
#[derive(Debug, Default)]
struct Steady {
    told: Condition,
    told_at: Option<Instant>,
    candidate: Option<(Quality, Instant)>,
}

impl Steady {
    /// Whether there is news to tell.
    fn look(&mut self, now: Instant, judged: Condition) -> bool {
        if judged.quality == self.told.quality {
            self.candidate = None;
            let recent = self.told_at.is_some_and(|at| now.saturating_duration_since(at) < AGAIN_AFTER);
            if recent || !differ(judged.cause, self.told.cause) {
                return false;
            }
        } else {
            let since = match self.candidate {
                // Worse and worse still is worse for the whole time.
                Some((candidate, since)) if (candidate > self.told.quality) == (judged.quality > self.told.quality) => {
                    since
                }
                _ => now,
            };
            self.candidate = Some((judged.quality, since));
            let holds = if judged.quality > self.told.quality { WORSE_AFTER } else { BETTER_AFTER };
            if now.saturating_duration_since(since) < holds {
                return false;
            }
        }
        *self = Self { told: judged, told_at: Some(now), candidate: None };
        true
    }
}

/// Whether the figures or what they are of changed so that somebody would care.
fn differ(one: Option<Cause>, other: Option<Cause>) -> bool {
    let apart = |one: u32, other: u32| one.abs_diff(other) * 4 > one.max(other);
    match (one, other) {
        (Some(Cause::Loss { link, percent }), Some(Cause::Loss { link: before, percent: old })) => {
            link != before || apart(u32::from(percent), u32::from(old))
        }
        (Some(Cause::Delay { ms }), Some(Cause::Delay { ms: old })) => apart(u32::from(ms), u32::from(old)),
        (Some(Cause::Thin { link, kbps }), Some(Cause::Thin { link: before, kbps: old })) => {
            link != before || apart(kbps, old)
        }
        (one, other) => one != other,
    }
}

/// The step of a figure, with some reluctance to leave the one that was told.
fn step(value: f32, (fair, poor): (f32, f32), told: Quality) -> Quality {
    let from = |limit: f32, quality: Quality| if told >= quality { limit * LEAVE } else { limit };
    if value >= from(poor, Quality::Poor) {
        Quality::Poor
    } else if value >= from(fair, Quality::Fair) {
        Quality::Fair
    } else {
        Quality::Good
    }
}

/// Two digits say all that a person wants to know.
fn rounded(value: u32) -> u32 {
    let unit = 10_u32.pow(value.checked_ilog10().unwrap_or(0).saturating_sub(1));
    (value + unit / 2) / unit * unit
}

impl QualityMeter {
    /// What share of the peer's packets was lost since our last report.
    pub(super) fn handle_uplink(&mut self, lost: f32) {
        self.uplink_loss += (lost - self.uplink_loss) * UPLINK_GAIN;
    }

    /// What the peer's receiver reports say, the loss in 256ths.
    pub(super) fn handle_downlink(&mut self, fraction_lost: u8, round_trip: Option<Duration>) {
        self.downlink_loss += (f32::from(fraction_lost) / 256.0 - self.downlink_loss) * DOWNLINK_GAIN;
        if let Some(measured) = round_trip {
            let measured = measured.as_secs_f32() * 1000.0;
            let before = self.round_trip.unwrap_or(measured);
            self.round_trip = Some(before + (measured - before) / 4.0);
        }
    }

    /// What the downlink carries in bits per second, where that is more than a guess, and whether some of what is
    /// wanted has no room on it.
    pub(super) fn handle_room(&mut self, now: Instant, estimate: Option<u32>, lacking: bool) {
        self.estimate = estimate;
        let thin = lacking && estimate.is_some_and(|estimate| estimate < THIN);
        self.lacking_since = thin.then(|| self.lacking_since.unwrap_or(now));
        self.thin = self.lacking_since.is_some_and(|since| now.saturating_duration_since(since) >= THIN_AFTER);
    }

    fn loss(&self, link: Link) -> Condition {
        let (loss, told) = match link {
            Link::Uplink => (self.uplink_loss, self.uplink.told),
            Link::Downlink => (self.downlink_loss, self.downlink.told),
        };
        let told = if matches!(told.cause, Some(Cause::Loss { .. })) { told.quality } else { Quality::Good };
        let percent = (loss * 100.0).round().clamp(1.0, 100.0) as u8;
        bad(step(loss, (FAIR_LOSS, POOR_LOSS), told), Cause::Loss { link, percent })
    }

    fn delay(&self) -> Condition {
        let told = self.uplink.told;
        let told = if matches!(told.cause, Some(Cause::Delay { .. })) { told.quality } else { Quality::Good };
        let ms = self.round_trip.unwrap_or(0.0);
        let cause = Cause::Delay { ms: rounded(ms.clamp(0.0, 60_000.0) as u32) as u16 };
        bad(step(ms, (FAIR_DELAY, POOR_DELAY), told), cause)
    }

    fn thinness(&self) -> Condition {
        let estimate = self.estimate.unwrap_or(0);
        let quality = match self.thin {
            false => Quality::Good,
            true if estimate < VERY_THIN => Quality::Poor,
            true => Quality::Fair,
        };
        bad(quality, Cause::Thin { link: Link::Downlink, kbps: rounded(estimate / 1000) })
    }

    /// The conditions, where they changed and that has held.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Conditions> {
        let uplink = self.loss(Link::Uplink).or_worse(self.delay());
        let downlink = self.thinness().or_worse(self.loss(Link::Downlink));
        let mut news = self.uplink.look(now, uplink);
        news |= self.downlink.look(now, downlink);
        if let Some(estimate) = self.estimate {
            let kbps = rounded(estimate / 1000);
            let due = self.kbps.is_none_or(|(told, at)| {
                now.saturating_duration_since(at) >= AGAIN_AFTER && kbps.abs_diff(told) * 5 > told
            });
            if due {
                self.kbps = Some((kbps, now));
                news = true;
            }
        }
        news.then(|| Conditions {
            uplink: self.uplink.told,
            downlink: self.downlink.told,
            downlink_kbps: self.kbps.map(|(kbps, _)| kbps),
        })
    }
}

fn bad(quality: Quality, cause: Cause) -> Condition {
    Condition { quality, cause: (quality > Quality::Good).then_some(cause) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of a test")]
    fn start() -> Instant {
        Instant::now()
    }

    /// What is told at four looks a second, while `each` says every second how the link is.
    fn told(seconds: u64, mut each: impl FnMut(u64, &mut QualityMeter, Instant)) -> Vec<(u64, Conditions)> {
        let start = start();
        let mut meter = QualityMeter::default();
        let mut all = Vec::new();
        for quarter in 0..seconds * 4 {
            let now = start + Duration::from_millis(quarter * 250);
            if quarter % 4 == 0 {
                each(quarter / 4, &mut meter, now);
            }
            all.extend(meter.poll(now).map(|conditions| (quarter / 4, conditions)));
        }
        all
    }

    #[test]
    fn loss_that_lasts_is_told_once_with_its_figure_and_so_is_its_end() {
        let told = told(60, |second, meter, _| {
            meter.handle_uplink(if (10..30).contains(&second) { 0.24 } else { 0.0 });
        });
        let qualities: Vec<_> = told.iter().map(|(_, all)| all.uplink.quality).collect();
        assert_eq!(*qualities.first().expect("told"), Quality::Poor, "{told:?}");
        assert_eq!(*qualities.last().expect("told"), Quality::Good, "{told:?}");
        assert!(told.len() <= 4, "{told:?}");
        let Some(Cause::Loss { link: Link::Uplink, percent }) = told[0].1.uplink.cause else { panic!("{told:?}") };
        assert!((15..=24).contains(&percent), "{percent}");
        assert!(told.iter().all(|(_, all)| all.downlink == Condition::GOOD), "{told:?}");
        assert!((12..=16).contains(&told[0].0), "{told:?}");
    }

    #[test]
    fn a_link_at_the_edge_of_a_step_is_no_flood() {
        let told = told(300, |second, meter, _| meter.handle_uplink(if second % 2 == 0 { 0.035 } else { 0.046 }));
        assert!(told.len() <= 1, "{told:?}");
        let told = self::told(300, |second, meter, _| {
            let ms = if second % 20 < 10 { 200 } else { 420 };
            meter.handle_downlink(0, Some(Duration::from_millis(ms)));
        });
        assert!(told.len() <= 32, "{}", told.len());
    }

    #[test]
    fn a_long_way_is_told_as_delay() {
        let told = told(20, |_, meter, _| meter.handle_downlink(0, Some(Duration::from_millis(484))));
        let expected = Condition { quality: Quality::Fair, cause: Some(Cause::Delay { ms: 480 }) };
        assert_eq!(told.iter().map(|(_, all)| all.uplink).collect::<Vec<_>>(), [expected]);
    }

    #[test]
    fn a_downlink_is_thin_when_it_lacks_room_for_long() {
        let room = |second: u64, meter: &mut QualityMeter, now: Instant| {
            let estimate = if second < 30 { 312_000 } else { 4_000_000 };
            meter.handle_room(now, Some(estimate), second >= 10);
        };
        let told = told(60, room);
        let thin = Cause::Thin { link: Link::Downlink, kbps: 310 };
        let first = told.iter().find(|(_, all)| all.downlink.cause.is_some()).expect("it is told");
        assert_eq!(first.1.downlink, Condition { quality: Quality::Fair, cause: Some(thin) });
        assert!((18..=19).contains(&first.0), "{told:?}");
        assert!(told.iter().all(|(_, all)| all.uplink == Condition::GOOD), "nobody else has to know");
        let last = told.last().expect("told").1;
        assert_eq!((last.downlink, last.downlink_kbps), (Condition::GOOD, Some(4000)), "{told:?}");
    }

    #[test]
    fn a_guess_and_a_wide_link_are_not_called_thin() {
        for estimate in [None, Some(3_000_000)] {
            let told = told(60, |_, meter, now| meter.handle_room(now, estimate, true));
            assert!(told.iter().all(|(_, all)| all.downlink == Condition::GOOD), "{told:?}");
        }
    }

    #[test]
    fn figures_have_two_digits() {
        let all: Vec<_> = [0, 7, 98, 312, 1_249, 23_800].into_iter().map(rounded).collect();
        assert_eq!(all, [0, 7, 98, 310, 1_200, 24_000]);
    }
}
