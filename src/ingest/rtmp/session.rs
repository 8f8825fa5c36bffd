//! One connection that publishes by RTMP: handshake, commands, and then tags of sound and picture. Is told the time and
//! gives bytes back; knows no socket, no stream keys and nothing of what is in a tag.

use super::Malformed;
use super::amf::{self, Value};
use super::chunk::{self, Message, Reader};
use crate::ingest::media::Refused;
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// C1 and C2 (§5.2).
const GREETING: usize = 1536;
/// How long a connection may take until it publishes: by then a stranger costs a socket and little else.
const UNTIL_PUBLISH: Duration = Duration::from_secs(10);
/// How long a publisher may send nothing. Encoders that pause send sound or silence.
const SILENCE: Duration = Duration::from_secs(15);
/// Bytes of messages before somebody publishes: commands have some hundred.
const STRANGERS_BOUND: usize = 16 << 10;
/// Bytes that wait while a key is looked at: what one read brought, for nothing is read meanwhile.
const EARLY_BOUND: usize = 64 << 10;
/// Bytes after which each side acknowledges (§5.4.4).
const WINDOW: u32 = 2_500_000;
/// Commands before somebody publishes; encoders send 5.
const MOST_COMMANDS: u8 = 32;
/// The one message stream that there is.
const STREAM: u32 = 1;

// Message types (§5.4, §6.2, §7.1).
const SET_CHUNK_SIZE: u8 = 1;
const ABORT: u8 = 2;
const ACKNOWLEDGEMENT: u8 = 3;
const USER_CONTROL: u8 = 4;
const WINDOW_SIZE: u8 = 5;
const PEER_BANDWIDTH: u8 = 6;
const SOUND: u8 = 8;
const PICTURE: u8 = 9;
const DATA_AMF3: u8 = 15;
const COMMAND_AMF3: u8 = 17;
const DATA: u8 = 18;
const COMMAND: u8 = 20;
// User control events (§7.1.7).
const STREAM_BEGINS: u16 = 0;
const PING: u16 = 6;
const PONG: u16 = 7;
// Chunk streams of ours.
const CONTROL_CHUNKS: u8 = 2;
const COMMAND_CHUNKS: u8 = 3;
const STATUS_CHUNKS: u8 = 5;

/// What comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Bytes for the peer.
    Send(Vec<u8>),
    /// It wants to publish with this key: [`Session::accept`] or [`Session::refuse`] it. No tag comes before.
    Publish {
        /// The last part of the address, without what follows a question mark. A secret: not for logs.
        key: String,
        /// What the encoder calls itself; at most 64 characters.
        encoder: String,
    },
    /// What the encoder calls itself, now that it said so.
    Encoder(String),
    /// The body of an FLV tag.
    Tag {
        /// Sound rather than picture.
        sound: bool,
        /// Milliseconds, of 2^32.
        time: u32,
        /// Enhanced RTMP's or FLV's.
        body: Bytes,
    },
    /// It stops publishing, as it said.
    End,
}

const fn code(why: Refused) -> &'static str {
    match why {
        Refused::WrongKey => "NetStream.Publish.Denied",
        Refused::Busy => "NetStream.Publish.BadName",
        Refused::Unavailable => "NetStream.Publish.Rejected",
    }
}

#[derive(Debug)]
enum State {
    /// C0 and C1 are coming.
    Greeting(Vec<u8>),
    /// C2 is coming; so many bytes of it are left.
    Echo(usize),
    /// Commands.
    Open,
    /// The key is being looked at.
    Asked,
    /// Tags are taken.
    Publishing,
    /// Nothing is.
    Over,
}

