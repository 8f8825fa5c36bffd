//! The fixtures that Rust and TypeScript tests share: one JSON file per message and variant. Each must
//! parse and give the identical JSON again, and no variant may lack one.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use signaling::ids::Source;
use signaling::permission::{Action, permits, permits_on};
use signaling::protocol::*;
use signaling::role::Role;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// All messages of a folder by file name, each checked to come back as the identical JSON value.
fn messages<M: Serialize + DeserializeOwned>(side: &str) -> BTreeMap<String, M> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder().join(side)).expect("the fixtures are there") {
        let path = entry.expect("a readable folder").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let message: M = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{side}/{name}: {error}"));
        let given: Value = serde_json::from_str(&text).expect("JSON");
        let again = serde_json::to_value(&message).expect("serializes");
        assert_eq!(given, again, "{side}/{name} does not round-trip");
        all.insert(name, message);
    }
    all
}

/// A function that names a value's variant and the list of all names: a new variant does not compile
/// before it is listed here, and once listed it needs a fixture.
macro_rules! variants {
    ($function:ident, $list:ident, $kind:ty, $($pattern:pat => $name:literal,)*) => {
        const $list: &[&str] = &[$($name,)*];
        fn $function(value: &$kind) -> &'static str {
            match value { $($pattern => $name,)* }
        }
    };
}

