//! What was appropriated and what is committed, by fund, programme, office and
//! year.

use blake3::Hasher;
use hashbrown::HashMap;
use luzhang_ledger::{Fen, Office, Position, fact::BudgetYear};

use super::lists::{Lists, count};

/// One line of the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct BudgetKey {
    pub(crate) fund: u16,
    pub(crate) programme: u16,
    pub(crate) office: Office,
    pub(crate) year: BudgetYear,
}

/// The money on one line, in fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Sum of the appropriations.
    pub appropriated: i64,
    /// Sum of the grants that stand.
    pub committed: i64,
}

impl Balance {
    /// What may still be granted; negative if an overrun was recorded.
    pub fn left(self) -> i64 {
        self.appropriated.saturating_sub(self.committed)
    }
}

/// All lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Budget {
    lines: HashMap<BudgetKey, u32, foldhash::fast::FixedState>,
    keys: Vec<BudgetKey>,
    balances: Vec<Balance>,
    /// Where each line's appropriations are on the chain.
    sources: Lists<u64>,
}

impl Budget {
    pub(crate) fn balance(&self, key: BudgetKey) -> Balance {
        self.line(key)
            .and_then(|line| self.balances.get(usize::try_from(line).ok()?))
            .copied()
            .unwrap_or_default()
    }

    /// Positions of a line's appropriations, newest first.
    pub(crate) fn sources(&self, key: BudgetKey) -> impl Iterator<Item = Position> {
        self.sources
            .of(self.line(key))
            .filter_map(|number| Position::new(*number))
    }

    pub(crate) fn appropriate(&mut self, key: BudgetKey, amount: Fen, position: Position) {
        let line = self.open(key);
        self.change(line, |balance| {
            balance.appropriated = balance.appropriated.saturating_add(amount.fen());
        });
        self.sources.push(line, position.number());
    }

    pub(crate) fn commit(&mut self, key: BudgetKey, amount: Fen) {
        let line = self.open(key);
        self.change(line, |balance| {
            balance.committed = balance.committed.saturating_add(amount.fen());
        });
    }

    /// All lines, in the order in which they appeared.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (BudgetKey, Balance)> {
        self.keys.iter().copied().zip(self.balances.iter().copied())
    }

    fn line(&self, key: BudgetKey) -> Option<u32> {
        self.lines.get(&key).copied()
    }

    fn open(&mut self, key: BudgetKey) -> u32 {
        if let Some(line) = self.line(key) {
            return line;
        }
        let line = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        self.lines.insert(key, line);
        self.keys.push(key);
        self.balances.push(Balance::default());
        line
    }

    fn change(&mut self, line: u32, change: impl FnOnce(&mut Balance)) {
        let balance = usize::try_from(line)
            .ok()
            .and_then(|line| self.balances.get_mut(line));
        if let Some(balance) = balance {
            change(balance);
        }
    }

    pub(crate) fn digest(&self, hasher: &mut Hasher) {
        hasher.update(&count(self.keys.len()));
        for (key, balance) in self.lines() {
            hasher.update(&key.fund.to_le_bytes());
            hasher.update(&key.programme.to_le_bytes());
            hasher.update(&key.office.code().to_le_bytes());
            hasher.update(&key.year.number().to_le_bytes());
            hasher.update(&balance.appropriated.to_le_bytes());
            hasher.update(&balance.committed.to_le_bytes());
        }
        self.sources.digest(hasher, |source, hasher| {
            hasher.update(&source.to_le_bytes());
        });
    }
}
