//! Random commands: mostly what would naturally come next, sometimes anything.

use luzhang_ledger::{
    Position, SubjectId, Window,
    claim::{
        Claim, RecognitionLevel, SkillBaseKind, Spending, Subsidy, TrainingSubsidy, TransportAid,
        TravelMode,
    },
    event::{Correction, Retraction},
    fact::{
        Authority, AuthorityAmount, BrandLevel, Certificate, CertificateKind, ContractEnd, Fact,
        Repayment,
    },
    step::{
        Adjustment, AppropriationChange, AppropriationEvent, Batch, BatchLocking, BatchSubmission,
        BatchWithdrawal, Bounce, Duty, Extent, Judgement, Notice, NoticeClosing, Objection,
        ObjectionOutcome, ObjectionResolution, Opinion, Override, Payment, PlaqueChange,
        PlaqueEvent, RecoveryClosing, RecoveryOpening, RecoveryReceipt, Refund, Reissue,
        Restoration, Reversal, Settlement, Step as Life,
    },
    text::{
        BatchNo, BrandNo, CertificateNo, ClaimNo, CourseNo, DocumentNo, FundId, Label, NoticeNo,
        ObjectionNo, Principal, ProgrammeId, RecoveryNo,
    },
};
use luzhang_projections::{Command, decide::CommandBody, pack::LUZHOU_2023};

use super::books::{Account, Books, Paid, Stage};
use crate::{
    ledger::{Ledger, adoption},
    steps::{
        AGENCY, FUND, LI, MILL, OFFICE, SCHOOL, Step, WANG, WORKS, allowance, attended, award,
        base, benefit, budget, course, day, fen, interest, listed, loan, office, placement, plaque,
        settled,
    },
};

const COURSES: [(&str, &str, &str); 3] = [
    ("K1", "2024-03-04", "2024-03-07"),
    ("K2", "2024-06-03", "2024-06-05"),
    ("K3", "2025-03-03", "2025-03-05"),
];
const PEOPLE: [&str; 5] = ["clerk", "reviewer", "approver", "cashier", "chief"];

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap()
}

