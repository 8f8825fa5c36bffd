//! What the workers of the process count, for `/metrics` (design §10) and benchmarks; the one place that keeps it.
//! Knows nothing of what counts.

use crate::net::counters::{Counters, DROPS, Drop};
use crate::telemetry::metrics;

static RECEIVED: metrics::Counter =
    metrics::Counter::new("symposia_rtp_packets_received_total", "RTP packets accepted from publishers.");
static SENT: metrics::Counter = metrics::Counter::new(
    "symposia_rtp_packets_sent_total",
    "RTP packets sent to subscribers, retransmissions among them.",
);
static RETRANSMITTED: metrics::Counter = metrics::Counter::new(
    "symposia_rtp_packets_retransmitted_total",
    "RTP packets sent again because a subscriber missed them.",
);
static PROBED: metrics::Counter = metrics::Counter::new(
    "symposia_rtp_packets_probed_total",
    "RTP packets sent only to find out whether a subscriber's link takes more.",
);
static RECEIVED_BYTES: metrics::Counter =
    metrics::Counter::new("symposia_rtp_bytes_received_total", "Bytes of accepted RTP packets.");
static SENT_BYTES: metrics::Counter =
    metrics::Counter::new("symposia_rtp_bytes_sent_total", "Bytes of sent RTP packets.");
static TAPPED: metrics::Counter = metrics::Counter::new(
    "symposia_rtp_packets_tapped_total",
    "RTP packets given to other media threads with sessions of the same meeting, once each.",
);
static TAKEN: metrics::Counter =
    metrics::Counter::new("symposia_rtp_packets_taken_total", "RTP packets taken from other media threads.");
static PADDED: metrics::Counter = metrics::Counter::new(
    "symposia_rtp_padded_total",
    "RTP packets padded to the size of others, to leave in one send.",
);
static PADDING_BYTES: metrics::Counter =
    metrics::Counter::new("symposia_rtp_padding_bytes_total", "Bytes of that padding, among those sent.");
static KEY_FRAME_REQUESTS: metrics::Counter =
    metrics::Counter::new("symposia_key_frame_requests_total", "Key frames asked of publishers.");
static DROPPED: metrics::Counters<DROPS> = metrics::Counters::new(
    "symposia_rtp_dropped_total",
    "Datagrams and packets dropped, by reason.",
    "reason",
    labels(),
);
static SESSIONS: metrics::Gauge = metrics::Gauge::new("symposia_sessions", "Peer connections.");
static ROUTERS: metrics::Gauge = metrics::Gauge::new("symposia_routers", "Meetings and broadcasts with media.");

static OVERLOADED: metrics::Gauge = metrics::Gauge::new(
    "symposia_overloaded_workers",
    "Media threads with more to forward than they can: pictures become smaller, new viewers are refused.",
);
static COMPUTED: metrics::Counter =
    metrics::Counter::new("symposia_worker_cpu_microseconds_total", "Processor time of all media threads.");

/// A worker began, or ceased, to have more to forward than it can.
pub(super) fn publish_overload(over: bool) {
    OVERLOADED.add(if over { 1 } else { -1 });
}

/// A worker used this much processor time.
pub(super) fn publish_computed(time: std::time::Duration) {
    COMPUTED.add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
}

const fn labels() -> [&'static str; DROPS] {
    let mut labels = [""; DROPS];
    let mut index = 0;
    while index < DROPS {
        labels[index] = Drop::ALL[index].label();
        index += 1;
    }
    labels
}

/// For [`metrics::register`].
#[must_use]
pub fn families() -> [metrics::Family; 16] {
    [
        RECEIVED.family(),
        SENT.family(),
        RETRANSMITTED.family(),
        PROBED.family(),
        RECEIVED_BYTES.family(),
        SENT_BYTES.family(),
        TAPPED.family(),
        TAKEN.family(),
        PADDED.family(),
        PADDING_BYTES.family(),
        KEY_FRAME_REQUESTS.family(),
        DROPPED.family(),
        SESSIONS.family(),
        ROUTERS.family(),
        OVERLOADED.family(),
        COMPUTED.family(),
    ]
}

/// What was added so far.
pub(super) fn counted() -> Counters {
    let gauge = |gauge: &metrics::Gauge| u64::try_from(gauge.value()).unwrap_or(0);
    Counters {
        received: RECEIVED.value(),
        sent: SENT.value(),
        retransmitted: RETRANSMITTED.value(),
        probed: PROBED.value(),
        received_bytes: RECEIVED_BYTES.value(),
        sent_bytes: SENT_BYTES.value(),
        tapped: TAPPED.value(),
        taken: TAKEN.value(),
        padded: PADDED.value(),
        padding_bytes: PADDING_BYTES.value(),
        key_frame_requests: KEY_FRAME_REQUESTS.value(),
        dropped: std::array::from_fn(|reason| DROPPED.value(reason)),
        sessions: gauge(&SESSIONS),
        routers: gauge(&ROUTERS),
    }
}

/// Adds what a worker counted since `before`.
pub(super) fn publish(before: &Counters, now: &Counters) {
    let grown = |field: fn(&Counters) -> u64| field(now).wrapping_sub(field(before));
    RECEIVED.add(grown(|c| c.received));
    SENT.add(grown(|c| c.sent));
    RETRANSMITTED.add(grown(|c| c.retransmitted));
    PROBED.add(grown(|c| c.probed));
    RECEIVED_BYTES.add(grown(|c| c.received_bytes));
    SENT_BYTES.add(grown(|c| c.sent_bytes));
    TAPPED.add(grown(|c| c.tapped));
    TAKEN.add(grown(|c| c.taken));
    PADDED.add(grown(|c| c.padded));
    PADDING_BYTES.add(grown(|c| c.padding_bytes));
    KEY_FRAME_REQUESTS.add(grown(|c| c.key_frame_requests));
    for (reason, (now, before)) in now.dropped.iter().zip(before.dropped).enumerate() {
        DROPPED.add(reason, now - before);
    }
    SESSIONS.add(grown(|c| c.sessions).cast_signed());
    ROUTERS.add(grown(|c| c.routers).cast_signed());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_workers_publish_is_added_up_in_one_place() {
        let before = counted();
        let mut first = Counters { received: 7, sent: 5, sessions: 2, ..Counters::default() };
        first.drop_many(Drop::Late, 3);
        publish(&Counters::default(), &first);
        // Another thread's first, then more of the first one's: a session ended.
        publish(&Counters::default(), &Counters { received: 1, sessions: 1, ..Counters::default() });
        publish(&first, &Counters { received: 10, sessions: 1, ..first });
        let after = counted();
        assert_eq!((after.received - before.received, after.sent - before.sent), (11, 5));
        assert_eq!(after.dropped[Drop::Late as usize] - before.dropped[Drop::Late as usize], 3);
        assert_eq!(after.sessions - before.sessions, 2);
    }
}
