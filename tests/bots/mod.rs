//! Bots: our own clients without a browser, and a virtual network to let them meet a worker's core in.
//! Included by `#[path]` from the test binaries that need it. Knows no sockets and no clock: all is told the time.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod agent;
pub mod bot;
pub mod bottleneck;
pub mod content;
pub mod crypto;
pub mod netem;
pub mod receiving;
pub mod sending;
pub mod workers;
pub mod world;

use std::sync::{Arc, OnceLock};
use symposia::session::dtls::Identity;

/// A certificate; each call gives another.
pub fn new_identity() -> Identity {
    let provider = rtc_crypto::default_provider().expect("ring is built in");
    Identity::generate(&provider).expect("a certificate can be made")
}

/// The certificate that all Bots share, since making one takes longer than a handshake.
pub fn bot_identity() -> Identity {
    static IDENTITY: OnceLock<Arc<Identity>> = OnceLock::new();
    Identity::clone(IDENTITY.get_or_init(|| Arc::new(new_identity())))
}
