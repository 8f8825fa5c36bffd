//! Whether files play: judged by ffmpeg and ffprobe where these are installed, and by our own reader.

use recordings::{Codec, Container};
use serde_json::Value;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::Command;

/// Frames of a file that a decoder could show; fails where anything is wrong with it.
pub fn play(file: &Path, codec: Codec) -> usize {
    let len = std::fs::metadata(file).expect("a file").len();
    let scan = Container::scan(codec, &mut BufReader::new(File::open(file).expect("a file"))).expect("readable");
    assert_eq!(scan.whole, len, "{}: whole to its end", file.display());
    if Command::new("ffprobe").arg("-version").output().is_err() {
        eprintln!("no ffprobe here: files are judged by our own reader only");
        return scan.frames();
    }
    let decoded = Command::new("ffmpeg")
        .args(["-v", "warning", "-xerror", "-err_detect", "crccheck", "-i"])
        .arg(file)
        // As they come: pictures of a real camera have no steady rate.
        .args(["-fps_mode", "passthrough", "-enc_time_base", "-1", "-f", "null", "-"])
        .output()
        .expect("ffmpeg");
    let said = String::from_utf8_lossy(&decoded.stderr);
    if !decoded.status.success() || !said.trim().is_empty() {
        let entries = ["-v", "error", "-show_entries", "packet=pts_time,flags,size", "-of", "csv=p=0"];
        let packets = Command::new("ffprobe").args(entries).arg(file).output().expect("ffprobe");
        panic!("{}: {said}\n{}", file.display(), String::from_utf8_lossy(&packets.stdout));
    }
    let probed = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"])
        .arg(file)
        .output()
        .expect("ffprobe");
    let frames: usize = String::from_utf8_lossy(&probed.stdout).trim().trim_end_matches(',').parse().expect("a number");
    assert!(frames >= scan.frames(), "{}: {frames} of {} decoded", file.display(), scan.frames());
    frames
}

/// Each track of a recording as REST shows it, with its file.
pub fn tracks<'a>(recording: &'a Value, folder: &Path) -> Vec<(&'a Value, std::path::PathBuf, Codec)> {
    let folder = folder.join(recording["id"].as_str().expect("an id"));
    let each = recording["tracks"].as_array().expect("a list").iter().map(|track| {
        let sound = track["codec"] == "opus";
        let number: u32 = track["id"].as_str().and_then(|id| id.parse().ok()).expect("a number");
        let (source, ending) = (track["source"].as_str().expect("a word"), if sound { "mp4" } else { "webm" });
        let codec = if sound { Codec::Opus } else { Codec::Vp8 };
        (track, folder.join(format!("{number:04}-{source}.{ending}")), codec)
    });
    each.collect()
}
