//! Counters and gauges of the process, and their text for Prometheus. Knows nothing of what is counted.
//!
//! Who counts declares: a `static` with its name and meaning, and a `families()` that start-up
//! gives to [`register`]. Labels are fixed at compile time, so that no stranger can make series:
//!
//! ```
//! use symposia::telemetry::metrics::{Counter, Counters, Family, register, render};
//!
//! static SENT: Counter = Counter::new("symposia_doc_sent_total", "Packets sent.");
//! static DROPPED: Counters<2> =
//!     Counters::new("symposia_doc_dropped_total", "Packets dropped, by reason.", "reason", ["replay", "too-long"]);
//!
//! enum Reason { Replay, TooLong }
//!
//! fn families() -> [Family; 2] {
//!     [SENT.family(), DROPPED.family()]
//! }
//!
//! register(families());
//! SENT.add(3);
//! DROPPED.add(Reason::TooLong as usize, 1);
//! assert!(render().contains("symposia_doc_dropped_total{reason=\"too-long\"} 1"));
//! # let _ = Reason::Replay;
//! ```
//!
//! Adding is one relaxed atomic addition. Threads that count in turns per packet keep plain integers
//! of their own and add them once per turn: cores that write one cache line wait for each other.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The content type of [`render`]'s text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Something that only grows.
#[derive(Debug)]
pub struct Counter {
    name: &'static str,
    help: &'static str,
    value: AtomicU64,
}

impl Counter {
    /// At 0. `name` is `symposia_…_total`, `help` one sentence.
    #[must_use]
    pub const fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, help, value: AtomicU64::new(0) }
    }

    /// Counts `n` more.
    pub fn add(&self, n: u64) {
        self.value.fetch_add(n, Ordering::Relaxed);
    }

    /// How many so far.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.value.load(Ordering::Relaxed)
    }

    /// For [`register`].
    #[must_use]
    pub const fn family(&'static self) -> Family {
        Family { name: self.name, help: self.help, series: Series::Counter(&self.value) }
    }
}

/// Something that goes up and down.
#[derive(Debug)]
pub struct Gauge {
    name: &'static str,
    help: &'static str,
    value: AtomicI64,
}

impl Gauge {
    /// At 0. `name` is `symposia_…` with its unit, `help` one sentence.
    #[must_use]
    pub const fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, help, value: AtomicI64::new(0) }
    }

    /// Moves it; negative is down.
    pub fn add(&self, n: i64) {
        self.value.fetch_add(n, Ordering::Relaxed);
    }

    /// Sets it.
    pub fn set(&self, n: i64) {
        self.value.store(n, Ordering::Relaxed);
    }

    /// As it is now.
    #[must_use]
    pub fn value(&self) -> i64 {
        self.value.load(Ordering::Relaxed)
    }

    /// For [`register`].
    #[must_use]
    pub const fn family(&'static self) -> Family {
        Family { name: self.name, help: self.help, series: Series::Gauge(&self.value) }
    }
}

/// Counters that differ in one label. Index them by an enum whose order is that of `values`.
#[derive(Debug)]
pub struct Counters<const N: usize> {
    name: &'static str,
    help: &'static str,
    label: &'static str,
    values: [&'static str; N],
    counts: [AtomicU64; N],
}

impl<const N: usize> Counters<N> {
    /// All at 0; `values` are the label's.
    #[must_use]
    pub const fn new(name: &'static str, help: &'static str, label: &'static str, values: [&'static str; N]) -> Self {
        Self { name, help, label, values, counts: [const { AtomicU64::new(0) }; N] }
    }

    /// Counts `n` more of the label value at `index`; nothing where there is none.
    pub fn add(&self, index: usize, n: u64) {
        if let Some(count) = self.counts.get(index) {
            count.fetch_add(n, Ordering::Relaxed);
        }
    }

    /// How many so far of the label value at `index`.
    #[must_use]
    pub fn value(&self, index: usize) -> u64 {
        self.counts.get(index).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// For [`register`].
    #[must_use]
    pub const fn family(&'static self) -> Family {
        let series = Series::Counters { label: self.label, values: &self.values, counts: &self.counts };
        Family { name: self.name, help: self.help, series }
    }
}

/// A name with all its series, as Prometheus calls it.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    name: &'static str,
    help: &'static str,
    series: Series,
}

