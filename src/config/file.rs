//! Reads the settings file and says where and how it is wrong. Knows no command line.

use super::{Config, Entrance, SHORTEST_TOKEN};
use std::path::{Path, PathBuf};
use thiserror::Error;
use toml::de::{DeTable, DeValue};

/// Why there are no settings.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the settings file {}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no TOML.
    #[error("{}:{line}: {message}", path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A key that does not exist.
    #[error("{}:{line}: unknown setting `{key}`{}", path.display(), hint(nearest.as_deref()))]
    Unknown {
        /// Which file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// With its tables: `limits.sockets`.
        key: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A value that does not fit its key.
    #[error("{}:{line}: setting `{key}`: {message}", path.display())]
    Value {
        /// Which file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// With its tables.
        key: String,
        /// What is wrong.
        message: String,
    },
    /// A value or a combination that cannot be, wherever it came from.
    #[error("setting `{key}`: {message}")]
    Invalid {
        /// With its tables.
        key: &'static str,
        /// What is wrong.
        message: String,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"))
}

/// Reads settings from the text of a file; `path` is for messages. What the file leaves out has its default.
///
/// # Errors
/// The first mistake, with its line.
pub fn parse(text: &str, path: &Path) -> Result<Config, ConfigError> {
    let line = |offset: usize| 1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
    let document = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
        path: path.to_owned(),
        line: line(error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    })?;
    // Unknown keys first: a misspelt key is the likelier cause of whatever else is wrong.
    let known = known();
    let keys = keys(document.get_ref(), "");
    if let Some(key) = keys.iter().find(|key| !known.iter().any(|(name, is_table)| key.fits(name, *is_table))) {
        return Err(ConfigError::Unknown {
            path: path.to_owned(),
            line: line(key.span.start),
            key: key.name.clone(),
            nearest: nearest(&key.name, &known),
        });
    }
    let wrong = |offset: usize, message: &str| ConfigError::Value {
        path: path.to_owned(),
        line: line(offset),
        key: keys.iter().rfind(|key| key.span.contains(&offset)).map_or_else(String::new, |key| key.name.clone()),
        message: message.trim_end().to_owned(),
    };
    let config: Config = toml::from_str(text).map_err(|error| {
        match wrong(error.span().map_or(0, |span| span.start), error.message()) {
            // The reader's own sentence shows the value.
            ConfigError::Value { path, line, key, .. } if key.starts_with("api") => {
                ConfigError::Value { path, line, key, message: "must be a list of texts".to_owned() }
            }
            ConfigError::Value { path, line, key, .. } if key == "recordings.bucket.key_secret" => {
                ConfigError::Value { path, line, key, message: "must be a text".to_owned() }
            }
            other => other,
        }
    })?;
    config.check().map_err(|error| match error {
        ConfigError::Invalid { key, message } => match keys.iter().find(|found| found.name == key) {
            Some(found) => wrong(found.span.start, &message),
            None => ConfigError::Invalid { key, message },
        },
        other => other,
    })?;
    Ok(config)
}

/// A key of the file with its tables, from where it begins to where its value ends.
struct Key {
    name: String,
    span: std::ops::Range<usize>,
    is_table: bool,
}

impl Key {
    /// Whether it is the known one. A value where a table belongs is found when values are read.
    fn fits(&self, known: &str, is_table: bool) -> bool {
        self.name == known && (!self.is_table || is_table)
    }
}

/// All keys of a table, those of inner tables after their table.
fn keys(table: &DeTable<'_>, prefix: &str) -> Vec<Key> {
    let mut found = Vec::new();
    for (key, value) in table {
        let name = format!("{prefix}{}", key.get_ref());
        let is_table = matches!(value.get_ref(), DeValue::Table(_));
        found.push(Key { name: name.clone(), span: key.span().start..value.span().end, is_table });
        if let DeValue::Table(inner) = value.get_ref() {
            found.extend(keys(inner, &format!("{name}.")));
        }
    }
    found
}

