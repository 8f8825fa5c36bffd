//! All live meetings: where each one's mailbox is, started from the store when somebody comes, gone
//! when nobody is left. Knows no HTTP and no rules.

use super::mailbox::{Description, Door, MAILBOX, Mail, Seat};
use super::outbox::Outbox;
use super::rate::Rate;
use super::refusal::Refusal;
use super::stored::StoredSettings;
use super::task::{Setup, Task};
use crate::clock;
use crate::config::Config;
use crate::recordings::Recordings;
use crate::store::{self, Store, StoreError};
use crate::worker::Media;
use dashmap::DashMap;
use signaling::Meeting;
use signaling::meeting::{MeetingSettings, MeetingSnapshot, RecordingCommand};
use signaling::protocol::{RefusalCode, SlotCounts};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::{sleep, timeout};

/// How often a meeting that is just leaving memory is looked for again.
const AGAIN: usize = 100;
/// How long between two of these looks.
const AGAIN_AFTER: Duration = Duration::from_millis(20);
/// How long meetings may take to tell everybody and store their seats.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How long a meeting may take to answer a question of REST.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// All live meetings. Clones share them.
#[derive(Clone)]
pub struct Directory(Arc<Inner>);

struct Inner {
    store: Store,
    media: Media,
    recordings: Recordings,
    config: Arc<Config>,
    base_url: String,
    live: DashMap<String, mpsc::Sender<Mail>>,
    /// Held while a meeting is started, so that none is started twice.
    starting: Mutex<()>,
    stopping: AtomicBool,
    /// How many meetings have people in them, waiting or with a seat that is kept.
    occupied: Arc<AtomicUsize>,
}

impl Directory {
    /// None live.
    #[must_use]
    pub fn new(store: Store, media: Media, recordings: Recordings, config: Arc<Config>, base_url: String) -> Self {
        Self(Arc::new(Inner {
            store,
            media,
            recordings,
            config,
            base_url,
            live: DashMap::new(),
            starting: Mutex::new(()),
            stopping: AtomicBool::new(false),
            occupied: Arc::default(),
        }))
    }

