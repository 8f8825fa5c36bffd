//! A test of one's network: a broadcast of one minute whose publisher and viewer are the same page. Its key is the
//! Bearer token. Knows no media.

use crate::clock;
use crate::config::Network;
use crate::http::AppState;
use crate::http::body::read;
use crate::http::caller::{bearer, need};
use crate::http::errors::{ErrorBody, Failure};
use crate::http::exchange::{self, SDP};
use crate::http::guard::Client;
use crate::meetings::broadcasts::{Opened, Way};
use crate::meetings::network_tests::{LASTS, broadcast_of};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use signaling::protocol::RefusalCode;
use utoipa::ToSchema;

/// When a place for another test may be free.
const AGAIN_S: u32 = 20;

/// A test that may begin.
#[derive(Serialize, ToSchema)]
pub struct BegunNetworkTest {
    /// The Bearer token of all that follows.
    key: String,
    /// After so many seconds it ends by itself.
    seconds: u64,
}

/// Begins a test.
#[utoipa::path(post, path = "/api/v1/network-tests", tag = "operation",
    responses(
        (status = 201, description = "It may begin.", body = BegunNetworkTest),
        (status = 429, description = "So many run already; `Retry-After` says when to ask again.", body = ErrorBody),
    ))]
pub async fn begin(State(state): State<AppState>, client: Client) -> Result<Response, Failure> {
    if state.is_draining() {
        return Err(Failure::from(RefusalCode::Draining).retry_after(60));
    }
    let household = Network::household(client.address);
    state.limits.media_posts.take(clock::now(), household).map_err(exchange::too_many)?;
    let key = state.network_tests.begin(household, &mut rand::rng());
    let key = key.ok_or_else(|| Failure::from(RefusalCode::TooMany).retry_after(AGAIN_S))?;
    let (ends, over) = (state.clone(), key.clone());
    tokio::spawn(async move {
        tokio::time::sleep(LASTS).await;
        finish(&ends, &over).await;
    });
    let body = BegunNetworkTest { key, seconds: LASTS.as_secs() };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

/// Publishes into the test, once.
#[utoipa::path(post, path = "/api/v1/network-tests/publish", tag = "operation",
    request_body(content = String, content_type = "application/sdp", description = "The offer."),
    security(("stream_key" = [])),
    responses(
        (status = 201, description = "The answer.", content_type = "application/sdp"),
        (status = 401, description = "No test with this key runs.", body = ErrorBody),
        (status = 409, description = "It was done already.", body = ErrorBody),
    ))]
pub async fn publish(
    State(state): State<AppState>,
    client: Client,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    offer(&state, client, &headers, body, Way::Publish).await
}

/// Watches what is published into the test, once.
#[utoipa::path(post, path = "/api/v1/network-tests/watch", tag = "operation",
    request_body(content = String, content_type = "application/sdp", description = "The offer."),
    security(("stream_key" = [])),
    responses(
        (status = 201, description = "The answer.", content_type = "application/sdp"),
        (status = 401, description = "No test with this key runs.", body = ErrorBody),
        (status = 409, description = "It was done already, or nothing is published.", body = ErrorBody),
    ))]
pub async fn watch(
    State(state): State<AppState>,
    client: Client,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    offer(&state, client, &headers, body, Way::Watch).await
}

/// Ends the test at once.
#[utoipa::path(delete, path = "/api/v1/network-tests", tag = "operation", security(("stream_key" = [])),
    responses(
        (status = 204, description = "No packet passes any more."),
        (status = 401, description = "No test with this key runs.", body = ErrorBody),
    ))]
pub async fn end(State(state): State<AppState>, headers: HeaderMap) -> Result<StatusCode, Failure> {
    let key = key(&state, &headers)?;
    finish(&state, key).await;
    Ok(StatusCode::NO_CONTENT)
}

async fn offer(
    state: &AppState,
    client: Client,
    headers: &HeaderMap,
    body: Body,
    way: Way,
) -> Result<Response, Failure> {
    let key = key(state, headers)?;
    let household = Network::household(client.address);
    state.limits.media_posts.take(clock::now(), household).map_err(exchange::too_many)?;
    let offer = exchange::text(read(body, state.config.limits.offer_bytes as usize).await?.to_vec())?;
    if !state.network_tests.take(key, way) {
        return Err(RefusalCode::Conflict.into());
    }
    let Opened { sdp, .. } = state.broadcasts.open(&broadcast_of(key), way, &offer).map_err(exchange::rejected)?;
    // It may have ended while this was under way.
    if !state.network_tests.knows(key) {
        state.broadcasts.end(&broadcast_of(key)).await;
    }
    let headers = [(header::CONTENT_TYPE, SDP), (header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, headers, sdp).into_response())
}

fn key<'a>(state: &AppState, headers: &'a HeaderMap) -> Result<&'a str, Failure> {
    let key = bearer(headers).unwrap_or_default();
    need(state.network_tests.knows(key))?;
    Ok(key)
}

async fn finish(state: &AppState, key: &str) {
    if state.network_tests.end(key) {
        state.broadcasts.end(&broadcast_of(key)).await;
    }
}
