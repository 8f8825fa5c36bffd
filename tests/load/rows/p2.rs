//! The delay that the server adds: under a load of unsynchronised meetings, and from one to many.
// acceptance: P2

use crate::bare::Limit;
use crate::field::{Field, Outcome};
use crate::report;
use crate::scenario::{Camera, Scenario, Shape};
use std::time::Duration;

/// The share of a core that meetings shall take.
const SHARE: f64 = 0.7;

/// Meetings at most, should a meeting cost next to nothing.
const MOST_MEETINGS: usize = 60;

/// Where less than this share of what is wanted arrives no more meetings are added.
const BEHIND: f64 = 0.9;

/// Bounds in milliseconds.
const BOUND: (f64, f64) = (0.3, 3.0);

fn ten() -> Scenario {
    let ten = Scenario::all_to_all(1, 10, Camera { fps: 30, packets: 3 });
    // One in each meeting decrypts, and so times what comes.
    Scenario { checks: 10, ..ten }
}

/// Adds meetings until they take this share of the server's core.
pub fn fill(field: &mut Field, share: f64) -> f64 {
    let mut wanted = 3_usize;
    loop {
        let from = field.load.clients.len();
        while field.meetings() < wanted {
            field.add_meeting();
        }
        field.join();
        field.start_sending(from);
        field.settle();
        let outcome = field.measure(Duration::from_secs(1));
        let took = outcome.core();
        // Where not all arrives it has no more to give, whatever its processor time says: others use the core, too.
        let behind = outcome.complete() < BEHIND;
        if behind {
            eprintln!(
                "{:.0} % of what is wanted arrives at {:.0} % of a core",
                outcome.complete() * 100.0,
                took * 100.0
            );
        }
        if behind || took > share - 0.04 || wanted >= MOST_MEETINGS {
            return took;
        }
        // Meetings cost less the more there are: not all of the way at once.
        let missing = wanted as f64 * (share / took - 1.0);
        wanted += ((missing * 0.8).round() as usize).clamp(1, 2 * wanted);
    }
}

fn meetings(time: Duration) -> (Outcome, f64) {
    let mut field = Field::new(&ten());
    fill(&mut field, SHARE);
    let (mut outcome, counted) = field.measure_undisturbed(time);
    outcome.scenario.name = format!("{} meetings of 10, all to all, 30 × 3 packets", field.meetings());
    outcome.run = field.close();
    (outcome, counted)
}

fn one_to(listeners: usize, time: Duration) -> (Outcome, f64) {
    // All decrypt: of each frame the last destination is looked for.
    let scenario = Scenario { checks: 1, ..Scenario::one_to(listeners, Shape::Burst) };
    let mut field = Field::open(&scenario);
    field.start_sending(0);
    field.settle();
    let (mut outcome, counted) = field.measure_undisturbed(time);
    outcome.run = field.close();
    (outcome, counted)
}

/// Runs all; each with the share of its windows that counts.
pub fn run(time: Duration) -> Vec<(Outcome, f64)> {
    let outcomes = vec![meetings(time), one_to(150, time), one_to(400, time)];
    for (outcome, _) in &outcomes {
        let complaint = outcome.complaint().unwrap_or_else(|| "clean".into());
        eprintln!("{}: {complaint} ({})", outcome.scenario.name, outcome.run.why);
    }
    outcomes
}

/// Milliseconds without the load generator's own; `NaN` where either was not timed.
fn added(through: f64, direct: f64) -> f64 {
    let added = through - direct;
    if added < 0.0 { 0.0 } else { added }
}

/// Prints the tables.
pub fn print(outcomes: &mut [(Outcome, f64)], limit: &Limit) {
    report::heading(&format!("P2: added delay (bounds: p50 {} ms, p99 {} ms)", BOUND.0, BOUND.1));
    println!(
        "\nFrom before the Bot's system call to the kernel's receive stamp at the other Bot, less the p50 of the same \
         from the load generator straight to itself in the same run. Windows of 200 ms in which the host took a core away for \
         more than 1 ms are left out."
    );
    let (mut rows, mut last) = (Vec::new(), Vec::new());
    for (outcome, counted) in outcomes {
        let (core, load) = (outcome.core(), outcome.load_share);
        let Some(stopwatch) = &mut outcome.timed else { continue };
        let name = outcome.scenario.name.clone();
        let direct = (stopwatch.direct.pictures.at(0.5), stopwatch.direct.sounds.at(0.5));
        let own = (stopwatch.direct.pictures.at(0.99), stopwatch.direct.sounds.at(0.99));
        let (pictures, sounds) = (&mut stopwatch.through.pictures, &mut stopwatch.through.sounds);
        let number = |ms: f64| format!("{ms:.2}");
        rows.push(vec![
            name.clone(),
            format!("{:.0} %", core * 100.0),
            format!("**{:.2}** / **{:.2}**", added(pictures.at(0.5), direct.0), added(pictures.at(0.99), direct.0)),
            format!("**{:.2}** / **{:.2}**", added(sounds.at(0.5), direct.1), added(sounds.at(0.99), direct.1)),
            format!("{} / {}", number(direct.0), number(own.0)),
            format!("{} / {}", number(direct.1), number(own.1)),
            format!("{} / {}", pictures.len(), sounds.len()),
            format!("{:.0} %", load * 100.0),
            number(outcome.late.at(0.99)),
            format!("{:.0} %", *counted * 100.0),
        ]);
        if outcome.scenario.publishers == 1 {
            let listeners = outcome.scenario.listeners;
            let frame = outcome.scenario.packets_of_a_frame();
            let ideal = listeners as f64 * frame as f64 * limit.picture.at(frame) / 1e6;
            let mut slowest = stopwatch.last_destinations();
            let (p50, p99) = (added(slowest.at(0.5), direct.0), added(slowest.at(0.99), direct.0));
            last.push(vec![
                name,
                format!("**{:.2}**", p50 / ideal),
                format!("{:.2}", p99 / ideal),
                number(p50),
                number(p99),
                number(ideal),
                number(added(stopwatch.through.sounds.at(0.99), direct.1)),
            ]);
        }
    }
    report::table(
        &[
            "scenario",
            "server's core",
            "complete frames p50 / p99 ms",
            "sound p50 / p99 ms",
            "load's own, frames p50 / p99",
            "load's own, sound p50 / p99",
            "timed",
            "load's core",
            "load late p99 ms",
            "windows that count",
        ],
        &rows,
    );
    println!("\nThe last destination of each frame (bound: 1.5 × N × the bare cost of a burst; sound p99 3 ms):");
    report::table(
        &["scenario", "× N bursts, p50", "× N bursts, p99", "p50 ms", "p99 ms", "N bare bursts ms", "sound p99 ms"],
        &last,
    );
}
