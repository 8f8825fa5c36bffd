//! The program: reads the command line and hands over to the library.

use std::env;
use std::process::ExitCode;
use std::time::Duration;
use symposia::config::{self, Command};
use symposia::server;

/// Wrong command line or settings; 0 and 1 are as usual.
const USAGE: u8 = 2;

/// What is still being done when the server has stopped has so long to end.
const LAST_WORDS: Duration = Duration::from_secs(1);

#[expect(clippy::print_stdout, reason = "what was asked for goes to standard output")]
fn main() -> ExitCode {
    match config::command(env::args_os().skip(1), env::var("SYMPOSIA_API_TOKEN").ok()) {
        Ok(Command::Help) => println!("{}", config::HELP),
        Ok(Command::Version) => println!("symposia {}", env!("CARGO_PKG_VERSION")),
        Ok(Command::Serve(config)) => return serve(*config),
        Err(error) => return failed(&error, USAGE),
    }
    ExitCode::SUCCESS
}

fn serve(config: config::Config) -> ExitCode {
    // Two threads do for the control side also on a large machine; the cores belong to media.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let ran = runtime.map_err(|error| error.to_string()).and_then(|runtime| {
        let ran = runtime.block_on(server::run(config)).map_err(|error| error.to_string());
        // A disk that hangs must not keep the process alive.
        runtime.shutdown_timeout(LAST_WORDS);
        ran
    });
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error, 1),
    }
}

fn failed(error: &dyn std::fmt::Display, code: u8) -> ExitCode {
    eprintln!("symposia: {error}");
    ExitCode::from(code)
}
