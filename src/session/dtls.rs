//! The DTLS handshake of one session, for its keys only (RFC 5764). Knows no sockets, addresses or packets of media.
//!
//! Wraps `rtc-dtls`: every session has an endpoint of its own with one association, so that a change
//! of the peer's address does not concern DTLS.

mod budget;
mod repeated;

use super::plan::{DtlsRole, Fingerprint};
use budget::Budget;
use bytes::BytesMut;
use repeated::Seen;
use rtc_crypto::RTCCryptoProvider;
use rtc_dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc_dtls::crypto::Certificate;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The association's address within its own endpoint; nothing is sent to it.
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);

/// The library's default waits a second before it repeats a flight; a lost one would be felt at every join.
const FLIGHT_INTERVAL: Duration = Duration::from_millis(200);

/// How long a flight waits for its answer before it is repeated, one time after another: soon at first, since
/// a single loss is the usual case, and long enough at last for a network that is away for some seconds. The
/// library repeats no flight more often than this.
const REPEAT_AFTER: [Duration; 7] = [
    FLIGHT_INTERVAL,
    FLIGHT_INTERVAL,
    Duration::from_millis(300),
    Duration::from_millis(500),
    Duration::from_millis(1000),
    Duration::from_millis(2000),
    Duration::from_millis(4000),
];

/// A handshake that takes longer has failed: its peer is gone or does not speak DTLS-SRTP.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(15);

/// The same from the moment at which something was wrong with what came: a message that was spoilt on its way can't be
/// taken back, and both sides would repeat themselves in vain. Not at once, since what was wrong may be anybody's.
const DOUBT_LIMIT: Duration = Duration::from_secs(2);

/// A ClientHello with a large certificate list or post-quantum key share comes in a few datagrams; what is
/// larger than this is none.
const MAX_DATAGRAM: usize = 2048;

/// Label of RFC 5764 §4.2.
const SRTP_LABEL: &str = "EXTRACTOR-dtls_srtp";

/// Why there is no certificate or configuration.
#[derive(Debug, thiserror::Error)]
#[error("DTLS could not be set up: {0}")]
pub struct SetupError(String);

/// The server's certificate and the configurations made of it; one for the whole process.
#[derive(Clone)]
pub struct Identity {
    passive: Arc<HandshakeConfig>,
    active: Arc<HandshakeConfig>,
    fingerprint: Fingerprint,
}

