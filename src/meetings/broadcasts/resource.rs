//! One session of a broadcast, and what its plan says of picture and sound. Knows no other sessions.

use super::Opened;
use crate::clock;
use crate::session::plan::{Codec, Flow, Kind, Mid, SessionPlan};
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
    pub(super) tag: String,
    /// Of the peer; another one in a PATCH would be an ICE restart.
    pub(super) ufrag: String,
    pub(super) state: SessionState,
    pub(super) since: Instant,
}

impl Resource {
    pub(super) fn new(session: SessionId, participant: ParticipantId, plan: &SessionPlan) -> Self {
        Self {
            id: ResourceId::random(),
            session,
            participant,
            tag: format!("\"{:016x}\"", rand::rng().random::<u64>()),
            ufrag: plan.remote.ufrag.clone(),
            state: SessionState::Connecting,
            since: clock::now(),
        }
    }

    pub(super) fn opened(&self, sdp: String) -> Opened {
        tracing::debug!(participant = self.participant.0, "a broadcast's session opens");
        Opened { resource: self.id.clone(), tag: self.tag.clone(), sdp }
    }
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
