//! What happens to recordings by themselves: those that a crash left are completed, old ones and those beyond the bound on
//! all are deleted. Decides by what it is told of time and sizes; knows no meeting.

use super::library::Library;
use super::{Status, counters, now, row_of};
use crate::config;
use crate::store::{Recording, RecordingMade, RecordingState, Store, StoreError};
use dashmap::DashMap;
use recordings::export::Exporter;
use signaling::ids::Millis;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// How often old recordings are looked for.
const LOOK: Duration = Duration::from_secs(60);
const DAY_MS: u64 = 24 * 3_600_000;

/// Completes what was `left`, then looks for what is old, as long as the runtime lives.
pub(super) async fn tend(
    store: Store,
    (library, exporter): (Library, Option<Arc<Exporter>>),
    shown: Arc<DashMap<String, Status>>,
    left: Vec<String>,
    settings: config::Recordings,
) {
    if let Err(error) = complete(&store, &library, &shown, left).await {
        tracing::error!(%error, "recordings of an earlier server could not be looked through");
    }
    if settings.max_days == 0 && settings.max_total_bytes == 0 {
        return;
    }
    loop {
        if let Err(error) = expire(&store, (&library, exporter.as_ref()), now(), &settings).await {
            tracing::error!(%error, "old recordings could not be looked for");
        }
        sleep(LOOK).await;
    }
}

async fn complete(
    store: &Store,
    library: &Library,
    shown: &DashMap<String, Status>,
    left: Vec<String>,
) -> Result<(), StoreError> {
    for id in &left {
        let known = store.recording_by_id(id).await?;
        if known.as_ref().is_some_and(|known| known.state == RecordingState::Finished) {
            continue;
        }
        let (there, name) = (library.clone(), id.clone());
        let completed = spawn_blocking(move || there.complete(&name)).await;
        match completed.map_err(std::io::Error::other).flatten() {
            Ok((manifest, made)) => {
                if known.is_none() {
                    store.add_recording(&row_of(id, &manifest, &made)).await?;
                }
                store.set_recording_made(id, &made).await?;
                tracing::info!(recording = id, duration_ms = made.duration_ms, "a recording was completed");
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
    // Those whose folder the crash left no time to make.
    for row in store.recordings_running().await? {
        if !left.contains(&row.id) && !shown.contains_key(&row.id) {
            store.delete_recording(&row.id).await?;
        }
    }
    Ok(())
}

async fn expire(
    store: &Store,
    (library, exporter): (&Library, Option<&Arc<Exporter>>),
    now: Millis,
    settings: &config::Recordings,
) -> Result<(), StoreError> {
    let complete = store.recordings_complete().await?;
    for id in expired(&complete, now, settings) {
        let (there, exporter, name) = (library.clone(), exporter.cloned(), id.clone());
        let deleted = spawn_blocking(move || super::delete(&there, exporter.as_deref(), &name)).await;
        if let Err(error) = deleted.map_err(std::io::Error::other).flatten() {
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
