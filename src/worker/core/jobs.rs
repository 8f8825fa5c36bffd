//! What waits to be forwarded: sound and pictures in a lane each, and which jobs of a lane go together. Knows no packets,
//! only what size they have.

use crate::router::pace::Pace;
use crate::rtp::layer::Span;
use crate::session::plan::Kind;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Jobs that may wait in a lane; beyond this the server can't keep up, and frames are dropped whole and counted.
const MAX_JOBS: usize = 8192;

/// Jobs that go together at most: as many as a listener gets sounds, or tiles of a usual page.
pub(super) const MOST_TOGETHER: usize = 8;

/// How many jobs are looked at for such that go with the first.
const LOOKED_AT: usize = 16;

/// One span of one layer for the subscribers of its track of one pace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job {
    pub(super) router: u32,
    pub(super) track: u32,
    pub(super) layer: u8,
    pub(super) pace: Pace,
    pub(super) span: Span,
    /// The next subscriber's place in its list.
    pub(super) next: usize,
    pub(super) since: Instant,
}

impl Job {
    fn is_of(&self, router: u32, track: u32, pace: Pace) -> bool {
        (self.router, self.track, self.pace) == (router, track, pace)
    }
}

/// The packets of a job that can share a send with others: all of one size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) each: usize,
    pub(super) packets: usize,
}

/// Jobs of one kind in the order in which they are done.
#[derive(Default)]
pub(super) struct Lane {
    queue: VecDeque<Job>,
    /// So many at the front are done together; 0 until the first is begun.
    together: usize,
}

impl Lane {
    /// Whether there was room.
    pub(super) fn push(&mut self, job: Job) -> bool {
        let room = self.queue.len() < MAX_JOBS;
        if room {
            self.queue.push_back(job);
        }
        room
    }

    fn retain(&mut self, stays: impl Fn(&Job) -> bool) {
        self.together = self.queue.iter().take(self.together).filter(|job| stays(job)).count();
        self.queue.retain(stays);
    }

    /// Begins with the first job where none is begun, and with those of its router that share sends with it, subscriber
    /// by subscriber: what leaves in one flush for one destination leaves in one send. Nothing waits for that; it is
    /// there because the thread was busy. In the order of a send: the larger first.
    pub(super) fn begin(&mut self, size: impl Fn(&Job) -> Option<Size>) {
        let Some(first) = self.queue.front().copied().filter(|_| self.together == 0) else { return };
        self.together = 1;
        let others = self.queue.len().min(LOOKED_AT);
        if first.pace == Pace::AtOnce || !self.queue.range(1..others).any(|job| job.router == first.router) {
            return;
        }
        let Some(own) = size(&first) else { return };
        let mut sizes = [Size::default(); MOST_TOGETHER];
        sizes[0] = own;
        for place in 1..others {
            let Some(job) = self.queue.get(place).copied() else { break };
            // What is of one track stays in order.
            let overtakes = self.queue.range(..place).any(|other| other.is_of(job.router, job.track, job.pace));
            if job.router != first.router || job.pace == Pace::AtOnce || overtakes {
                continue;
            }
            let taken = &sizes[..self.together];
            let Some(size) = size(&job).filter(|size| shares(taken, *size)) else { continue };
            let before = taken.partition_point(|other| other.each >= size.each);
            sizes[before..=self.together].rotate_right(1);
            sizes[before] = size;
            self.queue.remove(place);
            self.queue.insert(before, job);
            self.together += 1;
            if self.together == MOST_TOGETHER {
                return;
            }
        }
    }

    /// The jobs that are done now, the first of them first.
    pub(super) fn current(&self) -> impl Iterator<Item = &Job> {
        self.queue.iter().take(self.together)
    }

    /// How far they came; all are done, or none.
    pub(super) fn note(&mut self, jobs: &[Job], done: bool) {
        if done {
            self.queue.drain(..self.together.min(self.queue.len()));
            self.together = 0;
        } else {
            self.queue.iter_mut().zip(jobs).for_each(|(job, now)| *job = *now);
        }
    }
}

/// Whether packets of this size share a send with those that are taken already, the largest first. In a send all but the
/// last have one size: several packets of a frame must have that of others, one alone may be smaller.
fn shares(taken: &[Size], new: Size) -> bool {
    let several = taken.iter().find(|size| size.packets > 1);
    match several {
        Some(several) => new.each == several.each || (new.packets == 1 && new.each < several.each),
        None => new.packets == 1 || taken.first().is_none_or(|largest| largest.each <= new.each),
    }
}

/// What waits to be forwarded.
#[derive(Default)]
pub(super) struct Jobs {
    pub(super) sound: Lane,
    pub(super) pictures: Lane,
    /// The longest that a picture waited until its last subscriber had it, since it was last asked.
    pub(super) late: Duration,
}

impl Jobs {
    pub(super) fn is_empty(&self) -> bool {
        self.sound.queue.is_empty() && self.pictures.queue.is_empty()
    }

    pub(super) const fn lane(&mut self, kind: Kind) -> &mut Lane {
        match kind {
            Kind::Audio => &mut self.sound,
            Kind::Video => &mut self.pictures,
        }
    }

    /// What is done next: sound first.
    pub(super) fn next(&self) -> Option<(Kind, &Job)> {
        let sound = self.sound.queue.front().map(|job| (Kind::Audio, job));
        sound.or_else(|| Some((Kind::Video, self.pictures.queue.front()?)))
    }

    /// The longest that a picture waited since this was last asked.
    pub(super) fn take_late(&mut self) -> Duration {
        std::mem::take(&mut self.late)
    }

