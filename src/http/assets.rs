//! The web app inside the binary: its files, their types, how long they may be kept, and the
//! security headers of every answer. Knows no meetings.

use super::errors::Failure;
use super::{AppState, cookies};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rust_embed::{EmbeddedFile, RustEmbed};
use signaling::protocol::RefusalCode;

/// What `make build` put there; in a debug build the folder is read at run time and may be absent.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct WebApp;

/// What stands in `index.html` where a fresh nonce goes; the web app's build writes it there so that
/// style elements made by its libraries pass without `unsafe-inline`.
const NONCE_PLACEHOLDER: &str = "__CSP_NONCE__";

/// How the web app's build packs larger scripts and styles, best first: the word of `Accept-Encoding`, and what
/// the packed file's name ends with.
const PACKINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// The page in place of a web app that was not built.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Symposia</title>\
<h1>The web app is not built</h1><p>Run <code>make build</code> (it needs Node), or open the one that \
<code>make run</code> starts. The API under <code>/api/v1</code> works without it.</p></html>";

/// Serves a file of the web app, or its first page for an address that the page itself understands.
pub async fn serve(State(state): State<AppState>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let mut response = find(&method, uri.path(), &headers);
    // Every page gives a browser its own cookie, so that a ban of it holds when it comes again.
    let is_page = response.extensions().get::<Page>().is_some();
    if is_page
        && cookies::browser(&headers).is_none()
        && let Some(cookie) = cookies::new_browser(state.is_secure())
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Marks an answer that is a page.
#[derive(Clone, Copy)]
struct Page;

fn find(method: &Method, path: &str, headers: &HeaderMap) -> Response {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Failure::from(super::errors::HttpCode::MethodNotAllowed).into_response();
    }
    let path = path.trim_start_matches('/');
    if is_page(path) {
        return index();
    }
    match WebApp::get(path) {
        Some(file) => file_response(path, &file, headers),
        // A person with a mistyped address reads a page; a program gets the code.
        None if is_for_reading(path, headers) => (StatusCode::NOT_FOUND, index()).into_response(),
        None => Failure::from(RefusalCode::NotFound).into_response(),
    }
}

/// Whether a browser asks for a page, and nothing else lives under the address.
fn is_for_reading(path: &str, headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.contains("text/html") && !path.starts_with("api/") && !path.starts_with("assets/")
}

/// Whether the web app's own router shows this address.
fn is_page(path: &str) -> bool {
    let mut parts = path.trim_end_matches('/').split('/');
    let first = parts.next().unwrap_or_default();
    let second = parts.next();
    let more = parts.next().is_some();
    match first {
        "" | "index.html" | "setup" | "sign-in" | "invitation" | "people" | "account" | "broadcasts" | "gallery"
        | "test" => second.is_none(),
        "number" | "recordings" => !more,
        "m" | "w" | "studio" => second.is_some() && !more,
        _ => false,
    }
}

