//! Composed files: made of what the recorder wrote by the installed ffmpeg, and judged by what is seen and heard in them.

pub mod painted;

use crate::players::put;
use crate::rig::{Folder, Rig, record};
use painted::{Heard, Seen, picture, tone};
use recordings::export::{Canvas, Export, Exporter, Ffmpeg, Layout, Refused, Settings, State};
use recordings::manifest::Manifest;
use recordings::timeline::Event;
use recordings::{Codec, TrackInfo};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub const ID: &str = "recording-1";

/// Small, so that it is made in seconds.
fn settings() -> Settings {
    Settings { canvas: Canvas { width: 640, height: 360, ..Canvas::default() }, reserve: 0, ..Settings::default() }
}

fn exporter(folder: &Path, settings: Settings) -> Exporter {
    let fetch = |_: &str, _: &str, _: &Path, _: &AtomicBool| Err(std::io::ErrorKind::NotFound.into());
    Exporter::start(folder, settings, Box::new(fetch)).expect("a folder and a thread")
}

pub fn installed() -> bool {
    let found = Ffmpeg::find("ffmpeg");
    if let Err(missing) = &found {
        eprintln!("nothing can be exported here: {missing}");
    }
    found.is_ok()
}

/// Somebody in the meeting of a test.
pub struct Person(pub u32, pub &'static str);

impl Person {
    pub fn joins(&self, rig: &mut Rig) {
        let (participant, name) = (self.0, self.1.to_owned());
        rig.recorder.handle_event(rig.now, Event::Joined { participant, name });
    }

    fn leaves(&self, rig: &mut Rig) {
        rig.recorder.handle_event(rig.now, Event::Left { participant: self.0 });
    }

    fn turns(&self, rig: &mut Rig, source: &str, on: bool) {
        rig.recorder.handle_event(rig.now, Event::Source { participant: self.0, source: source.to_owned(), on });
    }

    pub fn sends(&self, rig: &mut Rig, source: &str, frames: crate::media::Source) -> usize {
        self.turns(rig, source, true);
        let (participant, name) = (self.0, self.1.to_owned());
        rig.add_source(TrackInfo { participant, name, source: source.to_owned() }, frames)
    }
}

fn speak(rig: &mut Rig, participants: &[u32]) {
    rig.recorder.handle_event(rig.now, Event::Speaking { participants: participants.to_vec() });
}

/// A lesson of 16 s: Ana is red and 440 Hz, 王小明 blue and 880 Hz, Bo green, upright and 1,500 Hz; his screen is white.
pub fn lesson(folder: &mut Folder) {
    let mut rig = Rig::new(recordings::Settings::default());
    let mut pass = |rig: &mut Rig, ms: u64| rig.run(Duration::from_millis(ms), |_, batch| record(folder, batch));
    let (ana, wang, bo) = (Person(1, "Ana"), Person(2, "王小明"), Person(3, "Bo"));
    ana.joins(&mut rig);
    let ana_camera = ana.sends(&mut rig, "camera", picture(Codec::Vp8, "red", "160x90"));
    let ana_voice = ana.sends(&mut rig, "microphone", tone(440));
    speak(&mut rig, &[1]);
    pass(&mut rig, 2_000);
    wang.joins(&mut rig);
    let wang_camera = wang.sends(&mut rig, "camera", picture(Codec::H264, "blue", "160x90"));
    let wang_voice = wang.sends(&mut rig, "microphone", tone(880));
    pass(&mut rig, 2_000);
    rig.change_source(ana_camera, picture(Codec::Vp8, "red", "320x180"));
    pass(&mut rig, 1_000);
    bo.joins(&mut rig);
    let bo_camera = bo.sends(&mut rig, "camera", picture(Codec::Vp9, "lime", "90x160"));
    bo.sends(&mut rig, "microphone", tone(1_500));
    pass(&mut rig, 1_000);
    ana.turns(&mut rig, "camera", false);
    ana.turns(&mut rig, "microphone", false);
    rig.turn_on(ana_camera, false);
    rig.turn_on(ana_voice, false);
    speak(&mut rig, &[3]);
    pass(&mut rig, 2_000);
    rig.recorder.pause(rig.now);
    pass(&mut rig, 2_000);
    rig.recorder.resume(rig.now);
    // They are asked for a key frame.
    rig.turn_on(wang_camera, true);
    rig.turn_on(bo_camera, true);
    pass(&mut rig, 1_000);
    let screen = bo.sends(&mut rig, "screen", picture(Codec::Av1, "white", "320x180"));
    // A screen that nobody touches sends a picture or two, and stands.
    pass(&mut rig, 300);
    rig.turn_on(screen, false);
    pass(&mut rig, 1_700);
    wang.leaves(&mut rig);
    for gone in [wang_camera, wang_voice] {
        rig.turn_on(gone, false);
        rig.recorder.end_track(rig.fed[gone].track);
    }
    pass(&mut rig, 1_000);
    bo.turns(&mut rig, "screen", false);
    rig.recorder.end_track(rig.fed[screen].track);
    pass(&mut rig, 2_000);
    rig.stop(|_, batch| record(folder, batch));
}

/// Writes a recording to the disk.
pub fn lay(folder: &Folder, recordings: &Path) {
    std::fs::create_dir_all(recordings.join(ID)).expect("a folder");
    put(folder, &recordings.join(ID));
}

/// Waits for an export to end, and gives the progress that was seen meanwhile.
fn wait(exporter: &Exporter, layout: Layout) -> (Export, Vec<f64>) {
    let mut progress = Vec::new();
    for _ in 0..20_000 {
        let exports = exporter.exports(ID);
        let export = exports.into_iter().find(|export| export.layout == layout).expect("an export");
        match export.state {
            State::Queued | State::Running => progress.push(export.progress),
            State::Finished | State::Failed => return (export, progress),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("it never ended");
}

/// What lies in the recording's folder beside the recording.
fn left(recordings: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(recordings.join(ID)).expect("a folder").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut left: Vec<String> = names.filter(|name| name.starts_with("export-")).collect();
    left.sort();
    left
}

// acceptance: R5
#[test]
fn a_composed_file_shows_and_sounds_like_the_meeting() {
    if !installed() {
        return;
    }
    let mut folder = Folder::new();
    lesson(&mut folder);
    let recordings = tempfile::tempdir().expect("a folder");
    lay(&folder, recordings.path());
    let exporter = exporter(recordings.path(), settings());
    for layout in Layout::ALL {
        exporter.request(ID, layout).expect("taken");
    }
    let manifest = Manifest::read(&folder["manifest.jsonl"]).expect("a manifest");
    let length = manifest.duration_ms() as f64 / 1000.0;
    assert!((15.9..16.6).contains(&length), "{length}");
    for layout in Layout::ALL {
        let (export, progress) = wait(&exporter, layout);
        assert_eq!((export.state, export.error), (State::Finished, None));
        assert!(progress.windows(2).all(|pair| pair[0] <= pair[1]), "{progress:?}");
        let steps = progress.iter().filter(|progress| (0.05..0.99).contains(*progress)).count();
        assert!(steps >= 3, "progress is seen: {progress:?}");
        let file = exporter.file(ID, layout).expect("a file");
        assert_eq!(std::fs::metadata(&file).expect("a file").len(), export.bytes);
        painted::judge_container(&file, length);
        judge_pictures(&file, layout);
        judge_sound(&file);
    }
    assert_eq!(
        left(recordings.path()),
        ["export-grid.json", "export-grid.mp4", "export-speaker.json", "export-speaker.mp4"]
    );
    assert!(exporter.remove(ID, Layout::Grid) && exporter.remove(ID, Layout::Speaker));
    assert_eq!((exporter.exports(ID), left(recordings.path())), (vec![], vec![]));
}

/// Each colour at its times, and how much of the picture it takes.
fn judge_pictures(file: &Path, layout: Layout) {
    let seen = Seen::of(file);
    let [red, blue, lime, white] = [[255, 0, 0], [0, 0, 255], [0, 255, 0], [255, 255, 255]];
    let share = |colour, at: f64| seen.share(colour, at);
    // From when on, until when; pictures may come some frames after those who send them.
    for (colour, times) in
        [(red, vec![(0.0, 6.0)]), (blue, vec![(2.0, 8.0), (10.0, 13.0)]), (white, vec![(11.0, 14.0)])]
    {
        let spans = seen.spans(colour, 0.02);
        assert_eq!(spans.len(), times.len(), "{layout:?} {colour:?}: {spans:?}");
        for ((from, to), (is_from, is_to)) in times.iter().zip(&spans) {
            assert!((from - is_from).abs() <= 0.25 && (to - is_to).abs() <= 0.25, "{layout:?} {colour:?}: {spans:?}");
        }
    }
    let spans = seen.spans(lime, 0.004);
    assert_eq!(spans.len(), 2, "{layout:?}: {spans:?}");
    assert!((spans[0].0 - 5.0).abs() <= 0.25 && spans[1].1 >= 15.8, "{layout:?}: {spans:?}");
    assert!(share(red, 1.0) > 0.85, "alone, all is hers: {}", share(red, 1.0));
    assert!([red, blue, lime, white].iter().all(|colour| share(*colour, 9.0) < 0.001), "nobody in a pause");
    assert!(share(white, 12.0) > 0.4, "a screen is large: {}", share(white, 12.0));
    assert!(share(white, 13.7) > 0.4, "and stands while nobody touches it");
    let upright = seen.shape(lime, 7.0);
    assert!((upright - 9.0 / 16.0).abs() < 0.12, "a phone's picture stays upright: {upright}");
    match layout {
        Layout::Grid => {
            let (red, blue) = (share(red, 3.0), share(blue, 3.0));
            assert!((red - blue).abs() < 0.02 && red > 0.15, "all alike: {red} {blue}");
        }
        Layout::Speaker => {
            assert!(share(red, 3.0) > 4.0 * share(blue, 3.0), "who speaks is large");
            assert!(share(lime, 7.0) > 0.15, "another one speaks: {}", share(lime, 7.0));
        }
    }
}

/// Each voice at its times, as loud as it was, and together with the picture of whom it belongs to.
fn judge_sound(file: &Path) {
    let heard = Heard::of(file);
    for (hz, times) in
        [(440, vec![(0.0, 6.0)]), (880, vec![(2.0, 8.0), (10.0, 13.0)]), (1_500, vec![(5.0, 8.0), (10.0, 16.0)])]
    {
        let spans = heard.spans(hz);
        assert_eq!(spans.len(), times.len(), "{hz} Hz: {spans:?}");
        for ((from, to), (is_from, is_to)) in times.iter().zip(&spans) {
            assert!((from - is_from).abs() <= 0.06 && (to - is_to).abs() <= 0.12, "{hz} Hz: {spans:?}");
            let loud = heard.level(hz, (from + to) / 2.0);
            assert!(loud.abs() < 1.5, "{hz} Hz is {loud} dB louder than it was");
        }
    }
    assert!(heard.peak(8.3, 9.8) < 0.001, "a pause is silent");
    let (picture, voice) = (Seen::of(file).spans([0, 0, 255], 0.02)[0].0, heard.spans(880)[0].0);
    let late = (voice - picture) * 1000.0;
    assert!((-80.0..=60.0).contains(&late), "the voice comes {late} ms after the picture");
}

/// Longer than what is made at once, with two files that are no more in the folder.
#[test]
fn nothing_is_heard_or_seen_of_where_chunks_meet_and_files_are_fetched() {
    if !installed() {
        return;
    }
    let mut folder = Folder::new();
    let mut rig = Rig::new(recordings::Settings::default());
    let ana = Person(1, "Ana");
    ana.joins(&mut rig);
    ana.sends(&mut rig, "camera", picture(Codec::Vp8, "red", "160x90"));
    ana.sends(&mut rig, "microphone", painted::tone_of(440, 70));
    rig.run(Duration::from_millis(66_500), |_, batch| record(&mut folder, batch));
    rig.stop(|_, batch| record(&mut folder, batch));
    let recordings = tempfile::tempdir().expect("a folder");
    lay(&folder, recordings.path());
    let store = recordings.path().join("store");
    std::fs::create_dir(&store).expect("a folder");
    for name in ["0001-camera.webm", "0002-microphone.mp4"] {
        std::fs::rename(recordings.path().join(ID).join(name), store.join(name)).expect("moved");
    }
    let canvas = Canvas { width: 160, height: 90, ..Canvas::default() };
    let fetch = move |recording: &str, name: &str, to: &Path, _: &AtomicBool| {
        assert_eq!(recording, ID);
        std::fs::copy(store.join(name), to).map(|_| ())
    };
    let exporter =
        Exporter::start(recordings.path(), Settings { canvas, ..settings() }, Box::new(fetch)).expect("made");
    exporter.request(ID, Layout::Grid).expect("taken");
    assert_eq!(
        wait(&exporter, Layout::Grid).0,
        Export {
            layout: Layout::Grid,
            state: State::Finished,
            progress: 1.0,
            bytes: exporter.exports(ID)[0].bytes,
            error: None
        }
    );
    assert_eq!(left(recordings.path()), ["export-grid.json", "export-grid.mp4"]);
    let file = exporter.file(ID, Layout::Grid).expect("a file");
    painted::judge_container(&file, 66.5);
    let seen = Seen::of(&file).spans([255, 0, 0], 0.5);
    assert!(seen.len() == 1 && seen[0].0 < 0.1 && seen[0].1 > 66.4, "{seen:?}");
    let heard = Heard::of(&file);
    // In steps of 5 ms: neither a gap, nor a click, nor another phase.
    let (low, high) = heard.bounds(440, 1.0, 66.0);
    assert!(low > -0.7 && high < 0.7, "from {low} to {high} dB");
    assert!(heard.steps(440, 1.0, 66.0) < 1.2, "{}", heard.steps(440, 1.0, 66.0));
}

#[test]
fn what_was_wanted_when_the_server_ended_is_made_at_its_next_start() {
    if !installed() {
        return;
    }
    let mut folder = Folder::new();
    lesson(&mut folder);
    let recordings = tempfile::tempdir().expect("a folder");
    lay(&folder, recordings.path());
    let first = exporter(recordings.path(), settings());
    assert_eq!(first.request(ID, Layout::Grid).map(|export| export.state), Ok(State::Queued));
    while first.exports(ID).iter().all(|export| export.progress < 0.3) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(recordings.path().join(ID).join("export-grid.part").exists());
    assert_eq!(first.file(ID, Layout::Grid), None);
    drop(first);
    // As a server that was killed leaves it.
    std::fs::create_dir(recordings.path().join(ID).join("export-grid.part")).expect("a folder");
    let second = exporter(recordings.path(), settings());
    assert_eq!(wait(&second, Layout::Grid).0.state, State::Finished);
    drop(second);
    let third = exporter(recordings.path(), settings());
    assert_eq!(third.exports(ID).iter().map(|export| export.state).collect::<Vec<_>>(), [State::Finished]);
    assert_eq!(left(recordings.path()), ["export-grid.json", "export-grid.mp4"]);
}

#[test]
fn a_cancelled_export_leaves_nothing_and_can_be_wanted_again() {
    if !installed() {
        return;
    }
    let mut folder = Folder::new();
    lesson(&mut folder);
    let recordings = tempfile::tempdir().expect("a folder");
    lay(&folder, recordings.path());
    let exporter = exporter(recordings.path(), settings());
    exporter.request(ID, Layout::Grid).expect("taken");
    exporter.request(ID, Layout::Speaker).expect("taken");
    while exporter.exports(ID).iter().all(|export| export.progress < 0.2) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(exporter.remove(ID, Layout::Grid));
    assert_eq!(exporter.exports(ID).iter().map(|export| export.layout).collect::<Vec<_>>(), [Layout::Speaker]);
    exporter.request(ID, Layout::Grid).expect("taken again");
    exporter.forget(ID);
    assert_eq!((exporter.exports(ID), left(recordings.path())), (vec![], vec![]));
}

#[test]
fn what_ffmpeg_says_last_is_told_when_it_fails_twice() {
    if !installed() {
        return;
    }
    let mut folder = Folder::new();
    lesson(&mut folder);
    let recordings = tempfile::tempdir().expect("a folder");
    lay(&folder, recordings.path());
    // An ffmpeg that can all that is asked of it, and dies of each picture.
    let program = recordings.path().join("broken-ffmpeg");
    let count = recordings.path().join("runs");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *libx264*)\n\
         for i in 1 2 3 4 5 6 7 8 9 10; do grep -qx 1000 /proc/$$/oom_score_adj && break; sleep 0.1; done\n\
         echo $(cat /proc/$$/oom_score_adj) \"$*\" >>'{}'; echo 'no picture today' >&2; kill -SEGV $$;; esac\n\
         exec ffmpeg \"$@\"\n",
        count.display()
    );
    std::fs::write(&program, script).expect("written");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, mode).expect("ours");
    let broken = Settings { program: program.display().to_string(), ..settings() };
    let exporter = exporter(recordings.path(), broken);
    exporter.request(ID, Layout::Grid).expect("taken");
    let (export, _) = wait(&exporter, Layout::Grid);
    assert_eq!(export.state, State::Failed);
    let why = export.error.unwrap_or_default();
    assert!(why.contains("failed twice") && why.ends_with("no picture today"), "{why}");
    let runs = std::fs::read_to_string(&count).expect("runs");
    assert_eq!(runs.lines().count(), 2, "retried once");
    for run in runs.lines() {
        assert!(run.starts_with("1000 "), "the first to go where memory runs short: {run}");
        let (inputs, bounded) =
            (run.matches(" -i ").count(), run.matches("-max_pixels 67108864 -reinit_filter").count());
        assert!(bounded > 0 && bounded >= inputs - 1, "each picture is bounded: {run}");
    }
    assert_eq!(left(recordings.path()), ["export-grid.json"]);
}

