//! Random commands, picked from short lists of values near the edges.

use luzhang_ledger::{
    Date, SubjectId,
    claim::{
        Claim,
        RecognitionLevel::{National, Provincial},
        SkillBaseKind::{MasterStudio, TrainingBase},
    },
    fact::{BrandLevel, Repayment},
};
use proptest::prelude::*;

use crate::{
    model::Model,
    steps::{
        FIRM, LI, MILL, SCHOOL, Step, WANG, WORKS, allowance, attended, award, base, benefit,
        budget, course, day, interest, listed, loan, placement, plaque, retraction, settled,
        subject,
    },
};

#[derive(Clone, Copy, Debug)]
enum Kind {
    Budget,
    Listed,
    Benefit,
    Retraction,
    Course,
    Attendance,
    Plaque,
    Settlement,
    Allowance,
    Base,
    Placement,
    Award,
    Loan,
    Interest,
}

/// A command, as a kind and numbers that pick its values from short lists. All
/// zeros pick the most ordinary values, so that failures shrink to those.
#[derive(Clone, Debug)]
pub(crate) struct Throw {
    kind: Kind,
    dice: [u8; 6],
}

/// A random history.
#[derive(Clone, Debug)]
pub(crate) struct History {
    /// Whether it begins with [`prepared`].
    pub(crate) begin: Begin,
    pub(crate) throws: Vec<Throw>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Begin {
    Prepared,
    Bare,
}

const OTHER: SubjectId = subject(3);
const PERSONS: [SubjectId; 4] = [WANG, LI, WANG, OTHER];

/// Courses around the ends of the window, of a year and of February.
const COURSES: [(&str, &str, &str); 8] = [
    ("A", "2024-02-27", "2024-03-02"),
    ("B", "2024-05-06", "2024-05-10"),
    ("C", "2024-12-28", "2025-01-05"),
    ("D", "2025-01-03", "2025-01-08"),
    ("E", "2026-12-14", "2026-12-19"),
    ("F", "2023-12-15", "2023-12-19"),
    ("G", "2025-06-02", "2025-06-06"),
    ("H", "2025-12-30", "2026-01-02"),
];

/// Facts without which hardly any claim would pass.
pub(crate) fn prepared() -> Vec<Step> {
    let mut steps = vec![
        listed(WANG, "2020-01-01.."),
        listed(LI, "2024-01-01..2026-01-01"),
        plaque("B1", BrandLevel::Provincial, "2024-01-15"),
        plaque("B2", BrandLevel::City, "2024-01-15"),
        loan("LA", WANG, 30_000_000, "2024-01-02"),
        settled("LA", Repayment::OnTime),
        loan("LB", WANG, 20_000_000, "2024-01-02"),
        settled("LB", Repayment::OnTime),
    ];
    for (number, first, last) in &COURSES[..7] {
        steps.push(course(number, first, last));
        for person in [WANG, LI, OTHER] {
            steps.push(attended(person, number, &format!("{first}..{last}")));
        }
    }
    steps.push(budget("other-subsidy", 2024, 1).document("D0"));
    for (programme, amounts) in [
        ("training-allowance", [15_000, 60_000, 45_000, 60_000]),
        ("skill-base", [0, 540_000_000, 40_000_000, 300_000_000]),
        ("service-subsidy", [30_000, 90_000, 90_000, 30_000]),
        ("brand-award", [0, 60_000_000, 20_000_000, 40_000_000]),
        ("interest-subsidy", [0, 3_000, 60_000, 30_000]),
    ] {
        let lines = (2023..).zip(amounts).filter(|(_, amount)| *amount > 0);
        steps.extend(lines.map(|(year, amount)| budget(programme, year, amount)));
    }
    steps
}

fn pick<T: Copy>(list: &[T], die: u8) -> T {
    list[usize::from(die) % list.len()]
}

fn fund(die: u8) -> &'static str {
    match die % 16 {
        0..=10 => "employment-provincial",
        11 | 12 => "省级就业创业补助资金",
        13 => "employment-central",
        14 => "county",
        _ => "lottery",
    }
}

/// The number of an issued loan, mostly the newest, now and then of none.
fn issued(model: &Model, die: u8) -> String {
    let loans = model.grants().filter_map(|(_, claim)| match claim {
        Claim::Loan(loan) => Some(loan.loan_no.to_string()),
        _ => None,
    });
    let mut newest_first: Vec<String> = loans.collect();
    newest_first.reverse();
    let place = pick(&[0, 0, 0, 1, 1, 2, 3, usize::MAX], die);
    newest_first
        .into_iter()
        .nth(place)
        .unwrap_or("L?".to_owned())
}

