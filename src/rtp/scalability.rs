//! Which temporal and spatial layers of its stream a packet is part of, and where a subscriber may go from one to
//! another: one form for all codecs. Knows no payload and no subscriber.

/// Temporal layers of a stream that are told apart; those above count as the highest.
pub const MAX_TEMPORAL: u8 = 3;
/// Spatial layers of a stream that are told apart.
pub const MAX_SPATIAL: u8 = 3;
/// All pairs of both.
pub const STEPS: usize = (MAX_SPATIAL * MAX_TEMPORAL) as usize;

/// What one gets of a stream: a spatial and a temporal layer, with all that these need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step(u8);

impl Step {
    /// The whole stream.
    pub const ALL: Self = Self::new(MAX_SPATIAL - 1, MAX_TEMPORAL - 1);

    /// The highest where a layer is higher than any.
    #[must_use]
    pub const fn new(spatial: u8, temporal: u8) -> Self {
        let spatial = if spatial < MAX_SPATIAL { spatial } else { MAX_SPATIAL - 1 };
        let temporal = if temporal < MAX_TEMPORAL { temporal } else { MAX_TEMPORAL - 1 };
        Self(spatial * MAX_TEMPORAL + temporal)
    }

    /// The same in a stream whose highest spatial layer is this one.
    #[must_use]
    pub const fn within(self, top: u8) -> Self {
        if self.spatial() > top { Self::new(top, self.temporal()) } else { self }
    }

    /// Every one, the lowest first.
    pub fn each() -> impl Iterator<Item = Self> {
        (0..STEPS as u8).map(Self)
    }

    /// The spatial layer, 0 the lowest.
    #[must_use]
    pub const fn spatial(self) -> u8 {
        self.0 / MAX_TEMPORAL
    }

    /// The temporal layer, 0 the lowest.
    #[must_use]
    pub const fn temporal(self) -> u8 {
        self.0 % MAX_TEMPORAL
    }

    /// Its place among all.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What somebody gets, or shall get, of a track that may come in several streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The layer that is a stream, 0 the lowest.
    pub layer: u8,
    /// What of it.
    pub step: Step,
}

impl Target {
    /// The lowest layer of all, with all its pictures.
    pub const LOWEST: Self = Self { layer: 0, step: Step::new(0, MAX_TEMPORAL - 1) };
}

/// A set of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps(u16);

impl Steps {
    /// None.
    pub const NONE: Self = Self(0);
    /// Every one.
    pub const ALL: Self = Self((1 << STEPS) - 1);

    /// Those for which it holds.
    #[must_use]
    pub fn of(holds: impl Fn(Step) -> bool) -> Self {
        Self(Step::each().filter(|step| holds(*step)).fold(0, |all, step| all | 1 << step.0))
    }

    /// Whether a step is among them.
    #[must_use]
    pub const fn has(self, step: Step) -> bool {
        self.0 & 1 << step.0 != 0
    }
}

/// How high the pictures of a stream's spatial layers are, in pixels, as far as it was told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heights([Option<u16>; MAX_SPATIAL as usize]);

impl Heights {
    /// Of a stream without spatial layers.
    #[must_use]
    pub const fn of_one(height: Option<u16>) -> Self {
        let mut heights = [None; MAX_SPATIAL as usize];
        heights[0] = height;
        Self(heights)
    }

    /// Of one layer more; those that are not told apart count as the highest.
    pub fn tell(&mut self, spatial: u8, height: u16) {
        self.0[usize::from(spatial.min(MAX_SPATIAL - 1))] = Some(height);
    }

    /// Of a spatial layer.
    #[must_use]
    pub fn of(&self, spatial: u8) -> Option<u16> {
        self.0.get(usize::from(spatial)).copied().flatten()
    }

    /// The highest of all.
    #[must_use]
    pub fn highest(&self) -> Option<u16> {
        self.0.iter().flatten().max().copied()
    }
}

/// What is known of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scalability {
    /// The steps that its frame is needed for.
    pub needed: Steps,
    /// Whoever can decode this frame can decode these steps from here on.
    pub switch: Steps,
    /// The spatial layer of its frame.
    pub spatial: u8,
    /// The highest spatial layer that its stream may have.
    pub top: u8,
    /// The highest layers that its sender goes on with just now, as far as it says.
    pub sent: Step,
    /// The temporal layer of its frame.
    pub temporal: u8,
    /// The first packet of its frame.
    pub starts: bool,
    /// The last packet of its frame, and not of the whole picture: for whoever gets no higher spatial layer it is that.
    pub ends: bool,
    /// The frame needs none of the temporal layers between the lowest and its own.
    pub sync: bool,
}

