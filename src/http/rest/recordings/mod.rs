//! Recordings by REST: begun, paused, ended, listed, shown, changed, deleted. Knows nothing of how they are made.

pub mod exports;
pub mod files;
pub mod rights;

use super::meetings::{managed, no_store};
use super::{place, title};
use crate::clock;
use crate::http::AppState;
use crate::http::body::JsonBody;
use crate::http::caller::Caller;
use crate::http::errors::{ErrorBody, Failure, HttpCode, internal};
use crate::recordings::library::Detail;
use crate::recordings::{Status, StatusState};
use crate::store::{Recording, RecordingPage, RecordingState, Visibility};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use recordings::manifest::{EndReason, GapReason};
use recordings::upload;
use rights::Rights;
use serde::{Deserialize, Deserializer, Serialize};
use signaling::ids::Millis;
use signaling::meeting::RecordingCommand;
use signaling::protocol::RefusalCode;
use std::io;
use tokio::task::spawn_blocking;
use utoipa::{IntoParams, ToSchema};

/// How many a list shows where nothing is said, and at most.
const LISTED: u32 = 50;
const LISTED_MOST: u32 = 200;

/// Nothing to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// What titles or names of participants contain.
    query: Option<String>,
    /// At most so many: 50, or up to 200.
    limit: Option<u32>,
    /// `next` of the list before.
    before: Option<String>,
}

/// A recording in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Summary {
    /// Names it.
    id: String,
    /// Of which meeting.
    meeting_id: String,
    /// 0 to 200 characters.
    title: String,
    /// `recording`, `paused`, `suspended`, `finishing`, `finished`, `broken`.
    state: &'static str,
    /// In milliseconds since 1970.
    started_at: u64,
    /// In milliseconds, so far.
    duration_ms: u64,
    /// While it runs: what was captured before this can be played; in milliseconds since it began.
    written_ms: u64,
    /// Of all its files, so far.
    bytes: u64,
    /// Names of those who were there.
    participants: Vec<String>,
    /// `nobody`, `host`, `participants`, `link`.
    visibility: &'static str,
    /// When the link ends, in milliseconds since 1970.
    link_expires_at: Option<u64>,
    /// The page that plays it.
    replay_url: String,
    /// How far it is on its way to an object store; null where there is none.
    upload: Option<Upload>,
}

/// A recording on its way to an object store.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Upload {
    /// `uploading` (also while it runs), `retrying` (the store did not take something), `finished`.
    state: &'static str,
    /// Of files that are complete and not there yet.
    bytes_left: u64,
    /// Why the last try failed, where none has succeeded since. In lists for administrators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Recordings, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordingList {
    recordings: Vec<Summary>,
    /// `before` of the list after; null where there is none.
    next: Option<String>,
}

/// A recording.
#[derive(Debug, Serialize, ToSchema)]
pub struct Shown {
    #[serde(flatten)]
    summary: Summary,
    /// In the order in which they were begun.
    tracks: Vec<ShownTrack>,
    /// The sound of everybody as one file; null until it is made, soon after the end, and where nobody was heard.
    mix: Option<ShownMix>,
    /// When nothing was kept.
    gaps: Vec<ShownGap>,
    /// Why it ended: `stopped`, `quota`, `recovered`; null while it runs.
    ended: Option<&'static str>,
    /// Whether the asker may rename, delete and share it.
    manage: bool,
}

/// A file of a recording. Times are in milliseconds since the recording began.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownTrack {
    /// Names it within the recording.
    id: String,
    /// Whose: the number of the participant in the meeting.
    participant: u32,
    /// Their name when it began.
    name: String,
    /// `audio` or `video`.
    kind: &'static str,
    /// `microphone`, `camera`, `screen`, `screen-audio`.
    source: String,
    /// `opus`, `vp8`, `vp9`, `h264`, `av1`.
    #[schema(value_type = String)]
    codec: recordings::Codec,
    /// As in RFC 6381.
    codecs: String,
    /// The container's media type.
    mime: &'static str,
    /// The file.
    url: String,
    /// So far.
    bytes: u64,
    /// When its first frame begins.
    start_ms: u64,
    /// From its first frame to its last.
    duration_ms: u64,
    /// Whether no more comes.
    complete: bool,
    /// Of its largest pictures.
    width: Option<u16>,
    /// Of its largest pictures.
    height: Option<u16>,
}

