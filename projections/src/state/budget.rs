//! What was appropriated and what is committed, by fund, programme, office and
//! year.

use std::io;

use hashbrown::HashMap;
use luzhang_ledger::{Office, Position, fact::BudgetYear};

use super::{
    digest::Digester,
    lists::{Lists, count},
    money::{Account, Purse, Transfer},
};
use crate::snapshot::{Reader, Writer, misread, record};

/// One line of the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct BudgetKey {
    pub(crate) fund: u16,
    pub(crate) programme: u16,
    pub(crate) office: Office,
    pub(crate) year: BudgetYear,
}

record!(BudgetKey {
    fund,
    programme,
    office,
    year
});

/// The money on one line, in fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// All accounts.
    pub accounts: Purse,
}

record!(Balance { accounts });

impl Balance {
    /// Sum of the appropriations, less what was taken back.
    pub fn appropriated(&self) -> i64 {
        let credit = self.accounts.balance(Account::Appropriated);
        credit.saturating_neg()
    }

    /// Sum of the grants that stand, paid or not.
    pub fn committed(&self) -> i64 {
        let reserved = self.accounts.balance(Account::Reserved);
        reserved.saturating_add(self.accounts.balance(Account::Paid))
    }

    /// What may still be granted; negative if an overrun was recorded.
    pub fn left(&self) -> i64 {
        self.accounts.balance(Account::Available)
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

    /// Notes where a line's money comes from.
    pub(crate) fn add_source(&mut self, line: u32, position: Position) {
        self.sources.push(line, position.number());
    }

    /// Moves money within a line.
    pub(crate) fn take(&mut self, line: u32, transfer: Transfer) {
        let balance = usize::try_from(line)
            .ok()
            .and_then(|line| self.balances.get_mut(line));
        if let Some(balance) = balance {
            balance.accounts.take(transfer);
        }
    }

    /// The key of a line.
    pub(crate) fn key(&self, line: u32) -> Option<BudgetKey> {
        self.keys.get(usize::try_from(line).ok()?).copied()
    }

    /// The balance of a line by its number.
    pub(crate) fn balance_of(&self, line: u32) -> Balance {
        let place = usize::try_from(line).ok();
        let balance = place.and_then(|place| self.balances.get(place));
        balance.copied().unwrap_or_default()
    }

    /// All lines, in the order in which they appeared.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (BudgetKey, Balance)> {
        self.keys.iter().copied().zip(self.balances.iter().copied())
    }

    /// The number of a line that has appeared.
    pub(crate) fn line(&self, key: BudgetKey) -> Option<u32> {
        self.lines.get(&key).copied()
    }

    /// The number of a line, given now if it never appeared before.
    pub(crate) fn open(&mut self, key: BudgetKey) -> u32 {
        if let Some(line) = self.line(key) {
            return line;
        }
        let line = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        self.lines.insert(key, line);
        self.keys.push(key);
        self.balances.push(Balance::default());
        line
    }

    pub(crate) fn write(&self, to: &mut Writer<'_>) -> io::Result<()> {
        let Self {
            lines: _,
            keys,
            balances,
            sources,
        } = self;
        to.column("budget.keys", keys)?;
        to.column("budget.balances", balances)?;
        sources.write("budget.sources", to)
    }

    pub(crate) fn read(from: &Reader<'_>) -> io::Result<Self> {
        let keys: Vec<BudgetKey> = from.column("budget.keys")?;
        let balances = from.column("budget.balances")?;
        if keys.len() != balances.len() {
            return Err(misread("budget"));
        }
        Ok(Self {
            lines: keys.iter().copied().zip(0..).collect(),
            keys,
            balances,
            sources: Lists::read("budget.sources", from)?,
        })
    }

    /// Feeds the lines; `names` feeds the fund and the programme of a key.
    pub(crate) fn digest(&self, hasher: &mut Digester, names: impl Fn(BudgetKey, &mut Digester)) {
        hasher.update(&count(self.keys.len()));
        for (key, balance) in self.lines() {
            names(key, hasher);
            hasher.update(&key.office.code().to_le_bytes());
            hasher.update(&key.year.number().to_le_bytes());
            for fen in balance.accounts.balances() {
                hasher.update(&fen.to_le_bytes());
            }
        }
        self.sources.digest(hasher, |source, hasher| {
            hasher.update(&source.to_le_bytes());
        });
    }
}
