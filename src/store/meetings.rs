//! Meetings, their numbers and their snapshots. Knows nothing of what settings and snapshots say.

use super::{Store, StoreError, from_sql, to_sql};
use crate::config::Secret;
use rand::RngExt as _;
use signaling::ids::Millis;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use std::fmt;
use std::str::FromStr;

/// How long after its meeting ended a number stays unused, so that an old invitation opens no stranger's door: 30 days.
pub const NUMBER_HELD_MS: u64 = 30 * 24 * 3_600_000;

/// Tries to find a free number. With half of all numbers taken, one meeting in 10^19 finds none.
const NUMBER_TRIES: usize = 64;

/// The nine digits that people type, first digit not 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MeetingNumber(u32);

impl MeetingNumber {
    /// Any of the 900 million, all equally likely: knowing one tells nothing about another.
    #[must_use]
    pub fn random(rng: &mut impl rand::CryptoRng) -> Self {
        Self(rng.random_range(100_000_000..=999_999_999))
    }
}

impl fmt::Display for MeetingNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Reads a number as people type it: spaces and dashes between the digits do not count.
impl FromStr for MeetingNumber {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').take(10).collect();
        match digits.parse() {
            Ok(number @ 100_000_000..=999_999_999) if digits.len() == 9 => Ok(Self(number)),
            _ => Err(()),
        }
    }
}

/// What is said of a meeting when it is made.
#[derive(Debug, Clone)]
pub struct NewMeeting {
    /// 0 to 200 characters.
    pub title: String,
    /// As a PHC string (Argon2id); the store never sees the passcode.
    pub passcode_hash: Option<String>,
    /// The meeting's rules and plan, kept as they are.
    pub settings: serde_json::Value,
    /// The account of who makes it.
    pub owner: Option<i64>,
}

/// A meeting as it is kept.
#[derive(Debug, Clone)]
pub struct Meeting {
    /// 128 random bits as 32 hex digits.
    pub id: String,
    /// What people type.
    pub number: MeetingNumber,
    /// 0 to 200 characters.
    pub title: String,
    /// As a PHC string (Argon2id).
    pub passcode_hash: Option<String>,
    /// The link's secret. Kept in clear, because hosts may see their link again.
    pub join_token: Secret,
    /// The meeting's rules and plan.
    pub settings: serde_json::Value,
    /// The account of who made it.
    pub owner: Option<i64>,
    /// Cookies of its hosts hold as long as this stays.
    pub host_epoch: i64,
    /// When it was made.
    pub created_at: Millis,
    /// When it was ended for all.
    pub ended_at: Option<Millis>,
    host_secret: [u8; 32],
}

/// A new meeting with the secret that only its maker gets to see.
#[derive(Debug, Clone)]
pub struct CreatedMeeting {
    /// The meeting.
    pub meeting: Meeting,
    /// Makes its bearer host. Not kept; only its SHA-256 is.
    pub host_secret: Secret,
}

impl Meeting {
    /// Whether this is the secret of the host link.
    #[must_use]
    pub fn is_host_secret(&self, secret: &str) -> bool {
        crate::config::same(&self.host_secret, &Secret::new(secret).digest())
    }

    /// Whether this is the secret of the join link.
    #[must_use]
    pub fn is_join_token(&self, token: &str) -> bool {
        self.join_token.matches(token)
    }
}

impl TryFrom<SqliteRow> for Meeting {
    type Error = StoreError;

