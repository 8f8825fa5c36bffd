//! Tests of `receive_log`. Knows only what the module shows.

use super::*;
use proptest::prelude::*;

const RATE: u32 = 90_000;

fn start() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to begin with")]
    Instant::now()
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn video() -> ReceiveLog {
    ReceiveLog::new(RATE, Some(RepairPolicy::VIDEO))
}

/// A packet of a stream that sends one each millisecond.
fn arrive(log: &mut ReceiveLog, epoch: Instant, sequence: u16) -> Arrival {
    log.on_packet(epoch + ms(sequence.into()), sequence, u32::from(sequence) * 90, Via::Media)
}

fn asked(log: &mut ReceiveLog, now: Instant) -> Vec<u16> {
    let mut lost = Vec::new();
    log.poll_nack(now, &mut lost);
    lost
}

#[test]
fn packets_are_new_once() {
    let (mut log, epoch) = (video(), start());
    assert_eq!(arrive(&mut log, epoch, 5), Arrival::New(0x1_0005));
    assert_eq!(arrive(&mut log, epoch, 5), Arrival::Duplicate);
    assert_eq!(arrive(&mut log, epoch, 8), Arrival::New(0x1_0008));
    assert_eq!(arrive(&mut log, epoch, 7), Arrival::New(0x1_0007));
    assert_eq!(arrive(&mut log, epoch, 7), Arrival::Duplicate);
    assert_eq!(arrive(&mut log, epoch, 4), Arrival::New(0x1_0004));
    assert_eq!(arrive(&mut log, epoch, 3000), Arrival::New(0x1_0000 + 3000));
    assert_eq!(arrive(&mut log, epoch, 900), Arrival::TooOld);
}

#[test]
fn reordering_is_not_asked_for() {
    let (mut log, epoch) = (video(), start());
    arrive(&mut log, epoch, 1);
    arrive(&mut log, epoch, 3);
    assert_eq!(log.poll_timeout(), Some(epoch + ms(13)));
    assert_eq!(asked(&mut log, epoch + ms(12)), [0_u16; 0]);
    assert_eq!(arrive(&mut log, epoch, 2), Arrival::New(0x1_0002));
    assert_eq!(log.poll_timeout(), None);
    assert_eq!(asked(&mut log, epoch + ms(100)), [0_u16; 0]);
}

#[test]
fn what_is_missing_is_asked_for_each_round_trip_until_it_comes() {
    let (mut log, epoch) = (video(), start());
    log.set_round_trip(ms(40));
    arrive(&mut log, epoch, 1);
    arrive(&mut log, epoch, 4);
    assert_eq!(asked(&mut log, epoch + ms(14)), [2, 3]);
    assert_eq!(asked(&mut log, epoch + ms(30)), [0_u16; 0]);
    assert_eq!(log.poll_timeout(), Some(epoch + ms(64)));
    let repaired = log.on_packet(epoch + ms(55), 2, 180, Via::Retransmission);
    assert_eq!(repaired, Arrival::Repaired(0x1_0002));
    assert_eq!(asked(&mut log, epoch + ms(64)), [3]);
    assert_eq!(log.on_packet(epoch + ms(70), 3, 270, Via::Retransmission), Arrival::Repaired(0x1_0003));
    assert_eq!(log.poll_timeout(), None);
    assert!(!log.take_key_frame_request());
}

#[test]
fn a_loss_is_given_up_after_its_tries_and_a_key_frame_wanted() {
    let (mut log, epoch) = (video(), start());
    log.set_round_trip(ms(1));
    arrive(&mut log, epoch, 1);
    arrive(&mut log, epoch, 3);
    let mut requests = 0;
    while let Some(at) = log.poll_timeout() {
        requests += asked(&mut log, at).len();
    }
    assert_eq!(requests, usize::from(RepairPolicy::VIDEO.max_tries));
    assert!(log.take_key_frame_request());
    assert!(!log.take_key_frame_request());
}

#[test]
fn a_loss_is_given_up_when_too_old() {
    let (mut log, epoch) = (video(), start());
    log.set_round_trip(ms(600));
    arrive(&mut log, epoch, 1);
    arrive(&mut log, epoch, 3);
    let mut times = Vec::new();
    while let Some(at) = log.poll_timeout() {
        times.extend(asked(&mut log, at).iter().map(|_| (at - epoch).as_millis()));
    }
    assert_eq!(times, [13, 763]);
    assert!(log.take_key_frame_request());
}

#[test]
fn a_key_frame_ends_what_was_missing_before_it() {
    let (mut log, epoch) = (video(), start());
    for sequence in [1, 3, 6, 8] {
        arrive(&mut log, epoch, sequence);
    }
    log.on_key_frame(0x1_0006);
    assert_eq!(asked(&mut log, epoch + ms(50)), [7]);
}

