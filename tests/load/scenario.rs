//! The shapes of load as data: how many meetings, who sends, who watches, at which rates. Knows no sockets.

use crate::bots::sending::LayerShape;
use std::time::Duration;

/// Bytes of a picture's payload: all packets of all scenarios have this size, as the bare limit's have.
pub const PACKET_BYTES: usize = 1_150;

/// Sounds that everybody gets at most (design §4.6).
pub const VOICES: usize = 5;

/// Paced, a frame's packets leave one after another in this time.
pub const PACED_OVER: Duration = Duration::from_micros(11_700);

/// In what shape a publisher sends a frame's packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// All at once, as browsers mostly do.
    Burst,
    /// Over [`PACED_OVER`].
    Paced,
}

/// What a camera sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Camera {
    pub fps: u32,
    /// Packets of a frame, each of [`PACKET_BYTES`].
    pub packets: usize,
}

impl Camera {
    pub const fn layer(self) -> LayerShape {
        LayerShape {
            size: (1280, 720),
            frame_bytes: self.packets * PACKET_BYTES,
            packet_bytes: PACKET_BYTES,
            temporal_layers: 1,
        }
    }
}

/// So many equal meetings. A microphone sends 50 packets of about 90 bytes a second.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub name: String,
    pub meetings: usize,
    /// Of one meeting: those with a camera.
    pub publishers: usize,
    /// Of one meeting: those of them with an open microphone.
    pub microphones: usize,
    /// Of one meeting: those that only watch.
    pub listeners: usize,
    /// Whether publishers watch, too.
    pub all_to_all: bool,
    /// Cameras that each one watches at most.
    pub tiles: usize,
    /// Simulcast layers of each camera, lowest first.
    pub camera: Vec<LayerShape>,
    pub fps: u32,
    pub shape: Shape,
    /// How long the load generator leaves both cores to the server after each frame that it sent.
    pub rest: Duration,
    /// With two workers: sessions of a meeting that one of them takes.
    pub spread: Option<usize>,
    /// One watcher in so many decrypts and compares every byte.
    pub checks: usize,
}

impl Scenario {
    fn new(name: String, camera: Camera) -> Self {
        Self {
            name,
            meetings: 1,
            publishers: 1,
            microphones: 1,
            listeners: 0,
            all_to_all: false,
            tiles: 1,
            camera: vec![camera.layer()],
            fps: camera.fps,
            shape: Shape::Burst,
            rest: Duration::ZERO,
            spread: None,
            checks: 50,
        }
    }

    /// P1: one to many.
    pub fn one_to(listeners: usize, shape: Shape) -> Self {
        Self { listeners, shape, ..Self::new(format!("1 to {listeners}"), Camera { fps: 30, packets: 8 }) }
    }

    /// Meetings in which all see and hear each other.
    pub fn all_to_all(meetings: usize, people: usize, camera: Camera) -> Self {
        let name = format!("{meetings} × {people} all to all, {} × {} packets", camera.fps, camera.packets);
        let tiles = people - 1;
        Self { meetings, publishers: people, microphones: people, all_to_all: true, tiles, ..Self::new(name, camera) }
    }

    pub fn people(&self) -> usize {
        self.publishers + self.listeners
    }

    pub fn sessions(&self) -> usize {
        self.meetings * self.people()
    }

    /// Whether a place of a meeting watches; publishers have the first places.
    pub fn watches(&self, place: usize) -> bool {
        self.all_to_all || place >= self.publishers
    }

    /// The places of the cameras that a place watches: even over all of them.
    pub fn watched(&self, place: usize) -> Vec<usize> {
        if !self.watches(place) {
            return Vec::new();
        }
        // A publisher watches those who sit behind him, a listener goes on where the one before him ended.
        let from = if place < self.publishers { place + 1 } else { (place - self.publishers) * self.tiles };
        let others = (0..self.publishers).map(|step| (from + step) % self.publishers);
        others.filter(|other| *other != place).take(self.tiles).collect()
    }

    /// Sounds that a place gets.
    pub fn heard(&self, place: usize) -> usize {
        let own = usize::from(place < self.microphones);
        if self.watches(place) { (self.microphones - own).min(VOICES) } else { 0 }
    }

