//! Payment batches, and what the bank says of them.

use luzhang_ledger::{
    Fen,
    event::Value,
    step::{
        self, Batch, BatchLocking, BatchSubmission, BatchWithdrawal, Bounce, Duty,
        Payment as PaymentRef, Reissue, Settlement, Step,
    },
};

use super::{Asked, Judged, Of, Place, compared, in_words, money, notice};
use crate::{
    decide::resolve_fund,
    pack::Rule,
    rejection::Rejection,
    state::{
        cases::{self, Life, Payment, PaymentStage},
        money::Account,
    },
};

pub(super) fn batch(asked: &mut Asked<'_>, mut batch: Batch) -> Result<Judged, Rejection> {
    let number = batch.batch_no.as_str();
    if let Some((_, known)) = asked.state.cases.batches.find(number) {
        return Err(Rejection::NumberExists {
            number: number.to_owned(),
            at: known.position,
            field: "batch_no",
        });
    }
    let newest = asked.state.packs().last().ok_or(Rejection::NoPolicy)?;
    batch.fund = resolve_fund(&newest.pack, &batch.fund)?;
    let mut amounts = Vec::with_capacity(batch.grants.len());
    for grant in &batch.grants {
        let of = asked.case(*grant)?;
        amounts.push(Fen::new(payable(asked, of, batch.fund.as_str())).unwrap_or(Fen::ZERO));
    }
    batch.amounts = amounts;
    Ok(Judged {
        place: Place::of_stream(step::batch(&batch.batch_no)),
        step: Step::Batch(batch),
    })
}

/// What a case is paid in a batch of a fund, if nothing speaks against it.
fn payable(asked: &mut Asked<'_>, of: Of<'_>, fund: &str) -> i64 {
    let reserved = asked.state.cases.purse(of.case).balance(Account::Reserved);
    if !asked.alive(of) {
        return reserved;
    }
    if !Life::is_passed(of.life.and_then(|life| life.approval)) {
        asked.order("CASE_NOT_APPROVED", Some(of.grant), &[]);
    }
    notice::over(asked, of);
    if of.life.and_then(Life::waiting).is_some() {
        asked.order("CASE_IN_PAYMENT", Some(of.grant), &[]);
    } else if of.life.is_some_and(bounced) {
        asked.order("CASE_BOUNCED", Some(of.grant), &[]);
    } else if reserved <= 0 {
        asked.order("CASE_PAID", Some(of.grant), &[]);
    }
    of_fund(asked, of, fund);
    asked.duties_apart(of, Duty::Payment);
    reserved
}

fn bounced(life: &Life) -> bool {
    let bounced = |payment: &Payment| payment.stage == PaymentStage::Bounced;
    life.payments.last().is_some_and(bounced)
}

fn of_fund(asked: &mut Asked<'_>, of: Of<'_>, fund: &str) {
    let key = asked.state.budget.key(of.row.line);
    let own = key.map_or("", |key| asked.state.funds.name(key.fund));
    if own != fund {
        asked.order("BATCH_FUND", Some(of.grant), &[of.row.position]);
    }
}

pub(super) fn withdraw(
    asked: &mut Asked<'_>,
    withdrawal: BatchWithdrawal,
) -> Result<Judged, Rejection> {
    let (place, batch) = found(asked, withdrawal.batch_no.as_str())?;
    let of = asked.case(withdrawal.grant)?;
    if let Some(at) = batch.locked {
        asked.order("BATCH_LOCKED", Some(of.grant), &[at]);
    } else {
        let waiting = of.life.and_then(Life::waiting);
        if waiting.is_none_or(|(_, payment)| payment.batch != place) {
            asked.order("CASE_NOT_IN_BATCH", Some(of.grant), &[batch.position]);
        }
    }
    Ok(Judged {
        place: asked.place(of),
        step: Step::BatchWithdrawal(withdrawal),
    })
}

pub(super) fn lock(asked: &mut Asked<'_>, locking: BatchLocking) -> Result<Judged, Rejection> {
    let (_, batch) = found(asked, locking.batch_no.as_str())?;
    if let Some(at) = batch.locked {
        asked.order("BATCH_LOCKED", None, &[at]);
    } else {
        let (mut count, mut total) = (0_u32, 0_i64);
        for (of, payment) in waiting(asked, batch) {
            count = count.saturating_add(1);
            total = total.saturating_add(payment.fen);
            within(asked, of, payment.fen);
            asked.duties_apart(of, Duty::Payment);
        }
        if count == 0 {
            asked.order("BATCH_EMPTY", None, &[batch.position]);
        } else if count != locking.count || total != locking.total.fen() {
            asked.money("BATCH_DIFFERS", None, (locking.total.fen(), total));
        }
    }
    Ok(Judged {
        place: Place::of_stream(step::batch(&locking.batch_no)),
        step: Step::BatchLocking(locking),
    })
}

pub(super) fn submit(
    asked: &mut Asked<'_>,
    submission: BatchSubmission,
) -> Result<Judged, Rejection> {
    let (_, batch) = found(asked, submission.batch_no.as_str())?;
    match (batch.locked, batch.submitted) {
        (_, Some(at)) => asked.order("BATCH_SUBMITTED", None, &[at]),
        (None, None) => asked.order("BATCH_NOT_LOCKED", None, &[batch.position]),
        (Some(_), None) => {
            for (of, _) in waiting(asked, batch) {
                asked.duties_apart(of, Duty::Payment);
            }
        }
    }
    Ok(Judged {
        place: Place::of_stream(step::batch(&submission.batch_no)),
        step: Step::BatchSubmission(submission),
    })
}

