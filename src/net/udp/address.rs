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
    let mut addresses: Vec<IpAddr> = if_addrs::get_if_addrs()?
        .into_iter()
        .filter(|interface| interface.oper_status != if_addrs::IfOperStatus::Down)
        .filter(|interface| !interface.is_link_local() && (with_loopback || !interface.is_loopback()))
        .map(|interface| interface.ip())
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    Ok(addresses)
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
    fn loopback_is_an_interface_only_where_asked_for() {
        let all = interfaces(true).unwrap();
        let others = interfaces(false).unwrap();
        assert!(all.contains(&IpAddr::from([127, 0, 0, 1])));
        assert!(others.iter().all(|address| !address.is_loopback() && all.contains(address)));
        assert!(all.is_sorted());
    }
}
