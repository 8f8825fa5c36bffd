//! One-time links by which people get an account or a new password: made by administrators, used by strangers.
//! Knows no meetings.

use super::accounts::role;
use super::meetings::no_store;
use super::people::{account_name, account_password, may_try, signed_in, was_right};
use super::{gone, number};
use crate::clock;
use crate::config::Secret;
use crate::http::AppState;
use crate::http::body::JsonBody;
use crate::http::caller::{Caller, need};
use crate::http::errors::{ErrorBody, Failure, HttpCode, internal};
use crate::http::passwords::Strength;
use crate::store::{Accepted, Invitation};
use crate::tasks::to_its_end;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use signaling::protocol::RefusalCode;
use utoipa::ToSchema;

/// How many invitations a list shows.
const LISTED: u32 = 1_000;
/// Characters of the name that an inviter gives.
const LONGEST_NAME: usize = 64;

/// Whom to invite.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateInvitation {
    /// `administrator`, `host` or `member`.
    role: String,
    /// A name to begin with, which the person may change; 0 to 64 characters.
    name: Option<String>,
}

/// A link just made.
#[derive(Serialize, ToSchema)]
pub struct MadeInvitation {
    /// Names it in the list.
    id: i64,
    /// Its secret is in the fragment, and is shown this once.
    url: String,
    /// When it no longer works, in milliseconds since 1970.
    expires_at: u64,
}

/// An invitation that nobody used yet.
#[derive(Serialize, ToSchema)]
pub struct ShownInvitation {
    /// Names it.
    id: i64,
    /// `administrator`, `host` or `member`.
    role: &'static str,
    /// As the inviter wrote it; may be empty.
    name: String,
    /// When it was made, in milliseconds since 1970.
    created_at: u64,
    /// When it no longer works.
    expires_at: u64,
}

/// The invitations that nobody used yet.
#[derive(Serialize, ToSchema)]
pub struct InvitationList {
    /// Newest first.
    invitations: Vec<ShownInvitation>,
}

/// The secret of a link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationToken {
    /// From the link's fragment.
    token: String,
}

/// What a link is for.
#[derive(Serialize, ToSchema)]
pub struct OpenedInvitation {
    /// A new password for an account that exists; else an account is made.
    reset: bool,
    /// What the account may: `administrator`, `host` or `member`.
    role: &'static str,
    /// To begin with, or the account's.
    name: String,
}

/// How a link is used.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    /// From the link's fragment.
    token: String,
    /// 1 to 64 characters; for a new password left as it is.
    name: String,
    /// 10 to 200 characters.
    password: String,
}

/// Lists the invitations that nobody used yet.
#[utoipa::path(get, path = "/api/v1/invitations", tag = "people", security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 200, description = "Those that still work.", body = InvitationList),
        (status = 401, description = "For administrators.", body = ErrorBody),
    ))]
pub async fn list(State(state): State<AppState>, caller: Caller) -> Result<Response, Failure> {
    need(caller.may_administrate())?;
    let found = state.store.invitations(LISTED, clock::unix()).await.map_err(internal)?;
    let invitations = found.into_iter().map(|one| ShownInvitation {
        id: one.id,
        role: one.role.word(),
        name: one.name,
        created_at: one.created_at.0,
        expires_at: one.expires_at.0,
    });
    Ok(no_store(Json(InvitationList { invitations: invitations.collect() })))
}

/// Makes a one-time link to a new account.
#[utoipa::path(post, path = "/api/v1/invitations", tag = "people", request_body = CreateInvitation,
    security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 201, description = "The link is shown this once.", body = MadeInvitation),
        (status = 401, description = "For administrators.", body = ErrorBody),
    ))]
pub async fn create(
    State(state): State<AppState>,
    caller: Caller,
    body: Result<JsonBody<CreateInvitation>, Failure>,
) -> Result<Response, Failure> {
    need(caller.may_administrate())?;
    let JsonBody(wanted) = body?;
    let role = role(&wanted.role)?;
    let name = wanted.name.unwrap_or_default().trim().to_owned();
    if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(RefusalCode::BadName.into());
    }
    let made = state.store.invite(role, &name, clock::unix()).await.map_err(internal)?;
    tracing::info!(invitation = made.0.id, role = role.word(), "somebody was invited");
    Ok(invitation_url(&state, made))
}