variants!(client_name, CLIENT, ClientMessage,
    ClientMessage::Hello { .. } => "hello",
    ClientMessage::Command { .. } => "command",
    ClientMessage::Ping { .. } => "ping",
);
variants!(join_name, JOINS, Join,
    Join::Link { .. } => "link",
    Join::Number { .. } => "number",
    Join::Host { .. } => "host",
    Join::Resume { .. } => "resume",
);
variants!(command_name, COMMANDS, Command,
    Command::SetSource { .. } => "set-source",
    Command::SetHand { .. } => "set-hand",
    Command::Leave => "leave",
    Command::SendChat { .. } => "send-chat",
    Command::Offer { .. } => "offer",
    Command::Candidate { .. } => "candidate",
    Command::Watch { .. } => "watch",
    Command::TellLimit { .. } => "tell-limit",
    Command::Admit { .. } => "admit",
    Command::AdmitAll => "admit-all",
    Command::Deny { .. } => "deny",
    Command::Mute { .. } => "mute",
    Command::MuteAll { .. } => "mute-all",
    Command::AskToUnmute { .. } => "ask-to-unmute",
    Command::LowerHand { .. } => "lower-hand",
    Command::Rename { .. } => "rename",
    Command::SetRole { .. } => "set-role",
    Command::Remove { .. } => "remove",
    Command::SendToWaitingRoom { .. } => "send-to-waiting-room",
    Command::SetSpotlight { .. } => "set-spotlight",
    Command::SetPolicy { .. } => "set-policy",
    Command::SuspendAll => "suspend-all",
    Command::StartRecording => "start-recording",
    Command::PauseRecording => "pause-recording",
    Command::ResumeRecording => "resume-recording",
    Command::StopRecording => "stop-recording",
    Command::Mark { .. } => "mark",
    Command::ReadLog => "read-log",
    Command::End => "end",
);
variants!(audience_name, AUDIENCES, Audience,
    Audience::Everyone => "everyone",
    Audience::Hosts => "hosts",
    Audience::One { .. } => "one",
);
variants!(role_name, ROLES, Role,
    Role::Listener => "listener",
    Role::Attendee => "attendee",
    Role::CoHost => "co-host",
    Role::Host => "host",
);
variants!(source_name, SOURCES, Source,
    Source::Microphone => "microphone",
    Source::Camera => "camera",
    Source::Screen => "screen",
    Source::ScreenAudio => "screen-audio",
);
variants!(server_name, SERVER, ServerMessage,
    ServerMessage::Reply { .. } => "reply",
    ServerMessage::Refused { .. } => "refused",
    ServerMessage::Event { .. } => "event",
    ServerMessage::Media { .. } => "media",
    ServerMessage::Pong { .. } => "pong",
);
variants!(outcome_name, OUTCOMES, Outcome,
    Outcome::Done => "done",
    Outcome::Answer { .. } => "answer",
    Outcome::Admitted { .. } => "admitted",
    Outcome::Log { .. } => "log",
);
variants!(event_name, EVENTS, Event,
    Event::Waiting { .. } => "waiting",
    Event::Welcome { .. } => "welcome",
    Event::Joined { .. } => "joined",
    Event::Updated { .. } => "updated",
    Event::TurnedOff { .. } => "turned-off",
    Event::Left { .. } => "left",
    Event::Knocked { .. } => "knocked",
    Event::KnockEnded { .. } => "knock-ended",
    Event::PolicyChanged { .. } => "policy-changed",
    Event::RecordingChanged { .. } => "recording-changed",
    Event::Chat { .. } => "chat",
    Event::Muted { .. } => "muted",
    Event::AskedToUnmute { .. } => "asked-to-unmute",
    Event::Out { .. } => "out",
);
variants!(recording_name, RECORDINGS, RecordingState,
    RecordingState::Recording => "recording",
    RecordingState::Paused => "paused",
    RecordingState::Suspended => "suspended",
);
variants!(trouble_name, TROUBLES, RecordingTrouble,
    RecordingTrouble::DiskFull => "disk-full",
    RecordingTrouble::ReadOnly => "read-only",
    RecordingTrouble::Slow => "slow",
    RecordingTrouble::Failed => "failed",
);
variants!(recording_end_name, RECORDING_ENDS, RecordingEndReason,
    RecordingEndReason::Stopped => "stopped",
    RecordingEndReason::Quota => "quota",
    RecordingEndReason::Failed => "failed",
    RecordingEndReason::MeetingEnded => "meeting-ended",
);
variants!(out_name, OUTS, OutReason,
    OutReason::Left => "left",
    OutReason::Denied => "denied",
    OutReason::Removed => "removed",
    OutReason::Banned => "banned",
    OutReason::Ended => "ended",
    OutReason::Replaced => "replaced",
    OutReason::ServerStopping => "server-stopping",
);
variants!(media_name, MEDIA, MediaEvent,
    MediaEvent::Slots { .. } => "slots",
    MediaEvent::Speakers { .. } => "speakers",
    MediaEvent::Quality { .. } => "quality",
    MediaEvent::Session { .. } => "session",
    MediaEvent::Wanted { .. } => "wanted",
);
variants!(pause_name, PAUSES, PauseReason,
    PauseReason::Bandwidth => "bandwidth",
    PauseReason::Overload => "overload",
    PauseReason::NoPackets => "no-packets",
    PauseReason::Codec => "codec",
);
variants!(quality_name, QUALITIES, Quality,
    Quality::Good => "good",
    Quality::Fair => "fair",
    Quality::Poor => "poor",
    Quality::Lost => "lost",
);
variants!(cause_name, CAUSES, Cause,
    Cause::Loss { .. } => "loss",
    Cause::Delay { .. } => "delay",
    Cause::Thin { .. } => "thin",
    Cause::Processor => "processor",
);
variants!(limit_name, LIMITS, SendLimit,
    SendLimit::Bandwidth { .. } => "bandwidth",
    SendLimit::Processor => "processor",
);
variants!(session_name, SESSIONS, SessionState,
    SessionState::Connecting => "connecting",
    SessionState::Connected => "connected",
    SessionState::Disconnected => "disconnected",
    SessionState::Failed => "failed",
);

fn all_covered(what: &str, seen: &BTreeSet<&'static str>, all: &[&'static str]) {
    let missing: Vec<_> = all.iter().filter(|name| !seen.contains(*name)).collect();
    assert!(missing.is_empty(), "no fixture for {what}: {missing:?}");
}

