//! Cases: what became of each grant after it was decided. A grant that nothing
//! has happened to yet is one small row; the first step gives it a life.

use std::{collections::BTreeMap, io, sync::LazyLock};

use blake3::{
    Hasher,
    hazmat::{ContextKey, HasherExt as _, hash_derive_key_context},
};
use hashbrown::{HashMap, HashTable};
use luzhang_ledger::{
    Date, Position,
    claim::Form,
    step::{Duty, Opinion},
};

use super::{
    money::{Account, Kind, Purse, Transfer},
    names::Names,
    streams::Ix,
};
use crate::snapshot::{Reader, Record, Writer, misread, numbered, record};

type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// A grant, by its place in the order of all grants.
pub(crate) type CaseIx = u32;

/// What every grant has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) position: u64,
    /// As it stands, adjustments included, reversals not.
    pub(crate) amount: i64,
    /// Of its programme and number; see [`fingerprint`].
    pub(crate) number: u64,
    pub(crate) line: u32,
    /// Whose history it is in: see [`crate::state::Grant`].
    pub(crate) owner: Ix,
    pub(crate) submitter: u16,
    /// Which adopted pack allowed it, by its place.
    pub(crate) pack: u16,
    pub(crate) form: Form,
    /// Whether another standing grant has the same programme and number.
    pub(crate) ambiguous: bool,
}

record!(Row {
    position,
    amount,
    number,
    line,
    owner,
    submitter,
    pack,
    form,
    ambiguous
});

/// What became of a grant.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    pub(crate) case: CaseIx,
    pub(crate) purse: Purse,
    pub(crate) review: Option<Judged>,
    pub(crate) approval: Option<Judged>,
    pub(crate) overrides: Vec<Overridden>,
    pub(crate) notice: Option<u32>,
    pub(crate) open_objections: u32,
    /// Its payments; the attempt is the place, from 1.
    pub(crate) payments: Vec<Payment>,
    /// Where the whole of it was reversed.
    pub(crate) reversed: Option<u64>,
    /// What open recoveries still expect, in fen.
    pub(crate) expected: i64,
}

record!(Life {
    case,
    purse,
    review,
    approval,
    overrides,
    notice,
    open_objections,
    payments,
    reversed,
    expected
});

/// Somebody let somebody take a second duty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overridden {
    pub(crate) duty: Duty,
    /// Who may take it.
    pub(crate) who: u16,
    /// Who let them.
    pub(crate) by: u16,
    pub(crate) position: u64,
}

record!(Overridden {
    duty,
    who,
    by,
    position
});

/// Somebody's word on a case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged {
    pub(crate) opinion: Opinion,
    pub(crate) by: u16,
    pub(crate) position: u64,
}

record!(Judged {
    opinion,
    by,
    position
});

/// One payment of a grant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payment {
    pub(crate) batch: u32,
    pub(crate) fen: i64,
    pub(crate) stage: PaymentStage,
}

record!(Payment { batch, fen, stage });

/// How far a payment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PaymentStage {
    /// In a batch, without a result.
    Waiting,
    /// Taken out before the batch was locked.
    Withdrawn,
    /// 支付成功
    Settled,
    /// 退票
    Bounced,
    /// Bounced, and another payment took its place.
    Reissued,
}

numbered!(PaymentStage {
    Waiting = 0,
    Withdrawn = 1,
    Settled = 2,
    Bounced = 3,
    Reissued = 4,
});

/// A public notice.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    pub(crate) number: Box<str>,
    pub(crate) position: u64,
    pub(crate) last_day: Date,
    pub(crate) closed: Option<u64>,
    pub(crate) cases: Vec<CaseIx>,
}

record!(Notice {
    number,
    position,
    last_day,
    closed,
    cases
});

/// An objection to a notice.
#[derive(Clone, Debug)]
pub(crate) struct Objection {
    pub(crate) number: Box<str>,
    pub(crate) position: u64,
    pub(crate) case: CaseIx,
    pub(crate) resolved: Option<u64>,
}

