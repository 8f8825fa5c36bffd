//! The program as a person or a service manager meets it: messages, exit status, signals.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

fn symposia(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_symposia"));
    command.args(arguments).env_remove("SYMPOSIA_API_TOKEN").stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    symposia(arguments).output().expect("the program runs")
}

/// Runs what must fail and returns exit status and message.
fn failure(arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(arguments);
    assert!(output.stdout.is_empty(), "errors do not go to standard output");
    (output.status.code(), String::from_utf8(output.stderr).expect("text"))
}

/// A server in a data folder of its own on a free port.
struct Running {
    process: Child,
    stdout: BufReader<ChildStdout>,
    port: u16,
    data: TempDir,
}

impl Running {
    fn start(more: &[&str]) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let folder = data.path().to_str().expect("text").to_owned();
        let mut process = symposia(&["serve", "--listen", "127.0.0.1:0", "--data", &folder])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        let mut stdout = BufReader::new(process.stdout.take().expect("piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        Self { process, stdout, port: port.unwrap_or_else(|| panic!("no port in {line:?}")), data }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost:{}\r\nconnection: close\r\n\r\n", self.port)
            .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        answer
    }

    fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().expect("kill runs").success());
    }

    fn ended(&mut self) -> ExitStatus {
        for _ in 0..500 {
            if let Some(status) = self.process.try_wait().expect("its status") {
                return status;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it did not end");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn help_and_version_are_printed_and_nothing_is_started() {
    let output = run(&["--help"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("symposia serve [--config FILE]"));
    let output = run(&["--version"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("symposia {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn an_unknown_setting_is_named_with_the_nearest_known_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("s.toml");
    fs::write(&file, "[limits]\nsocket = 5\n").expect("written");
    let file = file.to_str().expect("text");
    let (status, message) = failure(&["serve", "--config", file]);
    assert_eq!(status, Some(2));
    assert_eq!(
        message,
        format!("symposia: {file}:2: unknown setting `limits.socket`; did you mean `limits.sockets`?\n")
    );
}

#[test]
fn a_port_in_use_is_named_and_the_way_out_said() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address");
    let data = tempfile::tempdir().expect("a folder");
    let (status, message) =
        failure(&["serve", "--dev", "--listen", &address.to_string(), "--data", data.path().to_str().expect("text")]);
    assert_eq!(status, Some(1));
    let message = message.lines().last().expect("a line").to_owned();
    assert!(
        message.contains(&format!("port {} is in use", address.port())) && message.contains("--listen"),
        "{message}"
    );
}

#[test]
fn a_data_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("written");
    // Root may write everywhere, but nobody can make a folder inside a file.
    let inside = file.join("data");
    let (status, message) =
        failure(&["serve", "--dev", "--listen", "127.0.0.1:0", "--data", inside.to_str().expect("text")]);
    assert_eq!(status, Some(1));
    assert!(message.contains("data folder") && message.contains(inside.to_str().expect("text")), "{message}");
}

// acceptance: SEC8
#[test]
fn dev_on_a_public_address_is_refused() {
    let (status, message) = failure(&["serve", "--dev", "--listen", "0.0.0.0:0"]);
    assert_eq!(status, Some(2));
    assert!(message.contains("`--dev`") && message.contains("0.0.0.0:0"), "{message}");
}

#[test]
fn a_second_server_in_the_same_folder_is_refused() {
    let first = Running::start(&["--dev"]);
    let folder = first.data.path().to_str().expect("text");
    let (status, message) = failure(&["serve", "--dev", "--listen", "127.0.0.1:0", "--data", folder]);
    assert_eq!(status, Some(1));
    assert!(message.contains("in use by another Symposia"), "{message}");
}

#[test]
fn it_serves_until_sigterm_and_ends_with_success() {
    let mut server = Running::start(&["--dev"]);
    assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
    server.signal("TERM");
    assert_eq!(server.ended().code(), Some(0));
    assert!(TcpStream::connect(("127.0.0.1", server.port)).is_err());
}

#[test]
fn ctrl_c_ends_it_at_once_also_while_a_request_is_open() {
    let mut server = Running::start(&["--dev"]);
    let mut open = TcpStream::connect(("127.0.0.1", server.port)).expect("it listens");
    open.write_all(b"GET /healthz HTTP/1.1\r\nhost: loc").expect("sent");
    server.signal("INT");
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn an_empty_store_prints_a_setup_link_but_not_with_dev() {
    let mut server = Running::start(&[]);
    let mut line = String::new();
    server.stdout.read_line(&mut line).expect("a line");
    let secret = line.trim().rsplit("/setup#").next().expect("a link");
    assert!(secret.len() == 32 && secret.bytes().all(|byte| byte.is_ascii_hexdigit()), "{line}");

    let mut dev = Running::start(&["--dev"]);
    dev.signal("TERM");
    dev.ended();
    let mut rest = String::new();
    dev.stdout.read_to_string(&mut rest).expect("text");
    assert!(!rest.contains("/setup#"), "{rest}");
}

// acceptance: SEC8
#[test]
fn the_log_holds_no_secret() {
    let data = tempfile::tempdir().expect("a folder");
    let file = data.path().join("s.toml");
    fs::write(&file, "[log]\nlevel = \"trace\"\n").expect("written");
    let token = "0123456789abcdef0123456789abcdef";
    let mut process = symposia(&["serve", "--listen", "127.0.0.1:0", "--config"])
        .args([&file, Path::new("--data"), &data.path().join("data")])
        .env("SYMPOSIA_API_TOKEN", token)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdout = BufReader::new(process.stdout.take().expect("piped"));
    let (mut ready, mut setup) = (String::new(), String::new());
    stdout.read_line(&mut ready).expect("a line");
    stdout.read_line(&mut setup).expect("a line");
    let ended = Command::new("kill").arg(process.id().to_string()).status().expect("kill runs");
    assert!(ended.success());
    let mut log = String::new();
    process.stderr.take().expect("piped").read_to_string(&mut log).expect("text");
    assert!(process.wait().expect("its status").success());
    let secret = setup.trim().rsplit('#').next().expect("a link");
    assert!(log.contains("ready"), "{log}");
    assert!(!log.contains(secret) && !log.contains(token), "{log}");
}
