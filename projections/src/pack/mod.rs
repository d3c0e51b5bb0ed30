//! Policy packs: programmes, dated parameters and limits, as data.
//!
//! A pack is a TOML file that is adopted byte by byte into the log. [`Pack::load`]
//! reads and checks it: no gap or overlap in a parameter, no missing citation or
//! translation, no limit that refers to something absent.

mod check;
pub mod diff;
mod param;
mod resolve;
mod rule;
mod schema;
mod working_days;

use std::sync::Arc;

use luzhang_ledger::{
    Date, Office, Window,
    claim::{Claim, Form},
    text::PackId,
};
use serde::Deserialize;
use thiserror::Error;

pub use self::{
    check::Defect,
    param::{Dated, Gap, Param, ParamIx, Unit},
    rule::{Attribute, CountUnit, FactKind, Period, Rule, Table},
    working_days::WorkingDays,
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
    /// Its text, as it is adopted.
    text: Box<str>,
    /// Of a county's pack: on which pack it sits, and for whom.
    pub scope: Option<Scope>,
    /// Its name.
    pub title: Bilingual,
    /// When it is in force.
    pub window: Window,
    /// The document it puts into data, and that document's SHA-256.
    pub source: Source,
    /// Working days, for notices.
    pub calendar: Option<WorkingDays>,
    /// The measures of the notice, and which are on the ledger.
    pub measures: Vec<Measure>,
    /// Where money comes from.
    pub funds: Vec<Fund>,
    /// Names of offices.
    pub offices: Vec<OfficeName>,
    /// What a publicity list shows of a grant.
    pub public_fields: Vec<PublicField>,
    /// What money is for.
    pub programmes: Vec<Programme>,
    /// Readings of unclear clauses.
    pub readings: Vec<Reading>,
    /// Dated values.
    pub params: Vec<Param>,
    /// Limits, in the order in which failures are reported.
    pub limits: Vec<Limit>,
    /// For each programme that can be claimed: its limits and their parameters.
    rules: Vec<OfProgramme>,
}

/// What a pack says of one programme, resolved once.
#[derive(Clone, Debug)]
struct OfProgramme {
    form: Form,
    programme: usize,
    limits: Vec<usize>,
    step_limits: Vec<usize>,
    params: Vec<usize>,
}

/// For whom a pack is that sits on another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The pack below, by its id.
    pub base: PackId,
    /// The offices whose claims it judges.
    pub offices: Vec<Office>,
}

/// Whether a measure is a matter for the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnLedger {
    /// It has grants, plaques or facts that grants rest on.
    Yes,
    /// It has not.
    No,
}

/// A measure of the notice.
#[derive(Clone, Debug)]
pub struct Measure {
    /// Its number.
    pub number: u32,
    /// Its title.
    pub title: Bilingual,
    /// Whether it is on the ledger.
    pub ledger: OnLedger,
    /// Why, or why not.
    pub why: Bilingual,
    /// Kinds of events that carry it.
    pub events: Vec<String>,
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

/// What an office is called.
#[derive(Clone, Debug)]
pub struct OfficeName {
    /// Its GB/T 2260 code.
    pub code: u32,
    /// Its name.
    pub name: Bilingual,
}

/// What a publicity list may show of a grant. Identity and account numbers are
/// not among them: whoever publishes asks for them, and they are masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublicField {
    /// 申领编号
    ClaimNo,
    /// 对象: a person's name masked, others whole.
    Name,
    /// 项目
    Programme,
    /// 资金来源
    Fund,
    /// 金额
    Amount,
    /// 经办机构
    Office,
}

impl PublicField {
    /// What is shown where a pack does not say.
    pub const USUAL: &[Self] = &[
        Self::ClaimNo,
        Self::Name,
        Self::Programme,
        Self::Amount,
        Self::Office,
    ];
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
    /// It sits on a pack that the ledger has not adopted.
    #[error("the policy pack sits on {base}, which is not adopted: adopt that first")]
    BaseMissing {
        /// The id of the pack below.
        base: String,
    },
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

fn find_base<'a>(below: &'a [Arc<Pack>], id: &PackId) -> Option<&'a Pack> {
    let found = below.iter().rev().find(|pack| pack.id == *id);
    found.map(|pack| &**pack)
}

