//! From a published packet to the subscribers' datagrams: jobs in two lanes, sound first, done in
//! slices so that a large meeting's picture does not make a small one's sound wait. Knows no addresses.

use super::jobs::{Job, MOST_TOGETHER, Size};
use super::{Core, Router, Sleeper, track_of};
use crate::net::counters::{Counters, Drop};
use crate::net::udp::{MAX_BURST_DATAGRAMS, SendBatch};
use crate::router::pace::Pace;
use crate::router::subscribers::Subscriber;
use crate::rtp::layer::{HOLD, Span, SpanPackets};
use crate::session::Session;
use crate::session::outbound::padded_payload;
use crate::session::plan::Kind;
use crate::worker::timers::Timers;
use std::time::Instant;

/// After so many destinations the shell sends what there is: what was sealed is still in the near caches when
/// the kernel copies it.
const SLICE: usize = 16;

/// Those who do not get frames whole get no more packets in one send: a burst is what their link is too thin for.
const MOST_AT_ONCE: usize = 2;

/// Who gets a job's packets, and the packets.
type Work<'a> = (&'a [Subscriber], SpanPackets<'a>);

fn work_of<'a>(routers: &'a [Option<Router>], job: &Job) -> Option<Work<'a>> {
    let track = track_of(routers, job.router, job.track)?;
    let layer = track.layers.get(usize::from(job.layer))?;
    Some((track.subscribers.of(job.pace), layer.packets(job.span)))
}

/// The size of a job's packets where all leave with one; `None` also where nobody gets them.
fn size_of(routers: &[Option<Router>], job: &Job) -> Option<Size> {
    let (_, packets) = work_of(routers, job).filter(|(subscribers, _)| !subscribers.is_empty())?;
    let each = packets.iter().last()?.0.bare_len();
    let one = packets.count() == 1 || (each == packets.largest && padded_payload(&packets) == each);
    one.then_some(Size { each, packets: packets.count() })
}

/// Asks for the memory that the next two subscribers of a list will need.
fn prefetch(sessions: &[Option<Box<Session>>], subscribers: &[Subscriber], next: usize) {
    let ahead = |places: usize| {
        let subscriber = subscribers.get(next + places)?;
        Some((subscriber, sessions.get(subscriber.session as usize)?.as_ref()?))
    };
    if let Some((_, session)) = ahead(1) {
        session.outbound.prefetch();
    }
    if let Some((next, session)) = ahead(0) {
        session.outbound.prefetch_slot(usize::from(next.slot));
    }
}

/// A frame that waits for its last packet.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeldFrame {
    pub(super) at: Instant,
    router: u32,
    track: u32,
    layer: u8,
}

impl HeldFrame {
    pub(super) fn is_of(&self, router: u32, track: u32, layer: u8) -> bool {
        (self.router, self.track, self.layer) == (router, track, layer)
    }
}

impl Core {
    pub(super) fn enqueue(&mut self, now: Instant, kind: Kind, router: u32, track: u32, layer: u8, span: Span) {
        self.push_job(kind, Job { router, track, layer, pace: Pace::Whole, span, next: 0, since: now });
    }

    /// A packet of a picture for those who get each as it comes.
    pub(super) fn enqueue_at_once(&mut self, now: Instant, router: u32, track: u32, layer: u8, seq: u64) {
        let span = Span { first: seq, last: seq };
        self.push_job(Kind::Video, Job { router, track, layer, pace: Pace::AtOnce, span, next: 0, since: now });
    }

    fn push_job(&mut self, kind: Kind, job: Job) {
        if !self.jobs.lane(kind).push(job) {
            self.counters.drop_many(Drop::QueueFull, job.span.count() as u64);
        }
    }

    pub(super) fn hold(&mut self, at: Instant, router: u32, track: u32, layer: u8) {
        self.held.push_back(HeldFrame { at, router, track, layer });
    }

    /// The track is gone, and what was held of it.
    pub(super) fn forget_held(&mut self, router: u32, track: u32) {
        self.held.retain(|held| held.router != router || held.track != track);
    }

    /// Frames whose last packet did not come in time.
    pub(super) fn release_held(&mut self, now: Instant) {
        while let Some(held) = self.held.front().copied().filter(|held| held.at <= now) {
            self.held.pop_front();
            let layer =
                self.track_mut(held.router, held.track).and_then(|track| track.layers.get_mut(usize::from(held.layer)));
            if let Some(span) = layer.and_then(|layer| layer.handle_timeout(now)) {
                self.enqueue(now, Kind::Video, held.router, held.track, held.layer, span);
            }
        }
        debug_assert!(self.held.front().is_none_or(|held| held.at <= now + HOLD));
    }

