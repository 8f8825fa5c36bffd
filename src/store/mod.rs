//! What outlives the process: meetings, numbers, passcodes, links, snapshots, accounts. SQLite.
//! Knows no rules of meetings, hashes no passwords and reads no clock.
//!
//! - [`Store::open`] makes or opens `symposia.db` in the data folder and brings it up to date.
//! - `meetings`: [`Store::create_meeting`], [`Store::meeting_by_number`], snapshots.
//! - `broadcasts`: [`Store::create_broadcast`], [`Store::broadcast_by_stream_key`].
//! - `comments`: what viewers of broadcasts wrote and liked, and the rules of that.
//! - `recordings`: what lists show of them, and who may see them.
//! - `accounts`: people with a name, a password and a role, and the one-time link that makes the first one.
//! - `invitations`: one-time links that make others, or give somebody a new password. `sign_ins`: who is signed in where.
//!
//! Every function is one transaction: it happened, on the disk, or it did not.

mod accounts;
mod broadcasts;
mod comments;
mod error;
mod invitations;
mod meetings;
mod recordings;
mod sign_ins;
#[cfg(test)]
mod tests;
mod words;

pub use accounts::{Account, AccountChange, AccountRole, Changed, ListedAccount};
pub use broadcasts::{Broadcast, BroadcastPage, CreatedBroadcast};
pub use comments::{Author, Comment, CommentState, KeptAudience, Mute};
pub use error::StoreError;
pub use invitations::{Accepted, INVITATION_LIFETIME_MS, Invitation};
pub use meetings::{CreatedMeeting, Meeting, MeetingNumber, NUMBER_HELD_MS, NewMeeting};
pub use recordings::{Recording, RecordingMade, RecordingPage, RecordingState, Visibility};
pub use sign_ins::{SIGN_IN_LIFETIME_MS, SignIn};

use signaling::ids::Millis;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use std::fs::{File, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long a statement waits for another one that writes. Ours take milliseconds; this outlasts a slow disk.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// SQLite writes one at a time; some more connections let reading go on beside it.
const CONNECTIONS: u32 = 4;

/// The database and the lock on the data folder. Clones share both.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
    /// Held as long as a clone lives, so that no second server writes here.
    _lock: Arc<File>,
}

impl Store {
    /// Opens the database in `folder`, which must exist, and applies the migrations that it lacks.
    ///
    /// # Errors
    /// When the folder cannot be written, another server uses it, or the database is newer than this program.
    pub async fn open(folder: &Path) -> Result<Self, StoreError> {
        let lock = lock(folder)?;
        // Before SQLite makes it, which would let others read: it holds the tokens of join links. The files
        // that SQLite puts beside it get the same permissions.
        private(folder, "symposia.db")?;
        let options = SqliteConnectOptions::new()
            .filename(folder.join("symposia.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A ban, a lock or a used set-up link must not come undone by a power cut. The sync takes
            // milliseconds, on a thread of sqlx's own; no packet waits for it.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let opened = |error| StoreError::opening(folder, error);
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await.map_err(opened)?;
        sqlx::migrate!().run(&pool).await.map_err(|error| StoreError::migrating(folder, error))?;
        Ok(Self { pool, _lock: Arc::new(lock) })
    }

    /// Whether the database answers; for `/readyz`.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Waits for what is being written and closes the database.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Takes the data folder for this process. The kernel lets go of the lock when the process ends, however it ends.
fn lock(folder: &Path) -> Result<File, StoreError> {
    let file = private(folder, "symposia.lock")?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { folder: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(StoreError::Unwritable { folder: folder.to_owned(), source }),
    }
}

/// Opens a file for writing; makes it, readable by its owner only, where it is missing.
fn private(folder: &Path, name: &str) -> Result<File, StoreError> {
    let file = File::options().create(true).truncate(false).write(true).mode(0o600).open(folder.join(name));
    file.map_err(|source| StoreError::Unwritable { folder: folder.to_owned(), source })
}

/// SQLite counts in signed 64 bits; the year 292 million is far enough.
fn to_sql(time: Millis) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

fn from_sql(time: i64) -> Millis {
    Millis(u64::try_from(time).unwrap_or(0))
}
