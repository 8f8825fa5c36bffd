//! Who may see a recording, and the link that lets others. To everybody else one that is there looks like one that is not.

use super::{Nothing, now};
use crate::config::Network;
use crate::http::AppState;
use crate::http::body::JsonBody;
use crate::http::caller::Caller;
use crate::http::cookies::{self, SameSite};
use crate::http::errors::{ErrorBody, Failure, internal};
use crate::http::rest::meetings::no_store;
use crate::meetings::rate::Later;
use crate::store::{Recording, Visibility};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use recordings::manifest::is_id;
use serde::{Deserialize, Serialize};
use signaling::ids::Millis;
use signaling::protocol::RefusalCode;
use utoipa::ToSchema;

/// How long a browser that opened a link keeps it, where the link has no end: a month.
const OPENED_S: u64 = 30 * 24 * 3600;

/// A new link where the end of the one before is over ends after so long: a week.
const AFTER_AN_END_MS: u64 = 7 * 24 * 3600 * 1000;

/// What somebody may do with a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// Play it.
    See,
    /// Rename, share and delete it, too.
    Manage,
}

/// The recording, for those who may see it.
pub(super) async fn seen(state: &AppState, caller: &Caller, id: &str) -> Result<(Recording, Rights), Failure> {
    let row = find(state, id).await?;
    if state.config.dev || caller.may_administrate() {
        return Ok((row, Rights::Manage));
    }
    if row.visibility != Visibility::Nobody {
        let meeting = state.store.meeting_by_id(&row.meeting).await.map_err(internal)?;
        if meeting.is_some_and(|meeting| caller.hosts(&meeting)) {
            return Ok((row, Rights::Manage));
        }
    }
    let sees = match row.visibility {
        Visibility::Nobody | Visibility::Host => false,
        Visibility::Participants => match caller.browser() {
            Some(browser) => state.store.was_recording_browser(&row.id, browser).await.map_err(internal)?,
            None => false,
        },
        Visibility::Link => caller.cookie(&cookies::recording(&row.id)).is_some_and(|token| row.is_link(token, now())),
    };
    if sees { Ok((row, Rights::See)) } else { Err(RefusalCode::NotFound.into()) }
}

/// The recording, for those who may do all with it.
pub(super) async fn managed(state: &AppState, caller: &Caller, id: &str) -> Result<Recording, Failure> {
    let (row, rights) = seen(state, caller, id).await?;
    if rights == Rights::Manage { Ok(row) } else { Err(RefusalCode::NotFound.into()) }
}

/// The recording, for those who may begin and end it: also hosts who must not see what comes of it. With whether they may
/// do the rest, too.
pub(super) async fn commanded(state: &AppState, caller: &Caller, id: &str) -> Result<(Recording, bool), Failure> {
    if let Ok((row, Rights::Manage)) = seen(state, caller, id).await {
        return Ok((row, true));
    }
    let row = find(state, id).await?;
    let meeting = state.store.meeting_by_id(&row.meeting).await.map_err(internal)?;
    if meeting.is_some_and(|meeting| caller.hosts(&meeting)) {
        Ok((row, false))
    } else {
        Err(RefusalCode::NotFound.into())
    }
}

pub(super) async fn find(state: &AppState, id: &str) -> Result<Recording, Failure> {
    let row = if is_id(id) { state.store.recording_by_id(id).await.map_err(internal)? } else { None };
    row.ok_or_else(|| RefusalCode::NotFound.into())
}

/// A link that opens a recording.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewLink {
    /// Its secret is in the fragment, and is shown this once.
    url: String,
    /// When it ends, in milliseconds since 1970.
    expires_at: Option<u64>,
}

/// The secret of a link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkToken {
    /// From the link's fragment.
    token: String,
}

/// Makes a link that opens the recording; the one before ends.
#[utoipa::path(post, path = "/api/v1/recordings/{id}/link", tag = "recordings", request_body = Nothing,
    params(("id" = String, Path, description = "The recording's id.")),
    security(("api_token" = []), ("sign_in" = []), ("host" = [])),
    responses(
        (status = 200, description = "The link; `visibility` is `link` now.", body = NewLink),
        (status = 404, description = "None for the asker.", body = ErrorBody),
    ))]
pub async fn link(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    JsonBody(Nothing {}): JsonBody<Nothing>,
) -> Result<Response, Failure> {
    let row = managed(&state, &caller, &id).await?;
    // An end that is over would make a link that never opens; one without an end is not what was wanted either.
    let expires = row.link_expires.map(|at| if at > now() { at } else { Millis(now().0 + AFTER_AN_END_MS) });
    let token = state.store.create_recording_link(&row.id, expires).await.map_err(internal)?;
    let url = format!("{}/recordings/{}#{}", state.base_url, row.id, token.expose());
    Ok(no_store(Json(NewLink { url, expires_at: expires.map(|at| at.0) })))
}

/// Exchanges the secret of a link for a cookie.
#[utoipa::path(post, path = "/api/v1/recordings/{id}/open", tag = "recordings", request_body = LinkToken,
    params(("id" = String, Path, description = "The recording's id.")),
    responses(
        (status = 204, description = "The cookie is set."),
        (status = 404, description = "The link is wrong or over.", body = ErrorBody),
    ))]
pub async fn open(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    JsonBody(LinkToken { token }): JsonBody<LinkToken>,
) -> Result<Response, Failure> {
    let taken = state.limits.joins.take(crate::clock::now(), Network::household(caller.client.address));
    taken.map_err(|Later(seconds)| Failure::from(RefusalCode::TooMany).retry_after(seconds))?;
    let row = find(&state, &id).await?;
    if !row.is_link(&token, now()) {
        return Err(RefusalCode::NotFound.into());
    }
    let left_s = row.link_expires.map_or(OPENED_S, |at| at.0.saturating_sub(now().0).div_ceil(1000));
    let name = cookies::recording(&row.id);
    let cookie = cookies::set(&name, &token, left_s.min(OPENED_S), SameSite::Lax, state.is_secure());
    let cookie = cookie.ok_or_else(|| internal("a cookie that is no header"))?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}
