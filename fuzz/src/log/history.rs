//! A small ledger with a life in it, made of commands as a server would make it:
//! what targets change, and what they decide upon.

use std::sync::LazyLock;

use luzhang_ledger::{
    Body, Event, Header, LedgerId, Position, StreamId, StreamKind,
    access::{Denial, Reveal, Revealed},
    event::{Party, RequestMark},
    hash::ChainHasher,
    identity::IdentityKey,
    text::{BatchNo, Label, PackId, Principal},
};
use luzhang_projections::{
    Decision, Rejection, access::Identity, decide, pack::LUZHOU_2023, projection::Projections,
    state::Found,
};
use luzhang_proto::{DESCRIPTORS, wire};
use luzhang_server::{
    Rejected,
    convert::from_proto::{self, References, Request},
};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};

/// A log and what it folds to.
#[derive(Clone, Default)]
pub struct Ledger {
    pub log: Vec<Event>,
    pub folded: Projections,
}

/// A command and who gives it.
pub struct Sample {
    pub principal: Principal,
    pub command: wire::Command,
}

pub struct World {
    pub ledger: Ledger,
    /// Those that made the ledger, and further ones.
    pub samples: Vec<Sample>,
}

pub static WORLD: LazyLock<World> = LazyLock::new(World::new);

/// The place of the outcome, and whether it is a refusal.
type Submitted = Result<Result<(Position, bool), Rejection>, Rejected>;

/// Persons, with an area code that was never issued, and organisations.
const PARTIES: [(&str, &str); 8] = [
    (
        "$p1",
        r#"{"name":"某某某某某某某甲","national_id":"51059019831126546X"}"#,
    ),
    (
        "$p2",
        r#"{"name":"某某某某某某某乙","national_id":"510590198910117186"}"#,
    ),
    (
        "$p3",
        r#"{"name":"某某某某某某某丙","national_id":"510590197611016823"}"#,
    ),
    (
        "$p4",
        r#"{"name":"某某某某某某某丁","national_id":"510590197204212181"}"#,
    ),
    (
        "$o1",
        r#"{"name":"某某培训学校","credit_code":"91510590831602985E"}"#,
    ),
    (
        "$o2",
        r#"{"name":"某某酿酒学校","credit_code":"91510590444276200Y"}"#,
    ),
    (
        "$o3",
        r#"{"name":"某某人力公司","credit_code":"91510590749834074A"}"#,
    ),
    (
        "$o4",
        r#"{"name":"某某电子公司","credit_code":"91510590800602261U"}"#,
    ),
];

pub fn key() -> IdentityKey {
    IdentityKey::new([7; 32])
}

fn ledger_id() -> LedgerId {
    LedgerId::new(uuid::Uuid::from_u128(7))
}

impl References for Ledger {
    fn numbered(&self, programme: &str, claim_no: &str) -> Found {
        let state = &self.folded.state;
        let packs = state.packs().iter().rev();
        let mut programmes = packs.flat_map(|adopted| &adopted.pack.programmes);
        let known = programmes.find(|p| p.id == programme || p.name.zh == programme);
        state.numbered(known.map_or(programme, |p| &p.id), claim_no)
    }

    fn event(&self, position: Position) -> Result<Option<Event>, Rejected> {
        let place = usize::try_from(position.number() - 1);
        Ok(place.ok().and_then(|place| self.log.get(place)).cloned())
    }

    fn notice_digest(&self, grants: &[Position]) -> Result<[u8; 32], Rejected> {
        let numbers: Vec<u8> = grants
            .iter()
            .flat_map(|p| p.number().to_be_bytes())
            .collect();
        Ok(*blake3::hash(&numbers).as_bytes())
    }
}

/// Who and what an event comes from.
struct Origin<'a> {
    principal: &'a Principal,
    mark: Option<RequestMark>,
    cause: Option<Position>,
}

impl Ledger {
    /// The header of the next event.
    fn header(&self, stream: StreamId, origin: &Origin<'_>) -> Header {
        let number = self.log.len() as u64 + 1;
        let (revision, stream_previous) = self.folded.state.stream_end(stream);
        Header {
            position: Position::new(number).unwrap(),
            stream,
            revision: revision + 1,
            stream_previous,
            recorded_at: 1_730_000_000_000_000 + number as i64,
            request: origin.mark,
            principal: origin.principal.clone(),
            office: None,
            basis: None,
            policy: None,
            cause: origin.cause,
            salt: [number as u8; 16],
            credential: None,
        }
    }

    fn record(&mut self, event: Event) {
        self.folded.apply(&event);
        self.log.push(event);
    }

