//! The audience of a broadcast by REST: its comments, and for who manages it the rules, what is held, who may not write.
//! Knows no sockets.

use super::broadcasts::managed;
use super::meetings::no_store;
use super::{gone, number};
use crate::audience::protocol::ShownComment;
use crate::audience::settings::Settings;
use crate::http::AppState;
use crate::http::body::JsonBody;
use crate::http::caller::Caller;
use crate::http::errors::{ErrorBody, Failure, internal};
use crate::http::scope::watched;
use crate::store::CommentState;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use signaling::protocol::RefusalCode;
use utoipa::{IntoParams, ToSchema};

/// How many comments a list shows where nothing is said, and at most.
const LISTED: u32 = 100;
const LISTED_MOST: u32 = 500;

/// Which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct AskedComments {
    /// At most so many: 100, or up to 500.
    limit: Option<u32>,
    /// `next` of the list before.
    before: Option<u64>,
}

/// A comment in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedComment {
    /// 1, 2, … within the broadcast.
    id: u64,
    /// When it was written, in milliseconds since 1970.
    at: u64,
    /// 1 to 64 characters.
    name: String,
    /// One line.
    text: String,
    /// Not signed in: the name is what somebody typed.
    guest: bool,
    /// By somebody who manages the broadcast.
    host: bool,
    /// `shown`; for who manages the broadcast `held` and `deleted`, too.
    state: &'static str,
}

/// Comments, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommentList {
    comments: Vec<ListedComment>,
    /// `before` of the list after; null where there is none.
    next: Option<u64>,
}

/// What becomes of a comment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JudgeComment {
    /// `shown` or `deleted`.
    state: String,
}

/// Somebody who may not write.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownMute {
    /// Names it.
    id: i64,
    /// Under which name he had written.
    name: String,
    /// Since when, in milliseconds since 1970.
    at: u64,
}

/// Who may not write.
#[derive(Debug, Serialize, ToSchema)]
pub struct MuteList {
    /// Newest first.
    mutes: Vec<ShownMute>,
}

/// Lists what viewers wrote.
#[utoipa::path(get, path = "/api/v1/broadcasts/{id}/comments", tag = "audience",
    params(("id" = String, Path, description = "The broadcast's id."), AskedComments),
    security((), ("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 200, description = "Newest first.", body = CommentList),
        (status = 404, description = "No such broadcast.", body = ErrorBody),
    ))]
pub async fn comments(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Query(asked): Query<AskedComments>,
) -> Result<Response, Failure> {
    let broadcast = watched(&state, &id).await?;
    let manages = caller.manages(&state, &broadcast);
    let limit = asked.limit.unwrap_or(LISTED).clamp(1, LISTED_MOST);
    let mut found = state.audience.comments(&id, asked.before, limit + 1, manages).await.map_err(internal)?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|comment| comment.id);
    found.retain(|comment| manages || comment.state == CommentState::Shown);
    let listed = found.into_iter().map(|comment| {
        let ShownComment { id, at, name, text, guest, host, .. } = ShownComment::from(&comment);
        ListedComment { id, at, name, text, guest, host, state: comment.state.word() }
    });
    Ok(no_store(Json(CommentList { comments: listed.collect(), next })))
}

/// Shows a comment that is held, or deletes one.
#[utoipa::path(patch, path = "/api/v1/broadcasts/{id}/comments/{comment}", tag = "audience", request_body = JudgeComment,
    params(("id" = String, Path, description = "The broadcast's id."), ("comment" = u64, Path, description = "The comment's id.")),
    security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 204, description = "Everybody who watches is told."),
        (status = 401, description = "For its owner and administrators.", body = ErrorBody),
        (status = 404, description = "No such comment.", body = ErrorBody),
    ))]
pub async fn judge(
    State(state): State<AppState>,
    caller: Caller,
    Path((id, comment)): Path<(String, String)>,
    body: Result<JsonBody<JudgeComment>, Failure>,
) -> Result<StatusCode, Failure> {
    managed(&state, &caller, &id).await?;
    let JsonBody(JudgeComment { state: word }) = body?;
    let wanted = match CommentState::of(&word) {
        Some(wanted @ (CommentState::Shown | CommentState::Deleted)) => wanted,
        _ => return Err(Failure::from(RefusalCode::BadMessage).with_detail("state: shown or deleted")),
    };
    gone(state.audience.judge(&id, which(&comment)?, wanted).await.map_err(internal)?)
}

