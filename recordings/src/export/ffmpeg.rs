//! The program that decodes and encodes: whether it is here, and one run of it as a child of the lowest priority, with
//! progress, bounded patience, and an end when somebody wants it. Knows no recording.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often it is asked whether to go on.
const LOOK: Duration = Duration::from_millis(200);
/// Without any progress for so many looks, a run is taken for dead: ten minutes, for on a busy machine who has the lowest
/// priority gets a hundredth of a core.
const PATIENCE: u32 = 3_000;
/// Pixels of a picture at most: 8192 × 8192, as much as any browser sends. What says it has more is somebody's attempt at
/// the memory of this machine.
const PIXELS: &str = "67108864";
/// Of what it said last, so many lines of so many bytes are told.
const LINES: usize = 8;
const LINE: u64 = 400;

/// Why nothing can be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// There is no `ffmpeg`.
    Ffmpeg,
    /// It can't make H.264: it was built without libx264.
    H264,
    /// It can't make AAC.
    Aac,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ffmpeg => "the server has no ffmpeg",
            Self::H264 => "the server's ffmpeg has no libx264",
            Self::Aac => "the server's ffmpeg has no AAC encoder",
        })
    }
}

/// An `ffmpeg` that can make what we want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ffmpeg {
    /// What it is called with: `nice` and `ionice` where they are here, then itself.
    command: Vec<String>,
    /// Threads of its encoder.
    pub(super) threads: usize,
    /// Whether it can write names on the picture.
    pub(super) writes: bool,
}

/// What stands before `-i` of anything that somebody sent.
pub(super) const BEFORE_INPUT: [&str; 4] = ["-threads", "1", "-max_pixels", PIXELS];

/// How a run ended that made nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// Somebody wanted it so.
    Cancelled,
    /// It could not be started.
    Start(String),
    /// It failed, or stood still; with what it said last.
    Run(String),
}

impl Ffmpeg {
    /// Looks for it, by the name of `program` or at this place. Takes some tenths of a second.
    ///
    /// # Errors
    /// When there is none, or it can't make what is wanted.
    pub fn find(program: &str) -> Result<Self, Missing> {
        let ask = |what: &str| {
            let output = Command::new(program).args(["-hide_banner", what]).stdin(Stdio::null()).output().ok()?;
            output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
        };
        let has = |list: &str, name: &str| list.lines().any(|line| line.split_whitespace().nth(1) == Some(name));
        let encoders = ask("-encoders").ok_or(Missing::Ffmpeg)?;
        if !has(&encoders, "libx264") {
            return Err(Missing::H264);
        }
        if !has(&encoders, "aac") {
            return Err(Missing::Aac);
        }
        let writes = ask("-filters").is_some_and(|filters| has(&filters, "ass"));
        let mut command = Vec::new();
        for wrapper in [&["nice", "-n", "19"][..], &["ionice", "-c", "3"]] {
            let works = Command::new(wrapper[0]).args(&wrapper[1..]).arg("true").output();
            if works.is_ok_and(|output| output.status.success()) {
                command.extend(wrapper.iter().map(|word| (*word).to_owned()));
            }
        }
        command.push(program.to_owned());
        // Half of the machine: what people do now comes first also where the system minds no priority.
        let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
        Ok(Self { command, threads, writes })
    }

    /// One that nobody looked at, for plans.
    #[cfg(test)]
    pub(super) fn of_name(program: &str) -> Self {
        Self { command: vec![program.to_owned()], threads: 1, writes: false }
    }

    /// Runs it in a folder until it is done. `progress` is told how many pictures it made, and how many microseconds.
    pub(super) fn run(
        &self,
        folder: &Path,
        arguments: &[String],
        cancelled: &AtomicBool,
        mut progress: impl FnMut(Progress),
    ) -> Result<Progress, Failure> {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]);
        command.args(["-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-progress", "pipe:1", "-y"]);
        // Times are those of the recording; a packet that can't be decoded is no reason to give up.
        command.args(["-copyts", "-max_error_rate", "1", "-filter_complex_threads", "1"]);
        command.args(arguments).current_dir(folder);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| Failure::Start(error.to_string()))?;
        // Where memory runs short, this one goes, and no meeting. It has ended already, or the system has no such file.
        let _ = std::fs::write(format!("/proc/{}/oom_score_adj", child.id()), "1000");
        let said = child.stderr.take().map(last_lines);
        let lines = child.stdout.take().map(progress_of);
        let mut last = Progress::default();
        let ended = match lines {
            Some(lines) => follow(&lines, cancelled, |next| {
                last = next;
                progress(next);
            }),
            None => Ended::ByItself,
        };
        let status = end(&mut child, ended);
        let said = said.and_then(|thread| thread.join().ok()).unwrap_or_default();
        match (ended, status) {
            (Ended::Cancelled, _) => Err(Failure::Cancelled),
            (Ended::StoodStill, _) => Err(Failure::Run(format!("it stood still. {said}"))),
            (Ended::ByItself, Ok(status)) if status.success() => Ok(last),
            (Ended::ByItself, Ok(status)) => Err(Failure::Run(format!("{status}. {said}"))),
            (Ended::ByItself, Err(error)) => Err(Failure::Run(format!("{error}. {said}"))),
        }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Progress {
    /// Pictures that were made.
    pub(super) frames: u64,
    /// Microseconds that were made.
    pub(super) micros: u64,
}

#[derive(Clone, Copy)]
enum Ended {
    ByItself,
    Cancelled,
    StoodStill,
}

fn end(child: &mut Child, ended: Ended) -> io::Result<std::process::ExitStatus> {
    if !matches!(ended, Ended::ByItself) {
        // It may have ended meanwhile; to wait for it is right in any case.
        let _ = child.kill();
    }
    child.wait()
}

fn follow(lines: &Receiver<Progress>, cancelled: &AtomicBool, mut progress: impl FnMut(Progress)) -> Ended {
    let (mut last, mut still) = (Progress::default(), 0);
    loop {
        if cancelled.load(Ordering::Relaxed) {
            return Ended::Cancelled;
        }
        match lines.recv_timeout(LOOK) {
            Ok(next) if next != last => {
                (last, still) = (next, 0);
                progress(next);
            }
            // Twice a second it tells where it stands also where that is no other place.
            Ok(_) => still += 2,
            Err(RecvTimeoutError::Timeout) => still += 1,
            Err(RecvTimeoutError::Disconnected) => return Ended::ByItself,
        }
        if still > PATIENCE {
            return Ended::StoodStill;
        }
    }
}

/// Reads what `-progress` tells. Ends with the child.
fn progress_of(output: ChildStdout) -> Receiver<Progress> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut now = Progress::default();
        for line in BufReader::new(output).lines() {
            let Ok(line) = line else { return };
            let Some((key, value)) = line.split_once('=') else { continue };
            match key {
                "frame" => now.frames = value.trim().parse().unwrap_or(now.frames),
                "out_time_us" => now.micros = value.trim().parse().unwrap_or(now.micros),
                "progress" if sender.send(now).is_err() => return,
                _ => {}
            }
        }
    });
    receiver
}

/// Reads what it complains of, and keeps the end of that.
fn last_lines(output: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut lines = VecDeque::new();
        let mut reader = BufReader::new(output);
        let mut line = Vec::new();
        while (&mut reader).take(LINE).read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            if lines.len() == LINES {
                lines.pop_front();
            }
            lines.push_back(String::from_utf8_lossy(&line).trim().to_owned());
            line.clear();
        }
        Vec::from(lines).join("\n")
    })
}
