//! Registers of what is not a sum: plaques and startup loans, by their numbers.

use std::{collections::BTreeMap, io};

use luzhang_ledger::{
    Body, Date, Event, Office, Position, SubjectId,
    calendar::to_number,
    claim::{BorrowerKind, Claim},
    event::{Correction, Retraction},
    fact::{BrandLevel, Fact, LoanSettlement, Plaque, Repayment},
    step::{PlaqueChange, PlaqueEvent, Step},
};

use crate::{
    snapshot::{Reader, Writer, record},
    state::{self, Moving, PlaqueChanged, digest::Digester, lists::count, money::Purse},
};

/// All plaques.
#[derive(Clone, Debug, Default)]
pub struct Plaques {
    all: BTreeMap<String, Known>,
}

/// A plaque of the register.
#[derive(Clone, Debug)]
pub struct Known {
    /// Where it was awarded.
    pub position: Position,
    /// By which office.
    pub office: Option<Office>,
    /// By which document; that of a renewal replaces it.
    pub document: String,
    plaque: state::Plaque,
}

record!(Known {
    position,
    office,
    document,
    plaque
});

/// How a plaque stands on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// 有效
    InForce,
    /// 暂停
    Suspended,
    /// 撤销
    Revoked,
    /// 到期: its term is over.
    Expired,
    /// 未授牌: awarded later.
    NotYet,
}

impl Known {
    /// City or province.
    pub fn level(&self) -> BrandLevel {
        self.plaque.level
    }

    /// Who applied for it.
    pub fn applicant(&self) -> SubjectId {
        self.plaque.applicant
    }

    /// When it was awarded.
    pub fn awarded_on(&self) -> Date {
        self.plaque.awarded_on
    }

    /// The first day of the term that runs on a day, and the first day after it.
    pub fn term(&self, day: Date, years: impl Fn(Date) -> Option<i64>) -> (Date, Option<Date>) {
        let mut then = self.plaque.clone();
        then.changes.retain(|changed| changed.on <= day);
        let renewed = |changed: &&PlaqueChanged| changed.change == PlaqueEvent::Renewed;
        let begun = then.changes.iter().rfind(renewed);
        let begun = begun.map_or(then.awarded_on, |changed| changed.on);
        (begun, then.ends(years))
    }

    /// How it stands on a day, by the length of a term.
    pub fn standing(&self, day: Date, years: impl Fn(Date) -> Option<i64>) -> Standing {
        if self.plaque.awarded_on > day {
            return Standing::NotYet;
        }
        if self.plaque.is_in_force(day, &years) {
            return Standing::InForce;
        }
        let mut changes = self.plaque.changes.iter();
        let last = changes.rfind(|changed| changed.on <= day);
        match last.map(|changed| changed.change) {
            Some(PlaqueEvent::Suspended) => Standing::Suspended,
            Some(PlaqueEvent::Revoked) => Standing::Revoked,
            Some(PlaqueEvent::Expired | PlaqueEvent::Renewed | PlaqueEvent::Reinstated) | None => {
                Standing::Expired
            }
        }
    }
}

impl Plaques {
    pub(crate) fn write(&self, to: &mut Writer<'_>) -> io::Result<()> {
        let Self { all } = self;
        to.pairs("plaques", all)
    }

    pub(crate) fn read(from: &Reader<'_>) -> io::Result<Self> {
        let all = from.column("plaques")?;
        Ok(Self {
            all: all.into_iter().collect(),
        })
    }

    pub(crate) fn apply(&mut self, event: &Event) {
        let header = &event.header;
        if let Body::Fact(Fact::Plaque(fact)) = &event.body {
            self.award(event, fact);
        } else if let Body::FactRetracted(Retraction { fact, .. }) = &event.body {
            self.take_back(fact);
        } else if let Body::FactCorrected(Correction { was, now, .. }) = &event.body {
            self.take_back(was);
            if let Fact::Plaque(fact) = now {
                self.award(event, fact);
            }
        } else if let Body::Step(Step::PlaqueChange(change)) = &event.body {
            self.change(header.position, change);
        }
    }

