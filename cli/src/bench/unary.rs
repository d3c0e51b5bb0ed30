//! Single requests: the ledger, new and large, and its yardsticks, taking turns.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use luzhang_proto::wire::SubmitRequest;
use serde_json::json;

use super::{
    Item, Plan,
    bureau::{self, Case, MESSAGE, SLOTS, Walk},
    large::Large,
    load::{self, Bounds, CONNECTIONS, Fleet, IN_FLIGHT, Slice, Stock},
    postgres::{self, Claim, Postgres},
    row::{Better, Row, Runs, Thousandths, Yardstick, grouped},
    site::{CpuClock, Interrupt, Service},
    stream::Importer,
    tell,
};

/// One of those who take turns.
struct Contestant {
    server: Server,
    walk: Walk,
    slices: Vec<Slice>,
}

enum Server {
    Grpc {
        fleet: Fleet,
        stock: Arc<Stock<SubmitRequest>>,
        clock: CpuClock,
        /// Ends with the contestant; the large ledger goes on.
        _service: Option<Service>,
    },
    Postgres {
        instance: Postgres,
        stock: Arc<Stock<Claim>>,
    },
}

impl Contestant {
    fn new(server: Server, walk: Walk) -> Self {
        Self {
            server,
            walk,
            slices: Vec::new(),
        }
    }

    async fn serving(service: Service, walk: Walk) -> Result<Self> {
        let server = Server::Grpc {
            fleet: Fleet::connect(&service.url).await?,
            stock: Arc::default(),
            clock: service.clock(),
            _service: Some(service),
        };
        Ok(Self::new(server, walk))
    }

    /// Prepares the requests, then lets the clock run.
    async fn run(&mut self, bounds: Bounds, interrupt: &Interrupt) -> Result<Slice> {
        let walk = self.walk.by_ref();
        match &self.server {
            Server::Grpc {
                fleet,
                stock,
                clock,
                ..
            } => {
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
}

/// The rows of single requests that are asked for.
pub(super) async fn rows(plan: &Plan<'_>, large: Option<&mut Large>) -> Result<Vec<(Item, Row)>> {
    let mut field = Field::gather(plan, large).await?;
    field.race(plan).await?;
    let mut rows = Vec::new();
    if plan.wants(&[Item::Echo]) {
        rows.extend(field.echo_row().map(|row| (Item::Echo, row)));
    }
    if plan.wants(&[Item::Postgres]) {
        rows.push((Item::Postgres, field.postgres_row()));
    }
    rows.extend(field.inside_row().map(|row| (Item::Inside, row)));
    rows.extend(field.tree_row().map(|row| (Item::Tree, row)));
    Ok(rows)
}

impl Field {
    async fn gather(plan: &Plan<'_>, large: Option<&mut Large>) -> Result<Self> {
        tell("a new ledger and its yardsticks");
        let walk = || Walk::new(plan.scale.new_persons, 0..SLOTS);
        let service = new_ledger(plan, "new", &[]).await?;
        let new_events = Importer::connect(&service.url).await?.position().await?;
        let new = Contestant::serving(service, walk()).await?;
        let mut echo = None;
        if plan.wants(&[Item::Echo]) {
            let mut command = plan.site.program();
            command.args(["bench", "--role", "echo-server"]);
            let service = plan.site.listen("the echo server", command)?;
            echo = Some(Contestant::serving(service, walk()).await?);
        }
        let mut bare = None;
        if plan.wants(&[Item::Tree]) {
            let service = new_ledger(plan, "bare", &["--tree", "off"]).await?;
            bare = Some(Contestant::serving(service, walk()).await?);
        }
        let mut inside = None;
        if let Some(large) = large.filter(|_| plan.wants(&[Item::Inside])) {
            let server = Server::Grpc {
                fleet: Fleet::connect(large.url()).await?,
                stock: Arc::default(),
                clock: large.clock(),
                _service: None,
            };
            // The import takes the slots 0 and 1, the batches take 2.
            let walk = Walk::new(large.persons(), 3..SLOTS);
            inside = Some((Contestant::new(server, walk), large.position().await?));
        }
        let postgres = if plan.wants(&[Item::Postgres]) {
            postgres(plan, walk()).await
        } else {
            Err(String::new())
        };
        Ok(Self {
            new,
            new_events,
            echo,
            bare,
            inside,
            postgres,
        })
    }

    async fn race(&mut self, plan: &Plan<'_>) -> Result<()> {
        tell("single requests");
        // Two that are nearly alike need more turns to be told apart.
        let runs = if self.bare.is_some() {
            plan.scale.runs.max(5)
        } else {
            plan.scale.runs
        };
        let mut all: Vec<&mut Contestant> = vec![&mut self.new];
        all.extend(&mut self.echo);
        all.extend(&mut self.bare);
        all.extend(self.inside.as_mut().map(|(contestant, _)| contestant));
        all.extend(
            self.postgres
                .as_mut()
                .ok()
                .map(|(contestant, _)| contestant),
        );
        for contestant in &mut all {
            contestant
                .run(plan.scale.warm_up, &plan.site.interrupt)
                .await?;
        }
        for _ in 0..runs {
            for contestant in &mut all {
                let slice = contestant
                    .run(plan.scale.unary, &plan.site.interrupt)
                    .await?;
                contestant.slices.push(slice);
            }
            // Whoever was first is last the next time.
            all.reverse();
        }
        Ok(())
    }

    fn echo_row(&self) -> Option<Row> {
        let echo = self.echo.as_ref()?;
        Some(Row {
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
            work: format!("unary issue, {IN_FLIGHT} in flight, beside PostgreSQL"),
            against,
            yardstick,
            reach: Thousandths(15_000),
            ..row(&self.new, peer)
        }
    }

    fn inside_row(&self) -> Option<Row> {
        let (inside, events) = self.inside.as_ref()?;
        let mut row = Row {
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

/// What the rows have in common.
fn row(who: &Contestant, yardstick: Option<&Contestant>) -> Row {
    let mut extra = load::latencies("", &who.slices);
    let other = yardstick.iter().flat_map(|other| &other.slices);
    extra.extend(load::latencies("yardstick_", other));
    let cpu = |who: &Contestant| {
        let each: Runs = who.slices.iter().filter_map(Slice::cpu_each).collect();
        each.median()
    };
    let cpus = [
        ("server_cpu_ns", cpu(who)),
        ("yardstick_server_cpu_ns", yardstick.and_then(cpu)),
    ];
    for (name, cpu) in cpus {
        extra.extend(cpu.map(|cpu| (name.to_owned(), json!(cpu))));
    }
    extra.insert("in_flight".to_owned(), json!(IN_FLIGHT));
    extra.insert("connections".to_owned(), json!(CONNECTIONS));
    Row {
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
async fn new_ledger(plan: &Plan<'_>, name: &str, arguments: &[&str]) -> Result<Service> {
    let dir = plan.site.dir(name);
    plan.site.init(&dir)?;
    let service = plan.site.serve_with(&dir, arguments)?;
    let mut importer = Importer::connect(&service.url).await?;
    let persons = plan.scale.new_persons;
    let statuses = (0..persons)
        .step_by(usize::try_from(MESSAGE)?)
        .map(|first| {
            let last = (first + MESSAGE).min(persons);
            (first..last).map(bureau::status).collect()
        });
    let messages = std::iter::once(bureau::opening()).chain(statuses);
    importer.send(messages, &plan.site.interrupt).await?;
    Ok(service)
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
