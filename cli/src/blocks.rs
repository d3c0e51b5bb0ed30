//! A log from a server, block by block; from another server where the first one goes
//! away.

use std::vec;

use bytes::Bytes;
use luzhang_ledger::block::BlockView;
use luzhang_proto::wire;
use tonic::{Status, Streaming};

use crate::{client::Client, failure::Failure, servers::Wait};

/// Blocks in order, each once. Nothing is verified of them, but that there are as many
/// as the server has said.
pub(crate) struct Blocks<'a> {
    client: &'a Client,
    /// Where the log ended when it was begun to read.
    pub(crate) head: wire::GetHeadResponse,
    answers: Option<Streaming<wire::ExportBlocksResponse>>,
    ready: vec::IntoIter<wire::Block>,
    /// The position that comes next.
    next: u64,
    wait: Wait,
}

impl<'a> Blocks<'a> {
    /// From the block on that has this position.
    pub(crate) async fn from(client: &'a Client, position: u64) -> Result<Self, Failure> {
        let head = client.audit().get_head(wire::GetHeadRequest {}).await?;
        Ok(Self {
            client,
            head: head.into_inner(),
            answers: None,
            ready: Vec::new().into_iter(),
            next: position,
            wait: Wait::default(),
        })
    }

    /// The next block; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            if let Some(block) = self.ready.next() {
                // What is no block is found by whoever verifies it.
                if let Ok(view) = BlockView::parse(&block.bytes) {
                    self.next = view.last().next().number();
                }
                return Ok(Some(block.bytes));
            }
            let status = match self.more().await {
                Ok(Some(blocks)) => {
                    self.wait.heard();
                    self.ready = blocks.into_iter();
                    continue;
                }
                Ok(None) if self.next > self.head.position => return Ok(None),
                // Another server, which has not come as far yet, or none any more.
                Ok(None) => Status::unavailable("the stream ended early"),
                Err(status) => status,
            };
            self.answers = None;
            self.client.again(&mut self.wait, status).await?;
        }
    }

    async fn more(&mut self) -> Result<Option<Vec<wire::Block>>, Status> {
        let mut answers = if let Some(answers) = self.answers.take() {
            answers
        } else {
            let request = wire::ExportBlocksRequest { from: self.next };
            let opened = self.client.audit().export_blocks(request).await?;
            opened.into_inner()
        };
        let answer = answers.message().await?;
        self.answers = Some(answers);
        Ok(answer.map(|answer| answer.blocks))
    }
}
