//! One browser's peer connection: ICE, DTLS, SRTP, SDP. Knows no meetings, people or sockets.
//!
//! A [`Session`] joins an [`ice::IceLite`], a [`dtls::Dtls`], what the peer sends ([`inbound`]) and what
//! it is sent ([`outbound`]). It is told the time; datagrams leave through the batch it is handed.

pub mod bandwidth;
pub mod capacity;
pub mod clock_map;
pub mod dtls;
pub mod ice;
pub mod inbound;
pub mod limits;
pub mod outbound;
pub mod patience;
pub mod plan;
pub mod quality;
pub mod sdp;
pub mod srtp;

use crate::net::udp::SendBatch;
use crate::rtp::rtcp::Writer;
use bandwidth::Bandwidth;
use capacity::Capacity;
use dtls::{Dtls, Identity, Keys, Progress};
use ice::{Connectivity, IceLite};
use inbound::{FEEDBACK_SSRC, Inbound};
use limits::{Admission, Allowance, MediaLimits, Uplink};
use outbound::Outbound;
use patience::Patience;
use plan::{IceCredentials, SessionPlan, Ssrc};
use quality::{Conditions, QualityMeter};
use rand::Rng;
use rand::rngs::StdRng;
use signaling::ids::{ParticipantId, Source};
use signaling::protocol::{SessionState, Wish};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// The longest RTCP datagram we write; what does not fit waits for the next.
const MAX_RTCP: usize = 1200;

/// ICE checks of one session that are looked at: libwebrtc sends twenty a second over all its pairs at most.
const CHECKS_PER_SECOND: u32 = 100;

/// Our username fragments begin with the worker's index in two hexadecimal digits, so that any worker
/// knows whose an unknown address is.
#[must_use]
pub fn ufrag_worker(ufrag: &str) -> Option<usize> {
    usize::from_str_radix(ufrag.get(..2)?, 16).ok()
}

/// New credentials for a session of this worker: 128 bits of each (RFC 8445 §5.3 asks for 24 and 128).
#[must_use]
pub fn new_credentials(worker: usize, random: &mut impl Rng) -> IceCredentials {
    let mut text = |len: usize| -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        (0..len).map(|_| char::from(ALPHABET[(random.next_u32() & 63) as usize])).collect()
    };
    IceCredentials { ufrag: format!("{worker:02x}{}", text(22)), password: text(24) }
}

/// What a call changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing that others see.
    None,
    /// The state.
    State(SessionState),
}

/// What became of an ICE check.
pub struct Checked {
    /// It was made with this session's password; its address may be served.
    pub proved: bool,
    /// What it changed.
    pub change: Change,
}

/// What a session is made of.
#[expect(missing_docs, reason = "the fields of Session")]
pub struct NewSession<'a> {
    pub now: Instant,
    pub id: crate::session::SessionId,
    pub participant: ParticipantId,
    pub router: u32,
    pub identity: &'a Identity,
    pub plan: &'a SessionPlan,
    pub limits: MediaLimits,
    pub random: &'a mut StdRng,
}

/// A session's name; the worker's index is in the top byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

impl SessionId {
    /// The worker it lives on.
    #[must_use]
    pub const fn worker(self) -> usize {
        (self.0 >> 56) as usize
    }
}

/// What became of what a session was sent since somebody last looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Packets of media.
    pub sent: u64,
    /// Something was sent and no feedback came.
    pub unheard: bool,
}

/// What the pictures take that a session gets, in bits per second.
#[derive(Debug, Clone, Copy, Default)]
pub struct Allocated {
    /// All.
    pub all: u32,
    /// Without the lowest layer of the most important one, which is always sent.
    pub spare: u32,
}

/// One peer connection.
pub struct Session {
    /// Its name.
    pub id: SessionId,
    /// Whose.
    pub participant: ParticipantId,
    /// Its router's number on the worker.
    pub router: u32,
    /// What the peer sends.
    pub inbound: Inbound,
    /// What it is sent.
    pub outbound: Outbound,
    /// How much its link takes.
    pub bandwidth: Bandwidth,
    /// How fast its link carries a burst.
    pub capacity: Capacity,
    /// Its sources and the numbers of their tracks.
    pub published: Vec<(Source, u32)>,
    /// What videos it wants, most important first.
    pub wishes: Vec<Wish>,
    /// What its pictures take.
    pub allocated: Allocated,
    /// When pictures may go up that had to give way.
    pub patience: Patience,
    /// What had been sent when its silence was last looked at, and how much for the sake of feedback after that.
    looked: u64,
    own: u64,
    /// The control side has not been told of its slots yet.
    pub slots_changed: bool,
    key_frames: Allowance,
    uplink: Uplink,
    checks: Allowance,
    quality: QualityMeter,
    /// Where it was sent to last.
    remote: Option<SocketAddr>,
    ice: IceLite,
    dtls: Dtls,
    state: SessionState,
}