    fn record_own(&mut self, stream: StreamId, body: Body) {
        let origin = Origin {
            principal: &Principal::ledger(),
            mark: None,
            cause: None,
        };
        let header = self.header(stream, &origin);
        self.record(Event { header, body });
    }

    /// Writes down a decision, as the sequencer does.
    pub fn write(&mut self, request: &Request, decision: Decision) {
        let principal = &request.by.principal;
        let of_party = Origin {
            principal,
            mark: None,
            cause: None,
        };
        for party in &request.parties {
            let known = self.folded.state.party(party.subject);
            if known.is_some_and(|(_, digest)| digest == party.digest) {
                continue;
            }
            let body = Party {
                kind: party.kind,
                subject: party.subject,
                sealed: Box::new([9; 40]),
                digest: party.digest,
            };
            let header = self.header(party.subject.into(), &of_party);
            let body = match known {
                Some(_) => Body::PartyCorrected(body),
                None => Body::PartyRegistered(body),
            };
            self.record(Event { header, body });
        }
        let office = Some(request.command.office);
        let header = self.header(
            decision.stream,
            &Origin {
                mark: Some(request.mark),
                ..of_party
            },
        );
        let position = header.position;
        let header = Header {
            office,
            basis: decision.basis,
            policy: decision.policy,
            cause: decision.cause,
            ..header
        };
        let mut body = decision.body;
        if let Body::AccountBound(account) = &mut body {
            account.sealed = Box::new([8; 40]);
        }
        self.record(Event { header, body });
        let conflicts = decision.conflicts.into_iter().map(Body::Conflict);
        let cleared = decision.cleared.into_iter().map(Body::ConflictCleared);
        for body in conflicts.chain(cleared) {
            let header = self.header(
                decision.stream,
                &Origin {
                    principal,
                    mark: None,
                    cause: Some(position),
                },
            );
            let header = Header { office, ..header };
            self.record(Event { header, body });
        }
    }
}

