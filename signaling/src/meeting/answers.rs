//! What the last commands of one seat were answered, so that one sent again is not carried out twice.

use crate::protocol::{Outcome, RefusalCode};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Why a command was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refusal {
    pub(super) code: RefusalCode,
    /// In seconds.
    pub(super) retry_after: Option<u32>,
}

impl From<RefusalCode> for Refusal {
    fn from(code: RefusalCode) -> Self {
        Self { code, retry_after: (code == RefusalCode::TooMany).then_some(1) }
    }
}

/// An answer worth remembering. The log is not: reading it again changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Done,
    Admitted(u16, u16),
    Refused(Refusal),
}

/// What is known of a command's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    Never,
    /// This was the answer.
    Answered(Result<Outcome, Refusal>),
    /// Too long ago to know.
    Forgotten,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Answers {
    kept: VecDeque<(u64, Answer)>,
    /// The highest id whose answer was dropped.
    forgotten: u64,
}

impl Answers {
    pub(super) fn seen(&self, id: u64) -> Seen {
        if let Some((_, answer)) = self.kept.iter().find(|(kept, _)| *kept == id) {
            return Seen::Answered(match *answer {
                Answer::Done => Ok(Outcome::Done),
                Answer::Admitted(admitted, waiting) => Ok(Outcome::Admitted { admitted, waiting }),
                Answer::Refused(refusal) => Err(refusal),
            });
        }
        if id <= self.forgotten { Seen::Forgotten } else { Seen::Never }
    }

    /// Remembers an answer where there is something to remember.
    pub(super) fn remember(&mut self, id: u64, result: &Result<Outcome, Refusal>, bound: usize) {
        let answer = match result {
            Ok(Outcome::Done) => Answer::Done,
            Ok(Outcome::Admitted { admitted, waiting }) => Answer::Admitted(*admitted, *waiting),
            Ok(Outcome::Answer { .. } | Outcome::Log { .. }) => return,
            // Nothing was looked at, so asking again must be possible.
            Err(Refusal { code: RefusalCode::TooMany, .. }) => return,
            Err(refusal) => Answer::Refused(*refusal),
        };
        self.kept.push_back((id, answer));
        if self.kept.len() > bound
            && let Some((dropped, _)) = self.kept.pop_front()
        {
            self.forgotten = self.forgotten.max(dropped);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_known_then_forgotten_but_never_new_again() {
        let mut answers = Answers::default();
        for id in 1..=10 {
            assert_eq!(answers.seen(id), Seen::Never);
            answers.remember(id, &Ok(Outcome::Done), 4);
        }
        assert_eq!(answers.seen(10), Seen::Answered(Ok(Outcome::Done)));
        assert_eq!(answers.seen(6), Seen::Forgotten);
        assert_eq!(answers.seen(1), Seen::Forgotten);
    }

    #[test]
    fn being_too_fast_is_not_remembered() {
        let mut answers = Answers::default();
        answers.remember(1, &Err(RefusalCode::TooMany.into()), 4);
        assert_eq!(answers.seen(1), Seen::Never);
    }
}