impl SetupError {
    /// Of another library's error.
    pub fn from_display(error: &impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl Identity {
    /// A new self-signed certificate with a P-256 key.
    ///
    /// # Errors
    /// When the library can't make a key or refuses the configuration.
    pub fn generate(provider: &Arc<dyn RTCCryptoProvider>) -> Result<Self, SetupError> {
        let fail = |error: rtc_shared::error::Error| SetupError(error.to_string());
        let certificate =
            Certificate::generate_self_signed(vec!["symposia".to_owned()], provider.crypto()).map_err(fail)?;
        let der = certificate.certificate.first().ok_or_else(|| SetupError("no certificate was made".to_owned()))?;
        let fingerprint = fingerprint_of(der);
        let builder = || {
            ConfigBuilder::default()
                .with_crypto_provider(provider.clone())
                .with_certificates(vec![certificate.clone()])
                .with_srtp_protection_profiles(vec![
                    SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
                    SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
                    SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
                ])
                .with_extended_master_secret(ExtendedMasterSecretType::Request)
                // The certificate is checked against the fingerprint of the SDP, not against a chain.
                .with_insecure_skip_verify(true)
                .with_client_auth(ClientAuthType::RequireAnyClientCert)
                .with_flight_interval(FLIGHT_INTERVAL)
                .with_mtu(1200)
        };
        Ok(Self {
            passive: Arc::new(builder().build(false, None).map_err(fail)?),
            active: Arc::new(builder().build(true, None).map_err(fail)?),
            fingerprint,
        })
    }

    /// SHA-256 of the certificate, for the SDP.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

fn fingerprint_of(der: &[u8]) -> Fingerprint {
    let digest = ring::digest::digest(&ring::digest::SHA256, der);
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    Fingerprint(bytes)
}

/// What the handshake yields.
#[derive(Clone)]
pub struct Keys {
    /// Which cipher.
    pub profile: super::srtp::Profile,
    /// Keying material of RFC 5764 §4.2, both keys and both salts.
    pub material: Vec<u8>,
    /// Whether we took the client's part.
    pub client: bool,
}

/// What became of a datagram or of time passing.
pub enum Progress {
    /// Nothing to report.
    None,
    /// The peer proved the certificate of its SDP; media may flow. Once, and in the client's part a round trip before
    /// the handshake is over.
    Keyed(Keys),
    /// The peer said goodbye.
    Closed,
    /// It can't succeed any more.
    Failed(Failure),
}

/// Why a handshake failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The certificate is not the one that the SDP named.
    Fingerprint,
    /// No profile in common, or the library gave no keys.
    Keys,
    /// No end after 15 s, or some seconds after something was wrong with what came.
    Timeout,
    /// The library's own time-out or a fatal alert.
    Protocol,
}

enum State {
    Handshaking { since: Option<Instant>, doubted: Option<Instant>, keyed: bool },
    Done,
    Over,
}

/// The handshake of one session.
///
/// Feed [`Dtls::handle_datagram`], send what [`Dtls::poll_transmit`] gives, call
/// [`Dtls::handle_timeout`] at [`Dtls::poll_timeout`].
pub struct Dtls {
    endpoint: Endpoint,
    expected: Fingerprint,
    role: DtlsRole,
    active: Arc<HandshakeConfig>,
    state: State,
    seen: Seen,
    budget: Budget,
    /// How often the flight that waits for its answer was repeated.
    repeats: usize,
}

impl Dtls {
    /// A handshake that has not begun.
    #[must_use]
    pub fn new(identity: &Identity, role: DtlsRole, expected: Fingerprint) -> Self {
        let server = matches!(role, DtlsRole::Passive).then(|| identity.passive.clone());
        Self {
            endpoint: Endpoint::new(PEER, TransportProtocol::UDP, server),
            expected,
            role,
            active: identity.active.clone(),
            state: State::Handshaking { since: None, doubted: None, keyed: false },
            seen: Seen::default(),
            budget: Budget::default(),
            repeats: 0,
        }
    }

    /// To be called when an address has passed its ICE check: the active side starts then.
    pub fn start(&mut self, now: Instant) -> Progress {
        let State::Handshaking { since, .. } = &mut self.state else { return Progress::None };
        if since.is_some() {
            return Progress::None;
        }
        *since = Some(now);
        if self.role == DtlsRole::Active && self.endpoint.connect(now, PEER, self.active.clone(), None).is_err() {
            return self.fail(Failure::Protocol);
        }
        Progress::None
    }

    /// A datagram whose first byte is 20 to 63, from an address that has passed its ICE check.
    pub fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) -> Progress {
        if matches!(self.state, State::Over) || datagram.len() > MAX_DATAGRAM {
            return Progress::None;
        }
        if let State::Handshaking { doubted, .. } = &mut self.state {
            // The library stops its timer at any handshake record and starts it again only with a flight of
            // its own. A mere repetition, which says that our flight was lost, must not stop it: with both
            // sides' flights lost neither would say anything any more.
            let first = self.role == DtlsRole::Passive && !self.seen.is_past_first();
            let repetition = self.seen.is_repetition(datagram);
            if self.seen.is_contradicted() {
                doubted.get_or_insert(now);
            }
            if repetition && !first {
                return Progress::None;
            }
        }
        if !self.budget.allows(datagram, matches!(self.state, State::Handshaking { .. })) {
            return Progress::None;
        }
        let waiting = self.endpoint.poll_timeout(&PEER);
        // A record that does not parse or authenticate may be anybody's, and so may an alert in the clear; they must
        // not end the handshake (RFC 6347 §4.1.2.7), but cut it short.
        let read = self.endpoint.read(now, PEER, None, BytesMut::from(datagram));
        if let State::Handshaking { doubted, .. } = &mut self.state
            && (if is_alert(datagram) { is_fatal_alert(datagram) } else { read.is_err() })
        {
            doubted.get_or_insert(now);
        }
        let events = read.unwrap_or_default();
        if self.endpoint.poll_timeout(&PEER).is_some_and(|at| Some(at) != waiting) {
            self.repeats = 0;
        }
        let mut progress = self.keys_of_last_flight();
        for event in events {
            match event {
                EndpointEvent::HandshakeComplete => match self.state {
                    State::Handshaking { keyed: true, .. } => self.state = State::Done,
                    _ => progress = self.keyed(State::Done),
                },
                EndpointEvent::PeerClosed => {
                    self.state = State::Over;
                    progress = Progress::Closed;
                }
                // Data channels are not offered; what comes in one is ignored.
                _ => {}
            }
        }
        progress
    }

    /// As the client we have our keys with our last flight, which the library makes after it has checked the peer's
    /// signature over both sides' randoms and its share of the key: only whoever holds the certificate of the SDP can
    /// open what we seal from here on, and pictures need not wait another round trip for its Finished (RFC 7918, whose
    /// conditions hold: all that we offer is ephemeral key exchange).
    fn keys_of_last_flight(&mut self) -> Progress {
        if self.role != DtlsRole::Active || !matches!(self.state, State::Handshaking { keyed: false, .. }) {
            return Progress::None;
        }
        let Some(state) = self.endpoint.get_connection_state(PEER) else { return Progress::None };
        // An error until that flight was made.
        if state.export_keying_material(SRTP_LABEL, &[], 1).is_err() {
            return Progress::None;
        }
        let State::Handshaking { since, doubted, .. } = self.state else { return Progress::None };
        self.keyed(State::Handshaking { since, doubted, keyed: true })
    }

    /// The keys, where the certificate is the right one; `next` is the state then.
    fn keyed(&mut self, next: State) -> Progress {
        let Some(state) = self.endpoint.get_connection_state(PEER) else { return Progress::None };
        let proved = state.peer_certificates.first().is_some_and(|der| fingerprint_of(der) == self.expected);
        if !proved {
            return self.fail(Failure::Fingerprint);
        }
        let profile = match state.srtp_protection_profile() {
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => super::srtp::Profile::AeadAes128Gcm,
            SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm => super::srtp::Profile::AeadAes256Gcm,
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => super::srtp::Profile::Aes128CmHmacSha1_80,
            _ => return self.fail(Failure::Keys),
        };
        let client = state.is_client();
        match state.export_keying_material(SRTP_LABEL, &[], profile.keying_material_len()) {
            Ok(material) => {
                self.state = next;
                Progress::Keyed(Keys { profile, material: material.into_bytes(), client })
            }
            Err(_) => self.fail(Failure::Keys),
        }
    }

    fn fail(&mut self, failure: Failure) -> Progress {
        self.state = State::Over;
        Progress::Failed(failure)
    }

    /// Ends the association with a `close_notify`, which [`Dtls::poll_transmit`] then gives.
    pub fn close(&mut self, now: Instant) {
        if matches!(self.state, State::Done) {
            self.endpoint.stop(now, PEER);
        }
        self.state = State::Over;
    }

    /// The next datagram to send to the peer.
    pub fn poll_transmit(&mut self) -> Option<BytesMut> {
        self.endpoint.poll_transmit().map(|transmit| transmit.message)
    }

    /// When the flight that waits for its answer is to be repeated.
    fn repeat_at(&self) -> Option<Instant> {
        let sent = self.endpoint.poll_timeout(&PEER)?.checked_sub(FLIGHT_INTERVAL)?;
        Some(sent + *REPEAT_AFTER.get(self.repeats)?)
    }

    /// When the handshake has failed if it is not over by then.
    fn limit(&self) -> Option<Instant> {
        let State::Handshaking { since: Some(since), doubted, .. } = self.state else { return None };
        let limit = since + HANDSHAKE_LIMIT;
        Some(doubted.map_or(limit, |at| limit.min(at + DOUBT_LIMIT)))
    }

    /// When [`Dtls::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let limit = self.limit()?;
        Some(self.repeat_at().map_or(limit, |at| at.min(limit)))
    }

    /// Repeats a flight that was not answered, gives up at last.
    pub fn handle_timeout(&mut self, now: Instant) -> Progress {
        let Some(limit) = self.limit() else { return Progress::None };
        if now >= limit {
            return self.fail(Failure::Timeout);
        }
        if self.repeat_at().is_some_and(|at| at <= now) {
            self.repeats += 1;
            if self.endpoint.handle_timeout(PEER, now).is_err() {
                return self.fail(Failure::Protocol);
            }
        }
        Progress::None
    }
}

/// An alert, of which a warning changes nothing, though the endpoint calls it an error.
fn is_alert(datagram: &[u8]) -> bool {
    datagram.first() == Some(&21)
}

/// A record that says in the clear that the peer gives up (RFC 5246 §7.2).
fn is_fatal_alert(datagram: &[u8]) -> bool {
    matches!(datagram, [21, _, _, 0, 0, _, _, _, _, _, _, _, _, 2, ..])
}

#[cfg(test)]
mod spoilt_tests;
