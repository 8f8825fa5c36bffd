//! One client: offer, ICE, DTLS, SRTP, what it sends and what it gets. Knows no sockets; is told the time.

use super::agent::Agent;
use super::content::Tag;
use super::crypto::{Crypto, Opener};
use super::receiving::Slot;
use super::sending::{Agreed, AudioSource, LayerShape, Plain, Sending, VideoSource, kind, source_number};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use signaling::ids::Source;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use symposia::rtp::receive_log::Via;
use symposia::rtp::rtcp::{self, Ntp, Packet, SenderInfo, Writer};
use symposia::rtp::twcc_recorder::ArrivalRecorder;
use symposia::rtp::{Header, extension, is_rtcp};
use symposia::session::dtls::{Dtls, Identity, Progress};
use symposia::session::new_credentials;
use symposia::session::plan::{DtlsRole, ExtensionIds, IceCredentials, Kind, Mid, Rid};
use symposia::session::sdp::CodecKind;
use symposia::session::sdp::client::{ClientOffer, SendShape, ServerAnswer, Shape};

const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// What a Bot is.
#[derive(Debug, Clone)]
pub struct BotShape {
    /// In which of its sources it has sections, in this order.
    pub sources: Vec<Source>,
    /// Simulcast layers of its camera; below 2 for none.
    pub layers: usize,
    pub video_slots: usize,
    pub audio_slots: usize,
    /// Offers `setup:active`: it begins the handshake itself, otherwise the server does.
    pub active: bool,
    pub opener: Opener,
    /// Offers no retransmission streams.
    pub without_rtx: bool,
}

impl Default for BotShape {
    fn default() -> Self {
        Self {
            sources: vec![Source::Microphone, Source::Camera],
            layers: 3,
            video_slots: 4,
            audio_slots: 5,
            active: false,
            opener: Opener::Ours,
            without_rtx: false,
        }
    }
}

/// A datagram to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub data: Vec<u8>,
}

/// Counts of what came beside media.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heard {
    pub nacks: u64,
    pub picture_losses: u64,
    pub receiver_reports: u64,
    pub sender_reports: u64,
    pub transport_feedbacks: u64,
    /// Datagrams that did not open or were of nobody's stream.
    pub strange: u64,
    /// RTP packets that were opened.
    pub media: u64,
}

/// A client.
pub struct Bot {
    /// Its name in tags: the participant's number.
    pub name: u32,
    pub address: SocketAddr,
    pub shape: BotShape,
    offer: ClientOffer,
    version: u64,
    identity: Identity,
    random: StdRng,
    credentials: IceCredentials,
    pub agent: Option<Agent>,
    dtls: Option<Dtls>,
    pub crypto: Option<Crypto>,
    pub extensions: ExtensionIds,
    agreed: Vec<(Source, Agreed)>,
    pub sending: Sending,
    pub slots: Vec<Slot>,
    arrivals: ArrivalRecorder,
    next_report: Option<Instant>,
    out: VecDeque<Transmit>,
    pub heard: Heard,
    /// The server ended the DTLS association.
    pub closed: bool,
    pub failed: bool,
    /// It keeps all that it has and sends nothing.
    pub silent: bool,
    epoch: Option<Instant>,
    ssrc: u32,
    /// Keeps a copy of every media datagram it sent last, for those who replay them.
    pub keeps_sent: bool,
    pub sent: Vec<Vec<u8>>,
    /// The packet that was opened last, until somebody takes it.
    pub opened: Option<Tag>,
}

