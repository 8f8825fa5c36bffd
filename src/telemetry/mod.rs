//! Logs and metrics. Knows nothing of what is measured.

pub mod log;
pub mod metrics;
