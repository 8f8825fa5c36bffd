//! Why bytes are not what they claim to be. One list for all parsers, so that drops are counted by reason.

/// Why a packet, or a part of one, was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Malformed {
    /// It ends before what its fields promise.
    Short,
    /// It is longer than a UDP datagram can be.
    Long,
    /// The version is not 2.
    Version,
    /// A length or count field contradicts the others.
    Length,
    /// The padding count is zero or reaches into the header.
    Padding,
    /// A field has a value that its specification forbids.
    Value,
    /// It has more parts than we are willing to walk through.
    TooMany,
}

impl Malformed {
    /// A stable word for counters and logs.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Malformed::Short => "short",
            Malformed::Long => "long",
            Malformed::Version => "version",
            Malformed::Length => "length",
            Malformed::Padding => "padding",
            Malformed::Value => "value",
            Malformed::TooMany => "too_many",
        }
    }
}
