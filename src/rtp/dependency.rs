//! The dependency descriptor, a header extension by which senders of any codec say of which layers a frame is and what
//! it needs (AV1 RTP specification, appendix A). Knows no payload.

mod bits;
mod structure;

use super::bytes::{put, u16_at};
use super::scalability::{Heights, MAX_SPATIAL, MAX_TEMPORAL, Scalability, Step, Steps};
use super::sequence::Unwrapper;
use bits::Bits;
use structure::{Frame, Indication, Structure};

/// Frames of which is remembered of which temporal layer they were; references reach less far back.
const REMEMBERED: usize = 64;

/// The longest descriptor: what an element of a header extension holds.
pub const MAX_LEN: usize = 255;

/// Where the number of the frame stands in a descriptor, in bytes.
const FRAME_NUMBER_AT: usize = 1;

/// Which frame a descriptor is of, whatever else it says.
#[must_use]
pub fn frame_number(descriptor: &[u8]) -> Option<u16> {
    u16_at(descriptor, FRAME_NUMBER_AT)
}

/// Writes another number in its place; false where that is too short to have one.
pub fn set_frame_number(descriptor: &mut [u8], frame: u16) -> bool {
    put(descriptor, FRAME_NUMBER_AT, &frame.to_be_bytes())
}

/// Whether a codec's senders tell the truth in the decode target indications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Indications {
    /// AV1 and VP9 in libwebrtc.
    True,
    /// Its VP8 and H.264 call each frame a switch point: what they refer to tells more.
    All,
}

/// What one packet's descriptor says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    /// It brings a new structure, as key frames do.
    pub attached: bool,
    /// Those of its spatial layers, where the structure says.
    pub heights: Heights,
    /// Of which layers the packet is.
    pub scalability: Scalability,
}

/// What a descriptor is made of.
struct Head {
    starts: bool,
    ends: bool,
    number: u16,
    attached: bool,
    /// It is of the structure before the newest.
    late: bool,
    frame: Frame,
}

/// What descriptors of a stream have said so far that later ones refer to.
#[derive(Debug)]
pub struct Dependencies {
    structure: Box<Structure>,
    /// The one before it, which frames refer to that come late.
    earlier: Box<Structure>,
    numbers: Unwrapper,
    /// The first frame of the newest structure.
    since: u64,
    /// The decode targets that the sender goes on with.
    active: u32,
    temporal: [(u16, u8); REMEMBERED],
}

impl Default for Dependencies {
    fn default() -> Self {
        Self {
            structure: Box::default(),
            earlier: Box::default(),
            numbers: Unwrapper::new(),
            since: 0,
            active: u32::MAX,
            temporal: [(0, 0); REMEMBERED],
        }
    }
}

impl Dependencies {
    /// Reads a packet's descriptor. `None` where it is none, or refers to a structure that did not come.
    pub fn read(&mut self, value: &[u8], indications: Indications, marker: bool) -> Option<Descriptor> {
        let Head { starts, ends, number, attached, late, frame } = self.read_head(value)?;
        let place = Step::new(frame.spatial, frame.temporal);
        let sync = self.needs_lower_only(number, &frame, place.temporal());
        self.temporal[usize::from(number) % REMEMBERED] = (number, place.temporal());
        let structure = if late { &self.earlier } else { &self.structure };
        let is = |step: Step, wanted: fn(Indication) -> bool| wanted(frame.indication(structure.target(step)));
        let switch = match indications {
            _ if !starts => Steps::NONE,
            _ if frame.references().is_empty() && frame.spatial == 0 => Steps::ALL,
            Indications::True => Steps::of(|step| is(step, |indication| indication == Indication::Switch)),
            Indications::All => Steps::NONE,
        };
        Some(Descriptor {
            attached,
            heights: if attached { structure.heights } else { Heights::default() },
            scalability: Scalability {
                needed: Steps::of(|step| is(step, |indication| indication != Indication::NotPresent)),
                switch,
                spatial: place.spatial(),
                top: structure.target_layers(Step::ALL).spatial(),
                sent: structure.highest_of(self.active),
                temporal: place.temporal(),
                starts,
                ends: ends && !marker,
                sync: sync && indications == Indications::All,
            },
        })
    }

