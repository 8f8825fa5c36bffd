//! Addresses at the border to the kernel, and those of this machine. Knows no sockets.

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};

/// An address as we keep it: IPv4-mapped ones as IPv4, and nothing beside address, port and scope.
pub(super) fn normal(address: SocketAddr) -> SocketAddr {
    match (address.ip().to_canonical(), address) {
        (IpAddr::V6(ip), SocketAddr::V6(v6)) => SocketAddrV6::new(ip, v6.port(), 0, v6.scope_id()).into(),
        (ip, _) => SocketAddr::new(ip, address.port()),
    }
}

/// The addresses of this machine's interfaces that are up, IPv4 first; without link-local ones, and
/// without those of the loopback interface unless asked for.
///
/// # Errors
/// The kernel's, when it does not tell.
pub fn interfaces(with_loopback: bool) -> io::Result<Vec<IpAddr>> {
    let up = |interface: &if_addrs::Interface| interface.oper_status != if_addrs::IfOperStatus::Down;
    Ok(usable(if_addrs::get_if_addrs()?.iter().map(|interface| (interface.ip(), up(interface))), with_loopback))
}

/// Of addresses and whether their interface is up, those that peers can send to.
fn usable(found: impl Iterator<Item = (IpAddr, bool)>, with_loopback: bool) -> Vec<IpAddr> {
    let link_local = |address: &IpAddr| match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    let wanted = |address: &IpAddr| !link_local(address) && (with_loopback || !address.is_loopback());
    let up = found.filter_map(|(address, up)| up.then_some(address));
    let mut addresses: Vec<IpAddr> = up.filter(wanted).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_addresses_become_ipv4_and_others_stay() {
        for (outside, inside) in [
            ("[::ffff:192.0.2.1]:5", "192.0.2.1:5"),
            ("192.0.2.1:5", "192.0.2.1:5"),
            ("[2001:db8::1]:5", "[2001:db8::1]:5"),
        ] {
            assert_eq!(normal(outside.parse().unwrap()), inside.parse::<SocketAddr>().unwrap());
        }
        let marked = SocketAddrV6::new("fe80::1".parse().unwrap(), 5, 77, 3);
        assert_eq!(normal(marked.into()), SocketAddr::from(SocketAddrV6::new(*marked.ip(), 5, 0, 3)));
    }

    #[test]
    fn only_addresses_that_peers_can_send_to_are_told() {
        let found = ["::1", "192.0.2.7", "fe80::1", "169.254.3.4", "2001:db8::7", "127.0.0.1", "192.0.2.7"];
        let found = || found.iter().map(|text| (text.parse().unwrap(), true)).chain([([192, 0, 2, 9].into(), false)]);
        let told =
            |with_loopback| usable(found(), with_loopback).iter().map(IpAddr::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(told(false), "192.0.2.7 2001:db8::7");
        assert_eq!(told(true), "127.0.0.1 192.0.2.7 ::1 2001:db8::7");
    }

    #[test]
    fn loopback_is_an_interface_only_where_asked_for() {
        let all = interfaces(true).unwrap();
        let others = interfaces(false).unwrap();
        assert!(all.contains(&IpAddr::from([127, 0, 0, 1])));
        assert!(others.iter().all(|address| !address.is_loopback() && all.contains(address)));
        assert!(all.is_sorted());
    }
}
