//! What a client is told when something is refused: one table of codes, statuses and sentences.
//! Knows nothing of what was asked.

use crate::meetings::Refusal;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use signaling::protocol::RefusalCode;
use std::borrow::Cow;
use utoipa::ToSchema;

macro_rules! http_codes {
    ($($(#[$doc:meta])* $name:ident, $word:literal, $status:literal, $sentence:literal;)*) => {
        /// What only HTTP can refuse; the rest of the table is [`RefusalCode`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum HttpCode { $($(#[$doc])* $name,)* }

        impl HttpCode {
            /// Every code there is.
            pub const ALL: &[HttpCode] = &[$(HttpCode::$name,)*];

            /// A stable word for programs.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(HttpCode::$name => $word,)* }
            }

            /// A sentence that a person understands.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(HttpCode::$name => $sentence,)* }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(HttpCode::$name => $status,)* }
            }
        }
    };
}

http_codes! {
    /// The `Host` header names another server (DNS rebinding).
    ForeignHost, "foreign-host", 421, "This server does not answer under that name. Its administrator can set public_url.";
    /// The `Origin` header names another site.
    ForeignOrigin, "foreign-origin", 403, "Another web site may not do that.";
    /// The request body is not of a type that is understood here.
    UnsupportedMediaType, "unsupported-media-type", 415, "The body has a type that is not understood here.";
    /// What comes back is of no type that the client accepts.
    NotAcceptable, "not-acceptable", 406, "The answer would be of a type that the client does not accept.";
    /// The body is over the limit.
    BodyTooLarge, "body-too-large", 413, "That is too large.";
    /// The request names no version of the resource (`If-Match`), RFC 9725 §4.3.
    PreconditionRequired, "precondition-required", 428, "Say by If-Match which ICE session is meant.";
    /// The version named is not the present one.
    PreconditionFailed, "precondition-failed", 412, "That is not the present ICE session.";
    /// What the resource does not do.
    MethodNotAllowed, "method-not-allowed", 405, "That cannot be done here.";
    /// Somebody publishes already.
    AlreadyPublishing, "already-publishing", 409, "Somebody else is sending to this broadcast already.";
    /// As many watch as the plan allows.
    BroadcastFull, "broadcast-full", 503, "So many people watch already that no more fit in.";
    /// The media thread has more to forward than it can.
    ServerBusy, "server-busy", 503, "The server has as much to send as it can. Try again in a minute.";
    /// What is asked for is in an object store that does not answer.
    StoreAway, "store-away", 503, "The store of recordings cannot be reached. Try again in a minute.";
    /// Nobody publishes, for players that know no better than a status.
    NotOnAir, "not-on-air", 404, "Nobody is sending to this broadcast now.";
    /// It was there.
    Gone, "gone", 410, "That was a part of a live stream, and is over.";
    /// VP8 in HLS.
    NotInHls, "not-in-hls", 404, "What is being sent can't be watched by HLS. Send H.264, VP9 or AV1, or watch by WebRTC.";
    /// A viewer waited for what a publisher did not send.
    NothingCame, "nothing-came", 503, "Nothing new came from whoever is sending.";
    /// A viewer without a decoder for what is published.
    NoCommonCodec, "no-common-codec", 422, "This browser cannot play the format that is being sent. Try another browser.";
    /// The stream key is missing, wrong or of another broadcast: not told apart.
    WrongStreamKey, "wrong-stream-key", 401, "The stream key is not right.";
    /// No such account or a wrong password: not told apart.
    WrongNameOrPassword, "wrong-name-or-password", 401, "That name or password is not right.";
    /// A password under the minimum.
    BadPassword, "bad-password", 422, "A password needs 10 to 200 characters.";
    /// An invitation that was used, taken back, ran out or never was: not told apart.
    InvitationClosed, "invitation-closed", 403, "This link was used or taken back, or is over. Ask for a new one.";
    /// Another account has the name.
    NameTaken, "name-taken", 409, "Somebody else here has that name already.";
    /// Nobody could run the server any more.
    LastAdministrator, "last-administrator", 409, "Somebody has to run the server: make another person administrator first.";
    /// The one-time set-up link is used or wrong.
    SetupClosed, "setup-closed", 403, "This set-up link is used or wrong. The server prints a new one when it starts without an administrator.";
}

/// A refusal on its way to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    code: Code,
    detail: Option<String>,
    retry_after: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    Refused(RefusalCode),
    Http(HttpCode),
}

impl Failure {
    /// A sentence more about this case, for programmers: which field, which line.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// After how many seconds asking again may help.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Its HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        let status = match self.code {
            Code::Refused(code) => code.http_status(),
            Code::Http(code) => code.status(),
        };
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Its stable word.
    #[must_use]
    pub fn word(&self) -> Cow<'static, str> {
        match self.code {
            Code::Refused(code) => refusal_word(code),
            Code::Http(code) => Cow::Borrowed(code.word()),
        }
    }

    fn message(&self) -> String {
        let sentence = match self.code {
            Code::Refused(code) => code.sentence(),
            Code::Http(code) => code.sentence(),
        };
        match &self.detail {
            Some(detail) => format!("{sentence} ({detail})"),
            None => sentence.to_owned(),
        }
    }
}

impl From<RefusalCode> for Failure {
    fn from(code: RefusalCode) -> Self {
        Self { code: Code::Refused(code), detail: None, retry_after: None }
    }
}

impl From<HttpCode> for Failure {
    fn from(code: HttpCode) -> Self {
        Self { code: Code::Http(code), detail: None, retry_after: None }
    }
}

impl From<Refusal> for Failure {
    fn from(Refusal { code, detail, retry_after }: Refusal) -> Self {
        Self { code: Code::Refused(code), detail, retry_after }
    }
}

/// The body of every refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// A stable word for programs.
    #[schema(example = "not-found")]
    pub code: String,
    /// A sentence for people.
    #[schema(example = "That does not exist.")]
    pub message: String,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = ErrorBody { code: self.word().into_owned(), message: self.message() };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The word that the protocol uses for a code.
fn refusal_word(code: RefusalCode) -> Cow<'static, str> {
    match serde_json::to_value(code) {
        Ok(serde_json::Value::String(word)) => Cow::Owned(word),
        _ => Cow::Borrowed("internal"),
    }
}

/// Logs a failure of our own and says no more than that to the client.
pub fn internal(error: impl std::fmt::Display) -> Failure {
    tracing::error!(%error, "a request failed");
    RefusalCode::Internal.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_has_one_word_a_status_and_a_sentence() {
        let failures = RefusalCode::ALL
            .iter()
            .map(|code| Failure::from(*code))
            .chain(HttpCode::ALL.iter().map(|code| Failure::from(*code)));
        let mut words = HashSet::new();
        for failure in failures {
            assert!(failure.status().is_client_error() || failure.status().is_server_error(), "{failure:?}");
            assert!(failure.message().ends_with('.'), "{failure:?}");
            assert!(words.insert(failure.word().into_owned()), "{} is there twice", failure.word());
        }
    }

    #[test]
    fn a_refusal_says_when_to_come_back_and_is_not_cached() {
        let response = Failure::from(RefusalCode::NotPublishing).retry_after(2).into_response();
        assert_eq!(response.status(), StatusCode::CONFLICT);
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    }
}
