//! The estimate itself: goes down to what really arrives when a queue stands, lets it drain, and feels its way up
//! again. Knows no packets.

/// Milliseconds of standing queue from which the link is full.
const FULL_MS: f64 = 20.0;

/// So much is no doubtful case: it needs no second look.
const SURELY_FULL_MS: f64 = 60.0;

/// Nor has a queue from which less than this share comes out of what goes in.
const CHOKED: f64 = 0.6;

/// Or less than this share in the very last moments, which may have a frame more or less.
const MOMENTS_CHOKED: f64 = 0.3;

/// A queue that grows although it was cut for is cut for again where less than this share of the estimate comes out.
const LESS: f64 = 0.9;

/// Below this the queue has drained.
const EMPTY_MS: f64 = 10.0;

/// A second look comes so long after the first at the earliest, in microseconds.
const SECOND_LOOK_US: u64 = 40_000;

/// How much of what arrives is sent while a queue drains; a longer queue gets less.
const DRAIN: std::ops::RangeInclusive<f64> = 0.4..=0.85;

/// A queue of this many milliseconds would leave nothing of it.
const DRAIN_MS: f64 = 400.0;

/// How much of the link is used once the queue has drained. What those who share a link give up each time is what
/// brings their shares together.
const AFTER_DRAIN: f64 = 0.90;

/// A queue that drained within this many microseconds after one cut was perhaps only a moment's: the link is what it was
/// over a longer while.
const MOMENT_US: u64 = 700_000;

/// Unless it was so much more that the link must have become another one.
const ALIKE: f64 = 1.4;

/// Growth per second while nothing is known of where the link ends.
const GROWTH: f64 = 1.15;

/// Growth in bits per second and second near the rate at which the link was full: the same for a subscriber with much
/// and one with little, so that those who share a link come to have alike.
const NEAR_GROWTH: f64 = 80_000.0;

/// That doubles, triples and so on with each of so many seconds in which nothing spoke against it.
const FASTER_AFTER: f64 = 2.0;

/// For how long that rate is remembered, in microseconds.
const CEILING_MEMORY_US: u64 = 30_000_000;

/// What "lately" is, in microseconds.
const LATELY_US: u64 = 8_000_000;

/// Where less than this share of the estimate is sent, nothing is learnt of the rest: it stays.
const TESTED: f64 = 0.7;

/// The estimate does not leave what arrives further behind than this.
const LEAD: f64 = 1.5;

/// How much of what arrives while nothing waits is the least that the link takes: half a second has a frame more or less.
const PROVED: f64 = 0.95;

/// So many cuts in a row after which the queue still stands: it is not ours.
const IN_VAIN: u32 = 5;

/// Where this share of what is sent arrives, the queue takes nothing from us.
const THROUGH: f64 = 0.97;

/// So much of what came through before is sent beside others.
const PUT_UP: f64 = 0.8;

/// A queue that grew by so many milliseconds since may be ours after all.
const OURS_MS: f64 = 80.0;

/// Others have left where nothing waits for so long, in microseconds.
const LEFT_US: u64 = 2_500_000;

/// What others fill is tried to be drained again after so long, and each time that was in vain after twice that, in
/// microseconds.
const DRAIN_AGAIN_US: std::ops::RangeInclusive<u64> = 15_000_000..=60_000_000;

/// What feedback told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard {
    /// Microseconds on our clock.
    pub(super) now_us: u64,
    /// When the newest packet left that feedback told of.
    pub(super) told_us: u64,
    /// Seconds since the last time.
    pub(super) elapsed: f64,
    /// Milliseconds that everything waits, and since when on our clock that is so.
    pub(super) standing: Option<(f64, u64)>,
    /// Milliseconds that everything waits which arrived in the very last moments, unless it came in bursts.
    pub(super) standing_last: Option<f64>,
    /// Bits per second that arrived in the last moments; `None` where it began to arrive only now.
    pub(super) arrived_now: Option<f64>,
    /// And in the very last.
    pub(super) arrived_last: Option<f64>,
    /// And in the last half second.
    pub(super) arrived: Option<f64>,
    /// Bits per second that were sent in the last half second, and in the last moments.
    pub(super) sent: Option<f64>,
    pub(super) sent_now: Option<f64>,
    /// Losses forbid to go up.
    pub(super) lossy: bool,
}

/// What the queue before the link does.
#[derive(Debug, Clone, Copy)]
enum Phase {
    /// Nothing stands.
    Free,
    /// Something stands since this moment; perhaps it was only held up.
    Doubtful(u64),
    /// The estimate was cut for a queue to drain.
    Draining(Drain),
    /// Others fill the queue whatever we do, as downloads do: who gave way would be left with nothing. Until this moment
    /// only what is lost counts, and what does not come through.
    Beside(Beside),
}

