//! What we write is played by ffmpeg without a complaint, where that is installed; and read by ourselves as it was meant.

use crate::media::{LARGE, SMALL};
use crate::rig::{Folder, Rig, manifest, record};
use recordings::manifest::{EndReason, File};
use recordings::timeline::{self, Entry, Event};
use recordings::{Codec, Container, Settings};
use std::io::Cursor;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Writes a folder of memory to the disk.
pub fn put(folder: &Folder, to: &Path) {
    for (name, bytes) in folder {
        std::fs::write(to.join(name), bytes).expect("written");
    }
}

fn installed() -> bool {
    let found = Command::new("ffprobe").arg("-version").output().is_ok();
    if !found {
        eprintln!("no ffprobe here: files are judged by our own reader only");
    }
    found
}

/// How a file looks to ffprobe: frames that could be decoded, and where the last packet ends, in milliseconds. Fails
/// where ffmpeg finds anything wrong.
pub fn play(file: &Path) -> Option<(u64, u64)> {
    if !installed() {
        return None;
    }
    let decoded = Command::new("ffmpeg")
        .args(["-v", "warning", "-xerror", "-err_detect", "crccheck", "-i"])
        .arg(file)
        .args(["-f", "null", "-"])
        .output()
        .expect("ffmpeg");
    let said = String::from_utf8_lossy(&decoded.stderr);
    assert!(decoded.status.success() && said.trim().is_empty(), "{}: {said}", file.display());
    let fields = "frame=pts_time:packet=pts_time,duration_time";
    let probed = Command::new("ffprobe")
        .args(["-v", "error", "-show_packets", "-show_frames", "-of", "compact", "-show_entries", fields])
        .arg(file)
        .output()
        .expect("ffprobe");
    let text = String::from_utf8_lossy(&probed.stdout);
    let frames = text.lines().filter(|line| line.starts_with("frame")).count() as u64;
    let seconds = |line: &str, key: &str| {
        let (_, rest) = line.split_once(key)?;
        rest.split('|').next()?.trim().parse::<f64>().ok()
    };
    let ends = text
        .lines()
        .filter(|line| line.starts_with("packet"))
        .filter_map(|line| Some(seconds(line, "pts_time=")? + seconds(line, "duration_time=").unwrap_or(0.0)));
    let end = ends.fold(0.0, f64::max);
    Some((frames, (end * 1000.0).round() as u64))
}

/// Each file of a folder as its manifest tells of it.
fn judge(folder: &Folder, file: &File) {
    let manifest = manifest(folder);
    let closed = manifest.closed(file.file).expect("closed");
    let bytes = &folder[&file.name];
    let scan = Container::scan(file.codec, &mut Cursor::new(bytes)).expect("memory");
    assert_eq!((scan.whole, closed.bytes), (bytes.len() as u64, bytes.len() as u64), "{}", file.name);
    assert_eq!(scan.frames() as u64, closed.frames, "{}", file.name);
    let near = |a: u64, b: u64| a.abs_diff(b) <= 2;
    assert!(near(file.codec.ms(scan.end()), closed.end_ms), "{}: {} {}", file.name, scan.end(), closed.end_ms);
    assert!(near(file.codec.ms(scan.start()), closed.start_ms) && closed.start_ms == file.at_ms);
    // One picture may stand while the next ones are lost.
    let longest = scan.parts.iter().map(|part| (file.codec.ms(part.duration), part.frames)).max();
    let is_short = |(longest, frames)| longest <= if frames == 1 { 1_200 } else { 500 };
    assert!(longest.is_some_and(is_short), "{}: {longest:?} ms and frames in one part", file.name);
    assert!(scan.parts[0].independent && scan.parts.iter().filter(|part| part.independent).count() >= 2);
    let on_disk = tempfile::tempdir().expect("a folder");
    put(folder, on_disk.path());
    if let Some((frames, end)) = play(&on_disk.path().join(&file.name)) {
        assert_eq!(frames, closed.frames, "{}", file.name);
        // ffprobe does not say how long the last frame of an MP4 lasts.
        assert!(end <= closed.end_ms + 2 && closed.end_ms <= end + 40, "{}: {end} {}", file.name, closed.end_ms);
    }
}

#[test]
fn every_codec_is_kept_through_loss_and_other_sizes_in_one_file_that_plays() {
    for codec in Codec::OF_BROWSERS {
        let mut folder = Folder::new();
        let mut rig = Rig::new(Settings::default());
        rig.run(Duration::from_millis(700), |_, batch| record(&mut folder, batch));
        let fed = rig.add(codec, SMALL);
        rig.run(Duration::from_millis(1_500), |_, batch| record(&mut folder, batch));
        rig.lose(fed, Duration::from_millis(700));
        rig.run(Duration::from_millis(1_500), |_, batch| record(&mut folder, batch));
        rig.change(fed, codec, LARGE);
        rig.run(Duration::from_millis(1_200), |_, batch| record(&mut folder, batch));
        rig.stop(|_, batch| record(&mut folder, batch));
        let manifest = manifest(&folder);
        let [file] = manifest.files.as_slice() else { panic!("{:?}", manifest.files) };
        assert_eq!((file.codec, file.at_ms), (codec, 700));
        let sizes: Vec<_> = manifest.sizes.iter().map(|size| (size.width, size.height)).collect();
        assert_eq!(sizes, if codec.is_audio() { vec![] } else { vec![(160, 90), (320, 180)] });
        assert_eq!(manifest.end.map(|end| (end.why, end.dropped)), Some((EndReason::Stopped, 0)));
        judge(&folder, file);
    }
}

