//! What WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) have in common: an offer is posted, an answer
//! and a resource come back, candidates trickle by PATCH, DELETE ends it; all of it from any site.
//! Knows no credentials.

use super::AppState;
use super::body::{media_type, read};
use super::errors::{Failure, HttpCode};
use super::guard::Client;
use crate::clock;
use crate::config::Network;
use crate::meetings::broadcasts::{Opened, Patched, Rejected, Wanted, Way};
use crate::meetings::rate::Later;
use crate::session::sdp::Fragment;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use signaling::protocol::RefusalCode;

/// The type of offers and answers.
pub(super) const SDP: &str = "application/sdp";
/// The type of trickled candidates (RFC 8840 §9).
pub(super) const FRAGMENT: &str = "application/trickle-ice-sdpfrag";
/// Bytes of a fragment: a hundred candidates have some 10,000.
const MAX_FRAGMENT: usize = 32 * 1024;
/// When a viewer may ask again whether somebody publishes.
const ASK_AGAIN_S: u32 = 2;
/// When a second encoder may ask again: a lost one is given up by then.
const PUBLISH_AGAIN_S: u32 = 5;

/// Answers an offer: 201 with the resource under `path`.
pub(super) async fn post(
    state: &AppState,
    client: Client,
    headers: &HeaderMap,
    body: Body,
    (broadcast, way, path): (&str, Way, &str),
) -> Result<Response, Failure> {
    Ok(created(open(state, client, headers, body, (broadcast, way)).await?, path))
}

/// Takes an offer.
pub(super) async fn open(
    state: &AppState,
    client: Client,
    headers: &HeaderMap,
    body: Body,
    (broadcast, way): (&str, Way),
) -> Result<Opened, Failure> {
    // A broadcast that is live goes on: an encoder that comes back and a viewer that reconnects look like new ones.
    if state.is_draining() && !state.broadcasts.is_live(broadcast) {
        return Err(Failure::from(RefusalCode::Draining).retry_after(60));
    }
    let address = Network::household(client.address);
    state.limits.media_posts.take(clock::now(), address).map_err(too_many)?;
    need_type(headers, SDP)?;
    need_accepted(headers)?;
    let offer = text(read(body, state.config.limits.offer_bytes as usize).await?.to_vec())?;
    state.broadcasts.open(broadcast, way, &offer).map_err(rejected)
}

/// 201 with the answer, and the resource under `path`.
pub(super) fn created(Opened { resource, tag, sdp }: Opened, path: &str) -> Response {
    let mut response = (StatusCode::CREATED, sdp).into_response();
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(SDP));
    answer.insert(HeaderName::from_static("accept-patch"), HeaderValue::from_static(FRAGMENT));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let location = format!("{path}/{}", resource.as_str());
    for (name, value) in [(header::LOCATION, location), (header::ETAG, tag)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.insert(name, value);
        }
    }
    response
}

/// Takes trickled candidates, of which an ICE-lite side has no use, and new credentials, which restart ICE
/// (RFC 9725 §4.3).
pub(super) async fn patch(
    state: &AppState,
    client: Client,
    headers: &HeaderMap,
    body: Body,
    (broadcast, way, resource): (&str, Way, &str),
) -> Result<Response, Failure> {
    if !state.broadcasts.has(broadcast, way, resource) {
        return Err(RefusalCode::NotFound.into());
    }
    need_type(headers, FRAGMENT)?;
    let wanted = headers.get(header::IF_MATCH).ok_or(HttpCode::PreconditionRequired)?;
    let wanted = if wanted == "*" { Wanted::Any } else { Wanted::Tag(wanted.as_bytes()) };
    let fragment = text(read(body, MAX_FRAGMENT).await?.to_vec())?;
    let Fragment { credentials } = Fragment::parse(&fragment)
        .map_err(|error| Failure::from(RefusalCode::BadMessage).with_detail(error.to_string()))?;
    let address = Network::household(client.address);
    state.limits.media_patches.take(clock::now(), address).map_err(too_many)?;
    let patched = state.broadcasts.patch(broadcast, (way, resource), wanted, credentials);
    match patched.ok_or(RefusalCode::NotFound)? {
        Patched::OtherSession => Err(HttpCode::PreconditionFailed.into()),
        Patched::Candidates => Ok(StatusCode::NO_CONTENT.into_response()),
        Patched::Restarted { tag, sdp } => {
            let mut response = (StatusCode::OK, sdp).into_response();
            let answer = response.headers_mut();
            answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(FRAGMENT));
            answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            if let Ok(tag) = HeaderValue::from_str(&tag) {
                answer.insert(header::ETAG, tag);
            }
            Ok(response)
        }
    }
}

