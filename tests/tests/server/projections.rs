//! What is computed from the log: listed, paged, and computed again.

use std::collections::BTreeSet;

use luzhang_ledger::log::memory::MemoryStore;
use luzhang_proto::wire;
use tonic::{Code, Status};

use crate::{
    commands::{
        Commanded as _, allowance, appropriation, benefit, claimable, cleared, course, loan, paid,
        plaque, recovery,
    },
    meter::Meter,
    site::{Plan, Site, ledger_id, test},
    status::fails,
};

const NAMES: [&str; 13] = [
    "limits",
    "budget",
    "totals",
    "refusals",
    "conflicts",
    "cases",
    "notices",
    "batches",
    "recoveries",
    "months",
    "plaques",
    "loans",
    "access",
];

async fn query(
    site: &Site,
    name: &str,
    page_size: u32,
    page_token: &str,
) -> Result<wire::QueryResponse, Status> {
    let request = wire::QueryRequest {
        name: name.to_owned(),
        page_size,
        page_token: page_token.to_owned(),
    };
    let mut projections = site.grpc.projections.clone();
    Ok(projections.query(request).await?.into_inner())
}

async fn list(site: &Site) -> Vec<wire::Projection> {
    site.grpc.clone().digests().await
}

/// Something in every projection.
async fn busy() -> Site {
    let site = Site::new().await;
    site.record(claimable()).await;
    for programme in ["skill-base", "brand-award", "interest-subsidy"] {
        site.record([appropriation(programme, programme).command()])
            .await;
    }
    let claimed = [allowance("C1", 1, "PX-1", "2024-03-04").command()];
    let grant = site.record(claimed).await[0];
    site.record_as(cleared(grant)).await;
    site.record_as(paid(grant, 5_000)).await;
    site.record([benefit(1, "2024-03-01", "2024-03-31").command()])
        .await;
    let opening = recovery("ZH-1", grant, 0).command();
    site.record_as([("cashier", opening)]).await;
    site.submit(allowance("C2", 1, "PX-1", "2024-03-05").command())
        .await
        .unwrap();
    site.record([plaque("PP-1").command()]).await;
    site.record([loan("DK-1", 1).command()]).await;
    site
}

#[test]
fn every_projection_is_listed_with_its_digest() {
    test(async {
        let site = busy().await;
        let before = list(&site).await;
        let head = site.head().await.position;
        assert_eq!(before.iter().map(|p| &*p.name).collect::<Vec<_>>(), NAMES);
        assert!(
            before
                .iter()
                .all(|p| p.position == head && p.digest.len() == 32 && p.version > 0)
        );
        let digests: BTreeSet<_> = before.iter().map(|p| &p.digest).collect();
        assert_eq!(digests.len(), NAMES.len());
        assert_eq!(list(&site).await, before);
        for known in &before {
            let answer = query(&site, &known.name, 0, "").await.unwrap();
            assert_eq!(answer.projection.as_ref(), Some(known));
            assert!(
                answer
                    .rows
                    .iter()
                    .all(|row| row.cells.len() == answer.columns.len())
            );
            // Nobody has a mandate here.
            let none = known.name == "access";
            assert_eq!(answer.rows.is_empty(), none, "{}", known.name);
        }
        site.record([course("PX-2").command()]).await;
        assert!(
            list(&site)
                .await
                .iter()
                .zip(before)
                .all(|(now, before)| now.digest != before.digest)
        );
    });
}

#[test]
fn who_follows_gets_all_rows_and_then_what_changes() {
    test(async {
        let site = busy().await;
        let mut projections = site.grpc.projections.clone();
        let request = wire::FollowRequest {
            name: "loans".to_owned(),
            interval_ms: 1,
        };
        let answers = projections.follow(request).await.unwrap();
        let mut answers = answers.into_inner();
        let whole = query(&site, "loans", 0, "").await.unwrap();
        let first = answers.message().await.unwrap().unwrap();
        assert_eq!((&first.columns, &first.come), (&whole.columns, &whole.rows));
        assert_eq!((first.projection, first.gone), (whole.projection, vec![]));

        site.record([loan("DK-2", 2).command()]).await;
        let mut come = Vec::new();
        while come.is_empty() {
            let next = answers.message().await.unwrap().unwrap();
            assert!(next.columns.is_empty() && next.gone.is_empty(), "{next:?}");
            come = next.come;
        }
        let [row] = &come[..] else {
            panic!("{come:?}");
        };
        assert_eq!(row.cells[0], "DK-2");
        let all = query(&site, "loans", 0, "").await.unwrap();
        assert_eq!(all.rows.len(), first.come.len() + 1);

        let unknown = wire::FollowRequest {
            name: "nothing".to_owned(),
            interval_ms: 0,
        };
        let status = projections.follow(unknown).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
    });
}

