//! What `[media] trace` writes can be replayed.

use crate::bots::netem::Link;
use crate::bots::world::{Plan, World};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use symposia::clock;
use symposia::session::bandwidth::{Bandwidth, Demand, Report};
use symposia::worker::trace::Tracer;

/// Traces a call whose viewer's link loses much for a while; the name of the viewer's session.
fn traced_call(file: &Path) -> String {
    let tracer = Tracer::create(file, clock::now()).expect("a file");
    let mut world = World::call(41, Plan { tracer: Some(tracer), ..Plan::default() });
    world.run_ms(2000);
    world.set_links(1, Link::CLEAN, Link::losing(300));
    world.run_ms(3000);
    world.set_links(1, Link::CLEAN, Link::CLEAN);
    world.run_ms(3000);
    world.places[1].session.0.to_string()
}

/// What was written, once the last line is there.
fn read(file: &Path) -> String {
    for _ in 0..500 {
        let text = std::fs::read_to_string(file).expect("the trace");
        if text.ends_with("\nend\n") {
            return text;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the trace has no end");
}

#[test]
fn a_replayed_trace_gives_the_same_estimates() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("trace.csv");
    let viewer = traced_call(&file);
    let start = clock::now();
    let at = |ns: &str| start + Duration::from_nanos(ns.parse().expect("nanoseconds"));
    let mut estimators: BTreeMap<String, (Bandwidth, Vec<u32>)> = BTreeMap::new();
    for line in read(&file).lines() {
        let field: Vec<&str> = line.split(',').collect();
        match field[..] {
            ["report", session, _, sent, bytes, arrived] => {
                let (bandwidth, _) = estimators.entry(session.to_owned()).or_default();
                let arrived =
                    (!arrived.is_empty()).then(|| Duration::from_nanos(arrived.parse().expect("nanoseconds")));
                let report = Report { sent: at(sent), bytes: bytes.parse().expect("bytes"), arrived };
                bandwidth.handle_report(report);
            }
            ["feedback", session, now, estimate] => {
                let (bandwidth, estimates) = estimators.entry(session.to_owned()).or_default();
                bandwidth.handle_feedback_end(at(now));
                assert_eq!(bandwidth.estimate().to_string(), estimate, "{line}");
                estimates.push(bandwidth.estimate());
            }
            ["demand", session, now, goes, next, all] => {
                let (bandwidth, _) = estimators.entry(session.to_owned()).or_default();
                let [goes, next, all] = [goes, next, all].map(|bits| bits.parse().expect("bits"));
                bandwidth.set_demand(at(now), Demand { now: goes, next, all });
            }
            ["probe", session, now, bytes] => {
                let (bandwidth, _) = estimators.entry(session.to_owned()).or_default();
                assert!(bandwidth.poll_probe(at(now)).is_some(), "{line}");
                bandwidth.handle_probed(at(now), bytes.parse().expect("bytes"));
            }
            ["silence", session] => {
                estimators.entry(session.to_owned()).or_default().0.handle_silence();
            }
            ["missed", ..] => panic!("the disk was too slow: {line}"),
            _ => {}
        }
    }
    let (_, estimates) = &estimators[&viewer];
    assert!(estimates.len() > 50, "{}", estimates.len());
    let [least, most] = [estimates.iter().min(), estimates.iter().max()].map(|found| found.copied().unwrap_or(0));
    assert!(least * 2 < most && estimates.last() > Some(&least), "the estimate moved: {least} {most}");
}
