//! An object store that goes away: nothing is lost, all of it is there afterwards, and what is there only still plays.

use crate::call::Call;
use crate::files::tracks;
use crate::program::Program;
use serde_json::{Value, json};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long the store is away: long enough that each file is tried again some times.
const AWAY: Duration = Duration::from_secs(6);
/// Twice the longest pause between two tries.
const STORED_WITHIN: Duration = Duration::from_secs(120);

/// `s3rver` from npm, which compares signatures and keeps what it has in a folder. Ends with this.
struct Bucket {
    child: Option<Child>,
    port: u16,
    folder: PathBuf,
}

impl Bucket {
    /// `None` where it is not installed.
    fn new(folder: PathBuf) -> Option<Self> {
        std::fs::create_dir(&folder).expect("made");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let mut bucket = Self { child: None, port, folder };
        if !Self::program().exists() {
            eprintln!("no S3 server here: npm ci --prefix recordings/tests/s3");
            return None;
        }
        bucket.come();
        Some(bucket)
    }

    fn program() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/tests/s3/node_modules/s3rver/bin/s3rver.js")
    }

    fn come(&mut self) {
        let port = self.port.to_string();
        let child = Command::new("node")
            .arg(Self::program())
            .args([
                "--silent",
                "--address",
                "127.0.0.1",
                "--configure-bucket",
                "meetings",
                "--port",
                &port,
                "--directory",
            ])
            .arg(&self.folder)
            .stdout(Stdio::null())
            .spawn();
        self.child = Some(child.expect("node"));
        for _ in 0..400 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the S3 server did not start");
    }

    fn go(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().and_then(|()| child.wait()).expect("ended");
        }
    }

    fn settings(&self) -> String {
        format!(
            "[media]\nadvertise = [\"127.0.0.1\"]\n[recordings]\nurl = \"s3://meetings/ours\"\nkeep_local = false\n\
             [recordings.bucket]\nendpoint = \"http://127.0.0.1:{}\"\nregion = \"us-east-1\"\nkey_id = \"S3RVER\"\n\
             key_secret = \"S3RVER\"\n",
            self.port
        )
    }

    /// Files that hold objects.
    fn objects(&self) -> usize {
        fn count(folder: &Path) -> usize {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let each = entries.map(|entry| match entry.path() {
                folder if folder.is_dir() => count(&folder),
                file => usize::from(file.to_string_lossy().ends_with("._S3rver_object")),
            });
            each.sum()
        }
        count(&self.folder)
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        self.go();
    }
}