    /// Jobs of a track that ends or is muted: nothing of it passes any more.
    pub(super) fn forget(&mut self, router: u32, track: u32) {
        for lane in [&mut self.sound, &mut self.pictures] {
            lane.retain(|job| job.router != router || job.track != track);
        }
    }

    /// Jobs of a layer that begins anew.
    pub(super) fn forget_layer(&mut self, router: u32, track: u32, layer: u8) {
        for lane in [&mut self.sound, &mut self.pictures] {
            lane.retain(|job| job.router != router || job.track != track || job.layer != layer);
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
        let waits = move |job: &&Job| job.is_of(router, track, pace) && job.next <= place;
        self.pictures.queue.iter().filter(waits).map(|job| (job.layer, job.span))
    }

    fn under_way(&mut self, router: u32, track: u32, pace: Pace) -> impl Iterator<Item = &mut Job> {
        let jobs = self.sound.queue.iter_mut().chain(&mut self.pictures.queue);
        jobs.filter(move |job| job.is_of(router, track, pace))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A lane with jobs of these routers and tracks, each with a number of its own.
    fn lane(jobs: &[(u32, u32)]) -> Lane {
        #[expect(clippy::disallowed_methods, reason = "any instant will do as the start of a test")]
        let since = Instant::now();
        let mut lane = Lane::default();
        for (seq, (router, track)) in (0..).zip(jobs) {
            let span = Span { first: seq, last: seq };
            assert!(lane.push(Job {
                router: *router,
                track: *track,
                layer: 0,
                pace: Pace::Whole,
                span,
                next: 0,
                since
            }));
        }
        lane
    }

    /// The numbers of those that go together, where job n has the n-th of these sizes.
    fn together(lane: &mut Lane, sizes: &[(usize, usize)]) -> Vec<u64> {
        lane.begin(|job| {
            let (each, packets) = sizes[job.span.first as usize];
            (packets > 0).then_some(Size { each, packets })
        });
        lane.current().map(|job| job.span.first).collect()
    }

    #[test]
    fn sounds_of_one_meeting_go_together_the_larger_first() {
        let mut waiting = lane(&[(1, 1), (2, 7), (1, 2), (1, 3), (2, 8)]);
        assert_eq!(together(&mut waiting, &[(90, 1), (80, 1), (120, 1), (90, 1), (80, 1)]), [2, 0, 3]);
        waiting.note(&[], true);
        assert_eq!(together(&mut waiting, &[(90, 1), (80, 1), (120, 1), (90, 1), (80, 1)]), [1, 4]);
        waiting.note(&[], true);
        assert!(waiting.queue.is_empty());
    }

    #[test]
    fn what_is_of_one_track_stays_in_order() {
        // The third is not for sharing, so the fourth, of its track, must wait behind it.
        let mut waiting = lane(&[(1, 1), (1, 1), (1, 2), (1, 2), (1, 3)]);
        let sizes = [(90, 1), (90, 1), (0, 0), (90, 1), (90, 1)];
        assert_eq!(together(&mut waiting, &sizes), [0, 4]);
        waiting.note(&[], true);
        assert_eq!(together(&mut waiting, &sizes), [1]);
        waiting.note(&[], true);
        assert_eq!(together(&mut waiting, &sizes), [2]);
        waiting.note(&[], true);
        assert_eq!(together(&mut waiting, &sizes), [3]);
    }

    #[test]
    fn frames_go_together_where_they_make_one_send() {
        for (sizes, expected) in [
            // Frames of one size, and one small packet behind them.
            (&[(1000, 3), (1000, 2), (400, 1)][..], &[0, 1, 2][..]),
            // A larger frame, behind which the first, a single packet, has its place.
            (&[(400, 1), (1000, 3), (900, 3)], &[1, 0]),
            (&[(1000, 3), (900, 3), (1100, 1)], &[0]),
            // The first has packets of several sizes.
            (&[(0, 0), (900, 1), (900, 1)], &[0]),
        ] {
            let mut waiting = lane(&[(1, 1), (1, 2), (1, 3)]);
            assert_eq!(together(&mut waiting, sizes), expected, "{sizes:?}");
        }
    }

    #[test]
    fn no_more_go_together_than_are_meant_to_and_a_begun_one_takes_no_others() {
        let mut waiting = lane(&[(1, 1)]);
        assert_eq!(together(&mut waiting, &[(90, 1); 30]), [0]);
        for track in 2..12 {
            let job = Job { track, span: Span { first: track.into(), last: track.into() }, ..waiting.queue[0] };
            assert!(waiting.push(job));
        }
        assert_eq!(together(&mut waiting, &[(90, 1); 30]), [0]);
        waiting.note(&[], true);
        assert_eq!(together(&mut waiting, &[(90, 1); 30]).len(), MOST_TOGETHER);
    }

    #[test]
    fn a_track_that_ends_leaves_those_that_went_with_it() {
        let mut waiting = lane(&[(1, 1), (1, 2), (1, 3), (2, 1)]);
        assert_eq!(together(&mut waiting, &[(90, 1); 4]), [0, 1, 2]);
        waiting.retain(|job| job.track != 2);
        assert_eq!(waiting.current().map(|job| job.span.first).collect::<Vec<_>>(), [0, 2]);
        let ahead: Vec<_> = waiting.current().map(|job| Job { next: 5, ..*job }).collect();
        waiting.note(&ahead, false);
        assert_eq!(waiting.queue.iter().map(|job| job.next).collect::<Vec<_>>(), [5, 5, 0]);
    }
}
