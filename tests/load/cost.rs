//! What a forwarded packet cost beside what it must cost: the columns that all tables of costs share.

use super::field::Outcome;
use super::report;
use super::scenario::Shape;

/// A load generator that is busier than this may be what is measured.
const BUSY: f64 = 0.9;

/// The headers of [`row`].
pub const HEADERS: [&str; 14] = [
    "scenario",
    "× bare limit",
    "× with bare receiving",
    "µs per forwarded packet",
    "bare limit µs",
    "packets/s in",
    "packets/s out",
    "of what is wanted",
    "server's core",
    "load's core",
    "lost",
    "problems",
    "bursts by packets",
    "counts",
];

impl Outcome {
    /// Nanoseconds per forwarded packet that sealing and sending the same bursts takes.
    pub fn bare_cost(&self) -> f64 {
        self.bursts.bare_ns(&self.limit) / self.forwarded as f64
    }

    /// How many times that.
    pub fn ratio(&self) -> f64 {
        self.cost() / self.bare_cost()
    }

    /// Nanoseconds that receiving and opening what came in takes with nothing around it. Publishers send a frame in one
    /// burst, and sounds alone; what leaves with every frame tells the shares.
    pub fn bare_received(&self) -> f64 {
        let (fps, frame) = (self.scenario.fps as usize, self.scenario.packets_of_a_frame());
        let sounds = self.scenario.microphones * 50;
        let pictures = self.scenario.publishers * fps * frame;
        let share = pictures as f64 / (pictures + sounds) as f64;
        let burst = if self.scenario.shape == Shape::Burst { frame } else { 1 };
        self.received as f64 * (share * self.limit.receive.at(burst) + (1.0 - share) * self.limit.receive.at(1))
    }

    /// How many times receiving, opening, sealing and sending with nothing around them.
    pub fn ratio_with_receiving(&self) -> f64 {
        self.cpu_ns as f64 / (self.bursts.bare_ns(&self.limit) + self.bare_received())
    }

    /// What is wrong with the run apart from its speed.
    pub fn complaint(&self) -> Option<String> {
        let run = &self.run;
        let mut wrong = Vec::new();
        if run.lost != 0 {
            wrong.push(format!("{} sent and not arrived ({})", run.lost, run.why));
        }
        if run.unheard != 0 {
            wrong.push(format!("{} not heard by the server", run.unheard));
        }
        if let Some(first) = run.problems.first() {
            wrong.push(format!("{} problems, first: {first}", run.problems.len()));
        }
        if run.other_cipher > 0 {
            wrong.push(format!("{} with another cipher", run.other_cipher));
        }
        if self.load_share > BUSY {
            wrong.push(format!("load generator busy {:.0} %", self.load_share * 100.0));
        }
        (!wrong.is_empty()).then(|| wrong.join("; "))
    }

    /// Whether the run counts (acceptance P1), in a word or two.
    pub fn validity(&self) -> String {
        let mut wrong = Vec::new();
        if !self.limit.out_of_range(self.bursts.frequent()).is_empty() {
            wrong.push("limit out of range");
        }
        if self.run.other_cipher > 0 {
            wrong.push("cipher");
        }
        if self.run.lost != 0 || self.run.unheard != 0 {
            wrong.push("counters");
        }
        if self.load_share > BUSY {
            wrong.push("load generator busy");
        }
        if wrong.is_empty() { "yes".into() } else { format!("no: {}", wrong.join(", ")) }
    }
}

/// One scenario's row.
pub fn row(outcome: &Outcome) -> Vec<String> {
    vec![
        outcome.scenario.name.clone(),
        format!("**{:.2}**", outcome.ratio()),
        format!("{:.2}", outcome.ratio_with_receiving()),
        format!("{:.2}", outcome.cost() / 1e3),
        format!("{:.2}", outcome.bare_cost() / 1e3),
        format!("{:.0}", outcome.in_a_second()),
        format!("{:.0}", outcome.out_a_second()),
        format!("{:.0} %", outcome.complete() * 100.0),
        format!("{:.0} %", outcome.core() * 100.0),
        format!("{:.0} %", outcome.load_share * 100.0),
        outcome.run.lost.to_string(),
        outcome.run.problems.len().to_string(),
        outcome.bursts.describe(),
        outcome.validity(),
    ]
}

/// Prints rows of scenarios.
pub fn table(outcomes: &[Outcome]) {
    let rows: Vec<_> = outcomes.iter().map(row).collect();
    report::table(&HEADERS, &rows);
}

/// The least-squares a and b of CPU = a × sent + b × received, in nanoseconds.
pub fn fit(outcomes: &[Outcome]) -> Option<(f64, f64)> {
    let (mut ss, mut sr, mut rr, mut sc, mut rc) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for outcome in outcomes {
        // Each row weighs the same, or the largest would decide alone.
        let weight = 1.0 / outcome.cpu_ns as f64;
        let (s, r) = (outcome.forwarded as f64 * weight, outcome.received as f64 * weight);
        (ss, sr, rr, sc, rc) = (ss + s * s, sr + s * r, rr + r * r, sc + s, rc + r);
    }
    let determinant = ss * rr - sr * sr;
    // With one ratio of sent to received in all rows the two cannot be told apart.
    (determinant > 1e-6 * ss * rr).then(|| ((sc * rr - rc * sr) / determinant, (rc * ss - sc * sr) / determinant))
}
