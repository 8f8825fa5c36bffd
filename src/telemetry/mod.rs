//! Logs and metrics. Knows nothing of what is measured.
