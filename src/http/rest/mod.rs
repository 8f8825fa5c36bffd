//! REST under `/api/v1`, and the OpenAPI document that describes it. Knows no sockets and no media.

mod accounts;
mod audience;
mod broadcasts;
mod document;
mod invitations;
mod meetings;
mod network_tests;
mod people;
mod recordings;
mod sign_ins;

pub use document::document;

use super::AppState;
use super::errors::Failure;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::{delete, get, patch, post};
use signaling::ids::Millis;
use signaling::protocol::RefusalCode;

/// All routes under `/api/v1` but the socket.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/v1/openapi.json", get(document::openapi))
        .route("/api/v1/me", get(people::me))
        .route("/api/v1/setup", post(people::setup))
        .route("/api/v1/sign-in", post(people::sign_in))
        .route("/api/v1/sign-out", post(people::sign_out))
        .route("/api/v1/me/password", post(sign_ins::change_password))
        .route("/api/v1/me/sign-ins", get(sign_ins::list))
        .route("/api/v1/me/sign-ins/{id}", delete(sign_ins::end))
        .route("/api/v1/accounts", get(accounts::list))
        .route("/api/v1/accounts/{id}", patch(accounts::change).delete(accounts::remove))
        .route("/api/v1/accounts/{id}/reset", post(accounts::reset))
        .route("/api/v1/invitations", get(invitations::list).post(invitations::create))
        .route("/api/v1/invitations/{id}", delete(invitations::remove))
        .route("/api/v1/invitations/open", post(invitations::open))
        .route("/api/v1/invitations/accept", post(invitations::accept))
        .route("/api/v1/meetings", get(meetings::list).post(meetings::create))
        .route("/api/v1/meetings/{id}", get(meetings::show).delete(meetings::end))
        .route("/api/v1/meetings/{id}/host", post(meetings::become_host))
        .route("/api/v1/meetings/{id}/door", post(meetings::door))
        .route("/api/v1/meetings/{id}/recordings", post(recordings::start))
        .route("/api/v1/recordings", get(recordings::list))
        .route("/api/v1/recordings/{id}", get(recordings::show).patch(recordings::change).delete(recordings::delete))
        .route("/api/v1/recordings/{id}/stop", post(recordings::stop))
        .route("/api/v1/recordings/{id}/pause", post(recordings::pause))
        .route("/api/v1/recordings/{id}/resume", post(recordings::resume))
        .route("/api/v1/recordings/{id}/link", post(recordings::rights::link))
        .route("/api/v1/recordings/{id}/open", post(recordings::rights::open))
        .route("/api/v1/recordings/{id}/export", post(recordings::exports::request))
        .route("/api/v1/recordings/{id}/exports", get(recordings::exports::list))
        .route("/api/v1/recordings/{id}/exports/{layout}", delete(recordings::exports::remove))
        .route("/api/v1/recordings/{id}/exports/{layout}/file", get(recordings::exports::file))
        .route("/api/v1/recordings/{id}/mix", get(recordings::files::mix))
        .route("/api/v1/recordings/{id}/timeline", get(recordings::files::timeline))
        .route("/api/v1/recordings/{id}/tracks/{track}", get(recordings::files::track))
        .route("/api/v1/recordings/{id}/tracks/{track}/segments", get(recordings::files::segments))
        .route("/api/v1/broadcasts", get(broadcasts::list).post(broadcasts::create))
        .route("/api/v1/broadcasts/{id}", get(broadcasts::show).delete(broadcasts::end))
        .route("/api/v1/broadcasts/{id}/stream-key", post(broadcasts::rotate_key).delete(broadcasts::revoke_key))
        .route("/api/v1/broadcasts/{id}/comments", get(audience::comments))
        .route("/api/v1/broadcasts/{id}/comments/{comment}", patch(audience::judge))
        .route("/api/v1/broadcasts/{id}/comments/{comment}/mute", post(audience::mute))
        .route("/api/v1/broadcasts/{id}/mutes", get(audience::mutes))
        .route("/api/v1/broadcasts/{id}/mutes/{mute}", delete(audience::unmute))
        .route("/api/v1/broadcasts/{id}/comment-rules", get(audience::rules).put(audience::set_rules))
        .route("/api/v1/network-tests", post(network_tests::begin).delete(network_tests::end))
        .route("/api/v1/network-tests/publish", post(network_tests::publish))
        .route("/api/v1/network-tests/watch", post(network_tests::watch))
        .route("/api/{*rest}", axum::routing::any(async || Failure::from(RefusalCode::NotFound)))
}

/// A meeting's or broadcast's title: 0 to 200 characters, without control characters.
fn title(given: Option<String>) -> Result<String, Failure> {
    const MAX_TITLE: usize = 200;
    let title = given.unwrap_or_default().trim().to_owned();
    if title.chars().count() > MAX_TITLE || title.chars().any(char::is_control) {
        return Err(Failure::from(RefusalCode::BadMessage).with_detail("a title has at most 200 characters"));
    }
    Ok(title)
}

/// An id that is a number; what is none names nothing.
fn number(id: &str) -> Result<i64, Failure> {
    id.parse().map_err(|_| RefusalCode::NotFound.into())
}

/// The answer to what was to be taken away.
fn gone(was_there: bool) -> Result<StatusCode, Failure> {
    if was_there { Ok(StatusCode::NO_CONTENT) } else { Err(RefusalCode::NotFound.into()) }
}

/// A place in a list by time, as its `next` names it: `<milliseconds>.<id>`.
fn place(next: &str) -> Result<(Millis, String), Failure> {
    let wrong = || Failure::from(RefusalCode::BadMessage).with_detail("`before` is no `next` of a list");
    let (at, id) = next.split_once('.').ok_or_else(wrong)?;
    Ok((Millis(at.parse().map_err(|_| wrong())?), id.to_owned()))
}