#[derive(Debug, Clone, Copy)]
enum Series {
    Counter(&'static AtomicU64),
    Gauge(&'static AtomicI64),
    Counters { label: &'static str, values: &'static [&'static str], counts: &'static [AtomicU64] },
}

impl Family {
    fn render(&self, text: &mut String) {
        let Self { name, help, series } = self;
        let kind = if matches!(series, Series::Gauge(_)) { "gauge" } else { "counter" };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing to a `String` does not fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        match series {
            Series::Counter(value) => _ = writeln!(text, "{name} {}", value.load(Ordering::Relaxed)),
            Series::Gauge(value) => _ = writeln!(text, "{name} {}", value.load(Ordering::Relaxed)),
            Series::Counters { label, values, counts } => {
                for (value, count) in values.iter().zip(*counts) {
                    let _ = writeln!(text, "{name}{{{label}=\"{value}\"}} {}", count.load(Ordering::Relaxed));
                }
            }
        }
    }
}

static FAMILIES: Mutex<Vec<Family>> = Mutex::new(Vec::new());

/// Adds families to what [`render`] shows, in this order. One whose name is there already is left out,
/// so that tests can start several servers.
pub fn register(families: impl IntoIterator<Item = Family>) {
    let mut all = FAMILIES.lock().unwrap_or_else(PoisonError::into_inner);
    for family in families {
        if all.iter().all(|known| known.name != family.name) {
            all.push(family);
        }
    }
}

/// All registered families in Prometheus' text format 0.0.4.
#[must_use]
pub fn render() -> String {
    let all = FAMILIES.lock().unwrap_or_else(PoisonError::into_inner).clone();
    all.iter().fold(String::new(), |mut text, family| {
        family.render(&mut text);
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    static ONE: Counter = Counter::new("symposia_test_one_total", "One \\ line.\nAnother.");
    static LEVEL: Gauge = Gauge::new("symposia_test_level", "Goes up and down.");
    static BY_REASON: Counters<3> =
        Counters::new("symposia_test_reason_total", "By reason.", "reason", ["replay", "too-long", "unknown"]);

    /// Reads the text format's grammar as Prometheus documents it; series by name and labels.
    fn read(text: &str) -> BTreeMap<String, f64> {
        let is_name = |name: &str| {
            !name.starts_with(|c: char| c.is_ascii_digit())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
        };
        assert!(text.is_empty() || text.ends_with('\n'));
        let mut types = BTreeMap::new();
        let mut series = BTreeMap::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert!(is_name(name) && ["counter", "gauge"].contains(&kind), "{line}");
                assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "type said twice: {line}");
            } else if let Some(rest) = line.strip_prefix("# HELP ") {
                assert!(rest.split_once(' ').is_some_and(|(name, help)| is_name(name) && !help.is_empty()), "{line}");
            } else {
                let (key, value) = line.rsplit_once(' ').unwrap();
                let name = key.split('{').next().unwrap();
                assert!(is_name(name) && types.contains_key(name), "{line}");
                if let Some(labels) = key.strip_prefix(name).filter(|labels| !labels.is_empty()) {
                    let pair = labels.strip_prefix('{').and_then(|rest| rest.strip_suffix("\"}")).unwrap();
                    let (label, value) = pair.split_once("=\"").unwrap();
                    assert!(is_name(label) && !value.contains(['"', '\\', '\n']), "{line}");
                }
                assert!(series.insert(key.to_owned(), value.parse().unwrap()).is_none(), "series said twice: {line}");
            }
        }
        series
    }

    #[test]
    fn the_rendered_text_parses_and_says_what_was_counted() {
        register([ONE.family(), LEVEL.family(), BY_REASON.family()]);
        register([ONE.family()]);
        ONE.add(2);
        ONE.add(3);
        LEVEL.set(7);
        LEVEL.add(-9);
        BY_REASON.add(1, 4);
        BY_REASON.add(99, 4);
        let series = read(&render());
        assert_eq!(series["symposia_test_one_total"], 5.0);
        assert_eq!(series["symposia_test_level"], -2.0);
        assert_eq!(series["symposia_test_reason_total{reason=\"replay\"}"], 0.0);
        assert_eq!(series["symposia_test_reason_total{reason=\"too-long\"}"], 4.0);
        assert_eq!(series["symposia_test_reason_total{reason=\"unknown\"}"], 0.0);
        assert_eq!((ONE.value(), LEVEL.value(), BY_REASON.value(1), BY_REASON.value(99)), (5, -2, 4, 0));
    }
}
