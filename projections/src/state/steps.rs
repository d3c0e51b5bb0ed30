//! What steps change. The money they move is worked out here, once, for the
//! budget, the case and the journal.

use luzhang_ledger::{
    Event, Fen, Position,
    claim::Claim,
    fact::BudgetYear,
    step::{
        AppropriationEvent, Extent, Judgement, ObjectionOutcome, Opinion, Payment as PaymentRef,
        Step,
    },
    text::BatchNo,
};

use super::{
    PlaqueChanged, State,
    budget::BudgetKey,
    cases::{
        Batch, CaseIx, Judged, Life, Notice, Objection, Overridden, Payment, PaymentStage,
        Recovery, standing,
    },
    money::{Account, Kind, Purse, Transfer, Transfers},
    movement::{Line, LineRef, Movement, Moving},
    slot,
};

impl State {
    /// The money that the next event moves, before it is applied; `None` if it
    /// moves none.
    pub fn movement(&self, event: &Event) -> Option<Movement> {
        let moving = self.moving(event)?;
        Some(Movement {
            line: moving.line.to_line(),
            grant: moving.grant,
            transfers: moving.transfers.iter().collect(),
        })
    }

    /// The same, as it stands in the state and in the event.
    pub(crate) fn moving<'a>(&'a self, event: &'a Event) -> Option<Moving<'a>> {
        use luzhang_ledger::{Body, fact::Fact};
        match &event.body {
            Body::Fact(Fact::Appropriation(fact)) => Some(Moving {
                line: LineRef {
                    fund: fact.fund.as_str(),
                    programme: fact.programme.as_str(),
                    office: fact.office.code(),
                    year: fact.year.number(),
                },
                grant: None,
                transfers: Transfers::one(Kind::Appropriate, fact.amount.fen()),
            }),
            Body::Granted(claim) => self.reserved(event, claim),
            Body::Step(step) => self.moved(step),
            Body::LedgerCreated { .. }
            | Body::PolicyPackAdopted { .. }
            | Body::PartyRegistered(_)
            | Body::PartyCorrected(_)
            | Body::Fact(_)
            | Body::Refused(_)
            | Body::Conflict(_)
            | Body::AccountBound(_)
            | Body::FactRetracted(_)
            | Body::FactCorrected(_)
            | Body::StepRefused(_)
            | Body::ConflictCleared(_)
            | Body::CheckpointKeyAdopted(_)
            | Body::StateAttested(_)
            | Body::MandateProposed(_)
            | Body::MandateAdopted(_)
            | Body::AccessDenied(_)
            | Body::DetailsRevealed(_)
            | Body::SubjectErased(_) => None,
        }
    }

    fn reserved<'a>(&'a self, event: &Event, claim: &'a Claim) -> Option<Moving<'a>> {
        let fund = claim.fund()?;
        let pack = event.header.policy.and_then(|p| self.pack_at(p))?;
        Some(Moving {
            line: LineRef {
                fund: fund.as_str(),
                programme: &pack.programme(claim)?.id,
                office: event.header.office?.code(),
                year: BudgetYear::of(claim.basis()).number(),
            },
            grant: Some(event.header.position),
            transfers: Transfers::one(Kind::Reserve, claim.amount().fen()),
        })
    }

