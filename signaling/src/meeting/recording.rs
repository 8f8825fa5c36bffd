//! Whether the meeting is recorded, and what people are told of that. Knows no files: the caller carries recordings
//! out, and says what becomes of them.

use crate::ids::{Millis, ParticipantId};
use crate::meeting::Meeting;
use crate::meeting::command::{Answer, By, need};
use crate::meeting::effect::{Effect, RecordingCommand, RecordingNews};
use crate::meeting::text::{MARK_MAX, clean_line};
use crate::permission::Action;
use crate::protocol::{
    Event, LogDetail, Outcome, Recording, RecordingEnd, RecordingEndReason, RecordingState, RecordingTrouble,
    RefusalCode,
};

/// A recording under way. It does not survive a restart: what the server was writing then is complete by itself, and a
/// new one begins when somebody is back.
#[derive(Debug, Clone)]
pub(super) struct Running {
    id: String,
    paused: bool,
    trouble: Option<RecordingTrouble>,
    since: Millis,
    recorded_ms: u64,
}

impl Running {
    const fn state(&self) -> RecordingState {
        match (self.paused, self.trouble) {
            (true, _) => RecordingState::Paused,
            (false, Some(_)) => RecordingState::Suspended,
            (false, None) => RecordingState::Recording,
        }
    }

    /// Changes something, keeping account of the time.
    fn change(&mut self, now: Millis, change: impl FnOnce(&mut Self)) {
        let before = self.state();
        change(self);
        if self.state() != before {
            let passed = now.0.saturating_sub(self.since.0);
            self.recorded_ms += if before == RecordingState::Recording { passed } else { 0 };
            self.since = now;
        }
    }

    fn shown(&self) -> Recording {
        let Self { id, trouble, since, recorded_ms, .. } = self.clone();
        Recording { id, state: self.state(), trouble, since, recorded_ms }
    }

    #[cfg(debug_assertions)]
    pub(super) fn known(&self) -> (String, bool) {
        (self.id.clone(), self.paused)
    }
}

impl Meeting {
    /// The recording under way.
    #[must_use]
    pub fn recording(&self) -> Option<Recording> {
        self.recording.as_ref().map(Running::shown)
    }

    /// Whether one runs, or begins by itself as soon as somebody is in.
    #[must_use]
    pub const fn is_to_be_recorded(&self) -> bool {
        self.recording.is_some() || self.state.records
    }

    /// Starts, pauses, resumes or stops a recording by somebody who asks by other ways than a command and may.
    ///
    /// # Errors
    /// `MeetingEnded`, `AlreadyRecording`, `NotRecording`, or `NobodyThere` where there is nothing to record.
    pub fn handle_recording(&mut self, now: Millis, what: RecordingCommand) -> Result<(), RefusalCode> {
        self.begin(now);
        let result = if self.state.ended { Err(RefusalCode::MeetingEnded) } else { self.record(now, None, what) };
        self.finish();
        result.map(|_| ())
    }

    /// What became of a recording, as the caller found. One that is over already is not spoken of.
    pub fn handle_recording_news(&mut self, now: Millis, id: &str, news: RecordingNews) {
        self.begin(now);
        if let Some(running) = self.recording.as_mut().filter(|running| running.id == id) {
            match news {
                RecordingNews::Trouble(trouble) if trouble != running.trouble => {
                    running.change(now, |running| running.trouble = trouble);
                    self.tell_recording(None, None);
                }
                RecordingNews::Trouble(_) => {}
                RecordingNews::Ended(why) => {
                    #[cfg(debug_assertions)]
                    self.shadow.recording_ended();
                    self.state.records = false;
                    self.over(now, None, why);
                }
            }
        }
        self.finish();
    }

    pub(super) fn handle_record(&mut self, By { now, me, role }: By, what: RecordingCommand) -> Answer {
        need(role, Action::Record)?;
        self.record(now, Some(me), what)
    }