/// One to five days, near or in a course.
fn days_near((_, first, last): (&str, &str, &str), [place, mask]: [u8; 2]) -> String {
    let (mut first, mut last) = (day(first), day(last));
    // Few throws reach beyond the course, by a day.
    match place % 32 {
        30 => first = first.yesterday().unwrap(),
        31 => last = last.tomorrow().unwrap(),
        _ => {}
    }
    let every = first.series(jiff::Span::new().days(1));
    let all: Vec<Date> = every.take_while(|day| *day <= last).collect();
    let start = usize::from(place) % all.len();
    let wanted = |(i, _): &(usize, &Date)| i % 5 == 0 || mask >> (i % 5) & 1 == 1;
    let chosen = all[start..].iter().take(5).enumerate().filter(wanted);
    let days: Vec<String> = chosen.map(|(_, d)| d.to_string()).collect();
    days.join(" ")
}

impl Throw {
    pub(crate) fn step(&self, model: &Model) -> Step {
        let [a, b, c, d, e, f] = self.dice;
        let step = match self.kind {
            Kind::Budget => return self.budget(model),
            Kind::Listed => listed(
                pick(&PERSONS, a),
                pick(
                    &[
                        "2020-01-01..",
                        "2024-01-01..2026-01-01",
                        "2026-01-01..",
                        "2024-02-28..2024-12-31",
                        "2025-01-02..2025-01-05",
                    ],
                    b,
                ),
            ),
            Kind::Benefit => {
                let (first, last) = pick(
                    &[
                        ("2024-02-29", "2024-02-29"),
                        ("2024-12-30", "2025-01-03"),
                        ("2024-05-01", "2024-05-31"),
                        ("2025-01-04", "2025-01-04"),
                        ("2025-06-03", "2026-12-15"),
                        ("2020-01-01", "2020-12-31"),
                    ],
                    b,
                );
                benefit(pick(&PERSONS, a), first, last)
            }
            Kind::Retraction => {
                let asserted = model.benefits();
                let place = usize::from(b) % asserted.len().max(1);
                let found = asserted.get(place).map(|(at, of)| (at.number(), *of));
                match (found, a % 8) {
                    (Some((at, of)), 0..=5) => retraction(of, at),
                    (Some((at, _)), 6) => retraction(pick(&PERSONS, c), at),
                    _ => retraction(pick(&PERSONS, c), u64::from(d) + 1),
                }
            }
            Kind::Course => {
                let (number, first, last) = pick(&COURSES, a.wrapping_add(7));
                course(number, first, last)
            }
            Kind::Attendance => {
                let of = pick(&COURSES, b);
                attended(pick(&PERSONS, a), of.0, &days_near(of, [c, d]))
            }
            Kind::Plaque => plaque(
                pick(&["B3", "B4", "B3", "B1"], a),
                pick(
                    &[BrandLevel::Provincial, BrandLevel::City, BrandLevel::County],
                    b,
                ),
                pick(&["2024-02-29", "2021-06-01", "2023-12-17"], c),
            ),
            Kind::Settlement => {
                let repayment = match b % 6 {
                    0 => Repayment::Overdue,
                    _ => Repayment::OnTime,
                };
                settled(&issued(model, a), repayment)
            }
            Kind::Allowance => {
                let of = pick(&COURSES, b);
                let on = days_near(of, [c, d]);
                let rate = pick(&[5_000, 5_000, 4_999, 5_000, 5_001, 5_000, 1], e);
                allowance(pick(&PERSONS, a), of.0, &on)
                    .rate(rate)
                    .fund(fund(f))
            }
            Kind::Base => {
                let (kind, level, due) = pick(
                    &[
                        (MasterStudio, National, 10_000_000),
                        (MasterStudio, Provincial, 30_000_000),
                        (TrainingBase, National, 500_000_000),
                        (TrainingBase, Provincial, 300_000_000),
                    ],
                    a,
                );
                let on = pick(
                    &[
                        "2024-05-10",
                        "2025-12-31",
                        "2026-12-16",
                        "2026-12-17",
                        "2023-12-16",
                    ],
                    c,
                );
                let step = base(kind, level, due + pick(&[0, 0, 0, 0, 1, -1], d));
                step.of(pick(&[SCHOOL, FIRM], b))
                    .recognised(on)
                    .fund(fund(f))
            }
            Kind::Placement => {
                let (first, last) = pick(
                    &[
                        ("2024-03-01", "2025-02-28"),
                        ("2024-02-29", "2025-02-28"),
                        ("2024-02-29", "2025-02-27"),
                        ("2025-01-01", "2025-12-31"),
                        ("2025-07-01", "2026-06-29"),
                        ("2026-12-16", "2029-12-31"),
                        ("2023-12-31", "2024-12-30"),
                        ("2026-12-17", "2028-12-31"),
                    ],
                    b,
                );
                let employer = pick(&[WORKS, MILL], c);
                let amount = pick(&[30_000, 30_000, 30_000, 30_000, 29_999, 30_001], d);
                let step = placement(pick(&PERSONS, a), employer, first, last).amount(amount);
                let step = if e % 8 == 7 { step.insured(None) } else { step };
                step.fund(fund(f))
            }
            Kind::Award => {
                let on = pick(
                    &[
                        "2024-06-01",
                        "2024-05-31",
                        "2026-12-16",
                        "2025-03-01",
                        "2024-01-14",
                        "2026-12-17",
                    ],
                    b,
                );
                let amount = pick(&[20_000_000, 20_000_000, 20_000_000, 1, 19_999_999], c);
                let brand = pick(&["B1", "B3", "B1", "B2", "B4", "B5"], a);
                award(brand, on).amount(amount).fund(fund(f))
            }
            Kind::Loan => self.loan(model),
            Kind::Interest => {
                let period = pick(
                    &[
                        "2024-03-01..2024-04-01",
                        "2024-04-01..2024-05-01",
                        "2024-03-31..2024-04-02",
                        "2025-04-01..2026-04-01",
                        "2026-12-16..2027-03-01",
                        "2026-12-17..2027-03-01",
                    ],
                    b,
                );
                let paid = pick(&[1_000, 1_001, 999, 7, 100_000], c);
                let most = pick(
                    &[paid / 2, paid / 2 + 1, paid * 3 / 10, paid * 3 / 10 + 1],
                    d,
                );
                interest(&issued(model, a), period, paid, most).fund(fund(f))
            }
        };
        if e % 16 == 15 { step.at(510_521) } else { step }
    }

