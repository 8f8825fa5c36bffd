//! Which transactions were carried out, so that none is carried out twice. Knows no messages.

use crate::net::stun::TransactionId;

/// How many are remembered. A stable session sees one in 2.5 s, so 128 reach back five minutes;
/// while a session begins they come in tens a second. Only authenticated requests are remembered.
const REMEMBERED: usize = 128;

/// The last transactions.
#[derive(Debug)]
pub(super) struct Transactions {
    ids: Vec<TransactionId>,
    oldest: usize,
}

impl Transactions {
    pub(super) fn new() -> Self {
        Self { ids: Vec::new(), oldest: 0 }
    }

    pub(super) fn contains(&self, id: TransactionId) -> bool {
        self.ids.contains(&id)
    }

    /// Remembers one; beyond [`REMEMBERED`] the oldest is forgotten.
    pub(super) fn insert(&mut self, id: TransactionId) {
        if self.ids.len() < REMEMBERED {
            self.ids.push(id);
        } else if let Some(slot) = self.ids.get_mut(self.oldest) {
            *slot = id;
            self.oldest = (self.oldest + 1) % REMEMBERED;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> TransactionId {
        let mut id = [0; 12];
        id[8..].copy_from_slice(&number.to_be_bytes());
        TransactionId(id)
    }

    #[test]
    fn the_last_are_remembered_and_no_more() {
        let mut transactions = Transactions::new();
        for number in 0..1000 {
            assert!(!transactions.contains(id(number)));
            transactions.insert(id(number));
        }
        assert!((1000 - REMEMBERED as u32..1000).all(|number| transactions.contains(id(number))));
        assert!(!transactions.contains(id(999 - REMEMBERED as u32)));
        assert_eq!(transactions.ids.len(), REMEMBERED);
    }
}
