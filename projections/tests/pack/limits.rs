//! Limits that lack something, or say nothing.

use luzhang_projections::pack::Defect;

use crate::{changed, defects, in_limit, limit_with, limit_without, refused, s};

#[test]
fn a_limit_without_a_key_of_its_kind() {
    for (limit, line, key) in [
        ("M04-CAP", "max = \"m04.daily_cap\"\n", "max"),
        ("M04-ONCE", "unit = \"course\"\n", "unit"),
        ("M04-ONCE", "period = \"calendar_year\"\n", "period"),
        ("M04-ONCE", "max = \"m04.courses_per_year\"\n", "max"),
        ("M04-UI", "fact = \"unemployment_benefit\"\n", "fact"),
        ("M04-ELIG", "fact = \"poverty_status\"\n", "fact"),
        ("M05-AMT", "amount = \"m05.amount\"\n", "amount"),
        (
            "M05-FUND",
            "funds = [\"employment-central\", \"employment-provincial\"]\n",
            "funds",
        ),
        ("M15-COND", "years = \"m15.contract_years\"\n", "years"),
        ("M22-CAP", "max = \"m22.cap\"\n", "max"),
        ("M22-INT", "share = \"m22.share\"\n", "share"),
        (
            "M22-INT",
            "excess_share = \"m22.excess_share\"\n",
            "excess_share",
        ),
        ("M22-INT", "tranche = \"m22.tranche\"\n", "tranche"),
    ] {
        let limit_id = s(limit);
        refused(
            &limit_without(limit, line),
            Defect::LimitKeyMissing {
                limit: limit_id,
                key,
            },
        );
    }
}

#[test]
fn a_limit_with_a_key_that_its_kind_does_not_use() {
    for (limit, line, key) in [
        ("G-WINDOW", "max = \"m04.daily_cap\"", "max"),
        ("G-PARAM", "years = \"m15.contract_years\"", "years"),
        ("G-BUDGET", "funds = [\"county\"]", "funds"),
        ("M04-CAP", "fact = \"loan\"", "fact"),
        ("M04-DAY", "period = \"ever\"", "period"),
        (
            "M04-UI",
            "valid_years = \"m16.plaque_years\"",
            "valid_years",
        ),
        ("M04-ONCE", "amount = \"m15.amount\"", "amount"),
        ("M04-ONCE", "by = [\"kind\"]", "by"),
        ("M05-AMT", "unit = \"grant\"", "unit"),
        ("M05-AMT", "per = [\"kind\"]", "per"),
        ("M05-FUND", "share = \"m22.share\"", "share"),
        ("M22-REPEAT", "excess_share = \"m22.share\"", "excess_share"),
        ("M22-PERIOD", "tranche = \"m22.tranche\"", "tranche"),
    ] {
        let limit_id = s(limit);
        refused(
            &limit_with(limit, line),
            Defect::LimitKeyUnused {
                limit: limit_id,
                key,
            },
        );
    }
}

