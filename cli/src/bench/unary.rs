//! Single requests: the ledger, new and large, and its yardsticks, taking turns.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use luzhang_proto::wire::SubmitRequest;
use serde_json::{Map, Value, json};

use super::{
    Item, Peer, Plan,
    bureau::{self, Case, MESSAGE, SLOTS, Walk},
    large::Large,
    load::{self, Bounds, CONNECTIONS, Callers, Fleet, IN_FLIGHT, Slice, Stock},
    plain_file::{self, Place},
    postgres::{self, Claim, Postgres},
    row::{Better, Row, Runs, Thousandths, Yardstick, grouped, per_second},
    site::{CpuClock, Interrupt, Service},
    stream::{Importer, Sent, WINDOW},
    tell,
};

/// One of those who take turns.
struct Contestant {
    server: Server,
    walk: Walk,
    /// The most requests of one run.
    most: usize,
    /// With many callers.
    slices: Vec<Slice>,
    /// With one.
    alone: Vec<Slice>,
}

enum Server {
    Grpc {
        many: Fleet,
        one: Fleet,
        stock: Arc<Stock<SubmitRequest>>,
        clock: CpuClock,
        url: String,
        /// Ends with the contestant; the large ledger goes on.
        _service: Option<Service>,
    },
    Postgres {
        instance: Postgres,
        stock: Arc<Stock<Claim>>,
    },
}

impl Server {
    async fn of_service(service: Service) -> Result<Self> {
        let url = service.url.clone();
        Self::at(url, service.clock(), Some(service)).await
    }

    async fn at(url: String, clock: CpuClock, service: Option<Service>) -> Result<Self> {
        Ok(Self::Grpc {
            many: Fleet::connect(&url, Callers::Many).await?,
            one: Fleet::connect(&url, Callers::One).await?,
            stock: Arc::default(),
            clock,
            url,
            _service: service,
        })
    }
}

impl Contestant {
    fn new(server: Server, walk: Walk) -> Self {
        Self {
            server,
            walk,
            most: usize::MAX,
            slices: Vec::new(),
            alone: Vec::new(),
        }
    }

    /// Prepares the requests, then lets the clock run.
    async fn run(
        &mut self,
        callers: Callers,
        bounds: Bounds,
        interrupt: &Interrupt,
    ) -> Result<Slice> {
        let walk = self.walk.by_ref();
        let bounds = Bounds {
            requests: bounds.requests.min(self.most),
            ..bounds
        };
        match &self.server {
            Server::Grpc {
                many,
                one,
                stock,
                clock,
                ..
            } => {
                let fleet = match callers {
                    Callers::Many => many,
                    Callers::One => one,
                };
                stock.fill(bounds.requests, walk.map(request))?;
                let before = clock.now()?;
                let mut slice = fleet.run(stock, bounds, interrupt).await?;
                slice.server_cpu = Some(clock.now()?.saturating_sub(before));
                Ok(slice)
            }
            Server::Postgres { instance, stock } => {
                // More than it has ever done in that time.
                stock.fill(bounds.requests / 4, walk.filter_map(Claim::new))?;
                instance.run(stock, bounds, interrupt).await
            }
        }
    }

    fn rates(&self) -> Runs {
        self.slices.iter().map(Slice::rate).collect()
    }
}

/// Two that are nearly alike need more turns to be told apart.
fn race_runs(plan: &Plan<'_>) -> usize {
    if plan.wants(&[Item::Tree]) {
        plan.scale.runs.max(5)
    } else {
        plan.scale.runs
    }
}

/// Microseconds below which so many thousandths of each run lie.
fn micros(slices: &[Slice], thousandths: usize) -> Runs {
    let latencies = slices.iter().filter_map(|slice| slice.latency(thousandths));
    latencies.map(|nanos| nanos / 1_000).collect()
}

fn request(case: Case) -> SubmitRequest {
    SubmitRequest {
        receipt: false,
        command: Some(bureau::claim(case)),
    }
}

