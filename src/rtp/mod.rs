//! RTP and RTCP as bytes: parse, rewrite, count. Pure; knows no sessions, sockets or keys.

mod audio_level;
mod bytes;
pub mod codec;
pub mod dependency;
pub mod extension;
pub mod header;
pub mod layer;
mod malformed;
pub mod munge;
pub mod receive_log;
pub mod red;
pub mod ring;
pub mod rtcp;
pub mod scalability;
pub mod sequence;
pub mod speakers;
pub mod twcc_history;
pub mod twcc_recorder;

pub use audio_level::Loudness;
pub use header::{Header, is_rtcp};
pub use malformed::Malformed;
pub use munge::Munger;
pub use receive_log::{Arrival, ReceiveLog};
pub use speakers::Speakers;
pub use twcc_history::SendHistory;
pub use twcc_recorder::ArrivalRecorder;
