//! The TOML of a pack, and how references in it are resolved.

use std::collections::BTreeSet;

use luzhang_ledger::{Date, Window, calendar, claim::Form, text::PackId};
use serde::Deserialize;
use toml::value::Datetime;

use super::{
    Bilingual, Fund, Limit, OfForm, Pack, PackError, Programme, Reading, Reporting, Source,
    check::Defect,
    param::{Dated, Param, ParamIx, Unit},
    rule::{Attribute, CountUnit, FactKind, Period, Rule, Table},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPack {
    pack: RawHead,
    #[serde(default)]
    fund: Vec<RawFund>,
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
struct RawLimit {
    id: String,
    code: String,
    programmes: Vec<String>,
    #[serde(default)]
    measure: u32,
    quote: String,
    #[serde(default)]
    readings: Vec<String>,
    zh: String,
    en: String,
    #[serde(default)]
    alone: bool,
    kind: RawKind,
    max: Option<String>,
    amount: Option<String>,
    by: Option<Vec<RawAttribute>>,
    per: Option<Vec<RawAttribute>>,
    unit: Option<RawCountUnit>,
    period: Option<RawPeriod>,
    fact: Option<RawFact>,
    valid_years: Option<String>,
    funds: Option<Vec<String>>,
    share: Option<String>,
    excess_share: Option<String>,
    tranche: Option<String>,
    years: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawKind {
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
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawAttribute {
    Kind,
    Level,
    BrandLevel,
    BorrowerKind,
    Employer,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawCountUnit {
    Grant,
    Course,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawPeriod {
    Ever,
    CalendarYear,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawFact {
    PovertyStatus,
    UnemploymentBenefit,
    Attendance,
    Plaque,
    Loan,
}

pub(super) fn parse(text: &str) -> Result<Pack, PackError> {
    let raw: RawPack = toml::from_str(text).map_err(|e| PackError::Toml(e.to_string()))?;
    let mut defects = Vec::new();
    let head = raw.pack;
    let id = PackId::new(head.id.clone());
    let window = window(&head.from, &head.until);
    let (Ok(id), Some(pack_window)) = (id, window) else {
        return Err(PackError::Defects(vec![Defect::Head]));
    };
    let mut params = Vec::with_capacity(raw.param.len());
    for param in raw.param {
        params.push(resolve_param(param, &mut defects));
    }
    let programmes: Vec<Programme> = raw.programme.into_iter().map(programme).collect();
    let mut limits = Vec::with_capacity(raw.limit.len());
    for limit in raw.limit {
        match resolve_limit(limit, &params) {
            Ok(limit) => limits.push(limit),
            Err(defect) => defects.push(defect),
        }
    }
    if !defects.is_empty() {
        return Err(PackError::Defects(defects));
    }
    let by_form = Form::ALL
        .into_iter()
        .filter_map(|form| {
            let place = programmes.iter().position(|p| p.form == Some(form))?;
            let programme = &programmes.get(place)?.id;
            let of_form = limits
                .iter()
                .enumerate()
                .filter(|(_, limit)| limit.programmes.contains(programme));
            let mut used: Vec<usize> = of_form
                .clone()
                .flat_map(|(_, limit)| limit.rule.params())
                .map(ParamIx::index)
                .collect();
            used.sort_unstable();
            used.dedup();
            Some(OfForm {
                form,
                programme: place,
                limits: of_form.map(|(index, _)| index).collect(),
                params: used,
            })
        })
        .collect();
    Ok(Pack {
        id,
        title: Bilingual {
            zh: head.zh,
            en: head.en,
        },
        window: pack_window,
        source: Source {
            title: head.source,
            sha256: head.source_sha256,
        },
        funds: raw
            .fund
            .into_iter()
            .map(|fund| Fund {
                id: fund.id,
                name: Bilingual {
                    zh: fund.zh,
                    en: fund.en,
                },
            })
            .collect(),
        programmes,
        readings: raw
            .reading
            .into_iter()
            .map(|reading| Reading {
                id: reading.id,
                text: Bilingual {
                    zh: reading.zh,
                    en: reading.en,
                },
            })
            .collect(),
        params,
        limits,
        by_form,
    })
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

/// Resolves a limit's references, and remembers which keys its kind used.
struct Resolver<'a> {
    limit: &'a RawLimit,
    params: &'a [Param],
    used: BTreeSet<&'static str>,
}

impl Resolver<'_> {
    fn missing(&self, key: &'static str) -> Defect {
        Defect::LimitKeyMissing {
            limit: self.limit.id.clone(),
            key,
        }
    }

    fn text(&mut self, key: &'static str) -> Option<String> {
        self.used.insert(key);
        match key {
            "max" => self.limit.max.clone(),
            "amount" => self.limit.amount.clone(),
            "valid_years" => self.limit.valid_years.clone(),
            "share" => self.limit.share.clone(),
            "excess_share" => self.limit.excess_share.clone(),
            "tranche" => self.limit.tranche.clone(),
            "years" => self.limit.years.clone(),
            _ => None,
        }
    }

    fn find(&self, id: &str) -> Result<ParamIx, Defect> {
        let place = self.params.iter().position(|param| param.id == id);
        place.map(ParamIx::new).ok_or_else(|| Defect::ParamUnknown {
            limit: self.limit.id.clone(),
            param: id.to_owned(),
        })
    }

    fn param(&mut self, key: &'static str) -> Result<ParamIx, Defect> {
        let id = self.text(key).ok_or_else(|| self.missing(key))?;
        self.find(&id)
    }

    fn table(&mut self, key: &'static str) -> Result<Table, Defect> {
        let prefix = self.text(key).ok_or_else(|| self.missing(key))?;
        self.used.insert("by");
        let by = attributes(self.limit.by.as_deref().unwrap_or_default());
        let mut keys: Vec<(Vec<u32>, String)> = vec![(Vec::new(), prefix)];
        for attribute in &by {
            if attribute.values().is_empty() {
                return Err(self.missing("by"));
            }
            keys = keys
                .into_iter()
                .flat_map(|(numbers, id)| {
                    (0_u32..)
                        .zip(attribute.values())
                        .map(move |(number, name)| {
                            let mut numbers = numbers.clone();
                            numbers.push(number);
                            (numbers, format!("{id}.{name}"))
                        })
                })
                .collect();
        }
        let cells = keys
            .into_iter()
            .map(|(numbers, id)| Ok((numbers, self.find(&id)?)))
            .collect::<Result<_, Defect>>()?;
        Ok(Table { by, cells })
    }

    fn fact(&mut self) -> Result<FactKind, Defect> {
        self.used.insert("fact");
        Ok(match self.limit.fact.ok_or_else(|| self.missing("fact"))? {
            RawFact::PovertyStatus => FactKind::PovertyStatus,
            RawFact::UnemploymentBenefit => FactKind::UnemploymentBenefit,
            RawFact::Attendance => FactKind::Attendance,
            RawFact::Plaque => FactKind::Plaque,
            RawFact::Loan => FactKind::Loan,
        })
    }

    fn rule(&mut self) -> Result<Rule, Defect> {
        Ok(match self.limit.kind {
            RawKind::Window => Rule::Window,
            RawKind::ParamsDefined => Rule::ParamsDefined,
            RawKind::Budget => Rule::Budget,
            RawKind::CapPerUnit => Rule::CapPerUnit {
                max: self.param("max")?,
            },
            RawKind::UniqueDate => Rule::UniqueDate,
            RawKind::CountPerPeriod => {
                self.used.extend(["unit", "per", "period"]);
                Rule::CountPerPeriod {
                    unit: match self.limit.unit.ok_or_else(|| self.missing("unit"))? {
                        RawCountUnit::Grant => CountUnit::Grant,
                        RawCountUnit::Course => CountUnit::Course,
                    },
                    per: attributes(self.limit.per.as_deref().unwrap_or_default()),
                    period: match self.limit.period.ok_or_else(|| self.missing("period"))? {
                        RawPeriod::Ever => Period::Ever,
                        RawPeriod::CalendarYear => Period::CalendarYear,
                    },
                    max: self.param("max")?,
                }
            }
            RawKind::NoFactOverlap => Rule::NoFactOverlap { fact: self.fact()? },
            RawKind::RequiresFact => {
                let valid_years = self.text("valid_years");
                Rule::RequiresFact {
                    fact: self.fact()?,
                    valid_years: valid_years.map(|id| self.find(&id)).transpose()?,
                }
            }
            RawKind::FixedAmount => Rule::FixedAmount {
                amount: self.table("amount")?,
            },
            RawKind::AllowedFund => {
                self.used.insert("funds");
                Rule::AllowedFund {
                    funds: self
                        .limit
                        .funds
                        .clone()
                        .ok_or_else(|| self.missing("funds"))?,
                }
            }
            RawKind::Cap => Rule::Cap {
                max: self.table("max")?,
            },
            RawKind::PriorSettled => Rule::PriorSettled,
            RawKind::ShareOfInterest => Rule::ShareOfInterest {
                share: self.param("share")?,
                excess_share: self.param("excess_share")?,
                tranche: self.table("tranche")?,
            },
            RawKind::NoPeriodOverlap => Rule::NoPeriodOverlap,
            RawKind::MinimumTerm => Rule::MinimumTerm {
                years: self.param("years")?,
            },
        })
    }
}

fn resolve_limit(raw: RawLimit, params: &[Param]) -> Result<Limit, Defect> {
    let mut resolver = Resolver {
        limit: &raw,
        params,
        used: BTreeSet::new(),
    };
    let rule = resolver.rule()?;
    let used = resolver.used;
    let given = [
        ("max", raw.max.is_some()),
        ("amount", raw.amount.is_some()),
        ("by", raw.by.is_some()),
        ("per", raw.per.is_some()),
        ("unit", raw.unit.is_some()),
        ("period", raw.period.is_some()),
        ("fact", raw.fact.is_some()),
        ("valid_years", raw.valid_years.is_some()),
        ("funds", raw.funds.is_some()),
        ("share", raw.share.is_some()),
        ("excess_share", raw.excess_share.is_some()),
        ("tranche", raw.tranche.is_some()),
        ("years", raw.years.is_some()),
    ];
    if let Some((key, _)) = given
        .iter()
        .find(|(key, given)| *given && !used.contains(key))
    {
        return Err(Defect::LimitKeyUnused { limit: raw.id, key });
    }
    Ok(Limit {
        id: raw.id,
        code: raw.code,
        programmes: raw.programmes,
        measure: raw.measure,
        quote: raw.quote,
        readings: raw.readings,
        text: Bilingual {
            zh: raw.zh,
            en: raw.en,
        },
        rule,
        reporting: if raw.alone {
            Reporting::Alone
        } else {
            Reporting::WithOthers
        },
    })
}

fn attributes(raw: &[RawAttribute]) -> Vec<Attribute> {
    raw.iter()
        .map(|attribute| match attribute {
            RawAttribute::Kind => Attribute::Kind,
            RawAttribute::Level => Attribute::Level,
            RawAttribute::BrandLevel => Attribute::BrandLevel,
            RawAttribute::BorrowerKind => Attribute::BorrowerKind,
            RawAttribute::Employer => Attribute::Employer,
        })
        .collect()
}

fn window(from: &Datetime, until: &Datetime) -> Option<Window> {
    Window::new(date(from)?, Some(date(until)?)).ok()
}

fn date(datetime: &Datetime) -> Option<Date> {
    let date = datetime.date.filter(|_| datetime.time.is_none())?;
    calendar::date(
        i16::try_from(date.year).ok()?,
        i8::try_from(date.month).ok()?,
        i8::try_from(date.day).ok()?,
    )
    .ok()
}
