//! The thread that drives a core: one socket, TCP connections, two rings from the other workers, one channel of commands.
//! Knows no media.

use super::api::Command;
use super::core::{Core, Disposition};
use super::handover::{Handover, Refused};
use super::ring::Ring;
use super::tap::Tapped;
use super::trace::Tracer;
use crate::clock;
use crate::net::counters::{Counters, Drop};
use crate::net::tcp::{Connections, Heard};
use crate::net::udp::{ReceiveBatch, Received, SendBatch, Socket, Waker, pin_to_core};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

/// Receive calls before what came is forwarded, so that a flood does not delay what is there.
const RECEIVES: usize = 4;

/// The longest sleep; commands and datagrams end it.
const MAX_SLEEP: Duration = Duration::from_secs(1);

/// Slices that are sent before the socket is looked at again: 64 destinations (design §4.3).
const SLICES: usize = 4;

/// Feedback that is kept apart is looked at when the thread is awake and it was not for this long,
const FEEDBACK_INTERVAL: Duration = Duration::from_millis(4);

/// and at the latest after this long while packets leave: a tenth to a half of what peers wait before they tell.
const FEEDBACK_DELAY: Duration = Duration::from_millis(20);

/// Datagrams that what is read of a connection in one turn may cause.
const ANSWERS: usize = 200;

/// The nice value of media threads, where the system allows it: what else runs on their cores, the kernel's own threads among
/// it, then waits for media and not the other way round. Not a real-time class, which could starve the control side.
const NICE: i32 = -15;

/// How often the counts are published.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(250);

/// The way to another worker.
#[derive(Clone)]
pub(super) struct Neighbour {
    pub(super) ring: Arc<Ring<Handover>>,
    pub(super) waker: Waker,
}

/// All that a worker's thread owns.
pub(super) struct Thread {
    pub(super) core: Core,
    pub(super) socket: Socket,
    /// Peers without UDP.
    pub(super) connections: Connections,
    pub(super) commands: Receiver<Command>,
    /// Datagrams of its sessions that others received.
    pub(super) ring: Arc<Ring<Handover>>,
    /// Packets of its meetings that others opened.
    pub(super) taps: Arc<Ring<Tapped>>,
    /// By index; its own is there, too, and never used.
    pub(super) neighbours: Vec<Neighbour>,
    /// How many it has, for placing the next.
    pub(super) sessions: Arc<AtomicU64>,
    /// It has more to do than it can.
    pub(super) over: Arc<AtomicBool>,
    pub(super) tracer: Option<Tracer>,
    /// As last published.
    pub(super) published: Counters,
    pub(super) cpu: Option<usize>,
    pub(super) feedback: Feedback,
}

/// For so long after something left, or feedback came, more of it is looked for at once: peers wait up to 250 ms before
/// they tell.
const FEEDBACK_EXPECTED: Duration = Duration::from_millis(500);

/// When the feedback that the socket keeps apart is looked at.
pub(super) struct Feedback {
    taken: Instant,
    /// Something left or came since the last sleep, for this worker or another: the kernel spreads peers by their ports.
    stirred: bool,
    /// When no more is expected.
    until: Instant,
}

impl Feedback {
    pub(super) const fn new(now: Instant) -> Self {
        Self { taken: now, stirred: false, until: now }
    }

    fn is_due(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.taken) >= FEEDBACK_INTERVAL
    }

    /// When a thread that goes to sleep now must be awake for it.
    fn deadline(&mut self, now: Instant) -> Option<Instant> {
        if std::mem::take(&mut self.stirred) {
            self.until = now + FEEDBACK_EXPECTED;
        }
        (now < self.until).then(|| self.taken + FEEDBACK_DELAY)
    }
}

/// Which of the socket's two queues.
#[derive(Clone, Copy)]
enum Queue {
    Main,
    Feedback,
}

