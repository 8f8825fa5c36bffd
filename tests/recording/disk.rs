//! A disk that is full, read-only, slow, or hangs: people are told, the call goes on, and so does the recording when the
//! disk does.

use crate::call::Call;
use crate::files::{play, tracks};
use crate::program::Program;
use serde_json::{Value, json};
use signaling::protocol::{Event, RecordingState, RecordingTrouble};
use std::path::{Path, PathBuf};
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

/// Waits until people are told this; how long that took.
fn told(call: &mut Call, state: RecordingState, trouble: Option<RecordingTrouble>) -> Duration {
    call.run_until(TOLD_WITHIN, |call| stands(call) == Some((state, trouble)))
}

/// People see and hear each other for three seconds as ever.
fn goes_on(call: &mut Call) {
    let came: Vec<_> = call.people.iter().map(|person| person.packets).collect();
    call.run_for(Duration::from_secs(3));
    for (person, before) in call.people.iter().zip(came) {
        // 50 sounds and 30 pictures of the other in each second.
        assert!(person.packets - before > 200, "the call goes on: {} packets", person.packets - before);
    }
}

/// Two people talk for three seconds, and are recorded.
fn recorded(program: &Program) -> (Call, String) {
    let mut call = Call::begin(program, 2, &json!({}));
    let started = program.post(&format!("/api/v1/meetings/{}/recordings", call.meeting), &json!({}));
    call.run_for(Duration::from_secs(3));
    assert_eq!(stands(&mut call), Some((RecordingState::Recording, None)));
    (call, started["id"].as_str().expect("an id").to_owned())
}

/// The recording ends; how it looks then. All its files play.
fn ends(program: &Program, call: &mut Call, id: &str, folder: &Path) -> Value {
    call.run_for(Duration::from_secs(2));
    program.post(&format!("/api/v1/recordings/{id}/stop"), &json!({}));
    let mut shown = json!(null);
    call.run_until(Duration::from_secs(10), |_| {
        shown = program.get(&format!("/api/v1/recordings/{id}"));
        shown["state"] == "finished"
    });
    assert_eq!(shown["ended"], "stopped", "{shown}");
    let all = tracks(&shown, folder);
    assert_eq!(all.len(), 4, "{shown}");
    // It went on after what was missing.
    let until = shown["gaps"].as_array().and_then(|gaps| gaps.last()?["to_ms"].as_u64()).unwrap_or(3_000);
    for (track, file, codec) in all {
        assert!(play(&file, codec) > 100, "{track}");
        let end = track["start_ms"].as_u64().expect("a number") + track["duration_ms"].as_u64().expect("a number");
        assert!(end > until + 1_000, "it went on: {track} after {until}");
    }
    shown
}

/// A server whose recordings lie on a disk of their own that only it sees.
struct OwnDisk {
    program: Program,
    /// For the server.
    disk: PathBuf,
    /// The same from here.
    seen: PathBuf,
}

impl OwnDisk {
    /// `None` where no file systems can be made.
    fn start(folder: &Path) -> Option<Self> {
        let (settings, data, disk) = (folder.join("s.toml"), folder.join("data"), folder.join("disk"));
        std::fs::create_dir(&disk).expect("made");
        let text = format!(
            "[media]\nadvertise = [\"127.0.0.1\"]\n[recordings]\nfolder = \"{}/recordings\"\nreserve_bytes = 500000\n",
            disk.display()
        );
        std::fs::write(&settings, text).expect("written");
        let mount = format!("mount -t tmpfs -o size=8m tmpfs {} && exec \"$@\"", disk.display());
        let before = ["unshare", "-rm", "sh", "-c", &mount, "sh"];
        let may = Command::new("unshare").args(["-rm", "sh", "-c", &mount, "sh", "true"]).output();
        if !may.is_ok_and(|may| may.status.success()) {
            eprintln!("no file systems can be made here: tests of the package recordings judge disks alone");
            return None;
        }
        let program = Program::start(&before, &settings, &data);
        let root = Path::new("/proc").join(program.child.id().to_string()).join("root");
        let seen = root.join(disk.strip_prefix("/").expect("absolute"));
        Some(Self { program, disk, seen })
    }