impl Bot {
    pub fn new(name: u32, address: SocketAddr, shape: BotShape, identity: Identity, seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let rids: Vec<Rid> = ["q", "h", "f"].iter().take(shape.layers).map(|rid| Rid((*rid).into())).collect();
        let sends = shape.sources.iter().map(|source| SendShape {
            kind: kind(*source),
            rids: if *source == Source::Camera && shape.layers > 1 { rids.clone() } else { Vec::new() },
        });
        let offer = ClientOffer::new(
            &Shape {
                sends: sends.collect(),
                video_slots: shape.video_slots,
                audio_slots: shape.audio_slots,
                video_codecs: vec![CodecKind::Vp8],
                without_rtx: shape.without_rtx,
            },
            &mut random,
        );
        let credentials = new_credentials(0xb0, &mut random);
        let ssrc = random.next_u32();
        Self {
            name,
            address,
            shape,
            offer,
            version: 1,
            identity,
            random,
            credentials,
            agent: None,
            dtls: None,
            crypto: None,
            extensions: ExtensionIds::default(),
            agreed: Vec::new(),
            sending: Sending::default(),
            slots: Vec::new(),
            arrivals: ArrivalRecorder::new(),
            next_report: None,
            out: VecDeque::new(),
            heard: Heard::default(),
            closed: false,
            failed: false,
            silent: false,
            epoch: None,
            ssrc,
            keeps_sent: false,
            sent: Vec::new(),
            opened: None,
        }
    }

    /// Its offer.
    pub fn offer(&self) -> String {
        let text = self.offer.write(&self.credentials, &self.identity.fingerprint(), self.version);
        if self.shape.active { text.replace("a=setup:actpass", "a=setup:active") } else { text }
    }

    /// Which section carries which of its sources.
    pub fn sends(&self) -> Vec<(Mid, Source)> {
        self.offer.sections().iter().zip(&self.shape.sources).map(|(section, s)| (section.mid.clone(), *s)).collect()
    }

    /// Another offer, with new ICE credentials.
    pub fn restart_offer(&mut self) -> String {
        self.credentials = new_credentials(0xb0, &mut self.random);
        self.version += 1;
        self.offer()
    }

    /// The answer to a [`Bot::restart_offer`].
    pub fn handle_restart_answer(&mut self, now: Instant, sdp: &str) {
        let answer = ServerAnswer::parse(sdp).expect("the answer can be read");
        self.begin_ice(now, &answer);
    }

    fn begin_ice(&mut self, now: Instant, answer: &ServerAnswer) {
        let is_v4 = self.address.is_ipv4();
        let candidate = answer.candidates.iter().find(|c| !c.tcp && c.address.is_ipv4() == is_v4).expect("a candidate");
        let tie = self.random.next_u64();
        let (local, remote) = (self.credentials.clone(), answer.credentials.clone());
        self.agent = Some(Agent::new(now, local, remote, candidate.address, tie));
    }

    /// The server's answer to the first offer.
    pub fn handle_answer(&mut self, now: Instant, sdp: &str) {
        let answer = ServerAnswer::parse(sdp).expect("the answer can be read");
        self.epoch = Some(now);
        self.extensions = answer.extensions;
        self.dtls = Some(Dtls::new(&self.identity, answer.dtls, answer.fingerprint));
        assert_eq!(answer.dtls == DtlsRole::Active, self.shape.active);
        self.begin_ice(now, &answer);
        let sources = self.shape.sources.clone();
        for (index, own) in self.offer.sections().iter().enumerate() {
            let Some(section) = answer.sections.iter().find(|section| section.mid == own.mid) else { continue };
            let codec = section.codecs.first().expect("an accepted section has a codec");
            if let Some(source) = sources.get(index) {
                let agreed = Agreed {
                    mid: own.mid.0.clone(),
                    streams: own.streams.clone(),
                    rids: own.rids.iter().map(|rid| rid.0.clone()).collect(),
                    payload_type: codec.payload_type.0,
                    rtx_payload_type: codec.rtx.map(|rtx| rtx.0),
                };
                self.agreed.push((*source, agreed));
            } else if let Some(stream) = section.stream {
                let rtx = stream.rtx.map(|rtx| rtx.0);
                self.slots.push(Slot::new(own.mid.0.clone(), own.kind, stream.media.0, rtx, codec.rtx));
            }
        }
    }

    fn agreed(&self, source: Source) -> &Agreed {
        &self.agreed.iter().find(|(other, _)| *other == source).expect("it has such a section").1
    }

