//! The services of a running server, without the command line between.

use std::sync::Arc;

use hyper_util::rt::TokioIo;
use luzhang_proto::wire::{
    self, audit_service_client::AuditServiceClient, case_service_client::CaseServiceClient,
    ledger_service_client::LedgerServiceClient, projection_service_client::ProjectionServiceClient,
};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

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
        Ok(Self::over(endpoint.connect().await?))
    }

    /// Over TLS, to a server that goes by the name of localhost.
    pub(crate) async fn secure(url: &str, config: ClientConfig) -> Self {
        let address = url.strip_prefix("https://").unwrap().to_owned();
        let connector = TlsConnector::from(Arc::new(config));
        let connect = service_fn(move |_| {
            let (address, connector) = (address.clone(), connector.clone());
            async move {
                let stream = TcpStream::connect(address).await?;
                // Else half of a request waits for the other half to be acknowledged.
                stream.set_nodelay(true)?;
                let name = ServerName::try_from("localhost").unwrap();
                connector.connect(name, stream).await.map(TokioIo::new)
            }
        });
        let endpoint = Endpoint::from_shared(url.to_owned()).unwrap();
        Self::over(endpoint.connect_with_connector(connect).await.unwrap())
    }

    fn over(channel: Channel) -> Self {
        Self {
            ledger: LedgerServiceClient::new(channel.clone()),
            audit: AuditServiceClient::new(channel.clone()),
            projections: ProjectionServiceClient::new(channel.clone()),
            cases: CaseServiceClient::new(channel),
        }
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