    /// As an administrator does it; while a file is being written that has to be tried again.
    fn remount(&self, how: &str) {
        for _ in 0..200 {
            let mounted = Command::new("nsenter")
                .args(["-t", &self.program.child.id().to_string(), "-U", "-m", "--preserve-credentials"])
                .args(["mount", "-o", &format!("remount,{how},size=8m")])
                .arg(&self.disk)
                .output()
                .expect("nsenter");
            if mounted.status.success() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the disk is never at rest");
    }
}

// acceptance: R2
#[test]
fn a_full_disk_stops_the_recording_and_nothing_else_until_there_is_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(OwnDisk { program, seen, .. }) = OwnDisk::start(folder.path()) else { return };
    let (mut call, id) = recorded(&program);
    std::fs::write(seen.join("filler"), vec![1; 16 << 20]).expect_err("it is full");
    let told_after = told(&mut call, RecordingState::Suspended, Some(RecordingTrouble::DiskFull));
    goes_on(&mut call);
    std::fs::remove_file(seen.join("filler")).expect("it was there");
    let again = told(&mut call, RecordingState::Recording, None);
    eprintln!("R2, full: told after {told_after:?}, goes on {again:?} after there was room");
    let shown = ends(&program, &mut call, &id, &seen.join("recordings"));
    assert_eq!(shown["gaps"][0]["why"], "disk-full", "{shown}");
}

// acceptance: R2
#[test]
fn a_disk_that_becomes_read_only_is_told_of_and_recorded_to_when_it_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(own) = OwnDisk::start(folder.path()) else { return };
    let (mut call, id) = recorded(&own.program);
    own.remount("ro");
    let told_after = told(&mut call, RecordingState::Suspended, Some(RecordingTrouble::ReadOnly));
    goes_on(&mut call);
    own.remount("rw");
    let again = told(&mut call, RecordingState::Recording, None);
    eprintln!("R2, read-only: told after {told_after:?}, goes on {again:?} after it could be written to");
    let shown = ends(&own.program, &mut call, &id, &own.seen.join("recordings"));
    assert_eq!(shown["gaps"][0]["why"], "read-only", "{shown}");
}

/// Has each write and each sync below `SLOW_FOLDER` take as many milliseconds as `SLOW_DELAY` says.
const SLOW: &str = r#"
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long delay(void) {
    long ms = 0;
    FILE *file = fopen(getenv("SLOW_DELAY"), "r");
    if (file) { if (fscanf(file, "%ld", &ms) != 1) ms = 0; fclose(file); }
    return ms;
}

static void slow(int fd) {
    char link[64], path[4096];
    const char *folder = getenv("SLOW_FOLDER");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len < 0) return;
    path[len] = 0;
    if (strncmp(path, folder, strlen(folder))) return;
    for (long waited = 0; waited < delay(); waited += 10) usleep(10000);
}

int fsync(int fd) { slow(fd); return syscall(SYS_fsync, fd); }
int fdatasync(int fd) { slow(fd); return syscall(SYS_fdatasync, fd); }
ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t at) {
    slow(fd);
    return syscall(SYS_pwrite64, fd, bytes, len, at);
}
"#;

// acceptance: R2
#[test]
fn a_slow_disk_costs_nothing_and_one_that_hangs_is_told_of_before_anything_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let [settings, data, delay, source, library] =
        ["s.toml", "data", "delay", "slow.c", "slow.so"].map(|name| folder.path().join(name));
    std::fs::write(&source, SLOW).expect("written");
    let made = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).output();
    if !made.is_ok_and(|made| made.status.success()) {
        eprintln!("no C compiler here: tests of the package recordings judge slow disks alone");
        return;
    }
    std::fs::write(&settings, "[media]\nadvertise = [\"127.0.0.1\"]\n").expect("written");
    let takes = |ms: u32| std::fs::write(&delay, ms.to_string()).expect("written");
    takes(50);
    let recordings = data.join("recordings");
    let words = [("LD_PRELOAD", &library), ("SLOW_FOLDER", &recordings), ("SLOW_DELAY", &delay)];
    let words = words.map(|(name, value)| format!("{name}={}", value.display()));
    let before = ["env", words[0].as_str(), words[1].as_str(), words[2].as_str()];
    let program = Program::start(&before, &settings, &data);
    let (mut call, id) = recorded(&program);
    goes_on(&mut call);
    assert_eq!(stands(&mut call), None, "50 ms for each write are no trouble");
    takes(60_000);
    let told_after = told(&mut call, RecordingState::Suspended, Some(RecordingTrouble::Slow));
    goes_on(&mut call);
    takes(0);
    let again = told(&mut call, RecordingState::Recording, None);
    eprintln!("R2, hanging: told after {told_after:?}, goes on {again:?} after it answers");
    let shown = ends(&program, &mut call, &id, &recordings);
    assert_eq!(shown["gaps"], json!([]), "nothing is lost: {shown}");
}
