//! Where an event stands: in the whole order, and in its stream.

use std::{fmt, sync::LazyLock};

use blake3::{
    Hasher,
    hazmat::{ContextKey, HasherExt as _, hash_derive_key_context},
};

use uuid::Uuid;

use crate::identity::SubjectId;

/// A place in the ledger's one total order. The first event is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(u64);

impl Position {
    /// The position of a ledger's first event.
    pub const FIRST: Self = Self(1);
    /// The greatest position, which no event ever has.
    pub const LAST: Self = Self(u64::MAX);

    /// `None` for 0, which stands for "no event".
    pub fn new(number: u64) -> Option<Self> {
        (number != 0).then_some(Self(number))
    }

    /// The number; never 0.
    pub fn number(self) -> u64 {
        self.0
    }

    /// The position after this one.
    ///
    /// A ledger cannot hold 2^64 events; the count saturates rather than wraps.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The identity of one ledger, and the seed of its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LedgerId(Uuid);

impl LedgerId {
    /// Wraps a UUID.
    pub fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// The 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The UUID.
    pub fn uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for LedgerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What a stream is about, where it is not a person or an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// The ledger itself.
    Ledger,
    /// A policy pack, by its id.
    Pack,
    /// A fund, by its id.
    Fund,
    /// A training course, by its number.
    Course,
    /// A brand, by its number.
    Brand,
    /// A loan that does not exist, by its number; one that does belongs to its
    /// borrower's stream.
    Loan,
    /// An authority document, by its number.
    Document,
    /// A certificate, by its number: never a stream of its own, only a name in
    /// projections.
    Certificate,
    /// A public notice, by its number.
    Notice,
    /// A payment batch, by its number.
    Batch,
    /// What the ledger says of its own state, by the ledger's id.
    State,
    /// A principal, by its name.
    Principal,
    /// What was denied, by the ledger's id.
    Access,
}

impl StreamKind {
    fn label(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Pack => "pack",
            Self::Fund => "fund",
            Self::Course => "course",
            Self::Brand => "brand",
            Self::Loan => "loan",
            Self::Document => "document",
            Self::Certificate => "certificate",
            Self::Notice => "notice",
            Self::Batch => "batch",
            Self::State => "state",
            Self::Principal => "principal",
            Self::Access => "access",
        }
    }
}

/// A stream of events: 16 bytes. A person's or organisation's stream is its
/// [`SubjectId`]; others are computed from a number that is no secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId([u8; 16]);

/// Computed once: a number is shorter than its context.
static CONTEXT: LazyLock<ContextKey> =
    LazyLock::new(|| hash_derive_key_context("luzhang 2026 stream id v1"));

impl StreamId {
    /// The stream of the thing of this kind with this number:
    /// the first 16 bytes of BLAKE3 (derive-key `luzhang 2026 stream id v1`) of
    /// the kind's label, a zero byte and the number.
    pub fn of(kind: StreamKind, number: &str) -> Self {
        let mut hasher = Hasher::new_from_context_key(&CONTEXT);
        hasher.update(kind.label().as_bytes());
        hasher.update(&[0]);
        hasher.update(number.as_bytes());
        let hash = hasher.finalize();
        Self(hash.as_bytes().first_chunk().copied().unwrap_or_default())
    }

    /// Wraps 16 bytes as stored.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The subject whose stream this is. Brands are subjects too.
    pub fn subject(self) -> SubjectId {
        SubjectId::from_bytes(self.0)
    }
}

impl From<SubjectId> for StreamId {
    fn from(subject: SubjectId) -> Self {
        Self(*subject.as_bytes())
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.subject(), f)
    }
}
