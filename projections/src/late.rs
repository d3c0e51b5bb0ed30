//! Facts, however late: recorded, taken back, corrected. What they contradict
//! becomes a conflict; what they no longer contradict is cleared. No decision is
//! ever rewritten.

use luzhang_ledger::{
    Body, Date, DateSet, Office, Position, StreamId, StreamKind, Window,
    claim::Form,
    event::{Conflict, Correction, Retraction},
    fact::{Authority, BudgetYear, Fact, UnemploymentBenefit, UnemploymentBenefitRetraction},
    text::ProgrammeId,
};

use crate::{
    decide::{Decision, resolve_fund},
    limits,
    pack::{FactKind, Pack, Rule},
    rejection::Rejection,
    state::{Adopted, Grant, Span, State, facts::Facts, streams::Ix},
};

/// Records a fact, with the conflicts that it raises or clears.
pub(crate) fn assert(state: &State, mut fact: Fact) -> Result<Decision, Rejection> {
    let mut stream = fact.stream();
    let mut conflicts = Vec::new();
    let mut cleared = Vec::new();
    match &mut fact {
        Fact::Appropriation(fact) => {
            if state.has_document(fact.document.as_str()) {
                return Err(Rejection::AppropriationExists {
                    document: fact.document.to_string(),
                });
            }
            let pack = pack_of_year(state, fact.year, fact.office)?;
            fact.fund = resolve_fund(&pack.pack, &fact.fund)?;
            stream = StreamId::of(StreamKind::Fund, fact.fund.as_str());
            let programmes = &pack.pack.programmes;
            if !programmes.iter().any(|p| p.id == fact.programme.as_str()) {
                let names: Vec<&str> = programmes.iter().map(|p| &*p.id).collect();
                return Err(Rejection::UnknownProgramme {
                    pack: pack.pack.id.clone(),
                    known: names.join(", "),
                });
            }
        }
        Fact::Course(fact) => {
            if let Some((_, course)) = state.course(fact.course_no.as_str()) {
                return Err(Rejection::CourseExists {
                    course_no: fact.course_no.to_string(),
                    at: course.position,
                });
            }
        }
        Fact::Attendance(fact) => {
            if state.course(fact.course_no.as_str()).is_none() {
                return Err(Rejection::UnknownCourse {
                    course_no: fact.course_no.to_string(),
                });
            }
        }
        Fact::Plaque(fact) => {
            if let Some(plaque) = state.plaque(fact.brand_no.as_str())
                && !plaque.is_revoked()
            {
                return Err(Rejection::PlaqueExists {
                    brand_no: fact.brand_no.to_string(),
                    at: plaque.position,
                });
            }
        }
        Fact::LoanSettlement(fact) => {
            let loan_no = fact.loan_no.as_str();
            let (_, loan) = state.loan(loan_no).ok_or_else(|| Rejection::UnknownLoan {
                loan_no: loan_no.to_owned(),
            })?;
            if let Some((_, at)) = loan.settled {
                return Err(Rejection::LoanSettled {
                    loan_no: loan_no.to_owned(),
                    at,
                });
            }
            stream = loan.borrower.into();
        }
        Fact::UnemploymentBenefit(fact) => conflicts = conflicts_with(state, fact),
        Fact::UnemploymentBenefitRetraction(fact) => {
            let asserted = fact.asserted.number();
            let standing = |span: &Span| span.position == asserted && span.standing;
            let owner = state.find(fact.person);
            let Some(span) = state.benefits.of(owner).find(|span| standing(span)) else {
                return Err(Rejection::UnknownBenefit {
                    position: fact.asserted,
                });
            };
            cleared = cleared_by_retraction(state, fact, *span);
        }
        Fact::Certificate(fact) => {
            let number = fact.certificate_no.as_str();
            if let Some((_, certificate)) = state.certificate(number) {
                return Err(exists(number, certificate.position, "certificate_no"));
            }
        }
        Fact::Authority(fact) => {
            fact.programme = known_programme(state, fact)?;
        }
        Fact::PovertyStatus(_) | Fact::ContractEnd(_) => {}
    }
    if matters_later(state, &fact) {
        let after = Facts {
            with: Some(&fact),
            ..Facts::of(state)
        };
        let changed = compare(state, after, &[&fact]);
        // A benefit period contradicts what it touches, even where another one
        // does already: it is one more reason.
        if !matches!(fact, Fact::UnemploymentBenefit(_)) {
            conflicts = changed.raised;
        }
        cleared = changed.cleared;
    }
    Ok(Decision {
        basis: fact.basis(),
        conflicts,
        cleared,
        ..Decision::new(stream, Body::Fact(fact))
    })
}

