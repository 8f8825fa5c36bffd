//! What of a layer goes out in a slot: the temporal and spatial layers within the publisher's stream, of which some are
//! left out so that the numbers go on. Knows one slot.

use super::{SendSlot, incoming};
use crate::rtp::ring::Packet;
use crate::rtp::scalability::{Step, Target};
use std::cmp::Ordering;

impl SendSlot {
    /// Sets what shall go out; whether a key frame is needed for that. Some streams can go to fewer pixels `anywhere`.
    pub(in crate::session::outbound) fn set_target(&mut self, target: Option<Target>, anywhere: bool) -> bool {
        self.target = target;
        let Some(target) = target else {
            self.layer = None;
            return false;
        };
        self.wanted = self.wanted_of(target);
        let (now, then) = (self.step.spatial(), target.step.spatial());
        self.layer != Some(target.layer) || then > now || (then < now && !anywhere)
    }

    /// What goes out now.
    pub(in crate::session::outbound) fn current(&self) -> Option<Target> {
        self.layer.map(|layer| Target { layer, step: self.step })
    }

    /// What of the layer that goes out now, with that target. On the way to a lower layer as few pictures as there are:
    /// its key frame is still to come, and what the link takes has to come down at once.
    fn wanted_of(&self, target: Target) -> Step {
        match self.layer.map(|layer| target.layer.cmp(&layer)) {
            Some(Ordering::Less) => Step::new(self.step.spatial(), 0),
            Some(Ordering::Equal) => target.step,
            Some(Ordering::Greater) | None => Step::new(self.step.spatial(), u8::MAX),
        }
    }

    /// Begins with a layer's key frame, with which one can begin at any step up to its highest spatial layer.
    pub(super) fn begin_layer(&mut self, layer: u8, top: u8) {
        self.layer = Some(layer);
        self.step = Step::ALL.within(top);
        self.wanted = self.target.map_or(self.step, |target| self.wanted_of(target)).within(top);
        self.step = self.wanted;
    }

    /// Whether a packet goes out here, which is not one that goes to everybody. Where it does not, its number is the
    /// next one's.
    pub(super) fn gets(&mut self, packet: &Packet) -> bool {
        // A late packet is no place to change: what came after it went out already.
        if self.numbers.is_in_order(packet.seq) {
            self.step = packet.scalability.advance(self.step, self.wanted);
        }
        let gets = packet.scalability.needed.has(self.step);
        if !gets {
            self.numbers.drop_packet(&incoming(packet));
        }
        gets
    }
}
