//! The socket of a viewer who comments and likes: `GET /api/v1/broadcasts/{id}/audience`, subprotocol
//! `symposia.audience.v1`. Bounds what comes in; writes what the audience tells. Knows no rules of it.

use super::AppState;
use super::caller::Caller;
use super::cookies;
use super::errors::{Failure, internal};
use super::guard::{Client, host_header, origin_is_ours};
use super::scope::watched;
use crate::audience::protocol::{FromViewer, Refused, SUBPROTOCOL};
use crate::audience::room::Viewer;
use crate::audience::{Next, Seat};
use crate::clock;
use crate::config::{Network, Secret};
use crate::http::errors::HttpCode;
use crate::meetings::CloseReason;
use crate::meetings::rate::{Bucket, Later, Rate};
use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use signaling::protocol::RefusalCode;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Bytes of one message: a comment of 1,000 characters, the most that a configuration allows, each escaped as twelve bytes.
const LONGEST: usize = 16 << 10;
/// Messages of one socket: likes come twice a second, and somebody types.
const MESSAGES: Rate = Rate::new(40, Duration::from_millis(50));
/// How often the server asks for a sign of life; below the usual 60 s of proxies.
const PING_EVERY: Duration = Duration::from_secs(20);
/// How long no sign of life is borne: two pings unanswered, and a network's hiccup.
const SILENCE: Duration = Duration::from_secs(50);
/// How long one message may take to leave: meanwhile news are dropped for this socket alone.
const SEND_WITHIN: Duration = Duration::from_secs(20);

/// `GET /api/v1/broadcasts/{id}/audience`
pub async fn open(
    State(state): State<AppState>,
    client: Client,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    let result = async {
        let host = host_header(&headers, &uri).unwrap_or_default();
        if !origin_is_ours(&state, &headers, host) {
            return Err(HttpCode::ForeignOrigin.into());
        }
        let upgrade = match upgrade {
            Ok(upgrade) => upgrade.protocols([SUBPROTOCOL]),
            Err(rejection) => return Ok(rejection.into_response()),
        };
        if upgrade.selected_protocol().is_none() {
            let old = Failure::from(RefusalCode::UnsupportedVersion);
            return Err(old.with_detail("offer the subprotocol symposia.audience.v1"));
        }
        let taken = state.limits.open_socket(client.address);
        let mut counted = taken.map_err(|Later(seconds)| Failure::from(RefusalCode::TooMany).retry_after(seconds))?;
        // Without one a whole school would be one viewer: muted together, and slow together.
        let made = if cookies::browser(&headers).is_none() { cookies::new_browser(state.is_secure()) } else { None };
        let mut headers = headers.clone();
        if let Some(cookie) = &made {
            headers.append(header::COOKIE, cookie.clone());
        }
        let caller = Caller::new(&state, client, headers).await?;
        let seat = sit(&state, &caller, &id).await?;
        counted.known();
        let upgrade = upgrade.max_message_size(LONGEST).max_frame_size(LONGEST).max_write_buffer_size(1 << 20);
        let mut response = upgrade.on_upgrade(move |socket| async move {
            serve(&state, caller, (&id, seat), socket).await;
            drop(counted);
        });
        if let Some(cookie) = made {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(response)
    };
    result.await.unwrap_or_else(IntoResponse::into_response)
}

/// A place for who may watch.
async fn sit(state: &AppState, caller: &Caller, id: &str) -> Result<Seat, Failure> {
    let broadcast = watched(state, id).await?;
    let account = caller.account.as_ref();
    let identity = account.map_or_else(|| caller.identity(), |account| format!("account:{}", account.id));
    let viewer = Viewer {
        author: Secret::new(identity).digest(),
        name: account.map(|account| account.name.clone()),
        moderator: caller.manages(state, &broadcast),
    };
    state.audience.join(id, viewer, account.map(|account| account.id)).await.map_err(internal)
}

async fn serve(state: &AppState, mut caller: Caller, (id, mut seat): (&str, Seat), socket: WebSocket) {
    let (mut writer, mut reader) = socket.split();
    let mut allowance = Bucket::new(MESSAGES, clock::now());
    let mut pings = interval(PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = clock::now();
    let mut told = seat.welcome();
    let reason = loop {
        if !told.is_empty() && !send(&mut writer, text(std::mem::take(&mut told))).await {
            return;
        }
        tokio::select! {
            next = seat.next() => match next {
                Next::Tell(news) => told = news,
                Next::Afresh => {
                    // Who may not watch any more, or is somebody else now, gets nothing of what comes.
                    let Ok(again) = caller.again(state).await else { break CloseReason::TimedOut };
                    caller = again;
                    seat = match sit(state, &caller, id).await {
                        Ok(fresh) => fresh,
                        Err(failure) => break why_not(&failure),
                    };
                    told = seat.welcome();
                }
                Next::Over => break CloseReason::Out,
                Next::Stop => break CloseReason::ServerStopping,
            },
            _ = pings.tick() => {
                if clock::now().saturating_duration_since(heard) > SILENCE {
                    break CloseReason::TimedOut;
                }
                if !send(&mut writer, Message::Ping(Bytes::new())).await {
                    return;
                }
            }
            message = reader.next() => {
                heard = clock::now();
                let text = match message {
                    Some(Ok(Message::Text(text))) => text,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Close(_))) | None => return,
                    Some(Ok(Message::Binary(_)) | Err(_)) => break CloseReason::Misbehaved,
                };
                if allowance.take(heard).is_err() {
                    break CloseReason::Misbehaved;
                }
                match serde_json::from_str(&text) {
                    Ok(FromViewer::Like { count }) => seat.like(count),
                    Ok(FromViewer::Comment { id, name, text }) => {
                        told = comment(state, &caller, &seat, (id, name.as_deref(), &text));
                    }
                    Err(_) => break CloseReason::Misbehaved,
                }
            }
        }
    };
    let frame = CloseFrame { code: reason.code(), reason: Utf8Bytes::from_static(reason.word()) };
    let _ = send(&mut writer, Message::Close(Some(frame))).await;
}

