//! The limit state: its memory, and what a decision in it costs, measured in a
//! process of its own.

use std::{hint::black_box, time::Instant};

use anyhow::{Context as _, Result, ensure};
use luzhang_ledger::{
    Body, Date, Event, Fen, Header, Office, Position, StreamId, StreamKind, SubjectId, Window,
    claim::{Claim, ServiceSubsidy},
    event::{Party, PartyKind},
    fact::{Appropriation, BudgetYear, Fact, PovertyStatus},
    text::{ClaimNo, DocumentNo, FundId, Label, PackId, Principal, ProgrammeId},
};
use luzhang_projections::{Command, State, decide, decide::CommandBody, pack::LUZHOU_2023};
use serde_json::{Map, Value, json};

use super::{
    Item, Plan, bureau,
    row::{Better, Row, Runs, Thousandths, Yardstick, grouped, nanos_each},
    scale::FULL,
    site::resident_bytes,
    tell,
};
use crate::output;

const EMPLOYERS: u64 = 1_000;
/// Decisions of which the cost of one is taken.
const DECISIONS: u64 = 20_000;
/// So many commands are looked up together before they are decided one by one, as the
/// writer does it with those of a stream.
const NEAR: usize = 64;
/// A state of so many times fewer subjects is the yardstick of a decision.
const SMALLER: u64 = 10;

/// The rows of the limit state that are asked for.
pub(super) fn rows(plan: &Plan<'_>) -> Result<Vec<(Item, Row)>> {
    let subjects = plan.scale.subjects;
    tell(&format!("limit state of {} subjects", grouped(subjects)));
    let mut command = plan.site.program();
    command.args(["bench", "--role", "memory"]);
    command.args(["--subjects", &subjects.to_string()]);
    let folded = command.output()?;
    let said: Value = serde_json::from_slice(&folded.stdout).with_context(|| {
        let complaint = String::from_utf8_lossy(&folded.stderr);
        format!("memory of the state: {complaint}")
    })?;
    let runs = |name: &str| -> Result<Runs> {
        let runs = said[name].as_array().context("runs of the state")?;
        let runs = runs.iter().map(|run| run.as_u64().context("a run"));
        runs.collect()
    };
    let mut rows = Vec::new();
    if plan.wants(&[Item::Memory]) {
        let grown = said["grown"].as_u64().context("memory of the state")?;
        rows.push((Item::Memory, memory_row(subjects, grown)));
    }
    if plan.wants(&[Item::Decide]) {
        let row = Row {
            id: "decide",
            work: format!(
                "a decision about any of {} subjects at random, {NEAR} of them looked up together",
                grouped(subjects)
            ),
            unit: "ns",
            against: format!("about any of {}", grouped(subjects / SMALLER)),
            figure: runs("larger")?,
            yardstick: Yardstick::Measured(runs("smaller")?),
            better: Better::Less,
            reach: Thousandths(870),
            extra: Map::from_iter([
                ("subjects".to_owned(), json!(subjects)),
                ("read_ns".to_owned(), json!(runs("read_larger")?.median())),
                (
                    "yardstick_read_ns".to_owned(),
                    json!(runs("read_smaller")?.median()),
                ),
            ]),
        };
        rows.push((Item::Decide, row));
    }
    Ok(rows)
}

fn memory_row(subjects: u64, grown: u64) -> Row {
    const ALLOWED: u64 = 2 << 30;
    let full = FULL.subjects;
    let (scaled, allowed) = if subjects == full {
        (String::new(), ALLOWED)
    } else {
        let scaled = format!(", measured with {} of them", grouped(subjects));
        (scaled, ALLOWED / (full / subjects))
    };
    Row {
        id: "memory",
        work: format!(
            "10 million subjects in the limit state, each with a status and a grant{scaled}"
        ),
        unit: "bytes resident",
        against: "2 GiB for 10 million".to_owned(),
        // Memory does not vary from run to run as time does: one run.
        figure: Runs::from_iter([grown]),
        yardstick: Yardstick::Measured(Runs::from_iter([allowed])),
        better: Better::Less,
        reach: Thousandths(1_000),
        extra: Map::from_iter([
            ("subjects".to_owned(), json!(subjects)),
            ("bytes_per_subject".to_owned(), json!(grown / subjects)),
        ]),
    }
}

