//! Recordings of meetings: those under way on one thread ([`Recordings::begin`]), and what lies in their folder
//! ([`library`]). Completes at its start what a crash left. Knows no meeting's rules and no HTTP.
//!
//! The way of a packet: a tap's ring → `live::Live` → [`crate::capture`] → `recordings::Recorder` → `recordings::Writer`.

pub mod counters;
mod held;
pub mod library;
mod live;
mod machine;
mod retention;

use crate::clock;
use crate::config;
use crate::session::SessionId;
use crate::store::{Recording, RecordingMade, RecordingState, Store, Visibility};
use crate::worker::Media;
use crate::worker::ring::Ring;
use crate::worker::tap::Tapped;
use dashmap::DashMap;
use futures_util::stream::BoxStream;
use held::Held;
use library::Library;
use machine::{Machine, Message, Order};
use recordings::export::Exporter;
use recordings::timeline;
use recordings::upload::Upload;
use signaling::ids::{Millis, ParticipantId};
use signaling::meeting::RecordingNews;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

pub use held::open_store;

/// What may wait between two looks of the thread: 40 ms of 300 microphones and 50 cameras, key frames among them.
const PLACES: usize = 4096;
/// How long recordings may take to write their ends when the server stops.
const STOP_WITHIN: Duration = Duration::from_secs(12);

/// All recordings. Clones share them.
#[derive(Clone)]
pub struct Recordings(Arc<Inner>);

struct Inner {
    held: Held,
    max_at_once: usize,
    messages: Sender<Message>,
    /// Those under way, by their ids.
    shown: Arc<DashMap<String, Status>>,
    next: AtomicU64,
    stopping: AtomicBool,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Taken when the server stops: the clerk ends with the last of them.
    kept: Mutex<Option<UnboundedSender<Kept>>>,
    clerk: Mutex<Option<tokio::task::JoinHandle<()>>>,
    tending: tokio::task::JoinHandle<()>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.tending.abort();
        // The thread has a sender of its own, for its writers.
        let _ = self.messages.send(Message::Stop);
    }
}

/// How a recording under way stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// In one word.
    pub state: StatusState,
    /// How long it is.
    pub duration_ms: u64,
    /// What was captured before this can be read.
    pub written_ms: u64,
    /// Of all its files.
    pub bytes: u64,
    /// Names of those who were there.
    pub participants: Vec<String>,
}

/// The word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusState {
    /// What comes is kept.
    Recording,
    /// Nothing is kept, as somebody wanted.
    Paused,
    /// Nothing is kept, because of the disk.
    Suspended,
    /// Its end is being written.
    Finishing,
}

/// Said of a recording to the meeting that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Of which.
    pub id: String,
    /// What.
    pub news: RecordingNews,
}

/// A recording to be made.
#[derive(Debug, Clone)]
pub struct NewRecording {
    /// Its name: letters, digits and dashes.
    pub id: String,
    /// Of which meeting.
    pub meeting: String,
    /// What people call it.
    pub title: String,
    /// The highest pictures that are kept.
    pub height: u16,
    /// Who may see it.
    pub visibility: Visibility,
}

/// What the thread begins with.
pub(crate) struct Started {
    id: String,
    folder: PathBuf,
    title: String,
    started_at: Millis,
    height: u16,
    ring: Arc<Ring<Tapped>>,
    news: UnboundedSender<News>,
}

/// For the store.
enum Kept {
    /// A recording begins; noted before anything else is said of it.
    New { row: Box<Recording>, done: oneshot::Sender<()> },
    /// These browsers were there.
    Browsers { id: String, browsers: Vec<String>, done: oneshot::Sender<()> },
    /// This browser was in none of a meeting's.
    NoBrowser { meeting: String, browser: String, done: oneshot::Sender<()> },
    /// A recording is over.
    Made { id: String, made: RecordingMade },
    /// It never began.
    Nothing { id: String },
}

/// A recording under way, as its meeting holds it. Dropped, it ends.
pub struct Handle {
    number: u64,
    id: String,
    height: u16,
    ring: Arc<Ring<Tapped>>,
    messages: Sender<Message>,
}

impl Recordings {
    /// Starts the thread, and completes in the background what an earlier server left.
    #[must_use]
    pub fn start(config: &config::Config, media: Media, store: Store) -> Self {
        let settings = &config.recordings;
        let held = Held::start(config);
        let (messages, receiver) = channel();
        let (kept, made) = unbounded_channel();
        let shown = Arc::new(DashMap::new());
        let quota = if settings.max_bytes == 0 { u64::MAX } else { settings.max_bytes };
        let machine = Machine {
            media,
            settings: recordings::Settings {
                reserve: settings.reserve_bytes,
                quota,
                ..recordings::Settings::default()
            },
            messages: receiver,
            sender: messages.clone(),
            shown: Arc::clone(&shown),
            kept: kept.clone(),
        };
        let thread = std::thread::Builder::new().name("recordings".to_owned()).spawn(move || machine.run());
        // Meetings go on without; what is begun fails, and says so.
        let thread = thread.inspect_err(|error| tracing::error!(%error, "nothing can be recorded: no thread")).ok();
        let clerk = tokio::spawn(keep(store.clone(), made, held.clone(), Arc::clone(&shown)));
        // What lies there now is nobody's any more: nothing has begun yet.
        let left = held.library.ids();
        let tending =
            tokio::spawn(retention::tend(store.clone(), held.clone(), Arc::clone(&shown), left, settings.clone()));
        Self(Arc::new(Inner {
            held,
            max_at_once: usize::from(settings.max_at_once),
            messages,
            shown,
            next: AtomicU64::new(1),
            stopping: AtomicBool::new(false),
            thread: Mutex::new(thread),
            kept: Mutex::new(Some(kept)),
            clerk: Mutex::new(Some(clerk)),
            tending,
        }))
    }

