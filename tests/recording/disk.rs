//! A disk that becomes full: people are told, the call goes on, and so does the recording when there is room again.

use crate::call::Call;
use crate::files::{play, tracks};
use crate::program::Program;
use serde_json::json;
use signaling::protocol::{Event, RecordingState, RecordingTrouble};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Until people are told (acceptance R2).
const TOLD_WITHIN: Duration = Duration::from_secs(5);

fn stands(call: &mut Call) -> Option<(RecordingState, Option<RecordingTrouble>)> {
    let events = call.people[0].seat.events();
    let mut changes = events.into_iter().filter_map(|event| match event {
        Event::RecordingChanged { recording, .. } => recording.map(|recording| (recording.state, recording.trouble)),
        _ => None,
    });
    changes.next_back()
}

// acceptance: R2
#[test]
fn a_full_disk_stops_the_recording_and_nothing_else_until_there_is_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let (settings, data, disk) = (folder.path().join("s.toml"), folder.path().join("data"), folder.path().join("disk"));
    std::fs::create_dir(&disk).expect("made");
    let text = format!(
        "[media]\nadvertise = [\"127.0.0.1\"]\n[recordings]\nfolder = \"{}/recordings\"\nreserve_bytes = 500000\n",
        disk.display()
    );
    std::fs::write(&settings, text).expect("written");
    // A disk of its own that only the server sees.
    let mount = format!("mount -t tmpfs -o size=8m tmpfs {} && exec \"$@\"", disk.display());
    let before = ["unshare", "-rm", "sh", "-c", &mount, "sh"];
    let may = Command::new("unshare").args(["-rm", "sh", "-c", &mount, "sh", "true"]).output();
    if !may.is_ok_and(|may| may.status.success()) {
        eprintln!("no file systems can be made here: tests of the package recordings judge full disks alone");
        return;
    }
    let program = Program::start(&before, &settings, &data);
    let seen = Path::new("/proc")
        .join(program.child.id().to_string())
        .join("root")
        .join(disk.strip_prefix("/").expect("absolute"));
    let mut call = Call::begin(&program, 2, &json!({}));
    let started = program.post(&format!("/api/v1/meetings/{}/recordings", call.meeting), &json!({}));
    let id = started["id"].as_str().expect("an id").to_owned();
    call.run_for(Duration::from_secs(3));
    assert_eq!(stands(&mut call), Some((RecordingState::Recording, None)));

    std::fs::write(seen.join("filler"), vec![1; 16 << 20]).expect_err("it is full");
    let told = call.run_until(TOLD_WITHIN, |call| {
        stands(call) == Some((RecordingState::Suspended, Some(RecordingTrouble::DiskFull)))
    });
    let came: Vec<_> = call.people.iter().map(|person| person.packets).collect();
    call.run_for(Duration::from_secs(3));
    for (person, before) in call.people.iter().zip(came) {
        // 50 sounds and 30 pictures of the other in each second.
        assert!(person.packets - before > 200, "the call goes on: {} packets", person.packets - before);
    }
    std::fs::remove_file(seen.join("filler")).expect("it was there");
    let again = call.run_until(TOLD_WITHIN, |call| stands(call) == Some((RecordingState::Recording, None)));
    eprintln!("R2: told after {told:?}, goes on {again:?} after there was room");
    call.run_for(Duration::from_secs(2));
    program.post(&format!("/api/v1/recordings/{id}/stop"), &json!({}));
    let mut shown = json!(null);
    call.run_until(Duration::from_secs(10), |_| {
        shown = program.get(&format!("/api/v1/recordings/{id}"));
        shown["state"] == "finished"
    });
    assert_eq!((&shown["ended"], &shown["gaps"][0]["why"]), (&json!("stopped"), &json!("disk-full")), "{shown}");
    let gap = &shown["gaps"][0];
    let until = gap["to_ms"].as_u64().expect("a number");
    let all = tracks(&shown, &seen.join("recordings"));
    assert_eq!(all.len(), 4, "{shown}");
    for (track, file, codec) in all {
        assert!(play(&file, codec) > 100, "{track}");
        let end = track["start_ms"].as_u64().expect("a number") + track["duration_ms"].as_u64().expect("a number");
        assert!(end > until + 1_000, "it went on: {track} after {gap}");
    }
}
