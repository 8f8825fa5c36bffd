//! The settings: one tree, unknown keys refused, defaults equal `symposia.example.toml`.
//! Knows nothing of what the settings do elsewhere.
//!
//! Merge order, later wins: the defaults, the file given by `--config`, the environment
//! (`SYMPOSIA_API_TOKEN` only), the command line. What `[recordings.bucket]` leaves empty, the client of S3 takes from
//! `AWS_…` of the environment by itself.

mod broadcast;
mod command_line;
mod entrance;
mod file;
mod ingest;
mod kinds;
mod limits;
mod network;
mod recordings;
mod secret;
#[cfg(test)]
mod tests;

pub use broadcast::Broadcast;
pub use command_line::{Command, HELP, UsageError, command};
pub use entrance::Entrance;
pub use file::{ConfigError, parse};
pub use ingest::Ingest;
pub use limits::{Limits, Plan};
pub use network::Network;
pub use recordings::{Bucket, Recordings};
pub use secret::Secret;
pub(crate) use secret::{hex, same, sha256};

use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// The API token that `--dev` accepts.
pub const DEV_TOKEN: &str = "dev";

/// The shortest API token that is accepted, in bytes: 128 bits in base64 take 22 characters.
pub const SHORTEST_TOKEN: usize = 22;

/// All settings; `symposia.example.toml` shows them with their defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address and port of HTTP(S), WebSocket and media; TCP and UDP share the number. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Folder of everything that is kept: database, certificates, recordings. Made when it is missing.
    pub data: PathBuf,
    /// Scheme, host and port that people type, such as `https://meet.example.org`; for links and `Origin` checks.
    /// Empty: made of `listen`.
    #[serde(with = "kinds::optional")]
    pub public_url: Option<String>,
    /// Addresses or networks (`10.0.0.0/8`) of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// HTTPS.
    pub tls: Tls,
    /// Audio and video.
    pub media: Media,
    /// Recordings of meetings.
    pub recordings: Recordings,
    /// Live streams by HLS.
    pub broadcast: Broadcast,
    /// Encoders that push broadcasts in.
    pub ingest: Ingest,
    /// Every bound that a stranger can push against.
    pub limits: Limits,
    /// Programs that use the REST interface.
    pub api: Api,
    /// Stopping.
    pub drain: Drain,
    /// What is logged.
    pub log: Log,
    /// `--dev`, only on the command line: on loopback, with the API token `dev`, anyone may start a meeting.
    #[serde(skip)]
    pub dev: bool,
}

/// HTTPS on the same port.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// PEM file: the certificate and those that signed it.
    #[serde(with = "kinds::optional")]
    pub certificate: Option<PathBuf>,
    /// PEM file: the certificate's private key.
    #[serde(with = "kinds::optional")]
    pub key: Option<PathBuf>,
    /// Make a certificate and keep it in the data folder; browsers warn once. For a local network.
    pub self_signed: bool,
}

/// Audio and video.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Media {
    /// IP addresses told to browsers for media, such as the public one of a NAT. Empty: every interface's.
    pub advertise: Vec<IpAddr>,
    /// Whether browsers whose network has no UDP may send media by TCP to the port of HTTP(S).
    pub tcp: bool,
    /// Media threads. 0: one per core that the process may use.
    pub workers: u16,
    /// The most videos that one browser receives at once: 9, 25 or 49 as the pages of the grid. Joining takes
    /// longer with more.
    pub video_slots: u8,
    /// The most voices that one browser receives at once: the loudest and the pinned.
    pub audio_slots: u8,
    /// File to which every received RTP packet's arrival and header is written, for finding faults: no payload, but who
    /// sends when. At most 64 MiB. Empty: none.
    #[serde(with = "kinds::optional")]
    pub trace: Option<PathBuf>,
}

/// Programs that use the REST interface.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Api {
    /// Secrets accepted as `Authorization: Bearer`, 22 characters or more each.
    /// `SYMPOSIA_API_TOKEN` in the environment adds one.
    pub tokens: Vec<Secret>,
}

impl Api {
    /// Whether `token` is one of ours. Compares with every token and takes equally long for each.
    #[must_use]
    pub fn accepts(&self, token: &str) -> bool {
        self.tokens.iter().fold(false, |found, secret| secret.matches(token) | found)
    }
}

/// Stopping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Drain {
    /// How long SIGTERM waits for meetings to end by themselves before it ends them.
    #[serde(rename = "deadline_s", with = "kinds::seconds")]
    pub deadline: Duration,
}

/// What is logged, to standard error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or `trace`, also per module: `info,symposia::http=debug`.
    pub level: String,
    /// `text` for people, `json` for machines.
    pub format: LogFormat,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data: PathBuf::from("data"),
            public_url: None,
            trusted_proxies: Vec::new(),
            tls: Tls::default(),
            media: Media::default(),
            recordings: Recordings::default(),
            broadcast: Broadcast::default(),
            ingest: Ingest::default(),
            limits: Limits::default(),
            api: Api::default(),
            drain: Drain::default(),
            log: Log::default(),
            dev: false,
        }
    }
}

impl Default for Media {
    fn default() -> Self {
        Self { advertise: Vec::new(), tcp: true, workers: 0, video_slots: 9, audio_slots: 5, trace: None }
    }
}

impl Default for Drain {
    fn default() -> Self {
        // Long enough for most lessons to end by themselves, shorter than the patience of a nightly update.
        Self { deadline: Duration::from_secs(3600) }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

impl Config {
    /// Whether the port speaks HTTPS.
    #[must_use]
    pub fn secure(&self) -> bool {
        self.tls.self_signed || self.tls.certificate.is_some()
    }

    /// How many people a new meeting may hold: the plan's limit.
    #[must_use]
    pub fn capacity(&self) -> u16 {
        self.limits.capacity()
    }

    /// The beginning of every link, without a slash at the end: `public_url`, else made of the address that was bound.
    #[must_use]
    pub fn base_url(&self, bound: SocketAddr) -> String {
        if let Some(url) = &self.public_url {
            return url.trim_end_matches('/').to_owned();
        }
        let scheme = if self.secure() { "https" } else { "http" };
        // Browsers give camera and microphone to pages of `localhost` also without HTTPS.
        if bound.ip().is_loopback() || bound.ip().is_unspecified() {
            format!("{scheme}://localhost:{}", bound.port())
        } else {
            format!("{scheme}://{bound}")
        }
    }
}
