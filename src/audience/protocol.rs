//! What goes over a viewer's socket, as JSON: `docs/audience.md`. Knows no rules and no sockets.

use super::settings::Settings;
use crate::store::{Comment, CommentState};
use serde::{Deserialize, Serialize};

/// The subprotocol; another major version gets another name.
pub const SUBPROTOCOL: &str = "symposia.audience.v1";

/// What a viewer's page says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum FromViewer {
    /// Something to read.
    Comment {
        /// Comes back in the answer.
        id: u32,
        /// For who is not signed in: under which name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// One line.
        text: String,
    },
    /// Likes since the last such message.
    Like {
        /// 1 to 50.
        count: u32,
    },
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ToViewer {
    /// Everything as it is now: first of all, and again where this page read too slowly.
    Welcome {
        /// The account's name; the viewer chooses one where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// May moderate.
        moderator: bool,
        /// May not write.
        muted: bool,
        /// What holds.
        rules: Rules,
        /// So far.
        likes: u64,
        /// The newest, oldest first; for moderators with those that are held.
        comments: Vec<ShownComment>,
    },
    /// What is new, ten times a second at most; what is left out did not change.
    News {
        /// New ones, and for moderators those that are held.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        comments: Vec<ShownComment>,
        /// No longer shown.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        deleted: Vec<u64>,
        /// So far.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        likes: Option<u64>,
        /// What holds from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rules: Option<Rules>,
    },
    /// A comment was taken.
    Taken {
        /// As the page named it.
        id: u32,
        /// Under which it comes with the news.
        comment: u64,
        /// A moderator looks at it first.
        held: bool,
    },
    /// A comment was not taken.
    Refused {
        /// As the page named it.
        id: u32,
        /// Why.
        code: Refused,
        /// Seconds until another try, where waiting helps.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u32>,
    },
}

/// What viewers know of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rules {
    /// Comments are taken.
    pub open: bool,
    /// A moderator looks at each first.
    pub hold: bool,
    /// Seconds between two of one viewer.
    pub slow: u32,
}

impl From<&Settings> for Rules {
    fn from(settings: &Settings) -> Self {
        Self { open: settings.open, hold: settings.hold, slow: settings.slow }
    }
}

/// A comment as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownComment {
    /// 1, 2, …
    pub id: u64,
    /// When it was written, in milliseconds since 1970.
    pub at: u64,
    /// 1 to 64 characters.
    pub name: String,
    /// One line.
    pub text: String,
    /// Not signed in: the name is what somebody typed.
    pub guest: bool,
    /// By somebody who manages the broadcast.
    pub host: bool,
    /// Only moderators see it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
}

impl From<&Comment> for ShownComment {
    fn from(comment: &Comment) -> Self {
        let Comment { id, at, name, text, guest, host, state, .. } = comment;
        let held = *state == CommentState::Held;
        Self { id: *id, at: at.0, name: name.clone(), text: text.clone(), guest: *guest, host: *host, held }
    }
}

/// Why a comment was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refused {
    /// No comments are taken.
    Closed,
    /// This viewer may not write.
    Muted,
    /// The name is empty or too long.
    BadName,
    /// The text is empty or too long.
    BadText,
    /// Slow mode: too soon after the last one.
    TooSoon,
    /// Too many from this viewer, this address or all.
    TooMany,
}
