//! What clients outside reach: REST, WebSocket, WHIP/WHEP, the web app. Knows no packets.

pub mod listener;