/// All who take turns.
struct Field {
    new: Contestant,
    new_events: u64,
    echo: Option<Contestant>,
    /// The same ledger without its tree.
    bare: Option<Contestant>,
    /// And how many events are inside.
    inside: Option<(Contestant, u64)>,
    /// And its version; or why there is none.
    postgres: Result<(Contestant, String), String>,
    /// How the new ledger was filled.
    filled: Sent,
    /// The same ledger with its log in that PostgreSQL, and how that was filled.
    database: Option<(Contestant, Sent)>,
    /// Microseconds of one durable write of a claim's block, at the end of a
    /// file: half of them in each run took less.
    syncs: Runs,
    /// The same over bytes that are there.
    syncs_within: Runs,
}

/// The rows of single requests that are asked for.
pub(super) async fn rows(plan: &Plan<'_>, large: Option<&mut Large>) -> Result<Vec<(Item, Row)>> {
    let mut field = Field::gather(plan, large).await?;
    let mut rows = Vec::new();
    if plan.wants(&[Item::Single]) {
        field.alone(plan).await?;
        rows.extend(field.single_rows().map(|row| (Item::Single, row)));
    }
    let of_many = [
        Item::Echo,
        Item::Tail,
        Item::Postgres,
        Item::Database,
        Item::Inside,
        Item::Tree,
    ];
    if !plan.wants(&of_many) {
        return Ok(rows);
    }
    field.race(plan).await?;
    if plan.wants(&[Item::Echo]) {
        rows.extend(field.echo_row().map(|row| (Item::Echo, row)));
    }
    if plan.wants(&[Item::Tail]) {
        rows.push((Item::Tail, field.tail_row()));
    }
    if plan.wants(&[Item::Postgres]) {
        rows.push((Item::Postgres, field.postgres_row()));
    }
    if plan.wants(&[Item::Database]) {
        rows.push((Item::Database, field.database_row()));
        rows.push((Item::Database, field.filling_row()));
    }
    rows.extend(field.inside_row().map(|row| (Item::Inside, row)));
    rows.extend(field.tree_row().map(|row| (Item::Tree, row)));
    Ok(rows)
}

impl Field {
    async fn gather(plan: &Plan<'_>, large: Option<&mut Large>) -> Result<Self> {
        tell("a new ledger and its yardsticks");
        let walk = || Walk::new(plan.scale.new_persons, 0..SLOTS);
        let (service, filled) = new_ledger(plan, "new", &[]).await?;
        let new_events = Importer::connect(&service.url).await?.position().await?;
        let new = Contestant::new(Server::of_service(service).await?, walk());
        let mut echo = None;
        if plan.wants(&[Item::Echo, Item::Single]) {
            let mut command = plan.site.program();
            command.args(["bench", "--role", "echo-server"]);
            let service = plan.site.listen("the echo server", command)?;
            echo = Some(Contestant::new(Server::of_service(service).await?, walk()));
        }
        let mut bare = None;
        if plan.wants(&[Item::Tree]) {
            let (service, _) = new_ledger(plan, "bare", &["--tree", "off"]).await?;
            bare = Some(Contestant::new(Server::of_service(service).await?, walk()));
        }
        let mut inside = None;
        if let Some(large) = large.filter(|_| plan.wants(&[Item::Inside])) {
            let server = Server::at(large.url().to_owned(), large.clock(), None).await?;
            // The import takes the slots 0 and 1, the batches take 2.
            let walk = Walk::new(large.persons(), 3..SLOTS);
            let mut contestant = Contestant::new(server, walk);
            // If time was up early, it has fewer persons.
            let runs = u64::try_from(race_runs(plan) + 1)?;
            contestant.most = usize::try_from(large.persons() / runs)?;
            inside = Some((contestant, large.position().await?));
        }
        let postgres = if !plan.wants(&[Item::Postgres, Item::Database]) {
            Err(String::new())
        } else if plan.compare.contains(&Peer::Postgres) {
            postgres(plan, walk()).await
        } else {
            Err("ask with --compare postgres".to_owned())
        };
        let mut database = None;
        if let Ok((peer, _)) = &postgres
            && let Server::Postgres { instance, .. } = &peer.server
            && plan.wants(&[Item::Database])
        {
            let init = ["--database", &*instance.address];
            let (service, filled) =
                ledger(plan, "database", &init, &["--durable", "local"]).await?;
            let contestant = Contestant::new(Server::of_service(service).await?, walk());
            database = Some((contestant, filled));
        }
        Ok(Self {
            new,
            new_events,
            echo,
            bare,
            inside,
            postgres,
            filled,
            database,
            syncs: Runs::default(),
            syncs_within: Runs::default(),
        })
    }

