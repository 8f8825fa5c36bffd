//! Which packet went out under which number, so that it can be sent again. Knows no bytes.

use std::time::Instant;

/// Numbers remembered per slot: over half a second of a fast picture, ten seconds of sound.
const PICTURES: usize = 512;
const SOUND: usize = 64;

/// How a packet went out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    /// Under which number.
    pub(super) sequence: u16,
    /// The layer it is of.
    pub(super) layer: u8,
    /// Its number there.
    pub(super) seq: u64,
    /// As it went out.
    pub(super) timestamp: u32,
    /// As it went out.
    pub(super) picture_id: Option<u16>,
    /// As it went out.
    pub(super) tl0: Option<u8>,
    /// When it was sent again last.
    pub(super) resent: Option<Instant>,
}

/// The latest of them; takes memory with the first.
#[derive(Debug)]
pub(super) struct History {
    sent: Vec<Option<Sent>>,
    capacity: usize,
}

impl History {
    pub(super) const fn new(sound: bool) -> Self {
        Self { sent: Vec::new(), capacity: if sound { SOUND } else { PICTURES } }
    }

    pub(super) fn push(&mut self, sent: Sent) {
        if self.sent.is_empty() {
            self.sent.resize(self.capacity, None);
        }
        let place = usize::from(sent.sequence) % self.capacity;
        self.sent[place] = Some(sent);
    }

    pub(super) fn get_mut(&mut self, sequence: u16) -> Option<&mut Sent> {
        let place = usize::from(sequence) % self.capacity;
        self.sent.get_mut(place)?.as_mut().filter(|sent| sent.sequence == sequence)
    }

    /// Another track stands in the slot: what was before it is not sent again.
    pub(super) fn clear(&mut self) {
        self.sent.fill(None);
    }
}
