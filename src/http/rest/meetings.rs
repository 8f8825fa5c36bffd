//! Meetings by REST: made, shown, listed, ended; and the exchange of a host link for a cookie.
//! Knows nothing of what happens inside them.

use super::title;
use crate::clock;
use crate::config::Network;
use crate::http::AppState;
use crate::http::body::JsonBody;
use crate::http::caller::{Caller, need};
use crate::http::cookies::{self, SameSite};
use crate::http::errors::{ErrorBody, Failure, internal};
use crate::http::passwords::Strength;
use crate::meetings::join_url;
use crate::meetings::rate::Later;
use crate::meetings::stored::{HOST_COOKIE_LIFETIME_MS, RecordingSettings, StoredSettings, default_policy};
use crate::store::{Meeting, NewMeeting, Visibility};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use signaling::protocol::{Policy, RefusalCode};
use utoipa::ToSchema;

/// How many meetings a list shows.
const LISTED: u32 = 200;
/// To which heights recordings can be bound.
const HEIGHTS: [u16; 5] = [180, 360, 540, 720, 1080];

/// A meeting to be made. What is left out is as the web app starts one.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateMeeting {
    /// 0 to 200 characters.
    title: Option<String>,
    /// 4 to 32 characters; asked of those who come by number.
    passcode: Option<String>,
    /// People who come must be let in (true).
    waiting_room: Option<bool>,
    /// Who comes by number waits even without a waiting room (true).
    numbers_wait: Option<bool>,
    /// Nobody comes in (false).
    locked: Option<bool>,
    /// Who is muted may unmute himself (true).
    may_unmute: Option<bool>,
    /// Cameras may be turned on (true).
    may_show_camera: Option<bool>,
    /// Screens may be shared (true).
    may_share: Option<bool>,
    /// People may write to everyone (true).
    may_chat: Option<bool>,
    /// People may change their own name (true).
    may_rename: Option<bool>,
    /// People who come are muted (false).
    mute_on_entry: Option<bool>,
    /// A recording begins when the first person is in (false).
    auto_record: Option<bool>,
    /// Higher pictures are not recorded: 180, 360, 540, 720 or 1080; null for all.
    record_height: Option<u16>,
    /// Who may see recordings: `nobody`, `host` (the default), `participants` or `link`.
    recording_visibility: Option<String>,
}

impl CreateMeeting {
    fn recording(&self) -> Result<RecordingSettings, Failure> {
        let wrong = |what: &str| Failure::from(RefusalCode::BadMessage).with_detail(what);
        if self.record_height.is_some_and(|height| !HEIGHTS.contains(&height)) {
            return Err(wrong("record_height is 180, 360, 540, 720 or 1080"));
        }
        let visibility = match self.recording_visibility.as_deref() {
            None => Visibility::Host,
            Some(word) => Visibility::of(word)
                .ok_or_else(|| wrong("recording_visibility is nobody, host, participants or link"))?,
        };
        Ok(RecordingSettings { auto: self.auto_record.unwrap_or(false), height: self.record_height, visibility })
    }

    fn policy(&self) -> Policy {
        let default = default_policy();
        Policy {
            waiting_room: self.waiting_room.unwrap_or(default.waiting_room),
            locked: self.locked.unwrap_or(default.locked),
            may_unmute: self.may_unmute.unwrap_or(default.may_unmute),
            may_show_camera: self.may_show_camera.unwrap_or(default.may_show_camera),
            may_share: self.may_share.unwrap_or(default.may_share),
            may_chat: self.may_chat.unwrap_or(default.may_chat),
            may_rename: self.may_rename.unwrap_or(default.may_rename),
            mute_on_entry: self.mute_on_entry.unwrap_or(default.mute_on_entry),
        }
    }
}

/// A meeting just made. The host link is shown this once.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CreatedMeeting {
    /// As in the links.
    id: String,
    /// Nine digits.
    number: String,
    /// The link to share.
    join_url: String,
    /// The link that makes its bearer host.
    host_url: String,
}

/// A meeting as its host or the administrator sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ShownMeeting {
    /// As in the links.
    id: String,
    /// Nine digits.
    number: String,
    /// 0 to 200 characters.
    title: String,
    /// The link to share.
    join_url: String,
    /// Whether a passcode is asked of those who come by number.
    passcode: bool,
    /// When it was made, in milliseconds since 1970.
    created_at: u64,
    /// When it was ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<u64>,
    /// Whether it is in memory.
    live: bool,
    /// With a seat inside.
    participants: usize,
    /// In the waiting room.
    waiting: usize,
    /// Whether it is recorded.
    recorded: bool,
}

/// A list of meetings.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MeetingList {
    /// Newest first.
    meetings: Vec<ShownMeeting>,
}

/// The secret of a host link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HostSecret {
    /// From the link's fragment.
    secret: String,
}

