//! The media threads: each drives one socket, its sessions and its routers. Knows no tokio, no HTTP, no rules of meetings.

pub mod api;
