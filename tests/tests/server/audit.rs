//! What an auditor takes away, verified without the server.

use luzhang_ledger::{
    Hash, Position,
    block::BlockView,
    export::{ExportWriter, verify_export},
    verify::{Anchor, Verdict},
};
use luzhang_proto::wire;

use crate::{
    commands::{Commanded as _, claimable, course, receipt},
    gate::Gate,
    site::{Plan, Site, ledger_id, test},
};

async fn export(site: &Site, from: u64) -> Vec<Vec<u8>> {
    let mut audit = site.grpc.audit.clone();
    let request = wire::ExportBlocksRequest { from };
    let mut answers = audit.export_blocks(request).await.unwrap().into_inner();
    let mut blocks = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        blocks.extend(answer.blocks.into_iter().map(|block| block.bytes.to_vec()));
    }
    blocks
}

fn file(blocks: &[Vec<u8>]) -> Vec<u8> {
    let mut writer = ExportWriter::new(Vec::new(), ledger_id()).unwrap();
    for block in blocks {
        writer.block(block).unwrap();
    }
    writer.finish().unwrap().0
}

fn hash(bytes: &[u8]) -> Hash {
    Hash::from_bytes(bytes.try_into().unwrap())
}

#[test]
fn what_is_exported_verifies_against_the_head_and_every_receipt() {
    test(async {
        let site = Site::new().await;
        let mut anchors = Vec::new();
        for command in claimable() {
            let outcome = site.submit(command).await.unwrap();
            anchors.push(receipt(&outcome).clone());
        }
        let courses = (0..3_000).map(|n| course(&format!("PY-{n}")).command());
        let outcomes = site.batch().await.round(courses.collect()).await;
        anchors.push(receipt(&outcomes[1_234]).clone());
        let head = site.head().await;
        assert_eq!(head.ledger_id, ledger_id().to_string());
        let blocks = export(&site, 0).await;
        assert_eq!(head.height, blocks.len() as u64);
        assert!(blocks.iter().map(Vec::len).sum::<usize>() > 0);
        let last = BlockView::parse(blocks.last().unwrap()).unwrap();
        assert_eq!(last.head().epoch, head.epoch);
        assert_eq!(last.block, hash(&head.block_hash));
        let exported = file(&blocks);
        let at_head = Anchor {
            hash: hash(&head.chain_head),
            position: Position::new(head.position),
        };
        let receipts = anchors.iter().map(|receipt| Anchor {
            hash: hash(&receipt.event_hash),
            position: Position::new(receipt.position),
        });
        for anchor in receipts.chain([at_head]) {
            let report = verify_export(&*exported, Some(anchor), |_| {});
            assert_eq!(report.verdict, Verdict::Intact, "{report:?}");
            assert_eq!(
                (report.events, report.ledger),
                (head.position, Some(ledger_id()))
            );
            assert_eq!(report.chain_head, Some(hash(&head.chain_head)));
        }
        // The same bytes whenever and from wherever they are asked for.
        assert_eq!(export(&site, 1).await, blocks);
        for (index, block) in blocks.iter().enumerate() {
            let view = BlockView::parse(block).unwrap();
            let last = view.head().position.unwrap();
            for from in [view.first.number(), last.number()] {
                assert_eq!(export(&site, from).await, blocks[index..], "from {from}");
            }
        }
        assert!(export(&site, head.position + 1).await.is_empty());
        // A flipped byte is found by whoever has the head.
        let mut bent = exported;
        let middle = bent.len() / 2;
        bent[middle] ^= 1;
        assert_eq!(
            verify_export(&*bent, Some(at_head), |_| {}).verdict,
            Verdict::Tampered
        );
    });
}

#[test]
fn only_what_is_durable_is_evidence() {
    test(async {
        let (site, gate): (Site, Gate) = Site::gated(Plan::default()).await;
        let head = site.head().await;
        let blocks = export(&site, 0).await;
        let hold = gate.hold();
        let started = site.start(course("PX-1").command());
        gate.reached().await;
        assert_eq!(site.head().await, head);
        assert_eq!(export(&site, 0).await, blocks);
        drop(hold);
        let outcome = started.await.unwrap().unwrap();
        assert_eq!(site.head().await.chain_head, receipt(&outcome).event_hash);
        assert_eq!(export(&site, 0).await.len(), blocks.len() + 1);
    });
}