/// The sound of everybody as one file: Opus in MP4, one channel, as long as the recording.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownMix {
    /// The file.
    url: String,
    bytes: u64,
}

/// A time in which nothing was kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownGap {
    from_ms: u64,
    to_ms: u64,
    /// `paused`, `disk-full`, `read-only`, `slow`, `failed`.
    why: &'static str,
}

/// What is to be changed; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// 0 to 200 characters.
    title: Option<String>,
    /// `nobody`, `host`, `participants`, `link`.
    visibility: Option<String>,
    /// When the link ends, in milliseconds since 1970; null: never.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u64>)]
    link_expires_at: Option<Option<u64>>,
}

/// Tells null from nothing.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u64>>, D::Error> {
    Option::<u64>::deserialize(deserializer).map(Some)
}

/// Begins to record a meeting.
#[utoipa::path(post, path = "/api/v1/meetings/{id}/recordings", tag = "recordings", request_body = Nothing,
    params(("id" = String, Path, description = "The meeting's id.")),
    security(("api_token" = []), ("sign_in" = []), ("host" = [])),
    responses(
        (status = 201, description = "It runs.", body = Shown),
        (status = 401, description = "For its host and the administrator.", body = ErrorBody),
        (status = 409, description = "It is recorded already, or nobody is there.", body = ErrorBody),
    ))]
pub async fn start(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    JsonBody(Nothing {}): JsonBody<Nothing>,
) -> Result<Response, Failure> {
    let meeting = managed(&state, &caller, &id).await?;
    if state.is_draining() {
        return Err(Failure::from(RefusalCode::Draining).retry_after(60));
    }
    let id = state.directory.record(&meeting.id, RecordingCommand::Start, None).await.map_err(Failure::from)?;
    let row = state
        .store
        .recording_by_id(&id)
        .await
        .map_err(internal)?
        .ok_or_else(|| internal("a new recording is not noted"))?;
    let shown = shown(&state, row, true).await?;
    Ok((StatusCode::CREATED, no_store(Json(shown))).into_response())
}

/// Ends a recording.
#[utoipa::path(post, path = "/api/v1/recordings/{id}/stop", tag = "recordings",
    params(("id" = String, Path, description = "The recording's id.")),
    security(("api_token" = []), ("sign_in" = []), ("host" = [])),
    responses(
        (status = 200, description = "It ends.", body = Shown),
        (status = 404, description = "None for the asker.", body = ErrorBody),
        (status = 409, description = "It does not run.", body = ErrorBody),
    ))]
pub async fn stop(state: State<AppState>, caller: Caller, id: Path<String>) -> Result<Response, Failure> {
    order(state, caller, id, RecordingCommand::Stop).await
}

/// Keeps nothing until it is resumed.
#[utoipa::path(post, path = "/api/v1/recordings/{id}/pause", tag = "recordings",
    params(("id" = String, Path, description = "The recording's id.")),
    security(("api_token" = []), ("sign_in" = []), ("host" = [])),
    responses(
        (status = 200, description = "Nothing is kept.", body = Shown),
        (status = 404, description = "None for the asker.", body = ErrorBody),
        (status = 409, description = "It does not run.", body = ErrorBody),
    ))]
pub async fn pause(state: State<AppState>, caller: Caller, id: Path<String>) -> Result<Response, Failure> {
    order(state, caller, id, RecordingCommand::Pause).await
}

/// Ends a pause.
#[utoipa::path(post, path = "/api/v1/recordings/{id}/resume", tag = "recordings",
    params(("id" = String, Path, description = "The recording's id.")),
    security(("api_token" = []), ("sign_in" = []), ("host" = [])),
    responses(
        (status = 200, description = "It goes on.", body = Shown),
        (status = 404, description = "None for the asker.", body = ErrorBody),
        (status = 409, description = "It does not run.", body = ErrorBody),
    ))]
pub async fn resume(state: State<AppState>, caller: Caller, id: Path<String>) -> Result<Response, Failure> {
    order(state, caller, id, RecordingCommand::Resume).await
}

async fn order(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    what: RecordingCommand,
) -> Result<Response, Failure> {
    let (row, manage) = rights::commanded(&state, &caller, &id).await?;
    state.directory.record(&row.meeting, what, Some(&row.id)).await.map_err(Failure::from)?;
    Ok(no_store(Json(shown(&state, row, manage).await?)))
}

