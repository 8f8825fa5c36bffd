//! What a Bot sends: frames and sounds at their times, kept for retransmission. Knows no keys and no sockets.

use super::content::{FrameLayer, PictureNumbers, SILENCE, Tag, film_payload, opus_payload, vp8_payload};
use rand::Rng;
use rand::rngs::StdRng;
use signaling::ids::Source;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use symposia::rtp::extension::Form;
use symposia::rtp::header::{self, Fields};
use symposia::session::plan::{AnnouncedStream, ExtensionIds, Kind};

/// Packets kept for retransmission per stream.
const KEPT: usize = 1024;

/// One simulcast layer's shape.
#[derive(Debug, Clone, Copy)]
pub struct LayerShape {
    pub size: (u16, u16),
    /// Bytes of a frame's payloads.
    pub frame_bytes: usize,
    /// Bytes of a payload at most.
    pub packet_bytes: usize,
    /// Temporal layers, 1 to 3.
    pub temporal_layers: u8,
}

impl LayerShape {
    pub const fn new(height: u16, frame_bytes: usize) -> Self {
        Self { size: (height / 9 * 16, height), frame_bytes, packet_bytes: 1150, temporal_layers: 1 }
    }
}

/// The usual three: 180, 360 and 720 lines.
pub const SIMULCAST: [LayerShape; 3] =
    [LayerShape::new(180, 600), LayerShape::new(360, 2_000), LayerShape::new(720, 7_000)];

/// The place of a picture, so many after its key picture, in a pattern of so many temporal layers: as libvpx has them.
/// Which layer, what it needs, and whether of the layers only the lowest.
fn temporal_place(layers: u8, since_key: u32) -> (u8, [u8; 2], bool) {
    match (layers, since_key % 8) {
        (1, _) => (0, [1, 0], false),
        (2, place) if place % 2 == 0 => (0, [2, 0], false),
        (2, place) if place % 4 == 1 => (1, [1, 0], true),
        (2, _) => (1, [1, 2], false),
        (_, 0 | 4) => (0, [4, 0], false),
        (_, 1) => (2, [1, 0], true),
        (_, 2) => (1, [2, 0], true),
        (_, 6) => (1, [2, 4], false),
        (_, _) => (2, [1, 2], false),
    }
}

/// A packet before it is sealed.
pub struct Plain {
    pub bytes: Vec<u8>,
    pub header_len: usize,
    pub roc: u32,
}

#[derive(Clone)]
struct Kept {
    sequence: u16,
    timestamp: u32,
    marker: bool,
    payload: Vec<u8>,
}

/// One RTP stream with its retransmissions.
pub struct SendStream {
    pub ssrc: u32,
    rtx: Option<u32>,
    pub next: u64,
    next_rtx: u64,
    kept: VecDeque<Kept>,
    payload_type: u8,
    rtx_payload_type: Option<u8>,
    mid: String,
    rid: Option<String>,
    pub packets: u32,
    pub bytes: u32,
    pub last_timestamp: u32,
    pub retransmitted: u64,
}

impl SendStream {
    fn extensions(&self, ids: ExtensionIds, twcc: u16, level: Option<u8>, repaired: bool) -> Vec<(u8, Vec<u8>)> {
        let mut list = Vec::new();
        let rid_id = if repaired { ids.repaired_rid } else { ids.rid };
        list.extend(ids.mid.map(|id| (id, self.mid.clone().into_bytes())));
        list.extend(rid_id.zip(self.rid.clone()).map(|(id, rid)| (id, rid.into_bytes())));
        list.extend(ids.transport_cc.map(|id| (id, twcc.to_be_bytes().to_vec())));
        list.extend(ids.audio_level.zip(level).map(|(id, level)| (id, vec![level])));
        list
    }

    fn build(fields: &Fields, extensions: &[(u8, Vec<u8>)], parts: &[&[u8]], index: u64) -> Plain {
        let mut bytes = vec![0; 2000];
        let list: Vec<(u8, &[u8])> = extensions.iter().map(|(id, value)| (*id, value.as_slice())).collect();
        let header_len = header::write(&mut bytes, fields, Form::OneByte, &list).expect("it fits");
        bytes.truncate(header_len);
        parts.iter().for_each(|part| bytes.extend_from_slice(part));
        Plain { bytes, header_len, roc: (index >> 16) as u32 }
    }

