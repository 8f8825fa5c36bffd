//! Watching a broadcast below half a second: WHEP (draft-ietf-wish-whep). Whoever has the link may.
//! Knows no media.

use super::AppState;
use super::exchange::{self, cors, preflight};
use super::guard::Client;
use super::scope::watched;
use crate::meetings::broadcasts::Way;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

/// Begins to watch: an SDP offer in, an answer and a resource out.
#[utoipa::path(post, path = "/whep/{broadcast}", tag = "broadcasts",
    params(("broadcast" = String, Path, description = "The broadcast's id.")),
    request_body(content = String, content_type = "application/sdp", description = "The offer."),
    responses(
        (status = 201, description = "The answer; `Location` is the session's resource.", content_type = "application/sdp"),
        (status = 404, description = "No such broadcast.", body = super::errors::ErrorBody),
        (status = 409, description = "Nobody publishes yet; `Retry-After` says when to ask again.", body = super::errors::ErrorBody),
        (status = 422, description = "The offer has no codec of what is published.", body = super::errors::ErrorBody),
    ))]
pub async fn watch(
    State(state): State<AppState>,
    client: Client,
    Path(broadcast): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let result = async {
        watched(&state, &broadcast).await?;
        let path = format!("/whep/{broadcast}");
        exchange::post(&state, client, &headers, body, (&broadcast, Way::Watch, &path)).await
    };
    cors(result.await)
}

/// Trickles candidates, or restarts ICE with new credentials and `If-Match: *` (RFC 9725 §4.3).
#[utoipa::path(patch, path = "/whep/{broadcast}/{resource}", tag = "broadcasts",
    params(("broadcast" = String, Path, description = "The broadcast's id."), ("resource" = String, Path, description = "The session.")),
    request_body(content = String, content_type = "application/trickle-ice-sdpfrag", description = "The candidates, or new credentials."),
    responses(
        (status = 200, description = "ICE restarts; the body is our side of it, `ETag` its name.", content_type = "application/trickle-ice-sdpfrag"),
        (status = 204, description = "The candidates are taken."),
        (status = 412, description = "Another ICE session.", body = super::errors::ErrorBody),
        (status = 428, description = "`If-Match` is missing.", body = super::errors::ErrorBody),
    ))]
pub async fn patch(
    State(state): State<AppState>,
    client: Client,
    Path((broadcast, resource)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    cors(exchange::patch(&state, client, &headers, body, (&broadcast, Way::Watch, &resource)).await)
}

/// Stops watching.
#[utoipa::path(delete, path = "/whep/{broadcast}/{resource}", tag = "broadcasts",
    params(("broadcast" = String, Path, description = "The broadcast's id."), ("resource" = String, Path, description = "The session.")),
    responses((status = 200, description = "No packet passes any more."),
        (status = 404, description = "No such session.", body = super::errors::ErrorBody)))]
pub async fn stop(State(state): State<AppState>, Path((broadcast, resource)): Path<(String, String)>) -> Response {
    cors(exchange::delete(&state, (&broadcast, Way::Watch, &resource)).await)
}

/// What is taken here, for browsers that ask first.
pub async fn options() -> Response {
    preflight("POST, PATCH, DELETE, OPTIONS")
}
