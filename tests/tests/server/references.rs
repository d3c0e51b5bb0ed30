//! Commands that refer to what is not there, or is there already. Nothing of them
//! is written.

use luzhang_projections::pack::LUZHOU_2023;
use luzhang_proto::wire;
use tonic::Code;

use crate::{
    commands::{
        Commanded as _, allowance, appropriation, attendance, award, benefit, claimable, course,
        interest, listed, loan, placement, plaque, policy, retraction, settlement, shown,
        skill_base,
    },
    fields::With,
    malformed::{Row, check, malformed},
    site::{Plan, Site, test},
    status::fails,
};

/// A history with one of each: the position of the benefit period is returned.
async fn history() -> (Site, u64) {
    let site = Site::new().await;
    site.record(claimable()).await;
    let rest = [
        plaque("BR-1").command(),
        loan("DK-1", 1).command(),
        settlement("DK-1").command(),
        benefit(1, "2024-01-01", "2024-01-31").command(),
    ];
    let at = site.record(rest).await[3];
    (site, at)
}

#[test]
fn what_is_not_there() {
    test(async {
        let (site, at) = history().await;
        let mut rows = Vec::new();
        for (command, reason, field) in [
            (
                attendance(1, "PX-9", "2024-03-04").command(),
                "UNKNOWN_COURSE",
                "course_no",
            ),
            (settlement("DK-9").command(), "UNKNOWN_LOAN", "loan_no"),
            (
                retraction(1, at - 1).command(),
                "UNKNOWN_BENEFIT",
                "asserted",
            ),
            (
                retraction(1, at + 99).command(),
                "UNKNOWN_BENEFIT",
                "asserted",
            ),
            (retraction(2, at).command(), "UNKNOWN_BENEFIT", "asserted"),
        ] {
            rows.push(Row {
                command,
                status: Code::NotFound,
                reason,
                field,
            });
        }
        let programme = appropriation("D", "no-programme").command();
        rows.push(malformed(programme, "UNKNOWN_PROGRAMME", "programme"));
        check(&site, rows).await;
    });
}

#[test]
fn what_is_there_already() {
    test(async {
        let (site, _) = history().await;
        let rows = [
            (course("PX-1").command(), "COURSE_EXISTS", "course_no"),
            (loan("DK-1", 2).command(), "LOAN_EXISTS", "loan_no"),
            (settlement("DK-1").command(), "LOAN_SETTLED", "loan_no"),
            (plaque("BR-1").command(), "PLAQUE_EXISTS", "brand_no"),
            (
                appropriation("演1号", "skill-base").command(),
                "APPROPRIATION_EXISTS",
                "document",
            ),
        ];
        let rows = rows.map(|(command, reason, field)| Row {
            command,
            status: Code::AlreadyExists,
            reason,
            field,
        });
        check(&site, rows.into()).await;
    });
}

#[test]
fn an_unknown_fund_is_answered_with_the_known_ones() {
    test(async {
        let (site, _) = history().await;
        let funded: [With<String>; 6] = [
            ("fund", |v| {
                appropriation("D", "skill-base").with(|b| b.fund = v)
            }),
            ("fund", |v| {
                allowance("C", 1, "PX-1", "2024-03-04").with(|b| b.fund = v)
            }),
            ("fund", |v| skill_base("C").with(|b| b.fund = v)),
            ("fund", |v| placement("C", 1).with(|b| b.fund = v)),
            ("fund", |v| award("C", "BR-1").with(|b| b.fund = v)),
            ("fund", |v| interest("C", "DK-1").with(|b| b.fund = v)),
        ];
        let mut rows = Vec::new();
        for (field, with) in funded {
            rows.push(malformed(
                with("没有这个资金".to_owned()),
                "UNKNOWN_FUND",
                field,
            ));
            // Neither a part of a name nor another spelling.
            rows.push(malformed(
                with("省级就业创业".to_owned()),
                "UNKNOWN_FUND",
                field,
            ));
        }
        let command = rows[0].command.clone();
        check(&site, rows).await;
        let said = fails(
            site.submit(command).await,
            Code::InvalidArgument,
            "UNKNOWN_FUND",
            "fund",
        );
        for text in [said.zh, said.en] {
            assert!(text.contains("省级就业创业补助资金"), "{text}");
        }
    });
}

#[test]
fn a_ledger_without_a_policy_takes_facts_only() {
    test(async {
        let plan = Plan {
            pack: None,
            ..Plan::default()
        };
        let site = Site::with(plan).await;
        site.record([course("PX-1").command(), listed(1).command()])
            .await;
        let rows = [
            allowance("C", 1, "PX-1", "2024-03-04").command(),
            loan("L", 1).command(),
            appropriation("D", "training-allowance").command(),
        ];
        check(
            &site,
            rows.map(|command| unmet(command, "NO_POLICY")).into(),
        )
        .await;
        let adopted = site.submit(policy(without_loans()).command()).await;
        let adopted = adopted.unwrap_or_else(|status| panic!("{}", status.message()));
        assert_eq!(shown(&adopted), "accepted");
        check(&site, vec![unmet(loan("L", 1).command(), "NO_PROGRAMME")]).await;
    });
}

fn unmet(command: wire::Command, reason: &'static str) -> Row {
    Row {
        command,
        status: Code::FailedPrecondition,
        reason,
        field: "",
    }
}

/// The built-in pack without a programme for loans.
fn without_loans() -> String {
    let pack = LUZHOU_2023.replace("form = \"loan\"\n", "");
    let pack = pack
        .replace("\"startup-loan\", ", "")
        .replace(", \"startup-loan\"", "");
    let kept = pack.split_inclusive("\n\n");
    kept.filter(|part| !part.contains("[\"startup-loan\"]"))
        .collect()
}
