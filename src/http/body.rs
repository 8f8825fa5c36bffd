//! Request bodies: bounded in size and time, refused by the table of errors. Knows no endpoint.

use super::AppState;
use super::errors::{Failure, HttpCode};
use axum::body::{Body as HttpBody, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use signaling::protocol::RefusalCode;
use std::time::Duration;
use tokio::time::timeout;

/// How long a body may take to come; at 64 KiB that is a bad modem.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// A JSON body; an empty one counts as `{}`.
#[derive(Debug, Clone)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for JsonBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Failure> {
        let is_json = media_type(request.headers()) == Some("application/json");
        let body = read(request.into_body(), state.config.limits.body_bytes as usize).await?;
        if body.is_empty() {
            return parse(b"{}").map(Self);
        }
        // A form of another site can send text, but not this type without being asked first.
        if !is_json {
            return Err(Failure::from(HttpCode::UnsupportedMediaType).with_detail("send application/json"));
        }
        parse(&body).map(Self)
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        // Only where: the text of an error may repeat a secret that stood in the wrong place.
        let place = format!("line {}, column {}", error.line(), error.column());
        let what = if error.is_data() { "a field is missing, unknown or of the wrong type" } else { "no JSON" };
        Failure::from(RefusalCode::BadMessage).with_detail(format!("{what}: {place}"))
    })
}

/// Reads a whole body.
///
/// # Errors
/// When it is too large or too slow.
pub async fn read(body: HttpBody, limit: usize) -> Result<Bytes, Failure> {
    match timeout(BODY_WITHIN, to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(HttpCode::BodyTooLarge.into()),
        Err(_) => Err(Failure::from(RefusalCode::BadMessage).with_detail("the body came too slowly")),
    }
}

/// The `Content-Type` without its parameters, as it was written.
#[must_use]
pub fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or(value).trim())
}
