//! The modules under test, taken from the server's sources by path: its other dependencies (database,
//! web server, DTLS) would be compiled for minutes, and fuzzed by nobody. Knows no target.

#[path = "../../src/clock.rs"]
pub mod clock;

/// As in the server.
#[path = "../../src/net"]
pub mod net {
    pub mod demux;
    pub mod stun;
    /// Without its sockets.
    pub mod udp {
        mod prefetch;
        pub use prefetch::prefetch;
    }
}

/// As in the server.
#[path = "../../src/rtp/mod.rs"]
pub mod rtp;

/// As in the server.
#[path = "../../src/session"]
pub mod session {
    pub mod ice;
    pub mod plan;
    pub mod sdp;
    pub mod srtp;
}

/// As in the server; what it says to its own modules only is said on here.
#[path = "../../src/capture"]
pub mod capture {
    mod assemble;
    mod av1;
    mod h264;

    use assemble::{Assembler, Piece};
    use recordings::Codec;

    /// Frames of a stream: whether each is a key frame, and its bytes.
    #[derive(Default)]
    pub struct Frames(Assembler);

    impl Frames {
        /// What a packet ends.
        pub fn push(&mut self, codec: Codec, timestamp: u32, marker: bool, payload: &[u8]) -> Vec<(bool, Vec<u8>)> {
            let piece = Piece { timestamp, marker, codec, captured_ns: 0, payload: payload.to_vec() };
            self.0.push(&piece).into_iter().flatten().map(|frame| (frame.key, frame.data)).collect()
        }

        /// Something was lost.
        pub fn gap(&mut self) {
            self.0.gap();
        }
    }
}

/// As in the server, without its sockets and publishers.
#[path = "../../src/ingest"]
pub mod ingest {
    pub mod flv;
    pub mod media;
    /// Without its port.
    pub mod rtmp {
        pub mod amf;
        pub mod chunk;
        mod malformed;
        pub mod session;

        pub use malformed::Malformed;
    }
}

mod checksum;
mod guests;
mod input;
/// As in the tests of the meeting.
#[path = "../../signaling/tests/meeting/life.rs"]
mod life;

pub use checksum::crc_32;
pub use guests::{Guests, policy};
pub use input::Input;

use std::sync::LazyLock;
use std::time::Instant;

/// What targets count time from. All inputs of a process begin at the same moment.
pub static START: LazyLock<Instant> = LazyLock::new(clock::now);
