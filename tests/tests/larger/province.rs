//! Ledgers of a province: each has the budget of one office, and is the home of the
//! subjects that fall to it.

use std::collections::{BTreeMap, BTreeSet};

use luzhang_ledger::{
    Body, LedgerId, Position, SubjectId, claim::Claim as Claimed, log::Reader, step::Step,
};
use luzhang_projections::pack::LUZHOU_2023;
use luzhang_proto::wire;
use luzhang_server::{
    Engine, Limits,
    engine::{Genesis, Options},
    replay::each_event,
};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    commands::{Commanded as _, FUND, appropriation, attendance, command, course, listed},
    site::Site,
    support::Person,
};

/// The days of the course.
pub(crate) const DAYS: [&str; 5] = [
    "2024-03-04",
    "2024-03-05",
    "2024-03-06",
    "2024-03-07",
    "2024-03-08",
];
/// What a day is.
pub(crate) const DAILY: i64 = 5_000;

/// A grant at home: the subject's entitlement is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reservation {
    pub(crate) person: SubjectId,
    pub(crate) office: u32,
    pub(crate) day: String,
    pub(crate) amount: i64,
    /// Whether it was not released.
    pub(crate) stands: bool,
}

/// What a ledger says, read from its log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) reservations: BTreeMap<u64, Reservation>,
    /// What is paid, by the document that it rests on, and its position.
    pub(crate) payments: BTreeMap<String, (u64, i64)>,
    /// Subjects' details, under seal.
    pub(crate) sealed: BTreeMap<SubjectId, Vec<u8>>,
    pub(crate) events: u64,
}

impl Told {
    fn read(log: &dyn Reader) -> Self {
        let mut told = Self::default();
        for block in log.blocks_from(Position::FIRST) {
            let read = each_event(&block.unwrap(), |_, event, _| told.see(&event));
            read.unwrap();
        }
        told
    }

    fn see(&mut self, event: &luzhang_ledger::Event) {
        let at = event.header.position.number();
        self.events = at;
        match &event.body {
            Body::PartyRegistered(party) => {
                self.sealed.insert(party.subject, party.sealed.to_vec());
            }
            Body::Granted(Claimed::TrainingAllowance(claim)) => {
                let reservation = Reservation {
                    person: claim.person,
                    office: event.header.office.unwrap().code(),
                    day: claim.dates.days()[0].to_string(),
                    amount: claim.amount.fen(),
                    stands: true,
                };
                self.reservations.insert(at, reservation);
            }
            Body::Granted(Claimed::Subsidy(claim)) => {
                let paid = (at, claim.amount.fen());
                let before = self.payments.insert(claim.document.to_string(), paid);
                assert_eq!(before, None, "{} is paid twice", claim.document);
            }
            Body::Step(Step::Reversal(reversal)) => {
                let reversed = self.reservations.get_mut(&reversal.grant.number());
                reversed.unwrap().stands = false;
            }
            _ => {}
        }
    }
}

/// A ledger, and the office whose budget it has.
pub(crate) struct Place {
    pub(crate) office: u32,
    site: Option<Site>,
    /// Its data directory while it is away, and what it said before.
    away: Option<(TempDir, Told)>,
}

impl Place {
    async fn new(number: u32) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let genesis = Genesis {
            ledger: LedgerId::new(Uuid::from_u128(u128::from(number) + 1)),
            pack: Some(LUZHOU_2023.as_bytes().to_vec()),
            origin: None,
            mandates: Vec::new(),
        };
        let dir = scratch.path().join("ledger");
        let engine = Engine::create(&dir, genesis, Options::default()).unwrap();
        Self {
            office: 510_502 + number,
            site: Some(Site::serve(engine, Limits::default(), scratch).await),
            away: None,
        }
    }

    /// Its server, if it answers.
    pub(crate) fn site(&self) -> Option<&Site> {
        self.site.as_ref()
    }

    /// It does not answer any more.
    pub(crate) async fn goes(&mut self) {
        if let Some(site) = self.site.take() {
            let told = Told::read(&**site.engine.reader());
            self.away = Some((site.close().await, told));
        }
    }

    /// It is back, from its disk.
    pub(crate) async fn comes_back(&mut self) {
        if let Some((scratch, before)) = self.away.take() {
            let dir = scratch.path().join("ledger");
            let engine = Engine::open(&dir, Options::default(), |_, _| {}).unwrap();
            assert_eq!(Told::read(&**engine.reader()).events, before.events);
            self.site = Some(Site::serve(engine, Limits::default(), scratch).await);
        }
    }

    pub(crate) fn told(&self) -> Told {
        match (&self.site, &self.away) {
            (Some(site), _) => Told::read(&**site.engine.reader()),
            (None, Some((_, told))) => told.clone(),
            (None, None) => unreachable!("it is there or away"),
        }
    }
}

/// All of them.
pub(crate) struct Province {
    pub(crate) places: Vec<Place>,
}

/// A command of another office.
pub(crate) fn of_office(mut command: wire::Command, office: u32) -> wire::Command {
    command.office = office.to_string();
    command
}

