//! What a loader refuses: a pack that could leave a day, a reason or a clause
//! unexplained.

use luzhang_ledger::{Date, Window, claim::Form};
use thiserror::Error;

use super::{
    Pack, Programme,
    param::{Param, Unit},
    rule::Rule,
};

/// One thing that makes a pack unusable.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Defect {
    /// Id or window of the pack.
    #[error("[pack]: the id is empty or too long, or `until` is not a day after `from`")]
    Head,
    /// A pack that sits on one that sits on another.
    #[error("[pack]: `base` must be a pack that sits on no other")]
    BaseOfBase,
    /// A pack with a base, for nobody.
    #[error("[pack]: a pack with a `base` names the `offices` that it is for")]
    ScopeEmpty,
    /// Offices without a base.
    #[error("[pack]: `offices` are for a pack with a `base`")]
    ScopeUnused,
    /// Not an office.
    #[error("[pack]: {code} is not a six-digit office code")]
    ScopeOffice {
        /// The number given.
        code: u32,
    },
    /// In force when the pack below is not.
    #[error("[pack]: its window is not within that of the pack it sits on")]
    ScopeWindow,
    /// A calendar entry that is not a day.
    #[error("[calendar]: `until`, `holidays` and `workdays` are days")]
    CalendarDay,
    /// A calendar that says nothing of its source. It may end before the pack:
    /// holidays are announced year by year, and a notice beyond it is refused.
    #[error("[calendar]: it has no `cite`")]
    CalendarCitation,
    /// A limit that counts working days, and no calendar.
    #[error("limit {limit}: it counts working days, and the pack has no [calendar]")]
    CalendarMissing {
        /// The limit.
        limit: String,
    },
    /// A measure that a programme names is not listed, or listed twice.
    #[error("measure {number} is not listed exactly once")]
    Measure {
        /// The measure.
        number: u32,
    },
    /// The source document is not named.
    #[error("[pack]: `source` is empty or `source_sha256` is not 64 hexadecimal digits")]
    Source,
    /// A value's window is not two days in order.
    #[error("parameter {param}: a value's `until` is not a day after its `from`")]
    ParamWindow {
        /// The parameter.
        param: String,
    },
    /// A day of the pack's window, or one between two values, without a value.
    #[error("parameter {param}: no value from {from} on")]
    ParamGap {
        /// The parameter.
        param: String,
        /// The first day without a value.
        from: Date,
    },
    /// A day with two values.
    #[error("parameter {param}: two values on {on}")]
    ParamOverlap {
        /// The parameter.
        param: String,
        /// The first such day.
        on: Date,
    },
    /// A value without a source.
    #[error("parameter {param}: a value has no `cite`")]
    ParamCitation {
        /// The parameter.
        param: String,
    },
    /// A negative value.
    #[error("parameter {param}: a value is negative")]
    ParamNegative {
        /// The parameter.
        param: String,
    },
    /// A value that its unit cannot have.
    #[error(
        "parameter {param}: a value is too large; a share is at most 1,000,000, a term 100 years"
    )]
    ParamTooLarge {
        /// The parameter.
        param: String,
    },
    /// A limit names a parameter that is not there.
    #[error("limit {limit}: there is no parameter {param}")]
    ParamUnknown {
        /// The limit.
        limit: String,
        /// What it names.
        param: String,
    },
    /// A limit lacks a key that its kind needs.
    #[error("limit {limit}: its kind needs `{key}`")]
    LimitKeyMissing {
        /// The limit.
        limit: String,
        /// The key.
        key: &'static str,
    },
    /// A limit has a key that its kind does not use.
    #[error("limit {limit}: its kind does not use `{key}`")]
    LimitKeyUnused {
        /// The limit.
        limit: String,
        /// The key.
        key: &'static str,
    },
    /// A limit without the words of its clause.
    #[error("limit {limit}: no `quote`")]
    LimitCitation {
        /// The limit.
        limit: String,
    },
    /// A text that is empty in one language.
    #[error("{what}: `zh` or `en` is empty")]
    Translation {
        /// What has the text.
        what: String,
    },
    /// A text uses a value that the limit does not have.
    #[error("limit {limit}: there is no value for {{{placeholder}}}")]
    Placeholder {
        /// The limit.
        limit: String,
        /// The unknown name.
        placeholder: String,
    },
    /// A code that is not `SCREAMING_SNAKE`.
    #[error("limit {limit}: `code` must be capital letters, digits and underscores")]
    Code {
        /// The limit.
        limit: String,
    },
    /// A reference to something that the pack does not define.
    #[error("{what}: {name} is not defined in this pack")]
    Unknown {
        /// Who refers.
        what: String,
        /// To what.
        name: String,
    },
    /// A limit that claims of a programme's form could never fail.
    #[error("limit {limit}: its kind or keys say nothing about programme {programme}")]
    NotApplicable {
        /// The limit.
        limit: String,
        /// The programme.
        programme: String,
    },
    /// A form of claim that belongs to two programmes.
    #[error("programmes {one} and {two} have the same form")]
    SameForm {
        /// The one.
        one: String,
        /// The other.
        two: String,
    },
    /// The same id twice.
    #[error("{name} is defined twice")]
    Twice {
        /// The id.
        name: String,
    },
}

