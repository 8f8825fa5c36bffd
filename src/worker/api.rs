//! What the control side and the media threads say to each other. Plain data and channels.

pub use super::tap::{Taker, Tap};
use crate::net::tcp::NewConnection;
pub use crate::session::SessionId;
use crate::session::plan::{IceCredentials, Mid, SessionPlan};
use crate::session::quality::Conditions;
use signaling::ids::{ParticipantId, Source, TrackId};
use signaling::protocol::{SessionState, Slot, Wish};
use tokio::sync::{mpsc, oneshot};

/// A router: one meeting or broadcast on one worker. The worker's index is in the top byte; the rest is the same for
/// all routers of a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouterId(pub u64);

impl RouterId {
    /// The worker it lives on.
    #[must_use]
    pub const fn worker(self) -> usize {
        (self.0 >> 56) as usize
    }
}

/// From the control side to a worker.
#[derive(Debug)]
pub enum Command {
    /// Makes a router; its reports go to `events` (bounded; a report that finds it full is made again later).
    OpenRouter {
        /// Its id, made by [`super::routers::Routers`].
        router: RouterId,
        /// Where reports go.
        events: mpsc::Sender<Event>,
    },
    /// Ends a router with all its sessions.
    CloseRouter {
        /// Which.
        router: RouterId,
    },
    /// Makes a session.
    OpenSession(Box<OpenSession>),
    /// Makes the tracks of a session of another worker, whose packets will come by a tap. From here on
    /// [`Command::SetGate`] and [`Command::CloseSession`] of that session are for this worker, too.
    AddRemote(Box<RemoteSession>),
    /// From now on a router's packets, those of its own sessions, also go there. Replaces a tap of the same taker.
    OpenTap {
        /// Which router.
        router: RouterId,
        /// Where to.
        tap: Tap,
    },
    /// Ends a tap: from the moment `done` fires nothing more is put into its ring.
    CloseTap {
        /// Which router.
        router: RouterId,
        /// Whose tap.
        taker: Taker,
        /// The acknowledgement.
        done: Option<oneshot::Sender<()>>,
    },
    /// Whoever takes a tap of a machine can't go on, or not as well as it could, without a key frame.
    WantKeyFrame {
        /// Whose.
        session: SessionId,
        /// Of which source.
        source: Source,
        /// Of which layer of it.
        layer: u8,
    },
    /// New ICE credentials on both sides; keys and streams stay (RFC 8445 §2.4).
    RestartIce {
        /// Which.
        session: SessionId,
        /// Ours.
        local: IceCredentials,
        /// The peer's.
        remote: IceCredentials,
    },
    /// Ends a session, or what a worker has of one elsewhere: from the moment `done` fires no packet of it passes
    /// this worker in either direction.
    CloseSession {
        /// Which.
        session: SessionId,
        /// The acknowledgement.
        done: Option<oneshot::Sender<()>>,
    },
    /// Opens or closes the gate of a published source. Workers that know the session must all be told, in the same
    /// order. All gates of a new session are as `OpenSession` says.
    SetGate {
        /// Which.
        session: SessionId,
        /// Which source.
        source: Source,
        /// Whether its packets are forwarded.
        open: bool,
        /// The acknowledgement.
        done: Option<oneshot::Sender<()>>,
    },
    /// What videos a session wants, most important first; replaces what was said before.
    Watch {
        /// Which.
        session: SessionId,
        /// What it wants.
        wishes: Vec<Wish>,
    },
    /// A TCP connection whose first datagram is a check that names a session of this worker.
    TakeConnection(Box<NewConnection>),
    /// Ends everything and the thread.
    Stop,
}

/// A session to be made.
#[derive(Debug)]
pub struct OpenSession {
    /// Its id, from [`super::routers::Routers::new_session`].
    pub session: SessionId,
    /// Where it belongs.
    pub router: RouterId,
    /// Whose. A participant has at most one session: a newer one ends the older.
    pub participant: ParticipantId,
    /// What was agreed.
    pub plan: SessionPlan,
    /// Which section carries which of the participant's sources; sections of the plan that are
    /// not named here and in which the peer sends are ignored: nothing of them is forwarded.
    pub sends: Vec<(Mid, Source)>,
    /// The sources whose gate is open from the start.
    pub open_gates: Vec<Source>,
}

/// What a worker must know of a session elsewhere.
#[derive(Debug)]
pub struct RemoteSession {
    /// Its id.
    pub session: SessionId,
    /// Where it belongs: this worker's router of the same meeting.
    pub router: RouterId,
    /// Whose.
    pub participant: ParticipantId,
    /// What it publishes.
    pub gates: Vec<Gate>,
}

/// The gate of a published source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// Which source.
    pub source: Source,
    /// Whether its packets are forwarded.
    pub open: bool,
    /// How often it was opened since the session began.
    pub openings: u32,
}

/// From a worker to the control side.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The session's state changed.
    Session {
        /// Which.
        session: SessionId,
        /// Whose.
        participant: ParticipantId,
        /// As it is now.
        state: SessionState,
    },
    /// What a session's slots carry changed.
    Slots {
        /// Which.
        session: SessionId,
        /// Whose.
        participant: ParticipantId,
        /// All of them.
        slots: Vec<Slot>,
    },
    /// Who speaks changed; loudest first. Each router of a meeting hears all its microphones and says so.
    Speakers {
        /// Who says so.
        router: RouterId,
        /// Who.
        participants: Vec<ParticipantId>,
    },
    /// A connection's quality changed.
    Quality {
        /// Whose.
        participant: ParticipantId,
        /// How good.
        conditions: Conditions,
    },
    /// What the sessions of one router want of a track changed: the largest tile's height, 0 for nobody.
    Wanted {
        /// Which router.
        router: RouterId,
        /// Which.
        track: TrackId,
        /// In pixels.
        height: u16,
    },
    /// Packets of a track arrive from its publisher for the first time, or no more for 2 s.
    Flowing {
        /// Which.
        track: TrackId,
        /// Whether they arrive.
        flowing: bool,
    },
}
