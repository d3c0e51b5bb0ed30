//! The fold: what each event changes.

use luzhang_ledger::{
    Body, Date, Event, Hash, Position, StreamId, StreamKind, Window,
    claim::Claim,
    event::{Correction, Retraction},
    fact::{Appropriation, BudgetYear, Fact},
};

use super::{
    Adopted, Attended, Authority, Certificate, ContractEnded, Course, Extent, Grant, Loan,
    OpenConflict, Plaque, State,
    budget::BudgetKey,
    cases::{Row, fingerprint},
    money::{Kind, Transfer},
    slot, small, span,
    streams::Ix,
};
use crate::pack::{Attribute, Pack};

impl State {
    /// Takes the next event. Events come in order of position; what the fold
    /// cannot use it ignores, so that it is total.
    pub fn apply(&mut self, event: &Event) {
        let header = &event.header;
        let position = header.position;
        let stream = self.intern(header.stream);
        if !self.books_only {
            self.streams.advance(stream, header.revision, position);
        }
        match &event.body {
            Body::LedgerCreated { .. }
            | Body::Refused(_)
            | Body::StepRefused(_)
            | Body::CheckpointKeyAdopted(_)
            | Body::StateAttested(_)
            | Body::AccessDenied(_)
            | Body::DetailsRevealed(_) => {}
            Body::MandateProposed(_) | Body::MandateAdopted(_) => self.access.apply(event),
            Body::Conflict(conflict) => {
                let open = self.conflicts.entry(conflict.grant.number()).or_default();
                open.push(OpenConflict {
                    position: position.number(),
                    limit: conflict.limit.as_str().into(),
                    code: conflict.code.as_str().into(),
                    dates: conflict.dates.clone(),
                });
            }
            Body::ConflictCleared(conflict) => self.clear(*conflict),
            Body::AccountBound(_)
            | Body::PartyRegistered(_)
            | Body::PartyCorrected(_)
            | Body::FactRetracted(_)
            | Body::FactCorrected(_)
            | Body::SubjectErased(_)
                if self.books_only => {}
            Body::SubjectErased(_) => {
                self.streams.erase_party(stream);
                self.accounts.remove(&stream);
                self.erasures = self.erasures.saturating_add(1);
            }
            Body::AccountBound(account) => {
                self.accounts.insert(stream, account.digest);
            }
            Body::FactRetracted(Retraction { asserted, fact, .. }) => {
                self.retract(*asserted, fact);
            }
            Body::FactCorrected(Correction {
                asserted, was, now, ..
            }) => {
                self.retract(*asserted, was);
                let stream = self.streams.intern(now.stream());
                self.apply_fact(stream, position, now);
            }
            Body::Step(step) => self.apply_step(event, step),
            Body::PolicyPackAdopted { content, .. } => {
                // Only a sound pack is ever adopted; a log made by another hand
                // may hold others, which judge nothing.
                let below: Vec<_> = self.packs.iter().map(|a| a.pack.clone()).collect();
                if let Ok(pack) = Pack::load_on(content, &below) {
                    self.packs.push(Adopted {
                        position,
                        content: Hash::from_bytes(*blake3::hash(content).as_bytes()),
                        pack,
                    });
                }
            }
            Body::PartyRegistered(party) | Body::PartyCorrected(party) => {
                self.streams.set_party(stream, party.kind, party.digest);
            }
            Body::Fact(Fact::Appropriation(fact)) => self.appropriate(position, fact),
            Body::Fact(fact) => {
                if !self.books_only {
                    self.apply_fact(stream, position, fact);
                }
            }
            Body::Granted(claim) if self.books_only => self.commit(event, stream, claim),
            Body::Granted(claim) => self.apply_grant(stream, event, claim),
        }
        self.position = Some(position);
        self.recorded_at = header.recorded_at;
    }

    /// The number of a stream; where only books are kept, streams have none.
    fn intern(&mut self, stream: StreamId) -> Ix {
        if self.books_only {
            return 0;
        }
        self.streams.intern(stream)
    }

    fn appropriate(&mut self, position: Position, fact: &Appropriation) {
        let key = BudgetKey {
            fund: self.funds.intern(fact.fund.as_str()),
            programme: self.programmes.intern(fact.programme.as_str()),
            office: fact.office,
            year: fact.year,
        };
        let line = self.budget.open(key);
        self.documents.insert(fact.document.as_str().into(), line);
        self.budget.add_source(line, position);
        let kind = Kind::Appropriate;
        let fen = fact.amount.fen();
        self.budget.take(line, Transfer { kind, fen });
    }

