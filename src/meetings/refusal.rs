//! A refusal on its way to a socket. Knows no HTTP.

use signaling::protocol::{RefusalCode, ServerMessage};

/// A refusal: the code, what more is known, and when asking again may help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The stable word.
    pub code: RefusalCode,
    /// More for programmers.
    pub detail: Option<String>,
    /// In seconds.
    pub retry_after: Option<u32>,
}

/// How much detail goes out: some of it repeats what the client sent.
const MAX_DETAIL: usize = 200;

impl From<RefusalCode> for Refusal {
    fn from(code: RefusalCode) -> Self {
        Self { code, detail: None, retry_after: None }
    }
}

impl Refusal {
    /// What exactly was wrong.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        let mut detail: String = detail.into();
        if detail.len() > MAX_DETAIL {
            detail = detail.chars().take(MAX_DETAIL).collect();
        }
        self.detail = Some(detail);
        self
    }

    /// After how many seconds asking again may help.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// As the answer to the command `id`; 0 is the hello.
    #[must_use]
    pub fn into_message(self, id: u64) -> ServerMessage {
        let sentence = self.code.sentence();
        let message = match self.detail {
            Some(detail) => format!("{sentence} ({detail})"),
            None => sentence.to_owned(),
        };
        ServerMessage::Refused { id, code: self.code, message, retry_after: self.retry_after }
    }
}
