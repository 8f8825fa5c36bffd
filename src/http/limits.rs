//! How much one stranger may ask: token buckets per client address, per meeting number and in all,
//! and a count of open sockets. Told the time; knows nothing of what is asked.

use crate::config::{self, Network};
use crate::meetings::rate::{Later, Rate};
use dashmap::DashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The bounds of this layer: those of the settings, and a few that follow from them.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Joins an address: a school behind one address comes at once.
    pub joins: Rate,
    /// Returns to a seat an address: the same school after the server restarted, trying again and again.
    pub resumes: Rate,
    /// Wrong meeting numbers and passcodes an address.
    pub guesses_by_address: Rate,
    /// Wrong passcodes for one number, from whatever address.
    pub guesses_by_number: Rate,
    /// Wrong numbers in all: a thousand addresses guess no faster than thirty.
    pub guesses_in_all: Rate,
    /// Wrong passwords and set-up tokens an address.
    pub sign_ins_by_address: Rate,
    /// Wrong passwords for one account, from whatever address.
    pub sign_ins_by_name: Rate,
    /// Meetings and broadcasts made an address.
    pub creations: Rate,
    /// Comments of viewers an address.
    pub comments: Rate,
    /// WHIP and WHEP sessions made an address: a hall full of viewers sits behind one.
    pub media_posts: Rate,
    /// PATCHes of such sessions an address: each has a dozen candidates to trickle and may restart now and then.
    pub media_patches: Rate,
    /// Messages a socket; four seconds' worth at once, since a page of tiles turns in a burst.
    pub messages: Rate,
    /// Open WebSockets an address.
    pub sockets_per_address: u32,
    /// Open WebSockets in all.
    pub sockets: u32,
    /// WebSockets that have not said hello yet, in all: they are strangers.
    pub strangers: u32,
    /// How long a stranger may stay without a hello where many do, or the server is about to stop…
    pub hello: Duration,
    /// …and otherwise: a page opens its socket before somebody clicks "Join".
    pub standby: Duration,
}

impl From<&config::Limits> for Bounds {
    fn from(limits: &config::Limits) -> Self {
        let guesses = limits.number_guesses_per_minute_per_address;
        Self {
            joins: Rate::per_minute(limits.joins_per_minute_per_address),
            resumes: Rate::per_minute(limits.joins_per_minute_per_address.saturating_mul(4)),
            guesses_by_address: Rate::per_minute(guesses),
            guesses_by_number: Rate::per_minute(limits.passcode_guesses_per_minute_per_meeting),
            guesses_in_all: Rate::per_minute(guesses.saturating_mul(30)),
            sign_ins_by_address: Rate::per_minute(limits.sign_ins_per_minute_per_address),
            sign_ins_by_name: Rate::per_minute(limits.sign_ins_per_minute_per_address.saturating_mul(2)),
            creations: Rate::per_minute(limits.creations_per_minute_per_address),
            comments: Rate::per_minute(limits.comments_per_minute_per_address),
            media_posts: Rate::per_minute(limits.joins_per_minute_per_address),
            media_patches: Rate::per_minute(limits.joins_per_minute_per_address.saturating_mul(20)),
            messages: Rate::new(
                limits.messages_per_second.saturating_mul(4),
                Duration::from_secs(1) / limits.messages_per_second.max(1),
            ),
            sockets_per_address: limits.sockets_per_address,
            sockets: limits.sockets,
            strangers: limits.sockets / 4,
            hello: Duration::from_secs(10),
            standby: Duration::from_secs(60),
        }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self::from(&config::Limits::default())
    }
}

/// How many buckets a table has. Keys that fall into one share it: with 1,000 attackers one in 65
/// others meets one, and the memory is the same however many addresses somebody owns.
const TABLE: usize = 1 << 16;

/// Buckets for any number of keys in bounded memory.
pub struct Buckets {
    rate: Rate,
    base: Instant,
    hasher: RandomState,
    /// When each is full again, in nanoseconds since `base`.
    full_at: Box<[AtomicU64]>,
}

impl Buckets {
    /// Full buckets.
    #[must_use]
    pub fn new(rate: Rate, now: Instant) -> Self {
        Self {
            rate,
            base: now,
            hasher: RandomState::new(),
            full_at: std::iter::repeat_with(AtomicU64::default).take(TABLE).collect(),
        }
    }

    /// Takes one token of the key's.
    ///
    /// # Errors
    /// When there is none.
    pub fn take(&self, now: Instant, key: impl Hash) -> Result<(), Later> {
        let now = self.nanos(now);
        let every = nanos(self.rate.every);
        let depth = every.saturating_mul(u64::from(self.rate.burst));
        let taken = self.slot(key).try_update(Ordering::AcqRel, Ordering::Acquire, |full_at| {
            let next = full_at.max(now).saturating_add(every);
            (next - now <= depth).then_some(next)
        });
        match taken {
            Ok(_) => Ok(()),
            Err(full_at) => {
                let missing = full_at.max(now).saturating_add(every) - now;
                Err(Later::after(Duration::from_nanos(missing.saturating_sub(depth))))
            }
        }
    }

