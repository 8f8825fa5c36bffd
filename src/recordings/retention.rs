//! What happens to recordings by themselves: those that a crash left are completed, old ones and those beyond the bound on
//! all are deleted. Decides by what it is told of time and sizes; knows no meeting.

use super::held::Held;
use super::{Status, counters, now, row_of};
use crate::config;
use crate::store::{Recording, RecordingMade, RecordingState, Store, StoreError};
use dashmap::DashMap;
use signaling::ids::Millis;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// How often it is looked for old recordings, and for those whose end could not be written.
const LOOK: Duration = Duration::from_secs(15);
const DAY_MS: u64 = 24 * 3_600_000;

/// Completes what was `left`, then again and again what could not be completed, and looks for what is old, as long as the
/// runtime lives.
pub(super) async fn tend(
    store: Store,
    held: Held,
    shown: Arc<DashMap<String, Status>>,
    left: Vec<String>,
    settings: config::Recordings,
) {
    let looked = async {
        complete(&store, &held, &left).await?;
        // What an earlier server did not come to.
        left.iter().for_each(|id| held.mix(id));
        forget_unmade(&store, &held, &shown, &left).await
    };
    if let Err(error) = looked.await {
        tracing::error!(%error, "recordings of an earlier server could not be looked through");
    }
    loop {
        if let Err(error) = expire(&store, &held, now(), &settings).await {
            tracing::error!(%error, "old recordings could not be looked for");
        }
        sleep(LOOK).await;
        if let Err(error) = complete_rest(&store, &held, &shown).await {
            tracing::error!(%error, "recordings that have no end could not be looked for");
        }
    }
}

/// Those whose end the disk did not take when it came.
async fn complete_rest(store: &Store, held: &Held, shown: &DashMap<String, Status>) -> Result<(), StoreError> {
    let running = store.recordings_running().await?.into_iter().map(|row| row.id);
    let rest: Vec<String> = running.filter(|id| !shown.contains_key(id)).collect();
    if rest.is_empty() {
        return Ok(());
    }
    let library = held.library.clone();
    let there = spawn_blocking(move || {
        let is_there = |id: &String| library.folder(id).is_some_and(|folder| folder.exists());
        rest.into_iter().filter(is_there).collect()
    });
    let there: Vec<String> = there.await.unwrap_or_default();
    complete(store, held, &there).await
}

async fn complete(store: &Store, held: &Held, left: &[String]) -> Result<(), StoreError> {
    for id in left {
        let known = store.recording_by_id(id).await?;
        if known.as_ref().is_some_and(|known| known.state == RecordingState::Finished) {
            continue;
        }
        let (there, name) = (held.library.clone(), id.clone());
        let completed = spawn_blocking(move || there.complete(&name)).await;
        match completed.map_err(std::io::Error::other).flatten() {
            Ok((manifest, made)) => {
                if known.is_none() {
                    store.add_recording(&row_of(id, &manifest, &made)).await?;
                }
                store.set_recording_made(id, &made).await?;
                held.look(id);
                tracing::info!(recording = id, duration_ms = made.duration_ms, "a recording was completed");
            }
            Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) => {
                // What is wrong is the disk: it is tried again.
                tracing::warn!(%error, recording = id, "a recording cannot be completed at the moment");
            }
            Err(error) => {
                tracing::error!(%error, recording = id, "a recording cannot be completed");
                let row =
                    known.map_or((0, 0, Vec::new()), |row: Recording| (row.duration_ms, row.bytes, row.participants));
                let made = RecordingMade {
                    state: RecordingState::Broken,
                    duration_ms: row.0,
                    bytes: row.1,
                    participants: row.2,
                };
                store.set_recording_made(id, &made).await?;
            }
        }
    }
    Ok(())
}

/// Forgets those whose folder a crash left no time to make: only where other recordings are seen, or none ever was, since a
/// disk that is not there looks the same. Rows hold who may see a recording, and it may come back.
async fn forget_unmade(
    store: &Store,
    held: &Held,
    shown: &DashMap<String, Status>,
    left: &[String],
) -> Result<(), StoreError> {
    if left.is_empty() && !store.recordings_complete().await?.is_empty() {
        return Ok(());
    }
    for row in store.recordings_running().await? {
        let (library, id) = (held.library.clone(), row.id.clone());
        let missing = spawn_blocking(move || library.is_missing(&id)).await.unwrap_or(false);
        // One that just begins has no folder yet.
        if missing && !shown.contains_key(&row.id) {
            store.delete_recording(&row.id).await?;
        }
    }
    Ok(())
}

async fn expire(store: &Store, held: &Held, now: Millis, settings: &config::Recordings) -> Result<(), StoreError> {
    if settings.max_days == 0 && settings.max_total_bytes == 0 {
        return Ok(());
    }
    let complete = store.recordings_complete().await?;
    for id in expired(&complete, now, settings) {
        if let Err(error) = held.delete(&id).await {
            tracing::error!(%error, recording = id, "an old recording cannot be deleted");
            continue;
        }
        store.delete_recording(&id).await?;
        counters::EXPIRED.add(1);
        tracing::info!(recording = id, "an old recording was deleted");
    }
    Ok(())
}

