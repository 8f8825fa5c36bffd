//! What a meeting is made with, and every bound that a stranger can push against. Knows no state.

use crate::ids::Millis;
use crate::meeting::text::CHAT_MAX;
use crate::protocol::{MeetingInfo, Policy, SlotCounts};
use serde::{Deserialize, Serialize};

/// What a meeting is made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingSettings {
    /// The id, as in the link.
    pub id: String,
    /// 0 to 200 characters.
    pub title: String,
    /// Nine digits.
    pub number: String,
    /// The link to share.
    pub join_url: String,
    /// How many may be in it, seats of those who lost their connection included (the plan's limit).
    /// While no host has a seat, one place is kept free for one.
    pub capacity: u16,
    /// Receive slots that clients offer.
    pub slots: SlotCounts,
    /// The rules at the start.
    pub policy: Policy,
    /// Who comes by number waits even where [`Policy::waiting_room`] is off, since a number is no secret.
    pub numbers_wait: bool,
    /// A recording begins when the first person is in.
    #[serde(default)]
    pub auto_record: bool,
    /// Bounds.
    #[serde(default)]
    pub limits: Limits,
}

impl MeetingSettings {
    pub(super) fn info(&self, started_at: Millis, with_link: bool) -> MeetingInfo {
        MeetingInfo {
            id: self.id.clone(),
            title: self.title.clone(),
            number: self.number.clone(),
            join_url: with_link.then(|| self.join_url.clone()),
            started_at,
            capacity: self.capacity,
        }
    }
}

/// Bounds of one meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Milliseconds for which a seat is kept after its connection was lost, or the server started again.
    pub seat_kept: u64,
    /// People in the waiting room: more than a host can look through is an attack.
    pub waiting: u16,
    /// Events kept per seat for a client that comes back; about a minute of a lively meeting of 300.
    pub event_buffer: usize,
    /// Answers kept per seat for commands that come again; more than a client has under way at once.
    pub command_memory: usize,
    /// Commands per seat. A page sends a few a second at most.
    pub commands: Rate,
    /// Characters of one chat message.
    pub chat_characters: usize,
    /// Chat messages per seat.
    pub chat: Rate,
    /// Messages of the chat that are kept.
    pub chat_kept: usize,
    /// Entries of the moderation log that are kept.
    pub log_kept: usize,
    /// Participants in the spotlight at the same time: as many as a page of the grid has tiles.
    pub spotlights: u16,
    /// Identities banned.
    pub bans: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            seat_kept: 120_000,
            waiting: 200,
            event_buffer: 256,
            command_memory: 64,
            commands: Rate { per_second: 20, burst: 60 },
            chat_characters: CHAT_MAX,
            chat: Rate { per_second: 5, burst: 10 },
            chat_kept: 500,
            log_kept: 2_000,
            spotlights: 9,
            bans: 10_000,
        }
    }
}

/// How much of something in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// In the long run.
    pub per_second: u32,
    /// At once, after a quiet time.
    pub burst: u32,
}

/// A token bucket. A fresh one is full.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bucket {
    /// In thousandths of a token.
    tokens: u64,
    at: Millis,
}

impl Bucket {
    /// Takes a token if there is one.
    pub(super) fn take(&mut self, now: Millis, rate: Rate) -> bool {
        let elapsed = now.0.saturating_sub(self.at.0);
        let refilled = self.tokens.saturating_add(elapsed.saturating_mul(u64::from(rate.per_second)));
        self.tokens = refilled.min(u64::from(rate.burst) * 1_000);
        self.at = now;
        let Some(left) = self.tokens.checked_sub(1_000) else { return false };
        self.tokens = left;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_the_burst_and_then_the_rate() {
        let rate = Rate { per_second: 5, burst: 10 };
        let mut bucket = Bucket::default();
        let start = Millis(1_800_000_000_000);
        let taken = (0..100).filter(|_| bucket.take(start, rate)).count();
        assert_eq!(taken, 10);
        assert!(!bucket.take(start.plus(199), rate));
        assert!(bucket.take(start.plus(200), rate));
        let in_ten_seconds = (0..10_000).filter(|ms| bucket.take(start.plus(200 + ms), rate)).count();
        assert!((49..=51).contains(&in_ten_seconds), "{in_ten_seconds}");
    }

    #[test]
    fn a_clock_that_goes_back_starves_nobody() {
        let rate = Rate { per_second: 1, burst: 1 };
        let mut bucket = Bucket::default();
        assert!(bucket.take(Millis(1_000_000), rate));
        assert!(!bucket.take(Millis(500_000), rate));
        assert!(bucket.take(Millis(501_000), rate));
    }
}
