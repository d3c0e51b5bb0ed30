//! Arbitrary events: everything that the types allow.

use luzhang_ledger::{
    Body, Date, DateSet, Event, Fen, Header, LedgerId, Office, Position, StreamId, SubjectId,
    Window,
    calendar::date,
    claim::{
        BorrowerKind, BrandAward, Claim, InterestSubsidy, Loan, RatePpm, RecognitionLevel,
        ServiceSubsidy, SkillBase, SkillBaseKind, TrainingAllowance,
    },
    event::{Compared, Conflict, Failure, Party, PartyKind, Refusal, RequestMark, Value},
    fact::{
        Appropriation, Attendance, BrandLevel, BudgetYear, Course, Fact, LoanSettlement, Plaque,
        PovertyStatus, Repayment, UnemploymentBenefit, UnemploymentBenefitRetraction,
    },
    text::{
        BrandNo, ClaimNo, CourseNo, DocumentNo, FundId, Label, LoanNo, PackId, Principal,
        ProgrammeId,
    },
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use uuid::Uuid;

/// A text of one of the checked kinds, with any characters that it accepts.
macro_rules! text {
    ($kind:ident) => {
        "\\PC{1,64}".prop_filter_map("an accepted text", |text| $kind::new(text).ok())
    };
}

pub(crate) fn event() -> impl Strategy<Value = Event> {
    (header(), body()).prop_map(|(header, mut body)| {
        // A party's subject is its stream, and is stored as such.
        if let Body::PartyRegistered(party) | Body::PartyCorrected(party) = &mut body {
            party.subject = header.stream.subject();
        }
        Event { header, body }
    })
}

fn header() -> impl Strategy<Value = Header> {
    let place = (
        position(),
        any::<[u8; 16]>(),
        any::<u64>(),
        option::of(position()),
    );
    let origin = (
        any::<i64>(),
        option::of(any::<([u8; 16], [u8; 16])>()),
        text!(Principal),
        option::of((100_000..1_000_000_u32).prop_map(|code| Office::new(code).unwrap())),
    );
    let reason = (
        option::of(day()),
        option::of(position()),
        option::of(position()),
    );
    let salted = (any::<[u8; 16]>(), option::of(any::<[u8; 16]>()));
    (place, origin, reason, salted).prop_map(
        |((position, stream, revision, stream_previous), origin, reason, (salt, credential))| {
            let (recorded_at, request, principal, office) = origin;
            let (basis, policy, cause) = reason;
            Header {
                position,
                stream: StreamId::from_bytes(stream),
                revision,
                stream_previous,
                recorded_at,
                request: request.map(|(id, content)| RequestMark { id, content }),
                principal,
                office,
                basis,
                policy,
                cause,
                salt,
                credential,
            }
        },
    )
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![
        1 => (any::<u128>(), text!(Label), any::<[u8; 16]>()).prop_map(|(id, software, key_check)| {
            Body::LedgerCreated {
                ledger: LedgerId::new(Uuid::from_u128(id)),
                software,
                key_check,
            }
        }),
        1 => (text!(PackId), vec(any::<u8>(), 0..200)).prop_map(|(pack, content)| {
            Body::PolicyPackAdopted {
                pack,
                content: content.into(),
            }
        }),
        1 => party().prop_map(Body::PartyRegistered),
        1 => party().prop_map(Body::PartyCorrected),
        1 => (".{0,20}", ".{0,20}", position(), days()).prop_map(|(limit, code, grant, dates)| {
            Body::Conflict(Conflict {
                limit,
                code,
                grant,
                dates,
            })
        }),
        4 => fact().prop_map(Body::Fact),
        4 => claim().prop_map(Body::Granted),
        4 => (claim(), vec(failure(), 1..5))
            .prop_map(|(claim, failures)| Body::Refused(Refusal { claim, failures })),
    ]
}

fn party() -> impl Strategy<Value = Party> {
    let kind = select(vec![
        PartyKind::Person,
        PartyKind::Organisation,
        PartyKind::Brand,
    ]);
    (kind, vec(any::<u8>(), 0..200), any::<[u8; 8]>()).prop_map(|(kind, sealed, digest)| Party {
        kind,
        subject: SubjectId::from_bytes([0; 16]),
        sealed: sealed.into(),
        digest,
    })
}

fn failure() -> impl Strategy<Value = Failure> {
    let value = prop_oneof![
        any::<i64>().prop_map(Value::Fen),
        any::<i64>().prop_map(Value::Count),
        days().prop_map(Value::Dates),
        ".{0,20}".prop_map(Value::Text),
    ];
    let compared = (".{0,20}", value).prop_map(|(name, value)| Compared { name, value });
    (
        ".{0,20}",
        ".{0,20}",
        vec(compared, 0..4),
        vec(position(), 0..4),
    )
        .prop_map(|(limit, code, compared, facts)| Failure {
            limit,
            code,
            compared,
            facts,
        })
}

fn fact() -> impl Strategy<Value = Fact> {
    let appropriation = (
        text!(DocumentNo),
        text!(FundId),
        text!(ProgrammeId),
        100_000..1_000_000_u32,
        2000..=2999_i64,
        amount(),
    )
        .prop_map(|(document, fund, programme, office, year, amount)| {
            Fact::Appropriation(Appropriation {
                document,
                fund,
                programme,
                office: Office::new(office).unwrap(),
                year: BudgetYear::new(year).unwrap(),
                amount,
            })
        });
    let poverty = (subject(), window(), text!(Label)).prop_map(|(person, window, list_version)| {
        Fact::PovertyStatus(PovertyStatus {
            person,
            window,
            list_version,
        })
    });
    let benefit = (subject(), ordered(), text!(Label)).prop_map(|(person, period, source)| {
        Fact::UnemploymentBenefit(UnemploymentBenefit {
            person,
            first_day: period.0,
            last_day: period.1,
            source,
        })
    });
    let retraction = (subject(), position()).prop_map(|(person, asserted)| {
        Fact::UnemploymentBenefitRetraction(UnemploymentBenefitRetraction { person, asserted })
    });
    let course = (text!(CourseNo), subject(), text!(Label), ordered()).prop_map(
        |(course_no, provider, trade, period)| {
            Fact::Course(Course {
                course_no,
                provider,
                trade,
                first_day: period.0,
                last_day: period.1,
            })
        },
    );
    let attendance = (text!(CourseNo), subject(), days()).prop_map(|(course_no, person, dates)| {
        Fact::Attendance(Attendance {
            course_no,
            person,
            dates,
        })
    });
    let levels = vec![BrandLevel::City, BrandLevel::Provincial, BrandLevel::County];
    let plaque = (
        text!(BrandNo),
        select(levels),
        subject(),
        day(),
        text!(DocumentNo),
    )
        .prop_map(|(brand_no, level, applicant, awarded_on, document)| {
            Fact::Plaque(Plaque {
                brand_no,
                level,
                applicant,
                awarded_on,
                document,
            })
        });
    let repayment = select(vec![Repayment::OnTime, Repayment::Overdue]);
    let settlement =
        (text!(LoanNo), day(), repayment).prop_map(|(loan_no, settled_on, repayment)| {
            Fact::LoanSettlement(LoanSettlement {
                loan_no,
                settled_on,
                repayment,
            })
        });
    prop_oneof![
        appropriation,
        poverty,
        benefit,
        retraction,
        course,
        attendance,
        plaque,
        settlement
    ]
}

fn claim() -> impl Strategy<Value = Claim> {
    prop_oneof![subsidy(), borrowing()]
}

fn subsidy() -> impl Strategy<Value = Claim> {
    let allowance = (
        text!(ClaimNo),
        subject(),
        text!(CourseNo),
        days(),
        1..=10_000_000_000_i64,
        text!(FundId),
    )
        .prop_map(|(claim_no, person, course_no, dates, daily, fund)| {
            let daily = Fen::new(daily).unwrap();
            let amount = daily.times(dates.len()).unwrap();
            Claim::TrainingAllowance(TrainingAllowance {
                claim_no,
                person,
                course_no,
                dates,
                daily,
                amount,
                fund,
            })
        });
    let kind = select(vec![
        SkillBaseKind::TrainingBase,
        SkillBaseKind::MasterStudio,
    ]);
    let level = select(vec![
        RecognitionLevel::National,
        RecognitionLevel::Provincial,
    ]);
    let base = (
        (text!(ClaimNo), subject(), kind, level),
        (day(), text!(DocumentNo), amount(), text!(FundId)),
    )
        .prop_map(
            |((claim_no, entity, kind, level), (on, document, amount, fund))| {
                Claim::SkillBase(SkillBase {
                    claim_no,
                    entity,
                    kind,
                    level,
                    recognised_on: on,
                    document,
                    amount,
                    fund,
                })
            },
        );
    let service = (
        (text!(ClaimNo), subject(), subject(), subject()),
        (ordered(), option::of(day()), amount(), text!(FundId)),
    )
        .prop_map(
            |((claim_no, agency, worker, employer), (contract, insured, amount, fund))| {
                Claim::ServiceSubsidy(ServiceSubsidy {
                    claim_no,
                    agency,
                    worker,
                    employer,
                    contract_first_day: contract.0,
                    contract_last_day: contract.1,
                    insured_from: insured,
                    amount,
                    fund,
                })
            },
        );
    let award = (
        text!(ClaimNo),
        text!(BrandNo),
        amount(),
        day(),
        text!(FundId),
    )
        .prop_map(|(claim_no, brand_no, amount, paid_on, fund)| {
            Claim::BrandAward(BrandAward {
                claim_no,
                brand_no,
                amount,
                paid_on,
                fund,
            })
        });
    prop_oneof![allowance, base, service, award]
}

fn borrowing() -> impl Strategy<Value = Claim> {
    let kind = select(vec![BorrowerKind::Person, BorrowerKind::SmallFirm]);
    let loan = (
        (text!(LoanNo), kind, subject(), amount()),
        (0..=1_000_000_u32, ordered(), text!(Label)),
    )
        .prop_map(
            |((loan_no, borrower_kind, borrower, principal), (rate, term, bank))| {
                Claim::Loan(Loan {
                    loan_no,
                    borrower_kind,
                    borrower,
                    principal,
                    rate: RatePpm::new(rate).unwrap(),
                    issued_on: term.0,
                    due_on: term.1,
                    bank,
                })
            },
        );
    let closed = window().prop_filter("a closed period", |window| window.until().is_some());
    let interest = (
        text!(ClaimNo),
        text!(LoanNo),
        closed,
        (amount(), amount()),
        text!(FundId),
    )
        .prop_map(|(claim_no, loan_no, period, (interest, amount), fund)| {
            Claim::InterestSubsidy(InterestSubsidy {
                claim_no,
                loan_no,
                period,
                interest,
                amount,
                fund,
            })
        });
    prop_oneof![loan, interest]
}

fn position() -> impl Strategy<Value = Position> {
    prop_oneof![1..200_u64, 1..=u64::MAX].prop_map(|number| Position::new(number).unwrap())
}

fn subject() -> impl Strategy<Value = SubjectId> {
    any::<[u8; 16]>().prop_map(SubjectId::from_bytes)
}

fn amount() -> impl Strategy<Value = Fen> {
    (1..=900_000_000_000_000_i64).prop_map(|fen| Fen::new(fen).unwrap())
}

fn day() -> impl Strategy<Value = Date> {
    (1900..=9999_i16, 1..=12_i8, 1..=31_i8)
        .prop_filter_map("a day", |(year, month, day)| date(year, month, day).ok())
}

fn days() -> impl Strategy<Value = DateSet> {
    vec(day(), 1..40).prop_filter_map("distinct days", |days| DateSet::new(days).ok())
}

fn ordered() -> impl Strategy<Value = (Date, Date)> {
    (day(), day()).prop_map(|(a, b)| (a.min(b), a.max(b)))
}

fn window() -> impl Strategy<Value = Window> {
    (day(), option::of(day()))
        .prop_filter_map("a window", |(from, until)| Window::new(from, until).ok())
}
