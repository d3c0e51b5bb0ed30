//! What `policy diff` names: rows of one change each.

use luzhang_projections::pack::{
    LUZHOU_2023,
    diff::{self, Diff, KeyDiff},
};

use crate::{changed, limit_with, limit_without};

fn diff(after: &str) -> Diff {
    diff::of(LUZHOU_2023.as_bytes(), after.as_bytes()).unwrap()
}

/// `section id change key: before -> after`, a line a key; of parameters the
/// days instead of the key.
fn lines(diff: &Diff) -> Vec<String> {
    let shown = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let key = |key: &KeyDiff| {
        let (before, after) = (key.before.as_deref(), key.after.as_deref());
        format!("{}: {} -> {}", key.key, shown(before), shown(after))
    };
    let mut lines = Vec::new();
    for entry in &diff.entries {
        for differs in &entry.keys {
            let (section, id) = (&entry.section, &entry.id);
            lines.push(format!(
                "{section} {id} {} {}",
                entry.change.name(),
                key(differs)
            ));
        }
    }
    for param in &diff.params {
        let begin = format!("param {} {}", param.id, param.change.name());
        lines.extend(
            param
                .keys
                .iter()
                .map(|differs| format!("{begin} {}", key(differs))),
        );
        for span in &param.spans {
            let value = |cited: &Option<diff::Cited>| {
                cited
                    .as_ref()
                    .map_or("-".to_owned(), |cited| cited.value.to_string())
            };
            let (from, until) = (span.window.from(), span.window.until().unwrap());
            let (before, after) = (value(&span.before), value(&span.after));
            lines.push(format!("{begin} {from}..{until}: {before} -> {after}"));
        }
    }
    lines
}

#[test]
fn a_pack_does_not_differ_from_itself() {
    assert!(diff(LUZHOU_2023).is_empty());
    // Nor by its comments and spaces.
    assert!(diff(&format!("# A remark.\n\n{LUZHOU_2023}")).is_empty());
}

#[test]
fn each_change_is_named_once() {
    const DAILY: &str = "id = \"m04.daily_cap\"\nunit = \"fen\"\nbasis = \"";
    const CAP: &str = "values = [{ from = 2023-12-17, until = 2026-12-17, v = 5000, cite = \"";
    let half = "values = [{ from = 2023-12-17, until = 2025-01-01, v = 5000, cite = \"x\" }, \
                { from = 2025-01-01, until = 2026-12-17, v = 4000, cite = \"";
    for (after, expected) in [
        (
            changed("id = \"luzhou-2023\"", "id = \"luzhou-2024\""),
            vec!["pack  changed id: luzhou-2023 -> luzhou-2024"],
        ),
        (
            changed("until = 2026-12-17\n", "until = 2026-12-01\n"),
            vec!["pack  changed until: 2026-12-17 -> 2026-12-01"],
        ),
        (
            changed("en = \"County budget\"", "en = \"County money\""),
            vec!["fund county changed en: County budget -> County money"],
        ),
        (
            changed(CAP, &CAP.replace("5000", "4000")),
            vec!["param m04.daily_cap changed 2023-12-17..2026-12-17: 5000 -> 4000"],
        ),
        // Another citation is a change too, beside that of the value.
        (
            changed(CAP, half),
            vec![
                "param m04.daily_cap changed 2023-12-17..2025-01-01: 5000 -> 5000",
                "param m04.daily_cap changed 2025-01-01..2026-12-17: 5000 -> 4000",
            ],
        ),
        // Only where the value holds another day than before.
        (
            changed(
                "until = 2025-04-01, v = 30000000",
                "until = 2025-05-01, v = 30000000",
            )
            .replacen(
                "from = 2025-04-01, until = 2028-01-01, v = 50000000",
                "from = 2025-05-01, until = 2028-01-01, v = 50000000",
                1,
            ),
            vec!["param m22.cap.personal changed 2025-04-01..2025-05-01: 50000000 -> 30000000"],
        ),
        (
            limit_without("M04-CAP", "max = \"m04.daily_cap\"\n").replacen(
                "kind = \"cap_per_unit\"",
                "kind = \"cap_per_unit\"\nmax = \"m05.amount.training_base.national\"",
                1,
            ),
            vec!["limit M04-CAP changed max: m04.daily_cap -> m05.amount.training_base.national"],
        ),
        (
            limit_with("M04-DAY", "alone = true"),
            vec!["limit M04-DAY changed alone: - -> true"],
        ),
        (
            changed(DAILY, &format!("{DAILY}the ")),
            vec!["param m04.daily_cap changed basis: ..."],
        ),
    ] {
        let mut found = lines(&diff(&after));
        if expected[0].ends_with("...") {
            found[0] = format!("{}: ...", found[0].split_once(':').unwrap().0);
        }
        assert_eq!(found, expected);
    }
}

#[test]
fn what_one_pack_has_alone_is_told_whole() {
    let begin = LUZHOU_2023.find("[[limit]]\nid = \"M04-DAY\"").unwrap();
    let length = LUZHOU_2023[begin + 1..].find("[[limit]]").unwrap() + 1;
    let (limit, rest) = (
        &LUZHOU_2023[begin..begin + length],
        [&LUZHOU_2023[..begin], &LUZHOU_2023[begin + length..]].concat(),
    );
    let removed = diff(&rest);
    assert_eq!(removed.entries.len(), 1);
    assert_eq!(removed.entries[0].change.name(), "removed");
    assert_eq!(removed.entries[0].id, "M04-DAY");
    let kind = removed.entries[0]
        .keys
        .iter()
        .find(|key| key.key == "kind")
        .unwrap();
    let before = Some("unique_date".to_owned());
    assert_eq!((&kind.before, &kind.after), (&before, &None));
    let added = diff::of(rest.as_bytes(), LUZHOU_2023.as_bytes()).unwrap();
    assert_eq!(added.entries[0].change.name(), "added");
    assert!(!added.reordered);
    // At the end of the list it stands behind others.
    let moved = diff(&format!("{rest}\n{limit}"));
    assert!(moved.entries.is_empty() && moved.reordered);
}

#[test]
fn an_unsound_pack_is_not_compared() {
    let unsound = changed("[pack]", "[pack");
    assert!(diff::of(LUZHOU_2023.as_bytes(), unsound.as_bytes()).is_err());
    assert!(diff::of(unsound.as_bytes(), LUZHOU_2023.as_bytes()).is_err());
}
