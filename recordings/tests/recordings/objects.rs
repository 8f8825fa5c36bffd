//! Recordings in an object store: a folder, and a server that speaks S3 (`s3rver`, from npm, which compares signatures and
//! keeps what it has in a folder), which may be away.

use crate::media::{SMALL, Source};
use crate::rig::{Folder, Rig, apply};
use bytes::Bytes;
use futures_util::TryStreamExt;
use recordings::manifest::Manifest;
use recordings::timeline::Event;
use recordings::upload::{Access, Place, Settings, State, Store, Upload, Uploader, index, objects, place};
use recordings::{Batch, Codec, Container, Frame, TrackInfo, Writer, Written};
use std::io::{Cursor, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const ID: &str = "recording-1";

/// A minute becomes some seconds.
fn quick(keep_local: bool) -> Settings {
    let ms = Duration::from_millis;
    Settings { keep_local, at_once: 2, look_every: ms(50), first_pause: ms(50), longest_pause: ms(400) }
}

#[expect(clippy::disallowed_methods, reason = "real time: a real server is away")]
fn now() -> Instant {
    Instant::now()
}

/// A server that speaks S3; ends with this.
struct Server {
    child: Option<Child>,
    port: u16,
    folder: PathBuf,
}

impl Server {
    /// `None` where it is not installed.
    fn new(folder: &Path) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let mut server = Self { child: None, port, folder: folder.to_owned() };
        if program().exists() {
            server.start();
            return Some(server);
        }
        eprintln!("no S3 server here: npm ci --prefix recordings/tests/s3");
        None
    }

    fn start(&mut self) {
        let child = Command::new("node")
            .arg(program())
            .args(["--silent", "--address", "127.0.0.1", "--configure-bucket", "meetings", "--port"])
            .arg(self.port.to_string())
            .arg("--directory")
            .arg(&self.folder)
            .stdout(Stdio::null())
            .spawn()
            .expect("node");
        self.child = Some(child);
        for _ in 0..200 {
            if std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the S3 server did not start");
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().and_then(|()| child.wait()).expect("ended");
        }
    }

    fn store(&self) -> Store {
        let access = Access {
            endpoint: Some(format!("http://127.0.0.1:{}", self.port)),
            region: Some("us-east-1".to_owned()),
            key: Some(("S3RVER".to_owned(), "S3RVER".to_owned())),
        };
        Store::open("s3://meetings/of/us", &access).expect("a store")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/s3/node_modules/s3rver/bin/s3rver.js")
}

/// A disk with a writer, and what it should hold in memory.
struct Disk {
    writer: Writer,
    done: Receiver<Written>,
    memory: Folder,
}

impl Disk {
    fn new(recordings: &Path) -> Self {
        let (sender, done) = channel();
        let tell = move |written| sender.send(written).expect("somebody waits");
        let writer = Writer::start(&recordings.join(ID), |made| made.expect("a folder"), tell).expect("a folder");
        Self { writer, done, memory: Folder::new() }
    }

    fn write(&mut self, batch: &Batch) -> Option<Written> {
        batch.steps().iter().for_each(|step| apply(&mut self.memory, step));
        self.writer.write(Arc::new(batch.clone()));
        Some(Written { free: Some(u64::MAX), ..self.done.recv().expect("an answer") })
    }
}

/// Waits until something is so.
async fn until(what: &str, mut is: impl FnMut() -> bool) {
    for _ in 0..1_500 {
        if is() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never: {what}");
}

fn state(uploader: &Uploader) -> Upload {
    uploader.state(ID).unwrap_or(Upload { state: State::Uploading, bytes_left: u64::MAX, error: None })
}

async fn content(store: &Store, name: &str, range: std::ops::Range<u64>) -> std::io::Result<Vec<u8>> {
    let pieces: Vec<Bytes> = store.read(ID, name, range).await?.try_collect().await?;
    Ok(pieces.concat())
}

/// A screen whose pictures are so large that they must be sent in pieces.
fn large(rig: &mut Rig, disk: &mut Disk) {
    let info = TrackInfo { participant: 9, name: "Bo".to_owned(), source: "screen".to_owned() };
    let track = rig.recorder.add_track(rig.now, info);
    let key = Source::new(Codec::Vp8, SMALL).frame(0, 0).data;
    for i in 0..200_u64 {
        let noise = (0..100_000_u64).map(|at| ((at ^ i).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8);
        let data: Vec<u8> = key.iter().copied().chain(noise).collect();
        let time = rig.recorder.ticks(rig.now, Codec::Vp8);
        rig.recorder.handle_frame(
            rig.now,
            track,
            Frame { codec: Codec::Vp8, time, composition: 0, key: i == 0, data: data.into() },
        );
        rig.run(Duration::from_millis(30), |_, batch| disk.write(batch));
    }
    rig.recorder.end_track(track);
    rig.run(Duration::from_secs(1), |_, batch| disk.write(batch));
}

// acceptance: R7
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_away_gets_all_of_it_afterwards() {
    let (recordings, bucket) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let Some(mut server) = Server::new(bucket.path()) else { return };
    let folder = recordings.path().join(ID);
    let mut disk = Disk::new(recordings.path());
    let mut rig = Rig::new(recordings::Settings::default());
    let uploader = Uploader::start(recordings.path(), server.store(), quick(false), now, drop);
    rig.add_all();
    rig.recorder.handle_event(rig.now, Event::Mark { text: "begins".to_owned() });
    rig.run(Duration::from_secs(2), |_, batch| disk.write(batch));
    // While the meeting runs, what is complete goes.
    rig.turn_on(1, false);
    rig.recorder.end_track(rig.fed[1].track);
    large(&mut rig, &mut disk);
    let names: Vec<String> = disk.memory.keys().filter(|name| !name.ends_with("jsonl")).cloned().collect();
    let (first, screen) = (names[1].as_str(), names[5].as_str());
    assert!(disk.memory[screen].len() > 2 * (8 << 20), "several pieces");
    until("stored and removed while it runs", || !folder.join(first).exists() && !folder.join(screen).exists()).await;
    assert!(folder.join(&names[0]).exists(), "what is not complete stays");
    for name in [first, screen] {
        let Ok(Some(Place::Stored(object))) = place(&folder, name) else { panic!("{name} is nowhere") };
        assert_eq!(object.bytes, disk.memory[name].len() as u64);
        assert_eq!(content(&server.store(), name, 0..object.bytes).await.expect("read"), disk.memory[name]);
        let part = content(&server.store(), name, 1_000..3_000).await.expect("a part");
        assert_eq!(part, disk.memory[name][1_000..3_000]);
        let scan = Container::scan(Codec::Vp8, &mut Cursor::new(&disk.memory[name])).expect("in memory");
        assert!(scan.parts.len() > 2 && index(&folder, name).expect("noted") == scan, "{name}: where one can begin");
    }
    // It goes away, in the middle of the meeting.
    server.kill();
    rig.turn_on(2, false);
    rig.recorder.end_track(rig.fed[2].track);
    rig.run(Duration::from_secs(1), |_, batch| disk.write(batch));
    until("told that it is away", || state(&uploader).state == State::Retrying).await;
    let why = state(&uploader).error.unwrap_or_default();
    assert!(why.contains("refused"), "{why}");
    assert!(content(&server.store(), first, 0..10).await.is_err(), "reading says so, too");
    // The server is started anew meanwhile, and the meeting ends.
    drop(uploader);
    rig.stop(|_, batch| disk.write(batch));
    let uploader = Uploader::start(recordings.path(), server.store(), quick(false), now, drop);
    until("told again", || state(&uploader).state == State::Retrying).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let left: u64 = names
        .iter()
        .filter(|name| ![first, screen].contains(&name.as_str()))
        .map(|name| {
            assert_eq!(std::fs::read(folder.join(name)).expect("here"), disk.memory[name], "nothing is lost");
            disk.memory[name].len() as u64
        })
        .sum();
    assert_eq!(state(&uploader).bytes_left, left);
    server.start();
    until("all is stored", || state(&uploader).state == State::Finished).await;
    assert_eq!(state(&uploader), Upload { state: State::Finished, bytes_left: 0, error: None });
    assert_eq!(objects(&folder).expect("a ledger").len(), disk.memory.len());
    for (name, bytes) in &disk.memory {
        let is = content(&server.store(), name, 0..bytes.len() as u64).await.expect("stored");
        assert!(is == *bytes, "{name} is another one");
        assert_eq!(folder.join(name).exists(), name.ends_with("jsonl"), "{name}");
    }
    let fetched = recordings.path().join("fetched");
    server.store().fetch(ID, screen, &fetched).await.expect("fetched");
    assert!(std::fs::read(&fetched).expect("a file") == disk.memory[screen]);
    // And it can be removed.
    uploader.forget(ID).await.expect("removed");
    let gone = content(&server.store(), first, 0..10).await.expect_err("gone");
    assert_eq!(gone.kind(), std::io::ErrorKind::NotFound);
    assert_eq!(uploader.state(ID), None);
}

#[tokio::test]
async fn nothing_is_removed_before_it_was_verified() {
    let (recordings, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let folder = recordings.path().join(ID);
    let mut disk = Disk::new(recordings.path());
    let mut rig = Rig::new(recordings::Settings::default());
    rig.add_all();
    rig.run(Duration::from_secs(1), |_, batch| disk.write(batch));
    rig.stop(|_, batch| disk.write(batch));
    let store = Store::open(there.path().to_str().expect("a name"), &Access::default()).expect("a store");
    let keeping = Uploader::start(recordings.path(), store.clone(), quick(true), now, drop);
    until("all is stored", || state(&keeping).state == State::Finished).await;
    drop(keeping);
    let manifest = Manifest::read(&disk.memory["manifest.jsonl"]).expect("a manifest");
    let names: Vec<&str> = manifest.files.iter().map(|file| file.name.as_str()).collect();
    assert!(names.iter().all(|name| folder.join(name).exists()), "kept here, too");
    // One is damaged there, one is gone: both are here, and are stored again before they are not.
    std::fs::write(there.path().join(ID).join(names[0]), b"something else").expect("written");
    std::fs::remove_file(there.path().join(ID).join(names[1])).expect("removed");
    let moving = Uploader::start(recordings.path(), store, quick(false), now, drop);
    until("all is moved", || names.iter().all(|name| !folder.join(name).exists())).await;
    for (name, bytes) in &disk.memory {
        assert!(std::fs::read(there.path().join(ID).join(name)).expect("stored") == *bytes, "{name}");
    }
    until("told so", || state(&moving).state == State::Finished).await;
    // A file here that is not what the manifest says is not stored, and stays.
    assert_eq!(place(&folder, "../recording-1/manifest.jsonl").expect("a ledger"), None);
    assert_eq!(place(&folder, "objects.jsonl").expect("a ledger"), None);
}

#[tokio::test]
async fn a_file_that_is_not_as_long_as_it_should_be_stays() {
    let (recordings, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let mut disk = Disk::new(recordings.path());
    let mut rig = Rig::new(recordings::Settings::default());
    rig.add(Codec::Opus, SMALL);
    rig.run(Duration::from_secs(1), |_, batch| disk.write(batch));
    rig.stop(|_, batch| disk.write(batch));
    let file = recordings.path().join(ID).join("0001-microphone.mp4");
    std::fs::write(&file, b"cut").expect("written");
    let store = Store::open(&format!("file://{}", there.path().display()), &Access::default()).expect("a store");
    let uploader = Uploader::start(recordings.path(), store, quick(false), now, drop);
    until("told so", || state(&uploader).state == State::Retrying).await;
    let why = state(&uploader).error.unwrap_or_default();
    assert!(why.contains("has 3 bytes instead of") && file.exists(), "{why}");
}

#[test]
fn an_address_is_a_bucket_or_a_folder() {
    let open = |url: &str| Store::open(url, &Access::default()).map(|_| ()).map_err(|error| error.to_string());
    assert!(open("s3://").is_err_and(|why| why.contains("names no bucket")));
    assert!(open("ftp://x").is_err_and(|why| why.contains("neither")));
    assert!(open("recordings").is_err_and(|why| why.contains("neither")));
    let secret = Access { key: Some(("id".to_owned(), "hidden".to_owned())), ..Access::default() };
    assert!(!format!("{secret:?}").contains("hidden"));
}

/// A store that lists nothing and takes what is put without ever saying so. Gives how many uploads are on their way.
fn silent_store() -> (Store, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let underway = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&underway);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, counted) = (stream.expect("a connection"), Arc::clone(&counted));
            std::thread::spawn(move || {
                let mut bytes = vec![0; 1 << 16];
                let mut puts = false;
                while let Ok(len @ 1..) = stream.read(&mut bytes) {
                    if bytes.starts_with(b"PUT ") && !puts {
                        puts = true;
                        counted.fetch_add(1, Ordering::SeqCst);
                    } else if bytes[..len].starts_with(b"GET ") {
                        let list = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
                        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{list}", list.len());
                        stream.write_all(answer.as_bytes()).expect("answered");
                    }
                }
                counted.fetch_sub(usize::from(puts), Ordering::SeqCst);
            });
        }
    });
    let access = Access {
        endpoint: Some(format!("http://127.0.0.1:{port}")),
        region: Some("us-east-1".to_owned()),
        key: Some(("id".to_owned(), "secret".to_owned())),
    };
    (Store::open("s3://meetings", &access).expect("a store"), underway)
}

