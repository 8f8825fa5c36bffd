//! Where recordings are: in their folder, as one file that was made of them, and in the object store where the operator
//! wants one. One place to read and to delete them. Knows no meeting and no HTTP.

use super::counters;
use super::library::{Fetch, Library};
use crate::clock;
use crate::config::{self, Bucket, Config};
use futures_util::stream::BoxStream;
use recordings::export::{self, Exporter};
use recordings::mix::{self, Mixer};
use recordings::upload::{self, Access, Store, Upload, Uploader};
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

/// How often who waits for a file of the object store is asked whether it still wants it.
const LOOK: Duration = Duration::from_millis(200);

/// All that is kept of recordings. Clones share it.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) library: Library,
    /// Who makes a recording into one file; `None` where nobody does.
    pub(super) exporter: Option<Arc<Exporter>>,
    /// Who makes the sound of everybody one file; `None` where nobody does.
    mixer: Option<Arc<Mixer>>,
    remote: Option<Arc<Remote>>,
    /// The server stops: nobody fetches anything any more.
    stopping: Arc<AtomicBool>,
}

struct Remote {
    store: Store,
    uploader: Uploader,
}

/// The object store of the settings. Speaks to nobody yet.
///
/// # Errors
/// When its address or the environment's settings are wrong, or it is a folder that can't be made.
pub fn open_store(settings: &config::Recordings) -> io::Result<Option<Store>> {
    let Some(url) = &settings.url else { return Ok(None) };
    let Bucket { endpoint, region, key_id, key_secret } = settings.bucket.clone();
    let key = key_id.zip(key_secret).map(|(id, secret)| (id, secret.expose().to_owned()));
    Store::open(url, &Access { endpoint, region, key }).map(Some)
}

impl Held {
    /// Begins to copy what is complete. To be called where a runtime is.
    pub(super) fn start(config: &Config) -> Self {
        let settings = &config.recordings;
        // The server's start has looked at the settings; what is wrong since costs no recording.
        let store = open_store(settings);
        let store = store.inspect_err(|error| tracing::error!(%error, "recordings stay here only")).ok().flatten();
        let stopping = Arc::new(AtomicBool::new(false));
        let fetch = fetch(store.clone(), Arc::clone(&stopping), Handle::current());
        let library = Library::new(config.recordings_folder(), settings.reserve_bytes, Arc::clone(&fetch));
        let reserve = settings.reserve_bytes;
        let exporter = settings.export.then(|| exporter(&library, reserve, Arc::clone(&fetch))).flatten();
        let mixer = settings.mix.then(|| mixer(&library, reserve, fetch)).flatten();
        let remote = store.map(|store| {
            let how = upload::Settings { keep_local: settings.keep_local, ..upload::Settings::default() };
            let uploader = Uploader::start(library.root(), store.clone(), how, clock::now, counters::count);
            Arc::new(Remote { store, uploader })
        });
        Self { library, exporter, mixer, remote, stopping }
    }

    /// Something of a recording is complete.
    pub(super) fn look(&self, id: &str) {
        if let Some(remote) = &self.remote {
            remote.uploader.look(id);
        }
        self.mix(id);
    }

    /// A recording that has ended gets the sound of everybody in one file, where it has none.
    pub(super) fn mix(&self, id: &str) {
        if let Some(mixer) = &self.mixer {
            mixer.look(id);
        }
    }

    /// How far a recording is on its way to the object store; `None` where there is none.
    pub(super) fn upload(&self, id: &str) -> Option<Upload> {
        let unseen = || Upload { state: upload::State::Uploading, bytes_left: 0, error: None };
        self.remote.as_ref().map(|remote| remote.uploader.state(id).unwrap_or_else(unseen))
    }

