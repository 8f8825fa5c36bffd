//! A recording as one MP4: wanted, watched while it is made, fetched, removed. Knows nothing of how it is made.

use super::files::{Source, Wanted, serve};
use super::{disk, rights};
use crate::http::AppState;
use crate::http::body::JsonBody;
use crate::http::caller::Caller;
use crate::http::errors::{ErrorBody, Failure};
use crate::http::rest::meetings::no_store;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use recordings::export::{self, Export, Exporter, Layout, Refused};
use serde::{Deserialize, Serialize};
use signaling::protocol::RefusalCode;
use std::fs::File;
use std::sync::Arc;
use utoipa::ToSchema;

/// What is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewExport {
    /// `grid` (all alike, the default) or `speaker` (who speaks is large).
    layout: Option<String>,
}

/// One layout of a recording that somebody wanted.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownExport {
    /// `grid`, `speaker`.
    layout: &'static str,
    /// `queued`, `running`, `finished`, `failed`.
    state: &'static str,
    /// From 0 to 1.
    progress: f64,
    /// Of the file, where it is there.
    bytes: Option<u64>,
    /// Why it failed.
    error: Option<String>,
    /// The file, where it is there.
    url: Option<String>,
}

/// All layouts that somebody wanted.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownExports {
    exports: Vec<ShownExport>,
    /// Whether any can be made here.
    available: bool,
    /// Why not.
    reason: Option<String>,
}

/// Has a recording made into one MP4 (H.264 and AAC). What is being made or there already stays as it is.
#[utoipa::path(post, path = "/api/v1/recordings/{id}/export", tag = "recordings", request_body = NewExport,
    params(("id" = String, Path, description = "The recording's id.")),
    security(("api_token" = []), ("sign_in" = []), ("host" = [])),
    responses(
        (status = 202, description = "It is made when its turn comes.", body = ShownExport),
        (status = 404, description = "None for the asker.", body = ErrorBody),
        (status = 409, description = "The recording runs, or nothing can be made here: `detail` says why.", body = ErrorBody),
        (status = 429, description = "Too many wait.", body = ErrorBody),
    ))]
pub async fn request(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    JsonBody(wanted): JsonBody<NewExport>,
) -> Result<Response, Failure> {
    let row = rights::managed(&state, &caller, &id).await?;
    let Some(layout) = wanted.layout.map_or(Some(Layout::Grid), |name| Layout::of(&name)) else {
        return Err(Failure::from(RefusalCode::BadMessage).with_detail("layout: grid or speaker"));
    };
    let exporter = exporter(&state)?;
    let name = row.id.clone();
    let requested = disk(move || Ok(exporter.request(&name, layout))).await?;
    match requested {
        Ok(export) => Ok((StatusCode::ACCEPTED, no_store(Json(shown(&row.id, export)))).into_response()),
        Err(Refused::Unknown) => Err(RefusalCode::NotFound.into()),
        Err(Refused::Busy) => Err(RefusalCode::TooMany.into()),
        Err(refused) => Err(Failure::from(RefusalCode::Conflict).with_detail(refused.to_string())),
    }
}

/// How its exports stand.
#[utoipa::path(get, path = "/api/v1/recordings/{id}/exports", tag = "recordings",
    params(("id" = String, Path, description = "The recording's id.")),
    security(("api_token" = []), ("sign_in" = []), ("host" = [])),
    responses(
        (status = 200, description = "As they stand now.", body = ShownExports),
        (status = 404, description = "None for the asker.", body = ErrorBody),
    ))]
pub async fn list(State(state): State<AppState>, caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let (row, _) = rights::seen(&state, &caller, &id).await?;
    let Some(exporter) = state.recordings.exporter() else {
        let reason = Some(NOT_HERE.to_owned());
        return Ok(no_store(Json(ShownExports { exports: Vec::new(), available: false, reason })).into_response());
    };
    let name = row.id.clone();
    let (missing, exports) = disk(move || Ok((exporter.available().err(), exporter.exports(&name)))).await?;
    let exports = exports.into_iter().map(|export| shown(&row.id, export)).collect();
    let reason = missing.map(|missing| missing.to_string());
    Ok(no_store(Json(ShownExports { exports, available: missing.is_none(), reason })).into_response())
}

/// Cancels an export that waits or is being made, or removes its file.
#[utoipa::path(delete, path = "/api/v1/recordings/{id}/exports/{layout}", tag = "recordings",
    params(("id" = String, Path, description = "The recording's id."),
        ("layout" = String, Path, description = "`grid` or `speaker`.")),
    security(("api_token" = []), ("sign_in" = []), ("host" = [])),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "None for the asker.", body = ErrorBody),
    ))]
pub async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    Path((id, layout)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    let row = rights::managed(&state, &caller, &id).await?;
    let layout = Layout::of(&layout).ok_or(RefusalCode::NotFound)?;
    let exporter = exporter(&state)?;
    let was_there = disk(move || Ok(exporter.remove(&row.id, layout))).await?;
    if was_there { Ok(StatusCode::NO_CONTENT) } else { Err(RefusalCode::NotFound.into()) }
}

/// The file.
#[utoipa::path(get, path = "/api/v1/recordings/{id}/exports/{layout}/file", tag = "recordings",
    params(("id" = String, Path, description = "The recording's id."),
        ("layout" = String, Path, description = "`grid` or `speaker`."), Wanted),
    security(("api_token" = []), ("sign_in" = []), ("host" = [])),
    responses(
        (status = 200, description = "All of it.", content_type = "video/mp4"),
        (status = 206, description = "The part that `Range` names.", content_type = "video/mp4"),
        (status = 404, description = "None for the asker, or not finished.", body = ErrorBody),
        (status = 416, description = "There are no such bytes."),
    ))]
pub async fn file(
    State(state): State<AppState>,
    caller: Caller,
    Path((id, layout)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let (row, _) = rights::seen(&state, &caller, &id).await?;
    let layout = Layout::of(&layout).ok_or(RefusalCode::NotFound)?;
    let exporter = exporter(&state)?;
    let name = row.id.clone();
    let opened = disk(move || {
        let path = exporter.file(&name, layout).ok_or(std::io::ErrorKind::NotFound)?;
        let opened = File::open(&path)?;
        let len = opened.metadata()?.len();
        Ok((opened, len))
    })
    .await?;
    let called = (row.title.as_str(), format!("{}.mp4", layout.name()));
    serve((Source::Here(opened.0), opened.1), "video/mp4", &called, &wanted, &headers).await
}

/// Why nothing is made where the operator does not want it, or its thread could not be started.
const NOT_HERE: &str = "this server does not make them";

fn exporter(state: &AppState) -> Result<Arc<Exporter>, Failure> {
    let refused = || Failure::from(RefusalCode::Conflict).with_detail(NOT_HERE);
    state.recordings.exporter().ok_or_else(refused)
}

fn shown(recording: &str, export: Export) -> ShownExport {
    let finished = export.state == export::State::Finished;
    let layout = export.layout.name();
    ShownExport {
        layout,
        state: match export.state {
            export::State::Queued => "queued",
            export::State::Running => "running",
            export::State::Finished => "finished",
            export::State::Failed => "failed",
        },
        progress: export.progress,
        bytes: finished.then_some(export.bytes),
        error: export.error,
        url: finished.then(|| format!("/api/v1/recordings/{recording}/exports/{layout}/file")),
    }
}
