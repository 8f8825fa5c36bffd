//! What viewers of a broadcast wrote, how often they liked it, who may not write, and the rules. Knows nothing of who watches.

use super::words::words;
use super::{Store, StoreError, from_sql, to_sql};
use serde::{Deserialize, Serialize};
use signaling::ids::Millis;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

words! {
    /// Who sees a comment.
    CommentState {
        /// Everybody.
        Shown = "shown",
        /// Moderators, until they decide.
        Held = "held",
        /// Nobody; it is kept for those who run the broadcast.
        Deleted = "deleted",
    }
}

/// Whoever writes: the same for the same account or browser, and tells nothing of them.
pub type Author = [u8; 32];

/// What a viewer wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Of its broadcast: 1, 2, …
    pub id: u64,
    /// When it was written.
    pub at: Millis,
    /// By whom.
    pub author: Author,
    /// 1 to 64 characters.
    pub name: String,
    /// Not signed in.
    pub guest: bool,
    /// By somebody who manages the broadcast.
    pub host: bool,
    /// One line.
    pub text: String,
    /// Who sees it.
    pub state: CommentState,
}

/// Somebody who may not write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mute {
    /// Names it.
    pub id: i64,
    /// Who.
    pub author: Author,
    /// Under which name he had written.
    pub name: String,
    /// Since when.
    pub at: Millis,
}

/// What a broadcast's audience is begun with.
#[derive(Debug, Clone, Default)]
pub struct KeptAudience {
    /// As they were saved; none where nobody changed any.
    pub settings: Option<String>,
    /// So far.
    pub likes: u64,
    /// Id of the newest comment, whatever became of it.
    pub last: u64,
    /// The newest ones that were not deleted, oldest first.
    pub comments: Vec<Comment>,
    /// Who may not write.
    pub muted: Vec<Author>,
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn comment(row: &SqliteRow) -> Result<Comment, StoreError> {
    let damaged = |what: &str| StoreError::Damaged(format!("comments.{what}"));
    let author: Vec<u8> = row.try_get("author")?;
    Ok(Comment {
        id: count(row.try_get("id")?),
        at: from_sql(row.try_get("at")?),
        author: author.try_into().map_err(|_| damaged("author"))?,
        name: row.try_get("name")?,
        guest: row.try_get("guest")?,
        host: row.try_get("host")?,
        text: row.try_get("text")?,
        state: CommentState::of(row.try_get("state")?).ok_or_else(|| damaged("state"))?,
    })
}

impl Store {
    /// What is kept of a broadcast's audience, with so many comments at most.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audience(&self, broadcast: &str, comments: u32) -> Result<KeptAudience, StoreError> {
        let kept: Option<(Option<String>, i64)> =
            sqlx::query_as("SELECT settings, likes FROM audiences WHERE broadcast = $1")
                .bind(broadcast)
                .fetch_optional(&self.pool)
                .await?;
        let (settings, likes) = kept.unwrap_or_default();
        let last: Option<i64> = sqlx::query_scalar("SELECT MAX(id) FROM comments WHERE broadcast = $1")
            .bind(broadcast)
            .fetch_one(&self.pool)
            .await?;
        let mut newest = self.comments(broadcast, None, comments, false).await?;
        newest.reverse();
        let muted = self.mutes(broadcast).await?.into_iter().map(|mute| mute.author).collect();
        Ok(KeptAudience { settings, likes: count(likes), last: last.map_or(0, count), comments: newest, muted })
    }

