//! An independent count of the money and of what stands, straight from events.

use std::collections::{BTreeMap, BTreeSet};

use luzhang_ledger::{
    Body, Event,
    claim::Claim,
    fact::Fact,
    step::{AppropriationEvent, Extent, ObjectionOutcome, Opinion, Step},
};
use luzhang_projections::projection::Name;

use crate::ledger::Ledger;

/// A grant, as a bookkeeper knows it.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) claim: Claim,
    pub(super) line: Line,
    /// What was granted, adjustments included.
    pub(super) granted: i64,
    /// What was taken back, recoveries of what stood included.
    pub(super) taken_back: i64,
    /// What the bank paid, less what it sent back.
    pub(super) paid_out: i64,
    /// What the payee gave back, recoveries included.
    pub(super) given_back: i64,
    pub(super) written_off: i64,
    pub(super) restored: i64,
    /// What of the payee's money is to be given back.
    pub(super) owes: i64,
    pub(super) reversed: bool,
    pub(super) stage: Stage,
    /// The newest notice that it is in.
    notice: String,
    /// Payments by attempt: batch and amount; then what became of it.
    pub(super) payments: Vec<(String, i64, Paid)>,
}

/// How far a case is, roughly: what would naturally come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Granted,
    Reviewed,
    Approved,
    Noticed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paid {
    Waiting,
    Settled,
    Bounced,
    Gone,
}

/// Programme, year, office, fund.
pub(super) type Line = (String, i16, u32, String);

#[derive(Clone, Debug, Default)]
pub(super) struct Books {
    pub(super) accounts: BTreeMap<u64, Account>,
    appropriated: BTreeMap<Line, i64>,
    documents: BTreeMap<String, Line>,
    pub(super) notices: BTreeMap<String, (Vec<u64>, bool)>,
    pub(super) batches: BTreeMap<String, (bool, bool)>,
    pub(super) objections: BTreeMap<String, (u64, bool)>,
    pub(super) recoveries: BTreeMap<String, (u64, i64, bool)>,
    pub(super) facts: BTreeMap<u64, Fact>,
    pub(super) conflicts: BTreeMap<u64, u64>,
}

impl Books {
    /// Takes the events from `from` on, and holds the ledger against them.
    pub(super) fn follow(&mut self, ledger: &Ledger, from: usize, seed: u64) {
        for event in &ledger.log[from..] {
            self.take(event, ledger);
        }
        self.check(ledger, seed);
    }

    fn take(&mut self, event: &Event, ledger: &Ledger) {
        let at = event.header.position.number();
        match &event.body {
            Body::Fact(Fact::Appropriation(fact)) => {
                let line = (
                    fact.programme.to_string(),
                    fact.year.number(),
                    fact.office.code(),
                    fact.fund.to_string(),
                );
                *self.appropriated.entry(line.clone()).or_default() += fact.amount.fen();
                self.documents.insert(fact.document.to_string(), line);
            }
            Body::Fact(fact) => {
                self.facts.insert(at, fact.clone());
                if let Fact::UnemploymentBenefitRetraction(fact) = fact {
                    self.facts.remove(&fact.asserted.number());
                }
            }
            Body::FactRetracted(retraction) => {
                self.facts.remove(&retraction.asserted.number());
            }
            Body::FactCorrected(correction) => {
                self.facts.remove(&correction.asserted.number());
                self.facts.insert(at, correction.now.clone());
            }
            Body::Granted(claim) => self.grant(event, claim, ledger),
            Body::Step(step) => self.step(step),
            Body::Conflict(conflict) => {
                self.conflicts.insert(at, conflict.grant.number());
            }
            Body::ConflictCleared(conflict) => {
                assert!(self.conflicts.remove(&conflict.number()).is_some());
            }
            _ => {}
        }
    }

    fn grant(&mut self, event: &Event, claim: &Claim, ledger: &Ledger) {
        let Some(fund) = claim.fund() else { return };
        let pack = ledger
            .state()
            .pack_at(event.header.policy.unwrap())
            .unwrap();
        let line = (
            pack.programme(claim).unwrap().id.clone(),
            event.header.basis.unwrap().year(),
            event.header.office.unwrap().code(),
            fund.to_string(),
        );
        let account = Account {
            claim: claim.clone(),
            line,
            granted: claim.amount().fen(),
            taken_back: 0,
            paid_out: 0,
            given_back: 0,
            written_off: 0,
            restored: 0,
            owes: 0,
            reversed: false,
            stage: Stage::Granted,
            notice: String::new(),
            payments: Vec::new(),
        };
        self.accounts
            .insert(event.header.position.number(), account);
    }