/// A small generator of numbers: the same seed, the same history.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11
    }

    pub(super) fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.next() % u64::from(end.max(1))).unwrap()
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(small(from.len())) as usize].clone()
    }

    /// A part of an amount, a little more than all of it at times.
    fn part(&mut self, of: i64) -> i64 {
        match self.below(6) {
            0 => of + 1,
            1 | 2 => of.max(1),
            _ => (of / 2).max(1),
        }
    }

    fn person(&mut self) -> SubjectId {
        self.pick(&[WANG, LI])
    }

    pub(super) fn command(&mut self, ledger: &Ledger, books: &Books) -> Step {
        let cases: Vec<u64> = books.accounts.keys().copied().collect();
        if cases.is_empty() || self.below(10) < 3 {
            return match self.below(10) {
                0..6 => self.claim(),
                6..8 => self.fact(),
                _ => self.late(books),
            };
        }
        let grant = self.pick(&cases);
        let account = &books.accounts[&grant];
        match self.below(10) {
            0..6 => self.natural(grant, account, books),
            _ => self.any(grant, account, books, ledger),
        }
    }

    /// What a bureau would do with the case now.
    fn natural(&mut self, grant: u64, account: &Account, books: &Books) -> Step {
        let passed = |grant| Judgement {
            grant: at(grant),
            opinion: Opinion::Passed,
            note: None,
        };
        if account.reversed || account.held() > 0 || account.owes > 0 {
            return self.money(grant, account, books);
        }
        match account.stage {
            Stage::Granted => by("reviewer", Life::Review(passed(grant))),
            Stage::Reviewed => by("approver", Life::Approval(passed(grant))),
            Stage::Approved => {
                let number = format!("N{}", books.notices.len());
                self.notice(&number, grant, books)
            }
            Stage::Noticed => {
                let mut notices = books.notices.iter();
                let open = notices.find(|(_, (grants, closed))| grants.contains(&grant) && !closed);
                if let Some((number, _)) = open {
                    return by("clerk", closing(number, "2024-12-31"));
                }
                self.payment(grant, account, books)
            }
        }
    }

    fn notice(&mut self, number: &str, grant: u64, books: &Books) -> Step {
        let approved = books
            .accounts
            .iter()
            .filter(|(_, a)| a.stage == Stage::Approved);
        let mut grants: Vec<u64> = approved.map(|(grant, _)| *grant).collect();
        if !grants.contains(&grant) {
            grants.push(grant);
        }
        grants.sort_unstable();
        by(
            "clerk",
            Life::Notice(Notice {
                notice_no: NoticeNo::new(number).unwrap(),
                grants: grants.into_iter().map(at).collect(),
                first_day: day("2024-09-27"),
                last_day: self.one_in(4).then(|| day("2024-11-01")),
                list_digest: [7; 32],
            }),
        )
    }

    fn payment(&mut self, grant: u64, account: &Account, books: &Books) -> Step {
        let fresh = format!("B{}", books.batches.len());
        let attempt = small(account.payments.len());
        let payment = Payment {
            grant: at(grant),
            attempt: attempt.max(1),
        };
        let Some((number, amount, paid)) = account.payments.last() else {
            return by("cashier", batch(&fresh, &[grant]));
        };
        match paid {
            Paid::Gone => by("cashier", batch(&fresh, &[grant])),
            Paid::Bounced => {
                let open = books.batches.iter().find(|(_, (locked, _))| !locked);
                match open {
                    Some((open, _)) => by("cashier", reissue(payment, open)),
                    None => by("cashier", batch(&fresh, &[])),
                }
            }
            Paid::Waiting => match books.batches[number] {
                (false, _) => by("cashier", self.locking(number, books)),
                (true, false) => by("cashier", submission(number)),
                (true, true) if self.below(3) > 0 => by("cashier", settlement(payment, *amount)),
                (true, true) => by("cashier", bounce(payment)),
            },
            Paid::Settled => by("cashier", bounce(payment)),
        }
    }

    fn locking(&mut self, number: &str, books: &Books) -> Life {
        let payments = books.accounts.values().flat_map(|a| &a.payments);
        let of_batch =
            payments.filter(|(batch, _, paid)| batch == number && *paid == Paid::Waiting);
        let amounts: Vec<i64> = of_batch.map(|(_, fen, _)| *fen).collect();
        let off = i64::from(self.one_in(8));
        Life::BatchLocking(BatchLocking {
            batch_no: BatchNo::new(number).unwrap(),
            count: small(amounts.len()),
            total: fen(amounts.iter().sum::<i64>() + off),
        })
    }

    /// What may happen to money that was paid, or to be given back.
    fn money(&mut self, grant: u64, account: &Account, books: &Books) -> Step {
        let open = books.recoveries.iter().find(|(_, r)| r.0 == grant && !r.2);
        let number = format!("R{}", books.recoveries.len());
        let conflict = books.conflicts.iter().find(|(_, of)| **of == grant);
        match (self.below(7), open) {
            (0 | 1, Some((number, (_, left, _)))) => {
                let amount = fen(self.part(*left));
                by(
                    "cashier",
                    Life::RecoveryReceipt(RecoveryReceipt {
                        recovery_no: RecoveryNo::new(&**number).unwrap(),
                        amount,
                        received_on: day("2025-01-10"),
                    }),
                )
            }
            (2, Some((number, (_, left, _)))) => {
                let off = i64::from(self.one_in(5));
                by(
                    "chief",
                    Life::RecoveryClosing(RecoveryClosing {
                        recovery_no: RecoveryNo::new(&**number).unwrap(),
                        written_off: fen(left + off),
                        document: document("W"),
                    }),
                )
            }
            (0..3, None) => by(
                "clerk",
                Life::RecoveryOpening(RecoveryOpening {
                    recovery_no: RecoveryNo::new(number).unwrap(),
                    grant: at(grant),
                    amount: self.one_in(2).then(|| fen(self.part(account.held()))),
                    conflict: conflict.map(|(position, _)| at(*position)),
                    basis: label(),
                }),
            ),
            (3, _) => by(
                "cashier",
                Life::Refund(Refund {
                    grant: at(grant),
                    amount: fen(self.part(account.held())),
                    received_on: day("2025-01-10"),
                }),
            ),
            (4, _) => by(
                "cashier",
                Life::Restoration(Restoration {
                    grant: at(grant),
                    amount: fen(self.part(account.given_back - account.restored)),
                    document: document("G"),
                }),
            ),
            (5, _) => by("clerk", self.reversal(grant, account)),
            (_, _) => self.payment(grant, account, books),
        }
    }

    fn reversal(&mut self, grant: u64, account: &Account) -> Life {
        let stands = account.granted - account.taken_back;
        Life::Reversal(Reversal {
            grant: at(grant),
            extent: match self.below(3) {
                0 => Extent::Whole,
                _ => Extent::Part(fen(self.part(stands))),
            },
            reason: label(),
        })
    }

    /// Any step at all, by anybody.
    fn any(&mut self, grant: u64, account: &Account, books: &Books, ledger: &Ledger) -> Step {
        let number = |prefix: &str, dice: &mut Self, known: usize| {
            format!("{prefix}{}", dice.below(small(known) + 1))
        };
        let payment = Payment {
            grant: at(grant),
            attempt: 1 + self.below(small(account.payments.len()) + 1),
        };
        let batch_no = number("B", self, books.batches.len());
        let notice_no = number("N", self, books.notices.len());
        let who = self.pick(&PEOPLE);
        let opinion = self.pick(&[Opinion::Passed, Opinion::Passed, Opinion::Returned]);
        let judgement = Judgement {
            grant: at(grant),
            opinion,
            note: self.one_in(2).then(label),
        };
        let life = match self.below(23) {
            0 => Life::Review(judgement),
            1 => Life::Approval(judgement),
            2 => Life::Override(Override {
                grant: at(grant),
                duty: self.pick(&[Duty::Review, Duty::Approval, Duty::Payment]),
                principal: principal(self.pick(&PEOPLE)),
                reason: label(),
            }),
            3 => return self.notice(&notice_no, grant, books),
            4 | 5 => Life::Objection(Objection {
                notice_no: NoticeNo::new(notice_no).unwrap(),
                objection_no: ObjectionNo::new(number("O", self, books.objections.len())).unwrap(),
                grant: at(grant),
                filed_on: day("2024-10-01"),
                reason: label(),
            }),
            6 | 7 => Life::ObjectionResolution(ObjectionResolution {
                objection_no: ObjectionNo::new(number("O", self, books.objections.len())).unwrap(),
                outcome: self.pick(&[ObjectionOutcome::Upheld, ObjectionOutcome::Dismissed]),
                resolved_on: day("2024-10-02"),
                note: None,
            }),
            8 => closing(&notice_no, self.pick(&["2024-09-28", "2024-12-31"])),
            9 => batch(&batch_no, &[grant]),
            10 => Life::BatchWithdrawal(BatchWithdrawal {
                batch_no: BatchNo::new(batch_no).unwrap(),
                grant: at(grant),
                reason: label(),
            }),
            11 => self.locking(&batch_no, books),
            12 => submission(&batch_no),
            13 => settlement(payment, self.part(account.granted)),
            14 => bounce(payment),
            15 => reissue(payment, &batch_no),
            16 => self.reversal(grant, account),
            17 => return self.adjustment(grant, account),
            18..21 => return self.change(ledger),
            _ => return self.money(grant, account, books),
        };
        by(who, life)
    }

    fn adjustment(&mut self, grant: u64, account: &Account) -> Step {
        let mut claim = account.claim.clone();
        let amount = match &claim {
            Claim::TrainingAllowance(claim) => {
                self.pick(&[3_000, 4_000, 5_000, 5_001]) * i64::from(small(claim.dates.len()))
            }
            _ => self.part(account.granted),
        };
        assert!(claim.set_amount(fen(amount)));
        by(
            "clerk",
            Life::Adjustment(Adjustment {
                grant: at(grant),
                claim,
                document: document("A"),
            }),
        )
    }

    /// A change of a plaque, or of an appropriation.
    fn change(&mut self, ledger: &Ledger) -> Step {
        if self.one_in(2) {
            return by(
                "clerk",
                Life::PlaqueChange(PlaqueChange {
                    brand_no: BrandNo::new(self.pick(&["PB1", "PB2"])).unwrap(),
                    change: self.pick(&[
                        PlaqueEvent::Renewed,
                        PlaqueEvent::Suspended,
                        PlaqueEvent::Suspended,
                        PlaqueEvent::Reinstated,
                        PlaqueEvent::Revoked,
                        PlaqueEvent::Expired,
                    ]),
                    on: day(self.pick(&["2024-02-01", "2024-07-01", "2025-01-01", "2027-03-01"])),
                    document: document("P"),
                }),
            );
        }
        let programme = self.pick(&["training-allowance", "skill-base", "transport-aid"]);
        by(
            "chief",
            Life::AppropriationChange(AppropriationChange {
                document: document(&format!("C{}", ledger.log.len())),
                of: document(&format!("{programme} 2024 {}", amount_of(programme))),
                change: self.pick(&[
                    AppropriationEvent::Increased,
                    AppropriationEvent::Decreased,
                    AppropriationEvent::Returned,
                ]),
                amount: fen(self.pick(&[1_000, 30_000, 20_000_000])),
            }),
        )
    }

    fn claim(&mut self) -> Step {
        let person = self.person();
        let (number, first, last) = self.pick(&COURSES);
        let days = self.pick(&[
            format!("{first}..{last}"),
            first.to_owned(),
            last.to_owned(),
        ]);
        match self.below(12) {
            0..3 => allowance(person, number, &days).rate(self.pick(&[4_000, 5_000, 5_001])),
            3 => {
                let level = self.pick(&[RecognitionLevel::National, RecognitionLevel::Provincial]);
                let amount = match level {
                    RecognitionLevel::National => 10_000_000,
                    RecognitionLevel::Provincial => 30_000_000,
                };
                base(SkillBaseKind::MasterStudio, level, amount).of(self.pick(&[SCHOOL, AGENCY]))
            }
            4 | 5 => {
                let first = self.pick(&["2024-03-01", "2024-08-01", "2025-03-01"]);
                let year: i16 = first[..4].parse().unwrap();
                let last = format!("{}{}", year + 1, &first[4..]);
                placement(person, self.pick(&[WORKS, MILL]), first, &last)
            }
            6 => award(
                self.pick(&["PB1", "PB2"]),
                self.pick(&["2024-05-01", "2024-08-01"]),
            ),
            7 => {
                let number = format!("L{}", self.below(3));
                loan(&number, person, 20_000_000, "2024-02-01")
            }
            8 => {
                let number = format!("L{}", self.below(3));
                let period = self.pick(&["2024-03-01..2024-04-01", "2024-04-01..2024-05-01"]);
                interest(&number, period, 100_000, 50_000)
            }
            9 => claim(Claim::TrainingSubsidy(TrainingSubsidy {
                claim_no: ClaimNo::new("C1").unwrap(),
                person,
                course_no: CourseNo::new(number).unwrap(),
                certificate_no: CertificateNo::new(self.pick(&["Z1", "Z2"])).unwrap(),
                completed_on: None,
                amount: fen(80_000),
                fund: FundId::new(FUND).unwrap(),
            })),
            10 => claim(Claim::TransportAid(TransportAid {
                claim_no: ClaimNo::new("C1").unwrap(),
                person,
                province: office(self.pick(&[500_000, 440_000, 510_000])),
                travelled_on: day(self.pick(&["2024-02-20", "2025-02-20"])),
                mode: TravelMode::Rail,
                amount: fen(20_000),
                fund: FundId::new("rural-revitalisation").unwrap(),
            })),
            _ => {
                let programme = self.pick(&["rnd-subsidy", "startup-subsidy", "rent-relief"]);
                claim(Claim::Subsidy(Subsidy {
                    claim_no: ClaimNo::new("C1").unwrap(),
                    programme: ProgrammeId::new(programme).unwrap(),
                    recipient: self.pick(&[SCHOOL, AGENCY]),
                    document: document(&format!("auth {programme}")),
                    due_on: day("2024-05-20"),
                    spending: (programme == "rnd-subsidy").then(|| Spending {
                        previous: fen(1_000_000),
                        current: fen(self.pick(&[1_000_000, 1_400_000, 2_000_000])),
                    }),
                    amount: fen(500_000),
                    fund: FundId::new(FUND).unwrap(),
                }))
            }
        }
    }

    fn fact(&mut self) -> Step {
        let person = self.person();
        match self.below(9) {
            0 | 1 => {
                let (first, last) = self.pick(&[
                    ("2024-03-05", "2024-03-06"),
                    ("2024-06-01", "2024-06-30"),
                    ("2025-01-01", "2025-01-31"),
                ]);
                benefit(person, first, last)
            }
            2 => fact(Fact::ContractEnd(ContractEnd {
                worker: person,
                employer: self.pick(&[WORKS, MILL]),
                contract_first_day: day(self.pick(&["2024-03-01", "2024-08-01"])),
                ended_on: day(self.pick(&["2024-09-30", "2025-12-31"])),
                source: label(),
            })),
            3 => settled(&format!("L{}", self.below(3)), Repayment::OnTime),
            4 => {
                let (number, first, _) = self.pick(&COURSES);
                attended(person, number, first)
            }
            5 => listed(person, "2024-01-01..2025-01-01"),
            6 => fact(certificate(self.pick(&["Z1", "Z2", "Z3"]), person)),
            7 => account(person, u8::from(self.one_in(2))),
            _ => plaque(
                self.pick(&["PB1", "PB3"]),
                BrandLevel::Provincial,
                "2024-06-01",
            ),
        }
    }

    /// A fact that stands is taken back or corrected.
    fn late(&mut self, books: &Books) -> Step {
        let known: Vec<(u64, Fact)> = books.facts.iter().map(|(at, f)| (*at, f.clone())).collect();
        let known: Vec<_> = known
            .into_iter()
            .filter(|(_, fact)| !matches!(fact, Fact::UnemploymentBenefitRetraction(_)))
            .collect();
        let (asserted, was) = self.pick(&known);
        if self.one_in(2) {
            return command(CommandBody::Retract(Retraction {
                asserted: at(asserted),
                fact: was,
                reason: label(),
            }));
        }
        let mut now = was.clone();
        match &mut now {
            Fact::PovertyStatus(fact) => {
                fact.window = Window::new(day("2024-06-01"), None).unwrap();
            }
            Fact::UnemploymentBenefit(fact) => fact.last_day = fact.first_day,
            Fact::Course(fact) => fact.last_day = fact.first_day,
            Fact::Plaque(fact) => fact.awarded_on = day("2024-07-01"),
            Fact::LoanSettlement(fact) => fact.repayment = Repayment::Overdue,
            Fact::Certificate(fact) => fact.issued_on = day("2024-12-01"),
            Fact::ContractEnd(fact) => fact.ended_on = day("2026-12-31"),
            Fact::Authority(fact) => fact.amount = fen(1),
            Fact::Attendance(_)
            | Fact::Appropriation(_)
            | Fact::UnemploymentBenefitRetraction(_) => {}
        }
        command(CommandBody::Correct(Box::new(Correction {
            asserted: at(asserted),
            was,
            now,
            reason: label(),
        })))
    }
}

