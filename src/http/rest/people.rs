//! Who calls and what he may, the first administrator, signing in and out. Knows no other people.

use super::meetings::no_store;
use crate::clock;
use crate::config::Network;
use crate::http::AppState;
use crate::http::body::JsonBody;
use crate::http::caller::Caller;
use crate::http::cookies::{self, SameSite};
use crate::http::errors::{ErrorBody, Failure, HttpCode, internal};
use crate::http::passwords::Strength;
use crate::meetings::rate::Later;
use crate::store::{Account, SIGN_IN_LIFETIME_MS};
use crate::tasks::to_its_end;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use signaling::protocol::RefusalCode;
use utoipa::{IntoParams, ToSchema};

/// What the caller may.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Me {
    /// The account's name; absent for somebody not signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// What the account may: `administrator`, `host` or `member`.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    /// May manage people and see everything.
    may_administrate: bool,
    /// May start meetings and broadcasts.
    may_create: bool,
    /// Host of the meeting that was asked about.
    host: bool,
    /// The server runs with `--dev`.
    dev: bool,
    /// There is no administrator yet.
    needs_setup: bool,
    /// Of the server.
    version: &'static str,
}

/// What is asked about.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct About {
    /// A meeting's id: am I its host?
    meeting: Option<String>,
}

/// The first administrator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// From the fragment of the one-time link.
    token: String,
    /// 1 to 64 characters.
    name: String,
    /// 10 to 200 characters.
    password: String,
}

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The account's.
    name: String,
    /// The account's.
    password: String,
}

/// Says who calls and what he may.
#[utoipa::path(get, path = "/api/v1/me", tag = "people", params(About),
    responses((status = 200, description = "What the caller may.", body = Me)))]
pub async fn me(
    State(state): State<AppState>,
    caller: Caller,
    Query(about): Query<About>,
) -> Result<Response, Failure> {
    let host = match about.meeting {
        Some(id) => {
            let record = state.store.meeting_by_id(&id).await.map_err(internal)?;
            record.is_some_and(|record| caller.token || caller.hosts(&record))
        }
        None => false,
    };
    let mut response = no_store(Json(Me {
        may_create: caller.may_create(&state),
        may_administrate: caller.may_administrate(),
        name: caller.account.as_ref().map(|account| account.name.clone()),
        role: caller.account.as_ref().map(|account| account.role.word()),
        host,
        dev: state.config.dev,
        needs_setup: !state.config.dev && state.store.needs_setup().await.map_err(internal)?,
        version: env!("CARGO_PKG_VERSION"),
    }));
    if !caller.has_browser()
        && let Some(cookie) = cookies::new_browser(state.is_secure())
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Makes the first administrator, once, and signs him in.
#[utoipa::path(post, path = "/api/v1/setup", tag = "people", request_body = Setup,
    responses(
        (status = 201, description = "Made and signed in."),
        (status = 403, description = "The link is used or wrong.", body = ErrorBody),
        (status = 422, description = "The name or password does not do.", body = ErrorBody),
    ))]
pub async fn setup(
    State(state): State<AppState>,
    caller: Caller,
    JsonBody(Setup { token, name, password }): JsonBody<Setup>,
) -> Result<Response, Failure> {
    may_try(&state, &caller)?;
    let name = account_name(&name)?;
    account_password(&password)?;
    // Before the costly hash: strangers have no link.
    if !state.store.is_setup_link(&token).await.map_err(internal)? {
        return Err(HttpCode::SetupClosed.into());
    }
    let hash = state.passwords.hash(&password, Strength::Account).await?;
    let account = state.store.create_admin(&token, name, &hash, clock::unix()).await.map_err(internal)?;
    let account = account.ok_or(HttpCode::SetupClosed)?;
    let cookie = signed_in(&state, &caller, &account).await?;
    tracing::info!(account = account.id, "the administrator was set up");
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Signs in.
#[utoipa::path(post, path = "/api/v1/sign-in", tag = "people", request_body = SignIn,
    responses(
        (status = 204, description = "Signed in by a cookie."),
        (status = 401, description = "Name or password is wrong.", body = ErrorBody),
        (status = 429, description = "Too many tries.", body = ErrorBody),
    ))]