impl Pack {
    /// Reads and checks a pack that sits on no other.
    pub fn load(text: &[u8]) -> Result<Arc<Self>, PackError> {
        Self::load_on(text, &[])
    }

    /// Reads and checks a pack. If it sits on another, that is the last of
    /// `below` with the id that it names.
    pub fn load_on(text: &[u8], below: &[Arc<Self>]) -> Result<Arc<Self>, PackError> {
        let pack = Self::read_on(text, below)?;
        let base = pack.scope.as_ref().and_then(|s| find_base(below, &s.base));
        let defects = check::defects(&pack, base);
        if defects.is_empty() {
            Ok(Arc::new(pack))
        } else {
            Err(PackError::Defects(defects))
        }
    }

    /// Its text, as it was adopted.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it judges an office's claims: a county's pack its own offices', any
    /// other all.
    pub fn governs(&self, office: Office) -> bool {
        let scope = self.scope.as_ref();
        scope.is_none_or(|scope| scope.offices.contains(&office))
    }

    /// Reads a pack without asking whether its parameters and texts are
    /// complete. Only [`Pack::load`] makes packs that may be adopted.
    pub fn read(text: &[u8]) -> Result<Self, PackError> {
        Self::read_on(text, &[])
    }

    fn read_on(text: &[u8], below: &[Arc<Self>]) -> Result<Self, PackError> {
        if text.len() > MAX_PACK {
            return Err(PackError::TooLarge);
        }
        let text = std::str::from_utf8(text).map_err(|e| PackError::Toml(e.to_string()))?;
        let base = schema::base(text)?;
        schema::parse(text, base.and_then(|base| find_base(below, &base)))
    }

    fn of(&self, claim: &Claim) -> Option<&OfProgramme> {
        let mut of_form = self.rules.iter().filter(|of| of.form == claim.form());
        match claim {
            Claim::Subsidy(claim) => of_form.find(|of| {
                let programme = self.programmes.get(of.programme);
                programme.is_some_and(|p| p.id == claim.programme.as_str())
            }),
            Claim::TrainingAllowance(_)
            | Claim::SkillBase(_)
            | Claim::ServiceSubsidy(_)
            | Claim::BrandAward(_)
            | Claim::Loan(_)
            | Claim::InterestSubsidy(_)
            | Claim::TrainingSubsidy(_)
            | Claim::TransportAid(_) => of_form.next(),
        }
    }

    fn of_id(&self, programme: &str) -> Option<&OfProgramme> {
        self.rules.iter().find(|of| {
            let known = self.programmes.get(of.programme);
            known.is_some_and(|known| known.id == programme)
        })
    }

    fn limits_at<'a>(&'a self, places: Option<&'a [usize]>) -> impl Iterator<Item = &'a Limit> {
        let places = places.into_iter().flatten();
        places.filter_map(|place| self.limits.get(*place))
    }

    /// The programme that a claim is for.
    pub fn programme(&self, claim: &Claim) -> Option<&Programme> {
        self.programmes.get(self.of(claim)?.programme)
    }

    /// The programmes that can be claimed, in the pack's order.
    pub fn claimable(&self) -> impl Iterator<Item = (&Programme, Form)> {
        self.rules
            .iter()
            .filter_map(|of| Some((self.programmes.get(of.programme)?, of.form)))
    }

    /// The limits of a claim, in reporting order.
    pub fn limits(&self, claim: &Claim) -> impl Iterator<Item = &Limit> {
        self.limits_at(self.of(claim).map(|of| &*of.limits))
    }

    /// The limits of a programme's claims, in reporting order.
    pub fn limits_of(&self, programme: &str) -> impl Iterator<Item = &Limit> {
        self.limits_at(self.of_id(programme).map(|of| &*of.limits))
    }

    /// The limits of what follows a programme's grants, in reporting order.
    pub fn step_limits_of(&self, programme: &str) -> impl Iterator<Item = &Limit> {
        self.limits_at(self.of_id(programme).map(|of| &*of.step_limits))
    }

    /// The parameters that a claim's limits use.
    pub fn params(&self, claim: &Claim) -> impl Iterator<Item = &Param> {
        let places = self.of(claim).into_iter().flat_map(|of| &of.params);
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
