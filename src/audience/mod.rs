//! The audiences of broadcasts: a room each, begun from the store when somebody comes, gone when nobody is left. Tells news
//! ten times a second, keeps them on the disk. Knows no HTTP and not who may watch.
//!
//! What moderators decide is in the store before it is told ([`Audience::judge`], [`Audience::mute`],
//! [`Audience::set_settings`]); comments and likes are told first and stored within a moment, since a slow disk must not
//! keep people from talking. The news are one text for all viewers and one for all moderators, whose queue is the same
//! for all: who reads too slowly loses some, which is counted, and is told everything afresh.

pub mod counters;
mod paces;
pub mod protocol;
pub mod room;
pub mod settings;
#[cfg(test)]
mod tests;

use crate::clock;
use crate::store::{Author, Comment, CommentState, Store, StoreError};
use crate::tasks::to_its_end;
use bytes::Bytes;
use dashmap::DashMap;
use protocol::{Refused, ToViewer};
use room::{KEPT, Now, Refusal, Room, Taken, Viewer};
use settings::Settings;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{MissedTickBehavior, interval};

/// How often news are told.
const NEWS_EVERY: Duration = Duration::from_millis(100);
/// News that a socket may be behind: six seconds.
const BEHIND: usize = 64;
/// How long a room without anybody stays in memory.
const IDLE: Duration = Duration::from_secs(30);

/// All audiences. Clones share them.
#[derive(Clone)]
pub struct Audience(Arc<Inner>);

struct Inner {
    store: Store,
    /// Of the longest comment.
    characters: usize,
    live: DashMap<String, Arc<Live>>,
    /// Held while a room is begun, so that none is begun twice.
    starting: tokio::sync::Mutex<()>,
}

struct Live {
    id: String,
    store: Store,
    room: Mutex<Room>,
    told: broadcast::Sender<Word>,
    seats: AtomicUsize,
    /// Held while comments are stored, so that they are in the order of their ids.
    saving: tokio::sync::Mutex<()>,
    over: AtomicBool,
}

/// What is told to sockets.
#[derive(Debug, Clone)]
enum Word {
    News {
        viewers: Option<Bytes>,
        moderators: Bytes,
    },
    /// What this account may has changed.
    Again(i64),
    /// Whether this author may write has changed.
    Muted(Author),
    Over,
    /// The server stops.
    Stop,
}

/// What a socket has to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Sends this.
    Tell(Bytes),
    /// It was too slow, or what he may has changed: looks again who this is, and sends everything afresh.
    Afresh,
    /// The broadcast is over.
    Over,
    /// The server stops; it may come back.
    Stop,
}

/// A viewer's place.
pub struct Seat {
    live: Arc<Live>,
    words: broadcast::Receiver<Word>,
    /// Who sits here.
    pub viewer: Viewer,
    account: Option<i64>,
}

impl Audience {
    /// Nobody watches yet. `characters`: of the longest comment.
    #[must_use]
    pub fn new(store: Store, characters: usize) -> Self {
        Self(Arc::new(Inner { store, characters, live: DashMap::new(), starting: tokio::sync::Mutex::new(()) }))
    }

