//! Broadcasts by REST: made, shown, ended. Knows nothing of what is sent.

use super::meetings::{count_creation, no_store};
use super::title;
use crate::clock;
use crate::config::Secret;
use crate::http::AppState;
use crate::http::body::JsonBody;
use crate::http::caller::{Caller, bearer, need};
use crate::http::errors::{ErrorBody, Failure, internal};
use crate::ingest::Status;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use signaling::protocol::RefusalCode;
use utoipa::ToSchema;

/// The port of RTMP, which its addresses need not name.
const RTMP_PORT: u16 = 1935;

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
    #[serde(flatten)]
    key: StreamKey,
}

/// A stream key and where encoders push to with it. Shown this once.
#[derive(Serialize, ToSchema)]
pub struct StreamKey {
    /// Lets its bearer publish.
    stream_key: String,
    /// Where encoders push to by RTMP, with the stream key as its end; absent where RTMP is not listened on. Programs that
    /// ask for a server and a key, such as OBS, take this as server, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    rtmp_url: Option<String>,
}

impl StreamKey {
    fn new(state: &AppState, key: &Secret) -> Self {
        let key = key.expose();
        let rtmp_url = state.ingest.rtmp_address().map(|address| {
            let port = if address.port() == RTMP_PORT { String::new() } else { format!(":{}", address.port()) };
            format!("rtmp://{}{port}/live/{key}", host(&state.base_url))
        });
        Self { stream_key: key.to_owned(), rtmp_url }
    }
}

/// The host's name or address in the beginning of a link, an IPv6 one in its brackets.
fn host(base_url: &str) -> &str {
    let authority = base_url.split_once("://").map_or(base_url, |(_, authority)| authority);
    match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => &authority[..colon],
        _ => authority,
    }
}

/// A broadcast as viewers see it.
#[derive(Debug, Serialize, ToSchema)]
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
    /// The encoder that publishes by RTMP; only for who runs the server or has the stream key.
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<Status>,
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
        key: StreamKey::new(&state, &made.stream_key),
        id,
    };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

/// Shows a broadcast to whoever has its link.
#[utoipa::path(get, path = "/api/v1/broadcasts/{id}", tag = "broadcasts",
    params(("id" = String, Path, description = "The broadcast's id.")),
    security((), ("api_token" = []), ("sign_in" = []), ("stream_key" = [])),
    responses(
        (status = 200, description = "As it is now.", body = ShownBroadcast),
        (status = 404, description = "No such broadcast.", body = ErrorBody),
    ))]
pub async fn show(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let found = state.store.broadcast_by_id(&id).await.map_err(internal)?;
    let found = found.filter(|broadcast| broadcast.ended_at.is_none()).ok_or(RefusalCode::NotFound)?;
    let (live, viewers) = state.broadcasts.viewers(&found.id);
    let whep_url = format!("{}/whep/{}", state.base_url, found.id);
    let in_hls = state.live.get(&found.id).is_none_or(|live| live.is_in_hls());
    let hls_url = in_hls.then(|| format!("{}/hls/{}/index.m3u8", state.base_url, found.id));
    let publisher = state.ingest.status(&found.id);
    let live = live || publisher.is_some();
    // What an encoder calls itself and what it does wrong is nothing for viewers.
    let publisher =
        if caller.may_administrate() || holds_key(&state, &headers, &found.id).await? { publisher } else { None };
    Ok(no_store(Json(ShownBroadcast { id: found.id, title: found.title, live, viewers, whep_url, hls_url, publisher })))
}

async fn holds_key(state: &AppState, headers: &HeaderMap, id: &str) -> Result<bool, Failure> {
    let Some(key) = bearer(headers) else { return Ok(false) };
    let found = state.store.broadcast_by_stream_key(key).await.map_err(internal)?;
    Ok(found.is_some_and(|broadcast| broadcast.id == id))
}

/// Gives a broadcast a new stream key. Whoever publishes with the old one is cut.
#[utoipa::path(post, path = "/api/v1/broadcasts/{id}/stream-key", tag = "broadcasts",
    params(("id" = String, Path, description = "The broadcast's id.")),
    security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 200, description = "The new key.", body = StreamKey),
        (status = 401, description = "For the administrator.", body = ErrorBody),
        (status = 404, description = "No such broadcast.", body = ErrorBody),
    ))]
pub async fn rotate_key(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let key = change_key(&state, &caller, &id).await?;
    Ok(no_store(Json(StreamKey::new(&state, &key))))
}

/// Takes the stream key away: nobody can publish until there is a new one.
#[utoipa::path(delete, path = "/api/v1/broadcasts/{id}/stream-key", tag = "broadcasts",
    params(("id" = String, Path, description = "The broadcast's id.")),
    security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 204, description = "No key opens it any more."),
        (status = 401, description = "For the administrator.", body = ErrorBody),
        (status = 404, description = "No such broadcast.", body = ErrorBody),
    ))]
pub async fn revoke_key(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    // It has another one, which nobody was told.
    change_key(&state, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn change_key(state: &AppState, caller: &Caller, id: &str) -> Result<Secret, Failure> {
    need(caller.may_administrate())?;
    let key = state.store.change_stream_key(id).await.map_err(internal)?.ok_or(RefusalCode::NotFound)?;
    state.ingest.cut(id);
    state.broadcasts.cut(id).await;
    tracing::info!(broadcast = id, "a stream key was changed");
    Ok(key)
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
    state.ingest.cut(&id);
    state.broadcasts.end(&id).await;
    state.live.end(&id);
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn the_host_of_a_link_is_without_its_port() {
        assert_eq!(host("https://meet.example.org"), "meet.example.org");
        assert_eq!(host("http://localhost:8080"), "localhost");
        assert_eq!(host("http://[2001:db8::1]:8080"), "[2001:db8::1]");
        assert_eq!(host("http://[2001:db8::1]"), "[2001:db8::1]");
    }
}
