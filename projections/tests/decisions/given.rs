//! given … when … then: decisions as rows.

use luzhang_ledger::{
    Body, Position,
    event::{Compared, Failure, Value},
};
use luzhang_projections::{Decision, Pack, Rejection, explain};

use crate::{ledger::Ledger, steps::Step};

/// What a step came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A fact, on the chain, that contradicts nothing.
    Recorded,
    /// A fact that contradicts the grants at these positions.
    Conflicts(Vec<u64>),
    /// A claim that policy allows.
    Granted,
    /// A claim with the codes of all limits that it fails, in order.
    Refused(String),
    /// Nothing on the chain, for this reason.
    Rejected(String),
}

pub(crate) const RECORDED: Outcome = Outcome::Recorded;
pub(crate) const GRANTED: Outcome = Outcome::Granted;

impl From<&str> for Outcome {
    /// Refused with these codes; granted if there are none.
    fn from(codes: &str) -> Self {
        if codes.is_empty() {
            GRANTED
        } else {
            refused(codes)
        }
    }
}

/// Refused with these codes, separated by spaces.
pub(crate) fn refused(codes: &str) -> Outcome {
    Outcome::Refused(codes.to_owned())
}

pub(crate) fn rejected(code: &str) -> Outcome {
    Outcome::Rejected(code.to_owned())
}

pub(crate) fn conflicts(grants: &[u64]) -> Outcome {
    Outcome::Conflicts(grants.to_vec())
}

/// The built-in pack at position 1 and these from position 2 on; all hold.
#[track_caller]
pub(crate) fn given(steps: impl IntoIterator<Item = Step>) -> Ledger {
    Ledger::new().and(steps)
}

impl Ledger {
    /// More of what holds: facts are recorded, claims are granted.
    #[track_caller]
    pub(crate) fn and(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        for step in steps {
            let outcome = outcome(&self.submit(&step));
            let holds = matches!(
                outcome,
                Outcome::Recorded | Outcome::Conflicts(_) | Outcome::Granted
            );
            assert!(holds, "given {step:?}\nbut it is {outcome:?}");
        }
        self
    }

    /// Claims that were refused: they are on the chain and hold nothing.
    #[track_caller]
    pub(crate) fn and_refused(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        for step in steps {
            let outcome = outcome(&self.submit(&step));
            let refused = matches!(outcome, Outcome::Refused(_));
            assert!(refused, "given refused {step:?}\nbut it is {outcome:?}");
        }
        self
    }

    pub(crate) fn when(&self, step: Step) -> Answer<'_> {
        let decided = self.decide(&step);
        Answer {
            ledger: self,
            step,
            decided,
        }
    }
}

/// What was asked and decided.
pub(crate) struct Answer<'a> {
    ledger: &'a Ledger,
    step: Step,
    decided: Result<Decision, Rejection>,
}

/// One reason, as a row: limit, values compared, positions of the facts, and
/// the words in Chinese and English.
pub(crate) type Reason<'a> = (&'a str, &'a str, &'a [u64], &'a str, &'a str);

impl Answer<'_> {
    /// The one check: every row of every table ends here.
    #[track_caller]
    pub(crate) fn then(self, expected: impl Into<Outcome>) -> Self {
        let actual = outcome(&self.decided);
        assert_eq!(actual, expected.into(), "\nwhen {:?}", self.step);
        for failure in self.failures() {
            self.check_failure(failure);
        }
        self
    }

    /// Besides: these are the reasons in full.
    #[track_caller]
    pub(crate) fn because(self, reasons: &[Reason<'_>]) -> Self {
        assert_eq!(self.failures().len(), reasons.len(), "when {:?}", self.step);
        for (failure, (limit, compared, facts, zh, en)) in self.failures().iter().zip(reasons) {
            let words = explain::failure(self.pack(), failure);
            let positions: Vec<u64> = failure.facts.iter().map(|f| f.number()).collect();
            assert_eq!(failure.limit, *limit);
            assert_eq!(shown(&failure.compared), *compared, "{limit}");
            assert_eq!(positions, *facts, "{limit}");
            assert_eq!(words.text.zh, *zh, "{limit}");
            assert_eq!(words.text.en, *en, "{limit}");
        }
        self
    }

    /// Besides: the first reason compared this.
    #[track_caller]
    pub(crate) fn comparing(self, compared: &str) -> Self {
        let failure = self.failures().first().expect("a failed limit");
        assert_eq!(shown(&failure.compared), compared, "when {:?}", self.step);
        self
    }

    /// Granted if no days are at fault, else refused with these codes, of which
    /// the first names the days.
    #[track_caller]
    pub(crate) fn then_for(self, days: &str, codes: &str) {
        if days.is_empty() {
            self.then(GRANTED);
            return;
        }
        let answer = self.then(refused(codes));
        let named = answer.failures().first().map(|f| shown(&f.compared));
        let named = named.expect("a failed limit");
        let named = named
            .split(' ')
            .find_map(|value| value.strip_prefix("dates="));
        assert_eq!(named, Some(days), "when {:?}", answer.step);
    }

    /// The decision, if it was not rejected.
    #[track_caller]
    pub(crate) fn decision(self) -> Decision {
        self.decided.expect("a decision")
    }

    fn failures(&self) -> &[Failure] {
        match self.decided.as_ref().map(|decision| &decision.body) {
            Ok(Body::Refused(refusal)) => &refusal.failures,
            _ => &[],
        }
    }

    fn pack(&self) -> &Pack {
        let policy = self.decided.as_ref().expect("a decision").policy;
        let pack = self.ledger.state().pack_at(policy.expect("a policy"));
        pack.expect("an adopted pack")
    }

    /// What holds of every failure of every row.
    #[track_caller]
    fn check_failure(&self, failure: &Failure) {
        let words = explain::failure(self.pack(), failure);
        for text in [&words.text.zh, &words.text.en, &words.quote] {
            let filled = !text.is_empty() && !text.contains(['{', '}']);
            assert!(filled, "{}: {text:?}", failure.limit);
        }
        let last = self.ledger.state().position();
        assert!(failure.facts.is_sorted_by(|a, b| a < b), "{failure:?}");
        assert!(failure.facts.last().copied() <= last, "{failure:?}");
    }
}

/// The outcome of a decision.
pub(crate) fn outcome(decided: &Result<Decision, Rejection>) -> Outcome {
    match decided {
        Err(rejection) => rejected(rejection.code()),
        Ok(decision) => match &decision.body {
            Body::Granted(_) => GRANTED,
            Body::Refused(refusal) => {
                let codes: Vec<&str> = refusal.failures.iter().map(|f| &*f.code).collect();
                refused(&codes.join(" "))
            }
            Body::StepRefused(refusal) => {
                let codes: Vec<&str> = refusal.failures.iter().map(|f| &*f.code).collect();
                refused(&codes.join(" "))
            }
            _ if decision.conflicts.is_empty() => RECORDED,
            _ => {
                let grants = decision.conflicts.iter().map(|c| c.grant);
                Outcome::Conflicts(grants.map(Position::number).collect())
            }
        },
    }
}

pub(crate) fn shown(compared: &[Compared]) -> String {
    let values = compared.iter().map(|Compared { name, value }| match value {
        Value::Fen(number) | Value::Count(number) => format!("{name}={number}"),
        Value::Text(text) => format!("{name}={text}"),
        Value::Dates(dates) => {
            let days: Vec<String> = dates.days().iter().map(ToString::to_string).collect();
            format!("{name}={}", days.join(","))
        }
    });
    values.collect::<Vec<_>>().join(" ")
}
