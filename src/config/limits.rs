//! Every bound that a stranger can push against, with the reason for its default. Enforces none of them.

use super::kinds;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Which participant limit new meetings get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Plan {
    /// [`Limits::participants_free`].
    Free,
    /// [`Limits::participants_pro`].
    Pro,
}

/// The bounds. "Per address" counts an IPv4 address or an IPv6 /64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Which participant limit new meetings get: `free` or `pro`.
    pub plan: Plan,
    /// People in one meeting of the free plan.
    pub participants_free: u16,
    /// People in one meeting of the pro plan.
    pub participants_pro: u16,
    /// Meetings that run at once.
    pub meetings: u32,
    /// People in one waiting room.
    pub waiting: u16,
    /// Broadcasts that exist at once.
    pub broadcasts: u32,
    /// WHEP viewers of one broadcast.
    pub viewers: u32,
    /// People who test their network at once; a test sends two megabits a second there and back for some seconds.
    pub network_tests: u32,
    /// Open TCP connections.
    pub sockets: u32,
    /// Open TCP connections per address; trusted proxies are exempt. A school of 300 behind one address fits, spare media
    /// connections of browsers included.
    pub sockets_per_address: u32,
    /// Seconds from connecting to the end of the first request, the TLS handshake included.
    #[serde(rename = "request_s", with = "kinds::seconds")]
    pub request: Duration,
    /// Seconds without an answer after which a connection is closed; WebSockets are kept alive by pings.
    #[serde(rename = "idle_s", with = "kinds::seconds")]
    pub idle: Duration,
    /// Bytes of a request's JSON body.
    pub body_bytes: u32,
    /// Bytes of an SDP offer; one with 54 media sections of all codecs takes about 270,000. At most 524288.
    pub offer_bytes: u32,
    /// Bytes of one WebSocket message; offers travel in them.
    pub message_bytes: u32,
    /// WebSocket messages of one client per second.
    pub messages_per_second: u32,
    /// Characters of one chat message; four thousand are a page and a half.
    pub chat_characters: u32,
    /// Chat messages of one participant per minute.
    pub chat_per_minute: u32,
    /// Characters of one comment of a broadcast's viewer. At most 1000.
    pub comment_characters: u32,
    /// Comments of viewers per minute and address: a hall behind one address writes ten a second.
    pub comments_per_minute_per_address: u32,
    /// Meetings and broadcasts made per minute and address.
    pub creations_per_minute_per_address: u32,
    /// Joins per minute and address. A school of 300 behind one address joins within one.
    pub joins_per_minute_per_address: u32,
    /// Wrong meeting numbers per minute and address. With 1,000 addresses and 1,000 meetings a hit takes 100 minutes.
    pub number_guesses_per_minute_per_address: u32,
    /// Wrong passcodes per minute and meeting, whoever tries.
    pub passcode_guesses_per_minute_per_meeting: u32,
    /// Wrong passwords per minute and address.
    pub sign_ins_per_minute_per_address: u32,
    /// Media sections in an offer: 54 for all slots, the participant's own four, and room. At most 128.
    pub sections: u16,
    /// Tracks that one session may publish: microphone, camera, screen and its sound.
    pub tracks: u16,
    /// RTP streams that one session may send: three layers and their retransmissions in a few sections, and those
    /// that they replaced.
    pub streams: u16,
    /// Datagrams that one session may send per second; more are not looked at. An encoder of 20 Mbit/s sends 2,100.
    pub packets_per_second: u32,
    /// Bytes that one session may send per second; more are not looked at: twice what an encoder may.
    pub bytes_per_second: u32,
    /// What an encoder of a broadcast is told to send at most, so that one does not fill the server's link.
    pub encoder_bits_per_second: u32,
    /// Open connections of encoders by RTMP, also of those that do not publish yet.
    pub encoder_sockets: u32,
    /// Open connections of encoders by RTMP per address.
    pub encoder_sockets_per_address: u32,
    /// Bytes of one picture or sound of an encoder by RTMP: a second of 32 Mbit/s, as the key frame of a large picture.
    pub encoder_message_bytes: u32,
    /// Offers of one session per minute.
    pub renegotiations_per_minute: u32,
    /// Lost packets that one session may ask for again per second: a fifth of nine pictures and five voices.
    pub nacks_per_second: u32,
    /// Key frames that one session may ask for per second: one for each slot of a page.
    pub key_frame_requests_per_second: u32,
    /// Milliseconds in which a publisher is asked for at most one key frame per layer, however many subscribers want one.
    #[serde(rename = "key_frame_window_ms", with = "kinds::milliseconds")]
    pub key_frame_window: Duration,
    /// Sessions of one meeting or broadcast on one media thread; more go to the next one. Half of a meeting of 300.
    pub sessions_per_worker: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            plan: Plan::Pro,
            participants_free: 9,
            participants_pro: 300,
            meetings: 1_000,
            waiting: 100,
            broadcasts: 100,
            viewers: 1_000,
            network_tests: 8,
            sockets: 8_192,
            sockets_per_address: 2_048,
            request: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            body_bytes: 65_536,
            offer_bytes: 524_288,
            message_bytes: 524_288,
            messages_per_second: 50,
            chat_characters: 4_000,
            chat_per_minute: 60,
            comment_characters: 500,
            comments_per_minute_per_address: 600,
            creations_per_minute_per_address: 60,
            joins_per_minute_per_address: 300,
            number_guesses_per_minute_per_address: 10,
            passcode_guesses_per_minute_per_meeting: 30,
            sign_ins_per_minute_per_address: 10,
            sections: 64,
            tracks: 4,
            streams: 48,
            packets_per_second: 4_000,
            bytes_per_second: 5_000_000,
            encoder_bits_per_second: 20_000_000,
            encoder_sockets: 256,
            encoder_sockets_per_address: 64,
            encoder_message_bytes: 4 << 20,
            renegotiations_per_minute: 30,
            nacks_per_second: 600,
            key_frame_requests_per_second: 10,
            key_frame_window: Duration::from_millis(400),
            sessions_per_worker: 150,
        }
    }
}

impl Limits {
    /// How many people a new meeting may hold.
    #[must_use]
    pub fn capacity(&self) -> u16 {
        match self.plan {
            Plan::Free => self.participants_free,
            Plan::Pro => self.participants_pro,
        }
    }
}