/// Waits until a recording is so.
fn when(program: &Program, id: &str, within: Duration, is: impl Fn(&Value) -> bool) -> Value {
    let mut shown = Value::Null;
    for _ in 0..within.as_millis() / 50 {
        shown = program.get(&format!("/api/v1/recordings/{id}"));
        if is(&shown) {
            return shown;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("not within {within:?}: {shown}");
}

fn record(program: &Program, call: &mut Call, time: Duration) -> String {
    let started = program.post(&format!("/api/v1/meetings/{}/recordings", call.meeting), &json!({}));
    call.run_for(time);
    started["id"].as_str().expect("an id").to_owned()
}

/// What players get of each track: all of it, a part, and where they can begin.
fn read(program: &Program, shown: &Value) -> Vec<(Vec<u8>, Value)> {
    let each = shown["tracks"].as_array().expect("a list").iter().map(|track| {
        let url = track["url"].as_str().expect("a path");
        let (status, all) = program.fetch(url, None);
        assert_eq!((status, Some(all.len() as u64)), (200, track["bytes"].as_u64()), "{track}");
        let (status, part) = program.fetch(url, Some("bytes=100-299"));
        assert!(status == 206 && part == all[100..300], "{track}");
        (all, program.get(&format!("{url}/segments")))
    });
    each.collect()
}

// acceptance: R7
#[test]
fn a_store_that_is_away_gets_all_of_it_afterwards_and_replay_reads_from_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (settings, data) = (folder.path().join("s.toml"), folder.path().join("data"));
    let Some(mut bucket) = Bucket::new(folder.path().join("bucket")) else { return };
    std::fs::write(&settings, bucket.settings()).expect("written");
    let stop = |program: &Program, id: &str| program.post(&format!("/api/v1/recordings/{id}/stop"), &json!({}));
    let here = |shown: &Value| {
        let all = tracks(shown, &data.join("recordings"));
        (all.len(), all.iter().filter(|(_, file, _)| file.exists()).count())
    };
    let stored = |shown: &Value| shown["upload"]["state"] == "finished";

    // While it is there.
    let program = Program::start(&[], &settings, &data);
    let mut call = Call::begin(&program, 2, &json!({ "title": "Stored" }));
    let first = record(&program, &mut call, Duration::from_secs(3));
    stop(&program, &first);
    let shown = when(&program, &first, STORED_WITHIN, stored);
    assert_eq!(here(&shown), (4, 0), "none stays here: {shown}");
    let before = read(&program, &shown);
    assert!(before.iter().all(|(_, segments)| segments["segments"].as_array().is_some_and(|all| !all.is_empty())));

    // It goes in the middle of the next one, and the server is killed meanwhile, too.
    let second = record(&program, &mut call, Duration::from_secs(1));
    bucket.go();
    call.run_for(Duration::from_secs(2));
    stop(&program, &second);
    let shown = when(&program, &second, Duration::from_secs(20), |shown| shown["upload"]["state"] == "retrying");
    assert_eq!(here(&shown), (4, 4), "all stays here: {shown}");
    let left = read(&program, &shown);
    let bytes: usize = left.iter().map(|(all, _)| all.len()).sum();
    assert_eq!(shown["upload"]["bytes_left"].as_u64(), Some(bytes as u64), "{shown}");
    let list = program.get("/api/v1/recordings");
    assert!(list["recordings"][0]["upload"]["error"].as_str().is_some_and(|why| why.contains("refused")), "{list}");
    let (status, refused) = program.call("GET", &format!("/api/v1/recordings/{first}/tracks/1"), "");
    assert_eq!((status, &refused["code"]), (503, &json!("store-away")), "said so: {refused}");
    let (status, refused) = program.call("DELETE", &format!("/api/v1/recordings/{first}"), "");
    assert_eq!((status, &refused["code"]), (503, &json!("store-away")), "what is there can't be deleted: {refused}");
    program.kill();
    let program = Program::start(&[], &settings, &data);
    std::thread::sleep(AWAY);
    let shown = when(&program, &second, Duration::from_secs(20), |shown| shown["upload"]["state"] == "retrying");
    assert!(read(&program, &shown) == left, "nothing is lost");

    bucket.come();
    let shown = when(&program, &second, STORED_WITHIN, stored);
    assert_eq!((here(&shown), &shown["upload"]["bytes_left"]), ((4, 0), &json!(0)), "{shown}");
    assert!(read(&program, &shown) == left, "what is read from the store is what was here");
    let shown = program.get(&format!("/api/v1/recordings/{first}"));
    assert!(read(&program, &shown) == before, "the first one, too");
    let (status, metrics) = program.fetch("/metrics", None);
    let metrics = String::from_utf8(metrics).expect("a text");
    let value = |name: &str| metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
    assert_eq!((status, value("symposia_recording_bytes_to_store")), (200, Some(0)), "{metrics}");
    assert!(value("symposia_recording_files_stored_total") >= Some(6), "four files and two journals: {metrics}");
    assert!(value("symposia_recording_store_failures_total") > Some(0), "{metrics}");

    // One file is made of what is in the store.
    let exports = format!("/api/v1/recordings/{first}/exports");
    if program.get(&exports)["available"] == json!(true) {
        program.post(&format!("/api/v1/recordings/{first}/export"), &json!({}));
        let mut export = Value::Null;
        for _ in 0..1_200 {
            export = program.get(&exports)["exports"][0].clone();
            if export["state"] != "queued" && export["state"] != "running" {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(export["state"], "finished", "{export}");
    }

    // And both can be deleted, there and here.
    assert_eq!(bucket.objects(), 12, "of each four files and two journals");
    for id in [first, second] {
        assert_eq!(program.call("DELETE", &format!("/api/v1/recordings/{id}"), "").0, 204);
    }
    assert_eq!((bucket.objects(), std::fs::read_dir(data.join("recordings")).expect("a folder").count()), (0, 0));
}
