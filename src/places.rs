//! How many connections may be open, in all and per address. Knows no sockets.

use crate::config::Network;
use crate::telemetry::metrics::Gauge;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// All places. A lock is enough: it is held for one look-up per connection made or closed.
#[derive(Debug)]
pub struct Places {
    in_all: u32,
    per_address: u32,
    exempt: Vec<Network>,
    /// How many are taken.
    gauge: &'static Gauge,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    in_all: u32,
    by_address: HashMap<IpAddr, u32>,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPlace {
    /// All are taken.
    Full,
    /// This address has all that one may have.
    AddressFull,
}

/// One connection's place; dropping it gives it back.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    /// `None` for those who are exempt.
    household: Option<IpAddr>,
}

impl Places {
    /// So many in all, and of one address or IPv6 household but those who are exempt, such as proxies.
    #[must_use]
    pub fn new(in_all: u32, per_address: u32, exempt: Vec<Network>, gauge: &'static Gauge) -> Arc<Self> {
        Arc::new(Self { in_all, per_address, exempt, gauge, taken: Mutex::default() })
    }

    /// Takes a place.
    ///
    /// # Errors
    /// Where none is left for this address.
    pub fn take(self: &Arc<Self>, address: IpAddr) -> Result<Place, NoPlace> {
        let exempt = self.exempt.iter().any(|network| network.contains(address));
        let household = (!exempt).then(|| Network::household(address));
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.in_all >= self.in_all {
            return Err(NoPlace::Full);
        }
        if let Some(household) = household {
            let of_household = taken.by_address.get(&household).copied().unwrap_or(0);
            if of_household >= self.per_address {
                return Err(NoPlace::AddressFull);
            }
            taken.by_address.insert(household, of_household + 1);
        }
        taken.in_all += 1;
        self.gauge.add(1);
        Ok(Place { places: Arc::clone(self), household })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.in_all = taken.in_all.saturating_sub(1);
        if let Some(household) = self.household
            && let Some(of_household) = taken.by_address.get_mut(&household)
        {
            *of_household = of_household.saturating_sub(1);
            if *of_household == 0 {
                taken.by_address.remove(&household);
            }
        }
        self.places.gauge.add(-1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static GAUGE: Gauge = Gauge::new("test_places", "Places of tests.");

    fn places(in_all: u32, per_address: u32) -> Arc<Places> {
        Places::new(in_all, per_address, vec!["10.0.0.0/8".parse().unwrap()], &GAUGE)
    }

    // acceptance: SEC7
    #[test]
    fn one_address_cannot_take_every_place() {
        let places = places(5, 2);
        let take = |address: &str| places.take(address.parse().unwrap());
        let first = take("192.0.2.1").unwrap();
        let _second = take("::ffff:192.0.2.1").unwrap();
        assert_eq!(take("192.0.2.1").unwrap_err(), NoPlace::AddressFull);
        let _other = take("2001:db8::1").unwrap();
        let _same_household = take("2001:db8::2").unwrap();
        assert_eq!(take("2001:db8::3").unwrap_err(), NoPlace::AddressFull);
        drop(first);
        assert!(take("192.0.2.1").is_ok());
    }

    #[test]
    fn a_proxy_may_take_all_but_no_more() {
        let places = places(3, 1);
        let take = || places.take(IpAddr::from([10, 0, 0, 1]));
        let taken = [take().unwrap(), take().unwrap(), take().unwrap()];
        assert_eq!(take().unwrap_err(), NoPlace::Full);
        drop(taken);
        assert!(take().is_ok());
        assert!(places.taken.lock().unwrap().by_address.is_empty());
    }
}
