//! The command line: first what was typed, then, once, what was meant. Reads no file but the one it is told.

use super::{Config, ConfigError, DEV_TOKEN, Secret, parse};
use lexopt::{Arg, ValueExt};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use thiserror::Error;

/// What `--help` prints.
pub const HELP: &str = "\
Symposia: video meetings and live streams from one binary.

Usage: symposia serve [--config FILE] [--listen ADDR] [--data DIR] [--dev]

  --config FILE   settings; symposia.example.toml shows all of them with their defaults
  --listen ADDR   address and port of HTTP(S) and media (127.0.0.1:8080)
  --data DIR      folder of everything that is kept (data)
  --dev           for trying out: loopback only, API token `dev`, anyone may start a meeting
  -h, --help      print this
  -V, --version   print the version

Environment: SYMPOSIA_API_TOKEN adds a token to those of `[api] tokens`.
Signals: SIGTERM refuses new meetings and joins, waits for the running ones until the deadline
of `[drain]`, then stops; a second SIGTERM or Ctrl-C stops at once.
Exit status: 0 stopped as asked, 1 could not start or failed, 2 wrong command line or settings.";

const OPTIONS: [&str; 6] = ["--config", "--listen", "--data", "--dev", "--help", "--version"];

/// What the program is to do.
#[derive(Debug)]
pub enum Command {
    /// Print [`HELP`].
    Help,
    /// Print the version.
    Version,
    /// Serve with these settings.
    Serve(Box<Config>),
}

/// Why the command line means nothing.
#[derive(Debug, Error)]
pub enum UsageError {
    /// Nothing was asked for.
    #[error("say what to do: `symposia serve`, or `symposia --help`")]
    NoCommand,
    /// Not a command of ours.
    #[error("unknown command `{0}`: the only one is `serve`")]
    UnknownCommand(String),
    /// Not an option of ours.
    #[error("unknown option `{option}`{}", nearest.map_or_else(String::new, |n| format!("; did you mean `{n}`?")))]
    UnknownOption {
        /// As typed.
        option: String,
        /// What was probably meant.
        nearest: Option<&'static str>,
    },
    /// An option's value is missing or wrong.
    #[error(transparent)]
    Value(#[from] lexopt::Error),
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Exactly what was typed.
#[derive(Debug, Default)]
struct Typed {
    command: Option<String>,
    config: Option<PathBuf>,
    listen: Option<SocketAddr>,
    data: Option<PathBuf>,
    dev: bool,
    help: bool,
    version: bool,
}

/// Turns arguments (without the program's name) and the value of `SYMPOSIA_API_TOKEN` into what is to be done.
///
/// # Errors
/// The first mistake on the command line or in the settings file.
pub fn command(
    arguments: impl IntoIterator<Item = OsString>,
    api_token: Option<String>,
) -> Result<Command, UsageError> {
    typed(arguments)?.meant(api_token)
}

fn typed(arguments: impl IntoIterator<Item = OsString>) -> Result<Typed, UsageError> {
    let mut typed = Typed::default();
    let mut parser = lexopt::Parser::from_args(arguments.into_iter().collect::<Vec<_>>());
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => typed.help = true,
            Arg::Short('V') | Arg::Long("version") => typed.version = true,
            Arg::Long("config") => typed.config = Some(parser.value()?.into()),
            Arg::Long("listen") => typed.listen = Some(parser.value()?.parse()?),
            Arg::Long("data") => typed.data = Some(parser.value()?.into()),
            Arg::Long("dev") => typed.dev = true,
            Arg::Value(value) if typed.command.is_none() => typed.command = Some(value.string()?),
            Arg::Value(value) => return Err(lexopt::Error::UnexpectedArgument(value).into()),
            Arg::Short(letter) => {
                return Err(UsageError::UnknownOption { option: format!("-{letter}"), nearest: None });
            }
            Arg::Long(word) => {
                let option = format!("--{word}");
                let nearest = OPTIONS
                    .into_iter()
                    .max_by(|a, b| strsim::jaro(&option, a).total_cmp(&strsim::jaro(&option, b)))
                    .filter(|nearest| strsim::jaro(&option, nearest) > 0.75);
                return Err(UsageError::UnknownOption { option, nearest });
            }
        }
    }
    Ok(typed)
}

impl Typed {
    fn meant(self, api_token: Option<String>) -> Result<Command, UsageError> {
        if self.help {
            return Ok(Command::Help);
        }
        if self.version {
            return Ok(Command::Version);
        }
        match self.command.as_deref() {
            None => return Err(UsageError::NoCommand),
            Some("serve") => {}
            Some(other) => return Err(UsageError::UnknownCommand(other.to_owned())),
        }
        let mut config = match &self.config {
            Some(path) => {
                let unreadable = |source| ConfigError::Unreadable { path: path.clone(), source };
                parse(&std::fs::read_to_string(path).map_err(unreadable)?, path)?
            }
            None => Config::default(),
        };
        config.api.tokens.extend(api_token.filter(|token| !token.is_empty()).map(Secret::new));
        config.listen = self.listen.unwrap_or(config.listen);
        config.data = self.data.unwrap_or(config.data);
        config.dev = self.dev;
        config.check()?;
        if config.dev {
            // After the check, which would call it too short: it is no secret, and only loopback hears it.
            config.api.tokens.push(Secret::new(DEV_TOKEN));
        }
        Ok(Command::Serve(Box::new(config)))
    }
}
