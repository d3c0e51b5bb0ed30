//! Names for the reports that show them: opened where the keys are, and masked
//! before they go anywhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    path::Path,
};

use luzhang_ledger::{Body, Position, SubjectId, event::PartyKind, identity::Details};
use luzhang_projections::report::Shown;
use luzhang_proto::wire;
use luzhang_server::{
    replay::Replayed,
    vault::{KekSource, Vault, VaultError},
};

use super::cover::Names;
use crate::{args::Global, client::Client, failure::Failure, source::Source};

/// Subjects asked for at a time.
const ASKED: usize = 1_000;

/// Subjects under seal, newest last.
#[derive(Default)]
struct Sealed {
    parties: BTreeMap<SubjectId, (PartyKind, Box<[u8]>)>,
    accounts: BTreeMap<SubjectId, Box<[u8]>>,
}

/// What may be shown of `subjects`, as known at `position`.
pub(super) async fn shown(
    global: &Global,
    source: &Source,
    subjects: Vec<SubjectId>,
    position: Option<Position>,
) -> Result<(BTreeMap<SubjectId, Shown>, Names), Failure> {
    if subjects.is_empty() {
        return Ok((BTreeMap::new(), Names::None));
    }
    let keys = match source {
        Source::Server => {
            let shown = asked(global, subjects, position).await?;
            return Ok((shown, Names::Opened));
        }
        Source::Dir(dir, _) => Some(dir.as_path()),
        Source::File(_) => global.data_dir.as_deref(),
    };
    let kek = global.kek()?;
    let vault = keys.map(|dir| vault(dir, &kek)).transpose()?.flatten();
    let Some(vault) = vault else {
        return Ok((BTreeMap::new(), Names::Sealed));
    };
    let wanted: BTreeSet<SubjectId> = subjects.into_iter().collect();
    let what = ("查找姓名", "looking for names");
    let sealed = source.walk(global, what, Sealed::default(), move |sealed, event| {
        if let Body::SubjectErased(erasure) = &event.event.body {
            // Whatever was known then, nobody can open it now.
            sealed.parties.remove(&erasure.subject);
            sealed.accounts.remove(&erasure.subject);
        } else if Some(event.header.position) <= position {
            keep(sealed, event, &wanted);
        }
        ControlFlow::Continue(())
    });
    let Sealed { parties, accounts } = sealed.await?;
    let mut shown = BTreeMap::new();
    for (subject, (kind, sealed)) in parties {
        let details = vault.open_sealed(subject, &sealed)?;
        let account = accounts.get(&subject);
        let account = account.map(|sealed| vault.open_sealed(subject, sealed));
        let account = account.transpose()?;
        let number = account.as_ref().map(Details::number);
        let of = Shown::of(kind, details.name(), details.number(), number);
        shown.insert(subject, of);
    }
    Ok((shown, Names::Opened))
}

fn keep(sealed: &mut Sealed, event: &Replayed, wanted: &BTreeSet<SubjectId>) {
    if let Body::PartyRegistered(party) | Body::PartyCorrected(party) = &event.event.body {
        if wanted.contains(&party.subject) {
            let entry = (party.kind, party.sealed.clone());
            sealed.parties.insert(party.subject, entry);
        }
    } else if let Body::AccountBound(account) = &event.event.body
        && wanted.contains(&account.subject)
    {
        sealed
            .accounts
            .insert(account.subject, account.sealed.clone());
    }
}

/// The keys of a data directory, unless there are none.
fn vault(dir: &Path, kek: &KekSource) -> Result<Option<Vault>, Failure> {
    match Vault::for_reading(dir, kek) {
        Ok(vault) => Ok(Some(vault)),
        Err(VaultError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Asks the server, which has the keys.
async fn asked(
    global: &Global,
    subjects: Vec<SubjectId>,
    position: Option<Position>,
) -> Result<BTreeMap<SubjectId, Shown>, Failure> {
    let target = global.target()?;
    let client = Client::open(&target, global.principal.as_deref(), global.lang()).await?;
    let mut shown = BTreeMap::new();
    for part in subjects.chunks(ASKED) {
        let request = wire::GetMaskedDetailsRequest {
            subject_ids: part.iter().map(|id| id.as_bytes().to_vec()).collect(),
            position: position.map_or(0, Position::number),
        };
        let answer = client.cases().get_masked_details(request).await;
        let answer = answer?.into_inner();
        for details in answer.subjects {
            let id = <[u8; 16]>::try_from(&details.subject_id[..]).unwrap_or_default();
            let of = Shown {
                name: details.name,
                identity: details.identity,
                account: details.account,
            };
            shown.insert(SubjectId::from_bytes(id), of);
        }
    }
    client.close().await?;
    Ok(shown)
}
