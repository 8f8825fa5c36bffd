//! Recordings as people see them: who may, what everybody is told, what a restart and the end leave.

use crate::world::*;
use signaling::meeting::{Entry, MeetingSettings, RecordingCommand, RecordingNews};
use signaling::protocol::*;
use signaling::role::Role;

fn state(world: &World) -> Option<RecordingState> {
    world.meeting.recording().map(|recording| recording.state)
}

#[test]
fn everybody_is_told_and_the_time_that_is_kept_is_counted() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    let waiting = world.knock("Cai", Entry::Number, None).unwrap();
    world.done(host, Command::StartRecording);
    assert!(world.clients[&waiting].recorded);
    world.pass(10_000);
    world.done(host, Command::PauseRecording);
    world.pass(5_000);
    world.news(RecordingNews::Trouble(Some(RecordingTrouble::Slow)));
    assert_eq!(state(&world), Some(RecordingState::Paused), "nothing is kept anyway");
    world.done(host, Command::ResumeRecording);
    assert_eq!(state(&world), Some(RecordingState::Suspended));
    world.pass(5_000);
    world.news(RecordingNews::Trouble(None));
    let late = world.by_link("Late");
    world.pass(1_000);
    let recording = world.clients[&late].recording.clone().expect("who comes later sees it, too");
    assert_eq!((recording.recorded_ms, recording.since), (10_000, signaling::ids::Millis(world.now.0 - 1_000)));
    world.done(host, Command::Mark { text: "  Question   one ".into() });
    assert_eq!(world.marks, ["Question one"]);
    world.done(host, Command::StopRecording);
    let heard = world.told(ana);
    let Some(Event::RecordingChanged { recording: None, by, ended: Some(ended) }) = heard.last() else {
        panic!("{heard:?}")
    };
    assert_eq!((*by, ended.why), (Some(host), RecordingEndReason::Stopped));
    assert!(!world.clients[&waiting].recorded);
    let actions: Vec<_> = world.meeting.log().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["start-recording", "pause-recording", "resume-recording", "mark", "stop-recording"]);
}

#[test]
fn what_cannot_be_done_is_refused_with_the_reason() {
    let mut world = World::with(OPEN);
    assert_eq!(world.record(RecordingCommand::Start), Err(RefusalCode::NobodyThere));
    let host = world.host("Hanna");
    let ana = world.by_link("Ana");
    for command in [Command::PauseRecording, Command::StopRecording, Command::Mark { text: "x".into() }] {
        assert_eq!(world.ask(host, command), Err(RefusalCode::NotRecording));
    }
    assert_eq!(world.ask(ana, Command::StartRecording), Err(RefusalCode::NotPermitted));
    world.done(host, give(ana, Role::CoHost));
    world.done(ana, Command::StartRecording);
    assert_eq!(world.ask(host, Command::StartRecording), Err(RefusalCode::AlreadyRecording));
    assert_eq!(world.record(RecordingCommand::Start), Err(RefusalCode::AlreadyRecording));
    for text in [String::new(), " \u{200B}".into(), "x".repeat(81)] {
        assert_eq!(world.ask(host, Command::Mark { text }), Err(RefusalCode::BadText));
    }
    world.done(host, Command::PauseRecording);
    world.done(host, Command::PauseRecording);
    assert_eq!(world.record(RecordingCommand::Resume), Ok(()));
}

#[test]
fn it_ends_with_the_last_person_and_with_the_meeting() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    world.done(host, Command::StartRecording);
    world.disconnect(host);
    world.pass(119_000);
    assert!(world.recorded.is_some(), "the seat is kept");
    world.pass(1_000);
    assert_eq!(world.recorded, None);
    let host = world.host("Hanna");
    assert_eq!(world.recorded, None, "nobody asked for another one");
    world.done(host, Command::StartRecording);
    world.told(host);
    world.done(host, Command::End);
    let told = world.told(host);
    assert!(
        told.iter().any(|event| matches!(event, Event::RecordingChanged { ended: Some(ended), .. }
            if ended.why == RecordingEndReason::MeetingEnded)),
        "{told:?}"
    );
}

#[test]
fn a_meeting_may_record_by_itself_as_soon_as_somebody_is_in() {
    let mut world = World::new(MeetingSettings { auto_record: true, ..settings() });
    world.knock("Cai", Entry::Number, None).unwrap();
    assert_eq!(world.recorded, None, "who waits is not in");
    let host = world.host("Hanna");
    assert_eq!(state(&world), Some(RecordingState::Recording));
    world.done(host, Command::StopRecording);
    world.by_link("Ana");
    assert_eq!(world.recorded, None, "a host stopped it");
}

#[test]
fn after_a_restart_a_new_one_begins_with_the_first_who_is_back_unless_it_was_paused() {
    let mut world = World::with(OPEN);
    let host = world.host("Hanna");
    world.done(host, Command::StartRecording);
    let first = world.meeting.recording().expect("a recording").id;
    world.restart();
    assert_eq!(world.recorded, None);
    world.resume(host).unwrap();
    let second = world.meeting.recording().expect("it goes on").id;
    assert_ne!(first, second, "of the same millisecond");
    world.done(host, Command::PauseRecording);
    world.restart();
    world.resume(host).unwrap();
    assert_eq!(world.recorded, None);
}

#[test]
fn one_that_failed_is_not_begun_again_by_itself() {
    let mut world = World::new(MeetingSettings { auto_record: true, ..settings() });
    world.host("Hanna");
    let id = world.meeting.recording().expect("a recording").id;
    world.news(RecordingNews::Ended(RecordingEndReason::Failed));
    world.by_link("Ana");
    assert_eq!(world.meeting.recording(), None);
    world.meeting.handle_recording_news(world.now, &id, RecordingNews::Trouble(Some(RecordingTrouble::Slow)));
    world.carry_out();
    assert_eq!(world.effects, [], "late news of one that is over");
}
