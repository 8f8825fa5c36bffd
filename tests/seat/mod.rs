//! A participant's WebSocket, which waits for answers: for tests and load against a server in a process of its own.
//! Included by `#[path]` from the test binaries that need it. Knows no media.

use signaling::ids::ParticipantId;
use signaling::protocol::{ClientMessage, Command, Event, Join, Outcome, ServerMessage, VERSION};
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket, client};

pub struct Seat {
    socket: WebSocket<TcpStream>,
    next: u64,
    pub you: ParticipantId,
    /// Events since they were asked for last.
    events: VecDeque<Event>,
}

impl Seat {
    /// Joins by the meeting's link, over a connection that is there.
    pub fn join(stream: TcpStream, meeting: &str, token: &str, name: &str) -> Self {
        let address = stream.peer_addr().expect("connected");
        let mut request = format!("ws://{address}/api/v1/socket").into_client_request().expect("a request");
        for (name, value) in [("sec-websocket-protocol", "symposia.v1"), ("origin", &format!("http://{address}"))] {
            request.headers_mut().insert(name, value.parse().expect("a header"));
        }
        let (socket, _) = client(request, stream).expect("a WebSocket");
        let mut seat = Self { socket, next: 1, you: ParticipantId(0), events: VecDeque::new() };
        let join = Join::Link { meeting: meeting.to_owned(), token: token.to_owned() };
        seat.say(&ClientMessage::Hello { version: VERSION, join, name: Some(name.to_owned()) });
        loop {
            match seat.read() {
                ServerMessage::Event { event: Event::Welcome { you, .. }, .. } => {
                    seat.you = you;
                    return seat;
                }
                ServerMessage::Refused { code, .. } => panic!("refused with {code:?}"),
                _ => {}
            }
        }
    }

    fn say(&mut self, message: &ClientMessage) {
        let text = serde_json::to_string(message).expect("JSON");
        self.socket.send(Message::text(text)).expect("the server reads");
    }

    fn read(&mut self) -> ServerMessage {
        loop {
            if let Message::Text(text) = self.socket.read().expect("the server answers") {
                return serde_json::from_str(&text).expect("the protocol");
            }
        }
    }

    pub fn ask(&mut self, command: Command) -> Outcome {
        let id = self.next;
        self.next += 1;
        self.say(&ClientMessage::Command { id, command });
        loop {
            match self.read() {
                ServerMessage::Reply { id: of, result } if of == id => return result,
                ServerMessage::Refused { id: of, code, .. } if of == id => panic!("refused with {code:?}"),
                ServerMessage::Event { event, .. } => self.events.push_back(event),
                _ => {}
            }
        }
    }

    /// What was told meanwhile.
    #[allow(dead_code, reason = "each test binary uses its own part")]
    pub fn events(&mut self) -> Vec<Event> {
        self.socket.get_mut().set_nonblocking(true).expect("an option");
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    if let ServerMessage::Event { event, .. } = serde_json::from_str(&text).expect("the protocol") {
                        self.events.push_back(event);
                    }
                }
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        self.socket.get_mut().set_nonblocking(false).expect("an option");
        self.events.drain(..).collect()
    }
}
