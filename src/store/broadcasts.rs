//! Broadcasts and their stream keys. Knows nothing of what is sent.

use super::{Store, StoreError, from_sql, to_sql};
use crate::config::Secret;
use signaling::ids::Millis;

/// A broadcast as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broadcast {
    /// 128 random bits as 32 hex digits.
    pub id: String,
    /// 0 to 200 characters.
    pub title: String,
    /// The account of who made it; none of programs, or where it was deleted.
    pub owner: Option<i64>,
    /// When it was made.
    pub created_at: Millis,
    /// When it was ended for good.
    pub ended_at: Option<Millis>,
}

/// A new broadcast with the secret that only its maker gets to see.
#[derive(Debug, Clone)]
pub struct CreatedBroadcast {
    /// The broadcast.
    pub broadcast: Broadcast,
    /// Lets its bearer publish. Not kept; only its SHA-256 is.
    pub stream_key: Secret,
}

/// Which part of the list.
#[derive(Debug, Clone, Default)]
pub struct BroadcastPage {
    /// Those before this one.
    pub before: Option<(Millis, String)>,
    /// At most so many.
    pub limit: u32,
    /// Only those that this account made.
    pub owner: Option<i64>,
}

type Row = (String, String, Option<i64>, i64, Option<i64>);

/// And the name of its owner.
type ListedRow = (String, String, Option<i64>, i64, Option<i64>, Option<String>);

fn broadcast((id, title, owner, created_at, ended_at): Row) -> Broadcast {
    Broadcast { id, title, owner, created_at: from_sql(created_at), ended_at: ended_at.map(from_sql) }
}

impl Store {
    /// Makes a broadcast.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_broadcast(
        &self,
        title: &str,
        owner: Option<i64>,
        now: Millis,
    ) -> Result<CreatedBroadcast, StoreError> {
        let (id, stream_key) = {
            let mut rng = rand::rng();
            (Secret::random(&mut rng), Secret::random(&mut rng))
        };
        sqlx::query("INSERT INTO broadcasts (id, title, stream_key, created_at, owner) VALUES ($1, $2, $3, $4, $5)")
            .bind(id.expose())
            .bind(title)
            .bind(stream_key.digest().as_slice())
            .bind(to_sql(now))
            .bind(owner)
            .execute(&self.pool)
            .await?;
        let id = id.expose().to_owned();
        Ok(CreatedBroadcast {
            broadcast: Broadcast { id, title: title.to_owned(), owner, created_at: now, ended_at: None },
            stream_key,
        })
    }

    /// Gives a broadcast that was not ended a new stream key; the one before it opens nothing any more. `None` where
    /// there is no such broadcast.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_stream_key(&self, id: &str) -> Result<Option<Secret>, StoreError> {
        let key = Secret::random(&mut rand::rng());
        let done = sqlx::query("UPDATE broadcasts SET stream_key = $2 WHERE id = $1 AND ended_at IS NULL")
            .bind(id)
            .bind(key.digest().as_slice())
            .execute(&self.pool)
            .await?;
        Ok((done.rows_affected() == 1).then_some(key))
    }

    /// The broadcast with this id, ended or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn broadcast_by_id(&self, id: &str) -> Result<Option<Broadcast>, StoreError> {
        let row: Option<Row> =
            sqlx::query_as("SELECT id, title, owner, created_at, ended_at FROM broadcasts WHERE id = $1")
                .bind(id)
                .fetch_optional(&self.pool)
                .await?;
        Ok(row.map(broadcast))
    }

    /// The broadcast that this stream key publishes to. Looked up by the key's SHA-256, so that the
    /// time tells nothing about a key that is nearly right.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn broadcast_by_stream_key(&self, key: &str) -> Result<Option<Broadcast>, StoreError> {
        let row: Option<Row> =
            sqlx::query_as("SELECT id, title, owner, created_at, ended_at FROM broadcasts WHERE stream_key = $1")
                .bind(Secret::new(key).digest().to_vec())
                .fetch_optional(&self.pool)
                .await?;
        Ok(row.map(broadcast))
    }

    /// Broadcasts that were not ended, newest first, each with the name of its owner.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn broadcasts(&self, page: &BroadcastPage) -> Result<Vec<(Broadcast, Option<String>)>, StoreError> {
        let (at, id) = page.before.clone().map_or((i64::MAX, String::new()), |(at, id)| (to_sql(at), id));
        let rows: Vec<ListedRow> = sqlx::query_as(
            "SELECT id, title, owner, created_at, ended_at, (SELECT name FROM accounts WHERE accounts.id = owner)
             FROM broadcasts WHERE ended_at IS NULL AND (created_at < $1 OR (created_at = $1 AND id < $2)) AND ($3 IS NULL OR owner = $3)
             ORDER BY created_at DESC, id DESC LIMIT $4",
        )
        .bind(at)
        .bind(id)
        .bind(page.owner)
        .bind(i64::from(page.limit))
        .fetch_all(&self.pool)
        .await?;
        let listed = |(id, title, owner, made, ended, name)| (broadcast((id, title, owner, made, ended)), name);
        Ok(rows.into_iter().map(listed).collect())
    }

    /// How many broadcasts were not ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_broadcasts(&self) -> Result<u64, StoreError> {
        let count: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM broadcasts WHERE ended_at IS NULL").fetch_one(&self.pool).await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Ends a broadcast for good; false when it was not running.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_broadcast(&self, id: &str, now: Millis) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE broadcasts SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL")
            .bind(id)
            .bind(to_sql(now))
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
