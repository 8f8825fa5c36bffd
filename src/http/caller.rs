//! By which right somebody calls the API: an API token, an account's sign-in, a host's cookie.
//! Knows no endpoint.

use super::AppState;
use super::cookies;
use super::errors::{Failure, internal};
use super::guard::Client;
use crate::clock;
use crate::meetings::stored::StoredSettings;
use crate::store::{self, Account, AccountRole};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use signaling::protocol::RefusalCode;

/// Who calls, and what speaks for him.
#[derive(Debug, Clone)]
pub struct Caller {
    /// From where.
    pub client: Client,
    /// An API token came along.
    pub token: bool,
    /// Signed in.
    pub account: Option<Account>,
    /// For cookies of meetings.
    headers: HeaderMap,
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Failure> {
        let Ok(client) = Client::from_request_parts(parts, state).await;
        Self::new(state, client, parts.headers.clone()).await
    }
}

impl Caller {
    /// Looks at what a request brought along.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn new(state: &AppState, client: Client, headers: HeaderMap) -> Result<Self, Failure> {
        let token = bearer(&headers).is_some_and(|token| state.config.api.accepts(token));
        let account = match cookies::get(&headers, cookies::SESSION) {
            Some(secret) => state.store.verify_sign_in(secret, clock::unix()).await.map_err(internal)?,
            None => None,
        };
        Ok(Self { client, token, account, headers })
    }

    /// Who calls after a while: a sign-in may have ended meanwhile.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn again(&self, state: &AppState) -> Result<Self, Failure> {
        Self::new(state, self.client, self.headers.clone()).await
    }

    /// Whether the caller may start meetings and broadcasts.
    #[must_use]
    pub fn may_create(&self, state: &AppState) -> bool {
        state.config.dev || self.token || self.has_role(AccountRole::Host) || self.has_role(AccountRole::Administrator)
    }

    /// Whether the caller runs the server.
    #[must_use]
    pub fn may_administrate(&self) -> bool {
        self.token || self.has_role(AccountRole::Administrator)
    }

    fn has_role(&self, role: AccountRole) -> bool {
        self.account.as_ref().is_some_and(|account| account.role == role)
    }

    /// Whether the caller made what belongs to this account, and may still make such things.
    #[must_use]
    pub fn owns(&self, owner: Option<i64>) -> bool {
        let account = self.account.as_ref().filter(|account| account.role != AccountRole::Member);
        account.is_some_and(|account| Some(account.id) == owner)
    }

    /// Whether the caller may do what the meeting's host may: by the cookie of its host link, or because he made it.
    #[must_use]
    pub fn hosts(&self, meeting: &store::Meeting) -> bool {
        self.is_host(meeting) || self.owns(meeting.owner)
    }

    /// Whether the caller may rotate the key of this broadcast, end it and moderate what its viewers write. With `--dev`
    /// everybody on this machine may.
    #[must_use]
    pub fn manages(&self, state: &AppState, broadcast: &store::Broadcast) -> bool {
        state.config.dev || self.may_administrate() || self.owns(broadcast.owner)
    }

    /// Whose things a list shows: `None` is everybody's, for administrators.
    ///
    /// # Errors
    /// For those who have none.
    pub fn listed_owner(&self) -> Result<Option<i64>, Failure> {
        if self.may_administrate() {
            return Ok(None);
        }
        let account = self.account.as_ref().filter(|account| account.role == AccountRole::Host);
        account.map(|account| Some(account.id)).ok_or_else(|| RefusalCode::SignInNeeded.into())
    }

    /// The account, for those who are signed in.
    ///
    /// # Errors
    /// For others.
    pub fn signed_in(&self) -> Result<&Account, Failure> {
        self.account.as_ref().ok_or_else(|| RefusalCode::SignInNeeded.into())
    }

    /// A short name of the browser, for people to tell theirs apart.
    #[must_use]
    pub fn device(&self) -> String {
        let agent = self.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        super::device::name(agent.unwrap_or_default())
    }

    /// Whether the browser holds the host's cookie of this meeting.
    fn is_host(&self, meeting: &store::Meeting) -> bool {
        cookies::get(&self.headers, &cookies::host(&meeting.id)).is_some_and(|cookie| {
            StoredSettings::read(&meeting.settings).is_host_cookie(
                (&meeting.id, meeting.host_epoch),
                cookie,
                clock::unix(),
            )
        })
    }

    /// What stays the same when this browser comes again; of a client without cookies, its address.
    #[must_use]
    pub fn identity(&self) -> String {
        match cookies::browser(&self.headers) {
            Some(browser) => format!("browser:{browser}"),
            None => format!("address:{}", crate::config::Network::household(self.client.address)),
        }
    }

    /// The browser's own cookie.
    #[must_use]
    pub fn browser(&self) -> Option<&str> {
        cookies::browser(&self.headers)
    }

    /// A cookie that came along.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        cookies::get(&self.headers, name)
    }

    /// Whether the browser has its own cookie.
    #[must_use]
    pub fn has_browser(&self) -> bool {
        cookies::browser(&self.headers).is_some()
    }

    /// The secret of the sign-in, if the browser has one.
    #[must_use]
    pub fn sign_in(&self) -> Option<&str> {
        cookies::get(&self.headers, cookies::SESSION)
    }
}

/// The token of `Authorization: Bearer`.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Refuses who lacks a right. Said alike whether what was asked for exists.
///
/// # Errors
/// When `allowed` is false.
pub fn need(allowed: bool) -> Result<(), Failure> {
    if allowed { Ok(()) } else { Err(RefusalCode::SignInNeeded.into()) }
}
