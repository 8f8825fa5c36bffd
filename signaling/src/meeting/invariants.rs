//! The meeting checks itself after each public change, in debug builds only.

use crate::ids::{ParticipantId, Source};
use crate::meeting::Meeting;
use crate::meeting::effect::Effect;
use crate::meeting::snapshot::State;
use crate::permission::{Action, permits};
use crate::role::Role;
use std::collections::BTreeSet;

/// What the caller believes who carried out all effects, and what was before the change.
pub(super) struct Shadow {
    open: BTreeSet<(ParticipantId, Source)>,
    locked: bool,
    inside: BTreeSet<ParticipantId>,
    /// Its id, and whether it is paused.
    recording: Option<(String, bool)>,
}

impl Shadow {
    pub(super) fn of(state: &State) -> Self {
        Self { open: gates(state), locked: state.policy.locked, inside: inside(state), recording: None }
    }

    pub(super) fn begin(&mut self, state: &State) {
        self.locked = state.policy.locked;
        self.inside = inside(state);
    }

    pub(super) fn follow(&mut self, effect: &Effect) {
        match effect {
            Effect::SetGate { participant, source, open: true, .. } => {
                assert!(self.open.insert((*participant, *source)), "a gate was opened twice");
            }
            Effect::SetGate { participant, source, open: false, .. } => {
                assert!(self.open.remove(&(*participant, *source)), "a closed gate was closed");
            }
            Effect::StartRecording { id } => {
                assert_eq!(self.recording.replace((id.clone(), false)), None, "two recordings at the same time");
            }
            Effect::PauseRecording { id } => self.expect_recording(id, true),
            Effect::ResumeRecording { id } => self.expect_recording(id, false),
            Effect::StopRecording { id } => {
                assert_eq!(self.recording.take().map(|(known, _)| known).as_ref(), Some(id), "nothing to stop");
            }
            Effect::MarkRecording { id, .. } => {
                assert_eq!(self.recording.as_ref().map(|(known, _)| known), Some(id), "nothing to mark");
            }
            Effect::EndMedia { participant, .. } => self.open.retain(|(whose, _)| whose != participant),
            _ => {}
        }
    }

    fn expect_recording(&mut self, id: &str, pauses: bool) {
        let known = self.recording.as_mut().filter(|(known, paused)| known == id && *paused != pauses);
        known.expect("a recording that is not so yet").1 = pauses;
    }

    /// The caller said so.
    pub(super) fn recording_ended(&mut self) {
        self.recording = None;
    }
}

fn inside(state: &State) -> BTreeSet<ParticipantId> {
    state.seats.iter().filter(|(_, seat)| seat.inside().is_some()).map(|(id, _)| *id).collect()
}

fn gates(state: &State) -> BTreeSet<(ParticipantId, Source)> {
    let seats = state.seats.iter().filter_map(|(id, seat)| Some((*id, seat.inside()?)));
    seats.flat_map(|(id, inside)| inside.on.iter().map(move |source| (id, *source))).collect()
}

impl Meeting {
    /// # Panics
    /// Where one does not hold.
    pub(super) fn check_invariants(&self) {
        let state = &self.state;
        let now_inside = inside(state);
        assert!(now_inside.len() <= usize::from(state.settings.capacity), "more inside than the plan allows");
        if self.shadow.locked && state.policy.locked {
            for entered in now_inside.difference(&self.shadow.inside) {
                let role = state.seats[entered].role;
                assert_eq!(role, Role::Host, "somebody came into a locked meeting");
            }
        }
        assert_eq!(self.shadow.open, gates(state), "the gates are not as the meeting believes");
        let recording = self.recording.as_ref().map(super::recording::Running::known);
        assert_eq!(self.shadow.recording, recording, "what is recorded is not as the meeting believes");
        assert!(recording.is_none() || !now_inside.is_empty(), "a recording of nobody");
        for (id, seat) in &state.seats {
            assert!(id.0 <= state.last_participant, "an id that was not given");
            assert!(seat.outbox.kept() <= state.settings.limits.event_buffer, "too many events kept");
            if let Some(inside) = seat.inside() {
                assert!(permits(seat.role, Action::Publish) || inside.on.is_empty(), "a listener publishes");
                assert!(seat.epoch.0 > 0, "inside without an admission");
            }
        }
        assert!(!self.changed, "a change was not announced");
        assert!(!state.ended || state.seats.is_empty(), "somebody is in a meeting that ended");
    }
}