    #[expect(clippy::too_many_lines, reason = "an arm for each kind of step")]
    fn step(&mut self, step: &Step) {
        match step {
            Step::Review(step) => {
                self.at(step.grant.number()).stage = match step.opinion {
                    Opinion::Passed => Stage::Reviewed,
                    Opinion::Returned => Stage::Granted,
                };
            }
            Step::Approval(step) => {
                self.at(step.grant.number()).stage = match step.opinion {
                    Opinion::Passed => Stage::Approved,
                    Opinion::Returned => Stage::Granted,
                };
            }
            Step::Notice(step) => {
                let grants: Vec<u64> = step.grants.iter().map(|g| g.number()).collect();
                for grant in &grants {
                    let account = self.at(*grant);
                    account.stage = Stage::Noticed;
                    account.notice = step.notice_no.to_string();
                }
                self.notices
                    .insert(step.notice_no.to_string(), (grants, false));
            }
            Step::Objection(step) => {
                let number = step.objection_no.to_string();
                self.objections.insert(number, (step.grant.number(), false));
            }
            Step::ObjectionResolution(step) => {
                let objection = self.objections.get_mut(step.objection_no.as_str()).unwrap();
                objection.1 = true;
                let grant = objection.0;
                if step.outcome == ObjectionOutcome::Upheld {
                    self.at(grant).stage = Stage::Granted;
                }
            }
            Step::NoticeClosing(step) => {
                self.notices.get_mut(step.notice_no.as_str()).unwrap().1 = true;
            }
            Step::Batch(step) => {
                let number = step.batch_no.to_string();
                for (grant, amount) in step.grants.iter().zip(&step.amounts) {
                    self.assert_payable(grant.number());
                    assert_eq!(amount.fen(), self.at(grant.number()).unpaid());
                    let payment = (number.clone(), amount.fen(), Paid::Waiting);
                    self.at(grant.number()).payments.push(payment);
                }
                self.batches.insert(number, (false, false));
            }
            Step::BatchWithdrawal(step) => {
                let payments = &mut self.at(step.grant.number()).payments;
                payments.last_mut().unwrap().2 = Paid::Gone;
            }
            Step::BatchLocking(step) => {
                self.batches.get_mut(step.batch_no.as_str()).unwrap().0 = true;
            }
            Step::BatchSubmission(step) => {
                self.batches.get_mut(step.batch_no.as_str()).unwrap().1 = true;
            }
            Step::Settlement(step) => {
                let account = self.at(step.payment.grant.number());
                account.paid_out += step.amount.fen();
                account.payments[step.payment.attempt as usize - 1].2 = Paid::Settled;
            }
            Step::Bounce(step) => {
                let account = self.at(step.payment.grant.number());
                let payment = &account.payments[step.payment.attempt as usize - 1];
                let (fen, paid) = (payment.1, payment.2);
                if paid == Paid::Settled {
                    // What was rightly paid is unpaid again, the rest came back.
                    let rightly = fen.min(account.held() - account.owes);
                    account.paid_out -= rightly;
                    account.given_back += fen - rightly;
                    account.owes -= fen - rightly;
                }
                account.payments[step.payment.attempt as usize - 1].2 = Paid::Bounced;
            }
            Step::Reissue(step) => {
                self.assert_payable(step.payment.grant.number());
                let account = self.at(step.payment.grant.number());
                account.payments[step.payment.attempt as usize - 1].2 = Paid::Gone;
                let left = account.unpaid();
                let payment = (step.batch_no.to_string(), left, Paid::Waiting);
                account.payments.push(payment);
            }
            Step::Reversal(step) => {
                let account = self.at(step.grant.number());
                let fen = match step.extent {
                    Extent::Whole => account.granted - account.taken_back,
                    Extent::Part(amount) => amount.fen(),
                };
                // First what is not paid yet.
                account.owes += (fen - account.unpaid()).max(0);
                account.taken_back += fen;
                account.reversed |= step.extent == Extent::Whole;
            }
            Step::Adjustment(step) => {
                let account = self.at(step.grant.number());
                let less = account.granted - step.claim.amount().fen();
                if less > 0 {
                    account.owes += (less - account.unpaid()).max(0);
                }
                account.granted = step.claim.amount().fen();
                account.claim = step.claim.clone();
            }
            Step::Refund(step) => {
                let expected = self.expected(step.grant.number());
                let account = self.at(step.grant.number());
                account.given_back += step.amount.fen();
                account.owes -= step.amount.fen().min(account.owes - expected);
            }
            Step::RecoveryOpening(step) => {
                let (grant, fen) = (step.grant.number(), step.amount.unwrap().fen());
                let expected = self.expected(grant);
                let account = self.at(grant);
                // What is to be given back already is not taken back again.
                let more = (fen - (account.owes - expected)).max(0);
                account.taken_back += more;
                account.owes += more;
                self.recoveries
                    .insert(step.recovery_no.to_string(), (grant, fen, false));
            }
            Step::RecoveryReceipt(step) => {
                let recovery = self.recoveries.get_mut(step.recovery_no.as_str()).unwrap();
                recovery.1 -= step.amount.fen();
                let grant = recovery.0;
                let account = self.at(grant);
                account.given_back += step.amount.fen();
                account.owes -= step.amount.fen();
            }
            Step::RecoveryClosing(step) => {
                let recovery = self.recoveries.get_mut(step.recovery_no.as_str()).unwrap();
                assert_eq!(recovery.1, step.written_off.fen());
                (recovery.1, recovery.2) = (0, true);
                let grant = recovery.0;
                let account = self.at(grant);
                account.written_off += step.written_off.fen();
                account.owes -= step.written_off.fen();
            }
            Step::Restoration(step) => self.at(step.grant.number()).restored += step.amount.fen(),
            Step::AppropriationChange(step) => {
                let line = self.documents[step.of.as_str()].clone();
                let sum = self.appropriated.entry(line.clone()).or_default();
                match step.change {
                    AppropriationEvent::Increased => *sum += step.amount.fen(),
                    AppropriationEvent::Decreased | AppropriationEvent::Returned => {
                        *sum -= step.amount.fen();
                    }
                }
                self.documents.insert(step.document.to_string(), line);
            }
            Step::Override(_) | Step::PlaqueChange(_) => {}
        }
    }

