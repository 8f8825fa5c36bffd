//! The sound of everybody as one small file, which every player plays: for phones, for finding a place, for transcripts.
//! Made after a recording has ended, on one thread at the lowest priority. Knows no meeting and no runtime.
//!
//! The way: `voice::Voice` (a file's packets become samples, each at its time) → `limiter` (many at once are
//! not cut off) → [`make`] (windows of samples become parts of `mix.mp4`) → [`Mixer`] (does it for one recording after
//! the other).

mod limiter;
mod make;
mod mixer;
mod voice;

pub use make::make;
pub use mixer::{Fetch, Mixer, Settings};

/// Its name in the recording's folder.
pub const FILE: &str = "mix.mp4";

/// Samples a second, which are also the ticks of Opus.
const RATE: u64 = 48_000;
/// Samples of a packet: 20 ms.
const PACKET: usize = 960;
/// Packets of a part: ten seconds, so that the index of a week has places enough.
const PACKETS: usize = 500;
/// Samples of a part.
const WINDOW: usize = PACKET * PACKETS;
/// By so many samples encoder and decoder are late together (RFC 6716: 6.5 ms): the sender's, and ours.
const LATE: i64 = 2 * 312;
/// Bits a second: speech of several people sounds whole.
const BITS: i32 = 32_000;