#[test]
fn a_hole_too_large_to_repair_asks_for_a_key_frame_at_once() {
    let (mut log, epoch) = (video(), start());
    arrive(&mut log, epoch, 1);
    arrive(&mut log, epoch, 300);
    assert!(log.take_key_frame_request());
    assert_eq!(log.poll_timeout(), None);
    let mut sound = ReceiveLog::new(48_000, Some(RepairPolicy::AUDIO));
    arrive(&mut sound, epoch, 1);
    arrive(&mut sound, epoch, 300);
    assert!(!sound.take_key_frame_request());
}

#[test]
fn a_report_tells_of_loss_since_the_one_before() {
    let (mut log, epoch) = (ReceiveLog::new(RATE, None), start());
    assert_eq!(log.report(epoch, 9), None);
    for sequence in (0..100u16).filter(|sequence| sequence % 4 != 1) {
        arrive(&mut log, epoch, sequence);
    }
    let report = log.report(epoch + ms(100), 9).unwrap();
    assert_eq!((report.ssrc, report.fraction_lost, report.cumulative_lost), (9, 64, 25));
    assert_eq!(report.highest_sequence, 99);
    assert_eq!((report.last_sender_report, report.delay_since), (0, 0));
    for sequence in 100..200 {
        arrive(&mut log, epoch, sequence);
    }
    log.on_sender_report(epoch + ms(200), Ntp(0x1111_2222_3333_4444));
    let report = log.report(epoch + ms(700), 9).unwrap();
    assert_eq!((report.fraction_lost, report.cumulative_lost), (0, 25));
    assert_eq!((report.last_sender_report, report.delay_since), (0x2222_3333, 0x8000));
}

#[test]
fn a_repaired_packet_still_counts_as_lost_on_the_way() {
    let (mut log, epoch) = (video(), start());
    for sequence in [0, 1, 3] {
        arrive(&mut log, epoch, sequence);
    }
    log.on_packet(epoch + ms(60), 2, 180, Via::Retransmission);
    assert_eq!(log.report(epoch + ms(70), 9).unwrap().cumulative_lost, 1);
}

#[test]
fn cycles_are_counted_in_the_report() {
    let (mut log, epoch) = (ReceiveLog::new(RATE, None), start());
    for sequence in [0xfffe, 0xffff, 0, 1] {
        log.on_packet(epoch, sequence, 0, Via::Media);
    }
    let report = log.report(epoch, 9).unwrap();
    assert_eq!((report.highest_sequence, report.cumulative_lost), (0x0001_0001, 0));
}

// RFC 3550 A.8 by hand: transit differs by 90, -90, 90 ... ticks, so that the estimate goes to 90.
#[test]
fn jitter_converges_to_the_mean_deviation() {
    let (mut log, epoch) = (ReceiveLog::new(RATE, None), start());
    for i in 0..200u16 {
        let late = if i % 2 == 0 { ms(0) } else { ms(1) };
        log.on_packet(epoch + ms(20) * i.into() + late, i, u32::from(i) * 1800, Via::Media);
    }
    let jitter = log.report(epoch, 9).unwrap().jitter;
    assert!((85..=90).contains(&jitter), "{jitter}");
    assert!(log.jitter().abs_diff(ms(1)) < Duration::from_micros(60), "{:?}", log.jitter());
}

#[test]
fn a_jump_of_the_senders_clock_is_no_jitter() {
    let (mut log, epoch) = (ReceiveLog::new(RATE, None), start());
    for i in 0..10u16 {
        let jump = if i < 5 { 0 } else { 1 << 30 };
        log.on_packet(epoch + ms(20) * i.into(), i, jump + u32::from(i) * 1800, Via::Media);
    }
    assert_eq!(log.report(epoch, 9).unwrap().jitter, 0);
}

proptest! {
    #[test]
    fn every_number_is_new_once_and_requests_stay_bounded(
        steps in prop::collection::vec((-40i32..60, 0..30u64, prop::bool::weighted(0.3)), 0..400),
    ) {
        let (mut log, mut now) = (video(), start());
        let (mut sequence, mut seen) = (30_000i32, std::collections::HashSet::new());
        let mut tries = std::collections::HashMap::new();
        for (step, wait, poll) in steps {
            sequence = (sequence + step).clamp(0, 60_000);
            now += ms(wait);
            match log.on_packet(now, sequence as u16, 0, Via::Media) {
                Arrival::New(number) | Arrival::Repaired(number) => {
                    prop_assert_eq!(number as u16, sequence as u16);
                    prop_assert!(seen.insert(number));
                }
                Arrival::Duplicate => prop_assert!(seen.contains(&(0x1_0000 + sequence as u64))),
                Arrival::TooOld => prop_assert!(0x1_0000 + sequence as u64 + WINDOW <= log.highest().unwrap()),
            }
            if poll {
                let lost = asked(&mut log, now);
                prop_assert!(lost.len() <= MAX_MISSING);
                for number in lost {
                    prop_assert!(!seen.contains(&(0x1_0000 + u64::from(number))));
                    let count = tries.entry(number).or_insert(0);
                    *count += 1;
                    prop_assert!(*count <= RepairPolicy::VIDEO.max_tries);
                }
            }
        }
    }
}
