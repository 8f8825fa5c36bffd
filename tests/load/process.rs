//! The server process as the load generator holds it: lines down, lines up. Knows no media.

use super::machine;
use super::server::{hex, unhex};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

/// What the server counted since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    pub received: u64,
    pub sent: u64,
    /// On their way in.
    pub dropped: u64,
}

/// A server process.
pub struct Server {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Server {
    /// Starts one; it is up when this returns. With a number of sessions it has two workers, and a meeting's sessions
    /// beyond it go to the second.
    pub fn start(spread: Option<usize>) -> Self {
        let mut command = machine::child("server");
        command.args(spread.map(|sessions| sessions.to_string()));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it can be started");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut server = Self { child, input, output };
        server.stats();
        server
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn ask(&mut self, line: &str) -> String {
        writeln!(self.input.as_mut().expect("until it is dropped"), "{line}").expect("the server reads");
        let mut answer = String::new();
        self.output.read_line(&mut answer).expect("the server answers");
        answer.trim().to_owned()
    }

    pub fn stats(&mut self) -> Stats {
        let answer = self.ask("stats");
        let mut numbers = answer.split(' ').map(|word| word.parse().expect("a number"));
        let mut next = || numbers.next().expect("three numbers");
        Stats { received: next(), sent: next(), dropped: next() }
    }

    /// Drops by reason, key-frame requests, retransmissions.
    pub fn why(&mut self) -> String {
        self.ask("why")
    }

    /// Records a meeting from now on, or no more.
    pub fn record(&mut self, meeting: usize, on: bool) {
        let answer = self.ask(&format!("record {meeting} {}", u8::from(on)));
        assert_eq!(answer, "done");
    }

    /// Frames that recordings kept nothing of, and bytes that they wrote.
    pub fn recorded(&mut self) -> (u64, u64) {
        let answer = self.ask("recorded");
        let (dropped, bytes) = answer.split_once(' ').expect("two numbers");
        (dropped.parse().expect("a number"), bytes.parse().expect("a number"))
    }

    /// Lets a participant into a meeting; the answer to its offer.
    pub fn open(&mut self, meeting: usize, name: u32, publishes: bool, watches: &[u32], offer: &str) -> String {
        let watches: Vec<_> = watches.iter().map(u32::to_string).collect();
        let line = format!("open {meeting} {name} {} [{}] {}", u8::from(publishes), watches.join(","), hex(offer));
        unhex(&self.ask(&line))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends with its input.
        self.input = None;
        let _ = self.child.wait();
    }
}