    /// Begins to send a picture.
    pub fn start_video(&mut self, now: Instant, source: Source, shapes: &[LayerShape], fps: u32) {
        let mut random = StdRng::seed_from_u64(self.random.next_u64());
        let mut video = VideoSource::new(self.agreed(source), source, shapes, fps, &mut random);
        video.next = Some(now);
        self.sending.videos.push(video);
        self.next_report.get_or_insert(now + REPORT_INTERVAL);
    }

    /// Begins to send sound of this level (0 is the loudest, 127 silence).
    pub fn start_sound(&mut self, now: Instant, source: Source, level: u8) {
        let mut random = StdRng::seed_from_u64(self.random.next_u64());
        let mut sound = AudioSource::new(self.agreed(source), source, level, &mut random);
        sound.next = Some(now);
        self.sending.sounds.push(sound);
        self.next_report.get_or_insert(now + REPORT_INTERVAL);
    }

    pub fn connected(&self) -> bool {
        self.crypto.is_some() && !self.closed && !self.failed
    }

    /// Sends from another address from now on, as after a NAT's rebinding or a change of network.
    pub fn move_to(&mut self, now: Instant, address: SocketAddr) {
        self.address = address;
        if let Some(agent) = &mut self.agent {
            agent.check_soon(now);
        }
    }

    fn transmit(&mut self, data: Vec<u8>) {
        if self.silent {
            return;
        }
        if let Some(agent) = &self.agent {
            self.out.push_back(Transmit { from: self.address, to: agent.server(), data });
        }
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, data: Vec<u8>) {
        self.transmit(data);
    }

    fn send_plain(&mut self, plain: Plain) {
        let Some(crypto) = &self.crypto else { return };
        let sealed = crypto.seal_rtp(plain.bytes, plain.header_len, plain.roc);
        if self.keeps_sent {
            self.sent.push(sealed.clone());
        }
        self.transmit(sealed);
    }

    /// Seals and sends an RTP packet.
    pub fn send_rtp(&mut self, plain: Plain) {
        self.send_plain(plain);
    }

    /// Sends the next sound of its microphone, though it is not due.
    pub fn send_sound(&mut self) {
        let (name, ids) = (self.name, self.extensions);
        let Sending { sounds, twcc, .. } = &mut self.sending;
        if let Some(sound) = sounds.first_mut().map(|source| source.sound(name, ids, twcc)) {
            self.send_plain(sound);
        }
    }

    /// Seals and sends RTCP.
    pub fn send_rtcp(&mut self, plain: &[u8]) {
        let Some(crypto) = &mut self.crypto else { return };
        let sealed = crypto.seal_rtcp(plain);
        self.transmit(sealed);
    }

    /// Asks for a key frame in a slot.
    pub fn ask_for_key(&mut self, slot: usize) {
        let mut buffer = [0; 32];
        let mut writer = Writer::new(&mut buffer);
        writer.picture_loss(self.ssrc, self.slots[slot].ssrc);
        let bytes = writer.written().to_vec();
        self.send_rtcp(&bytes);
    }

    /// Asks for numbers of a slot again.
    pub fn ask_again(&mut self, slot: usize, lost: &[u16]) {
        let mut buffer = [0; 400];
        let mut writer = Writer::new(&mut buffer);
        writer.nack(self.ssrc, self.slots[slot].ssrc, lost);
        let bytes = writer.written().to_vec();
        self.send_rtcp(&bytes);
    }

    fn apply(&mut self, progress: Progress) {
        match progress {
            Progress::None => {}
            Progress::Keyed(keys) => self.crypto = Some(Crypto::new(&keys, self.shape.opener)),
            Progress::Closed => self.closed = true,
            Progress::Failed(_) => self.failed = true,
        }
    }

    fn flush_dtls(&mut self) {
        while let Some(datagram) = self.dtls.as_mut().and_then(Dtls::poll_transmit) {
            self.transmit(datagram.to_vec());
        }
    }

