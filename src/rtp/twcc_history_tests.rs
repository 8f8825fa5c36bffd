//! Tests of `twcc_history`. Knows only what the module shows.

use super::*;
use crate::rtp::rtcp::{self, Packet, Writer};

fn start() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to begin with")]
    Instant::now()
}

fn tell<T: Copy>(
    history: &mut SendHistory<T>,
    base: u16,
    reference: u32,
    arrivals: &[Option<i16>],
) -> Result<Vec<Acknowledged<T>>, Ignored> {
    let mut buffer = [0; 1500];
    let mut out = Writer::new(&mut buffer);
    assert!(out.transport_feedback(1, 2, base, 0, reference, arrivals));
    let Some(Ok(Packet::TransportFeedback(feedback))) = rtcp::packets(out.written()).next() else { panic!() };
    let mut told = Vec::new();
    history.on_feedback(&feedback, |acknowledged| told.push(acknowledged))?;
    Ok(told)
}

fn arrivals<T: Copy>(told: &[Acknowledged<T>]) -> Vec<Duration> {
    told.iter()
        .filter_map(|one| match one.fate {
            Fate::ArrivedAt(at) => Some(at),
            Fate::Lost | Fate::Arrived => None,
        })
        .collect()
}

#[test]
fn each_packet_is_matched_with_how_it_was_sent() {
    let (mut history, now) = (SendHistory::new(8), start());
    assert_eq!(history.next_sequence(), 0);
    for i in 0..4u16 {
        assert_eq!(history.record(now + TICK * i.into(), 100 + i, i), i);
    }
    let told = tell(&mut history, 1, 5, &[Some(8), None, Some(-2)]).unwrap();
    let sent: Vec<_> = told.iter().map(|one| (one.sequence as u16, one.sent.size, one.sent.mark)).collect();
    assert_eq!(sent, [(1, 101, 1), (2, 102, 2), (3, 103, 3)]);
    assert_eq!(told[0].sent.at, now + TICK);
    assert_eq!(told[1].fate, Fate::Lost);
    let at = arrivals(&told);
    assert_eq!(at[0] - at[1], TICK * 2);
}

#[test]
fn arrivals_and_losses_are_told_once_and_a_repair_without_its_time() {
    let (mut history, now) = (SendHistory::new(8), start());
    for _ in 0..3 {
        history.record(now, 100, ());
    }
    assert_eq!(tell(&mut history, 0, 0, &[Some(1), None, Some(1)]).unwrap().len(), 3);
    assert_eq!(tell(&mut history, 0, 0, &[Some(1), None, Some(1)]).unwrap(), [], "the loss is no second one");
    let again = tell(&mut history, 0, 0, &[Some(1), Some(9), Some(1)]).unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].sequence as u16, again[0].sent.size, again[0].fate), (1, 100, Fate::Arrived));
}

#[test]
fn arrival_times_go_on_over_the_wrap_of_the_reference() {
    let (mut history, now) = (SendHistory::new(8), start());
    history.record(now, 100, ());
    history.record(now, 100, ());
    history.record(now, 100, ());
    let before = arrivals(&tell(&mut history, 0, 0xff_ffff, &[Some(0)]).unwrap());
    let after = arrivals(&tell(&mut history, 1, 0, &[Some(0)]).unwrap());
    assert_eq!(after[0] - before[0], Duration::from_millis(64));
    let overtaken = arrivals(&tell(&mut history, 2, 0xff_fffe, &[Some(0)]).unwrap());
    assert_eq!(before[0] - overtaken[0], Duration::from_millis(64));
}

#[test]
fn what_was_overwritten_or_never_sent_is_not_told() {
    let (mut history, now) = (SendHistory::new(4), start());
    assert_eq!(tell(&mut history, 0, 0, &[Some(0)]), Err(Ignored::NothingSent));
    for _ in 0..6 {
        history.record(now, 100, ());
    }
    let told = tell(&mut history, 0, 0, &[Some(0), Some(0), Some(0), Some(0)]).unwrap();
    assert_eq!(told.iter().map(|one| one.sequence as u16).collect::<Vec<_>>(), [2, 3]);
    let told = tell(&mut history, 5, 0, &[Some(0), Some(0), Some(0), Some(0)]).unwrap();
    assert_eq!(told.iter().map(|one| one.sequence as u16).collect::<Vec<_>>(), [5]);
    assert_eq!(tell(&mut history, 0, 0, &[None; 5]), Err(Ignored::TooMany));
}

#[test]
fn numbers_go_on_over_their_wrap() {
    let (mut history, now) = (SendHistory::new(16), start());
    for _ in 0..65_540u32 {
        history.record(now, 100, ());
    }
    let told = tell(&mut history, 0xfffe, 0, &[Some(0), Some(0), Some(0)]).unwrap();
    let sequences: Vec<_> = told.iter().map(|one| one.sequence).collect();
    assert_eq!(sequences, [0x1_fffe, 0x1_ffff, 0x2_0000]);
}

#[test]
fn eight_packets_stand_in_a_cache_line() {
    assert_eq!(size_of::<Option<Slot<()>>>(), 8);
}
