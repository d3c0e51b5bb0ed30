//! Notices and batches as the offices around a case see them.

use luzhang_ledger::Position;

use super::{
    State,
    cases::{CaseIx, PaymentStage},
};

/// A notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeView {
    /// Where it was published.
    pub position: Position,
    /// Its grants, ascending.
    pub grants: Vec<Position>,
}

/// A payment batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchView {
    /// Where it was made.
    pub position: Position,
    /// Fund id.
    pub fund: String,
    /// Where it was locked.
    pub locked: Option<Position>,
    /// Where it was submitted.
    pub submitted: Option<Position>,
    /// Its payments, withdrawn ones left out.
    pub payments: Vec<PaymentView>,
}

/// A payment of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentView {
    /// The grant.
    pub grant: Position,
    /// Its first, second, … payment.
    pub attempt: u32,
    /// How much, in fen.
    pub fen: i64,
    /// `waiting`, `settled`, `bounced` or `reissued`.
    pub stage: &'static str,
}

impl State {
    /// The notice with this number.
    pub fn notice(&self, number: &str) -> Option<NoticeView> {
        let (_, notice) = self.cases.notices.find(number)?;
        let grant = |case: &CaseIx| Position::new(self.cases.row(*case)?.position);
        Some(NoticeView {
            position: Position::new(notice.position)?,
            grants: notice.cases.iter().filter_map(grant).collect(),
        })
    }

    /// The payment batch with this number.
    pub fn batch(&self, number: &str) -> Option<BatchView> {
        let (_, batch) = self.cases.batches.find(number)?;
        let payments = batch.items.iter().filter_map(|(case, attempt)| {
            let payment = self.cases.life(*case)?.payment(*attempt)?;
            Some(PaymentView {
                grant: Position::new(self.cases.row(*case)?.position)?,
                attempt: *attempt,
                fen: payment.fen,
                stage: match payment.stage {
                    PaymentStage::Waiting => "waiting",
                    PaymentStage::Withdrawn => return None,
                    PaymentStage::Settled => "settled",
                    PaymentStage::Bounced => "bounced",
                    PaymentStage::Reissued => "reissued",
                },
            })
        });
        Some(BatchView {
            position: Position::new(batch.position)?,
            fund: self.funds.name(batch.fund).to_owned(),
            locked: batch.locked.and_then(Position::new),
            submitted: batch.submitted.and_then(Position::new),
            payments: payments.collect(),
        })
    }
}
