//! Who gets a track, and at which pace. Knows sessions and slots by number only.

use super::pace::Pace;

/// A receive slot of a session that carries a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subscriber {
    /// The session's number.
    pub session: u32,
    /// The slot's number within it.
    pub slot: u16,
}

/// The subscribers of a track: a list for each pace, so that those who get frames whole pay nothing for the others.
/// Both are in the order of sessions, which is the same for all tracks of a meeting.
#[derive(Debug, Default)]
pub struct Subscribers {
    whole: Vec<Subscriber>,
    at_once: Vec<Subscriber>,
}

impl Subscribers {
    /// Nobody.
    #[must_use]
    pub const fn new() -> Self {
        Self { whole: Vec::new(), at_once: Vec::new() }
    }

    /// Those of one pace.
    #[must_use]
    pub fn of(&self, pace: Pace) -> &[Subscriber] {
        match pace {
            Pace::Whole => &self.whole,
            Pace::AtOnce => &self.at_once,
        }
    }

    fn list(&mut self, pace: Pace) -> &mut Vec<Subscriber> {
        match pace {
            Pace::Whole => &mut self.whole,
            Pace::AtOnce => &mut self.at_once,
        }
    }

    /// All.
    pub fn iter(&self) -> impl Iterator<Item = &Subscriber> {
        self.whole.iter().chain(&self.at_once)
    }

    /// In which list a subscriber stands, and at which place.
    #[must_use]
    pub fn find(&self, subscriber: Subscriber) -> Option<(Pace, usize)> {
        let place = |pace: Pace| Some((pace, self.of(pace).binary_search(&subscriber).ok()?));
        place(Pace::Whole).or_else(|| place(Pace::AtOnce))
    }

    /// Adds one where it is not there yet; its place.
    pub fn add(&mut self, subscriber: Subscriber, pace: Pace) -> Option<usize> {
        if self.find(subscriber).is_some() {
            return None;
        }
        let list = self.list(pace);
        let place = list.partition_point(|other| *other < subscriber);
        list.insert(place, subscriber);
        // Whoever changes the pace later, while packets flow, finds room.
        let all = self.whole.len() + self.at_once.len();
        for list in [&mut self.whole, &mut self.at_once] {
            list.reserve(all - list.len());
        }
        Some(place)
    }

    /// Takes one away; where it stood.
    pub fn remove(&mut self, subscriber: Subscriber) -> Option<(Pace, usize)> {
        let (pace, place) = self.find(subscriber)?;
        self.list(pace).remove(place);
        Some((pace, place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn subscriber(session: u32) -> Subscriber {
        Subscriber { session, slot: 0 }
    }

    #[test]
    fn each_stands_once_in_the_order_of_sessions() {
        let mut subscribers = Subscribers::new();
        let add = |subscribers: &mut Subscribers, session, pace| subscribers.add(subscriber(session), pace);
        assert_eq!(add(&mut subscribers, 5, Pace::Whole), Some(0));
        assert_eq!(add(&mut subscribers, 7, Pace::AtOnce), Some(0));
        assert_eq!(add(&mut subscribers, 2, Pace::Whole), Some(0));
        assert_eq!(add(&mut subscribers, 9, Pace::Whole), Some(2));
        assert_eq!(add(&mut subscribers, 7, Pace::Whole), None);
        assert_eq!(subscribers.find(subscriber(9)), Some((Pace::Whole, 2)));
        assert_eq!(subscribers.find(subscriber(7)), Some((Pace::AtOnce, 0)));
        assert_eq!(subscribers.remove(subscriber(5)), Some((Pace::Whole, 1)));
        assert_eq!(subscribers.remove(subscriber(5)), None);
        let sessions: Vec<_> = subscribers.iter().map(|subscriber| subscriber.session).collect();
        assert_eq!(sessions, [2, 9, 7]);
    }
}
