//! Who is told what of whose connection: others of what they can notice, oneself of everything. Each is told a
//! complete list, and only when it changed. Knows no sessions and no sockets.

use crate::session::quality::Conditions;
use signaling::ids::ParticipantId;
use signaling::protocol::{Cause, Condition, Connection, Link, MediaEvent, Quality, SendLimit};
use std::collections::HashMap;

/// In a meeting of so many everybody is told of everybody; in larger ones of those whose videos one watches. Otherwise
/// three hundred would be told of every change of three hundred.
const SMALL: usize = 25;

/// An uplink that carries less has room for hardly more than sound, in kbit/s.
const VERY_THIN: u32 = 100;

/// More than this no browser tells truly, in kbit/s.
const MOST: u32 = 100_000;

/// What somebody is to be told.
pub(super) type Message = (ParticipantId, MediaEvent);

/// The connections of a meeting.
#[derive(Default)]
pub(super) struct Board {
    people: HashMap<ParticipantId, Person>,
}

#[derive(Default)]
struct Person {
    conditions: Conditions,
    limit: Option<SendLimit>,
    /// Its media are gone, and may come back.
    lost: bool,
    watches: Vec<ParticipantId>,
    told: (Vec<Connection>, Option<u32>),
}

impl Person {
    /// As others notice it.
    fn outside(&self) -> Condition {
        if self.lost {
            return Condition { quality: Quality::Lost, cause: None };
        }
        self.conditions.uplink.or_worse(of_limit(self.limit))
    }

    fn inside(&self) -> Condition {
        self.outside().or_worse(self.conditions.downlink)
    }
}

fn of_limit(limit: Option<SendLimit>) -> Condition {
    match limit {
        None => Condition::GOOD,
        Some(SendLimit::Processor) => Condition { quality: Quality::Fair, cause: Some(Cause::Processor) },
        Some(SendLimit::Bandwidth { kbps }) => {
            let kbps = kbps.min(MOST);
            let quality = if kbps < VERY_THIN { Quality::Poor } else { Quality::Fair };
            Condition { quality, cause: Some(Cause::Thin { link: Link::Uplink, kbps }) }
        }
    }
}

impl Board {
    /// A new session of somebody: nothing is known of its link yet. Who had one before may have missed what was said
    /// meanwhile, or be a page that was loaded anew.
    pub(super) fn enter(&mut self, who: ParticipantId) -> Vec<Message> {
        let again = self.people.contains_key(&who);
        let person = self.people.entry(who).or_default();
        let Person { watches, told, .. } = std::mem::take(person);
        *person = Person { watches, told, ..Person::default() };
        let mut messages = self.tell_of(who);
        if again && messages.iter().all(|(to, _)| *to != who) {
            messages.push(self.message(who));
        }
        messages
    }

    /// Somebody is out; nobody has to be told, since that is told anyway.
    pub(super) fn leave(&mut self, who: ParticipantId) {
        self.people.remove(&who);
        for person in self.people.values_mut() {
            person.told.0.retain(|connection| connection.participant != who);
        }
    }

    /// What the media plane measured.
    pub(super) fn set_conditions(&mut self, who: ParticipantId, conditions: Conditions) -> Vec<Message> {
        self.change(who, |person| person.conditions = conditions)
    }

    /// What the client says keeps it from sending more.
    pub(super) fn set_limit(&mut self, who: ParticipantId, limit: Option<SendLimit>) -> Vec<Message> {
        self.change(who, |person| person.limit = limit)
    }

    /// Whether its media are gone.
    pub(super) fn set_lost(&mut self, who: ParticipantId, lost: bool) -> Vec<Message> {
        self.change(who, |person| person.lost = lost)
    }

    /// Whose videos somebody sees. Is told the whole list again: who comes back after a loss says so, too.
    pub(super) fn set_watched(&mut self, who: ParticipantId, watches: Vec<ParticipantId>) -> Option<Message> {
        self.people.get_mut(&who)?.watches = watches;
        Some(self.message(who))
    }

    fn change(&mut self, who: ParticipantId, change: impl FnOnce(&mut Person)) -> Vec<Message> {
        let Some(person) = self.people.get_mut(&who) else { return Vec::new() };
        let before = (person.outside(), person.inside(), person.conditions.downlink_kbps);
        change(person);
        let after = (person.outside(), person.inside(), person.conditions.downlink_kbps);
        if before.0 != after.0 {
            self.tell_of(who)
        } else if before != after {
            vec![self.message(who)]
        } else {
            Vec::new()
        }
    }

    /// Tells everybody concerned whose list changed by one's condition.
    fn tell_of(&mut self, who: ParticipantId) -> Vec<Message> {
        let small = self.is_small();
        let concerned = |(other, person): (&ParticipantId, &Person)| {
            (*other == who || small || person.watches.contains(&who)).then_some(*other)
        };
        let mut concerned: Vec<_> = self.people.iter().filter_map(concerned).collect();
        concerned.sort_unstable();
        let changed = |other: &ParticipantId| self.people.get(other).is_some_and(|p| p.told != self.list(*other, p));
        concerned.retain(changed);
        concerned.into_iter().map(|other| self.message(other)).collect()
    }

    fn is_small(&self) -> bool {
        self.people.len() <= SMALL
    }

