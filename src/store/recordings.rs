//! What is kept of recordings beside their folders: titles, who may see them, what lists show. Knows no files.

use super::words::words;
use super::{Store, StoreError, from_sql, to_sql};
use crate::config::{Secret, sha256};
use serde::{Deserialize, Serialize};
use signaling::ids::Millis;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

words! {
    /// How far a recording is.
    RecordingState {
        /// It is being made, or the server ended while it was.
        Running = "running",
        /// It is complete.
        Finished = "finished",
        /// It can't be read.
        Broken = "broken",
    }
}

words! {
    /// Who may see a recording, beside the administrator.
    Visibility {
        /// Nobody else.
        Nobody = "nobody",
        /// The meeting's host.
        Host = "host",
        /// Also who was there.
        Participants = "participants",
        /// The host, and who has the link.
        Link = "link",
    }
}

/// A recording as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Also the name of its folder.
    pub id: String,
    /// Of which meeting.
    pub meeting: String,
    /// 0 to 200 characters.
    pub title: String,
    /// How far it is.
    pub state: RecordingState,
    /// When it began.
    pub started_at: Millis,
    /// How long it is; of one that runs, as last known.
    pub duration_ms: u64,
    /// Of all its files.
    pub bytes: u64,
    /// Names of those who were there.
    pub participants: Vec<String>,
    /// Who may see it.
    pub visibility: Visibility,
    /// SHA-256 of the link's token.
    pub link_token: Option<Vec<u8>>,
    /// When the link ends.
    pub link_expires: Option<Millis>,
}

impl Recording {
    /// Whether this is the token of the present link.
    #[must_use]
    pub fn is_link(&self, token: &str, now: Millis) -> bool {
        let holds = self.visibility == Visibility::Link && self.link_expires.is_none_or(|at| at > now);
        let same = self.link_token.as_ref().is_some_and(|kept| *kept == Secret::new(token).digest());
        holds && same
    }
}

/// What a recording turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingMade {
    /// [`RecordingState::Finished`] or [`RecordingState::Broken`].
    pub state: RecordingState,
    /// How long it is.
    pub duration_ms: u64,
    /// Of all its files.
    pub bytes: u64,
    /// Names of those who were there.
    pub participants: Vec<String>,
}

/// Which part of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordingPage {
    /// What titles or names of participants contain; empty for all.
    pub query: String,
    /// Those before this one.
    pub before: Option<(Millis, String)>,
    /// At most so many.
    pub limit: u32,
    /// Only of meetings that this account made, and not what is for administrators alone.
    pub owner: Option<i64>,
}

const COLUMNS: &str =
    "id, meeting, title, state, started_at, duration_ms, bytes, participants, visibility, link_token, link_expires";

fn recording(row: &SqliteRow) -> Result<Recording, StoreError> {
    let count = |column| row.try_get::<i64, _>(column).map(|count| u64::try_from(count).unwrap_or(0));
    let (state, visibility): (String, String) = (row.try_get("state")?, row.try_get("visibility")?);
    let participants: String = row.try_get("participants")?;
    Ok(Recording {
        id: row.try_get("id")?,
        meeting: row.try_get("meeting")?,
        title: row.try_get("title")?,
        state: RecordingState::of(&state).unwrap_or(RecordingState::Broken),
        started_at: from_sql(row.try_get("started_at")?),
        duration_ms: count("duration_ms")?,
        bytes: count("bytes")?,
        participants: serde_json::from_str(&participants).unwrap_or_default(),
        // What is not understood is as strict as can be.
        visibility: Visibility::of(&visibility).unwrap_or(Visibility::Nobody),
        link_token: row.try_get("link_token")?,
        link_expires: row.try_get::<Option<i64>, _>("link_expires")?.map(from_sql),
    })
}