impl Thread {
    /// Runs until it is told to stop.
    pub(super) fn run(mut self) {
        if let Some(cpu) = self.cpu
            && let Err(error) = pin_to_core(cpu)
        {
            tracing::warn!(cpu, %error, "the media thread could not be pinned to its core");
        }
        // On Linux this is the calling thread's alone (setpriority(2)).
        if let Err(error) = rustix::process::setpriority_process(None, NICE) {
            tracing::debug!(%error, "the media thread keeps an ordinary priority");
        }
        let mut received = ReceiveBatch::new();
        let mut out = SendBatch::new();
        let mut published = clock::now();
        let mut used = clock::thread_cpu();
        loop {
            let now = clock::now();
            if !self.handle_commands(now, &mut out) {
                self.send(&mut out);
                self.retire();
                return;
            }
            self.handle_rings(now, &mut out);
            let mut more_to_read = self.receive(Queue::Main, &mut received, &mut out);
            let mut now = clock::now();
            if self.socket.keeps_feedback() && self.feedback.is_due(now) {
                self.feedback.taken = now;
                more_to_read |= self.receive(Queue::Feedback, &mut received, &mut out);
                // Time never goes back for the core: what was received carries a later one.
                now = clock::now();
            }
            if !self.connections.is_empty() {
                self.hear_connections(now, &mut out);
            }
            self.core.handle_timeout(now, &mut out);
            let more_to_forward = self.forward(now, &mut out);
            let since = now.saturating_duration_since(published);
            if since >= PUBLISH_INTERVAL {
                let before = std::mem::replace(&mut used, clock::thread_cpu());
                let computed = used.saturating_sub(before);
                published = now;
                self.core.handle_load(now, computed.as_secs_f32() / since.as_secs_f32(), &mut out);
                let core = &self.core;
                self.connections.sweep(now, |address| core.serves(address));
                self.send(&mut out);
                self.publish(computed);
            }
            self.call_others();
            if !more_to_read && !more_to_forward {
                self.sleep(published + PUBLISH_INTERVAL);
            }
        }
    }

    /// Its share of what all threads have is given back.
    fn retire(&mut self) {
        (self.core.counters.sessions, self.core.counters.routers) = (0, 0);
        if self.over.swap(false, Ordering::Relaxed) {
            super::metrics::publish_overload(false);
        }
        super::metrics::publish(&self.published, &self.core.counters);
    }

    fn publish(&mut self, computed: Duration) {
        let over = self.core.is_overloaded();
        if self.over.swap(over, Ordering::Relaxed) != over {
            super::metrics::publish_overload(over);
            if over {
                tracing::warn!(cap = self.core.cap(), "too much to forward: pictures become smaller");
            } else {
                tracing::info!("all that is wanted can be forwarded again");
            }
        }
        super::metrics::publish_computed(computed);
        self.sessions.store(self.core.counters.sessions, Ordering::Relaxed);
        super::metrics::publish(&self.published, &self.core.counters);
        self.published = self.core.counters;
    }

    /// Forwards and sends slice by slice; whether there is more.
    fn forward(&mut self, now: Instant, out: &mut SendBatch) -> bool {
        for _ in 0..SLICES {
            let more = self.core.forward(now, out);
            self.send(out);
            if !more {
                return false;
            }
        }
        true
    }

    fn sleep(&mut self, publish: Instant) {
        let now = clock::now();
        // What was counted since is published in time, also when nothing more comes.
        let wake = if self.published == self.core.counters { now + MAX_SLEEP } else { publish };
        let feedback = if self.socket.keeps_feedback() { self.feedback.deadline(now) } else { None };
        let wake = self.core.poll_timeout().into_iter().chain(feedback).fold(wake, Instant::min);
        let timeout = wake.saturating_duration_since(now);
        if let Err(error) = self.socket.wait(self.connections.descriptor(), Some(timeout.min(MAX_SLEEP))) {
            tracing::warn!(%error, "waiting for datagrams failed");
        }
    }

    fn handle_commands(&mut self, now: Instant, out: &mut SendBatch) -> bool {
        loop {
            match self.commands.try_recv() {
                Ok(Command::Stop) | Err(TryRecvError::Disconnected) => return false,
                Ok(Command::TakeConnection(new)) => {
                    if let Err(error) = self.connections.open(now, *new) {
                        tracing::warn!(%error, "a TCP connection for media can't be taken over");
                    }
                }
                Ok(command) => {
                    // It may acknowledge that nothing more passes.
                    self.send(out);
                    self.core.handle_command(now, command, out);
                }
                Err(TryRecvError::Empty) => return true,
            }
        }
    }

