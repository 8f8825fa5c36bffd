//! `kill -9` in the middle of a recording: what is there plays, and little is missing.

use crate::call::Call;
use crate::files::{play, tracks};
use crate::program::Program;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;
use std::time::Duration;
use symposia::clock;

/// Beyond the second that a crash may cost: what this test itself needs from a frame's capture to the kill on a busy machine.
const SLACK_MS: u64 = 100;

// acceptance: R1
#[test]
fn a_server_that_is_killed_loses_a_second_at_most_and_every_file_plays() {
    let folder = tempfile::tempdir().expect("a folder");
    let (settings, data) = (folder.path().join("s.toml"), folder.path().join("data"));
    std::fs::write(&settings, "[media]\nadvertise = [\"127.0.0.1\"]\n").expect("written");
    let mut random = StdRng::seed_from_u64(9);
    let mut worst = (0, 0);
    for round in 0..10 {
        let program = Program::start(&[], &settings, &data);
        let mut call = Call::begin(&program, 3, &json!({ "title": "Killed" }));
        let started = program.post(&format!("/api/v1/meetings/{}/recordings", call.meeting), &json!({}));
        let id = started["id"].as_str().expect("an id").to_owned();
        call.run_for(Duration::from_millis(random.random_range(1_300..3_500)));
        program.kill();
        let killed_at = clock::unix().0;
        drop(call);

        let began = clock::now();
        let program = Program::start(&[], &settings, &data);
        let shown = loop {
            let shown = program.get(&format!("/api/v1/recordings/{id}"));
            if shown["state"] == "finished" {
                break shown;
            }
            assert!(clock::now() - began < Duration::from_secs(10), "not listed: {shown}");
            std::thread::sleep(Duration::from_millis(50));
        };
        let listed = u64::try_from((clock::now() - began).as_millis()).expect("short");
        let list = program.get("/api/v1/recordings");
        assert_eq!(list["recordings"][0]["id"], json!(id), "{list}");
        assert_eq!(shown["ended"], json!("recovered"), "{shown}");
        let lived = killed_at - started["started_at"].as_u64().expect("a time");
        let all = tracks(&shown, &data.join("recordings"));
        assert_eq!(all.len(), 6, "round {round}: {shown}");
        for (track, file, codec) in all {
            assert!(play(&file, codec) > 10, "{track}");
            let number = |field: &str| track[field].as_u64().expect("a number");
            let lost = lived.saturating_sub(number("start_ms") + number("duration_ms"));
            assert!(lost <= 1_000 + SLACK_MS, "round {round}: {lost} ms of {lived} are missing: {track}");
            worst = (worst.0.max(lost), worst.1.max(listed));
        }
    }
    eprintln!("R1: at most {} ms lost, listed after at most {} ms", worst.0, worst.1);
}