    /// Gives one token back: what was done was no guess.
    pub fn give_back(&self, key: impl Hash) {
        let every = nanos(self.rate.every);
        self.slot(key).update(Ordering::AcqRel, Ordering::Acquire, |full_at| full_at.saturating_sub(every));
    }

    fn slot(&self, key: impl Hash) -> &AtomicU64 {
        let hash = self.hasher.hash_one(key);
        // `TABLE` is a power of two, so the index is always inside.
        &self.full_at[hash as usize & (TABLE - 1)]
    }

    fn nanos(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.base))
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// All limits of one server.
pub struct Limits {
    /// As configured.
    pub bounds: Bounds,
    /// Joins, by address.
    pub joins: Buckets,
    /// Returns to seats, by address.
    pub resumes: Buckets,
    /// Wrong passwords and set-up tokens, by address.
    pub sign_ins_by_address: Buckets,
    /// Wrong passwords, by account.
    pub sign_ins_by_name: Buckets,
    /// Meetings and broadcasts made, by address.
    pub creations: Buckets,
    /// Comments of viewers, by address.
    pub comments: Buckets,
    /// WHIP and WHEP sessions made, by address.
    pub media_posts: Buckets,
    /// PATCHes of WHIP and WHEP sessions, by address.
    pub media_patches: Buckets,
    guesses_by_address: Buckets,
    guesses_by_number: Buckets,
    guesses_in_all: Buckets,
    sockets: Arc<Sockets>,
}

impl Limits {
    /// Nothing used up yet.
    #[must_use]
    pub fn new(bounds: Bounds, now: Instant) -> Self {
        let buckets = |rate| Buckets::new(rate, now);
        Self {
            joins: buckets(bounds.joins),
            resumes: buckets(bounds.resumes),
            sign_ins_by_address: buckets(bounds.sign_ins_by_address),
            sign_ins_by_name: buckets(bounds.sign_ins_by_name),
            creations: buckets(bounds.creations),
            comments: buckets(bounds.comments),
            media_posts: buckets(bounds.media_posts),
            media_patches: buckets(bounds.media_patches),
            guesses_by_address: buckets(bounds.guesses_by_address),
            guesses_by_number: buckets(bounds.guesses_by_number),
            guesses_in_all: buckets(bounds.guesses_in_all),
            sockets: Arc::default(),
            bounds,
        }
    }

    /// Before a meeting number and passcode are looked at. Taken at once, so that parallel guesses
    /// count; given back by [`Guess::was_right`].
    ///
    /// # Errors
    /// When this address, this number or all together guessed too often.
    pub fn guess<'a>(&'a self, now: Instant, address: IpAddr, number: &'a str) -> Result<Guess<'a>, Later> {
        let address = Network::household(address);
        self.guesses_by_address.take(now, address)?;
        if let Err(later) = self.guesses_by_number.take(now, number) {
            self.guesses_by_address.give_back(address);
            return Err(later);
        }
        if let Err(later) = self.guesses_in_all.take(now, ()) {
            self.guesses_by_address.give_back(address);
            self.guesses_by_number.give_back(number);
            return Err(later);
        }
        Ok(Guess { limits: self, address, number })
    }

    /// Counts a new socket until the guard is dropped.
    ///
    /// # Errors
    /// When too many are open.
    pub fn open_socket(&self, address: IpAddr) -> Result<OpenSocket, Later> {
        let address = Network::household(address);
        let sockets = Arc::clone(&self.sockets);
        if !raise(&sockets.all, self.bounds.sockets) {
            return Err(Later(5));
        }
        if !raise(&sockets.strangers, self.bounds.strangers) {
            sockets.all.fetch_sub(1, Ordering::AcqRel);
            return Err(Later(5));
        }
        let mut of_address = sockets.by_address.entry(address).or_insert(0);
        if *of_address >= self.bounds.sockets_per_address {
            drop(of_address);
            sockets.all.fetch_sub(1, Ordering::AcqRel);
            sockets.strangers.fetch_sub(1, Ordering::AcqRel);
            return Err(Later(5));
        }
        *of_address += 1;
        drop(of_address);
        Ok(OpenSocket { sockets, address, stranger: true })
    }

    /// Whether strangers without a hello should make room: more than half of the places are taken that there are for
    /// them, or for this address.
    #[must_use]
    pub fn is_crowded(&self, address: IpAddr) -> bool {
        let of_address = self.sockets.by_address.get(&Network::household(address)).map_or(0, |open| *open);
        self.sockets.strangers.load(Ordering::Acquire) > self.bounds.strangers / 2
            || of_address > self.bounds.sockets_per_address / 2
    }

