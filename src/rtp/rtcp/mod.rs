//! RTCP (RFC 3550 §6, RFC 4585, RFC 5104): walk through compound packets in place, write new ones
//! into a bounded buffer. Knows no timing rules and no sessions.

mod feedback;
mod ntp;
mod report;
mod source;
mod transport_feedback;
mod writer;

pub use feedback::{FullIntraRequest, MAX_LOST_PER_NACK, Nack, PictureLoss, Remb};
pub use ntp::{Ntp, round_trip, to_short};
pub use report::{ReceiverReport, ReportBlock, ReportBlocks, SenderInfo, SenderReport};
pub use source::{Goodbye, Item, SourceDescription};
pub use transport_feedback::{MAX_STATUSES, Status, Statuses, TICK, TICKS_PER_REFERENCE, TransportFeedback};
pub use writer::Writer;

use super::Malformed;
use super::bytes::u16_at;

/// Packet types (RFC 3550 §12.1, RFC 4585 §6.1).
pub mod packet_type {
    /// Sender report.
    pub const SENDER_REPORT: u8 = 200;
    /// Receiver report.
    pub const RECEIVER_REPORT: u8 = 201;
    /// Source description.
    pub const SOURCE_DESCRIPTION: u8 = 202;
    /// Goodbye.
    pub const GOODBYE: u8 = 203;
    /// Transport layer feedback.
    pub const TRANSPORT_FEEDBACK: u8 = 205;
    /// Payload-specific feedback.
    pub const PAYLOAD_FEEDBACK: u8 = 206;
}

/// Formats of feedback packets: the count field of their header.
pub mod format {
    /// Generic NACK, of transport feedback (RFC 4585 §6.2.1).
    pub const NACK: u8 = 1;
    /// Transport-wide congestion control, of transport feedback.
    pub const TRANSPORT_WIDE: u8 = 15;
    /// Picture loss indication, of payload feedback (RFC 4585 §6.3.1).
    pub const PICTURE_LOSS: u8 = 1;
    /// Full intra request, of payload feedback (RFC 5104 §4.3.1).
    pub const FULL_INTRA: u8 = 4;
    /// Application layer feedback, of payload feedback (RFC 4585 §6.4).
    pub const APPLICATION: u8 = 15;
}

/// Length of the header that all RTCP packets share, in bytes.
pub(super) const HEADER_LEN: usize = 4;
/// How many RTCP packets we walk through in one datagram: the smallest (an empty BYE) is four bytes,
/// but real compounds have fewer than ten.
pub const MAX_PACKETS: usize = 64;

/// One RTCP packet, borrowed from the datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    /// What a sender sent, and what it received.
    SenderReport(SenderReport<'a>),
    /// What a receiver received.
    ReceiverReport(ReceiverReport<'a>),
    /// Names.
    SourceDescription(SourceDescription<'a>),
    /// Sources that end.
    Goodbye(Goodbye<'a>),
    /// Packets to be sent again.
    Nack(Nack<'a>),
    /// A key frame is needed.
    PictureLoss(PictureLoss),
    /// A key frame is wanted.
    FullIntraRequest(FullIntraRequest<'a>),
    /// An upper bound of the bitrate, estimated by the receiver.
    Remb(Remb<'a>),
    /// Which packets of a transport arrived when.
    TransportFeedback(TransportFeedback<'a>),
    /// Well-formed, but of no use to us.
    Unknown {
        /// The packet type.
        packet_type: u8,
        /// The count or format field, 0 to 31.
        format: u8,
        /// What follows the header, without padding.
        body: &'a [u8],
    },
}

/// The packets of one (decrypted) datagram. After a broken header it ends, since nothing tells where the
/// next packet begins; after a broken body it goes on.
#[must_use]
pub const fn packets(datagram: &[u8]) -> Packets<'_> {
    Packets { rest: datagram, left: MAX_PACKETS }
}

/// See [`packets`].
#[derive(Debug, Clone)]
pub struct Packets<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let rest = std::mem::take(&mut self.rest);
        let Some(left) = self.left.checked_sub(1) else {
            return Some(Err(Malformed::TooMany));
        };
        self.left = left;
        let (packet, rest) = match split(rest) {
            Ok(parts) => parts,
            Err(why) => return Some(Err(why)),
        };
        self.rest = rest;
        Some(parse(packet))
    }
}

/// Cuts the first packet off a compound.
fn split(datagram: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let &[first, ..] = datagram.first_chunk::<HEADER_LEN>().ok_or(Malformed::Short)?;
    if first >> 6 != 2 {
        return Err(Malformed::Version);
    }
    let words = u16_at(datagram, 2).ok_or(Malformed::Short)?;
    datagram.split_at_checked(HEADER_LEN + usize::from(words) * 4).ok_or(Malformed::Short)
}

/// Reads one packet whose length was checked.
fn parse(packet: &[u8]) -> Result<Packet<'_>, Malformed> {
    let (&[first, packet_type, ..], mut body) = packet.split_first_chunk::<HEADER_LEN>().ok_or(Malformed::Short)?;
    let count = first & 0x1f;
    if first & 0x20 != 0 {
        let padding = body.last().copied().map(usize::from).ok_or(Malformed::Padding)?;
        let len = body.len().checked_sub(padding).filter(|_| padding > 0).ok_or(Malformed::Padding)?;
        body = &body[..len];
    }
    Ok(match (packet_type, count) {
        (packet_type::SENDER_REPORT, _) => Packet::SenderReport(SenderReport::parse(count, body)?),
        (packet_type::RECEIVER_REPORT, _) => Packet::ReceiverReport(ReceiverReport::parse(count, body)?),
        (packet_type::SOURCE_DESCRIPTION, _) => Packet::SourceDescription(SourceDescription::parse(count, body)),
        (packet_type::GOODBYE, _) => Packet::Goodbye(Goodbye::parse(count, body)?),
        (packet_type::TRANSPORT_FEEDBACK, format::NACK) => Packet::Nack(Nack::parse(body)?),
        (packet_type::TRANSPORT_FEEDBACK, format::TRANSPORT_WIDE) => {
            Packet::TransportFeedback(TransportFeedback::parse(body)?)
        }
        (packet_type::PAYLOAD_FEEDBACK, format::PICTURE_LOSS) => Packet::PictureLoss(PictureLoss::parse(body)?),
        (packet_type::PAYLOAD_FEEDBACK, format::FULL_INTRA) => Packet::FullIntraRequest(FullIntraRequest::parse(body)?),
        (packet_type::PAYLOAD_FEEDBACK, format::APPLICATION) if Remb::is_one(body) => Packet::Remb(Remb::parse(body)?),
        _ => Packet::Unknown { packet_type, format: count, body },
    })
}

#[cfg(test)]
mod tests;
