//! `luzhang explain POSITION` of a conflict: the grant, the fact, the limit.

use std::sync::Arc;

use luzhang_ledger::{Event, event::Conflict};
use luzhang_projections::{Pack, explain};
use serde_json::{Value, json};

use super::decided::{claim_of, clause, head, title};
use crate::{
    args::Global,
    failure::Failure,
    output::{self, Format},
};

/// A conflict with what it is between.
pub(super) struct Contradiction<'a> {
    pub(super) event: &'a Event,
    pub(super) conflict: &'a Conflict,
    /// The grant, if the log has it.
    pub(super) grant: Option<&'a Event>,
    /// The fact that came after it.
    pub(super) fact: Option<&'a Event>,
    /// The pack that allowed the grant.
    pub(super) pack: Option<Arc<Pack>>,
}

impl Contradiction<'_> {
    pub(super) fn print(&self, global: &Global) -> Result<(), Failure> {
        let reason = self
            .pack
            .as_ref()
            .map(|pack| explain::conflict(pack, self.conflict));
        let days = self.conflict.dates.days().iter().map(ToString::to_string);
        let days: Vec<String> = days.collect();
        let (limit, code) = (&self.conflict.limit, &self.conflict.code);
        if matches!(global.output, Format::Json | Format::Ndjson) {
            let other = |event: Option<&Event>| {
                event.map(|event| {
                    let mut document = head(event);
                    document.remove("schema_version");
                    if let Some(claim) = claim_of(&event.body) {
                        document.insert("number".to_owned(), json!(claim.number()));
                        document.insert("amount_fen".to_owned(), json!(claim.amount().fen()));
                    }
                    document
                })
            };
            let mut document = head(self.event);
            document.extend([
                ("limit".to_owned(), json!(limit)),
                ("code".to_owned(), json!(code)),
                (
                    "zh".to_owned(),
                    json!(reason.as_ref().map(|reason| &reason.text.zh)),
                ),
                (
                    "en".to_owned(),
                    json!(reason.as_ref().map(|reason| &reason.text.en)),
                ),
                (
                    "measure".to_owned(),
                    json!(reason.as_ref().map(|reason| reason.measure)),
                ),
                (
                    "quote".to_owned(),
                    json!(reason.as_ref().map(|reason| &reason.quote)),
                ),
                ("dates".to_owned(), json!(days)),
                ("grant".to_owned(), json!(other(self.grant))),
                ("fact".to_owned(), json!(other(self.fact))),
            ]);
            return output::line(&Value::Object(document).to_string());
        }
        let lang = global.lang();
        output::line(&title(self.event, lang))?;
        let clause = reason.as_ref().map_or_else(String::new, |reason| {
            clause(lang, reason.measure, &reason.quote)
        });
        output::line(&format!("{limit} {code}{clause}"))?;
        if let Some(reason) = &reason {
            let text = lang.pick(&reason.text.zh, &reason.text.en);
            output::line(&format!("  {text}"))?;
        }
        for (name, event) in [
            (lang.pick("  准予", "  grant"), self.grant),
            (lang.pick("  事实", "  fact"), self.fact),
        ] {
            if let Some(event) = event {
                output::line(&format!("{name}: {}", title(event, lang)))?;
            }
        }
        let name = lang.pick("  涉及日期", "  days");
        output::line(&format!("{name}: {}", days.join(", ")))
    }
}
