//! Who is signed in where, by the secret of a cookie. Hashes no passwords.

use super::{Account, Store, StoreError, from_sql, to_sql};
use crate::config::Secret;
use signaling::ids::Millis;
use sqlx::Row as _;

/// How long a sign-in holds without being used: 14 days. Using it begins them anew.
pub const SIGN_IN_LIFETIME_MS: u64 = 14 * 24 * 3_600_000;

/// How old a sign-in's last use may be before it is written again: not every request is worth a write.
const SEEN_STEP_MS: u64 = 60_000;

/// A browser somebody is signed in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Names it among those of its account.
    pub id: i64,
    /// As it called itself.
    pub device: String,
    /// When he signed in.
    pub created_at: Millis,
    /// When it was last used, to the minute.
    pub seen_at: Millis,
    /// It is the one that asks.
    pub current: bool,
}

impl Store {
    /// Signs an account in whose password was found right; the secret goes into its cookie. `None` where it has another
    /// password by now or was shut out: finding it right takes long. Also clears away sign-ins that ran out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_sign_in(
        &self,
        account: &Account,
        device: &str,
        now: Millis,
    ) -> Result<Option<Secret>, StoreError> {
        let secret = Secret::random(&mut rand::rng());
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("DELETE FROM sign_ins WHERE expires_at <= $1").bind(to_sql(now)).execute(&mut *transaction).await?;
        let made = sqlx::query(
            "INSERT INTO sign_ins (token, account, device, created_at, expires_at, seen_at)
             SELECT $1, id, $3, $4, $5, $4 FROM accounts WHERE id = $2 AND password_hash = $6 AND disabled_at IS NULL",
        )
        .bind(secret.digest().as_slice())
        .bind(account.id)
        .bind(device)
        .bind(to_sql(now))
        .bind(to_sql(now.plus(SIGN_IN_LIFETIME_MS)))
        .bind(&account.password_hash)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok((made.rows_affected() == 1).then_some(secret))
    }

    /// Whose sign-in this is, if it still holds; its lifetime begins anew.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn verify_sign_in(&self, secret: &str, now: Millis) -> Result<Option<Account>, StoreError> {
        let token = Secret::new(secret).digest();
        let row = sqlx::query(
            "SELECT a.*, s.seen_at FROM sign_ins s JOIN accounts a ON a.id = s.account
             WHERE s.token = $1 AND s.expires_at > $2 AND a.disabled_at IS NULL",
        )
        .bind(token.to_vec())
        .bind(to_sql(now))
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        if now >= from_sql(row.try_get("seen_at")?).plus(SEEN_STEP_MS) {
            sqlx::query("UPDATE sign_ins SET seen_at = $2, expires_at = $3 WHERE token = $1")
                .bind(token.to_vec())
                .bind(to_sql(now))
                .bind(to_sql(now.plus(SIGN_IN_LIFETIME_MS)))
                .execute(&self.pool)
                .await?;
        }
        Account::try_from(&row).map(Some)
    }

    /// Where an account is signed in, the one used last first; `secret` is the asker's own.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_ins(&self, account: i64, secret: &str, now: Millis) -> Result<Vec<SignIn>, StoreError> {
        let rows: Vec<(i64, String, i64, i64, bool)> = sqlx::query_as(
            "SELECT rowid, device, created_at, seen_at, token = $2 FROM sign_ins
             WHERE account = $1 AND expires_at > $3 ORDER BY seen_at DESC, rowid DESC",
        )
        .bind(account)
        .bind(Secret::new(secret).digest().to_vec())
        .bind(to_sql(now))
        .fetch_all(&self.pool)
        .await?;
        let sign_in = |(id, device, created_at, seen_at, current)| SignIn {
            id,
            device,
            created_at: from_sql(created_at),
            seen_at: from_sql(seen_at),
            current,
        };
        Ok(rows.into_iter().map(sign_in).collect())
    }

    /// Signs out; nothing happens where nobody was signed in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_sign_in(&self, secret: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sign_ins WHERE token = $1")
            .bind(Secret::new(secret).digest().to_vec())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Ends one of an account's sign-ins; false where there is no such one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_sign_in_of(&self, account: i64, id: i64) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM sign_ins WHERE account = $1 AND rowid = $2")
            .bind(account)
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
