//! What was found.

use crate::lang::Lang;

/// How well something is; the worst comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// Nothing is to be done.
    Ok,
    /// Somebody should look at it.
    Warn,
    /// It does not work, or soon will not.
    Fail,
}

impl State {
    /// As programs have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }

    /// As people do, of one width in each language.
    pub(super) fn shown(self, lang: Lang) -> &'static str {
        match self {
            Self::Ok => lang.pick("正常", "ok  "),
            Self::Warn => lang.pick("注意", "warn"),
            Self::Fail => lang.pick("故障", "FAIL"),
        }
    }
}

/// A text in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) zh: String,
    pub(crate) en: String,
}

impl Text {
    pub(crate) fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }

    pub(super) fn pick(&self, lang: Lang) -> &str {
        lang.pick(&self.zh, &self.en)
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// What was looked at: it has a paragraph in the catalogue.
    pub(crate) code: &'static str,
    pub(crate) state: State,
    /// What was seen.
    pub(crate) seen: Text,
    /// What to do; `None` if nothing.
    pub(crate) remedy: Option<Text>,
}

impl Finding {
    pub(crate) fn ok(code: &'static str, seen: Text) -> Self {
        Self {
            code,
            state: State::Ok,
            seen,
            remedy: None,
        }
    }

    pub(crate) fn warn(code: &'static str, seen: Text, remedy: Text) -> Self {
        Self {
            code,
            state: State::Warn,
            seen,
            remedy: Some(remedy),
        }
    }

    pub(crate) fn fail(code: &'static str, seen: Text, remedy: Text) -> Self {
        Self {
            code,
            state: State::Fail,
            seen,
            remedy: Some(remedy),
        }
    }
}

/// A number of seconds in the largest unit that fits.
pub(crate) fn span(seconds: i64) -> Text {
    const UNITS: [(i64, &str, &str); 3] = [
        (86_400, "天", "d"),
        (3_600, "小时", "h"),
        (60, "分钟", "min"),
    ];
    let seconds = seconds.max(0);
    for (unit, zh, en) in UNITS {
        if seconds >= unit {
            let number = seconds / unit;
            return Text::new(format!("{number} {zh}"), format!("{number} {en}"));
        }
    }
    Text::new(format!("{seconds} 秒"), format!("{seconds} s"))
}

/// Bytes in the largest unit that fits.
pub(crate) fn size(bytes: u64) -> String {
    for (unit, name) in [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] {
        if bytes >= unit {
            return format!("{} {name}", bytes / unit);
        }
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_told_in_the_largest_unit_that_fits() {
        for (seconds, en) in [
            (-5, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (7_199, "1 h"),
            (86_400 * 31, "31 d"),
        ] {
            assert_eq!(span(seconds).en, en);
        }
        assert_eq!(size(1_023), "1023 B");
        assert_eq!(size(3 << 30), "3 GiB");
        assert!(State::Ok < State::Warn && State::Warn < State::Fail);
    }
}