/// Takes an invitation back.
#[utoipa::path(delete, path = "/api/v1/invitations/{id}", tag = "people",
    params(("id" = i64, Path, description = "The invitation's id.")),
    security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 204, description = "It no longer works."),
        (status = 401, description = "For administrators.", body = ErrorBody),
        (status = 404, description = "No such one.", body = ErrorBody),
    ))]
pub async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    need(caller.may_administrate())?;
    gone(state.store.delete_invitation(number(&id)?).await.map_err(internal)?)
}

/// Says what a link is for, without using it up.
#[utoipa::path(post, path = "/api/v1/invitations/open", tag = "people", request_body = InvitationToken,
    responses(
        (status = 200, description = "It works.", body = OpenedInvitation),
        (status = 403, description = "It was used or taken back, or is over.", body = ErrorBody),
        (status = 429, description = "Too many tries.", body = ErrorBody),
    ))]
pub async fn open(
    State(state): State<AppState>,
    caller: Caller,
    JsonBody(InvitationToken { token }): JsonBody<InvitationToken>,
) -> Result<Response, Failure> {
    may_try(&state, &caller)?;
    let found = state.store.invitation(&token, clock::unix()).await.map_err(internal)?;
    let Invitation { account, role, name, .. } = found.ok_or(HttpCode::InvitationClosed)?;
    was_right(&state, &caller);
    Ok(no_store(Json(OpenedInvitation { reset: account.is_some(), role: role.word(), name })))
}

/// Uses a link up: makes the account, or gives it its new password and signs all other browsers out; and signs in.
#[utoipa::path(post, path = "/api/v1/invitations/accept", tag = "people", request_body = AcceptInvitation,
    responses(
        (status = 204, description = "Signed in by a cookie."),
        (status = 403, description = "The link was used or taken back, or is over.", body = ErrorBody),
        (status = 409, description = "Somebody has the name; the link still works.", body = ErrorBody),
        (status = 422, description = "The name or password does not do.", body = ErrorBody),
        (status = 429, description = "Too many tries.", body = ErrorBody),
    ))]
pub async fn accept(
    State(state): State<AppState>,
    caller: Caller,
    JsonBody(AcceptInvitation { token, name, password }): JsonBody<AcceptInvitation>,
) -> Result<Response, Failure> {
    may_try(&state, &caller)?;
    let name = account_name(&name)?.to_owned();
    account_password(&password)?;
    // Before the costly hash: strangers have no link.
    if state.store.invitation(&token, clock::unix()).await.map_err(internal)?.is_none() {
        return Err(HttpCode::InvitationClosed.into());
    }
    let hash = state.passwords.hash(&password, Strength::Account).await?;
    let ours = state.clone();
    let accepted = to_its_end(async move {
        let accepted = ours.store.accept(&token, &name, &hash, clock::unix()).await.map_err(internal)?;
        if let Accepted::Account(account) = &accepted {
            // After a new password other browsers are signed out, and what they watch looks again who they are.
            ours.audience.changed(account.id);
        }
        Ok::<_, Failure>(accepted)
    });
    let account = match accepted.await? {
        Accepted::Account(account) => account,
        Accepted::Closed => return Err(HttpCode::InvitationClosed.into()),
        Accepted::NameTaken => return Err(HttpCode::NameTaken.into()),
    };
    was_right(&state, &caller);
    tracing::info!(account = account.id, role = account.role.word(), "an invitation was used");
    let cookie = signed_in(&state, &caller, &account).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// The answer that shows a link.
pub(super) fn invitation_url(state: &AppState, (made, secret): (Invitation, Secret)) -> Response {
    let url = format!("{}/invitation#{}", state.base_url, secret.expose());
    let body = MadeInvitation { id: made.id, url, expires_at: made.expires_at.0 };
    (StatusCode::CREATED, no_store(Json(body))).into_response()
}