#[tokio::test(flavor = "multi_thread")]
async fn to_forget_a_recording_ends_nothing_of_the_others() {
    let recordings = tempfile::tempdir().expect("a folder");
    let mut disk = Disk::new(recordings.path());
    let mut rig = Rig::new(recordings::Settings::default());
    rig.add(Codec::Opus, SMALL);
    rig.run(Duration::from_secs(1), |_, batch| disk.write(batch));
    rig.stop(|_, batch| disk.write(batch));
    let other = recordings.path().join("recording-2");
    std::fs::create_dir(&other).expect("a folder");
    for entry in std::fs::read_dir(recordings.path().join(ID)).expect("a folder").flatten() {
        std::fs::copy(entry.path(), other.join(entry.file_name())).expect("copied");
    }
    let (store, underway) = silent_store();
    let uploader = Uploader::start(recordings.path(), store, quick(true), now, drop);
    until("both are being stored", || underway.load(Ordering::SeqCst) == 2).await;
    tokio::time::timeout(Duration::from_secs(10), uploader.forget(ID)).await.expect("at once").expect("removed");
    until("one has ended", || underway.load(Ordering::SeqCst) == 1).await;
    assert_eq!(uploader.state(ID), None);
    // As long as its folder is there, nothing of it is stored again.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!((underway.load(Ordering::SeqCst), uploader.state(ID)), (1, None), "the other goes on");
    assert_eq!(uploader.state("recording-2").map(|upload| upload.state), Some(State::Uploading));
}