#[test]
fn a_reference_to_nothing() {
    let param = |limit: &str, param: &str| Defect::ParamUnknown {
        limit: s(limit),
        param: s(param),
    };
    let unknown = |what: &str, name: &str| Defect::Unknown {
        what: s(what),
        name: s(name),
    };
    for (from, to, expected) in [
        (
            "max = \"m04.daily_cap\"",
            "max = \"m04.cap\"",
            param("M04-CAP", "m04.cap"),
        ),
        (
            "max = \"m04.daily_cap\"",
            "max = \"\"",
            param("M04-CAP", ""),
        ),
        (
            "valid_years = \"m16.plaque_years\"",
            "valid_years = \"m16\"",
            param("M16-VALID", "m16"),
        ),
        // A cell of a table is a parameter.
        (
            "id = \"m05.amount.master_studio.national\"",
            "id = \"m05.amount.studio.national\"",
            param("M05-AMT", "m05.amount.master_studio.national"),
        ),
        (
            "by = [\"kind\", \"level\"]\n",
            "",
            param("M05-AMT", "m05.amount"),
        ),
        (
            "by = [\"kind\", \"level\"]",
            "by = [\"level\", \"kind\"]",
            param("M05-AMT", "m05.amount.national.training_base"),
        ),
        (
            "by = [\"kind\", \"level\"]",
            "by = [\"employer\"]",
            Defect::LimitKeyMissing {
                limit: s("M05-AMT"),
                key: "by",
            },
        ),
        (
            "programmes = [\"skill-base\"]",
            "programmes = [\"skill-base\", \"circus\"]",
            unknown("limit M05-AMT", "circus"),
        ),
        (
            "readings = [\"R-WINDOW\"]",
            "readings = [\"R-0\"]",
            unknown("limit G-WINDOW", "R-0"),
        ),
        (
            "funds = [\"employment-central\",",
            "funds = [\"lottery\",",
            unknown("limit M05-FUND", "lottery"),
        ),
    ] {
        refused(&changed(from, to), expected);
    }
}

#[test]
fn a_limit_that_says_nothing_about_its_programme() {
    // It would never fail, and nobody would notice.
    for (limit, programme) in [
        ("M04-CAP", "skill-base"),
        ("M04-DAY", "brand-award"),
        ("M04-ONCE", "service-subsidy"),
        ("M04-UI", "interest-subsidy"),
        ("M04-ELIG", "skill-base"),
        ("M04-ATT", "service-subsidy"),
        ("M05-AMT", "brand-award"),
        ("M05-ONCE", "startup-loan"),
        ("M05-FUND", "startup-loan"),
        ("G-BUDGET", "startup-loan"),
        ("M15-COND", "training-allowance"),
        ("M15-UNIQ-EMPLOYER", "training-allowance"),
        ("M16-AMT", "skill-base"),
        ("M16-VALID", "skill-base"),
        ("M22-NO-LOAN", "startup-loan"),
        ("M22-CAP", "training-allowance"),
        ("M22-REPEAT", "interest-subsidy"),
        ("M22-INT", "startup-loan"),
        ("M22-PERIOD", "startup-loan"),
    ] {
        let text = in_limit(limit, |text| {
            text.replacen(
                "programmes = [",
                &format!("programmes = [\"{programme}\", "),
                1,
            )
        });
        let (limit, programme) = (s(limit), s(programme));
        refused(&text, Defect::NotApplicable { limit, programme });
    }
    // A person may be the borrower, or the traveller.
    for (limit, programme) in [
        ("M04-UI", "startup-loan"),
        ("M04-ELIG", "service-subsidy"),
        ("M15-AMT", "brand-award"),
        ("M16-ONCE", "skill-base"),
        ("M22-COUNT", "interest-subsidy"),
        ("M05-FUND", "transport-aid"),
        ("M04-ELIG", "training-subsidy"),
        ("M22-STARTUP", "rent-relief"),
    ] {
        let text = in_limit(limit, |text| {
            text.replacen(
                "programmes = [",
                &format!("programmes = [\"{programme}\", "),
                1,
            )
        });
        assert_eq!(defects(&text), [], "{limit} for {programme}");
    }
}

#[test]
fn one_form_belongs_to_one_programme() {
    let both = changed("form = \"training_subsidy\"", "form = \"skill_base\"");
    let found = defects(&both);
    let expected = [
        Defect::SameForm {
            one: s("training-subsidy"),
            two: s("skill-base"),
        },
        // Its own limits say nothing of a skill base.
        Defect::NotApplicable {
            limit: s("M04-CERT"),
            programme: s("training-subsidy"),
        },
    ];
    assert_eq!(found[..2], expected, "{found:?}");
    // A subsidy names its programme: any number of programmes have that form.
    let claimable = changed("form = \"loan\"", "form = \"subsidy\"");
    let same = |defect: &Defect| matches!(defect, Defect::SameForm { .. });
    assert!(!defects(&claimable).iter().any(same));
}
