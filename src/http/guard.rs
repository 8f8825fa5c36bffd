//! Under which names the server answers, from which sites pages may call it, and who really calls
//! when proxies stand between. Knows no accounts and no meetings.

use super::AppState;
use super::errors::{Failure, HttpCode};
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The names and addresses under which this server may be called.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// The host and port of `public_url`, in lower case.
    public: Option<String>,
    /// Addresses said to the world that no interface here has (NAT).
    advertised: Vec<IpAddr>,
}

impl Names {
    /// `public_url` and the advertised addresses of the settings.
    #[must_use]
    pub fn new(public_url: Option<&str>, advertised: Vec<IpAddr>) -> Self {
        let public =
            public_url.and_then(|url| url.parse::<Uri>().ok()).and_then(|uri| uri.host().map(str::to_ascii_lowercase));
        Self { public, advertised }
    }

    /// Whether a `Host` header names this server. A page of another site whose name was pointed
    /// here (DNS rebinding) fails: it can choose a name, but not one of ours.
    #[must_use]
    pub fn allows_host(&self, host_header: &str) -> bool {
        let host = host_of(host_header).to_ascii_lowercase();
        if host == "localhost" || self.public.as_deref().map(host_of) == Some(host.as_str()) {
            return true;
        }
        match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(address) => address.is_loopback() || self.advertised.contains(&address) || is_of_interface(address),
            Err(_) => false,
        }
    }

    /// Whether a page of this origin may call: one served under the same name and port, or under `public_url`.
    #[must_use]
    pub fn allows_origin(&self, origin: &str, host_header: &str) -> bool {
        let Some((scheme, authority)) = origin.split_once("://") else {
            return false; // `null` and the like
        };
        let port = match scheme {
            "http" => ":80",
            "https" => ":443",
            _ => return false,
        };
        // The scheme is left out: behind a proxy that ends TLS it differs from ours.
        let same = |ours: &str| {
            authority.eq_ignore_ascii_case(ours)
                || authority.strip_suffix(port).is_some_and(|short| short.eq_ignore_ascii_case(ours))
                || ours.strip_suffix(port).is_some_and(|short| short.eq_ignore_ascii_case(authority))
        };
        same(host_header) || self.public.as_deref().is_some_and(same)
    }
}

/// A host without its port.
fn host_of(authority: &str) -> &str {
    if let Some(end) = authority.find(']') {
        return authority.get(..=end).unwrap_or(authority);
    }
    authority.split_once(':').map_or(authority, |(host, _)| host)
}

fn is_of_interface(address: IpAddr) -> bool {
    if_addrs::get_if_addrs().is_ok_and(|interfaces| interfaces.iter().any(|interface| interface.ip() == address))
}

/// The name under which a request came in.
#[must_use]
pub fn host_header<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).or_else(|| uri.authority().map(|name| name.as_str()))
}

/// Refuses requests under foreign names, and requests of other sites' pages that would change
/// something. WHIP and WHEP are made to be called from other sites; they take no cookie.
pub async fn check_names(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let Some(host) = host_header(request.headers(), request.uri()) else {
        return Failure::from(HttpCode::ForeignHost).into_response();
    };
    if !state.names.allows_host(host) {
        super::counters::FOREIGN.add(1);
        return Failure::from(HttpCode::ForeignHost).into_response();
    }
    let open_to_sites = ["/whip/", "/whep/"].iter().any(|prefix| request.uri().path().starts_with(prefix));
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if changes && !open_to_sites && !origin_is_ours(&state, request.headers(), host) {
        super::counters::FOREIGN.add(1);
        return Failure::from(HttpCode::ForeignOrigin).into_response();
    }
    next.run(request).await
}

/// Whether the request comes from a page of ours, or from no page at all: browsers always name the
/// origin of a WebSocket and of a request that changes something.
#[must_use]
pub fn origin_is_ours(state: &AppState, headers: &HeaderMap, host: &str) -> bool {
    match headers.get(header::ORIGIN) {
        None => true,
        Some(origin) => origin.to_str().is_ok_and(|origin| state.names.allows_origin(origin, host)),
    }
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// The address of the browser or program, behind trusted proxies.
    pub address: IpAddr,
    /// Whether it is on this machine, and no proxy that we do not know stands between.
    pub local: bool,
}

