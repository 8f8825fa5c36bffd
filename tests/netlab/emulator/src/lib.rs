//! A bad network, from a seed: what a link does to packets (`path`), what stands in their way (`meddling`). Told the
//! time as a duration since its start; knows no device, no clock and no browser.

pub mod datagram;
pub mod meddling;
pub mod path;
pub mod settings;