    /// Begins a recording; what becomes of it is told by `news`. Acknowledged when the store has noted it. `None` where as
    /// many run as may, or the server stops.
    #[must_use]
    pub fn begin(
        &self,
        new: &NewRecording,
        started_at: Millis,
        news: UnboundedSender<News>,
    ) -> Option<(Handle, oneshot::Receiver<()>)> {
        let inner = &self.0;
        if inner.stopping.load(Ordering::Acquire) || inner.shown.len() >= inner.max_at_once {
            return None;
        }
        let folder = inner.held.library.folder(&new.id)?;
        let ring = Arc::new(Ring::new(PLACES));
        let number = inner.next.fetch_add(1, Ordering::Relaxed);
        let started = Started {
            id: new.id.clone(),
            folder,
            title: new.title.clone(),
            started_at,
            height: new.height,
            ring: Arc::clone(&ring),
            news,
        };
        let status =
            Status { state: StatusState::Recording, duration_ms: 0, written_ms: 0, bytes: 0, participants: Vec::new() };
        inner.shown.insert(new.id.clone(), status);
        // The clerk hears of it before the thread can have anything to tell him.
        let noted = self.note(new, started_at);
        if inner.messages.send(Message::Begin { number, started: Box::new(started) }).is_err() {
            inner.shown.remove(&new.id);
            self.tell_clerk(Kept::Nothing { id: new.id.clone() });
            return None;
        }
        let handle = Handle { number, id: new.id.clone(), height: new.height, ring, messages: inner.messages.clone() };
        Some((handle, noted))
    }

    fn tell_clerk(&self, kept: Kept) {
        let clerk = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Once the server stops nobody waits for it.
        let _ = clerk.as_ref().map(|clerk| clerk.send(kept));
    }

    fn note(&self, new: &NewRecording, started_at: Millis) -> oneshot::Receiver<()> {
        let new = new.clone();
        let row = Box::new(Recording {
            id: new.id,
            meeting: new.meeting,
            title: new.title,
            state: RecordingState::Running,
            started_at,
            duration_ms: 0,
            bytes: 0,
            participants: Vec::new(),
            visibility: new.visibility,
            link_token: None,
            link_expires: None,
        });
        let (done, noted) = oneshot::channel();
        self.tell_clerk(Kept::New { row, done });
        noted
    }

    /// Notes who was there, by what stays the same of a browser. Acknowledged when that is stored.
    #[must_use]
    pub fn note_browsers(&self, id: &str, browsers: Vec<String>) -> oneshot::Receiver<()> {
        let (done, noted) = oneshot::channel();
        self.tell_clerk(Kept::Browsers { id: id.to_owned(), browsers, done });
        noted
    }

    /// Forgets that a browser was in recordings of a meeting. Acknowledged when that is stored.
    #[must_use]
    pub fn forget_browser(&self, meeting: &str, browser: &str) -> oneshot::Receiver<()> {
        let (done, noted) = oneshot::channel();
        self.tell_clerk(Kept::NoBrowser { meeting: meeting.to_owned(), browser: browser.to_owned(), done });
        noted
    }

    /// How one stands that is under way.
    #[must_use]
    pub fn status(&self, id: &str) -> Option<Status> {
        self.0.shown.get(id).map(|status| status.clone())
    }

    /// What lies on the disk.
    #[must_use]
    pub fn library(&self) -> &Library {
        &self.0.held.library
    }

    /// How far one is on its way to the object store; `None` where there is none.
    #[must_use]
    pub fn upload(&self, id: &str) -> Option<Upload> {
        self.0.held.upload(id)
    }