/// Ends a session; when this answers, no packet of it passes any more.
pub(super) async fn delete(
    state: &AppState,
    (broadcast, way, resource): (&str, Way, &str),
) -> Result<Response, Failure> {
    if state.broadcasts.close(broadcast, way, resource).await {
        Ok(StatusCode::OK.into_response())
    } else {
        Err(RefusalCode::NotFound.into())
    }
}

/// Puts on every answer what a page of another site needs to read it.
pub(super) fn cors(result: Result<Response, Failure>) -> Response {
    let mut response = result.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Location, ETag, Link, Retry-After, Accept-Patch"),
    );
    response
}

/// The answer to a preflight, and to a client that asks what is taken here.
pub(super) fn preflight(methods: &'static str) -> Response {
    let mut response = cors(Ok(StatusCode::NO_CONTENT.into_response()));
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("Authorization, Content-Type, If-Match"),
    );
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    headers.insert(HeaderName::from_static("accept-post"), HeaderValue::from_static(SDP));
    headers.insert(header::ALLOW, HeaderValue::from_static(methods));
    response
}

/// GET, HEAD, PUT and whatever else (RFC 9725 §4.1).
pub(super) async fn not_allowed(method: Method) -> Response {
    tracing::debug!(%method, "a method that WHIP and WHEP do not have");
    cors(Err(HttpCode::MethodNotAllowed.into()))
}

fn need_type(headers: &HeaderMap, wanted: &str) -> Result<(), Failure> {
    if media_type(headers).is_some_and(|given| given.eq_ignore_ascii_case(wanted)) {
        Ok(())
    } else {
        Err(Failure::from(HttpCode::UnsupportedMediaType).with_detail(format!("send {wanted}")))
    }
}

fn need_accepted(headers: &HeaderMap) -> Result<(), Failure> {
    let mut accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    let fits = |range: &str| {
        let kind = range.split(';').next().unwrap_or(range).trim();
        ["*/*", "application/*", SDP].iter().any(|ours| kind.eq_ignore_ascii_case(ours))
    };
    if accepted.peek().is_none() || accepted.flat_map(|value| value.split(',')).any(fits) {
        Ok(())
    } else {
        Err(HttpCode::NotAcceptable.into())
    }
}

pub(super) fn text(bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|_| Failure::from(RefusalCode::BadMessage).with_detail("no UTF-8"))
}

pub(super) fn too_many(Later(seconds): Later) -> Failure {
    Failure::from(RefusalCode::TooMany).retry_after(seconds)
}

pub(super) fn rejected(why: Rejected) -> Failure {
    match why {
        Rejected::NotPublishing => Failure::from(RefusalCode::NotPublishing).retry_after(ASK_AGAIN_S),
        Rejected::AlreadyPublishing => Failure::from(HttpCode::AlreadyPublishing).retry_after(PUBLISH_AGAIN_S),
        Rejected::Full => Failure::from(HttpCode::BroadcastFull).retry_after(30),
        Rejected::Busy => Failure::from(HttpCode::ServerBusy).retry_after(60),
        Rejected::NoCommonCodec => HttpCode::NoCommonCodec.into(),
        Rejected::Malformed(what) => Failure::from(RefusalCode::BadMessage).with_detail(what),
        Rejected::Unusable(what) => Failure::from(RefusalCode::BadOffer).with_detail(what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_must_be_acceptable() {
        let accepts = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(value));
            need_accepted(&headers).is_ok()
        };
        assert!(need_accepted(&HeaderMap::new()).is_ok());
        assert!(accepts("application/sdp") && accepts("text/html, */*;q=0.1") && accepts("application/*"));
        assert!(!accepts("text/html, application/json"));
    }
}