/// What there is before the first throw.
pub(super) fn prepared() -> Vec<Step> {
    let mut steps = vec![
        // A second pack for the same days: the later one judges.
        adoption(&LUZHOU_2023.replacen("luzhou-2023", "luzhou-2023b", 1)),
        listed(WANG, "2020-01-01.."),
        listed(LI, "2024-01-01..2026-01-01"),
        plaque("PB1", BrandLevel::Provincial, "2024-01-15"),
        plaque("PB2", BrandLevel::Provincial, "2024-01-15"),
        fact(certificate("Z1", WANG)),
        fact(certificate("Z2", LI)),
    ];
    for (number, first, last) in COURSES {
        steps.push(course(number, first, last));
        for person in [WANG, LI] {
            steps.push(attended(person, number, &format!("{first}..{last}")));
        }
    }
    for programme in [
        "training-allowance",
        "skill-base",
        "service-subsidy",
        "brand-award",
        "interest-subsidy",
        "training-subsidy",
        "transport-aid",
        "rnd-subsidy",
        "startup-subsidy",
        "rent-relief",
    ] {
        for year in [2024, 2025] {
            let line = budget(programme, year, amount_of(programme));
            let line = if programme == "transport-aid" {
                line.fund("rural-revitalisation")
            } else {
                line
            };
            steps.push(line);
        }
    }
    for (programme, amount, stated) in [
        ("training-subsidy", 100_000, AuthorityAmount::AtMost),
        ("transport-aid", 20_000, AuthorityAmount::Exactly),
        ("rnd-subsidy", 500_000, AuthorityAmount::AtMost),
        ("startup-subsidy", 500_000, AuthorityAmount::Exactly),
        ("rent-relief", 500_000, AuthorityAmount::AtMost),
    ] {
        steps.push(fact(Fact::Authority(Authority {
            document: document(&format!("auth {programme}")),
            programme: ProgrammeId::new(programme).unwrap(),
            office: office(510_500),
            window: Window::new(day("2024-01-01"), None).unwrap(),
            amount: fen(amount),
            stated,
        })));
    }
    steps
}

