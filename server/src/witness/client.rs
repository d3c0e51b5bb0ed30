//! The log's side: asking a witness to cosign a checkpoint.

use luzhang_ledger::proof::{
    Node, Note, SignedCheckpoint, VerifierKey,
    note::{NoteError, SignatureLine},
    witness::Extension,
};
use thiserror::Error;

use crate::http::{Answer, Client, HttpError};

/// What is asked, and of whom.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The witness's submission prefix, such as `http://127.0.0.1:7390`.
    pub url: &'a str,
    /// The key that is to cosign.
    pub key: &'a VerifierKey,
    /// The checkpoint, signed by its log.
    pub checkpoint: &'a SignedCheckpoint,
    /// The size of the tree that this witness is thought to have cosigned last; 0
    /// if nothing is known. A wrong one costs another request.
    pub old: u64,
}

/// What a witness gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// Its cosignature, checked: one line, to be added to the checkpoint.
    pub line: SignatureLine,
    /// When it signed, in seconds since 1970.
    pub time: u64,
}

/// Why there is no cosignature.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AskError<E> {
    /// The proof that the witness needs could not be made.
    #[error(transparent)]
    Proof(E),
    /// The witness, or the way to it.
    #[error(transparent)]
    Witness(#[from] Unwitnessed),
}

/// Why a witness gave no cosignature that counts.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Unwitnessed {
    /// It did not answer.
    #[error(transparent)]
    Unreachable(#[from] HttpError),
    /// It has cosigned a larger tree than this one.
    #[error(
        "{url} has cosigned {seen} leaves of this log already, and the checkpoint has {size}: it is \
         an old one, or the log was set back"
    )]
    Ahead {
        /// Who was asked.
        url: String,
        /// Leaves of the tree that it has cosigned.
        seen: u64,
        /// Leaves of the tree that it was asked to cosign.
        size: u64,
    },
    /// Somebody else asked for the same log meanwhile.
    #[error("{url} was asked about this log by somebody else meanwhile: ask again")]
    Overtaken {
        /// Who was asked.
        url: String,
    },
    /// It said no.
    #[error("{url} does not cosign the checkpoint ({status}): {reason}")]
    Refused {
        /// Who was asked.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What it said, shortened.
        reason: String,
    },
    /// It answered with something that is not in the protocol.
    #[error("{url} answered with something that is not in the protocol")]
    Protocol {
        /// Who was asked.
        url: String,
    },
    /// Its answer has no cosignature of the key that is expected.
    #[error("{url} did not cosign with the key {key}: {problem}")]
    NotByKey {
        /// Who was asked.
        url: String,
        /// Whose cosignature was expected.
        key: String,
        /// What is wrong with its answer.
        problem: NoteError,
    },
}

impl Unwitnessed {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "WITNESS_UNREACHABLE",
            Self::Ahead { .. } => "WITNESS_AHEAD",
            Self::Overtaken { .. } => "WITNESS_OVERTAKEN",
            Self::Refused { .. } => "WITNESS_REFUSED",
            Self::Protocol { .. } | Self::NotByKey { .. } => "WITNESS_ANSWER",
        }
    }

    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Unreachable(error) => format!("联系不上见证方：{error}"),
            Self::Ahead { url, seen, size } => format!(
                "见证方 {url} 已联署过 {seen} 条，而所给检查点只有 {size} 条：\
                 检查点过旧，或日志被退回"
            ),
            Self::Overtaken { url } => format!("同时有人就该日志请求见证方 {url}，请重试"),
            Self::Refused {
                url,
                status,
                reason,
            } => format!("见证方 {url} 拒绝联署（{status}）：{reason}"),
            Self::Protocol { url } => format!("见证方 {url} 的答复不符合协议"),
            Self::NotByKey { url, key, .. } => {
                format!("见证方 {url} 的答复中没有公钥 {key} 的有效联署")
            }
        }
    }
}

/// The most characters of a refusal that are shown.
const MAX_REASON: usize = 200;

