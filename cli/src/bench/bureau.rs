//! An invented bureau of any size: the same people and claims every time.
//!
//! A person is a number. Up to four service subsidies may be granted for each:
//! one in each year of the policy, each with another employer, so that every
//! claim here is allowed and becomes exactly one event.

use jiff::{ToSpan as _, civil::Date};
use luzhang_proto::{
    google::r#type::Date as WireDate,
    wire::{self, command::Body},
};
use uuid::Uuid;

/// Claims that one person may have.
pub(super) const SLOTS: u64 = 4;

const AGENCIES: u64 = 50;
const EMPLOYERS: u64 = 1_000;
/// Of everything that looks random in a run.
pub(super) const SEED: u64 = 0x6c75_7a68_616e_6721;
/// 300 yuan, measure 15.
const AMOUNT_FEN: i64 = 30_000;
const FUND: &str = "employment-city";
/// First days of the contracts, by slot: all in the window of the policy, each
/// in another year.
const CONTRACTS: [(i16, i8, i8); 4] = [(2023, 12, 18), (2024, 3, 1), (2025, 3, 3), (2026, 3, 2)];

/// One claim of one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Case {
    pub(super) person: u64,
    /// 0 to 3.
    pub(super) slot: u64,
}

/// Appropriations that are never used up, and every organisation.
pub(super) fn opening() -> Vec<wire::Command> {
    let mut commands = Vec::new();
    for (number, (year, _, _)) in (0_u64..).zip(CONTRACTS) {
        commands.push(command(
            Kind::Appropriation,
            number,
            Body::Appropriation(wire::Appropriation {
                document: format!("泸市财社〔{year}〕{number}号"),
                fund: FUND.to_owned(),
                programme: "service-subsidy".to_owned(),
                office: "510500".to_owned(),
                year: year.into(),
                amount_fen: 900_000_000_000_000,
            }),
        ));
    }
    let agencies = (0..AGENCIES).map(agency);
    let organisations = agencies.chain((0..EMPLOYERS).map(employer));
    for (number, organisation) in (0_u64..).zip(organisations) {
        commands.push(command(
            Kind::Course,
            number,
            Body::Course(wire::Course {
                course_no: format!("PX-{number:05}"),
                provider: Some(organisation),
                trade: "白酒酿造工".to_owned(),
                first_day: Some(wire_date(Date::constant(2024, 1, 2))),
                last_day: Some(wire_date(Date::constant(2024, 1, 12))),
            }),
        ));
    }
    commands
}

/// Puts a person on the poverty list: two events for a person not seen before.
pub(super) fn status(number: u64) -> wire::Command {
    command(
        Kind::Status,
        number,
        Body::PovertyStatus(wire::PovertyStatus {
            person: Some(person(number)),
            from: Some(wire_date(Date::constant(2020, 1, 1))),
            until: None,
            list_version: "2020-1".to_owned(),
        }),
    )
}

/// Claims a service subsidy for a person on the list: one event.
pub(super) fn claim(case: Case) -> wire::Command {
    let number = case.person * SLOTS + case.slot;
    let slot = usize::try_from(case.slot % SLOTS).unwrap_or(0);
    let (year, month, day) = CONTRACTS.get(slot).copied().unwrap_or(CONTRACTS[0]);
    let first = Date::constant(year, month, day);
    let last = first.saturating_add(1.year());
    command(
        Kind::Claim,
        number,
        Body::ServiceSubsidy(wire::ServiceSubsidy {
            claim_no: format!("FW-{number:09}"),
            agency: Some(agency(case.person % AGENCIES)),
            worker: Some(person(case.person)),
            employer: Some(employer(number % EMPLOYERS)),
            contract_first_day: Some(wire_date(first)),
            contract_last_day: Some(wire_date(last)),
            insured_from: Some(wire_date(first)),
            amount_fen: AMOUNT_FEN,
            fund: FUND.to_owned(),
        }),
    )
}

/// What a command is, so that request ids never meet.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Appropriation,
    Course,
    Status,
    Claim,
}

