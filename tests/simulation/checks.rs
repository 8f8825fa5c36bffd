//! What must hold after each step, by the numbers of acceptance row SIM.

use crate::actions::Simulation;
use crate::bots::world::is_media;
use crate::table::CAPACITY;
use signaling::ids::{ParticipantId, Source};
use signaling::role::Role;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::time::Duration;
use symposia::net::counters::Drop;
use symposia::session::limits::MediaLimits;

/// The slowest that a datagram can be on any link of the simulation.
pub const SLOWEST: Duration = Duration::from_millis(110);

/// What checks remember between steps.
#[derive(Default)]
pub struct Memory {
    inside: BTreeMap<u32, (bool, BTreeSet<ParticipantId>)>,
    sealed: HashMap<(SocketAddr, u32, u16), u64>,
    media_out: u64,
    /// Per Bot and slot: the newest number that was looked at.
    looked: HashMap<(usize, usize), u64>,
    pub trace: DefaultHasher,
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

impl Simulation {
    /// Looks at everything. `context` is what was just done.
    pub fn check(&mut self, context: &str) {
        self.check_people(context);
        self.check_datagrams(context);
        self.check_received(context);
        self.check_counts(context);
    }

    /// 3 and 4: a locked meeting does not grow, and none grows over its plan.
    fn check_people(&mut self, context: &str) {
        for table in &self.tables {
            let people: Vec<_> = table.meeting.participants().collect();
            assert!(people.len() <= usize::from(CAPACITY), "4: {} inside after {context}", people.len());
            let inside: BTreeSet<_> = people.iter().map(|person| person.id).collect();
            let locked = table.meeting.policy().locked;
            if let Some((true, before)) = self.memory.inside.get(&table.number)
                && locked
            {
                for entered in inside.difference(before) {
                    let role = people.iter().find(|person| person.id == *entered).map(|person| person.role);
                    assert_eq!(role, Some(Role::Host), "3: {entered} came into a locked meeting by {context}");
                }
            }
            self.memory.inside.insert(table.number, (locked, inside));
        }
    }

    /// 1 and 2: only those inside have sessions, and nothing goes to a session that ended. 6: one plaintext per key,
    /// SSRC and index.
    fn check_datagrams(&mut self, context: &str) {
        for table in &self.tables {
            for (id, _) in table.live() {
                assert!(
                    table.meeting.media_allowed(id).is_some(),
                    "1: {id} is not inside but has a session, {context}"
                );
            }
        }
        assert!(self.world.after_the_end.is_empty(), "2: after {context}: {:?}", self.world.after_the_end);
        for (_, to, data) in self.world.watch.replace(Vec::new()).into_iter().flatten() {
            if is_media(&data) {
                self.memory.media_out += 1;
                let sequence = u16::from_be_bytes([data[2], data[3]]);
                let ssrc = u32::from_be_bytes([data[8], data[9], data[10], data[11]]);
                let before = self.memory.sealed.insert((to, ssrc, sequence), hash(&data));
                assert!(
                    before.is_none_or(|before| before == hash(&data)),
                    "6: number {sequence} of {ssrc:x} was sealed twice for {to} after {context}"
                );
            }
        }
    }

    /// 5, 6, 8 and 10: what Bots got.
    fn check_received(&mut self, context: &str) {
        for (index, place) in self.world.places.iter().enumerate().filter(|(_, place)| !place.retired) {
            let own = place.bot.name;
            for (number, slot) in place.bot.slots.iter().enumerate() {
                let from = self.memory.looked.get(&(index, number)).map_or(0, |last| last + 1);
                for (seq, got) in slot.got.range(from..) {
                    let tag = got.tag;
                    assert_ne!(tag.bot, own, "10: bot {own} gets itself after {context}");
                    assert_eq!(tag.bot / 1000, own / 1000, "1: bot {own} gets another meeting after {context}");
                    let source = Source::ALL[usize::from(tag.source)];
                    let table = &self.tables[(own / 1000) as usize];
                    let open = table.open.contains(&(ParticipantId(tag.bot % 1000), source));
                    let closed = table.closed_at.get(&(tag.bot, source));
                    assert!(
                        open || closed.is_some_and(|at| got.at <= *at + SLOWEST),
                        "5: bot {own} got {source:?} of {} behind a closed gate after {context}",
                        tag.bot
                    );
                    let at = got.at.duration_since(self.world.start);
                    (at, number, *seq, got.timestamp, tag, got.repaired).hash(&mut self.memory.trace);
                    self.memory.looked.insert((index, number), *seq);
                }
            }
            for layer in place.bot.sending.videos.iter().flat_map(|video| &video.layers) {
                for pair in layer.requests.windows(2) {
                    // How often they leave is bounded; on the way they may come closer.
                    let apart = pair[1].saturating_duration_since(pair[0]) + SLOWEST;
                    assert!(
                        apart >= MediaLimits::default().key_frame_window,
                        "8: key frames asked for twice within {apart:?} after {context}"
                    );
                }
            }
        }
    }

    /// The continuity of all that a Bot got; once per Bot, since it looks at everything.
    pub fn check_order(&self, place: usize, context: &str) {
        let problems = self.world.places[place].bot.problems();
        assert!(problems.is_empty(), "6: {problems:#?} after {context}");
    }

    /// 2 and 7: sessions are those that should be; packets in and out are all accounted for.
    fn check_counts(&self, context: &str) {
        let counters = &self.world.core.counters;
        let live: usize = self.tables.iter().map(|table| table.live().count()).sum();
        assert!(
            counters.sessions <= live as u64,
            "2: {} sessions for {live} people after {context}",
            counters.sessions
        );
        assert_eq!(counters.sent, self.memory.media_out, "7: sent is not what left, after {context}");
        let kept_out = [
            Drop::UnknownAddress,
            Drop::Malformed,
            Drop::NoKeys,
            Drop::Forged,
            Drop::Replayed,
            Drop::UnknownStream,
            Drop::UnknownPayload,
            Drop::Late,
            Drop::Flood,
        ];
        let dropped: u64 = kept_out.iter().map(|reason| self.world.dropped(*reason)).sum();
        assert!(counters.received <= self.world.media_in, "7: more received than came, after {context}");
        assert!(
            self.world.media_in <= counters.received + dropped,
            "7: {} came, {} received, {dropped} dropped, after {context}",
            self.world.media_in,
            counters.received
        );
        assert_eq!(self.world.dropped(Drop::Forged), 0, "7: an honest packet was taken for a forged one, {context}");
    }
}
