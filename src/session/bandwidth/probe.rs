//! Finding out whether a link takes more before more is sent: for a moment as much goes out as would then, filled
//! up with packets that nobody needs, and what arrives how fast is measured. Knows no layers and sends nothing itself.

/// How long a probe lasts, in microseconds: longer than a frame, so that media is in it.
const LENGTH_US: u64 = 40_000;

/// What is sent to fill it up leaves in bursts so far apart.
const STEP_US: u64 = 5_000;

/// How many times the estimate is tried at most.
const REACH: f64 = 3.0;

/// And at least, so that a few probes find a wide link.
const STEP_UP: f64 = 2.0;

/// Nothing is sent above all that is wanted, but for this.
const ABOVE_ALL: f64 = 1.2;

/// How long to wait after a probe that found no more, and at most after many.
const WAIT_US: std::ops::RangeInclusive<u64> = 1_000_000..=3_000_000;

/// How long to wait where there was nothing to send.
const EMPTY_WAIT_US: u64 = 100_000;

/// After a cut, what was learnt before counts for so long.
const AFTER_CUT_US: u64 = 1_000_000;

/// Its feedback is over after so long at the latest.
const FEEDBACK_US: u64 = 1_000_000;

/// Fewer packets measure nothing.
const PACKETS: u32 = 5;

/// Where less than this share of what was sent arrives in time, the link was full.
const FULL: f64 = 0.9;

/// What a subscriber is sent and what it would take to send it more, in bits per second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Demand {
    /// What goes out now.
    pub now: u32,
    /// The smallest estimate with which more would go out; 0 where nothing is missing.
    pub next: u32,
    /// All that is wanted.
    pub all: u32,
}

#[derive(Debug, Clone, Copy)]
struct Cluster {
    rate: f64,
    begun_us: u64,
    next_us: u64,
    /// What was to fill it up, and what did.
    asked: u64,
    filled: u64,
    over: bool,
    seen: Seen,
}

/// What feedback told of the packets that left during a probe.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    packets: u32,
    lost: u32,
    bytes: u64,
    first_sent: u64,
    last_sent: u64,
    /// Of those that left last.
    last_bytes: u64,
    first_arrived: u64,
    first_bytes: u64,
    last_arrived: u64,
}

/// What a probe found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Found {
    /// The link takes this much, and may take more.
    AtLeast(f64),
    /// It takes this much and no more.
    Full(f64),
    /// Too little came back to tell.
    Nothing,
}

/// When to probe, and the probe that runs.
#[derive(Debug)]
pub(super) struct Probes {
    demand: Demand,
    cluster: Option<Cluster>,
    not_before_us: u64,
    wait_us: u64,
}

impl Default for Probes {
    fn default() -> Self {
        Self { demand: Demand::default(), cluster: None, not_before_us: 0, wait_us: *WAIT_US.start() }
    }
}

impl Probes {
    pub(super) const fn set_demand(&mut self, demand: Demand) {
        self.demand = demand;
    }

    pub(super) const fn demand(&self) -> Demand {
        self.demand
    }

    /// Begins a probe where more is wanted than the estimate allows.
    pub(super) fn consider(&mut self, now_us: u64, estimate: f64) {
        let Demand { next, all, .. } = self.demand;
        // Of what feedback tells of no more nothing is learnt, and it keeps no other from beginning.
        if self.cluster.is_some_and(|cluster| now_us > cluster.begun_us + LENGTH_US + 2 * FEEDBACK_US) {
            self.cluster = None;
        }
        if self.cluster.is_some() || now_us < self.not_before_us || f64::from(next) <= estimate {
            return;
        }
        let most = f64::from(all.max(next)) * ABOVE_ALL;
        let rate = (f64::from(next) * 1.1).max(estimate * STEP_UP).min(estimate * REACH).min(most);
        self.cluster = Some(Cluster {
            rate,
            begun_us: now_us,
            next_us: now_us,
            asked: 0,
            filled: 0,
            over: false,
            seen: Seen::default(),
        });
    }

    /// When [`Probes::poll`] wants to be called, in microseconds.
    pub(super) fn next_us(&self) -> Option<u64> {
        self.cluster.filter(|cluster| !cluster.over).map(|cluster| cluster.next_us)
    }