#[test]
fn every_client_message_round_trips_and_none_lacks_a_fixture() {
    let messages = messages::<ClientMessage>("client");
    let mut seen = BTreeSet::new();
    let (mut joins, mut commands) = (BTreeSet::new(), BTreeSet::new());
    let (mut audiences, mut roles, mut sources) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut limits = BTreeSet::new();
    for (file, message) in &messages {
        let mut expected = client_name(message).to_owned();
        seen.insert(client_name(message));
        match message {
            ClientMessage::Hello { version, join, .. } => {
                assert_eq!(*version, VERSION);
                joins.insert(join_name(join));
                expected = format!("{expected}-{}", join_name(join));
            }
            ClientMessage::Command { command, .. } => {
                commands.insert(command_name(command));
                expected = format!("{expected}-{}", command_name(command));
                match command {
                    Command::SendChat { to, .. } => _ = audiences.insert(audience_name(to)),
                    Command::SetRole { role, .. } => _ = roles.insert(role_name(role)),
                    Command::SetSource { source, .. } | Command::AskToUnmute { source, .. } => {
                        sources.insert(source_name(source));
                    }
                    Command::Watch { videos } => {
                        sources.extend(videos.iter().map(|wish| source_name(&wish.track.source)))
                    }
                    Command::TellLimit { limit } => limits.extend(limit.as_ref().map(limit_name)),
                    _ => {}
                }
            }
            ClientMessage::Ping { .. } => {}
        }
        assert!(file.starts_with(&expected), "{file} holds a {expected}");
    }
    all_covered("client message", &seen, CLIENT);
    all_covered("join", &joins, JOINS);
    all_covered("command", &commands, COMMANDS);
    all_covered("audience", &audiences, AUDIENCES);
    all_covered("role", &roles, ROLES);
    all_covered("source", &sources, SOURCES);
    all_covered("limit", &limits, LIMITS);
}

#[test]
fn every_server_message_round_trips_and_none_lacks_a_fixture() {
    let messages = messages::<ServerMessage>("server");
    let mut seen = BTreeSet::new();
    let (mut outcomes, mut events, mut outs) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let (mut media_events, mut pauses) = (BTreeSet::new(), BTreeSet::new());
    let (mut qualities, mut sessions) = (BTreeSet::new(), BTreeSet::new());
    let mut causes = BTreeSet::new();
    let (mut recordings, mut troubles, mut recording_ends) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (file, message) in &messages {
        let mut expected = server_name(message).to_owned();
        seen.insert(server_name(message));
        match message {
            ServerMessage::Reply { result, .. } => {
                outcomes.insert(outcome_name(result));
                expected = format!("{expected}-{}", outcome_name(result));
            }
            ServerMessage::Refused { code, message, .. } => assert_eq!(message, code.sentence(), "{file}"),
            ServerMessage::Event { event, .. } => {
                events.insert(event_name(event));
                expected = format!("{expected}-{}", event_name(event));
                match event {
                    Event::Out { reason } => {
                        outs.insert(out_name(reason));
                        expected = format!("{expected}-{}", out_name(reason));
                    }
                    Event::RecordingChanged { recording, ended, .. } => {
                        recordings.extend(recording.iter().map(|recording| recording_name(&recording.state)));
                        let trouble = recording.as_ref().and_then(|recording| recording.trouble.as_ref());
                        troubles.extend(trouble.map(trouble_name));
                        recording_ends.extend(ended.iter().map(|ended| recording_end_name(&ended.why)));
                    }
                    _ => {}
                }
            }
            ServerMessage::Media { media } => {
                media_events.insert(media_name(media));
                expected = format!("{expected}-{}", media_name(media));
                match media {
                    MediaEvent::Slots { slots } => {
                        pauses.extend(slots.iter().filter_map(|slot| slot.paused.as_ref()).map(pause_name))
                    }
                    MediaEvent::Quality { connections, .. } => {
                        let conditions = connections.iter().map(|connection| connection.condition);
                        qualities.extend(conditions.clone().map(|condition| quality_name(&condition.quality)));
                        causes.extend(conditions.filter_map(|condition| condition.cause.as_ref().map(cause_name)));
                    }
                    MediaEvent::Session { state } => _ = sessions.insert(session_name(state)),
                    MediaEvent::Speakers { .. } | MediaEvent::Wanted { .. } => {}
                }
            }
            ServerMessage::Pong { .. } => {}
        }
        assert!(file.starts_with(&expected), "{file} holds a {expected}");
    }
    all_covered("server message", &seen, SERVER);
    all_covered("outcome", &outcomes, OUTCOMES);
    all_covered("event", &events, EVENTS);
    all_covered("reason to be out", &outs, OUTS);
    all_covered("media event", &media_events, MEDIA);
    all_covered("reason to pause", &pauses, PAUSES);
    all_covered("quality", &qualities, QUALITIES);
    all_covered("cause", &causes, CAUSES);
    all_covered("session state", &sessions, SESSIONS);
    all_covered("state of a recording", &recordings, RECORDINGS);
    all_covered("trouble of a recording", &troubles, TROUBLES);
    all_covered("end of a recording", &recording_ends, RECORDING_ENDS);
}

