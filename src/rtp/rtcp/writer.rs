//! Writes RTCP packets one after another into a buffer that the caller bounds. Allocates nothing;
//! what does not fit whole is not written.

use super::feedback::{REMB_ID, REMB_MANTISSA_BITS, pack};
use super::report::{BLOCK_LEN, INFO_LEN, ReportBlock, SenderInfo};
use super::source::CNAME;
use super::{HEADER_LEN, format, packet_type, transport_feedback};
use crate::rtp::bytes::put;

/// A compound packet in the making.
#[derive(Debug)]
pub struct Writer<'a> {
    buffer: &'a mut [u8],
    len: usize,
}

impl<'a> Writer<'a> {
    /// Writes from the start of `buffer`, whose length is the bound.
    pub fn new(buffer: &'a mut [u8]) -> Writer<'a> {
        Writer { buffer, len: 0 }
    }

    /// How much was written, in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How much still fits, in bytes.
    #[must_use]
    pub const fn room(&self) -> usize {
        self.buffer.len() - self.len
    }

    /// What was written.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    /// A sender report with at most 31 blocks; false where it does not fit.
    pub fn sender_report(&mut self, info: &SenderInfo, blocks: &[ReportBlock]) -> bool {
        let Some(count) = block_count(blocks) else { return false };
        let len = 4 + INFO_LEN + blocks.len() * BLOCK_LEN;
        self.packet(count, packet_type::SENDER_REPORT, len, |body| {
            put(body, 0, &info.ssrc.to_be_bytes());
            put(body, 4, &info.ntp.0.to_be_bytes());
            put(body, 12, &info.timestamp.to_be_bytes());
            put(body, 16, &info.packets.to_be_bytes());
            put(body, 20, &info.bytes.to_be_bytes());
            put_blocks(body, 4 + INFO_LEN, blocks);
        })
    }

    /// A receiver report with at most 31 blocks; false where it does not fit.
    pub fn receiver_report(&mut self, sender: u32, blocks: &[ReportBlock]) -> bool {
        let Some(count) = block_count(blocks) else { return false };
        self.packet(count, packet_type::RECEIVER_REPORT, 4 + blocks.len() * BLOCK_LEN, |body| {
            put(body, 0, &sender.to_be_bytes());
            put_blocks(body, 4, blocks);
        })
    }

    /// A source description with one canonical name of at most 255 bytes; false where it does not fit.
    pub fn canonical_name(&mut self, ssrc: u32, name: &str) -> bool {
        let Ok(len) = u8::try_from(name.len()) else { return false };
        // One zero at least ends the chunk.
        let body_len = (4 + 2 + name.len() + 1).next_multiple_of(4);
        self.packet(1, packet_type::SOURCE_DESCRIPTION, body_len, |body| {
            body.fill(0);
            put(body, 0, &ssrc.to_be_bytes());
            put(body, 4, &[CNAME, len]);
            put(body, 6, name.as_bytes());
        })
    }

    /// A goodbye of at most 31 sources; false where it does not fit.
    pub fn goodbye(&mut self, sources: &[u32]) -> bool {
        let Some(count) = u8::try_from(sources.len()).ok().filter(|&count| count <= 31) else { return false };
        self.packet(count, packet_type::GOODBYE, sources.len() * 4, |body| {
            for (i, source) in sources.iter().enumerate() {
                put(body, i * 4, &source.to_be_bytes());
            }
        })
    }

    /// A generic NACK of ascending (modulo 2^16) sequence numbers; returns how many of them fit.
    pub fn nack(&mut self, sender: u32, media: u32, lost: &[u16]) -> usize {
        let room = (self.room().saturating_sub(HEADER_LEN + 8)) / 4;
        let (mut entries, mut taken) = (0, 0);
        while let Some((_, count)) = lost.get(taken..).and_then(pack).filter(|_| entries < room) {
            entries += 1;
            taken += count;
        }
        if entries == 0 {
            return 0;
        }
        let written =
            self.feedback(format::NACK, packet_type::TRANSPORT_FEEDBACK, sender, media, entries * 4, |body| {
                let mut rest = lost;
                for i in 0..entries {
                    let Some((entry, count)) = pack(rest) else { break };
                    put(body, i * 4, &entry);
                    rest = &rest[count..];
                }
            });
        if written { taken } else { 0 }
    }

    /// A picture loss indication; false where it does not fit.
    pub fn picture_loss(&mut self, sender: u32, media: u32) -> bool {
        self.feedback(format::PICTURE_LOSS, packet_type::PAYLOAD_FEEDBACK, sender, media, 0, |_| ())
    }

    /// A full intra request with its number, which goes up by one with each new request and stays when
    /// one is repeated; false where it does not fit.
    pub fn full_intra_request(&mut self, sender: u32, media: u32, number: u8) -> bool {
        // RFC 5104 §4.3.1.2: the media source of the common header is zero.
        self.feedback(format::FULL_INTRA, packet_type::PAYLOAD_FEEDBACK, sender, 0, 8, |body| {
            put(body, 0, &media.to_be_bytes());
            put(body, 4, &[number, 0, 0, 0]);
        })
    }

    /// A receiver's estimated maximum bitrate, in bits per second, of at most 255 streams together; what the 18 bits of
    /// its mantissa can't hold is rounded down. False where it does not fit.
    pub fn remb(&mut self, sender: u32, bitrate: u64, streams: &[u32]) -> bool {
        let Ok(count) = u8::try_from(streams.len()) else { return false };
        let exponent = (u64::BITS - bitrate.leading_zeros()).saturating_sub(REMB_MANTISSA_BITS);
        let [_, mantissa @ ..] = ((bitrate >> exponent) as u32 | exponent << REMB_MANTISSA_BITS).to_be_bytes();
        let len = 8 + streams.len() * 4;
        // The media source of the common header is zero.
        self.feedback(format::APPLICATION, packet_type::PAYLOAD_FEEDBACK, sender, 0, len, |body| {
            put(body, 0, REMB_ID);
            put(body, 4, &[count]);
            put(body, 5, &mantissa);
            for (i, stream) in streams.iter().enumerate() {
                put(body, 8 + i * 4, &stream.to_be_bytes());
            }
        })
    }

    /// Transport-wide feedback number `count` for packets `base` and on. `reference` is the time
    /// (in units of 64 ms, 24 bits) from which the first arrival counts; each of `arrivals` is
    /// the time since the one before in ticks of [`super::TICK`], or `None` for what did not arrive.
    /// At most [`super::MAX_STATUSES`] arrivals; false, and nothing written, where it does not fit.
    pub fn transport_feedback(
        &mut self,
        sender: u32,
        media: u32,
        base: u16,
        count: u8,
        reference: u32,
        arrivals: &[Option<i16>],
    ) -> bool {
        let Some(len) = transport_feedback::body_len(arrivals) else { return false };
        let padded = len.next_multiple_of(4);
        let written =
            self.feedback(format::TRANSPORT_WIDE, packet_type::TRANSPORT_FEEDBACK, sender, media, padded, |body| {
                body.fill(0);
                transport_feedback::write(body, base, count, reference, arrivals);
            });
        if written && padded > len {
            let total = HEADER_LEN + 8 + padded;
            let start = self.len - total;
            self.buffer[start] |= 0x20;
            self.buffer[self.len - 1] = (padded - len) as u8;
        }
        written
    }

    fn feedback(
        &mut self,
        format: u8,
        packet_type: u8,
        sender: u32,
        media: u32,
        len: usize,
        fill: impl FnOnce(&mut [u8]),
    ) -> bool {
        self.packet(format, packet_type, 8 + len, |body| {
            put(body, 0, &sender.to_be_bytes());
            put(body, 4, &media.to_be_bytes());
            fill(&mut body[8..]);
        })
    }

    /// A header, and a body of `len` bytes (a multiple of four) that `fill` writes whole.
    fn packet(&mut self, count: u8, packet_type: u8, len: usize, fill: impl FnOnce(&mut [u8])) -> bool {
        debug_assert!(len.is_multiple_of(4));
        let Ok(words) = u16::try_from(len / 4) else { return false };
        let Some(room) = self.buffer.get_mut(self.len..self.len + HEADER_LEN + len) else { return false };
        let [hi, lo] = words.to_be_bytes();
        put(room, 0, &[0x80 | count, packet_type, hi, lo]);
        fill(&mut room[HEADER_LEN..]);
        self.len += HEADER_LEN + len;
        true
    }
}

fn block_count(blocks: &[ReportBlock]) -> Option<u8> {
    u8::try_from(blocks.len()).ok().filter(|&count| count <= 31)
}

fn put_blocks(body: &mut [u8], at: usize, blocks: &[ReportBlock]) {
    for (i, block) in blocks.iter().enumerate() {
        put(body, at + i * BLOCK_LEN, &block.to_bytes());
    }
}
