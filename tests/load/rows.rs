//! The rows of the acceptance table that are measured here, a file each.

pub mod idle;
pub mod overload;
pub mod p1;
pub mod p2;
pub mod p5;
pub mod p6;
pub mod recording;
pub mod saturation;
pub mod workers;
