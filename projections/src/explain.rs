//! Reasons in words: the texts of a pack with the compared values put in.

use luzhang_ledger::{
    Fen,
    event::{Compared, Conflict, Failure, Value},
};

use crate::{
    codes,
    pack::{Bilingual, Pack},
    trace::{Outcome, Tried},
};

/// A reason that a clerk can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Stable code.
    pub code: String,
    /// Limit of the pack.
    pub limit: String,
    /// What happened.
    pub text: Bilingual,
    /// Measure of the notice; 0 for general rules.
    pub measure: u32,
    /// The words of the clause.
    pub quote: String,
}

/// The reason of a failed limit, in the words of the pack that judged it.
pub fn failure(pack: &Pack, failure: &Failure) -> Reason {
    in_words(pack, &failure.limit, &failure.code, &failure.compared)
}

/// The reason of a conflict, in the words of the limit that it breaks.
pub fn conflict(pack: &Pack, conflict: &Conflict) -> Reason {
    let dates = Compared {
        name: "dates".to_owned(),
        value: Value::Dates(conflict.dates.clone()),
    };
    in_words(pack, &conflict.limit, &conflict.code, &[dates])
}

/// What a limit says of a claim: its clause, and in its own words why it fails
/// where it does. Of one that holds there is no sentence.
pub fn tried(pack: &Pack, tried: &Tried) -> Reason {
    let reason = in_words(pack, &tried.limit, &tried.code, &tried.compared);
    match tried.outcome {
        Outcome::Failed => reason,
        Outcome::Passed | Outcome::NotJudged => Reason {
            text: Bilingual {
                zh: String::new(),
                en: String::new(),
            },
            ..reason
        },
    }
}

/// A value as a text of a pack shows it.
pub fn value(value: &Value) -> Bilingual {
    Bilingual {
        zh: shown(value, Language::Zh),
        en: shown(value, Language::En),
    }
}

fn in_words(pack: &Pack, limit: &str, code: &str, compared: &[Compared]) -> Reason {
    let found = pack.limit(limit);
    let text = found.map_or_else(
        || titled(code, compared),
        |limit| Bilingual {
            zh: fill(&limit.text.zh, compared, Language::Zh),
            en: fill(&limit.text.en, compared, Language::En),
        },
    );
    Reason {
        code: code.to_owned(),
        limit: limit.to_owned(),
        text,
        measure: found.map_or(0, |limit| limit.measure),
        quote: found.map_or(String::new(), |limit| limit.quote.clone()),
    }
}

/// A reason that no pack has words for, such as the order of steps: the code's
/// title, and the values.
fn titled(code: &str, compared: &[Compared]) -> Bilingual {
    let values = |language| {
        let values: Vec<String> = compared
            .iter()
            .map(|c| format!("{} {}", named(&c.name, language), worded(c, language)))
            .collect();
        values.join(", ")
    };
    let title = codes::find(code).map(|entry| entry.title);
    let (zh, en) = title.map_or((code, code), |title| (title.zh, title.en));
    if compared.is_empty() {
        return Bilingual {
            zh: zh.to_owned(),
            en: en.to_owned(),
        };
    }
    Bilingual {
        zh: format!("{zh}（{}）", values(Language::Zh)),
        en: format!("{en} ({})", values(Language::En)),
    }
}

#[derive(Clone, Copy)]
enum Language {
    Zh,
    En,
}

/// How many days are named one by one.
const NAMED_DAYS: usize = 8;

fn fill(text: &str, compared: &[Compared], language: Language) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            rest = after;
            break;
        };
        if let Some(value) = compared.iter().find(|c| c.name == name) {
            filled.push_str(&worded(value, language));
        }
        rest = tail;
    }
    filled.push_str(rest);
    filled
}

/// What the values of a reason without a pack's words are called.
const NAMES: [(&str, &str); 6] = [
    ("grant", "补助位置"),
    ("last_day", "最后一天"),
    ("amount", "金额"),
    ("left", "可用"),
    ("number", "编号"),
    ("objections", "未处理异议"),
];

/// Parts and duties, which are stored as words.
const WORDS: [(&str, &str); 8] = [
    ("submitter", "申报人"),
    ("reviewer", "审核人"),
    ("approver", "审批人"),
    ("the one who is let", "被准许的人"),
    ("review", "审核"),
    ("approval", "审批"),
    ("payment", "拨付"),
    ("override", "岗位例外"),
];

fn named(name: &str, language: Language) -> &str {
    match language {
        Language::Zh => in_chinese(&NAMES, name),
        Language::En => name,
    }
}

fn in_chinese<'a>(words: &[(&str, &'static str)], word: &'a str) -> &'a str {
    let found = words.iter().find(|(english, _)| *english == word);
    found.map_or(word, |(_, chinese)| chinese)
}

/// A value as the words of a reason show it.
fn worded(compared: &Compared, language: Language) -> String {
    // Of these two alone: an account may well be called `reviewer`.
    if let (Value::Text(text), Language::Zh) = (&compared.value, language)
        && ["duty", "other"].contains(&&*compared.name)
    {
        return in_chinese(&WORDS, text).to_owned();
    }
    shown(&compared.value, language)
}

fn shown(value: &Value, language: Language) -> String {
    match (value, language) {
        (Value::Fen(fen), _) => match Fen::new(*fen) {
            Ok(amount) => amount.to_string(),
            // A budget line that is overrun has less than nothing left.
            Err(_) => Fen::new(fen.saturating_neg())
                .map_or_else(|_| fen.to_string(), |amount| format!("-{amount}")),
        },
        (Value::Count(count), _) => count.to_string(),
        (Value::Text(text), _) => text.clone(),
        (Value::Dates(dates), _) => {
            let named: Vec<String> = dates
                .days()
                .iter()
                .take(NAMED_DAYS)
                .map(ToString::to_string)
                .collect();
            let total = dates.len();
            match language {
                Language::Zh if total > NAMED_DAYS => format!("{}等{total}天", named.join("、")),
                Language::Zh => named.join("、"),
                Language::En if total > NAMED_DAYS => {
                    format!("{} … ({total} days)", named.join(", "))
                }
                Language::En => named.join(", "),
            }
        }
    }
}
