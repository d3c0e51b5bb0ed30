//! What facts say of a grant that stands, as they are or as they would be with
//! one of them changed: how late facts are found to contradict a grant, or no
//! longer to.

use luzhang_ledger::{
    Date, StreamId, StreamKind,
    claim::Form,
    fact::{Fact, Repayment},
    step::PlaqueEvent,
    text::CertificateNo,
};

use super::{Extent, Grant, Plaque, Span, State, span, streams::Ix};
use crate::{
    limits::anniversary,
    pack::{FactKind, Pack, Rule},
};

/// The name of a certificate among streams.
pub(crate) fn certificate_name(number: &CertificateNo) -> StreamId {
    StreamId::of(StreamKind::Certificate, number.as_str())
}

/// The facts of a state, less one and with another.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) state: &'a State,
    /// The fact that no longer counts, by its position.
    pub(crate) without: Option<(u64, &'a Fact)>,
    /// The fact that counts too.
    pub(crate) with: Option<&'a Fact>,
    /// A plaque as it would be, by its brand.
    pub(crate) plaque: Option<(Ix, &'a Plaque)>,
}

/// A limit that a grant would fail, and on which of its days.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Contradiction {
    pub(crate) limit: String,
    pub(crate) code: String,
    pub(crate) days: Vec<Date>,
}

impl<'a> Facts<'a> {
    /// The facts as they are.
    pub(crate) fn of(state: &'a State) -> Self {
        Self {
            state,
            without: None,
            with: None,
            plaque: None,
        }
    }

