//! Sender and receiver reports (RFC 3550 §6.4).

use super::Malformed;
use super::ntp::Ntp;
use crate::rtp::bytes::{put, u32_at, u64_at};

/// Length of one report block, in bytes.
pub(super) const BLOCK_LEN: usize = 24;
/// Length of the sender information, in bytes.
pub(super) const INFO_LEN: usize = 20;

/// What one receiver says of one source (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReportBlock {
    /// The source.
    pub ssrc: u32,
    /// Lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Lost since the beginning; negative where duplicates were counted. 24 bits on the wire.
    pub cumulative_lost: i32,
    /// Cycles in the upper and the highest sequence number in the lower 16 bits.
    pub highest_sequence: u32,
    /// Interarrival jitter, in ticks of the source's clock rate.
    pub jitter: u32,
    /// Middle 32 bits of the last sender report's NTP time; 0 for none.
    pub last_sender_report: u32,
    /// Since that arrived, in 1/65,536 s.
    pub delay_since: u32,
}

impl ReportBlock {
    fn parse(bytes: &[u8; BLOCK_LEN]) -> ReportBlock {
        let word = |at| u32_at(bytes, at).unwrap_or_default();
        let lost = word(4);
        ReportBlock {
            ssrc: word(0),
            fraction_lost: (lost >> 24) as u8,
            // The upper byte is shifted out, and the sign of the 24 bits in.
            cumulative_lost: (lost << 8) as i32 >> 8,
            highest_sequence: word(8),
            jitter: word(12),
            last_sender_report: word(16),
            delay_since: word(20),
        }
    }

    pub(super) fn to_bytes(self) -> [u8; BLOCK_LEN] {
        let lost = self.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0xff_ffff;
        let words = [
            self.ssrc,
            u32::from(self.fraction_lost) << 24 | lost,
            self.highest_sequence,
            self.jitter,
            self.last_sender_report,
            self.delay_since,
        ];
        let mut bytes = [0; BLOCK_LEN];
        for (i, word) in words.into_iter().enumerate() {
            put(&mut bytes, i * 4, &word.to_be_bytes());
        }
        bytes
    }
}

/// The blocks of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportBlocks<'a>(&'a [[u8; BLOCK_LEN]]);

impl<'a> ReportBlocks<'a> {
    fn parse(count: u8, bytes: &'a [u8]) -> Result<ReportBlocks<'a>, Malformed> {
        bytes.as_chunks().0.get(..usize::from(count)).map(ReportBlocks).ok_or(Malformed::Length)
    }

    /// In their order.
    pub fn iter(&self) -> impl Iterator<Item = ReportBlock> + use<'a> {
        self.0.iter().map(ReportBlock::parse)
    }

    /// How many, 0 to 31.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a sender says of its own stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderInfo {
    /// The stream.
    pub ssrc: u32,
    /// When this report was made.
    pub ntp: Ntp,
    /// The same instant in the stream's timestamps.
    pub timestamp: u32,
    /// Packets sent, modulo 2^32.
    pub packets: u32,
    /// Payload bytes sent, modulo 2^32.
    pub bytes: u32,
}

/// A sender report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderReport<'a> {
    /// Of the sender itself.
    pub info: SenderInfo,
    /// Of what it receives.
    pub blocks: ReportBlocks<'a>,
}

impl<'a> SenderReport<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<SenderReport<'a>, Malformed> {
        let short = Malformed::Short;
        let info = SenderInfo {
            ssrc: u32_at(body, 0).ok_or(short)?,
            ntp: Ntp(u64_at(body, 4).ok_or(short)?),
            timestamp: u32_at(body, 12).ok_or(short)?,
            packets: u32_at(body, 16).ok_or(short)?,
            bytes: u32_at(body, 20).ok_or(short)?,
        };
        let blocks = body.get(4 + INFO_LEN..).ok_or(short)?;
        Ok(SenderReport { info, blocks: ReportBlocks::parse(count, blocks)? })
    }
}

/// A receiver report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiverReport<'a> {
    /// Who reports.
    pub ssrc: u32,
    /// Of what it receives.
    pub blocks: ReportBlocks<'a>,
}

impl<'a> ReceiverReport<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Result<ReceiverReport<'a>, Malformed> {
        let ssrc = u32_at(body, 0).ok_or(Malformed::Short)?;
        let blocks = body.get(4..).ok_or(Malformed::Short)?;
        Ok(ReceiverReport { ssrc, blocks: ReportBlocks::parse(count, blocks)? })
    }
}
