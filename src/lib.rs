//! Symposia: video meetings and live streams from one binary. `ARCHITECTURE.md` is the map.

pub mod audience;
pub mod broadcast;
pub mod capture;
pub mod clock;
pub mod config;
pub mod http;
pub mod ingest;
pub mod meetings;
pub mod net;
pub mod places;
pub mod recordings;
pub mod router;
pub mod rtp;
pub mod server;
pub mod session;
pub mod store;
pub mod tasks;
pub mod telemetry;
pub mod worker;
