//! Where money stands: accounts of a budget line, and the transfers between
//! them. Every transfer's postings sum to zero, so money is never made or lost:
//!
//! ```text
//! available + reserved + paid                          = appropriated
//! receivable + returned + recovered + written off      = advanced
//! ```
//!
//! The first line is the budget, the second is money that was paid, is no
//! longer owed to the payee, and has to come back (归垫) to the fund it came
//! from.

use crate::snapshot::record;

/// An account of a budget line. Debits are positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// 下达: what was appropriated; a credit balance.
    Appropriated,
    /// 可用: what may still be granted.
    Available,
    /// 占用: granted, not paid.
    Reserved,
    /// 支付: paid, and rightly so.
    Paid,
    /// 应收: paid, and to be given back.
    Receivable,
    /// 退款: given back by the payee.
    Returned,
    /// 追回: got back by a recovery.
    Recovered,
    /// 核销: will not come back.
    WrittenOff,
    /// 垫付: what the fund misses until it is restored; a credit balance.
    Advanced,
}

impl Account {
    /// All, in the order of a statement.
    pub const ALL: [Self; 9] = [
        Self::Appropriated,
        Self::Available,
        Self::Reserved,
        Self::Paid,
        Self::Receivable,
        Self::Returned,
        Self::Recovered,
        Self::WrittenOff,
        Self::Advanced,
    ];

    /// Its name in projections and journals.
    pub fn name(self) -> &'static str {
        match self {
            Self::Appropriated => "appropriated",
            Self::Available => "available",
            Self::Reserved => "reserved",
            Self::Paid => "paid",
            Self::Receivable => "receivable",
            Self::Returned => "returned",
            Self::Recovered => "recovered",
            Self::WrittenOff => "written_off",
            Self::Advanced => "advanced",
        }
    }
}

/// What happens to money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 下达、调增
    Appropriate,
    /// 调减、收回
    Withdraw,
    /// A grant commits it.
    Reserve,
    /// What was committed and not paid is free again.
    Release,
    /// 支付
    Pay,
    /// 退票, after it seemed paid.
    Bounce,
    /// What was paid is free again, and to be given back.
    Claw,
    /// 退款 of what is to be given back.
    Refund,
    /// 退款 of what was rightly paid: it may be paid again.
    GiveBack,
    /// 追回
    Recover,
    /// 核销
    WriteOff,
    /// 归垫 of refunds.
    RestoreReturned,
    /// 归垫 of recoveries.
    RestoreRecovered,
}

/// So much money moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// How.
    pub kind: Kind,
    /// How much, in fen; never negative.
    pub fen: i64,
}

/// One side of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Which account.
    pub account: Account,
    /// Fen; debits are positive.
    pub fen: i64,
}

impl Transfer {
    /// Its postings; they sum to zero.
    pub fn postings(self) -> impl Iterator<Item = Posting> {
        use Account as A;
        let pairs: &'static [(A, A)] = match self.kind {
            Kind::Appropriate => &[(A::Available, A::Appropriated)],
            Kind::Withdraw => &[(A::Appropriated, A::Available)],
            Kind::Reserve => &[(A::Reserved, A::Available)],
            Kind::Release => &[(A::Available, A::Reserved)],
            Kind::Pay => &[(A::Paid, A::Reserved)],
            Kind::Bounce => &[(A::Reserved, A::Paid)],
            Kind::Claw => &[(A::Available, A::Paid), (A::Receivable, A::Advanced)],
            Kind::Refund => &[(A::Returned, A::Receivable)],
            Kind::GiveBack => &[(A::Reserved, A::Paid), (A::Returned, A::Advanced)],
            Kind::Recover => &[(A::Recovered, A::Receivable)],
            Kind::WriteOff => &[(A::WrittenOff, A::Receivable)],
            Kind::RestoreReturned => &[(A::Advanced, A::Returned)],
            Kind::RestoreRecovered => &[(A::Advanced, A::Recovered)],
        };
        let fen = self.fen;
        pairs.iter().flat_map(move |(debit, credit)| {
            let posting = |account: &A, fen| Posting {
                account: *account,
                fen,
            };
            [posting(debit, fen), posting(credit, fen.saturating_neg())]
        })
    }
}

/// The transfers of one event: at most two.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Transfers([Option<Transfer>; 2]);

impl Transfers {
    pub(crate) fn one(kind: Kind, fen: i64) -> Self {
        Self([Some(Transfer { kind, fen }), None])
    }

    pub(crate) fn two(first: Transfer, second: Transfer) -> Self {
        Self([Some(first), Some(second)])
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Transfer> + use<> {
        self.0.into_iter().flatten()
    }
}

impl FromIterator<Transfer> for Transfers {
    fn from_iter<I: IntoIterator<Item = Transfer>>(transfers: I) -> Self {
        let mut transfers = transfers.into_iter();
        Self([transfers.next(), transfers.next()])
    }
}

/// Balances of all accounts, in fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purse {
    balances: [i64; Account::ALL.len()],
}

record!(Purse { balances });

impl Purse {
    /// The balance of one account; debits are positive.
    pub fn balance(&self, account: Account) -> i64 {
        self.balances.get(place(account)).copied().unwrap_or(0)
    }

    /// Takes both sides of a transfer.
    pub(crate) fn take(&mut self, transfer: Transfer) {
        for posting in transfer.postings() {
            if let Some(balance) = self.balances.get_mut(place(posting.account)) {
                *balance = balance.saturating_add(posting.fen);
            }
        }
    }

    /// Adds each balance of another purse.
    pub(crate) fn add(&mut self, other: &Self) {
        for (balance, more) in self.balances.iter_mut().zip(other.balances) {
            *balance = balance.saturating_add(more);
        }
    }

    /// All balances, in the order of [`Account::ALL`].
    pub(crate) fn balances(&self) -> &[i64] {
        &self.balances
    }
}

fn place(account: Account) -> usize {
    match account {
        Account::Appropriated => 0,
        Account::Available => 1,
        Account::Reserved => 2,
        Account::Paid => 3,
        Account::Receivable => 4,
        Account::Returned => 5,
        Account::Recovered => 6,
        Account::WrittenOff => 7,
        Account::Advanced => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Kind; 13] = [
        Kind::Appropriate,
        Kind::Withdraw,
        Kind::Reserve,
        Kind::Release,
        Kind::Pay,
        Kind::Bounce,
        Kind::Claw,
        Kind::Refund,
        Kind::GiveBack,
        Kind::Recover,
        Kind::WriteOff,
        Kind::RestoreReturned,
        Kind::RestoreRecovered,
    ];

    #[test]
    fn every_transfer_keeps_both_sums() {
        for kind in KINDS {
            let mut purse = Purse::default();
            purse.take(Transfer { kind, fen: 7 });
            let of = |account| purse.balance(account);
            assert_eq!(purse.balances().iter().sum::<i64>(), 0, "{kind:?}");
            let budget = of(Account::Available) + of(Account::Reserved) + of(Account::Paid);
            assert_eq!(budget, -of(Account::Appropriated), "{kind:?}");
            let cash = of(Account::Receivable)
                + of(Account::Returned)
                + of(Account::Recovered)
                + of(Account::WrittenOff);
            assert_eq!(cash, -of(Account::Advanced), "{kind:?}");
        }
    }
}
