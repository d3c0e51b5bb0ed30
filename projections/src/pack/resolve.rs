//! How the references in a limit are resolved.

use std::collections::BTreeSet;

use luzhang_ledger::Office;

use super::{
    Bilingual, Limit, Reporting,
    check::Defect,
    param::{Param, ParamIx},
    rule::{Attribute, CountUnit, FactKind, Period, Rule, Table},
    schema::{RawAttribute, RawCountUnit, RawFact, RawKind, RawLimit, RawPeriod},
};

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
            "days" => self.limit.days.clone(),
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
            RawFact::Certificate => FactKind::Certificate,
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
            RawKind::AuthorisedAmount => Rule::AuthorisedAmount {
                amount: match self.limit.amount {
                    Some(_) => Some(self.table("amount")?),
                    None => None,
                },
            },
            RawKind::OtherProvince => {
                self.used.insert("home");
                let home = self.limit.home.and_then(|code| Office::new(code).ok());
                Rule::OtherProvince {
                    home: home.ok_or_else(|| self.missing("home"))?,
                }
            }
            RawKind::ShareOfIncrement => Rule::ShareOfIncrement {
                share: self.param("share")?,
            },
            RawKind::NoticeClosed => Rule::NoticeClosed {
                days: self.param("days")?,
            },
            RawKind::DutiesApart => Rule::DutiesApart,
            RawKind::PaymentWithinGrant => Rule::PaymentWithinGrant,
        })
    }
}

pub(super) fn limit(raw: RawLimit, params: &[Param]) -> Result<Limit, Defect> {
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
        ("days", raw.days.is_some()),
        ("home", raw.home.is_some()),
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
            RawAttribute::Certificate => Attribute::Certificate,
        })
        .collect()
}
