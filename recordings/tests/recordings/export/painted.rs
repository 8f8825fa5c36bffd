//! Participants who are one colour and one tone, and what is found of them in a composed file. Knows no layout.

use crate::media::Source;
use recordings::Codec;
use std::path::Path;
use std::process::Command;

fn ffmpeg(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("ffmpeg").args(["-v", "error", "-nostdin"]).args(arguments).output().expect("ffmpeg");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Two seconds of a colour, as a camera sends it.
pub fn picture(codec: Codec, colour: &str, size: &str) -> Source {
    let input = format!("color=c={colour}:s={size}:r=30:d=2,format=yuv420p");
    let (encoder, options, format): (_, &[&str], _) = match codec {
        Codec::Vp8 => ("libvpx", &["-deadline", "realtime", "-cpu-used", "8"], "ivf"),
        Codec::Vp9 => ("libvpx-vp9", &["-deadline", "realtime", "-cpu-used", "8", "-lag-in-frames", "0"], "ivf"),
        Codec::Av1 => ("libaom-av1", &["-usage", "realtime", "-cpu-used", "8", "-lag-in-frames", "0"], "ivf"),
        Codec::H264 => (
            "libx264",
            &[
                "-profile:v",
                "baseline",
                "-tune",
                "zerolatency",
                "-x264-params",
                "threads=1:sliced-threads=0",
                "-bsf:v",
                "h264_metadata=aud=insert",
            ],
            "h264",
        ),
        _ => panic!("no camera sends it"),
    };
    let head = ["-f", "lavfi", "-i", &input, "-c:v", encoder, "-b:v", "60k", "-g", "30"];
    Source::read(codec, &ffmpeg(&[&head, options, &["-f", format, "pipe:1"]].concat()))
}

/// A tone whose packets can be repeated: whole waves in two seconds.
pub fn tone(hz: u32) -> Source {
    tone_of(hz, 2)
}

/// A tone of so many seconds.
pub fn tone_of(hz: u32, seconds: u32) -> Source {
    let input = format!("sine=frequency={hz}:duration={seconds}:sample_rate=48000");
    let options = ["-c:a", "libopus", "-b:a", "48k", "-frame_duration", "20", "-f", "ogg", "pipe:1"];
    Source::read(Codec::Opus, &ffmpeg(&[&["-f", "lavfi", "-i", &input][..], &options].concat()))
}

/// One H.264 stream and one AAC stream of this length, in seconds, whose head comes first.
pub fn judge_container(file: &Path, length: f64) {
    let fields = "format=duration:stream=codec_name,codec_type,duration,nb_read_frames,r_frame_rate,start_time,pix_fmt";
    let output = Command::new("ffprobe")
        .args(["-v", "warning", "-count_frames", "-of", "json", "-show_entries", fields])
        .arg(file)
        .output()
        .expect("ffprobe");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let number =
        |value: &serde_json::Value| value.as_str().and_then(|text| text.parse::<f64>().ok()).expect("a number");
    let streams = found["streams"].as_array().expect("streams");
    let codecs: Vec<_> = streams.iter().filter_map(|stream| stream["codec_name"].as_str()).collect();
    assert_eq!(codecs, ["h264", "aac"]);
    for stream in streams {
        assert!((number(&stream["duration"]) - length).abs() <= 0.1, "{length} s: {found}");
        assert!(number(&stream["start_time"]).abs() <= 0.03, "{found}");
    }
    assert!((number(&found["format"]["duration"]) - length).abs() <= 0.1, "{length} s: {found}");
    assert!((number(&streams[0]["nb_read_frames"]) - length * 30.0).abs() <= 1.0, "{length} s: {found}");
    assert_eq!(streams[0]["pix_fmt"], "yuv420p");
    let bytes = std::fs::read(file).expect("a file");
    let at = |kind: &[u8]| bytes.windows(4).position(|window| window == kind);
    assert!(at(b"moov") < at(b"mdat"), "a browser needs the head first");
}

const WIDTH: usize = 128;
const HEIGHT: usize = 72;
const FPS: f64 = 30.0;

/// The pictures of a file, small.
pub struct Seen(Vec<u8>);

impl Seen {
    pub fn of(file: &Path) -> Self {
        let filter = format!("scale={WIDTH}:{HEIGHT}:flags=area");
        let file = file.to_str().expect("a name");
        Self(ffmpeg(&["-i", file, "-an", "-vf", &filter, "-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1"]))
    }

    fn frame(&self, number: usize) -> &[u8] {
        let len = WIDTH * HEIGHT * 3;
        &self.0[number * len..(number + 1) * len]
    }

    fn frames(&self) -> usize {
        self.0.len() / (WIDTH * HEIGHT * 3)
    }

    fn pixels(&self, number: usize, colour: [u8; 3]) -> Vec<usize> {
        let near = |pixel: &[u8]| pixel.iter().zip(colour).all(|(is, wanted)| is.abs_diff(wanted) < 70);
        self.frame(number).chunks(3).enumerate().filter(|(_, pixel)| near(pixel)).map(|(i, _)| i).collect()
    }

    /// How much of the picture at a second has a colour.
    pub fn share(&self, colour: [u8; 3], at: f64) -> f64 {
        self.pixels((at * FPS) as usize, colour).len() as f64 / (WIDTH * HEIGHT) as f64
    }

    /// How wide what has a colour is, measured by its height.
    pub fn shape(&self, colour: [u8; 3], at: f64) -> f64 {
        let pixels = self.pixels((at * FPS) as usize, colour);
        let extent = |of: &dyn Fn(usize) -> usize| {
            let all = pixels.iter().map(|pixel| of(*pixel));
            (all.clone().max().unwrap_or(0) - all.min().unwrap_or(0) + 1) as f64
        };
        extent(&|pixel| pixel % WIDTH) / extent(&|pixel| pixel / WIDTH)
    }

    /// From when on, and until when, a colour has more than a share, in seconds.
    pub fn spans(&self, colour: [u8; 3], share: f64) -> Vec<(f64, f64)> {
        let least = (share * (WIDTH * HEIGHT) as f64) as usize;
        spans((0..self.frames()).map(|frame| self.pixels(frame, colour).len() > least), 1.0 / FPS)
    }
}

fn spans(states: impl Iterator<Item = bool>, step: f64) -> Vec<(f64, f64)> {
    let mut spans: Vec<(f64, f64)> = Vec::new();
    let mut before = false;
    for (i, state) in states.enumerate() {
        let at = i as f64 * step;
        match (before, state) {
            (false, true) => spans.push((at, at + step)),
            (true, true) => spans.last_mut().expect("one").1 = at + step,
            _ => {}
        }
        before = state;
    }
    spans
}

const RATE: f64 = 48_000.0;
/// What is judged at once: whole waves of all tones.
const WINDOW: usize = 960;
/// As loud as ffmpeg's `sine` is.
const LOUD: f64 = 0.125;

/// The sound of a file.
pub struct Heard(Vec<f64>);

impl Heard {
    pub fn of(file: &Path) -> Self {
        let file = file.to_str().expect("a name");
        // The left channel: each is alike, and a mean would hide that one is missing.
        let bytes = ffmpeg(&["-i", file, "-vn", "-af", "pan=mono|c0=c0", "-ar", "48000", "-f", "s16le", "pipe:1"]);
        Self(bytes.chunks_exact(2).map(|pair| f64::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0).collect())
    }

    /// How strong a tone is in a window (Goertzel), 1 for a full wave.
    fn strength(&self, hz: u32, start: usize) -> f64 {
        self.strength_of(hz, start, WINDOW)
    }

    fn strength_of(&self, hz: u32, start: usize, len: usize) -> f64 {
        let samples = self.0.get(start..start + len).unwrap_or_default();
        let turn = 2.0 * std::f64::consts::PI * f64::from(hz) / RATE;
        let (mut last, mut before) = (0.0, 0.0);
        for sample in samples {
            (last, before) = (sample + 2.0 * turn.cos() * last - before, last);
        }
        let power = last * last + before * before - 2.0 * turn.cos() * last * before;
        2.0 * power.max(0.0).sqrt() / len as f64
    }

    /// How much quieter and louder a tone becomes than its source, in steps of 5 ms.
    pub fn bounds(&self, hz: u32, from: f64, to: f64) -> (f64, f64) {
        // Two waves and more at once, so that it matters little where they begin.
        let len = (3.0 * RATE / f64::from(hz)).round() as usize;
        let starts = ((from * RATE) as usize..(to * RATE) as usize).step_by(240);
        let levels = starts.map(|start| 20.0 * (self.strength_of(hz, start, len) / LOUD).log10());
        levels.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), level| (low.min(level), high.max(level)))
    }

    /// The steepest step from sample to sample, measured by the steepest of the tone.
    pub fn steps(&self, hz: u32, from: f64, to: f64) -> f64 {
        let samples = &self.0[(from * RATE) as usize..(to * RATE) as usize];
        let steepest = LOUD * 2.0 * std::f64::consts::PI * f64::from(hz) / RATE;
        samples.windows(2).map(|pair| (pair[1] - pair[0]).abs() / steepest).fold(0.0, f64::max)
    }

    /// How much louder a tone is than its source was, in decibels.
    pub fn level(&self, hz: u32, at: f64) -> f64 {
        20.0 * (self.strength(hz, (at * RATE) as usize) / LOUD).log10()
    }

    /// From when on, and until when, a tone is heard, in seconds.
    pub fn spans(&self, hz: u32) -> Vec<(f64, f64)> {
        let heard = (0..self.0.len() / WINDOW).map(|i| self.strength(hz, i * WINDOW) > LOUD / 2.0);
        let mut joined: Vec<(f64, f64)> = Vec::new();
        for (from, to) in spans(heard, WINDOW as f64 / RATE) {
            match joined.last_mut() {
                // Where a source begins again, its encoder needs a moment.
                Some(last) if from - last.1 < 0.03 => last.1 = to,
                _ => joined.push((from, to)),
            }
        }
        joined
    }

    /// The loudest sample between two times.
    pub fn peak(&self, from: f64, to: f64) -> f64 {
        let (from, to) = ((from * RATE) as usize, (to * RATE) as usize);
        self.0[from..to].iter().fold(0.0, |peak, sample| f64::max(peak, sample.abs()))
    }
}