    /// P-NOTICE: what enters a batch was reviewed, approved and published, the
    /// notice is closed, and no objection is open.
    fn assert_payable(&self, grant: u64) {
        let account = &self.accounts[&grant];
        assert_eq!(account.stage, Stage::Noticed, "{grant} was not published");
        assert!(!account.reversed, "{grant} is reversed");
        assert!(self.notices[&account.notice].1, "{grant} is in notice");
        let open = self
            .objections
            .values()
            .any(|known| *known == (grant, false));
        assert!(!open, "{grant} is objected to");
        let waits = account
            .payments
            .iter()
            .any(|(.., paid)| *paid == Paid::Waiting);
        assert!(!waits, "{grant} is in a batch already");
    }

    fn at(&mut self, grant: u64) -> &mut Account {
        self.accounts.get_mut(&grant).unwrap()
    }

    /// What open recoveries of a grant still expect.
    pub(super) fn expected(&self, grant: u64) -> i64 {
        let of_grant = self.recoveries.values().filter(|r| r.0 == grant && !r.2);
        of_grant.map(|r| r.1).sum()
    }

    /// Every line of the budget, and every limit on what stands.
    fn check(&self, ledger: &Ledger, seed: u64) {
        let last = ledger.log.last();
        let at = || format!("seed {seed}, after {last:?}");
        let rows = ledger.folded.rows(Name::Budget);
        let mut seen = BTreeSet::new();
        for row in &rows.rows {
            let fen = |column: &str| -> i64 {
                let place = rows.columns.iter().position(|c| *c == column).unwrap();
                row[place].parse().unwrap()
            };
            let line: Line = (
                row[0].clone(),
                row[1].parse().unwrap(),
                row[2].parse().unwrap(),
                row[3].clone(),
            );
            let appropriated = self.appropriated.get(&line).copied().unwrap_or(0);
            let of_line = || self.accounts.values().filter(|a| a.line == line);
            let stands: i64 = of_line().map(|a| a.granted - a.taken_back).sum();
            let held: i64 = of_line().map(Account::held).sum();
            let owed: i64 = of_line().map(|a| a.owes).sum();
            let came_back: i64 = of_line().map(Account::came_back).sum();
            let written_off: i64 = of_line().map(|a| a.written_off).sum();

            assert_eq!(fen("appropriated_fen"), appropriated, "{}", at());
            assert_eq!(fen("committed_fen"), stands, "{}", at());
            assert_eq!(fen("left_fen"), appropriated - stands, "{}", at());
            assert!(fen("left_fen") >= 0, "overrun: {}", at());
            assert_eq!(fen("reserved_fen") + fen("paid_fen"), stands, "{}", at());
            assert_eq!(fen("paid_fen") + fen("receivable_fen"), held, "{}", at());
            assert_eq!(fen("receivable_fen"), owed, "{}", at());
            let back = fen("returned_fen") + fen("recovered_fen");
            assert_eq!(back, came_back, "{}", at());
            assert_eq!(fen("written_off_fen"), written_off, "{}", at());
            assert_eq!(
                fen("advanced_fen"),
                owed + came_back + written_off,
                "{}",
                at()
            );
            seen.insert(line);
        }
        for account in self.accounts.values() {
            assert!(seen.contains(&account.line), "{}", at());
            assert!(account.granted >= account.taken_back, "{}", at());
            assert!(account.unpaid() >= 0, "{}", at());
            assert!(
                0 <= account.owes && account.owes <= account.held(),
                "{}",
                at()
            );
        }
        if last.is_some_and(|event| matches!(event.body, Body::Granted(_))) {
            self.limits(&at);
        }
        let totals = ledger.folded.totals.lines().into_iter();
        let totals: i64 = totals.map(|(_, total)| total.amount_fen).sum();
        let stands: i64 = self
            .accounts
            .values()
            .map(|a| a.granted - a.taken_back)
            .sum();
        assert_eq!(totals, stands, "{}", at());
    }