    /// Somebody who may watch comes; `account` is whose rights these are.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn join(&self, broadcast: &str, viewer: Viewer, account: Option<i64>) -> Result<Seat, StoreError> {
        let live = self.live(broadcast).await?;
        counters::VIEWERS.add(1);
        Ok(Seat { words: live.told.subscribe(), live, viewer, account })
    }

    /// The rules of a broadcast.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn settings(&self, broadcast: &str) -> Result<Settings, StoreError> {
        Ok(self.live(broadcast).await?.release().room().settings().clone())
    }

    /// Other rules, in the store when this returns.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn set_settings(&self, broadcast: &str, settings: Settings) -> Result<(), StoreError> {
        let (audience, broadcast) = (self.clone(), broadcast.to_owned());
        to_its_end(async move {
            let live = audience.live(&broadcast).await?.release();
            let text = serde_json::to_string(&settings).unwrap_or_default();
            audience.0.store.set_audience(&broadcast, &text).await?;
            live.room().set_settings(settings);
            Ok(())
        })
        .await
    }

    /// Comments, newest first; those that were just written, too.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn comments(
        &self,
        broadcast: &str,
        before: Option<u64>,
        at_most: u32,
        everything: bool,
    ) -> Result<Vec<Comment>, StoreError> {
        self.flush(broadcast).await?;
        self.0.store.comments(broadcast, before, at_most, everything).await
    }

    /// Changes who sees a comment, in the store when this returns; false where there is no such one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn judge(&self, broadcast: &str, id: u64, state: CommentState) -> Result<bool, StoreError> {
        let (audience, broadcast) = (self.clone(), broadcast.to_owned());
        to_its_end(async move {
            audience.flush(&broadcast).await?;
            let judged = audience.0.store.judge_comment(&broadcast, id, state).await?;
            if let (Some(comment), Some(live)) = (&judged, audience.known(&broadcast)) {
                live.room().judged(comment);
            }
            Ok(judged.is_some())
        })
        .await
    }

    /// Whoever wrote this comment writes no more; false where there is no such comment.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mute(&self, broadcast: &str, comment: u64) -> Result<bool, StoreError> {
        let (audience, broadcast) = (self.clone(), broadcast.to_owned());
        to_its_end(async move {
            audience.flush(&broadcast).await?;
            let author = audience.0.store.mute_author(&broadcast, comment, clock::unix()).await?;
            if let (Some(author), Some(live)) = (author, audience.known(&broadcast)) {
                live.set_muted(author, true);
            }
            Ok(author.is_some())
        })
        .await
    }

    /// Lets somebody write again; false where nobody was kept from it under this number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unmute(&self, broadcast: &str, id: i64) -> Result<bool, StoreError> {
        let (audience, broadcast) = (self.clone(), broadcast.to_owned());
        to_its_end(async move {
            let author = audience.0.store.unmute(&broadcast, id).await?;
            if let (Some(author), Some(live)) = (author, audience.known(&broadcast)) {
                live.set_muted(author, false);
            }
            Ok(author.is_some())
        })
        .await
    }

    /// A broadcast was ended for good.
    pub fn end(&self, broadcast: &str) {
        if let Some(live) = self.known(broadcast) {
            let _ = live.told.send(Word::Over);
        }
    }

    /// What an account may has changed: its sockets look again.
    pub fn changed(&self, account: i64) {
        for live in &self.0.live {
            let _ = live.told.send(Word::Again(account));
        }
    }

    /// The server stops: viewers are told, and what they wrote is on the disk when this returns.
    pub async fn stop(&self) {
        let all: Vec<_> = self.0.live.iter().map(|entry| Arc::clone(entry.value())).collect();
        for live in all {
            live.room().stop();
            let _ = live.told.send(Word::Stop);
            live.over.store(true, Ordering::Release);
            if let Err(error) = live.flush().await {
                tracing::error!(%error, "comments were not stored");
            }
        }
    }

    async fn flush(&self, broadcast: &str) -> Result<(), StoreError> {
        match self.known(broadcast) {
            // What was taken out of the room must reach the disk, whoever waits for that.
            Some(live) => to_its_end(async move { live.flush().await }).await,
            None => Ok(()),
        }
    }

    fn known(&self, broadcast: &str) -> Option<Arc<Live>> {
        self.0.live.get(broadcast).map(|live| Arc::clone(&live))
    }

    /// The room of a broadcast, begun if need be, with a place taken in it.
    async fn live(&self, broadcast: &str) -> Result<Arc<Live>, StoreError> {
        let seated = || {
            // Under the entry's lock: whoever puts the room away looks under it, too.
            let live = self.0.live.get(broadcast)?;
            live.seats.fetch_add(1, Ordering::AcqRel);
            Some(Arc::clone(&live))
        };
        if let Some(live) = seated() {
            return Ok(live);
        }
        let _starting = self.0.starting.lock().await;
        if let Some(live) = seated() {
            return Ok(live);
        }
        let kept = self.0.store.audience(broadcast, u32::try_from(KEPT).unwrap_or(u32::MAX)).await?;
        let live = Arc::new(Live {
            id: broadcast.to_owned(),
            store: self.0.store.clone(),
            room: Mutex::new(Room::new(kept, self.0.characters, clock::now())),
            told: broadcast::channel(BEHIND).0,
            seats: AtomicUsize::new(1),
            saving: tokio::sync::Mutex::new(()),
            over: AtomicBool::new(false),
        });
        self.0.live.insert(broadcast.to_owned(), Arc::clone(&live));
        tokio::spawn(look_after(Arc::clone(&self.0), Arc::clone(&live)));
        tokio::spawn(keep(Arc::clone(&live)));
        Ok(live)
    }
}

impl Live {
    fn room(&self) -> MutexGuard<'_, Room> {
        // Nothing is done half-way under the lock that a panic could leave wrong.
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the place up that was taken to have it.
    fn release(self: Arc<Self>) -> Arc<Self> {
        self.seats.fetch_sub(1, Ordering::AcqRel);
        self
    }

    /// Everything that was written and liked until now is on the disk when this returns.
    async fn flush(&self) -> Result<(), StoreError> {
        let _saving = self.saving.lock().await;
        let Some((comments, likes)) = self.room().take_unsaved() else { return Ok(()) };
        let kept = self.store.keep_audience(&self.id, &comments, likes).await;
        if kept.is_err() {
            self.room().give_back(comments);
        }
        kept
    }