    /// Comments that were not deleted, newest first; with `everything` those, too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn comments(
        &self,
        broadcast: &str,
        before: Option<u64>,
        at_most: u32,
        everything: bool,
    ) -> Result<Vec<Comment>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM comments WHERE broadcast = $1 AND id < $2 AND ($3 OR state <> 'deleted')
             ORDER BY id DESC LIMIT $4",
        )
        .bind(broadcast)
        .bind(before.map_or(i64::MAX, number))
        .bind(everything)
        .bind(i64::from(at_most))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(comment).collect()
    }

    /// Keeps new comments, and how often the broadcast was liked so far.
    ///
    /// # Errors
    /// When the database fails; then none of them is kept.
    pub async fn keep_audience(&self, broadcast: &str, comments: &[Comment], likes: u64) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        for comment in comments {
            sqlx::query(
                "INSERT INTO comments (broadcast, id, at, author, name, guest, host, text, state)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            )
            .bind(broadcast)
            .bind(number(comment.id))
            .bind(to_sql(comment.at))
            .bind(comment.author.as_slice())
            .bind(&comment.name)
            .bind(comment.guest)
            .bind(comment.host)
            .bind(&comment.text)
            .bind(comment.state.word())
            .execute(&mut *transaction)
            .await?;
        }
        sqlx::query(
            "INSERT INTO audiences (broadcast, likes) VALUES ($1, $2)
             ON CONFLICT (broadcast) DO UPDATE SET likes = excluded.likes",
        )
        .bind(broadcast)
        .bind(number(likes))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Changes who sees a comment; `None` where there is no such one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn judge_comment(
        &self,
        broadcast: &str,
        id: u64,
        state: CommentState,
    ) -> Result<Option<Comment>, StoreError> {
        let row = sqlx::query("UPDATE comments SET state = $3 WHERE broadcast = $1 AND id = $2 RETURNING *")
            .bind(broadcast)
            .bind(number(id))
            .bind(state.word())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(comment).transpose()
    }

    /// From now on whoever wrote this comment writes no more; `None` where there is no such comment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mute_author(&self, broadcast: &str, id: u64, now: Millis) -> Result<Option<Author>, StoreError> {
        let author: Option<Vec<u8>> = sqlx::query_scalar(
            "INSERT INTO muted_viewers (broadcast, author, name, at)
             SELECT broadcast, author, name, $3 FROM comments WHERE broadcast = $1 AND id = $2
             ON CONFLICT (broadcast, author) DO UPDATE SET name = excluded.name RETURNING author",
        )
        .bind(broadcast)
        .bind(number(id))
        .bind(to_sql(now))
        .fetch_optional(&self.pool)
        .await?;
        let damaged = |_| StoreError::Damaged("muted_viewers.author".to_owned());
        author.map(|author| author.try_into().map_err(damaged)).transpose()
    }

    /// Who may not write, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mutes(&self, broadcast: &str) -> Result<Vec<Mute>, StoreError> {
        let rows: Vec<(i64, Vec<u8>, String, i64)> = sqlx::query_as(
            "SELECT id, author, name, at FROM muted_viewers WHERE broadcast = $1 ORDER BY at DESC, id DESC",
        )
        .bind(broadcast)
        .fetch_all(&self.pool)
        .await?;
        let damaged = |_| StoreError::Damaged("muted_viewers.author".to_owned());
        let mute = |(id, author, name, at): (_, Vec<u8>, _, _)| {
            Ok(Mute { id, author: author.try_into().map_err(damaged)?, name, at: from_sql(at) })
        };
        rows.into_iter().map(mute).collect()
    }

    /// Lets somebody write again; who it is, where there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unmute(&self, broadcast: &str, id: i64) -> Result<Option<Author>, StoreError> {
        let author: Option<Vec<u8>> =
            sqlx::query_scalar("DELETE FROM muted_viewers WHERE broadcast = $1 AND id = $2 RETURNING author")
                .bind(broadcast)
                .bind(id)
                .fetch_optional(&self.pool)
                .await?;
        let damaged = |_| StoreError::Damaged("muted_viewers.author".to_owned());
        author.map(|author| author.try_into().map_err(damaged)).transpose()
    }

    /// Keeps the rules of a broadcast's audience.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_audience(&self, broadcast: &str, settings: &str) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO audiences (broadcast, settings) VALUES ($1, $2)
             ON CONFLICT (broadcast) DO UPDATE SET settings = excluded.settings",
        )
        .bind(broadcast)
        .bind(settings)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
