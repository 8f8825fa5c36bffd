//! Whether the server lives, whether it takes people, and what it counts. Knows no meetings.

use super::AppState;
use super::caller::{Caller, need};
use super::errors::Failure;
use crate::telemetry::metrics;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use signaling::protocol::RefusalCode;

/// Whether the process answers.
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200, description = "It does.")))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether new meetings and people are taken. For this machine, or with an API token.
#[utoipa::path(get, path = "/readyz", tag = "operation", responses(
    (status = 200, description = "They are."),
    (status = 401, description = "Not from here without a token.", body = super::errors::ErrorBody),
    (status = 503, description = "The server stops, or its database does not answer.", body = super::errors::ErrorBody),
))]
pub async fn readyz(State(state): State<AppState>, caller: Caller) -> Result<&'static str, Failure> {
    need(caller.client.local || caller.token)?;
    if state.is_draining() {
        return Err(Failure::from(RefusalCode::Draining).retry_after(60));
    }
    if let Err(error) = state.store.ping().await {
        tracing::error!(%error, "the database does not answer");
        return Err(Failure::from(RefusalCode::Draining).with_detail("the database does not answer"));
    }
    Ok("ready\n")
}

/// Counters in Prometheus' text format. For this machine, or with an API token.
#[utoipa::path(get, path = "/metrics", tag = "operation", responses(
    (status = 200, description = "The counters.", content_type = "text/plain"),
    (status = 401, description = "Not from here without a token.", body = super::errors::ErrorBody),
))]
pub async fn metrics(State(state): State<AppState>, caller: Caller) -> Result<Response, Failure> {
    need(caller.client.local || caller.token)?;
    let (live, _) = state.broadcasts.counts();
    super::counters::BROADCASTS.set(i64::try_from(live).unwrap_or(i64::MAX));
    let mut response = metrics::render().into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(metrics::CONTENT_TYPE));
    Ok(response)
}