#[test]
fn every_refusal_is_in_the_shared_table() {
    let text = std::fs::read_to_string(folder().join("refusals.json")).expect("the table is there");
    let given: Value = serde_json::from_str(&text).expect("JSON");
    let expected: Vec<Value> = RefusalCode::ALL
        .iter()
        .map(|code| serde_json::json!({ "code": code, "status": code.http_status(), "sentence": code.sentence() }))
        .collect();
    assert_eq!(given, Value::Array(expected));
}

#[test]
fn unknown_fields_and_variants_of_a_client_are_refused() {
    let refused = [
        r#"{"type":"hello","version":1,"join":{"by":"host","meeting":"m"},"admin":true}"#,
        r#"{"type":"hello","version":1,"join":{"by":"host","meeting":"m","role":"host"}}"#,
        r#"{"type":"command","id":1,"command":{"do":"set-hand","raised":true,"participant":2}}"#,
        r#"{"type":"command","id":1,"command":{"do":"become-host"}}"#,
        r#"{"type":"command","id":-1,"command":{"do":"leave"}}"#,
        r#"{"type":"command","id":1,"command":{"do":"watch","videos":[{"participant":1,"source":"camera","height":90,"x":1}]}}"#,
        r#"{"type":"command","id":1,"command":{"do":"watch","videos":[{"participant":1,"source":"camera"}]}}"#,
        r#"{"type":"command","id":1,"command":{"do":"offer","sdp":"","sends":[{"mid":"0","source":"camera","x":1}]}}"#,
        r#"{"type":"event","number":1,"event":{"kind":"left","participant":1}}"#,
        r#"[]"#,
        r#"{}"#,
    ];
    for text in refused {
        assert!(serde_json::from_str::<ClientMessage>(text).is_err(), "understood: {text}");
    }
}

fn readme() -> String {
    std::fs::read_to_string(folder().join("../README.md")).expect("the README is there")
}

#[test]
fn the_readme_documents_every_word_of_the_protocol() {
    let readme = readme();
    let rows = [JOINS, COMMANDS, OUTCOMES, EVENTS, MEDIA].concat();
    for word in rows {
        assert!(readme.contains(&format!("\n| `{word}` |")), "the README has no row of `{word}`");
    }
    for word in [ROLES, SOURCES, OUTS, PAUSES, QUALITIES, SESSIONS, RECORDINGS, TROUBLES, RECORDING_ENDS].concat() {
        assert!(readme.contains(&format!("`{word}`")), "the README does not say `{word}`");
    }
    for code in RefusalCode::ALL {
        let word = serde_json::to_value(code).expect("serializes");
        let row = format!("\n| `{}` | {} | {} |", word.as_str().unwrap(), code.http_status(), code.sentence());
        assert!(readme.contains(&row), "the README has no row {row}");
    }
}

#[test]
fn the_readme_s_permission_table_is_the_table() {
    let readme = readme();
    let roles = [Role::Listener, Role::Attendee, Role::CoHost, Role::Host];
    for action in Action::ALL {
        let cells = roles.map(|role| if permits(role, action) { "yes" } else { "–" }).join(" | ");
        let reach = roles.iter().rev().find(|on| permits_on(Role::CoHost, action, **on)).map_or("–", role_name);
        let row = format!("\n| {action:?} | {cells} | {reach} | ");
        assert!(readme.contains(&row), "the README has no row {row}");
    }
}

/// All JSON objects in the README's code are messages of this protocol.
#[test]
fn the_readme_s_examples_are_messages() {
    let readme = readme();
    let mut found = 0;
    let blocks = readme.split("```json").skip(1).filter_map(|block| block.split("```").next());
    let inline = readme.split('`').filter(|code| code.starts_with("{\"type\""));
    for line in blocks.flat_map(str::lines).chain(inline).filter(|line| line.starts_with('{')) {
        let client = serde_json::from_str::<ClientMessage>(line).is_ok();
        assert!(client || serde_json::from_str::<ServerMessage>(line).is_ok(), "no message: {line}");
        found += 1;
    }
    assert!(found > 10, "only {found} examples were looked at");
}