    fn award(&mut self, event: &Event, fact: &Plaque) {
        let header = &event.header;
        let known = Known {
            position: header.position,
            office: header.office,
            document: fact.document.to_string(),
            plaque: state::Plaque {
                level: fact.level,
                applicant: fact.applicant,
                awarded_on: fact.awarded_on,
                position: header.position.number(),
                changes: Vec::new(),
            },
        };
        self.all.insert(fact.brand_no.to_string(), known);
    }

    fn take_back(&mut self, fact: &Fact) {
        if let Fact::Plaque(fact) = fact {
            self.all.remove(fact.brand_no.as_str());
        }
    }

    fn change(&mut self, position: Position, change: &PlaqueChange) {
        let Some(known) = self.all.get_mut(change.brand_no.as_str()) else {
            return;
        };
        if change.change == PlaqueEvent::Renewed {
            known.document = change.document.to_string();
        }
        known.plaque.changes.push(PlaqueChanged {
            change: change.change,
            on: change.on,
            position: position.number(),
        });
    }

    /// The plaque of a brand.
    pub fn of(&self, brand: &str) -> Option<&Known> {
        self.all.get(brand)
    }

    /// All, by the numbers of their brands.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Known)> {
        self.all.iter().map(|(number, known)| (&**number, known))
    }

    pub(crate) fn digest(&self, hasher: &mut Digester) {
        for (brand, known) in &self.all {
            text(hasher, brand);
            text(hasher, &known.document);
            let plaque = &known.plaque;
            hasher.update(&plaque.position.to_le_bytes());
            hasher.update(&[match plaque.level {
                BrandLevel::City => 0,
                BrandLevel::Provincial => 1,
                BrandLevel::County => 2,
            }]);
            hasher.update(plaque.applicant.as_bytes());
            hasher.update(&to_number(plaque.awarded_on).to_le_bytes());
            hasher.update(&count(plaque.changes.len()));
            for changed in &plaque.changes {
                hasher.update(&changed.position.to_le_bytes());
                hasher.update(&to_number(changed.on).to_le_bytes());
            }
        }
    }
}

/// All startup loans.
#[derive(Clone, Debug, Default)]
pub struct Loans {
    all: BTreeMap<String, Lent>,
    /// Interest subsidies, by their positions: the loan's number.
    subsidies: BTreeMap<u64, String>,
}

/// A loan of the register.
#[derive(Clone, Debug)]
pub struct Lent {
    /// Where it was issued.
    pub position: Position,
    /// Which office took it in.
    pub office: Option<Office>,
    /// Person or firm.
    pub kind: BorrowerKind,
    /// Who borrows.
    pub borrower: SubjectId,
    /// By which bank.
    pub bank: String,
    /// In fen.
    pub principal_fen: i64,
    /// A year, in millionths.
    pub rate_ppm: u32,
    /// When it was paid out.
    pub issued_on: Date,
    /// When it is due.
    pub due_on: Date,
    /// When and how it was settled.
    pub settled: Option<(Date, Repayment)>,
    /// Interest subsidies that stand.
    pub subsidies: i64,
    /// Their money.
    pub accounts: Purse,
}

record!(Lent {
    position,
    office,
    kind,
    borrower,
    bank,
    principal_fen,
    rate_ppm,
    issued_on,
    due_on,
    settled,
    subsidies,
    accounts
});

impl Lent {
    /// What is not settled, in fen: the ledger knows whole repayments only.
    pub fn outstanding_fen(&self) -> i64 {
        match self.settled {
            Some(_) => 0,
            None => self.principal_fen,
        }
    }
}

impl Loans {
    pub(crate) fn write(&self, to: &mut Writer<'_>) -> io::Result<()> {
        let Self { all, subsidies } = self;
        to.pairs("loans", all)?;
        to.pairs("loans.subsidies", subsidies)
    }

