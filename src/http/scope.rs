//! Who may watch a broadcast: asked by everything that shows something of it. Knows no media.

use super::AppState;
use super::errors::{Failure, internal};
use crate::store::Broadcast;
use signaling::protocol::RefusalCode;

/// The broadcast, for those who may watch it: everybody who has its link, until it is ended for good.
///
/// # Errors
/// `NotFound` for others.
pub async fn watched(state: &AppState, id: &str) -> Result<Broadcast, Failure> {
    let found = state.store.broadcast_by_id(id).await.map_err(internal)?;
    found.filter(|broadcast| broadcast.ended_at.is_none()).ok_or_else(|| RefusalCode::NotFound.into())
}