    fn moved(&self, step: &Step) -> Option<Moving<'_>> {
        let (line, case) = self.place(step)?;
        let key = self.budget.key(line)?;
        let transfers = if let Step::AppropriationChange(change) = step {
            let kind = match change.change {
                AppropriationEvent::Increased => Kind::Appropriate,
                AppropriationEvent::Decreased | AppropriationEvent::Returned => Kind::Withdraw,
            };
            Transfers::one(kind, change.amount.fen())
        } else {
            self.transfers(case?, step)
        };
        (!transfers.is_empty()).then(|| Moving {
            line: self.words_of(key),
            grant: case
                .and_then(|case| self.cases.row(case))
                .and_then(|row| Position::new(row.position)),
            transfers,
        })
    }

    pub(crate) fn line_in_words(&self, key: BudgetKey) -> Line {
        self.words_of(key).to_line()
    }

    fn words_of(&self, key: BudgetKey) -> LineRef<'_> {
        LineRef {
            fund: self.funds.name(key.fund),
            programme: self.programmes.name(key.programme),
            office: key.office.code(),
            year: key.year.number(),
        }
    }

    /// The budget line and the case that a step is about.
    fn place(&self, step: &Step) -> Option<(u32, Option<CaseIx>)> {
        if let Step::AppropriationChange(change) = step {
            return Some((self.line_of(change.of.as_str())?, None));
        }
        let case = self.case_of(step)?;
        Some((self.cases.row(case)?.line, Some(case)))
    }

    /// The budget lines of everything that a step is about.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are about one case, one line or none"
    )]
    pub(crate) fn lines_of(&self, step: &Step) -> Vec<u32> {
        let line = |case: &CaseIx| Some(self.cases.row(*case)?.line);
        let of_grants = |grants: &[Position]| {
            let cases = grants.iter().filter_map(|grant| self.cases.find(*grant));
            cases.filter_map(|case| line(&case)).collect()
        };
        let of_batch = |number: &BatchNo| {
            let batch = self.cases.batches.find(number.as_str());
            let items = batch.into_iter().flat_map(|(_, batch)| &batch.items);
            items.filter_map(|(case, _)| line(case)).collect()
        };
        match step {
            Step::Notice(step) => of_grants(&step.grants),
            Step::NoticeClosing(step) => {
                let notice = self.cases.notices.find(step.notice_no.as_str());
                let cases = notice.into_iter().flat_map(|(_, notice)| &notice.cases);
                cases.filter_map(line).collect()
            }
            Step::Batch(step) => of_grants(&step.grants),
            Step::BatchLocking(step) => of_batch(&step.batch_no),
            Step::BatchSubmission(step) => of_batch(&step.batch_no),
            step => self.place(step).map(|(line, _)| line).into_iter().collect(),
        }
    }

    /// The case that a step is about.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "three are about a case by another number than the grant's"
    )]
    pub(crate) fn case_of(&self, step: &Step) -> Option<CaseIx> {
        match step {
            Step::RecoveryReceipt(step) => {
                let (_, recovery) = self.cases.recoveries.find(step.recovery_no.as_str())?;
                Some(recovery.case)
            }
            Step::RecoveryClosing(step) => {
                let (_, recovery) = self.cases.recoveries.find(step.recovery_no.as_str())?;
                Some(recovery.case)
            }
            Step::ObjectionResolution(step) => {
                let (_, objection) = self.cases.objections.find(step.objection_no.as_str())?;
                Some(objection.case)
            }
            _ => self.cases.find(step.grant()?),
        }
    }

    /// What a step moves within a case.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the others move no money of a case"
    )]
    fn transfers(&self, case: CaseIx, step: &Step) -> Transfers {
        let purse = self.cases.purse(case);
        match step {
            Step::Settlement(step) => Transfers::one(Kind::Pay, step.amount.fen()),
            Step::Bounce(step) => {
                let life = self.cases.life(case);
                let payment = life.and_then(|life| life.payment(step.payment.attempt));
                match payment {
                    // Only money that seemed paid comes back.
                    Some(payment) if payment.stage == PaymentStage::Settled => {
                        returned(&purse, payment.fen, Kind::Bounce, Kind::Refund)
                    }
                    Some(_) | None => Transfers::default(),
                }
            }
            Step::Reversal(step) => match step.extent {
                Extent::Whole => taken_back(&purse, standing(&purse)),
                Extent::Part(amount) => taken_back(&purse, amount.fen()),
            },
            Step::Adjustment(step) => {
                let amount = self.cases.row(case).map_or(0, |row| row.amount);
                let change = step.claim.amount().fen().saturating_sub(amount);
                if change >= 0 {
                    Transfers::one(Kind::Reserve, change)
                } else {
                    taken_back(&purse, change.saturating_neg())
                }
            }
            Step::Refund(step) => {
                let expected = self.cases.life(case).map_or(0, |life| life.expected);
                let owed = purse.balance(Account::Receivable).saturating_sub(expected);
                let fen = step.amount.fen();
                let refund = fen.min(owed);
                Transfers::two(
                    transfer(Kind::Refund, refund),
                    transfer(Kind::GiveBack, fen.saturating_sub(refund)),
                )
            }
            Step::RecoveryOpening(step) => {
                let expected = self.cases.life(case).map_or(0, |life| life.expected);
                let owed = purse.balance(Account::Receivable).saturating_sub(expected);
                let fen = step.amount.map_or(0, Fen::fen);
                Transfers::one(Kind::Claw, fen.saturating_sub(owed).max(0))
            }
            Step::RecoveryReceipt(step) => Transfers::one(Kind::Recover, step.amount.fen()),
            Step::RecoveryClosing(step) => Transfers::one(Kind::WriteOff, step.written_off.fen()),
            Step::Restoration(step) => {
                let fen = step.amount.fen();
                let first = fen.min(purse.balance(Account::Returned));
                Transfers::two(
                    transfer(Kind::RestoreReturned, first),
                    transfer(Kind::RestoreRecovered, fen.saturating_sub(first)),
                )
            }
            _ => Transfers::default(),
        }
        .iter()
        .filter(|transfer| transfer.fen > 0)
        .collect()
    }

    #[expect(clippy::too_many_lines, reason = "an arm for each kind of step")]
    pub(super) fn apply_step(&mut self, event: &Event, step: &Step) {
        let position = event.header.position;
        let at = position.number();
        let by = self
            .cases
            .principals
            .intern(event.header.principal.as_str());
        if let Some((line, case)) = self.place(step) {
            let moved = self.moved(step).map(|movement| movement.transfers);
            for transfer in moved.unwrap_or_default().iter() {
                self.budget.take(line, transfer);
                let life = case.and_then(|case| self.cases.life_mut(case));
                if let Some(life) = life {
                    life.purse.take(transfer);
                }
            }
        }
        match step {
            Step::Review(step) => self.judge(step, (by, at), |life, judged| {
                life.review = Some(judged);
                life.approval = None;
            }),
            Step::Approval(step) => self.judge(step, (by, at), |life, judged| {
                life.approval = Some(judged);
                if judged.opinion == Opinion::Returned {
                    life.review = None;
                }
            }),
            Step::Override(step) => {
                let principal = self.cases.principals.intern(step.principal.as_str());
                if let Some(life) = self.life_at(step.grant) {
                    life.overrides.push(Overridden {
                        duty: step.duty,
                        who: principal,
                        by,
                        position: at,
                    });
                }
            }
            Step::Notice(step) => {
                let found = step
                    .grants
                    .iter()
                    .filter_map(|grant| self.cases.find(*grant));
                let cases: Vec<CaseIx> = found.collect();
                let notice = Notice {
                    number: step.notice_no.as_str().into(),
                    position: at,
                    last_day: step.last_day.unwrap_or(step.first_day),
                    closed: None,
                    cases: cases.clone(),
                };
                let place = self.cases.notices.push(step.notice_no.as_str(), notice);
                for case in cases {
                    if let Some(life) = self.cases.life_mut(case) {
                        life.notice = Some(place);
                    }
                }
            }
            Step::Objection(step) => {
                let Some(case) = self.cases.find(step.grant) else {
                    return;
                };
                let objection = Objection {
                    number: step.objection_no.as_str().into(),
                    position: at,
                    case,
                    resolved: None,
                };
                let number = step.objection_no.as_str();
                self.cases.objections.push(number, objection);
                if let Some(life) = self.cases.life_mut(case) {
                    life.open_objections = life.open_objections.saturating_add(1);
                }
            }
            Step::ObjectionResolution(step) => {
                let found = self.cases.objections.find(step.objection_no.as_str());
                let Some((place, case)) = found.map(|(place, o)| (place, o.case)) else {
                    return;
                };
                if let Some(objection) = self.cases.objections.at_mut(place) {
                    objection.resolved = Some(at);
                }
                if let Some(life) = self.cases.life_mut(case) {
                    life.open_objections = life.open_objections.saturating_sub(1);
                    if step.outcome == ObjectionOutcome::Upheld {
                        // The case begins anew with its review.
                        life.review = None;
                        life.approval = None;
                        life.notice = None;
                    }
                }
            }
            Step::NoticeClosing(step) => {
                let found = self.cases.notices.find(step.notice_no.as_str());
                let place = found.map(|(place, _)| place);
                if let Some(notice) = place.and_then(|place| self.cases.notices.at_mut(place)) {
                    notice.closed = Some(at);
                }
            }
            Step::PlaqueChange(step) => {
                let stream = self.streams.find(event.header.stream);
                let plaque = stream.and_then(|stream| self.plaques.get_mut(&stream));
                if let Some(plaque) = plaque {
                    plaque.changes.push(PlaqueChanged {
                        change: step.change,
                        on: step.on,
                        position: at,
                    });
                }
            }
            Step::AppropriationChange(step) => {
                if let Some(line) = self.line_of(step.of.as_str()) {
                    self.documents.insert(step.document.as_str().into(), line);
                    self.budget.add_source(line, position);
                }
            }
            Step::Adjustment(step) => {
                let case = self.cases.find(step.grant);
                if let Some(row) = case.and_then(|case| self.cases.row_mut(case)) {
                    row.amount = step.claim.amount().fen();
                }
            }
            Step::Reversal(step) => {
                if step.extent == Extent::Whole {
                    self.free(step.grant, at);
                }
            }
            Step::Batch(_)
            | Step::BatchWithdrawal(_)
            | Step::BatchLocking(_)
            | Step::BatchSubmission(_)
            | Step::Settlement(_)
            | Step::Bounce(_)
            | Step::Reissue(_) => self.apply_payment(at, step),
            Step::RecoveryOpening(_) | Step::RecoveryReceipt(_) | Step::RecoveryClosing(_) => {
                self.apply_recovery(at, step);
            }
            Step::Refund(_) | Step::Restoration(_) => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "called for these alone")]
    fn apply_payment(&mut self, at: u64, step: &Step) {
        match step {
            Step::Batch(step) => {
                let number = step.batch_no.as_str();
                let batch = Batch {
                    number: number.into(),
                    position: at,
                    fund: self.funds.intern(step.fund.as_str()),
                    items: Vec::with_capacity(step.grants.len()),
                    locked: None,
                    submitted: None,
                };
                let place = self.cases.batches.push(number, batch);
                for (grant, amount) in step.grants.iter().zip(&step.amounts) {
                    self.enter(place, *grant, amount.fen());
                }
            }
            Step::BatchWithdrawal(step) => {
                let found = self.cases.batches.find(step.batch_no.as_str());
                let place = found.map(|(place, _)| place);
                if let Some(life) = self.life_at(step.grant) {
                    for payment in &mut life.payments {
                        if Some(payment.batch) == place && payment.stage == PaymentStage::Waiting {
                            payment.stage = PaymentStage::Withdrawn;
                        }
                    }
                }
            }
            Step::BatchLocking(step) => {
                if let Some(batch) = self.batch_mut(step.batch_no.as_str()) {
                    batch.locked = Some(at);
                }
            }
            Step::BatchSubmission(step) => {
                if let Some(batch) = self.batch_mut(step.batch_no.as_str()) {
                    batch.submitted = Some(at);
                }
            }
            Step::Settlement(step) => self.stage(step.payment, PaymentStage::Settled),
            Step::Bounce(step) => self.stage(step.payment, PaymentStage::Bounced),
            Step::Reissue(step) => {
                self.stage(step.payment, PaymentStage::Reissued);
                let found = self.cases.batches.find(step.batch_no.as_str());
                let place = found.map(|(place, _)| place);
                let case = self.cases.find(step.payment.grant);
                if let (Some(place), Some(case)) = (place, case) {
                    let fen = self.cases.purse(case).balance(Account::Reserved);
                    self.enter(place, step.payment.grant, fen);
                }
            }
            _ => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "called for these alone")]
    fn apply_recovery(&mut self, at: u64, step: &Step) {
        match step {
            Step::RecoveryOpening(step) => {
                let Some(case) = self.cases.find(step.grant) else {
                    return;
                };
                let fen = step.amount.map_or(0, Fen::fen);
                let number = step.recovery_no.as_str();
                let recovery = Recovery {
                    number: number.into(),
                    position: at,
                    case,
                    fen,
                    received: 0,
                    conflict: step.conflict.map_or(0, Position::number),
                    closed: None,
                };
                self.cases.recoveries.push(number, recovery);
                if let Some(life) = self.cases.life_mut(case) {
                    life.expected = life.expected.saturating_add(fen);
                }
            }
            Step::RecoveryReceipt(step) => {
                self.recover(step.recovery_no.as_str(), step.amount.fen(), None);
            }
            Step::RecoveryClosing(step) => {
                let fen = step.written_off.fen();
                self.recover(step.recovery_no.as_str(), fen, Some(at));
            }
            _ => {}
        }
    }

    /// So much less is expected of a recovery; `closed` if nothing more is.
    fn recover(&mut self, number: &str, fen: i64, closed: Option<u64>) {
        let found = self.cases.recoveries.find(number);
        let Some((place, case)) = found.map(|(place, r)| (place, r.case)) else {
            return;
        };
        if let Some(recovery) = self.cases.recoveries.at_mut(place) {
            match closed {
                None => recovery.received = recovery.received.saturating_add(fen),
                Some(_) => recovery.closed = closed,
            }
        }
        if let Some(life) = self.cases.life_mut(case) {
            life.expected = life.expected.saturating_sub(fen);
        }
    }

    fn judge(
        &mut self,
        step: &Judgement,
        (by, position): (u16, u64),
        set: impl FnOnce(&mut Life, Judged),
    ) {
        let judged = Judged {
            opinion: step.opinion,
            by,
            position,
        };
        if let Some(life) = self.life_at(step.grant) {
            set(life, judged);
        }
    }

    /// A payment of a grant enters a batch.
    fn enter(&mut self, batch: u32, grant: Position, fen: i64) {
        let Some(case) = self.cases.find(grant) else {
            return;
        };
        let Some(life) = self.cases.life_mut(case) else {
            return;
        };
        life.payments.push(Payment {
            batch,
            fen,
            stage: PaymentStage::Waiting,
        });
        let attempt = u32::try_from(life.payments.len()).unwrap_or(u32::MAX);
        if let Some(batch) = self.cases.batches.at_mut(batch) {
            batch.items.push((case, attempt));
        }
    }

    fn stage(&mut self, payment: PaymentRef, stage: PaymentStage) {
        let life = self.life_at(payment.grant);
        if let Some(payment) = life.and_then(|life| life.payment_mut(payment.attempt)) {
            payment.stage = stage;
        }
    }

    /// A grant is reversed as a whole: its entitlement is free from now on.
    fn free(&mut self, grant: Position, at: u64) {
        let number = grant.number();
        let Some(case) = self.cases.find(grant) else {
            return;
        };
        let Some(row) = self.cases.row(case).copied() else {
            return;
        };
        if let Some(life) = self.cases.life_mut(case) {
            life.reversed = Some(at);
        }
        let lists = self.grants.get_mut(slot(row.form));
        let grant = lists.and_then(|lists| lists.find_mut(row.owner, |g| g.position == number));
        if let Some(grant) = grant {
            grant.standing = false;
        }
    }

    fn life_at(&mut self, grant: Position) -> Option<&mut Life> {
        let case = self.cases.find(grant)?;
        self.cases.life_mut(case)
    }

    fn batch_mut(&mut self, number: &str) -> Option<&mut Batch> {
        let place = self.cases.batches.find(number)?.0;
        self.cases.batches.at_mut(place)
    }
}

fn transfer(kind: Kind, fen: i64) -> Transfer {
    Transfer { kind, fen }
}

/// What is taken back: first of what is reserved, then of what is paid.
fn taken_back(purse: &Purse, fen: i64) -> Transfers {
    let released = fen.min(purse.balance(Account::Reserved));
    Transfers::two(
        transfer(Kind::Release, released),
        transfer(Kind::Claw, fen.saturating_sub(released)),
    )
}

/// What comes back: first of what is rightly paid, then of what is owed.
fn returned(purse: &Purse, fen: i64, paid: Kind, owed: Kind) -> Transfers {
    let first = fen.min(purse.balance(Account::Paid));
    Transfers::two(
        transfer(paid, first),
        transfer(owed, fen.saturating_sub(first)),
    )
}