/// Whoever wrote this comment writes no more in this broadcast.
#[utoipa::path(post, path = "/api/v1/broadcasts/{id}/comments/{comment}/mute", tag = "audience",
    params(("id" = String, Path, description = "The broadcast's id."), ("comment" = u64, Path, description = "The comment's id.")),
    security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 204, description = "Nothing more is taken of this account or browser."),
        (status = 401, description = "For its owner and administrators.", body = ErrorBody),
        (status = 404, description = "No such comment.", body = ErrorBody),
    ))]
pub async fn mute(
    State(state): State<AppState>,
    caller: Caller,
    Path((id, comment)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    managed(&state, &caller, &id).await?;
    gone(state.audience.mute(&id, which(&comment)?).await.map_err(internal)?)
}

/// Lists who may not write.
#[utoipa::path(get, path = "/api/v1/broadcasts/{id}/mutes", tag = "audience",
    params(("id" = String, Path, description = "The broadcast's id.")),
    security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 200, description = "All of them.", body = MuteList),
        (status = 401, description = "For its owner and administrators.", body = ErrorBody),
    ))]
pub async fn mutes(State(state): State<AppState>, caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    managed(&state, &caller, &id).await?;
    let found = state.store.mutes(&id).await.map_err(internal)?;
    let mutes = found.into_iter().map(|mute| ShownMute { id: mute.id, name: mute.name, at: mute.at.0 });
    Ok(no_store(Json(MuteList { mutes: mutes.collect() })))
}

/// Lets somebody write again.
#[utoipa::path(delete, path = "/api/v1/broadcasts/{id}/mutes/{mute}", tag = "audience",
    params(("id" = String, Path, description = "The broadcast's id."), ("mute" = i64, Path, description = "Of the list.")),
    security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 204, description = "He may."),
        (status = 401, description = "For its owner and administrators.", body = ErrorBody),
        (status = 404, description = "No such one.", body = ErrorBody),
    ))]
pub async fn unmute(
    State(state): State<AppState>,
    caller: Caller,
    Path((id, mute)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    managed(&state, &caller, &id).await?;
    gone(state.audience.unmute(&id, number(&mute)?).await.map_err(internal)?)
}

/// Shows the rules of the audience.
#[utoipa::path(get, path = "/api/v1/broadcasts/{id}/comment-rules", tag = "audience",
    params(("id" = String, Path, description = "The broadcast's id.")),
    security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 200, description = "As they are.", body = Settings),
        (status = 401, description = "For its owner and administrators.", body = ErrorBody),
    ))]
pub async fn rules(State(state): State<AppState>, caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    managed(&state, &caller, &id).await?;
    Ok(no_store(Json(state.audience.settings(&id).await.map_err(internal)?)))
}

/// Replaces the rules of the audience; what is left out is as at the beginning.
#[utoipa::path(put, path = "/api/v1/broadcasts/{id}/comment-rules", tag = "audience", request_body = Settings,
    params(("id" = String, Path, description = "The broadcast's id.")),
    security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 200, description = "As they are now.", body = Settings),
        (status = 400, description = "A bound is passed.", body = ErrorBody),
        (status = 401, description = "For its owner and administrators.", body = ErrorBody),
    ))]
pub async fn set_rules(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    body: Result<JsonBody<Settings>, Failure>,
) -> Result<Response, Failure> {
    managed(&state, &caller, &id).await?;
    let JsonBody(wanted) = body?;
    let wrong =
        || Failure::from(RefusalCode::BadMessage).with_detail("slow: 0 to 600; words: at most 200 of 64 characters");
    let settings = wanted.cleaned().ok_or_else(wrong)?;
    state.audience.set_settings(&id, settings.clone()).await.map_err(internal)?;
    tracing::info!(broadcast = id, "the rules of an audience were changed");
    Ok(no_store(Json(settings)))
}

fn which(comment: &str) -> Result<u64, Failure> {
    comment.parse().map_err(|_| RefusalCode::NotFound.into())
}
