//! Whom to believe: the keys of logs, the keys of witnesses, and how many of which
//! witnesses are enough.
//!
//! ```text
//! log luzhang/0198c5a2-…+1b2c3d4e+AY…
//! witness audit audit.luzhou.example/w1+5f6a7b8c+BK… http://127.0.0.1:7390
//! witness county …
//! witness bank …
//! group offices 2 audit county bank
//! quorum offices
//! ```
//!
//! Source: C2SP tlog-policy.

use std::str::FromStr;

use thiserror::Error;

use super::{
    checkpoint::SignedCheckpoint,
    note::{NoteError, Purpose, VerifierKey, VerifierKeyError},
    tree::TreeHead,
};

/// The most bytes of a policy that is read.
pub const MAX_POLICY: usize = 1024 * 1024;
/// The most witnesses and groups of a policy. Groups stand in groups, and are
/// counted as deep as they stand.
pub const MAX_NAMES: usize = 256;

/// A key, and where its holder can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The key.
    pub key: VerifierKey,
    /// Where, if the policy says so.
    pub url: Option<String>,
}

/// Whom to believe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<Party>,
    witnesses: Vec<Party>,
    quorum: Quorum,
}

/// Which witnesses are enough.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Quorum {
    /// None are asked for.
    None,
    /// This one.
    Witness(VerifierKey),
    /// At least so many of these.
    Group { least: usize, members: Vec<Self> },
}

impl Quorum {
    fn is_met(&self, cosigned: &[Cosigner]) -> bool {
        match self {
            Self::None => true,
            Self::Witness(key) => cosigned.iter().any(|cosigner| cosigner.key == *key),
            Self::Group { least, members } => {
                let met = members.iter().filter(|member| member.is_met(cosigned));
                met.count() >= *least
            }
        }
    }
}

/// A witness whose cosignature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigner {
    /// Its key.
    pub key: VerifierKey,
    /// When it signed, in seconds since 1970.
    pub time: u64,
}

/// A checkpoint that may be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// Whose tree.
    pub origin: String,
    /// Its head.
    pub head: TreeHead,
    /// The log's key that signed it.
    pub log: VerifierKey,
    /// The witnesses that have seen it.
    pub cosigners: Vec<Cosigner>,
}

/// Why a checkpoint is not believed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Distrust {
    /// Its signatures.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// It is of another tree.
    #[error("the checkpoint is of `{found}`, which none of the trusted keys is for")]
    Origin {
        /// What it says that it is of.
        found: String,
    },
    /// Not enough witnesses.
    #[error("{found} trusted witnesses have cosigned it; the quorum is not met")]
    Quorum {
        /// How many have.
        found: usize,
    },
}

impl Policy {
    /// To believe a checkpoint that this key signed, without witnesses.
    pub fn of_key(key: VerifierKey) -> Self {
        Self {
            logs: vec![Party { key, url: None }],
            witnesses: Vec::new(),
            quorum: Quorum::None,
        }
    }

    /// The same policy with other logs.
    #[must_use]
    pub fn for_logs(self, keys: impl IntoIterator<Item = VerifierKey>) -> Self {
        let party = |key| Party { key, url: None };
        Self {
            logs: keys.into_iter().map(party).collect(),
            ..self
        }
    }

    /// The logs.
    pub fn logs(&self) -> &[Party] {
        &self.logs
    }

    /// The witnesses.
    pub fn witnesses(&self) -> &[Party] {
        &self.witnesses
    }

    /// Checks the signatures on a checkpoint.
    pub fn check(&self, signed: &SignedCheckpoint) -> Result<Trusted, Distrust> {
        let checkpoint = signed.checkpoint();
        let logs = self.logs.iter().map(|log| &log.key);
        let of_origin = logs.filter(|key| key.name().as_str() == checkpoint.origin);
        let of_origin: Vec<&VerifierKey> = of_origin.collect();
        if of_origin.is_empty() {
            return Err(Distrust::Origin {
                found: checkpoint.origin.clone(),
            });
        }
        let mut of_log = signed.verify(&of_origin)?.into_iter();
        let log = of_log.next().ok_or(NoteError::Unsigned)?.key;
        let cosigners = self.cosigners(signed)?;
        if !self.quorum.is_met(&cosigners) {
            return Err(Distrust::Quorum {
                found: cosigners.len(),
            });
        }
        Ok(Trusted {
            origin: checkpoint.origin.clone(),
            head: checkpoint.head,
            log,
            cosigners,
        })
    }