pub(super) fn defects(pack: &Pack, base: Option<&Pack>) -> Vec<Defect> {
    let mut defects = Vec::new();
    check_scope(pack, base, &mut defects);
    check_calendar(pack, &mut defects);
    check_measures(pack, &mut defects);
    let hex = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if pack.source.title.trim().is_empty() || !hex(&pack.source.sha256) {
        defects.push(Defect::Source);
    }
    for param in &pack.params {
        check_param(pack, param, &mut defects);
    }
    check_limits(pack, &mut defects);
    check_forms(pack, &mut defects);
    check_texts(pack, &mut defects);
    check_ids(pack, &mut defects);
    defects
}

fn check_scope(pack: &Pack, base: Option<&Pack>, defects: &mut Vec<Defect>) {
    if let Some(base) = base {
        let end = |window: Window| window.until().unwrap_or(Date::MAX);
        let (inner, outer) = (pack.window, base.window);
        if inner.from() < outer.from() || end(inner) > end(outer) {
            defects.push(Defect::ScopeWindow);
        }
    }
}

fn check_calendar(pack: &Pack, defects: &mut Vec<Defect>) {
    let calendar = pack.calendar.as_ref();
    if calendar.is_some_and(|calendar| calendar.cite.trim().is_empty()) {
        defects.push(Defect::CalendarCitation);
    }
    for limit in &pack.limits {
        if matches!(limit.rule, Rule::NoticeClosed { .. }) && pack.calendar.is_none() {
            let limit = limit.id.clone();
            defects.push(Defect::CalendarMissing { limit });
        }
    }
}

fn check_measures(pack: &Pack, defects: &mut Vec<Defect>) {
    if pack.measures.is_empty() {
        return;
    }
    let of_programmes = pack.programmes.iter().map(|programme| programme.measure);
    let listed = pack.measures.iter().map(|measure| measure.number);
    let mut numbers: Vec<u32> = of_programmes.filter(|n| *n != 0).chain(listed).collect();
    numbers.sort_unstable();
    numbers.dedup();
    for number in numbers {
        let found = pack.measures.iter().filter(|m| m.number == number).count();
        if found != 1 {
            defects.push(Defect::Measure { number });
        }
    }
    for measure in &pack.measures {
        for event in &measure.events {
            if !luzhang_ledger::event::KINDS.contains(&event.as_str()) {
                defects.push(Defect::Unknown {
                    what: format!("measure {}", measure.number),
                    name: event.clone(),
                });
            }
        }
    }
}

fn check_param(pack: &Pack, param: &Param, defects: &mut Vec<Defect>) {
    let id = || param.id.clone();
    let end = pack.window.until().unwrap_or(Date::MAX);
    let most = match param.unit {
        Unit::Ppm => 1_000_000,
        Unit::Years => 100,
        Unit::Fen | Unit::Count => i64::MAX,
    };
    // Days before the pack's window are asked too (the award of a plaque), so
    // that nothing may be missing between two values, wherever they are.
    let begin = param.values.first().map(|value| value.window.from());
    let mut covered = pack.window.from();
    covered = begin.map_or(covered, |begin| begin.min(covered));
    for value in &param.values {
        if value.cite.trim().is_empty() {
            defects.push(Defect::ParamCitation { param: id() });
        }
        if value.value < 0 {
            defects.push(Defect::ParamNegative { param: id() });
        }
        if value.value > most {
            defects.push(Defect::ParamTooLarge { param: id() });
        }
        if value.window.from() > covered {
            defects.push(Defect::ParamGap {
                param: id(),
                from: covered,
            });
        }
        covered = covered.max(value.window.until().unwrap_or(Date::MAX));
    }
    if covered < end {
        defects.push(Defect::ParamGap {
            param: id(),
            from: covered,
        });
    }
    for [one, two] in param.values.array_windows() {
        if one.window.overlaps(two.window) {
            defects.push(Defect::ParamOverlap {
                param: id(),
                on: two.window.from(),
            });
        }
    }
}

