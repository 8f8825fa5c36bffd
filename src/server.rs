//! Start-up and shut-down: every step in one place, in order, with the reasons.
