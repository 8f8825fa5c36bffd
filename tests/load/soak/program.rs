//! The whole server as a child process, and what it holds of the machine.

use super::http::Http;
use crate::machine::resident_kib;
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use symposia::clock;

/// What the server counts of what is there now; all but these only grow.
const GAUGES: [&str; 6] = [
    "symposia_sessions",
    "symposia_routers",
    "symposia_meetings",
    "symposia_participants",
    "symposia_websockets",
    "symposia_broadcasts",
];

/// The bounds against strangers are off: here all come from one address.
const SETTINGS: &str = "[limits]\njoins_per_minute_per_address = 1000000\nsockets_per_address = 8000\n\
                        renegotiations_per_minute = 1000000\n[media]\nadvertise = [\"127.0.0.1\"]\n";

/// A server that ends with this.
pub struct Program {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

/// What a server holds.
#[derive(Debug, Clone)]
pub struct Usage {
    pub resident_kib: u64,
    pub descriptors: usize,
    pub threads: usize,
    pub gauges: Vec<(&'static str, i64)>,
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} KiB, {} descriptors, {} threads", self.resident_kib, self.descriptors, self.threads)?;
        self.gauges.iter().try_for_each(|(name, value)| write!(f, ", {} {value}", name.trim_start_matches("symposia_")))
    }
}

impl Program {
    /// Starts one on a free port with a folder of its own.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("soak.toml");
        std::fs::File::create(&file).and_then(|mut file| file.write_all(SETTINGS.as_bytes())).expect("a file");
        let mut child = Command::new(env!("CARGO_BIN_EXE_symposia"))
            .args(["serve", "--dev", "--listen", "127.0.0.1:0", "--config"])
            .arg(&file)
            .arg("--data")
            .arg(folder.path().join("data"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it can be started");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let address = loop {
            let line = lines.next().expect("it says that it is ready").expect("text");
            if let Some(url) = line.strip_prefix("Symposia is ready: http://") {
                let host = url.split_whitespace().next().unwrap_or_default().replace("localhost", "127.0.0.1");
                break host.parse().expect("an address");
            }
        };
        // Whatever else it prints must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address, _folder: folder }
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it holds now.
    pub fn usage(&self, http: &mut Http) -> Usage {
        let pid = self.child.id();
        let entries = |folder: &str| std::fs::read_dir(format!("/proc/{pid}/{folder}")).map_or(0, Iterator::count);
        let metrics = http.call("GET", "/metrics", "text/plain", None, "");
        assert_eq!(metrics.status, 200, "{metrics:?}");
        let value = |name: &str| {
            let mut lines = metrics.body.lines().filter_map(|line| line.strip_prefix(name)?.trim().parse().ok());
            lines.next().unwrap_or_else(|| panic!("no {name} in /metrics"))
        };
        Usage {
            resident_kib: resident_kib(pid),
            descriptors: entries("fd"),
            threads: entries("task"),
            gauges: GAUGES.iter().map(|name| (*name, value(name))).collect(),
        }
    }

    /// Waits until it counts what it did before, or no more time is left.
    pub fn quiet(&self, http: &mut Http, before: &Usage, within: Duration) -> Usage {
        let until = clock::now() + within;
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let usage = self.usage(http);
            if usage.gauges == before.gauges || clock::now() > until {
                return usage;
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
