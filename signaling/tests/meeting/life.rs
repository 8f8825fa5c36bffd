//! What a meeting's caller does with time and with a restart. Knows no clients: the tests' world and the fuzz
//! target's guests share it.

use signaling::Meeting;
use signaling::ids::Millis;
use signaling::meeting::MeetingSnapshot;

/// What falls due next until then happens, when it is due; whether anything did. Carry out its effects, and call again.
pub fn falls_due(meeting: &mut Meeting, now: &mut Millis, until: Millis) -> bool {
    let Some(due) = meeting.poll_timeout().filter(|due| *due <= until) else {
        *now = until;
        return false;
    };
    *now = (*now).max(due);
    meeting.handle_timeout(*now);
    assert_ne!(meeting.poll_timeout(), Some(due), "the timer did not fire");
    true
}

/// The meeting after the server was killed and started again from what was stored last.
pub fn restarted(meeting: &Meeting, now: Millis) -> Meeting {
    let stored = serde_json::to_string(&meeting.snapshot()).expect("serializes");
    let snapshot: MeetingSnapshot = serde_json::from_str(&stored).expect("parses");
    let meeting = Meeting::restore(snapshot, now);
    let again = serde_json::to_string(&meeting.snapshot()).expect("serializes");
    assert_eq!(again, stored, "a restart changed the meeting");
    meeting
}