    /// Whoever it is is told by everything afresh: whether he may write is in it.
    fn set_muted(&self, author: Author, muted: bool) {
        self.room().set_muted(author, muted);
        let _ = self.told.send(Word::Muted(author));
    }

    fn tell(&self) {
        // Sent under the lock, so that who comes gets either everything or the news.
        let mut room = self.room();
        let Some(news) = room.poll_news() else { return };
        let moderators = text(&news.moderators);
        let viewers = news.viewers.as_ref().map(text);
        // Nobody may be there.
        let _ = self.told.send(Word::News { viewers, moderators });
    }
}

fn text(message: &ToViewer) -> Bytes {
    serde_json::to_vec(message).unwrap_or_default().into()
}

/// Tells news, and puts the room away when nobody is left.
async fn look_after(all: Arc<Inner>, live: Arc<Live>) {
    let mut tick = interval(NEWS_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut idle_since: Option<Instant> = None;
    while !live.over.load(Ordering::Acquire) {
        tick.tick().await;
        live.tell();
        if live.seats.load(Ordering::Acquire) > 0 {
            idle_since = None;
            continue;
        }
        let now = clock::now();
        if now.saturating_duration_since(*idle_since.get_or_insert(now)) < IDLE {
            continue;
        }
        if live.flush().await.is_err() {
            // Tried again at the next tick; nothing is forgotten meanwhile.
            continue;
        }
        // Somebody may have come, written and gone since.
        let unused = |live: &Arc<Live>| live.seats.load(Ordering::Acquire) == 0 && !live.room().has_unsaved();
        if all.live.remove_if(&live.id, |_, other| Arc::ptr_eq(other, &live) && unused(other)).is_some() {
            break;
        }
    }
    live.over.store(true, Ordering::Release);
}

/// Stores what was written, beside the telling: a slow disk holds nobody up.
async fn keep(live: Arc<Live>) {
    let mut tick = interval(NEWS_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !live.over.load(Ordering::Acquire) {
        tick.tick().await;
        if let Err(error) = live.flush().await {
            tracing::error!(%error, "comments could not be stored; tried again");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

impl Seat {
    /// Everything as it is now.
    #[must_use]
    pub fn welcome(&mut self) -> Bytes {
        let room = self.live.room();
        // What was told before is in the welcome.
        self.words = self.live.told.subscribe();
        text(&room.welcome(&self.viewer))
    }

    /// What to do next. Cancel-safe.
    pub async fn next(&mut self) -> Next {
        loop {
            match self.words.recv().await {
                Ok(Word::News { moderators, .. }) if self.viewer.moderator => return Next::Tell(moderators),
                Ok(Word::News { viewers: Some(viewers), .. }) => return Next::Tell(viewers),
                Ok(Word::Again(account)) if self.account == Some(account) => return Next::Afresh,
                Ok(Word::Muted(author)) if self.viewer.author == author => return Next::Afresh,
                Ok(Word::News { .. } | Word::Again(_) | Word::Muted(_)) => {}
                Err(RecvError::Lagged(missed)) => {
                    counters::DROPPED.add(missed);
                    return Next::Afresh;
                }
                Ok(Word::Stop) => return Next::Stop,
                Ok(Word::Over) | Err(RecvError::Closed) => return Next::Over,
            }
        }
    }

    /// Writes.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn comment(&self, name: Option<&str>, text: &str) -> Result<Taken, Refusal> {
        let now = Now { instant: clock::now(), unix: clock::unix() };
        let result = self.live.room().comment(now, &self.viewer, name, text);
        if result.is_ok() {
            counters::COMMENTS.add(1)
        } else {
            counters::REFUSED.add(1)
        }
        result
    }

    /// Likes.
    pub fn like(&self, count: u32) {
        let counted = self.live.room().like(clock::now(), &self.viewer, count);
        counters::LIKES.add(counted.into());
        counters::LIKES_REFUSED.add(count.saturating_sub(counted).into());
    }

    /// Refused before it came here.
    #[must_use]
    pub fn refused(id: u32, (code, retry_after): (Refused, Option<u32>)) -> Bytes {
        text(&ToViewer::Refused { id, code, retry_after })
    }

    /// The answer to a comment.
    #[must_use]
    pub fn answer(id: u32, result: Result<Taken, Refusal>) -> Bytes {
        match result {
            Ok(Taken { id: comment, held }) => text(&ToViewer::Taken { id, comment, held }),
            Err(refusal) => Self::refused(id, refusal),
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        counters::VIEWERS.add(-1);
        self.live.seats.fetch_sub(1, Ordering::AcqRel);
    }
}
