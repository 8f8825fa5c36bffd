//! Broadcasts by REST: made, shown, ended. Knows nothing of what is sent.

use super::meetings::{count_creation, no_store};
use super::{place, title};
use crate::clock;
use crate::config::Secret;
use crate::http::AppState;
use crate::http::body::JsonBody;
use crate::http::caller::{Caller, bearer, need};
use crate::http::errors::{ErrorBody, Failure, internal};
use crate::http::scope::watched;
use crate::ingest::Status;
use crate::store::{Broadcast, BroadcastPage};
use crate::tasks::to_its_end;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use signaling::protocol::RefusalCode;
use utoipa::{IntoParams, ToSchema};

/// How many a list shows where nothing is said, and at most.
const LISTED: u32 = 50;
const LISTED_MOST: u32 = 200;

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
    /// Where players go back by HLS, up to `broadcast.rewind_s`; absent while nothing is sent, or nothing is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    rewind_url: Option<String>,
    /// The encoder that publishes by RTMP; only for who may manage the broadcast or has the stream key.
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<Status>,
}

/// Which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// At most so many: 50, or up to 200.
    limit: Option<u32>,
    /// `next` of the list before.
    before: Option<String>,
}

/// A broadcast in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedBroadcast {
    /// As in the links.
    id: String,
    /// 0 to 200 characters.
    title: String,
    /// When it was made, in milliseconds since 1970.
    created_at: u64,
    /// The name of who made it; null of programs, or where the account was deleted.
    owner: Option<String>,
    /// Somebody publishes.
    live: bool,
    /// Who watch by WHEP.
    viewers: usize,
    /// The page to watch it on.
    watch_url: String,
}

/// Broadcasts that were not ended, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct BroadcastList {
    broadcasts: Vec<ListedBroadcast>,
    /// `before` of the list after; null where there is none.
    next: Option<String>,
}

/// Lists the broadcasts that were not ended: to administrators all, to hosts their own.
#[utoipa::path(get, path = "/api/v1/broadcasts", tag = "broadcasts", params(Asked),
    security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 200, description = "Newest first.", body = BroadcastList),
        (status = 401, description = "For those who may make broadcasts.", body = ErrorBody),
    ))]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let owner = if state.config.dev { None } else { caller.listed_owner()? };
    let limit = asked.limit.unwrap_or(LISTED).clamp(1, LISTED_MOST);
    let before = asked.before.as_deref().map(place).transpose()?;
    let rows = state.store.broadcasts(&BroadcastPage { before, limit: limit + 1, owner }).await.map_err(internal)?;
    let more = rows.len() > limit as usize;
    let mut broadcasts = Vec::new();
    for (row, owner) in rows.into_iter().take(limit as usize) {
        let (live, viewers) = state.broadcasts.viewers(&row.id);
        broadcasts.push(ListedBroadcast {
            watch_url: format!("{}/w/{}", state.base_url, row.id),
            live: live || state.ingest.status(&row.id).is_some(),
            viewers,
            created_at: row.created_at.0,
            owner,
            title: row.title,
            id: row.id,
        });
    }
    let next = broadcasts.last().filter(|_| more).map(|last| format!("{}.{}", last.created_at, last.id));
    Ok(no_store(Json(BroadcastList { broadcasts, next })))
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
    let owner = caller.account.as_ref().map(|account| account.id);
    let made = state.store.create_broadcast(&title, owner, clock::unix()).await.map_err(internal)?;
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
    let found = watched(&state, &id).await?;
    let (live, viewers) = state.broadcasts.viewers(&found.id);
    let whep_url = format!("{}/whep/{}", state.base_url, found.id);
    let watched = state.live.get(&found.id);
    let in_hls = watched.as_ref().is_none_or(|live| live.is_in_hls());
    let goes_back = in_hls && watched.is_some_and(|live| live.goes_back());
    let rewind_url = goes_back.then(|| format!("{}/hls/{}/rewind.m3u8", state.base_url, found.id));
    let hls_url = in_hls.then(|| format!("{}/hls/{}/index.m3u8", state.base_url, found.id));
    let publisher = state.ingest.status(&found.id);
    let live = live || publisher.is_some();
    // What an encoder calls itself and what it does wrong is nothing for viewers.
    let told = caller.manages(&state, &found) || holds_key(&state, &headers, &found.id).await?;
    let publisher = publisher.filter(|_| told);
    Ok(no_store(Json(ShownBroadcast {
        id: found.id,
        title: found.title,
        live,
        viewers,
        whep_url,
        hls_url,
        rewind_url,
        publisher,
    })))
}

async fn holds_key(state: &AppState, headers: &HeaderMap, id: &str) -> Result<bool, Failure> {
    let Some(key) = bearer(headers) else { return Ok(false) };
    let found = state.store.broadcast_by_stream_key(key).await.map_err(internal)?;
    Ok(found.is_some_and(|broadcast| broadcast.id == id))
}

/// The broadcast, for those who may manage it; others do not learn whether it exists.
pub(super) async fn managed(state: &AppState, caller: &Caller, id: &str) -> Result<Broadcast, Failure> {
    let found = state.store.broadcast_by_id(id).await.map_err(internal)?;
    need(caller.may_administrate() || found.as_ref().is_some_and(|found| caller.manages(state, found)))?;
    found.filter(|found| found.ended_at.is_none()).ok_or_else(|| RefusalCode::NotFound.into())
}

/// Who publishes with a key that is none any more.
pub(super) async fn cut_publisher(state: &AppState, broadcast: &str) {
    state.ingest.cut(broadcast);
    state.broadcasts.cut(broadcast).await;
}

/// Gives a broadcast a new stream key. Whoever publishes with the old one is cut.
#[utoipa::path(post, path = "/api/v1/broadcasts/{id}/stream-key", tag = "broadcasts",
    params(("id" = String, Path, description = "The broadcast's id.")),
    security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 200, description = "The new key.", body = StreamKey),
        (status = 401, description = "For its owner and administrators.", body = ErrorBody),
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
        (status = 401, description = "For its owner and administrators.", body = ErrorBody),
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
    managed(state, caller, id).await?;
    let (state, id) = (state.clone(), id.to_owned());
    to_its_end(async move {
        let key = state.store.change_stream_key(&id).await.map_err(internal)?.ok_or(RefusalCode::NotFound)?;
        cut_publisher(&state, &id).await;
        tracing::info!(broadcast = id, "a stream key was changed");
        Ok(key)
    })
    .await
}

/// Ends a broadcast for good.
#[utoipa::path(delete, path = "/api/v1/broadcasts/{id}", tag = "broadcasts",
    params(("id" = String, Path, description = "The broadcast's id.")),
    security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 204, description = "It is over."),
        (status = 401, description = "For its owner and administrators.", body = ErrorBody),
        (status = 404, description = "No such broadcast.", body = ErrorBody),
    ))]
pub async fn end(State(state): State<AppState>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    managed(&state, &caller, &id).await?;
    to_its_end(async move {
        if !state.store.end_broadcast(&id, clock::unix()).await.map_err(internal)? {
            return Err(RefusalCode::NotFound.into());
        }
        state.ingest.cut(&id);
        state.broadcasts.end(&id).await;
        state.live.end(&id);
        state.audience.end(&id);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
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