    pub(crate) fn read(from: &Reader<'_>) -> io::Result<Self> {
        let all = from.column("loans")?;
        let subsidies = from.column("loans.subsidies")?;
        Ok(Self {
            all: all.into_iter().collect(),
            subsidies: subsidies.into_iter().collect(),
        })
    }

    pub(crate) fn apply(&mut self, event: &Event, movement: Option<&Moving<'_>>) {
        let header = &event.header;
        if let Body::Granted(Claim::Loan(claim)) = &event.body {
            let lent = Lent {
                position: header.position,
                office: header.office,
                kind: claim.borrower_kind,
                borrower: claim.borrower,
                bank: claim.bank.to_string(),
                principal_fen: claim.principal.fen(),
                rate_ppm: claim.rate.ppm(),
                issued_on: claim.issued_on,
                due_on: claim.due_on,
                settled: None,
                subsidies: 0,
                accounts: Purse::default(),
            };
            self.all.insert(claim.loan_no.to_string(), lent);
        } else if let Body::Granted(Claim::InterestSubsidy(claim)) = &event.body {
            let number = claim.loan_no.to_string();
            self.subsidies.insert(header.position.number(), number);
        } else if let Body::Fact(Fact::LoanSettlement(fact)) = &event.body {
            self.settle(fact, true);
        } else if let Body::FactRetracted(Retraction { fact, .. }) = &event.body {
            self.unsettle(fact);
        } else if let Body::FactCorrected(Correction { was, now, .. }) = &event.body {
            self.unsettle(was);
            if let Fact::LoanSettlement(fact) = now {
                self.settle(fact, true);
            }
        }
        let grant = movement.and_then(|movement| movement.grant);
        let number = grant.and_then(|grant| self.subsidies.get(&grant.number()));
        let lent = number.and_then(|number| self.all.get_mut(number));
        if let (Some(lent), Some(movement)) = (lent, movement) {
            lent.subsidies = lent.subsidies.saturating_add(crate::totals::grants(event));
            for transfer in movement.transfers.iter() {
                lent.accounts.take(transfer);
            }
        }
    }

    fn settle(&mut self, fact: &LoanSettlement, settled: bool) {
        if let Some(lent) = self.all.get_mut(fact.loan_no.as_str()) {
            lent.settled = settled.then_some((fact.settled_on, fact.repayment));
        }
    }

    fn unsettle(&mut self, fact: &Fact) {
        if let Fact::LoanSettlement(fact) = fact {
            self.settle(fact, false);
        }
    }

    /// The loan with a number.
    pub fn of(&self, number: &str) -> Option<&Lent> {
        self.all.get(number)
    }

    /// All, by their numbers.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Lent)> {
        self.all.iter().map(|(number, lent)| (&**number, lent))
    }

    pub(crate) fn digest(&self, hasher: &mut Digester) {
        for (number, lent) in &self.all {
            text(hasher, number);
            text(hasher, &lent.bank);
            hasher.update(&lent.position.number().to_le_bytes());
            hasher.update(lent.borrower.as_bytes());
            hasher.update(&[match lent.kind {
                BorrowerKind::Person => 0,
                BorrowerKind::SmallFirm => 1,
            }]);
            hasher.update(&lent.principal_fen.to_le_bytes());
            hasher.update(&lent.rate_ppm.to_le_bytes());
            for day in [lent.issued_on, lent.due_on] {
                hasher.update(&to_number(day).to_le_bytes());
            }
            let settled = lent.settled.map_or(0, |(on, _)| to_number(on));
            hasher.update(&settled.to_le_bytes());
            hasher.update(&[match lent.settled {
                None => 0,
                Some((_, Repayment::OnTime)) => 1,
                Some((_, Repayment::Overdue)) => 2,
            }]);
            hasher.update(&lent.subsidies.to_le_bytes());
            for fen in lent.accounts.balances() {
                hasher.update(&fen.to_le_bytes());
            }
        }
    }
}

fn text(hasher: &mut Digester, text: &str) {
    hasher.update(&count(text.len()));
    hasher.update(text.as_bytes());
}