    fn read_head(&mut self, value: &[u8]) -> Option<Head> {
        let mut bits = Bits::new(value);
        let (starts, ends) = (bits.flag()?, bits.flag()?);
        let template = bits.take(6)? as u8;
        let number = bits.take(16)? as u16;
        let mut flag = || if value.len() > 3 { bits.flag() } else { Some(false) };
        let [attached, active, indications, references] = [flag()?, flag()?, flag()?, flag()?];
        // Chains come last, and nothing is asked of them here.
        let _chains = flag()?;
        // One that comes again as a repair, after the next structure, must not stand in its place.
        let place = self.numbers.peek(number);
        let late = place < self.since;
        if attached && !late && place > self.since {
            std::mem::swap(&mut self.structure, &mut self.earlier);
        }
        let structure = if late { &mut self.earlier } else { &mut self.structure };
        if attached {
            structure.read(&mut bits)?;
        }
        let targets = structure.targets;
        let told = if active { Some(bits.take(u32::from(targets))?) } else { None };
        let mut frame = *structure.template(template)?;
        if attached && !late {
            (self.since, self.active) = (place, u32::MAX);
        }
        if let Some(told) = told.filter(|_| !late) {
            self.active = told;
        }
        self.numbers.unwrap(number);
        if indications {
            frame.read_indications(&mut bits, targets)?;
        }
        if references {
            frame.read_references(&mut bits)?;
        }
        Some(Head { starts, ends, number, attached, late, frame })
    }

    /// Whether a frame refers to frames of lower temporal layers only, and all of them are known.
    fn needs_lower_only(&self, number: u16, frame: &Frame, layer: u8) -> bool {
        frame.references().iter().all(|back| {
            let (known, temporal) = self.temporal[usize::from(number.wrapping_sub(*back)) % REMEMBERED];
            known == number.wrapping_sub(*back) && temporal < layer
        })
    }
}

impl Structure {
    /// The decode target that a step stands for: of the layers that there are the highest up to the step's; the highest
    /// of all where the step's is the highest that we tell apart.
    fn choose_targets(&mut self) {
        let layers = self.layers;
        let all = layers.iter().take(usize::from(self.targets));
        let within = |step: u8, most: u8, layer: u8| step + 1 == most || layer <= step;
        for step in Step::each() {
            let fits = |(_, (spatial, temporal)): &(u8, &(u8, u8))| {
                within(step.spatial(), MAX_SPATIAL, *spatial) && within(step.temporal(), MAX_TEMPORAL, *temporal)
            };
            let best = (0..).zip(all.clone()).filter(fits).max_by_key(|(_, layers)| **layers);
            self.steps[step.index()] = best.map_or(0, |(target, _)| target);
        }
    }

    /// The highest layers that any of these targets needs; all where there is none among them.
    fn highest_of(&self, targets: u32) -> Step {
        let all = (0..self.targets).zip(&self.layers);
        let those = || all.clone().filter(|(target, _)| targets >> target & 1 == 1).map(|(_, layers)| *layers);
        match (those().map(|(spatial, _)| spatial).max(), those().map(|(_, temporal)| temporal).max()) {
            (Some(spatial), Some(temporal)) => Step::new(spatial, temporal),
            _ => Step::ALL,
        }
    }

    fn target_layers(&self, step: Step) -> Step {
        let (spatial, temporal) = self.layers[usize::from(self.target(step))];
        Step::new(spatial, temporal)
    }

    fn target(&self, step: Step) -> u8 {
        self.steps[step.index()]
    }
}

#[cfg(test)]
mod tests;
