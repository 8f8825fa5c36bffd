//! Checks as peers, strangers and replayers send them, on a clock of their own.

use super::*;
use crate::net::stun::{BindingRequest, Builder, TransactionId};
use proptest::prelude::*;

const OURS: &str = "a1oursufrag";
const THEIRS: &str = "theirs";
const PASSWORD: &str = "ours-of-22-characters!";

fn credentials(ufrag: &str, password: &str) -> IceCredentials {
    IceCredentials { ufrag: ufrag.into(), password: password.into() }
}

fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, last], 5000 + u16::from(last)))
}

fn ours() -> Option<IpAddr> {
    Some(IpAddr::from([203, 0, 113, 1]))
}

/// An agent and its peer.
struct Fixture {
    agent: IceLite,
    now: Instant,
    next: u32,
    local: IceCredentials,
    remote: IceCredentials,
    out: [u8; MAX_REPLY],
}

impl Fixture {
    fn new() -> Self {
        let (local, remote) = (credentials(OURS, PASSWORD), credentials(THEIRS, "theirs-of-22-characters"));
        let now = crate::clock::now();
        let agent = IceLite::new(now, local.clone(), remote.clone());
        Self { agent, now, next: 0, local, remote, out: [0; MAX_REPLY] }
    }

    fn transaction(&mut self) -> TransactionId {
        self.next += 1;
        let mut id = [7; 12];
        id[..4].copy_from_slice(&self.next.to_be_bytes());
        TransactionId(id)
    }

    fn request(&mut self, use_candidate: bool) -> Vec<u8> {
        let mut out = [0; 256];
        let request = BindingRequest {
            transaction: self.transaction(),
            receiver: &self.local.ufrag.clone(),
            sender: &self.remote.ufrag.clone(),
            priority: 1,
            tie_breaker: 2,
            use_candidate,
        };
        let len = request.write(&mut out, &IntegrityKey::new(&self.local.password)).unwrap();
        out[..len].to_vec()
    }

