//! The only place that reads a clock; everything else is told the time.

use signaling::ids::Millis;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The monotonic time.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this module is where clocks are read")]
pub fn now() -> Instant {
    Instant::now()
}

/// Processor time that this thread has used.
#[must_use]
pub fn thread_cpu() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(used.tv_sec).unwrap_or(0), u32::try_from(used.tv_nsec).unwrap_or(0))
}

/// The time of day.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this module is where clocks are read")]
pub fn unix() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