fn index() -> Response {
    let nonce = BASE64_STANDARD.encode(rand::random::<[u8; 16]>());
    let html = match WebApp::get("index.html") {
        Some(file) => String::from_utf8_lossy(&file.data).replace(NONCE_PLACEHOLDER, &nonce),
        None => NOT_BUILT.to_owned(),
    };
    let mut response = html.into_response();
    response.extensions_mut().insert(Page);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(policy) = HeaderValue::from_str(&content_security_policy(Some(&nonce))) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// A file as the build packed it, in the best way that the browser takes, and that way's name.
fn packed(path: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, &'static str)> {
    PACKINGS
        .into_iter()
        .filter(|(name, _)| takes(headers, name))
        .find_map(|(name, ending)| Some((WebApp::get(&format!("{path}{ending}"))?, name)))
}

/// Whether a browser takes a content coding (RFC 9110, section 12.5.3); one that it does not name, it does not get.
fn takes(headers: &HeaderMap, coding: &str) -> bool {
    let said = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    said.flat_map(|value| value.split(',')).any(|offer| {
        let (name, weight) = offer.split_once(';').unwrap_or((offer, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse() == Ok(0.0_f32));
        name.trim().eq_ignore_ascii_case(coding) && !refused
    })
}

fn file_response(path: &str, file: &EmbeddedFile, asked: &HeaderMap) -> Response {
    let packed = packed(path, asked);
    let (sent, coding) = packed.as_ref().map_or((file, None), |(file, name)| (file, Some(*name)));
    let hash = sent.metadata.sha256_hash();
    let tag = format!("\"{}\"", BASE64_STANDARD.encode(hash.get(..12).unwrap_or_default()));
    let unchanged = asked.get(header::IF_NONE_MATCH).is_some_and(|seen| seen.as_bytes() == tag.as_bytes());
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Body::from(sent.data.clone().into_owned()).into_response()
    };
    let headers = response.headers_mut();
    let mime = content_type(path, file.metadata.mimetype());
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_str(&mime).unwrap_or(HeaderValue::from_static("application/octet-stream")),
    );
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    // Vite writes hashed names into `assets/`: such a file never changes.
    let caching = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// The type of a file; text is always UTF-8 here.
fn content_type(path: &str, guessed: &str) -> String {
    if path.ends_with(".webmanifest") {
        return "application/manifest+json".to_owned();
    }
    let text = guessed.starts_with("text/") || guessed == "application/javascript" || guessed == "application/json";
    if text && !guessed.contains("charset") { format!("{guessed}; charset=utf-8") } else { guessed.to_owned() }
}

/// What a page of ours may load and do: only what is ours. Styles are set through the CSSOM, style
/// elements carry the nonce.
fn content_security_policy(nonce: Option<&str>) -> String {
    let styles = nonce.map(|nonce| format!(" 'nonce-{nonce}'")).unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'{styles}; img-src 'self' data: blob:; \
         font-src 'self'; media-src 'self' blob: mediastream:; connect-src 'self'; worker-src 'self'; \
         manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    )
}

/// Puts the security headers on every answer that does not bring its own.
pub async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // Addresses hold no secrets (they are in fragments), and still nobody else needs them.
    set(header::REFERRER_POLICY, "no-referrer");
    set(
        HeaderName::from_static("permissions-policy"),
        "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), \
         screen-wake-lock=(self), speaker-selection=(self), autoplay=(self), geolocation=(), payment=(), usb=()",
    );
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(header::X_FRAME_OPTIONS, "DENY");
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY)
        && let Ok(policy) = HeaderValue::from_str(&content_security_policy(None))
    {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_web_app_are_pages_and_others_are_not() {
        for page in [
            "",
            "m/abc",
            "w/abc",
            "number",
            "number/123456789",
            "setup",
            "sign-in",
            "gallery",
            "broadcasts",
            "studio/abc",
            "recordings",
            "recordings/abc-1",
        ] {
            assert!(is_page(page), "{page}");
        }
        for other in [
            "m",
            "m/a/b",
            "w/",
            "studio",
            "studio/a/b",
            "broadcasts/x",
            "setup/x",
            "assets/x.js",
            "api/v1/nothing",
            "../etc/passwd",
            "mm/a",
        ] {
            assert!(!is_page(other), "{other}");
        }
    }

    // acceptance: SEC12
    #[test]
    fn the_policy_allows_no_inline_script_or_style() {
        for policy in [content_security_policy(None), content_security_policy(Some("abc"))] {
            assert!(!policy.contains("unsafe"), "{policy}");
            assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
        }
    }

    #[test]
    fn a_path_outside_the_folder_is_not_found() {
        for path in ["/assets/../../Cargo.toml", "/%2e%2e/Cargo.toml", "/..%2fCargo.toml", "/assets/none.js"] {
            let response = find(&Method::GET, path, &HeaderMap::new());
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn a_person_at_an_unknown_address_gets_a_page_and_a_program_the_code() {
        let mut browser = HeaderMap::new();
        browser.insert(header::ACCEPT, HeaderValue::from_static("text/html,application/xhtml+xml"));
        for (path, headers, is_page) in [
            ("/m/", &browser, true),
            ("/nothing/here", &browser, true),
            ("/api/v1/nothing", &browser, false),
            ("/assets/none.js", &browser, false),
            ("/nothing/here", &HeaderMap::new(), false),
        ] {
            let response = find(&Method::GET, path, headers);
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
            assert_eq!(response.extensions().get::<Page>().is_some(), is_page, "{path}");
        }
    }

    #[test]
    fn a_browser_gets_only_codings_that_it_takes() {
        let mut headers = HeaderMap::new();
        assert!(!takes(&headers, "br"));
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate;q=0.5, BR ; q=0.8, zstd;q=0"));
        for (coding, taken) in [("br", true), ("gzip", true), ("zstd", false), ("identity", false)] {
            assert_eq!(takes(&headers, coding), taken, "{coding}");
        }
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("br;q=0.0, *"));
        assert!(!takes(&headers, "br") && !takes(&headers, "gzip"));
    }

    /// Where the web app was built, its packed scripts are what the plain ones are.
    #[test]
    fn packed_files_are_given_out_to_those_who_take_them() {
        let name = |file: &str| WebApp::iter().find(|name| name.ends_with(file)).map(|name| name.into_owned());
        let Some(script) = name(".js.br").map(|name| name.trim_end_matches(".br").to_owned()) else { return };
        let mut seen = Vec::new();
        for (accepted, coding) in [("gzip, br", Some("br")), ("gzip", Some("gzip")), ("identity", None)] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            let response = find(&Method::GET, &format!("/{script}"), &headers);
            let said = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
            assert_eq!(said(header::CONTENT_ENCODING), coding, "{accepted}");
            assert_eq!(said(header::CONTENT_TYPE), Some("text/javascript; charset=utf-8"));
            assert_eq!(said(header::VARY), Some("accept-encoding"));
            seen.push(said(header::ETAG).map(str::to_owned));
        }
        seen.dedup();
        assert_eq!(seen.len(), 3, "each has a tag of its own");
    }

    #[test]
    fn text_is_utf_8() {
        assert_eq!(content_type("assets/a.css", "text/css"), "text/css; charset=utf-8");
        assert_eq!(content_type("app.webmanifest", "application/octet-stream"), "application/manifest+json");
        assert_eq!(content_type("a.png", "image/png"), "image/png");
    }
}