    /// Bytes of a file that is in the object store.
    ///
    /// # Errors
    /// When it is not there ([`ErrorKind::NotFound`]), the store is away, or there is none.
    pub(super) async fn read(
        &self,
        id: &str,
        name: &str,
        range: Range<u64>,
    ) -> io::Result<BoxStream<'static, io::Result<bytes::Bytes>>> {
        let remote = self.remote.as_ref().ok_or_else(no_store)?;
        remote.store.read(id, name, range).await
    }

    /// Deletes a recording that is over: first what is made of it, whose child still reads it; then in the object store,
    /// whose objects are known by what lies here; then here.
    ///
    /// # Errors
    /// When the object store is away, or something here stays. Then it is still there, and may be deleted again.
    pub(super) async fn delete(&self, id: &str) -> io::Result<()> {
        let folder = self.library.folder(id).ok_or(ErrorKind::NotFound)?;
        let (exporter, mixer, name) = (self.exporter.clone(), self.mixer.clone(), id.to_owned());
        let stored = spawn_blocking(move || {
            if let Some(exporter) = exporter {
                exporter.forget(&name);
            }
            if let Some(mixer) = mixer {
                mixer.forget(&name);
            }
            upload::objects(&folder)
        });
        let stored = stored.await??;
        match &self.remote {
            Some(remote) => remote.uploader.forget(id).await.map_err(away)?,
            None if !stored.is_empty() => {
                tracing::warn!(recording = id, objects = stored.len(), "`recordings.url` is empty: its objects stay");
            }
            None => {}
        }
        let (library, name) = (self.library.clone(), id.to_owned());
        spawn_blocking(move || library.delete(&name)).await?
    }

    /// Nothing is mixed any more: the next start goes on. Waits as [`Mixer::forget`] does.
    pub(super) fn stop_mixing(&self) {
        if let Some(mixer) = &self.mixer {
            mixer.stop();
        }
    }

    /// Nobody waits for the object store any more.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

/// What the object store does not do has one kind of error, whatever it is.
fn away(error: io::Error) -> io::Error {
    io::Error::new(ErrorKind::HostUnreachable, error)
}

fn no_store() -> io::Error {
    io::Error::new(ErrorKind::HostUnreachable, "the file is in an object store, and `recordings.url` names none")
}

/// Brings files of the object store here, for those who read files. They are on threads of their own.
fn fetch(store: Option<Store>, stopping: Arc<AtomicBool>, runtime: Handle) -> Fetch {
    Arc::new(move |recording: &str, name: &str, to: &Path, cancelled: &AtomicBool| {
        let store = store.as_ref().ok_or_else(no_store)?;
        runtime.block_on(async {
            let mut fetched = std::pin::pin!(store.fetch(recording, name, to));
            loop {
                tokio::select! {
                    fetched = &mut fetched => return fetched,
                    () = tokio::time::sleep(LOOK) => {
                        if cancelled.load(Ordering::Relaxed) || stopping.load(Ordering::Relaxed) {
                            return Err(ErrorKind::Interrupted.into());
                        }
                    }
                }
            }
        })
    })
}

fn mixer(library: &Library, reserve: u64, fetch: Fetch) -> Option<Arc<Mixer>> {
    let fetch = Box::new(move |id: &str, name: &str, to: &Path, cancelled: &AtomicBool| fetch(id, name, to, cancelled));
    let done = |id: &str, made: io::Result<bool>| match made {
        Ok(true) => tracing::info!(recording = id, "the sound of a recording is mixed"),
        Ok(false) => {}
        Err(error) => tracing::warn!(%error, recording = id, "the sound of a recording could not be mixed"),
    };
    let started = Mixer::start(library.root(), mix::Settings { reserve }, fetch, done);
    started.inspect_err(|error| tracing::error!(%error, "the sound of recordings cannot be mixed")).ok().map(Arc::new)
}

fn exporter(library: &Library, reserve: u64, fetch: Fetch) -> Option<Arc<Exporter>> {
    let settings = export::Settings { reserve, ..export::Settings::default() };
    let fetch = Box::new(move |id: &str, name: &str, to: &Path, cancelled: &AtomicBool| fetch(id, name, to, cancelled));
    let started = Exporter::start(library.root(), settings, fetch);
    started.inspect_err(|error| tracing::error!(%error, "recordings cannot be made into one file")).ok().map(Arc::new)
}