#[test]
fn what_cannot_be_made_is_told_before() {
    let mut folder = Folder::new();
    let mut rig = Rig::new(recordings::Settings::default());
    rig.run(Duration::from_millis(900), |_, batch| record(&mut folder, batch));
    let recordings = tempfile::tempdir().expect("a folder");
    lay(&folder, recordings.path());
    let absent = Settings { program: "/nowhere/ffmpeg".to_owned(), ..settings() };
    let refused = exporter(recordings.path(), absent).request(ID, Layout::Grid).expect_err("there is none");
    assert_eq!(refused.to_string(), "the server has no ffmpeg");
    if !installed() {
        return;
    }
    let exporter = exporter(recordings.path(), Settings { reserve: u64::MAX, ..settings() });
    assert_eq!(exporter.request(ID, Layout::Grid), Err(Refused::Running));
    assert_eq!(exporter.request("another-one", Layout::Grid), Err(Refused::Unknown));
    assert_eq!(exporter.request("../recording-1", Layout::Grid), Err(Refused::Unknown));
    rig.stop(|_, batch| record(&mut folder, batch));
    lay(&folder, recordings.path());
    exporter.request(ID, Layout::Grid).expect("taken");
    let (export, _) = wait(&exporter, Layout::Grid);
    assert!(export.error.as_deref().is_some_and(|why| why.contains("too little room")), "{export:?}");
}

