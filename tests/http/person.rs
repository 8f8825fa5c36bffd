//! Somebody with a WebSocket.

use crate::support::{MeetingLinks, Server};
use futures_util::{SinkExt, StreamExt};
use signaling::ids::ParticipantId;
use signaling::protocol::{
    ClientMessage, Command, Event, Join, MediaEvent, Outcome, RefusalCode, ServerMessage, VERSION,
};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{Request, StatusCode};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const PATIENCE: Duration = Duration::from_secs(10);

pub struct Person {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    early: VecDeque<ServerMessage>,
    pub you: ParticipantId,
    pub seat: String,
    pub last_event: u64,
    next_command: u64,
}

/// How a socket ended: its close code, or none.
pub type Closed = Option<u16>;

/// The handshake as our page does it.
pub fn handshake(server: &Server, headers: &[(&'static str, &str)]) -> Request<()> {
    let mut request = format!("ws://{}/api/v1/socket", server.address).into_client_request().expect("a request");
    let ours = format!("http://{}", server.address);
    let all = [("sec-websocket-protocol", "symposia.v1"), ("origin", ours.as_str())];
    for (name, value) in all.into_iter().chain(headers.iter().copied()) {
        request.headers_mut().insert(name, value.parse().expect("a header"));
    }
    request
}

/// The status with which a handshake is refused; 101 where it is not.
pub async fn knock_status(request: Request<()>) -> StatusCode {
    match connect_async(request).await {
        Ok(_) => StatusCode::SWITCHING_PROTOCOLS,
        Err(Error::Http(response)) => response.status(),
        Err(error) => panic!("{error}"),
    }
}

/// The text of a packed message.
fn unpacked(packed: &[u8]) -> String {
    let text = miniz_oxide::inflate::decompress_to_vec(packed).expect("DEFLATE");
    String::from_utf8(text).expect("UTF-8")
}

impl Person {
    pub async fn connect(server: &Server, cookies: &str) -> Self {
        let headers: &[_] = if cookies.is_empty() { &[] } else { &[("cookie", cookies)] };
        Self::over(handshake(server, headers)).await
    }

    pub async fn over(handshake: Request<()>) -> Self {
        let (socket, _) = connect_async(handshake).await.expect("a socket");
        let you = ParticipantId(0);
        Self { socket, early: VecDeque::new(), you, seat: String::new(), last_event: 0, next_command: 1 }
    }

    /// Says hello and waits to be inside or in the waiting room.
    pub async fn hello(&mut self, join: Join, name: &str) -> Result<Event, RefusalCode> {
        let hello = ClientMessage::Hello { version: VERSION, join, name: Some(name.to_owned()) };
        self.say(&hello).await;
        loop {
            match self.next().await {
                Ok(ServerMessage::Event { event, .. }) => return Ok(event),
                Ok(ServerMessage::Refused { id: 0, code, .. }) => return Err(code),
                Ok(_) => {}
                Err(closed) => panic!("closed with {closed:?} instead of an answer"),
            }
        }
    }

    pub async fn join(server: &Server, join: Join, name: &str, cookies: &str) -> Result<(Self, Event), RefusalCode> {
        let mut person = Self::connect(server, cookies).await;
        let event = person.hello(join, name).await?;
        Ok((person, event))
    }

    pub async fn by_link(server: &Server, meeting: &MeetingLinks, name: &str) -> (Self, Event) {
        let join = Join::Link { meeting: meeting.id.clone(), token: meeting.token.clone() };
        Self::join(server, join, name, "").await.expect("the link is right")
    }

    pub async fn host(server: &Server, meeting: &MeetingLinks) -> Self {
        let cookie = server.host_cookie(meeting).await;
        let join = Join::Host { meeting: meeting.id.clone() };
        let (host, event) = Self::join(server, join, "Hana", &cookie).await.expect("the cookie is right");
        assert!(matches!(event, Event::Welcome { .. }), "{event:?}");
        host
    }

    /// Back to the seat, wanting everything afresh.
    pub fn resume(&self, meeting: &MeetingLinks) -> Join {
        Join::Resume { meeting: meeting.id.clone(), seat: self.seat.clone(), last_event: 0 }
    }

    /// Back to the seat, wanting what was missed.
    pub fn resume_where_left(&self, meeting: &MeetingLinks) -> Join {
        Join::Resume { meeting: meeting.id.clone(), seat: self.seat.clone(), last_event: self.last_event }
    }

    pub async fn say(&mut self, message: &ClientMessage) {
        let text = serde_json::to_string(message).expect("JSON");
        self.say_raw(Message::text(text)).await;
    }

    pub async fn say_packed(&mut self, message: &ClientMessage) {
        let text = serde_json::to_vec(message).expect("JSON");
        self.say_raw(Message::binary(miniz_oxide::deflate::compress_to_vec(&text, 6))).await;
    }

    pub async fn say_raw(&mut self, message: Message) {
        // A server that closed meanwhile is seen by the next read.
        let _ = self.socket.send(message).await;
    }

    /// The next message, or how the socket ended.
    pub async fn next(&mut self) -> Result<ServerMessage, Closed> {
        if let Some(early) = self.early.pop_front() {
            return Ok(early);
        }
        self.read().await
    }

    async fn read(&mut self) -> Result<ServerMessage, Closed> {
        loop {
            let next = timeout(PATIENCE, self.socket.next()).await.expect("something within ten seconds");
            let text = match next {
                Some(Ok(Message::Text(text))) => text.to_string(),
                Some(Ok(Message::Binary(packed))) => unpacked(&packed),
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return Err(None),
            };
            let message: ServerMessage = serde_json::from_str(&text).expect("the protocol");
            if let ServerMessage::Event { number, event } = &message {
                self.last_event = *number;
                if let Event::Welcome { you, seat, .. } | Event::Waiting { you, seat, .. } = event {
                    self.you = *you;
                    self.seat.clone_from(seat);
                }
            }
            return Ok(message);
        }
    }

    /// The next event that fits; others are passed over.
    pub async fn event<T>(&mut self, fits: impl Fn(&Event) -> Option<T>) -> T {
        loop {
            match self.next().await {
                Ok(ServerMessage::Event { event, .. }) => {
                    if let Some(found) = fits(&event) {
                        return found;
                    }
                }
                Ok(_) => {}
                Err(closed) => panic!("closed with {closed:?}"),
            }
        }
    }

    /// The next report of media that fits.
    pub async fn media(&mut self, fits: impl Fn(&MediaEvent) -> bool) -> MediaEvent {
        loop {
            match self.next().await {
                Ok(ServerMessage::Media { media }) if fits(&media) => return media,
                Ok(_) => {}
                Err(closed) => panic!("closed with {closed:?}"),
            }
        }
    }

    /// Everything until the socket ends.
    pub async fn rest(&mut self) -> (Vec<ServerMessage>, Closed) {
        let mut messages = Vec::new();
        loop {
            match self.next().await {
                Ok(message) => messages.push(message),
                Err(closed) => return (messages, closed),
            }
        }
    }

    /// Everything that comes within a time.
    pub async fn within(&mut self, time: Duration) -> Vec<ServerMessage> {
        let mut messages = Vec::new();
        while let Ok(Ok(message)) = timeout(time, self.next()).await {
            messages.push(message);
        }
        messages
    }

    /// Asks, and waits for the answer; events that come before it are kept.
    pub async fn ask(&mut self, command: Command) -> Result<Outcome, RefusalCode> {
        let id = self.next_command;
        self.next_command += 1;
        self.ask_as(id, command).await
    }

    pub async fn ask_as(&mut self, id: u64, command: Command) -> Result<Outcome, RefusalCode> {
        self.say(&ClientMessage::Command { id, command }).await;
        loop {
            match self.read().await {
                Ok(ServerMessage::Reply { id: of, result }) if of == id => return Ok(result),
                Ok(ServerMessage::Refused { id: of, code, .. }) if of == id => return Err(code),
                Ok(other) => self.early.push_back(other),
                Err(closed) => panic!("closed with {closed:?} instead of an answer"),
            }
        }
    }

    /// Leaves without a word, as a network does.
    pub async fn drop_line(self) -> String {
        let seat = self.seat.clone();
        drop(self.socket);
        seat
    }
}

impl Person {
    /// What came before the last answer.
    pub fn drain_early(&mut self) -> Vec<ServerMessage> {
        self.early.drain(..).collect()
    }
}