    /// Starts the meetings that ran when the process ended, so that the time for which seats are kept
    /// begins now. To be called once, before the first request.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn restore(&self) -> Result<usize, StoreError> {
        let mut restored = 0;
        for id in self.0.store.meetings_with_snapshot().await? {
            let Some(record) = self.0.store.meeting_by_id(&id).await? else { continue };
            let Some((json, _)) = self.0.store.load_snapshot(&id).await? else { continue };
            // Nobody sat there: it is started when somebody comes.
            let counts = match read_snapshot(&json) {
                Ok(snapshot) => Meeting::restore(snapshot, clock::unix()).counts(),
                Err(error) => {
                    tracing::error!(%error, "a meeting's snapshot cannot be read; its seats are lost");
                    continue;
                }
            };
            if counts.admitted + counts.waiting > 0 && self.mailbox(&record).await.is_ok() {
                restored += 1;
            }
        }
        Ok(restored)
    }

    /// Somebody comes to a meeting; what it has to say goes to `outbox`.
    ///
    /// # Errors
    /// Where the meeting refuses, has ended, or the server stops.
    pub async fn enter(&self, record: &store::Meeting, door: Door, outbox: Outbox) -> Result<Seat, Refusal> {
        let mut door = Some(door);
        for _ in 0..AGAIN {
            let mailbox = self.mailbox(record).await?;
            let (answer, answered) = oneshot::channel();
            let connection = outbox.connection();
            let Some(coming) = door.take() else { break };
            let mail = Mail::Enter { door: coming, outbox: outbox.clone(), answer };
            match mailbox.send(mail).await {
                Ok(()) => match answered.await {
                    Ok(result) => return result.map(|participant| Seat { mailbox, participant, connection }),
                    // It left memory before it read this; the door is gone with it, so the client comes again.
                    Err(_) => return Err(Refusal::from(RefusalCode::Draining).retry_after(1)),
                },
                Err(mpsc::error::SendError(Mail::Enter { door: back, .. })) => door = Some(back),
                Err(_) => break,
            }
            sleep(AGAIN_AFTER).await;
        }
        Err(RefusalCode::Internal.into())
    }

    /// A meeting as it is now; `None` where it is not live.
    pub async fn describe(&self, id: &str) -> Option<Description> {
        let mailbox = self.0.live.get(id).map(|mailbox| mailbox.clone())?;
        let (answer, answered) = oneshot::channel();
        let ask = async {
            mailbox.send(Mail::Describe { answer }).await.ok()?;
            answered.await.ok()
        };
        timeout(ANSWER_WITHIN, ask).await.ok().flatten()
    }

    /// Starts, pauses, resumes or stops the recording of a meeting; `only` the one of this name. Gives its name.
    ///
    /// # Errors
    /// `NobodyThere`, `AlreadyRecording`, `NotRecording`, or where the meeting is gone.
    pub async fn record(&self, id: &str, what: RecordingCommand, only: Option<&str>) -> Result<String, Refusal> {
        let none = if what == RecordingCommand::Start { RefusalCode::NobodyThere } else { RefusalCode::NotRecording };
        let mailbox = self.0.live.get(id).map(|mailbox| mailbox.clone()).ok_or(none)?;
        let (answer, answered) = oneshot::channel();
        let mail = Mail::Record { what, only: only.map(str::to_owned), answer };
        mailbox.send(mail).await.map_err(|_| none)?;
        match timeout(ANSWER_WITHIN, answered).await {
            Ok(Ok(result)) => result,
            _ => Err(RefusalCode::Internal.into()),
        }
    }

    /// An account was shut out of the server: it loses its seats in all meetings. Returns when nothing of them passes any
    /// more.
    pub async fn shut_out(&self, account: i64) {
        let mailboxes: Vec<_> = self.0.live.iter().map(|entry| entry.value().clone()).collect();
        let out = async {
            let mut answers = Vec::new();
            for mailbox in mailboxes {
                let (answer, answered) = oneshot::channel();
                if mailbox.send(Mail::ShutOut { account, answer }).await.is_ok() {
                    answers.push(answered);
                }
            }
            for answered in answers {
                // A meeting that ends meanwhile has nobody inside.
                let _ = answered.await;
            }
        };
        if timeout(ANSWER_WITHIN, out).await.is_err() {
            tracing::warn!(account, "a meeting took long to put somebody out");
        }
    }

    /// Ends a meeting for everybody and for good; false where it had ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end(&self, id: &str) -> Result<bool, StoreError> {
        let ended = self.0.store.end_meeting(id, clock::unix()).await?;
        let mailbox = self.0.live.get(id).map(|mailbox| mailbox.clone());
        if let Some(mailbox) = mailbox
            && mailbox.send(Mail::End).await.is_ok()
            && timeout(ANSWER_WITHIN, mailbox.closed()).await.is_err()
        {
            tracing::warn!("a meeting took long to end");
        }
        Ok(ended)
    }

    /// How many are live.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.live.len()
    }

    /// Whether none is live.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.live.is_empty()
    }

    /// Whether anybody is in a meeting, waits, or has a seat that is kept. Meetings stay live for a while without.
    #[must_use]
    pub fn has_people(&self) -> bool {
        self.0.occupied.load(Ordering::Acquire) > 0
    }

    /// The server stops: everybody is told, seats are stored. Returns when all that is done.
    pub async fn stop(&self) {
        self.0.stopping.store(true, Ordering::Release);
        // Whoever is being started now is in the list when this is held.
        let _starting = self.0.starting.lock().await;
        let mailboxes: Vec<_> = self.0.live.iter().map(|entry| entry.value().clone()).collect();
        for mailbox in &mailboxes {
            let _ = timeout(ANSWER_WITHIN, mailbox.send(Mail::Stop)).await;
        }
        let gone = async {
            while !self.0.live.is_empty() {
                sleep(AGAIN_AFTER).await;
            }
        };
        if timeout(STOP_WITHIN, gone).await.is_err() {
            tracing::error!("some meetings did not stop in time");
        }
    }

    /// The mailbox of a meeting, which is started if need be.
    async fn mailbox(&self, record: &store::Meeting) -> Result<mpsc::Sender<Mail>, Refusal> {
        let live = |inner: &Inner| inner.live.get(&record.id).map(|mailbox| mailbox.clone());
        if let Some(mailbox) = live(&self.0) {
            return Ok(mailbox);
        }
        let _starting = self.0.starting.lock().await;
        if let Some(mailbox) = live(&self.0) {
            return Ok(mailbox);
        }
        if self.0.stopping.load(Ordering::Acquire) {
            return Err(RefusalCode::Draining.into());
        }
        if self.0.live.len() >= self.0.config.limits.meetings as usize {
            return Err(Refusal::from(RefusalCode::TooMany).retry_after(60));
        }
        self.start(record).await.map_err(|error| {
            tracing::error!(%error, "a meeting could not be started");
            RefusalCode::Internal.into()
        })
    }

    async fn start(&self, record: &store::Meeting) -> Result<mpsc::Sender<Mail>, StoreError> {
        let inner = &self.0;
        let now = clock::unix();
        let settings = inner.settings(record);
        let snapshot = match inner.store.load_snapshot(&record.id).await? {
            Some((json, _)) => read_snapshot(&json)
                .inspect_err(|error| tracing::error!(%error, "a meeting's snapshot cannot be read; it begins anew"))
                .ok(),
            None => None,
        };
        let meeting = match snapshot {
            Some(snapshot) => Meeting::restore(snapshot, now),
            None => Meeting::new(settings.clone(), now),
        };
        let (mailbox, mails) = mpsc::channel(MAILBOX);
        let (task, mut mails) = Task::new(Setup {
            id: record.id.clone(),
            meeting,
            policy_at_start: settings.policy,
            store: inner.store.clone(),
            media: inner.media.clone(),
            recordings: inner.recordings.clone(),
            recorded: StoredSettings::read(&record.settings).recording,
            max_sections: usize::from(inner.config.limits.sections),
            max_tracks: usize::from(inner.config.limits.tracks),
            renegotiations: Rate::per_minute(inner.config.limits.renegotiations_per_minute),
            mailbox: mails,
            occupied: Arc::clone(&inner.occupied),
        });
        inner.live.insert(record.id.clone(), mailbox.clone());
        let entry = Entry { inner: Arc::clone(inner), id: record.id.clone(), mailbox: mailbox.clone() };
        tokio::spawn(async move {
            task.run(&mut mails).await;
            // Only now, after the last write: whoever starts the meeting again finds all of it.
            drop(entry);
        });
        Ok(mailbox)
    }
}

