//! The socket of one browser: `GET /api/v1/socket`, subprotocol `symposia.v1`. Reads messages, bounds
//! them and passes them on; writes what the meeting queued. Knows no rules of meetings.

use super::AppState;
use super::caller::Caller;
use super::errors::{Failure, HttpCode};
use super::guard::{Client, host_header, origin_is_ours};
use super::join;
use super::limits::OpenSocket;
use super::packing::{WORTH_PACKING, pack, unpack};
use crate::clock;
use crate::meetings::counters;
use crate::meetings::rate::{Bucket, Later};
use crate::meetings::{CloseReason, Outbox, OutboxReader, Outgoing, Refusal, Seat, outbox};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use signaling::protocol::{ClientMessage, Join, RefusalCode, ServerMessage, VERSION};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// A message counts as one for each so many bytes that it has when unpacked: a few hundred can become half a megabyte.
const SIZE_OF_ONE: usize = 16 << 10;

/// The subprotocol; another major version gets another name.
pub const SUBPROTOCOL: &str = "symposia.v1";
/// The same, with messages that may come packed as binary ones: both sides may, from the first on.
pub const PACKED_SUBPROTOCOL: &str = "symposia.v1.packed";
/// How often it is looked at whether strangers should make room.
const CROWD_TICK: Duration = Duration::from_secs(1);
/// How often the server asks for a sign of life; below the usual 60 s of proxies.
const PING_EVERY: Duration = Duration::from_secs(15);
/// How long no sign of life is borne: two pings unanswered, and a network's hiccup.
const SILENCE: Duration = Duration::from_secs(40);
/// How long a closing socket may take to send the close frame and what is before it.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

type Writer = SplitSink<WebSocket, Message>;

/// `GET /api/v1/socket`
pub async fn open(
    State(state): State<AppState>,
    client: Client,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    // A GET changes nothing, so the guard let foreign pages pass; a socket can change everything.
    let host = host_header(&headers, &uri).unwrap_or_default();
    if !origin_is_ours(&state, &headers, host) {
        return Failure::from(HttpCode::ForeignOrigin).into_response();
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade.protocols([PACKED_SUBPROTOCOL, SUBPROTOCOL]),
        Err(rejection) => return rejection.into_response(),
    };
    if upgrade.selected_protocol().is_none() {
        return Failure::from(RefusalCode::UnsupportedVersion)
            .with_detail("offer the subprotocol symposia.v1")
            .into_response();
    }
    let counted = match state.limits.open_socket(client.address) {
        Ok(counted) => counted,
        Err(Later(seconds)) => return Failure::from(RefusalCode::TooMany).retry_after(seconds).into_response(),
    };
    let packed = upgrade.selected_protocol().is_some_and(|protocol| protocol == PACKED_SUBPROTOCOL);
    let bytes = state.config.limits.message_bytes as usize;
    let caller = match Caller::new(&state, client, headers).await {
        Ok(caller) => caller,
        Err(failure) => return failure.into_response(),
    };
    upgrade
        .max_message_size(bytes)
        .max_frame_size(bytes)
        // One writer at a time; a queue behind a slow client is the outbox's business.
        .max_write_buffer_size(bytes.saturating_mul(4))
        .on_upgrade(move |socket| Box::pin(serve(state, caller, counted, packed, socket)))
}

async fn serve(state: AppState, caller: Caller, counted: OpenSocket, packed: bool, socket: WebSocket) {
    counters::SOCKETS.add(1);
    let (writer, reader) = socket.split();
    let limit = state.config.limits.message_bytes as usize;
    let mut reader = Reader { stream: reader, unpacks: packed.then_some(limit) };
    let (sender, queue) = outbox();
    let mut writing = tokio::spawn(write(writer, queue, packed));
    read(&state, &caller, counted, &mut reader, sender, &mut writing).await;
    // The writer ends by itself: the last sender is gone, or a close was queued. Then the client's
    // own close is waited for: a socket closed before it was read would take back what was sent.
    let _ = timeout(CLOSE_WITHIN, async {
        if !writing.is_finished() {
            let _ = writing.await;
        }
        while let Some(Ok(_)) = reader.stream.next().await {}
    })
    .await;
    counters::SOCKETS.add(-1);
}

