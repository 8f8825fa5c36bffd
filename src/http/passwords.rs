//! Passwords and passcodes by Argon2id, off the async threads and few at a time. Knows no accounts.

use super::errors::{Failure, internal};
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use signaling::protocol::RefusalCode;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// How much work a hash is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// An account's password: OWASP's first choice, 19 MiB and two passes.
    Account,
    /// A meeting's passcode: short anyway, protected by limits, and checked 300 times when a class comes.
    Passcode,
}

/// At most this many at once: each takes 19 MiB and a core that media would like to have.
const AT_ONCE: usize = 2;
/// At most this many wait; more are told to come back.
const WAITING: usize = 512;

/// Hashes and verifies.
#[derive(Clone)]
pub struct Passwords {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    no_account: Arc<str>,
    no_passcode: Arc<str>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl Passwords {
    /// Makes the hashes that stand in where there is no account or passcode.
    #[must_use]
    pub fn new() -> Self {
        // A secret that nobody is told, so that nothing matches.
        let nobody: [u8; 16] = rand::random();
        let stand_in = |strength| hash(&nobody, strength).unwrap_or_default().into();
        Self {
            running: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::new(Semaphore::new(WAITING)),
            no_account: stand_in(Strength::Account),
            no_passcode: stand_in(Strength::Passcode),
        }
    }

    /// The hash to store (PHC string).
    ///
    /// # Errors
    /// When too many wait.
    pub async fn hash(&self, password: &str, strength: Strength) -> Result<String, Failure> {
        let password = password.to_owned();
        let hashed = self.run(move || hash(password.as_bytes(), strength)).await?;
        hashed.map_err(internal)
    }

    /// Whether the password is right. Without a stored hash the same work is done and the answer is no,
    /// so that the time tells nothing.
    ///
    /// # Errors
    /// When too many wait.
    pub async fn verify(&self, password: &str, stored: Option<&str>, strength: Strength) -> Result<bool, Failure> {
        let stand_in = match strength {
            Strength::Account => &self.no_account,
            Strength::Passcode => &self.no_passcode,
        };
        let exists = stored.is_some();
        let hash = stored.map_or_else(|| stand_in.to_string(), str::to_owned);
        let password = password.to_owned();
        let matches = self
            .run(move || {
                let parsed = PasswordHash::new(&hash).ok()?;
                Argon2::default().verify_password(password.as_bytes(), &parsed).ok()
            })
            .await?;
        Ok(exists && matches.is_some())
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
        let busy = || Failure::from(RefusalCode::TooMany).retry_after(5);
        let _waiting = self.waiting.try_acquire().map_err(|_| busy())?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(internal)?;
        // The permit goes along: the work runs on when the caller has gone away.
        tokio::task::spawn_blocking(move || {
            let _running = running;
            work()
        })
        .await
        .map_err(internal)
    }
}

fn hash(password: &[u8], strength: Strength) -> Result<String, argon2::password_hash::Error> {
    let params = match strength {
        Strength::Account => Params::DEFAULT,
        Strength::Passcode => Params::new(4096, 1, 1, None)?,
    };
    let salt = SaltString::generate(&mut OsRng);
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password(password, &salt)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_and_no_other() {
        let passwords = Passwords::new();
        let stored = passwords.hash("correct horse", Strength::Passcode).await.expect("a hash");
        assert!(stored.starts_with("$argon2id$"));
        let verify = |password| passwords.verify(password, Some(&stored), Strength::Passcode);
        assert_eq!(verify("correct horse").await, Ok(true));
        assert_eq!(verify("wrong horse").await, Ok(false));
    }

    // acceptance: SEC9
    #[tokio::test]
    async fn a_missing_hash_costs_the_same_kind_of_work() {
        let passwords = Passwords::new();
        assert_eq!(passwords.verify("", None, Strength::Passcode).await, Ok(false));
        let stored = passwords.hash("x", Strength::Passcode).await.expect("a hash");
        let parameters = |hash: &str| PasswordHash::new(hash).map(|hash| hash.params).expect("a hash");
        assert_eq!(parameters(&stored), parameters(&passwords.no_passcode));
        let stored = passwords.hash("x", Strength::Account).await.expect("a hash");
        assert_eq!(parameters(&stored), parameters(&passwords.no_account));
    }
}
