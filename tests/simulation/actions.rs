//! Random people: they come, are let in, muted, removed, leave, lose their network, come back, ignore what they
//! are told. All from one seed.

use crate::bots::netem::Link;
use crate::bots::world::World;
use crate::checks::{Memory, SLOWEST};
use crate::table::{Table, policy};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use signaling::ids::{Millis, ParticipantId, Source, TrackId};
use signaling::meeting::Entry;
use signaling::protocol::{Command, SessionState, Wish};
use signaling::role::Role;
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::time::Duration;
use symposia::worker::api;

const MEETINGS: u32 = 3;

/// Everything.
pub struct Simulation {
    pub world: World,
    pub tables: Vec<Table>,
    pub memory: Memory,
    random: StdRng,
    told: bool,
    moves: u16,
}

impl Simulation {
    pub fn new(seed: u64) -> Self {
        let mut world = World::new(seed);
        world.watch = Some(Vec::new());
        let tables = (0..MEETINGS)
            .map(|number| {
                let router = if number == 0 { world.router(0) } else { world.open_router() };
                Table::new(number, router, Millis(1_800_000_000_000))
            })
            .collect();
        let random = StdRng::seed_from_u64(seed ^ 0x5eed);
        Self { world, tables, memory: Memory::default(), random, told: crate::seed().is_some(), moves: 0 }
    }

