//! The yardstick of a request: a server of the same protocol, with answers of
//! the same size, that does nothing.

use anyhow::Result;
use luzhang_proto::wire::{
    self,
    ledger_service_server::{LedgerService, LedgerServiceServer},
};
use luzhang_server::Limits;
use tokio::net::TcpListener;
use tokio_stream::Empty;
use tonic::{Request, Response, Status, Streaming, transport::server::TcpIncoming};

use crate::output;

/// Listens on a free port, says where, and answers until it is killed.
pub(super) async fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    output::line(&format!("listening http://{}", listener.local_addr()?))?;
    let answer = wire::SubmitResponse {
        outcome: Some(wire::Outcome {
            result: Some(wire::outcome::Result::Accepted(wire::Accepted {
                receipt: Some(wire::Receipt {
                    ledger_id: "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(),
                    position: 1_234_567,
                    event_hash: vec![0xA5; 32],
                    recorded_at: 1_800_000_000_000_000,
                }),
                conflicts: Vec::new(),
                warnings: Vec::new(),
                cleared: Vec::new(),
            })),
            replayed: false,
        }),
        receipt: String::new(),
    };
    // Set up as the real server is: what the transport costs is the same for both.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let server = luzhang_server::transport(&Limits::default())
        .add_service(LedgerServiceServer::new(Echo(answer)));
    Ok(server.serve_with_incoming(incoming).await?)
}

#[derive(Debug)]
struct Echo(wire::SubmitResponse);

fn not_here<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("this server only echoes"))
}

#[tonic::async_trait]
impl LedgerService for Echo {
    type SubmitBatchStream = Empty<Result<wire::SubmitBatchResponse, Status>>;
    type ReadEventsStream = Empty<Result<wire::ReadEventsResponse, Status>>;

    async fn submit(
        &self,
        _: Request<wire::SubmitRequest>,
    ) -> Result<Response<wire::SubmitResponse>, Status> {
        Ok(Response::new(self.0.clone()))
    }

    async fn submit_batch(
        &self,
        _: Request<Streaming<wire::SubmitBatchRequest>>,
    ) -> Result<Response<Self::SubmitBatchStream>, Status> {
        not_here()
    }

    async fn evaluate(
        &self,
        _: Request<wire::EvaluateRequest>,
    ) -> Result<Response<wire::EvaluateResponse>, Status> {
        not_here()
    }

    async fn get_event(
        &self,
        _: Request<wire::GetEventRequest>,
    ) -> Result<Response<wire::GetEventResponse>, Status> {
        not_here()
    }

    async fn read_events(
        &self,
        _: Request<wire::ReadEventsRequest>,
    ) -> Result<Response<Self::ReadEventsStream>, Status> {
        not_here()
    }

    async fn get_subject(
        &self,
        _: Request<wire::GetSubjectRequest>,
    ) -> Result<Response<wire::GetSubjectResponse>, Status> {
        not_here()
    }

    async fn list_policies(
        &self,
        _: Request<wire::ListPoliciesRequest>,
    ) -> Result<Response<wire::ListPoliciesResponse>, Status> {
        not_here()
    }
}
