//! One meeting with its router and its people: the glue that the server's control side is, without threads.
//! Carries out what the meeting decides.

use crate::bots::bot::BotShape;
use crate::bots::netem::Link;
use crate::bots::sending::LayerShape;
use crate::bots::world::World;
use signaling::ids::{Epoch, Millis, ParticipantId, Source};
use signaling::meeting::{Effect, Entry, Knock, Limits, Meeting, MeetingSettings};
use signaling::protocol::{Command, Policy, SlotCounts};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;
use symposia::worker::api::{self, RouterId};

/// What each plan allows here.
pub const CAPACITY: u16 = 6;

/// Small pictures, so that a simulation is quick; three layers all the same.
const LAYERS: [LayerShape; 3] = [LayerShape::new(180, 200), LayerShape::new(360, 700), LayerShape::new(720, 2_600)];

/// Somebody who came to the meeting once.
pub struct Person {
    pub id: ParticipantId,
    pub secret: String,
    pub entry: Entry,
    /// The Bot that it has now.
    pub place: Option<usize>,
    /// The admission that the Bot's session belongs to.
    pub epoch: Epoch,
    /// It has a socket.
    pub connected: bool,
    pub next_command: u64,
    /// When the network comes back.
    pub gone_until: Option<Instant>,
    pub link: Link,
}

/// One meeting.
pub struct Table {
    pub number: u32,
    pub meeting: Meeting,
    pub router: RouterId,
    pub people: BTreeMap<ParticipantId, Person>,
    /// Gates as the meeting wants them, with the moment in which each was closed last.
    pub open: BTreeSet<(ParticipantId, Source)>,
    pub closed_at: BTreeMap<(u32, Source), Instant>,
    pub ended: bool,
    secrets: u32,
}

pub fn policy() -> Policy {
    Policy {
        waiting_room: true,
        locked: false,
        may_unmute: true,
        may_show_camera: true,
        may_share: true,
        may_chat: true,
        may_rename: true,
        mute_on_entry: false,
    }
}

impl Table {
    pub fn new(number: u32, router: RouterId, now: Millis) -> Self {
        let settings = MeetingSettings {
            id: format!("meeting-{number}"),
            title: String::new(),
            number: format!("{number:09}"),
            join_url: String::new(),
            capacity: CAPACITY,
            slots: SlotCounts { video: 4, audio: 5 },
            policy: policy(),
            numbers_wait: true,
            auto_record: false,
            limits: Limits { seat_kept: 4_000, ..Limits::default() },
        };
        Self {
            number,
            meeting: Meeting::new(settings, now),
            router,
            people: BTreeMap::new(),
            open: BTreeSet::new(),
            closed_at: BTreeMap::new(),
            ended: false,
            secrets: 0,
        }
    }

    /// The name in tags: no two people of all meetings have the same.
    pub fn name(&self, id: ParticipantId) -> u32 {
        self.number * 1000 + id.0
    }

    pub fn knock(
        &mut self,
        world: &mut World,
        now: Millis,
        entry: Entry,
        identity: Option<String>,
        link: Link,
    ) -> bool {
        self.secrets += 1;
        let secret = format!("secret-{}-{}", self.number, self.secrets);
        let knock = Knock { name: "Ana".into(), entry, account: None, identity, seat_secret: secret.clone() };
        let result = self.meeting.knock(now, knock);
        if let Ok(id) = result {
            let person = Person {
                id,
                secret,
                entry,
                place: None,
                epoch: Epoch(0),
                connected: true,
                next_command: 1,
                gone_until: None,
                link,
            };
            self.people.insert(id, person);
        }
        self.carry_out(world);
        result.is_ok()
    }

    pub fn command(&mut self, world: &mut World, now: Millis, who: ParticipantId, command: Command) {
        let Some(person) = self.people.get_mut(&who) else { return };
        let id = person.next_command;
        person.next_command += 1;
        self.meeting.handle_command(now, who, id, command);
        self.carry_out(world);
    }

    /// Does what the meeting decided, in its order.
    pub fn carry_out(&mut self, world: &mut World) {
        while let Some(effect) = self.meeting.poll_effect() {
            match effect {
                Effect::SetGate { participant, epoch, source, open } => {
                    if open {
                        self.open.insert((participant, source));
                    } else {
                        self.open.remove(&(participant, source));
                        self.closed_at.insert((self.name(participant), source), world.now);
                    }
                    let person = self.people.get(&participant).filter(|person| person.epoch == epoch);
                    if let Some(place) = person.and_then(|person| person.place) {
                        world.set_gate(place, source, open);
                    }
                }
                Effect::EndMedia { participant, epoch } => {
                    for source in Source::ALL {
                        self.open.remove(&(participant, source));
                        self.closed_at.insert((self.name(participant), source), world.now);
                    }
                    let person = self.people.get_mut(&participant).filter(|person| person.epoch <= epoch);
                    if let Some(place) = person.and_then(|person| person.place.take()) {
                        world.close(place);
                    }
                }
                Effect::CloseSocket { participant } => {
                    if let Some(person) = self.people.get_mut(&participant) {
                        person.connected = false;
                    }
                }
                Effect::Ended => {
                    self.ended = true;
                    world.command(api::Command::CloseRouter { router: self.router });
                }
                Effect::StartRecording { .. }
                | Effect::PauseRecording { .. }
                | Effect::ResumeRecording { .. }
                | Effect::StopRecording { .. }
                | Effect::MarkRecording { .. }
                | Effect::Banned { .. }
                | Effect::Send { .. }
                | Effect::Replace { .. }
                | Effect::Persist => {}
            }
        }
        // Whose seat is gone comes again as somebody else; the meeting has ended his media before.
        let meeting = &self.meeting;
        self.people.retain(|id, person| {
            let seated = meeting.bearer(&person.secret).is_some();
            assert!(seated || person.place.is_none(), "2: {id} lost the seat, but not the session");
            seated
        });
    }

    /// Makes a peer connection for somebody who may have one; an older one ends.
    pub fn connect_media(&mut self, world: &mut World, id: ParticipantId, active: bool) -> Option<usize> {
        let rights = self.meeting.media_allowed(id)?;
        let name = self.name(id);
        let person = self.people.get_mut(&id)?;
        if let Some(old) = person.place.take() {
            world.close(old);
        }
        let shape = BotShape {
            sources: vec![Source::Microphone, Source::Camera, Source::Screen],
            video_slots: 3,
            audio_slots: 3,
            active,
            ..BotShape::default()
        };
        let place = world.join_as(self.router, id, name, shape, &rights.open_gates, person.link);
        person.place = Some(place);
        person.epoch = rights.epoch;
        let now = world.now;
        let bot = world.bot(place);
        // It sends whatever it has from the start, whether it may or not.
        bot.start_sound(now, Source::Microphone, 10 + (name % 7) as u8 * 8);
        let temporal_layers = 1 + (name % 3) as u8;
        bot.start_video(now, Source::Camera, &LAYERS.map(|shape| LayerShape { temporal_layers, ..shape }), 10);
        Some(place)
    }

    /// Whose Bots have a session now.
    pub fn live(&self) -> impl Iterator<Item = (ParticipantId, usize)> + '_ {
        self.people.values().filter_map(|person| Some((person.id, person.place?)))
    }
}