fn command(kind: Kind, number: u64, body: Body) -> wire::Command {
    let kind = match kind {
        Kind::Appropriation => 1,
        Kind::Course => 2,
        Kind::Status => 3,
        Kind::Claim => 4,
    };
    let high = scatter(SEED ^ kind);
    let low = scatter(high ^ number);
    wire::Command {
        request_id: Uuid::from_u64_pair(scatter(low), low).to_string(),
        office: String::new(),
        body: Some(body),
    }
}

/// A bijection on 64-bit numbers that looks random: the finisher of `SplitMix64`.
pub(super) fn scatter(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

const SURNAMES: [char; 16] = [
    '李', '王', '张', '刘', '陈', '杨', '赵', '黄', '周', '吴', '徐', '孙', '胡', '朱', '高', '林',
];
const GIVEN: [char; 16] = [
    '明', '芳', '强', '丽', '军', '敏', '静', '勇', '艳', '杰', '娟', '涛', '霞', '平', '刚', '燕',
];

/// A person, with a name and a number.
pub(super) fn person(number: u64) -> wire::Person {
    let digits = scatter(number).to_le_bytes();
    let pick = |from: &[char; 16], digit: u8| from[usize::from(digit % 16)];
    let name = [
        pick(&SURNAMES, digits[0]),
        pick(&GIVEN, digits[1]),
        pick(&GIVEN, digits[2]),
    ];
    wire::Person {
        name: name.iter().collect(),
        national_id: national_id(number),
    }
}

/// A number of division 510590, which was never issued (GB 11643).
fn national_id(number: u64) -> String {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
    let days = i64::try_from(number / 1_000).unwrap_or(0);
    let born = Date::constant(1940, 1, 1).saturating_add(days.days());
    let mut id = format!("510590{}{:03}", born.strftime("%Y%m%d"), number % 1_000);
    let digits = id.chars().filter_map(|digit| digit.to_digit(10));
    let sum: u32 = digits
        .zip(WEIGHTS)
        .map(|(digit, weight)| digit * weight)
        .sum();
    id.push(CHECKS[usize::try_from(sum % 11).unwrap_or(0)]);
    id
}

fn agency(number: u64) -> wire::Organisation {
    wire::Organisation {
        name: format!("泸州市第{number}人力资源服务有限公司"),
        credit_code: credit_code(number),
        accept_check_digit: false,
    }
}

fn employer(number: u64) -> wire::Organisation {
    wire::Organisation {
        name: format!("泸州市第{number}酿酒厂"),
        credit_code: credit_code(AGENCIES + number),
        accept_check_digit: false,
    }
}

/// A code of division 510590 (GB 32100).
fn credit_code(number: u64) -> String {
    const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    const WEIGHTS: [usize; 17] = [
        1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
    ];
    let mut code = format!("91510590{number:09}");
    let sum: usize = code
        .chars()
        .zip(WEIGHTS)
        .map(|(digit, weight)| ALPHABET.find(digit).unwrap_or(0) * weight)
        .sum();
    code.extend(ALPHABET.chars().nth((31 - sum % 31) % 31));
    code
}

fn wire_date(date: Date) -> WireDate {
    WireDate {
        year: date.year().into(),
        month: date.month().into(),
        day: date.day().into(),
    }
}

/// Every case of some persons and slots, once, in an order that jumps about.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    slots: std::ops::Range<u64>,
    length: u64,
    stride: u64,
    taken: u64,
}

impl Walk {
    /// Over the persons 0 to `persons` and these slots.
    pub(super) fn new(persons: u64, slots: std::ops::Range<u64>) -> Self {
        let length = persons * (slots.end - slots.start);
        // Near the golden section neighbours end up far apart.
        let mut stride = length / 1_000 * 618 + 1;
        while gcd(stride, length) != 1 {
            stride += 1;
        }
        Self {
            slots,
            length,
            stride,
            taken: 0,
        }
    }
}

impl Iterator for Walk {
    type Item = Case;

