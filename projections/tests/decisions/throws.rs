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

/// A command, as a kind and dice that pick its values from short lists. All zeros
/// pick the most ordinary values, so that failures shrink to those.
#[derive(Clone, Debug)]
pub(crate) struct Throw {
    kind: Kind,
    dice: [u8; 7],
}

/// A random history.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) begin: Begin,
    pub(crate) throws: Vec<Throw>,
}

/// Whether a history begins with [`prepared`].
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
        budget("other-subsidy", 2024, 1).document("D0"),
    ];
    // The last course is not registered.
    for (number, first, last) in &COURSES[..7] {
        steps.push(course(number, first, last));
        for person in [WANG, LI, OTHER] {
            steps.push(attended(person, number, &format!("{first}..{last}")));
        }
    }
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
    let throw = (kind, any::<[u8; 7]>()).prop_map(|(kind, dice)| Throw { kind, dice });
    let begin = prop_oneof![4 => Just(Begin::Prepared), 1 => Just(Begin::Bare)];
    let throws = prop::collection::vec(throw, 1..=60);
    (begin, throws).prop_map(|(begin, throws)| History { begin, throws })
}

/// The dice that every kind of command uses in the same way.
const OFFICE_DIE: usize = 5;
const FUND_DIE: usize = 6;

impl Throw {
    /// The command; what it refers to comes mostly from the history.
    pub(crate) fn step(&self, model: &Model) -> Step {
        let step = match self.kind {
            Kind::Budget => self.budget(model),
            Kind::Listed => self.listed(),
            Kind::Benefit => self.benefit(),
            Kind::Retraction => self.retraction(model),
            Kind::Course => self.course(),
            Kind::Attendance => self.attendance(),
            Kind::Plaque => self.plaque(),
            Kind::Settlement => self.settlement(model),
            Kind::Allowance => self.allowance(),
            Kind::Base => self.base(),
            Kind::Placement => self.placement(),
            Kind::Award => self.award(),
            Kind::Loan => self.loan(model),
            Kind::Interest => self.interest(model),
        };
        match self.dice[OFFICE_DIE] % 16 {
            15 => step.at(510_521),
            _ => step,
        }
    }

    fn pick<T: Copy>(&self, die: usize, list: &[T]) -> T {
        list[usize::from(self.dice[die]) % list.len()]
    }

    /// Once in so many throws.
    fn once_in(&self, times: u8, die: usize) -> bool {
        self.dice[die] % times == times - 1
    }

