//! The machine that measures, and what its processes have used of it.

use std::process::Command;
use std::sync::OnceLock;
use symposia::net::udp::{cores, pin_to_core};

/// The cores of this process before any thread was pinned.
fn first_cores() -> &'static [usize] {
    static CORES: OnceLock<Vec<usize>> = OnceLock::new();
    CORES.get_or_init(cores)
}

/// This program as another process, told its part and on which core to play it: a child inherits its parent's one
/// core, so it cannot find that out by itself.
pub fn child(part: &str) -> Command {
    let core = |index: usize| first_cores().get(index).or(first_cores().first()).map(usize::to_string);
    let mut command = Command::new(std::env::current_exe().expect("it is there"));
    command.arg(part).args([0, 1].iter().filter_map(|index| core(*index)));
    command
}

/// Keeps the calling thread on the core that the command line names there.
pub fn pin_to_argument(index: usize) {
    if let Some(core) = std::env::args().skip(1).filter(|word| word != "--bench").nth(index) {
        pin_to_core(core.parse().expect("a core")).expect("its own core");
    }
}

/// Lets the process use the cores that the command line names there.
pub fn use_arguments(range: std::ops::Range<usize>) {
    let mut set = rustix::thread::CpuSet::new();
    let words = std::env::args().skip(1).filter(|word| word != "--bench").skip(range.start).take(range.len());
    words.for_each(|word| set.set(word.parse().expect("a core")));
    rustix::thread::sched_setaffinity(None, &set).expect("its own cores");
}

/// Keeps the calling thread, the load generator, on the second core.
pub fn pin_load() {
    if let Some(core) = first_cores().get(1) {
        pin_to_core(*core).expect("the load's core");
    }
}

fn first_line(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()?.lines().next().map(str::to_owned)
}

/// Processor time of all threads of a process, in nanoseconds.
pub fn cpu_ns(pid: u32) -> u64 {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return 0 };
    let used = |task: std::fs::DirEntry| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    };
    tasks.flatten().filter_map(used).sum()
}

/// Memory in use, in KiB.
pub fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Prints what the figures depend on.
pub fn describe() {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|line| line.trim_start_matches([' ', '\t', ':']));
    let kernel = first_line("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = first_line("/proc/loadavg").unwrap_or_default();
    let date = Command::new("date").arg("+%F %R").output().ok();
    let date = date.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    println!("{date}; {}; Linux {kernel}; load average {load}", model.unwrap_or("unknown processor"));
}
