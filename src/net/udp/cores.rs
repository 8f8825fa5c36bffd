//! The processor cores this process may run on. Knows no threads but the calling one.

use std::io;
use std::mem::{size_of, zeroed};

/// The cores of the process's affinity mask, in rising order: one worker belongs on each.
#[expect(unsafe_code, reason = "the standard library counts cores but does not name them")]
pub fn cores() -> Vec<usize> {
    // SAFETY: a `cpu_set_t` is an array of integers, for which zeros are a value.
    let mut set: libc::cpu_set_t = unsafe { zeroed() };
    let process = std::process::id().cast_signed();
    // SAFETY: the kernel writes at most the given number of bytes to the set, which lives on.
    let result = unsafe { libc::sched_getaffinity(process, size_of::<libc::cpu_set_t>(), &raw mut set) };
    if result != 0 {
        // More cores than the set has bits for: name as many as there are.
        return (0..std::thread::available_parallelism().map_or(1, usize::from)).collect();
    }
    (0..libc::CPU_SETSIZE as usize)
        // SAFETY: the index is below the number of bits of the set.
        .filter(|core| unsafe { libc::CPU_ISSET(*core, &set) })
        .collect()
}

/// Keeps the calling thread on that core.
///
/// # Errors
/// The kernel's: there is no such core, or the process may not use it.
#[expect(unsafe_code, reason = "the standard library does not pin threads")]
pub fn pin_to_core(core: usize) -> io::Result<()> {
    if core >= libc::CPU_SETSIZE as usize {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    // SAFETY: a `cpu_set_t` is an array of integers, for which zeros are a value.
    let mut set: libc::cpu_set_t = unsafe { zeroed() };
    // SAFETY: the index is below the number of bits of the set.
    unsafe { libc::CPU_SET(core, &mut set) };
    // SAFETY: the kernel reads the given number of bytes of the set; 0 is the calling thread.
    match unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_can_be_pinned_to_each_core_of_the_process_and_to_no_other() {
        let cores = cores();
        assert!(!cores.is_empty() && cores.is_sorted());
        for core in cores {
            std::thread::spawn(move || {
                pin_to_core(core).unwrap();
                // SAFETY: the call has no arguments and no effects.
                #[expect(unsafe_code, reason = "asks where the thread runs")]
                let here = unsafe { libc::sched_getcpu() };
                assert_eq!(usize::try_from(here), Ok(core));
            })
            .join()
            .unwrap();
        }
        assert!(pin_to_core(usize::MAX).is_err());
        assert!(pin_to_core(libc::CPU_SETSIZE as usize - 1).is_err());
    }
}