/// What a programme has in a year: enough for some.
fn amount_of(programme: &str) -> i64 {
    match programme {
        "training-allowance" => 45_000,
        "skill-base" => 40_000_000,
        "brand-award" => 20_000_000,
        "transport-aid" => 40_000,
        _ => 1_200_000,
    }
}

fn at(number: u64) -> Position {
    Position::new(number).unwrap()
}

fn principal(name: &str) -> Principal {
    Principal::new(name).unwrap()
}

fn label() -> Label {
    Label::new("why").unwrap()
}

fn document(number: &str) -> DocumentNo {
    DocumentNo::new(number).unwrap()
}

fn command(body: CommandBody) -> Step {
    Step {
        command: Command {
            office: office(OFFICE),
            body,
        },
    }
}

fn fact(fact: Fact) -> Step {
    command(CommandBody::Fact(fact))
}

fn claim(claim: Claim) -> Step {
    command(CommandBody::Claim(claim))
}

fn account(person: SubjectId, digest: u8) -> Step {
    command(CommandBody::BindAccount(person, [digest; 8]))
}

fn by(who: &str, life: Life) -> Step {
    command(CommandBody::Step(Box::new(life), principal(who)))
}

fn certificate(number: &str, person: SubjectId) -> Fact {
    Fact::Certificate(Certificate {
        certificate_no: CertificateNo::new(number).unwrap(),
        person,
        kind: CertificateKind::SkillLevel,
        level: label(),
        issued_on: day("2024-03-20"),
    })
}