/// Which are too old or too much, of those that are complete, the oldest first.
fn expired(complete: &[(String, Millis, u64)], now: Millis, settings: &config::Recordings) -> Vec<String> {
    let mut total: u64 = complete.iter().map(|(.., bytes)| *bytes).sum();
    let mut expired = Vec::new();
    for (id, started_at, bytes) in complete {
        let old = settings.max_days > 0 && started_at.plus(u64::from(settings.max_days) * DAY_MS) <= now;
        let much = settings.max_total_bytes > 0 && total > settings.max_total_bytes;
        if old || much {
            total -= bytes;
            expired.push(id.clone());
        }
    }
    expired
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_the_disk_did_not_take_is_completed_when_it_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = config::Config { data: folder.path().to_owned(), ..config::Config::default() };
        let store = Store::open(folder.path()).await.expect("a store");
        let held = Held::start(&config);
        let (shown, id) = (DashMap::new(), "0123456789-1".to_owned());
        let there = held.library.folder(&id).expect("a name");
        // The disk gives nothing back: a folder is where the manifest should be.
        std::fs::create_dir_all(there.join("manifest.jsonl")).expect("made");
        let began = crate::clock::now();
        let mut recorder = recordings::Recorder::new(began, &id, "Half", 1, recordings::Settings::default());
        recorder.handle_timeout(began);
        let Some(recordings::Output::Write(batch)) = recorder.poll_output() else { panic!("a beginning") };
        let [recordings::Op::Note { bytes: line, .. }] = batch.ops.as_slice() else { panic!("of a manifest") };
        let made = RecordingMade { state: RecordingState::Running, duration_ms: 0, bytes: 0, participants: Vec::new() };
        let manifest = recordings::manifest::Manifest::read(line).expect("a manifest");
        store.add_recording(&row_of(&id, &manifest, &made)).await.expect("noted");
        let state = async || store.recording_by_id(&id).await.expect("a store").expect("known").state;
        complete_rest(&store, &held, &shown).await.expect("a store");
        assert_eq!(state().await, RecordingState::Running, "that is no reason to give it up");
        std::fs::remove_dir(there.join("manifest.jsonl")).expect("removed");
        std::fs::write(there.join("manifest.jsonl"), line).expect("written");
        // One under way is nobody else's.
        let status = Status {
            state: crate::recordings::StatusState::Finishing,
            duration_ms: 0,
            written_ms: 0,
            bytes: 0,
            participants: Vec::new(),
        };
        shown.insert(id.clone(), status);
        complete_rest(&store, &held, &shown).await.expect("a store");
        assert_eq!(state().await, RecordingState::Running);
        shown.clear();
        complete_rest(&store, &held, &shown).await.expect("a store");
        assert_eq!(state().await, RecordingState::Finished, "it can be deleted now");
    }

    #[tokio::test]
    async fn what_a_disk_that_is_away_does_not_show_keeps_its_row() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = config::Config { data: folder.path().to_owned(), ..config::Config::default() };
        let store = Store::open(folder.path()).await.expect("a store");
        let held = Held::start(&config);
        let row = |id: &str, state| Recording {
            id: id.to_owned(),
            meeting: "0123456789".to_owned(),
            title: String::new(),
            state,
            started_at: Millis(1_800_000_000_000),
            duration_ms: 0,
            bytes: 0,
            participants: Vec::new(),
            visibility: crate::store::Visibility::Host,
            link_token: None,
            link_expires: None,
        };
        for (id, state) in [("0123456789-1", RecordingState::Finished), ("0123456789-2", RecordingState::Running)] {
            assert!(store.add_recording(&row(id, state)).await.expect("a store"));
        }
        let known = async || store.recording_by_id("0123456789-2").await.expect("a store").is_some();
        let shown = DashMap::new();
        std::fs::create_dir_all(held.library.root()).expect("a place where a disk belongs");
        forget_unmade(&store, &held, &shown, &[]).await.expect("a store");
        assert!(known().await, "no recording is seen: that is the disk");
        complete_rest(&store, &held, &shown).await.expect("a store");
        assert!(known().await);
        std::fs::create_dir_all(held.library.folder("0123456789-1").expect("a name")).expect("made");
        forget_unmade(&store, &held, &shown, &["0123456789-1".to_owned()]).await.expect("a store");
        assert!(!known().await, "the crash left no time to make it");
    }

    #[test]
    fn old_ones_go_and_the_oldest_beyond_the_bound() {
        let day = |day: u64| Millis(1_800_000_000_000 + day * DAY_MS);
        let all: Vec<_> = (0..5).map(|index| (format!("recording-{index}"), day(index), 100)).collect();
        let gone = |max_days, max_total_bytes, now| {
            let settings = config::Recordings { max_days, max_total_bytes, ..config::Recordings::default() };
            expired(&all, now, &settings).len()
        };
        assert_eq!(gone(0, 0, day(999)), 0, "no bounds");
        assert_eq!(gone(3, 0, day(4)), 2, "of three days and more");
        assert_eq!(gone(0, 250, day(4)), 3);
        assert_eq!(gone(0, 500, day(4)), 0);
        assert_eq!(gone(3, 350, day(4)), 2, "what goes by age makes room");
    }
}
