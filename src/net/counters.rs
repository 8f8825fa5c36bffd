//! What a worker counts. Plain numbers in the thread, added now and then to those of the process for `/metrics`.

macro_rules! drops {
    ($($(#[$doc:meta])* $name:ident = $label:literal,)*) => {
        /// Why a datagram or packet was dropped.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Drop { $($(#[$doc])* $name,)* }

        impl Drop {
            /// Every reason.
            pub const ALL: &[Drop] = &[$(Drop::$name,)*];

            /// The label in `symposia_rtp_dropped_total{reason}`.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Drop::$name => $label,)* }
            }
        }
    };
}

drops! {
    /// From an address that has passed no ICE check.
    UnknownAddress = "unknown_address",
    /// No STUN, DTLS or RTP by its first byte, or cut short.
    Malformed = "malformed",
    /// A STUN message that was not for us or not proved.
    Stun = "stun",
    /// Before the keys were agreed.
    NoKeys = "no_keys",
    /// Not sealed with the session's keys.
    Forged = "forged",
    /// Seen before.
    Replayed = "replayed",
    /// Of a stream that nothing announced.
    UnknownStream = "unknown_stream",
    /// Of a section that carries nothing here.
    UnknownSection = "unknown_section",
    /// A payload type that was not agreed.
    UnknownPayload = "unknown_payload",
    /// Its source is muted or forbidden.
    GateClosed = "gate_closed",
    /// Came twice, or too late to be of use.
    Late = "late",
    /// More packets than a participant may send.
    Flood = "flood",
    /// Only padding, to find out what the link takes.
    Padding = "padding",
    /// The other worker's ring was full.
    RingFull = "ring_full",
    /// The ring of a tap was full: a recorder, or another worker with sessions of the same meeting, missed it.
    TapFull = "tap_full",
    /// More was to be sent at once than a batch holds.
    BatchFull = "batch_full",
    /// A queue towards subscribers was full.
    QueueFull = "queue_full",
    /// The kernel took it not.
    Send = "send",
    /// The buffer of a TCP connection was full, or it is closed.
    TcpFull = "tcp_full",
}

impl Drop {
    /// Whether that happens to what was accepted before, on its way out: it was counted as received.
    #[must_use]
    pub const fn is_outward(self) -> bool {
        matches!(self, Self::TapFull | Self::BatchFull | Self::QueueFull | Self::Send | Self::TcpFull)
    }
}

/// How many reasons there are.
pub const DROPS: usize = Drop::ALL.len();

/// The counts of one worker since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// RTP packets that were accepted.
    pub received: u64,
    /// RTP packets that were sent, retransmissions among them.
    pub sent: u64,
    /// Retransmissions among them.
    pub retransmitted: u64,
    /// Packets sent only to find out what a link takes.
    pub probed: u64,
    /// Bytes of accepted RTP packets.
    pub received_bytes: u64,
    /// Bytes of sent RTP packets.
    pub sent_bytes: u64,
    /// RTP packets that taps got, each counted once for each tap.
    pub tapped: u64,
    /// RTP packets that came from other workers by their taps.
    pub taken: u64,
    /// Packets that were brought to the size of others by padding, so that one send took them.
    pub padded: u64,
    /// Bytes of that padding.
    pub padding_bytes: u64,
    /// Key frames asked for.
    pub key_frame_requests: u64,
    /// By reason.
    pub dropped: [u64; DROPS],
    /// Sessions now.
    pub sessions: u64,
    /// Routers now.
    pub routers: u64,
}

impl Counters {
    /// One more RTP packet left, of so many bytes.
    pub const fn count_sent(&mut self, bytes: usize) {
        self.sent += 1;
        self.sent_bytes += bytes as u64;
    }

    /// One more dropped.
    pub fn drop(&mut self, reason: Drop) {
        self.dropped[reason as usize] += 1;
    }

    /// So many more dropped.
    pub fn drop_many(&mut self, reason: Drop, count: u64) {
        self.dropped[reason as usize] += count;
    }
}