/// A place in the directory; given up also when the task panics, so that the meeting can start again.
struct Entry {
    inner: Arc<Inner>,
    id: String,
    mailbox: mpsc::Sender<Mail>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.inner.live.remove_if(&self.id, |_, mailbox| mailbox.same_channel(&self.mailbox));
    }
}

impl Inner {
    fn settings(&self, record: &store::Meeting) -> MeetingSettings {
        let stored = StoredSettings::read(&record.settings);
        let limits = &self.config.limits;
        let per_second = |count: u32| signaling::meeting::Rate { per_second: count.max(1), burst: count.max(1) * 3 };
        MeetingSettings {
            id: record.id.clone(),
            title: record.title.clone(),
            number: record.number.to_string(),
            join_url: join_url(&self.base_url, record),
            capacity: stored.capacity,
            slots: SlotCounts { video: self.config.media.video_slots, audio: self.config.media.audio_slots },
            policy: stored.policy,
            auto_record: stored.recording.auto,
            numbers_wait: stored.numbers_wait,
            limits: signaling::meeting::Limits {
                waiting: limits.waiting,
                commands: per_second(limits.messages_per_second),
                chat_characters: limits.chat_characters as usize,
                chat: signaling::meeting::Rate {
                    per_second: limits.chat_per_minute.div_ceil(60).max(1),
                    burst: (limits.chat_per_minute / 6).max(1),
                },
                ..signaling::meeting::Limits::default()
            },
        }
    }
}

fn read_snapshot(json: &str) -> Result<MeetingSnapshot, serde_json::Error> {
    serde_json::from_str(json)
}

/// The link to share; its secret is in the fragment, which browsers send to nobody.
#[must_use]
pub fn join_url(base_url: &str, record: &store::Meeting) -> String {
    format!("{base_url}/m/{}#t={}", record.id, record.join_token.expose())
}