    /// One caller at a time, beside what it waits for at least: a durable write
    /// and a round trip.
    async fn alone(&mut self, plan: &Plan<'_>) -> Result<()> {
        tell("one caller at a time");
        let (scale, interrupt) = (plan.scale, &plan.site.interrupt);
        let mut block = Vec::new();
        for run in 0..=scale.runs {
            for contestant in std::iter::once(&mut self.new).chain(&mut self.echo) {
                let slice = contestant.run(Callers::One, scale.alone, interrupt).await?;
                // The first is the warm-up.
                if run > 0 {
                    contestant.alone.push(slice);
                }
            }
            if block.is_empty() {
                block = self.new_block().await?;
            }
            let file = plan.site.dir("plain");
            for (place, runs) in [
                (Place::End, &mut self.syncs),
                (Place::Within, &mut self.syncs_within),
            ] {
                let times = plain_file::sync_times(&file, &block, place, scale.syncs)?;
                if run > 0 {
                    let half = load::at_share(&times, 500);
                    runs.push(half.context("no durable write was timed")? / 1_000);
                }
            }
        }
        Ok(())
    }

    /// The last block of the new ledger, as it is stored.
    async fn new_block(&self) -> Result<Vec<u8>> {
        let Server::Grpc { url, .. } = &self.new.server else {
            bail!("the ledger is not served");
        };
        let mut reader = Importer::connect(url).await?;
        let last = reader.position().await?;
        let blocks = reader.blocks(last).await?;
        let block = blocks.last().context("a new ledger without a block")?;
        Ok(luzhang_ledger::block::to_stored(block))
    }

    async fn race(&mut self, plan: &Plan<'_>) -> Result<()> {
        tell("single requests");
        let runs = race_runs(plan);
        let mut all: Vec<&mut Contestant> = vec![&mut self.new];
        all.extend(&mut self.echo);
        all.extend(&mut self.bare);
        all.extend(self.database.as_mut().map(|(database, _)| database));
        all.extend(self.inside.as_mut().map(|(contestant, _)| contestant));
        all.extend(
            self.postgres
                .as_mut()
                .ok()
                .map(|(contestant, _)| contestant),
        );
        let interrupt = &plan.site.interrupt;
        for contestant in &mut all {
            contestant
                .run(Callers::Many, plan.scale.warm_up, interrupt)
                .await?;
        }
        for _ in 0..runs {
            for contestant in &mut all {
                let slice = contestant
                    .run(Callers::Many, plan.scale.unary, interrupt)
                    .await?;
                contestant.slices.push(slice);
            }
            // Whoever was first is last the next time.
            all.reverse();
        }
        Ok(())
    }

    /// Half of one caller's requests, and all but one in a hundred.
    fn single_rows(&self) -> impl Iterator<Item = Row> {
        /// What DESIGN.md allows, in microseconds.
        const ALLOWED: u64 = 2_000;
        let echo = self.echo.as_ref();
        let trips = echo.map_or_else(Runs::default, |echo| micros(&echo.alone, 500));
        let mut extra = figures(&self.new.alone, echo.map(|echo| &echo.alone[..]));
        extra.insert("in_flight".to_owned(), json!(1));
        extra.insert("connections".to_owned(), json!(1));
        extra.insert("fdatasync_p50_us".to_owned(), json!(self.syncs.median()));
        extra.insert(
            "fdatasync_within_p50_us".to_owned(),
            json!(self.syncs_within.median()),
        );
        let row = |id, share, reached: &str, against: &str, yardstick| Row {
            id,
            work: format!("unary issue, one caller at a time: answered within, {reached}"),
            unit: "µs",
            against: against.to_owned(),
            figure: micros(&self.new.alone, share),
            yardstick: Yardstick::Measured(yardstick),
            better: Better::Less,
            reach: Thousandths(1_000),
            extra: extra.clone(),
        };
        let wait = self.syncs.plus(&trips);
        [
            row(
                "single-p50",
                500,
                "p50",
                "p50 of one append of the same block with fdatasync, plus p50 of one echo",
                wait,
            ),
            row("single-p99", 990, "p99", "2 ms", Runs::from_iter([ALLOWED])),
        ]
        .into_iter()
    }