    fn send(
        &mut self,
        ids: ExtensionIds,
        twcc: &mut u16,
        timestamp: u32,
        marker: bool,
        level: Option<u8>,
        payload: Vec<u8>,
    ) -> Plain {
        let index = self.next;
        self.next += 1;
        let extensions = self.extensions(ids, *twcc, level, false);
        *twcc = twcc.wrapping_add(1);
        let fields =
            Fields { marker, payload_type: self.payload_type, sequence: index as u16, timestamp, ssrc: self.ssrc };
        let plain = Self::build(&fields, &extensions, &[&payload], index);
        self.packets = self.packets.wrapping_add(1);
        self.bytes = self.bytes.wrapping_add(payload.len() as u32);
        self.last_timestamp = timestamp;
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(Kept { sequence: index as u16, timestamp, marker, payload });
        plain
    }

    /// A packet of nothing but padding, with a number of its own: a probe on the media stream.
    pub fn padding(&mut self, ids: ExtensionIds, twcc: &mut u16) -> Plain {
        let index = self.next;
        self.next += 1;
        let extensions = self.extensions(ids, *twcc, None, false);
        *twcc = twcc.wrapping_add(1);
        let fields = Fields {
            marker: false,
            payload_type: self.payload_type,
            sequence: index as u16,
            timestamp: self.last_timestamp,
            ssrc: self.ssrc,
        };
        let mut pad = [0; 200];
        pad[199] = 200;
        let mut plain = Self::build(&fields, &extensions, &[&pad], index);
        plain.bytes[0] |= 0x20;
        plain
    }

    fn resend(&mut self, ids: ExtensionIds, twcc: &mut u16, sequence: u16) -> Option<Plain> {
        let kept = self.kept.iter().find(|kept| kept.sequence == sequence)?.clone();
        let (ssrc, payload_type) = (self.rtx?, self.rtx_payload_type?);
        let index = self.next_rtx;
        self.next_rtx += 1;
        self.retransmitted += 1;
        let extensions = self.extensions(ids, *twcc, None, true);
        *twcc = twcc.wrapping_add(1);
        let fields =
            Fields { marker: kept.marker, payload_type, sequence: index as u16, timestamp: kept.timestamp, ssrc };
        Some(Self::build(&fields, &extensions, &[&sequence.to_be_bytes(), &kept.payload], index))
    }
}

/// One layer of a picture.
pub struct VideoLayer {
    pub stream: SendStream,
    pub shape: LayerShape,
    pub active: bool,
    want_key: bool,
    numbers: PictureNumbers,
    since_key: u32,
    /// It says where one can go up to more pictures a second.
    pub syncs: bool,
    /// Key-frame requests that came for it.
    pub requests: Vec<Instant>,
    /// Numbers of the frames that were key frames.
    pub key_frames: Vec<u32>,
}

/// A camera or a screen.
pub struct VideoSource {
    pub source: Source,
    pub layers: Vec<VideoLayer>,
    interval: Duration,
    pub next: Option<Instant>,
    /// Real VP8 frames, the first a key frame, in place of those that name themselves. For one layer.
    pub film: Option<Vec<Vec<u8>>>,
    /// Which of the film is next.
    place: usize,
    frame: u32,
    timestamp: u32,
}

/// A microphone.
pub struct AudioSource {
    pub source: Source,
    pub stream: SendStream,
    pub next: Option<Instant>,
    /// RFC 6464: 0 is the loudest.
    pub level: u8,
    pub bytes: usize,
    /// What decoders take for real, in place of what names itself.
    pub silent: bool,
    frame: u32,
    timestamp: u32,
}

/// Where a source stands in the agreement.
pub struct Agreed {
    pub mid: String,
    pub streams: Vec<AnnouncedStream>,
    pub rids: Vec<String>,
    pub payload_type: u8,
    pub rtx_payload_type: Option<u8>,
}

