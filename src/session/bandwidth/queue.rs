//! The queue that stands before a subscriber's link, from one-way delays. Knows no rates.
//!
//! Pictures leave in bursts of a frame, so most packets wait behind their own burst, and radio links hold everything
//! back for a moment now and then: neither is a queue that *stands*. What stands is the least that any packet of
//! the last moments waited, above the least that any waited for long.

/// One step of the memory, in microseconds of the receiver's clock: by that, what was sent before a queue grew is soon
/// forgotten, however slowly the rest comes.
const STEP_US: u64 = 25_000;

/// Steps that are remembered: 1.6 s.
const STEPS: u64 = 64;

/// The least delay of so long, in steps: every stream has had the head of a burst in it.
const WINDOW: u64 = 5;

/// And of so many packets at least, so that one packet that was held up says nothing.
const PACKETS: u32 = 6;

/// Steps that tell of the very last moments where something came in each: then nothing was held up.
const LAST: u64 = 3;

/// For how long the least delay counts as that of an empty queue: clocks drift by a millisecond in it.
const BASE_MEMORY_US: u64 = 12_000_000;

#[derive(Debug, Clone, Copy)]
struct Step {
    number: u64,
    least: i64,
    /// When the oldest of its packets was sent.
    sent: u64,
    packets: u32,
}

const NONE: Step = Step { number: u64::MAX, least: i64::MAX, sent: u64::MAX, packets: 0 };

/// One-way delays of the last moments.
#[derive(Debug)]
pub(super) struct Queue {
    /// A step's place is its number modulo the length.
    steps: [Step; STEPS as usize],
    newest: u64,
    base: i64,
    next_base: i64,
    base_since: Option<u64>,
}

impl Default for Queue {
    fn default() -> Self {
        Self { steps: [NONE; STEPS as usize], newest: 0, base: i64::MAX, next_base: i64::MAX, base_since: None }
    }
}

impl Queue {
    /// A packet that was sent and arrived at these microseconds, each of its own side's clock.
    pub(super) fn add(&mut self, sent_us: u64, arrived_us: u64) {
        let delay = arrived_us as i64 - sent_us as i64;
        let number = arrived_us / STEP_US;
        self.newest = self.newest.max(number);
        let step = &mut self.steps[(number % STEPS) as usize];
        if step.number != number {
            *step = Step { number, ..NONE };
        }
        step.least = step.least.min(delay);
        step.sent = step.sent.min(sent_us);
        step.packets += 1;
        let since = *self.base_since.get_or_insert(sent_us);
        if sent_us.saturating_sub(since) > BASE_MEMORY_US {
            (self.base, self.next_base) = (self.next_base, i64::MAX);
            self.base_since = Some(sent_us);
        }
        self.base = self.base.min(delay);
        self.next_base = self.next_base.min(delay);
    }

    /// The least delay of what arrived in lately, and when the oldest of it was sent; `None` where too little did.
    fn least(&self) -> Option<(i64, u64)> {
        let (mut least, mut packets, mut sent) = (i64::MAX, 0, u64::MAX);
        for back in 0..STEPS.min(self.newest + 1) {
            let number = self.newest - back;
            let step = &self.steps[(number % STEPS) as usize];
            if step.number == number {
                least = least.min(step.least);
                packets += step.packets;
                sent = sent.min(step.sent);
            }
            if back + 1 >= WINDOW && packets >= PACKETS {
                return Some((least, sent));
            }
        }
        None
    }

    /// Milliseconds that everything waits which arrived lately, and when the oldest of it was sent.
    pub(super) fn standing(&self) -> Option<(f64, u64)> {
        let (least, sent) = self.least()?;
        Some(((least - self.base) as f64 / 1000.0, sent))
    }

    /// Milliseconds that everything waits which arrived in the very last moments; `None` where it came in bursts, as
    /// after a silence of the radio.
    pub(super) fn standing_last(&self) -> Option<f64> {
        let step = |back: u64| {
            let number = self.newest.checked_sub(back)?;
            Some(&self.steps[(number % STEPS) as usize]).filter(|step| step.number == number)
        };
        let least = (0..LAST).try_fold(i64::MAX, |least, back| Some(least.min(step(back)?.least)))?;
        Some((least - self.base) as f64 / 1000.0)
    }

    /// What waits now does so on an empty queue too: the way became longer, or others fill it.
    pub(super) fn accept(&mut self) {
        if let Some((least, _)) = self.least() {
            (self.base, self.next_base) = (least, least);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets every 10 ms, each of which waits as said; what stands at the end.
    fn standing(queue: &mut Queue, from_ms: u64, to_ms: u64, wait_ms: impl Fn(u64) -> u64) -> f64 {
        for ms in (from_ms..to_ms).step_by(10) {
            queue.add(ms * 1000, (ms + 7_000 + wait_ms(ms)) * 1000);
        }
        queue.standing().expect("packets").0
    }

    #[test]
    fn what_waits_behind_its_own_frame_or_a_silent_radio_does_not_stand() {
        let mut queue = Queue::default();
        assert_eq!(standing(&mut queue, 0, 1000, |ms| ms % 50), 0.0);
        // 90 ms in which nothing moves, then everything at once.
        assert!(standing(&mut queue, 1000, 1100, |ms| 1090 - ms.min(1090)) < 1.0);
    }

    #[test]
    fn a_queue_that_grows_shows_at_once_and_a_longer_way_can_be_accepted() {
        let mut queue = Queue::default();
        standing(&mut queue, 0, 1000, |_| 0);
        assert!(standing(&mut queue, 1000, 1300, |ms| ms - 1000) > 150.0);
        assert_eq!(standing(&mut queue, 1300, 3000, |_| 200), 200.0);
        queue.accept();
        assert_eq!(queue.standing().expect("packets").0, 0.0);
        assert_eq!(standing(&mut queue, 3000, 3300, |_| 230), 30.0);
    }

    #[test]
    fn the_last_moments_show_a_queue_sooner_but_say_nothing_of_a_silent_radio() {
        let mut queue = Queue::default();
        standing(&mut queue, 0, 1000, |_| 0);
        assert_eq!(queue.standing_last(), Some(0.0));
        // A link that takes half from now on.
        let stands = standing(&mut queue, 1000, 1100, |ms| ms - 1000);
        assert_eq!((stands, queue.standing_last()), (40.0, Some(70.0)));
        // Nothing for 90 ms, then everything at once.
        standing(&mut queue, 3000, 4000, |_| 0);
        standing(&mut queue, 4000, 4100, |ms| 4090 - ms.min(4090));
        assert_eq!(queue.standing_last(), None);
    }

    #[test]
    fn a_few_packets_say_nothing_and_the_base_is_forgotten() {
        let mut queue = Queue::default();
        for packet in 0..5 {
            queue.add(packet * 400_000, packet * 400_000);
        }
        assert!(queue.standing().is_none());
        assert_eq!(standing(&mut queue, 2_000, 30_000, |_| 50), 0.0);
    }
}