    fn apply_fact(&mut self, stream: Ix, position: Position, fact: &Fact) {
        let number = position.number();
        match fact {
            Fact::Appropriation(fact) => self.appropriate(position, fact),
            Fact::PovertyStatus(fact) => {
                self.poverty.push(stream, span(fact.window, number));
            }
            Fact::UnemploymentBenefit(fact) => {
                if let Ok(window) = Window::inclusive(fact.first_day, fact.last_day) {
                    self.benefits.push(stream, span(window, number));
                }
            }
            Fact::UnemploymentBenefitRetraction(fact) => {
                let asserted = fact.asserted.number();
                if let Some(span) = self.benefits.find_mut(stream, |s| s.position == asserted) {
                    span.standing = false;
                }
            }
            Fact::Course(fact) => {
                let course = Course {
                    first_day: fact.first_day,
                    last_day: fact.last_day,
                    position: number,
                };
                if self.courses.insert(stream, course).is_none() {
                    self.registered.push(stream);
                }
            }
            Fact::Attendance(fact) => {
                let course = StreamId::of(StreamKind::Course, fact.course_no.as_str());
                let course = self.streams.intern(course);
                let attended = Attended {
                    course,
                    position: number,
                    days: fact.dates.days().into(),
                };
                self.attended.push(stream, attended);
            }
            Fact::Plaque(fact) => {
                let plaque = Plaque {
                    level: fact.level,
                    applicant: fact.applicant,
                    awarded_on: fact.awarded_on,
                    position: number,
                    changes: Vec::new(),
                };
                if self.plaques.insert(stream, plaque).is_none() {
                    self.registered.push(stream);
                }
            }
            Fact::LoanSettlement(fact) => {
                let loan = StreamId::of(StreamKind::Loan, fact.loan_no.as_str());
                let loan = self.streams.find(loan);
                if let Some(loan) = loan.and_then(|ix| self.loans.get_mut(&ix)) {
                    loan.settled = Some((fact.repayment, number));
                }
            }
            Fact::Certificate(fact) => {
                let name = StreamId::of(StreamKind::Certificate, fact.certificate_no.as_str());
                let ix = self.streams.intern(name);
                let certificate = Certificate {
                    person: fact.person,
                    issued_on: fact.issued_on,
                    position: number,
                };
                if self.certificates.insert(ix, certificate).is_none() {
                    self.registered.push(ix);
                }
            }
            Fact::Authority(fact) => {
                let programme = self.programmes.intern(fact.programme.as_str());
                self.authorities.push(Authority {
                    document: stream,
                    programme,
                    office: fact.office,
                    amount: fact.amount,
                    stated: fact.stated,
                    span: span(fact.window, number),
                });
            }
            Fact::ContractEnd(fact) => {
                let ended = ContractEnded {
                    employer: self.streams.intern(fact.employer.into()),
                    first_day: fact.contract_first_day,
                    ended_on: fact.ended_on,
                    position: number,
                    standing: true,
                };
                self.ended.push(stream, ended);
            }
        }
    }

    /// Takes back what the fact at `asserted` said.
    fn retract(&mut self, asserted: Position, fact: &Fact) {
        let at = asserted.number();
        let stream = self.streams.find(fact.stream());
        let Some(stream) = stream else { return };
        match fact {
            Fact::PovertyStatus(_) => {
                if let Some(span) = self.poverty.find_mut(stream, |s| s.position == at) {
                    span.standing = false;
                }
            }
            Fact::UnemploymentBenefit(_) => {
                if let Some(span) = self.benefits.find_mut(stream, |s| s.position == at) {
                    span.standing = false;
                }
            }
            Fact::Attendance(_) => {
                if let Some(attended) = self.attended.find_mut(stream, |a| a.position == at) {
                    attended.days = Box::new([]);
                }
            }
            Fact::Course(_) => {
                self.courses.remove(&stream);
            }
            Fact::Plaque(_) => {
                self.plaques.remove(&stream);
            }
            Fact::LoanSettlement(_) => {
                if let Some(loan) = self.loans.get_mut(&stream) {
                    loan.settled = None;
                }
            }
            Fact::Certificate(fact) => {
                let name = StreamId::of(StreamKind::Certificate, fact.certificate_no.as_str());
                if let Some(ix) = self.streams.find(name) {
                    self.certificates.remove(&ix);
                }
            }
            Fact::Authority(_) => {
                for authority in &mut self.authorities {
                    if authority.span.position == at {
                        authority.span.standing = false;
                    }
                }
            }
            Fact::ContractEnd(_) => {
                if let Some(ended) = self.ended.find_mut(stream, |e| e.position == at) {
                    ended.standing = false;
                }
            }
            // These change by steps, or stand for retractions themselves.
            Fact::Appropriation(_) | Fact::UnemploymentBenefitRetraction(_) => {}
        }
    }