record!(Objection {
    number,
    position,
    case,
    resolved
});

/// A payment batch.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) number: Box<str>,
    pub(crate) position: u64,
    pub(crate) fund: u16,
    /// Its payments, by grant and attempt; withdrawn ones too.
    pub(crate) items: Vec<(CaseIx, u32)>,
    pub(crate) locked: Option<u64>,
    pub(crate) submitted: Option<u64>,
}

record!(Batch {
    number,
    position,
    fund,
    items,
    locked,
    submitted
});

/// A recovery.
#[derive(Clone, Debug)]
pub(crate) struct Recovery {
    pub(crate) number: Box<str>,
    pub(crate) position: u64,
    pub(crate) case: CaseIx,
    pub(crate) fen: i64,
    pub(crate) received: i64,
    pub(crate) conflict: u64,
    pub(crate) closed: Option<u64>,
}

record!(Recovery {
    number,
    position,
    case,
    fen,
    received,
    conflict,
    closed
});

impl Recovery {
    pub(crate) fn outstanding(&self) -> i64 {
        self.fen.saturating_sub(self.received)
    }
}

/// Things that have numbers of their own, in the order of their events.
#[derive(Clone, Debug)]
pub(crate) struct Numbered<T> {
    all: Vec<T>,
    places: BTreeMap<Box<str>, u32>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            places: BTreeMap::new(),
        }
    }
}

impl<T: Record + Send> Numbered<T> {
    fn write(&self, name: &str, to: &mut Writer<'_>) -> io::Result<()> {
        let Self { all, places } = self;
        to.column(&format!("{name}.all"), all)?;
        to.pairs(&format!("{name}.places"), places)
    }

    fn read(name: &str, from: &Reader<'_>) -> io::Result<Self> {
        let places = from.column(&format!("{name}.places"))?;
        Ok(Self {
            all: from.column(&format!("{name}.all"))?,
            places: places.into_iter().collect(),
        })
    }
}

impl<T> Numbered<T> {
    pub(crate) fn find(&self, number: &str) -> Option<(u32, &T)> {
        let place = *self.places.get(number)?;
        Some((place, self.at(place)?))
    }

    pub(crate) fn at(&self, place: u32) -> Option<&T> {
        self.all.get(usize::try_from(place).ok()?)
    }

    pub(crate) fn at_mut(&mut self, place: u32) -> Option<&mut T> {
        self.all.get_mut(usize::try_from(place).ok()?)
    }

    pub(crate) fn push(&mut self, number: &str, value: T) -> u32 {
        let place = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.all.push(value);
        self.places.insert(number.into(), place);
        place
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.all.iter()
    }
}

/// All cases.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cases {
    rows: Vec<Row>,
    /// Places in `rows`, by the fingerprint of programme and number.
    numbers: HashTable<CaseIx>,
    lives: Vec<Life>,
    life_of: Map<CaseIx, u32>,
    pub(crate) principals: Names,
    pub(crate) notices: Numbered<Notice>,
    pub(crate) objections: Numbered<Objection>,
    pub(crate) batches: Numbered<Batch>,
    pub(crate) recoveries: Numbered<Recovery>,
}

/// What a programme and a number lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// No grant has them.
    Nothing,
    /// This one.
    Grant(Position),
    /// More than one that stands.
    Several,
}

/// Computed once: programme and number are shorter than their context.
static CONTEXT: LazyLock<ContextKey> =
    LazyLock::new(|| hash_derive_key_context("luzhang 2026 case number v1"));

