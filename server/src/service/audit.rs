//! `AuditService`: what an auditor takes away.

use std::sync::Arc;

use luzhang_ledger::{Position, block::BlockView};
use luzhang_proto::wire::{self, audit_service_server::AuditService};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::{ANSWERS, Answers, Context};
use crate::{edge::Until, rejected::Rejected};

/// Bytes of blocks in one message of an export.
const MESSAGE: usize = 1024 * 1024;

#[tonic::async_trait]
impl AuditService for Context {
    async fn get_head(
        &self,
        _request: Request<wire::GetHeadRequest>,
    ) -> Result<Response<wire::GetHeadResponse>, Status> {
        let head = self.engine.head();
        Ok(Response::new(wire::GetHeadResponse {
            ledger_id: self.engine.ledger().to_string(),
            position: head.position.map_or(0, Position::number),
            chain_head: head.chain.as_bytes().to_vec(),
            block_hash: head.block.as_bytes().to_vec(),
            height: head.height,
            epoch: head.epoch,
        }))
    }

    type ExportBlocksStream = Answers<wire::ExportBlocksResponse>;

    async fn export_blocks(
        &self,
        request: Request<wire::ExportBlocksRequest>,
    ) -> Result<Response<Self::ExportBlocksStream>, Status> {
        let under_way = self.stream(&request)?;
        let (_, extensions, request) = request.into_parts();
        let from = Position::new(request.from).unwrap_or(Position::FIRST);
        let end = self.engine.head().position;
        let engine = Arc::clone(&self.engine);
        let (send, receive) = mpsc::channel(ANSWERS);
        tokio::task::spawn_blocking(move || {
            let mut blocks = Vec::new();
            let mut size = 0;
            for block in engine.reader().blocks_from(from) {
                let block = match block {
                    Ok(block) => block,
                    Err(error) => {
                        let status = Rejected::unreadable(&error.to_string()).into_status();
                        let _gone = send.blocking_send(Err(status));
                        return;
                    }
                };
                // What is not durable yet is not evidence yet.
                if BlockView::parse(&block).is_ok_and(|view| Some(view.first) > end) {
                    break;
                }
                size += block.len();
                blocks.push(wire::Block {
                    bytes: block.into(),
                });
                if size >= MESSAGE {
                    size = 0;
                    let blocks = std::mem::take(&mut blocks);
                    let answer = wire::ExportBlocksResponse { blocks };
                    if send.blocking_send(Ok(answer)).is_err() {
                        return;
                    }
                }
            }
            let _gone = send.blocking_send(Ok(wire::ExportBlocksResponse { blocks }));
        });
        let answers = ReceiverStream::new(receive);
        Ok(Response::new(Box::pin(Until::new(
            answers,
            &extensions,
            under_way,
        ))))
    }
}
