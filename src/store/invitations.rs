//! One-time links: to an account that is made with it, or to a new password of one. Hashes no passwords.

use super::accounts::{insert, set_password};
use super::{Account, AccountRole, Store, StoreError, from_sql, to_sql};
use crate::config::Secret;
use signaling::ids::Millis;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

/// How long a link works: 7 days.
pub const INVITATION_LIFETIME_MS: u64 = 7 * 24 * 3_600_000;

/// A link that was not used yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Names it in the list.
    pub id: i64,
    /// What the account may.
    pub role: AccountRole,
    /// What the inviter called the person; of a new password, the account's name.
    pub name: String,
    /// Whose password is to be new.
    pub account: Option<i64>,
    /// When it was made.
    pub created_at: Millis,
    /// When it no longer works.
    pub expires_at: Millis,
}

/// What came of using one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// The account, new or with a new password.
    Account(Account),
    /// It was used, taken back, ran out, or never was.
    Closed,
    /// Somebody has the name; the link still works.
    NameTaken,
}

impl TryFrom<&SqliteRow> for Invitation {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let role = AccountRole::of(row.try_get("role")?);
        Ok(Self {
            id: row.try_get("id")?,
            role: role.ok_or_else(|| StoreError::Damaged("invitations.role".to_owned()))?,
            name: row.try_get("name")?,
            account: row.try_get("account")?,
            created_at: from_sql(row.try_get("created_at")?),
            expires_at: from_sql(row.try_get("expires_at")?),
        })
    }
}

impl Store {
    /// Makes a link to an account of this role.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn invite(&self, role: AccountRole, name: &str, now: Millis) -> Result<(Invitation, Secret), StoreError> {
        let made = self.create_invitation(role, name, None, now).await?;
        made.ok_or_else(|| StoreError::Damaged("an invitation for nobody".to_owned()))
    }

    /// Makes a link to a new password of an account; the one before no longer works. `None` where there is no such account
    /// any more, or it was shut out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn invite_to_reset(
        &self,
        account: &Account,
        now: Millis,
    ) -> Result<Option<(Invitation, Secret)>, StoreError> {
        self.create_invitation(account.role, &account.name, Some(account.id), now).await
    }

    async fn create_invitation(
        &self,
        role: AccountRole,
        name: &str,
        account: Option<i64>,
        now: Millis,
    ) -> Result<Option<(Invitation, Secret)>, StoreError> {
        let secret = Secret::random(&mut rand::rng());
        let expires_at = now.plus(INVITATION_LIFETIME_MS);
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("DELETE FROM invitations WHERE expires_at <= $1 OR account = $2")
            .bind(to_sql(now))
            .bind(account)
            .execute(&mut *transaction)
            .await?;
        let id: Option<i64> = sqlx::query_scalar(
            "INSERT INTO invitations (token, role, name, account, created_at, expires_at) SELECT $1, $2, $3, $4, $5, $6
             WHERE $4 IS NULL OR EXISTS (SELECT 1 FROM accounts WHERE id = $4 AND disabled_at IS NULL) RETURNING id",
        )
        .bind(secret.digest().as_slice())
        .bind(role.word())
        .bind(name)
        .bind(account)
        .bind(to_sql(now))
        .bind(to_sql(expires_at))
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let Some(id) = id else { return Ok(None) };
        Ok(Some((Invitation { id, role, name: name.to_owned(), account, created_at: now, expires_at }, secret)))
    }

    /// The invitation that a link's secret opens, if it still works; using it up is [`Store::accept`]'s.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn invitation(&self, secret: &str, now: Millis) -> Result<Option<Invitation>, StoreError> {
        let row = sqlx::query("SELECT * FROM invitations WHERE token = $1 AND expires_at > $2")
            .bind(Secret::new(secret).digest().to_vec())
            .bind(to_sql(now))
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(Invitation::try_from).transpose()
    }

    /// The invitations that still work and make accounts, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn invitations(&self, at_most: u32, now: Millis) -> Result<Vec<Invitation>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM invitations WHERE account IS NULL AND expires_at > $2 ORDER BY created_at DESC, id DESC LIMIT $1",
        )
        .bind(i64::from(at_most))
        .bind(to_sql(now))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(Invitation::try_from).collect()
    }

    /// Takes an invitation back; false where there is no such one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_invitation(&self, id: i64) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM invitations WHERE id = $1").bind(id).execute(&self.pool).await?;
        Ok(done.rows_affected() == 1)
    }

    /// Uses an invitation up: makes the account under this name, or gives the account that it is for its new password,
    /// which ends the sign-ins of whoever knew the old one.
    ///
    /// # Errors
    /// When the database fails; then the link still works.
    pub async fn accept(
        &self,
        secret: &str,
        name: &str,
        password_hash: &str,
        now: Millis,
    ) -> Result<Accepted, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let row = sqlx::query("DELETE FROM invitations WHERE token = $1 AND expires_at > $2 RETURNING *")
            .bind(Secret::new(secret).digest().to_vec())
            .bind(to_sql(now))
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(invitation) = row.as_ref().map(Invitation::try_from).transpose()? else {
            return Ok(Accepted::Closed);
        };
        let account = match invitation.account {
            Some(id) => {
                set_password(&mut transaction, id, password_hash, None).await?;
                let row = sqlx::query("SELECT * FROM accounts WHERE id = $1").bind(id);
                Account::try_from(&row.fetch_one(&mut *transaction).await?)?
            }
            None => match insert(&mut transaction, name, invitation.role, password_hash, now).await? {
                Some(account) => account,
                None => return Ok(Accepted::NameTaken),
            },
        };
        transaction.commit().await?;
        Ok(Accepted::Account(account))
    }
}