impl World {
    fn new() -> Self {
        let mut ledger = Ledger::default();
        let created = Body::LedgerCreated {
            ledger: ledger_id(),
            software: Label::new("luzhang").unwrap(),
            key_check: [1; 16],
        };
        let of_ledger = StreamId::of(StreamKind::Ledger, &ledger_id().to_string());
        ledger.record_own(of_ledger, created);
        let pack = Body::PolicyPackAdopted {
            pack: PackId::new("luzhou-2023").unwrap(),
            content: LUZHOU_2023.as_bytes().into(),
        };
        ledger.record_own(StreamId::of(StreamKind::Pack, "luzhou-2023"), pack);
        let mut samples = Vec::new();
        let mut labels: Vec<(String, u64)> = Vec::new();
        let mut wrong = Vec::new();
        for line in include_str!("history.txt").lines() {
            let Some((label, sample)) = sample(line, &labels) else {
                continue;
            };
            let outcome = ledger.submit(&sample);
            let verdict = match &outcome {
                Ok(Ok((position, refused))) => {
                    labels.push((label.clone(), position.number()));
                    if *refused { "refused" } else { "ok" }
                }
                Ok(Err(rejection)) => rejection.code(),
                Err(rejected) => rejected.code,
            };
            let expected = label.split_once('!').map_or("ok", |(_, expected)| expected);
            if verdict != expected {
                let body = ledger.log.last().map(|event| &event.body);
                wrong.push(format!("{line}\n{verdict}: {outcome:?}\n{body:?}"));
            }
            samples.push(sample);
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
        let of_access = StreamId::of(StreamKind::Access, &ledger_id().to_string());
        let denied = Denial {
            principal: Some(Principal::new("clerk").unwrap()),
            code: Label::new("ROLE_REQUIRED").unwrap(),
            action: Label::new("approval").unwrap(),
            count: 3,
        };
        ledger.record_own(of_access, Body::AccessDenied(denied));
        let revealed = Reveal {
            of: Revealed::Batch(BatchNo::new("P2").unwrap()),
            purpose: Label::new("付款文件").unwrap(),
        };
        let of_batch = StreamId::of(StreamKind::Batch, "P2");
        ledger.record_own(of_batch, Body::DetailsRevealed(revealed));
        // Not taken, as its base is not there; it is long enough without it.
        let pack = wire::PolicyPack {
            content: include_bytes!("county.toml").to_vec(),
        };
        let mut command = samples[0].command.clone();
        command.body = Some(wire::command::Body::PolicyPack(pack));
        samples.push(Sample {
            principal: Principal::new("clerk").unwrap(),
            command,
        });
        Self { ledger, samples }
    }
}

impl Ledger {
    fn submit(&mut self, sample: &Sample) -> Submitted {
        let command = sample.command.clone();
        let by = Identity::believed(sample.principal.clone());
        let request = from_proto::request(&key(), &by, command, self)?;
        let decision = match decide(&self.folded.state, request.command.clone()) {
            Ok(decision) => decision,
            Err(rejection) => return Ok(Err(rejection)),
        };
        let refused = matches!(decision.body, Body::Refused(_) | Body::StepRefused(_));
        let body = decision.body.clone();
        self.write(&request, decision);
        let found = self
            .log
            .iter()
            .rev()
            .find(|event| match (&event.body, &body) {
                (Body::AccountBound(one), Body::AccountBound(two)) => one.subject == two.subject,
                (one, two) => one == two,
            });
        Ok(Ok((found.unwrap().header.position, refused)))
    }
}

/// `label principal office {body}`; in a body, `$p1` is a person, `@label` the
/// position of an outcome, and a date is written as one word.
fn sample(line: &str, labels: &[(String, u64)]) -> Option<(String, Sample)> {
    let mut parts = line.splitn(4, ' ');
    let (label, principal) = (parts.next()?, parts.next()?);
    let (office, body) = (parts.next()?, parts.next()?);
    if label == "#" {
        return None;
    }
    let mut body = body.to_owned();
    for (name, party) in PARTIES {
        body = body.replace(name, party);
    }
    for (label, position) in labels {
        let plain = label.split_once('!').map_or(&**label, |(plain, _)| plain);
        body = body.replace(&format!("@{plain}@"), &position.to_string());
    }
    let mut dated = String::new();
    let mut rest = &*body;
    while let Some(at) = rest.find("\"20") {
        let (before, date) = rest.split_at(at);
        dated.push_str(before);
        let day = date
            .get(1..11)
            .filter(|_| date.as_bytes().get(11) == Some(&b'"'));
        if let Some(Ok(day)) = day.map(str::parse::<luzhang_ledger::Date>) {
            let (year, month, day) = (day.year(), day.month(), day.day());
            dated.push_str(&format!(r#"{{"year":{year},"month":{month},"day":{day}}}"#));
            rest = &date[12..];
        } else {
            dated.push_str("\"20");
            rest = &date[3..];
        }
    }
    dated.push_str(rest);
    let number = labels.len() as u128;
    let id = uuid::Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number);
    let inside = dated.strip_prefix('{')?;
    let json = format!(r#"{{"request_id":"{id}","office":"{office}",{inside}"#);
    Some((
        label.to_owned(),
        Sample {
            principal: Principal::new(principal).unwrap(),
            command: command(&json),
        },
    ))
}

/// What a command can be about, and no sample is: fuzzing would hardly find it.
pub fn unsampled() -> Vec<String> {
    let pool = DescriptorPool::decode(DESCRIPTORS).unwrap();
    let descriptor = pool.get_message_by_name("luzhang.v1.Command").unwrap();
    let body = descriptor
        .oneofs()
        .find(|oneof| oneof.name() == "body")
        .unwrap();
    let has = |field: &prost_reflect::FieldDescriptor| {
        WORLD.samples.iter().any(|sample| {
            let bytes = sample.command.encode_to_vec();
            let dynamic = DynamicMessage::decode(descriptor.clone(), &*bytes).unwrap();
            dynamic.has_field(field)
        })
    };
    let missing = body.fields().filter(|field| !has(field));
    missing.map(|field| field.name().to_owned()).collect()
}

fn command(json: &str) -> wire::Command {
    static POOL: LazyLock<DescriptorPool> =
        LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).unwrap());
    let descriptor = POOL.get_message_by_name("luzhang.v1.Command").unwrap();
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let dynamic = DynamicMessage::deserialize(descriptor, &mut deserializer);
    let dynamic = dynamic.unwrap_or_else(|error| panic!("{error}: {json}"));
    wire::Command::decode(&*dynamic.encode_to_vec()).unwrap()
}

/// The hash of each event of a log.
pub fn hashes(log: &[Event]) -> Vec<luzhang_ledger::Hash> {
    let mut hasher = ChainHasher::default();
    let mut chain = luzhang_ledger::Hash::genesis(ledger_id());
    let mut hashes = Vec::with_capacity(log.len());
    for event in log {
        let mut stored = Vec::new();
        luzhang_ledger::codec::encode(event, &mut stored);
        chain = hasher.event(chain, &stored);
        hashes.push(chain);
    }
    hashes
}