/// The secret of a join link; who may lead the meeting needs none.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DoorToken {
    /// From the link's fragment.
    token: Option<String>,
}

/// What may be known of a meeting before one joins it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Door {
    /// 0 to 200 characters.
    title: String,
    /// `running`: what one says and shows is kept; `planned`: a recording begins by itself; null: neither.
    recording: Option<&'static str>,
}

/// Makes a meeting.
#[utoipa::path(post, path = "/api/v1/meetings", tag = "meetings", request_body = CreateMeeting,
    security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 201, description = "Made.", body = CreatedMeeting),
        (status = 401, description = "Nobody may who is not signed in (but with --dev).", body = ErrorBody),
    ))]
pub async fn create(
    State(state): State<AppState>,
    caller: Caller,
    JsonBody(wanted): JsonBody<CreateMeeting>,
) -> Result<Response, Failure> {
    need(caller.may_create(&state))?;
    count_creation(&state, &caller)?;
    let policy = wanted.policy();
    let numbers_wait = wanted.numbers_wait.unwrap_or(true);
    let recording = wanted.recording()?;
    let title = title(wanted.title)?;
    let passcode_hash = match passcode(wanted.passcode)? {
        Some(passcode) => Some(state.passwords.hash(&passcode, Strength::Passcode).await?),
        None => None,
    };
    let settings = StoredSettings { recording, ..StoredSettings::new(policy, numbers_wait, state.config.capacity()) };
    let settings = settings.to_value();
    let owner = caller.account.as_ref().map(|account| account.id);
    let new = NewMeeting { title, passcode_hash, settings, owner };
    let made = state.store.create_meeting(new, clock::unix()).await.map_err(internal)?;
    tracing::info!(meeting = made.meeting.id, "a meeting was made");
    let body = CreatedMeeting {
        join_url: join_url(&state.base_url, &made.meeting),
        host_url: format!("{}/m/{}#h={}", state.base_url, made.meeting.id, made.host_secret.expose()),
        number: made.meeting.number.to_string(),
        id: made.meeting.id,
    };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

/// Lists the meetings that were not ended: to administrators all, to hosts their own.
#[utoipa::path(get, path = "/api/v1/meetings", tag = "meetings", security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 200, description = "At most 200.", body = MeetingList),
        (status = 401, description = "For those who may start meetings.", body = ErrorBody),
    ))]
pub async fn list(State(state): State<AppState>, caller: Caller) -> Result<Response, Failure> {
    let owner = caller.listed_owner()?;
    let mut meetings = Vec::new();
    for record in state.store.meetings(owner, LISTED).await.map_err(internal)? {
        meetings.push(shown(&state, record).await);
    }
    Ok(no_store(Json(MeetingList { meetings })))
}

/// Shows a meeting.
#[utoipa::path(get, path = "/api/v1/meetings/{id}", tag = "meetings",
    params(("id" = String, Path, description = "The meeting's id.")),
    security(("api_token" = []), ("sign_in" = []), ("host" = [])),
    responses(
        (status = 200, description = "As it is now.", body = ShownMeeting),
        (status = 401, description = "For its host and the administrator.", body = ErrorBody),
        (status = 404, description = "No such meeting.", body = ErrorBody),
    ))]
pub async fn show(State(state): State<AppState>, caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    let record = managed(&state, &caller, &id).await?;
    Ok(no_store(Json(shown(&state, record).await)))
}

/// Ends a meeting for everybody.
#[utoipa::path(delete, path = "/api/v1/meetings/{id}", tag = "meetings",
    params(("id" = String, Path, description = "The meeting's id.")),
    security(("api_token" = []), ("sign_in" = []), ("host" = [])),
    responses(
        (status = 204, description = "It is over."),
        (status = 401, description = "For its host and the administrator.", body = ErrorBody),
        (status = 404, description = "No such meeting.", body = ErrorBody),
    ))]
pub async fn end(State(state): State<AppState>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    let record = managed(&state, &caller, &id).await?;
    state.directory.end(&record.id).await.map_err(internal)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Exchanges the secret of the host link for a cookie of this meeting.
#[utoipa::path(post, path = "/api/v1/meetings/{id}/host", tag = "meetings", request_body = HostSecret,
    params(("id" = String, Path, description = "The meeting's id.")),
    responses(
        (status = 204, description = "The cookie is set."),
        (status = 404, description = "The link is wrong.", body = ErrorBody),
        (status = 410, description = "The meeting has ended.", body = ErrorBody),
    ))]