/// Lists recordings: to administrators all, to hosts those of their own meetings that they may see.
#[utoipa::path(get, path = "/api/v1/recordings", tag = "recordings", params(Asked),
    security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 200, description = "Newest first.", body = RecordingList),
        (status = 401, description = "For those who may start meetings.", body = ErrorBody),
    ))]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let owner = if state.config.dev { None } else { caller.listed_owner()? };
    let limit = asked.limit.unwrap_or(LISTED).clamp(1, LISTED_MOST);
    let before = asked.before.as_deref().map(place).transpose()?;
    let query = asked.query.unwrap_or_default().trim().to_owned();
    let rows =
        state.store.recordings(&RecordingPage { query, before, limit: limit + 1, owner }).await.map_err(internal)?;
    let more = rows.len() > limit as usize;
    let recordings: Vec<_> =
        rows.into_iter().take(limit as usize).map(|row| listed(&state, row, owner.is_none())).collect();
    let next = recordings.last().filter(|_| more).map(|last| format!("{}.{}", last.started_at, last.id));
    Ok(no_store(Json(RecordingList { recordings, next })))
}

/// Shows a recording.
#[utoipa::path(get, path = "/api/v1/recordings/{id}", tag = "recordings",
    params(("id" = String, Path, description = "The recording's id.")),
    security(("api_token" = []), ("sign_in" = []), ("host" = [])),
    responses(
        (status = 200, description = "As it is now.", body = Shown),
        (status = 404, description = "None for the asker.", body = ErrorBody),
    ))]
pub async fn show(State(state): State<AppState>, caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let (row, rights) = rights::seen(&state, &caller, &id).await?;
    Ok(no_store(Json(shown(&state, row, rights == Rights::Manage).await?)))
}

/// Changes a recording's title, and who may see it.
#[utoipa::path(patch, path = "/api/v1/recordings/{id}", tag = "recordings", request_body = Change,
    params(("id" = String, Path, description = "The recording's id.")),
    security(("api_token" = []), ("sign_in" = []), ("host" = [])),
    responses(
        (status = 200, description = "As it is now.", body = Shown),
        (status = 404, description = "None for the asker.", body = ErrorBody),
    ))]
pub async fn change(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    JsonBody(change): JsonBody<Change>,
) -> Result<Response, Failure> {
    let row = rights::managed(&state, &caller, &id).await?;
    let named = change.title.map(|given| title(Some(given))).transpose()?;
    let visibility = change.visibility.map(|word| {
        Visibility::of(&word).ok_or_else(|| {
            Failure::from(RefusalCode::BadMessage).with_detail("visibility: nobody, host, participants or link")
        })
    });
    let expires = change.link_expires_at.map(|at| at.map(Millis));
    // Only what is given: somebody else may just have changed the rest.
    let changed = state.store.change_recording(&row.id, named.as_deref(), visibility.transpose()?, expires).await;
    changed.map_err(internal)?;
    let row = rights::find(&state, &row.id).await?;
    Ok(no_store(Json(shown(&state, row, true).await?)))
}

/// Deletes a recording that is over.
#[utoipa::path(delete, path = "/api/v1/recordings/{id}", tag = "recordings",
    params(("id" = String, Path, description = "The recording's id.")),
    security(("api_token" = []), ("sign_in" = []), ("host" = [])),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "None for the asker.", body = ErrorBody),
        (status = 409, description = "It runs.", body = ErrorBody),
        (status = 503, description = "The object store that has its files cannot be reached.", body = ErrorBody),
    ))]
pub async fn delete(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let row = rights::managed(&state, &caller, &id).await?;
    if row.state == RecordingState::Running || state.recordings.status(&row.id).is_some() {
        return Err(Failure::from(RefusalCode::Conflict).with_detail("the recording is not over"));
    }
    state.recordings.delete(&row.id).await.map_err(failed)?;
    state.store.delete_recording(&row.id).await.map_err(internal)?;
    tracing::info!(recording = row.id, "a recording was deleted");
    Ok(StatusCode::NO_CONTENT)
}

/// Does what may wait for the disk.
async fn disk<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, Failure> {
    spawn_blocking(work).await.map_err(internal)?.map_err(failed)
}

fn failed(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::NotFound => RefusalCode::NotFound.into(),
        io::ErrorKind::ResourceBusy => Failure::from(RefusalCode::TooMany).retry_after(1),
        io::ErrorKind::HostUnreachable => {
            tracing::warn!(%error, "the object store of recordings");
            Failure::from(HttpCode::StoreAway).retry_after(60)
        }
        _ => internal(error),
    }
}

