//! Live meetings: one task each that owns its `signaling::Meeting`, and the directory of them.
