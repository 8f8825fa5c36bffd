//! What the viewers of one broadcast write and like, as one decides it: who may write, what is held, what is told to whom.
//! Told the time; no I/O, no sockets, nothing kept beyond its bounds.

use super::paces::Paces;
use super::protocol::{Refused, Rules, ShownComment, ToViewer};
use super::settings::Settings;
use crate::meetings::rate::{Bucket, Later, Rate};
use crate::store::{Author, Comment, CommentState, KeptAudience};
use signaling::ids::Millis;
use signaling::meeting::{NAME_MAX, clean_line};
use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

/// Comments that somebody who comes is shown.
pub const KEPT: usize = 100;
/// Comments that may wait for the disk before no more are taken.
const UNSAVED: usize = 20_000;
/// Comments of all: more than anybody reads.
const ALL: Rate = Rate::new(500, Duration::from_millis(2));
/// Comments of one message of news: it fits what a socket may have waiting, however long they are. Ten times a second that
/// is twice what [`ALL`] lets in.
const TOLD_AT_ONCE: usize = 100;
/// Most likes of one message.
pub const LIKES_AT_ONCE: u32 = 50;

/// Somebody who watches.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// Who.
    pub author: Author,
    /// The account's name; guests say one with each comment.
    pub name: Option<String>,
    /// Manages the broadcast.
    pub moderator: bool,
}

/// What to say of the time: of the day for people, and one that never jumps for paces.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Never jumps.
    pub instant: Instant,
    /// Of the day.
    pub unix: Millis,
}

/// A comment that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Of the broadcast.
    pub id: u64,
    /// A moderator looks at it first.
    pub held: bool,
}

/// Why not, and after how many seconds it may be tried again.
pub type Refusal = (Refused, Option<u32>);

/// What is new, for viewers and for moderators.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// For all who do not moderate; none where nothing is new for them.
    pub viewers: Option<ToViewer>,
    /// For moderators.
    pub moderators: ToViewer,
}

/// The viewers of one broadcast.
pub struct Room {
    settings: Settings,
    /// The newest that are not deleted, oldest first.
    recent: VecDeque<Comment>,
    last: u64,
    likes: u64,
    muted: HashSet<Author>,
    paces: Paces,
    all: Bucket,
    characters: usize,
    unsaved: Vec<Comment>,
    likes_saved: u64,
    told: Told,
    /// Nothing more is taken: the server stops.
    stopped: bool,
}

/// What has happened since the last news.
#[derive(Default)]
struct Told {
    comments: Vec<Comment>,
    deleted: Vec<u64>,
    likes: u64,
    rules: bool,
}

impl Room {
    /// As it was kept. `characters`: of the longest comment.
    #[must_use]
    pub fn new(kept: KeptAudience, characters: usize, now: Instant) -> Self {
        let read = kept.settings.as_deref().map(serde_json::from_str::<Settings>);
        // What cannot be read is as strict as can be.
        let strict = || Settings { hold: true, ..Settings::default() };
        let settings = read.map_or_else(Settings::default, |read| read.unwrap_or_else(|_| strict()));
        Self {
            settings,
            recent: kept.comments.into(),
            last: kept.last,
            likes: kept.likes,
            muted: kept.muted.into_iter().collect(),
            paces: Paces::default(),
            all: Bucket::new(ALL, now),
            characters,
            unsaved: Vec::new(),
            likes_saved: kept.likes,
            told: Told { likes: kept.likes, ..Told::default() },
            stopped: false,
        }
    }

    /// The rules.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Everything as it is now. What was already decided and not yet told comes again with the next news: pages know
    /// comments by their ids.
    #[must_use]
    pub fn welcome(&self, viewer: &Viewer) -> ToViewer {
        let visible = |comment: &&Comment| viewer.moderator || comment.state == CommentState::Shown;
        ToViewer::Welcome {
            name: viewer.name.clone(),
            moderator: viewer.moderator,
            muted: self.muted.contains(&viewer.author),
            rules: Rules::from(&self.settings),
            likes: self.likes,
            comments: self.recent.iter().filter(visible).map(ShownComment::from).collect(),
        }
    }

