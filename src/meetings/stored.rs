//! What the store keeps of a meeting's settings, as JSON. Knows neither store nor meeting.

use crate::config::Secret;
use crate::store::Visibility;
use ring::hmac;
use serde::{Deserialize, Serialize};
use signaling::ids::Millis;
use signaling::protocol::Policy;

/// A meeting's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredSettings {
    /// The rules at the start.
    pub policy: Policy,
    /// Who comes by number waits in any case.
    pub numbers_wait: bool,
    /// The plan's limit.
    pub capacity: u16,
    /// How it is recorded.
    #[serde(default)]
    pub recording: RecordingSettings,
    /// Signs the cookies of this meeting's hosts.
    pub host_key: String,
}

/// How a meeting is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RecordingSettings {
    /// By itself as soon as somebody is in.
    pub auto: bool,
    /// Higher pictures are not kept; none: as high as they come.
    pub height: Option<u16>,
    /// Who may see what was recorded.
    pub visibility: Visibility,
}

impl Default for RecordingSettings {
    fn default() -> Self {
        Self { auto: false, height: None, visibility: Visibility::Host }
    }
}

/// How long a host's cookie holds: longer than the longest event, shorter than a forgotten browser in a library.
pub const HOST_COOKIE_LIFETIME_MS: u64 = 7 * 24 * 3_600_000;

/// The rules where nothing is said: everything allowed, people are let in by hand.
#[must_use]
pub const fn default_policy() -> Policy {
    Policy {
        waiting_room: true,
        locked: false,
        may_unmute: true,
        may_show_camera: true,
        may_share: true,
        may_chat: true,
        may_rename: true,
        mute_on_entry: false,
    }
}

impl StoredSettings {
    /// New ones with a key of their own.
    #[must_use]
    pub fn new(policy: Policy, numbers_wait: bool, capacity: u16) -> Self {
        let host_key = Secret::random(&mut rand::rng()).expose().to_owned();
        Self { policy, numbers_wait, capacity, recording: RecordingSettings::default(), host_key }
    }

    /// As read from the store. What cannot be read is as strict as can be, and has no key that fits.
    #[must_use]
    pub fn read(value: &serde_json::Value) -> Self {
        Self::deserialize(value).unwrap_or_else(|error| {
            tracing::error!(%error, "a meeting's settings cannot be read");
            Self::new(default_policy(), true, 9)
        })
    }

    /// For the store.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// A cookie for a host of this meeting in this epoch of its host links: `<expires>.<signature>`.
    #[must_use]
    pub fn host_cookie(&self, meeting: (&str, i64), now: Millis) -> String {
        let expires = now.plus(HOST_COOKIE_LIFETIME_MS).0;
        let signature = hmac::sign(&self.key(), signed(meeting, expires).as_bytes());
        format!("{expires}.{}", crate::config::hex(signature.as_ref()))
    }

    /// Whether a cookie is one of ours, for this meeting and epoch, and still holds.
    #[must_use]
    pub fn is_host_cookie(&self, meeting: (&str, i64), cookie: &str, now: Millis) -> bool {
        let Some((expires, signature)) = cookie.split_once('.') else { return false };
        let Ok(expires) = expires.parse::<u64>() else { return false };
        let Some(signature) = unhex(signature) else { return false };
        expires > now.0 && hmac::verify(&self.key(), signed(meeting, expires).as_bytes(), &signature).is_ok()
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.host_key.as_bytes())
    }
}

fn signed((meeting, epoch): (&str, i64), expires: u64) -> String {
    // As it was before there were epochs, so that cookies hold over an update.
    let epoch = if epoch == 0 { String::new() } else { format!(" in {epoch}") };
    format!("host of {meeting}{epoch} until {expires}")
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    // acceptance: SEC8
    #[test]
    fn a_hosts_cookie_holds_for_its_meeting_its_time_and_its_key() {
        let settings = StoredSettings::new(default_policy(), true, 300);
        let now = Millis(1_800_000_000_000);
        let cookie = settings.host_cookie(("a", 0), now);
        assert!(settings.is_host_cookie(("a", 0), &cookie, now));
        assert!(!settings.is_host_cookie(("b", 0), &cookie, now), "another meeting");
        assert!(!settings.is_host_cookie(("a", 1), &cookie, now), "links were renewed");
        let renewed = settings.host_cookie(("a", 1), now);
        assert!(settings.is_host_cookie(("a", 1), &renewed, now));
        assert!(!settings.is_host_cookie(("a", 0), &cookie, now.plus(HOST_COOKIE_LIFETIME_MS)), "expired");
        let (_, signature) = cookie.split_once('.').expect("two parts");
        let later = format!("{}.{signature}", u64::MAX);
        assert!(!settings.is_host_cookie(("a", 0), &later, now), "a time that was not signed");
        let other = StoredSettings::new(default_policy(), true, 300);
        assert!(!other.is_host_cookie(("a", 0), &cookie, now), "another key");
        for forged in ["", ".", "9999999999999.", "x.y", "9999999999999.zz", &"é".repeat(40)] {
            assert!(!settings.is_host_cookie(("a", 0), forged, now), "{forged}");
        }
    }

    #[test]
    fn what_is_stored_is_read_again() {
        let settings = StoredSettings::new(default_policy(), false, 9);
        assert_eq!(StoredSettings::read(&settings.to_value()), settings);
        assert!(StoredSettings::read(&serde_json::json!({"policy": 1})).policy.waiting_room);
    }
}
