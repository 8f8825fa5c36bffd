//! What players read of a recording: files, where one can begin in them, the timeline. Knows nothing of who made it.

use super::{disk, failed, rights};
use crate::http::AppState;
use crate::http::caller::Caller;
use crate::http::errors::{ErrorBody, Failure, internal};
use crate::http::rest::meetings::no_store;
use crate::recordings::Recordings;
use crate::recordings::library::Opened;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use recordings::Codec;
use serde::{Deserialize, Serialize};
use signaling::protocol::RefusalCode;
use std::fmt::Write as _;
use std::io::{self, ErrorKind, SeekFrom};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use utoipa::{IntoParams, ToSchema};

/// Bytes that are read at once.
const CHUNK: u64 = 64 << 10;

/// How a file is wanted.
#[derive(Debug, Deserialize, IntoParams)]
pub struct Wanted {
    /// 1: to be saved, under a name.
    download: Option<String>,
}

/// What a player has of a file, or of a timeline, that grows.
#[derive(Debug, Deserialize, IntoParams)]
pub struct Had {
    /// Only what begins at this byte or later (of segments), or after so many entries (of a timeline).
    from: Option<u64>,
}

/// Where a player can begin.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownSegments {
    /// Bytes of the head, which comes before any segment.
    init: u64,
    /// Offset, length, start and end (ms since the recording began) of each, in order; each begins with a key frame.
    segments: Vec<[u64; 4]>,
}

/// What happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownTimeline {
    /// In order: `at_ms`, `event`, and what belongs to it.
    #[schema(value_type = Vec<Object>)]
    entries: Vec<recordings::timeline::Entry>,
}

/// The media type of a codec's files.
pub(super) const fn mime(codec: Codec) -> &'static str {
    match codec {
        Codec::Opus | Codec::Aac => "audio/mp4",
        Codec::Vp8 => "video/webm",
        _ => "video/mp4",
    }
}

/// A file of a recording, also while it is being written.
#[utoipa::path(get, path = "/api/v1/recordings/{id}/tracks/{track}", tag = "recordings",
    params(("id" = String, Path, description = "The recording's id."),
        ("track" = String, Path, description = "The track's id."), Wanted),
    security(("api_token" = []), ("sign_in" = []), ("host" = [])),
    responses(
        (status = 200, description = "All of it.", content_type = "video/mp4"),
        (status = 206, description = "The part that `Range` names.", content_type = "video/mp4"),
        (status = 404, description = "None for the asker.", body = ErrorBody),
        (status = 416, description = "There are no such bytes."),
        (status = 503, description = "It is in an object store that cannot be reached.", body = ErrorBody),
    ))]
pub async fn track(
    State(state): State<AppState>,
    caller: Caller,
    Path((id, track)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let (row, _) = rights::seen(&state, &caller, &id).await?;
    let file = number(&track)?;
    let (library, id) = (state.recordings.library().clone(), row.id.clone());
    let Opened { name, codec, bytes, file } = disk(move || library.open(&id, file)).await?;
    let source = match file {
        Some(file) => Source::Here(file),
        None => Source::Stored { recordings: state.recordings.clone(), id: row.id, name: name.clone() },
    };
    serve((source, bytes), mime(codec), &(row.title.as_str(), name), &wanted, &headers).await
}

/// Where bytes come from.
pub(super) enum Source {
    Here(std::fs::File),
    /// A file that is in the object store only.
    Stored {
        recordings: Recordings,
        id: String,
        name: String,
    },
}

impl Source {
    async fn body(self, from: u64, until: u64) -> Result<Body, Failure> {
        match self {
            Self::Here(opened) => {
                let mut file = File::from_std(opened);
                file.seek(SeekFrom::Start(from)).await.map_err(internal)?;
                Ok(Body::from_stream(chunks(file, until - from)))
            }
            Self::Stored { recordings, id, name } if from < until => {
                let away = |error: io::Error| match error.kind() {
                    ErrorKind::NotFound => error,
                    _ => io::Error::new(ErrorKind::HostUnreachable, error),
                };
                let stored = recordings.read_stored(&id, &name, from..until).await;
                Ok(Body::from_stream(stored.map_err(away).map_err(failed)?))
            }
            Self::Stored { .. } => Ok(Body::empty()),
        }
    }
}

/// A file of so many bytes, or the part of it that is asked for; `called` by its recording's title and its name.
pub(super) async fn serve(
    (source, len): (Source, u64),
    mime: &'static str,
    called: &(&str, String),
    wanted: &Wanted,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok()).map(|value| range(value, len));
    let (status, from, until) = match range {
        None | Some(Asked::All) => (StatusCode::OK, 0, len),
        Some(Asked::Part(from, until)) => (StatusCode::PARTIAL_CONTENT, from, until),
        Some(Asked::Nothing) => {
            let all = [(header::CONTENT_RANGE, format!("bytes */{len}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, all).into_response());
        }
    };
    let mut response = (status, source.body(from, until).await?).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(mime));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(until - from));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {from}-{}/{len}", until - 1);
        headers.insert(header::CONTENT_RANGE, HeaderValue::from_str(&range).map_err(internal)?);
    }
    if wanted.download.as_deref() == Some("1") {
        headers.insert(header::CONTENT_DISPOSITION, attachment(called.0, &called.1)?);
    }
    Ok(response)
}

