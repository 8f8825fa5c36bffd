//! The lite side of ICE under any sequence of checks (signed rightly or not), time, traffic and restarts.

#![no_main]

use fuzz::net::stun::{Builder, Class, IntegrityKey, TransactionId};
use fuzz::session::ice::{Connectivity, FAILED_AFTER, IceLite, MAX_ADDRESSES, MAX_REPLY};
use fuzz::session::plan::IceCredentials;
use fuzz::{Input, START};
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// What may be believed of the agent, kept beside it.
struct Model {
    agent: IceLite,
    generation: u8,
    now: Instant,
    /// Addresses that were told to be valid and not yet that they are no longer.
    told: BTreeMap<SocketAddr, Instant>,
}

// acceptance: SEC2
fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let now = *START;
    let agent = IceLite::new(now, credentials("ours", 0), credentials("peer", 0));
    let mut model = Model { agent, generation: 0, now, told: BTreeMap::new() };
    while !input.is_empty() {
        match input.byte() % 8 {
            0 => model.datagram(address(&mut input), input.bytes(), false),
            1..=3 => model.check(&mut input),
            4 => {
                model.now += Duration::from_millis(u64::from(input.short()));
                model.agent.handle_timeout(model.now);
            }
            5 => {
                model.now += Duration::from_millis(u64::from(input.byte()));
                model.agent.note_traffic(model.now);
            }
            6 => {
                model.generation = model.generation.wrapping_add(1);
                let generation = model.generation;
                model.agent.restart(credentials("ours", generation), credentials("peer", generation));
            }
            _ => model.agent.note_traffic(model.now),
        }
        model.judge();
    }
});

fn credentials(whose: &str, generation: u8) -> IceCredentials {
    IceCredentials {
        ufrag: format!("{whose}{generation}"),
        password: format!("{whose}-password-of-generation-{generation}"),
    }
}

fn address(input: &mut Input<'_>) -> SocketAddr {
    let byte = input.byte();
    let port = 1000 + u16::from(byte % 16);
    if byte & 0x80 == 0 { ([192, 0, 2, 1], port).into() } else { ([0xfd00, 0, 0, 0, 0, 0, 0, 1], port).into() }
}

impl Model {
    /// A check as a full agent sends it, with some of it changed.
    fn check(&mut self, input: &mut Input<'_>) {
        let (from, flags, back) = (address(input), input.byte(), input.byte() % 4);
        let generation = self.generation.wrapping_sub(back);
        let (ours, theirs) = (credentials("ours", generation), credentials("peer", generation));
        let mut transaction = [0; 12];
        transaction[..2].copy_from_slice(&input.short().to_be_bytes());
        let mut datagram = [0; 512];
        let mut builder = Builder::new(&mut datagram, Class::Request, 1, TransactionId(transaction));
        if flags & 1 == 0 {
            builder.username(&ours.ufrag, &theirs.ufrag);
        }
        if flags & 2 != 0 {
            builder.use_candidate();
        }
        if flags & 4 != 0 {
            builder.controlled(7);
        }
        if flags & 8 != 0 {
            builder.attribute(input.short(), &[input.bytes()]);
        }
        let key = IntegrityKey::new(if flags & 16 == 0 { &ours.password } else { "a stranger's password" });
        let Some(len) = builder.finish((flags & 32 == 0).then_some(&key)) else { return };
        let honest = flags & 16 == 0 && flags & 32 == 0;
        self.datagram(from, &datagram[..len], honest);
    }

    fn datagram(&mut self, from: SocketAddr, datagram: &[u8], signed: bool) {
        let mut out = [0; MAX_REPLY];
        let (before, selected) = (self.agent.is_valid(from), self.agent.selected());
        let verdict = self.agent.handle_request(self.now, from, None, datagram, &mut out);
        assert!(verdict.reply <= datagram.len(), "a reply longer than what caused it");
        if verdict.refused.is_some() {
            assert_eq!((verdict.newly_valid, verdict.nominated), (None, None));
            assert_eq!((self.agent.is_valid(from), self.agent.selected()), (before, selected));
            return;
        }
        assert!(signed, "an unsigned check was believed");
        assert!(self.agent.is_valid(from) || verdict.newly_valid.is_none());
        if let Some(address) = verdict.newly_valid {
            assert_eq!(address, from);
            assert!(!before, "valid twice");
        }
        if self.agent.is_valid(from) {
            self.told.insert(from, self.now);
        }
    }

    fn judge(&mut self) {
        let state = self.agent.handle_timeout(self.now);
        while let Some(dropped) = self.agent.poll_dropped() {
            assert!(!self.agent.is_valid(dropped), "{dropped} is valid");
            self.told.remove(&dropped);
        }
        assert!(self.told.len() <= MAX_ADDRESSES, "{:?}", self.told);
        for (address, checked) in &self.told {
            assert!(self.agent.is_valid(*address), "nobody was told that {address} is no longer valid");
            // Addresses are looked at once a second.
            let silent = self.now.duration_since(*checked);
            assert!(silent < FAILED_AFTER + Duration::from_secs(1), "consent of {address} ended {silent:?} ago");
        }
        match self.agent.selected() {
            Some(path) => assert!(self.told.contains_key(&path.remote), "sends to {path:?}"),
            None => assert!(self.told.is_empty()),
        }
        if matches!(state, Connectivity::New | Connectivity::Failed) {
            assert_eq!(self.agent.selected(), None);
        }
        assert!(self.agent.local_ufrags().count() <= 2);
    }
}