    fn try_from(row: SqliteRow) -> Result<Self, StoreError> {
        let damaged = |what: &str| StoreError::Damaged(format!("meetings.{what}"));
        let digest: Vec<u8> = row.try_get("host_secret")?;
        Ok(Self {
            id: row.try_get("id")?,
            number: MeetingNumber(u32::try_from(row.try_get::<i64, _>("number")?).map_err(|_| damaged("number"))?),
            title: row.try_get("title")?,
            passcode_hash: row.try_get("passcode_hash")?,
            join_token: Secret::new(row.try_get::<String, _>("join_token")?),
            settings: serde_json::from_str(row.try_get("settings")?).map_err(|_| damaged("settings"))?,
            owner: row.try_get("owner")?,
            host_epoch: row.try_get("host_epoch")?,
            created_at: from_sql(row.try_get("created_at")?),
            ended_at: row.try_get::<Option<i64>, _>("ended_at")?.map(from_sql),
            host_secret: digest.try_into().map_err(|_| damaged("host_secret"))?,
        })
    }
}

impl Store {
    /// Makes a meeting with a number that nobody has or had within 30 days, a join link and a host link.
    ///
    /// # Errors
    /// When the database fails or no number is free.
    pub async fn create_meeting(&self, new: NewMeeting, now: Millis) -> Result<CreatedMeeting, StoreError> {
        let (id, join_token, host_secret, numbers) = {
            let mut rng = rand::rng();
            let mut secret = || Secret::random(&mut rng);
            let (id, join_token, host_secret) = (secret(), secret(), secret());
            let numbers: [MeetingNumber; NUMBER_TRIES] = std::array::from_fn(|_| MeetingNumber::random(&mut rng));
            (id, join_token, host_secret, numbers)
        };
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let mut free = None;
        for number in numbers {
            if take_number(&mut transaction, number, now).await? {
                free = Some(number);
                break;
            }
        }
        let meeting = Meeting {
            id: id.expose().to_owned(),
            number: free.ok_or(StoreError::NoNumberFree)?,
            title: new.title,
            passcode_hash: new.passcode_hash,
            join_token,
            settings: new.settings,
            owner: new.owner,
            host_epoch: 0,
            created_at: now,
            ended_at: None,
            host_secret: host_secret.digest(),
        };
        sqlx::query(
            "INSERT INTO meetings (id, number, title, passcode_hash, join_token, host_secret, settings, created_at, owner)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(&meeting.id)
        .bind(i64::from(meeting.number.0))
        .bind(&meeting.title)
        .bind(&meeting.passcode_hash)
        .bind(meeting.join_token.expose())
        .bind(meeting.host_secret.as_slice())
        .bind(meeting.settings.to_string())
        .bind(to_sql(now))
        .bind(meeting.owner)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(CreatedMeeting { meeting, host_secret })
    }

    /// The meeting with this id, ended or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn meeting_by_id(&self, id: &str) -> Result<Option<Meeting>, StoreError> {
        let row = sqlx::query("SELECT * FROM meetings WHERE id = $1").bind(id).fetch_optional(&self.pool).await?;
        row.map(Meeting::try_from).transpose()
    }