/// Whether a fact that is asserted can change what stands: most can only clear
/// conflicts, and there are few.
fn matters_later(state: &State, fact: &Fact) -> bool {
    match fact {
        Fact::ContractEnd(_) => true,
        Fact::Appropriation(_) | Fact::UnemploymentBenefitRetraction(_) => false,
        Fact::PovertyStatus(_)
        | Fact::UnemploymentBenefit(_)
        | Fact::Course(_)
        | Fact::Attendance(_)
        | Fact::Plaque(_)
        | Fact::LoanSettlement(_)
        | Fact::Certificate(_)
        | Fact::Authority(_) => state.has_conflicts(),
    }
}

/// The programme of an authority document, which must be one that rests on such
/// documents.
fn known_programme(state: &State, fact: &Authority) -> Result<ProgrammeId, Rejection> {
    let adopted = state.pack_on(fact.window.from(), fact.office);
    let pack = &adopted.ok_or(Rejection::NoPolicy)?.pack;
    let rests = |programme: &str| {
        let mut limits = pack.limits_of(programme);
        limits.any(|limit| matches!(limit.rule, Rule::AuthorisedAmount { .. }))
    };
    if rests(fact.programme.as_str()) {
        return Ok(fact.programme.clone());
    }
    let known = pack.claimable().map(|(programme, _)| &*programme.id);
    let known: Vec<&str> = known.filter(|programme| rests(programme)).collect();
    Err(Rejection::UnknownProgramme {
        pack: pack.id.clone(),
        known: known.join(", "),
    })
}

fn exists(number: &str, at: u64, field: &'static str) -> Rejection {
    Rejection::NumberExists {
        number: number.to_owned(),
        at,
        field,
    }
}

/// Takes back a fact.
pub(crate) fn retract(state: &State, retraction: Retraction) -> Result<Decision, Rejection> {
    let Retraction { asserted, fact, .. } = &retraction;
    let stream = standing(state, *asserted, fact)?;
    let after = Facts {
        without: Some((asserted.number(), fact)),
        ..Facts::of(state)
    };
    let changed = compare(state, after, &[fact]);
    Ok(Decision {
        basis: fact.basis(),
        cause: Some(*asserted),
        conflicts: changed.raised,
        cleared: changed.cleared,
        ..Decision::new(stream, Body::FactRetracted(retraction))
    })
}

/// Puts a fact in another's place.
pub(crate) fn correct(state: &State, correction: Correction) -> Result<Decision, Rejection> {
    let Correction {
        asserted, was, now, ..
    } = &correction;
    let stream = standing(state, *asserted, was)?;
    let same_kind = std::mem::discriminant(was) == std::mem::discriminant(now);
    if !same_kind || was.stream() != now.stream() || number_of(was) != number_of(now) {
        return Err(Rejection::OtherFact {
            position: *asserted,
        });
    }
    let after = Facts {
        without: Some((asserted.number(), was)),
        with: Some(now),
        ..Facts::of(state)
    };
    let changed = compare(state, after, &[was, now]);
    Ok(Decision {
        basis: now.basis(),
        cause: Some(*asserted),
        conflicts: changed.raised,
        cleared: changed.cleared,
        ..Decision::new(stream, Body::FactCorrected(correction))
    })
}

/// What a fact is about besides its stream: attendance of one course is not
/// corrected into that of another.
fn number_of(fact: &Fact) -> &str {
    match fact {
        Fact::Attendance(fact) => fact.course_no.as_str(),
        Fact::Certificate(fact) => fact.certificate_no.as_str(),
        Fact::Authority(fact) => fact.programme.as_str(),
        Fact::Appropriation(_)
        | Fact::PovertyStatus(_)
        | Fact::UnemploymentBenefit(_)
        | Fact::UnemploymentBenefitRetraction(_)
        | Fact::Course(_)
        | Fact::Plaque(_)
        | Fact::LoanSettlement(_)
        | Fact::ContractEnd(_) => "",
    }
}