/// The child of this process that is an ffmpeg now: its greatest memory in MB, and how many files it has open.
fn child() -> Option<(u64, usize)> {
    let ours = std::process::id().to_string();
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        let Ok(status) = std::fs::read_to_string(process.path().join("status")) else { continue };
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        if field("Name:") == Some("ffmpeg") && field("PPid:") == Some(&ours) {
            let peak = field("VmHWM:")?.split(' ').next()?.parse::<u64>().ok()? / 1024;
            return Some((peak, std::fs::read_dir(process.path().join("fd")).ok()?.count()));
        }
    }
    None
}

#[test]
fn many_people_take_little_memory_and_few_files() {
    if !installed() {
        return;
    }
    let mut folder = Folder::new();
    let mut rig = Rig::new(recordings::Settings::default());
    for (i, name) in (1..=25).zip(["Ana", "王小明", "Bo", "Ада", "علي"].iter().cycle()) {
        let person = Person(i, name);
        person.joins(&mut rig);
        person.sends(&mut rig, "camera", crate::media::Source::new(Codec::Vp8, crate::media::LARGE));
        person.sends(&mut rig, "microphone", crate::media::Source::new(Codec::Opus, ""));
    }
    rig.run(Duration::from_secs(5), |_, batch| record(&mut folder, batch));
    rig.stop(|_, batch| record(&mut folder, batch));
    let recordings = tempfile::tempdir().expect("a folder");
    lay(&folder, recordings.path());
    let exporter = exporter(recordings.path(), Settings { canvas: Canvas::default(), ..settings() });
    exporter.request(ID, Layout::Grid).expect("taken");
    let (mut memory, mut files) = (0, 0);
    while exporter.exports(ID).iter().any(|export| matches!(export.state, State::Queued | State::Running)) {
        let (now, open) = child().unwrap_or_default();
        (memory, files) = (memory.max(now), files.max(open));
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(wait(&exporter, Layout::Grid).0.state, State::Finished);
    painted::judge_container(&exporter.file(ID, Layout::Grid).expect("a file"), 5.0);
    eprintln!("an ffmpeg of 25 people takes {memory} MB and {files} open files");
    assert!((1..600).contains(&memory) && (1..80).contains(&files), "{memory} MB, {files} files");
}

/// Publishers whose pictures nobody can decode must not keep others from their file.
#[test]
fn who_sends_nonsense_is_left_out() {
    if !installed() {
        return;
    }
    let mut folder = Folder::new();
    let mut rig = Rig::new(recordings::Settings::default());
    for (person, codec) in
        [(Person(1, "Ana"), Codec::Vp8), (Person(2, "Mallory"), Codec::H264), (Person(3, "Max"), Codec::Av1)]
    {
        person.joins(&mut rig);
        let frames = picture(codec, "red", "160x90");
        let frames = if person.0 > 1 { frames.spoilt() } else { frames };
        person.sends(&mut rig, "camera", frames);
    }
    for (participant, spoils) in [(1, false), (3, true)] {
        let info = TrackInfo { participant, name: "?".to_owned(), source: "microphone".to_owned() };
        rig.add_source(info, if spoils { tone(440).spoilt() } else { tone(440) });
    }
    rig.run(Duration::from_secs(4), |_, batch| record(&mut folder, batch));
    rig.stop(|_, batch| record(&mut folder, batch));
    let recordings = tempfile::tempdir().expect("a folder");
    lay(&folder, recordings.path());
    let exporter = exporter(recordings.path(), settings());
    exporter.request(ID, Layout::Grid).expect("taken");
    let (export, _) = wait(&exporter, Layout::Grid);
    assert_eq!((export.state, export.error), (State::Finished, None));
    let file = exporter.file(ID, Layout::Grid).expect("a file");
    painted::judge_container(&file, 4.0);
    let seen = Seen::of(&file).spans([255, 0, 0], 0.1);
    assert!(seen.len() == 1 && seen[0].0 < 0.2 && seen[0].1 > 3.8, "{seen:?}");
    assert!(Heard::of(&file).level(440, 1.5) > -3.0, "and she is heard");
}
