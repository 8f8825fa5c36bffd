//! The meeting itself: who is in it, what each may do, and what everybody is told.
//!
//! Pure: no tokio, no clock, no I/O, no knowledge of packets, sockets or databases. The caller tells
//! it the time and carries out the effects that it describes.

pub mod ids;
pub mod meeting;
pub mod permission;
pub mod protocol;
pub mod role;

pub use meeting::Meeting;
