//! The package as a whole: real frames in, files that real players read out, whatever is cut or fails on the way.

mod crash;
mod cuts;
mod disks;
mod export;
mod media;
#[cfg(feature = "mix")]
mod mix;
#[cfg(feature = "upload")]
mod objects;
mod players;
mod rig;
mod streams;
