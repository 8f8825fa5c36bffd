//! From a published packet to the subscribers' datagrams: jobs in two queues, sound first, done in
//! slices so that a large meeting's picture does not make a small one's sound wait. Knows no addresses.

use super::{Core, Sleeper};
use crate::net::counters::Drop;
use crate::net::udp::{MAX_BURST_DATAGRAMS, SendBatch};
use crate::router::pace::Pace;
use crate::rtp::layer::{HOLD, Span};
use crate::session::plan::Kind;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// After so many destinations the shell sends what there is: what was sealed is still in the near caches when
/// the kernel copies it.
const SLICE: usize = 16;

/// Jobs that may wait; beyond this the server can't keep up, and frames are dropped whole and counted.
const MAX_JOBS: usize = 8192;

/// Those who do not get frames whole get no more packets in one send: a burst is what their link is too thin for.
const MOST_AT_ONCE: usize = 2;

/// One span of one layer for the subscribers of its track of one pace.
#[derive(Debug, Clone, Copy)]
struct Job {
    router: u32,
    track: u32,
    layer: u8,
    pace: Pace,
    span: Span,
    next: usize,
    since: Instant,
}

/// Whether the batch takes a whole span, so that none is cut in two.
fn has_room(out: &SendBatch, span: Span) -> bool {
    out.has_room_for(span.count())
}

/// What waits to be forwarded.
#[derive(Default)]
pub(super) struct Jobs {
    sound: VecDeque<Job>,
    pictures: VecDeque<Job>,
    /// The longest that a picture waited until its last subscriber had it, since it was last asked.
    late: Duration,
}

impl Jobs {
    pub(super) fn is_empty(&self) -> bool {
        self.sound.is_empty() && self.pictures.is_empty()
    }

    /// The longest that a picture waited since this was last asked.
    pub(super) fn take_late(&mut self) -> Duration {
        std::mem::take(&mut self.late)
    }

    /// Jobs of a track that ends or is muted: nothing of it passes any more.
    pub(super) fn forget(&mut self, router: u32, track: u32) {
        for queue in [&mut self.sound, &mut self.pictures] {
            queue.retain(|job| job.router != router || job.track != track);
        }
    }

    /// Jobs of a layer that begins anew.
    pub(super) fn forget_layer(&mut self, router: u32, track: u32, layer: u8) {
        for queue in [&mut self.sound, &mut self.pictures] {
            queue.retain(|job| job.router != router || job.track != track || job.layer != layer);
        }
    }

    /// The first number of a layer, from this one on, that the subscriber at this place of the track's list has yet
    /// to get.
    pub(super) fn first_waiting(&self, job: (u32, u32, u8), (pace, place): (Pace, usize), from: u64) -> Option<u64> {
        let (router, track, layer) = job;
        let waiting = self.waiting((router, track), pace, place);
        waiting.filter(|(other, span)| *other == layer && span.last >= from).map(|(_, span)| span.first).min()
    }

    /// What the subscriber at this place of a track's list of this pace has yet to get, in order: layers and spans.
    pub(super) fn waiting(
        &self,
        (router, track): (u32, u32),
        pace: Pace,
        place: usize,
    ) -> impl Iterator<Item = (u8, Span)> + Clone {
        let waits = move |job: &&Job| (job.router, job.track, job.pace) == (router, track, pace) && job.next <= place;
        self.pictures.iter().filter(waits).map(|job| (job.layer, job.span))
    }

    fn under_way(&mut self, router: u32, track: u32, pace: Pace) -> impl Iterator<Item = &mut Job> {
        let jobs = self.sound.iter_mut().chain(&mut self.pictures);
        jobs.filter(move |job| (job.router, job.track, job.pace) == (router, track, pace))
    }

    /// The subscriber at this place of a track's list went away; jobs under way move along.
    pub(super) fn unsubscribed(&mut self, router: u32, track: u32, (pace, place): (Pace, usize)) {
        self.under_way(router, track, pace).filter(|job| job.next > place).for_each(|job| job.next -= 1);
    }

    /// One came to this place of a track's list; jobs that passed it are not for it.
    pub(super) fn subscribed(&mut self, router: u32, track: u32, (pace, place): (Pace, usize)) {
        self.under_way(router, track, pace).filter(|job| job.next > place).for_each(|job| job.next += 1);
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
        let queue = match kind {
            Kind::Audio => &mut self.jobs.sound,
            Kind::Video => &mut self.jobs.pictures,
        };
        if queue.len() >= MAX_JOBS {
            self.counters.drop_many(Drop::QueueFull, job.span.count() as u64);
            return;
        }
        queue.push_back(job);
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
        loop {
            let Some((kind, job)) = self.next_job() else { return false };
            if kind == Kind::Video {
                self.jobs.late = self.jobs.late.max(now.saturating_duration_since(job.since));
            }
            out.join_at_most(match job.pace {
                Pace::Whole => MAX_BURST_DATAGRAMS,
                Pace::AtOnce => MOST_AT_ONCE,
            });
            let (done, job) = self.run(now, job, &mut budget, out);
            out.join_at_most(MAX_BURST_DATAGRAMS);
            let queue = match kind {
                Kind::Audio => &mut self.jobs.sound,
                Kind::Video => &mut self.jobs.pictures,
            };
            if done {
                queue.pop_front();
            } else if let Some(front) = queue.front_mut() {
                *front = job;
                return true;
            }
            if budget == 0 {
                return !self.jobs.is_empty();
            }
        }
    }

    fn next_job(&self) -> Option<(Kind, Job)> {
        let sound = self.jobs.sound.front().map(|job| (Kind::Audio, *job));
        sound.or_else(|| self.jobs.pictures.front().map(|job| (Kind::Video, *job)))
    }

    /// Goes on with a job; says whether it is done.
    fn run(&mut self, now: Instant, mut job: Job, budget: &mut usize, out: &mut SendBatch) -> (bool, Job) {
        let track = self
            .routers
            .get(job.router as usize)
            .and_then(Option::as_ref)
            .and_then(|router| router.tracks.get(job.track as usize)?.as_ref());
        let Some(track) = track else { return (true, job) };
        let Some(layer) = track.layers.get(usize::from(job.layer)) else { return (true, job) };
        let packets = layer.packets(job.span);
        let subscribers = track.subscribers.of(job.pace);
        while let Some(subscriber) = subscribers.get(job.next) {
            if *budget == 0 || !has_room(out, job.span) {
                return (false, job);
            }
            job.next += 1;
            let ahead = |places: usize| {
                let subscriber = subscribers.get(job.next + places)?;
                Some((subscriber, self.sessions.get(subscriber.session as usize)?.as_ref()?))
            };
            if let Some((_, session)) = ahead(1) {
                session.outbound.prefetch();
            }
            if let Some((next, session)) = ahead(0) {
                session.outbound.prefetch_slot(usize::from(next.slot));
            }
            let session = self.sessions.get_mut(subscriber.session as usize).and_then(Option::as_mut);
            let Some(session) = session else { continue };
            let slot = usize::from(subscriber.slot);
            if session.outbound.forward(now, slot, job.layer, &packets, &mut self.counters, out) {
                *budget -= 1;
            }
            if let Some(at) = session.outbound.take_new_deadline() {
                self.timers.arm(Sleeper::Session(subscriber.session).name(), at);
            }
        }
        (true, job)
    }
}