/// Folds a ledger of so many subjects and a smaller one, decides about them in
/// turns, and prints what that cost and by how many bytes this process grew.
pub(super) fn measure(subjects: u64) -> Result<()> {
    const RUNS: u64 = 9;
    let larger = Folded::new(subjects)?;
    let smaller = Folded::new(subjects / SMALLER)?;
    let reads = [Reads::new(larger.grown), Reads::new(smaller.grown)];
    let mut costs: [Runs; 4] = Default::default();
    // The first is the warm-up.
    for run in 0..=RUNS {
        let round = [
            larger.decide(run)?,
            smaller.decide(run)?,
            reads[0].read(run),
            reads[1].read(run),
        ];
        if run > 0 {
            for (costs, cost) in costs.iter_mut().zip(round) {
                costs.push(cost);
            }
        }
    }
    let [of_larger, of_smaller, read_larger, read_smaller] = &costs;
    let said = json!({
        "grown": larger.grown,
        "larger": of_larger.all(),
        "smaller": of_smaller.all(),
        "read_larger": read_larger.all(),
        "read_smaller": read_smaller.all(),
    });
    output::line(&said.to_string())?;
    Ok(())
}

/// The state of a ledger of so many subjects, each with a poverty status and a
/// grant.
struct Folded {
    state: State,
    ledger: Synthetic,
    subjects: u64,
    /// Bytes that its subjects take.
    grown: u64,
}

impl Folded {
    fn new(subjects: u64) -> Result<Self> {
        let mut ledger = Synthetic::new()?;
        let mut state = State::default();
        state.apply(&ledger.event(
            StreamId::of(StreamKind::Pack, "luzhou-2023"),
            Body::PolicyPackAdopted {
                pack: PackId::new("luzhou-2023")?,
                content: LUZHOU_2023.as_bytes().into(),
            },
        )?);
        let policy = state.position();
        for year in [2024, 2025] {
            state.apply(&ledger.appropriation(year)?);
        }
        for number in 0..EMPLOYERS {
            let subject = subject(u64::MAX - number);
            state.apply(&ledger.registration(subject, PartyKind::Organisation)?);
        }
        let before = resident_bytes("/proc/self/status")?;
        for number in 0..subjects {
            let subject = subject(number);
            state.apply(&ledger.registration(subject, PartyKind::Person)?);
            state.apply(&ledger.status(subject)?);
            let mut grant = ledger.grant(number)?;
            grant.header.policy = policy;
            state.apply(&grant);
        }
        let grown = resident_bytes("/proc/self/status")?.saturating_sub(before);
        // Every subject must still be there when the memory was counted.
        ensure!(
            u64::try_from(state.streams())? > subjects,
            "the state has fewer streams than subjects"
        );
        Ok(Self {
            state,
            ledger,
            subjects,
            grown,
        })
    }

    /// Nanoseconds of a decision, each about another subject. Commands are
    /// prepared before the clock runs.
    fn decide(&self, run: u64) -> Result<u64> {
        let numbers = (0..DECISIONS).map(|n| bureau::scatter(run << 32 | n) % self.subjects);
        let numbers: Vec<u64> = numbers.collect();
        let commands = numbers.iter().map(|number| {
            Ok(Command {
                office: Office::LUZHOU,
                // In the year after that of the grant.
                body: CommandBody::Claim(self.ledger.claim(*number, 1)?),
            })
        });
        let commands: Vec<Command> = commands.collect::<Result<_>>()?;
        let subjects = numbers.iter().map(|number| subject(*number).into());
        let subjects: Vec<StreamId> = subjects.collect();
        let mut decisions = Vec::with_capacity(commands.len());
        let mut commands = commands.into_iter();
        let began = Instant::now();
        for near in subjects.chunks(NEAR) {
            self.state.anticipate(near);
            for command in commands.by_ref().take(near.len()) {
                decisions.push(decide(&self.state, command));
            }
        }
        let cost = nanos_each(DECISIONS, began.elapsed());
        for decision in decisions {
            let body = decision.map_err(|why| anyhow::anyhow!("{why:?}"))?.body;
            ensure!(matches!(body, Body::Granted(_)), "refused: {body:?}");
        }
        Ok(cost)
    }
}

