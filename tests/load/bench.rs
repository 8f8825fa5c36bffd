//! What forwarding costs (acceptance rows P1 and P4): a server process on one core, Bots on another.
//!
//! `cargo bench --bench load` measures and prints a table for `docs/benchmarks.md`; with numbers after `--` it
//! runs only these counts of subscribers, with `--seconds 3` shorter. The same program is the server and the
//! bare limit when told so by its first argument.
// acceptance: P1, P4
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark's output is its result")]

#[path = "../bots/mod.rs"]
mod bots;

mod bare;
mod machine;
mod run;
mod server;

use std::time::Duration;

/// In what shape the publisher sends a frame's packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// All at once, as browsers mostly do.
    Burst,
    /// Over 11.7 ms.
    Paced,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.first().map(String::as_str) {
        Some("server") => return server::serve(),
        Some("bare") => return bare::measure(),
        _ => {}
    }
    let mut counts = Vec::new();
    let mut seconds = 5;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match (word.as_str(), word.parse()) {
            ("--seconds", _) => seconds = words.next().and_then(|word| word.parse().ok()).unwrap_or(seconds),
            (_, Ok(count)) => counts.push(count),
            _ => eprintln!("{word} is no count of subscribers and is left out"),
        }
    }
    if counts.is_empty() {
        counts = vec![10, 50, 100, 200, 400, 800];
    }
    machine::describe();
    let before = bare::run();
    bare::print(&before);
    let mut rows = Vec::new();
    for shape in [Shape::Burst, Shape::Paced] {
        for count in &counts {
            let row = run::run(shape, *count, Duration::from_secs(seconds));
            eprintln!("{shape:?} {count}: {}", row.complaint().unwrap_or_else(|| "clean".into()));
            rows.push(row);
        }
    }
    // The limit is measured at both ends, since the machine may be another by then.
    let after = bare::run();
    let limit = before.mean(&after);
    run::print(&rows, &limit);
    bare::compare(&before, &after);
}