/// Money of an office for a programme.
fn budget(document: &str, programme: &str, office: u32, amount: i64) -> wire::Command {
    let money = wire::Appropriation {
        office: office.to_string(),
        amount_fen: amount,
        ..appropriation(document, programme)
    };
    of_office(money.command(), office)
}

impl Province {
    /// So many ledgers, each office with so much money.
    pub(crate) async fn new(ledgers: u32, persons: u32, each: i64) -> Self {
        let mut province = Self { places: Vec::new() };
        for number in 0..ledgers {
            province.places.push(Place::new(number).await);
        }
        let offices: Vec<u32> = province.places.iter().map(|place| place.office).collect();
        for (number, place) in province.places.iter().enumerate() {
            let site = place.site().unwrap();
            // What is nobody's secret is everywhere.
            let mut first = vec![course("PX-1").command()];
            // The budget is the office's; what a home reserves for others has a line of
            // its own that nothing is paid from.
            first.push(budget("预算", "other-subsidy", place.office, each));
            for office in &offices {
                let document = format!("登记{office}");
                first.push(budget(&document, "training-allowance", *office, 1 << 40));
            }
            for person in 0..persons {
                if province.home(person) == number {
                    first.push(listed(person).command());
                    first.push(attendance(person, "PX-1", &DAYS.join(" ")).command());
                }
            }
            site.record(first).await;
        }
        province
    }

    /// Where a person is at home: by a hash of the number under a key that the ledgers
    /// share, so that it says nothing to anybody else, and no pseudonym of one ledger is
    /// known in another.
    pub(crate) fn home(&self, person: u32) -> usize {
        let number = Person::number(person).number;
        let hash = blake3::keyed_hash(&[7; 32], number.as_bytes());
        let first = u64::from_le_bytes(*hash.as_bytes().first_chunk().unwrap());
        let places = u64::try_from(self.places.len()).unwrap();
        usize::try_from(first % places).unwrap()
    }

    pub(crate) fn place_of(&self, office: u32) -> usize {
        let found = self.places.iter().position(|place| place.office == office);
        found.unwrap()
    }

    pub(crate) fn told(&self) -> Vec<Told> {
        self.places.iter().map(Place::told).collect()
    }

    /// What must hold at every moment, whatever has crashed: nothing is paid that is not
    /// reserved, nobody is paid twice for a day, and no budget is exceeded.
    pub(crate) fn is_safe(&self, each: i64) -> Result<(), String> {
        let all = self.told();
        let mut paid = BTreeSet::new();
        for (place, told) in self.places.iter().zip(&all) {
            let mut spent = 0;
            for (document, (position, amount)) in &told.payments {
                let (home, at) = parse(document);
                let reserved = all[home].reservations.get(&at);
                let Some(reserved) = reserved.filter(|reserved| reserved.stands) else {
                    return Err(format!("{document} is paid at {position} and not reserved"));
                };
                if (reserved.amount, reserved.office) != (*amount, place.office) {
                    return Err(format!("{document} is paid otherwise than it was reserved"));
                }
                if !paid.insert((home, reserved.person, reserved.day.clone())) {
                    return Err(format!("{document} pays a day again"));
                }
                spent += amount;
            }
            if spent > each {
                return Err(format!("{} spent {spent} of {each}", place.office));
            }
        }
        Ok(())
    }

    /// What must hold when everything that was begun is finished: what is reserved is
    /// paid.
    pub(crate) fn is_settled(&self) -> Result<(), String> {
        let all = self.told();
        for (home, told) in all.iter().enumerate() {
            for (at, reserved) in &told.reservations {
                let place = self.place_of(reserved.office);
                let paid = all[place].payments.contains_key(&document(home, *at));
                if reserved.stands != paid {
                    return Err(format!("reserved {reserved:?}, and paid is {paid}"));
                }
            }
        }
        Ok(())
    }
}

/// What a payment rests on: the reservation, by its ledger and position.
pub(crate) fn document(home: usize, at: u64) -> String {
    format!("H{home}-{at}")
}

fn parse(document: &str) -> (usize, u64) {
    let (home, at) = document[1..].split_once('-').unwrap();
    (home.parse().unwrap(), at.parse().unwrap())
}

/// A claim on a day, as an office takes it.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    /// The client's own, for all its attempts.
    pub(crate) request: String,
    pub(crate) number: String,
    pub(crate) person: u32,
    pub(crate) day: &'static str,
    pub(crate) office: u32,
}

impl Claim {
    /// Judged by all that concerns the subject.
    pub(crate) fn reserve(&self) -> wire::Command {
        let allowance = wire::TrainingAllowance {
            claim_no: self.number.clone(),
            person: Some(Person::number(self.person).wire()),
            course_no: "PX-1".to_owned(),
            dates: crate::commands::days(self.day),
            daily_fen: DAILY,
            amount_fen: DAILY,
            fund: FUND.to_owned(),
        };
        let body = wire::command::Body::TrainingAllowance(allowance);
        wire::Command {
            request_id: self.request.clone(),
            ..of_office(command(body), self.office)
        }
    }
}
