//! What programmes, funds and offices are called, as the adopted packs say.

use std::{collections::BTreeMap, sync::Arc};

use super::{Named, words};
use crate::{pack::Bilingual, state::Adopted};

/// Names by ids; a later pack's replace an earlier one's.
#[derive(Clone, Debug)]
pub(super) struct Names {
    programmes: BTreeMap<String, Arc<Named>>,
    funds: BTreeMap<String, Arc<Named>>,
    offices: BTreeMap<u32, Arc<Named>>,
    events: BTreeMap<&'static str, Arc<Named>>,
}

impl Default for Names {
    fn default() -> Self {
        let event = |kind: &&'static str| (*kind, Arc::new(words::event(kind)));
        Self {
            programmes: BTreeMap::new(),
            funds: BTreeMap::new(),
            offices: BTreeMap::new(),
            events: luzhang_ledger::event::KINDS.iter().map(event).collect(),
        }
    }
}

fn named(id: &str, name: &Bilingual) -> Arc<Named> {
    Arc::new(Named {
        id: id.to_owned(),
        zh: name.zh.clone(),
        en: name.en.clone(),
    })
}

/// What nobody named is called by its id.
fn nameless(id: &str) -> Arc<Named> {
    Arc::new(Named {
        id: id.to_owned(),
        zh: id.to_owned(),
        en: id.to_owned(),
    })
}

impl Names {
    pub(super) fn learn(&mut self, packs: &[Adopted]) {
        let Some(pack) = packs.last().map(|adopted| &adopted.pack) else {
            return;
        };
        for programme in &pack.programmes {
            let name = named(&programme.id, &programme.name);
            self.programmes.insert(programme.id.clone(), name);
        }
        for fund in &pack.funds {
            self.funds
                .insert(fund.id.clone(), named(&fund.id, &fund.name));
        }
        for office in &pack.offices {
            let id = office.code.to_string();
            self.offices.insert(office.code, named(&id, &office.name));
        }
    }

    pub(super) fn programme(&self, id: &str) -> Arc<Named> {
        let known = self.programmes.get(id);
        known.map_or_else(|| nameless(id), Arc::clone)
    }

    pub(super) fn fund(&self, id: &str) -> Arc<Named> {
        let known = self.funds.get(id);
        known.map_or_else(|| nameless(id), Arc::clone)
    }

    pub(super) fn office(&self, code: u32) -> Arc<Named> {
        let known = self.offices.get(&code);
        known.map_or_else(|| nameless(&format!("{code:06}")), Arc::clone)
    }

    pub(super) fn event(&self, kind: &str) -> Arc<Named> {
        let known = self.events.get(kind);
        known.map_or_else(|| nameless(kind), Arc::clone)
    }

    pub(super) fn knows_programme(&self, asked: &str) -> bool {
        knows(&self.programmes, asked)
    }

    pub(super) fn knows_fund(&self, asked: &str) -> bool {
        knows(&self.funds, asked)
    }

    pub(super) fn programmes(&self) -> String {
        ids(&self.programmes)
    }

    pub(super) fn funds(&self) -> String {
        ids(&self.funds)
    }
}

fn knows(names: &BTreeMap<String, Arc<Named>>, asked: &str) -> bool {
    names.contains_key(asked) || names.values().any(|name| name.zh == asked)
}

fn ids(names: &BTreeMap<String, Arc<Named>>) -> String {
    let ids: Vec<&str> = names.keys().map(String::as_str).collect();
    ids.join(", ")
}