/// All keys there are, and whether each is a table.
pub(super) fn known() -> Vec<(String, bool)> {
    fn walk(table: &toml::Table, prefix: &str, found: &mut Vec<(String, bool)>) {
        for (key, value) in table {
            let name = format!("{prefix}{key}");
            found.push((name.clone(), value.is_table()));
            if let toml::Value::Table(inner) = value {
                walk(inner, &format!("{name}."), found);
            }
        }
    }
    let mut found = Vec::new();
    if let Ok(table) = toml::Table::try_from(Config::default()) {
        walk(&table, "", &mut found);
    }
    found
}

/// The known key that looks most alike; a right name in a wrong table counts as near.
fn nearest(key: &str, known: &[(String, bool)]) -> Option<String> {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let likeness = |name: &str| {
        let (whole, end) = (strsim::jaro_winkler(key, name), strsim::jaro_winkler(&last(key), &last(name)));
        whole.max(end * 0.99)
    };
    let best = known.iter().max_by(|(a, _), (b, _)| likeness(a).total_cmp(&likeness(b)))?;
    // Below this the words have little more in common than letters.
    (likeness(&best.0) > 0.7).then(|| best.0.clone())
}

impl Config {
    /// What types cannot say. Called by [`parse`] and again when the command line has had its word.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for the first value that cannot be.
    pub fn check(&self) -> Result<(), ConfigError> {
        let invalid = |key, message: &str| Err(ConfigError::Invalid { key, message: message.to_owned() });
        if self.dev && !self.listen.ip().is_loopback() {
            let message = format!(
                "`--dev` lets anyone start meetings and has a well-known API token, so it refuses {}: \
                 listen on 127.0.0.1, or leave `--dev` out",
                self.listen
            );
            return Err(ConfigError::Invalid { key: "listen", message });
        }
        if let (true, Some(Entrance::Address(address))) = (self.dev, self.ingest.rtmp)
            && !address.ip().is_loopback()
        {
            return invalid("ingest.rtmp", "must be on this machine alone (127.0.0.1) with `--dev`");
        }
        if let Some(url) = &self.public_url {
            let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
            let host = rest.map(|rest| rest.strip_suffix('/').unwrap_or(rest)).unwrap_or_default();
            if host.is_empty() || host.contains(|c: char| "/?#@ ".contains(c) || c.is_control()) {
                return invalid("public_url", "must be scheme, host and port only, such as https://meet.example.org");
            }
        }
        match (&self.tls.certificate, &self.tls.key) {
            (Some(_), None) => return invalid("tls.key", "is missing: a certificate needs its private key"),
            (None, Some(_)) => return invalid("tls.certificate", "is missing: a private key needs its certificate"),
            (Some(_), Some(_)) if self.tls.self_signed => {
                return invalid("tls.self_signed", "cannot be with `tls.certificate`: choose one");
            }
            _ => {}
        }
        if self.api.tokens.iter().any(|token| token.expose().len() < SHORTEST_TOKEN) {
            return invalid("api.tokens", "a token shorter than 22 characters can be guessed: `openssl rand -hex 16`");
        }
        if self.media.advertise.iter().any(|address| address.is_unspecified() || address.is_multicast()) {
            return invalid("media.advertise", "browsers must be able to send to each address");
        }
        if !(1..=64).contains(&self.media.video_slots) {
            return invalid("media.video_slots", "must be 1 to 64");
        }
        if !(1..=16).contains(&self.media.audio_slots) {
            return invalid("media.audio_slots", "must be 1 to 16");
        }
        let ms = |time: std::time::Duration| time.as_millis();
        if !(200..=1000).contains(&ms(self.broadcast.part)) {
            return invalid("broadcast.part_ms", "must be 200 to 1000");
        }
        if !(1000..=4000).contains(&ms(self.broadcast.segment)) {
            return invalid("broadcast.segment_s", "must be 1 to 4");
        }
        if !(10_000..=600_000).contains(&ms(self.broadcast.window)) {
            return invalid("broadcast.window_s", "must be 10 to 600");
        }
        if ms(self.broadcast.rewind) > 86_400_000 {
            return invalid("broadcast.rewind_s", "must be 0 to 86400");
        }
        if self.broadcast.max_bytes < 8 << 20 {
            return invalid("broadcast.max_bytes", "must be at least 8388608");
        }
        if tracing_subscriber::EnvFilter::try_new(&self.log.level).is_err() {
            return invalid(
                "log.level",
                "must be error, warn, info, debug or trace, or as in info,symposia::http=debug",
            );
        }
        self.recordings.check()?;
        self.check_folders()?;
        self.limits.check()
    }
}