impl Session {
    /// A session whose peer has not been heard of yet.
    #[must_use]
    pub fn new(new: NewSession<'_>) -> Self {
        Self {
            id: new.id,
            participant: new.participant,
            router: new.router,
            inbound: Inbound::new(new.plan, new.limits.streams),
            outbound: Outbound::new(new.plan, new.limits.nacks_per_second, new.random),
            bandwidth: Bandwidth::default(),
            capacity: Capacity::default(),
            published: Vec::new(),
            wishes: Vec::new(),
            allocated: Allocated::default(),
            patience: Patience::default(),
            looked: 0,
            own: 0,
            slots_changed: false,
            key_frames: Allowance::new(new.limits.key_frame_requests_per_second),
            uplink: Uplink::new(new.now),
            checks: Allowance::new(CHECKS_PER_SECOND),
            quality: QualityMeter::default(),
            remote: None,
            ice: IceLite::new(new.now, new.plan.local.clone(), new.plan.remote.clone()),
            dtls: Dtls::new(new.identity, new.plan.dtls, new.plan.fingerprint),
            state: SessionState::Connecting,
        }
    }

    /// As it is now.
    #[must_use]
    pub const fn state(&self) -> SessionState {
        self.state
    }

    fn become_state(&mut self, state: SessionState) -> Change {
        if self.state == state || self.state == SessionState::Failed {
            return Change::None;
        }
        self.state = state;
        // Who is gone costs nothing until he is heard again.
        self.outbound.set_awake(state != SessionState::Disconnected);
        Change::State(state)
    }

    /// What was sent since the last look that feedback tells of, and whether none came; `None` where there is none.
    pub fn look_for_silence(&mut self) -> Option<Look> {
        let sent = self.outbound.told_of()?;
        let more = sent - std::mem::replace(&mut self.looked, sent);
        let own = std::mem::take(&mut self.own);
        Some(Look { sent: more - own.min(more), unheard: !self.bandwidth.take_heard() && more > 0 })
    }

    /// What was sent since the last look went for the sake of feedback alone.
    pub fn note_own(&mut self) {
        self.own = self.outbound.told_of().unwrap_or(0).saturating_sub(self.looked);
    }

    /// Whether a datagram from one of its addresses is looked at.
    pub fn admit(&mut self, now: Instant, bytes: usize, limits: &MediaLimits) -> Admission {
        self.uplink.admit(now, bytes, limits)
    }

    /// Whether an ICE check from one of its addresses is looked at. They have a measure of their own: whoever can forge
    /// an address, and whoever sends too much, must not be able to end the connection by that.
    pub fn admit_check(&mut self, now: Instant) -> bool {
        self.checks.take(now)
    }

    /// An ICE check that names this session.
    pub fn handle_stun(
        &mut self,
        now: Instant,
        from: SocketAddr,
        to: Option<IpAddr>,
        datagram: &[u8],
        out: &mut SendBatch,
    ) -> Checked {
        let mut reply = [0; ice::MAX_REPLY];
        let verdict = self.ice.handle_request(now, from, to, datagram, &mut reply);
        if let Some(reply) = reply.get(..verdict.reply).filter(|reply| !reply.is_empty()) {
            out.push(reply, from, to);
        }
        let mut change = Change::None;
        let proved = verdict.refused.is_none();
        if proved {
            self.update_destination(now);
            if let Progress::Failed(_) = self.dtls.start(now) {
                change = self.become_state(SessionState::Failed);
            } else if self.state == SessionState::Disconnected {
                change = self.become_state(SessionState::Connected);
            }
        }
        Checked { proved, change }
    }

    /// A DTLS datagram from one of its addresses.
    pub fn handle_dtls(&mut self, now: Instant, datagram: &[u8]) -> Change {
        let progress = self.dtls.handle_datagram(now, datagram);
        self.apply(progress)
    }

    /// Whoever is silent gets nothing until he checks again or sends: what goes into a dead link costs, and helps nobody.
    fn update_destination(&mut self, now: Instant) {
        let path = self.ice.selected().filter(|_| self.ice.state() != Connectivity::Disconnected);
        let selected = path.map(|path| (path.remote, path.local));
        self.outbound.set_destination(selected);
        if let Some((remote, _)) = selected
            && self.remote.replace(remote).is_some_and(|before| before != remote)
        {
            self.bandwidth.handle_new_way(now);
            self.capacity = Capacity::default();
        }
    }

    /// An address of the peer's that may not be served any more.
    pub fn poll_dropped_address(&mut self) -> Option<SocketAddr> {
        self.ice.poll_dropped()
    }

    /// A packet that was opened came: the peer is there.
    pub fn note_traffic(&mut self, now: Instant) {
        self.ice.note_traffic(now);
        if self.outbound.destination().is_none() {
            self.update_destination(now);
        }
    }

    fn apply(&mut self, progress: Progress) -> Change {
        match progress {
            Progress::None => Change::None,
            Progress::Keyed(keys) => self.set_keys(&keys),
            Progress::Closed | Progress::Failed(_) => self.become_state(SessionState::Failed),
        }
    }