    /// Somebody writes.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn comment(&mut self, now: Now, viewer: &Viewer, name: Option<&str>, text: &str) -> Result<Taken, Refusal> {
        let Viewer { author, moderator, .. } = *viewer;
        if self.muted.contains(&author) {
            return Err((Refused::Muted, None));
        }
        if !self.settings.open && !moderator {
            return Err((Refused::Closed, None));
        }
        let name = viewer.name.as_deref().or(name).and_then(|name| clean_line(name, NAME_MAX));
        let name = name.ok_or((Refused::BadName, None))?;
        let text = clean_line(text, self.characters).ok_or((Refused::BadText, None))?;
        let too_many = |Later(seconds)| (Refused::TooMany, Some(seconds));
        if self.stopped || self.unsaved.len() >= UNSAVED {
            return Err(too_many(Later(5)));
        }
        let slow = Duration::from_secs(self.settings.slow.into());
        let pace = self.paces.of(author, now.instant);
        if !moderator {
            let since = pace.wrote.map(|wrote| now.instant.saturating_duration_since(wrote));
            if let Some(wait) = since.and_then(|since| slow.checked_sub(since)).filter(|wait| !wait.is_zero()) {
                return Err((Refused::TooSoon, Some(Later::after(wait).0)));
            }
            pace.comments.take(now.instant).map_err(too_many)?;
        }
        self.all.take(now.instant).map_err(too_many)?;
        pace.wrote = Some(now.instant);
        let held = !moderator && (self.settings.hold || self.settings.minds(&text) || self.settings.minds(&name));
        self.last += 1;
        let comment = Comment {
            id: self.last,
            at: now.unix,
            author,
            name,
            guest: viewer.name.is_none(),
            host: moderator,
            text,
            state: if held { CommentState::Held } else { CommentState::Shown },
        };
        self.unsaved.push(comment.clone());
        self.told.comments.push(comment.clone());
        self.recent.push_back(comment);
        if self.recent.len() > KEPT {
            self.recent.pop_front();
        }
        Ok(Taken { id: self.last, held })
    }

    /// Somebody likes it, so often; gives how often that counted.
    pub fn like(&mut self, now: Instant, viewer: &Viewer, count: u32) -> u32 {
        if self.stopped {
            return 0;
        }
        let pace = self.paces.of(viewer.author, now);
        let counted = (0..count.min(LIKES_AT_ONCE)).take_while(|_| pace.likes.take(now).is_ok()).count();
        self.likes += counted as u64;
        u32::try_from(counted).unwrap_or(0)
    }

    /// A comment was judged, in the store first.
    pub fn judged(&mut self, comment: &Comment) {
        let known = self.recent.iter().position(|one| one.id == comment.id);
        match (comment.state, known) {
            (CommentState::Deleted, _) => {
                self.recent.retain(|one| one.id != comment.id);
                self.told.comments.retain(|one| one.id != comment.id);
                self.told.deleted.push(comment.id);
            }
            (CommentState::Shown | CommentState::Held, Some(at)) => {
                self.recent[at] = comment.clone();
                self.told.comments.push(comment.clone());
            }
            // Older than what is shown to who comes.
            (CommentState::Shown | CommentState::Held, None) => self.told.comments.push(comment.clone()),
        }
    }

    /// Whether somebody may write.
    pub fn set_muted(&mut self, author: Author, muted: bool) {
        if muted {
            self.muted.insert(author);
        } else {
            self.muted.remove(&author);
        }
    }

    /// Other rules.
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings = settings;
        self.told.rules = true;
    }

    /// What is new since the last time; of many comments the oldest, and the rest with the next news.
    pub fn poll_news(&mut self) -> Option<News> {
        let likes = (self.told.likes != self.likes).then_some(self.likes);
        let rest = self.told.comments.split_off(TOLD_AT_ONCE.min(self.told.comments.len()));
        let told = std::mem::replace(&mut self.told, Told { comments: rest, likes: self.likes, ..Told::default() });
        let rules = told.rules.then(|| Rules::from(&self.settings));
        let shown = |held: bool| -> Vec<_> {
            let visible = told.comments.iter().filter(|comment| held || comment.state == CommentState::Shown);
            visible.map(ShownComment::from).collect()
        };
        let news = |comments: Vec<_>| {
            let something = !comments.is_empty() || !told.deleted.is_empty() || likes.is_some() || rules.is_some();
            something.then(|| ToViewer::News { comments, deleted: told.deleted.clone(), likes, rules })
        };
        let moderators = news(shown(true))?;
        Some(News { viewers: news(shown(false)), moderators })
    }

    /// Takes nothing more: what is here is all that is to be kept.
    pub const fn stop(&mut self) {
        self.stopped = true;
    }

    /// Whether there is something to be kept.
    #[must_use]
    pub fn has_unsaved(&self) -> bool {
        !self.unsaved.is_empty() || self.likes_saved != self.likes
    }

    /// What is to be kept: comments, and all likes so far.
    pub fn take_unsaved(&mut self) -> Option<(Vec<Comment>, u64)> {
        if !self.has_unsaved() {
            return None;
        }
        self.likes_saved = self.likes;
        Some((std::mem::take(&mut self.unsaved), self.likes))
    }

    /// What could not be kept is tried again.
    pub fn give_back(&mut self, mut comments: Vec<Comment>) {
        comments.append(&mut self.unsaved);
        self.unsaved = comments;
        // More than there are: they are saved again whatever comes.
        self.likes_saved = u64::MAX;
    }
}
