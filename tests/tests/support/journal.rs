//! Clients that write down what they ask and what they are answered.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use luzhang_proto::{
    google::r#type::Date,
    wire::{self, command::Body, outcome::Result as Answer},
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};
use tokio_stream::wrappers::ReceiverStream;
use uuid::Uuid;

use crate::support::{Grpc, Organisation, Person, Server};

/// Unary requests in flight.
const IN_FLIGHT: usize = 8;
/// Commands in one message of the batch beside them, and such messages in flight.
const BATCH: u32 = 24;
const BATCHES: usize = 3;

/// All that was ever asked, by request id, and what was answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal {
    known: Arc<Mutex<BTreeMap<String, Known>>>,
    next: Arc<AtomicU32>,
}

#[derive(Clone, Debug)]
struct Known {
    command: wire::Command,
    outcome: Option<Outcome>,
}

/// An answer as it must be given again.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outcome {
    receipt: wire::Receipt,
    codes: Vec<String>,
}

/// What became of requests that a kill left without an answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Found {
    acknowledged: usize,
    recorded: usize,
    lost: usize,
}

impl Outcome {
    /// The answer, and whether it says that it was given before.
    fn of(outcome: wire::Outcome) -> (Self, bool) {
        let replayed = outcome.replayed;
        let (receipt, reasons) = match outcome.result.unwrap() {
            Answer::Accepted(accepted) => (accepted.receipt, accepted.warnings),
            Answer::Refused(refused) => (refused.receipt, refused.reasons),
            Answer::Rejected(rejected) => panic!("{rejected:?}"),
        };
        let codes = reasons.into_iter().map(|reason| reason.code).collect();
        let receipt = receipt.unwrap();
        (Self { receipt, codes }, replayed)
    }
}

impl Journal {
    /// The next command, written down before it is sent.
    fn next(&self) -> wire::Command {
        let command = command(self.next.fetch_add(1, Ordering::Relaxed));
        let known = Known {
            command: command.clone(),
            outcome: None,
        };
        let mut journal = self.known.lock().unwrap();
        assert!(journal.insert(command.request_id.clone(), known).is_none());
        command
    }

    /// A command that is asked for by other means; an answer is not written down.
    pub(crate) fn aside(&self) -> wire::Command {
        self.next()
    }

    /// Asks for everything that was acknowledged again, and counts what is not known.
    pub(crate) async fn lost(&self, url: &str) -> usize {
        let mut grpc = Grpc::connect(url).await;
        let acknowledged: Vec<wire::Command> = {
            let journal = self.known.lock().unwrap();
            let known = journal.values().filter(|known| known.outcome.is_some());
            known.map(|known| known.command.clone()).collect()
        };
        let mut lost = 0;
        for command in acknowledged {
            let request = wire::SubmitRequest {
                command: Some(command),
                ..wire::SubmitRequest::default()
            };
            let answer = grpc.ledger.submit(request).await.unwrap().into_inner();
            lost += usize::from(!answer.outcome.unwrap().replayed);
        }
        lost
    }

    fn acknowledge(&self, request_id: &str, outcome: wire::Outcome) {
        let (outcome, replayed) = Outcome::of(outcome);
        assert!(!replayed, "{request_id} was asked once");
        let mut journal = self.known.lock().unwrap();
        journal.get_mut(request_id).unwrap().outcome = Some(outcome);
    }

    /// Asks for everything again. What was acknowledged has the same answer;
    /// what was not gets one now.
    pub(crate) async fn find_again(&self, url: &str) -> Found {
        let mut grpc = Grpc::connect(url).await;
        let commands: Vec<_> = {
            let journal = self.known.lock().unwrap();
            journal
                .values()
                .map(|known| known.command.clone())
                .collect()
        };
        let messages: Vec<_> = commands
            .chunks(500)
            .map(|commands| wire::SubmitBatchRequest {
                commands: commands.to_vec(),
            })
            .collect();
        let answers = grpc.ledger.submit_batch(tokio_stream::iter(messages)).await;
        let mut answers = answers.unwrap().into_inner();
        let mut outcomes = Vec::new();
        while let Some(answer) = answers.message().await.unwrap() {
            outcomes.extend(answer.outcomes);
        }
        assert_eq!(outcomes.len(), commands.len());
        let mut found = Found::default();
        let mut journal = self.known.lock().unwrap();
        for (known, outcome) in journal.values_mut().zip(outcomes) {
            let (now, replayed) = Outcome::of(outcome);
            match &known.outcome {
                Some(then) => {
                    assert!(replayed, "lost: {then:?}");
                    assert_eq!(*then, now);
                    found.acknowledged += 1;
                }
                None if replayed => found.recorded += 1,
                None => found.lost += 1,
            }
            known.outcome = Some(now);
        }
        found
    }

    /// Every request is one event of the log, every hash holds, and a rebuild
    /// has the digests of the running server.
    pub(crate) async fn nothing_is_there_twice(&self, server: &Server) {
        let events = Grpc::connect(server.url()).await.events().await;
        let mut marks = BTreeSet::new();
        let mut asked = BTreeMap::new();
        for (stored, position) in events.iter().zip(1..) {
            let event = stored.event.as_ref().unwrap();
            assert_eq!(event.position, position);
            if !event.request.is_empty() {
                assert!(
                    marks.insert(event.request.clone()),
                    "{position} is there twice"
                );
                asked.insert(position, stored.event_hash.clone());
            }
        }
        let receipts: BTreeMap<_, _> = {
            let journal = self.known.lock().unwrap();
            let outcomes = journal.values().map(|known| known.outcome.clone().unwrap());
            outcomes
                .map(|o| (o.receipt.position, o.receipt.event_hash))
                .collect()
        };
        assert!(
            asked == receipts,
            "{} events, {} receipts",
            asked.len(),
            receipts.len()
        );
        let Some((position, hash)) = receipts.last_key_value() else {
            return;
        };
        let hash = luzhang_ledger::Hash::from_bytes(hash.as_slice().try_into().unwrap());
        let head = format!("{position}:{hash}");
        let target = server.target();
        let verified = target
            .run(["audit", "verify", "-o", "json", "--head", &head])
            .ended(0);
        assert_eq!(verified.json()["verdict"], "intact");
        let rebuilt = target.run(["rebuild", "-o", "json"]).ended(0);
        assert_eq!(rebuilt.json()["matches"], true);
    }
}

