//! Why something was refused: one table of codes, sentences and HTTP statuses.

use serde::{Deserialize, Serialize};

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident, $status:literal, $sentence:literal;)*) => {
        /// A stable word for programs; [`RefusalCode::sentence`] is for people.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum RefusalCode { $($(#[$doc])* $name,)* }

        impl RefusalCode {
            /// Every code there is.
            pub const ALL: &[RefusalCode] = &[$(RefusalCode::$name,)*];

            /// A sentence that a person understands.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(RefusalCode::$name => $sentence,)* }
            }

            /// The HTTP status with the same meaning.
            #[must_use]
            pub const fn http_status(self) -> u16 {
                match self { $(RefusalCode::$name => $status,)* }
            }
        }
    };
}

refusals! {
    /// The message is no JSON of this protocol.
    BadMessage, 400, "The server could not read that message.";
    /// Another protocol version.
    UnsupportedVersion, 400, "This page is older than the server. Reload it.";
    /// The first message was no hello, or a second one came.
    OutOfOrder, 400, "That message came at the wrong time.";
    /// No such meeting, a wrong number or a wrong passcode: not told apart, so that nothing can be guessed.
    WrongNumberOrPasscode, 404, "That meeting number or passcode is not right.";
    /// The link's secret is wrong or no longer valid.
    WrongLink, 404, "This meeting link is not valid. Ask the host for a new one.";
    /// It was ended.
    MeetingEnded, 410, "This meeting has ended.";
    /// Nobody comes in any more.
    MeetingLocked, 423, "The host has locked this meeting.";
    /// The plan's limit is reached.
    MeetingFull, 409, "This meeting is full.";
    /// Removed for good.
    Banned, 403, "The host does not allow you to join this meeting.";
    /// The seat is gone: the 120 s are over, or its bearer left or was removed.
    SeatGone, 410, "Your place was no longer kept. Join again.";
    /// The role does not permit it.
    NotPermitted, 403, "You are not allowed to do that in this meeting.";
    /// A rule of the meeting forbids it for now.
    ForbiddenByPolicy, 403, "The host does not allow that at the moment.";
    /// Still in the waiting room.
    NotAdmitted, 403, "You have not been let in yet.";
    /// No such participant.
    UnknownParticipant, 404, "That person is no longer here.";
    /// The last host may not step down or be removed.
    LastHost, 409, "The meeting needs a host.";
    /// Empty, or over 64 characters, or nothing visible.
    BadName, 422, "Please enter a name of at most 64 characters.";
    /// Empty or over 4,000 characters.
    BadText, 422, "A message needs something to read and must not be too long.";
    /// The SDP was not understood; the message says what.
    BadOffer, 422, "The server could not use this browser's media offer.";
    /// A setting's bound was passed.
    TooMany, 429, "That was too much at once. Wait a moment and try again.";
    /// The server does not take new meetings or people: it is stopping.
    Draining, 503, "The server is about to stop. Try again in a minute.";
    /// Sign in first.
    SignInNeeded, 401, "Sign in first.";
    /// Not found.
    NotFound, 404, "That does not exist.";
    /// Somebody else has it already.
    Conflict, 409, "That is already in use.";
    /// A recording is under way.
    AlreadyRecording, 409, "This meeting is being recorded already.";
    /// No recording is under way.
    NotRecording, 409, "This meeting is not being recorded.";
    /// There is nobody to record.
    NobodyThere, 409, "Nobody is in this meeting.";
    /// Nobody publishes yet.
    NotPublishing, 409, "Nobody is sending to this broadcast yet.";
    /// The server failed; the log says why.
    Internal, 500, "Something went wrong on the server.";
}