    /// What stands exceeds no limit on numbers and days.
    fn limits(&self, at: &impl Fn() -> String) {
        let mut days = BTreeSet::new();
        let mut once: BTreeSet<String> = BTreeSet::new();
        let mut courses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut first = |key: String| assert!(once.insert(key.clone()), "{key} twice, {}", at());
        for account in self.accounts.values().filter(|a| !a.reversed) {
            match &account.claim {
                Claim::TrainingAllowance(claim) => {
                    assert!(claim.daily.fen() <= 5_000, "{}", at());
                    for day in claim.dates.days() {
                        let new = days.insert((claim.person, *day));
                        assert!(new, "{day} twice, {}", at());
                    }
                    // The courses of these histories begin and end in one year.
                    let year = claim.dates.first().year();
                    let key = format!("{:?} {year}", claim.person);
                    let of_year = courses.entry(key).or_default();
                    of_year.insert(claim.course_no.to_string());
                    assert_eq!(of_year.len(), 1, "{}", at());
                }
                Claim::SkillBase(claim) => {
                    first(format!(
                        "{:?} {:?} {:?}",
                        claim.entity, claim.kind, claim.level
                    ));
                }
                Claim::ServiceSubsidy(claim) => {
                    let year = claim.contract_first_day.year();
                    first(format!("{:?} with {:?}", claim.worker, claim.employer));
                    first(format!("{:?} in {year}", claim.worker));
                }
                Claim::BrandAward(claim) => first(format!("brand {}", claim.brand_no)),
                Claim::TrainingSubsidy(claim) => first(format!("on {}", claim.certificate_no)),
                Claim::TransportAid(claim) => {
                    let year = claim.travelled_on.year();
                    first(format!("{:?} travels in {year}", claim.person));
                }
                Claim::Subsidy(claim) if claim.programme.as_str() == "startup-subsidy" => {
                    first(format!("startup of {:?}", claim.recipient));
                }
                Claim::Subsidy(_) | Claim::InterestSubsidy(_) | Claim::Loan(_) => {}
            }
        }
    }
}

impl Account {
    /// What the payee holds.
    pub(super) fn held(&self) -> i64 {
        self.paid_out - self.given_back - self.written_off
    }

    /// What stands and is not in the payee's hands.
    fn unpaid(&self) -> i64 {
        self.granted - self.taken_back - (self.held() - self.owes)
    }

    /// What came back and did not fill the fund yet.
    fn came_back(&self) -> i64 {
        self.given_back - self.restored
    }
}
