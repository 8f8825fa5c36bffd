//! The media threads: each drives one socket, its sessions and its routers. Knows no tokio, no HTTP, no rules of meetings.

pub mod api;

use crate::session::plan::{Fingerprint, IceCredentials};
use api::{Command, RouterId, SessionId};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

/// The handle of the control side to the workers.
#[derive(Clone)]
pub struct Media {
    commands: mpsc::Sender<Command>,
    next: Arc<AtomicU64>,
}

/// Totals.
#[derive(Debug, Clone, Default)]
pub struct MediaStats {}

impl Media {
    /// Without workers: commands go to the receiver.
    ///
    /// # Errors
    /// None here; the lead's has some.
    pub fn detached() -> Result<(Media, mpsc::Receiver<Command>), std::io::Error> {
        let (commands, receiver) = mpsc::channel();
        Ok((Media { commands, next: Arc::new(AtomicU64::new(1)) }, receiver))
    }
    /// Chooses the worker.
    #[must_use]
    pub fn new_router(&self) -> RouterId {
        RouterId(self.next.fetch_add(1, Ordering::Relaxed))
    }
    /// On the router's worker.
    #[must_use]
    pub fn new_session(&self, _router: RouterId) -> SessionId {
        SessionId(self.next.fetch_add(1, Ordering::Relaxed))
    }
    /// Random; the ufrag names the worker.
    #[must_use]
    pub fn credentials(&self, _session: SessionId) -> IceCredentials {
        let random: u128 = rand::random();
        IceCredentials { ufrag: format!("0{:08x}", rand::random::<u32>()), password: format!("{random:032x}") }
    }
    /// Of the certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint([7; 32])
    }
    /// UDP host candidates.
    #[must_use]
    pub fn candidates(&self) -> Vec<SocketAddr> {
        vec![SocketAddr::from(([127, 0, 0, 1], 8080))]
    }
    /// By the worker named in the id.
    pub fn send(&self, command: Command) {
        let _ = self.commands.send(command);
    }
    /// Totals for `/metrics`.
    #[must_use]
    pub fn stats(&self) -> MediaStats {
        MediaStats {}
    }
}