    fn millis(&self) -> Millis {
        let since = self.world.now.duration_since(self.world.start).as_millis();
        Millis(1_800_000_000_000).plus(u64::try_from(since).expect("not that long"))
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    fn link(&mut self) -> Link {
        let random = &mut self.random;
        let link = Link {
            delay: Duration::from_millis(random.random_range(2..60)),
            jitter: Duration::from_millis(random.random_range(0..30)),
            loss: random.random_range(0..60),
            duplicate: random.random_range(0..20),
            reorder: random.random_range(0..30),
            ..Link::CLEAN
        };
        assert!(link.delay + link.jitter + Duration::from_millis(8) < SLOWEST);
        if random.random_range(0..3) == 0 { Link::CLEAN } else { link }
    }

    /// Lets so many seconds pass in which people do things.
    pub fn run(&mut self, seconds: u64) {
        let until = self.world.now + Duration::from_secs(seconds);
        while self.world.now < until {
            let table = self.random.random_range(0..self.tables.len());
            let action = self.act(table);
            if self.told {
                let at = self.world.now.duration_since(self.world.start);
                eprintln!("{at:?} meeting {table}: {action}");
            }
            action.hash(&mut self.memory.trace);
            self.check(&action);
            for _ in 0..self.random.random_range(1..4) {
                let pause = self.random.random_range(5..80);
                self.world.run_ms(pause);
                self.keep_going();
                self.check(&format!("a pause after {action}"));
            }
        }
    }

    /// What clients and timers do by themselves.
    fn keep_going(&mut self) {
        let now = self.millis();
        for table in &mut self.tables {
            if table.meeting.poll_timeout().is_some_and(|at| at <= now) {
                table.meeting.handle_timeout(now);
                table.carry_out(&mut self.world);
            }
        }
        for event in std::mem::take(&mut self.world.events) {
            // Instants are not in events, so their text is the same in each run.
            format!("{event:?}").hash(&mut self.memory.trace);
            if let api::Event::Session { session, participant, state: SessionState::Failed } = event {
                for table in &mut self.tables {
                    let person = table.people.get_mut(&participant);
                    if let Some(person) = person
                        && person.place.is_some_and(|place| self.world.places[place].session == session)
                    {
                        person.place = None;
                    }
                }
            }
        }
        for table in 0..self.tables.len() {
            let people: Vec<_> = self.tables[table].people.keys().copied().collect();
            for id in people {
                self.look_after(table, id);
            }
        }
        // A Bot whose session is over goes on for a while as if nothing had been; then it gives up.
        let live: Vec<usize> = self.tables.iter().flat_map(|table| table.live().map(|(_, place)| place)).collect();
        for place in 0..self.world.places.len() {
            if !self.world.places[place].retired && !live.contains(&place) && self.random.random_range(0..40) == 0 {
                self.check_order(place, "the end of a Bot");
                self.world.places[place].retired = true;
            }
        }
    }

    fn look_after(&mut self, table: usize, id: ParticipantId) {
        let now = self.world.now;
        let Some(person) = self.tables[table].people.get_mut(&id) else { return };
        if person.gone_until.is_some_and(|until| until <= now) {
            person.gone_until = None;
            let link = person.link;
            if let Some(place) = person.place {
                self.world.set_links(place, link, link);
                self.world.restart_ice(place);
            }
        }
        let Some(person) = self.tables[table].people.get(&id) else { return };
        let needs = person.place.is_none() && person.connected && person.gone_until.is_none();
        if needs && self.tables[table].meeting.media_allowed(id).is_some() && self.chance(50) {
            let active = self.chance(25);
            self.tables[table].connect_media(&mut self.world, id, active);
            self.wish(table, id);
        }
    }

    fn wish(&mut self, table: usize, id: ParticipantId) {
        let Some(place) = self.tables[table].people.get(&id).and_then(|person| person.place) else { return };
        let mut others: Vec<_> = self.tables[table].people.keys().copied().filter(|other| *other != id).collect();
        // Also of people who are not there, and of oneself: a client may say anything.
        others.push(ParticipantId(77));
        others.push(id);
        let count = self.random.random_range(0..=others.len().min(5));
        let wishes = (0..count)
            .map(|_| {
                let participant = others[self.random.random_range(0..others.len())];
                let source = if self.chance(80) { Source::Camera } else { Source::Screen };
                let height = [90, 180, 360, 720][self.random.random_range(0..4)];
                Wish { track: TrackId { participant, source }, height }
            })
            .collect();
        let session = self.world.places[place].session;
        self.world.command(api::Command::Watch { session, wishes });
    }

    fn someone(&mut self, table: usize, fits: impl Fn(&Table, ParticipantId) -> bool) -> Option<ParticipantId> {
        let table = &self.tables[table];
        let fitting: Vec<_> = table.people.keys().copied().filter(|id| fits(table, *id)).collect();
        (!fitting.is_empty()).then(|| fitting[self.random.random_range(0..fitting.len())])
    }

    fn order(&mut self, table: usize, who: ParticipantId, command: Command) -> String {
        let text = format!("{who} commands {command:?}");
        let now = self.millis();
        self.tables[table].command(&mut self.world, now, who, command);
        text
    }

    /// One random thing.
    fn act(&mut self, table: usize) -> String {
        if self.tables[table].ended {
            return "nothing, it is over".into();
        }
        let connected = |table: &Table, id: ParticipantId| table.people[&id].connected;
        let anyone = self.someone(table, connected);
        let host = self.someone(table, |table, id| connected(table, id) && table.people[&id].entry == Entry::Host);
        let Some(host) = host else { return self.come(table, Entry::Host) };
        let target = self.someone(table, |_, _| true).unwrap_or(host);
        let who = anyone.unwrap_or(host);
        match self.random.random_range(0..100) {
            0..16 => {
                let entry = if self.chance(60) { Entry::Link } else { Entry::Number };
                self.come(table, entry)
            }
            16..28 => {
                let waiting = self.tables[table].meeting.waiting().next();
                match waiting {
                    Some(person) => self.order(table, host, Command::Admit { participant: person.id }),
                    None => self.order(table, host, Command::AdmitAll),
                }
            }
            28..44 => {
                let source = [Source::Microphone, Source::Camera, Source::Screen][self.random.random_range(0..3)];
                let on = self.chance(70);
                self.order(table, who, Command::SetSource { source, on })
            }
            44..52 => {
                let source = if self.chance(50) { Source::Microphone } else { Source::Camera };
                self.order(table, host, Command::Mute { participant: target, source })
            }
            52..54 => {
                let may_unmute = self.chance(50);
                self.order(table, host, Command::MuteAll { may_unmute })
            }
            54..57 => {
                let ban = self.chance(30);
                self.order(table, host, Command::Remove { participant: target, ban })
            }
            57..60 => self.order(table, host, Command::SendToWaitingRoom { participant: target }),
            60..64 => {
                let mut rules = policy();
                rules.locked = self.chance(30);
                rules.waiting_room = self.chance(50);
                rules.may_unmute = self.chance(80);
                rules.may_show_camera = self.chance(80);
                rules.may_share = self.chance(60);
                rules.mute_on_entry = self.chance(30);
                self.order(table, host, Command::SetPolicy { policy: rules })
            }
            64..66 => {
                let role = [Role::CoHost, Role::Attendee, Role::Listener][self.random.random_range(0..3)];
                self.order(table, host, Command::SetRole { participant: target, role })
            }
            66..67 => self.order(table, host, Command::SuspendAll),
            67..69 => self.order(table, who, Command::Leave),
            69..72 => {
                // What a participant may not, he tries too.
                let command = if self.chance(50) { Command::AdmitAll } else { Command::SuspendAll };
                self.order(table, target, command)
            }
            72..76 => self.lose_socket(table, who),
            76..80 => self.resume(table),
            80..84 => self.lose_network(table, who),
            84..87 => self.rebind(table, who),
            87..90 => self.reload(table, who),
            90..93 => self.ask_for_everything(table, who),
            93..95 => self.share(table, who),
            _ => {
                self.wish(table, who);
                format!("{who} looks at others")
            }
        }
    }

    fn come(&mut self, table: usize, entry: Entry) -> String {
        if self.tables[table].people.len() >= 9 {
            return "nobody comes, there are enough".into();
        }
        let now = self.millis();
        let identity = self.chance(30).then(|| format!("browser-{}", self.random.random_range(0..3)));
        let link = self.link();
        let came = self.tables[table].knock(&mut self.world, now, entry, identity, link);
        format!("somebody comes by {entry:?}: {came}")
    }

    fn lose_socket(&mut self, table: usize, who: ParticipantId) -> String {
        let now = self.millis();
        let found = &mut self.tables[table];
        if let Some(person) = found.people.get_mut(&who) {
            person.connected = false;
        }
        found.meeting.disconnected(now, who);
        found.carry_out(&mut self.world);
        format!("{who} loses the socket")
    }

    fn resume(&mut self, table: usize) -> String {
        let lost = self.someone(table, |table, id| !table.people[&id].connected);
        let Some(who) = lost else { return "nobody comes back".into() };
        let now = self.millis();
        let found = &mut self.tables[table];
        let secret = found.people[&who].secret.clone();
        let back = found.meeting.resume(now, &secret, 0).is_ok();
        if let Some(person) = found.people.get_mut(&who) {
            person.connected = back;
        }
        found.carry_out(&mut self.world);
        format!("{who} comes back: {back}")
    }

    fn lose_network(&mut self, table: usize, who: ParticipantId) -> String {
        let ms = self.random.random_range(300..9_000);
        let until = self.world.now + Duration::from_millis(ms);
        let Some(person) = self.tables[table].people.get_mut(&who) else { return "nobody".into() };
        person.gone_until = Some(until);
        let down = Link { down: true, ..person.link };
        if let Some(place) = person.place {
            self.world.set_links(place, down, down);
        }
        format!("{who} loses the network for {ms} ms")
    }

    fn rebind(&mut self, table: usize, who: ParticipantId) -> String {
        let Some(place) = self.tables[table].people.get(&who).and_then(|person| person.place) else {
            return "nobody moves".into();
        };
        self.moves += 1;
        let address = SocketAddr::from(([10, 77, (self.moves >> 8) as u8, self.moves as u8], 50_000));
        let now = self.world.now;
        let before = self.world.bot(place).address;
        self.world.places[place].earlier.push(before);
        self.world.bot(place).move_to(now, address);
        let restart = self.chance(50);
        if restart {
            self.world.restart_ice(place);
        }
        format!("{who} has another address, ICE restart: {restart}")
    }

    fn reload(&mut self, table: usize, who: ParticipantId) -> String {
        let active = self.chance(25);
        let again = self.tables[table].connect_media(&mut self.world, who, active).is_some();
        format!("{who} reloads the page: {again}")
    }

    /// Retransmissions and key frames of every slot, whatever stood in it.
    fn ask_for_everything(&mut self, table: usize, who: ParticipantId) -> String {
        let Some(place) = self.tables[table].people.get(&who).and_then(|person| person.place) else {
            return "nobody asks".into();
        };
        let bot = self.world.bot(place);
        for slot in 0..bot.slots.len() {
            let Some(last) = bot.slots[slot].last().map(|got| got.seq as u16) else { continue };
            let lost: Vec<u16> = (0..30).map(|back| last.wrapping_sub(back)).collect();
            bot.ask_again(slot, &lost);
            bot.ask_for_key(slot);
        }
        format!("{who} asks for everything again")
    }

    fn share(&mut self, table: usize, who: ParticipantId) -> String {
        let Some(place) = self.tables[table].people.get(&who).and_then(|person| person.place) else {
            return "nobody shares".into();
        };
        let now = self.world.now;
        let bot = self.world.bot(place);
        if bot.connected() && bot.sending.videos.iter().all(|video| video.source != Source::Screen) {
            bot.start_video(now, Source::Screen, &[crate::bots::sending::LayerShape::new(1080, 3_000)], 5);
        }
        format!("{who} sends a screen, permitted or not")
    }

    /// All meetings end; nothing may be left. The trace of it all.
    pub fn end(mut self) -> u64 {
        let now = self.millis();
        for place in 0..self.world.places.len() {
            if !self.world.places[place].retired {
                self.check_order(place, "the end");
            }
        }
        for table in &mut self.tables {
            table.meeting.end(now);
            table.carry_out(&mut self.world);
            assert!(table.ended, "12: meeting {} did not end", table.number);
            assert_eq!(table.meeting.counts().admitted, 0, "12: somebody is in a meeting that ended");
        }
        assert!(self.world.core.is_empty(), "12: something is left of the media");
        self.check("the end of all meetings");
        self.world.run_ms(1_500);
        self.check("a while after the end");
        assert!(self.world.core.is_empty(), "12: something came back after the end");
        self.random.next_u32().hash(&mut self.memory.trace);
        self.memory.trace.finish()
    }
}
