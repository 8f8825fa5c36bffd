//! What of a layer goes out in a slot: the temporal and spatial layers within the publisher's stream, of which some are
//! left out so that the numbers go on. Knows one slot.

use super::{SendSlot, incoming};
use crate::rtp::ring::Packet;
use crate::rtp::scalability::{Step, Target};
use std::cmp::Ordering;
use std::time::{Duration, Instant};

/// So many changes are remembered: for longer than packets come late there are no more.
const CHANGES: usize = 4;

/// A frame at which one can go up comes within this time, or a key frame is asked for.
const PATIENCE: Duration = Duration::from_secs(3);

/// What of a layer goes out, and went out at each of the numbers that may still be sent, or sent again.
#[derive(Debug)]
pub(super) struct Course {
    now: Step,
    past: Box<Past>,
}

/// What is needed now and then, and stands elsewhere for that: see [`SendSlot`].
#[derive(Debug)]
struct Past {
    /// Latest first: the index from which on it was something else, and what it was before.
    changes: [(u64, Step); CHANGES],
    /// It has been something else than it shall be since then.
    behind: Option<Instant>,
}

impl Default for Course {
    fn default() -> Self {
        Self { now: Step::ALL, past: Box::new(Past { changes: [(0, Step::ALL); CHANGES], behind: None }) }
    }
}

impl Course {
    pub(super) fn at(&self, index: u64) -> Step {
        let later = self.past.changes.iter().take_while(|(from, _)| index < *from);
        later.last().map_or(self.now, |(_, before)| *before)
    }

    pub(super) fn change(&mut self, index: u64, step: Step) {
        let before = std::mem::replace(&mut self.now, step);
        if before != step {
            self.past.changes.rotate_right(1);
            self.past.changes[0] = (index, before);
        }
    }
}

impl SendSlot {
    /// Sets what shall go out; whether a key frame is needed for that. Some streams can go to fewer pixels `anywhere`.
    pub(in crate::session::outbound) fn set_target(&mut self, target: Option<Target>, anywhere: bool) -> bool {
        self.target = target;
        let Some(target) = target else {
            self.layer = None;
            return false;
        };
        self.wanted = self.wanted_of(target);
        let (now, then) = (self.course.now.spatial(), target.step.spatial());
        self.layer != Some(target.layer) || then > now || (then < now && !anywhere)
    }

    /// What goes out now.
    pub(in crate::session::outbound) fn current(&self) -> Option<Target> {
        self.layer.map(|layer| Target { layer, step: self.course.now })
    }

    /// Told each time whether what goes out is not what shall: whether that has been so for too long.
    pub(in crate::session::outbound) fn is_overdue(&mut self, now: Instant, differs: bool) -> bool {
        let behind = &mut self.course.past.behind;
        if !differs {
            *behind = None;
            return false;
        }
        let overdue = now.saturating_duration_since(*behind.get_or_insert(now)) >= PATIENCE;
        if overdue {
            *behind = Some(now);
        }
        overdue
    }

    /// What of the layer that goes out now, with that target. On the way to a lower layer as few pictures as there are:
    /// its key frame is still to come, and what the link takes has to come down at once.
    fn wanted_of(&self, target: Target) -> Step {
        match self.layer.map(|layer| target.layer.cmp(&layer)) {
            Some(Ordering::Less) => Step::new(self.course.now.spatial(), 0),
            Some(Ordering::Equal) => target.step,
            Some(Ordering::Greater) | None => Step::new(self.course.now.spatial(), u8::MAX),
        }
    }

    /// At which step one begins with a layer's key frame: at any up to its highest spatial layer.
    pub(super) fn beginning(&self, layer: u8, top: u8) -> Step {
        let whole = Step::ALL.within(top);
        let Some(target) = self.target else { return whole };
        match target.layer.cmp(&layer) {
            Ordering::Less => Step::new(whole.spatial(), 0),
            Ordering::Equal => target.step.within(top),
            Ordering::Greater => whole,
        }
    }

    /// Begins with a layer, at the number of this index.
    pub(super) fn begin(&mut self, layer: u8, step: Step, index: u64) {
        self.layer = Some(layer);
        self.course.change(index, step);
        self.wanted = step;
    }

    /// Whether a packet goes out here, which is not one that goes to everybody. Where it does not, its number is the
    /// next one's.
    pub(super) fn gets(&mut self, packet: &Packet) -> bool {
        // A late packet is no place to change: what came after it went out already. It is judged by what went out
        // beside it.
        let step = if self.numbers.is_newest(packet.seq) {
            let step = packet.scalability.advance(self.course.now, self.wanted);
            if step != self.course.now
                && let Some(place) = self.numbers.place(packet.seq)
            {
                self.course.change(place, step);
            }
            Some(self.course.now)
        } else {
            self.numbers.place(packet.seq).map(|place| self.course.at(place))
        };
        let gets = step.is_some_and(|step| packet.scalability.needed.has(step));
        if !gets {
            self.numbers.drop_packet(&incoming(packet));
        }
        gets
    }

    /// Whether a picture ends with this packet for whoever gets what goes out here, though it goes on for others.
    pub(super) fn ends(&self, packet: &Packet, index: u64) -> bool {
        packet.scalability.ends && packet.scalability.ends_at(self.course.at(index))
    }
}
