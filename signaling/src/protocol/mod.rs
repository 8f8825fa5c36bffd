//! What clients and server say to each other: JSON text messages over one WebSocket at
//! `/api/v1/socket`, subprotocol `symposia.v1`. Documented for other implementers in `README.md`.
//!
//! The client's first message is [`ClientMessage::Hello`]; secrets travel in it, never in the address.
//! Every command carries an `id` of the client's choosing and is answered once by
//! [`ServerMessage::Reply`] or [`ServerMessage::Refused`] with that `id`. A command sent again with
//! an `id` already seen on this seat is answered from memory and not carried out twice.
//! [`ServerMessage::Event`]s are numbered per seat without gaps; a client that returns says the
//! last number it saw and gets the rest, or a fresh snapshot where those are gone.

mod command;
mod event;
mod quality;
mod recording;
mod refusal;
mod snapshot;

pub use command::*;
pub use event::*;
pub use quality::*;
pub use recording::*;
pub use refusal::*;
pub use snapshot::*;

use serde::{Deserialize, Serialize};

/// The version this package speaks; another major version is refused with `unsupported-version`.
pub const VERSION: u32 = 1;

/// From client to server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum ClientMessage {
    /// The first message: who comes, and by which right.
    Hello {
        /// [`VERSION`].
        version: u32,
        /// By which right.
        join: Join,
        /// The name to show, 1 to 64 characters after trimming. Ignored with [`Join::Resume`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// Asks for something to be done.
    Command {
        /// Chosen by the client, rising from 1 on each seat.
        id: u64,
        /// What.
        command: Command,
    },
    /// Asks for a sign of life; answered by [`ServerMessage::Pong`].
    Ping {
        /// Given back as it is.
        nonce: u64,
    },
}

/// From server to client.
#[expect(clippy::large_enum_variant, reason = "nearly all are events")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum ServerMessage {
    /// The command was carried out.
    Reply {
        /// The command's.
        id: u64,
        /// What it returned.
        result: Outcome,
    },
    /// The command, or the hello (then `id` is 0 and the socket closes), was refused; nothing changed.
    Refused {
        /// The command's.
        id: u64,
        /// A stable word for programs.
        code: RefusalCode,
        /// A sentence for people, in English; clients translate by `code`.
        message: String,
        /// Whole seconds after which asking again may help.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u32>,
    },
    /// Something happened. Numbered from 1 on each seat, without gaps.
    Event {
        /// The number.
        number: u64,
        /// What.
        event: Event,
    },
    /// What the media plane reports. Not numbered: only the newest of a kind counts, none is repeated.
    Media {
        /// What.
        media: MediaEvent,
    },
    /// Answers a ping.
    Pong {
        /// As it came.
        nonce: u64,
    },
}
