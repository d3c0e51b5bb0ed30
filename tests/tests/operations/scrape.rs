//! What a server says at `/metrics`, read as strictly as its form is told.
//!
//! Source: `OpenMetrics` 1.0.

use std::collections::{BTreeMap, BTreeSet};

use crate::http;

/// Numbers by their names and labels, as they stand: `a_total{code="X"}`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scrape {
    values: BTreeMap<String, f64>,
    /// Families by their names: what type each is of.
    pub(crate) families: BTreeMap<String, String>,
}

impl Scrape {
    /// Of a URL without a path.
    #[track_caller]
    pub(crate) fn of(url: &str) -> Self {
        let answer = http::get(url, "metrics", &[]);
        assert_eq!(answer.status, 200);
        let media = answer.header("content-type");
        assert!(media.starts_with("application/openmetrics-text"), "{media}");
        Self::parse(&String::from_utf8(answer.body).unwrap())
    }

    #[track_caller]
    pub(crate) fn parse(text: &str) -> Self {
        let body = text.strip_suffix("# EOF\n").expect("the end");
        let mut scrape = Self::default();
        let mut helped = None;
        let mut family = None;
        for line in body.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, words) = help.split_once(' ').unwrap();
                assert!(words.len() > 10 && words.ends_with('.'), "{line}");
                helped = Some(name);
            } else if let Some(typed) = line.strip_prefix("# TYPE ") {
                let (name, kind) = typed.split_once(' ').unwrap();
                assert_eq!(helped, Some(name), "{line}");
                let before = scrape.families.insert(name.to_owned(), kind.to_owned());
                assert_eq!(before, None, "{name} is there twice");
                family = Some((name, kind));
            } else {
                let (key, value) = line.rsplit_once(' ').unwrap();
                let name = key.split('{').next().unwrap();
                let (begun, kind) = family.expect("a family");
                let suffix = name.strip_prefix(begun).unwrap_or_else(|| panic!("{line}"));
                let allowed: &[&str] = match kind {
                    "counter" => &["_total"],
                    "gauge" => &[""],
                    "info" => &["_info"],
                    "histogram" => &["_bucket", "_count", "_sum"],
                    other => panic!("{other}"),
                };
                assert!(allowed.contains(&suffix), "{line}");
                let value: f64 = value.parse().unwrap();
                assert!(value.is_finite() && value >= 0.0, "{line}");
                let before = scrape.values.insert(key.to_owned(), value);
                assert_eq!(before, None, "{key} is there twice");
            }
        }
        scrape
    }

    /// A whole number; 0 where nothing was counted yet.
    #[track_caller]
    pub(crate) fn of_key(&self, key: &str) -> u64 {
        let name = key.split('{').next().unwrap();
        let value = self.values.get(key).copied().unwrap_or_else(|| {
            assert!(key.contains('{'), "no {name}");
            0.0
        });
        whole(value)
    }

    /// The same, if it is there.
    pub(crate) fn find(&self, key: &str) -> Option<u64> {
        self.values.get(key).map(|value| whole(*value))
    }

    /// All of one name, by the value of its only label.
    pub(crate) fn by_label(&self, name: &str) -> BTreeMap<String, u64> {
        let of_name = self.values.iter().filter_map(|(key, value)| {
            let labels = key.strip_prefix(name)?.strip_prefix('{')?;
            let (_, label) = labels.strip_suffix("\"}")?.split_once("=\"")?;
            Some((label.to_owned(), whole(*value)))
        });
        of_name.collect()
    }

    /// Names of all series, without labels.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let name = |key: &String| key.split('{').next().unwrap().to_owned();
        self.values.keys().map(name).collect()
    }

    /// Names of all labels.
    pub(crate) fn labels(&self) -> BTreeSet<String> {
        let labels = self.values.keys().filter_map(|key| key.split_once('{'));
        let each = labels.flat_map(|(_, labels)| labels.split("\",").collect::<Vec<_>>());
        each.map(|label| label.split('=').next().unwrap().to_owned())
            .collect()
    }

    /// Counters and histograms do not go back.
    #[track_caller]
    pub(crate) fn follows(&self, before: &Self) {
        for (key, value) in &before.values {
            let grows = ["_total", "_bucket", "_count", "_sum"];
            let name = key.split('{').next().unwrap();
            if grows.iter().any(|suffix| name.ends_with(suffix)) {
                assert!(self.values[key] >= *value, "{key} went back");
            }
        }
    }

    /// Whether it is more than nothing, such as a sum of seconds.
    #[track_caller]
    pub(crate) fn is_some(&self, key: &str) -> bool {
        self.values[key] > 0.0
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is shown is a whole number above zero, and asserted to be one"
)]
fn whole(value: f64) -> u64 {
    assert!(value.fract() == 0.0 || value > 1e15, "{value}");
    value as u64
}