fn check_limits(pack: &Pack, defects: &mut Vec<Defect>) {
    for limit in &pack.limits {
        let id = || limit.id.clone();
        let what = || format!("limit {}", limit.id);
        if limit.quote.trim().is_empty() {
            defects.push(Defect::LimitCitation { limit: id() });
        }
        let letters = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        if limit.code.is_empty() || !limit.code.bytes().all(letters) {
            defects.push(Defect::Code { limit: id() });
        }
        for text in [&limit.text.zh, &limit.text.en] {
            for name in placeholders(text) {
                if !limit.rule.placeholders().contains(&name) {
                    defects.push(Defect::Placeholder {
                        limit: id(),
                        placeholder: name.to_owned(),
                    });
                }
            }
        }
        let unknown = |name: &str| Defect::Unknown {
            what: what(),
            name: name.to_owned(),
        };
        for name in &limit.programmes {
            if !pack.programmes.iter().any(|p| p.id == *name) {
                defects.push(unknown(name));
            }
        }
        for name in &limit.readings {
            if !pack.readings.iter().any(|r| r.id == *name) {
                defects.push(unknown(name));
            }
        }
        if let Rule::AllowedFund { funds } = &limit.rule {
            for name in funds {
                if !pack.funds.iter().any(|f| f.id == *name) {
                    defects.push(unknown(name));
                }
            }
        }
    }
}

fn check_forms(pack: &Pack, defects: &mut Vec<Defect>) {
    let claimable: Vec<(&Programme, Form)> = pack.claimable().collect();
    for (place, (programme, form)) in claimable.iter().enumerate() {
        let later = claimable.iter().skip(place.saturating_add(1));
        for (other, of) in later {
            // A subsidy names its programme; other forms belong to one.
            if of == form && *form != Form::Subsidy {
                defects.push(Defect::SameForm {
                    one: programme.id.clone(),
                    two: other.id.clone(),
                });
            }
        }
        let limits = pack.limits_of(&programme.id);
        for limit in limits.chain(pack.step_limits_of(&programme.id)) {
            if !limit.rule.applies_to(*form) {
                defects.push(Defect::NotApplicable {
                    limit: limit.id.clone(),
                    programme: programme.id.clone(),
                });
            }
        }
    }
}

fn check_texts(pack: &Pack, defects: &mut Vec<Defect>) {
    let titles = std::iter::once(("pack".to_owned(), &pack.title));
    let funds = pack
        .funds
        .iter()
        .map(|f| (format!("fund {}", f.id), &f.name));
    let offices = pack
        .offices
        .iter()
        .map(|o| (format!("office {}", o.code), &o.name));
    let programmes = pack
        .programmes
        .iter()
        .map(|p| (format!("programme {}", p.id), &p.name));
    let readings = pack
        .readings
        .iter()
        .map(|r| (format!("reading {}", r.id), &r.text));
    let limits = pack
        .limits
        .iter()
        .map(|l| (format!("limit {}", l.id), &l.text));
    let measures = pack.measures.iter().flat_map(|m| {
        let what = format!("measure {}", m.number);
        [(what.clone(), &m.title), (what, &m.why)]
    });
    let all = titles
        .chain(measures)
        .chain(funds)
        .chain(offices)
        .chain(programmes)
        .chain(readings)
        .chain(limits);
    for (what, text) in all {
        if text.zh.trim().is_empty() || text.en.trim().is_empty() {
            defects.push(Defect::Translation { what });
        }
    }
}

fn check_ids(pack: &Pack, defects: &mut Vec<Defect>) {
    let groups: [Vec<&str>; 5] = [
        pack.funds.iter().map(|f| f.id.as_str()).collect(),
        pack.programmes.iter().map(|p| p.id.as_str()).collect(),
        pack.readings.iter().map(|r| r.id.as_str()).collect(),
        pack.params.iter().map(|p| p.id.as_str()).collect(),
        pack.limits.iter().map(|l| l.id.as_str()).collect(),
    ];
    for mut ids in groups {
        ids.sort_unstable();
        for [one, two] in ids.array_windows() {
            if one == two {
                defects.push(Defect::Twice {
                    name: (*one).to_owned(),
                });
            }
        }
    }
}

/// The names in braces in a text.
pub(crate) fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}
