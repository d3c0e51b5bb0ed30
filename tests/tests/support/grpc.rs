//! The services of a running server, without the command line between.

use luzhang_proto::wire::{
    self, audit_service_client::AuditServiceClient, case_service_client::CaseServiceClient,
    ledger_service_client::LedgerServiceClient, projection_service_client::ProjectionServiceClient,
};
use tonic::transport::{Channel, Endpoint};

/// A connection to a server.
#[derive(Clone, Debug)]
pub(crate) struct Grpc {
    pub(crate) ledger: LedgerServiceClient<Channel>,
    pub(crate) audit: AuditServiceClient<Channel>,
    pub(crate) projections: ProjectionServiceClient<Channel>,
    pub(crate) cases: CaseServiceClient<Channel>,
}

impl Grpc {
    pub(crate) async fn connect(url: &str) -> Self {
        Self::try_connect(url).await.unwrap()
    }

    pub(crate) async fn try_connect(url: &str) -> Result<Self, tonic::transport::Error> {
        let endpoint = Endpoint::from_shared(url.to_owned())?;
        let channel = endpoint.connect().await?;
        Ok(Self {
            ledger: LedgerServiceClient::new(channel.clone()),
            audit: AuditServiceClient::new(channel.clone()),
            projections: ProjectionServiceClient::new(channel.clone()),
            cases: CaseServiceClient::new(channel),
        })
    }

    /// Name, version, position and digest of every projection.
    pub(crate) async fn digests(&mut self) -> Vec<wire::Projection> {
        let answer = self.projections.list(wire::ListRequest {}).await.unwrap();
        answer.into_inner().projections
    }

    /// All durable events from the first on.
    pub(crate) async fn events(&mut self) -> Vec<wire::StoredEvent> {
        let request = wire::ReadEventsRequest::default();
        let mut answers = self.ledger.read_events(request).await.unwrap().into_inner();
        let mut events = Vec::new();
        while let Some(answer) = answers.message().await.unwrap() {
            events.extend(answer.events);
        }
        events
    }
}