    fn set_keys(&mut self, keys: &Keys) -> Change {
        let Some((inbound, outbound)) = keys.profile.split_keying_material(&keys.material, keys.client) else {
            return self.become_state(SessionState::Failed);
        };
        self.inbound.set_keys(srtp::Inbound::new(&inbound));
        self.outbound.set_keys(srtp::Outbound::new(&outbound));
        self.become_state(SessionState::Connected)
    }

    /// New credentials on both sides. The old ones count until the peer nominates with the new.
    pub fn restart_ice(&mut self, local: IceCredentials, remote: IceCredentials) {
        self.ice.restart(local, remote);
    }

    /// The username fragments that checks may name.
    pub fn local_ufrags(&self) -> impl Iterator<Item = &str> {
        self.ice.local_ufrags()
    }

    /// When [`Session::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let inbound = self.inbound.poll_timeout();
        let outbound = self.outbound.poll_timeout();
        let probe = self.bandwidth.poll_timeout();
        let media = inbound.into_iter().chain(outbound).chain(probe);
        self.ice.poll_timeout().into_iter().chain(self.dtls.poll_timeout()).chain(media).min()
    }

    /// Time passed: consent may be over, a flight is to be repeated.
    pub fn handle_timeout(&mut self, now: Instant) -> Change {
        let progress = self.dtls.handle_timeout(now);
        let change = self.apply(progress);
        if change != Change::None {
            return change;
        }
        let connectivity = self.ice.handle_timeout(now);
        self.apply_connectivity(now, connectivity)
    }

    /// A TCP connection of the peer's was closed.
    pub fn handle_closed(&mut self, now: Instant, address: SocketAddr) {
        self.ice.handle_closed(now, address);
        self.update_destination(now);
    }

    fn apply_connectivity(&mut self, now: Instant, connectivity: Connectivity) -> Change {
        self.update_destination(now);
        match connectivity {
            // Before the handshake is over, "connecting" says it better.
            Connectivity::Disconnected if self.state == SessionState::Connected => {
                self.become_state(SessionState::Disconnected)
            }
            Connectivity::New | Connectivity::Connected | Connectivity::Disconnected => Change::None,
            Connectivity::Failed => self.become_state(SessionState::Failed),
        }
    }

    /// Handshake datagrams that wait.
    pub fn flush_dtls(&mut self, out: &mut SendBatch) {
        while let Some(datagram) = self.dtls.poll_transmit() {
            if let Some((to, from)) = self.outbound.destination() {
                out.push(&datagram, to, from);
            }
        }
    }

    /// RTCP that is due. Names in `keys` the tracks and layers that only a key frame helps.
    pub fn flush_rtcp(&mut self, now: Instant, out: &mut SendBatch, keys: &mut Vec<(u32, u8)>) {
        let mut buffer = [0; MAX_RTCP];
        let mut writer = Writer::new(&mut buffer);
        self.inbound.poll_rtcp(now, &mut writer, keys);
        let len = writer.len();
        if len > 0 {
            if let Some(lost) = self.inbound.take_share_lost() {
                self.quality.handle_uplink(lost);
            }
            self.outbound.send_rtcp(&buffer[..len], out);
        }
    }

    /// Whether the peer may ask for one more key frame now.
    pub fn may_ask_for_key(&mut self, now: Instant) -> bool {
        self.key_frames.take(now)
    }

    /// Asks the peer for a key frame; false where it could not be sent.
    pub fn send_picture_loss(&mut self, _now: Instant, ssrc: Ssrc, out: &mut SendBatch) -> bool {
        let mut buffer = [0; 16];
        let mut writer = Writer::new(&mut buffer);
        writer.picture_loss(FEEDBACK_SSRC, ssrc.0);
        let len = writer.len();
        self.outbound.send_rtcp(&buffer[..len], out)
    }

    /// What the peer's reports say of its downlink.
    pub fn handle_downlink_report(&mut self, fraction_lost: u8, round_trip: Option<std::time::Duration>) {
        self.quality.handle_downlink(fraction_lost, round_trip);
        if let Some(round_trip) = round_trip {
            self.inbound.set_round_trip(round_trip);
            self.outbound.set_round_trip(round_trip);
        }
    }

    /// Whether some of what it wants has no room on its downlink.
    pub fn handle_room(&mut self, now: Instant, estimate: Option<u32>, lacking: bool) {
        self.quality.handle_room(now, estimate, lacking);
    }

    /// The quality of its connection, where it changed.
    pub fn poll_quality(&mut self, now: Instant) -> Option<Conditions> {
        self.quality.poll(now)
    }

    /// Says goodbye to the peer.
    pub fn close(&mut self, now: Instant, out: &mut SendBatch) {
        self.dtls.close(now);
        self.flush_dtls(out);
        self.state = SessionState::Failed;
    }
}
