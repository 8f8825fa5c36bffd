//! Administrators, the one-time link that makes the first one, and who is signed in. Hashes no passwords.

use super::{Store, StoreError, from_sql, to_sql};
use crate::config::Secret;
use signaling::ids::Millis;

/// How long a sign-in holds without being used: 14 days. Using it begins them anew.
pub const SIGN_IN_LIFETIME_MS: u64 = 14 * 24 * 3_600_000;

/// How old a sign-in's last use may be before it is written again: not every request is worth a write.
const SEEN_STEP_MS: u64 = 60_000;

/// An administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Never reused.
    pub id: i64,
    /// Compared without regard to the case of ASCII letters.
    pub name: String,
    /// As a PHC string (Argon2id).
    pub password_hash: String,
    /// When it was made.
    pub created_at: Millis,
}

type Row = (i64, String, String, i64);

fn account((id, name, password_hash, created_at): Row) -> Account {
    Account { id, name, password_hash, created_at: from_sql(created_at) }
}

impl Store {
    /// Whether nobody has set up the server yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn needs_setup(&self) -> Result<bool, StoreError> {
        let any: Option<i64> = sqlx::query_scalar("SELECT 1 FROM accounts LIMIT 1").fetch_optional(&self.pool).await?;
        Ok(any.is_none())
    }

    /// Makes the secret of a one-time set-up link; earlier ones no longer work.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_setup_link(&self, now: Millis) -> Result<Secret, StoreError> {
        let secret = Secret::random(&mut rand::rng());
        sqlx::query(
            "INSERT INTO setup_link (one, token, created_at) VALUES (1, $1, $2)
             ON CONFLICT (one) DO UPDATE SET token = excluded.token, created_at = excluded.created_at",
        )
        .bind(secret.digest().as_slice())
        .bind(to_sql(now))
        .execute(&self.pool)
        .await?;
        Ok(secret)
    }

    /// Whether a set-up link would still work; using it up is [`Store::create_admin`]'s.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_setup_link(&self, secret: &str) -> Result<bool, StoreError> {
        let any: Option<i64> = sqlx::query_scalar("SELECT 1 FROM setup_link WHERE token = $1")
            .bind(Secret::new(secret).digest().to_vec())
            .fetch_optional(&self.pool)
            .await?;
        Ok(any.is_some())
    }

    /// Uses up the set-up link and makes the administrator in one step; `None` when the link is not, or
    /// no longer, valid, or the name is taken.
    ///
    /// # Errors
    /// When the database fails; then the link still works.
    pub async fn create_admin(
        &self,
        setup_link: &str,
        name: &str,
        password_hash: &str,
        now: Millis,
    ) -> Result<Option<Account>, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let used = sqlx::query("DELETE FROM setup_link WHERE token = $1")
            .bind(Secret::new(setup_link).digest().to_vec())
            .execute(&mut *transaction)
            .await?;
        if used.rows_affected() == 0 {
            return Ok(None);
        }
        let id: Option<i64> = sqlx::query_scalar(
            "INSERT INTO accounts (name, password_hash, created_at) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO NOTHING RETURNING id",
        )
        .bind(name)
        .bind(password_hash)
        .bind(to_sql(now))
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(id) = id else {
            return Ok(None);
        };
        transaction.commit().await?;
        Ok(Some(account((id, name.to_owned(), password_hash.to_owned(), to_sql(now)))))
    }

    /// The administrator of this name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn admin_by_name(&self, name: &str) -> Result<Option<Account>, StoreError> {
        let row: Option<Row> =
            sqlx::query_as("SELECT id, name, password_hash, created_at FROM accounts WHERE name = $1")
                .bind(name)
                .fetch_optional(&self.pool)
                .await?;
        Ok(row.map(account))
    }

    /// Replaces a password and ends the account's sign-ins: whoever knew the old one is out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_password(&self, account: i64, password_hash: &str) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("UPDATE accounts SET password_hash = $2 WHERE id = $1")
            .bind(account)
            .bind(password_hash)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM sign_ins WHERE account = $1").bind(account).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Signs an account in; the secret goes into its cookie. Also clears away sign-ins that ran out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_sign_in(&self, account: i64, now: Millis) -> Result<Secret, StoreError> {
        let secret = Secret::random(&mut rand::rng());
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("DELETE FROM sign_ins WHERE expires_at <= $1").bind(to_sql(now)).execute(&mut *transaction).await?;
        sqlx::query(
            "INSERT INTO sign_ins (token, account, created_at, expires_at, seen_at) VALUES ($1, $2, $3, $4, $3)",
        )
        .bind(secret.digest().as_slice())
        .bind(account)
        .bind(to_sql(now))
        .bind(to_sql(now.plus(SIGN_IN_LIFETIME_MS)))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(secret)
    }

    /// Whose sign-in this is, if it still holds; its lifetime begins anew.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn verify_sign_in(&self, secret: &str, now: Millis) -> Result<Option<Account>, StoreError> {
        let token = Secret::new(secret).digest();
        let row: Option<(i64, String, String, i64, i64)> = sqlx::query_as(
            "SELECT a.id, a.name, a.password_hash, a.created_at, s.seen_at
             FROM sign_ins s JOIN accounts a ON a.id = s.account WHERE s.token = $1 AND s.expires_at > $2",
        )
        .bind(token.to_vec())
        .bind(to_sql(now))
        .fetch_optional(&self.pool)
        .await?;
        let Some((id, name, password_hash, created_at, seen_at)) = row else {
            return Ok(None);
        };
        if now >= from_sql(seen_at).plus(SEEN_STEP_MS) {
            sqlx::query("UPDATE sign_ins SET seen_at = $2, expires_at = $3 WHERE token = $1")
                .bind(token.to_vec())
                .bind(to_sql(now))
                .bind(to_sql(now.plus(SIGN_IN_LIFETIME_MS)))
                .execute(&self.pool)
                .await?;
        }
        Ok(Some(account((id, name, password_hash, created_at))))
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
}