    /// Bytes of a file that is in the object store only.
    ///
    /// # Errors
    /// When it is not there ([`io::ErrorKind::NotFound`]), or the store is away.
    pub async fn read_stored(
        &self,
        id: &str,
        name: &str,
        range: Range<u64>,
    ) -> io::Result<BoxStream<'static, io::Result<bytes::Bytes>>> {
        self.0.held.read(id, name, range).await
    }

    /// Who makes a recording into one file; `None` where nobody does.
    #[must_use]
    pub fn exporter(&self) -> Option<Arc<Exporter>> {
        self.0.held.exporter.clone()
    }

    /// Deletes all files of a recording that is over, in the object store, too.
    ///
    /// # Errors
    /// When they can't be deleted; [`io::ErrorKind::HostUnreachable`] where that is for the object store.
    pub async fn delete(&self, id: &str) -> io::Result<()> {
        self.0.held.delete(id).await
    }

    /// Ends all recordings, and returns when their ends are on the disk.
    pub async fn stop(&self) {
        self.0.stopping.store(true, Ordering::Release);
        self.0.tending.abort();
        self.0.held.stop();
        let _ = self.0.messages.send(Message::Stop);
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.0.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let clerk = self.0.clerk.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ended = async {
            // Not on the runtime's own threads.
            let held = self.0.held.clone();
            let _ = spawn_blocking(move || {
                held.stop_mixing();
                thread.map(JoinHandle::join)
            })
            .await;
            if let Some(clerk) = clerk {
                let _ = clerk.await;
            }
        };
        if timeout(STOP_WITHIN, ended).await.is_err() {
            tracing::error!("some recordings did not end in time; the next start completes them");
        }
    }
}

/// Writes into the store what became of recordings.
async fn keep(store: Store, mut made: UnboundedReceiver<Kept>, held: Held, shown: Arc<DashMap<String, Status>>) {
    while let Some(kept) = made.recv().await {
        let (id, result) = match kept {
            Kept::New { row, done } => {
                if let Err(error) = store.add_recording(&row).await {
                    // Its folder is there, and found at the next start.
                    tracing::error!(%error, recording = row.id, "a recording could not be noted");
                }
                let _ = done.send(());
                continue;
            }
            Kept::Browsers { id, browsers, done } => {
                if let Err(error) = store.add_recording_browsers(&id, &browsers).await {
                    tracing::error!(%error, recording = id, "who was in a recording could not be noted");
                }
                let _ = done.send(());
                continue;
            }
            Kept::NoBrowser { meeting, browser, done } => {
                if let Err(error) = store.forget_recording_browser(&meeting, &browser).await {
                    tracing::error!(%error, meeting, "who was banned may still see its recordings");
                }
                let _ = done.send(());
                continue;
            }
            Kept::Made { id, made } => {
                let result = store.set_recording_made(&id, &made).await;
                held.look(&id);
                (id, result)
            }
            Kept::Nothing { id } => {
                let result = store.delete_recording(&id).await;
                (id, result)
            }
        };
        if let Err(error) = result {
            tracing::error!(%error, recording = id, "what became of a recording could not be noted");
        }
        shown.remove(&id);
    }
}

impl Handle {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The highest pictures that it keeps.
    #[must_use]
    pub const fn height(&self) -> u16 {
        self.height
    }

    /// What its tap is told by.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Where its tap puts what passes.
    #[must_use]
    pub fn ring(&self) -> Arc<Ring<Tapped>> {
        Arc::clone(&self.ring)
    }

    fn order(&self, order: Order) {
        // A thread that is gone has written all that it could.
        let _ = self.messages.send(Message::Order { number: self.number, order });
    }

    /// Packets of this session will come, and are somebody's. To be said before the session is made.
    pub fn add_session(&self, session: SessionId, participant: ParticipantId) {
        self.order(Order::AddSession { session, participant: participant.0 });
    }

    /// Nothing of this session is kept from the moment that this is acknowledged.
    #[must_use]
    pub fn end_session(&self, session: SessionId) -> oneshot::Receiver<()> {
        let (done, acknowledged) = oneshot::channel();
        self.order(Order::EndSession { session, done });
        acknowledged
    }

    /// Something happened.
    pub fn note(&self, event: timeline::Event) {
        self.order(Order::Event(event));
    }

    /// Keeps nothing of what is said from the moment that this is acknowledged.
    #[must_use]
    pub fn pause(&self) -> oneshot::Receiver<()> {
        let (done, acknowledged) = oneshot::channel();
        self.order(Order::Pause { done });
        acknowledged
    }

    /// Goes on.
    pub fn resume(&self) {
        self.order(Order::Resume);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.order(Order::Stop);
    }
}

/// The meeting that a recording is of, as its name says.
fn meeting_of(id: &str) -> &str {
    id.rsplit_once('-').map_or(id, |(meeting, _)| meeting)
}

/// A new recording's row, from what lies in its folder.
fn row_of(id: &str, manifest: &recordings::manifest::Manifest, made: &RecordingMade) -> Recording {
    Recording {
        id: id.to_owned(),
        meeting: meeting_of(id).to_owned(),
        title: manifest.title.clone(),
        state: made.state,
        started_at: Millis(manifest.started_at),
        duration_ms: made.duration_ms,
        bytes: made.bytes,
        participants: made.participants.clone(),
        // What its meeting wanted is not known: the strictest of it.
        visibility: Visibility::Nobody,
        link_token: None,
        link_expires: None,
    }
}

/// The time, for what happens by itself.
fn now() -> Millis {
    clock::unix()
}
