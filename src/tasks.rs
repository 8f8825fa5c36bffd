//! Work that goes on whoever waits for it. Knows nothing of what is done.

use std::future::{Future, pending};
use std::panic::resume_unwind;

/// Done to its end: a server of HTTP drops a handler as soon as its client hangs up, wherever that waits just then. So what
/// is in the store and has to be told, or is taken out of memory to be stored, is done in here.
pub async fn to_its_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(work).await.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(done) => done,
        Err(Ok(panic)) => resume_unwind(panic),
        // The runtime ends, and with it whoever waits here.
        Err(Err(_)) => pending().await,
    }
}