    fn tail_row(&self) -> Row {
        /// What DESIGN.md allows, in microseconds.
        const ALLOWED: u64 = 10_000;
        Row {
            id: "tail",
            work: format!("unary issue, {IN_FLIGHT} in flight: answered within, p99"),
            unit: "µs",
            against: "10 ms".to_owned(),
            figure: micros(&self.new.slices, 990),
            yardstick: Yardstick::Measured(Runs::from_iter([ALLOWED])),
            better: Better::Less,
            reach: Thousandths(1_000),
            ..row(&self.new, None)
        }
    }

    fn echo_row(&self) -> Option<Row> {
        let echo = self.echo.as_ref()?;
        Some(Row {
            id: "echo",
            work: format!("unary issue, {IN_FLIGHT} in flight over {CONNECTIONS} connections"),
            against: "a bare tonic echo of the same message".to_owned(),
            yardstick: Yardstick::Measured(echo.rates()),
            reach: Thousandths(500),
            ..row(&self.new, Some(echo))
        })
    }

    fn tree_row(&self) -> Option<Row> {
        let bare = self.bare.as_ref()?;
        Some(Row {
            id: "tree-unary",
            work: format!("unary issue, {IN_FLIGHT} in flight, with the tree kept"),
            against: "the same without a tree".to_owned(),
            yardstick: Yardstick::Measured(bare.rates()),
            reach: Thousandths(900),
            ..row(&self.new, Some(bare))
        })
    }

    fn postgres_row(&self) -> Row {
        let (peer, against, yardstick) = match &self.postgres {
            Ok((peer, version)) => (
                Some(peer),
                format!("PostgreSQL {version}, the same rules and a hash chain in one function"),
                Yardstick::Measured(peer.rates()),
            ),
            Err(why) => (
                None,
                "PostgreSQL 15, the same rules and a hash chain in one function".to_owned(),
                Yardstick::Missing(why.clone()),
            ),
        };
        Row {
            id: "postgres",
            work: format!("unary issue, {IN_FLIGHT} in flight, beside PostgreSQL"),
            against,
            yardstick,
            reach: Thousandths(15_000),
            ..row(&self.new, peer)
        }
    }

    fn database_row(&self) -> Row {
        let version = match &self.postgres {
            Ok((_, version)) => version,
            Err(_) => "15",
        };
        let work = format!(
            "unary issue, {IN_FLIGHT} in flight, the log in PostgreSQL {version}, one instance"
        );
        let row = match &self.database {
            Some((database, _)) => Row {
                yardstick: Yardstick::Measured(self.new.rates()),
                ..row(database, Some(&self.new))
            },
            None => Row {
                figure: Runs::default(),
                yardstick: Yardstick::Missing(
                    self.postgres.as_ref().err().cloned().unwrap_or_default(),
                ),
                extra: Map::new(),
                ..row(&self.new, None)
            },
        };
        Row {
            id: "database",
            work,
            against: "the same with the log on sled".to_owned(),
            reach: Thousandths(500),
            ..row
        }
    }

    /// Of the same ledgers: how fast they were filled by a stream.
    fn filling_row(&self) -> Row {
        let rate = |sent: &Sent| Runs::from_iter([per_second(sent.commands, sent.time)]);
        let (figure, yardstick) = match &self.database {
            Some((_, sent)) => (rate(sent), Yardstick::Measured(rate(&self.filled))),
            None => (
                Runs::default(),
                Yardstick::Missing(self.postgres.as_ref().err().cloned().unwrap_or_default()),
            ),
        };
        Row {
            id: "database-batch",
            work: format!(
                "streamed batches of 1,000 statuses of new persons, {WINDOW} messages under way, \
                 the log in PostgreSQL"
            ),
            unit: "facts/s",
            against: "the same with the log on sled".to_owned(),
            figure,
            yardstick,
            better: Better::More,
            reach: Thousandths(500),
            extra: Map::new(),
        }
    }