    fn budget(&self, model: &Model) -> Step {
        let [a, b, c, d, e, f] = self.dice;
        let amount = match a % 5 {
            0 => pick(&[5_000, 14_999, 15_000, 1], c),
            1 => pick(&[30_000, 29_999, 1], c),
            2 => pick(&[500_000_000, 10_000_000, 29_999_999], c),
            3 => pick(&[20_000_000, 19_999_999], c),
            _ => pick(&[500, 499, 50_000], c),
        };
        let programmes = [
            "training-allowance",
            "service-subsidy",
            "skill-base",
            "brand-award",
            "interest-subsidy",
        ];
        let programme = if e % 16 == 15 {
            "circus"
        } else {
            pick(&programmes, a)
        };
        // Documents are numbered; now and then one comes twice.
        let number = match a % 16 {
            15 => 0,
            _ => model.history.len(),
        };
        let step = budget(programme, pick(&[2024, 2025, 2026, 2023], b), amount)
            .document(&format!("D{number}"))
            .fund(fund(f));
        if d % 16 == 15 { step.at(510_521) } else { step }
    }

    fn loan(&self, model: &Model) -> Step {
        let [a, b, c, d, ..] = self.dice;
        let on = pick(
            &[
                "2024-03-01",
                "2025-03-31",
                "2025-04-01",
                "2026-12-16",
                "2026-12-17",
                "2023-12-16",
            ],
            d,
        );
        // Mostly a new number, now and then one that may be taken.
        let number = match a % 8 {
            7 => issued(model, a / 8),
            _ => format!("L{}", model.history.len()),
        };
        let person = [
            30_000_000, 10_000_000, 30_000_000, 50_000_000, 30_000_001, 50_000_001,
        ];
        let firm = [
            400_000_000,
            10_000_000,
            600_000_000,
            400_000_001,
            600_000_001,
        ];
        match b % 4 {
            3 => loan(&number, FIRM, pick(&firm, c), on).of_firm(),
            person_of => loan(
                &number,
                pick(&[WANG, WANG, LI], person_of),
                pick(&person, c),
                on,
            ),
        }
    }
}

pub(crate) fn histories() -> impl Strategy<Value = History> {
    let kind = prop_oneof![
        6 => Just(Kind::Allowance),
        4 => Just(Kind::Loan),
        4 => Just(Kind::Settlement),
        3 => Just(Kind::Placement),
        3 => Just(Kind::Interest),
        2 => Just(Kind::Base),
        2 => Just(Kind::Award),
        2 => Just(Kind::Budget),
        1 => Just(Kind::Listed),
        2 => Just(Kind::Benefit),
        1 => Just(Kind::Retraction),
        1 => Just(Kind::Course),
        1 => Just(Kind::Attendance),
        1 => Just(Kind::Plaque),
    ];
    let throw = (kind, any::<[u8; 6]>()).prop_map(|(kind, dice)| Throw { kind, dice });
    let begin = prop_oneof![4 => Just(Begin::Prepared), 1 => Just(Begin::Bare)];
    (begin, prop::collection::vec(throw, 1..=60))
        .prop_map(|(begin, throws)| History { begin, throws })
}