    /// The limits that rest on facts and that a grant would fail.
    pub(crate) fn contradictions(
        &self,
        pack: &Pack,
        programme: &str,
        (form, owner, grant): (Form, Ix, &Grant),
    ) -> Vec<Contradiction> {
        let mut found = Vec::new();
        for limit in pack.limits_of(programme) {
            let days = self.failing(pack, &limit.rule, (form, owner, grant));
            if !days.is_empty() {
                found.push(Contradiction {
                    limit: limit.id.clone(),
                    code: limit.code.clone(),
                    days,
                });
            }
        }
        found
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the others rest on no fact")]
    fn failing(
        &self,
        pack: &Pack,
        rule: &Rule,
        (form, owner, grant): (Form, Ix, &Grant),
    ) -> Vec<Date> {
        let judged = match &grant.extent {
            Extent::Days(days) => days,
            Extent::None | Extent::Period(..) => std::slice::from_ref(&grant.counted_on),
        };
        let without = |holds: &dyn Fn(Date) -> bool| {
            let failing = judged.iter().copied().filter(|day| !holds(*day));
            failing.collect::<Vec<Date>>()
        };
        match rule {
            Rule::NoFactOverlap {
                fact: FactKind::UnemploymentBenefit,
            } => without(&|day| !self.draws_benefit(owner, day)),
            Rule::RequiresFact { fact, valid_years } => match fact {
                FactKind::PovertyStatus => without(&|day| self.is_poor(owner, day)),
                FactKind::Attendance => without(&|day| self.attended(owner, grant.party, day)),
                FactKind::Plaque => {
                    let years = |day| valid_years.and_then(|param| pack.value(param, day).ok());
                    without(&|day| {
                        self.plaque_of(owner)
                            .is_some_and(|plaque| plaque.is_in_force(day, years))
                    })
                }
                FactKind::Certificate => without(&|_| self.certified(owner, grant.party)),
                FactKind::UnemploymentBenefit | FactKind::Loan => Vec::new(),
            },
            Rule::MinimumTerm { years } => without(&|first| {
                let years = pack.value(*years, first).ok();
                let due = years.and_then(|years| anniversary(first, years));
                let ended = self.ended(owner, grant.party, first);
                match (ended.and_then(|last| last.tomorrow().ok()), due) {
                    (Some(after), Some(due)) => after >= due,
                    (None, _) | (_, None) => true,
                }
            }),
            Rule::PriorSettled => without(&|_| self.earlier_settled(owner, grant.position)),
            Rule::AuthorisedAmount { amount: None } if form == Form::Subsidy => {
                without(&|day| self.authorised(grant, day))
            }
            _ => Vec::new(),
        }
    }

    fn counts(&self, position: u64) -> bool {
        self.without.is_none_or(|(without, _)| without != position)
    }

    fn is_poor(&self, person: Ix, day: Date) -> bool {
        let holds = |span: &Span| self.counts(span.position) && span.contains(day);
        self.state.poverty.of(Some(person)).any(holds)
            || matches!(self.with, Some(Fact::PovertyStatus(fact))
                if self.state.find(fact.person) == Some(person) && fact.window.contains(day))
    }

    fn draws_benefit(&self, person: Ix, day: Date) -> bool {
        let holds = |span: &Span| self.counts(span.position) && span.contains(day);
        self.state.benefits.of(Some(person)).any(holds)
            || matches!(self.with, Some(Fact::UnemploymentBenefit(fact))
                if self.state.find(fact.person) == Some(person)
                    && fact.first_day <= day && day <= fact.last_day)
    }

    fn attended(&self, person: Ix, course: Ix, day: Date) -> bool {
        let bounds = match (self.with, self.without) {
            (Some(with @ Fact::Course(fact)), _)
                if self.state.find(with.stream()) == Some(course) =>
            {
                Some((fact.first_day, fact.last_day))
            }
            (_, Some((_, fact @ Fact::Course(_))))
                if self.state.find(fact.stream()) == Some(course) =>
            {
                None
            }
            _ => {
                let course = self.state.courses.get(&course);
                course.map(|course| (course.first_day, course.last_day))
            }
        };
        let recorded = self.state.attended.of(Some(person)).any(|attended| {
            attended.course == course
                && self.counts(attended.position)
                && attended.days.binary_search(&day).is_ok()
        });
        let asserted = matches!(self.with, Some(Fact::Attendance(fact))
            if self.state.find(fact.person) == Some(person)
                && self.state.course(fact.course_no.as_str()).map(|(ix, _)| ix) == Some(course)
                && fact.dates.days().binary_search(&day).is_ok());
        bounds.is_some_and(|(first, last)| first <= day && day <= last) && (recorded || asserted)
    }

    fn plaque_of(&self, brand: Ix) -> Option<&Plaque> {
        match self.plaque {
            Some((changed, plaque)) if changed == brand => Some(plaque),
            _ => {
                let plaque = self.state.plaques.get(&brand)?;
                self.counts(plaque.position).then_some(plaque)
            }
        }
    }

    fn certified(&self, person: Ix, certificate: Ix) -> bool {
        let of_person = |subject| self.state.find(subject) == Some(person);
        let asserted = matches!(self.with, Some(Fact::Certificate(fact))
            if of_person(fact.person)
                && self.state.find(certificate_name(&fact.certificate_no))
                    == Some(certificate));
        asserted
            || self
                .state
                .certificates
                .get(&certificate)
                .is_some_and(|certificate| {
                    self.counts(certificate.position) && of_person(certificate.person)
                })
    }

    /// The last day of a contract that ended early.
    fn ended(&self, worker: Ix, employer: Ix, first_day: Date) -> Option<Date> {
        let recorded = self.state.ended.of(Some(worker)).filter(|ended| {
            ended.standing
                && self.counts(ended.position)
                && ended.employer == employer
                && ended.first_day == first_day
        });
        let asserted = match self.with {
            Some(Fact::ContractEnd(fact))
                if self.state.find(fact.worker) == Some(worker)
                    && self.state.find(fact.employer) == Some(employer)
                    && fact.contract_first_day == first_day =>
            {
                Some(fact.ended_on)
            }
            _ => None,
        };
        recorded.map(|ended| ended.ended_on).chain(asserted).min()
    }

    /// Whether the loans of a borrower that were recorded before `position` are
    /// settled, and none was overdue.
    fn earlier_settled(&self, borrower: Ix, position: u64) -> bool {
        let mut earlier = self.state.borrowed.of(Some(borrower)).filter_map(|ix| {
            let loan = self.state.loans.get(ix)?;
            (loan.position < position).then_some((*ix, loan))
        });
        earlier.all(|(ix, loan)| {
            let settled = match (self.with, loan.settled) {
                (Some(fact @ Fact::LoanSettlement(settlement)), _)
                    if self.state.find(fact.stream()) == Some(ix) =>
                {
                    Some(settlement.repayment)
                }
                (_, Some((repayment, at))) if self.counts(at) => Some(repayment),
                (_, _) => None,
            };
            settled == Some(Repayment::OnTime)
        })
    }

    fn authorised(&self, grant: &Grant, day: Date) -> bool {
        let recorded = self.state.authorities().any(|authority| {
            self.counts(authority.span.position)
                && authority.document == grant.party
                && authority.programme == grant.programme
                && authority.span.contains(day)
        });
        let asserted = matches!(self.with, Some(fact @ Fact::Authority(authority))
            if self.state.find(fact.stream()) == Some(grant.party)
                && self.state.programmes.find(authority.programme.as_str())
                    == Some(grant.programme)
                && span(authority.window, 0).contains(day));
        recorded || asserted
    }
}

impl Plaque {
    /// Whether it was taken away for good.
    pub(crate) fn is_revoked(&self) -> bool {
        let revoked = |changed: &super::PlaqueChanged| changed.change == PlaqueEvent::Revoked;
        self.changes.iter().any(revoked)
    }

    /// Whether it is in force on a day, by the length of a term that began on a
    /// given day. A term without a length does not end.
    pub(crate) fn is_in_force(&self, day: Date, years: impl Fn(Date) -> Option<i64>) -> bool {
        let mut begun = (self.awarded_on <= day).then_some(self.awarded_on);
        let mut usable = true;
        for changed in self.changes.iter().filter(|changed| changed.on <= day) {
            match changed.change {
                PlaqueEvent::Renewed => {
                    begun = Some(changed.on);
                    usable = true;
                }
                PlaqueEvent::Reinstated => usable = true,
                PlaqueEvent::Suspended | PlaqueEvent::Revoked | PlaqueEvent::Expired => {
                    usable = false;
                }
            }
        }
        let Some(begun) = begun else { return false };
        let until = years(begun).and_then(|years| anniversary(begun, years));
        usable && until.is_none_or(|until| day < until)
    }

    /// The first day after its newest term, by the length of a term.
    pub(crate) fn ends(&self, years: impl Fn(Date) -> Option<i64>) -> Option<Date> {
        let renewed = |changed: &&super::PlaqueChanged| changed.change == PlaqueEvent::Renewed;
        let begun = self.changes.iter().rfind(renewed);
        let begun = begun.map_or(self.awarded_on, |changed| changed.on);
        anniversary(begun, years(begun)?)
    }
}
