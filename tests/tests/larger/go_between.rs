//! Takes a claim to the subject's home and then to the office's budget. It remembers
//! nothing: every command has an id that follows from what it is about, so whatever is
//! done again is done once, by whoever does it.

use luzhang_ledger::SubjectId;
use luzhang_proto::wire;
use luzhang_server::Engine;
use tonic::Status;

use crate::{
    commands::{FUND, command, day, receipt},
    province::{Claim, Province, Reservation, document, of_office},
};

/// What is done between ledgers, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    /// At home: all that concerns the subject is judged, and the entitlement used.
    Reserve,
    /// At the budget: what home said is recorded.
    Authorise,
    /// At the budget: the money is judged, and granted.
    Grant,
    /// At home, after a refusal: the entitlement is free again.
    Release,
}

pub(crate) const POINTS: [Point; 4] = [
    Point::Reserve,
    Point::Authorise,
    Point::Grant,
    Point::Release,
];

/// Where it dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    Never,
    /// Nothing was sent yet.
    Before(Point),
    /// It is durable, and nobody was told.
    After(Point),
}

impl Crash {
    pub(crate) fn at(self) -> Option<Point> {
        match self {
            Self::Never => None,
            Self::Before(point) | Self::After(point) => Some(point),
        }
    }
}

/// Why a claim has no outcome yet.
#[derive(Debug)]
pub(crate) enum Unfinished {
    Crashed,
    /// A ledger does not answer.
    Away,
}

/// What became of a claim: the same however often it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// At home, and at the budget.
    Granted(u64, u64),
    /// By home, for these reasons: the budget was not asked.
    NotEntitled(Vec<String>),
    /// By the budget.
    NoMoney(Vec<String>),
}

pub(crate) struct GoBetween<'a> {
    pub(crate) province: &'a Province,
    pub(crate) crash: Crash,
}

type Done<T> = Result<T, Unfinished>;

impl GoBetween<'_> {
    /// A client's claim. Sent again with the same id it has the same outcome.
    pub(crate) async fn claim(&self, claim: &Claim) -> Done<Outcome> {
        let home = self.province.home(claim.person);
        let reserve = claim.reserve();
        let reserved = self.tell(Point::Reserve, home, reserve).await?;
        match reasons(&reserved) {
            Some(reasons) => Ok(Outcome::NotEntitled(reasons)),
            None => self.finish(home, receipt(&reserved).position).await,
        }
    }

    /// Finishes what was reserved: after a claim, or because nobody did. All it needs is
    /// on the home's chain.
    pub(crate) async fn finish(&self, home: usize, at: u64) -> Done<Outcome> {
        let site = self.province.places[home].site();
        let site = site.ok_or(Unfinished::Away)?;
        let told = self.province.places[home].told();
        let reserved = told.reservations[&at].clone();
        let person = revealed(&site.engine, reserved.person, &told.sealed);
        let place = self.province.place_of(reserved.office);
        let id = |purpose: &str| derived(purpose, home, at);
        let said = authority(home, at, &reserved, id("authorise"));
        self.tell(Point::Authorise, place, said).await?;
        let grant = payment(home, at, &reserved, person, id("grant"));
        let granted = self.tell(Point::Grant, place, grant).await?;
        let Some(reasons) = reasons(&granted) else {
            return Ok(Outcome::Granted(at, receipt(&granted).position));
        };
        // What the budget refused once it never grants: its id has that outcome.
        let release = reversal(at, &reserved, id("release"));
        self.tell(Point::Release, home, release).await?;
        Ok(Outcome::NoMoney(reasons))
    }

    /// Finishes whatever was reserved and not finished, as far as ledgers answer.
    pub(crate) async fn sweep(&self) -> Done<()> {
        for home in 0..self.province.places.len() {
            let told = self.province.places[home].told();
            for (at, reserved) in told.reservations {
                if reserved.stands {
                    match self.finish(home, at).await {
                        Ok(_) | Err(Unfinished::Away) => {}
                        Err(crashed) => return Err(crashed),
                    }
                }
            }
        }
        Ok(())
    }

    async fn tell(
        &self,
        point: Point,
        place: usize,
        command: wire::Command,
    ) -> Done<wire::Outcome> {
        if self.crash == Crash::Before(point) {
            return Err(Unfinished::Crashed);
        }
        let site = self.province.places[place].site();
        let answer = site.ok_or(Unfinished::Away)?.submit(command).await;
        if self.crash == Crash::After(point) {
            return Err(Unfinished::Crashed);
        }
        Ok(answer.unwrap_or_else(|status: Status| panic!("{point:?}: {status}")))
    }
}

/// Why it was refused; `None` if it was not.
fn reasons(outcome: &wire::Outcome) -> Option<Vec<String>> {
    match &outcome.result {
        Some(wire::outcome::Result::Refused(refused)) => {
            let codes = refused.reasons.iter().map(|reason| reason.code.clone());
            Some(codes.collect())
        }
        _ => None,
    }
}

/// An id that follows from what it is for.
fn derived(purpose: &str, home: usize, at: u64) -> String {
    let hash = blake3::hash(format!("{purpose} {home} {at}").as_bytes());
    let bytes = *hash.as_bytes().first_chunk().unwrap();
    uuid::Builder::from_custom_bytes(bytes)
        .into_uuid()
        .to_string()
}

/// Who it is, by the keys of the home.
fn revealed(
    engine: &Engine,
    person: SubjectId,
    sealed: &std::collections::BTreeMap<SubjectId, Vec<u8>>,
) -> wire::Person {
    let details = engine
        .vault()
        .open_sealed(person, &sealed[&person])
        .unwrap();
    wire::Person {
        name: details.name().to_owned(),
        national_id: details.number().to_owned(),
    }
}

pub(crate) fn authority(home: usize, at: u64, reserved: &Reservation, id: String) -> wire::Command {
    let authority = wire::Authority {
        document: document(home, at),
        programme: "other-subsidy".to_owned(),
        office: reserved.office.to_string(),
        from: Some(day(&reserved.day)),
        until: None,
        amount_fen: reserved.amount,
        stated: wire::AuthorityAmount::Exactly.into(),
    };
    let body = wire::command::Body::Authority(authority);
    wire::Command {
        request_id: id,
        ..of_office(command(body), reserved.office)
    }
}

pub(crate) fn payment(
    home: usize,
    at: u64,
    reserved: &Reservation,
    person: wire::Person,
    id: String,
) -> wire::Command {
    let subsidy = wire::Subsidy {
        claim_no: document(home, at),
        programme: "other-subsidy".to_owned(),
        recipient: Some(wire::Recipient {
            kind: Some(wire::recipient::Kind::Person(person)),
        }),
        document: document(home, at),
        due_on: Some(day(&reserved.day)),
        spending: None,
        amount_fen: reserved.amount,
        fund: FUND.to_owned(),
    };
    let body = wire::command::Body::Subsidy(subsidy);
    wire::Command {
        request_id: id,
        ..of_office(command(body), reserved.office)
    }
}

fn reversal(at: u64, reserved: &Reservation, id: String) -> wire::Command {
    let reversal = wire::Reversal {
        grant: Some(crate::commands::at(at)),
        amount_fen: 0,
        reason: "经办账本不予受理".to_owned(),
    };
    let body = wire::command::Body::Reversal(reversal);
    wire::Command {
        request_id: id,
        ..of_office(command(body), reserved.office)
    }
}