/// The stream of a fact that counts at this position.
fn standing(state: &State, asserted: Position, fact: &Fact) -> Result<StreamId, Rejection> {
    let at = asserted.number();
    let owner = state.find(fact.stream());
    let here = |position: u64| position == at;
    let counts = match fact {
        Fact::PovertyStatus(_) => state
            .poverty
            .of(owner)
            .any(|s| s.standing && here(s.position)),
        Fact::UnemploymentBenefit(_) => state
            .benefits
            .of(owner)
            .any(|s| s.standing && here(s.position)),
        Fact::Attendance(_) => {
            let mut records = state.attended.of(owner);
            records.any(|a| !a.days.is_empty() && here(a.position))
        }
        Fact::Course(fact) => {
            let course = state.course(fact.course_no.as_str());
            course.is_some_and(|(_, course)| here(course.position))
        }
        Fact::Plaque(fact) => {
            let plaque = state.plaque(fact.brand_no.as_str());
            plaque.is_some_and(|plaque| here(plaque.position))
        }
        Fact::LoanSettlement(fact) => {
            let loan = state.loan(fact.loan_no.as_str());
            loan.is_some_and(|(_, loan)| loan.settled.is_some_and(|(_, position)| here(position)))
        }
        Fact::Certificate(fact) => {
            let certificate = state.certificate(fact.certificate_no.as_str());
            certificate.is_some_and(|(_, certificate)| here(certificate.position))
        }
        Fact::Authority(_) => state.authorities().any(|a| here(a.span.position)),
        Fact::ContractEnd(_) => state
            .ended
            .of(owner)
            .any(|e| e.standing && here(e.position)),
        Fact::Appropriation(_) | Fact::UnemploymentBenefitRetraction(_) => false,
    };
    if !counts {
        return Err(Rejection::UnknownFact { position: asserted });
    }
    let Fact::LoanSettlement(settlement) = fact else {
        return Ok(fact.stream());
    };
    let loan = state.loan(settlement.loan_no.as_str());
    Ok(loan.map_or(StreamId::of(StreamKind::Loan, ""), |(_, l)| {
        l.borrower.into()
    }))
}

/// What changes when facts do.
pub(crate) struct Changed {
    pub(crate) raised: Vec<Conflict>,
    pub(crate) cleared: Vec<Position>,
}

/// Conflicts that `after` raises, and those that it clears, among the grants that
/// the changed facts bear on.
pub(crate) fn compare(state: &State, after: Facts<'_>, changed: &[&Fact]) -> Changed {
    let mut affected = Vec::new();
    for fact in changed {
        affected.extend(bears_on(state, fact));
    }
    compare_grants(state, after, affected)
}

/// The same, for given grants: form, owner and grant.
pub(crate) fn compare_grants(
    state: &State,
    after: Facts<'_>,
    mut affected: Vec<(Form, Ix, &Grant)>,
) -> Changed {
    affected.sort_by_key(|(_, _, grant)| grant.position);
    affected.dedup_by_key(|(_, _, grant)| grant.position);
    let before = Facts::of(state);
    let (mut raised, mut cleared) = (Vec::new(), Vec::new());
    for of in affected {
        let (form, _, grant) = of;
        let Some(position) = Position::new(grant.position) else {
            continue;
        };
        let policy = state.policy_at(grant.policy).and_then(|p| state.pack_at(p));
        let Some(pack) = policy else { continue };
        let Some(programme) = programme_of(state, pack, form, grant) else {
            continue;
        };
        let earlier = before.contradictions(pack, programme, of);
        let later = after.contradictions(pack, programme, of);
        for found in &later {
            let known = earlier.iter().find(|known| known.limit == found.limit);
            let known = known.map_or(&[][..], |known| &known.days);
            let new = found.days.iter().filter(|day| !known.contains(day));
            if let Ok(dates) = DateSet::new(new.copied().collect()) {
                raised.push(Conflict {
                    limit: found.limit.clone(),
                    code: found.code.clone(),
                    grant: position,
                    dates,
                });
            }
        }
        for open in state.open_conflicts(grant.position) {
            let still = later.iter().find(|found| *found.limit == *open.limit);
            let still = still.map_or(&[][..], |found| &found.days);
            if !open.dates.days().iter().any(|day| still.contains(day)) {
                cleared.extend(Position::new(open.position));
            }
        }
    }
    Changed { raised, cleared }
}

fn programme_of<'a>(
    state: &'a State,
    pack: &'a Pack,
    form: Form,
    grant: &Grant,
) -> Option<&'a str> {
    if form == Form::Subsidy {
        return Some(state.programmes.name(grant.programme));
    }
    let mut claimable = pack.claimable();
    let found = claimable.find(|(_, of)| *of == form);
    found.map(|(programme, _)| &*programme.id)
}

