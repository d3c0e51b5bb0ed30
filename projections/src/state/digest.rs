//! The digest of the whole state: equal on every machine that folded the same
//! log. Only ordered arrays are fed in, never a map in its own order.

use blake3::Hasher;
use luzhang_ledger::{
    Date, Hash, Position,
    access::Mandate,
    calendar::to_number,
    fact::{AuthorityAmount, Repayment},
};

use super::{
    Extent, Grant, Span, State,
    cases::{Life, PaymentStage},
    lists::count,
};
use crate::pack::Attribute;

impl State {
    /// Feeds everything but the budget, which is a projection of its own.
    pub(crate) fn digest_limits(&self, hasher: &mut Digester) {
        for adopted in &self.packs {
            number(hasher, adopted.position.number());
            hasher.update(adopted.content.as_bytes());
        }
        self.streams.digest(hasher);
        for list in [&self.poverty, &self.benefits] {
            list.digest(hasher, span);
        }
        self.attended.digest(hasher, |attended, hasher| {
            hasher.update(&attended.course.to_le_bytes());
            number(hasher, attended.position);
            days(hasher, &attended.days);
        });
        hasher.update(&count(self.authorities.len()));
        for authority in &self.authorities {
            hasher.update(&authority.document.to_le_bytes());
            hasher.update(&authority.programme.to_le_bytes());
            hasher.update(&authority.office.code().to_le_bytes());
            hasher.update(&authority.amount.fen().to_le_bytes());
            hasher.update(&[u8::from(authority.stated == AuthorityAmount::Exactly)]);
            span(&authority.span, hasher);
        }
        self.ended.digest(hasher, |ended, hasher| {
            hasher.update(&ended.employer.to_le_bytes());
            days(hasher, &[ended.first_day, ended.ended_on]);
            number(hasher, ended.position);
            hasher.update(&[u8::from(ended.standing)]);
        });
        self.borrowed.digest(hasher, |loan, hasher| {
            hasher.update(&loan.to_le_bytes());
        });
        for grants in &self.grants {
            grants.digest(hasher, |of, hasher| grant(self, of, hasher));
        }
        hasher.update(&count(self.registered.len()));
        for ix in &self.registered {
            hasher.update(&ix.to_le_bytes());
            if let Some(course) = self.courses.get(ix) {
                number(hasher, course.position);
                days(hasher, &[course.first_day, course.last_day]);
            }
            if let Some(plaque) = self.plaques.get(ix) {
                number(hasher, plaque.position);
                hasher.update(&Attribute::brand_level(plaque.level).to_le_bytes());
                hasher.update(plaque.applicant.as_bytes());
                days(hasher, &[plaque.awarded_on]);
                for changed in &plaque.changes {
                    number(hasher, changed.position);
                    days(hasher, &[changed.on]);
                }
            }
            if let Some(certificate) = self.certificates.get(ix) {
                number(hasher, certificate.position);
                hasher.update(certificate.person.as_bytes());
                days(hasher, &[certificate.issued_on]);
            }
            if let Some(loan) = self.loans.get(ix) {
                number(hasher, loan.position);
                hasher.update(loan.borrower.as_bytes());
                hasher.update(&Attribute::borrower_kind(loan.kind).to_le_bytes());
                hasher.update(&loan.principal.fen().to_le_bytes());
                days(hasher, &[loan.issued_on]);
                let settled = loan.settled.map_or(0, |(repayment, position)| {
                    position.saturating_mul(2).saturating_add(match repayment {
                        Repayment::OnTime => 0,
                        Repayment::Overdue => 1,
                    })
                });
                number(hasher, settled);
            }
        }
    }

    /// Feeds what became of each grant, and the money of each case.
    pub(crate) fn digest_cases(&self, hasher: &mut Digester) {
        let cases = &self.cases;
        hasher.update(&count(cases.rows().len()));
        for row in cases.rows() {
            number(hasher, row.position);
            number(hasher, row.number);
            hasher.update(&row.amount.to_le_bytes());
            hasher.update(&row.line.to_le_bytes());
            hasher.update(&row.submitter.to_le_bytes());
            hasher.update(&row.pack.to_le_bytes());
            hasher.update(&[u8::from(row.ambiguous)]);
        }
        for name in cases.principals.iter() {
            text(hasher, name);
        }
        hasher.update(&count(cases.lives().len()));
        for life in cases.lives() {
            digest_life(life, hasher);
        }
        hasher.update(&count(self.conflicts.len()));
        for (grant, open) in &self.conflicts {
            number(hasher, *grant);
            for conflict in open {
                number(hasher, conflict.position);
                text(hasher, &conflict.limit);
                text(hasher, &conflict.code);
                days(hasher, conflict.dates.days());
            }
        }
    }