pub async fn sign_in(
    State(state): State<AppState>,
    caller: Caller,
    JsonBody(SignIn { name, password }): JsonBody<SignIn>,
) -> Result<Response, Failure> {
    may_try(&state, &caller)?;
    // As it is looked up: spaces around it would be another bucket for each.
    let name = account_name(&name).map_err(|_| HttpCode::WrongNameOrPassword)?;
    let key = name.to_ascii_lowercase();
    state.limits.sign_ins_by_name.take(clock::now(), &key).map_err(too_many)?;
    let account = state.store.account_by_name(name).await.map_err(internal)?;
    let stored = account.as_ref().map(|account| account.password_hash.as_str());
    let right = state.passwords.verify(&password, stored, Strength::Account).await?;
    // One that is shut out is told the same: who guesses learns nothing of it.
    let account =
        account.filter(|account| right && account.disabled_at.is_none()).ok_or(HttpCode::WrongNameOrPassword)?;
    was_right(&state, &caller);
    state.limits.sign_ins_by_name.give_back(&key);
    let cookie = signed_in(&state, &caller, &account).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Signs out.
#[utoipa::path(post, path = "/api/v1/sign-out", tag = "people",
    responses((status = 204, description = "Signed out, or never was in.")))]
pub async fn sign_out(State(state): State<AppState>, caller: Caller) -> Result<Response, Failure> {
    let cookie = cookies::set(cookies::SESSION, "", 0, SameSite::Strict, state.is_secure());
    to_its_end(async move {
        if let Some(secret) = caller.sign_in() {
            state.store.end_sign_in(secret).await.map_err(internal)?;
        }
        if let Some(account) = &caller.account {
            // Another tab may watch a broadcast as this account.
            state.audience.changed(account.id);
        }
        Ok::<_, Failure>(())
    })
    .await?;
    let cookie = cookie.ok_or_else(|| internal("a cookie that is no header"))?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// 1 to 64 characters, without spaces around it and control characters.
///
/// # Errors
/// For others.
pub(super) fn account_name(given: &str) -> Result<&str, Failure> {
    let name = given.trim();
    let fits = (1..=64).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits { Ok(name) } else { Err(RefusalCode::BadName.into()) }
}

/// 10 to 200 characters.
///
/// # Errors
/// For others.
pub(super) fn account_password(given: &str) -> Result<(), Failure> {
    if (10..=200).contains(&given.chars().count()) { Ok(()) } else { Err(HttpCode::BadPassword.into()) }
}

/// Counts a try of a secret.
///
/// # Errors
/// When there were too many.
pub(super) fn may_try(state: &AppState, caller: &Caller) -> Result<(), Failure> {
    state.limits.sign_ins_by_address.take(clock::now(), Network::household(caller.client.address)).map_err(too_many)
}

/// It was no guess: the try does not count.
pub(super) fn was_right(state: &AppState, caller: &Caller) {
    state.limits.sign_ins_by_address.give_back(Network::household(caller.client.address));
}

fn too_many(later: Later) -> Failure {
    Failure::from(RefusalCode::TooMany).retry_after(later.0)
}

/// Signs the account in whose password was right; the cookie for it.
///
/// # Errors
/// When the password is another one by now, or the account was shut out.
pub(super) async fn signed_in(state: &AppState, caller: &Caller, account: &Account) -> Result<HeaderValue, Failure> {
    let secret = state.store.create_sign_in(account, &caller.device(), clock::unix()).await.map_err(internal)?;
    let secret = secret.ok_or(HttpCode::WrongNameOrPassword)?;
    let max_age_s = SIGN_IN_LIFETIME_MS / 1000;
    let cookie = cookies::set(cookies::SESSION, secret.expose(), max_age_s, SameSite::Strict, state.is_secure());
    cookie.ok_or_else(|| internal("a cookie that is no header"))
}
