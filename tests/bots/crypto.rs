//! A Bot's SRTP: our own, or `rtc-srtp` on the receiving side as an oracle that knows nothing of our code.

use rtc_srtp::context::Context;
use rtc_srtp::protection_profile::ProtectionProfile;
use std::collections::HashMap;
use symposia::rtp::Header;
use symposia::session::dtls::Keys;
use symposia::session::srtp::{self, Profile};

/// Who opens what comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Opener {
    /// `session::srtp`.
    #[default]
    Ours,
    /// `rtc-srtp`.
    Oracle,
}

enum Opening {
    Ours { keys: Box<srtp::Inbound>, streams: HashMap<u32, srtp::StreamState> },
    Oracle(Box<Context>),
}

/// Both directions of a Bot's SRTP.
pub struct Crypto {
    /// What the handshake agreed on.
    pub profile: Profile,
    outbound: srtp::Outbound,
    opening: Opening,
}

fn oracle(keys: &Keys) -> Context {
    let profile = match keys.profile {
        Profile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        Profile::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
        Profile::Aes128CmHmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
    };
    let (key, salt) = (keys.profile.key_len(), keys.profile.salt_len());
    // RFC 5764 §4.2: client key, server key, client salt, server salt; we open what the other side sealed.
    let other = usize::from(keys.client);
    let master_key = &keys.material[other * key..(other + 1) * key];
    let master_salt = &keys.material[2 * key + other * salt..2 * key + (other + 1) * salt];
    let provider = rtc_srtp::crypto::default_provider().expect("ring is built in");
    Context::new(master_key, master_salt, profile, None, None, provider.crypto()).expect("lengths are the profile's")
}

impl Crypto {
    pub fn new(keys: &Keys, opener: Opener) -> Self {
        let (inbound, outbound) =
            keys.profile.split_keying_material(&keys.material, keys.client).expect("the length is the profile's");
        let opening = match opener {
            Opener::Ours => Opening::Ours { keys: Box::new(srtp::Inbound::new(&inbound)), streams: HashMap::new() },
            Opener::Oracle => Opening::Oracle(Box::new(oracle(keys))),
        };
        Self { profile: keys.profile, outbound: srtp::Outbound::new(&outbound), opening }
    }

    pub fn open_rtp(&mut self, packet: &[u8], header: &Header) -> Option<Vec<u8>> {
        match &mut self.opening {
            Opening::Ours { keys, streams } => {
                let mut packet = packet.to_vec();
                let state = streams.entry(header.ssrc).or_default();
                let len = keys.open_rtp(state, &mut packet, header.len).ok()?;
                packet.truncate(len);
                Some(packet)
            }
            Opening::Oracle(context) => context.decrypt_rtp(packet).ok().map(|plain| plain.to_vec()),
        }
    }

    pub fn open_rtcp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        match &mut self.opening {
            Opening::Ours { keys, .. } => {
                let mut packet = packet.to_vec();
                let len = keys.open_rtcp(&mut packet).ok()?;
                packet.truncate(len);
                Some(packet)
            }
            Opening::Oracle(context) => context.decrypt_rtcp(packet).ok().map(|plain| plain.to_vec()),
        }
    }

    pub fn seal_rtp(&self, mut plain: Vec<u8>, header_len: usize, roc: u32) -> Vec<u8> {
        let len = plain.len();
        plain.resize(len + srtp::MAX_OVERHEAD, 0);
        let sealed = self.outbound.seal_rtp(&mut plain, header_len, len, roc).expect("there is room");
        plain.truncate(sealed);
        plain
    }

    pub fn seal_rtcp(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut out = plain.to_vec();
        out.resize(plain.len() + srtp::MAX_OVERHEAD, 0);
        let len = self.outbound.seal_rtcp(&mut out, plain.len()).expect("there is room");
        out.truncate(len);
        out
    }
}
