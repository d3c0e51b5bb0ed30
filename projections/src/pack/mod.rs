//! Policy packs: programmes, dated parameters and limits, as data.
//!
//! A pack is a TOML file that is adopted byte by byte into the log. [`Pack::load`]
//! reads and checks it: no gap or overlap in a parameter, no missing citation or
//! translation, no limit that refers to something absent.

mod check;
pub mod diff;
mod param;
mod rule;
mod schema;

use std::sync::Arc;

use luzhang_ledger::{Date, Window, claim::Form, text::PackId};
use thiserror::Error;

pub use self::{
    check::Defect,
    param::{Dated, Gap, Param, ParamIx, Unit},
    rule::{Attribute, CountUnit, FactKind, Period, Rule, Table},
};

/// The pack that is built in: measures of the Luzhou notice of 2023.
pub const LUZHOU_2023: &str = include_str!("../../../policies/luzhou-2023.toml");

/// The most bytes of a pack's text, so that its adoption fits one block.
pub const MAX_PACK: usize = 96 * 1024;

/// A checked policy pack.
#[derive(Clone, Debug)]
pub struct Pack {
    /// Its id.
    pub id: PackId,
    /// Its name.
    pub title: Bilingual,
    /// When it is in force.
    pub window: Window,
    /// The document it puts into data, and that document's SHA-256.
    pub source: Source,
    /// Where money comes from.
    pub funds: Vec<Fund>,
    /// What money is for.
    pub programmes: Vec<Programme>,
    /// Readings of unclear clauses.
    pub readings: Vec<Reading>,
    /// Dated values.
    pub params: Vec<Param>,
    /// Limits, in the order in which failures are reported.
    pub limits: Vec<Limit>,
    /// For each form: its programme, limits and their parameters.
    by_form: Vec<OfForm>,
}

/// What a pack says of one form, resolved once.
#[derive(Clone, Debug)]
struct OfForm {
    form: Form,
    programme: usize,
    limits: Vec<usize>,
    params: Vec<usize>,
}

/// A text in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bilingual {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// The document that a pack puts into data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its title.
    pub title: String,
    /// SHA-256 of its text, 64 hexadecimal digits.
    pub sha256: String,
}

/// Where money comes from (资金来源).
#[derive(Clone, Debug)]
pub struct Fund {
    /// Its id, as stored.
    pub id: String,
    /// Its name; a table may use the Chinese one instead of the id.
    pub name: Bilingual,
}

/// What money is for (项目).
#[derive(Clone, Debug)]
pub struct Programme {
    /// Its id, as stored.
    pub id: String,
    /// Its name.
    pub name: Bilingual,
    /// The measure of the notice.
    pub measure: u32,
    /// The form in which it is claimed; `None` if this version has none.
    pub form: Option<Form>,
}

/// How an unclear clause is read, so that a bureau can confirm or change it.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Its id.
    pub id: String,
    /// The reading.
    pub text: Bilingual,
}

/// One limit: an instance of a kind of rule.
#[derive(Clone, Debug)]
pub struct Limit {
    /// Its id, for example `M04-ONCE`.
    pub id: String,
    /// The stable reason code of its failure.
    pub code: String,
    /// Ids of the programmes it holds for.
    pub programmes: Vec<String>,
    /// The measure of the notice; 0 for general rules.
    pub measure: u32,
    /// The words of the clause.
    pub quote: String,
    /// Ids of the readings it rests on.
    pub readings: Vec<String>,
    /// What is said when it fails, with `{placeholders}`.
    pub text: Bilingual,
    /// What it does.
    pub rule: Rule,
    /// How its failure is reported.
    pub reporting: Reporting,
}

/// How a limit's failure is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reporting {
    /// Together with all others that fail.
    WithOthers,
    /// Alone: what the claim is about does not exist, so nothing else about it
    /// can be judged.
    Alone,
}

/// Why a text is not a usable pack.
#[derive(Clone, Debug, Error)]
pub enum PackError {
    /// Not TOML, or not this shape.
    #[error("the policy pack cannot be read: {0}")]
    Toml(String),
    /// Larger than [`MAX_PACK`].
    #[error("the policy pack is larger than {MAX_PACK} bytes")]
    TooLarge,
    /// Readable, but not sound.
    #[error("the policy pack has {} defect(s): {}", .0.len(), join(.0))]
    Defects(Vec<Defect>),
}

fn join(defects: &[Defect]) -> String {
    let texts: Vec<String> = defects.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

impl Pack {
    /// Reads and checks a pack.
    pub fn load(text: &[u8]) -> Result<Arc<Self>, PackError> {
        let pack = Self::read(text)?;
        let defects = check::defects(&pack);
        if defects.is_empty() {
            Ok(Arc::new(pack))
        } else {
            Err(PackError::Defects(defects))
        }
    }

    /// Reads a pack without asking whether its parameters and texts are
    /// complete. Only [`Pack::load`] makes packs that may be adopted.
    pub fn read(text: &[u8]) -> Result<Self, PackError> {
        if text.len() > MAX_PACK {
            return Err(PackError::TooLarge);
        }
        let text = std::str::from_utf8(text).map_err(|e| PackError::Toml(e.to_string()))?;
        schema::parse(text)
    }

    fn of_form(&self, form: Form) -> Option<&OfForm> {
        self.by_form.iter().find(|entry| entry.form == form)
    }

    /// The programme that a form is claimed for.
    pub fn programme(&self, form: Form) -> Option<&Programme> {
        self.programmes.get(self.of_form(form)?.programme)
    }

    /// The limits of a form, in reporting order.
    pub fn limits(&self, form: Form) -> impl Iterator<Item = &Limit> {
        let places = self.of_form(form).into_iter().flat_map(|of| &of.limits);
        places.filter_map(|place| self.limits.get(*place))
    }

    /// The parameters that a form's limits use.
    pub fn params(&self, form: Form) -> impl Iterator<Item = &Param> {
        let places = self.of_form(form).into_iter().flat_map(|of| &of.params);
        places.filter_map(|place| self.params.get(*place))
    }

    /// The limit with this id.
    pub fn limit(&self, id: &str) -> Option<&Limit> {
        self.limits.iter().find(|limit| limit.id == id)
    }

    /// A fund by its id or its Chinese name.
    pub fn fund(&self, text: &str) -> Option<&Fund> {
        self.funds
            .iter()
            .find(|fund| fund.id == text || fund.name.zh == text)
    }

    /// The value of a parameter on a day. Outside the pack's own window the
    /// nearest value counts, so that a clerk still sees every other reason.
    ///
    /// # Errors
    /// [`Gap`] if no value, or more than one, covers the day.
    pub fn value(&self, param: ParamIx, day: Date) -> Result<i64, Gap> {
        self.params.get(param.index()).ok_or(Gap)?.value(day)
    }

    /// The parameter itself, and its value on a day as [`Pack::value`] has it.
    pub(crate) fn dated(&self, param: ParamIx, day: Date) -> Option<(&Param, &Dated)> {
        let param = self.params.get(param.index())?;
        Some((param, param.dated(day).ok()?))
    }
}
