//! How much room the disk has. Knows no file.

use rustix::fs::statvfs;
use std::path::Path;

/// Bytes that are free where `folder` is; all that there could be where the system does not say.
#[must_use]
pub fn free(folder: &Path) -> u64 {
    statvfs(folder).map_or(u64::MAX, |stat| stat.f_bavail.saturating_mul(stat.f_frsize))
}
