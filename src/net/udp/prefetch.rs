//! Asks the processor for memory that is needed soon. Knows nothing of what stands there.
//!
//! A subscriber's keys and numbers are touched once per frame; by then the frames of all the others have
//! pushed them out of the near caches. Asking for the next subscriber's while one is served hides that wait.

/// Bytes of a cache line on the processors that this is for.
const LINE: usize = 64;

/// Asks for the cache lines of a value. Where the processor's way of asking is not known it does nothing.
#[inline]
#[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "the standard library has no safe prefetch"))]
pub fn prefetch<T>(value: &T) {
    let start = std::ptr::from_ref(value).cast::<i8>();
    for offset in (0..size_of::<T>()).step_by(LINE) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a prefetch reads and writes nothing that a program could see, and cannot fault.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(offset));
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = start.wrapping_add(offset);
    }
}
