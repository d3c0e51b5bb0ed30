//! The life of a grant over the wire: what is done, what is refused, what is
//! asked about it.

use luzhang_proto::wire::{self, command::Body, get_notice_list_request::Of};
use tonic::Code;

use crate::{
    commands::{
        Commanded as _, allowance, at, benefit, claimable, cleared, command, day, first_payment,
        paid, passed, receipt, recovery, shown,
    },
    site::{Site, test},
    status::fails,
};

/// One grant of 50 yuan, and where it stands.
async fn granted() -> (Site, u64) {
    let site = Site::new().await;
    site.record(claimable()).await;
    let claim = allowance("C1", 1, "PX-1", "2024-03-04").command();
    let grant = site.record([claim]).await[0];
    (site, grant)
}

fn by_number(programme: &str, claim_no: &str) -> wire::GrantRef {
    let claim = wire::ClaimRef {
        programme: programme.to_owned(),
        claim_no: claim_no.to_owned(),
    };
    wire::GrantRef {
        grant: Some(wire::grant_ref::Grant::Claim(claim)),
    }
}

#[test]
fn a_grant_is_paid_bounced_paid_again_and_recovered() {
    test(async {
        let (site, grant) = granted().await;
        site.record_as(cleared(grant)).await;
        site.record_as(paid(grant, 5_000)).await;
        let bounce = wire::Bounce {
            payment: Some(first_payment(grant)),
            bounced_on: Some(day("2024-03-25")),
            reason: "户名不符".to_owned(),
        };
        let batch = wire::Batch {
            batch_no: "BF-2".to_owned(),
            fund: crate::commands::FUND.to_owned(),
            grants: Vec::new(),
        };
        let reissue = wire::Reissue {
            payment: Some(first_payment(grant)),
            batch_no: "BF-2".to_owned(),
        };
        let locking = wire::BatchLocking {
            batch_no: "BF-2".to_owned(),
            count: 1,
            total_fen: 5_000,
        };
        let submission = wire::BatchSubmission {
            batch_no: "BF-2".to_owned(),
            file_digest: vec![8; 32],
            submitted_on: Some(day("2024-03-27")),
        };
        let second = wire::Payment {
            attempt: 2,
            ..first_payment(grant)
        };
        let settlement = wire::Settlement {
            payment: Some(second),
            amount_fen: 5_000,
            settled_on: Some(day("2024-03-28")),
        };
        site.record_as([
            ("cashier", bounce.command()),
            ("cashier", batch.command()),
            ("cashier", reissue.command()),
            ("cashier", locking.command()),
            ("cashier", submission.command()),
            ("cashier", settlement.command()),
        ])
        .await;
        let late = site.submit(benefit(1, "2024-03-01", "2024-03-31").command());
        let late = late.await.unwrap();
        let conflict = receipt(&late).position + 1;
        let received = wire::RecoveryReceipt {
            recovery_no: "ZH-1".to_owned(),
            amount_fen: 3_000,
            received_on: Some(day("2024-05-06")),
        };
        let closing = wire::RecoveryClosing {
            recovery_no: "ZH-1".to_owned(),
            written_off_fen: 2_000,
            document: "演〔2024〕10号".to_owned(),
        };
        site.record_as([
            ("cashier", recovery("ZH-1", grant, conflict).command()),
            ("cashier", received.command()),
            ("cashier", closing.command()),
        ])
        .await;
        let query = wire::QueryRequest {
            name: "recoveries".to_owned(),
            ..Default::default()
        };
        let mut projections = site.grpc.projections.clone();
        let rows = projections.query(query).await.unwrap().into_inner().rows;
        assert_eq!(rows.len(), 1);
        assert!(rows[0].cells.iter().any(|cell| cell == "3000"), "{rows:?}");
    });
}

#[test]
fn a_step_out_of_turn_or_by_the_same_account_is_refused() {
    test(async {
        let (site, grant) = granted().await;
        let batch = paid(grant, 5_000)[0].1.clone();
        let refused = site.submit_as("cashier", batch.clone()).await.unwrap();
        assert!(shown(&refused).starts_with("refused "), "{refused:?}");
        let again = site.submit_as("cashier", batch).await.unwrap();
        assert_eq!(shown(&again), format!("{} replayed", shown(&refused)));
        let refusal = receipt(&refused).position;
        assert_eq!(receipt(&again).position, refusal);

        let review = || command(Body::Review(passed(grant)));
        let reviewed = site.record_as([("reviewer", review())]).await;
        assert_eq!(reviewed, [refusal + 1]);
        let same = command(Body::Approval(passed(grant)));
        let same = site.submit_as("reviewer", same).await.unwrap();
        assert_eq!(shown(&same), "refused FOUR_EYES");
        let Some(wire::outcome::Result::Refused(refused)) = same.result else {
            panic!("{same:?}")
        };
        // Stored words are said in the language of the sentence; an account is not
        // such a word, whatever it is called.
        let zh = &refused.reasons[0].zh;
        assert!(zh.starts_with("岗位不相容：reviewer 在"), "{zh}");
        assert!(zh.ends_with("已是 审核人，不能再任 审批"), "{zh}");
    });
}