/// Only of what is over one need not ask again; a disk that failed may do better then.
fn why_not(failure: &Failure) -> CloseReason {
    if failure.status() == StatusCode::NOT_FOUND { CloseReason::Out } else { CloseReason::TimedOut }
}

fn comment(state: &AppState, caller: &Caller, seat: &Seat, (id, name, text): (u32, Option<&str>, &str)) -> Bytes {
    let address = Network::household(caller.client.address);
    if !seat.viewer.moderator
        && let Err(Later(seconds)) = state.limits.comments.take(clock::now(), address)
    {
        return Seat::refused(id, (Refused::TooMany, Some(seconds)));
    }
    Seat::answer(id, seat.comment(name, text))
}

fn text(bytes: Bytes) -> Message {
    // What `serde_json` wrote is UTF-8.
    Message::Text(Utf8Bytes::try_from(bytes).unwrap_or_default())
}

async fn send(writer: &mut SplitSink<WebSocket, Message>, message: Message) -> bool {
    matches!(timeout(SEND_WITHIN, writer.send(message)).await, Ok(Ok(())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_comes_back_unless_the_broadcast_is_over() {
        assert_eq!(why_not(&RefusalCode::NotFound.into()), CloseReason::Out);
        assert_eq!(why_not(&internal("the disk failed")), CloseReason::TimedOut);
    }

    #[test]
    fn the_longest_comment_fits_however_it_is_escaped() {
        let escaped = |characters: usize| "\\ud83d\\ude00".repeat(characters);
        let (name, text) = (escaped(signaling::meeting::NAME_MAX), escaped(1_000));
        let message = format!(r#"{{"type":"comment","id":4294967295,"name":"{name}","text":"{text}"}}"#);
        assert!(message.len() <= LONGEST, "{}", message.len());
        let read = serde_json::from_str(&message).expect("a message");
        assert!(matches!(read, FromViewer::Comment { text, .. } if text.chars().count() == 1_000));
    }
}
