//! The server as clients see it: REST, WebSocket, WHIP and WHEP over real sockets, with a recorded
//! worker in place of media.

mod audience;
mod bounds;
mod broadcasts;
mod ingest;
mod media;
mod meeting;
mod network_tests;
mod people;
mod permissions;
mod person;
mod recordings;
mod rest;
mod secrets;
mod sockets;
mod support;
mod worker;
