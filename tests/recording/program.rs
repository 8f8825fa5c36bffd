//! The server as a process, started again on the same folder. Knows no meeting.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub struct Program {
    pub child: Child,
    pub address: SocketAddr,
}

impl Program {
    /// On a free port, with these words before the program's own.
    pub fn start(before: &[&str], settings: &Path, data: &Path) -> Self {
        let own = env!("CARGO_BIN_EXE_symposia");
        let mut command = match before.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(own);
                command
            }
            None => Command::new(own),
        };
        let mut child = command
            .args(["serve", "--dev", "--listen", "127.0.0.1:0", "--config"])
            .args([settings, Path::new("--data"), data])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let port: u16 = line.trim().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        Self { child, address: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    /// As a power cut ends it, but for the disk.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    pub fn call(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        let (address, length) = (self.address, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer dev\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
        .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// What a player gets.
    pub fn fetch(&self, path: &str, range: Option<&str>) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        let range = range.map_or_else(String::new, |range| format!("range: {range}\r\n"));
        let head = format!("GET {path} HTTP/1.0\r\nhost: {}\r\nauthorization: Bearer dev\r\n{range}\r\n", self.address);
        stream.write_all(head.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("answered");
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer");
        let status = std::str::from_utf8(&answer[9..12]).ok().and_then(|status| status.parse().ok()).expect("a status");
        (status, answer.split_off(end + 4))
    }

    pub fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, "");
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub fn post(&self, path: &str, body: &Value) -> Value {
        let (status, body) = self.call("POST", path, &body.to_string());
        assert!(status < 300, "{path}: {status} {body}");
        body
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
