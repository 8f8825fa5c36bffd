//! Does what the queue decided: one task that looks for files that are complete, and copies them. All that must survive a
//! restart is in the ledgers; this may end at any moment. Decides nothing about pauses.

use super::ledger::{self, Object};
use super::queue::{Queue, Task};
use super::store::{Store, blocking};
use super::{Happened, Settings, State, Upload, index};
use crate::manifest::{is_file_name, is_id};
use std::collections::{HashMap, HashSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinError, JoinHandle, JoinSet};

/// What is wanted of the task.
enum Wish {
    /// Something of a recording may be complete.
    Look(String),
    /// A recording is to be removed.
    Forget(String, oneshot::Sender<io::Result<()>>),
}

/// How each recording stands.
type Told = Arc<Mutex<HashMap<String, Upload>>>;

/// Stores the recordings of a folder, as long as it is there.
#[derive(Debug)]
pub struct Uploader {
    wishes: mpsc::UnboundedSender<Wish>,
    told: Told,
    task: JoinHandle<()>,
}

impl Uploader {
    /// Begins for the recordings in `folder`, each in a folder of its own; what was left over is stored, too. `now` is
    /// asked for the time, `tell` is told what happens, to be counted. To be called where a runtime is.
    #[must_use]
    pub fn start(folder: &Path, store: Store, settings: Settings, now: fn() -> Instant, tell: fn(Happened)) -> Self {
        let (wishes, receiver) = mpsc::unbounded_channel();
        let told = Told::default();
        let worker = Worker {
            folder: folder.to_owned(),
            store,
            settings,
            now,
            queue: Queue::new(settings),
            tell,
            running: JoinSet::new(),
            underway: Vec::new(),
            removing: JoinSet::new(),
            over: HashSet::new(),
            forgotten: HashSet::new(),
            told: Arc::clone(&told),
        };
        Self { wishes, told, task: tokio::spawn(worker.run(receiver)) }
    }

    /// Something of a recording is complete, or it has ended: it is looked for at once. Else that happens within
    /// [`Settings::look_every`].
    pub fn look(&self, recording: &str) {
        // The task ends with this only.
        let _ = self.wishes.send(Wish::Look(recording.to_owned()));
    }

    /// How storing a recording stands; `None` where nothing of it was seen yet.
    #[must_use]
    pub fn state(&self, recording: &str) -> Option<Upload> {
        lock(&self.told).get(recording).cloned()
    }

    /// Ends what happens with a recording and removes it from the store. Its folder here must be removed afterwards, and
    /// only where this succeeded: it is what the store's objects are known by.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn forget(&self, recording: &str) -> io::Result<()> {
        let (answer, answered) = oneshot::channel();
        let _ = self.wishes.send(Wish::Forget(recording.to_owned(), answer));
        answered.await.map_err(|_| io::Error::from(ErrorKind::BrokenPipe))?
    }
}

impl Drop for Uploader {
    /// Ends at once; what is half stored is stored anew after the next start.
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(told: &Told) -> MutexGuard<'_, HashMap<String, Upload>> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Worker {
    folder: PathBuf,
    store: Store,
    settings: Settings,
    now: fn() -> Instant,
    tell: fn(Happened),
    queue: Queue,
    running: JoinSet<io::Result<()>>,
    underway: Vec<Underway>,
    removing: JoinSet<(String, io::Result<()>)>,
    /// Nothing is to be done for these any more.
    over: HashSet<String>,
    /// These are being removed; nothing of them is to be stored, as long as their folders are there.
    forgotten: HashSet<String>,
    told: Told,
}

/// A file that is being stored.
struct Underway {
    task: Task,
    abort: AbortHandle,
    /// Fails when all of it has ended.
    gone: oneshot::Receiver<()>,
}