    /// The witnesses of this policy that have cosigned a checkpoint, enough or
    /// not.
    ///
    /// # Errors
    /// [`NoteError::Forged`] if a cosignature of one of them does not hold.
    pub fn cosigners(&self, signed: &SignedCheckpoint) -> Result<Vec<Cosigner>, NoteError> {
        let keys: Vec<&VerifierKey> = self.witnesses.iter().map(|witness| &witness.key).collect();
        match signed.verify(&keys) {
            Ok(verified) => Ok(verified
                .into_iter()
                .filter_map(|verified| {
                    let time = verified.time?;
                    Some(Cosigner {
                        key: verified.key,
                        time,
                    })
                })
                .collect()),
            Err(NoteError::Unsigned) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Whether these witnesses are enough.
    pub fn is_met_by(&self, cosigners: &[Cosigner]) -> bool {
        self.quorum.is_met(cosigners)
    }
}

/// Why a text is no policy.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("line {line}: {problem}")]
pub struct PolicyError {
    /// From 1; the line after the last for what is missing.
    pub line: usize,
    /// What is wrong.
    pub problem: PolicyProblem,
}

/// What is wrong in a policy.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PolicyProblem {
    /// Too many bytes, or not UTF-8, or a control character.
    #[error("a policy is UTF-8 text of at most {MAX_POLICY} bytes without control characters")]
    Text,
    /// Neither `log` nor `witness` nor `group` nor `quorum`.
    #[error("a line begins with `log`, `witness`, `group`, `quorum` or `#`")]
    Keyword,
    /// Too few or too many words.
    #[error("the line has too few or too many words")]
    Words,
    /// A key.
    #[error(transparent)]
    Key(#[from] VerifierKeyError),
    /// A key that signs checkpoints where one that cosigns them should be, or the
    /// other way round.
    #[error("the key is of the wrong kind: logs sign (01), witnesses cosign (04)")]
    Purpose,
    /// The key stands twice, if under another name.
    #[error("the same key was given before")]
    DuplicateKey,
    /// The name stands twice.
    #[error("the name was given before, or is `none`")]
    DuplicateName,
    /// The name stands nowhere above.
    #[error("no witness or group of this name stands above, or it is in a group already")]
    UnknownName,
    /// More than this many witnesses and groups.
    #[error("a policy has at most {MAX_NAMES} witnesses and groups")]
    TooMany,
    /// Not `all`, `any`, or a number that the group can reach.
    #[error("a group asks for `all`, `any`, or a number of at least 1 and at most its members")]
    Threshold,
    /// There is another quorum.
    #[error("there is exactly one `quorum` line")]
    Quorum,
}

/// What has been read of a policy so far.
#[derive(Default)]
struct Reading {
    logs: Vec<Party>,
    witnesses: Vec<Party>,
    /// Witnesses and groups.
    names: Vec<Named>,
    quorum: Option<Quorum>,
}

struct Named {
    name: String,
    quorum: Quorum,
    /// A name is in one group at most, so that each witness counts once.
    grouped: bool,
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let wrong = |c: char| c.is_control() && c != '\n' && c != '\t';
        if text.len() > MAX_POLICY || text.chars().any(wrong) {
            return Err(PolicyError {
                line: 1,
                problem: PolicyProblem::Text,
            });
        }
        let mut reading = Reading::default();
        let mut end: usize = 1;
        for (number, line) in (1..).zip(text.lines()) {
            let read = reading.line(line);
            read.map_err(|problem| PolicyError {
                line: number,
                problem,
            })?;
            end = number.saturating_add(1);
        }
        let quorum = reading.quorum.ok_or(PolicyError {
            line: end,
            problem: PolicyProblem::Quorum,
        })?;
        Ok(Self {
            logs: reading.logs,
            witnesses: reading.witnesses,
            quorum,
        })
    }
}

impl Reading {
    fn line(&mut self, line: &str) -> Result<(), PolicyProblem> {
        let words: Vec<&str> = line
            .split([' ', '\t'])
            .filter(|word| !word.is_empty())
            .collect();
        match words.as_slice() {
            [] => Ok(()),
            [comment, ..] if comment.starts_with('#') => Ok(()),
            ["log", key] => self.log(key, None),
            ["log", key, url] => self.log(key, Some(url)),
            ["witness", name, key] => self.witness(name, key, None),
            ["witness", name, key, url] => self.witness(name, key, Some(url)),
            ["group", name, least, members @ ..] => self.group(name, least, members),
            ["quorum", name] => self.set_quorum(name),
            ["log" | "witness" | "group" | "quorum", ..] => Err(PolicyProblem::Words),
            [..] => Err(PolicyProblem::Keyword),
        }
    }