#[derive(Debug, Clone, Copy)]
struct Beside {
    until_us: u64,
    /// Milliseconds that stood when it began.
    first_ms: f64,
    /// Since when nothing waits.
    empty_us: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Drain {
    began_us: u64,
    /// What was sent after this moment, that of the last cut, tells whether it helped.
    cut_us: u64,
    /// And what was sent after this one, whether it helps still.
    look_us: u64,
    /// Bits per second that arrived while the link was full, and over a longer while.
    capacity: f64,
    longer: f64,
    /// Bits per second before the first cut.
    before: f64,
    /// Milliseconds that stood at the first cut, and at the last.
    first_ms: f64,
    last_ms: f64,
    cuts: u32,
}

/// Whether a queue needs no second look: it is long, or much less arrives than was sent.
fn is_sure(heard: &Heard, standing: f64) -> bool {
    let last = heard.standing_last.unwrap_or(0.0).max(standing);
    standing > SURELY_FULL_MS || (last > FULL_MS && chokes(heard))
}

fn chokes(heard: &Heard) -> bool {
    let last = heard.arrived_last.filter(|_| heard.standing_last.is_some()).map(|last| last / MOMENTS_CHOKED * CHOKED);
    let arrived = heard.arrived_now.map(|now| last.map_or(now, |last| last.min(now)));
    arrived.zip(heard.sent_now).is_some_and(|(arrived, sent)| arrived < sent * CHOKED)
}

/// Whether what is sent arrives, however long it waits.
fn comes_through(heard: &Heard) -> bool {
    heard.arrived.zip(heard.sent).is_some_and(|(arrived, sent)| arrived >= sent * THROUGH)
}

/// Whether a queue that should drain grows, and less comes out of it than goes in even now.
fn cannot_drain(heard: &Heard, standing: f64, drain: Drain, estimate: f64) -> bool {
    let grows = heard.standing_last.is_some() && standing > FULL_MS.max(drain.last_ms);
    grows && heard.arrived_now.is_some_and(|arrived| arrived < estimate * LESS)
}

/// What became of the estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing, or it grew a little.
    Usual,
    /// It was cut.
    Cut,
    /// The queue is as long as before whatever is sent: it shall count as empty.
    NotOurs,
}

/// The estimate.
#[derive(Debug)]
pub(super) struct Control {
    pub(super) estimate: f64,
    bounds: (f64, f64),
    phase: Phase,
    /// Where the link was full, and when.
    ceiling: Option<(f64, u64)>,
    /// For how long the next queue that others fill is put up with.
    beside_us: u64,
}

impl Control {
    pub(super) const fn new(estimate: f64, bounds: (f64, f64)) -> Self {
        Self { estimate, bounds, phase: Phase::Free, ceiling: None, beside_us: *DRAIN_AGAIN_US.start() }
    }

    /// Nothing stands: more may be tried.
    pub(super) const fn is_free(&self) -> bool {
        matches!(self.phase, Phase::Free)
    }

    /// The link was full not long ago.
    pub(super) fn was_full(&self, now_us: u64) -> bool {
        self.ceiling.is_some_and(|(_, at)| now_us.saturating_sub(at) < LATELY_US)
    }

    pub(super) fn set(&mut self, estimate: f64) {
        self.estimate = estimate.clamp(self.bounds.0, self.bounds.1);
    }

    /// The link takes so much and no more.
    pub(super) fn set_full(&mut self, now_us: u64, estimate: f64) {
        self.set(estimate);
        self.ceiling = Some((estimate, now_us));
    }

    pub(super) fn handle(&mut self, heard: &Heard) -> Outcome {
        let Some((standing, since_us)) = heard.standing else { return Outcome::Usual };
        match self.phase {
            Phase::Beside(beside)
                if heard.now_us < beside.until_us && standing < beside.first_ms + OURS_MS && !chokes(heard) =>
            {
                let empty_us = (standing < EMPTY_MS).then(|| beside.empty_us.unwrap_or(heard.now_us));
                let over = empty_us.is_some_and(|since| heard.now_us.saturating_sub(since) > LEFT_US);
                self.phase = if over { Phase::Free } else { Phase::Beside(Beside { empty_us, ..beside }) };
                if !heard.lossy && comes_through(heard) {
                    self.grow(heard);
                }
                Outcome::Usual
            }
            Phase::Beside(_) => self.cut(heard, standing, None),
            Phase::Free | Phase::Doubtful(_) if is_sure(heard, standing) && heard.arrived_now.is_some() => {
                self.cut(heard, standing, None)
            }
            Phase::Free if standing > FULL_MS => {
                self.phase = Phase::Doubtful(heard.now_us);
                Outcome::Usual
            }
            Phase::Doubtful(at) if standing > FULL_MS => {
                if heard.now_us.saturating_sub(at) < SECOND_LOOK_US {
                    return Outcome::Usual;
                }
                self.cut(heard, standing, None)
            }
            Phase::Free | Phase::Doubtful(_) => {
                self.phase = Phase::Free;
                if standing < EMPTY_MS && !heard.lossy {
                    self.grow(heard);
                }
                Outcome::Usual
            }
            // What comes out of a queue is what the link takes: it shrank once more, and what was sent since the cut
            // would have to wait for all that was sent before to tell so.
            Phase::Draining(drain) if cannot_drain(heard, standing, drain, self.estimate) => {
                self.cut(heard, standing, Some(drain))
            }
            Phase::Draining(drain) if since_us < drain.cut_us => Outcome::Usual,
            Phase::Draining(drain) => self.drain(heard, standing, since_us, drain),
        }
    }

