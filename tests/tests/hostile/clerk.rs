//! The one who behaves: single requests, one after the other.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use luzhang_proto::{
    google::r#type::Date,
    wire::{
        self, command::Body, ledger_service_client::LedgerServiceClient, outcome::Result as Said,
    },
};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};
use uuid::Uuid;

use crate::support::Organisation;

/// Says who asks.
#[derive(Clone, Debug)]
pub(crate) struct As(MetadataValue<Ascii>);

impl Interceptor for As {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request
            .metadata_mut()
            .insert("luzhang-principal", self.0.clone());
        Ok(request)
    }
}

pub(crate) type Client = LedgerServiceClient<InterceptedService<Channel, As>>;

/// A connection of its own.
pub(crate) async fn connect(url: &str, principal: &'static str) -> Option<Client> {
    let endpoint = Endpoint::from_shared(url.to_owned()).unwrap();
    let channel = endpoint
        .tcp_nodelay(true)
        .connect_timeout(Duration::from_secs(10))
        .connect()
        .await
        .ok()?;
    let named = As(MetadataValue::from_static(principal));
    Some(LedgerServiceClient::with_interceptor(channel, named))
}

/// A course that nobody else has.
pub(crate) fn course(who: &str, number: u64) -> wire::Command {
    let day = |day| {
        Some(Date {
            year: 2024,
            month: 3,
            day,
        })
    };
    wire::Command {
        request_id: Uuid::from_u64_pair(
            u64::from_le_bytes(
                blake3::hash(who.as_bytes()).as_bytes()[..8]
                    .try_into()
                    .unwrap(),
            ),
            number,
        )
        .to_string(),
        office: "510502".to_owned(),
        body: Some(Body::Course(wire::Course {
            course_no: format!("{who}-{number}"),
            provider: Some(Organisation::number(1).wire()),
            trade: "酿酒工".to_owned(),
            first_day: day(4),
            last_day: day(8),
        })),
    }
}

/// Who behaves, and what she was told.
#[derive(Debug)]
pub(crate) struct Clerk {
    client: Client,
    /// Positions by the number of the course.
    accepted: BTreeMap<u64, u64>,
}

impl Clerk {
    pub(crate) async fn new(url: &str) -> Self {
        Self {
            client: connect(url, "clerk").await.unwrap(),
            accepted: BTreeMap::new(),
        }
    }

    /// Submits so many courses: how long each took.
    pub(crate) async fn work(&mut self, count: usize) -> Vec<Duration> {
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let number = self.accepted.len() as u64;
            let began = Instant::now();
            let (position, replayed) = self.submit(number).await;
            times.push(began.elapsed());
            assert!(!replayed);
            self.accepted.insert(number, position);
        }
        times
    }

    /// Whether all that was accepted is there once: asked again, each has its
    /// place of then, and no two have the same.
    pub(crate) async fn check(&mut self) {
        for (number, position) in self.accepted.clone() {
            assert_eq!(self.submit(number).await, (position, true));
        }
        let mut positions: Vec<_> = self.accepted.values().collect();
        positions.sort();
        positions.dedup();
        assert_eq!(positions.len(), self.accepted.len());
    }

    /// The newest position.
    pub(crate) fn newest(&self) -> u64 {
        self.accepted.values().max().copied().unwrap_or_default()
    }

    async fn submit(&mut self, number: u64) -> (u64, bool) {
        let request = wire::SubmitRequest {
            command: Some(course("CLERK", number)),
            receipt: false,
        };
        let answer = self.client.submit(request).await;
        let outcome = answer.unwrap().into_inner().outcome.unwrap();
        match outcome.result {
            Some(Said::Accepted(accepted)) => {
                (accepted.receipt.unwrap().position, outcome.replayed)
            }
            other => panic!("{other:?}"),
        }
    }
}
