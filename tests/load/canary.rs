//! Notices when a core is taken away from everybody here: a process of the highest priority wakes every millisecond and
//! says when it was late. On a rented machine the host does that, for tens of milliseconds at a time, and a delay
//! measured meanwhile is the host's. Knows nothing of what is measured.

use super::machine;
use super::stopwatch::time_of_day;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use symposia::clock;

const INTERVAL: Duration = Duration::from_millis(1);

/// Later than this it was not alone the kernel's doing.
const LATE: Duration = Duration::from_millis(1);

/// Work that waited meanwhile is done after so many times as long.
const CATCHING_UP: u32 = 4;

/// The canary's life: told its cores by the command line, and by the last word which is its own.
pub fn sing() {
    let own = std::env::args().next_back().and_then(|word| word.parse().ok()).unwrap_or(1);
    machine::pin_to_argument(own);
    loop {
        let due = clock::now() + INTERVAL;
        std::thread::sleep(INTERVAL);
        let late = clock::now().saturating_duration_since(due);
        if late > LATE {
            println!("{} {}", time_of_day().as_micros(), late.as_micros());
        }
    }
}

/// A time in which a core was away: its end by the time of day, and how long it was.
type Absence = (Duration, Duration);

/// Both cores' canaries.
pub struct Canaries {
    children: Vec<Child>,
    absences: Arc<Mutex<Vec<Absence>>>,
}

impl Canaries {
    /// `None` where a process may not have such a priority.
    pub fn start() -> Option<Self> {
        let allowed = Command::new("chrt").args(["-f", "1", "true"]).stderr(Stdio::null()).status();
        if !allowed.is_ok_and(|status| status.success()) {
            return None;
        }
        let mut canaries = Self { children: Vec::new(), absences: Arc::default() };
        for own in ["1", "2"] {
            let part = machine::child("canary");
            let mut command = Command::new("chrt");
            command.args(["-f", "1"]).arg(part.get_program()).args(part.get_args()).arg(own);
            let mut child = command.stdout(Stdio::piped()).spawn().ok()?;
            let output = child.stdout.take()?;
            canaries.children.push(child);
            let absences = canaries.absences.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let Some((at, late)) = line.split_once(' ') else { continue };
                    let (Ok(at), Ok(late)) = (at.parse(), late.parse()) else { continue };
                    let absence = (Duration::from_micros(at), Duration::from_micros(late));
                    absences.lock().expect("nobody panics with it").push(absence);
                }
            });
        }
        Some(canaries)
    }

    /// Whether a core was away between these times of day, or what it missed was still being done.
    pub fn disturbed(&self, from: Duration, to: Duration) -> bool {
        let absences = self.absences.lock().expect("nobody panics with it");
        absences.iter().any(|(end, late)| *end + *late * CATCHING_UP > from && end.saturating_sub(*late) < to)
    }
}

impl Drop for Canaries {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
