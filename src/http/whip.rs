//! Pushing a broadcast in: WHIP (RFC 9725). The stream key is the Bearer token, or stands in the path
//! for encoders that know no header. Knows no media.

use super::AppState;
use super::caller::bearer;
use super::errors::{Failure, HttpCode, internal};
use super::exchange::{self, cors, preflight};
use super::guard::Client;
use crate::meetings::broadcasts::Way;
use crate::store::Broadcast;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

/// Begins to publish: an SDP offer in, an answer and a resource out.
#[utoipa::path(post, path = "/whip/{broadcast}", tag = "broadcasts",
    params(("broadcast" = String, Path, description = "The broadcast's id with the stream key as Bearer token, or the stream key.")),
    request_body(content = String, content_type = "application/sdp", description = "The offer."),
    security(("stream_key" = [])),
    responses(
        (status = 201, description = "The answer; `Location` is the session's resource.", content_type = "application/sdp"),
        (status = 401, description = "The stream key is wrong.", body = super::errors::ErrorBody),
        (status = 409, description = "Somebody else publishes.", body = super::errors::ErrorBody),
    ))]
pub async fn publish(
    State(state): State<AppState>,
    client: Client,
    Path(segment): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let result = async {
        let broadcast = allowed(&state, &segment, &headers).await?;
        let path = format!("/whip/{segment}");
        let opened = exchange::open(&state, client, &headers, body, (&broadcast.id, Way::Publish)).await?;
        // The offer takes its time. Meanwhile the key may have been changed, or the broadcast ended: whoever did so cut
        // those who were there.
        if let Err(why) = allowed(&state, &segment, &headers).await {
            state.broadcasts.close(&broadcast.id, Way::Publish, opened.resource.as_str()).await;
            return Err(why);
        }
        Ok(exchange::created(opened, &path))
    };
    cors(result.await)
}

/// Trickles candidates, or restarts ICE with new credentials and `If-Match: *` (RFC 9725 §4.3).
#[utoipa::path(patch, path = "/whip/{broadcast}/{resource}", tag = "broadcasts",
    params(("broadcast" = String, Path, description = "As posted to."), ("resource" = String, Path, description = "The session.")),
    request_body(content = String, content_type = "application/trickle-ice-sdpfrag", description = "The candidates, or new credentials."),
    security(("stream_key" = [])),
    responses(
        (status = 200, description = "ICE restarts; the body is our side of it, `ETag` its name.", content_type = "application/trickle-ice-sdpfrag"),
        (status = 204, description = "The candidates are taken."),
        (status = 412, description = "Another ICE session.", body = super::errors::ErrorBody),
        (status = 428, description = "`If-Match` is missing.", body = super::errors::ErrorBody),
    ))]
pub async fn patch(
    State(state): State<AppState>,
    client: Client,
    Path((segment, resource)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let result = async {
        let broadcast = allowed(&state, &segment, &headers).await?;
        exchange::patch(&state, client, &headers, body, (&broadcast.id, Way::Publish, &resource)).await
    };
    cors(result.await)
}

/// Stops publishing.
#[utoipa::path(delete, path = "/whip/{broadcast}/{resource}", tag = "broadcasts",
    params(("broadcast" = String, Path, description = "As posted to."), ("resource" = String, Path, description = "The session.")),
    security(("stream_key" = [])),
    responses((status = 200, description = "No packet passes any more."),
        (status = 404, description = "No such session.", body = super::errors::ErrorBody)))]
pub async fn stop(
    State(state): State<AppState>,
    Path((segment, resource)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let result = async {
        let broadcast = allowed(&state, &segment, &headers).await?;
        exchange::delete(&state, (&broadcast.id, Way::Publish, &resource)).await
    };
    cors(result.await)
}

/// What is taken here, for browsers and encoders that ask first.
pub async fn options() -> Response {
    preflight("POST, PATCH, DELETE, OPTIONS")
}

/// The broadcast that the request holds the key of.
async fn allowed(state: &AppState, segment: &str, headers: &HeaderMap) -> Result<Broadcast, Failure> {
    let by_key = async |key: &str| state.store.broadcast_by_stream_key(key).await.map_err(internal);
    let mut found = None;
    if let Some(key) = bearer(headers) {
        found = by_key(key).await?.filter(|broadcast| broadcast.id == segment);
    }
    if found.is_none() {
        found = by_key(segment).await?;
    }
    let broadcast = found.ok_or(HttpCode::WrongStreamKey)?;
    if broadcast.ended_at.is_some() {
        return Err(HttpCode::WrongStreamKey.into());
    }
    Ok(broadcast)
}