    fn clear(&mut self, conflict: Position) {
        let number = conflict.number();
        let Some(grant) = self.conflict_at(conflict) else {
            return;
        };
        if let Some(open) = self.conflicts.get_mut(&grant) {
            open.retain(|conflict| conflict.position != number);
            if open.is_empty() {
                self.conflicts.remove(&grant);
            }
        }
    }

    fn apply_grant(&mut self, stream: Ix, event: &Event, claim: &Claim) {
        let header = &event.header;
        let number = header.position.number();
        let mut grant = Grant {
            position: number,
            counted_on: claim.basis(),
            extent: Extent::None,
            party: 0,
            kind: 0,
            level: 0,
            standing: true,
            programme: 0,
            policy: self.policy_place(header.policy),
        };
        let mut owner = stream;
        match claim {
            Claim::TrainingAllowance(claim) => {
                grant.extent = Extent::Days(claim.dates.days().into());
                if let Some((ix, course)) = self.course(claim.course_no.as_str()) {
                    grant.party = ix;
                    grant.counted_on = course.first_day;
                }
            }
            Claim::SkillBase(claim) => {
                grant.kind = small(Attribute::kind(claim.kind));
                grant.level = small(Attribute::level(claim.level));
            }
            Claim::ServiceSubsidy(claim) => {
                grant.party = self.streams.intern(claim.employer.into());
            }
            Claim::BrandAward(claim) => {
                if let Some(plaque) = self.plaque(claim.brand_no.as_str()) {
                    grant.level = small(Attribute::brand_level(plaque.level));
                }
            }
            Claim::Loan(claim) => {
                grant.kind = small(Attribute::borrower_kind(claim.borrower_kind));
                let loan_stream = StreamId::of(StreamKind::Loan, claim.loan_no.as_str());
                let ix = self.streams.intern(loan_stream);
                grant.party = ix;
                let loan = Loan {
                    borrower: claim.borrower,
                    kind: claim.borrower_kind,
                    principal: claim.principal,
                    issued_on: claim.issued_on,
                    position: number,
                    settled: None,
                };
                if self.loans.insert(ix, loan).is_none() {
                    self.registered.push(ix);
                }
                self.borrowed.push(stream, ix);
            }
            Claim::InterestSubsidy(claim) => {
                if let Some((ix, loan)) = self.loan(claim.loan_no.as_str()) {
                    owner = ix;
                    grant.kind = small(Attribute::borrower_kind(loan.kind));
                }
                let until = claim.period.until().unwrap_or(Date::MAX);
                grant.extent = Extent::Period(claim.period.from(), until);
            }
            Claim::TrainingSubsidy(claim) => {
                let name = StreamId::of(StreamKind::Certificate, claim.certificate_no.as_str());
                grant.party = self.streams.intern(name);
            }
            Claim::TransportAid(_) => {}
            Claim::Subsidy(claim) => {
                let document = StreamId::of(StreamKind::Document, claim.document.as_str());
                grant.party = self.streams.intern(document);
                grant.programme = self.programmes.intern(claim.programme.as_str());
            }
        }
        if let Some(lists) = self.grants.get_mut(slot(claim.form())) {
            lists.push(owner, grant);
        }
        self.commit(event, owner, claim);
    }

    /// Moves the claim's amount from "available" to "reserved", and opens the
    /// grant's case.
    fn commit(&mut self, event: &Event, owner: Ix, claim: &Claim) {
        let Some(fund) = claim.fund() else { return };
        let place = self.pack_place(event.header.policy);
        let adopted = place.and_then(|place| self.pack_at_place(place));
        let pack = adopted.map(|adopted| adopted.pack.clone());
        let programme = pack.as_ref().and_then(|p| p.programme(claim));
        let (Some(place), Some(programme), Some(office)) = (place, programme, event.header.office)
        else {
            return;
        };
        let key = BudgetKey {
            fund: self.funds.intern(fund.as_str()),
            programme: self.programmes.intern(&programme.id),
            office,
            year: BudgetYear::of(claim.basis()),
        };
        let line = self.budget.open(key);
        let fen = claim.amount().fen();
        let kind = Kind::Reserve;
        self.budget.take(line, Transfer { kind, fen });
        let submitter = self
            .cases
            .principals
            .intern(event.header.principal.as_str());
        self.cases.open(Row {
            position: event.header.position.number(),
            amount: fen,
            number: fingerprint(&programme.id, claim.number()),
            line,
            owner,
            submitter,
            pack: place,
            form: claim.form(),
            ambiguous: false,
        });
    }
}
