//! The header extensions of a packet on its way out (RFC 8285). Knows one packet.

use super::{Outgoing, Transport};
use crate::rtp::dependency;
use crate::rtp::extension::{self, Form};

/// What the short form takes.
pub(super) const MOST_SHORT: usize = 16;

/// With a dependency descriptor that the short form takes: head, three elements with heads, and the words' rest.
pub(super) const LONG: usize = 4 + (1 + 2) + (1 + 1) + (1 + MOST_SHORT) + 3;

/// With a longer one.
pub(super) const LONGEST: usize = 4 + (2 + 2) + (2 + 1) + (2 + dependency::MAX_LEN) + 3;

impl Outgoing<'_> {
    /// One-byte header extensions (RFC 8285 §4.2): the transport-wide number, and what the publisher said of
    /// orientation or loudness.
    pub(super) fn write_extensions(&self, transport: &Transport, block: &mut [u8; 12]) -> usize {
        let ids = transport.extensions;
        let mut len = 4;
        if let (Some(id), Some(history)) = (ids.transport_cc, &transport.history) {
            let [high, low] = history.next_sequence().to_be_bytes();
            block[len..len + 3].copy_from_slice(&[id << 4 | 1, high, low]);
            len += 3;
        }
        for (id, value) in
            [(ids.video_orientation, self.packet.orientation), (ids.audio_level, self.packet.audio_level)]
        {
            if let (Some(id), Some(value)) = (id, value) {
                block[len..len + 2].copy_from_slice(&[id << 4, value]);
                len += 2;
            }
        }
        if len == 4 {
            return 0;
        }
        len = len.next_multiple_of(4);
        let words = ((len - 4) / 4) as u8;
        block[..4].copy_from_slice(&[0xbe, 0xde, 0, words]);
        len
    }

    /// The same with the dependency descriptor, whose frame numbers go on over every change of layers; in two-byte form
    /// where it is long, as those of key frames are.
    pub(super) fn write_described(
        &self,
        transport: &Transport,
        (id, descriptor): (u8, &[u8]),
        block: &mut [u8],
    ) -> Option<usize> {
        let ids = transport.extensions;
        let number = transport.history.as_ref().map(|history| history.next_sequence().to_be_bytes());
        let orientation = self.packet.orientation.map(|byte| [byte]);
        let mut elements: [(u8, &[u8]); 3] = [(id, descriptor); 3];
        let others = [
            ids.transport_cc.zip(number.as_ref().map(|number| number.as_slice())),
            ids.video_orientation.zip(orientation.as_ref().map(|byte| byte.as_slice())),
        ];
        let mut count = 1;
        for (place, element) in elements[1..].iter_mut().zip(others.into_iter().flatten()) {
            *place = element;
            count += 1;
        }
        let (form, head) = if descriptor.len() > MOST_SHORT { (Form::TwoByte, 2) } else { (Form::OneByte, 1) };
        let len = extension::write(block, form, elements.get(..count)?)?;
        if let Some(frame) = self.numbers.frame {
            dependency::set_frame_number(block.get_mut(4 + head..)?, frame);
        }
        Some(len)
    }
}
