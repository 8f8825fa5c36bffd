//! Addresses of TCP connections. Knows no sockets.

use std::net::{SocketAddr, SocketAddrV6};
use std::num::NonZeroU32;

/// The peer's address with a connection's number where IPv6 has its flow label. Addresses that came by UDP have none (they are
/// made normal where they come in), so that the same port of a peer by TCP and by UDP is two addresses.
pub(super) fn mark(peer: SocketAddr, number: NonZeroU32) -> SocketAddr {
    let ip = match peer.ip() {
        std::net::IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        std::net::IpAddr::V6(ip) => ip,
    };
    SocketAddrV6::new(ip, peer.port(), number.get(), 0).into()
}

/// The number of a connection's address.
pub(super) const fn number_of(address: SocketAddr) -> Option<NonZeroU32> {
    match address {
        SocketAddr::V4(_) => None,
        SocketAddr::V6(address) => NonZeroU32::new(address.flowinfo()),
    }
}

/// Whether an address is a TCP connection's.
#[must_use]
pub const fn is_tcp(address: SocketAddr) -> bool {
    number_of(address).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_has_an_address_of_its_own() {
        for peer in ["192.0.2.1:5000", "[2001:db8::1]:5000"].map(|text| text.parse::<SocketAddr>().unwrap()) {
            let [first, second] = [1, 2].map(|number| mark(peer, NonZeroU32::new(number).unwrap()));
            assert!(first != second && first != peer && is_tcp(first) && !is_tcp(peer));
            assert_eq!((first.ip().to_canonical(), first.port()), (peer.ip(), peer.port()));
            assert_eq!(number_of(second), NonZeroU32::new(2));
        }
    }
}
