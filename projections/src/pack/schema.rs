//! The TOML of a pack, and how references in it are resolved.

use std::collections::BTreeSet;

use luzhang_ledger::{Date, Office, Window, claim::Form, text::PackId};
use serde::Deserialize;
use toml::value::Datetime;

use super::{
    Bilingual, Fund, Limit, Measure, OfProgramme, OfficeName, OnLedger, Pack, PackError, Programme,
    PublicField, Reading, Scope, Source, WorkingDays,
    check::Defect,
    param::{Dated, Param, ParamIx, Unit},
    resolve,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPack {
    pack: RawHead,
    calendar: Option<RawCalendar>,
    #[serde(default)]
    measure: Vec<RawMeasure>,
    #[serde(default)]
    fund: Vec<RawFund>,
    #[serde(default)]
    office: Vec<RawOffice>,
    publicity: Option<RawPublicity>,
    #[serde(default)]
    programme: Vec<RawProgramme>,
    #[serde(default)]
    reading: Vec<RawReading>,
    #[serde(default)]
    param: Vec<RawParam>,
    #[serde(default)]
    limit: Vec<RawLimit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHead {
    id: String,
    zh: String,
    en: String,
    from: Datetime,
    until: Datetime,
    source: String,
    source_sha256: String,
    base: Option<String>,
    #[serde(default)]
    offices: Vec<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCalendar {
    until: Datetime,
    cite: String,
    #[serde(default)]
    holidays: Vec<Datetime>,
    #[serde(default)]
    workdays: Vec<Datetime>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMeasure {
    number: u32,
    zh: String,
    en: String,
    ledger: bool,
    why_zh: String,
    why_en: String,
    #[serde(default)]
    events: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFund {
    id: String,
    zh: String,
    en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOffice {
    code: u32,
    zh: String,
    en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPublicity {
    fields: Vec<PublicField>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProgramme {
    id: String,
    zh: String,
    en: String,
    measure: u32,
    form: Option<RawForm>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawForm {
    TrainingAllowance,
    SkillBase,
    ServiceSubsidy,
    BrandAward,
    Loan,
    InterestSubsidy,
    TrainingSubsidy,
    TransportAid,
    Subsidy,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReading {
    id: String,
    zh: String,
    en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawParam {
    id: String,
    unit: RawUnit,
    basis: String,
    values: Vec<RawValue>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawUnit {
    Fen,
    Count,
    Years,
    Ppm,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawValue {
    from: Datetime,
    until: Datetime,
    v: i64,
    cite: String,
}

/// A limit. Which of the optional keys belong to which kind is checked when the
/// rule is resolved: a key that its kind does not use is an error.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLimit {
    pub(super) id: String,
    pub(super) code: String,
    pub(super) programmes: Vec<String>,
    #[serde(default)]
    pub(super) measure: u32,
    pub(super) quote: String,
    #[serde(default)]
    pub(super) readings: Vec<String>,
    pub(super) zh: String,
    pub(super) en: String,
    #[serde(default)]
    pub(super) alone: bool,
    pub(super) kind: RawKind,
    pub(super) max: Option<String>,
    pub(super) amount: Option<String>,
    pub(super) by: Option<Vec<RawAttribute>>,
    pub(super) per: Option<Vec<RawAttribute>>,
    pub(super) unit: Option<RawCountUnit>,
    pub(super) period: Option<RawPeriod>,
    pub(super) fact: Option<RawFact>,
    pub(super) valid_years: Option<String>,
    pub(super) funds: Option<Vec<String>>,
    pub(super) share: Option<String>,
    pub(super) excess_share: Option<String>,
    pub(super) tranche: Option<String>,
    pub(super) years: Option<String>,
    pub(super) days: Option<String>,
    pub(super) home: Option<u32>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawKind {
    Window,
    ParamsDefined,
    Budget,
    CapPerUnit,
    UniqueDate,
    CountPerPeriod,
    NoFactOverlap,
    RequiresFact,
    FixedAmount,
    AllowedFund,
    Cap,
    PriorSettled,
    ShareOfInterest,
    NoPeriodOverlap,
    MinimumTerm,
    AuthorisedAmount,
    OtherProvince,
    ShareOfIncrement,
    NoticeClosed,
    DutiesApart,
    PaymentWithinGrant,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawAttribute {
    Kind,
    Level,
    BrandLevel,
    BorrowerKind,
    Employer,
    Certificate,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawCountUnit {
    Grant,
    Course,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawPeriod {
    Ever,
    CalendarYear,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawFact {
    PovertyStatus,
    UnemploymentBenefit,
    Attendance,
    Plaque,
    Loan,
    Certificate,
}

/// The id of the pack below, if the text names one.
pub(super) fn base(text: &str) -> Result<Option<PackId>, PackError> {
    let base = read(text)?.pack.base;
    Ok(base.and_then(|base| PackId::new(base).ok()))
}

/// What a pack without a base, or a county's on its base, says.
pub(super) fn parse(text: &str, base: Option<&Pack>) -> Result<Pack, PackError> {
    let raw = merged(read(text)?, base)?;
    let mut defects = Vec::new();
    let head = raw.pack;
    let id = PackId::new(head.id.clone());
    let window = window(&head.from, &head.until);
    let (Ok(id), Some(pack_window)) = (id, window) else {
        return Err(PackError::Defects(vec![Defect::Head]));
    };
    if head.base.is_none() && !head.offices.is_empty() {
        defects.push(Defect::ScopeUnused);
    }
    let scope = scope(&head, &mut defects);
    let calendar = raw.calendar.and_then(|raw| calendar(&raw, &mut defects));
    let params: Vec<Param> = raw
        .param
        .into_iter()
        .map(|param| resolve_param(param, &mut defects))
        .collect();
    let programmes: Vec<Programme> = raw.programme.into_iter().map(programme).collect();
    let mut limits = Vec::with_capacity(raw.limit.len());
    for limit in raw.limit {
        match resolve::limit(limit, &params) {
            Ok(limit) => limits.push(limit),
            Err(defect) => defects.push(defect),
        }
    }
    if !defects.is_empty() {
        return Err(PackError::Defects(defects));
    }
    let rules = rules(&programmes, &limits);
    Ok(Pack {
        id,
        text: text.into(),
        scope,
        title: bilingual(head.zh, head.en),
        window: pack_window,
        source: Source {
            title: head.source,
            sha256: head.source_sha256,
        },
        calendar,
        measures: raw.measure.into_iter().map(measure).collect(),
        funds: raw
            .fund
            .into_iter()
            .map(|fund| Fund {
                id: fund.id,
                name: bilingual(fund.zh, fund.en),
            })
            .collect(),
        offices: raw
            .office
            .into_iter()
            .map(|office| OfficeName {
                code: office.code,
                name: bilingual(office.zh, office.en),
            })
            .collect(),
        public_fields: raw
            .publicity
            .map_or_else(|| PublicField::USUAL.to_vec(), |raw| raw.fields),
        programmes,
        readings: raw
            .reading
            .into_iter()
            .map(|reading| Reading {
                id: reading.id,
                text: bilingual(reading.zh, reading.en),
            })
            .collect(),
        params,
        limits,
        rules,
    })
}

fn read(text: &str) -> Result<RawPack, PackError> {
    toml::from_str(text).map_err(|e| PackError::Toml(e.to_string()))
}

/// A county's pack over its base: what has the same id takes the place of the
/// base's, what is new follows it.
fn merged(raw: RawPack, base: Option<&Pack>) -> Result<RawPack, PackError> {
    let Some(wanted) = &raw.pack.base else {
        return Ok(raw);
    };
    let Some(base) = base.filter(|base| base.id.as_str() == wanted) else {
        return Err(PackError::BaseMissing {
            base: wanted.clone(),
        });
    };
    if base.scope.is_some() {
        return Err(PackError::Defects(vec![Defect::BaseOfBase]));
    }
    let below = read(&base.text)?;
    Ok(RawPack {
        pack: raw.pack,
        calendar: raw.calendar.or(below.calendar),
        measure: over(below.measure, raw.measure, |m| m.number),
        fund: over(below.fund, raw.fund, |f| f.id.clone()),
        office: over(below.office, raw.office, |o| o.code),
        publicity: raw.publicity.or(below.publicity),
        programme: over(below.programme, raw.programme, |p| p.id.clone()),
        reading: over(below.reading, raw.reading, |r| r.id.clone()),
        param: over(below.param, raw.param, |p| p.id.clone()),
        limit: over(below.limit, raw.limit, |l| l.id.clone()),
    })
}

fn over<T, K: PartialEq>(below: Vec<T>, above: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut merged = below;
    for entry in above {
        match merged.iter_mut().find(|known| key(known) == key(&entry)) {
            Some(known) => *known = entry,
            None => merged.push(entry),
        }
    }
    merged
}

fn scope(head: &RawHead, defects: &mut Vec<Defect>) -> Option<Scope> {
    let base = head.base.as_deref()?;
    let mut offices = Vec::with_capacity(head.offices.len());
    for code in &head.offices {
        match Office::new(*code) {
            Ok(office) => offices.push(office),
            Err(_) => defects.push(Defect::ScopeOffice { code: *code }),
        }
    }
    if offices.is_empty() {
        defects.push(Defect::ScopeEmpty);
    }
    let base = PackId::new(base).ok()?;
    Some(Scope { base, offices })
}

fn calendar(raw: &RawCalendar, defects: &mut Vec<Defect>) -> Option<WorkingDays> {
    let days = |raw: &[Datetime]| raw.iter().map(date).collect::<Option<BTreeSet<Date>>>();
    let calendar = match (date(&raw.until), days(&raw.holidays), days(&raw.workdays)) {
        (Some(until), Some(holidays), Some(workdays)) => Some(WorkingDays {
            until,
            cite: raw.cite.clone(),
            holidays,
            workdays,
        }),
        (_, _, _) => None,
    };
    if calendar.is_none() {
        defects.push(Defect::CalendarDay);
    }
    calendar
}

fn measure(raw: RawMeasure) -> Measure {
    Measure {
        number: raw.number,
        title: bilingual(raw.zh, raw.en),
        ledger: if raw.ledger {
            OnLedger::Yes
        } else {
            OnLedger::No
        },
        why: bilingual(raw.why_zh, raw.why_en),
        events: raw.events,
    }
}

fn bilingual(zh: String, en: String) -> Bilingual {
    Bilingual { zh, en }
}

/// For each programme with a form: its limits and their parameters. Limits of
/// steps gate what follows a grant, not the grant.
fn rules(programmes: &[Programme], limits: &[Limit]) -> Vec<OfProgramme> {
    let with_form = programmes
        .iter()
        .enumerate()
        .filter_map(|(place, programme)| Some((place, programme, programme.form?)));
    with_form
        .map(|(place, programme, form)| {
            let of_programme = |of_step: bool| {
                limits
                    .iter()
                    .enumerate()
                    .filter(move |(_, limit)| limit.rule.is_of_step() == of_step)
                    .filter(|(_, limit)| limit.programmes.contains(&programme.id))
            };
            let mut params: Vec<usize> = of_programme(false)
                .flat_map(|(_, limit)| limit.rule.params())
                .map(ParamIx::index)
                .collect();
            params.sort_unstable();
            params.dedup();
            OfProgramme {
                form,
                programme: place,
                limits: of_programme(false).map(|(index, _)| index).collect(),
                step_limits: of_programme(true).map(|(index, _)| index).collect(),
                params,
            }
        })
        .collect()
}

fn programme(raw: RawProgramme) -> Programme {
    Programme {
        id: raw.id,
        name: Bilingual {
            zh: raw.zh,
            en: raw.en,
        },
        measure: raw.measure,
        form: raw.form.map(|form| match form {
            RawForm::TrainingAllowance => Form::TrainingAllowance,
            RawForm::SkillBase => Form::SkillBase,
            RawForm::ServiceSubsidy => Form::ServiceSubsidy,
            RawForm::BrandAward => Form::BrandAward,
            RawForm::Loan => Form::Loan,
            RawForm::InterestSubsidy => Form::InterestSubsidy,
            RawForm::TrainingSubsidy => Form::TrainingSubsidy,
            RawForm::TransportAid => Form::TransportAid,
            RawForm::Subsidy => Form::Subsidy,
        }),
    }
}

fn resolve_param(raw: RawParam, defects: &mut Vec<Defect>) -> Param {
    let mut values = Vec::with_capacity(raw.values.len());
    for value in raw.values {
        match window(&value.from, &value.until) {
            Some(window) => values.push(Dated {
                window,
                value: value.v,
                cite: value.cite,
            }),
            None => defects.push(Defect::ParamWindow {
                param: raw.id.clone(),
            }),
        }
    }
    values.sort_by_key(|value| value.window.from());
    Param {
        id: raw.id,
        unit: match raw.unit {
            RawUnit::Fen => Unit::Fen,
            RawUnit::Count => Unit::Count,
            RawUnit::Years => Unit::Years,
            RawUnit::Ppm => Unit::Ppm,
        },
        basis: raw.basis,
        values,
    }
}

fn window(from: &Datetime, until: &Datetime) -> Option<Window> {
    Window::new(date(from)?, Some(date(until)?)).ok()
}

fn date(datetime: &Datetime) -> Option<Date> {
    let date = datetime.date.filter(|_| datetime.time.is_none())?;
    luzhang_ledger::calendar::date(
        i16::try_from(date.year).ok()?,
        i8::try_from(date.month).ok()?,
        i8::try_from(date.day).ok()?,
    )
    .ok()
}