    /// Forwards until nothing is left or a slice is done. True: send the batch and call again, now and then
    /// after a look at the socket.
    pub fn forward(&mut self, now: Instant, out: &mut SendBatch) -> bool {
        let mut budget = SLICE;
        while let Some((kind, &first)) = self.jobs.next() {
            if kind == Kind::Video {
                self.jobs.late = self.jobs.late.max(now.saturating_duration_since(first.since));
            }
            let routers = &self.routers;
            let lane = self.jobs.lane(kind);
            lane.begin(|job| size_of(routers, job));
            let mut jobs = [first; MOST_TOGETHER];
            let mut count = 0;
            for (place, job) in jobs.iter_mut().zip(lane.current()) {
                *place = *job;
                count += 1;
            }
            let jobs = &mut jobs[..count];
            let done = match jobs {
                [job] => self.run(now, job, &mut budget, out),
                _ => self.run_together(now, jobs, &mut budget, out),
            };
            self.jobs.lane(kind).note(jobs, done);
            if !done {
                return true;
            }
            if budget == 0 {
                return !self.jobs.is_empty();
            }
        }
        false
    }

    /// Goes on with a job; says whether it is done.
    fn run(&mut self, now: Instant, job: &mut Job, budget: &mut usize, out: &mut SendBatch) -> bool {
        let Some((subscribers, packets)) = work_of(&self.routers, job) else { return true };
        let mut way = Way { now, sessions: &mut self.sessions, timers: &mut self.timers, counters: &mut self.counters };
        out.join_at_most(if job.pace == Pace::AtOnce { MOST_AT_ONCE } else { MAX_BURST_DATAGRAMS });
        while let Some(subscriber) = subscribers.get(job.next) {
            // No span is cut in two.
            if *budget == 0 || !out.has_room_for(job.span.count()) {
                break;
            }
            job.next += 1;
            prefetch(way.sessions, subscribers, job.next);
            *budget -= usize::from(way.send(*subscriber, job.layer, &packets, out));
        }
        out.join_at_most(MAX_BURST_DATAGRAMS);
        job.next >= subscribers.len()
    }

    /// As [`Core::run`], with several jobs of a meeting: each subscriber gets his part of all before the next one does.
    fn run_together(&mut self, now: Instant, jobs: &mut [Job], budget: &mut usize, out: &mut SendBatch) -> bool {
        let mut works = [const { None }; MOST_TOGETHER];
        for (work, job) in works.iter_mut().zip(jobs.iter()) {
            *work = work_of(&self.routers, job);
        }
        let mut way = Way { now, sessions: &mut self.sessions, timers: &mut self.timers, counters: &mut self.counters };
        let packets = jobs.iter().map(|job| job.span.count()).sum();
        loop {
            // All lists are in the order of sessions.
            let next = |(job, work): (&Job, &Option<Work<'_>>)| Some(work.as_ref()?.0.get(job.next)?.session);
            let Some(session) = jobs.iter().zip(&works).filter_map(next).min() else { return true };
            if *budget == 0 || !out.has_room_for(packets) {
                return false;
            }
            let mut sent = false;
            for (job, work) in jobs.iter_mut().zip(&works) {
                let Some((subscribers, packets)) = work else { continue };
                let Some(subscriber) = subscribers.get(job.next).filter(|one| one.session == session) else { continue };
                job.next += 1;
                prefetch(way.sessions, subscribers, job.next);
                sent |= way.send(*subscriber, job.layer, packets, out);
            }
            *budget -= usize::from(sent);
        }
    }
}

/// What sending to a subscriber needs of the core, while its routers are looked at.
struct Way<'a> {
    now: Instant,
    sessions: &'a mut [Option<Box<Session>>],
    timers: &'a mut Timers,
    counters: &'a mut Counters,
}

impl Way<'_> {
    fn send(&mut self, to: Subscriber, layer: u8, packets: &SpanPackets<'_>, out: &mut SendBatch) -> bool {
        let Some(session) = self.sessions.get_mut(to.session as usize).and_then(Option::as_mut) else { return false };
        let sent = session.outbound.forward(self.now, usize::from(to.slot), layer, packets, self.counters, out);
        if let Some(at) = session.outbound.take_new_deadline() {
            self.timers.arm(Sleeper::Session(to.session).name(), at);
        }
        sent
    }
}