    fn inside_row(&self) -> Option<Row> {
        let (inside, events) = self.inside.as_ref()?;
        let mut row = Row {
            id: "inside",
            work: format!(
                "unary issue, {IN_FLIGHT} in flight, {} events inside",
                grouped(*events)
            ),
            against: format!(
                "the same on a new ledger of {} events",
                grouped(self.new_events)
            ),
            yardstick: Yardstick::Measured(self.new.rates()),
            reach: Thousandths(1_000),
            ..row(inside, Some(&self.new))
        };
        row.extra.insert("events_inside".to_owned(), json!(events));
        Some(row)
    }
}

/// Latencies, and what a request costs server and load.
fn figures(slices: &[Slice], yardstick: Option<&[Slice]>) -> Map<String, Value> {
    let mut figures = of_slices("", slices);
    figures.extend(
        yardstick
            .map(|slices| of_slices("yardstick_", slices))
            .unwrap_or_default(),
    );
    figures
}

fn of_slices(prefix: &str, slices: &[Slice]) -> Map<String, Value> {
    let mut figures = load::latencies(prefix, slices);
    let server: Runs = slices.iter().filter_map(Slice::server_cpu_each).collect();
    let client: Runs = slices.iter().map(Slice::client_cpu_each).collect();
    for (name, cpu) in [("server_cpu_ns", server), ("client_cpu_ns", client)] {
        figures.extend(
            cpu.median()
                .map(|cpu| (format!("{prefix}{name}"), json!(cpu))),
        );
    }
    figures
}

/// What the rows have in common.
fn row(who: &Contestant, yardstick: Option<&Contestant>) -> Row {
    let mut extra = figures(&who.slices, yardstick.map(|other| &other.slices[..]));
    extra.insert("in_flight".to_owned(), json!(IN_FLIGHT));
    extra.insert("connections".to_owned(), json!(CONNECTIONS));
    Row {
        id: "",
        work: String::new(),
        unit: "grants/s",
        against: String::new(),
        figure: who.rates(),
        yardstick: Yardstick::Missing(String::new()),
        better: Better::More,
        reach: Thousandths(0),
        extra,
    }
}

/// A ledger in which everybody is on the poverty list and nothing was granted.
async fn new_ledger(plan: &Plan<'_>, name: &str, arguments: &[&str]) -> Result<(Service, Sent)> {
    ledger(plan, name, &[], arguments).await
}

/// The same, and how fast it was filled.
async fn ledger(
    plan: &Plan<'_>,
    name: &str,
    init: &[&str],
    serve: &[&str],
) -> Result<(Service, Sent)> {
    let dir = plan.site.dir(name);
    plan.site.init_with(&dir, init)?;
    let service = plan.site.serve_with(&dir, serve)?;
    let mut importer = Importer::connect(&service.url).await?;
    let persons = plan.scale.new_persons;
    let statuses = (0..persons)
        .step_by(usize::try_from(MESSAGE)?)
        .map(|first| {
            let last = (first + MESSAGE).min(persons);
            (first..last).map(bureau::status).collect()
        });
    let messages = std::iter::once(bureau::opening()).chain(statuses);
    let sent = importer.send(messages, &plan.site.interrupt).await?;
    Ok((service, sent))
}

async fn postgres(plan: &Plan<'_>, walk: Walk) -> Result<(Contestant, String), String> {
    let started = async {
        let binaries = postgres::find().context("its server is not installed")?;
        let persons = plan.scale.new_persons;
        let instance = Postgres::start(plan.site, &binaries, persons).await?;
        let server = Server::Postgres {
            instance,
            stock: Arc::default(),
        };
        Ok::<_, anyhow::Error>((Contestant::new(server, walk), binaries.version))
    };
    started.await.map_err(|why| format!("{why:#}"))
}
