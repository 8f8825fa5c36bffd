//! How many connections encoders may have open, in all and per address. Knows no sockets.

use super::counters::CONNECTIONS;
use crate::config::Network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// All places. A lock is enough: it is held for one look-up per connection made or closed.
#[derive(Debug)]
pub(super) struct Places {
    in_all: u32,
    per_address: u32,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    in_all: u32,
    by_address: HashMap<IpAddr, u32>,
}

/// One connection's place; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    household: IpAddr,
}

impl Places {
    pub(super) fn new(in_all: u32, per_address: u32) -> Arc<Self> {
        Arc::new(Self { in_all, per_address, taken: Mutex::default() })
    }

    /// `None` where all are taken, or all of this address.
    pub(super) fn take(places: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let household = Network::household(address);
        let mut taken = places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_household = taken.by_address.get(&household).copied().unwrap_or(0);
        if taken.in_all >= places.in_all || of_household >= places.per_address {
            return None;
        }
        taken.by_address.insert(household, of_household + 1);
        taken.in_all += 1;
        CONNECTIONS.add(1);
        Some(Place { places: Arc::clone(places), household })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.in_all = taken.in_all.saturating_sub(1);
        if let Some(of_household) = taken.by_address.get_mut(&self.household) {
            *of_household = of_household.saturating_sub(1);
            if *of_household == 0 {
                taken.by_address.remove(&self.household);
            }
        }
        CONNECTIONS.add(-1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // acceptance: SEC7
    #[test]
    fn one_address_cannot_take_every_place() {
        let places = Places::new(3, 2);
        let take = |address: &str| Places::take(&places, address.parse().unwrap());
        let first = take("192.0.2.1").unwrap();
        let _second = take("192.0.2.1").unwrap();
        assert!(take("192.0.2.1").is_none());
        let third = take("2001:db8::1").unwrap();
        assert!(take("2001:db8:1::1").is_none(), "all are taken");
        drop((first, third));
        assert!(take("192.0.2.1").is_some() && places.taken.lock().unwrap().by_address.len() == 1);
    }
}
