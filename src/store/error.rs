//! Why the store failed, in words an administrator can act on. Knows no queries.

use sqlx::migrate::MigrateError;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why the store failed.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The data folder, or the database in it, cannot be written.
    #[error("cannot write to the data folder {}: {source}", folder.display())]
    Unwritable {
        /// Which.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process holds the folder.
    #[error("the data folder {} is in use by another Symposia: stop that one, or choose another with `--data`", folder.display())]
    InUse {
        /// Which.
        folder: PathBuf,
    },
    /// The database was made by a later version, which may have changed what things mean.
    #[error("the database in {} was made by a newer version of Symposia (migration {migration}): update this one", folder.display())]
    Newer {
        /// Which.
        folder: PathBuf,
        /// The first migration that this program does not know.
        migration: i64,
    },
    /// The database cannot be opened or brought up to date.
    #[error("cannot open the database in {}: {source}", folder.display())]
    Opening {
        /// Which.
        folder: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No free meeting number was found in many tries: nearly all are taken.
    #[error("no meeting number is free")]
    NoNumberFree,
    /// A stored value is not what was written.
    #[error("the database holds a value that does not fit: {0}")]
    Damaged(String),
    /// A statement failed: disk full, damaged file, closed database.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

impl StoreError {
    pub(super) fn opening(folder: &Path, error: sqlx::Error) -> Self {
        Self::Opening { folder: folder.to_owned(), source: Box::new(error) }
    }

    pub(super) fn migrating(folder: &Path, error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(migration) => Self::Newer { folder: folder.to_owned(), migration },
            other => Self::Opening { folder: folder.to_owned(), source: Box::new(other) },
        }
    }
}