#[test]
fn a_step_names_its_grant_by_position_or_by_claim() {
    test(async {
        let (site, grant) = granted().await;
        let review = |grant| command(Body::Review(wire::Judgement { grant, ..passed(1) }));
        let unknown = |grant: Option<wire::GrantRef>| site.submit_as("reviewer", review(grant));
        let nothing = unknown(Some(by_number("training-allowance", "C9"))).await;
        fails(nothing, Code::NotFound, "UNKNOWN_GRANT", "grant");
        let nothing = unknown(Some(by_number("no-programme", "C1"))).await;
        fails(nothing, Code::NotFound, "UNKNOWN_GRANT", "grant");
        fails(
            unknown(None).await,
            Code::InvalidArgument,
            "FIELD_REQUIRED",
            "grant",
        );
        let other = unknown(Some(at(grant + 1_000))).await;
        fails(other, Code::NotFound, "UNKNOWN_GRANT", "grant");
        let found = [
            by_number("training-allowance", "C1"),
            by_number("培训生活（交通）费补贴", "C1"),
            at(grant),
        ];
        for found in found {
            let outcome = unknown(Some(found.clone())).await.unwrap();
            assert!(
                ["accepted", "refused CASE_REVIEWED"].contains(&&*shown(&outcome)),
                "{found:?}: {outcome:?}"
            );
        }
    });
}

#[test]
fn the_list_of_a_notice_masks_persons_and_is_what_was_recorded() {
    test(async {
        let (site, grant) = granted().await;
        let list = async |of| {
            let request = wire::GetNoticeListRequest { of: Some(of) };
            let answer = site.grpc.cases.clone().get_notice_list(request).await;
            answer.map(tonic::Response::into_inner)
        };
        let positions = vec![grant];
        let before = list(Of::Grants(wire::Grants { positions })).await.unwrap();
        site.record_as(cleared(grant)).await;
        let notice = list(Of::NoticeNo(format!("GS-{grant}"))).await.unwrap();
        assert_eq!(before.list, notice.list);
        assert_eq!(before.list_digest, notice.published_digest);
        assert_eq!(notice.list_digest, notice.published_digest);
        let text = String::from_utf8(notice.list).unwrap();
        let person = crate::commands::person(1);
        assert!(!text.contains(&person.name) && !text.contains(&person.national_id));
        assert!(text.contains('*') && text.contains("50.00"), "{text}");
        let none = list(Of::NoticeNo("GS-0".to_owned())).await;
        assert_eq!(none.unwrap_err().code(), Code::NotFound);
    });
}

#[test]
fn a_batch_is_paid_to_the_account_that_was_bound() {
    test(async {
        let (site, grant) = granted().await;
        site.record_as(cleared(grant)).await;
        let batch = paid(grant, 5_000);
        site.record_as(batch.into_iter().take(1)).await;
        let get = async || {
            let request = wire::GetBatchRequest {
                batch_no: format!("BF-{grant}"),
                with_details: true,
                purpose: "付款".to_owned(),
            };
            let answer = site.grpc.cases.clone().get_batch(request).await;
            answer.unwrap().into_inner().payments.remove(0)
        };
        let unknown = get().await;
        assert_eq!((&*unknown.account, &*unknown.stage), ("", "waiting"));
        assert_eq!(unknown.payee, crate::commands::person(1).name);
        let account = |number: &str| {
            command(Body::Account(wire::Account {
                holder: Some(wire::account::Holder::Person(crate::commands::person(1))),
                bank: "灯盏银行".to_owned(),
                number: number.to_owned(),
            }))
        };
        site.record([account("6222-0001"), account("6222-0002")])
            .await;
        let known = get().await;
        assert_eq!(
            (&*known.bank, &*known.account, known.amount_fen),
            ("灯盏银行", "6222-0002", 5_000)
        );
        let bad = site.submit(account("6222/01")).await;
        let bad = bad.unwrap_err();
        assert_eq!(bad.code(), Code::InvalidArgument);
        assert!(!format!("{bad:?}").contains("6222"), "{bad:?}");
    });
}