fn names(participants: &[String]) -> String {
    serde_json::to_string(participants).unwrap_or_else(|_| "[]".to_owned())
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Store {
    /// Keeps a recording that is not known yet; false where it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_recording(&self, new: &Recording) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT OR IGNORE INTO recordings
             (id, meeting, title, state, started_at, duration_ms, bytes, participants, visibility)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(&new.id)
        .bind(&new.meeting)
        .bind(&new.title)
        .bind(new.state.word())
        .bind(to_sql(new.started_at))
        .bind(number(new.duration_ms))
        .bind(number(new.bytes))
        .bind(names(&new.participants))
        .bind(new.visibility.word())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// A recording is made, and turned out to be this.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_recording_made(&self, id: &str, made: &RecordingMade) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE recordings SET state = $2, duration_ms = $3, bytes = $4, participants = $5 WHERE id = $1",
        )
        .bind(id)
        .bind(made.state.word())
        .bind(number(made.duration_ms))
        .bind(number(made.bytes))
        .bind(names(&made.participants))
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The recording with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recording_by_id(&self, id: &str) -> Result<Option<Recording>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM recordings WHERE id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(&self.pool).await?;
        row.as_ref().map(recording).transpose()
    }

    /// Recordings, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recordings(&self, page: &RecordingPage) -> Result<Vec<Recording>, StoreError> {
        let (at, id) = page.before.clone().map_or((i64::MAX, String::new()), |(at, id)| (to_sql(at), id));
        // `instr` takes what people type as it is, where LIKE would have signs of its own.
        let sql = format!(
            "SELECT {COLUMNS} FROM recordings
             WHERE (started_at < $1 OR (started_at = $1 AND id < $2))
               AND ($3 = '' OR instr(lower(title), lower($3)) > 0 OR instr(lower(participants), lower($3)) > 0)
               AND ($5 IS NULL
                    OR (visibility <> 'nobody' AND meeting IN (SELECT id FROM meetings WHERE owner = $5)))
             ORDER BY started_at DESC, id DESC LIMIT $4"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(at)
            .bind(id)
            .bind(&page.query)
            .bind(i64::from(page.limit))
            .bind(page.owner)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(recording).collect()
    }

    /// Those that were not complete when this was last heard of.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recordings_running(&self) -> Result<Vec<Recording>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM recordings WHERE state = 'running'");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&self.pool).await?;
        rows.iter().map(recording).collect()
    }

    /// All that are complete, oldest first: id, when it began, bytes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recordings_complete(&self) -> Result<Vec<(String, Millis, u64)>, StoreError> {
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT id, started_at, bytes FROM recordings WHERE state <> 'running' ORDER BY started_at, id",
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(id, at, bytes)| (id, from_sql(at), u64::try_from(bytes).unwrap_or(0))).collect())
    }

    /// Changes what is given: the title, who may see it, when its link ends; false where it is not there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_recording(
        &self,
        id: &str,
        title: Option<&str>,
        visibility: Option<Visibility>,
        link_expires: Option<Option<Millis>>,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE recordings SET title = COALESCE($2, title), visibility = COALESCE($3, visibility),
             link_expires = CASE WHEN $4 THEN $5 ELSE link_expires END WHERE id = $1",
        )
        .bind(id)
        .bind(title)
        .bind(visibility.map(Visibility::word))
        .bind(link_expires.is_some())
        .bind(link_expires.flatten().map(to_sql))
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Makes a link, which ends the one before, and has it open the recording.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_recording_link(&self, id: &str, expires: Option<Millis>) -> Result<Secret, StoreError> {
        let token = Secret::random(&mut rand::rng());
        sqlx::query("UPDATE recordings SET link_token = $2, link_expires = $3, visibility = 'link' WHERE id = $1")
            .bind(id)
            .bind(token.digest().as_slice())
            .bind(expires.map(to_sql))
            .execute(&self.pool)
            .await?;
        Ok(token)
    }

    /// Notes that these browsers were there.
    ///
    /// # Errors
    /// When the database fails; none is noted then.
    pub async fn add_recording_browsers(&self, id: &str, browsers: &[String]) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        for browser in browsers {
            sqlx::query(
                "INSERT OR IGNORE INTO recording_browsers (recording, browser)
                 SELECT id, $2 FROM recordings WHERE id = $1",
            )
            .bind(id)
            .bind(sha256(browser.as_bytes()).as_slice())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets that a browser was in any recording of a meeting.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_recording_browser(&self, meeting: &str, browser: &str) -> Result<(), StoreError> {
        sqlx::query(
            "DELETE FROM recording_browsers
             WHERE browser = $2 AND recording IN (SELECT id FROM recordings WHERE meeting = $1)",
        )
        .bind(meeting)
        .bind(sha256(browser.as_bytes()).as_slice())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Whether this browser was there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn was_recording_browser(&self, id: &str, browser: &str) -> Result<bool, StoreError> {
        let found: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM recording_browsers WHERE recording = $1 AND browser = $2")
                .bind(id)
                .bind(sha256(browser.as_bytes()).to_vec())
                .fetch_optional(&self.pool)
                .await?;
        Ok(found.is_some())
    }

    /// Forgets a recording.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_recording(&self, id: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM recordings WHERE id = $1").bind(id).execute(&self.pool).await?;
        Ok(done.rows_affected() == 1)
    }
}
