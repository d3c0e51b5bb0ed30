//! `ProofService`: evidence that needs no trust in this server.

use luzhang_ledger::{Body, Position, StreamId, StreamKind};
use luzhang_proto::wire::{self, proof_service_server::ProofService};
use tonic::{Code, Request, Response, Status};

use super::{Context, event_not_found, position};
use crate::{
    checkpoints::{OldKey, Trouble},
    gate::Visitor,
    proofs,
    rejected::Rejected,
};

#[tonic::async_trait]
impl ProofService for Context {
    async fn get_checkpoint(
        &self,
        request: Request<wire::GetCheckpointRequest>,
    ) -> Result<Response<wire::GetCheckpointResponse>, Status> {
        let covering = request.into_inner().covering;
        let tree = self.engine.tree().map_err(Rejected::into_status)?;
        let newest = tree.published();
        let trouble = tree.trouble();
        let checkpoint = match (Position::new(covering), newest) {
            (None, Some(newest)) => newest,
            (over, _) => {
                let over = over.unwrap_or(Position::FIRST);
                if self.engine.head().position < Some(over) {
                    return Err(event_not_found(over.number()));
                }
                let signed = self.engine.checkpoint(over).await;
                signed.map_err(Rejected::into_status)?
            }
        };
        Ok(Response::new(wire::GetCheckpointResponse {
            checkpoint: checkpoint.to_string(),
            trouble_zh: trouble.as_ref().map_or_else(String::new, Trouble::zh),
            trouble_en: trouble.map_or_else(String::new, |t| t.to_string()),
        }))
    }

    async fn attest(
        &self,
        _request: Request<wire::AttestRequest>,
    ) -> Result<Response<wire::AttestResponse>, Status> {
        let attested = self.engine.attest().await;
        let position = attested.map_err(Rejected::into_status)?;
        let checkpoint = self.engine.checkpoint(position).await;
        Ok(Response::new(wire::AttestResponse {
            position: position.number(),
            checkpoint: checkpoint.map_err(Rejected::into_status)?.to_string(),
        }))
    }

    async fn get_receipt(
        &self,
        request: Request<wire::GetReceiptRequest>,
    ) -> Result<Response<wire::GetReceiptResponse>, Status> {
        let visitor = Visitor::of(request.extensions())?.clone();
        let request = request.into_inner();
        let position = position(request.position)?;
        if request.with_content
            && let Some(logged) = self.event(position)?
        {
            let seen = visitor.may_see(logged.event.header.office);
            seen.map_err(Rejected::into_status)?;
        }
        let form = if request.with_content {
            proofs::Form::Content
        } else {
            proofs::Form::Hash
        };
        let receipt = proofs::receipt(&self.engine, position, form).await;
        Ok(Response::new(wire::GetReceiptResponse {
            receipt: receipt.map_err(Rejected::into_status)?.to_string(),
        }))
    }

    async fn get_consistency(
        &self,
        request: Request<wire::GetConsistencyRequest>,
    ) -> Result<Response<wire::GetConsistencyResponse>, Status> {
        let request = request.into_inner();
        let sizes = proofs::Sizes {
            old: request.old_size,
            new: (request.new_size != 0).then_some(request.new_size),
        };
        let consistency = proofs::consistency(&self.engine, sizes).await;
        let consistency = consistency.map_err(Rejected::into_status)?;
        let nodes = consistency.proof.iter();
        Ok(Response::new(wire::GetConsistencyResponse {
            proof: nodes.map(|node| node.as_bytes().to_vec()).collect(),
            checkpoint: match sizes.new {
                None => consistency.newest.to_string(),
                Some(_) => String::new(),
            },
        }))
    }

    async fn list_keys(
        &self,
        _request: Request<wire::ListKeysRequest>,
    ) -> Result<Response<wire::ListKeysResponse>, Status> {
        // The ledger's own stream has little but these.
        let stream = StreamId::of(StreamKind::Ledger, &self.engine.ledger().to_string());
        let end = self
            .engine
            .read(|projections| projections.state.stream_end(stream))
            .await;
        let (_, mut next) = end.map_err(Rejected::into_status)?;
        let mut keys = Vec::new();
        while let Some(at) = next {
            let logged = self
                .event(at)?
                .ok_or_else(|| event_not_found(at.number()))?;
            next = logged.event.header.stream_previous;
            if let Body::CheckpointKeyAdopted(adoption) = logged.event.body {
                keys.push(wire::CheckpointKey {
                    position: at.number(),
                    key: adoption.key.to_string(),
                    recorded_at: logged.event.header.recorded_at,
                    endorsed: adoption.endorsement.is_some(),
                });
            }
        }
        keys.reverse();
        Ok(Response::new(wire::ListKeysResponse { keys }))
    }

    async fn rotate_key(
        &self,
        request: Request<wire::RotateKeyRequest>,
    ) -> Result<Response<wire::RotateKeyResponse>, Status> {
        let old = if request.into_inner().old_is_lost {
            OldKey::Lost
        } else {
            OldKey::AtHand
        };
        let key = self.engine.rotate_checkpoint_key(old).await;
        Ok(Response::new(wire::RotateKeyResponse {
            key: key.map_err(Rejected::into_status)?.to_string(),
        }))
    }
}

/// A proof from the tree did not hold.
pub(crate) fn tree_damaged() -> Rejected {
    Rejected::new(
        Code::Unavailable,
        "TREE_DAMAGED",
        "检查点所用的树与日志不符，正在根据日志重建，请稍后重试",
        "the tiles of the tree did not fit the log; they are being made anew: try again soon",
    )
}