/// Clients that ask as fast as they are answered, until the server is gone.
pub(crate) struct Load {
    clients: JoinSet<()>,
    acknowledgements: Arc<Semaphore>,
}

impl Load {
    pub(crate) fn start(url: &str, journal: &Journal) -> Self {
        let acknowledgements = Arc::new(Semaphore::new(0));
        let mut clients = JoinSet::new();
        for _ in 0..IN_FLIGHT {
            let (url, journal) = (url.to_owned(), journal.clone());
            clients.spawn(one_by_one(url, journal, Arc::clone(&acknowledgements)));
        }
        let (url, journal) = (url.to_owned(), journal.clone());
        clients.spawn(in_batches(url, journal, Arc::clone(&acknowledgements)));
        Self {
            clients,
            acknowledgements,
        }
    }

    /// Waits for so many acknowledgements.
    pub(crate) async fn acknowledged(&self, count: u64) {
        let count = count.try_into().unwrap();
        self.acknowledgements
            .acquire_many(count)
            .await
            .unwrap()
            .forget();
    }

    /// Waits until all clients have given up; how many more acknowledgements
    /// there were.
    pub(crate) async fn ended(self) -> usize {
        self.clients.join_all().await;
        self.acknowledgements.available_permits()
    }
}

async fn connect(url: String) -> Option<Grpc> {
    // The server may be gone before anyone has asked.
    Grpc::try_connect(&url).await.ok()
}

async fn one_by_one(url: String, journal: Journal, acknowledgements: Arc<Semaphore>) {
    let Some(mut grpc) = connect(url).await else {
        return;
    };
    loop {
        let command = journal.next();
        let request_id = command.request_id.clone();
        let request = wire::SubmitRequest {
            receipt: false,
            command: Some(command),
        };
        let Ok(answer) = grpc.ledger.submit(request).await else {
            return;
        };
        journal.acknowledge(&request_id, answer.into_inner().outcome.unwrap());
        acknowledgements.add_permits(1);
    }
}

async fn in_batches(url: String, journal: Journal, acknowledgements: Arc<Semaphore>) {
    let Some(mut grpc) = connect(url).await else {
        return;
    };
    let (send, messages) = mpsc::channel(BATCHES);
    let (asked_send, mut asked) = mpsc::channel(BATCHES);
    let feeder = tokio::spawn(async move {
        loop {
            let commands: Vec<_> = (0..BATCH).map(|_| journal.next()).collect();
            let ids: Vec<_> = commands.iter().map(|c| c.request_id.clone()).collect();
            let message = wire::SubmitBatchRequest { commands };
            if asked_send.send((journal.clone(), ids)).await.is_err()
                || send.send(message).await.is_err()
            {
                return;
            }
        }
    });
    if let Ok(answers) = grpc
        .ledger
        .submit_batch(ReceiverStream::new(messages))
        .await
    {
        let mut answers = answers.into_inner();
        while let Ok(Some(answer)) = answers.message().await {
            let (journal, ids) = asked.recv().await.unwrap();
            assert_eq!(ids.len(), answer.outcomes.len());
            for (id, outcome) in ids.iter().zip(answer.outcomes) {
                journal.acknowledge(id, outcome);
                acknowledgements.add_permits(1);
            }
        }
    }
    drop(asked);
    feeder.await.unwrap();
}

/// The `index`th command; some are refused, some correct a name.
pub(crate) fn command(index: u32) -> wire::Command {
    let day = |month, day| {
        Some(Date {
            year: 2024,
            month,
            day,
        })
    };
    let fund = "中央就业创业补助资金".to_owned();
    let person = Person::number(index).wire();
    let body = match index % 5 {
        0 => Body::PovertyStatus(wire::PovertyStatus {
            person: Some(person),
            from: day(1, 1),
            until: None,
            list_version: "名册".to_owned(),
        }),
        1 => Body::UnemploymentBenefit(wire::UnemploymentBenefit {
            person: Some(person),
            first_day: day(2, 1),
            last_day: day(2, 29),
            source: "来源".to_owned(),
        }),
        2 => Body::Appropriation(wire::Appropriation {
            document: format!("文{index}"),
            fund,
            programme: "skill-base".to_owned(),
            office: "510500".to_owned(),
            year: 2024,
            amount_fen: 5_000_000,
        }),
        3 => Body::SkillBase(wire::SkillBase {
            claim_no: format!("甲{index}"),
            entity: Some(Organisation::number(index).wire()),
            kind: wire::SkillBaseKind::MasterStudio.into(),
            level: wire::RecognitionLevel::National.into(),
            recognised_on: day(3, 1),
            document: format!("文{index}"),
            amount_fen: 10_000_000,
            fund,
        }),
        _ => Body::PovertyStatus(wire::PovertyStatus {
            person: Some(wire::Person {
                name: format!("改名{index}"),
                ..Person::number(index - 4).wire()
            }),
            from: day(5, 1),
            until: day(6, 1),
            list_version: "名册".to_owned(),
        }),
    };
    wire::Command {
        request_id: Uuid::from_u128(index.into()).to_string(),
        office: String::new(),
        body: Some(body),
    }
}