/// Asks a witness to cosign. `proof` makes the consistency proof from the tree of
/// so many leaves to that of the checkpoint; it is asked for once or twice, never
/// for 0 leaves or more than the checkpoint has.
///
/// # Errors
/// [`AskError::Proof`] with the error of `proof`; [`AskError::Witness`].
pub fn ask<E>(
    http: &Client,
    question: &Question<'_>,
    proof: &dyn Fn(u64) -> Result<Vec<Node>, E>,
) -> Result<Cosigned, AskError<E>> {
    let size = question.checkpoint.head().size;
    let first = question.old.min(size);
    let mut answer = question.send(http, first, proof)?;
    if answer.status == 409 {
        let seen = question.size_in(&answer)?;
        if seen > size {
            return Err(AskError::Witness(Unwitnessed::Ahead {
                url: question.url.to_owned(),
                seen,
                size,
            }));
        }
        answer = question.send(http, seen, proof)?;
    }
    Ok(question.cosignature_in(&answer)?)
}

impl Question<'_> {
    fn send<E>(
        &self,
        http: &Client,
        old: u64,
        proof: &dyn Fn(u64) -> Result<Vec<Node>, E>,
    ) -> Result<Answer, AskError<E>> {
        let size = self.checkpoint.head().size;
        let proof = if old == 0 || old == size {
            Vec::new()
        } else {
            proof(old).map_err(AskError::Proof)?
        };
        let extension = Extension {
            old,
            proof,
            checkpoint: self.checkpoint.clone(),
        };
        let url = format!("{}/add-checkpoint", self.url.trim_end_matches('/'));
        let body = extension.to_string();
        let answer = http.post(&url, "text/plain; charset=utf-8", body.as_bytes());
        answer.map_err(|error| AskError::Witness(error.into()))
    }

    /// The size in a 409.
    fn size_in(&self, answer: &Answer) -> Result<u64, Unwitnessed> {
        let text = str::from_utf8(&answer.body).ok();
        let digits = text.and_then(|text| text.strip_suffix('\n'));
        let size = digits.and_then(|digits| {
            let size: u64 = digits.parse().ok()?;
            (size.to_string() == digits).then_some(size)
        });
        size.ok_or_else(|| self.out_of_protocol())
    }

    fn cosignature_in(&self, answer: &Answer) -> Result<Cosigned, Unwitnessed> {
        match answer.status {
            200 => self.cosignature(&answer.body),
            409 => {
                self.size_in(answer)?;
                Err(Unwitnessed::Overtaken {
                    url: self.url.to_owned(),
                })
            }
            status => Err(Unwitnessed::Refused {
                url: self.url.to_owned(),
                status,
                reason: reason(&answer.body),
            }),
        }
    }

    /// Lines of keys that are not asked for are passed over, whatever they are.
    fn cosignature(&self, body: &[u8]) -> Result<Cosigned, Unwitnessed> {
        let body = str::from_utf8(body).map_err(|_| self.out_of_protocol())?;
        let lines = body
            .strip_suffix('\n')
            .ok_or_else(|| self.out_of_protocol())?;
        let mut problem = NoteError::Unsigned;
        for line in lines.split('\n') {
            let line: SignatureLine = line.parse().map_err(|_| self.out_of_protocol())?;
            match self.check(&line) {
                Ok(time) => return Ok(Cosigned { line, time }),
                Err(NoteError::Unsigned) => {}
                Err(forged) => problem = forged,
            }
        }
        Err(Unwitnessed::NotByKey {
            url: self.url.to_owned(),
            key: self.key.to_string(),
            problem,
        })
    }

    /// The time of a cosignature that holds.
    fn check(&self, line: &SignatureLine) -> Result<u64, NoteError> {
        let mut note = Note::new(self.checkpoint.note().text().to_owned())?;
        note.add(line.clone());
        let verified = note.verify(&[self.key])?;
        let first = verified.first().and_then(|verified| verified.time);
        first.ok_or(NoteError::Unsigned)
    }

    fn out_of_protocol(&self) -> Unwitnessed {
        Unwitnessed::Protocol {
            url: self.url.to_owned(),
        }
    }
}

/// The first line of what a witness said: it is shown to people, and anybody may
/// have said it.
fn reason(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().next().unwrap_or_default();
    let visible = line.chars().filter(|c| !c.is_control());
    visible.take(MAX_REASON).collect()
}