    fn log(&mut self, key: &str, url: Option<&str>) -> Result<(), PolicyProblem> {
        let party = party(key, url, Purpose::Author)?;
        add(&mut self.logs, party)
    }

    fn witness(&mut self, name: &str, key: &str, url: Option<&str>) -> Result<(), PolicyProblem> {
        let party = party(key, url, Purpose::Witness)?;
        let quorum = Quorum::Witness(party.key.clone());
        add(&mut self.witnesses, party)?;
        self.name(name, quorum)
    }

    fn group(&mut self, name: &str, least: &str, members: &[&str]) -> Result<(), PolicyProblem> {
        if members.is_empty() {
            return Err(PolicyProblem::Words);
        }
        let least = match least {
            "any" => 1,
            "all" => members.len(),
            number => super::text::decimal(number)
                .and_then(|number| usize::try_from(number).ok())
                .filter(|number| (1..=members.len()).contains(number))
                .ok_or(PolicyProblem::Threshold)?,
        };
        let members = members
            .iter()
            .map(|member| {
                let mut free = self.names.iter_mut().filter(|named| !named.grouped);
                let named = free.find(|named| named.name == *member);
                let named = named.ok_or(PolicyProblem::UnknownName)?;
                named.grouped = true;
                Ok(named.quorum.clone())
            })
            .collect::<Result<_, PolicyProblem>>()?;
        self.name(name, Quorum::Group { least, members })
    }

    fn set_quorum(&mut self, name: &str) -> Result<(), PolicyProblem> {
        if self.quorum.is_some() {
            return Err(PolicyProblem::Quorum);
        }
        if name == "none" {
            self.quorum = Some(Quorum::None);
            return Ok(());
        }
        let known = self.names.iter().find(|named| named.name == name);
        let known = known.ok_or(PolicyProblem::UnknownName)?;
        self.quorum = Some(known.quorum.clone());
        Ok(())
    }

    fn name(&mut self, name: &str, quorum: Quorum) -> Result<(), PolicyProblem> {
        if name == "none" || self.names.iter().any(|named| named.name == name) {
            return Err(PolicyProblem::DuplicateName);
        }
        if self.names.len() == MAX_NAMES {
            return Err(PolicyProblem::TooMany);
        }
        self.names.push(Named {
            name: name.to_owned(),
            quorum,
            grouped: false,
        });
        Ok(())
    }
}

fn party(key: &str, url: Option<&str>, purpose: Purpose) -> Result<Party, PolicyProblem> {
    let key: VerifierKey = key.parse()?;
    if key.purpose() != purpose {
        return Err(PolicyProblem::Purpose);
    }
    Ok(Party {
        key,
        url: url.map(str::to_owned),
    })
}

fn add(parties: &mut Vec<Party>, party: Party) -> Result<(), PolicyProblem> {
    let same = |known: &Party| known.key.key_bytes() == party.key.key_bytes();
    if parties.iter().any(same) {
        return Err(PolicyProblem::DuplicateKey);
    }
    parties.push(party);
    Ok(())
}