    fn drain(&mut self, heard: &Heard, standing: f64, since_us: u64, drain: Drain) -> Outcome {
        if standing < EMPTY_MS {
            self.phase = Phase::Free;
            self.beside_us = *DRAIN_AGAIN_US.start();
            let short = drain.cuts <= 2 && heard.now_us.saturating_sub(drain.began_us) < MOMENT_US;
            let longer = if short && drain.longer < drain.capacity * ALIKE { drain.longer } else { 0.0 };
            let capacity = drain.capacity.max(longer);
            self.set_full(heard.now_us, capacity);
            self.set((capacity * AFTER_DRAIN).min(drain.before));
            return Outcome::Usual;
        }
        if since_us < drain.look_us {
            return Outcome::Usual;
        }
        if standing < drain.last_ms * 0.85 {
            self.phase = Phase::Draining(Drain { look_us: heard.now_us, last_ms: standing, ..drain });
            return Outcome::Usual;
        }
        if drain.cuts >= IN_VAIN && comes_through(heard) {
            if (standing - drain.first_ms).abs() < drain.first_ms * 0.3 {
                self.phase = Phase::Free;
                self.set(drain.before * AFTER_DRAIN);
                return Outcome::NotOurs;
            }
            self.put_up(heard, standing, drain.longer.min(drain.before));
            return Outcome::Usual;
        }
        self.cut(heard, standing, Some(drain))
    }

    /// The queue is that of others, and stays.
    fn put_up(&mut self, heard: &Heard, standing: f64, before: f64) {
        self.set(before * PUT_UP);
        self.phase =
            Phase::Beside(Beside { until_us: heard.now_us + self.beside_us, first_ms: standing, empty_us: None });
        self.beside_us = (self.beside_us * 2).min(*DRAIN_AGAIN_US.end());
    }

    fn cut(&mut self, heard: &Heard, standing: f64, before: Option<Drain>) -> Outcome {
        // What comes out of a queue comes at the link's own pace, so that moments suffice to measure it.
        let flows = heard.standing_last.is_some();
        let last = heard.arrived_last.filter(|_| flows && (standing > SURELY_FULL_MS || chokes(heard)));
        let now = heard.arrived_now.or(heard.arrived).unwrap_or(self.estimate);
        let arrives = last.map_or(now, |last| last.min(now));
        // What arrives since a cut is no more than was sent since: only where less does, the link is thinner still.
        let through = heard.sent_now.is_some_and(|sent| arrives >= sent * THROUGH);
        let capacity = match before {
            Some(drain) if through => drain.capacity,
            Some(drain) => drain.capacity.min(arrives),
            None => self.estimate.min(arrives),
        };
        // What was told of left a while ago, and as much as then was sent since.
        let untold_ms = heard.now_us.saturating_sub(heard.told_us) as f64 / 1000.0;
        let excess = heard.sent_now.unwrap_or(arrives) / arrives.max(1.0) - 1.0;
        let queue = standing + if before.is_none() { excess.clamp(0.0, 20.0) * untold_ms } else { 0.0 };
        let share = (1.0 - queue / DRAIN_MS).clamp(*DRAIN.start(), *DRAIN.end());
        self.phase = Phase::Draining(Drain {
            cut_us: heard.now_us,
            look_us: heard.now_us,
            began_us: before.map_or(heard.now_us, |drain| drain.began_us),
            capacity,
            longer: before.map_or(heard.arrived.unwrap_or(0.0), |drain| drain.longer),
            before: before.map_or(self.estimate, |drain| drain.before),
            first_ms: before.map_or(standing, |drain| drain.first_ms),
            last_ms: standing,
            cuts: before.map_or(1, |drain| drain.cuts + 1),
        });
        self.set(self.estimate.min(capacity * share));
        Outcome::Cut
    }

    fn grow(&mut self, heard: &Heard) {
        let (Some(arrived), Some(sent)) = (heard.arrived, heard.sent) else { return };
        // What arrives without a queue is proved.
        self.set(self.estimate.max(arrived * PROVED));
        if sent < self.estimate * TESTED {
            return;
        }
        let near = self.ceiling.is_some_and(|(rate, at)| {
            heard.now_us.saturating_sub(at) < CEILING_MEMORY_US && (0.8..1.15).contains(&(self.estimate / rate))
        });
        let calm = self.ceiling.map_or(0.0, |(_, at)| heard.now_us.saturating_sub(at) as f64 / 1e6);
        let slow = self.estimate + NEAR_GROWTH * (1.0 + calm / FASTER_AFTER) * heard.elapsed;
        let grown = if near { slow } else { slow.max(self.estimate * GROWTH.powf(heard.elapsed)) };
        let grown = grown.min(arrived * LEAD);
        self.set(grown.max(self.estimate));
    }
}
