//! Tests of `twcc_recorder`. Knows only what the module shows.

use super::*;
use crate::rtp::rtcp::{self, Packet, Status};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn start() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to begin with")]
    Instant::now()
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// What feedback due at `now` says: each number with its arrival in ticks from the recorder's epoch.
fn feedback(recorder: &mut ArrivalRecorder, now: Instant) -> Vec<(u16, Option<u32>)> {
    let mut told = Vec::new();
    loop {
        let mut buffer = [0; 1200];
        let mut out = Writer::new(&mut buffer);
        if !recorder.poll_feedback(now, 1, 2, &mut out) {
            return told;
        }
        for packet in rtcp::packets(out.written()) {
            let Ok(Packet::TransportFeedback(feedback)) = packet else { panic!("{packet:?}") };
            let mut ticks = feedback.reference * TICKS_PER_REFERENCE;
            told.extend(feedback.statuses().map(|(number, status)| match status {
                Status::After(delta) => {
                    ticks = ticks.wrapping_add_signed(delta.into());
                    (number, Some(ticks))
                }
                _ => (number, None),
            }));
        }
    }
}

#[test]
fn feedback_waits_and_then_tells_of_arrivals_and_losses() {
    let (mut recorder, epoch) = (ArrivalRecorder::new(), start());
    assert_eq!(recorder.poll_timeout(), None);
    for (sequence, at) in [(0xffff, 0), (0, 10), (2, 12)] {
        recorder.record(epoch + ms(at), sequence);
    }
    assert_eq!(recorder.poll_timeout(), Some(epoch + FEEDBACK_INTERVAL));
    assert_eq!(feedback(&mut recorder, epoch + ms(49)), []);
    let told = feedback(&mut recorder, epoch + ms(50));
    assert_eq!(told, [(0xffff, Some(0)), (0, Some(40)), (1, None), (2, Some(48))]);
    assert_eq!(recorder.poll_timeout(), None);
    assert_eq!(feedback(&mut recorder, epoch + ms(500)), []);
}

#[test]
fn many_arrivals_make_feedback_due_at_once() {
    let (mut recorder, epoch) = (ArrivalRecorder::new(), start());
    for sequence in 0..FEEDBACK_ARRIVALS as u16 {
        recorder.record(epoch + ms(1), sequence);
    }
    assert_eq!(recorder.poll_timeout(), Some(epoch + ms(1)));
    assert_eq!(feedback(&mut recorder, epoch + ms(1)).len(), FEEDBACK_ARRIVALS as usize);
}

#[test]
fn what_comes_late_is_told_again() {
    let (mut recorder, epoch) = (ArrivalRecorder::new(), start());
    recorder.record(epoch, 1);
    recorder.record(epoch + ms(1), 3);
    assert_eq!(feedback(&mut recorder, epoch + ms(60)), [(1, Some(0)), (2, None), (3, Some(4))]);
    recorder.record(epoch + ms(70), 4);
    recorder.record(epoch + ms(71), 2);
    recorder.record(epoch + ms(72), 2);
    let told = feedback(&mut recorder, epoch + ms(130));
    assert_eq!(told, [(2, Some(284)), (3, Some(4)), (4, Some(280))]);
}

#[test]
fn a_long_pause_begins_a_feedback_of_its_own() {
    let (mut recorder, epoch) = (ArrivalRecorder::new(), start());
    recorder.record(epoch, 1);
    recorder.record(epoch + ms(20_000), 2);
    assert_eq!(feedback(&mut recorder, epoch + ms(20_000)), [(1, Some(0)), (2, Some(80_000))]);
}

#[test]
fn a_jump_of_the_numbers_is_not_a_thousand_losses() {
    let (mut recorder, epoch) = (ArrivalRecorder::new(), start());
    recorder.record(epoch, 1);
    recorder.record(epoch + ms(1), 20_000);
    assert_eq!(feedback(&mut recorder, epoch + ms(60)), [(20_000, Some(4))]);
}

#[test]
fn what_does_not_fit_stays_due() {
    let (mut recorder, epoch) = (ArrivalRecorder::new(), start());
    recorder.record(epoch, 1);
    assert!(!recorder.poll_feedback(epoch + ms(60), 1, 2, &mut Writer::new(&mut [0; 20])));
    assert!(recorder.poll_timeout().is_some());
    assert_eq!(feedback(&mut recorder, epoch + ms(60)), [(1, Some(0))]);
}

proptest! {
    #[test]
    fn every_arrival_is_told_with_its_time(
        first: u16,
        steps in prop::collection::vec((-20i64..40, 0..40_000u64, prop::bool::weighted(0.2)), 1..300),
    ) {
        let mut recorder = ArrivalRecorder::new();
        let (mut now, mut number) = (start(), 100_000 + i64::from(first));
        let mut epoch = None;
        let (mut arrived, mut told) = (BTreeMap::new(), BTreeMap::new());
        let mut highest = 0;
        for (step, wait, poll) in steps {
            now += Duration::from_micros(wait);
            number += step;
            highest = highest.max(number);
            recorder.record(now, number as u16);
            if highest - number < REMEMBERED as i64 {
                let ticks = (now - *epoch.get_or_insert(now)).as_micros() as u32 / 250;
                arrived.entry(number as u16).or_insert(ticks);
            }
            if poll {
                now += FEEDBACK_INTERVAL;
                told.extend(feedback(&mut recorder, now).into_iter().filter_map(|(n, at)| Some((n, at?))));
            }
        }
        told.extend(feedback(&mut recorder, now + FEEDBACK_INTERVAL).into_iter().filter_map(|(n, at)| Some((n, at?))));
        for (number, at) in told {
            prop_assert_eq!(arrived.remove(&number), Some(at));
        }
        // What left the memory before it was told is the exception, which these steps do not reach often.
        prop_assert!(arrived.is_empty() || highest - 100_000 - i64::from(first) > REMEMBERED as i64, "{:?}", arrived);
    }
}
