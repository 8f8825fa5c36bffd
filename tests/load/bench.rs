//! What forwarding costs and how long it takes: a server process on one core, Bots on another.
//!
//! `cargo bench --bench load` measures all and prints tables for `docs/benchmarks.md`. After `--`: `--only p1,p5` for
//! some rows, `--seconds 3` for shorter or longer windows, numbers for other counts of subscribers in P1. `soak`: not a
//! measurement but [`soak`]. The same program is the server and the bare limit when told so by its first argument.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark's output is its result")]

#[path = "../bots/mod.rs"]
mod bots;

mod bare;
mod canary;
mod clients;
mod cost;
mod counts;
mod field;
mod machine;
mod process;
mod report;
mod rows;
mod scenario;
#[path = "../seat/mod.rs"]
mod seat;
mod server;
mod soak;
mod stopwatch;

use rows::{idle, overload, p1, p2, p5, p6, recording, saturation, workers};
use std::time::Duration;

/// What can be measured, in the order in which it is.
const ROWS: [&str; 9] = ["p1", "saturation", "p2", "p5", "p6", "idle", "overload", "workers", "recording"];

/// What the command line says.
struct Options {
    only: Vec<String>,
    time: Duration,
    counts: Vec<usize>,
}

impl Options {
    /// Reads the words; `Err` with what cannot be understood.
    fn read(words: &[String]) -> Result<Self, String> {
        let mut options = Self { only: Vec::new(), time: Duration::from_secs(3), counts: Vec::new() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match (word.as_str(), word.parse()) {
                ("--only", _) => options.only = value()?.split(',').map(str::to_owned).collect(),
                ("--seconds", _) => {
                    let seconds = value()?.parse().map_err(|_| "--seconds needs a number".to_owned())?;
                    options.time = Duration::from_secs(seconds);
                }
                (_, Ok(count)) => options.counts.push(count),
                _ => return Err(format!("{word} is not understood")),
            }
        }
        match options.only.iter().find(|row| !ROWS.contains(&row.as_str()) && *row != "limit") {
            Some(unknown) => Err(format!("{unknown} is none of limit, {}", ROWS.join(", "))),
            None => Ok(options),
        }
    }

    fn wants(&self, row: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == row)
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.first().map(String::as_str) {
        Some("server") => return server::serve(),
        Some("bare") => return bare::measure(),
        Some("canary") => return canary::sing(),
        Some("soak") => std::process::exit(i32::from(!soak::run())),
        _ => {}
    }
    let options = match Options::read(&arguments) {
        Ok(options) => options,
        Err(why) => {
            eprintln!("{why}");
            std::process::exit(2);
        }
    };
    machine::describe();
    let before = bare::run();
    machine::pin_load();
    let time = options.time;
    let counts = if options.counts.is_empty() { &p1::COUNTS[..] } else { &options.counts };
    let p1 = options.wants("p1").then(|| p1::run(counts, time));
    let saturation = options.wants("saturation").then(|| saturation::run(time));
    let p2 = options.wants("p2").then(|| p2::run(time));
    let p5 = options.wants("p5").then(|| p5::run(time));
    let p6 = options.wants("p6").then(|| p6::run(time));
    let idle = options.wants("idle").then(|| idle::run(time));
    let overload = options.wants("overload").then(|| overload::run(time));
    let two = options.wants("workers").then(|| workers::run(time));
    let recording = options.wants("recording").then(|| recording::run(time));
    // The limit is measured at both ends, since the machine may be another by then; tables take the mean.
    let after = bare::run();
    let limit = before.mean(&after);
    report::heading("Bare limit: at the beginning, at the end, and the mean that the tables take");
    bare::print(&[&before, &after, &limit]);
    if let Some(outcomes) = p1 {
        p1::print(outcomes, &limit);
    }
    if let Some(saturation) = saturation {
        saturation::print(&saturation);
    }
    if let Some(mut outcomes) = p2 {
        p2::print(&mut outcomes, &limit);
    }
    if let Some(outcomes) = p5 {
        p5::print(outcomes);
    }
    if let Some(measured) = p6 {
        p6::print(&measured);
    }
    if let Some(outcomes) = idle {
        idle::print(&outcomes);
    }
    if let Some(mut overload) = overload {
        overload::print(&mut overload);
    }
    if let Some(two) = two {
        workers::print(&two);
    }
    if let Some(outcomes) = recording {
        recording::print(&outcomes);
    }
}
