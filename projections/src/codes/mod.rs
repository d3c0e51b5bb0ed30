//! What each stable code means, for whoever is given one.
//!
//! Refusals stand on the chain with their codes for as long as the ledger
//! lives, so the catalogue only grows: a code is never removed, and never comes
//! to mean something else. Figures are not repeated here where they belong to a
//! policy pack; the message that came with the code has those of the day.

use std::sync::LazyLock;

/// Shortens the catalogue to what differs between its entries.
macro_rules! entries {
    ($(
        $code:literal $kind:ident {
            zh $zh_title:literal: $zh:literal;
            en $en_title:literal: $en:literal;
        }
    )*) => {
        &[$($crate::codes::Entry {
            code: $code,
            kind: $crate::codes::Kind::$kind,
            title: $crate::codes::Text { zh: $zh_title, en: $en_title },
            paragraph: $crate::codes::Text { zh: $zh, en: $en },
        }),*]
    };
}

mod order;
mod policy;
mod programme;
mod reference;
mod table;
mod value;

mod request;

mod access;
mod backup;
mod database;
mod doctor;
mod fault;
mod keys;
mod proof;
mod transport;
mod watch;
mod witness;

/// One code and what there is to say about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Capital letters, digits and underscores.
    pub code: &'static str,
    /// What it is the code of.
    pub kind: Kind,
    /// In a few words.
    pub title: Text,
    /// What it means, why the rule is there, what to do.
    pub paragraph: Text,
}

/// What a code is the code of. A conflict has the code of the limit that the
/// late fact contradicts, which is a refusal's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Policy said no; that is on the chain.
    Refusal,
    /// A step came before its turn, or took more than there is; that is on the
    /// chain.
    Order,
    /// The request was not one that can be decided; nothing was written.
    Rejection,
    /// Storage, keys or files failed.
    Fault,
    /// It was done, and somebody should look at it.
    Warning,
}

/// A fixed text in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// Chinese.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

/// The most codes that a typing error is answered with.
const MAX_CLOSEST: usize = 6;

static ALL: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let parts: [&[Entry]; 17] = [
        policy::ENTRIES,
        programme::ENTRIES,
        order::ENTRIES,
        reference::ENTRIES,
        table::ENTRIES,
        value::ENTRIES,
        request::ENTRIES,
        access::ENTRIES,
        database::ENTRIES,
        fault::ENTRIES,
        backup::ENTRIES,
        keys::ENTRIES,
        proof::ENTRIES,
        transport::ENTRIES,
        watch::ENTRIES,
        witness::ENTRIES,
        doctor::ENTRIES,
    ];
    parts.concat()
});

impl Kind {
    /// Its name.
    pub fn name(self) -> Text {
        match self {
            Self::Refusal => Text {
                zh: "不予受理",
                en: "refusal",
            },
            Self::Order => Text {
                zh: "不得办理",
                en: "step refused",
            },
            Self::Rejection => Text {
                zh: "退回修改",
                en: "rejection",
            },
            Self::Fault => Text {
                zh: "故障",
                en: "fault",
            },
            Self::Warning => Text {
                zh: "提醒",
                en: "warning",
            },
        }
    }
}

/// All entries: refusals in the order of the limits, then the others by subject.
pub fn all() -> &'static [Entry] {
    &ALL
}

/// The entry of a code, in capitals or not, with `-` or `_`.
///
/// ```
/// use luzhang_projections::codes;
/// assert_eq!(codes::find("m04-day-dup").unwrap().code, "M04_DAY_DUP");
/// assert!(codes::find("M04_DAY").is_none());
/// ```
pub fn find(code: &str) -> Option<&'static Entry> {
    let code = normal(code);
    all().iter().find(|entry| entry.code == code)
}

/// Codes that may have been meant: those that differ by a typing error or two,
/// the nearest first, then those that have a word for each word of `code`. At
/// most six.
pub fn closest(code: &str) -> Vec<&'static str> {
    let code = normal(code);
    let allowed = (code.chars().count() / 4).min(3);
    let mut mistyped: Vec<(usize, &'static str)> = all()
        .iter()
        .map(|entry| (strsim::damerau_levenshtein(&code, entry.code), entry.code))
        .filter(|(distance, _)| *distance <= allowed)
        .collect();
    mistyped.sort_by_key(|(distance, _)| *distance);
    let mut found: Vec<&'static str> = mistyped.into_iter().map(|(_, code)| code).collect();
    for entry in all() {
        if !found.contains(&entry.code) && has_words(entry.code, &code) {
            found.push(entry.code);
        }
    }
    found.truncate(MAX_CLOSEST);
    found
}

fn normal(code: &str) -> String {
    code.trim().replace('-', "_").to_ascii_uppercase()
}

/// Whether each word of `asked` begins a word of `code`: `M04_ELIG` asks for
/// `M04_NOT_ELIGIBLE`.
fn has_words(code: &str, asked: &str) -> bool {
    asked
        .split('_')
        .all(|asked| asked.len() > 1 && code.split('_').any(|word| word.starts_with(asked)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_however_it_is_typed() {
        for (typed, code) in [
            ("OUT_OF_WINDOW", Some("OUT_OF_WINDOW")),
            ("out_of_window", Some("OUT_OF_WINDOW")),
            ("Out-Of-Window", Some("OUT_OF_WINDOW")),
            (" m22-cap\n", Some("M22_CAP")),
            ("M22CAP", None),
            ("OUT OF WINDOW", None),
            ("OUT_OF_WINDOW_", None),
            ("ＯUT_OF_WINDOW", None),
            ("", None),
        ] {
            assert_eq!(find(typed).map(|entry| entry.code), code, "{typed:?}");
        }
    }

    #[test]
    fn a_mistyped_code_is_answered_with_the_nearest() {
        for (typed, first) in [
            ("LEDGER_LOCK", "LEDGER_LOCKED"),
            ("m22-ineterst", "M22_INTEREST"),
            ("OUT_OFF_WINDOW", "OUT_OF_WINDOW"),
            ("BUDGET", "BUDGET_EXCEEDED"),
            ("M04-ELIG", "M04_NOT_ELIGIBLE"),
            ("M04-ATT", "M04_NO_ATTENDANCE"),
            ("queue", "QUEUE_FULL"),
        ] {
            assert_eq!(closest(typed).first(), Some(&first), "{typed:?}");
        }
    }

    #[test]
    fn the_nearest_comes_first_and_the_catalogue_decides_ties() {
        assert_eq!(closest("M16_ONSE"), ["M16_ONCE"]);
        assert_eq!(
            closest("M06_ONCE"),
            ["M05_ONCE", "M16_ONCE"],
            "both differ by one character"
        );
        assert_eq!(
            closest("ID_LENGHT").first(),
            Some(&"ID_LENGTH"),
            "a swap is one error"
        );
    }

    #[test]
    fn all_codes_of_a_measure_and_no_more_than_six_of_anything() {
        let of_measure_5 = ["M05_AMOUNT", "M05_ONCE", "M05_FUND"];
        assert_eq!(closest("M05"), of_measure_5);
        assert_eq!(closest("LEDGER").len(), 6);
        for nothing in ["", "_", "-", "A", "A_B", "没有", "QWERTYUIOP", "5105901990"] {
            assert_eq!(closest(nothing), [""; 0], "{nothing:?}");
        }
    }
}
