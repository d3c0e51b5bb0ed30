//! What is taken back, adjusted, given back, recovered and restored; and
//! appropriations that change.

use luzhang_ledger::{
    Fen, Position, StreamId, StreamKind,
    step::{
        Adjustment, AppropriationChange, AppropriationEvent, Extent, RecoveryClosing,
        RecoveryOpening, RecoveryReceipt, Refund, Restoration, Reversal, Step,
    },
};

use super::{Asked, Judged, Of, Place};
use crate::{
    rejection::Rejection,
    state::{
        cases::{self, Life, held, standing},
        money::Account,
    },
};

pub(super) fn reverse(asked: &mut Asked<'_>, reversal: Reversal) -> Result<Judged, Rejection> {
    let of = asked.case(reversal.grant)?;
    if asked.alive(of) {
        not_in_payment(asked, of);
        let stands = standing(&asked.state.cases.purse(of.case));
        let fen = match reversal.extent {
            Extent::Whole => stands,
            Extent::Part(amount) => amount.fen(),
        };
        if fen > stands {
            asked.money("REVERSAL_EXCEEDS", Some(of.grant), (fen, stands));
        }
    }
    Ok(Judged {
        place: asked.place(of),
        step: Step::Reversal(reversal),
    })
}

/// Money on its way cannot be taken back: the bank's answer comes first.
fn not_in_payment(asked: &mut Asked<'_>, of: Of<'_>) {
    if of.life.and_then(Life::waiting).is_some() {
        asked.order("CASE_IN_PAYMENT", Some(of.grant), &[]);
    }
}

pub(super) fn adjust(asked: &mut Asked<'_>, adjustment: Adjustment) -> Result<Judged, Rejection> {
    let of = asked.case(adjustment.grant)?;
    if asked.alive(of) {
        not_in_payment(asked, of);
        let fen = adjustment.claim.amount().fen();
        let purse = asked.state.cases.purse(of.case);
        let owed = purse.balance(Account::Receivable);
        if owed > 0 {
            // More for somebody who owes: first what they owe is dealt with.
            asked.money("CASE_OWES", Some(of.grant), (fen, owed));
        }
        let stands = standing(&purse);
        let less = of.row.amount.saturating_sub(fen);
        if less > stands {
            asked.money("REVERSAL_EXCEEDS", Some(of.grant), (less, stands));
        }
        asked.judge_again(of, &adjustment.claim);
    }
    Ok(Judged {
        place: asked.place(of),
        step: Step::Adjustment(adjustment),
    })
}

pub(super) fn refund(asked: &mut Asked<'_>, refund: Refund) -> Result<Judged, Rejection> {
    let of = asked.case(refund.grant)?;
    let left = free(asked, of);
    let fen = refund.amount.fen();
    if fen > left {
        asked.money("REFUND_EXCEEDS", Some(of.grant), (fen, left));
    }
    Ok(Judged {
        place: asked.place(of),
        step: Step::Refund(refund),
    })
}

/// What a payee holds and no open recovery expects.
pub(super) fn free(asked: &Asked<'_>, of: Of<'_>) -> i64 {
    let expected = of.life.map_or(0, |life| life.expected);
    held(&asked.state.cases.purse(of.case)).saturating_sub(expected)
}

pub(super) fn open_recovery(
    asked: &mut Asked<'_>,
    mut opening: RecoveryOpening,
) -> Result<Judged, Rejection> {
    let number = opening.recovery_no.as_str();
    if let Some((_, known)) = asked.state.cases.recoveries.find(number) {
        return Err(Rejection::NumberExists {
            number: number.to_owned(),
            at: known.position,
            field: "recovery_no",
        });
    }
    let of = asked.case(opening.grant)?;
    if let Some(position) = opening.conflict
        && asked.state.conflict_at(position) != Some(of.row.position)
    {
        return Err(Rejection::UnknownConflict { position });
    }
    not_in_payment(asked, of);
    let left = free(asked, of);
    let fen = opening.amount.map_or(left, Fen::fen);
    if fen > left || fen <= 0 {
        asked.money("RECOVERY_EXCEEDS", Some(of.grant), (fen, left));
    } else {
        opening.amount = Fen::new(fen).ok();
    }
    let mut place = asked.place(of);
    if let Some(conflict) = opening.conflict {
        place.cause = Some(conflict);
    }
    Ok(Judged {
        place,
        step: Step::RecoveryOpening(opening),
    })
}

