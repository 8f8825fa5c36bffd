//! A meeting under any sequence of what people, the network and the server may do, each by a few bytes.

#![no_main]

use fuzz::{Guests, Input, policy};
use libfuzzer_sys::fuzz_target;
use signaling::ids::{ParticipantId, Source};
use signaling::meeting::Entry;
use signaling::protocol::{Audience, Command};
use signaling::role::Role;

const ROLES: [Role; 4] = [Role::Listener, Role::Attendee, Role::CoHost, Role::Host];
const ENTRIES: [Entry; 4] = [Entry::Link, Entry::Link, Entry::Number, Entry::Host];

// acceptance: SEC2
fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let mut guests = Guests::new(input.byte(), false);
    let mut next_id = 1;
    while !input.is_empty() {
        step(&mut guests, &mut input, &mut next_id);
    }
    // Whoever is left may come back or not: when time is over nobody is in the way.
    guests.restart();
    guests.pass(1_000_000);
});

fn step(guests: &mut Guests, input: &mut Input<'_>, next_id: &mut u64) {
    let (what, choice) = (input.byte(), input.byte());
    let who = guests.someone(usize::from(choice)).unwrap_or(ParticipantId(1));
    match what % 32 {
        0 | 1 => {
            let entry = ENTRIES[usize::from(choice % 4)];
            // Names of nothing but blanks and controls must be refused, long ones cut or refused.
            let name = if choice < 0xf0 { "Ana" } else { &String::from_utf8_lossy(input.bytes()) };
            let _ = guests.knock(name, entry, (choice & 0x10 != 0).then(|| format!("browser-{}", choice >> 5)));
        }
        2 => guests.disconnect(who),
        3 => {
            let Some((seat, seen)) = guests.seat(who) else { return };
            let claimed = match input.byte() % 4 {
                0 | 1 => seen,
                2 => 0,
                _ => input.long(),
            };
            let _ = guests.resume(&seat, claimed);
        }
        4 => guests.pass(u64::from(choice) * u64::from(input.byte())),
        5 if choice < 0x20 => guests.restart(),
        5 if choice < 0x30 => guests.stop(),
        5 if choice > 0xf8 => guests.end(),
        _ => {
            let object = guests.someone(usize::from(input.byte())).unwrap_or(ParticipantId(7));
            let command = command(what % 32, object, input);
            let id = match input.byte() {
                // The same again, one long ago, one from the future.
                0xff => *next_id - 1,
                0xfe => 1,
                0xfd => input.long(),
                _ => *next_id,
            };
            *next_id += 1;
            guests.command(who, id, command);
        }
    }
}

fn command(what: u8, participant: ParticipantId, input: &mut Input<'_>) -> Command {
    let text = |input: &mut Input<'_>| String::from_utf8_lossy(input.bytes()).into_owned();
    match what {
        6 | 7 | 29 => Command::SetSource { source: input.pick(&Source::ALL), on: !input.byte().is_multiple_of(4) },
        8 => Command::SetHand { raised: input.flag() },
        9 => Command::Leave,
        10 => {
            let to = [Audience::Everyone, Audience::Hosts, Audience::One { participant }];
            Command::SendChat { to: input.pick(&to), text: text(input) }
        }
        11 | 30 => Command::Admit { participant },
        12 => Command::AdmitAll,
        13 => Command::Deny { participant },
        14 => Command::Mute { participant, source: input.pick(&Source::ALL) },
        15 => Command::MuteAll { may_unmute: input.flag() },
        16 => Command::AskToUnmute { participant, source: input.pick(&Source::ALL) },
        17 => Command::LowerHand { participant },
        18 => Command::Rename { participant, name: text(input) },
        19 | 31 => Command::SetRole { participant, role: input.pick(&ROLES) },
        20 => Command::Remove { participant, ban: input.flag() },
        21 => Command::SendToWaitingRoom { participant },
        22 => Command::SetSpotlight { participant, on: input.flag() },
        23 => Command::SetPolicy { policy: policy(input.byte()) },
        24 => Command::SuspendAll,
        25 => Command::ReadLog,
        26 => Command::End,
        27 => Command::Candidate { candidate: text(input) },
        28 => Command::TellLimit { limit: None },
        32 => Command::StartRecording,
        33 => Command::PauseRecording,
        34 => Command::ResumeRecording,
        35 => Command::StopRecording,
        36 => Command::Mark { text: text(input) },
        _ => Command::Watch { videos: Vec::new() },
    }
}
