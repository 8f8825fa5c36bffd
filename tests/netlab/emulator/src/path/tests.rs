//! Each impairment by itself, measured as a receiver would.

use super::*;
use crate::settings::Burst;

const MS: Duration = Duration::from_millis(1);

/// Packets of so many bytes every `every`, numbered; what arrives, and when.
fn run(settings: Settings, seed: u64, packets: u32, bytes: usize, every: Duration) -> (Vec<(Duration, u32)>, Path) {
    let mut path = Path::new(seed);
    path.set(Duration::ZERO, settings);
    let mut arrived = Vec::new();
    let mut drain = |path: &mut Path, until: Duration| {
        while let Some(at) = path.poll_timeout().filter(|at| *at <= until) {
            path.handle_timeout(at);
            while let Some(packet) = path.poll_output(at) {
                arrived.push((at, u32::from_be_bytes([packet[0], packet[1], packet[2], packet[3]])));
            }
        }
    };
    for number in 0..packets {
        let now = every * number;
        drain(&mut path, now);
        let mut packet = vec![0; bytes];
        packet[..4].copy_from_slice(&number.to_be_bytes());
        path.handle_packet(now, packet);
    }
    drain(&mut path, Duration::from_secs(3600));
    (arrived, path)
}

fn close(found: f64, wanted: f64, tolerance: f64) {
    assert!((found - wanted).abs() <= tolerance * wanted, "{found} instead of {wanted}");
}

#[test]
fn a_link_without_settings_passes_everything_at_once() {
    let (arrived, path) = run(Settings::default(), 1, 100, 1000, MS);
    assert_eq!(arrived, (0..100).map(|number| (MS * number, number)).collect::<Vec<_>>());
    assert_eq!((path.counters().left, path.counters().left_bytes), (100, 100_000));
}

#[test]
fn the_rate_is_exact() {
    for rate in [150_000, 500_000, 5_000_000, 50_000_000] {
        let settings = Settings { rate: Some(rate), queue: 1 << 30, ..Settings::default() };
        let (arrived, _) = run(settings, 1, 2000, 1200, Duration::from_nanos(1));
        let seconds = (arrived[1999].0 - arrived[0].0).as_secs_f64();
        close(1999.0 * 1200.0 * 8.0 / seconds, rate as f64, 0.001);
    }
}

#[test]
fn what_the_queue_does_not_hold_is_dropped_as_it_comes() {
    let settings = Settings { rate: Some(1_000_000), queue: 12_500, ..Settings::default() };
    // 2 Mbit/s into 1 Mbit/s; 12,500 bytes are 100 ms.
    let (arrived, path) = run(settings, 1, 2000, 1250, 5 * MS);
    close(arrived.len() as f64, 1000.0, 0.02);
    assert_eq!(path.counters().overflowed as usize + arrived.len(), 2000);
    let longest = arrived.iter().map(|(at, number)| *at - 5 * MS * *number).max().unwrap();
    assert!(longest <= 101 * MS && longest >= 90 * MS, "{longest:?}");
}

#[test]
fn a_new_rate_holds_for_what_is_queued() {
    let mut path = Path::new(1);
    path.set(Duration::ZERO, Settings { rate: Some(80_000), ..Settings::default() });
    for _ in 0..4 {
        path.handle_packet(Duration::ZERO, vec![0; 1000]);
    }
    assert_eq!(path.queue_delay(Duration::ZERO), 400 * MS);
    // Half of the first is gone after 50 ms.
    path.set(50 * MS, Settings { rate: Some(800_000), ..Settings::default() });
    assert_eq!(path.queue_delay(50 * MS), 35 * MS);
    assert_eq!(path.poll_timeout(), Some(55 * MS));
    path.set(55 * MS, Settings::default());
    assert_eq!(path.queue_delay(55 * MS), Duration::ZERO);
    assert_eq!(std::iter::from_fn(|| path.poll_output(55 * MS)).count(), 4);
}

#[test]
fn delay_and_jitter_keep_the_order_and_their_bounds() {
    let settings = Settings { delay_ms: 30.0, jitter_ms: 100.0, ..Settings::default() };
    let (arrived, _) = run(settings, 7, 20_000, 100, 2 * MS);
    assert!(arrived.is_sorted_by_key(|(at, _)| *at) && arrived.is_sorted_by_key(|(_, number)| *number));
    let delays: Vec<f64> = arrived.iter().map(|(at, number)| (*at - 2 * MS * *number).as_secs_f64() * 1000.0).collect();
    assert!(delays.iter().all(|delay| (30.0..=130.001).contains(delay)));
    close(delays.iter().sum::<f64>() / delays.len() as f64, 80.0, 0.1);
    let spread = delays.iter().copied().fold(0.0, f64::max) - delays.iter().copied().fold(1e9, f64::min);
    assert!(spread > 90.0, "{spread}");
}

#[test]
fn shares_are_as_asked_for() {
    let settings = Settings { loss: 0.1, duplicate: 0.01, reorder: 0.05, ..Settings::default() };
    let (arrived, path) = run(settings, 3, 100_000, 100, MS);
    let counters = path.counters();
    close(counters.lost as f64, 10_000.0, 0.05);
    close(counters.doubled as f64, 900.0, 0.15);
    close(counters.reordered as f64, 4_500.0, 0.06);
    assert_eq!(counters.left, counters.entered - counters.lost + counters.doubled);
    let late = arrived.windows(2).filter(|pair| pair[1].1 < pair[0].1).count();
    close(late as f64, 4_500.0, 0.1);
}

#[test]
fn bursts_have_their_length_and_their_share() {
    let burst = Burst { enter: 0.01, leave: 0.2, loss: 1.0 };
    let (arrived, path) = run(Settings { burst: Some(burst), ..Settings::default() }, 5, 200_000, 100, MS);
    // The bad state holds for 1 / leave packets, and enter / (enter + leave) of the time.
    close(path.counters().lost as f64, 200_000.0 * 0.01 / 0.21, 0.05);
    let bursts = arrived.windows(2).filter(|pair| pair[1].1 > pair[0].1 + 1).count();
    close(path.counters().lost as f64 / bursts as f64, 5.0, 0.1);
}

#[test]
fn nothing_passes_a_link_that_is_down() {
    let (arrived, path) = run(Settings { down: true, ..Settings::default() }, 1, 10, 100, MS);
    assert_eq!((arrived.len(), path.counters().lost), (0, 10));
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let burst = Some(Burst { enter: 0.01, leave: 0.3, loss: 0.8 });
    let settings =
        Settings { loss: 0.1, burst, jitter_ms: 50.0, reorder: 0.05, duplicate: 0.02, ..Settings::default() };
    let trace = |seed| run(Settings { rate: Some(900_000), ..settings }, seed, 5_000, 300, 2 * MS).0;
    assert_eq!(trace(11), trace(11));
    assert_ne!(trace(11), trace(12));
}