/// Standing grants that a fact bears on, with their forms and owners.
fn bears_on<'a>(state: &'a State, fact: &Fact) -> Vec<(Form, Ix, &'a Grant)> {
    let of_owner = |forms: &[Form], owner: Option<Ix>| {
        let Some(owner) = owner else {
            return Vec::new();
        };
        let grants = forms.iter().flat_map(|form| {
            let grants = state.grants(*form, Some(owner));
            grants.map(move |grant| (*form, owner, grant))
        });
        grants.collect()
    };
    let with = |form, party: Option<Ix>| match party {
        Some(party) => {
            let grants = state.grants_with(form, party);
            grants.map(|(owner, grant)| (form, owner, grant)).collect()
        }
        None => Vec::new(),
    };
    match fact {
        Fact::PovertyStatus(fact) => of_owner(&Form::ALL, state.find(fact.person)),
        Fact::UnemploymentBenefit(fact) => of_owner(&Form::ALL, state.find(fact.person)),
        Fact::UnemploymentBenefitRetraction(fact) => of_owner(&Form::ALL, state.find(fact.person)),
        Fact::Attendance(fact) => of_owner(&[Form::TrainingAllowance], state.find(fact.person)),
        Fact::Course(_) => with(Form::TrainingAllowance, state.find(fact.stream())),
        Fact::Plaque(_) => of_owner(&[Form::BrandAward], state.find(fact.stream())),
        Fact::LoanSettlement(fact) => {
            let loan = state.loan(fact.loan_no.as_str());
            let borrower = loan.and_then(|(_, loan)| state.find(loan.borrower));
            of_owner(&[Form::Loan], borrower)
        }
        Fact::Certificate(fact) => of_owner(&[Form::TrainingSubsidy], state.find(fact.person)),
        Fact::Authority(_) => with(Form::Subsidy, state.find(fact.stream())),
        Fact::ContractEnd(fact) => of_owner(&[Form::ServiceSubsidy], state.find(fact.worker)),
        Fact::Appropriation(_) => Vec::new(),
    }
}

/// The pack whose funds and programmes a budget year uses: the one in force on
/// the year's last day, so that a year in which a pack begins is the pack's.
fn pack_of_year(state: &State, year: BudgetYear, office: Office) -> Result<&Adopted, Rejection> {
    let last = Date::new(year.number(), 12, 31).map_err(|_| Rejection::NoPolicy)?;
    state.pack_on(last, office).ok_or(Rejection::NoPolicy)
}

/// Standing grants that a benefit period contradicts, by the policy that
/// allowed each of them.
fn conflicts_with(state: &State, fact: &UnemploymentBenefit) -> Vec<Conflict> {
    let Ok(window) = Window::inclusive(fact.first_day, fact.last_day) else {
        return Vec::new();
    };
    let span = Span {
        from: window.from(),
        until: window.until().unwrap_or(Date::MAX),
        position: 0,
        standing: true,
    };
    let owner = state.find(fact.person);
    let mut conflicts = Vec::new();
    for form in Form::ALL {
        for grant in state.grants(form, owner) {
            let policy = state.policy_at(grant.policy).and_then(|p| state.pack_at(p));
            let limit = policy.and_then(|pack| {
                let programme = programme_of(state, pack, form, grant)?;
                pack.limits_of(programme).find(|limit| {
                    matches!(
                        limit.rule,
                        Rule::NoFactOverlap {
                            fact: FactKind::UnemploymentBenefit
                        }
                    )
                })
            });
            let days = DateSet::new(limits::touched(grant, span));
            if let (Some(limit), Ok(dates), Some(grant)) =
                (limit, days, Position::new(grant.position))
            {
                conflicts.push(Conflict {
                    limit: limit.id.clone(),
                    code: limit.code.clone(),
                    grant,
                    dates,
                });
            }
        }
    }
    conflicts.sort_by_key(|conflict| conflict.grant);
    conflicts
}

/// Conflicts that end with a benefit period's retraction.
fn cleared_by_retraction(
    state: &State,
    fact: &UnemploymentBenefitRetraction,
    span: Span,
) -> Vec<Position> {
    let asserted = Fact::UnemploymentBenefitRetraction(fact.clone());
    let after = Facts {
        without: Some((span.position, &asserted)),
        ..Facts::of(state)
    };
    compare(state, after, &[&asserted]).cleared
}
