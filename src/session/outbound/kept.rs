//! Sealed packets as they were sent, for peers that ask for losses and have no retransmission stream: the same number
//! under the same key must carry the same bytes (RFC 3711 §9.1). Knows no slots and no keys.

use crate::session::plan::Kind;

/// How much is kept of one slot.
#[derive(Debug, Clone, Copy)]
struct Room {
    packets: u16,
    /// Longer ones are not kept.
    longest: usize,
}

impl Room {
    const fn of(kind: Kind) -> Self {
        match kind {
            // Two thirds of a second, longer than anybody waits for a sound; with repetition in it, music at 128 kbit/s.
            Kind::Audio => Self { packets: 32, longest: 448 },
            // A second of a picture of 2.5 Mbit/s, in packets as long as an Ethernet frame takes.
            Kind::Video => Self { packets: 256, longest: 1500 },
        }
    }
}

pub(super) struct Kept {
    room: Room,
    /// Number and length of each; nothing is kept where the length is 0.
    packets: Box<[(u16, u16)]>,
    bytes: Box<[u8]>,
}

impl Kept {
    pub(super) fn new(kind: Kind) -> Self {
        let room = Room::of(kind);
        let packets = usize::from(room.packets);
        Self {
            room,
            packets: vec![(0, 0); packets].into_boxed_slice(),
            bytes: vec![0; packets * room.longest].into_boxed_slice(),
        }
    }

    fn place(&self, sequence: u16) -> usize {
        usize::from(sequence % self.room.packets)
    }

    /// Keeps a packet in the place of an older one.
    pub(super) fn keep(&mut self, sequence: u16, sealed: &[u8]) {
        let place = self.place(sequence);
        let begin = place * self.room.longest;
        let Some(packet) = self.packets.get_mut(place) else { return };
        *packet = (sequence, 0);
        let fits = sealed.len() <= self.room.longest;
        if let Some(bytes) = self.bytes.get_mut(begin..begin + sealed.len()).filter(|_| fits) {
            bytes.copy_from_slice(sealed);
            packet.1 = sealed.len() as u16;
        }
    }

    /// The packet with this number.
    pub(super) fn find(&self, sequence: u16) -> Option<&[u8]> {
        let place = self.place(sequence);
        let (_, len) = self.packets.get(place).copied().filter(|(kept, len)| *kept == sequence && *len > 0)?;
        let begin = place * self.room.longest;
        self.bytes.get(begin..begin + usize::from(len))
    }

    /// Nothing of what was sent so far may be sent again.
    pub(super) fn clear(&mut self) {
        self.packets.iter_mut().for_each(|(_, len)| *len = 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_packet_is_found_until_another_takes_its_place() {
        for kind in [Kind::Audio, Kind::Video] {
            let Room { packets, longest } = Room::of(kind);
            let mut kept = Kept::new(kind);
            assert_eq!(kept.find(0), None);
            kept.keep(5, b"five");
            kept.keep(6, &vec![0; longest + 1]);
            kept.keep(7, &vec![7; longest]);
            assert_eq!((kept.find(5), kept.find(6), kept.find(5 + packets)), (Some(&b"five"[..]), None, None));
            assert_eq!(kept.find(7).map(<[u8]>::len), Some(longest));
            kept.keep(5 + packets, b"later");
            assert_eq!((kept.find(5), kept.find(5 + packets)), (None, Some(&b"later"[..])));
            kept.keep(5 + packets, &vec![0; longest + 1]);
            assert_eq!(kept.find(5 + packets), None, "what does not fit takes the place of what was there");
            kept.clear();
            assert_eq!(kept.find(7), None);
        }
    }
}
