//! Broadcasts by REST: made, shown, ended. Knows nothing of what is sent.

use super::meetings::{count_creation, no_store};
use super::title;
use crate::clock;
use crate::http::AppState;
use crate::http::body::JsonBody;
use crate::http::caller::{Caller, need};
use crate::http::errors::{ErrorBody, Failure, internal};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use signaling::protocol::RefusalCode;
use utoipa::ToSchema;

/// A broadcast to be made.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateBroadcast {
    /// 0 to 200 characters.
    title: Option<String>,
}

/// A broadcast just made. The stream key is shown this once.
#[derive(Serialize, ToSchema)]
pub struct CreatedBroadcast {
    /// As in the links.
    id: String,
    /// The page to watch it on.
    watch_url: String,
    /// Where encoders push to, with the stream key as Bearer token.
    whip_url: String,
    /// Where players watch.
    whep_url: String,
    /// Where players watch by HLS, some seconds later: whatever is sent but VP8.
    hls_url: String,
    /// Lets its bearer publish.
    stream_key: String,
}

/// A broadcast as viewers see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ShownBroadcast {
    /// As in the links.
    id: String,
    /// 0 to 200 characters.
    title: String,
    /// Somebody publishes.
    live: bool,
    /// Who watch by WHEP.
    viewers: usize,
    /// Where players watch.
    whep_url: String,
    /// Where players watch by HLS, some seconds later; absent while what is sent can't be watched so (VP8).
    #[serde(skip_serializing_if = "Option::is_none")]
    hls_url: Option<String>,
}

/// Makes a broadcast.
#[utoipa::path(post, path = "/api/v1/broadcasts", tag = "broadcasts", request_body = CreateBroadcast,
    security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 201, description = "Made.", body = CreatedBroadcast),
        (status = 401, description = "Nobody may who is not signed in (but with --dev).", body = ErrorBody),
    ))]
pub async fn create(
    State(state): State<AppState>,
    caller: Caller,
    JsonBody(wanted): JsonBody<CreateBroadcast>,
) -> Result<Response, Failure> {
    need(caller.may_create(&state))?;
    count_creation(&state, &caller)?;
    let title = title(wanted.title)?;
    if state.store.count_broadcasts().await.map_err(internal)? >= u64::from(state.config.limits.broadcasts) {
        return Err(Failure::from(RefusalCode::TooMany).with_detail("so many broadcasts exist already; end one"));
    }
    let made = state.store.create_broadcast(&title, clock::unix()).await.map_err(internal)?;
    let (id, base_url) = (made.broadcast.id, &state.base_url);
    tracing::info!(broadcast = id, "a broadcast was made");
    let body = CreatedBroadcast {
        watch_url: format!("{base_url}/w/{id}"),
        whip_url: format!("{base_url}/whip/{id}"),
        whep_url: format!("{base_url}/whep/{id}"),
        hls_url: format!("{base_url}/hls/{id}/index.m3u8"),
        stream_key: made.stream_key.expose().to_owned(),
        id,
    };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

/// Shows a broadcast to whoever has its link.
#[utoipa::path(get, path = "/api/v1/broadcasts/{id}", tag = "broadcasts",
    params(("id" = String, Path, description = "The broadcast's id.")),
    responses(
        (status = 200, description = "As it is now.", body = ShownBroadcast),
        (status = 404, description = "No such broadcast.", body = ErrorBody),
    ))]
pub async fn show(State(state): State<AppState>, Path(id): Path<String>) -> Result<Response, Failure> {
    let found = state.store.broadcast_by_id(&id).await.map_err(internal)?;
    let found = found.filter(|broadcast| broadcast.ended_at.is_none()).ok_or(RefusalCode::NotFound)?;
    let (live, viewers) = state.broadcasts.viewers(&found.id);
    let whep_url = format!("{}/whep/{}", state.base_url, found.id);
    let in_hls = state.live.get(&found.id).is_none_or(|live| live.is_in_hls());
    let hls_url = in_hls.then(|| format!("{}/hls/{}/index.m3u8", state.base_url, found.id));
    Ok(no_store(Json(ShownBroadcast { id: found.id, title: found.title, live, viewers, whep_url, hls_url })))
}

/// Ends a broadcast for good.
#[utoipa::path(delete, path = "/api/v1/broadcasts/{id}", tag = "broadcasts",
    params(("id" = String, Path, description = "The broadcast's id.")),
    security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 204, description = "It is over."),
        (status = 401, description = "For the administrator.", body = ErrorBody),
        (status = 404, description = "No such broadcast.", body = ErrorBody),
    ))]
pub async fn end(State(state): State<AppState>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    need(caller.may_administrate())?;
    if !state.store.end_broadcast(&id, clock::unix()).await.map_err(internal)? {
        return Err(RefusalCode::NotFound.into());
    }
    state.broadcasts.end(&id).await;
    state.live.end(&id);
    Ok(StatusCode::NO_CONTENT)
}