pub(super) fn settle(asked: &mut Asked<'_>, settled: Settlement) -> Result<Judged, Rejection> {
    let (of, payment) = paid(asked, settled.payment)?;
    if submitted(asked, of, payment) {
        match payment.stage {
            PaymentStage::Settled => asked.order("PAYMENT_SETTLED", Some(of.grant), &[]),
            PaymentStage::Withdrawn => asked.order("CASE_NOT_IN_BATCH", Some(of.grant), &[]),
            // A bank may pay late what it had sent back.
            PaymentStage::Waiting | PaymentStage::Bounced | PaymentStage::Reissued => {
                let fen = settled.amount.fen();
                if fen != payment.fen {
                    asked.money("PAYMENT_AMOUNT", Some(of.grant), (fen, payment.fen));
                }
                within(asked, of, fen);
            }
        }
    }
    Ok(Judged {
        place: asked.place(of),
        step: Step::Settlement(settled),
    })
}

pub(super) fn bounce(asked: &mut Asked<'_>, bounce: Bounce) -> Result<Judged, Rejection> {
    let (of, payment) = paid(asked, bounce.payment)?;
    if submitted(asked, of, payment) {
        match payment.stage {
            PaymentStage::Waiting => {}
            PaymentStage::Settled => {
                // What an open recovery expects comes in as its receipt.
                let left = money::free(asked, of);
                if payment.fen > left {
                    asked.money("REFUND_EXCEEDS", Some(of.grant), (payment.fen, left));
                }
            }
            PaymentStage::Bounced | PaymentStage::Reissued => {
                asked.order("PAYMENT_BOUNCED", Some(of.grant), &[]);
            }
            PaymentStage::Withdrawn => asked.order("CASE_NOT_IN_BATCH", Some(of.grant), &[]),
        }
    }
    Ok(Judged {
        place: asked.place(of),
        step: Step::Bounce(bounce),
    })
}

pub(super) fn reissue(asked: &mut Asked<'_>, reissue: Reissue) -> Result<Judged, Rejection> {
    let (of, payment) = paid(asked, reissue.payment)?;
    let (_, batch) = found(asked, reissue.batch_no.as_str())?;
    if asked.alive(of) {
        if payment.stage != PaymentStage::Bounced {
            asked.order("PAYMENT_NOT_BOUNCED", Some(of.grant), &[]);
        } else if of.life.and_then(Life::waiting).is_some() {
            asked.order("CASE_IN_PAYMENT", Some(of.grant), &[]);
        } else if asked.state.cases.purse(of.case).balance(Account::Reserved) <= 0 {
            asked.order("CASE_PAID", Some(of.grant), &[]);
        }
        if let Some(at) = batch.locked {
            asked.order("BATCH_LOCKED", Some(of.grant), &[at]);
        }
        let fund = asked.state.funds.name(batch.fund);
        of_fund(asked, of, fund);
        asked.duties_apart(of, Duty::Payment);
    }
    Ok(Judged {
        place: asked.place(of),
        step: Step::Reissue(reissue),
    })
}

/// P-PAY: no more than what stands of the grant and is not paid.
fn within(asked: &mut Asked<'_>, of: Of<'_>, fen: i64) {
    let left = asked.state.cases.purse(of.case).balance(Account::Reserved);
    if fen <= left {
        return;
    }
    match asked.limit(of, |rule| matches!(rule, Rule::PaymentWithinGrant)) {
        Some(limit) => {
            let compared = vec![
                in_words(of.grant),
                compared("amount", Value::Fen(fen)),
                compared("left", Value::Fen(left)),
            ];
            asked.policy(limit, compared, &[of.row.position]);
        }
        // Money that is not there cannot be paid, whatever a pack says.
        None => asked.money("PAY_EXCEEDS", Some(of.grant), (fen, left)),
    }
}

fn submitted(asked: &mut Asked<'_>, of: Of<'_>, payment: Payment) -> bool {
    let batch = asked.state.cases.batches.at(payment.batch);
    let submitted = batch.is_some_and(|batch| batch.submitted.is_some());
    if !submitted {
        let position = batch.map_or(0, |batch| batch.position);
        asked.order("BATCH_NOT_SUBMITTED", Some(of.grant), &[position]);
    }
    submitted
}

fn paid<'a>(asked: &Asked<'a>, payment: PaymentRef) -> Result<(Of<'a>, Payment), Rejection> {
    let of = asked.case(payment.grant)?;
    let found = of.life.and_then(|life| life.payment(payment.attempt));
    let found = found.ok_or(Rejection::UnknownPayment {
        grant: payment.grant,
        attempt: payment.attempt,
    })?;
    Ok((of, found))
}

fn found<'a>(asked: &Asked<'a>, number: &str) -> Result<(u32, &'a cases::Batch), Rejection> {
    let found = asked.state.cases.batches.find(number);
    found.ok_or_else(|| Rejection::UnknownBatch {
        number: number.to_owned(),
    })
}

/// The payments of a batch that wait for a result, with their cases.
fn waiting<'a>(asked: &Asked<'a>, batch: &cases::Batch) -> Vec<(Of<'a>, Payment)> {
    let items = batch.items.iter().filter_map(|(case, attempt)| {
        let of = asked.of(*case)?;
        let payment = of.life?.payment(*attempt)?;
        (payment.stage == PaymentStage::Waiting).then_some((of, payment))
    });
    items.collect()
}