    /// Feeds notices and objections.
    pub(crate) fn digest_notices(&self, hasher: &mut Digester) {
        let cases = &self.cases;
        hasher.update(&count(cases.notices.iter().count()));
        for notice in cases.notices.iter() {
            text(hasher, &notice.number);
            number(hasher, notice.position);
            days(hasher, &[notice.last_day]);
            number(hasher, notice.closed.unwrap_or(0));
            hasher.update(&count(notice.cases.len()));
            for case in &notice.cases {
                hasher.update(&case.to_le_bytes());
            }
        }
        hasher.update(&count(cases.objections.iter().count()));
        for objection in cases.objections.iter() {
            text(hasher, &objection.number);
            number(hasher, objection.position);
            hasher.update(&objection.case.to_le_bytes());
            number(hasher, objection.resolved.unwrap_or(0));
        }
    }

    /// Feeds payment batches.
    pub(crate) fn digest_batches(&self, hasher: &mut Digester) {
        let cases = &self.cases;
        hasher.update(&count(cases.batches.iter().count()));
        for batch in cases.batches.iter() {
            text(hasher, &batch.number);
            number(hasher, batch.position);
            hasher.update(&batch.fund.to_le_bytes());
            number(hasher, batch.locked.unwrap_or(0));
            number(hasher, batch.submitted.unwrap_or(0));
            hasher.update(&count(batch.items.len()));
            for (case, attempt) in &batch.items {
                hasher.update(&case.to_le_bytes());
                hasher.update(&attempt.to_le_bytes());
            }
        }
    }

    /// Feeds recoveries.
    pub(crate) fn digest_recoveries(&self, hasher: &mut Digester) {
        let cases = &self.cases;
        hasher.update(&count(cases.recoveries.iter().count()));
        for recovery in cases.recoveries.iter() {
            text(hasher, &recovery.number);
            number(hasher, recovery.position);
            number(hasher, recovery.conflict);
            hasher.update(&recovery.fen.to_le_bytes());
            hasher.update(&recovery.received.to_le_bytes());
            number(hasher, recovery.closed.unwrap_or(0));
        }
    }

    /// Feeds who may do what, and what waits to be confirmed.
    pub(crate) fn digest_access(&self, hasher: &mut Digester) {
        let mandate = |hasher: &mut Digester, mandate: &Mandate| {
            text(hasher, mandate.principal.as_str());
            hasher.update(&count(mandate.roles.iter().count()));
            for role in mandate.roles.iter() {
                text(hasher, role.as_str());
            }
            hasher.update(&count(mandate.offices.len()));
            for office in &mandate.offices {
                hasher.update(&office.code().to_le_bytes());
            }
            hasher.update(&count(mandate.programmes.len()));
            for programme in &mandate.programmes {
                text(hasher, programme.as_str());
            }
            hasher.update(&count(mandate.credentials.len()));
            for credential in &mandate.credentials {
                hasher.update(credential.as_bytes());
            }
        };
        let access = &self.access;
        hasher.update(&count(access.mandates().count()));
        for held in access.mandates() {
            mandate(hasher, &held.mandate);
            number(hasher, held.position.number());
        }
        hasher.update(&count(access.proposals().count()));
        for proposal in access.proposals() {
            mandate(hasher, &proposal.mandate);
            text(hasher, proposal.by.as_str());
            number(hasher, proposal.position.number());
        }
    }

    /// Feeds the budget, and the documents that made it.
    pub(crate) fn digest_budget(&self, hasher: &mut Digester) {
        hasher.update(&count(self.documents.len()));
        for (document, line) in &self.documents {
            text(hasher, document);
            hasher.update(&line.to_le_bytes());
        }
        let (funds, programmes) = (&self.funds, &self.programmes);
        self.budget.digest(hasher, |key, hasher| {
            text(hasher, funds.name(key.fund));
            text(hasher, programmes.name(key.programme));
        });
    }
}