    fn next(&mut self) -> Option<Case> {
        if self.taken >= self.length {
            return None;
        }
        let place = u128::from(self.taken) * u128::from(self.stride) % u128::from(self.length);
        let place = u64::try_from(place).ok()?;
        self.taken += 1;
        let width = self.slots.end - self.slots.start;
        Some(Case {
            person: place / width,
            slot: self.slots.start + place % width,
        })
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// A deadline day: each message brings new persons, and as many claims for
/// persons who came earlier. It uses the slots 0 and 1.
#[derive(Debug, Default)]
pub(super) struct Import {
    persons: u64,
}

/// Commands of one message.
pub(super) const MESSAGE: u64 = 1_000;
/// Events that one message of an [`Import`] becomes.
pub(super) const IMPORT_EVENTS: u64 = MESSAGE / 2 * 3;

impl Import {
    /// How many persons came so far.
    pub(super) fn persons(&self) -> u64 {
        self.persons
    }

    /// The next message.
    pub(super) fn message(&mut self) -> Vec<wire::Command> {
        let new = self.persons..self.persons + MESSAGE / 2;
        self.persons = new.end;
        let claims = new.clone().map(earlier).map(claim);
        new.map(status).chain(claims).collect()
    }
}

/// The case that is claimed when person `count` comes: of somebody who came
/// before, never the same twice. While the number of persons doubles, two
/// claims are made for each of the younger half of those who were there before.
fn earlier(count: u64) -> Case {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let Some(generation) = count.checked_ilog2().filter(|generation| *generation > 0) else {
        return Case {
            person: 0,
            slot: count,
        };
    };
    let half = 1_u64 << (generation - 1);
    let place = count - 2 * half;
    Case {
        // An odd factor permutes the numbers below a power of two.
        person: half + (place.wrapping_mul(ODD) & (half - 1)),
        slot: place / half,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use luzhang_ledger::identity::{CheckDigit, CreditCode, NationalId};

    use super::*;

    /// Seventy years of birth dates, 1,000 a day: more than any run has.
    const MAX_PERSONS: u64 = 25_000_000;

    #[test]
    fn every_number_is_well_formed_and_its_own() {
        let mut seen = HashSet::new();
        for number in (0..5_000).chain([MAX_PERSONS - 1]) {
            let id = national_id(number);
            NationalId::parse(&id).unwrap();
            assert!(seen.insert(id), "{number}");
        }
        for number in 0..AGENCIES + EMPLOYERS {
            CreditCode::parse(&credit_code(number), CheckDigit::Required).unwrap();
        }
    }

    #[test]
    fn a_walk_meets_every_case_once() {
        for (persons, slots) in [(1, 0..4), (7, 2..3), (1_000, 0..4), (2_024, 3..4)] {
            let expected = persons * (slots.end - slots.start);
            let cases: HashSet<Case> = Walk::new(persons, slots.clone()).collect();
            assert_eq!(cases.len() as u64, expected);
            assert!(
                cases
                    .iter()
                    .all(|c| c.person < persons && slots.contains(&c.slot))
            );
        }
    }

    #[test]
    fn an_import_claims_for_earlier_persons_and_never_twice() {
        let mut seen = HashSet::new();
        for count in 0..40_000 {
            let case = earlier(count);
            assert!(case.person <= count && case.slot < 2, "{count}: {case:?}");
            assert!(seen.insert(case), "{count}: {case:?}");
        }
    }

    #[test]
    fn one_person_never_meets_an_employer_twice() {
        for person in 0..2_000 {
            let employers: HashSet<u64> = (0..SLOTS)
                .map(|slot| (person * SLOTS + slot) % EMPLOYERS)
                .collect();
            assert_eq!(employers.len() as u64, SLOTS);
        }
    }

    #[test]
    fn request_ids_never_meet() {
        let mut seen = HashSet::new();
        let claims = Walk::new(500, 0..SLOTS).map(claim);
        let commands = opening()
            .into_iter()
            .chain((0..500).map(status))
            .chain(claims);
        for command in commands {
            assert!(seen.insert(command.request_id));
        }
    }
}
