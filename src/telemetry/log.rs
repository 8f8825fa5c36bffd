//! Sets up the log: lines on standard error, for people or as JSON. Knows no module that logs.
//!
//! Never log an address, a token, a key or a name that a person gave (acceptance SEC8): log the id
//! of the meeting or session and the reason. [`crate::config::Secret`] prints as `[secret]`.

use crate::config::{Log, LogFormat};
use tracing_subscriber::EnvFilter;

/// Starts logging for the whole process. A second call changes nothing, so that tests can start several servers.
pub fn start(log: &Log) {
    // `Config::check` has read the level before.
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ = match log.format {
        LogFormat::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
}