#[test]
fn pages_of_one_state_fit_together() {
    test(async {
        let site = busy().await;
        // Nobody has a mandate here.
        for name in NAMES.into_iter().filter(|name| *name != "access") {
            let whole = query(&site, name, 0, "").await.unwrap();
            assert_eq!(whole.next_page_token, "");
            for size in [1, 2, 3] {
                let mut rows = Vec::new();
                let mut token = String::new();
                loop {
                    let page = query(&site, name, size, &token).await.unwrap();
                    assert_eq!(page.columns, whole.columns);
                    assert_eq!(page.projection, whole.projection);
                    assert!((1..=size as usize).contains(&page.rows.len()));
                    rows.extend(page.rows);
                    token = page.next_page_token;
                    if token.is_empty() {
                        break;
                    }
                }
                assert_eq!(rows, whole.rows, "{name} by {size}");
            }
        }
        let budget = query(&site, "budget", 0, "").await.unwrap();
        assert_eq!(budget.rows.len(), 4);
        assert_eq!(query(&site, "budget", u32::MAX, "").await.unwrap(), budget);
    });
}

#[test]
fn a_page_token_of_another_state_or_query_is_refused() {
    test(async {
        let site = busy().await;
        let first = query(&site, "budget", 1, "").await.unwrap();
        let token = first.next_page_token;
        assert!(query(&site, "budget", 1, &token).await.is_ok());
        let refused = async |site: &Site, name: &str, token: &str| {
            let answer = query(site, name, 1, token).await;
            fails(answer, Code::Aborted, "PAGE_TOKEN_INVALID", "page_token");
        };
        for (name, token) in [
            ("totals", &*token),
            ("budget", "1"),
            ("budget", "?"),
            ("budget", "budget:1:1"),
            ("budget", &format!("{token}x")),
            ("budget", &token.replace("budget", "totals")),
            ("budget", &format!("{token}:1")),
        ] {
            refused(&site, name, token).await;
        }
        site.record([course("PX-2").command()]).await;
        refused(&site, "budget", &token).await;
        let said = fails(
            query(&site, "money", 0, "").await,
            Code::NotFound,
            "PROJECTION_UNKNOWN",
            "name",
        );
        assert!(
            NAMES
                .iter()
                .all(|name| said.en.contains(name) && said.zh.contains(name))
        );
    });
}

#[test]
fn a_rebuild_shows_progress_and_comes_to_the_same_digests() {
    test(async {
        let site = busy().await;
        // More than one portion of blocks, so that there is progress to see.
        for number in 0..200 {
            site.record([course(&format!("PY-{number}")).command()])
                .await;
        }
        let target = site.head().await.position;
        let mut projections = site.grpc.projections.clone();
        let answers = projections.rebuild(wire::RebuildRequest {}).await.unwrap();
        let mut answers = answers.into_inner();
        let mut all = Vec::new();
        while let Some(answer) = answers.message().await.unwrap() {
            all.push(answer);
        }
        assert!(all.iter().all(|answer| answer.target == target));
        assert!(all.is_sorted_by(|a, b| a.position <= b.position));
        let (last, progress) = all.split_last().unwrap();
        assert!(progress.len() > 1, "{progress:?}");
        assert!(
            progress
                .iter()
                .all(|answer| answer.projections.is_empty() && !answer.matches)
        );
        assert_eq!(last.position, target);
        assert!(last.matches);
        assert_eq!(last.projections, list(&site).await);
    });
}

#[test]
fn a_rebuild_ends_when_nobody_listens() {
    test(async {
        const BLOCKS: usize = 64;
        const EACH: usize = 800;
        let meter = Meter::new();
        let log = MemoryStore::new(ledger_id()).open().unwrap();
        let site = Site::over(meter.before(Box::new(log)), Plan::default()).await;
        // One after the other, so that each is a block of its own, and so large that a
        // few are what is read at a time.
        let mut batch = site.batch().await;
        for number in 0..BLOCKS {
            let courses = (0..EACH).map(|n| course(&format!("PX-{number}-{n}")).command());
            batch.round(courses.collect()).await;
        }
        meter.arm();
        let mut projections = site.grpc.projections.clone();
        let answers = projections.rebuild(wire::RebuildRequest {}).await.unwrap();
        let mut answers = answers.into_inner();
        meter.permit(12).await;
        assert!(answers.message().await.unwrap().is_some());
        drop(answers);
        let mut read = meter.permit(12).await;
        while !read.gone {
            // A round trip on the same connection: what was sent before it has
            // arrived with it.
            site.head().await;
            read = meter.permit(12).await;
        }
        assert!(read.blocks < BLOCKS / 4 * 3, "{read:?}");
        // The server goes on as if nothing had happened.
        site.record([course("PZ").command()]).await;
    });
}