impl FromRequestParts<AppState> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
        Ok(client(peer, &parts.headers, |proxy| state.is_trusted_proxy(proxy)))
    }
}

/// Reads `X-Forwarded-For` from the right as long as trusted proxies wrote it.
fn client(peer: Option<IpAddr>, headers: &HeaderMap, trusted: impl Fn(IpAddr) -> bool) -> Client {
    let Some(peer) = peer else {
        return Client { address: Ipv4Addr::UNSPECIFIED.into(), local: false };
    };
    let forwarded = headers.contains_key("x-forwarded-for") || headers.contains_key(header::FORWARDED);
    if !trusted(peer) {
        return Client { address: peer, local: peer.is_loopback() && !forwarded };
    }
    let hops: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let mut address = peer;
    for hop in hops.iter().rev() {
        match hop.trim().parse::<IpAddr>() {
            Ok(next) => address = next.to_canonical(),
            Err(_) => break,
        }
        if !trusted(address) {
            break;
        }
    }
    Client { address, local: address.is_loopback() && (address != peer || !forwarded) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn names() -> Names {
        Names::new(Some("https://Meet.example.org/"), vec![IpAddr::from([203, 0, 113, 5])])
    }

    // acceptance: SEC8
    #[test]
    fn only_our_own_names_are_answered() {
        let names = names();
        for ours in [
            "meet.example.org",
            "MEET.example.org:443",
            "localhost:8080",
            "127.0.0.1:8080",
            "[::1]:8080",
            "203.0.113.5",
        ] {
            assert!(names.allows_host(ours), "{ours}");
        }
        for foreign in
            ["evil.example", "meet.example.org.evil.example", "localhost.evil.example", "198.51.100.9", "", "[::2]"]
        {
            assert!(!names.allows_host(foreign), "{foreign}");
        }
    }

    // acceptance: SEC8
    #[test]
    fn only_pages_of_ours_may_call() {
        let names = names();
        for (origin, host) in [
            ("http://localhost:8080", "localhost:8080"),
            ("https://meet.example.org", "127.0.0.1:8080"),
            ("https://192.0.2.1", "192.0.2.1:443"),
            ("http://192.0.2.1:80", "192.0.2.1"),
        ] {
            assert!(names.allows_origin(origin, host), "{origin} at {host}");
        }
        for (origin, host) in [
            ("null", "localhost:8080"),
            ("http://localhost:3000", "localhost:8080"),
            ("https://evil.example", "localhost:8080"),
            ("file://localhost:8080", "localhost:8080"),
            ("https://evil.example:443", "evil.example.org"),
            ("https://meet.example.org:8443", "127.0.0.1:8080"),
        ] {
            assert!(!names.allows_origin(origin, host), "{origin} at {host}");
        }
    }

    #[test]
    fn forwarded_addresses_count_only_from_trusted_proxies() {
        let proxy = IpAddr::from([10, 0, 0, 1]);
        let peer = |text: &str| Some(text.parse::<IpAddr>().expect("an address"));
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("198.51.100.1, 192.0.2.7, 10.0.0.1"));
        let seen = client(peer("10.0.0.1"), &headers, |address| address == proxy);
        assert_eq!(seen, Client { address: IpAddr::from([192, 0, 2, 7]), local: false });
        let seen = client(peer("203.0.113.1"), &headers, |address| address == proxy);
        assert_eq!(seen.address, IpAddr::from([203, 0, 113, 1]), "a stranger's header is not read");
    }

    #[test]
    fn behind_an_unknown_proxy_on_this_machine_nobody_is_local() {
        let loopback = Some(IpAddr::from([127, 0, 0, 1]));
        let mut headers = HeaderMap::new();
        assert!(client(loopback, &headers, |_| false).local);
        headers.insert("x-forwarded-for", HeaderValue::from_static("127.0.0.1"));
        assert!(!client(loopback, &headers, |_| false).local);
        headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.1"));
        let seen = client(loopback, &headers, |address| address.is_loopback());
        assert_eq!(seen, Client { address: IpAddr::from([192, 0, 2, 1]), local: false });
    }
}