    /// A datagram that came to its address.
    pub fn handle_datagram(&mut self, now: Instant, from: SocketAddr, data: &[u8]) {
        match data.first() {
            Some(0..=3) => {
                let first = self.agent.as_mut().is_some_and(|agent| agent.handle(now, from, data));
                if let Some(dtls) = self.dtls.as_mut().filter(|_| first) {
                    let progress = dtls.start(now);
                    self.apply(progress);
                    self.flush_dtls();
                }
            }
            Some(20..=63) => {
                if let Some(dtls) = &mut self.dtls {
                    let progress = dtls.handle_datagram(now, data);
                    self.apply(progress);
                    self.flush_dtls();
                }
            }
            Some(128..=191) if is_rtcp(data) => self.handle_rtcp(now, data),
            Some(128..=191) => self.handle_rtp(now, data),
            _ => self.heard.strange += 1,
        }
    }

    fn handle_rtp(&mut self, now: Instant, data: &[u8]) {
        let Ok(header) = Header::parse(data) else {
            self.heard.strange += 1;
            return;
        };
        let opened = self.crypto.as_mut().and_then(|crypto| crypto.open_rtp(data, &header));
        let slot = self.slots.iter_mut().find(|slot| slot.ssrc == header.ssrc || slot.rtx == Some(header.ssrc));
        let (Some(packet), Some(slot)) = (opened, slot) else {
            self.heard.strange += 1;
            return;
        };
        self.heard.media += 1;
        let value = |id: Option<u8>| header.find_extension(&packet, id?).map(|extension| extension.value);
        if let Some(number) = value(self.extensions.transport_cc).and_then(extension::transport_sequence) {
            self.arrivals.record(now, number);
        }
        let level = value(self.extensions.audio_level).and_then(|value| value.first().copied());
        self.opened = slot.handle(now, &header, &packet, level);
        self.next_report.get_or_insert(now + REPORT_INTERVAL);
    }