    /// How many sockets are open.
    #[must_use]
    pub fn open_sockets(&self) -> u32 {
        self.sockets.all.load(Ordering::Acquire)
    }
}

/// A try at a number and passcode; counted as wrong unless it says otherwise.
pub struct Guess<'a> {
    limits: &'a Limits,
    address: IpAddr,
    number: &'a str,
}

impl Guess<'_> {
    /// It was right, so it counts against nobody.
    pub fn was_right(self) {
        self.limits.guesses_by_address.give_back(self.address);
        self.limits.guesses_by_number.give_back(self.number);
        self.limits.guesses_in_all.give_back(());
    }
}

#[derive(Default)]
struct Sockets {
    all: AtomicU32,
    strangers: AtomicU32,
    by_address: DashMap<IpAddr, u32>,
}

/// Adds one unless that passes the limit.
fn raise(count: &AtomicU32, limit: u32) -> bool {
    count.try_update(Ordering::AcqRel, Ordering::Acquire, |open| (open < limit).then(|| open + 1)).is_ok()
}

/// A socket that is counted.
pub struct OpenSocket {
    sockets: Arc<Sockets>,
    address: IpAddr,
    stranger: bool,
}

impl OpenSocket {
    /// It said hello and was let in.
    pub fn known(&mut self) {
        if std::mem::take(&mut self.stranger) {
            self.sockets.strangers.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.known();
        self.sockets.all.fetch_sub(1, Ordering::AcqRel);
        self.sockets.by_address.remove_if_mut(&self.address, |_, open| {
            *open = open.saturating_sub(1);
            *open == 0
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_one_at_a_time() {
        let start = crate::clock::now();
        let buckets = Buckets::new(Rate::new(3, Duration::from_secs(2)), start);
        for _ in 0..3 {
            assert_eq!(buckets.take(start, "key"), Ok(()));
        }
        assert_eq!(buckets.take(start, "key"), Err(Later(2)));
        assert_eq!(buckets.take(start + Duration::from_secs(2), "key"), Ok(()));
        assert_eq!(buckets.take(start + Duration::from_secs(2), "key"), Err(Later(2)));
        assert_eq!(buckets.take(start, "another"), Ok(()));
    }

    // acceptance: SEC9
    #[test]
    fn guesses_are_limited_for_one_address_and_for_one_number_from_a_thousand() {
        let start = crate::clock::now();
        let limits = Limits::new(Bounds::default(), start);
        let from_one = (0..1000).filter(|n| limits.guess(start, address(1), &format!("{n:09}")).is_ok()).count();
        assert_eq!(from_one, 10);

        let limits = Limits::new(Bounds::default(), start);
        let at_one_number =
            (0..1000u32).filter(|n| limits.guess(start, IpAddr::from(n.to_be_bytes()), "123456789").is_ok()).count();
        assert_eq!(at_one_number, 30);

        let limits = Limits::new(Bounds::default(), start);
        let in_all = (0..1000u32)
            .filter(|n| limits.guess(start, IpAddr::from(n.to_be_bytes()), &format!("{n:09}")).is_ok())
            .count();
        assert!((250..=300).contains(&in_all), "{in_all}");
    }

    #[test]
    fn right_numbers_count_against_nobody() {
        let start = crate::clock::now();
        let limits = Limits::new(Bounds::default(), start);
        for _ in 0..1000 {
            limits.guess(start, address(1), "123456789").expect("a class behind one address").was_right();
        }
    }

    // acceptance: SEC7
    #[test]
    fn open_sockets_are_bounded_and_given_back() {
        let bounds = Bounds { sockets: 4, sockets_per_address: 2, strangers: 3, ..Bounds::default() };
        let limits = Limits::new(bounds, crate::clock::now());
        let mut first = limits.open_socket(address(1)).expect("room");
        let _second = limits.open_socket(address(1)).expect("room");
        assert!(limits.open_socket(address(1)).is_err(), "two an address");
        assert!(limits.is_crowded(address(1)) && limits.is_crowded(address(7)), "two strangers of three");
        let third = limits.open_socket(address(2)).expect("room");
        assert!(limits.open_socket(address(3)).is_err(), "three strangers");
        first.known();
        let fourth = limits.open_socket(address(3)).expect("room");
        assert!(limits.open_socket(address(4)).is_err(), "four in all");
        drop((third, fourth));
        assert_eq!(limits.open_sockets(), 2);
        drop(first);
        assert_eq!(limits.open_sockets(), 1);
        assert!(!limits.is_crowded(address(1)), "one stranger of three, one socket of two");
        assert!(limits.open_socket(address(1)).is_ok());
    }
}