impl Scalability {
    /// Of a stream without layers.
    pub const NONE: Self = Self {
        needed: Steps::ALL,
        switch: Steps::NONE,
        spatial: 0,
        top: 0,
        sent: Step::ALL,
        temporal: 0,
        starts: false,
        ends: false,
        sync: false,
    };

    /// Whether it goes to everybody as it is, and changes nothing for anybody.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.needed == Steps::ALL && self.switch == Steps::NONE && !self.ends
    }

    /// Whether a picture ends with this packet for whoever is at this step, though it goes on for others.
    #[must_use]
    pub const fn ends_at(&self, step: Step) -> bool {
        self.ends && self.spatial == step.spatial()
    }

    /// The step that somebody is at from this packet on, who was at `current` and shall be at `wanted`. More pictures
    /// and more pixels begin where they can be decoded, fewer pictures at once; whoever waits for fewer pixels gets as
    /// few pictures as there are until then.
    #[must_use]
    pub fn advance(&self, current: Step, wanted: Step) -> Step {
        if current == wanted || !self.starts {
            return current;
        }
        let opens = |step| self.needed.has(current) && self.switch.has(step);
        if opens(wanted) {
            return wanted;
        }
        let temporal = match wanted.spatial().cmp(&current.spatial()) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => wanted.temporal(),
            std::cmp::Ordering::Greater => MAX_TEMPORAL - 1,
        };
        let beside = Step::new(current.spatial(), temporal);
        // Not within a picture, of which lower spatial layers went out already.
        if beside <= current {
            return if self.spatial == 0 { beside } else { current };
        }
        if opens(beside) {
            return beside;
        }
        // A frame that needs the lowest layer only lets one up by one: what follows may need the layer between.
        let next = current.temporal() + 1;
        if self.sync && self.temporal == next { Step::new(current.spatial(), next) } else { current }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn step(spatial: u8, temporal: u8) -> Step {
        Step::new(spatial, temporal)
    }

    #[test]
    fn steps_are_in_the_order_of_what_they_cost() {
        let all: Vec<_> = Step::each().map(|step| (step.spatial(), step.temporal())).collect();
        assert_eq!(all, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)]);
        assert_eq!(Step::new(7, 7), Step::ALL);
        assert!(Step::each().all(|step| Steps::ALL.has(step) && !Steps::NONE.has(step)));
    }

    #[test]
    fn a_stream_without_layers_is_plain() {
        assert!(Scalability::NONE.is_plain());
        assert!(!Scalability { switch: Steps::ALL, ..Scalability::NONE }.is_plain());
    }

    #[test]
    fn fewer_pictures_are_had_at_once_but_within_no_frame() {
        let middle = Scalability { temporal: 2, ..Scalability::NONE };
        assert_eq!(middle.advance(step(0, 2), step(0, 0)), step(0, 2));
        let first = Scalability { starts: true, ..middle };
        assert_eq!(first.advance(step(0, 2), step(0, 0)), step(0, 0));
        // Not within a picture whose lower layers went out.
        let upper = Scalability { spatial: 1, ..first };
        assert_eq!(upper.advance(step(2, 2), step(2, 0)), step(2, 2));
        // Fewer pixels have to be waited for.
        assert_eq!(first.advance(step(2, 2), step(0, 2)), step(2, 0));
    }

    #[test]
    fn more_begins_where_it_can_be_decoded() {
        let plain = Scalability { starts: true, ..Scalability::NONE };
        assert_eq!(plain.advance(step(0, 0), step(0, 2)), step(0, 0));
        let switch = Scalability { switch: Steps::of(|step| step.spatial() == 0), ..plain };
        assert_eq!(switch.advance(step(0, 0), step(0, 2)), step(0, 2));
        assert_eq!(switch.advance(step(0, 0), step(2, 0)), step(0, 2), "as many pictures as there are, until then");
        let of_others = Scalability { needed: Steps::of(|step| step.temporal() > 0), ..switch };
        assert_eq!(of_others.advance(step(0, 0), step(0, 2)), step(0, 0), "it was not sent this frame");
    }

    #[test]
    fn one_goes_up_by_one_temporal_layer_at_a_frame_that_needs_the_lowest_only() {
        let sync = |temporal| Scalability { starts: true, sync: true, temporal, ..Scalability::NONE };
        assert_eq!(sync(2).advance(step(0, 0), step(0, 2)), step(0, 0));
        assert_eq!(sync(1).advance(step(0, 0), step(0, 2)), step(0, 1));
        assert_eq!(sync(2).advance(step(0, 1), step(0, 2)), step(0, 2));
    }
}
