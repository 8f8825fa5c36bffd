//! Watching a broadcast by LL-HLS (draft-pantos-hls-rfc8216bis). Whoever has the link may, as by WHEP. Playlists wait
//! for what was asked for; parts, segments and heads never change, so that caches in between keep them. Knows no media.

use super::AppState;
use super::errors::{Failure, HttpCode, internal};
use super::exchange::{cors, preflight};
use crate::broadcast::counters;
use crate::broadcast::{Kind, Live, Refused, Wanted};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use signaling::protocol::RefusalCode;
use std::convert::Infallible;
use std::sync::Arc;

/// The type of playlists (RFC 8216 §4).
const PLAYLIST: HeaderValue = HeaderValue::from_static("application/vnd.apple.mpegurl");
/// A cache that many viewers share asks again each second at most; the playlist that a part is waited for has a URL of
/// its own.
const SHORT: HeaderValue = HeaderValue::from_static("public, max-age=1");
/// What has this URL never changes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=86400, immutable");
/// The longest path or query that is looked at.
const LONGEST: usize = 200;

/// The multivariant playlist.
#[utoipa::path(get, path = "/hls/{broadcast}/index.m3u8", tag = "broadcasts",
    params(("broadcast" = String, Path, description = "The broadcast's id.")),
    responses(
        (status = 200, description = "What players open; its renditions wait (`_HLS_msn`, `_HLS_part`) and leave out what a \
            player has (`_HLS_skip`).", content_type = "application/vnd.apple.mpegurl"),
        (status = 404, description = "No such broadcast, or nobody publishes; then `Retry-After` says when to ask again.", body = super::errors::ErrorBody),
        (status = 503, description = "What comes next did not come in time, or too many wait for it.", body = super::errors::ErrorBody),
    ))]
pub async fn index(State(state): State<AppState>, Path(broadcast): Path<String>) -> Response {
    let result = async {
        let live = live(&state, &broadcast).await?;
        let text = live.multivariant().await.map_err(refused)?;
        Ok(playlist(text))
    };
    shared(result.await)
}

/// Media playlists, heads, parts and segments.
pub async fn media(
    State(state): State<AppState>,
    Path((broadcast, path)): Path<(String, String)>,
    uri: Uri,
) -> Response {
    let result = async {
        let missing = || Failure::from(RefusalCode::NotFound);
        if path.len() > LONGEST {
            return Err(missing());
        }
        let (session, path) = path.split_once('/').ok_or_else(missing)?;
        let live = live(&state, &broadcast).await?;
        // Of a stream that was before this one.
        if live.session() != session {
            return Err(HttpCode::Gone.into());
        }
        let (name, file) = path.split_once('/').unwrap_or((path, ""));
        let kind = kind(name.strip_suffix(".m3u8").unwrap_or(name)).ok_or_else(missing)?;
        if file.is_empty() {
            let wanted = wanted(uri.query().unwrap_or_default())?;
            return live.playlist(kind, wanted).await.map(playlist).map_err(refused);
        }
        piece(&live, kind, file).await
    };
    shared(result.await)
}

/// What is taken here, for pages of other sites.
pub async fn options() -> Response {
    preflight("GET, HEAD, OPTIONS")
}

/// The stream of a broadcast, while there is one.
async fn live(state: &AppState, broadcast: &str) -> Result<Arc<Live>, Failure> {
    if let Some(live) = state.live.get(broadcast) {
        return Ok(live);
    }
    let found = state.store.broadcast_by_id(broadcast).await.map_err(internal)?;
    Err(match found {
        Some(broadcast) if broadcast.ended_at.is_none() => Failure::from(HttpCode::NotOnAir).retry_after(2),
        _ => RefusalCode::NotFound.into(),
    })
}

