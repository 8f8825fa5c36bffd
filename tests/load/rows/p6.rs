//! Meetings as people hold them.
// acceptance: P6

use crate::bots::bot::Bot;
use crate::field::{self, Outcome};
use crate::scenario::{Scenario, meetings};
use crate::{cost, report};
use std::time::Duration;
use symposia::session::plan::Kind;

/// What was measured, and how many different voices a listener who checks heard at once.
pub struct Measured {
    outcome: Outcome,
    voices: usize,
}

/// Sound slots in which something came in the last second of the run.
fn voices(bot: &Bot) -> usize {
    let newest = bot.slots_of(Kind::Audio).filter_map(|slot| slot.last()).map(|got| got.at).max();
    let fresh = |at| newest.is_some_and(|newest| newest.duration_since(at) < Duration::from_secs(1));
    bot.slots_of(Kind::Audio).filter(|slot| slot.last().is_some_and(|got| fresh(got.at))).count()
}

fn one(scenario: &Scenario, time: Duration) -> Measured {
    let (outcome, voices) = field::run_and_look(scenario, time, |field| {
        let checking = field.load.clients.iter().filter(|client| client.checks);
        checking.map(|client| voices(&client.bot)).max().unwrap_or(0)
    });
    Measured { outcome, voices }
}

/// Runs all.
pub fn run(time: Duration) -> Vec<Measured> {
    meetings().iter().map(|scenario| one(scenario, time)).collect()
}

/// Prints the table.
pub fn print(measured: &[Measured]) {
    report::heading("P6: meetings (bound: P1's 1.4 × for their burst length; 5 sound streams a listener at most)");
    let headers: Vec<_> = cost::HEADERS.into_iter().chain(["sessions", "KiB per session", "sounds heard"]).collect();
    let row = |measured: &Measured| {
        let mut row = cost::row(&measured.outcome);
        row.push(measured.outcome.scenario.sessions().to_string());
        row.push(format!("{:.0}", measured.outcome.run.session_kib));
        row.push(measured.voices.to_string());
        row
    };
    report::table(&headers, &measured.iter().map(row).collect::<Vec<_>>());
}
