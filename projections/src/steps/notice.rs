//! Public notices: what may be published, who objects, when it is over.

use luzhang_ledger::{
    Date,
    event::Value,
    step::{self, Notice, NoticeClosing, Objection, ObjectionResolution, Step},
};

use super::{Asked, Judged, ORDER, Of, Place, compared, in_words, text};
use crate::{
    pack::Rule,
    rejection::Rejection,
    state::cases::{self, Life},
};
use luzhang_ledger::event::Failure;

pub(super) fn publish(asked: &mut Asked<'_>, mut notice: Notice) -> Result<Judged, Rejection> {
    let number = notice.notice_no.as_str();
    if let Some((_, known)) = asked.state.cases.notices.find(number) {
        return Err(Rejection::NumberExists {
            number: number.to_owned(),
            at: known.position,
            field: "notice_no",
        });
    }
    let mut due = notice.first_day;
    for grant in &notice.grants {
        let of = asked.case(*grant)?;
        if !asked.alive(of) {
            continue;
        }
        let approval = of.life.and_then(|life| life.approval);
        if !Life::is_passed(approval) {
            asked.order("CASE_NOT_APPROVED", Some(of.grant), &[]);
        }
        let earlier = of.life.and_then(|life| life.notice);
        let earlier = earlier.and_then(|place| asked.state.cases.notices.at(place));
        if let Some(earlier) = earlier {
            asked.order("CASE_IN_NOTICE", Some(of.grant), &[earlier.position]);
        }
        due = due.max(last_day(asked, of, notice.first_day).unwrap_or(Date::MAX));
    }
    if due == Date::MAX {
        asked.order("CALENDAR_END", None, &[]);
    } else if notice.last_day.is_some_and(|last| last < due) {
        asked.note(Failure {
            limit: ORDER.to_owned(),
            code: "NOTICE_TOO_SHORT".to_owned(),
            compared: vec![text("last_day", due.to_string())],
            facts: Vec::new(),
        });
    } else {
        notice.last_day = Some(notice.last_day.unwrap_or(due));
    }
    Ok(Judged {
        place: Place::of_stream(step::notice(&notice.notice_no)),
        step: Step::Notice(notice),
    })
}

/// The last day that the pack asks of a notice; `None` if its calendar does not
/// reach that far.
fn last_day(asked: &Asked<'_>, of: Of<'_>, first: Date) -> Option<Date> {
    let Some(limit) = asked.limit(of, |rule| matches!(rule, Rule::NoticeClosed { .. })) else {
        return Some(first);
    };
    let (pack, Rule::NoticeClosed { days }) = (asked.pack(of)?, &limit.rule) else {
        return Some(first);
    };
    let days = pack.value(*days, first).ok()?;
    pack.calendar.as_ref()?.last_of(first, days)
}

pub(super) fn object(asked: &mut Asked<'_>, objection: Objection) -> Result<Judged, Rejection> {
    let number = objection.objection_no.as_str();
    if let Some((_, known)) = asked.state.cases.objections.find(number) {
        return Err(Rejection::NumberExists {
            number: number.to_owned(),
            at: known.position,
            field: "objection_no",
        });
    }
    let (place, notice) = found(asked, objection.notice_no.as_str())?;
    let of = asked.case(objection.grant)?;
    if let Some(closed) = notice.closed {
        asked.order("NOTICE_CLOSED", Some(of.grant), &[closed]);
    }
    if of.life.and_then(|life| life.notice) != Some(place) {
        asked.order("CASE_NOT_IN_NOTICE", Some(of.grant), &[notice.position]);
    }
    Ok(Judged {
        place: asked.place(of),
        step: Step::Objection(objection),
    })
}

pub(super) fn resolve(
    asked: &mut Asked<'_>,
    resolution: ObjectionResolution,
) -> Result<Judged, Rejection> {
    let number = resolution.objection_no.as_str();
    let unknown = || Rejection::UnknownObjection {
        number: number.to_owned(),
    };
    let (_, objection) = asked
        .state
        .cases
        .objections
        .find(number)
        .ok_or_else(unknown)?;
    let of = asked.of(objection.case).ok_or_else(unknown)?;
    if let Some(at) = objection.resolved {
        asked.order("OBJECTION_RESOLVED", Some(of.grant), &[at]);
    }
    let in_payment = of.life.and_then(Life::waiting).is_some();
    if in_payment {
        asked.order("CASE_IN_PAYMENT", Some(of.grant), &[]);
    }
    Ok(Judged {
        place: asked.place(of),
        step: Step::ObjectionResolution(resolution),
    })
}

pub(super) fn close(asked: &mut Asked<'_>, closing: NoticeClosing) -> Result<Judged, Rejection> {
    let (_, notice) = found(asked, closing.notice_no.as_str())?;
    if let Some(at) = notice.closed {
        asked.order("NOTICE_CLOSED", None, &[at]);
    } else if closing.closed_on <= notice.last_day {
        let last_day = notice.last_day.to_string();
        asked.note(Failure {
            limit: ORDER.to_owned(),
            code: "NOTICE_OPEN".to_owned(),
            compared: vec![text("last_day", last_day)],
            facts: super::positions(&[notice.position]),
        });
    }
    Ok(Judged {
        place: Place::of_stream(step::notice(&closing.notice_no)),
        step: Step::NoticeClosing(closing),
    })
}

fn found<'a>(asked: &Asked<'a>, number: &str) -> Result<(u32, &'a cases::Notice), Rejection> {
    let found = asked.state.cases.notices.find(number);
    found.ok_or_else(|| Rejection::UnknownNotice {
        number: number.to_owned(),
    })
}

/// P-NOTICE: payment waits until the case's notice is closed and nobody objects.
pub(super) fn over(asked: &mut Asked<'_>, of: Of<'_>) {
    let Some(limit) = asked.limit(of, |rule| matches!(rule, Rule::NoticeClosed { .. })) else {
        return;
    };
    let objections = of.life.map_or(0, |life| life.open_objections);
    let notice = of.life.and_then(|life| life.notice);
    let notice = notice.and_then(|place| asked.state.cases.notices.at(place));
    let closed = notice.is_some_and(|notice| notice.closed.is_some());
    if closed && objections == 0 {
        return;
    }
    let (number, last_day, facts) = match notice {
        Some(notice) => (
            notice.number.to_string(),
            notice.last_day.to_string(),
            vec![notice.position],
        ),
        None => ("-".to_owned(), "-".to_owned(), Vec::new()),
    };
    let compared = vec![
        in_words(of.grant),
        text("notice", number),
        text("last_day", last_day),
        compared("objections", Value::Count(objections.into())),
    ];
    asked.policy(limit, compared, &facts);
}