/// Where a player can begin in a file.
#[utoipa::path(get, path = "/api/v1/recordings/{id}/tracks/{track}/segments", tag = "recordings",
    params(("id" = String, Path, description = "The recording's id."),
        ("track" = String, Path, description = "The track's id."), Had),
    security(("api_token" = []), ("sign_in" = []), ("host" = [])),
    responses(
        (status = 200, description = "In order, about two seconds each; the last of a file that grows grows, too.",
            body = ShownSegments),
        (status = 404, description = "None for the asker.", body = ErrorBody),
        (status = 429, description = "It is in an object store, and others are being looked through there.",
            body = ErrorBody),
        (status = 503, description = "It is in an object store that cannot be reached.", body = ErrorBody),
    ))]
pub async fn segments(
    State(state): State<AppState>,
    caller: Caller,
    Path((id, track)): Path<(String, String)>,
    Query(Had { from }): Query<Had>,
) -> Result<Response, Failure> {
    let (row, _) = rights::seen(&state, &caller, &id).await?;
    let (library, file) = (state.recordings.library().clone(), number(&track)?);
    let found = disk(move || library.segments(&row.id, file)).await?;
    let known = found.segments.partition_point(|[offset, ..]| *offset < from.unwrap_or(0));
    Ok(no_store(Json(ShownSegments { init: found.init, segments: found.segments[known..].to_vec() })))
}

/// The sound of everybody as one file.
#[utoipa::path(get, path = "/api/v1/recordings/{id}/mix", tag = "recordings",
    params(("id" = String, Path, description = "The recording's id."), Wanted),
    security(("api_token" = []), ("sign_in" = []), ("host" = [])),
    responses(
        (status = 200, description = "All of it: Opus.", content_type = "audio/mp4"),
        (status = 206, description = "The part that `Range` names.", content_type = "audio/mp4"),
        (status = 404, description = "None for the asker, or not made.", body = ErrorBody),
        (status = 416, description = "There are no such bytes."),
    ))]
pub async fn mix(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let (row, _) = rights::seen(&state, &caller, &id).await?;
    let (library, id) = (state.recordings.library().clone(), row.id);
    let (file, bytes) = disk(move || {
        let file = library.mix(&id)?;
        let bytes = file.metadata()?.len();
        Ok((file, bytes))
    })
    .await?;
    let called = (row.title.as_str(), recordings::mix::FILE.to_owned());
    serve((Source::Here(file), bytes), "audio/mp4", &called, &wanted, &headers).await
}

/// What happened while it was made.
#[utoipa::path(get, path = "/api/v1/recordings/{id}/timeline", tag = "recordings",
    params(("id" = String, Path, description = "The recording's id."), Had),
    security(("api_token" = []), ("sign_in" = []), ("host" = [])),
    responses(
        (status = 200, description = "In order.", body = ShownTimeline),
        (status = 404, description = "None for the asker.", body = ErrorBody),
    ))]
