//! How many files the process may open: sockets are files. Knows no sockets.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are no HTTP sockets: database, media sockets, log, recordings.
const OTHERS: u64 = 256;

/// Raises the process's limit of open files as far as it may so that `sockets` fit, and returns how many do.
/// Systems start programs with 1,024, for the sake of programs that use `select(2)`; this one does not.
#[must_use]
pub fn make_room(sockets: u32) -> u32 {
    let wanted = u64::from(sockets) + OTHERS;
    let limit = getrlimit(Resource::Nofile);
    let mut current = limit.current.unwrap_or(u64::MAX);
    if current < wanted {
        let raised = limit.maximum.map_or(wanted, |maximum| wanted.min(maximum));
        if setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum }).is_ok() {
            current = raised;
        }
    }
    let fit = u32::try_from(current.saturating_sub(OTHERS)).unwrap_or(u32::MAX);
    fit.max(1).min(sockets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_made_for_what_is_asked_or_said_to_be_less() {
        let fit = make_room(1_500);
        let now = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        assert!(fit == 1_500 || u64::from(fit) + OTHERS == now);
        assert!(now >= u64::from(fit));
    }
}
