//! People with a name, a password and a role, and the one-time link that makes the first one. Hashes no passwords.

use super::words::words;
use super::{Store, StoreError, from_sql, to_sql};
use crate::config::Secret;
use serde::{Deserialize, Serialize};
use signaling::ids::Millis;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

words! {
    /// What somebody who is signed in may.
    AccountRole {
        /// Run the server and manage people.
        Administrator = "administrator",
        /// Start meetings and broadcasts.
        Host = "host",
        /// Take part as somebody known.
        Member = "member",
    }
}

/// Somebody who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Never reused.
    pub id: i64,
    /// Compared without regard to the case of ASCII letters.
    pub name: String,
    /// What he may.
    pub role: AccountRole,
    /// As a PHC string (Argon2id).
    pub password_hash: String,
    /// When it was made.
    pub created_at: Millis,
    /// Since when he is shut out.
    pub disabled_at: Option<Millis>,
}

impl TryFrom<&SqliteRow> for Account {
    type Error = StoreError;

    fn try_from(row: &SqliteRow) -> Result<Self, StoreError> {
        let role = AccountRole::of(row.try_get("role")?);
        Ok(Self {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            role: role.ok_or_else(|| StoreError::Damaged("accounts.role".to_owned()))?,
            password_hash: row.try_get("password_hash")?,
            created_at: from_sql(row.try_get("created_at")?),
            disabled_at: row.try_get::<Option<i64>, _>("disabled_at")?.map(from_sql),
        })
    }
}

impl Account {
    fn may_create(&self) -> bool {
        self.role != AccountRole::Member && self.disabled_at.is_none()
    }

    fn runs_the_server(&self) -> bool {
        self.role == AccountRole::Administrator && self.disabled_at.is_none()
    }
}

/// An account in the list of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAccount {
    /// It.
    pub account: Account,
    /// When a sign-in of it was last used, of those that still hold.
    pub seen_at: Option<Millis>,
}

/// What is to be different; the rest stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// 1 to 64 characters.
    pub name: Option<String>,
    /// What he may.
    pub role: Option<AccountRole>,
    /// Shut out; his sign-ins end.
    pub disabled: Option<bool>,
}

