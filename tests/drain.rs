//! SIGTERM while people meet: who is there stays, who comes anew is told, and it ends when they have left.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use signaling::protocol::{ClientMessage, Command, Event, Join, OutReason, RefusalCode, ServerMessage, VERSION};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command as Program, ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

struct Server {
    process: Child,
    port: u16,
    _data: TempDir,
}

impl Server {
    fn start(deadline_s: u32) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let settings = data.path().join("s.toml");
        std::fs::write(&settings, format!("[drain]\ndeadline_s = {deadline_s}\n")).expect("written");
        let mut process = Program::new(env!("CARGO_BIN_EXE_symposia"))
            .args(["serve", "--dev", "--listen", "127.0.0.1:0", "--config"])
            .args([settings.as_path(), std::path::Path::new("--data"), &data.path().join("data")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        Self { process, port: port.unwrap_or_else(|| panic!("no port in {line:?}")), _data: data }
    }

    fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Program::new("kill").args(["-s", name, &id]).status().expect("kill runs").success());
    }

    /// Status and body.
    fn call(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        let (port, length) = (self.port, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: localhost:{port}\r\nauthorization: Bearer dev\r\n{headers}\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
        .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, body.to_owned())
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let (status, text) = self.call("POST", path, "content-type: application/json\r\n", &body.to_string());
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// A meeting without a waiting room, as a way in.
    fn meeting(&self) -> Join {
        let (status, made) = self.post("/api/v1/meetings", &json!({ "waiting_room": false }));
        assert_eq!(status, 201, "{made}");
        let link = made["join_url"].as_str().expect("a link");
        let token = link.split_once("#t=").expect("its token").1.to_owned();
        Join::Link { meeting: made["id"].as_str().expect("its id").to_owned(), token }
    }

    /// Its exit status, once it has one.
    async fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        let ended = async {
            loop {
                if let Some(status) = self.process.try_wait().expect("its status") {
                    return status;
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(within, ended).await.ok()
    }

    fn runs(&mut self) -> bool {
        self.process.try_wait().expect("its status").is_none()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Person {
    socket: WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>,
}

impl Person {
    /// Comes in, or is refused.
    async fn join(server: &Server, join: Join) -> Result<Self, RefusalCode> {
        let mut request = format!("ws://localhost:{}/api/v1/socket", server.port).into_client_request().expect("one");
        request.headers_mut().insert("sec-websocket-protocol", "symposia.v1".parse().expect("a header"));
        let (socket, _) = connect_async(request).await.expect("a socket");
        let mut person = Self { socket };
        person.say(&ClientMessage::Hello { version: VERSION, join, name: Some("Ana".to_owned()) }).await;
        loop {
            match person.next().await.expect("an answer") {
                ServerMessage::Event { event: Event::Welcome { .. }, .. } => return Ok(person),
                ServerMessage::Refused { id: 0, code, .. } => return Err(code),
                _ => {}
            }
        }
    }

    async fn say(&mut self, message: &ClientMessage) {
        let text = serde_json::to_string(message).expect("JSON");
        self.socket.send(Message::text(text)).await.expect("sent");
    }

    /// The next message; none where the socket ended.
    async fn next(&mut self) -> Option<ServerMessage> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("something in time") {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).expect("the protocol")),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Asks for something and waits for the answer.
    async fn ask(&mut self, id: u64, command: Command) -> bool {
        self.say(&ClientMessage::Command { id, command }).await;
        loop {
            match self.next().await {
                Some(ServerMessage::Reply { id: of, .. }) if of == id => return true,
                Some(_) => {}
                None => return false,
            }
        }
    }

    /// Whether the server says that it stops before it closes the socket.
    async fn is_told_of_the_stop(&mut self) -> bool {
        while let Some(message) = self.next().await {
            if let ServerMessage::Event { event: Event::Out { reason }, .. } = message {
                return reason == OutReason::ServerStopping;
            }
        }
        false
    }
}

fn offer(name: &str) -> String {
    let path = format!("{}/tests/fixtures/sdp/{name}.sdp", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("a fixture")
}

// acceptance: D1
#[tokio::test]
async fn sigterm_keeps_who_is_there_refuses_who_comes_and_ends_when_all_have_left() {
    let mut server = Server::start(3600);
    let (running, other) = (server.meeting(), server.meeting());
    let mut ana = Person::join(&server, running.clone()).await.expect("in");
    server.signal("TERM");

    // At once, that is without anything in between: the first look that is refused shows that it was heard.
    let draining = async {
        while server.call("GET", "/readyz", "", "").0 != 503 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, draining).await.expect("it drains");
    let (status, refused) = server.post("/api/v1/meetings", &json!({}));
    assert_eq!((status, refused["code"].as_str()), (503, Some("draining")));
    assert_eq!(refused["message"].as_str(), Some(RefusalCode::Draining.sentence()));
    assert_eq!(Person::join(&server, other).await.err(), Some(RefusalCode::Draining));
    assert_eq!(Person::join(&server, running).await.err(), Some(RefusalCode::Draining));

    assert!(ana.ask(1, Command::SetHand { raised: true }).await, "the meeting goes on");
    assert!(server.ended(Duration::from_secs(1)).await.is_none());
    assert!(server.runs() && ana.ask(2, Command::SetHand { raised: false }).await);
    ana.say(&ClientMessage::Command { id: 3, command: Command::Leave }).await;
    let status = server.ended(PATIENCE).await.expect("it ends by itself");
    assert_eq!(status.code(), Some(0));
}

// acceptance: D1
#[tokio::test]
async fn a_live_broadcast_goes_on_and_no_other_begins() {
    let mut server = Server::start(3600);
    let make = || server.post("/api/v1/broadcasts", &json!({})).1;
    let (live, other) = (make(), make());
    let sdp = "content-type: application/sdp\r\n";
    // The key stands in the path, as simple encoders send it.
    let key = |broadcast: &Value| format!("/whip/{}", broadcast["stream_key"].as_str().expect("a key"));
    assert_eq!(server.call("POST", &key(&live), sdp, &offer("ffmpeg9-whip")).0, 201);
    server.signal("TERM");
    let draining = async {
        while server.call("GET", "/readyz", "", "").0 != 503 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, draining).await.expect("it drains");
    let (status, text) = server.call("POST", &key(&other), sdp, &offer("ffmpeg9-whip"));
    assert!(status == 503 && text.contains("draining"), "{status} {text}");
    let watch = format!("/whep/{}", live["id"].as_str().expect("an id"));
    assert_eq!(server.call("POST", &watch, sdp, &offer("chromium-whep")).0, 201, "viewers may come back");
    assert!(server.runs());
    server.signal("INT");
    assert_eq!(server.ended(PATIENCE).await.and_then(|status| status.code()), Some(0));
}

// acceptance: D1
#[tokio::test]
async fn at_the_deadline_everybody_is_told_and_it_ends() {
    let mut server = Server::start(2);
    let mut ana = Person::join(&server, server.meeting()).await.expect("in");
    let asked = symposia::clock::now();
    server.signal("TERM");
    assert!(server.ended(Duration::from_millis(1_500)).await.is_none(), "nobody is dropped before the deadline");
    assert!(ana.is_told_of_the_stop().await);
    assert!(symposia::clock::now().saturating_duration_since(asked) >= Duration::from_secs(2));
    assert_eq!(server.ended(PATIENCE).await.and_then(|status| status.code()), Some(0));
}

// acceptance: D1
#[tokio::test]
async fn a_second_sigterm_or_ctrl_c_ends_it_at_once() {
    for second in ["TERM", "INT"] {
        let mut server = Server::start(3600);
        let mut ana = Person::join(&server, server.meeting()).await.expect("in");
        server.signal("TERM");
        assert!(server.ended(Duration::from_millis(500)).await.is_none());
        server.signal(second);
        assert!(ana.is_told_of_the_stop().await);
        assert_eq!(server.ended(PATIENCE).await.and_then(|status| status.code()), Some(0), "{second}");
    }
}
