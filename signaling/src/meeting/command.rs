//! From a command to its answer: what is asked again, too fast or too early, then the permission table.

use crate::ids::{Millis, ParticipantId};
use crate::meeting::Meeting;
use crate::meeting::answers::Seen;
use crate::meeting::effect::RecordingCommand;
use crate::permission::{Action, permits};
use crate::protocol::{Command, OutReason, Outcome, RefusalCode};
use crate::role::Role;

/// Who asks for something, when, and as what.
#[derive(Debug, Clone, Copy)]
pub(super) struct By {
    pub(super) now: Millis,
    pub(super) me: ParticipantId,
    pub(super) role: Role,
}

/// What a command comes to.
pub(super) type Answer = Result<Outcome, RefusalCode>;

impl Meeting {
    /// Carries out a command and answers it, both by effects. Of somebody who has no seat or no
    /// connection it is ignored: nobody is there to hear the answer.
    ///
    /// [`Command::Offer`], [`Command::Candidate`], [`Command::Watch`] and [`Command::TellLimit`] are the caller's, who asks
    /// [`Self::media_allowed`] first; here they are refused as `internal`.
    pub fn handle_command(&mut self, now: Millis, participant: ParticipantId, id: u64, command: Command) {
        self.begin(now);
        self.expire(now);
        self.answer(now, participant, id, command);
        self.finish();
    }

    /// Counts a command that the caller carries out himself against the rate of the seat; where this is
    /// false, refuse it as `too-many`.
    pub fn count_command(&mut self, now: Millis, participant: ParticipantId) -> bool {
        let rate = self.state.settings.limits.commands;
        self.state.seats.get_mut(&participant).is_some_and(|seat| seat.command_rate.take(now, rate))
    }

    fn answer(&mut self, now: Millis, me: ParticipantId, id: u64, command: Command) {
        let limits = self.state.settings.limits;
        let Some(seat) = self.state.seats.get_mut(&me).filter(|seat| seat.connected()) else { return };
        match seat.answers.seen(id) {
            Seen::Answered(answer) => return self.reply(me, id, answer),
            Seen::Forgotten => return self.reply(me, id, Err(RefusalCode::OutOfOrder.into())),
            Seen::Never => {}
        }
        // Nobody is kept from falling silent or leaving.
        let always = matches!(command, Command::SetSource { on: false, .. } | Command::Leave);
        if !always && !seat.command_rate.take(now, limits.commands) {
            return self.reply(me, id, Err(RefusalCode::TooMany.into()));
        }
        let (role, inside) = (seat.role, seat.inside().is_some());
        let result = match command {
            Command::Leave => return self.put_out(me, OutReason::Left, Some(id)),
            _ if !inside => Err(RefusalCode::NotAdmitted),
            Command::End if permits(role, Action::End) => return self.end_for_all(now, Some((me, id))),
            command => self.carry_out(By { now, me, role }, command),
        };
        let result = result.map_err(Into::into);
        if let Some(seat) = self.state.seats.get_mut(&me) {
            seat.answers.remember(id, &result, limits.command_memory);
        }
        self.reply(me, id, result);
    }

    /// Each of these checks first and changes then: what is refused changed nothing.
    fn carry_out(&mut self, by: By, command: Command) -> Answer {
        match command {
            Command::SetSource { source, on } => self.set_source(by, source, on),
            Command::SetHand { raised } => self.set_hand(by, raised),
            Command::SendChat { to, text } => self.send_chat(by, to, &text),
            Command::Rename { participant, name } => self.rename(by, participant, &name),
            Command::Admit { participant } => self.admit(by, participant),
            Command::AdmitAll => self.admit_all(by),
            Command::Deny { participant } => self.deny(by, participant),
            Command::Mute { participant, source } => self.mute(by, participant, source),
            Command::MuteAll { may_unmute } => self.mute_all(by, may_unmute),
            Command::AskToUnmute { participant, source } => self.ask_to_unmute(by, participant, source),
            Command::LowerHand { participant } => self.lower_hand(by, participant),
            Command::SetRole { participant, role: given } => self.set_role(by, participant, given),
            Command::Remove { participant, ban } => self.remove(by, participant, ban),
            Command::SendToWaitingRoom { participant } => self.send_to_waiting_room(by, participant),
            Command::SetSpotlight { participant, on } => self.set_spotlight(by, participant, on),
            Command::SetPolicy { policy } => self.set_policy(by, policy),
            Command::SuspendAll => self.suspend_all(by),
            Command::StartRecording => self.handle_record(by, RecordingCommand::Start),
            Command::PauseRecording => self.handle_record(by, RecordingCommand::Pause),
            Command::ResumeRecording => self.handle_record(by, RecordingCommand::Resume),
            Command::StopRecording => self.handle_record(by, RecordingCommand::Stop),
            Command::Mark { text } => self.mark(by, &text),
            Command::ReadLog => {
                need(by.role, Action::ReadLog)?;
                Ok(Outcome::Log { entries: self.state.log.iter().cloned().collect() })
            }
            Command::End | Command::Leave => Err(RefusalCode::NotPermitted),
            Command::Offer { .. } | Command::Candidate { .. } | Command::Watch { .. } | Command::TellLimit { .. } => {
                Err(RefusalCode::Internal)
            }
        }
    }
}

/// Whether the role permits it.
pub(super) const fn need(role: Role, action: Action) -> Result<(), RefusalCode> {
    if permits(role, action) { Ok(()) } else { Err(RefusalCode::NotPermitted) }
}
