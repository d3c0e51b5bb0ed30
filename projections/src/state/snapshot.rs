//! The state of a snapshot. Every field is named on both ways, so that none can be
//! forgotten; what only finds other things is made anew.

use std::{collections::BTreeMap, io, sync::Arc};

use luzhang_ledger::{Hash, Position, claim::Form};

use super::{Adopted, Lists, Map, State, streams::Ix};
use crate::{
    Pack,
    snapshot::{Reader, Record, Writer, misread, record},
    state::{budget::Budget, cases::Cases, names::Names, streams::Streams},
};

/// Where the fold stands.
struct Stand {
    position: Option<Position>,
    recorded_at: i64,
    erasures: u64,
}

record!(Stand {
    position,
    recorded_at,
    erasures
});

/// A pack, by its text.
struct Text {
    position: Position,
    text: String,
}

record!(Text { position, text });

impl State {
    pub(crate) fn write(&self, to: &mut Writer<'_>) -> io::Result<()> {
        let Self {
            position,
            recorded_at,
            books_only,
            packs,
            instead,
            streams,
            policies,
            funds,
            programmes,
            documents,
            budget,
            poverty,
            benefits,
            attended,
            courses,
            plaques,
            loans,
            certificates,
            authorities,
            ended,
            borrowed,
            grants,
            registered,
            cases,
            conflicts,
            accounts,
            access,
            erasures,
        } = self;
        if *books_only || instead.is_some() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let stand = Stand {
            position: *position,
            recorded_at: *recorded_at,
            erasures: *erasures,
        };
        to.value("stand", &stand)?;
        let packs: Vec<Text> = packs.iter().map(text).collect();
        to.column("packs", &packs)?;
        streams.write(to)?;
        to.column("policies", policies)?;
        funds.write("funds", to)?;
        programmes.write("programmes", to)?;
        to.pairs("documents", documents)?;
        budget.write(to)?;
        poverty.write("poverty", to)?;
        benefits.write("benefits", to)?;
        attended.write("attended", to)?;
        write_map("courses", courses, to)?;
        write_map("plaques.state", plaques, to)?;
        write_map("loans.state", loans, to)?;
        write_map("certificates", certificates, to)?;
        to.column("authorities", authorities)?;
        ended.write("ended", to)?;
        borrowed.write("borrowed", to)?;
        for (form, grants) in Form::ALL.iter().zip(grants) {
            grants.write(&of_form(*form), to)?;
        }
        to.column("registered", registered)?;
        cases.write(to)?;
        to.pairs("conflicts.open", conflicts)?;
        write_map("accounts", accounts, to)?;
        to.value("access", access)
    }

    pub(crate) fn read(from: &Reader<'_>) -> io::Result<Self> {
        // The large parts at once; each of them may use more than one thread.
        let ((streams, cases), (lists, maps)) = rayon::join(
            || rayon::join(|| Streams::read(from), || Cases::read(from)),
            || rayon::join(|| Histories::read(from), || Maps::read(from)),
        );
        let Histories {
            poverty,
            benefits,
            attended,
            ended,
            borrowed,
            grants,
        } = lists?;
        let Maps {
            courses,
            plaques,
            loans,
            certificates,
            accounts,
        } = maps?;
        let Stand {
            position,
            recorded_at,
            erasures,
        } = from.value("stand")?;
        let documents: Vec<(Box<str>, u32)> = from.column("documents")?;
        let conflicts: Vec<(u64, Vec<_>)> = from.column("conflicts.open")?;
        Ok(Self {
            position,
            recorded_at,
            books_only: false,
            packs: adopted(from.column("packs")?)?,
            instead: None,
            streams: streams?,
            policies: from.column("policies")?,
            funds: Names::read("funds", from)?,
            programmes: Names::read("programmes", from)?,
            documents: documents.into_iter().collect::<BTreeMap<_, _>>(),
            budget: Budget::read(from)?,
            poverty,
            benefits,
            attended,
            courses,
            plaques,
            loans,
            certificates,
            authorities: from.column("authorities")?,
            ended,
            borrowed,
            grants,
            registered: from.column("registered")?,
            cases: cases?,
            conflicts: conflicts.into_iter().collect::<BTreeMap<_, _>>(),
            accounts,
            access: from.value("access")?,
            erasures,
        })
    }
}

/// What happened to whom.
struct Histories {
    poverty: Lists<super::Span>,
    benefits: Lists<super::Span>,
    attended: Lists<super::Attended>,
    ended: Lists<super::ContractEnded>,
    borrowed: Lists<Ix>,
    grants: [Lists<super::Grant>; Form::ALL.len()],
}

impl Histories {
    fn read(from: &Reader<'_>) -> io::Result<Self> {
        let mut grants: [Lists<super::Grant>; Form::ALL.len()] = Default::default();
        for (form, grants) in Form::ALL.iter().zip(&mut grants) {
            *grants = Lists::read(&of_form(*form), from)?;
        }
        Ok(Self {
            poverty: Lists::read("poverty", from)?,
            benefits: Lists::read("benefits", from)?,
            attended: Lists::read("attended", from)?,
            ended: Lists::read("ended", from)?,
            borrowed: Lists::read("borrowed", from)?,
            grants,
        })
    }
}

/// What is known of some streams, by their numbers.
struct Maps {
    courses: Map<Ix, super::Course>,
    plaques: Map<Ix, super::Plaque>,
    loans: Map<Ix, super::Loan>,
    certificates: Map<Ix, super::Certificate>,
    accounts: Map<Ix, [u8; 8]>,
}

impl Maps {
    fn read(from: &Reader<'_>) -> io::Result<Self> {
        Ok(Self {
            courses: read_map("courses", from)?,
            plaques: read_map("plaques.state", from)?,
            loans: read_map("loans.state", from)?,
            certificates: read_map("certificates", from)?,
            accounts: read_map("accounts", from)?,
        })
    }
}

fn of_form(form: Form) -> String {
    format!("grants.{form:?}")
}

fn write_map<V: Record>(name: &str, map: &Map<Ix, V>, to: &mut Writer<'_>) -> io::Result<()> {
    let mut pairs: Vec<(&Ix, &V)> = map.iter().collect();
    pairs.sort_unstable_by_key(|(ix, _)| **ix);
    to.pairs(name, pairs)
}

fn read_map<V: Record + Send>(name: &str, from: &Reader<'_>) -> io::Result<Map<Ix, V>> {
    Ok(from.column(name)?.into_iter().collect())
}

fn text(adopted: &Adopted) -> Text {
    Text {
        position: adopted.position,
        text: adopted.pack.text().to_owned(),
    }
}

/// The packs of these texts, each on the ones before it, as the fold adopts them.
fn adopted(texts: Vec<Text>) -> io::Result<Vec<Adopted>> {
    let mut packs: Vec<Adopted> = Vec::with_capacity(texts.len());
    for Text { position, text } in texts {
        let below: Vec<Arc<Pack>> = packs.iter().map(|adopted| adopted.pack.clone()).collect();
        let pack = Pack::load_on(text.as_bytes(), &below).map_err(|_| misread("packs"))?;
        packs.push(Adopted {
            position,
            content: Hash::from_bytes(*blake3::hash(text.as_bytes()).as_bytes()),
            pack,
        });
    }
    Ok(packs)
}
