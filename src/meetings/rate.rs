//! How much of something in a time: a token bucket. Told the time; knows nothing of what is counted.

use std::time::{Duration, Instant};

/// How much is allowed: `burst` at once, and one more every `every`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At once.
    pub burst: u32,
    /// How long until one more.
    pub every: Duration,
}

impl Rate {
    /// `burst` at once, one more every `every`.
    #[must_use]
    pub const fn new(burst: u32, every: Duration) -> Self {
        Self { burst, every }
    }

    /// So many within a minute, all at once if need be.
    #[must_use]
    pub fn per_minute(count: u32) -> Self {
        Self { burst: count, every: Duration::from_secs(60) / count.max(1) }
    }
}

/// Refused: come back in this many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Later(pub u32);

/// One bucket, as the time at which it would be full again (generic cell rate algorithm).
#[derive(Debug, Clone)]
pub struct Bucket {
    rate: Rate,
    full_at: Instant,
}

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub const fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, full_at: now }
    }

    /// Takes one token.
    ///
    /// # Errors
    /// When it is empty.
    pub fn take(&mut self, now: Instant) -> Result<(), Later> {
        let full_at = self.full_at.max(now) + self.rate.every;
        let missing = full_at.saturating_duration_since(now);
        let depth = self.rate.every.saturating_mul(self.rate.burst);
        if missing > depth {
            return Err(Later::after(missing.saturating_sub(depth)));
        }
        self.full_at = full_at;
        Ok(())
    }
}

impl Later {
    /// Whole seconds, at least one.
    #[must_use]
    pub fn after(wait: Duration) -> Self {
        Self(u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_bucket_counts_alike() {
        let start = crate::clock::now();
        let mut bucket = Bucket::new(Rate::new(2, Duration::from_secs(1)), start);
        assert!(bucket.take(start).is_ok() && bucket.take(start).is_ok());
        assert_eq!(bucket.take(start), Err(Later(1)));
        assert!(bucket.take(start + Duration::from_secs(1)).is_ok());
    }
}