    /// Of the lowest layer.
    pub fn packets_of_a_frame(&self) -> usize {
        self.camera.first().map_or(0, |layer| layer.frame_bytes.div_ceil(layer.packet_bytes))
    }

    /// The bursts that are expected: a frame's packets, and what gaps and repairs leave alone or in pairs.
    pub fn burst_lengths(&self) -> Vec<usize> {
        let mut lengths = vec![1, 2, self.packets_of_a_frame()];
        lengths.sort_unstable();
        lengths.dedup();
        lengths
    }

    /// RTP packets that all watchers together should get in a second, with the lowest layer of each camera.
    pub fn expected_a_second(&self) -> f64 {
        let frame = self.packets_of_a_frame();
        let pictures = |place| self.watched(place).len() * frame * self.fps as usize;
        let meeting: usize = (0..self.people()).map(|place| pictures(place) + self.heard(place) * 50).sum();
        (meeting * self.meetings) as f64
    }
}

/// P5: the same mix in all entries, 15 frames of 8 packets and 50 sounds a second, so that bursts are equally long.
/// Half of P1's frames, so that one core carries each.
pub fn growth() -> Vec<(&'static str, Scenario)> {
    const CAMERA: Camera = Camera { fps: 15, packets: 8 };
    let mut table = Vec::new();
    for listeners in [10, 100, 1_000] {
        table.push(("subscribers", Scenario { listeners, ..Scenario::new(format!("1 to {listeners}"), CAMERA) }));
    }
    for publishers in [1, 10, 100, 300] {
        let tiles = publishers.min(9);
        let name = format!("{publishers} publishers, 100 subscribers of {tiles} each");
        let (microphones, listeners) = (publishers, 100);
        table.push((
            "publishers",
            Scenario { publishers, microphones, listeners, tiles, ..Scenario::new(name, CAMERA) },
        ));
    }
    for meetings in [1, 20, 200] {
        let name = format!("{meetings} × 1 to 10");
        table.push(("meetings", Scenario { meetings, listeners: 10, ..Scenario::new(name, CAMERA) }));
    }
    table
}

/// P6: meetings as people hold them, at rates that one core carries.
pub fn meetings() -> Vec<Scenario> {
    let ten = Scenario::all_to_all(5, 10, Camera { fps: 30, packets: 3 });
    let page = Scenario::all_to_all(1, 49, Camera { fps: 15, packets: 1 });
    let mut large = Scenario::all_to_all(1, 300, Camera { fps: 15, packets: 2 });
    large.tiles = 9;
    large.name = "300, all microphones open, 9 tiles each, 15 × 2 packets".into();
    let mut stage =
        Scenario::new("5 speakers (2 talk), 1,000 listeners, 10 × 4 packets".into(), Camera { fps: 10, packets: 4 });
    (stage.publishers, stage.microphones, stage.listeners, stage.tiles) = (5, 2, 1_000, 5);
    stage.all_to_all = true;
    let small = Scenario::all_to_all(200, 3, Camera { fps: 15, packets: 4 });
    vec![ten, page, large, stage, small]
}

/// Sessions with nothing to send: what they cost is polling.
pub fn idle() -> Vec<Scenario> {
    let silent = |meetings: usize, people: usize| {
        let mut scenario = Scenario::all_to_all(meetings, people, Camera { fps: 1, packets: 1 });
        scenario.tiles = 9.min(people - 1);
        scenario.name = format!("{meetings} × {people}, nothing sent");
        scenario
    };
    vec![silent(1, 100), silent(1, 500), silent(100, 10)]
}

/// R6: meetings whose every source is recorded. Nobody watches another, so that what recording costs is not lost in
/// what forwarding does; a camera sends 1.1 Mbit/s.
pub fn recorded() -> Vec<Scenario> {
    let people = |people: usize| {
        let name = format!("{people} people, 30 × 4 packets");
        let scenario = Scenario::new(name, Camera { fps: 30, packets: 4 });
        Scenario { publishers: people, microphones: people, tiles: 0, ..scenario }
    };
    vec![people(4), people(16), people(48)]
}
