//! What somebody signed in sees and changes of himself: where he is signed in, his password. Knows no other people.

use super::meetings::no_store;
use super::people::{account_password, may_try, was_right};
use super::{gone, number};
use crate::clock;
use crate::http::AppState;
use crate::http::body::JsonBody;
use crate::http::caller::Caller;
use crate::http::errors::{ErrorBody, Failure, HttpCode, internal};
use crate::http::passwords::Strength;
use crate::tasks::to_its_end;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A browser somebody is signed in with.
#[derive(Serialize, ToSchema)]
pub struct ShownSignIn {
    /// Names it.
    id: i64,
    /// Such as `Firefox, Linux`; empty where it did not say.
    device: String,
    /// When it began, in milliseconds since 1970.
    created_at: u64,
    /// When it was last used, to the minute.
    seen_at: u64,
    /// It is the one that asks.
    current: bool,
}

/// Where somebody is signed in.
#[derive(Serialize, ToSchema)]
pub struct SignInList {
    /// The one used last first.
    sign_ins: Vec<ShownSignIn>,
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The one until now.
    old: String,
    /// 10 to 200 characters.
    new: String,
}

/// Lists where the caller is signed in.
#[utoipa::path(get, path = "/api/v1/me/sign-ins", tag = "people", security(("sign_in" = [])),
    responses(
        (status = 200, description = "Those that still hold.", body = SignInList),
        (status = 401, description = "For who is signed in.", body = ErrorBody),
    ))]
pub async fn list(State(state): State<AppState>, caller: Caller) -> Result<Response, Failure> {
    let account = caller.signed_in()?;
    let secret = caller.sign_in().unwrap_or_default();
    let found = state.store.sign_ins(account.id, secret, clock::unix()).await.map_err(internal)?;
    let sign_ins = found.into_iter().map(|one| ShownSignIn {
        id: one.id,
        device: one.device,
        created_at: one.created_at.0,
        seen_at: one.seen_at.0,
        current: one.current,
    });
    Ok(no_store(Json(SignInList { sign_ins: sign_ins.collect() })))
}

/// Signs another browser of the caller out.
#[utoipa::path(delete, path = "/api/v1/me/sign-ins/{id}", tag = "people", security(("sign_in" = [])),
    params(("id" = i64, Path, description = "The sign-in's id.")),
    responses(
        (status = 204, description = "It no longer holds."),
        (status = 401, description = "For who is signed in.", body = ErrorBody),
        (status = 404, description = "The caller has no such one.", body = ErrorBody),
    ))]
pub async fn end(State(state): State<AppState>, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    let (account, id) = (caller.signed_in()?.id, number(&id)?);
    to_its_end(async move {
        let ended = state.store.end_sign_in_of(account, id).await.map_err(internal)?;
        state.audience.changed(account);
        gone(ended)
    })
    .await
}

/// Changes the caller's password, and signs all other browsers out.
#[utoipa::path(post, path = "/api/v1/me/password", tag = "people", request_body = ChangePassword, security(("sign_in" = [])),
    responses(
        (status = 204, description = "It is the new one."),
        (status = 401, description = "For who is signed in, and knows the old one.", body = ErrorBody),
        (status = 422, description = "The password does not do.", body = ErrorBody),
    ))]
pub async fn change_password(
    State(state): State<AppState>,
    caller: Caller,
    body: Result<JsonBody<ChangePassword>, Failure>,
) -> Result<StatusCode, Failure> {
    let account = caller.signed_in()?;
    let JsonBody(ChangePassword { old, new }) = body?;
    // A browser that was left open must not become a place to guess at.
    may_try(&state, &caller)?;
    account_password(&new)?;
    if !state.passwords.verify(&old, Some(&account.password_hash), Strength::Account).await? {
        return Err(HttpCode::WrongNameOrPassword.into());
    }
    was_right(&state, &caller);
    let hash = state.passwords.hash(&new, Strength::Account).await?;
    to_its_end(async move {
        let account = caller.signed_in()?;
        if !state.store.change_password(account, &hash, caller.sign_in()).await.map_err(internal)? {
            return Err(HttpCode::WrongNameOrPassword.into());
        }
        // Other browsers are signed out, and what they watch looks again who they are.
        state.audience.changed(account.id);
        tracing::info!(account = account.id, "a password was changed");
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