    fn fund(&self) -> &'static str {
        match self.dice[FUND_DIE] % 16 {
            0..=10 => "employment-provincial",
            11 | 12 => "省级就业创业补助资金",
            13 => "employment-central",
            14 => "county",
            _ => "lottery",
        }
    }

    /// One to five days in a course, now and then a day beyond.
    fn days_in(&self, (_, first, last): (&str, &str, &str), dice: [usize; 2]) -> String {
        let (mut first, mut last) = (day(first), day(last));
        let [place, mask] = dice.map(|die| usize::from(self.dice[die]));
        match place % 32 {
            30 => first = first.yesterday().unwrap(),
            31 => last = last.tomorrow().unwrap(),
            _ => {}
        }
        let every = first.series(jiff::Span::new().days(1));
        let all: Vec<Date> = every.take_while(|day| *day <= last).collect();
        let wanted = |(i, _): &(usize, &Date)| *i == 0 || mask >> i & 1 == 1;
        let five = all[place % all.len()..].iter().take(5).enumerate();
        let days: Vec<String> = five.filter(wanted).map(|(_, d)| d.to_string()).collect();
        days.join(" ")
    }

    /// The number of an issued loan, mostly the newest, now and then of none.
    fn issued(&self, model: &Model, die: usize) -> String {
        let loans = model.grants().filter_map(|(_, claim)| match claim {
            Claim::Loan(loan) => Some(loan.loan_no.to_string()),
            _ => None,
        });
        let mut newest_first: Vec<String> = loans.collect();
        newest_first.reverse();
        let place = self.pick(die, &[0, 0, 0, 1, 1, 2, 3, usize::MAX]);
        newest_first
            .into_iter()
            .nth(place)
            .unwrap_or("L?".to_owned())
    }

    fn budget(&self, model: &Model) -> Step {
        let (programme, amounts) = self.pick(
            0,
            &[
                ("training-allowance", [5_000, 14_999, 15_000]),
                ("service-subsidy", [30_000, 29_999, 1]),
                ("skill-base", [500_000_000, 10_000_000, 29_999_999]),
                ("brand-award", [20_000_000, 19_999_999, 20_000_001]),
                ("interest-subsidy", [500, 499, 50_000]),
            ],
        );
        let programme = if self.once_in(16, 1) {
            "circus"
        } else {
            programme
        };
        // Documents are numbered; now and then one comes twice.
        let number = if self.once_in(16, 2) {
            0
        } else {
            model.history.len()
        };
        let year = self.pick(3, &[2024, 2025, 2026, 2023]);
        budget(programme, year, self.pick(4, &amounts))
            .document(&format!("D{number}"))
            .fund(self.fund())
    }

    fn listed(&self) -> Step {
        let windows = [
            "2020-01-01..",
            "2024-01-01..2026-01-01",
            "2026-01-01..",
            "2024-02-28..2024-12-31",
            "2025-01-02..2025-01-05",
        ];
        listed(self.pick(0, &PERSONS), self.pick(1, &windows))
    }

    fn benefit(&self) -> Step {
        let periods = [
            ("2024-02-29", "2024-02-29"),
            ("2024-12-30", "2025-01-03"),
            ("2024-05-01", "2024-05-31"),
            ("2025-01-04", "2025-01-04"),
            ("2025-06-03", "2026-12-15"),
            ("2020-01-01", "2020-12-31"),
        ];
        let (first, last) = self.pick(1, &periods);
        benefit(self.pick(0, &PERSONS), first, last)
    }

    /// Mostly of a period that was asserted, of the right person.
    fn retraction(&self, model: &Model) -> Step {
        let asserted = model.benefits();
        if asserted.is_empty() || self.once_in(8, 0) {
            return retraction(self.pick(1, &PERSONS), u64::from(self.dice[2]) + 1);
        }
        let (position, person) = self.pick(2, &asserted);
        let person = if self.once_in(8, 1) {
            self.pick(3, &PERSONS)
        } else {
            person
        };
        retraction(person, position.number())
    }

    fn course(&self) -> Step {
        let (number, first, last) = self.pick(0, &[COURSES[7], COURSES[0], COURSES[4]]);
        course(number, first, last)
    }

    fn attendance(&self) -> Step {
        let of = self.pick(1, &COURSES);
        attended(self.pick(0, &PERSONS), of.0, &self.days_in(of, [2, 3]))
    }

    fn plaque(&self) -> Step {
        let levels = [BrandLevel::Provincial, BrandLevel::City, BrandLevel::County];
        let days = ["2024-02-29", "2021-06-01", "2023-12-17"];
        plaque(
            self.pick(0, &["B3", "B4", "B3", "B1"]),
            self.pick(1, &levels),
            self.pick(2, &days),
        )
    }

    fn settlement(&self, model: &Model) -> Step {
        let overdue = self.once_in(6, 1);
        let repayment = if overdue {
            Repayment::Overdue
        } else {
            Repayment::OnTime
        };
        settled(&self.issued(model, 0), repayment)
    }

    fn allowance(&self) -> Step {
        let of = self.pick(1, &COURSES);
        let rate = self.pick(4, &[5_000, 5_000, 4_999, 5_000, 5_001, 5_000, 1]);
        allowance(self.pick(0, &PERSONS), of.0, &self.days_in(of, [2, 3]))
            .rate(rate)
            .fund(self.fund())
    }

    fn base(&self) -> Step {
        let recognitions = [
            (MasterStudio, National, 10_000_000),
            (MasterStudio, Provincial, 30_000_000),
            (TrainingBase, National, 500_000_000),
            (TrainingBase, Provincial, 300_000_000),
        ];
        let days = [
            "2024-05-10",
            "2025-12-31",
            "2026-12-16",
            "2026-12-17",
            "2023-12-16",
        ];
        let (kind, level, due) = self.pick(0, &recognitions);
        base(kind, level, due + self.pick(1, &[0, 0, 0, 0, 1, -1]))
            .of(self.pick(2, &[SCHOOL, FIRM]))
            .recognised(self.pick(3, &days))
            .fund(self.fund())
    }

    fn placement(&self) -> Step {
        let contracts = [
            ("2024-03-01", "2025-02-28"),
            ("2024-02-29", "2025-02-28"),
            ("2024-02-29", "2025-02-27"),
            ("2025-01-01", "2025-12-31"),
            ("2025-07-01", "2026-06-29"),
            ("2026-12-16", "2029-12-31"),
            ("2023-12-31", "2024-12-30"),
            ("2026-12-17", "2028-12-31"),
        ];
        let (first, last) = self.pick(1, &contracts);
        let amount = self.pick(3, &[30_000, 30_000, 30_000, 30_000, 29_999, 30_001]);
        let step = placement(
            self.pick(0, &PERSONS),
            self.pick(2, &[WORKS, MILL]),
            first,
            last,
        );
        let step = step.amount(amount).fund(self.fund());
        if self.once_in(8, 4) {
            step.insured(None)
        } else {
            step
        }
    }

    fn award(&self) -> Step {
        let brands = ["B1", "B3", "B1", "B2", "B4", "B5"];
        let days = [
            "2024-06-01",
            "2024-05-31",
            "2026-12-16",
            "2025-03-01",
            "2024-01-14",
            "2026-12-17",
        ];
        let amounts = [20_000_000, 20_000_000, 20_000_000, 1, 19_999_999];
        award(self.pick(0, &brands), self.pick(1, &days))
            .amount(self.pick(2, &amounts))
            .fund(self.fund())
    }

    fn loan(&self, model: &Model) -> Step {
        // Mostly a new number, now and then one that may be taken.
        let taken = self.once_in(8, 0);
        let number = if taken {
            self.issued(model, 1)
        } else {
            format!("L{}", model.history.len())
        };
        let days = [
            "2024-03-01",
            "2025-03-31",
            "2025-04-01",
            "2026-12-16",
            "2026-12-17",
            "2023-12-16",
        ];
        let on = self.pick(3, &days);
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
        match self.pick(4, &[WANG, WANG, LI, FIRM]) {
            FIRM => loan(&number, FIRM, self.pick(2, &firm), on).of_firm(),
            borrower => loan(&number, borrower, self.pick(2, &person), on),
        }
    }

    fn interest(&self, model: &Model) -> Step {
        let periods = [
            "2024-03-01..2024-04-01",
            "2024-04-01..2024-05-01",
            "2024-03-31..2024-04-02",
            "2025-04-01..2026-04-01",
            "2026-12-16..2027-03-01",
            "2026-12-17..2027-03-01",
        ];
        let paid = self.pick(2, &[1_000, 1_001, 999, 7, 100_000]);
        let bounds = [paid / 2, paid / 2 + 1, paid * 3 / 10, paid * 3 / 10 + 1];
        interest(
            &self.issued(model, 0),
            self.pick(1, &periods),
            paid,
            self.pick(3, &bounds),
        )
        .fund(self.fund())
    }
}