/// Administrators are told why the store takes nothing.
fn listed(state: &AppState, row: Recording, administration: bool) -> Summary {
    let upload = if administration { state.recordings.upload(&row.id) } else { None };
    let error = upload.and_then(|upload| upload.error);
    let mut summary = summary(state, row);
    if let Some(upload) = &mut summary.upload {
        upload.error = error;
    }
    summary
}

fn summary(state: &AppState, row: Recording) -> Summary {
    let upload = state.recordings.upload(&row.id).map(|upload| Upload {
        state: match upload.state {
            upload::State::Uploading => "uploading",
            upload::State::Retrying => "retrying",
            upload::State::Finished => "finished",
        },
        bytes_left: upload.bytes_left,
        error: None,
    });
    let live = state.recordings.status(&row.id);
    let word = match (&live, row.state) {
        (Some(Status { state: StatusState::Recording, .. }), _) => "recording",
        (Some(Status { state: StatusState::Paused, .. }), _) => "paused",
        (Some(Status { state: StatusState::Suspended, .. }), _) => "suspended",
        (Some(Status { state: StatusState::Finishing, .. }), _) | (None, RecordingState::Running) => "finishing",
        (None, RecordingState::Finished) => "finished",
        (None, RecordingState::Broken) => "broken",
    };
    let written_ms = live.as_ref().map_or(row.duration_ms, |live| live.written_ms);
    let (duration_ms, bytes, participants) = live.map_or((row.duration_ms, row.bytes, row.participants), |live| {
        (live.duration_ms, live.bytes, live.participants)
    });
    Summary {
        replay_url: format!("{}/recordings/{}", state.base_url, row.id),
        id: row.id,
        meeting_id: row.meeting,
        title: row.title,
        state: word,
        started_at: row.started_at.0,
        duration_ms,
        written_ms,
        bytes,
        participants,
        visibility: row.visibility.word(),
        link_expires_at: row.link_expires.map(|at| at.0),
        upload,
    }
}

async fn shown(state: &AppState, row: Recording, manage: bool) -> Result<Shown, Failure> {
    let (library, id) = (state.recordings.library().clone(), row.id.clone());
    let summary = summary(state, row);
    // One that just begins, or can't be read, has none.
    let detail = spawn_blocking(move || library.detail(&id)).await.map_err(internal)?;
    let detail = detail.unwrap_or_else(|_| Detail {
        tracks: Vec::new(),
        gaps: Vec::new(),
        end: None,
        duration_ms: 0,
        mix: None,
    });
    let so_far = summary.duration_ms.max(detail.duration_ms);
    let tracks = detail.tracks.into_iter().map(|track| ShownTrack {
        url: format!("/api/v1/recordings/{}/tracks/{}", summary.id, track.file),
        id: track.file.to_string(),
        participant: track.participant,
        name: track.name,
        kind: if track.codec.is_audio() { "audio" } else { "video" },
        source: track.source,
        codec: track.codec,
        codecs: track.codecs,
        mime: files::mime(track.codec),
        bytes: track.bytes,
        start_ms: track.start_ms,
        complete: track.end_ms.is_some(),
        duration_ms: track.end_ms.unwrap_or(so_far).saturating_sub(track.start_ms),
        width: track.size.map(|size| size.0),
        height: track.size.map(|size| size.1),
    });
    let gaps = detail.gaps.into_iter().map(|gap| ShownGap {
        from_ms: gap.from_ms,
        to_ms: gap.to_ms,
        why: match gap.why {
            GapReason::Paused => "paused",
            GapReason::DiskFull => "disk-full",
            GapReason::ReadOnly => "read-only",
            GapReason::Slow => "slow",
            GapReason::Failed => "failed",
        },
    });
    let ended = detail.end.map(|end| match end.why {
        EndReason::Stopped => "stopped",
        EndReason::Quota => "quota",
        EndReason::Recovered => "recovered",
    });
    let mix = detail.mix.map(|bytes| ShownMix { url: format!("/api/v1/recordings/{}/mix", summary.id), bytes });
    Ok(Shown { tracks: tracks.collect(), mix, gaps: gaps.collect(), ended, manage, summary })
}

/// The time, for links that end.
fn now() -> Millis {
    clock::unix()
}