/// One connection. Feed it with [`handle_bytes`](Self::handle_bytes) and
/// [`handle_timeout`](Self::handle_timeout); after each, take all of [`poll_output`](Self::poll_output).
#[derive(Debug)]
pub struct Session {
    state: State,
    reader: Reader,
    /// Of messages of a publisher.
    bound: usize,
    app: String,
    encoder: String,
    commands: u8,
    received: u32,
    acknowledged: u32,
    window: u32,
    /// Bytes of a chunk of ours, as the peer knows it.
    size: usize,
    patience: Instant,
    /// What came while the key was looked at: not all encoders wait for the answer.
    early: Vec<u8>,
    output: VecDeque<Output>,
}

impl Session {
    /// One that was accepted now; of a publisher, messages have at most `bound` bytes.
    #[must_use]
    pub fn new(now: Instant, bound: usize) -> Self {
        Self {
            state: State::Greeting(Vec::new()),
            reader: Reader::new(STRANGERS_BOUND),
            bound,
            app: String::new(),
            encoder: String::new(),
            commands: 0,
            received: 0,
            acknowledged: 0,
            window: WINDOW,
            size: chunk::FIRST_SIZE,
            patience: now + UNTIL_PUBLISH,
            early: Vec::new(),
            output: VecDeque::new(),
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called, unless something comes before.
    #[must_use]
    pub const fn poll_timeout(&self) -> Instant {
        self.patience
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.output.pop_front()
    }

    /// Time passes.
    ///
    /// # Errors
    /// [`Malformed::Late`] where the peer's time is over.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), Malformed> {
        if now >= self.patience { Err(Malformed::Late) } else { Ok(()) }
    }

    /// Bytes came.
    ///
    /// # Errors
    /// See [`Malformed`]; the connection is to be closed then.
    pub fn handle_bytes(&mut self, now: Instant, bytes: &[u8]) -> Result<(), Malformed> {
        self.handle_timeout(now)?;
        self.received = self.received.wrapping_add(bytes.len() as u32);
        self.read(now, bytes)?;
        if self.received.wrapping_sub(self.acknowledged) >= self.window {
            self.acknowledged = self.received;
            self.control(ACKNOWLEDGEMENT, &self.received.to_be_bytes());
        }
        Ok(())
    }

    fn read(&mut self, now: Instant, mut bytes: &[u8]) -> Result<(), Malformed> {
        loop {
            match &mut self.state {
                State::Greeting(have) => {
                    let (taken, rest) = bytes.split_at(bytes.len().min(1 + GREETING - have.len()));
                    have.extend_from_slice(taken);
                    bytes = rest;
                    if have.first().is_some_and(|version| *version != 3) {
                        return Err(Malformed::Version);
                    }
                    if have.len() < 1 + GREETING {
                        return Ok(());
                    }
                    // S0, S1 with our time 0 and nothing random, since nobody proves anything with it; S2, their C1.
                    let mut answer = vec![3];
                    answer.resize(1 + GREETING, 0);
                    answer.extend_from_slice(&have[1..]);
                    self.output.push_back(Output::Send(answer));
                    self.state = State::Echo(GREETING);
                }
                State::Echo(left) => {
                    let taken = bytes.len().min(*left);
                    *left -= taken;
                    bytes = &bytes[taken..];
                    if *left > 0 {
                        return Ok(());
                    }
                    self.state = State::Open;
                }
                State::Over => return Ok(()),
                State::Asked => {
                    if self.early.len() + bytes.len() > EARLY_BOUND {
                        return Err(Malformed::TooLong);
                    }
                    self.early.extend_from_slice(bytes);
                    return Ok(());
                }
                State::Open | State::Publishing => {
                    let Some(message) = self.reader.handle_bytes(&mut bytes)? else { return Ok(()) };
                    self.handle_message(now, message)?;
                }
            }
        }
    }

    /// The key was right: tags come from now on, and those that came meanwhile.
    ///
    /// # Errors
    /// As [`Session::handle_bytes`].
    pub fn accept(&mut self, now: Instant) -> Result<(), Malformed> {
        if !matches!(self.state, State::Asked) {
            return Ok(());
        }
        self.state = State::Publishing;
        self.patience = now + SILENCE;
        self.reader.set_bound(self.bound);
        self.control(USER_CONTROL, &[&STREAM_BEGINS.to_be_bytes()[..], &STREAM.to_be_bytes()].concat());
        self.status("status", "NetStream.Publish.Start", "Publishing.");
        let early = std::mem::take(&mut self.early);
        self.read(now, &early)
    }

    /// The key was not, or something else forbids it. The connection is to be closed when this is sent.
    pub fn refuse(&mut self, why: Refused) {
        self.status("error", code(why), why.reason());
        self.state = State::Over;
    }

    /// The publisher is told that it is over, such as when its broadcast was ended.
    pub fn end(&mut self) {
        self.status("error", "NetStream.Publish.Denied", "The broadcast was ended, or its stream key was changed.");
        self.state = State::Over;
    }

    fn handle_message(&mut self, now: Instant, message: Message) -> Result<(), Malformed> {
        let number =
            |payload: &[u8]| payload.first_chunk().map(|four| u32::from_be_bytes(*four)).ok_or(Malformed::Control);
        match message.kind {
            SET_CHUNK_SIZE => self.reader.set_size(number(&message.payload)?)?,
            ABORT => self.reader.abort(number(&message.payload)?),
            WINDOW_SIZE => self.window = number(&message.payload)?.clamp(1, WINDOW),
            USER_CONTROL => self.user_control(&message.payload),
            SOUND | PICTURE if matches!(self.state, State::Publishing) => {
                self.patience = now + SILENCE;
                let (sound, time, body) = (message.kind == SOUND, message.time, message.payload);
                self.output.push_back(Output::Tag { sound, time, body });
            }
            COMMAND => self.command(&message.payload)?,
            // AMF 3 begins with a byte that says that it is AMF 0.
            COMMAND_AMF3 => self.command(message.payload.get(1..).unwrap_or_default())?,
            DATA => self.data(&message.payload),
            DATA_AMF3 => self.data(message.payload.get(1..).unwrap_or_default()),
            _ => {}
        }
        Ok(())
    }

    fn user_control(&mut self, payload: &[u8]) {
        let Some((event, data)) = payload.split_first_chunk::<2>() else { return };
        if u16::from_be_bytes(*event) == PING
            && let Some(time) = data.first_chunk::<4>()
        {
            self.control(USER_CONTROL, &[&PONG.to_be_bytes()[..], time].concat());
        }
    }

    fn command(&mut self, payload: &[u8]) -> Result<(), Malformed> {
        // What a publisher adds later is little: the count is of what it cost until then.
        if !matches!(self.state, State::Publishing) {
            self.commands += 1;
            if self.commands > MOST_COMMANDS {
                return Err(Malformed::TooLong);
            }
        }
        let values = amf::read(payload)?;
        let [Value::Text(name), rest @ ..] = values.as_slice() else { return Err(Malformed::Amf) };
        let transaction = rest.first().and_then(Value::as_number).unwrap_or(0.0);
        match name.as_str() {
            "connect" => self.connect(transaction, rest.get(1)),
            "createStream" => self.result(transaction, Value::Null, Value::Number(STREAM.into())),
            "releaseStream" | "FCPublish" => self.result(transaction, Value::Null, Value::Null),
            "publish" => self.publish(rest.get(2).and_then(Value::as_text).unwrap_or_default()),
            "play" | "play2" => {
                self.status("error", "NetStream.Play.StreamNotFound", "Nobody can watch by RTMP here.");
                self.state = State::Over;
                self.output.push_back(Output::End);
            }
            "deleteStream" | "closeStream" | "FCUnpublish" => {
                if matches!(self.state, State::Publishing) {
                    self.state = State::Over;
                    self.output.push_back(Output::End);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn connect(&mut self, transaction: f64, about: Option<&Value>) {
        let member =
            |name: &str| about.and_then(|about| about.member(name)).and_then(Value::as_text).unwrap_or_default();
        self.app = member("app").to_owned();
        self.encoder = shortened(member("flashVer"));
        self.control(WINDOW_SIZE, &WINDOW.to_be_bytes());
        // 2: dynamic.
        self.control(PEER_BANDWIDTH, &[&WINDOW.to_be_bytes()[..], &[2]].concat());
        self.control(SET_CHUNK_SIZE, &(chunk::OUR_SIZE as u32).to_be_bytes());
        self.size = chunk::OUR_SIZE;
        // Enhanced RTMP v2: 4 says that they are forwarded, neither decoded nor encoded.
        let forwarded = Value::Number(4.0);
        let server = Value::object([
            ("fmsVer", Value::text("FMS/3,0,1,123")),
            ("capabilities", Value::Number(31.0)),
            ("fourCcList", Value::List(["avc1", "hvc1", "av01", "vp09", "mp4a", "Opus"].map(Value::text).to_vec())),
            (
                "videoFourCcInfoMap",
                Value::object(["avc1", "hvc1", "av01", "vp09"].map(|name| (name, forwarded.clone()))),
            ),
            ("audioFourCcInfoMap", Value::object(["mp4a", "Opus"].map(|name| (name, forwarded.clone())))),
        ]);
        let connected = Value::object([
            ("level", Value::text("status")),
            ("code", Value::text("NetConnection.Connect.Success")),
            ("description", Value::text("Connected.")),
            ("objectEncoding", Value::Number(0.0)),
        ]);
        self.result(transaction, server, connected);
    }

    fn publish(&mut self, name: &str) {
        if !matches!(self.state, State::Open) {
            return;
        }
        // rtmp://host/live/KEY, and rtmp://host/KEY, where the key is taken for an application.
        let part = |text: &str| {
            let path = text.split('?').next().unwrap_or_default();
            path.rsplit('/').find(|part| !part.is_empty()).map(str::to_owned)
        };
        let key = part(name).or_else(|| part(&self.app)).unwrap_or_default();
        self.state = State::Asked;
        self.output.push_back(Output::Publish { key, encoder: self.encoder.clone() });
    }

    /// `@setDataFrame`, `onMetaData`, {…}: of all that only who it is, the rest is read from the media itself.
    fn data(&mut self, payload: &[u8]) {
        // What encoders tell here is not needed: whatever cannot be read is left.
        let Ok(values) = amf::read(payload) else { return };
        if let Some(encoder) = values.iter().find_map(|value| value.member("encoder")).and_then(Value::as_text)
            && matches!(self.state, State::Publishing)
        {
            self.encoder = shortened(encoder);
            self.output.push_back(Output::Encoder(self.encoder.clone()));
        }
    }

    fn result(&mut self, transaction: f64, object: Value, answer: Value) {
        self.send_command(COMMAND_CHUNKS, 0, &[Value::text("_result"), Value::Number(transaction), object, answer]);
    }

    fn status(&mut self, level: &str, code: &str, description: &str) {
        let about = Value::object([
            ("level", Value::text(level)),
            ("code", Value::text(code)),
            ("description", Value::text(description)),
        ]);
        self.send_command(STATUS_CHUNKS, STREAM, &[Value::text("onStatus"), Value::Number(0.0), Value::Null, about]);
    }

    fn send_command(&mut self, chunks: u8, stream: u32, values: &[Value]) {
        let mut payload = Vec::new();
        for value in values {
            value.write(&mut payload);
        }
        self.send(chunks, &Message { kind: COMMAND, stream, time: 0, payload: payload.into() });
    }

    fn control(&mut self, kind: u8, payload: &[u8]) {
        let payload = Bytes::copy_from_slice(payload);
        self.send(CONTROL_CHUNKS, &Message { kind, stream: 0, time: 0, payload });
    }

    fn send(&mut self, chunks: u8, message: &Message) {
        let mut bytes = Vec::new();
        chunk::write(&mut bytes, chunks, message, self.size);
        self.output.push_back(Output::Send(bytes));
    }
}

/// What a stranger calls itself, as much as is shown of it.
fn shortened(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
