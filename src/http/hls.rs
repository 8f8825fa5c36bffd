//! Watching a broadcast by LL-HLS (draft-pantos-hls-rfc8216bis). Whoever has the link may, as by WHEP. Playlists wait
//! for what was asked for; parts, segments and heads never change, so that caches in between keep them. Knows no media.

use super::AppState;
use super::errors::{Failure, HttpCode, internal};
use super::exchange::{cors, preflight};
use crate::broadcast::counters;
use crate::broadcast::{Found, Kind, Live, Refused, Wanted};
use crate::clock;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use signaling::protocol::RefusalCode;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

/// The type of playlists (RFC 8216 §4).
const PLAYLIST: HeaderValue = HeaderValue::from_static("application/vnd.apple.mpegurl");
/// A cache that many viewers share asks again each second at most; the playlist that a part is waited for has a URL of
/// its own.
const SHORT: HeaderValue = HeaderValue::from_static("public, max-age=1");
/// What has this URL never changes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=86400, immutable");
/// How long who asked for a part or a segment may take to read it. Whoever takes longer can't watch anyway, and would
/// keep in memory what everybody else has forgotten.
const READ_WITHIN: Duration = Duration::from_secs(30);
/// So many bytes go to a connection at once; in between it is looked at the time.
const PIECE: usize = 64 << 10;
/// What playlists of all that can be gone back to are named with.
const BACK: &str = "rewind-";
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
    multivariant(&state, &broadcast, false).await
}

/// The multivariant playlist of all that can be gone back to.
#[utoipa::path(get, path = "/hls/{broadcast}/rewind.m3u8", tag = "broadcasts",
    params(("broadcast" = String, Path, description = "The broadcast's id.")),
    responses(
        (status = 200, description = "What players open to go back by up to `broadcast.rewind_s`: whole segments, without \
            parts, so some seconds later than `index.m3u8`.", content_type = "application/vnd.apple.mpegurl"),
        (status = 404, description = "No such broadcast, nobody publishes, or nothing is kept.", body = super::errors::ErrorBody),
    ))]
pub async fn rewind(State(state): State<AppState>, Path(broadcast): Path<String>) -> Response {
    multivariant(&state, &broadcast, true).await
}

async fn multivariant(state: &AppState, broadcast: &str, back: bool) -> Response {
    let result = async {
        let live = live(state, broadcast).await?;
        live.multivariant(back).await.map(playlist).map_err(refused)
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
        if let Some((name, file)) = path.split_once('/') {
            return piece(&live, kind(name).ok_or_else(missing)?, file).await;
        }
        let name = path.strip_suffix(".m3u8").ok_or_else(missing)?;
        let wanted = wanted(uri.query().unwrap_or_default())?;
        let text = match name.strip_prefix(BACK) {
            Some(name) => live.rewind(kind(name).ok_or_else(missing)?, wanted).await,
            None => live.playlist(kind(name).ok_or_else(missing)?, wanted).await,
        };
        text.map(playlist).map_err(refused)
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
        return live.head(kind, number).map(|bytes| kept(kind, vec![bytes])).map_err(refused);
    }
    let numbers = file.strip_suffix(".m4s").ok_or_else(missing)?;
    if let Some((msn, part)) = numbers.split_once('.') {
        let (msn, part) = digits(msn).zip(digits(part)).ok_or_else(missing)?;
        let part = usize::try_from(part).map_err(|_| missing())?;
        return live.part(kind, msn, part).await.map(|bytes| kept(kind, vec![bytes])).map_err(refused);
    }
    let segment = match live.segment(kind, digits(numbers).ok_or_else(missing)?).map_err(refused)? {
        Found::InMemory(segment) => segment,
        Found::OnDisk { path, bytes } => return from_disk(kind, &path, bytes).await,
    };
    Ok(kept(kind, segment.parts.iter().map(|part| part.bytes.clone()).collect()))
}

/// A file as it is. One that is removed meanwhile is read to its end.
async fn from_disk(kind: Kind, path: &std::path::Path, bytes: u64) -> Result<Response, Failure> {
    let file = File::open(path).await.map_err(|_| HttpCode::Gone)?;
    let until = clock::now() + READ_WITHIN;
    let pieces = stream::try_unfold((file.take(bytes), BytesMut::new()), move |(mut file, mut buffer)| async move {
        if clock::now() >= until {
            return Err(io::Error::from(io::ErrorKind::TimedOut));
        }
        buffer.reserve(PIECE);
        let len = file.read_buf(&mut buffer).await?;
        Ok((len > 0).then(|| (buffer.split().freeze(), (file, buffer))))
    });
    Ok(never_changes(kind, Body::from_stream(pieces), bytes))
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

fn kept(kind: Kind, parts: Vec<Bytes>) -> Response {
    let length: usize = parts.iter().map(Bytes::len).sum();
    let body = match <[Bytes; 1]>::try_from(parts) {
        Ok([bytes]) if length <= PIECE => Body::from(bytes),
        Ok([bytes]) => Body::from_stream(pieces(vec![bytes], clock::now() + READ_WITHIN)),
        Err(parts) => Body::from_stream(pieces(parts, clock::now() + READ_WITHIN)),
    };
    never_changes(kind, body, length as u64)
}

fn never_changes(kind: Kind, body: Body, length: u64) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    let media = match kind {
        Kind::Picture => HeaderValue::from_static("video/mp4"),
        Kind::Sound => HeaderValue::from_static("audio/mp4"),
    };
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    response.headers_mut().insert(header::CACHE_CONTROL, FOR_EVER);
    response
}

/// The bytes as they are, nothing is copied; an error, which ends the connection, where that takes too long.
fn pieces(parts: Vec<Bytes>, until: Instant) -> impl Stream<Item = io::Result<Bytes>> {
    let mut parts = VecDeque::from(parts);
    stream::iter(std::iter::from_fn(move || {
        while parts.front().is_some_and(Bytes::is_empty) {
            parts.pop_front();
        }
        let first = parts.front_mut()?;
        let piece = first.split_to(first.len().min(PIECE));
        Some(if clock::now() < until { Ok(piece) } else { Err(io::ErrorKind::TimedOut.into()) })
    }))
}

fn shared(result: Result<Response, Failure>) -> Response {
    cors(result.map_err(IntoResponse::into_response).map_or_else(Ok, Ok))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_too_slowly_is_given_no_more() {
        use futures_util::{FutureExt as _, StreamExt as _};
        let parts = || vec![Bytes::from(vec![1; 3 * PIECE + 5]), Bytes::new(), Bytes::from_static(b"end")];
        let all = |until| pieces(parts(), until).collect::<Vec<_>>().now_or_never().expect("nothing is waited for");
        let lens: Vec<_> =
            all(clock::now() + READ_WITHIN).into_iter().map(|piece| piece.expect("in time").len()).collect();
        assert_eq!(lens, [PIECE, PIECE, PIECE, 5, 3]);
        assert!(all(clock::now()).first().is_some_and(Result::is_err));
    }

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
