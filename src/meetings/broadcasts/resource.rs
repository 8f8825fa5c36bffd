//! One session of a broadcast, and what its plan says of picture and sound. Knows no other sessions.

use super::Opened;
use crate::broadcast::Feed;
use crate::clock;
use crate::session::plan::{Codec, Flow, IceCredentials, Kind, Mid, SessionPlan};
use crate::session::sdp::{self, Local};
use crate::worker::api::SessionId;
use rand::RngExt as _;
use signaling::ids::{ParticipantId, Source};
use signaling::protocol::SessionState;
use std::time::Instant;

/// A session as its resource's URL names it: 128 random bits, so that it cannot be guessed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResourceId(String);

impl ResourceId {
    fn random() -> Self {
        Self(crate::config::Secret::random(&mut rand::rng()).expose().to_owned())
    }

    /// As somebody asks for it.
    pub(super) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As in the URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

pub(super) struct Resource {
    pub(super) id: ResourceId,
    pub(super) session: SessionId,
    pub(super) participant: ParticipantId,
    /// The section that carries the transport.
    transport: Option<(Mid, Kind)>,
    ice: IceSession,
    pub(super) state: SessionState,
    pub(super) since: Instant,
    /// Of a publisher: what goes to viewers by HLS.
    pub(super) feed: Option<Feed>,
}

impl Resource {
    pub(super) fn new(session: SessionId, participant: ParticipantId, plan: &SessionPlan) -> Self {
        Self {
            id: ResourceId::random(),
            session,
            participant,
            transport: transport(plan),
            ice: IceSession::new(plan.remote.clone(), 0),
            state: SessionState::Connecting,
            since: clock::now(),
            feed: None,
        }
    }

    pub(super) fn opened(&self, sdp: String) -> Opened {
        tracing::debug!(participant = self.participant.0, "a broadcast's session opens");
        Opened { resource: self.id.clone(), tag: self.ice.tag.clone(), sdp }
    }

    /// How often ICE was restarted.
    pub(super) const fn restarts(&self) -> u16 {
        self.ice.restarts
    }

    /// A PATCH that names this ICE session by `wanted`, or any, with the peer's credentials where it has some.
    pub(super) fn patch(&mut self, wanted: Wanted<'_>, remote: Option<IceCredentials>, local: &Local) -> Patch {
        if let Wanted::Tag(tag) = wanted
            && tag != self.ice.tag.as_bytes()
        {
            return Patch::OtherSession;
        }
        let restarts = remote.filter(|remote| *remote != self.ice.remote);
        let Some((transport, remote)) = self.transport.as_ref().zip(restarts) else {
            return match (wanted, &self.ice.answered) {
                // The answer to a restart was lost, and the client asks again.
                (Wanted::Any, Some(sdp)) => Patch::Again { tag: self.ice.tag.clone(), sdp: sdp.clone() },
                _ => Patch::Candidates,
            };
        };
        let sdp = sdp::restarted(local, (&transport.0, transport.1));
        self.ice = IceSession { answered: Some(sdp.clone()), ..IceSession::new(remote.clone(), local.restarts) };
        Patch::Restarted { tag: self.ice.tag.clone(), sdp, remote }
    }
}

/// What a PATCH was answered with so far.
struct IceSession {
    /// Its name (RFC 9725 §4.3.1), strong, and another one after each restart.
    tag: String,
    /// Other ones in a PATCH are an ICE restart.
    remote: IceCredentials,
    /// What was said to the restart that began it.
    answered: Option<String>,
    restarts: u16,
}

impl IceSession {
    fn new(remote: IceCredentials, restarts: u16) -> Self {
        Self { tag: format!("\"{:016x}\"", rand::rng().random::<u64>()), remote, answered: None, restarts }
    }
}

/// Which ICE session a PATCH is for (`If-Match`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// `*`: whichever there is, as RFC 9725 §4.3.3 wants of a restart.
    Any,
    /// The one of this tag.
    Tag(&'a [u8]),
}

/// What a PATCH comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Patch {
    /// The tag is of an earlier ICE session, or of none.
    OtherSession,
    /// Candidates trickled.
    Candidates,
    /// ICE was restarted with these credentials before.
    Again { tag: String, sdp: String },
    /// ICE restarts.
    Restarted { tag: String, sdp: String, remote: IceCredentials },
}

/// The first section of a BUNDLE group that was not refused (RFC 9143 §7.3.1).
fn transport(plan: &SessionPlan) -> Option<(Mid, Kind)> {
    let used = plan.sections.iter().find(|section| section.flow != Flow::Idle);
    used.map(|section| (section.mid.clone(), section.kind))
}

/// The first sound is the voice, the first picture the camera; RFC 9725 §4.4.1 has at most one of each.
pub(super) fn published(plan: &SessionPlan) -> Vec<(Mid, Source)> {
    let first =
        |kind| plan.sections.iter().find(|section| section.kind == kind && matches!(section.flow, Flow::Receive(_)));
    let sound = first(Kind::Audio).map(|section| (section.mid.clone(), Source::Microphone));
    let picture = first(Kind::Video).map(|section| (section.mid.clone(), Source::Camera));
    sound.into_iter().chain(picture).collect()
}

/// The picture that is published.
pub(super) fn picture(plan: &SessionPlan) -> Option<Codec> {
    plan.sections.iter().filter(|section| section.kind == Kind::Video).find_map(|section| match &section.flow {
        Flow::Receive(receive) => receive.codecs.first().map(|codec| codec.codec),
        _ => None,
    })
}

/// Whether a viewer can show this picture; also one that wants only sound, and so no picture.
pub(super) fn decodes(plan: &SessionPlan, picture: Codec) -> bool {
    let takes = |codec: Codec| match (codec, picture) {
        // Profiles differ among encoders; which of them are near enough is for the worker to say.
        (Codec::H264 { .. }, Codec::H264 { .. }) => true,
        (codec, picture) => codec == picture,
    };
    let mut pictures = plan.sections.iter().filter(|section| section.kind == Kind::Video).peekable();
    pictures.peek().is_none()
        || pictures.any(|section| match &section.flow {
            Flow::Send(send) => send.codecs.iter().any(|codec| takes(codec.codec)),
            _ => false,
        })
}