pub(super) fn receive(
    asked: &mut Asked<'_>,
    receipt: RecoveryReceipt,
) -> Result<Judged, Rejection> {
    let (of, recovery) = found(asked, receipt.recovery_no.as_str())?;
    let (fen, left) = (receipt.amount.fen(), recovery.outstanding());
    if let Some(at) = recovery.closed {
        asked.order("RECOVERY_CLOSED", Some(of.grant), &[at]);
    } else if fen > left {
        asked.money("RECOVERY_EXCEEDS", Some(of.grant), (fen, left));
    }
    Ok(Judged {
        place: caused(asked, of, recovery),
        step: Step::RecoveryReceipt(receipt),
    })
}

pub(super) fn close_recovery(
    asked: &mut Asked<'_>,
    closing: RecoveryClosing,
) -> Result<Judged, Rejection> {
    let (of, recovery) = found(asked, closing.recovery_no.as_str())?;
    let (fen, left) = (closing.written_off.fen(), recovery.outstanding());
    if let Some(at) = recovery.closed {
        asked.order("RECOVERY_CLOSED", Some(of.grant), &[at]);
    } else if fen != left {
        asked.money("RECOVERY_OUTSTANDING", Some(of.grant), (fen, left));
    }
    Ok(Judged {
        place: caused(asked, of, recovery),
        step: Step::RecoveryClosing(closing),
    })
}

fn caused(asked: &Asked<'_>, of: Of<'_>, recovery: &cases::Recovery) -> Place {
    Place {
        cause: Position::new(recovery.position),
        ..asked.place(of)
    }
}

fn found<'a>(asked: &Asked<'a>, number: &str) -> Result<(Of<'a>, &'a cases::Recovery), Rejection> {
    let unknown = || Rejection::UnknownRecovery {
        number: number.to_owned(),
    };
    let (_, recovery) = asked
        .state
        .cases
        .recoveries
        .find(number)
        .ok_or_else(unknown)?;
    Ok((asked.of(recovery.case).ok_or_else(unknown)?, recovery))
}

pub(super) fn restore(
    asked: &mut Asked<'_>,
    restoration: Restoration,
) -> Result<Judged, Rejection> {
    let of = asked.case(restoration.grant)?;
    let purse = asked.state.cases.purse(of.case);
    let returned = purse.balance(Account::Returned);
    let left = returned.saturating_add(purse.balance(Account::Recovered));
    let fen = restoration.amount.fen();
    if fen > left {
        asked.money("RESTORATION_EXCEEDS", Some(of.grant), (fen, left));
    }
    Ok(Judged {
        place: asked.place(of),
        step: Step::Restoration(restoration),
    })
}

pub(super) fn change_appropriation(
    asked: &mut Asked<'_>,
    change: AppropriationChange,
) -> Result<Judged, Rejection> {
    let state = asked.state;
    if state.has_document(change.document.as_str()) {
        return Err(Rejection::AppropriationExists {
            document: change.document.to_string(),
        });
    }
    let unknown = || Rejection::UnknownAppropriation {
        document: change.of.to_string(),
    };
    let line = state.line_of(change.of.as_str()).ok_or_else(unknown)?;
    let key = state.budget.key(line).ok_or_else(unknown)?;
    let fen = change.amount.fen();
    let left = state.budget.balance_of(line).left();
    match change.change {
        AppropriationEvent::Increased => {}
        AppropriationEvent::Decreased | AppropriationEvent::Returned if fen <= left => {}
        AppropriationEvent::Decreased | AppropriationEvent::Returned => {
            asked.money("APPROPRIATION_OVERDRAWN", None, (fen, left));
        }
    }
    let stream = StreamId::of(StreamKind::Fund, state.funds.name(key.fund));
    Ok(Judged {
        place: Place::of_stream(stream),
        step: Step::AppropriationChange(change),
    })
}