    fn message(&mut self, who: ParticipantId) -> Message {
        let told = self.people.get(&who).map(|person| self.list(who, person)).unwrap_or_default();
        if let Some(person) = self.people.get_mut(&who) {
            person.told.clone_from(&told);
        }
        let (connections, downlink_kbps) = told;
        (who, MediaEvent::Quality { connections, downlink_kbps })
    }

    /// Everybody of whom `who` should know and whose connection is not good.
    fn list(&self, who: ParticipantId, person: &Person) -> (Vec<Connection>, Option<u32>) {
        let of = |participant: ParticipantId, condition: Condition| {
            (condition.quality > Quality::Good).then_some(Connection { participant, condition })
        };
        let mut list: Vec<_> = if self.is_small() {
            let others = self.people.iter().filter(|(other, _)| **other != who);
            others.filter_map(|(other, person)| of(*other, person.outside())).collect()
        } else {
            let others = person.watches.iter().filter(|other| **other != who);
            others.filter_map(|other| of(*other, self.people.get(other)?.outside())).collect()
        };
        list.extend(of(who, person.inside()));
        list.sort_unstable_by_key(|connection| connection.participant);
        list.dedup_by_key(|connection| connection.participant);
        (list, person.conditions.downlink_kbps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(people: u32) -> Board {
        let mut board = Board::default();
        for who in 1..=people {
            assert_eq!(board.enter(ParticipantId(who)), [], "nothing is bad yet");
        }
        board
    }

    fn lossy(percent: u8) -> Conditions {
        let cause = Some(Cause::Loss { link: Link::Uplink, percent });
        Conditions { uplink: Condition { quality: Quality::Fair, cause }, ..Conditions::default() }
    }

    fn thin(kbps: u32) -> Conditions {
        let cause = Some(Cause::Thin { link: Link::Downlink, kbps });
        let downlink = Condition { quality: Quality::Fair, cause };
        Conditions { downlink, downlink_kbps: Some(kbps), ..Conditions::default() }
    }

    fn whom(messages: &[Message]) -> Vec<u32> {
        messages.iter().map(|(who, _)| who.0).collect()
    }

    #[test]
    fn in_a_small_meeting_all_are_told_of_an_uplink_and_nobody_else_of_a_downlink() {
        let mut board = board(4);
        let messages = board.set_conditions(ParticipantId(2), lossy(12));
        assert_eq!(whom(&messages), [1, 2, 3, 4]);
        let expected = Connection { participant: ParticipantId(2), condition: lossy(12).uplink };
        let event = MediaEvent::Quality { connections: vec![expected], downlink_kbps: None };
        assert!(messages.iter().all(|(_, message)| *message == event), "{messages:?}");
        assert_eq!(whom(&board.set_conditions(ParticipantId(3), thin(300))), [3]);
        assert_eq!(board.set_conditions(ParticipantId(3), thin(300)), [], "no news");
        let good = board.set_conditions(ParticipantId(2), Conditions::default());
        assert_eq!(whom(&good), [1, 2, 3, 4]);
        assert_eq!(good[0].1, MediaEvent::Quality { connections: vec![], downlink_kbps: None });
    }

    #[test]
    fn in_a_meeting_of_three_hundred_those_are_told_who_watch() {
        let mut board = board(300);
        board.set_watched(ParticipantId(7), vec![ParticipantId(2), ParticipantId(9)]);
        board.set_watched(ParticipantId(8), vec![ParticipantId(9)]);
        assert_eq!(whom(&board.set_conditions(ParticipantId(2), lossy(12))), [2, 7]);
        let (who, MediaEvent::Quality { connections, .. }) =
            board.set_watched(ParticipantId(8), vec![ParticipantId(2)]).expect("somebody")
        else {
            panic!("quality")
        };
        assert_eq!(who, ParticipantId(8));
        assert_eq!(connections.len(), 1, "who turns a page is told of whom it shows");
        let Some((_, MediaEvent::Quality { connections, .. })) = board.set_watched(ParticipantId(8), vec![]) else {
            panic!("quality")
        };
        assert_eq!(connections, [], "and no more of whom it showed");
    }

    #[test]
    fn what_the_client_tells_and_a_loss_of_the_media_are_told_to_others() {
        let mut board = board(2);
        let limit = Some(SendLimit::Bandwidth { kbps: 400 });
        let messages = board.set_limit(ParticipantId(1), limit);
        let cause = Some(Cause::Thin { link: Link::Uplink, kbps: 400 });
        let MediaEvent::Quality { connections, .. } = &messages[1].1 else { panic!("quality") };
        assert_eq!(connections[0].condition, Condition { quality: Quality::Fair, cause });
        let messages = board.set_lost(ParticipantId(1), true);
        let MediaEvent::Quality { connections, .. } = &messages[1].1 else { panic!("quality") };
        assert_eq!(connections[0].condition, Condition { quality: Quality::Lost, cause: None });
        let messages = board.enter(ParticipantId(1));
        assert_eq!(whom(&messages), [1, 2], "a new session begins without the old one's faults");
        assert_eq!(whom(&board.enter(ParticipantId(1))), [1], "and is told all, also where that is nothing");
        board.leave(ParticipantId(1));
        assert_eq!(board.set_limit(ParticipantId(1), limit), [], "who left has no connection");
    }
}