/// As much memory as a state takes: what one read of a random place in it costs
/// is how much of a decision's cost is the machine's.
struct Reads(Vec<u64>);

impl Reads {
    fn new(bytes: u64) -> Self {
        // Written, so that the pages are there.
        Self((0..(bytes / 8).max(1)).collect())
    }

    /// Nanoseconds of a read, each at a place that depends on the one before.
    fn read(&self, run: u64) -> u64 {
        let words = u64::try_from(self.0.len()).unwrap_or(u64::MAX);
        let mut place = run;
        let began = Instant::now();
        for n in 0..DECISIONS {
            let next = bureau::scatter(place ^ n ^ (run << 32));
            let index = usize::try_from(next % words).unwrap_or(0);
            place = self.0.get(index).copied().unwrap_or(0);
        }
        let cost = nanos_each(DECISIONS, began.elapsed());
        black_box(place);
        cost
    }
}

fn subject(number: u64) -> SubjectId {
    let hash = blake3::hash(&number.to_le_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hash.as_bytes()[..16]);
    SubjectId::from_bytes(id)
}

/// A log that is never written.
struct Synthetic {
    next: u64,
    principal: Principal,
    list: Label,
    fund: FundId,
}

impl Synthetic {
    fn new() -> Result<Self> {
        Ok(Self {
            next: 1,
            principal: Principal::new("bench")?,
            list: Label::new("2020-1")?,
            fund: FundId::new("employment-city")?,
        })
    }

    fn event(&mut self, stream: StreamId, body: Body) -> Result<Event> {
        let position = Position::new(self.next).context("position")?;
        self.next += 1;
        Ok(Event {
            header: Header {
                position,
                stream,
                revision: 1,
                stream_previous: None,
                recorded_at: i64::try_from(self.next)?,
                request: None,
                principal: self.principal.clone(),
                office: Some(Office::LUZHOU),
                basis: None,
                policy: None,
                cause: None,
                salt: [0; 16],
                credential: None,
            },
            body,
        })
    }

    fn registration(&mut self, subject: SubjectId, kind: PartyKind) -> Result<Event> {
        let body = Body::PartyRegistered(Party {
            kind,
            subject,
            sealed: Box::default(),
            digest: [7; 8],
        });
        self.event(subject.into(), body)
    }

    fn status(&mut self, subject: SubjectId) -> Result<Event> {
        let fact = Fact::PovertyStatus(PovertyStatus {
            person: subject,
            window: Window::new(Date::constant(2020, 1, 1), None)?,
            list_version: self.list.clone(),
        });
        self.event(subject.into(), Body::Fact(fact))
    }

    fn appropriation(&mut self, year: i64) -> Result<Event> {
        let fact = Fact::Appropriation(Appropriation {
            document: DocumentNo::new(format!("泸市财社〔{year}〕1号"))?,
            fund: self.fund.clone(),
            programme: ProgrammeId::new("service-subsidy")?,
            office: Office::LUZHOU,
            year: BudgetYear::new(year)?,
            amount: Fen::new(900_000_000_000_000)?,
        });
        let stream = StreamId::of(StreamKind::Fund, self.fund.as_str());
        self.event(stream, Body::Fact(fact))
    }

    fn grant(&mut self, number: u64) -> Result<Event> {
        let claim = self.claim(number, 0)?;
        self.event(subject(number).into(), Body::Granted(claim))
    }

    /// A claim for a person, with another employer each year after 2024.
    fn claim(&self, number: u64, later: i16) -> Result<Claim> {
        let from = |year| Date::new(year, 3, 1);
        let first = from(2024 + later)?;
        let employer = (number + u64::try_from(later)?) % EMPLOYERS;
        Ok(Claim::ServiceSubsidy(ServiceSubsidy {
            claim_no: ClaimNo::new(format!("FW-{later}{number:09}"))?,
            agency: subject(u64::MAX),
            worker: subject(number),
            employer: subject(u64::MAX - employer),
            contract_first_day: first,
            contract_last_day: from(2025 + later)?,
            insured_from: Some(first),
            amount: Fen::new(30_000)?,
            fund: self.fund.clone(),
        }))
    }
}