async fn piece(live: &Live, kind: Kind, file: &str) -> Result<Response, Failure> {
    let missing = || Failure::from(RefusalCode::NotFound);
    if let Some(number) = file.strip_prefix("init-").and_then(|rest| rest.strip_suffix(".mp4")) {
        let number = digits(number).and_then(|number| u32::try_from(number).ok()).ok_or_else(missing)?;
        return live.head(kind, number).map(|bytes| kept(kind, bytes)).map_err(refused);
    }
    let numbers = file.strip_suffix(".m4s").ok_or_else(missing)?;
    if let Some((msn, part)) = numbers.split_once('.') {
        let (msn, part) = digits(msn).zip(digits(part)).ok_or_else(missing)?;
        let part = usize::try_from(part).map_err(|_| missing())?;
        return live.part(kind, msn, part).await.map(|bytes| kept(kind, bytes)).map_err(refused);
    }
    let segment = live.segment(kind, digits(numbers).ok_or_else(missing)?).map_err(refused)?;
    // Its parts as they are: nothing is copied.
    let length = segment.len();
    let parts: Vec<_> = segment.parts.iter().map(|part| Ok::<_, Infallible>(part.bytes.clone())).collect();
    let mut response = kept(kind, Bytes::new());
    *response.body_mut() = Body::from_stream(stream::iter(parts));
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    Ok(response)
}

fn kind(name: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.name() == name)
}

/// A number as our playlists write it.
fn digits(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

/// What the query says; what is not ours is left to caches and players (§6.2.5).
fn wanted(query: &str) -> Result<Wanted, Failure> {
    let bad = || {
        Failure::from(RefusalCode::BadMessage)
            .with_detail("_HLS_msn and _HLS_part are numbers, the second with the first")
    };
    let mut wanted = Wanted::default();
    if query.len() > LONGEST {
        return Err(bad());
    }
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("_HLS_msn", value)) => wanted.msn = Some(digits(value).ok_or_else(bad)?),
            Some(("_HLS_part", value)) => {
                wanted.part = Some(digits(value).and_then(|part| usize::try_from(part).ok()).ok_or_else(bad)?);
            }
            Some(("_HLS_skip", "YES" | "v2")) => wanted.skip = true,
            _ => {}
        }
    }
    if wanted.part.is_some() && wanted.msn.is_none() { Err(bad()) } else { Ok(wanted) }
}

fn refused(why: Refused) -> Failure {
    match why {
        Refused::NotThere => RefusalCode::NotFound.into(),
        Refused::Gone => HttpCode::Gone.into(),
        Refused::NotInHls => HttpCode::NotInHls.into(),
        Refused::TooFar => {
            Failure::from(RefusalCode::BadMessage).with_detail("_HLS_msn lies more than one segment ahead")
        }
        Refused::Full => Failure::from(HttpCode::BroadcastFull).retry_after(2),
        Refused::Late => Failure::from(HttpCode::NothingCame).retry_after(1),
    }
}

fn playlist(text: Bytes) -> Response {
    counters::PLAYLISTS.add(1);
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(header::CONTENT_TYPE, PLAYLIST);
    response.headers_mut().insert(header::CACHE_CONTROL, SHORT);
    response
}

fn kept(kind: Kind, bytes: Bytes) -> Response {
    let mut response = Response::new(Body::from(bytes));
    let media = match kind {
        Kind::Picture => HeaderValue::from_static("video/mp4"),
        Kind::Sound => HeaderValue::from_static("audio/mp4"),
    };
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    response.headers_mut().insert(header::CACHE_CONTROL, FOR_EVER);
    response
}

fn shared(result: Result<Response, Failure>) -> Response {
    cors(result.map_err(IntoResponse::into_response).map_or_else(Ok, Ok))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_say_what_is_wanted_and_nothing_else() {
        assert_eq!(wanted(""), Ok(Wanted::default()));
        assert_eq!(wanted("token=a&_HLS_msn=7"), Ok(Wanted { msn: Some(7), part: None, skip: false }));
        let all = Wanted { msn: Some(7), part: Some(0), skip: true };
        assert_eq!(wanted("_HLS_msn=7&_HLS_part=0&_HLS_skip=YES"), Ok(all));
        for wrong in ["_HLS_part=1", "_HLS_msn=-1", "_HLS_msn=", "_HLS_msn=1e3", "_HLS_msn=99999999999999999999"] {
            assert!(wanted(wrong).is_err(), "{wrong}");
        }
        assert_eq!((digits("007"), digits("0"), digits("+1")), (None, Some(0), None), "one URL each");
    }
}
