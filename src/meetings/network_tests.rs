//! Who tests his network now: each may publish once and watch once for a minute, by a key that only his page has.
//! Knows no media and no HTTP.

use super::broadcasts::Way;
use rand::Rng;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A test ends by itself after so long.
pub const LASTS: Duration = Duration::from_secs(60);

/// At once of one address: colleagues behind it may test together, one of them can't take all places.
const MOST_OF_ONE: usize = 3;

/// The tests that run.
#[derive(Clone)]
pub struct NetworkTests {
    most: usize,
    running: Arc<Mutex<HashMap<String, Running>>>,
}

struct Running {
    household: IpAddr,
    published: bool,
    watched: bool,
}

impl NetworkTests {
    /// None runs. No more than `most` will at once.
    #[must_use]
    pub fn new(most: u32) -> Self {
        Self { most: most as usize, running: Arc::default() }
    }

    /// Begins one and gives its key; nothing where no more may run.
    #[must_use]
    pub fn begin(&self, household: IpAddr, random: &mut impl Rng) -> Option<String> {
        let mut running = self.running();
        let of_this = running.values().filter(|test| test.household == household).count();
        if running.len() >= self.most || of_this >= MOST_OF_ONE {
            return None;
        }
        let key = format!("{:016x}{:016x}", random.next_u64(), random.next_u64());
        running.insert(key.clone(), Running { household, published: false, watched: false });
        Some(key)
    }

    /// Whether a test with this key runs.
    #[must_use]
    pub fn knows(&self, key: &str) -> bool {
        self.running().contains_key(key)
    }

    /// Takes one of the two things that a test may do; false where that was done already.
    #[must_use]
    pub fn take(&self, key: &str, way: Way) -> bool {
        let mut running = self.running();
        let Some(test) = running.get_mut(key) else { return false };
        let done = match way {
            Way::Publish => &mut test.published,
            Way::Watch => &mut test.watched,
        };
        !std::mem::replace(done, true)
    }

    /// Ends a test; whether it ran.
    #[must_use]
    pub fn end(&self, key: &str) -> bool {
        self.running().remove(key).is_some()
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Under which name its media run: no broadcast of the store has such a one.
#[must_use]
pub fn broadcast_of(key: &str) -> String {
    format!("network-test-{key}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn tests_are_bounded_in_all_and_per_address_and_each_does_two_things_once() {
        let mut random = StdRng::seed_from_u64(1);
        let tests = NetworkTests::new(5);
        let address = |last| IpAddr::from([203, 0, 113, last]);
        let keys: Vec<_> = (0..4).filter_map(|_| tests.begin(address(1), &mut random)).collect();
        assert_eq!(keys.len(), MOST_OF_ONE);
        let others = (2..9).filter(|last| tests.begin(address(*last), &mut random).is_some()).count();
        assert_eq!(others, 2);
        let key = &keys[0];
        assert!(key.len() == 32 && keys[1] != *key);
        assert!(tests.take(key, Way::Publish) && !tests.take(key, Way::Publish));
        assert!(tests.take(key, Way::Watch) && !tests.take(key, Way::Watch));
        assert!(!tests.take("0", Way::Watch) && !tests.knows("0"));
        assert!(tests.end(key) && !tests.end(key) && !tests.knows(key));
        assert!(tests.begin(address(1), &mut random).is_some());
    }
}