/// What came of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// It is as wanted.
    Done {
        /// Its broadcasts whose stream keys open nothing any more: who publishes is to be cut.
        cut: Vec<String>,
    },
    /// There is no such account.
    Missing,
    /// Somebody has the name.
    NameTaken,
    /// Nobody could run the server any more.
    LastAdministrator,
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
    /// no longer, valid, or somebody has an account already.
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
        let any: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM accounts LIMIT 1").fetch_optional(&mut *transaction).await?;
        if any.is_some() {
            return Ok(None);
        }
        let used = sqlx::query("DELETE FROM setup_link WHERE token = $1")
            .bind(Secret::new(setup_link).digest().to_vec())
            .execute(&mut *transaction)
            .await?;
        if used.rows_affected() == 0 {
            return Ok(None);
        }
        let made = insert(&mut transaction, name, AccountRole::Administrator, password_hash, now).await?;
        if made.is_some() {
            transaction.commit().await?;
        }
        Ok(made)
    }

    /// The account of this name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_by_name(&self, name: &str) -> Result<Option<Account>, StoreError> {
        let row = sqlx::query("SELECT * FROM accounts WHERE name = $1").bind(name).fetch_optional(&self.pool).await?;
        row.as_ref().map(Account::try_from).transpose()
    }

    /// The account with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_by_id(&self, id: i64) -> Result<Option<Account>, StoreError> {
        let row = sqlx::query("SELECT * FROM accounts WHERE id = $1").bind(id).fetch_optional(&self.pool).await?;
        row.as_ref().map(Account::try_from).transpose()
    }

    /// All accounts by name, at most so many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accounts(&self, at_most: u32, now: Millis) -> Result<Vec<ListedAccount>, StoreError> {
        let rows = sqlx::query(
            "SELECT a.*, (SELECT MAX(s.seen_at) FROM sign_ins s WHERE s.account = a.id AND s.expires_at > $2) AS seen_at
             FROM accounts a ORDER BY a.name COLLATE NOCASE LIMIT $1",
        )
        .bind(i64::from(at_most))
        .bind(to_sql(now))
        .fetch_all(&self.pool)
        .await?;
        let listed = |row: &SqliteRow| {
            let seen_at = row.try_get::<Option<i64>, _>("seen_at")?.map(from_sql);
            Ok(ListedAccount { account: Account::try_from(row)?, seen_at })
        };
        rows.iter().map(listed).collect()
    }

    /// Changes an account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_account(&self, id: i64, change: &AccountChange, now: Millis) -> Result<Changed, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let row =
            sqlx::query("SELECT * FROM accounts WHERE id = $1").bind(id).fetch_optional(&mut *transaction).await?;
        let Some(before) = row.as_ref().map(Account::try_from).transpose()? else { return Ok(Changed::Missing) };
        let disabled_at = match change.disabled {
            Some(true) => Some(before.disabled_at.unwrap_or(now)),
            Some(false) => None,
            None => before.disabled_at,
        };
        let name = change.name.as_deref().unwrap_or(&before.name);
        let taken: Option<i64> = sqlx::query_scalar("SELECT id FROM accounts WHERE name = $1 AND id <> $2")
            .bind(name)
            .bind(id)
            .fetch_optional(&mut *transaction)
            .await?;
        if taken.is_some() {
            return Ok(Changed::NameTaken);
        }
        sqlx::query("UPDATE accounts SET name = $2, role = $3, disabled_at = $4 WHERE id = $1")
            .bind(id)
            .bind(name)
            .bind(change.role.unwrap_or(before.role).word())
            .bind(disabled_at.map(to_sql))
            .execute(&mut *transaction)
            .await?;
        if disabled_at.is_some() {
            sqlx::query("DELETE FROM sign_ins WHERE account = $1").bind(id).execute(&mut *transaction).await?;
            sqlx::query("DELETE FROM invitations WHERE account = $1").bind(id).execute(&mut *transaction).await?;
        }
        if before.runs_the_server() && !somebody_runs_it(&mut transaction).await? {
            return Ok(Changed::LastAdministrator);
        }
        let role = change.role.unwrap_or(before.role);
        let may_create = Account { role, disabled_at, ..before.clone() }.may_create();
        let cut = if before.may_create() && !may_create { take_away(&mut transaction, id).await? } else { Vec::new() };
        transaction.commit().await?;
        Ok(Changed::Done { cut })
    }

    /// Forgets an account with its sign-ins; what it made stays, but for the keys to it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_account(&self, id: i64) -> Result<Changed, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        // While it is known whose they are.
        let cut = take_away(&mut transaction, id).await?;
        let deleted = sqlx::query("DELETE FROM accounts WHERE id = $1 RETURNING *").bind(id);
        let row = deleted.fetch_optional(&mut *transaction).await?;
        let Some(before) = row.as_ref().map(Account::try_from).transpose()? else { return Ok(Changed::Missing) };
        if before.runs_the_server() && !somebody_runs_it(&mut transaction).await? {
            return Ok(Changed::LastAdministrator);
        }
        transaction.commit().await?;
        Ok(Changed::Done { cut })
    }

    /// Replaces the password that was found right, and ends the account's sign-ins but one: whoever knew the old password
    /// is out. False where it has another password by now: finding it right takes long.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_password(
        &self,
        account: &Account,
        password_hash: &str,
        kept_sign_in: Option<&str>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let current: Option<i64> =
            sqlx::query_scalar("SELECT id FROM accounts WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL")
                .bind(account.id)
                .bind(&account.password_hash)
                .fetch_optional(&mut *transaction)
                .await?;
        if current.is_none() {
            return Ok(false);
        }
        set_password(&mut transaction, account.id, password_hash, kept_sign_in).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// Makes an account; `None` where the name is taken.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    name: &str,
    role: AccountRole,
    password_hash: &str,
    now: Millis,
) -> Result<Option<Account>, StoreError> {
    let id: Option<i64> = sqlx::query_scalar(
        "INSERT INTO accounts (name, role, password_hash, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO NOTHING RETURNING id",
    )
    .bind(name)
    .bind(role.word())
    .bind(password_hash)
    .bind(to_sql(now))
    .fetch_optional(connection)
    .await?;
    let (name, password_hash) = (name.to_owned(), password_hash.to_owned());
    Ok(id.map(|id| Account { id, name, role, password_hash, created_at: now, disabled_at: None }))
}

pub(super) async fn set_password(
    connection: &mut SqliteConnection,
    account: i64,
    password_hash: &str,
    kept_sign_in: Option<&str>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE accounts SET password_hash = $2 WHERE id = $1")
        .bind(account)
        .bind(password_hash)
        .execute(&mut *connection)
        .await?;
    // A link to another password would undo this one.
    sqlx::query("DELETE FROM invitations WHERE account = $1").bind(account).execute(&mut *connection).await?;
    sqlx::query("DELETE FROM sign_ins WHERE account = $1 AND token IS NOT $2")
        .bind(account)
        .bind(kept_sign_in.map(|secret| Secret::new(secret).digest().to_vec()))
        .execute(&mut *connection)
        .await?;
    Ok(())
}

/// Ends what lets somebody go on with what this account made without it: stream keys, host links and their cookies. Gives
/// the broadcasts.
async fn take_away(connection: &mut SqliteConnection, account: i64) -> Result<Vec<String>, StoreError> {
    // Whoever may have others afresh is given new ones then; of these nobody knows what they are the digests of.
    sqlx::query(
        "UPDATE meetings SET host_secret = randomblob(32), host_epoch = host_epoch + 1
         WHERE owner = $1 AND ended_at IS NULL",
    )
    .bind(account)
    .execute(&mut *connection)
    .await?;
    let cut = "UPDATE broadcasts SET stream_key = randomblob(32) WHERE owner = $1 AND ended_at IS NULL RETURNING id";
    Ok(sqlx::query_scalar(cut).bind(account).fetch_all(connection).await?)
}

async fn somebody_runs_it(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    let any: Option<i64> = sqlx::query_scalar("SELECT 1 FROM accounts WHERE role = $1 AND disabled_at IS NULL LIMIT 1")
        .bind(AccountRole::Administrator.word())
        .fetch_optional(connection)
        .await?;
    Ok(any.is_some())
}
