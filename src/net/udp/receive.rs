//! Datagrams as they came, many at a time. Knows no peers.

use super::address::normal;
use quinn_udp::{BATCH_SIZE, RecvMeta};
use std::io::IoSliceMut;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Room for one message of the kernel, in bytes: it joins datagrams (GRO) up to the largest IP packet.
const MESSAGE: usize = 1 << 16;

/// Received datagrams; the room for them is allocated once.
pub struct ReceiveBatch {
    bytes: Vec<u8>,
    metas: [RecvMeta; BATCH_SIZE],
    messages: usize,
}

/// A datagram.
#[derive(Debug)]
pub struct Received<'a> {
    /// Who sent it.
    pub from: SocketAddr,
    /// To which of our addresses: answers must leave from it.
    pub to: Option<IpAddr>,
    /// What it holds; at least one byte.
    pub data: &'a mut [u8],
    /// Its place in the burst that the kernel joined, from 0.
    pub position: usize,
    /// How many datagrams that burst has.
    pub burst: usize,
    /// When the kernel received the burst, since 1970.
    pub at: Option<Duration>,
}

impl Default for ReceiveBatch {
    fn default() -> Self {
        Self::new()
    }
}

impl ReceiveBatch {
    /// With room for 32 messages of the kernel, 2 MiB.
    #[must_use]
    pub fn new() -> Self {
        Self { bytes: vec![0; MESSAGE * BATCH_SIZE], metas: [RecvMeta::default(); BATCH_SIZE], messages: 0 }
    }

    /// Lets `receive` fill the buffers; it gives the number of messages.
    pub(super) fn fill<E>(
        &mut self,
        receive: impl FnOnce(&mut [IoSliceMut<'_>], &mut [RecvMeta]) -> Result<usize, E>,
    ) -> Result<(), E> {
        self.messages = 0;
        let mut rest = &mut self.bytes[..];
        let mut buffers = std::array::from_fn::<_, BATCH_SIZE, _>(|_| {
            let (buffer, behind) = std::mem::take(&mut rest).split_at_mut(MESSAGE);
            rest = behind;
            IoSliceMut::new(buffer)
        });
        self.messages = receive(&mut buffers, &mut self.metas)?;
        Ok(())
    }

    /// Forgets all datagrams.
    pub(super) const fn clear(&mut self) {
        self.messages = 0;
    }

    /// Whether all the room was used, so that more is likely to wait.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.messages == BATCH_SIZE
    }

    /// How many datagrams there are. Empty ones do not count.
    #[must_use]
    pub fn datagrams(&self) -> usize {
        self.metas.iter().take(self.messages).map(|meta| meta.len.div_ceil(meta.stride.max(1))).sum()
    }

    /// The datagrams in the order of their arrival. Empty ones are left out.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = Received<'_>> {
        let messages = self.bytes.chunks_exact_mut(MESSAGE).zip(&self.metas).take(self.messages);
        messages.flat_map(|(bytes, meta)| {
            let stride = meta.stride.max(1);
            let burst = meta.len.div_ceil(stride);
            let joined = bytes.get_mut(..meta.len).unwrap_or_default();
            joined.chunks_mut(stride).enumerate().map(move |(position, data)| Received {
                from: normal(meta.addr),
                to: meta.dst_ip.map(|ip| ip.to_canonical()),
                data,
                position,
                burst,
                at: meta.timestamp,
            })
        })
    }
}

impl std::fmt::Debug for ReceiveBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReceiveBatch").field("datagrams", &self.datagrams()).finish_non_exhaustive()
    }
}