    fn record(&mut self, now: Millis, by: Option<ParticipantId>, what: RecordingCommand) -> Answer {
        let anybody = self.is_anybody_inside();
        match (what, &mut self.recording) {
            (RecordingCommand::Start, Some(_)) => Err(RefusalCode::AlreadyRecording),
            (RecordingCommand::Start, None) if anybody => {
                self.start(now, by);
                Ok(Outcome::Done)
            }
            (RecordingCommand::Start, None) => Err(RefusalCode::NobodyThere),
            (_, None) => Err(RefusalCode::NotRecording),
            (RecordingCommand::Stop, Some(_)) => {
                self.stop_recording(now, by, RecordingEndReason::Stopped);
                self.state.records = false;
                Ok(Outcome::Done)
            }
            (RecordingCommand::Pause, Some(running)) if !running.paused => {
                running.change(now, |running| running.paused = true);
                let id = running.id.clone();
                // A restart must not record what somebody wanted left out.
                self.state.records = false;
                self.effect(Effect::PauseRecording { id });
                self.note(now, by, "pause-recording", None, None);
                self.tell_recording(by, None);
                Ok(Outcome::Done)
            }
            (RecordingCommand::Resume, Some(running)) if running.paused => {
                running.change(now, |running| running.paused = false);
                let id = running.id.clone();
                self.state.records = true;
                self.effect(Effect::ResumeRecording { id });
                self.note(now, by, "resume-recording", None, None);
                self.tell_recording(by, None);
                Ok(Outcome::Done)
            }
            (RecordingCommand::Pause | RecordingCommand::Resume, Some(_)) => Ok(Outcome::Done),
        }
    }

    pub(super) fn mark(&mut self, By { now, me, role }: By, text: &str) -> Answer {
        need(role, Action::Record)?;
        let id = self.recording.as_ref().map(|running| running.id.clone()).ok_or(RefusalCode::NotRecording)?;
        let text = clean_line(text, MARK_MAX).ok_or(RefusalCode::BadText)?;
        self.note(now, Some(me), "mark", None, Some(LogDetail::Mark { text: text.clone() }));
        self.effect(Effect::MarkRecording { id, text });
        Ok(Outcome::Done)
    }

    fn start(&mut self, now: Millis, by: Option<ParticipantId>) {
        let number = now.max(self.state.last_recording.plus(1));
        let id = format!("{}-{}", self.state.settings.id, number.0);
        (self.state.records, self.state.last_recording) = (true, number);
        self.recording = Some(Running { id: id.clone(), paused: false, trouble: None, since: now, recorded_ms: 0 });
        self.note(now, by, "start-recording", None, None);
        // Nobody is recorded who was not told.
        self.tell_recording(by, None);
        self.tell_waiting();
        self.effect(Effect::StartRecording { id });
    }

    /// Ends the recording if there is one; what is wanted after a restart stays as it is.
    pub(super) fn stop_recording(&mut self, now: Millis, by: Option<ParticipantId>, why: RecordingEndReason) {
        if let Some(running) = &self.recording {
            let id = running.id.clone();
            self.effect(Effect::StopRecording { id });
            self.over(now, by, why);
        }
    }

    fn over(&mut self, now: Millis, by: Option<ParticipantId>, why: RecordingEndReason) {
        let Some(running) = self.recording.take() else { return };
        self.note(now, by, "stop-recording", None, Some(LogDetail::Recording { why }));
        self.tell_recording(by, Some(RecordingEnd { id: running.id, why }));
        self.tell_waiting();
    }

    /// A recording that is wanted begins with the first person; one of nobody ends.
    pub(super) fn keep_recording_in_step(&mut self) {
        let now = self.now;
        if self.state.ended {
            return;
        }
        if !self.is_anybody_inside() {
            self.stop_recording(now, None, RecordingEndReason::MeetingEnded);
            let records = self.state.settings.auto_record;
            self.changed |= records != self.state.records;
            self.state.records = records;
        } else if self.state.records
            && self.recording.is_none()
            && self.state.seats.values().any(|seat| seat.inside().is_some() && seat.connected())
        {
            self.start(now, None);
        }
    }

    fn is_anybody_inside(&self) -> bool {
        self.state.seats.values().any(|seat| seat.inside().is_some())
    }

    fn tell_recording(&mut self, by: Option<ParticipantId>, ended: Option<RecordingEnd>) {
        let recording = self.recording();
        self.tell_inside(Event::RecordingChanged { recording, by, ended }, None);
    }

    /// Who waits may know that he would be recorded, and nothing else of it.
    fn tell_waiting(&mut self) {
        for waiting in self.ids(|seat| seat.inside().is_none()) {
            self.tell_everything(waiting);
        }
    }
}
