//! Media with a past: frames become parts, parts become files that survive a power cut, files become a recording with
//! its manifest and timeline. `README.md` describes what lies on the disk. Knows no network, no meeting and no runtime.
//!
//! The way of a frame: [`Recorder::handle_frame`] → [`parts::Cutter`] → [`mp4`] or [`webm`] → [`Batch`] → [`Writer`].

mod bits;
mod checksum;
pub mod codec;
mod container;
mod disk;
pub mod export;
mod frame;
mod journal;
pub mod manifest;
#[cfg(feature = "mix")]
pub mod mix;
pub mod mp4;
pub mod parts;
mod recorder;
pub mod recovery;
pub mod room;
mod scan;
pub mod timeline;
#[cfg(feature = "upload")]
pub mod upload;
pub mod webm;
mod writer;

pub use container::Container;
pub use disk::{Batch, Op, Step};
pub use frame::{Codec, Frame, Part, Sample};
pub use journal::Journal;
pub use recorder::{Output, Recorder, Settings, State, TrackInfo, Trouble, Written};
pub use scan::{Entry, Scan};
pub use writer::Writer;
