//! Cookies: read from requests, made for answers. Knows no accounts.

use axum::http::{HeaderMap, HeaderValue, header};
use std::fmt::Write as _;

/// Who is signed in.
pub const SESSION: &str = "symposia_session";
/// Which browser it is; bans hold by it.
pub const BROWSER: &str = "symposia_browser";

/// The name of the cookie that makes its bearer host of one meeting.
#[must_use]
pub fn host(meeting: &str) -> String {
    format!("symposia_host_{meeting}")
}

/// The name of the cookie of a browser that opened a recording's link.
#[must_use]
pub fn recording(recording: &str) -> String {
    format!("symposia_recording_{recording}")
}

/// When other sites' links send it along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// Never.
    Strict,
    /// When they are followed.
    Lax,
}

/// The value of a request's cookie.
#[must_use]
pub fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// A `Set-Cookie` that scripts cannot read. It goes to the API only; an age of 0 takes it back.
#[must_use]
pub fn set(name: &str, value: &str, max_age_s: u64, same_site: SameSite, secure: bool) -> Option<HeaderValue> {
    set_under("/api/v1", name, value, max_age_s, same_site, secure)
}

fn set_under(
    path: &str,
    name: &str,
    value: &str,
    max_age_s: u64,
    same_site: SameSite,
    secure: bool,
) -> Option<HeaderValue> {
    let same_site = match same_site {
        SameSite::Strict => "Strict",
        SameSite::Lax => "Lax",
    };
    let mut text = format!("{name}={value}; Path={path}; Max-Age={max_age_s}; HttpOnly; SameSite={same_site}");
    if secure {
        let _ = write!(text, "; Secure");
    }
    HeaderValue::from_str(&text).ok()
}

/// The browser's own cookie as it came, if it has the form of ours.
#[must_use]
pub fn browser(headers: &HeaderMap) -> Option<&str> {
    get(headers, BROWSER).filter(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A new browser's cookie.
#[must_use]
pub fn new_browser(secure: bool) -> Option<HeaderValue> {
    const YEAR_S: u64 = 365 * 24 * 3600;
    let id = crate::config::Secret::random(&mut rand::rng());
    // Pages must see it, too: one that does not would give the browser another, and with it an end of its ban.
    set_under("/", BROWSER, id.expose(), YEAR_S, SameSite::Lax, secure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("ab=1; a=2"));
        headers.append(header::COOKIE, HeaderValue::from_static("b=3"));
        assert_eq!(get(&headers, "a"), Some("2"));
        assert_eq!(get(&headers, "b"), Some("3"));
        assert_eq!(get(&headers, "c"), None);
    }

    // acceptance: SEC8
    #[test]
    fn cookies_are_kept_from_scripts_and_other_sites() {
        let cookie = set("a", "b", 60, SameSite::Strict, true).expect("a header");
        assert_eq!(cookie, "a=b; Path=/api/v1; Max-Age=60; HttpOnly; SameSite=Strict; Secure");
        assert!(set("a", "b\r\nX: y", 60, SameSite::Lax, false).is_none());
    }

    #[test]
    fn a_browsers_cookie_has_the_form_of_ours() {
        let mut headers = HeaderMap::new();
        let made = new_browser(false).expect("a cookie");
        assert!(made.to_str().expect("text").contains("; Path=/; "), "pages and the API see it");
        let pair = made.to_str().expect("text").split(';').next().expect("a pair").to_owned();
        headers.insert(header::COOKIE, HeaderValue::from_str(&pair).expect("a header"));
        assert!(browser(&headers).is_some());
        headers.insert(header::COOKIE, HeaderValue::from_static("symposia_browser=x"));
        assert!(browser(&headers).is_none());
    }
}
