//! The demo's receipt: handed to whoever was refused, who then needs nobody.

use luzhang_ledger::{
    codec,
    proof::{Policy, Receipt, receipt::Subject},
};
use luzhang_proto::wire;

use super::Story;
use crate::{failure::Failure, lang::Lang, output};

impl Story<'_> {
    /// A receipt for the event at `position`, checked with the ledger's public key
    /// alone.
    pub(super) async fn receipt(&self, position: u64) -> Result<(), Failure> {
        let wanted = wire::GetReceiptRequest {
            position,
            with_content: true,
        };
        let text = self.client.proofs().get_receipt(wanted).await?.into_inner();
        let keys = self
            .client
            .proofs()
            .list_keys(wire::ListKeysRequest {})
            .await?;
        let failed = |error: &dyn std::fmt::Display| {
            Failure::new(
                "DEMO_DIFFERS",
                format!("回执不成立：{error}"),
                error.to_string(),
            )
        };
        let key = keys.into_inner().keys.pop().unwrap_or_default().key;
        // From here on nothing of the ledger is used.
        let policy = Policy::of_key(key.parse().map_err(|error| failed(&error))?);
        let receipt = Receipt::parse(text.receipt.as_bytes()).map_err(|error| failed(&error))?;
        let proven = receipt.verify(&policy).map_err(|error| failed(&error))?;
        let kind = match &receipt.subject {
            Subject::Content { stored, .. } => codec::decode(stored)
                .map_err(|error| failed(&error))?
                .body
                .kind(),
            Subject::Hash(_) => "",
        };
        let (size, bytes) = (proven.checkpoint.head.size, text.receipt.len());
        self.say(
            &format!("\n⑧ 回执：{bytes} 字节，只凭账本的公钥即可核验，无需账本、无需联网"),
            &format!(
                "\n8. A receipt: {bytes} bytes, checked with the ledger's public key, offline and alone"
            ),
        )?;
        output::line(&match self.lang {
            Lang::Zh => format!(
                "   成立：第 {position} 个事件 {kind} 在覆盖 {size} 个事件的已签署检查点之下"
            ),
            Lang::En => format!(
                "   proven: event {position}, {kind}, is under a signed checkpoint over {size} events"
            ),
        })
    }
}
