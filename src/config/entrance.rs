//! Where something beside the one port is listened on. Binds nothing.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use thiserror::Error;

/// A port of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entrance {
    /// On the addresses of `listen`. 0 takes a free one.
    Port(u16),
    /// On this one.
    Address(SocketAddr),
}

impl Entrance {
    /// Where, when HTTP is listened on `listen`.
    #[must_use]
    pub const fn address(self, listen: SocketAddr) -> SocketAddr {
        match self {
            Self::Port(port) => SocketAddr::new(listen.ip(), port),
            Self::Address(address) => address,
        }
    }
}

/// A text that is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no port (1935) and no address with a port (0.0.0.0:1935)")]
pub struct NoEntrance(String);

impl FromStr for Entrance {
    type Err = NoEntrance;

    fn from_str(text: &str) -> Result<Self, NoEntrance> {
        let port = text.parse().map(Self::Port);
        port.or_else(|_| text.parse().map(Self::Address)).map_err(|_| NoEntrance(text.to_owned()))
    }
}

impl fmt::Display for Entrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(port) => port.fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// One that may be left empty.
pub(super) mod optional {
    use super::Entrance;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde gives it so")]
    pub(in crate::config) fn serialize<S: Serializer>(
        value: &Option<Entrance>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&value.map_or_else(String::new, |entrance| entrance.to_string()))
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Entrance>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(D::Error::custom) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_on_the_addresses_of_http_and_an_address_where_it_says() {
        let listen = "192.0.2.1:8080".parse().unwrap();
        let at = |text: &str| text.parse::<Entrance>().map(|entrance| entrance.address(listen).to_string());
        assert_eq!(at("1935").as_deref(), Ok("192.0.2.1:1935"));
        assert_eq!(at("[::]:1936").as_deref(), Ok("[::]:1936"));
        assert_eq!(
            at("70000").unwrap_err().to_string(),
            "`70000` is no port (1935) and no address with a port (0.0.0.0:1935)"
        );
        assert!(at("localhost").is_err());
        assert_eq!("0.0.0.0:5".parse::<Entrance>().unwrap().to_string(), "0.0.0.0:5");
    }
}