impl Agreed {
    fn stream(&self, index: usize, random: &mut StdRng) -> SendStream {
        let announced = self.streams[index];
        SendStream {
            ssrc: announced.media.0,
            rtx: announced.rtx.map(|rtx| rtx.0),
            next: u64::from(random.next_u32() & 0x7fff),
            next_rtx: u64::from(random.next_u32() & 0x7fff),
            kept: VecDeque::new(),
            payload_type: self.payload_type,
            rtx_payload_type: self.rtx_payload_type,
            mid: self.mid.clone(),
            rid: self.rids.get(index).cloned(),
            packets: 0,
            bytes: 0,
            last_timestamp: 0,
            retransmitted: 0,
        }
    }
}

impl VideoSource {
    pub fn new(agreed: &Agreed, source: Source, shapes: &[LayerShape], fps: u32, random: &mut StdRng) -> Self {
        let layers = shapes.iter().enumerate().map(|(index, shape)| VideoLayer {
            stream: agreed.stream(index, random),
            shape: *shape,
            active: true,
            want_key: true,
            numbers: PictureNumbers {
                picture_id: random.next_u32() as u16 & 0x7fff,
                tl0: random.next_u32() as u8,
                key_index: 0,
                sync: false,
            },
            since_key: 0,
            syncs: true,
            requests: Vec::new(),
            key_frames: Vec::new(),
        });
        let layers = layers.collect();
        let timestamp = random.next_u32();
        Self {
            source,
            layers,
            interval: Duration::from_secs(1) / fps,
            next: None,
            film: None,
            place: 0,
            frame: 0,
            timestamp,
        }
    }

    /// A key frame is wanted of the layer with this SSRC.
    pub fn handle_picture_loss(&mut self, now: Instant, ssrc: u32) {
        for layer in self.layers.iter_mut().filter(|layer| layer.stream.ssrc == ssrc) {
            layer.want_key = true;
            layer.requests.push(now);
        }
    }

    pub fn frames(&self) -> u32 {
        self.frame
    }

    fn poll(&mut self, now: Instant, bot: u32, ids: ExtensionIds, twcc: &mut u16, out: &mut Vec<Plain>) {
        while let Some(at) = self.next.filter(|at| *at <= now) {
            self.next = Some(at + self.interval);
            for (index, layer) in self.layers.iter_mut().enumerate().filter(|(_, layer)| layer.active) {
                let key = std::mem::take(&mut layer.want_key);
                if key {
                    layer.numbers.key_index = layer.numbers.key_index.wrapping_add(1);
                    layer.key_frames.push(self.frame);
                    layer.since_key = 0;
                }
                let (temporal, needs, sync) = temporal_place(layer.shape.temporal_layers, layer.since_key);
                let needs = if key { [0; 2] } else { needs };
                let frame_layer = FrameLayer { temporal, needs, ..FrameLayer::default() };
                layer.numbers.sync = sync && layer.syncs;
                layer.numbers.tl0 = layer.numbers.tl0.wrapping_add(u8::from(temporal == 0));
                if let Some(film) = &self.film {
                    self.place = if key { 0 } else { self.place % film.len() };
                    let parts: Vec<_> = film[self.place].chunks(layer.shape.packet_bytes).collect();
                    for (place, part) in parts.iter().enumerate() {
                        let payload = film_payload(place == 0, layer.numbers, part);
                        let marker = place + 1 == parts.len();
                        out.push(layer.stream.send(ids, twcc, self.timestamp, marker, None, payload));
                    }
                    self.place += 1;
                }
                let bytes = layer.shape.frame_bytes * if key { 2 } else { 1 };
                let packets = match self.film {
                    None => bytes.div_ceil(layer.shape.packet_bytes).max(1),
                    Some(_) => 0,
                };
                for packet in 0..packets {
                    let tag = Tag {
                        bot,
                        source: source_number(self.source),
                        layer: index as u8,
                        frame: self.frame,
                        packet: packet as u16,
                        packets: packets as u16,
                        frame_layer,
                    };
                    let len = if packet + 1 == packets {
                        (bytes - packet * layer.shape.packet_bytes).max(60)
                    } else {
                        layer.shape.packet_bytes
                    };
                    let payload = vp8_payload(&tag, layer.numbers, key, layer.shape.size, len);
                    let marker = packet + 1 == packets;
                    out.push(layer.stream.send(ids, twcc, self.timestamp, marker, None, payload));
                }
                layer.numbers.picture_id = layer.numbers.picture_id.wrapping_add(1) & 0x7fff;
                layer.since_key += 1;
            }
            self.frame += 1;
            self.timestamp = self.timestamp.wrapping_add((self.interval.as_micros() * 9 / 100) as u32);
        }
    }
}