pub async fn become_host(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    JsonBody(HostSecret { secret }): JsonBody<HostSecret>,
) -> Result<Response, Failure> {
    let address = Network::household(caller.client.address);
    state
        .limits
        .joins
        .take(clock::now(), address)
        .map_err(|Later(seconds)| Failure::from(RefusalCode::TooMany).retry_after(seconds))?;
    let record = state.store.meeting_by_id(&id).await.map_err(internal)?;
    let record = record.filter(|record| record.is_host_secret(&secret)).ok_or(RefusalCode::WrongLink)?;
    if record.ended_at.is_some() {
        return Err(RefusalCode::MeetingEnded.into());
    }
    let value = StoredSettings::read(&record.settings).host_cookie((&record.id, record.host_epoch), clock::unix());
    let max_age_s = HOST_COOKIE_LIFETIME_MS / 1000;
    let cookie = cookies::set(&cookies::host(&record.id), &value, max_age_s, SameSite::Lax, state.is_secure());
    let cookie = cookie.ok_or_else(|| internal("a cookie that is no header"))?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Tells who has a join link what he comes into, so that nobody is recorded who was not told before.
#[utoipa::path(post, path = "/api/v1/meetings/{id}/door", tag = "meetings", request_body = DoorToken,
    params(("id" = String, Path, description = "The meeting's id.")),
    security((), ("api_token" = []), ("sign_in" = []), ("host" = [])),
    responses(
        (status = 200, description = "As it is now.", body = Door),
        (status = 404, description = "The link is wrong.", body = ErrorBody),
        (status = 410, description = "The meeting has ended.", body = ErrorBody),
        (status = 429, description = "Too often.", body = ErrorBody),
    ))]
pub async fn door(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    JsonBody(DoorToken { token }): JsonBody<DoorToken>,
) -> Result<Response, Failure> {
    // As often as seats are taken up again: a page that waits for its click asks three times a minute.
    let taken = state.limits.resumes.take(clock::now(), Network::household(caller.client.address));
    taken.map_err(|Later(seconds)| Failure::from(RefusalCode::TooMany).retry_after(seconds))?;
    let record = state.store.meeting_by_id(&id).await.map_err(internal)?;
    let knows = |record: &Meeting| match &token {
        Some(token) => record.is_join_token(token),
        None => caller.may_administrate() || caller.hosts(record),
    };
    let record = record.filter(knows).ok_or(RefusalCode::WrongLink)?;
    if record.ended_at.is_some() {
        return Err(RefusalCode::MeetingEnded.into());
    }
    let recording = match state.directory.describe(&record.id).await {
        Some(live) if live.recorded => Some("running"),
        Some(live) => live.to_be_recorded.then_some("planned"),
        None => StoredSettings::read(&record.settings).recording.auto.then_some("planned"),
    };
    Ok(no_store(Json(Door { title: record.title, recording })))
}

/// The meeting, for those who may manage it; others do not learn whether it exists.
pub(super) async fn managed(state: &AppState, caller: &Caller, id: &str) -> Result<Meeting, Failure> {
    let record = state.store.meeting_by_id(id).await.map_err(internal)?;
    let host = record.as_ref().is_some_and(|record| caller.hosts(record));
    need(caller.may_administrate() || host)?;
    record.ok_or_else(|| RefusalCode::NotFound.into())
}

/// While the server drains nothing new is made, and nobody makes very much.
pub(super) fn count_creation(state: &AppState, caller: &Caller) -> Result<(), Failure> {
    if state.is_draining() {
        return Err(Failure::from(RefusalCode::Draining).retry_after(60));
    }
    let address = Network::household(caller.client.address);
    let taken = state.limits.creations.take(clock::now(), address);
    taken.map_err(|Later(seconds)| Failure::from(RefusalCode::TooMany).retry_after(seconds))
}

async fn shown(state: &AppState, record: Meeting) -> ShownMeeting {
    let live = state.directory.describe(&record.id).await;
    let counts = live.as_ref().map(|live| live.counts).unwrap_or_default();
    ShownMeeting {
        join_url: join_url(&state.base_url, &record),
        number: record.number.to_string(),
        passcode: record.passcode_hash.is_some(),
        created_at: record.created_at.0,
        ended_at: record.ended_at.map(|at| at.0),
        live: live.is_some(),
        participants: counts.admitted,
        waiting: counts.waiting,
        recorded: live.as_ref().is_some_and(|live| live.recorded),
        title: record.title,
        id: record.id,
    }
}

fn passcode(given: Option<String>) -> Result<Option<String>, Failure> {
    let Some(passcode) = given.filter(|passcode| !passcode.is_empty()) else { return Ok(None) };
    let fits = (4..=32).contains(&passcode.chars().count());
    if !fits || passcode.chars().any(|character| character.is_control() || character.is_whitespace()) {
        let failure = Failure::from(RefusalCode::BadMessage);
        return Err(failure.with_detail("a passcode has 4 to 32 characters and no spaces"));
    }
    Ok(Some(passcode))
}

pub(super) fn no_store(body: impl IntoResponse) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], body).into_response()
}
