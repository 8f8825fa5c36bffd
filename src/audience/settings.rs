//! The rules of a broadcast's audience: whether comments are taken, held, how often, and which words are looked at first.
//! Knows nobody.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest list.
pub const WORDS: usize = 200;
/// The longest of them, in characters.
pub const WORD: usize = 64;
/// The slowest slow mode, in seconds.
pub const SLOWEST: u32 = 600;

/// The rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Comments are taken (true).
    pub open: bool,
    /// A moderator looks at each first (false).
    pub hold: bool,
    /// Slow mode: seconds between two comments of one viewer, 0 to 600 (0).
    pub slow: u32,
    /// A comment with one of these is held; at most 200 of 64 characters. Case does not count, and a word is found within
    /// others, too.
    pub words: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { open: true, hold: false, slow: 0, words: Vec::new() }
    }
}

impl Settings {
    /// As they may be kept: words trimmed, in lower case, each once. `None` where a bound is passed.
    #[must_use]
    pub fn cleaned(mut self) -> Option<Self> {
        let words = self.words.iter().map(|word| word.trim().to_lowercase());
        let mut words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        words.sort();
        words.dedup();
        self.words = words;
        let fits = self.slow <= SLOWEST
            && self.words.len() <= WORDS
            && self.words.iter().all(|word| word.chars().count() <= WORD && !word.chars().any(char::is_control));
        fits.then_some(self)
    }

    /// Whether a text has one of the words.
    #[must_use]
    pub fn minds(&self, text: &str) -> bool {
        if self.words.is_empty() {
            return false;
        }
        let text = text.to_lowercase();
        self.words.iter().any(|word| text.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_case_and_within_others() {
        let words = vec![" Spam ".to_owned(), "spam".to_owned(), String::new(), "广告".to_owned()];
        let settings = Settings { words, ..Settings::default() }.cleaned().expect("it fits");
        assert_eq!(settings.words, ["spam", "广告"]);
        for text in ["SPAM!", "buyspamnow", "看广告吧"] {
            assert!(settings.minds(text), "{text}");
        }
        assert!(!settings.minds("hello") && !Settings::default().minds("spam"));
    }

    // acceptance: SEC12
    #[test]
    fn rules_are_bounded() {
        let with = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            settings.cleaned()
        };
        assert_eq!(with(|settings| settings.slow = SLOWEST + 1), None);
        assert_eq!(with(|settings| settings.words = (0..=WORDS).map(|n| n.to_string()).collect()), None);
        assert_eq!(with(|settings| settings.words = vec!["x".repeat(WORD + 1)]), None);
        assert_eq!(with(|settings| settings.words = vec!["a\u{7}b".to_owned()]), None);
    }
}