/// How many bytes are hashed together: those of some dozen chunks, which a processor
/// hashes side by side, and of a few numbers it does not.
const TOGETHER: usize = 64 << 10;

/// What a digest is made of, number by number.
#[derive(Debug)]
pub(crate) struct Digester {
    hasher: Hasher,
    waiting: Vec<u8>,
}

impl Digester {
    fn new(hasher: Hasher) -> Self {
        Self {
            hasher,
            waiting: Vec::with_capacity(TOGETHER),
        }
    }

    /// The next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if self.waiting.len().saturating_add(bytes.len()) > TOGETHER {
            self.hasher.update(&self.waiting);
            self.waiting.clear();
        }
        self.waiting.extend_from_slice(bytes);
    }

    /// The digest of all of them.
    pub(crate) fn finish(mut self) -> Hash {
        self.hasher.update(&self.waiting);
        Hash::from_bytes(*self.hasher.finalize().as_bytes())
    }
}

/// A digest covers its own name, version and position, so that two projections
/// never share one by accident.
pub(crate) fn named(name: &str, version: u32, position: Option<Position>) -> Digester {
    let hasher = Hasher::new_derive_key("luzhang 2026 projection digest v1");
    let mut hasher = Digester::new(hasher);
    hasher.update(&count(name.len()));
    hasher.update(name.as_bytes());
    hasher.update(&version.to_le_bytes());
    number(&mut hasher, position.map_or(0, Position::number));
    hasher
}

fn digest_life(life: &Life, hasher: &mut Digester) {
    hasher.update(&life.case.to_le_bytes());
    for fen in life.purse.balances() {
        hasher.update(&fen.to_le_bytes());
    }
    for judged in [life.review, life.approval] {
        number(hasher, judged.map_or(0, |judged| judged.position));
    }
    hasher.update(&count(life.overrides.len()));
    for overridden in &life.overrides {
        hasher.update(&overridden.who.to_le_bytes());
        hasher.update(&overridden.by.to_le_bytes());
        number(hasher, overridden.position);
    }
    hasher.update(&life.notice.map_or(u32::MAX, |notice| notice).to_le_bytes());
    hasher.update(&life.open_objections.to_le_bytes());
    number(hasher, life.reversed.unwrap_or(0));
    hasher.update(&life.expected.to_le_bytes());
    hasher.update(&count(life.payments.len()));
    for payment in &life.payments {
        hasher.update(&payment.batch.to_le_bytes());
        hasher.update(&payment.fen.to_le_bytes());
        hasher.update(&[match payment.stage {
            PaymentStage::Waiting => 0,
            PaymentStage::Withdrawn => 1,
            PaymentStage::Settled => 2,
            PaymentStage::Bounced => 3,
            PaymentStage::Reissued => 4,
        }]);
    }
}

fn number(hasher: &mut Digester, number: u64) {
    hasher.update(&number.to_le_bytes());
}

fn text(hasher: &mut Digester, text: &str) {
    hasher.update(&count(text.len()));
    hasher.update(text.as_bytes());
}

fn days(hasher: &mut Digester, days: &[Date]) {
    hasher.update(&count(days.len()));
    for day in days {
        hasher.update(&to_number(*day).to_le_bytes());
    }
}

fn span(span: &Span, hasher: &mut Digester) {
    days(hasher, &[span.from, span.until]);
    number(hasher, span.position);
    hasher.update(&[u8::from(span.standing)]);
}

fn grant(state: &State, grant: &Grant, hasher: &mut Digester) {
    number(hasher, grant.position);
    let policy = state.policy_at(grant.policy);
    number(hasher, policy.map_or(0, Position::number));
    hasher.update(&grant.party.to_le_bytes());
    hasher.update(&[grant.kind, grant.level, u8::from(grant.standing)]);
    hasher.update(&grant.programme.to_le_bytes());
    days(hasher, &[grant.counted_on]);
    match &grant.extent {
        Extent::None => days(hasher, &[]),
        Extent::Days(list) => days(hasher, list),
        Extent::Period(from, until) => days(hasher, &[*from, *until]),
    }
}
