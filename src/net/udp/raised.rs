//! Whether a sleeping thread was called and has not heard it yet, so that of many calls only the first costs a system
//! call. Knows no descriptors: it is told how to ring and how to silence.
//!
//! `tests/model` includes this file and tries all orders of its steps.

use super::atomic::{AtomicBool, Ordering};

/// Whether the bell rings.
#[derive(Debug)]
pub struct Raised(AtomicBool);

impl Raised {
    /// It does not.
    pub fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Rings unless it rings already. What is to be found must have been put there before.
    pub fn raise(&self, ring: impl FnOnce()) {
        if !self.0.swap(true, Ordering::AcqRel) {
            ring();
        }
    }

    /// The sleeper heard it: silences it, and looks for what was put there afterwards. In this order: a bell rung
    /// between the two would be silenced and taken for ringing.
    pub fn lower(&self, silence: impl FnOnce()) {
        silence();
        // Reads what the last `raise` wrote, so that all that was queued before it is visible from here on.
        self.0.swap(false, Ordering::AcqRel);
    }
}
