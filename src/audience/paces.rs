//! How fast each viewer writes and likes, of the viewers that did so last. Told the time; knows no rules of an audience.

use crate::meetings::rate::{Bucket, Rate};
use crate::store::Author;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Comments of one viewer: five at once, one each second.
const COMMENTS: Rate = Rate::new(5, Duration::from_secs(1));
/// Likes of one viewer: fifty at once, twenty a second; faster than fingers are.
const LIKES: Rate = Rate::new(50, Duration::from_millis(50));
/// Viewers of one generation.
const GENERATION: usize = 32_768;

/// Of one viewer.
pub struct Pace {
    /// What he may write.
    pub comments: Bucket,
    /// How often he may like.
    pub likes: Bucket,
    /// When he wrote the last time.
    pub wrote: Option<Instant>,
}

/// Of all, in two generations: where the younger is full, it becomes the older one, which is forgotten. So nobody is refused
/// because others came, however many cookies somebody invents, and nothing is ever searched.
#[derive(Default)]
pub struct Paces {
    young: HashMap<Author, Pace>,
    old: HashMap<Author, Pace>,
}

impl Paces {
    /// Somebody's; whoever was forgotten, or never came, is as good as new.
    pub fn of(&mut self, author: Author, now: Instant) -> &mut Pace {
        if self.young.len() >= GENERATION && !self.young.contains_key(&author) {
            let known = self.old.remove(&author);
            self.old = std::mem::take(&mut self.young);
            self.young.extend(known.map(|pace| (author, pace)));
        }
        let old = &mut self.old;
        let fresh = || Pace { comments: Bucket::new(COMMENTS, now), likes: Bucket::new(LIKES, now), wrote: None };
        self.young.entry(author).or_insert_with(|| old.remove(&author).unwrap_or_else(fresh))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn author(number: u32) -> Author {
        let mut author = [0; 32];
        author[..4].copy_from_slice(&number.to_be_bytes());
        author
    }

    // acceptance: SEC7
    #[test]
    fn who_writes_is_known_and_who_came_longest_ago_is_forgotten() {
        let now = crate::clock::now();
        let mut paces = Paces::default();
        let invented = u32::try_from(4 * GENERATION).expect("few");
        paces.of(author(u32::MAX - 1), now).wrote = Some(now);
        for number in 0..invented {
            let pace = paces.of(author(number), now);
            assert!(pace.wrote.is_none() && pace.comments.take(now).is_ok(), "as good as new");
            if number % 1_000 == 0 {
                paces.of(author(u32::MAX), now).wrote = Some(now);
            }
            assert!(paces.young.len() + paces.old.len() <= 2 * GENERATION);
        }
        assert!(paces.of(author(u32::MAX), now).wrote.is_some(), "who writes on stays known");
        assert!(paces.of(author(u32::MAX - 1), now).wrote.is_none(), "who wrote once, long ago, is forgotten");
    }
}