/// What comes in.
struct Reader {
    stream: SplitStream<WebSocket>,
    /// Packed messages are taken, so long when unpacked.
    unpacks: Option<usize>,
}

/// A message as it came.
enum Incoming {
    Text(Utf8Bytes),
    Packed(Bytes),
}

/// Why reading ended.
enum End {
    /// The other side closed, or the network did.
    Gone,
    /// We want no more of it.
    Close(CloseReason),
}

async fn read(
    state: &AppState,
    caller: &Caller,
    mut counted: OpenSocket,
    reader: &mut Reader,
    outbox: Outbox,
    writing: &mut JoinHandle<()>,
) {
    let seat = match hello(state, caller, reader, &outbox).await {
        Ok(seat) => seat,
        Err(End::Gone) => return outbox.cut(CloseReason::TimedOut),
        Err(End::Close(reason)) => return outbox.close(reason),
    };
    counted.known();
    let end = tokio::select! {
        end = messages(state, reader, &outbox, &seat) => end,
        // Closed from our side: what still comes in is not read.
        _ = writing => End::Gone,
    };
    match end {
        End::Gone => outbox.cut(CloseReason::TimedOut),
        End::Close(reason) => outbox.close(reason),
    }
    seat.disconnected().await;
}

/// Reads the first message and takes a seat.
async fn hello(state: &AppState, caller: &Caller, reader: &mut Reader, outbox: &Outbox) -> Result<Seat, End> {
    let refuse = |refusal: Refusal| {
        outbox.send(refusal.into_message(0));
        Err(End::Close(CloseReason::Refused))
    };
    let first = async {
        loop {
            if let Some(message) = reader.next().await? {
                return Ok(parse(&reader.text_of(message)?));
            }
        }
    };
    // Only the waiting is cut short: who has begun to take a seat takes it or is refused.
    let message = tokio::select! {
        message = first => message?,
        () = patience(state, caller) => return Err(End::Close(CloseReason::TimedOut)),
    };
    let (version, join, name) = match message {
        Ok(ClientMessage::Hello { version, join, name }) => (version, join, name),
        Ok(_) => return refuse(RefusalCode::OutOfOrder.into()),
        Err(refusal) => return refuse(refusal),
    };
    if version != VERSION {
        return refuse(RefusalCode::UnsupportedVersion.into());
    }
    let resuming = matches!(join, Join::Resume { .. });
    if state.is_draining() && !resuming {
        return refuse(RefusalCode::Draining.into());
    }
    match join::enter(state, caller, join, name, outbox.clone()).await {
        Ok(seat) => Ok(seat),
        Err(refusal) => refuse(refusal),
    }
}

/// Ends when a stranger without a hello has to go.
async fn patience(state: &AppState, caller: &Caller) {
    let bounds = &state.limits.bounds;
    sleep(bounds.hello).await;
    let mut left = bounds.standby.saturating_sub(bounds.hello);
    while !left.is_zero() && !state.is_draining() && !state.limits.is_crowded(caller.client.address) {
        sleep(CROWD_TICK).await;
        left = left.saturating_sub(CROWD_TICK);
    }
}

