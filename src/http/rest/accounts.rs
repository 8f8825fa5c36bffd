//! The people of this server, for its administrators. Knows no passwords.

use super::broadcasts::cut_publisher;
use super::invitations::{MadeInvitation, invitation_url};
use super::meetings::no_store;
use super::number;
use super::people::account_name;
use crate::clock;
use crate::http::AppState;
use crate::http::body::JsonBody;
use crate::http::caller::{Caller, need};
use crate::http::errors::{ErrorBody, Failure, HttpCode, internal};
use crate::store::{AccountChange, AccountRole, Changed};
use crate::tasks::to_its_end;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use signaling::protocol::RefusalCode;
use utoipa::ToSchema;

/// How many accounts a list shows.
const LISTED: u32 = 10_000;

/// An account as administrators see it.
#[derive(Serialize, ToSchema)]
pub struct ShownAccount {
    /// Never reused.
    id: i64,
    /// 1 to 64 characters.
    name: String,
    /// `administrator`, `host` or `member`.
    role: &'static str,
    /// Shut out.
    disabled: bool,
    /// When it was made, in milliseconds since 1970.
    created_at: u64,
    /// When it was last used, where it is signed in.
    seen_at: Option<u64>,
    /// It is the caller's own.
    you: bool,
}

/// The people of this server.
#[derive(Serialize, ToSchema)]
pub struct AccountList {
    /// By name.
    accounts: Vec<ShownAccount>,
}

/// What is to be different; the rest stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeAccount {
    /// 1 to 64 characters.
    name: Option<String>,
    /// `administrator`, `host` or `member`.
    role: Option<String>,
    /// Shut out; signs all browsers out and gives up all seats in meetings at once. Who may start nothing any more loses
    /// stream keys and host links, too.
    disabled: Option<bool>,
}

/// Lists all accounts.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "people", security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 200, description = "All of them.", body = AccountList),
        (status = 401, description = "For administrators.", body = ErrorBody),
    ))]
pub async fn list(State(state): State<AppState>, caller: Caller) -> Result<Response, Failure> {
    need(caller.may_administrate())?;
    let own = caller.account.as_ref().map(|account| account.id);
    let found = state.store.accounts(LISTED, clock::unix()).await.map_err(internal)?;
    let accounts = found.into_iter().map(|one| ShownAccount {
        id: one.account.id,
        role: one.account.role.word(),
        disabled: one.account.disabled_at.is_some(),
        created_at: one.account.created_at.0,
        seen_at: one.seen_at.map(|at| at.0),
        you: Some(one.account.id) == own,
        name: one.account.name,
    });
    Ok(no_store(Json(AccountList { accounts: accounts.collect() })))
}

/// Changes an account.
#[utoipa::path(patch, path = "/api/v1/accounts/{id}", tag = "people", request_body = ChangeAccount,
    params(("id" = i64, Path, description = "The account's id.")),
    security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 204, description = "It is as wanted."),
        (status = 401, description = "For administrators.", body = ErrorBody),
        (status = 404, description = "No such account.", body = ErrorBody),
        (status = 409, description = "The name is taken, or nobody could run the server any more.", body = ErrorBody),
    ))]
pub async fn change(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    JsonBody(wanted): JsonBody<ChangeAccount>,
) -> Result<StatusCode, Failure> {
    need(caller.may_administrate())?;
    let name = wanted.name.as_deref().map(account_name).transpose()?;
    let role = wanted.role.as_deref().map(role).transpose()?;
    let change = AccountChange { name: name.map(str::to_owned), role, disabled: wanted.disabled };
    let id = number(&id)?;
    to_its_end(async move {
        let changed = state.store.change_account(id, &change, clock::unix()).await.map_err(internal)?;
        tracing::info!(account = id, ?change, ?changed, "an account was to be changed");
        let is_out = change.disabled == Some(true);
        follow(&state, id, changed, is_out.then_some(id)).await
    })
    .await
}

/// Deletes an account; the meetings, broadcasts and recordings of its owner stay, for administrators.
#[utoipa::path(delete, path = "/api/v1/accounts/{id}", tag = "people",
    params(("id" = i64, Path, description = "The account's id.")),
    security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 204, description = "It is gone."),
        (status = 401, description = "For administrators.", body = ErrorBody),
        (status = 404, description = "No such account.", body = ErrorBody),
        (status = 409, description = "Nobody could run the server any more.", body = ErrorBody),
    ))]
pub async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    need(caller.may_administrate())?;
    let id = number(&id)?;
    to_its_end(async move {
        let changed = state.store.delete_account(id).await.map_err(internal)?;
        tracing::info!(account = id, ?changed, "an account was to be deleted");
        follow(&state, id, changed, Some(id)).await
    })
    .await
}

/// Makes a one-time link by which the account's owner chooses a new password; the one before no longer works.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/reset", tag = "people",
    params(("id" = i64, Path, description = "The account's id.")),
    security(("api_token" = []), ("sign_in" = [])),
    responses(
        (status = 201, description = "The link is shown this once.", body = MadeInvitation),
        (status = 401, description = "For administrators.", body = ErrorBody),
        (status = 404, description = "No such account, or it is shut out.", body = ErrorBody),
    ))]
pub async fn reset(State(state): State<AppState>, caller: Caller, Path(id): Path<String>) -> Result<Response, Failure> {
    need(caller.may_administrate())?;
    let account = state.store.account_by_id(number(&id)?).await.map_err(internal)?;
    let account = account.ok_or(RefusalCode::NotFound)?;
    let made = state.store.invite_to_reset(&account, clock::unix()).await.map_err(internal)?;
    let made = made.ok_or(RefusalCode::NotFound)?;
    tracing::info!(account = account.id, "a link to a new password was made");
    Ok(invitation_url(&state, made))
}

/// The role of this word.
///
/// # Errors
/// For others.
pub(super) fn role(word: &str) -> Result<AccountRole, Failure> {
    let wrong = || Failure::from(RefusalCode::BadMessage).with_detail("role: administrator, host or member");
    AccountRole::of(word).ok_or_else(wrong)
}

/// What is under way follows what the store says; `out` lost its seats. Nothing does it a second time: see [`to_its_end`].
async fn follow(state: &AppState, id: i64, changed: Changed, out: Option<i64>) -> Result<StatusCode, Failure> {
    match changed {
        Changed::Done { cut } => {
            for broadcast in cut {
                cut_publisher(state, &broadcast).await;
            }
            if let Some(account) = out {
                state.directory.shut_out(account).await;
            }
            // Who moderated as somebody is that no more.
            state.audience.changed(id);
            Ok(StatusCode::NO_CONTENT)
        }
        Changed::Missing => Err(RefusalCode::NotFound.into()),
        Changed::NameTaken => Err(HttpCode::NameTaken.into()),
        Changed::LastAdministrator => Err(HttpCode::LastAdministrator.into()),
    }
}
