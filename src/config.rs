//! The settings: one tree, unknown keys refused, defaults equal `symposia.example.toml`.
