//! The right by which somebody joins: link, number and passcode, host, or a seat kept. Checks it and
//! sends him to the meeting's door. Knows no sockets and no rules of the meeting inside.

use super::AppState;
use super::caller::Caller;
use super::errors::internal;
use super::passwords::Strength;
use crate::clock;
use crate::config::{Network, Secret};
use crate::meetings::rate::Later;
use crate::meetings::{Door, Outbox, Refusal, Seat};
use crate::store::{Meeting, MeetingNumber, StoreError};
use signaling::meeting::{Entry, Knock};
use signaling::protocol::{Join, RefusalCode};

/// Longer ones are no number, passcode, token or id of ours.
const MAX_WORD: usize = 200;

/// Takes a seat, or takes one up again.
///
/// # Errors
/// Where the right is wrong, or the meeting refuses.
pub async fn enter(
    state: &AppState,
    caller: &Caller,
    join: Join,
    name: Option<String>,
    outbox: Outbox,
) -> Result<Seat, Refusal> {
    // The socket may be older than what speaks for him now.
    let caller = &caller.again(state).await.map_err(|_| RefusalCode::Internal)?;
    let address = Network::household(caller.client.address);
    let counted = if matches!(join, Join::Resume { .. }) { &state.limits.resumes } else { &state.limits.joins };
    counted.take(clock::now(), address).map_err(too_many)?;
    let (record, entry) = match join {
        Join::Link { meeting, token } => (by_link(state, &meeting, &token).await?, Entry::Link),
        Join::Number { number, passcode } => {
            (by_number(state, caller, &number, passcode.as_deref()).await?, Entry::Number)
        }
        Join::Host { meeting } => (as_host(state, caller, &meeting).await?, Entry::Host),
        Join::Resume { meeting, seat, last_event } => {
            let record = find(state, &meeting).await?.ok_or(RefusalCode::SeatGone)?;
            not_ended(&record)?;
            return state.directory.enter(&record, Door::Resume { seat, last_event }, outbox).await;
        }
    };
    let account = caller.account.as_ref().map(|account| account.id);
    let knock = Knock {
        name: name.unwrap_or_default(),
        entry,
        account,
        identity: Some(caller.identity()),
        seat_secret: Secret::random(&mut rand::rng()).expose().to_owned(),
    };
    let seat = state.directory.enter(&record, Door::Knock(knock), outbox).await?;
    // Who was shut out while he came in was not found among those inside.
    if let Some(account) = account
        && caller.again(state).await.map_err(|_| RefusalCode::Internal)?.account.is_none()
    {
        state.directory.shut_out(account).await;
    }
    Ok(seat)
}

async fn by_link(state: &AppState, meeting: &str, token: &str) -> Result<Meeting, Refusal> {
    let record = find(state, meeting).await?.filter(|record| record.is_join_token(token));
    let record = record.ok_or(RefusalCode::WrongLink)?;
    not_ended(&record)?;
    Ok(record)
}

async fn as_host(state: &AppState, caller: &Caller, meeting: &str) -> Result<Meeting, Refusal> {
    let record = find(state, meeting).await?.filter(|record| caller.token || caller.hosts(record));
    let record = record.ok_or(RefusalCode::WrongLink)?;
    not_ended(&record)?;
    Ok(record)
}

/// A missing number and a wrong passcode do the same work and get the same answer.
async fn by_number(state: &AppState, caller: &Caller, typed: &str, passcode: Option<&str>) -> Result<Meeting, Refusal> {
    let too_long = typed.len() > MAX_WORD || passcode.is_some_and(|passcode| passcode.len() > MAX_WORD);
    let number = if too_long { None } else { typed.parse::<MeetingNumber>().ok() };
    // What is no number at all counts together, against the address and in all.
    let counted = number.map(|number| number.to_string()).unwrap_or_default();
    let guess = state.limits.guess(clock::now(), caller.client.address, &counted).map_err(too_many)?;
    let record = match number {
        Some(number) => state.store.meeting_by_number(number).await.map_err(store_failed)?,
        None => None,
    };
    let passcode = passcode.filter(|_| !too_long).unwrap_or_default();
    let stored = record.as_ref().and_then(|record| record.passcode_hash.as_deref());
    let verified = state.passwords.verify(passcode, stored, Strength::Passcode).await;
    let verified = verified.map_err(|_| Refusal::from(RefusalCode::TooMany).retry_after(5))?;
    let record = record.filter(|record| verified || record.passcode_hash.is_none());
    let record = record.ok_or(RefusalCode::WrongNumberOrPasscode)?;
    not_ended(&record)?;
    guess.was_right();
    Ok(record)
}

async fn find(state: &AppState, meeting: &str) -> Result<Option<Meeting>, Refusal> {
    if meeting.len() > MAX_WORD {
        return Ok(None);
    }
    state.store.meeting_by_id(meeting).await.map_err(store_failed)
}

fn not_ended(record: &Meeting) -> Result<(), Refusal> {
    if record.ended_at.is_some() { Err(RefusalCode::MeetingEnded.into()) } else { Ok(()) }
}

fn too_many(later: Later) -> Refusal {
    Refusal::from(RefusalCode::TooMany).retry_after(later.0)
}

fn store_failed(error: StoreError) -> Refusal {
    drop(internal(error));
    RefusalCode::Internal.into()
}