pub async fn timeline(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Query(Had { from }): Query<Had>,
) -> Result<Response, Failure> {
    let (row, _) = rights::seen(&state, &caller, &id).await?;
    let library = state.recordings.library().clone();
    let mut entries = disk(move || library.timeline(&row.id)).await?;
    entries.drain(..usize::try_from(from.unwrap_or(0)).map_or(entries.len(), |from| from.min(entries.len())));
    Ok(no_store(Json(ShownTimeline { entries })))
}

fn number(track: &str) -> Result<u32, Failure> {
    track.parse().map_err(|_| RefusalCode::NotFound.into())
}

fn chunks(file: File, left: u64) -> impl stream::Stream<Item = std::io::Result<Bytes>> {
    stream::try_unfold((file, left), async |(mut file, left)| {
        if left == 0 {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        (&mut file).take(left.min(CHUNK)).read_to_end(&mut bytes).await?;
        if bytes.is_empty() {
            // It became shorter: the connection must not look as if all had come.
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let left = left - bytes.len() as u64;
        Ok(Some((Bytes::from(bytes), (file, left))))
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    All,
    /// From here, up to there and not with it.
    Part(u64, u64),
    Nothing,
}

/// What a `Range` names of so many bytes (RFC 9110 §14.2). Of several ranges, and of what is no range, all is given.
fn range(value: &str, len: u64) -> Asked {
    let Some((from, until)) = value.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Asked::All;
    };
    let part = match (from.trim(), until.trim()) {
        ("", last) => last.parse::<u64>().ok().map(|last| (len.saturating_sub(last), if last == 0 { 0 } else { len })),
        (from, "") => from.parse().ok().map(|from| (from, len)),
        (from, until) => match (from.parse::<u64>(), until.parse::<u64>()) {
            (Ok(from), Ok(until)) if from <= until => Some((from, until.saturating_add(1).min(len))),
            _ => None,
        },
    };
    match part {
        None => Asked::All,
        Some((from, until)) if from < until => Asked::Part(from, until),
        Some(_) => Asked::Nothing,
    }
}

/// Under which name a browser saves a file (RFC 6266): the recording's title and the file's own name.
fn attachment(title: &str, file: &str) -> Result<HeaderValue, Failure> {
    let name = if title.is_empty() { file.to_owned() } else { format!("{title} {file}") };
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || " .-_".contains(c) { c } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    HeaderValue::from_str(&format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")).map_err(internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_http_has_them() {
        for (value, expected) in [
            ("bytes=0-", Asked::Part(0, 100)),
            ("bytes=0-0", Asked::Part(0, 1)),
            ("bytes=10-19", Asked::Part(10, 20)),
            ("bytes=90-1000", Asked::Part(90, 100)),
            ("bytes=-10", Asked::Part(90, 100)),
            ("bytes=-1000", Asked::Part(0, 100)),
            ("bytes=100-", Asked::Nothing),
            ("bytes=-0", Asked::Nothing),
            ("bytes=5-2", Asked::All),
            ("bytes=0-1,5-6", Asked::All),
            ("items=0-1", Asked::All),
            ("bytes=0-18446744073709551615", Asked::Part(0, 100)),
        ] {
            assert_eq!(range(value, 100), expected, "{value}");
        }
        assert_eq!(range("bytes=0-", 0), Asked::Nothing);
    }

    #[test]
    fn a_title_cannot_break_out_of_the_header() {
        let name = attachment("a\"; x=\r\n周会", "0001-camera.webm").expect("a header");
        let name = name.to_str().expect("ASCII");
        assert_eq!(
            name,
            "attachment; filename=\"a__ x_____ 0001-camera.webm\"; \
             filename*=UTF-8''a%22%3B%20x%3D%0D%0A%E5%91%A8%E4%BC%9A%200001-camera.webm"
        );
    }
}