impl super::Limits {
    fn check(&self) -> Result<(), ConfigError> {
        let at_least_one = [
            ("limits.participants_free", u32::from(self.participants_free)),
            ("limits.participants_pro", u32::from(self.participants_pro)),
            ("limits.meetings", self.meetings),
            ("limits.sockets", self.sockets),
            ("limits.sockets_per_address", self.sockets_per_address),
            ("limits.request_s", u32::try_from(self.request.as_secs()).unwrap_or(u32::MAX)),
            ("limits.idle_s", u32::try_from(self.idle.as_secs()).unwrap_or(u32::MAX)),
            ("limits.messages_per_second", self.messages_per_second),
            ("limits.joins_per_minute_per_address", self.joins_per_minute_per_address),
            ("limits.number_guesses_per_minute_per_address", self.number_guesses_per_minute_per_address),
            ("limits.passcode_guesses_per_minute_per_meeting", self.passcode_guesses_per_minute_per_meeting),
            ("limits.sign_ins_per_minute_per_address", self.sign_ins_per_minute_per_address),
            ("limits.creations_per_minute_per_address", self.creations_per_minute_per_address),
            ("limits.chat_characters", self.chat_characters),
            ("limits.comment_characters", self.comment_characters),
            ("limits.comments_per_minute_per_address", self.comments_per_minute_per_address),
            ("limits.tracks", u32::from(self.tracks)),
            ("limits.streams", u32::from(self.streams)),
            ("limits.packets_per_second", self.packets_per_second),
            ("limits.bytes_per_second", self.bytes_per_second),
            ("limits.encoder_bits_per_second", self.encoder_bits_per_second),
            ("limits.renegotiations_per_minute", self.renegotiations_per_minute),
        ];
        if let Some((key, _)) = at_least_one.into_iter().find(|(_, value)| *value == 0) {
            return Err(ConfigError::Invalid { key, message: "must be at least 1".to_owned() });
        }
        if !(1..=128).contains(&self.sections) {
            return Err(ConfigError::Invalid { key: "limits.sections", message: "must be 1 to 128".to_owned() });
        }
        // More does not fit the message in which a comment comes, however it is escaped.
        if self.comment_characters > 1_000 {
            return Err(ConfigError::Invalid {
                key: "limits.comment_characters",
                message: "must be at most 1000".to_owned(),
            });
        }
        // The reader of offers takes no more.
        if self.offer_bytes > 524_288 {
            return Err(ConfigError::Invalid {
                key: "limits.offer_bytes",
                message: "must be at most 524288".to_owned(),
            });
        }
        // Below this not even a hello or an ordinary offer fits.
        let bytes = [
            ("limits.body_bytes", self.body_bytes),
            ("limits.offer_bytes", self.offer_bytes),
            ("limits.message_bytes", self.message_bytes),
            ("limits.encoder_message_bytes", self.encoder_message_bytes),
        ];
        if let Some((key, _)) = bytes.into_iter().find(|(_, value)| *value < 4_096) {
            return Err(ConfigError::Invalid { key, message: "must be at least 4096".to_owned() });
        }
        Ok(())
    }
}