/// Eight bytes of a hash of a programme and a claim's number. Two that share
/// them by accident are told apart from a repeated number by nobody, and so are
/// both *ambiguous*: then the position has to be given.
pub(crate) fn fingerprint(programme: &str, number: &str) -> u64 {
    let mut hasher = Hasher::new_from_context_key(&CONTEXT);
    hasher.update(programme.as_bytes());
    hasher.update(&[0]);
    hasher.update(number.as_bytes());
    let first = hasher.finalize();
    let first = first.as_bytes().first_chunk();
    first.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

impl Cases {
    /// The grant at a position.
    pub(crate) fn find(&self, grant: Position) -> Option<CaseIx> {
        let number = grant.number();
        let place = self.rows.binary_search_by_key(&number, |row| row.position);
        CaseIx::try_from(place.ok()?).ok()
    }

    pub(crate) fn row(&self, case: CaseIx) -> Option<&Row> {
        self.rows.get(usize::try_from(case).ok()?)
    }

    pub(crate) fn life(&self, case: CaseIx) -> Option<&Life> {
        let place = *self.life_of.get(&case)?;
        self.lives.get(usize::try_from(place).ok()?)
    }

    /// A case's money.
    pub(crate) fn purse(&self, case: CaseIx) -> Purse {
        match (self.life(case), self.row(case)) {
            (Some(life), _) => life.purse,
            (None, Some(row)) => untouched(row.amount),
            (None, None) => Purse::default(),
        }
    }

    /// What a programme and a claim's number lead to.
    pub(crate) fn numbered(&self, programme: &str, number: &str) -> Found {
        let wanted = fingerprint(programme, number);
        let same = |case: &CaseIx| self.row(*case).is_some_and(|row| row.number == wanted);
        let found = self.numbers.find(wanted, same);
        let Some(row) = found.and_then(|case| self.row(*case)) else {
            return Found::Nothing;
        };
        match Position::new(row.position) {
            Some(_) if row.ambiguous => Found::Several,
            Some(position) => Found::Grant(position),
            None => Found::Nothing,
        }
    }

    /// A new grant.
    pub(crate) fn open(&mut self, row: Row) {
        let case = CaseIx::try_from(self.rows.len()).unwrap_or(CaseIx::MAX);
        let wanted = row.number;
        let rows = &self.rows;
        let number = |case: &CaseIx| {
            let place = usize::try_from(*case).ok();
            let row = place.and_then(|place| rows.get(place));
            row.map_or(0, |row| row.number)
        };
        let before = self.numbers.find(wanted, |case| number(case) == wanted);
        let before = before.copied();
        if before.is_none() {
            self.numbers.insert_unique(wanted, case, number);
        }
        self.rows.push(row);
        let Some(before) = before else { return };
        let over = self
            .life(before)
            .is_some_and(|life| life.reversed.is_some());
        if over {
            // The number was given again after the first grant was reversed.
            let same = |case: &CaseIx| *case == before;
            if let Some(place) = self.numbers.find_mut(wanted, same) {
                *place = case;
            }
        } else if let Some(row) = self.row_mut(before) {
            row.ambiguous = true;
        }
    }

    pub(crate) fn row_mut(&mut self, case: CaseIx) -> Option<&mut Row> {
        self.rows.get_mut(usize::try_from(case).ok()?)
    }

    /// A case's life, begun now if it has none.
    pub(crate) fn life_mut(&mut self, case: CaseIx) -> Option<&mut Life> {
        let amount = self.row(case)?.amount;
        let next = u32::try_from(self.lives.len()).unwrap_or(u32::MAX);
        let place = *self.life_of.entry(case).or_insert(next);
        if place == next {
            self.lives.push(Life {
                case,
                purse: untouched(amount),
                review: None,
                approval: None,
                overrides: Vec::new(),
                notice: None,
                open_objections: 0,
                payments: Vec::new(),
                reversed: None,
                expected: 0,
            });
        }
        self.lives.get_mut(usize::try_from(place).ok()?)
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(crate) fn lives(&self) -> &[Life] {
        &self.lives
    }

    pub(crate) fn write(&self, to: &mut Writer<'_>) -> io::Result<()> {
        let Self {
            rows,
            numbers: _,
            lives,
            life_of: _,
            principals,
            notices,
            objections,
            batches,
            recoveries,
        } = self;
        to.column("cases.rows", rows)?;
        to.column("cases.unnumbered", &self.unnumbered())?;
        to.column("cases.lives", lives)?;
        principals.write("cases.principals", to)?;
        notices.write("cases.notices", to)?;
        objections.write("cases.objections", to)?;
        batches.write("cases.batches", to)?;
        recoveries.write("cases.recoveries", to)
    }

    /// Cases that are not found by their number: another one has it too.
    fn unnumbered(&self) -> Vec<CaseIx> {
        let mut is_found = vec![false; self.rows.len()];
        for case in &self.numbers {
            let place = usize::try_from(*case).ok();
            if let Some(is_found) = place.and_then(|place| is_found.get_mut(place)) {
                *is_found = true;
            }
        }
        let cases = (0..).zip(is_found);
        let unfound = cases.filter(|(_, is_found)| !is_found);
        unfound.map(|(case, _)| case).collect()
    }

    pub(crate) fn read(from: &Reader<'_>) -> io::Result<Self> {
        let (rows, lives) = rayon::join(
            || from.column::<Row>("cases.rows"),
            || from.column::<Life>("cases.lives"),
        );
        let (rows, lives) = (rows?, lives?);
        let unnumbered: Vec<CaseIx> = from.column("cases.unnumbered")?;
        if !unnumbered.is_sorted() {
            return Err(misread("cases.unnumbered"));
        }
        let mut numbers = HashTable::with_capacity(rows.len());
        let mut without = unnumbered.iter().copied().peekable();
        for (case, row) in (0..).zip(&rows) {
            if without.next_if_eq(&case).is_none() {
                // There is room for all, so none is moved.
                numbers.insert_unique(row.number, case, |_| 0);
            }
        }
        Ok(Self {
            life_of: (0..).zip(&lives).map(|(n, life)| (life.case, n)).collect(),
            rows,
            numbers,
            lives,
            principals: Names::read("cases.principals", from)?,
            notices: Numbered::read("cases.notices", from)?,
            objections: Numbered::read("cases.objections", from)?,
            batches: Numbered::read("cases.batches", from)?,
            recoveries: Numbered::read("cases.recoveries", from)?,
        })
    }
}

/// The money of a grant that nothing happened to.
fn untouched(amount: i64) -> Purse {
    let mut purse = Purse::default();
    purse.take(Transfer {
        kind: Kind::Reserve,
        fen: amount,
    });
    purse
}

impl Life {
    /// Its newest payment that has no result yet, with its attempt.
    pub(crate) fn waiting(&self) -> Option<(u32, Payment)> {
        let attempts = (1_u32..).zip(&self.payments);
        attempts
            .filter(|(_, payment)| payment.stage == PaymentStage::Waiting)
            .map(|(attempt, payment)| (attempt, *payment))
            .last()
    }

    /// A payment by its attempt.
    pub(crate) fn payment(&self, attempt: u32) -> Option<Payment> {
        let place = usize::try_from(attempt.checked_sub(1)?).ok()?;
        self.payments.get(place).copied()
    }

    pub(crate) fn payment_mut(&mut self, attempt: u32) -> Option<&mut Payment> {
        let place = usize::try_from(attempt.checked_sub(1)?).ok()?;
        self.payments.get_mut(place)
    }

    pub(crate) fn is_passed(judged: Option<Judged>) -> bool {
        judged.is_some_and(|judged| judged.opinion == Opinion::Passed)
    }
}

/// What stands of a grant: reserved or rightly paid.
pub(crate) fn standing(purse: &Purse) -> i64 {
    let reserved = purse.balance(Account::Reserved);
    reserved.saturating_add(purse.balance(Account::Paid))
}

/// What a payee holds: rightly paid, or to be given back.
pub(crate) fn held(purse: &Purse) -> i64 {
    let paid = purse.balance(Account::Paid);
    paid.saturating_add(purse.balance(Account::Receivable))
}
