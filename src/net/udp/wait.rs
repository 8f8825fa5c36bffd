//! Waiting for datagrams, for what else is to be read, or for a call from another thread. Knows no clock: it is told how long.

use super::raised::Raised;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

/// What ended a wait; neither when the time was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Readiness {
    /// Datagrams are there.
    pub readable: bool,
    /// A [`Waker`] was used since the last wait.
    pub woken: bool,
}

/// Ends a socket's wait from another thread. Put what is to be found into its queue first.
#[derive(Debug, Clone)]
pub struct Waker(Arc<Event>);

#[derive(Debug)]
struct Event {
    /// An eventfd: readable while its count is not 0.
    file: File,
    /// Whether the count was raised and not read yet: a second call needs no system call.
    raised: Raised,
}

impl Waker {
    #[expect(unsafe_code, reason = "the standard library has no eventfd")]
    pub(super) fn new() -> io::Result<Self> {
        // SAFETY: the call takes two numbers and gives a descriptor or −1.
        let descriptor = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and owned by nobody else.
        let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
        Ok(Self(Arc::new(Event { file: descriptor.into(), raised: Raised::new() })))
    }

    /// Ends the wait that is under way, or the next one.
    pub fn wake(&self) {
        // It fails only when the count is full, and then the wait ends anyway.
        self.0.raised.raise(|| drop((&self.0.file).write(&1u64.to_ne_bytes())));
    }

    fn lower(&self) {
        self.0.raised.lower(|| drop((&self.0.file).read(&mut [0; 8])));
    }
}

/// Waits until the socket or the other descriptor is readable, the waker is used or the time is over (`None`: forever).
#[expect(unsafe_code, reason = "the standard library does not poll")]
pub(super) fn wait(
    socket: RawFd,
    waker: &Waker,
    also: Option<BorrowedFd<'_>>,
    timeout: Option<Duration>,
) -> io::Result<Readiness> {
    let interest = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // poll(2) passes over negative ones.
    let also = also.map_or(-1, |descriptor| descriptor.as_raw_fd());
    let mut descriptors = [interest(socket), interest(waker.0.file.as_raw_fd()), interest(also)];
    let timeout = timeout.map(|timeout| libc::timespec {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: the kernel reads and writes three descriptors and reads the time, all of which live on;
    // a null signal mask leaves the mask as it is.
    let ready =
        unsafe { libc::ppoll(descriptors.as_mut_ptr(), descriptors.len() as libc::nfds_t, timeout, ptr::null()) };
    if ready < 0 {
        let error = io::Error::last_os_error();
        // A signal ends a wait early, which a caller cannot tell from a short one.
        return if error.kind() == io::ErrorKind::Interrupted { Ok(Readiness::default()) } else { Err(error) };
    }
    let readiness = Readiness { readable: descriptors[0].revents != 0, woken: descriptors[1].revents != 0 };
    if readiness.woken {
        waker.lower();
    }
    Ok(readiness)
}