fn closing(number: &str, on: &str) -> Life {
    Life::NoticeClosing(NoticeClosing {
        notice_no: NoticeNo::new(number).unwrap(),
        closed_on: day(on),
    })
}

fn batch(number: &str, grants: &[u64]) -> Life {
    Life::Batch(Batch {
        batch_no: BatchNo::new(number).unwrap(),
        fund: FundId::new(FUND).unwrap(),
        grants: grants.iter().map(|grant| at(*grant)).collect(),
        amounts: Vec::new(),
    })
}

fn submission(number: &str) -> Life {
    Life::BatchSubmission(BatchSubmission {
        batch_no: BatchNo::new(number).unwrap(),
        file_digest: [3; 32],
        submitted_on: day("2025-01-05"),
    })
}

fn settlement(payment: Payment, amount: i64) -> Life {
    Life::Settlement(Settlement {
        payment,
        amount: fen(amount),
        settled_on: day("2025-01-06"),
    })
}

fn bounce(payment: Payment) -> Life {
    Life::Bounce(Bounce {
        payment,
        bounced_on: day("2025-01-07"),
        reason: label(),
    })
}

fn reissue(payment: Payment, number: &str) -> Life {
    Life::Reissue(Reissue {
        payment,
        batch_no: BatchNo::new(number).unwrap(),
    })
}