#[test]
fn another_codec_begins_another_file_at_a_key_frame() {
    let mut folder = Folder::new();
    let mut rig = Rig::new(Settings::default());
    let fed = rig.add(Codec::Vp8, SMALL);
    rig.run(Duration::from_millis(1_500), |_, batch| record(&mut folder, batch));
    rig.change(fed, Codec::H264, SMALL);
    rig.run(Duration::from_millis(1_500), |_, batch| record(&mut folder, batch));
    rig.stop(|_, batch| record(&mut folder, batch));
    let manifest = manifest(&folder);
    let names: Vec<_> = manifest.files.iter().map(|file| (file.name.as_str(), file.codecs.as_str())).collect();
    assert_eq!(names[0], ("0001-camera.webm", "vp8"));
    assert!(names.len() == 2 && names[1].0 == "0002-camera.mp4" && names[1].1.starts_with("avc3.42"), "{names:?}");
    let apart = manifest.files[1].at_ms.abs_diff(manifest.closed(1).expect("closed").end_ms);
    assert!(apart <= 40, "{apart} ms between the files");
    manifest.files.iter().for_each(|file| judge(&folder, file));
}

#[test]
fn a_pause_keeps_nothing_and_time_goes_on() {
    let mut folder = Folder::new();
    let mut rig = Rig::new(Settings::default());
    rig.add_all();
    rig.run(Duration::from_millis(1_200), |_, batch| record(&mut folder, batch));
    rig.recorder.pause(rig.now);
    rig.asked.clear();
    rig.run(Duration::from_secs(5), |_, batch| record(&mut folder, batch));
    assert!(rig.asked.is_empty(), "nobody needs a key frame in a pause");
    rig.recorder.resume(rig.now);
    rig.run(Duration::from_secs(2), |_, batch| record(&mut folder, batch));
    let asked: std::collections::BTreeSet<u32> = rig.asked.iter().copied().collect();
    assert_eq!(asked.len(), 4, "each picture's publisher is asked: {:?}", rig.asked);
    rig.stop(|_, batch| record(&mut folder, batch));
    let manifest = manifest(&folder);
    assert_eq!(manifest.gaps.iter().map(|gap| (gap.from_ms, gap.to_ms)).collect::<Vec<_>>(), [(1_200, 6_200)]);
    assert_eq!((manifest.files.len(), manifest.end.expect("an end").dropped), (5, 0));
    for file in &manifest.files {
        let scan = Container::scan(file.codec, &mut Cursor::new(&folder[&file.name])).expect("memory");
        let in_pause = |ms: u64| (1_240..6_180).contains(&ms);
        let kept = scan.parts.iter().any(|part| in_pause(file.codec.ms(part.time)));
        assert!(!kept && file.codec.ms(scan.end()) > 7_000, "{}", file.name);
        judge(&folder, file);
    }
}

#[test]
fn the_timeline_keeps_what_happened_and_when() {
    let mut folder = Folder::new();
    let mut rig = Rig::new(Settings::default());
    let name = "Ada \u{202e}\n\"Lovelace\"".to_owned();
    let events = [
        Event::Joined { participant: 7, name: name.clone() },
        Event::Source { participant: 7, source: "screen".to_owned(), on: true },
        Event::Speaking { participants: vec![7, 3] },
        Event::Chat { participant: 7, name, text: "two lines\nof text".to_owned() },
        Event::Mark { text: "proof".to_owned() },
        Event::Left { participant: 7 },
    ];
    for event in &events {
        rig.run(Duration::from_millis(500), |_, batch| record(&mut folder, batch));
        rig.recorder.handle_event(rig.now, event.clone());
    }
    rig.stop(|_, batch| record(&mut folder, batch));
    rig.recorder.handle_event(rig.now, events[0].clone());
    let expected = events.iter().zip(1..).map(|(event, i)| Entry { at_ms: i * 500, event: event.clone() });
    assert_eq!(timeline::read(&folder["timeline.jsonl"]), expected.collect::<Vec<_>>());
}

#[test]
fn a_track_that_is_over_begins_no_file_and_none_begins_too_many() {
    let mut folder = Folder::new();
    let mut rig = Rig::new(Settings::default());
    let over = rig.add(Codec::Vp8, SMALL);
    rig.run(Duration::from_millis(500), |_, batch| record(&mut folder, batch));
    rig.recorder.end_track(rig.fed[over].track);
    // What was on its way goes on coming, a key frame among it.
    rig.change(over, Codec::Vp8, SMALL);
    rig.run(Duration::from_secs(1), |_, batch| record(&mut folder, batch));
    assert_eq!((manifest(&folder).files.len(), rig.recorder.dropped()), (1, 0));
    rig.turn_on(over, false);
    // Somebody changes the codec with each picture.
    let flips = rig.add(Codec::Vp8, SMALL);
    let track = rig.fed[flips].track;
    let mut flip = |rig: &mut Rig, times: usize| {
        for time in 0..times {
            rig.change(flips, if time % 2 == 0 { Codec::Vp9 } else { Codec::Vp8 }, SMALL);
            rig.run(Duration::from_millis(40), |_, batch| record(&mut folder, batch));
        }
        rig.run(Duration::from_secs(1), |_, batch| record(&mut folder, batch));
        manifest(&folder).files.iter().filter(|file| file.track == track).count()
    };
    assert_eq!(flip(&mut rig, 100), 16);
    assert!(rig.refused == [track] && rig.recorder.dropped() > 30, "told once, counted each time");
    // Two minutes later two more changes are as good as any.
    rig.turn_on(flips, false);
    rig.run(Duration::from_secs(120), |_, _| None);
    rig.turn_on(flips, true);
    assert_eq!(flip(&mut rig, 20), 18);
    rig.stop(|_, batch| record(&mut folder, batch));
    assert_eq!(manifest(&folder).closed.len(), 19, "each has its end");
}