impl Worker {
    async fn run(mut self, mut wishes: mpsc::UnboundedReceiver<Wish>) {
        let mut next_look = (self.now)();
        loop {
            let now = (self.now)();
            if now >= next_look {
                next_look = now + self.settings.look_every;
                self.look_at_all().await;
            }
            while let Some(task) = self.queue.poll_task((self.now)()) {
                self.start(task);
            }
            let due = self.queue.poll_timeout().map_or(next_look, |due| due.min(next_look));
            let wait = due.saturating_duration_since((self.now)()).max(Duration::from_millis(1));
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                Some(done) = self.running.join_next_with_id(), if !self.running.is_empty() => {
                    let (id, result) = match done {
                        Ok((id, result)) => (id, result),
                        Err(error) => (error.id(), Err(lost(&error))),
                    };
                    // One that was ended with its recording has nothing to say.
                    if let Some(index) = self.underway.iter().position(|one| one.abort.id() == id) {
                        let task = self.underway.swap_remove(index).task;
                        self.done(&task, result).await;
                    }
                }
                Some(Ok((recording, removed))) = self.removing.join_next(), if !self.removing.is_empty() => {
                    if removed.is_err() {
                        self.forgotten.remove(&recording);
                    }
                }
                wish = wishes.recv() => match wish {
                    Some(Wish::Look(recording)) => {
                        // Its journals may have grown after its end.
                        self.over.remove(&recording);
                        self.look_at(&recording).await;
                    }
                    Some(Wish::Forget(recording, answer)) => self.forget(recording, answer),
                    None => return,
                },
            }
        }
    }

    async fn look_at_all(&mut self) {
        let folder = self.folder.clone();
        let names = blocking(move || {
            let entries = std::fs::read_dir(folder)?;
            Ok(entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<HashSet<_>>())
        });
        // A folder that is not there holds none; one that can't be read at the moment is read the next time.
        let Ok(names) = names.await else { return };
        for known in [&mut self.over, &mut self.forgotten] {
            known.retain(|recording| names.contains(recording));
        }
        lock(&self.told).retain(|recording, _| names.contains(recording));
        for name in names {
            if is_id(&name) && !self.over.contains(&name) {
                self.look_at(&name).await;
            }
        }
    }

    async fn look_at(&mut self, recording: &str) {
        if !is_id(recording) || self.over.contains(recording) || self.forgotten.contains(recording) {
            return;
        }
        let (folder, keep_local) = (self.folder.join(recording), self.settings.keep_local);
        // A recording that is being made or removed may have no manifest for a moment.
        let Ok(dues) = blocking(move || ledger::dues(&folder, keep_local)).await else { return };
        let now = (self.now)();
        for due in dues.files {
            self.queue.add(now, Task { recording: recording.to_owned(), name: due.name, bytes: due.bytes });
        }
        if dues.over {
            self.over.insert(recording.to_owned());
        }
        self.tell(recording);
    }

    fn start(&mut self, task: Task) {
        let (store, folder, file) = (self.store.clone(), self.folder.join(&task.recording), task.clone());
        let keep_local = self.settings.keep_local;
        let (alive, gone) = oneshot::channel();
        let abort = self.running.spawn(async move {
            let result = transfer(&store, &folder, &file, keep_local).await;
            drop(alive);
            result
        });
        self.underway.push(Underway { task, abort, gone });
    }

    async fn done(&mut self, task: &Task, result: io::Result<()>) {
        let stored = result.is_ok();
        (self.tell)(if stored { Happened::Stored { bytes: task.bytes } } else { Happened::Failed });
        self.queue.handle_done((self.now)(), task, result.map_err(|error| error.to_string()));
        if stored {
            // With the last file its journals are due.
            self.look_at(&task.recording).await;
        }
        self.tell(&task.recording);
    }

    fn forget(&mut self, recording: String, answer: oneshot::Sender<io::Result<()>>) {
        self.queue.forget(&recording);
        self.over.remove(&recording);
        self.forgotten.insert(recording.clone());
        lock(&self.told).remove(&recording);
        (self.tell)(Happened::Left { bytes: self.queue.bytes() });
        // What is on its way would come back after it was removed.
        let (ended, others) =
            std::mem::take(&mut self.underway).into_iter().partition(|one| one.task.recording == recording);
        self.underway = others;
        let ended: Vec<Underway> = ended;
        let store = self.store.clone();
        // The others go on meanwhile: the store may take long.
        self.removing.spawn(async move {
            for one in ended {
                one.abort.abort();
                let _ = one.gone.await;
            }
            let removed = store.remove(&recording).await;
            let told = removed.as_ref().copied().map_err(|error| io::Error::new(error.kind(), error.to_string()));
            let _ = answer.send(removed);
            (recording, told)
        });
    }

    fn tell(&self, recording: &str) {
        let (bytes_left, error) = self.queue.left(recording);
        let state = match (self.over.contains(recording), error) {
            (true, _) => State::Finished,
            (false, Some(_)) => State::Retrying,
            (false, None) => State::Uploading,
        };
        (self.tell)(Happened::Left { bytes: self.queue.bytes() });
        if !self.forgotten.contains(recording) {
            let upload = Upload { state, bytes_left, error: error.map(str::to_owned) };
            lock(&self.told).insert(recording.to_owned(), upload);
        }
    }
}

/// What became of a task that has not said so itself.
fn lost(error: &JoinError) -> io::Error {
    io::Error::other(format!("storing it ended: {error}"))
}

/// Stores a file, notes that, and where it is not to stay here, verifies it there and removes it.
async fn transfer(store: &Store, folder: &Path, task: &Task, keep_local: bool) -> io::Result<()> {
    let of = folder.to_owned();
    let known = blocking(move || ledger::objects(&of)).await?;
    // It may have been stored before the server ended, and only its end here be missing.
    let known = known.into_iter().find(|object| object.name == task.name && object.bytes == task.bytes);
    let moves = !keep_local && is_file_name(&task.name);
    let mut object = match known {
        Some(object) => object,
        None => put(store, folder, task).await?,
    };
    if !moves {
        return Ok(());
    }
    if let Err(error) = store.verify(&task.recording, &object).await {
        if !matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::NotFound) {
            return Err(error);
        }
        // Somebody has touched it there. As long as it is here, that is no harm.
        object = put(store, folder, task).await?;
        store.verify(&task.recording, &object).await?;
    }
    let folder = folder.to_owned();
    blocking(move || {
        // Players ask where they can begin; that is not to be looked for in the store.
        index::keep(&folder, &object.name)?;
        ledger::remove_local(&folder, &object.name)
    })
    .await
}

async fn put(store: &Store, folder: &Path, task: &Task) -> io::Result<Object> {
    let object = store.put(&task.recording, &task.name, &folder.join(&task.name), task.bytes).await?;
    let (folder, stored) = (folder.to_owned(), object.clone());
    blocking(move || ledger::note_stored(&folder, stored)).await?;
    Ok(object)
}
