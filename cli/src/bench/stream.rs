//! Batches: one stream, messages of 1,000 commands, a few messages on their way
//! before the first is answered.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use luzhang_proto::wire::{
    Command, ExportBlocksRequest, GetHeadRequest, SubmitBatchRequest, SubmitBatchResponse,
    audit_service_client::AuditServiceClient, ledger_service_client::LedgerServiceClient,
};
use prost::bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::{StreamExt as _, wrappers::ReceiverStream};
use tonic::{Streaming, transport::Channel};

use super::{load, site::Interrupt};

/// Messages that are under way before the first is answered.
pub(super) const WINDOW: usize = 8;
/// Blocks travel in larger messages than the default allows.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// What a run of batches gave.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent {
    pub(super) commands: u64,
    pub(super) time: Duration,
}

/// A connection for batches and for reading blocks back.
#[derive(Clone, Debug)]
pub(super) struct Importer {
    ledger: LedgerServiceClient<Channel>,
    audit: AuditServiceClient<Channel>,
}

impl Importer {
    pub(super) async fn connect(url: &str) -> Result<Self> {
        let channel = load::connect(url).await?;
        Ok(Self {
            ledger: LedgerServiceClient::new(channel.clone()),
            audit: AuditServiceClient::new(channel).max_decoding_message_size(MAX_ANSWER),
        })
    }

    /// Sends messages and waits for all answers. The time is from the first
    /// message to the last answer.
    pub(super) async fn send(
        &mut self,
        messages: impl Iterator<Item = Vec<Command>>,
        interrupt: &Interrupt,
    ) -> Result<Sent> {
        let mut messages = messages.map(|commands| SubmitBatchRequest { commands });
        let (send, receive) = mpsc::channel(WINDOW);
        let began = Instant::now();
        let answers = self
            .ledger
            .submit_batch(ReceiverStream::new(receive))
            .await?;
        let mut answers = answers.into_inner();
        let mut sent = Sent::default();
        let mut under_way = 0_usize;
        loop {
            interrupt.check()?;
            while under_way < WINDOW
                && let Some(message) = messages.next()
            {
                if send.send(message).await.is_err() {
                    break;
                }
                under_way += 1;
            }
            if under_way == 0 {
                break;
            }
            sent.commands += accepted(&mut answers).await?;
            under_way -= 1;
        }
        sent.time = began.elapsed();
        Ok(sent)
    }

    /// The durable end of the chain.
    pub(super) async fn position(&mut self) -> Result<u64> {
        Ok(self
            .audit
            .get_head(GetHeadRequest {})
            .await?
            .into_inner()
            .position)
    }

    /// The blocks from the one that holds this position on.
    pub(super) async fn blocks(&mut self, from: u64) -> Result<Vec<Bytes>> {
        let answers = self
            .audit
            .export_blocks(ExportBlocksRequest { from })
            .await?;
        let mut answers = answers.into_inner();
        let mut blocks = Vec::new();
        while let Some(answer) = answers.next().await {
            blocks.extend(answer?.blocks.into_iter().map(|block| block.bytes));
        }
        Ok(blocks)
    }
}

/// The next answer: how many commands it accepts, which must be all.
async fn accepted(answers: &mut Streaming<SubmitBatchResponse>) -> Result<u64> {
    let Some(answer) = answers.next().await else {
        bail!("the stream ended before the last answer");
    };
    let outcomes = answer?.outcomes;
    outcomes.iter().try_for_each(load::is_new)?;
    Ok(outcomes.len().try_into()?)
}
