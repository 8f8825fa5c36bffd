//! More than a core can do: what becomes of sound, and what is dropped with which reason.

use super::p2;
use crate::bots::sending::LayerShape;
use crate::field::{Field, Outcome};
use crate::report;
use crate::scenario::{Camera, PACKET_BYTES, Scenario};
use crate::stopwatch::Stopwatch;
use std::time::Duration;

/// So many times what a core can do.
const OVERLOAD: f64 = 1.5;

/// What a core can do is told from this share of it.
const CALIBRATED_AT: f64 = 0.6;

/// Three layers, so that there is something to drop.
const LAYERS: [LayerShape; 3] =
    [LayerShape::new(180, 600), LayerShape::new(360, 2 * PACKET_BYTES), LayerShape::new(720, 6 * PACKET_BYTES)];

/// The overload with what a core could do.
pub struct Overload {
    outcome: Outcome,
    capacity: f64,
    meetings: usize,
    drops: String,
}

/// Runs it.
pub fn run(time: Duration) -> Overload {
    let mut scenario = Scenario::all_to_all(1, 10, Camera { fps: 30, packets: 1 });
    (scenario.camera, scenario.checks) = (LAYERS.to_vec(), 10);
    let mut field = Field::new(&scenario);
    let took = p2::fill(&mut field, CALIBRATED_AT);
    let capacity = field.meetings() as f64 / took;
    let (from, meetings) = (field.load.clients.len(), (capacity * OVERLOAD).ceil() as usize);
    // They join while there is still room; what is looked at is what follows.
    while field.meetings() < meetings {
        field.add_meeting();
    }
    field.join();
    field.start_sending(from);
    field.run(Duration::from_secs(3));
    field.load.stopwatch = Some(Stopwatch::default());
    let before = field.server.why();
    let mut outcome = field.measure(time);
    let drops = format!("before: {before}; after: {}", field.server.why());
    outcome.run = field.close();
    eprintln!("overload: {}", outcome.complaint().unwrap_or_else(|| "clean".into()));
    Overload { outcome, capacity, meetings, drops }
}

/// Prints the table.
pub fn print(overload: &mut Overload) {
    let Overload { outcome, capacity, meetings, drops } = overload;
    report::heading("Overload: 1.5 × what a core can do (bound: sound p99 below 50 ms)");
    let (core, load, forwarded) = (outcome.core(), outcome.load_share, outcome.out_a_second());
    let (lost, seconds) = (outcome.run.lost, outcome.seconds);
    // Each microphone is heard by so many; what is missing of that was dropped on one way or the other.
    let Some(stopwatch) = &mut outcome.timed else { return };
    let timed = stopwatch.through.sounds.len() as f64 / seconds;
    let wanted = (*meetings * crate::scenario::VOICES * 50) as f64;
    let layers = stopwatch.layers;
    let frames: u64 = layers.iter().sum::<u64>().max(1);
    let layers: Vec<_> = layers.iter().map(|count| format!("{:.0} %", *count as f64 * 100.0 / frames as f64)).collect();
    let row = vec![
        format!("{meetings} meetings of 10 (a core: {capacity:.0})"),
        format!("**{:.1}** / **{:.1}**", stopwatch.through.sounds.at(0.5), stopwatch.through.sounds.at(0.99)),
        format!("**{:.0} %**", timed / wanted * 100.0),
        format!("{:.1} / {:.1}", stopwatch.through.pictures.at(0.5), stopwatch.through.pictures.at(0.99)),
        layers.join(" / "),
        format!("{forwarded:.0}"),
        format!("{:.0} %", core * 100.0),
        format!("{:.0} %", load * 100.0),
        lost.to_string(),
    ];
    let headers = [
        "scenario",
        "sound p50 / p99 ms",
        "of the sound",
        "frames p50 / p99 ms",
        "frames by layer, lowest first",
        "packets/s out",
        "server's core",
        "load's core",
        "sent and not arrived",
    ];
    report::table(&headers, &[row]);
    println!("\nThe server's counts, {drops}.");
}
