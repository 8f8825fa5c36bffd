//! An HTTP client over one connection that is kept, and WebSockets. Blocking; knows only what the soak needs.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Nothing takes longer than this.
const PATIENCE: Duration = Duration::from_secs(20);

/// The connection.
pub struct Http {
    from: Ipv4Addr,
    address: SocketAddr,
    stream: BufReader<TcpStream>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Answer {
    /// A field of a JSON answer.
    pub fn text(&self, field: &str) -> String {
        let json: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"));
        json[field].as_str().unwrap_or_else(|| panic!("no {field} in {self:?}")).to_owned()
    }
}

/// A TCP connection to the server from an address of the caller's choice on this machine.
pub fn stream(from: Ipv4Addr, address: SocketAddr) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from((from, 0)).into()).expect("an address of this machine");
    socket.connect(&address.into()).expect("the server listens");
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true).expect("an option");
    stream.set_read_timeout(Some(PATIENCE)).expect("an option");
    stream
}

impl Http {
    pub fn connect(from: Ipv4Addr, address: SocketAddr) -> Self {
        Self { from, address, stream: BufReader::new(stream(from, address)) }
    }

    pub const fn from(&self) -> Ipv4Addr {
        self.from
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// One request; the connection is made anew where the server closed it while nothing was asked.
    pub fn call(&mut self, method: &str, path: &str, kind: &str, token: Option<&str>, body: &str) -> Answer {
        let bearer = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        let (address, len) = (self.address, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: {kind}\r\ncontent-length: {len}\r\n{bearer}\r\n{body}"
        );
        for _ in 0..2 {
            if self.stream.get_mut().write_all(request.as_bytes()).is_ok()
                && let Some(answer) = self.read()
            {
                return answer;
            }
            self.stream = BufReader::new(stream(self.from, address));
        }
        panic!("{method} {path} is not answered");
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(line.trim_end().to_owned())
    }

    fn read(&mut self) -> Option<Answer> {
        let status = self.line()?.split(' ').nth(1)?.parse().ok()?;
        let mut headers = HashMap::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let len = headers.get("content-length").map_or(0, |len: &String| len.parse().expect("a length"));
        let mut body = vec![0; len];
        self.stream.read_exact(&mut body).ok()?;
        Some(Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
    }
}