    /// The meeting that has this number, or the last one that had it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn meeting_by_number(&self, number: MeetingNumber) -> Result<Option<Meeting>, StoreError> {
        let row = sqlx::query("SELECT * FROM meetings WHERE number = $1 ORDER BY created_at DESC LIMIT 1")
            .bind(i64::from(number.0))
            .fetch_optional(&self.pool)
            .await?;
        row.map(Meeting::try_from).transpose()
    }

    /// Meetings that were not ended, newest first: all, or those of one account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn meetings(&self, owner: Option<i64>, at_most: u32) -> Result<Vec<Meeting>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM meetings WHERE ended_at IS NULL AND ($2 IS NULL OR owner = $2)
             ORDER BY created_at DESC, id LIMIT $1",
        )
        .bind(i64::from(at_most))
        .bind(owner)
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(Meeting::try_from).collect()
    }

    /// How many meetings were not ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_meetings(&self) -> Result<u64, StoreError> {
        let count: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM meetings WHERE ended_at IS NULL").fetch_one(&self.pool).await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Replaces title, passcode and settings, not its owner; false when there is no such meeting or it was ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_meeting(&self, id: &str, new: NewMeeting) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE meetings SET title = $2, passcode_hash = $3, settings = $4 WHERE id = $1 AND ended_at IS NULL",
        )
        .bind(id)
        .bind(new.title)
        .bind(new.passcode_hash)
        .bind(new.settings.to_string())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Ends a meeting for good: its snapshot goes, its number rests for 30 days. False when it was not running.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_meeting(&self, id: &str, now: Millis) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let ended = sqlx::query("UPDATE meetings SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL")
            .bind(id)
            .bind(to_sql(now))
            .execute(&mut *transaction)
            .await?;
        if ended.rows_affected() == 0 {
            return Ok(false);
        }
        rest_number(&mut transaction, id, now).await?;
        sqlx::query("DELETE FROM snapshots WHERE meeting = $1").bind(id).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Forgets a meeting. Its number rests for 30 days from its end, or from now if it was running.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_meeting(&self, id: &str, now: Millis) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        rest_number(&mut transaction, id, now).await?;
        let gone = sqlx::query("DELETE FROM meetings WHERE id = $1").bind(id).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(gone.rows_affected() == 1)
    }

    /// Keeps a meeting's state for after a restart; replaces the older one. False when the meeting is
    /// unknown or was ended: a snapshot that comes late must not bring it back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_snapshot(&self, meeting: &str, json: &str, now: Millis) -> Result<bool, StoreError> {
        let saved = sqlx::query(
            "INSERT INTO snapshots (meeting, json, saved_at)
             SELECT id, $2, $3 FROM meetings WHERE id = $1 AND ended_at IS NULL
             ON CONFLICT (meeting) DO UPDATE SET json = excluded.json, saved_at = excluded.saved_at",
        )
        .bind(meeting)
        .bind(json)
        .bind(to_sql(now))
        .execute(&self.pool)
        .await?;
        Ok(saved.rows_affected() == 1)
    }

    /// A meeting's snapshot and when it was saved.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load_snapshot(&self, meeting: &str) -> Result<Option<(String, Millis)>, StoreError> {
        let row: Option<(String, i64)> = sqlx::query_as("SELECT json, saved_at FROM snapshots WHERE meeting = $1")
            .bind(meeting)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|(json, saved_at)| (json, from_sql(saved_at))))
    }

    /// Forgets a meeting's snapshot: everybody has left.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drop_snapshot(&self, meeting: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM snapshots WHERE meeting = $1").bind(meeting).execute(&self.pool).await?;
        Ok(())
    }

    /// Ids of the meetings that have a snapshot: those that ran when the process ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn meetings_with_snapshot(&self) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar("SELECT meeting FROM snapshots ORDER BY saved_at").fetch_all(&self.pool).await?)
    }
}

/// Takes a number if it is free: never used, or its rest is over.
async fn take_number(
    connection: &mut sqlx::SqliteConnection,
    number: MeetingNumber,
    now: Millis,
) -> Result<bool, StoreError> {
    let taken = sqlx::query(
        "INSERT INTO numbers (number, held_until) VALUES ($1, NULL)
         ON CONFLICT (number) DO UPDATE SET held_until = NULL WHERE held_until <= $2",
    )
    .bind(i64::from(number.0))
    .bind(to_sql(now))
    .execute(connection)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Lets a meeting's number rest, once.
async fn rest_number(connection: &mut sqlx::SqliteConnection, meeting: &str, now: Millis) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE numbers SET held_until = $2
         WHERE held_until IS NULL AND number = (SELECT number FROM meetings WHERE id = $1)",
    )
    .bind(meeting)
    .bind(to_sql(now.plus(NUMBER_HELD_MS)))
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
pub(super) async fn take_number_for_test(
    store: &Store,
    number: MeetingNumber,
    now: Millis,
) -> Result<bool, StoreError> {
    take_number(&mut *store.pool.acquire().await?, number, now).await
}