    fn handle_rings(&mut self, now: Instant, out: &mut SendBatch) {
        let Self { core, ring, taps, socket, connections, .. } = self;
        ring.take_over(|from, to, data| {
            core.handle_datagram(now, from, to, data, out);
            send_when_full(socket, connections, core, out);
        });
        taps.drain(|tapped| {
            core.handle_tapped(now, &tapped, out);
            send_when_full(socket, connections, core, out);
        });
    }

    /// Wakes the workers for which something was put into their rings: once for all of a batch.
    fn call_others(&mut self) {
        while let Some(worker) = self.core.poll_call() {
            if let Some(neighbour) = self.neighbours.get(worker) {
                neighbour.waker.wake();
            }
        }
    }

    fn receive(&mut self, queue: Queue, received: &mut ReceiveBatch, out: &mut SendBatch) -> bool {
        for _ in 0..RECEIVES {
            let taken = match queue {
                Queue::Main => self.socket.receive_batch(received),
                Queue::Feedback => self.socket.receive_feedback(received),
            };
            match taken {
                Ok(()) => {}
                Err(error) => {
                    tracing::debug!(%error, "receiving failed");
                    return false;
                }
            }
            let now = clock::now();
            let Self { core, neighbours, socket, connections, .. } = self;
            self.feedback.stirred |= matches!(queue, Queue::Feedback) && received.datagrams() > 0;
            if let Some(tracer) = &mut self.tracer {
                for datagram in received.iter_mut() {
                    tracer.record(now, &datagram);
                }
            }
            for datagram in received.iter_mut() {
                match core.handle_datagram(now, datagram.from, datagram.to, datagram.data, out) {
                    Disposition::Done => {}
                    Disposition::Foreign(worker) => {
                        self.feedback.stirred = true;
                        hand_over(neighbours, worker, &datagram, core);
                    }
                }
                send_when_full(socket, connections, core, out);
            }
            self.call_others();
            // What came meanwhile ends the next sleep at once: asking again would cost a call for nothing.
            if !received.is_full() {
                return false;
            }
        }
        true
    }

    /// Datagrams of TCP connections take their way as if they had come by UDP.
    fn hear_connections(&mut self, now: Instant, out: &mut SendBatch) {
        self.connections.poll_ready();
        loop {
            let (core, tracer) = (&mut self.core, &mut self.tracer);
            let more = self.connections.hear(|heard| match heard {
                Heard::Datagram { from, to, data } => {
                    let datagram = Received { from, to, data, position: 0, burst: 1, at: None };
                    if let Some(tracer) = tracer {
                        tracer.record(now, &datagram);
                    }
                    // A connection belongs to one worker: it can't name another one's session later.
                    core.handle_datagram(now, from, to, datagram.data, out);
                }
                Heard::Closed(address) => core.handle_closed(now, address),
            });
            if !more {
                return;
            }
            self.connections.judge(|address| self.core.serves(address));
            // What one may cause in its turn finds room.
            if !out.has_room_for(ANSWERS) {
                self.send(out);
            }
        }
    }

    fn send(&mut self, out: &mut SendBatch) {
        if !out.is_empty() {
            self.feedback.stirred = true;
            send(&mut self.socket, &mut self.connections, &mut self.core, out);
        }
    }
}

fn send(socket: &mut Socket, connections: &mut Connections, core: &mut Core, out: &mut SendBatch) {
    let late = connections.send(out);
    core.counters.drop_many(Drop::TcpFull, late as u64);
    let report = socket.send_batch(out);
    core.counters.drop_many(Drop::Send, report.dropped.total() as u64);
    core.counters.drop_many(Drop::BatchFull, out.refused() as u64);
    out.clear();
}

fn send_when_full(socket: &mut Socket, connections: &mut Connections, core: &mut Core, out: &mut SendBatch) {
    if out.is_full() {
        send(socket, connections, core, out);
    }
}

fn hand_over(neighbours: &[Neighbour], worker: usize, datagram: &Received<'_>, core: &mut Core) {
    let Some(neighbour) = neighbours.get(worker) else {
        core.counters.drop(Drop::UnknownAddress);
        return;
    };
    match neighbour.ring.hand_over(datagram.from, datagram.to, datagram.data) {
        Ok(()) => neighbour.waker.wake(),
        Err(Refused::Full) => core.counters.drop(Drop::RingFull),
        Err(Refused::TooLong) => core.counters.drop(Drop::Malformed),
    }
}
