//! Review, approval, and who may take both.

use luzhang_ledger::step::{Duty, Judgement, Override, Step};

use super::{Asked, Judged, in_words, text};
use crate::{pack::Rule, rejection::Rejection, state::cases::Life};

pub(super) fn review(asked: &mut Asked<'_>, step: Judgement) -> Result<Judged, Rejection> {
    let of = asked.case(step.grant)?;
    if asked.alive(of) {
        let review = of.life.and_then(|life| life.review);
        if let Some(before) = review.filter(|_| Life::is_passed(review)) {
            asked.order("CASE_REVIEWED", Some(of.grant), &[before.position]);
        }
        asked.duties_apart(of, Duty::Review);
    }
    Ok(Judged {
        place: asked.place(of),
        step: Step::Review(step),
    })
}

pub(super) fn approval(asked: &mut Asked<'_>, step: Judgement) -> Result<Judged, Rejection> {
    let of = asked.case(step.grant)?;
    if asked.alive(of) {
        let life = of.life;
        let approval = life.and_then(|life| life.approval);
        if !Life::is_passed(life.and_then(|life| life.review)) {
            asked.order("CASE_NOT_REVIEWED", Some(of.grant), &[]);
        } else if let Some(before) = approval.filter(|_| Life::is_passed(approval)) {
            asked.order("CASE_APPROVED", Some(of.grant), &[before.position]);
        }
        asked.duties_apart(of, Duty::Approval);
    }
    Ok(Judged {
        place: asked.place(of),
        step: Step::Approval(step),
    })
}

/// Whoever lets somebody take a second duty has no part in the case.
pub(super) fn override_duty(asked: &mut Asked<'_>, step: Override) -> Result<Judged, Rejection> {
    let of = asked.case(step.grant)?;
    if asked.alive(of)
        && let Some(limit) = asked.limit(of, |rule| matches!(rule, Rule::DutiesApart))
    {
        let me = asked.state.cases.principals.find(asked.by.as_str());
        let life = of.life;
        let judged = |judged: fn(&Life) -> Option<u16>| life.and_then(judged);
        let parts = [
            Some(("submitter", of.row.submitter)),
            judged(|life| life.review.map(|j| j.by)).map(|by| ("reviewer", by)),
            judged(|life| life.approval.map(|j| j.by)).map(|by| ("approver", by)),
        ];
        let mut part = parts
            .into_iter()
            .flatten()
            .find(|(_, by)| Some(*by) == me)
            .map(|(part, _)| part);
        if *asked.by == step.principal {
            part = Some("the one who is let");
        }
        if let Some(part) = part {
            let compared = vec![
                in_words(of.grant),
                text("duty", "override"),
                text("principal", asked.by.as_str()),
                text("other", part),
            ];
            asked.policy(limit, compared, &[of.row.position]);
        }
    }
    Ok(Judged {
        place: asked.place(of),
        step: Step::Override(step),
    })
}
