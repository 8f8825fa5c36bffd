//! The template dependency structure: frames that later descriptors name by number. Knows no packets.

use super::Bits;
use crate::rtp::scalability::{Heights, STEPS};

/// So many can be named.
const MAX_TEMPLATES: usize = 64;
/// References of one frame; codecs have seven.
const MAX_REFERENCES: usize = 8;
/// Decode targets, 2^5.
const MAX_TARGETS: usize = 32;

/// What a frame is for a decode target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Indication {
    NotPresent,
    Discardable,
    Switch,
    Required,
}

/// A frame's layers, what it is for each decode target, and what it refers to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Frame {
    pub(super) spatial: u8,
    pub(super) temporal: u8,
    /// Two bits a target.
    indications: u64,
    references: [u16; MAX_REFERENCES],
    count: u8,
}

impl Frame {
    pub(super) const fn indication(&self, target: u8) -> Indication {
        match self.indications >> (2 * (target as u32 % MAX_TARGETS as u32)) & 3 {
            0 => Indication::NotPresent,
            1 => Indication::Discardable,
            2 => Indication::Switch,
            _ => Indication::Required,
        }
    }

    /// How many frames back each stands that it refers to.
    pub(super) fn references(&self) -> &[u16] {
        self.references.get(..usize::from(self.count)).unwrap_or_default()
    }

    fn refer(&mut self, back: u32) -> Option<()> {
        *self.references.get_mut(usize::from(self.count))? = back as u16;
        self.count += 1;
        Some(())
    }

    pub(super) fn read_indications(&mut self, bits: &mut Bits<'_>, targets: u8) -> Option<()> {
        self.indications = 0;
        for target in 0..u32::from(targets) {
            self.indications |= u64::from(bits.take(2)?) << (2 * target);
        }
        Some(())
    }

    /// Those of a frame that its template does not have.
    pub(super) fn read_references(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        self.count = 0;
        loop {
            match bits.take(2)? {
                0 => return Some(()),
                size => {
                    let back = bits.take(4 * size)? + 1;
                    self.refer(back)?;
                }
            }
        }
    }
}

/// A structure; empty, with no targets, until one was read.
#[derive(Debug)]
pub(super) struct Structure {
    offset: u8,
    templates: [Frame; MAX_TEMPLATES],
    count: usize,
    /// How many decode targets there are.
    pub(super) targets: u8,
    /// The highest spatial and temporal layer of each.
    pub(super) layers: [(u8, u8); MAX_TARGETS],
    /// The target of each step.
    pub(super) steps: [u8; STEPS],
    pub(super) heights: Heights,
}

impl Default for Structure {
    fn default() -> Self {
        Self {
            offset: 0,
            templates: [Frame::default(); MAX_TEMPLATES],
            count: 0,
            targets: 0,
            layers: [(0, 0); MAX_TARGETS],
            steps: [0; STEPS],
            heights: Heights::default(),
        }
    }
}

impl Structure {
    /// The frame that a number stands for; `None` while there is no structure.
    pub(super) fn template(&self, number: u8) -> Option<&Frame> {
        let index = usize::from(number.wrapping_sub(self.offset) % MAX_TEMPLATES as u8);
        self.templates.get(..self.count)?.get(index).filter(|_| self.targets > 0)
    }

    /// Reads another one in its place. What was half read counts for nothing: there are targets at the end only.
    pub(super) fn read(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        self.targets = 0;
        self.offset = bits.take(6)? as u8;
        let targets = bits.take(5)? as u8 + 1;
        self.read_layers(bits)?;
        let templates = &mut self.templates[..self.count];
        for template in &mut *templates {
            template.read_indications(bits, targets)?;
        }
        for template in &mut *templates {
            while bits.flag()? {
                let back = bits.take(4)? + 1;
                template.refer(back)?;
            }
        }
        let chains = bits.one_of(u32::from(targets) + 1)?;
        if chains > 0 {
            for _ in 0..targets {
                bits.one_of(chains)?;
            }
            for _ in 0..self.count as u32 * chains {
                bits.take(4)?;
            }
        }
        for (target, layers) in (0..targets).zip(&mut self.layers) {
            let its = || templates.iter().filter(|frame| frame.indication(target) != Indication::NotPresent);
            let highest = |of: fn(&Frame) -> u8| its().map(of).max().unwrap_or(0);
            *layers = (highest(|frame| frame.spatial), highest(|frame| frame.temporal));
        }
        self.heights = Heights::default();
        if bits.flag()? {
            let spatial = templates.last().map_or(0, |frame| frame.spatial);
            for spatial in 0..=spatial {
                let [_, height] = [bits.take(16)?, bits.take(16)?];
                self.heights.tell(spatial, (height as u16).saturating_add(1));
            }
        }
        self.targets = targets;
        self.choose_targets();
        Some(())
    }

    /// Of which layers the templates are, which are in the order of layers.
    fn read_layers(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        let (mut spatial, mut temporal) = (0, 0);
        self.count = 0;
        loop {
            *self.templates.get_mut(self.count)? = Frame { spatial, temporal, ..Frame::default() };
            self.count += 1;
            match bits.take(2)? {
                0 => {}
                1 => temporal += 1,
                2 => (spatial, temporal) = (spatial + 1, 0),
                _ => return Some(()),
            }
        }
    }
}