impl AudioSource {
    pub fn new(agreed: &Agreed, source: Source, level: u8, random: &mut StdRng) -> Self {
        let timestamp = random.next_u32();
        Self {
            source,
            stream: agreed.stream(0, random),
            next: None,
            level,
            bytes: 90,
            silent: false,
            frame: 0,
            timestamp,
        }
    }

    fn poll(&mut self, now: Instant, bot: u32, ids: ExtensionIds, twcc: &mut u16, out: &mut Vec<Plain>) {
        while let Some(at) = self.next.filter(|at| *at <= now) {
            self.next = Some(at + Duration::from_millis(20));
            out.push(self.sound(bot, ids, twcc));
        }
    }

    /// The next 20 ms, also before their time.
    pub fn sound(&mut self, bot: u32, ids: ExtensionIds, twcc: &mut u16) -> Plain {
        let (source, frame_layer) = (source_number(self.source), FrameLayer::default());
        let tag = Tag { bot, source, layer: 0, frame: self.frame, packet: 0, packets: 1, frame_layer };
        let payload = if self.silent { SILENCE.to_vec() } else { opus_payload(&tag, self.bytes) };
        let sound = self.stream.send(ids, twcc, self.timestamp, false, Some(self.level), payload);
        self.frame += 1;
        self.timestamp = self.timestamp.wrapping_add(960);
        sound
    }

    pub fn frames(&self) -> u32 {
        self.frame
    }
}

/// The number of a source in tags.
pub fn source_number(source: Source) -> u8 {
    Source::ALL.iter().position(|other| *other == source).unwrap_or(0) as u8
}

/// All that a Bot sends.
#[derive(Default)]
pub struct Sending {
    pub videos: Vec<VideoSource>,
    pub sounds: Vec<AudioSource>,
    pub twcc: u16,
}

impl Sending {
    pub fn poll_timeout(&self) -> Option<Instant> {
        let videos = self.videos.iter().filter_map(|video| video.next);
        videos.chain(self.sounds.iter().filter_map(|sound| sound.next)).min()
    }

    pub fn poll(&mut self, now: Instant, bot: u32, ids: ExtensionIds, out: &mut Vec<Plain>) {
        for sound in &mut self.sounds {
            sound.poll(now, bot, ids, &mut self.twcc, out);
        }
        for video in &mut self.videos {
            video.poll(now, bot, ids, &mut self.twcc, out);
        }
    }

    pub fn streams_mut(&mut self) -> impl Iterator<Item = &mut SendStream> {
        let layers = self.videos.iter_mut().flat_map(|video| &mut video.layers).map(|layer| &mut layer.stream);
        layers.chain(self.sounds.iter_mut().map(|sound| &mut sound.stream))
    }

    /// What the server misses, as retransmissions.
    pub fn handle_nack(
        &mut self,
        ids: ExtensionIds,
        media: u32,
        lost: impl Iterator<Item = u16>,
        out: &mut Vec<Plain>,
    ) {
        let mut twcc = self.twcc;
        if let Some(stream) = self.streams_mut().find(|stream| stream.ssrc == media) {
            out.extend(lost.filter_map(|sequence| stream.resend(ids, &mut twcc, sequence)));
        }
        self.twcc = twcc;
    }

    pub fn video(&mut self, source: Source) -> &mut VideoSource {
        self.videos.iter_mut().find(|video| video.source == source).expect("it sends this")
    }

    pub fn sound(&mut self, source: Source) -> &mut AudioSource {
        self.sounds.iter_mut().find(|sound| sound.source == source).expect("it sends this")
    }
}

/// Whether a source is sound or picture.
pub fn kind(source: Source) -> Kind {
    if source.is_audio() { Kind::Audio } else { Kind::Video }
}