    /// Bytes that shall be sent now.
    pub(super) fn poll(&mut self, now_us: u64) -> Option<u64> {
        let media = f64::from(self.demand.now);
        let cluster = self.cluster.as_mut().filter(|cluster| !cluster.over && cluster.next_us <= now_us)?;
        cluster.next_us = now_us + STEP_US;
        // As much as is due by the next time.
        let due_us = (now_us + STEP_US - cluster.begun_us).min(LENGTH_US + STEP_US);
        let due = (cluster.rate - media).max(0.0) * due_us as f64 / 8e6;
        let bytes = (due as u64).saturating_sub(cluster.filled);
        cluster.asked += bytes;
        Some(bytes)
    }

    /// So much of it was sent; 0 where nothing could be.
    pub(super) fn filled(&mut self, now_us: u64, bytes: u64) {
        let Some(cluster) = &mut self.cluster else { return };
        cluster.filled += bytes;
        if cluster.filled == 0 && cluster.asked > 0 {
            self.cluster = None;
            self.not_before_us = now_us + EMPTY_WAIT_US;
        } else if now_us >= cluster.begun_us + LENGTH_US {
            cluster.over = true;
            cluster.next_us = now_us;
        }
    }

    /// What feedback tells of one packet; whether it left during the probe that is looked at.
    pub(super) fn add(&mut self, sent_us: u64, bytes: u32, arrived_us: Option<u64>) -> bool {
        let during =
            |cluster: &&mut Cluster| sent_us >= cluster.begun_us && (!cluster.over || sent_us <= cluster.next_us);
        let Some(cluster) = self.cluster.as_mut().filter(during) else { return false };
        let bytes = u64::from(bytes);
        let seen = &mut cluster.seen;
        let Some(arrived) = arrived_us else {
            seen.lost += 1;
            return true;
        };
        if seen.packets == 0 {
            (seen.first_sent, seen.first_arrived, seen.first_bytes) = (sent_us, arrived, bytes);
        }
        if sent_us > seen.last_sent {
            (seen.last_sent, seen.last_bytes) = (sent_us, 0);
        }
        if sent_us == seen.last_sent {
            seen.last_bytes += bytes;
        }
        seen.packets += 1;
        seen.bytes += bytes;
        seen.last_arrived = seen.last_arrived.max(arrived);
        true
    }

    /// The end of feedback that told of what was sent until `told_us`: what a probe found, once all of it is told.
    pub(super) fn judge(&mut self, now_us: u64, told_us: u64) -> Option<Found> {
        let cluster = self.cluster.filter(|cluster| cluster.over)?;
        let late = now_us > cluster.next_us + FEEDBACK_US;
        if told_us < cluster.next_us && !late {
            return None;
        }
        self.cluster = None;
        let found = cluster.seen.measure();
        if let Found::AtLeast(_) = found {
            (self.wait_us, self.not_before_us) = (*WAIT_US.start(), now_us);
        } else {
            self.not_before_us = now_us + self.wait_us;
            self.wait_us = (self.wait_us * 2).min(*WAIT_US.end());
        }
        Some(found)
    }

    /// The link is full: a probe that runs is over, and none begins for a while.
    pub(super) fn stop(&mut self, now_us: u64) {
        self.cluster = None;
        self.not_before_us = self.not_before_us.max(now_us + AFTER_CUT_US);
    }
}

impl Seen {
    fn measure(&self) -> Found {
        if self.packets < PACKETS || self.lost * 5 > self.packets {
            return Found::Nothing;
        }
        // The last burst left at the end of the time, and the first packet was there at its beginning.
        let (sent_us, arrived_us) =
            (self.last_sent.saturating_sub(self.first_sent), self.last_arrived.saturating_sub(self.first_arrived));
        let (sent, arrived) = (self.bytes - self.last_bytes, self.bytes - self.first_bytes);
        if sent_us < LENGTH_US / 2 || arrived_us < LENGTH_US / 4 {
            return Found::Nothing;
        }
        let rate = |bytes: u64, us: u64| bytes as f64 * 8e6 / us as f64;
        let (sent, arrived) = (rate(sent, sent_us), rate(arrived, arrived_us));
        if arrived < sent * FULL { Found::Full(arrived) } else { Found::AtLeast(sent.min(arrived)) }
    }
}
