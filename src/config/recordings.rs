//! Settings of recordings: where they lie, how much of them there may be, and to which object store they are copied.
//! Opens nothing.

use super::{Config, ConfigError, Secret, kinds};
use serde::{Deserialize, Serialize};
use std::path::{Component, Path, PathBuf};

/// Recordings of meetings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recordings {
    /// Folder of recordings, each in a folder of its own. Empty: `recordings` in the data folder.
    #[serde(with = "kinds::optional")]
    pub folder: Option<PathBuf>,
    /// Recordings that run at once.
    pub max_at_once: u16,
    /// Bytes of one recording, which ends then. 0: no end.
    pub max_bytes: u64,
    /// Free bytes that stay on the disk: below them nothing is kept until there is room again.
    pub reserve_bytes: u64,
    /// Days after which a recording is deleted. 0: never.
    pub max_days: u32,
    /// Bytes of all recordings: beyond them the oldest that are complete are deleted. 0: no bound.
    pub max_total_bytes: u64,
    /// Whether hosts may have a recording made into one MP4, by a child `ffmpeg` at the lowest priority.
    pub export: bool,
    /// Whether the sound of everybody is made one small file after each recording, on one thread at the lowest priority.
    pub mix: bool,
    /// Where recordings are copied to: `s3://bucket/prefix`, or the absolute path of a folder. Empty: nowhere.
    #[serde(with = "kinds::optional")]
    pub url: Option<String>,
    /// Whether media files stay in `folder` once they are at `url`, were read back from there and compared.
    pub keep_local: bool,
    /// How the bucket of `url` is reached.
    pub bucket: Bucket,
}

/// How a bucket is reached. What is empty comes from `AWS_…` of the environment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bucket {
    /// `https://…` of a server that is not Amazon's.
    #[serde(with = "kinds::optional")]
    pub endpoint: Option<String>,
    /// Its region.
    #[serde(with = "kinds::optional")]
    pub region: Option<String>,
    /// Names the key that may read, write, list and delete there.
    #[serde(with = "kinds::optional")]
    pub key_id: Option<String>,
    /// The key.
    #[serde(with = "kinds::optional")]
    pub key_secret: Option<Secret>,
}

impl Default for Recordings {
    fn default() -> Self {
        Self {
            folder: None,
            max_at_once: 16,
            max_bytes: 0,
            reserve_bytes: 256 << 20,
            max_days: 0,
            max_total_bytes: 0,
            export: true,
            mix: true,
            url: None,
            keep_local: true,
            bucket: Bucket::default(),
        }
    }
}

impl Config {
    /// Where recordings lie.
    #[must_use]
    pub fn recordings_folder(&self) -> PathBuf {
        self.recordings.folder.clone().unwrap_or_else(|| self.data.join("recordings"))
    }

    /// Where live streams keep what viewers go back to. The server removes what it finds there of another run.
    #[must_use]
    pub fn rewind_folder(&self) -> PathBuf {
        self.data.join("live")
    }

    /// No recording lies where live streams are, nor they among recordings.
    pub(super) fn check_folders(&self) -> Result<(), ConfigError> {
        let live = resolved(&self.rewind_folder());
        let url = self.recordings.url.as_deref().filter(|url| url.starts_with('/')).map(Path::new);
        for (key, folder) in [("recordings.folder", self.recordings.folder.as_deref()), ("recordings.url", url)] {
            let Some(folder) = folder.map(resolved) else { continue };
            if folder.starts_with(&live) || live.starts_with(&folder) {
                let live = live.display();
                let message = format!("must be neither {live}, where live streams are kept, nor inside or above it");
                return Err(ConfigError::Invalid { key, message });
            }
        }
        Ok(())
    }
}

/// Where a path leads, without looking: links are not followed.
fn resolved(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components() {
        match component {
            Component::ParentDir => _ = resolved.pop(),
            component => resolved.push(component),
        }
    }
    resolved
}

impl Recordings {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let invalid = |key, message: &str| Err(ConfigError::Invalid { key, message: message.to_owned() });
        if let Some(url) = &self.url {
            let bucket = url.strip_prefix("s3://").map(|rest| rest.split('/').next().unwrap_or_default());
            if bucket.map_or(!url.starts_with('/'), str::is_empty) {
                return invalid("recordings.url", "must be s3://bucket/prefix, or the absolute path of a folder");
            }
        } else if !self.keep_local {
            return invalid("recordings.keep_local", "needs `url`: else files would be nowhere");
        }
        let Bucket { endpoint, key_id, key_secret, .. } = &self.bucket;
        let is_http = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        if endpoint.as_ref().is_some_and(|url| !is_http(url)) {
            return invalid("recordings.bucket.endpoint", "must begin with https:// or http://");
        }
        match (key_id, key_secret) {
            (Some(_), None) => invalid("recordings.bucket.key_secret", "is missing: `key_id` needs its secret"),
            (None, Some(_)) => invalid("recordings.bucket.key_id", "is missing: `key_secret` needs its id"),
            _ => Ok(()),
        }
    }
}