    /// An RTP packet that is counted for feedback, but not opened: what a receiver in a load test does.
    pub fn note_unopened(&mut self, now: Instant, data: &[u8]) {
        let Ok(header) = Header::parse(data) else { return };
        if let Some(id) = self.extensions.transport_cc
            && let Some(number) = header.find_extension(data, id).and_then(|e| extension::transport_sequence(e.value))
        {
            self.arrivals.record(now, number);
        }
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.ssrc == header.ssrc) {
            slot.log.on_packet(now, header.sequence, header.timestamp, Via::Media);
        }
        self.heard.media += 1;
        self.next_report.get_or_insert(now + REPORT_INTERVAL);
    }

    fn handle_rtcp(&mut self, now: Instant, data: &[u8]) {
        let Some(plain) = self.crypto.as_mut().and_then(|crypto| crypto.open_rtcp(data)) else {
            self.heard.strange += 1;
            return;
        };
        let mut resent = Vec::new();
        for packet in rtcp::packets(&plain) {
            match packet.expect("the server writes proper RTCP") {
                Packet::SenderReport(report) => {
                    self.heard.sender_reports += 1;
                    for slot in self.slots.iter_mut().filter(|slot| slot.ssrc == report.info.ssrc) {
                        slot.reports += 1;
                        slot.reported = Some((report.info.ntp, report.info.timestamp));
                        slot.log.on_sender_report(now, report.info.ntp);
                    }
                }
                Packet::ReceiverReport(_) => self.heard.receiver_reports += 1,
                Packet::Nack(nack) => {
                    self.heard.nacks += 1;
                    self.sending.handle_nack(self.extensions, nack.media, nack.lost(), &mut resent);
                }
                Packet::PictureLoss(loss) => {
                    self.heard.picture_losses += 1;
                    self.sending.videos.iter_mut().for_each(|video| video.handle_picture_loss(now, loss.media));
                }
                Packet::TransportFeedback(_) => self.heard.transport_feedbacks += 1,
                _ => {}
            }
        }
        resent.into_iter().for_each(|plain| self.send_plain(plain));
    }

    /// When [`Bot::handle_timeout`] wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let ice = self.agent.as_ref().and_then(|agent| agent.next_check);
        let dtls = self.dtls.as_ref().and_then(Dtls::poll_timeout);
        if self.crypto.is_none() {
            return ice.into_iter().chain(dtls).min();
        }
        let repairs = self.slots.iter().filter(|slot| slot.repairs).filter_map(|slot| slot.log.poll_timeout());
        let due = self.arrivals.poll_timeout().into_iter().chain(self.next_report).chain(self.sending.poll_timeout());
        ice.into_iter().chain(dtls).chain(repairs).chain(due).min()
    }

    /// Whatever is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some(check) = self.agent.as_mut().and_then(|agent| agent.poll(now, &mut self.random)) {
            self.transmit(check);
        }
        if let Some(dtls) = &mut self.dtls {
            let progress = dtls.handle_timeout(now);
            self.apply(progress);
            self.flush_dtls();
        }
        if self.crypto.is_none() {
            return;
        }
        let mut plain = Vec::new();
        self.sending.poll(now, self.name, self.extensions, &mut plain);
        plain.into_iter().for_each(|plain| self.send_plain(plain));
        self.send_feedback(now);
    }

    fn send_feedback(&mut self, now: Instant) {
        let mut buffer = [0; 1200];
        let mut writer = Writer::new(&mut buffer);
        let mut lost = Vec::new();
        for slot in self.slots.iter_mut().filter(|slot| slot.repairs) {
            if slot.log.poll_timeout().is_none_or(|at| at > now) {
                continue;
            }
            lost.clear();
            slot.log.poll_nack(now, &mut lost);
            if !lost.is_empty() {
                writer.nack(self.ssrc, slot.ssrc, &lost);
            }
            if slot.log.take_key_frame_request() {
                writer.picture_loss(self.ssrc, slot.ssrc);
            }
        }
        if let Some(media) = self.slots.first().map(|slot| slot.ssrc) {
            self.arrivals.poll_feedback(now, self.ssrc, media, &mut writer);
        }
        if self.next_report.is_some_and(|at| at <= now) {
            self.next_report = Some(now + REPORT_INTERVAL);
            let blocks: Vec<_> =
                self.slots.iter_mut().filter_map(|slot| slot.log.report(now, slot.ssrc)).take(20).collect();
            writer.receiver_report(self.ssrc, &blocks);
            self.write_sender_reports(now, &mut writer);
        }
        let bytes = writer.written().to_vec();
        if !bytes.is_empty() {
            self.send_rtcp(&bytes);
        }
    }

    fn write_sender_reports(&mut self, now: Instant, writer: &mut Writer<'_>) {
        let since = now.saturating_duration_since(self.epoch.unwrap_or(now));
        // Its clock is its own: hours away from the server's.
        let seconds = 1_000_000 + u64::from(self.name) * 5_000 + since.as_secs();
        let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
        let ntp = Ntp((seconds << 32) | fraction);
        for stream in self.sending.streams_mut().filter(|stream| stream.packets > 0) {
            let (ssrc, timestamp) = (stream.ssrc, stream.last_timestamp);
            writer
                .sender_report(&SenderInfo { ssrc, ntp, timestamp, packets: stream.packets, bytes: stream.bytes }, &[]);
        }
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.out.pop_front()
    }

    /// Slots of one kind.
    pub fn slots_of(&self, kind: Kind) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(move |slot| slot.kind == kind)
    }

    /// How many packets it got of a source of another Bot's.
    pub fn count(&self, bot: u32, source: Source) -> usize {
        self.slots.iter().map(|slot| slot.count(bot, source_number(source))).sum()
    }

    /// Everything that was wrong with what it got.
    pub fn problems(&self) -> Vec<String> {
        self.slots.iter().flat_map(|slot| slot.discontinuities()).collect()
    }

    /// Forgets what it got, so that what comes from now on can be looked at alone.
    pub fn forget_received(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.got.clear());
        self.heard = Heard::default();
    }
}
