//! A process that records is killed at a moment of chance; what it left is completed and plays.

use crate::media::{SMALL, Source};
use crate::players::play;
use recordings::recovery::recover_all;
use recordings::{Codec, Output, Recorder, Settings, TrackInfo, Writer};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const FOLDER: &str = "SYMPOSIA_TEST_RECORDINGS";
const TRACKS: [Codec; 6] = [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1, Codec::Opus, Codec::Opus];

#[expect(clippy::disallowed_methods, reason = "a real process in real time")]
fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64
}

// acceptance: R1
#[test]
fn killed_at_ten_moments_it_loses_no_more_than_a_second_and_every_file_plays() {
    for round in 0..10_u64 {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("recordings");
        let mut child = Command::new(std::env::current_exe().expect("a path"))
            .args(["--exact", "crash::recorded_until_killed", "--ignored", "--nocapture"])
            .env(FOLDER, &folder)
            .stdout(Stdio::null())
            .spawn()
            .expect("a process");
        // When it began is in the manifest; how long it runs after that differs by a tenth of a tick from round to round.
        let manifest = folder.join("recording-1/manifest.jsonl");
        let patience = unix_ms() + 60_000;
        while std::fs::metadata(&manifest).map_or(0, |found| found.len()) == 0 {
            assert!(unix_ms() < patience, "it never began");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(1_100 + round * 143));
        child.kill().expect("killed");
        let killed = unix_ms();
        child.wait().expect("ended");
        let found = recover_all(&folder).expect("recordings");
        let [found] = found.as_slice() else { panic!("{found:?}") };
        let recovered = found.manifest.as_ref().expect("a manifest");
        assert!(found.completed && recovered.files.len() == TRACKS.len(), "{recovered:?}");
        for file in &recovered.files {
            let closed = recovered.closed(file.file).expect("closed");
            let lost = (killed - recovered.started_at).saturating_sub(closed.end_ms);
            eprintln!("round {round}: {} lost {lost} ms of {}", file.name, killed - recovered.started_at);
            assert!(lost <= 1_000, "{} lost {lost} ms", file.name);
            if let Some((frames, _)) = play(&found.folder.join(&file.name)) {
                assert_eq!(frames, closed.frames, "{}", file.name);
            }
        }
    }
}

#[test]
#[ignore = "runs until it is killed; the test above starts it"]
#[expect(clippy::disallowed_methods, reason = "a real process in real time")]
fn recorded_until_killed() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("started by the test above")).join("recording-1");
    let (sender, answers) = channel();
    let writer =
        Writer::start(&folder, |made| made.expect("a folder"), move |written| sender.send(written).expect("a test"))
            .expect("a folder");
    let began = Instant::now();
    let mut recorder = Recorder::new(began, "recording-1", "Killed", unix_ms(), Settings::default());
    let mut fed: Vec<(u32, Source, u64)> = Vec::new();
    for codec in TRACKS {
        let info = TrackInfo { participant: 1, name: "Ada".to_owned(), source: "camera".to_owned() };
        fed.push((recorder.add_track(began, info), Source::new(codec, SMALL), 0));
    }
    // It ends by itself where nobody kills it.
    while began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
        let now = Instant::now();
        for (track, source, next) in &mut fed {
            while *next * source.step() <= recorder.ticks(now, source.codec) {
                recorder.handle_frame(now, *track, source.frame(*next, 0));
                *next += 1;
            }
        }
        if recorder.poll_timeout().is_some_and(|at| at <= now) {
            recorder.handle_timeout(now);
        }
        while let Some(output) = recorder.poll_output() {
            if let Output::Write(batch) = output {
                writer.write(batch);
            }
        }
        for written in answers.try_iter() {
            recorder.handle_written(now, written);
        }
    }
}