/// Passes messages on until the socket ends.
async fn messages(state: &AppState, reader: &mut Reader, outbox: &Outbox, seat: &Seat) -> End {
    let mut allowance = Bucket::new(state.limits.bounds.messages, clock::now());
    loop {
        let message = match timeout(SILENCE, reader.next()).await {
            Ok(Ok(message)) => message,
            Ok(Err(end)) => return end,
            Err(_) => return End::Close(CloseReason::TimedOut),
        };
        // Before it is unpacked, and then once more for what that cost.
        let taken = allowance.take(clock::now()).and_then(|()| {
            let text = message.map(|message| reader.text_of(message)).transpose();
            let size = text.as_ref().ok().and_then(Option::as_ref).map_or(0, |text| text.len());
            for _ in 0..size / SIZE_OF_ONE {
                allowance.take(clock::now())?;
            }
            Ok(text)
        });
        let text = match taken {
            Ok(Ok(text)) => text,
            Ok(Err(end)) => return end,
            Err(Later(seconds)) => {
                outbox.send(Refusal::from(RefusalCode::TooMany).retry_after(seconds).into_message(0));
                return End::Close(CloseReason::Misbehaved);
            }
        };
        let Some(text) = text else { continue };
        counters::MESSAGES.add(1);
        match parse(&text) {
            Ok(ClientMessage::Command { id, command }) => {
                if !seat.command(id, command).await {
                    return End::Gone;
                }
            }
            Ok(ClientMessage::Ping { nonce }) => {
                outbox.send(ServerMessage::Pong { nonce });
            }
            Ok(ClientMessage::Hello { .. }) => {
                outbox.send(Refusal::from(RefusalCode::OutOfOrder).into_message(0));
            }
            Err(refusal) => {
                outbox.send(refusal.into_message(0));
                return End::Close(CloseReason::Misbehaved);
            }
        }
    }
}

impl Reader {
    /// The next message; `None` is another sign of life.
    async fn next(&mut self) -> Result<Option<Incoming>, End> {
        match self.stream.next().await {
            Some(Ok(Message::Text(text))) => Ok(Some(Incoming::Text(text))),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
            Some(Ok(Message::Binary(bytes))) => Ok(Some(Incoming::Packed(bytes))),
            // Over the size limit, no UTF-8, a broken frame: the protocol says close.
            Some(Err(_)) => Err(End::Close(CloseReason::Misbehaved)),
            Some(Ok(Message::Close(_))) | None => Err(End::Gone),
        }
    }
}

impl Reader {
    /// What a message says.
    fn text_of(&self, message: Incoming) -> Result<Utf8Bytes, End> {
        match message {
            Incoming::Text(text) => Ok(text),
            Incoming::Packed(bytes) => match self.unpacks.and_then(|limit| unpack(&bytes, limit)) {
                Some(text) => Ok(text.into()),
                None => Err(End::Close(CloseReason::Misbehaved)),
            },
        }
    }
}

/// `serde_json` refuses to go deeper than 128, so that nested brackets cannot exhaust the stack.
fn parse(text: &str) -> Result<ClientMessage, Refusal> {
    serde_json::from_str(text).map_err(|error| Refusal::from(RefusalCode::BadMessage).detail(error.to_string()))
}

/// Writes the queue, and pings in between.
async fn write(mut writer: Writer, mut queue: OutboxReader, packed: bool) {
    let mut pings = interval(PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let reason = loop {
        let message = tokio::select! {
            next = queue.next() => match next {
                Outgoing::Message(message) => match serde_json::to_string(&message) {
                    Ok(text) if packed && text.len() >= WORTH_PACKING => Message::Binary(pack(&text).into()),
                    Ok(text) => Message::Text(text.into()),
                    Err(error) => {
                        tracing::error!(%error, "a message could not be written");
                        continue;
                    }
                },
                Outgoing::Close(reason) => break reason,
            },
            _ = pings.tick() => Message::Ping(axum::body::Bytes::new()),
        };
        tokio::select! {
            sent = writer.send(message) => if sent.is_err() { return },
            reason = queue.cut_off() => break reason,
        }
    };
    tracing::debug!(reason = reason.word(), "a socket closes");
    let frame = CloseFrame { code: reason.code(), reason: Utf8Bytes::from_static(reason.word()) };
    let _ = timeout(CLOSE_WITHIN, writer.send(Message::Close(Some(frame)))).await;
}
