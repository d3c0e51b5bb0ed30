//! The batch beside the bank's answer, line by line.

use luzhang_ledger::Fen;

use super::{EndToEnd, Outcome, Reported};

/// A payment of the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) id: EndToEnd,
    pub(crate) amount: Fen,
}

/// One payment, as both sides know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) id: EndToEnd,
    pub(crate) verdict: Verdict,
    /// What the batch has.
    pub(crate) expected: Option<Fen>,
    /// What the bank has, where it says so.
    pub(crate) reported: Option<Fen>,
    pub(crate) outcome: Option<Outcome>,
}

/// What the two sides make together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// 支付成功
    Settled,
    /// 退票
    Bounced,
    /// The bank has it and has not paid yet.
    Pending,
    /// The bank says nothing of it.
    Missing,
    /// The bank says something of a payment that is not in the batch.
    Unexpected,
    /// The bank speaks of another amount.
    AmountDiffers,
}

impl Verdict {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Bounced => "bounced",
            Self::Pending => "pending",
            Self::Missing => "missing",
            Self::Unexpected => "unexpected",
            Self::AmountDiffers => "amount_differs",
        }
    }

    /// Whether nobody has to look at it.
    pub(crate) fn is_plain(self) -> bool {
        matches!(self, Self::Settled | Self::Bounced)
    }
}

/// Every payment of either side: the batch's in its order, then the others.
pub(crate) fn reconcile(expected: &[Expected], reported: &[Reported]) -> Vec<Line> {
    let of_batch = expected.iter().map(|payment| {
        let found = reported.iter().find(|reported| reported.id == payment.id);
        let verdict = match found {
            None => Verdict::Missing,
            Some(found) if found.amount.is_some_and(|amount| amount != payment.amount) => {
                Verdict::AmountDiffers
            }
            Some(found) => match found.outcome {
                Outcome::Settled { .. } => Verdict::Settled,
                Outcome::Bounced { .. } => Verdict::Bounced,
                Outcome::Pending => Verdict::Pending,
            },
        };
        Line {
            id: payment.id.clone(),
            verdict,
            expected: Some(payment.amount),
            reported: found.and_then(|found| found.amount),
            outcome: found.map(|found| found.outcome.clone()),
        }
    });
    let known = |found: &&Reported| expected.iter().any(|payment| payment.id == found.id);
    let others = reported.iter().filter(|found| !known(found));
    let others = others.map(|found| Line {
        id: found.id.clone(),
        verdict: Verdict::Unexpected,
        expected: None,
        reported: found.amount,
        outcome: Some(found.outcome.clone()),
    });
    of_batch.chain(others).collect()
}
