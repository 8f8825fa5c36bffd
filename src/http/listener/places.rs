//! How many connections are open, in all and per address. Knows no sockets.

use super::{Bounds, Refused, SOCKETS};
use crate::config::Network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// All places. A lock is enough: it is held for one look-up per connection made or closed.
#[derive(Debug)]
pub(super) struct Places {
    in_all: u32,
    per_address: u32,
    exempt: Vec<Network>,
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
    /// `None` for those who are exempt.
    household: Option<IpAddr>,
}

impl Places {
    pub(super) fn new(bounds: &Bounds) -> Arc<Self> {
        Arc::new(Self {
            in_all: bounds.sockets,
            per_address: bounds.sockets_per_address,
            exempt: bounds.exempt.clone(),
            taken: Mutex::default(),
        })
    }

    pub(super) fn take(places: &Arc<Self>, address: IpAddr) -> Result<Place, Refused> {
        let exempt = places.exempt.iter().any(|network| network.contains(address));
        let household = (!exempt).then(|| Network::household(address));
        let mut taken = places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.in_all >= places.in_all {
            return Err(Refused::Full);
        }
        if let Some(household) = household {
            let of_household = taken.by_address.entry(household).or_default();
            if *of_household >= places.per_address {
                return Err(Refused::AddressFull);
            }
            *of_household += 1;
        }
        taken.in_all += 1;
        SOCKETS.add(1);
        Ok(Place { places: Arc::clone(places), household })
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
        SOCKETS.add(-1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn places(sockets: u32, sockets_per_address: u32) -> Arc<Places> {
        let exempt = vec!["10.0.0.0/8".parse().unwrap()];
        let patience = Duration::from_secs(1);
        Places::new(&Bounds { sockets, sockets_per_address, exempt, request: patience, idle: patience })
    }

    // acceptance: SEC7
    #[test]
    fn one_address_cannot_take_every_place() {
        let places = places(5, 2);
        let take = |address: &str| Places::take(&places, address.parse().unwrap());
        let first = take("192.0.2.1").unwrap();
        let _second = take("::ffff:192.0.2.1").unwrap();
        assert_eq!(take("192.0.2.1").unwrap_err(), Refused::AddressFull);
        let _other = take("2001:db8::1").unwrap();
        let _same_household = take("2001:db8::2").unwrap();
        assert_eq!(take("2001:db8::3").unwrap_err(), Refused::AddressFull);
        drop(first);
        assert!(take("192.0.2.1").is_ok());
    }

    #[test]
    fn a_proxy_may_take_all_but_no_more() {
        let places = places(3, 1);
        let take = || Places::take(&places, IpAddr::from([10, 0, 0, 1]));
        let taken = [take().unwrap(), take().unwrap(), take().unwrap()];
        assert_eq!(take().unwrap_err(), Refused::Full);
        drop(taken);
        assert!(take().is_ok());
        assert!(places.taken.lock().unwrap().by_address.is_empty());
    }
}