    fn built(&mut self, build: impl FnOnce(&mut Builder<'_>), password: Option<&str>) -> Vec<u8> {
        let mut out = [0; 2000];
        let mut builder = Builder::new(&mut out, Class::Request, BINDING, self.transaction());
        build(&mut builder);
        let len = builder.finish(password.map(IntegrityKey::new).as_ref()).unwrap();
        out[..len].to_vec()
    }

    fn hand(&mut self, from: SocketAddr, datagram: &[u8]) -> Verdict {
        let verdict = self.agent.handle_request(self.now, from, ours(), datagram, &mut self.out);
        assert!(verdict.reply <= datagram.len());
        verdict
    }

    fn check(&mut self, from: SocketAddr, use_candidate: bool) -> Verdict {
        let request = self.request(use_candidate);
        self.hand(from, &request)
    }

    fn error(&self, verdict: Verdict) -> (Option<u16>, bool) {
        let message = Message::parse(&self.out[..verdict.reply]).unwrap();
        assert_eq!(message.class, Class::Error);
        (message.error, message.is_authentic(&IntegrityKey::new(&self.local.password)))
    }

    fn pass(&mut self, time: Duration) -> Connectivity {
        let end = self.now + time;
        while let Some(at) = self.agent.poll_timeout().filter(|at| *at <= end) {
            assert!(at > self.now || self.agent.poll_timeout() != Some(self.now), "no busy waiting");
            self.now = at.max(self.now);
            self.agent.handle_timeout(self.now);
        }
        self.now = end;
        self.agent.state()
    }

    fn is_untouched(&self) -> bool {
        self.agent.state() == Connectivity::New && self.agent.selected().is_none() && self.agent.valid.is_empty()
    }
}

#[test]
fn a_check_makes_its_address_valid_and_is_answered_with_it() {
    let mut f = Fixture::new();
    assert!(f.is_untouched());
    let verdict = f.check(address(1), false);
    assert_eq!((verdict.newly_valid, verdict.nominated, verdict.refused), (Some(address(1)), None, None));
    let reply = Message::parse(&f.out[..verdict.reply]).unwrap();
    assert_eq!((reply.class, reply.mapped), (Class::Success, Some(address(1))));
    assert!(reply.is_authentic(&IntegrityKey::new(PASSWORD)) && reply.has_fingerprint);
    assert!(f.agent.is_valid(address(1)) && !f.agent.is_valid(address(2)));
    assert_eq!(f.agent.selected(), Some(Path { remote: address(1), local: ours() }));
    assert_eq!(f.agent.state(), Connectivity::Connected);
    assert_eq!(f.check(address(1), false).newly_valid, None);
}

#[test]
fn the_last_nomination_counts() {
    let mut f = Fixture::new();
    assert_eq!(f.check(address(1), true).nominated, Some(address(1)));
    assert_eq!(f.check(address(1), true).nominated, None, "nothing new");
    f.check(address(2), false);
    assert_eq!(f.agent.selected().unwrap().remote, address(1));
    assert_eq!(f.check(address(2), true).nominated, Some(address(2)));
    assert_eq!(f.agent.selected().unwrap().remote, address(2));
    assert!(f.agent.is_valid(address(1)));
}

// acceptance: SEC6
#[test]
fn without_the_right_name_and_password_nothing_changes() {
    let mut f = Fixture::new();
    let wrong_password = f.built(|b| b.username(OURS, THEIRS), Some("another-of-22-characters"));
    let wrong_name = f.built(|b| b.username(THEIRS, OURS), Some(PASSWORD));
    let longer_name = f.built(|b| b.username(OURS, "theirs2"), Some(PASSWORD));
    for request in [wrong_password, wrong_name, longer_name] {
        let verdict = f.hand(address(1), &request);
        assert_eq!(verdict.refused, Some(Refusal::Unauthenticated));
        assert_eq!(f.error(verdict), (Some(401), false));
    }
    let unsigned = f.built(|b| b.username(OURS, THEIRS), None);
    let nameless = f.built(|b| b.priority(1), Some(PASSWORD));
    for request in [unsigned, nameless] {
        let verdict = f.hand(address(1), &request);
        assert_eq!(verdict.refused, Some(Refusal::Incomplete));
        assert_eq!(f.error(verdict), (Some(400), false));
    }
    assert!(f.is_untouched());
}

#[test]
fn a_peer_that_claims_our_role_is_told() {
    let mut f = Fixture::new();
    let request = f.built(
        |b| {
            b.username(OURS, THEIRS);
            b.controlled(u64::MAX);
            b.use_candidate();
        },
        Some(PASSWORD),
    );
    let verdict = f.hand(address(1), &request);
    assert_eq!(verdict.refused, Some(Refusal::RoleConflict));
    assert_eq!(f.error(verdict), (Some(487), true));
    assert!(f.is_untouched());
}

#[test]
fn attributes_that_must_be_understood_and_are_not_are_named() {
    let mut f = Fixture::new();
    let request = f.built(
        |b| {
            b.username(OURS, THEIRS);
            b.priority(1);
            b.attribute(0x7abc, &[b"what?"]);
        },
        Some(PASSWORD),
    );
    let verdict = f.hand(address(1), &request);
    assert_eq!(verdict.refused, Some(Refusal::UnknownAttribute));
    assert_eq!(f.error(verdict), (Some(420), true));
    assert!(f.is_untouched());
    // One that need not be understood is no obstacle.
    let request = f.built(
        |b| {
            b.username(OURS, THEIRS);
            b.priority(1);
            b.controlling(3);
            b.attribute(0xc057, &[&[0, 0, 0, 10]]);
        },
        Some(PASSWORD),
    );
    assert_eq!(f.hand(address(1), &request).newly_valid, Some(address(1)));
}

#[test]
fn a_repeated_request_is_answered_again_and_a_replayed_one_moves_nothing() {
    let mut f = Fixture::new();
    let request = f.request(true);
    let first = f.hand(address(1), &request);
    assert_eq!(first.nominated, Some(address(1)));
    let again = f.hand(address(1), &request);
    assert_eq!(again, Verdict { reply: first.reply, ..Verdict::default() });
    let elsewhere = f.hand(address(66), &request);
    assert_eq!(elsewhere, Verdict { refused: Some(Refusal::Replayed), ..Verdict::default() });
    assert_eq!(f.agent.selected().unwrap().remote, address(1));

    // Nor does it prolong consent.
    for _ in 0..40 {
        f.pass(Duration::from_secs(1));
        f.hand(address(1), &request);
    }
    assert_eq!(f.agent.state(), Connectivity::Failed);
}

// acceptance: SEC6
#[test]
fn what_is_no_request_or_too_long_is_not_answered() {
    let mut f = Fixture::new();
    let mut out = [0; 128];
    let id = f.transaction();
    let key = IntegrityKey::new(PASSWORD);
    let len = binding_success(&mut out, id, address(1), &key).unwrap();
    assert_eq!(f.hand(address(1), &out[..len]).refused, Some(Refusal::NotARequest));
    let len = Builder::new(&mut out, Class::Indication, BINDING, id).finish(Some(&key)).unwrap();
    assert_eq!(f.hand(address(1), &out[..len]).refused, Some(Refusal::NotARequest));
    let oversized = f.built(
        |b| {
            b.username(OURS, THEIRS);
            b.attribute(0x8022, &[&[b'x'; MAX_REQUEST]]);
        },
        Some(PASSWORD),
    );
    assert_eq!(f.hand(address(1), &oversized).refused, Some(Refusal::Malformed));
    assert_eq!(f.hand(address(1), b"no STUN").refused, Some(Refusal::Malformed));
    assert_eq!(f.hand(address(1), &[]).refused, Some(Refusal::Malformed));
    assert!(f.is_untouched());
}

// acceptance: SEC6
#[test]
fn no_reply_is_longer_than_its_request() {
    let mut f = Fixture::new();
    let bare = f.built(|_| {}, None);
    let bare = &[&bare[..2], &[0, 0], &bare[4..20]].concat()[..];
    let verdict = f.hand(address(1), bare);
    assert_eq!((verdict.refused, verdict.reply), (Some(Refusal::Incomplete), 0));
    // Signed, and so short that an answer over IPv6 would be longer.
    f.remote.ufrag = "t".into();
    f.local.ufrag = "o".into();
    f.agent = IceLite::new(f.now, f.local.clone(), f.remote.clone());
    let short = f.built(|b| b.username("o", "t"), Some(PASSWORD));
    let from: SocketAddr = "[2001:db8::1]:9".parse().unwrap();
    assert_eq!(f.hand(from, &short).reply, 0);
    // With all that a real check has, every answer fits.
    let from: SocketAddr = "[2001:db8::2]:9".parse().unwrap();
    assert_ne!(f.check(from, false).reply, 0);
}

#[test]
fn a_silent_peer_is_disconnected_then_failed_and_may_come_back() {
    let mut f = Fixture::new();
    f.check(address(1), true);
    assert_eq!(f.pass(Duration::from_secs(6)), Connectivity::Connected);
    assert_eq!(f.pass(Duration::from_secs(2)), Connectivity::Disconnected);
    f.agent.note_traffic(f.now);
    assert_eq!(f.agent.state(), Connectivity::Connected);
    assert_eq!(f.pass(Duration::from_secs(8)), Connectivity::Disconnected);
    assert!(f.agent.is_valid(address(1)));
    // Media is no consent: 30 s after the last check it has ended.
    for _ in 0..15 {
        f.pass(Duration::from_secs(1));
        f.agent.note_traffic(f.now);
    }
    assert_eq!(f.agent.state(), Connectivity::Failed);
    assert_eq!(f.agent.selected(), None);
    assert_eq!((f.agent.poll_dropped(), f.agent.poll_dropped()), (Some(address(1)), None));
    assert_eq!(f.agent.poll_timeout(), None);
    assert_eq!(f.check(address(1), true).newly_valid, Some(address(1)));
    assert_eq!(f.agent.state(), Connectivity::Connected);
    assert!(f.agent.poll_timeout().is_some());
}

#[test]
fn a_session_that_is_never_checked_fails() {
    let mut f = Fixture::new();
    assert_eq!(f.pass(Duration::from_secs(29)), Connectivity::New);
    assert_eq!(f.pass(Duration::from_secs(2)), Connectivity::Failed);
}

#[test]
fn checks_at_the_pace_of_browsers_keep_a_session_connected() {
    for pace in [2500, 6000] {
        let mut f = Fixture::new();
        f.check(address(1), true);
        for _ in 0..20 {
            assert_eq!(f.pass(Duration::from_millis(pace)), Connectivity::Connected);
            f.check(address(1), false);
        }
    }
}

#[test]
fn a_nominated_address_that_dies_gives_way_to_one_that_is_checked() {
    let mut f = Fixture::new();
    f.check(address(2), true);
    f.check(address(1), true);
    for _ in 0..4 {
        f.pass(Duration::from_millis(2500));
        f.check(address(2), false);
    }
    assert_eq!(f.agent.selected().unwrap().remote, address(2));
}

#[test]
fn addresses_are_bounded_and_the_nominated_one_stays() {
    let mut f = Fixture::new();
    f.check(address(1), true);
    for last in 2..100 {
        f.now += Duration::from_millis(10);
        f.check(address(last), false);
        assert!(f.agent.valid.len() <= MAX_ADDRESSES);
    }
    assert_eq!(f.agent.selected().unwrap().remote, address(1));
    let oldest = 99 - (MAX_ADDRESSES as u8 - 2);
    assert!(f.agent.is_valid(address(oldest)) && !f.agent.is_valid(address(oldest - 1)));
    let dropped = std::iter::from_fn(|| f.agent.poll_dropped()).count();
    assert_eq!(dropped, 99 - MAX_ADDRESSES);
}

#[test]
fn after_a_restart_old_addresses_serve_until_the_peer_checks_anew() {
    let mut f = Fixture::new();
    f.check(address(1), true);
    f.check(address(2), false);
    let old_check = f.request(false);
    let old_check_from_elsewhere = f.request(true);
    let late = f.request(false);
    f.local = credentials("a1another", "another-of-22-characters");
    f.remote = credentials("theirs2", "theirs2-of-22-characters");
    f.agent.restart(f.local.clone(), f.remote.clone());
    assert_eq!(f.agent.local_ufrags().collect::<Vec<_>>(), ["a1another", OURS]);

    assert_eq!(f.agent.selected().unwrap().remote, address(1));
    assert_eq!(f.hand(address(1), &old_check).refused, None);
    assert_eq!(f.hand(address(3), &old_check_from_elsewhere).refused, Some(Refusal::Unauthenticated));

    assert_eq!(f.check(address(4), false).newly_valid, Some(address(4)));
    assert_eq!(f.agent.selected().unwrap().remote, address(4), "a restart says that the old ways are doubtful");
    assert_eq!(f.check(address(4), true).nominated, Some(address(4)));
    assert_eq!(f.agent.selected().unwrap().remote, address(4));
    assert!(!f.agent.is_valid(address(1)) && !f.agent.is_valid(address(2)));
    assert_eq!(f.hand(address(1), &late).refused, Some(Refusal::Unauthenticated));
    assert_eq!(f.agent.local_ufrags().collect::<Vec<_>>(), ["a1another"]);
}

/// Its answer was lost twice, so the peer goes on as before and then tries anew.
#[test]
fn a_restart_that_nobody_took_up_leaves_what_is_in_use() {
    let mut f = Fixture::new();
    f.check(address(1), true);
    let still_in_use = [f.request(false), f.request(false)];
    f.agent.restart(credentials("a1never", "a1never-of-22-characters"), credentials("never", "never-of-22-characters"));
    assert_eq!(f.hand(address(1), &still_in_use[0]).refused, None);
    f.local = credentials("a1another", "another-of-22-characters");
    f.remote = credentials("theirs2", "theirs2-of-22-characters");
    f.agent.restart(f.local.clone(), f.remote.clone());
    assert_eq!(f.agent.local_ufrags().collect::<Vec<_>>(), ["a1another", OURS]);
    assert_eq!(f.hand(address(1), &still_in_use[1]).refused, None);
    assert_eq!(f.check(address(4), true).nominated, Some(address(4)));
    assert_eq!(f.agent.local_ufrags().collect::<Vec<_>>(), ["a1another"]);
}

proptest! {
    // acceptance: SEC6
    #[test]
    fn any_bytes_get_no_longer_reply_and_change_nothing(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        at in 0usize..120,
        flip in 1u8..,
    ) {
        let mut f = Fixture::new();
        f.hand(address(1), &bytes);
        let mut request = f.request(true);
        // The fingerprint comes after the signature; without it the request is as good.
        let at = at % (request.len() - 8);
        request[at] ^= flip;
        let verdict = f.hand(address(1), &request);
        prop_assert!(verdict.refused.is_some());
        prop_assert!(f.is_untouched());
    }
}

#[test]
fn a_closed_connection_is_no_way_any_more_and_the_peer_may_come_by_another() {
    let mut f = Fixture::new();
    f.check(address(1), true);
    f.check(address(2), true);
    let left = |f: &Fixture| f.agent.selected().map(|path| path.remote);
    assert_eq!(left(&f), Some(address(2)));
    f.agent.handle_closed(f.now, address(2));
    assert_eq!(f.agent.state(), Connectivity::Connected);
    assert_eq!((left(&f), f.agent.poll_dropped()), (Some(address(1)), Some(address(2))));
    // The one that is left was nominated by that: a check of a third changes nothing.
    f.check(address(3), false);
    assert_eq!(left(&f), Some(address(1)));
    f.agent.handle_closed(f.now, address(3));
    f.agent.handle_closed(f.now, address(1));
    // Connections come and go; that none is left is told at the next tick.
    assert_eq!((f.agent.state(), left(&f)), (Connectivity::Connected, None));
    let last = f.now;
    assert_eq!(f.pass(FAILED_AFTER - Duration::from_secs(2)), Connectivity::Disconnected);
    f.check(address(4), true);
    assert_eq!((f.agent.state(), left(&f)), (Connectivity::Connected, Some(address(4))));
    f.agent.handle_closed(f.now, address(4));
    assert_eq!(f.pass(FAILED_AFTER + Duration::from_secs(1)), Connectivity::Failed);
    assert!(f.now - last > FAILED_AFTER * 2 - Duration::from_secs(2));
    let mut never = Fixture::new();
    never.agent.handle_closed(never.now, address(1));
    assert_eq!(never.agent.state(), Connectivity::New);
}
