//! `luzhang demo`: the whole way of a grant, on a small invented bureau.

mod receipt;

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use luzhang_ledger::{
    Fen, Hash, LedgerId, Position,
    access::{Mandate, Role, Roles},
    block::{BlockView, FRAME_HEADER_LEN, HEADER_LEN},
    export::ExportWriter,
    verify::{Anchor, Verdict},
};
use luzhang_projections::pack::LUZHOU_2023;
use luzhang_proto::wire::{self, command::Body};
use luzhang_server::{Limits, Server, engine::DatabaseOptions};
use tokio::sync::oneshot;
use tokio_stream::StreamExt as _;
use uuid::Uuid;

use super::{
    audit::{verdict_line, verify_file},
    import::{FileReport, import_file, summary},
    init, reason_line, rebuild, report,
};
use crate::{
    args::{DemoArgs, Global, ImportArgs, Local, access, servers::ServerList},
    client::{Client, Target},
    failure::{Failure, exit},
    import::{Job, Outcome, Submission},
    lang::Lang,
    output,
};

/// The bureau's tables, in the order of their import.
const TABLES: [(&str, &str); 17] = [
    ("01-poverty.csv", include_str!("../../demo/01-poverty.csv")),
    (
        "02-unemployment.csv",
        include_str!("../../demo/02-unemployment.csv"),
    ),
    ("03-courses.csv", include_str!("../../demo/03-courses.csv")),
    (
        "04-attendance.csv",
        include_str!("../../demo/04-attendance.csv"),
    ),
    (
        "05-appropriations.csv",
        include_str!("../../demo/05-appropriations.csv"),
    ),
    (
        "06-training-allowance.csv",
        include_str!("../../demo/06-training-allowance.csv"),
    ),
    (
        "07-skill-base.csv",
        include_str!("../../demo/07-skill-base.csv"),
    ),
    (
        "08-service-subsidy.csv",
        include_str!("../../demo/08-service-subsidy.csv"),
    ),
    ("09-plaques.csv", include_str!("../../demo/09-plaques.csv")),
    (
        "10-brand-award.csv",
        include_str!("../../demo/10-brand-award.csv"),
    ),
    ("11-loans-1.csv", include_str!("../../demo/11-loans-1.csv")),
    (
        "12-settlements-1.csv",
        include_str!("../../demo/12-settlements-1.csv"),
    ),
    ("13-loans-2.csv", include_str!("../../demo/13-loans-2.csv")),
    (
        "14-settlements-2.csv",
        include_str!("../../demo/14-settlements-2.csv"),
    ),
    ("15-loans-3.csv", include_str!("../../demo/15-loans-3.csv")),
    (
        "16-interest.csv",
        include_str!("../../demo/16-interest.csv"),
    ),
    (
        "17-late-unemployment.csv",
        include_str!("../../demo/17-late-unemployment.csv"),
    ),
];
/// What an independent model of the limits says of every row.
const EXPECTED: &str = include_str!("../../demo/expected.csv");
/// The table whose first grant's life the story tells.
const ALLOWANCES: &str = "06-training-allowance.csv";
/// The refusal that the story tells.
const TOLD: &str = "M04_UI_OVERLAP";

pub(crate) async fn run(global: &Global, args: &DemoArgs) -> Result<u8, Failure> {
    let begun = Instant::now();
    let lang = global.lang();
    let dir = directory(args)?;
    let data = dir.join("ledger");
    let begins = init::Begins {
        pack: Some(LUZHOU_2023.as_bytes().to_vec()),
        mandates: mandates()?,
        ..init::Begins::default()
    };
    let local = Local {
        dir: data.clone(),
        kek: global.kek()?,
        database: DatabaseOptions::default(),
    };
    let engine = init::create(local, begins)?;
    let server = Server::new(Arc::new(engine), Limits::default());
    let listener = server.listen(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.run(listener, async {
        let _either_way = stopped.await;
    }));
    let target = Target::Server(global.servers(&ServerList::one(&url)));
    let client = Client::open(&target, Some("auditor"), lang).await?;
    let story = Story {
        global,
        lang,
        dir: &dir,
        url: &url,
        client: &client,
    };
    story.say(
        &format!("① 建账：{} ，服务 {url}", data.display()),
        &format!("1. A new ledger in {}, served at {url}", data.display()),
    )?;
    let told = story.tell().await;
    client.close().await?;
    // The server may have ended by itself.
    let _ended = stop.send(());
    serving.await.map_err(anyhow::Error::from)??;
    told?;
    let seconds = begun.elapsed().as_millis();
    output::line(&farewell(lang, &data, seconds))?;
    Ok(exit::OK)
}

/// The people of the story. The clerk of so small an office appropriates too; the
/// reviewer may approve, though not what they reviewed.
fn mandates() -> Result<Vec<Mandate>, Failure> {
    let people: [(&str, &[Role]); 7] = [
        ("administrator", &[Role::Administrator]),
        ("administrator-2", &[Role::Administrator]),
        ("clerk", &[Role::Clerk, Role::Steward]),
        ("reviewer", &[Role::Reviewer, Role::Approver]),
        ("approver", &[Role::Approver]),
        ("cashier", &[Role::Cashier]),
        ("auditor", &[Role::Auditor]),
    ];
    let mandates = people.into_iter().map(|(name, roles)| {
        let name = access::principal(name).map_err(anyhow::Error::msg)?;
        Ok(Mandate::of_everything(name, Roles::of(roles)))
    });
    mandates.collect()
}

/// A new directory: the one that was asked for, or one of its own.
fn directory(args: &DemoArgs) -> Result<PathBuf, Failure> {
    match &args.dir {
        Some(dir) => {
            fs::create_dir_all(dir).map_err(|error| Failure::file(dir, &error))?;
            Ok(dir.clone())
        }
        None => Ok(tempfile::Builder::new()
            .prefix("luzhang-demo-")
            .tempdir()?
            .keep()),
    }
}

struct Story<'a> {
    global: &'a Global,
    lang: Lang,
    dir: &'a Path,
    url: &'a str,
    client: &'a Client,
}

impl Story<'_> {
    fn say(&self, zh: &str, en: &str) -> Result<(), Failure> {
        output::line(self.lang.pick(zh, en))
    }

    async fn tell(&self) -> Result<(), Failure> {
        let reports = self.import().await?;
        let refusal = self.refusal(&reports).await?;
        self.life(&reports).await?;
        let (export, head) = self.verify().await?;
        self.rebuild().await?;
        self.totals().await?;
        self.receipt(refusal).await?;
        self.tamper(&export, head)
    }

    async fn import(&self) -> Result<Vec<FileReport>, Failure> {
        let tables = self.dir.join("tables");
        fs::create_dir_all(&tables).map_err(|error| Failure::file(&tables, &error))?;
        self.say(
            "\n② 导入经办机构的表格（gRPC）",
            "\n2. The bureau's tables, over gRPC",
        )?;
        let target = Target::Server(self.global.servers(&ServerList::one(self.url)));
        let clerk = Client::open(&target, Some("clerk"), self.lang).await?;
        let job = Job::new(&clerk, Submission::Once).await?;
        let args = ImportArgs::default();
        let mut reports = Vec::with_capacity(TABLES.len());
        for (name, content) in TABLES {
            let file = tables.join(name);
            fs::write(&file, content).map_err(|error| Failure::file(&file, &error))?;
            let (_, report) = import_file(self.global, &args, &job, &file).await?;
            output::line(&format!("   {}", summary(&report, self.lang)))?;
            reports.push(report);
        }
        drop(job);
        clerk.close().await?;
        let rows = Self::compare(&reports)?;
        self.say(
            &format!("   {rows} 行的结果与独立模型逐行一致"),
            &format!("   all {rows} outcomes equal those of an independent model, row by row"),
        )?;
        Ok(reports)
    }

    /// Compares every row with the outcome that the bureau's own model gives.
    fn compare(reports: &[FileReport]) -> Result<usize, Failure> {
        let mut expected: BTreeMap<(String, String), (&str, &str)> = BTreeMap::new();
        for line in EXPECTED.lines().skip(1) {
            if let [file, row, _, outcome, codes] = line.split(',').collect::<Vec<_>>()[..] {
                expected.insert((file.to_owned(), row.to_owned()), (outcome, codes));
            }
        }
        let rows = expected.len();
        for report in reports {
            for result in &report.results {
                let key = (report.file.clone(), result.row.to_string());
                let found = (result.outcome.word(), result.codes().join(";"));
                let wanted = expected.remove(&key);
                if wanted != Some((found.0, found.1.as_str())) {
                    let place = format!("{} {}", key.0, key.1);
                    return Err(Failure::new(
                        "DEMO_DIFFERS",
                        format!("{place}：应为 {wanted:?}，实为 {found:?}"),
                        format!("{place}: expected {wanted:?}, found {found:?}"),
                    ));
                }
            }
        }
        match expected.keys().next() {
            None => Ok(rows),
            Some(place) => Err(Failure::new(
                "DEMO_DIFFERS",
                format!("{place:?} 没有结果"),
                format!("{place:?} has no outcome"),
            )),
        }
    }

    async fn refusal(&self, reports: &[FileReport]) -> Result<u64, Failure> {
        let rows = reports
            .iter()
            .flat_map(|r| r.results.iter().map(move |row| (r, row)));
        let told = |(_, row): &(&FileReport, &crate::import::RowResult)| {
            row.outcome == Outcome::Refused && row.codes().contains(&TOLD)
        };
        let Some((report, row)) = rows.into_iter().find(told) else {
            return Err(Failure::new(
                "DEMO_DIFFERS",
                "没有找到要讲的不予受理",
                "the refusal that the story tells is not there",
            ));
        };
        let position = row.position.unwrap_or_default();
        let (file, number, key) = (&report.file, row.row, &row.key);
        self.say(
            &format!(
                "\n③ 一次不予受理：{file} 第 {number} 行 {key}，也记在链上（位置 {position}）"
            ),
            &format!("\n3. A refusal, on the chain too: {file} row {number}, {key}, at {position}"),
        )?;
        let request = wire::GetEventRequest { position };
        let event = self
            .client
            .ledger()
            .get_event(request)
            .await?
            .into_inner()
            .event;
        for reason in event.unwrap_or_default().reasons {
            output::line(&format!("   {}", reason_line(&reason, self.lang)))?;
        }
        Ok(position)
    }

    /// The first grant of the allowances, from its review to the bank.
    async fn life(&self, reports: &[FileReport]) -> Result<(), Failure> {
        let allowances = reports.iter().find(|report| report.file == ALLOWANCES);
        let rows = allowances.into_iter().flat_map(|report| &report.results);
        let mut granted = rows.filter(|row| row.outcome == Outcome::Accepted);
        let Some(row) = granted.next() else {
            return Ok(());
        };
        let (key, position) = (&row.key, row.position.unwrap_or_default());
        self.say(
            &format!("\n④ 一笔补助的全程：{key}（位置 {position}），每一步由不同的人"),
            &format!("\n4. A grant's whole way: {key} at {position}, each step by another account"),
        )?;
        let grant = || {
            Some(wire::GrantRef {
                grant: Some(wire::grant_ref::Grant::Position(position)),
            })
        };
        let passed = || wire::Judgement {
            grant: grant(),
            opinion: wire::Opinion::Passed.into(),
            note: String::new(),
        };
        let day = |month, day| Some(super::wire_day(jiff::civil::date(2024, month, day)));
        let batch_no = || "BF-1".to_owned();
        let notice_no = || "GS-1".to_owned();
        let batch = || {
            Body::Batch(wire::Batch {
                batch_no: batch_no(),
                fund: "市级就业创业补助资金".to_owned(),
                grants: grant().into_iter().collect(),
            })
        };
        let notice = wire::Notice {
            notice_no: notice_no(),
            grants: grant().into_iter().collect(),
            first_day: day(9, 27),
            last_day: None,
        };
        let closing = wire::NoticeClosing {
            notice_no: notice_no(),
            closed_on: day(10, 10),
        };
        for (principal, body) in [
            ("cashier", batch()),
            ("cashier", Body::Review(passed())),
            ("reviewer", Body::Review(passed())),
            ("reviewer", Body::Approval(passed())),
            ("approver", Body::Approval(passed())),
            ("reviewer", Body::Notice(notice)),
            ("reviewer", Body::NoticeClosing(closing)),
            ("cashier", batch()),
        ] {
            self.step(principal, body).await?;
        }
        let request = wire::GetBatchRequest {
            batch_no: batch_no(),
            ..wire::GetBatchRequest::default()
        };
        let batch = self.client.cases().get_batch(request).await?.into_inner();
        let total_fen = batch
            .payments
            .iter()
            .map(|payment| payment.amount_fen)
            .sum();
        let locking = wire::BatchLocking {
            batch_no: batch_no(),
            count: 1,
            total_fen,
        };
        let submission = wire::BatchSubmission {
            batch_no: batch_no(),
            file_digest: blake3::hash(b"demo").as_bytes().to_vec(),
            submitted_on: day(10, 11),
        };
        let settlement = wire::Settlement {
            payment: Some(wire::Payment {
                grant: grant(),
                attempt: 1,
            }),
            amount_fen: total_fen,
            settled_on: day(10, 12),
        };
        for body in [
            Body::BatchLocking(locking),
            Body::BatchSubmission(submission),
            Body::Settlement(settlement),
        ] {
            self.step("cashier", body).await?;
        }
        Ok(())
    }

    /// Submits a step as an account, and says what became of it.
    async fn step(&self, principal: &str, body: Body) -> Result<(), Failure> {
        let target = Target::Server(self.global.servers(&ServerList::one(self.url)));
        let client = Client::open(&target, Some(principal), self.lang).await?;
        let name = step_name(&body, self.lang);
        let command = wire::Command {
            request_id: Uuid::now_v7().to_string(),
            office: String::new(),
            body: Some(body),
        };
        let request = wire::SubmitRequest {
            receipt: false,
            command: Some(command),
        };
        let before = self.head().await?;
        let answer = client.ledger().submit(request).await;
        client.close().await?;
        if let Err(status) = &answer
            && status.code() == tonic::Code::PermissionDenied
        {
            let why = Failure::from(status.clone()).text(self.lang);
            self.say(
                &format!("   {principal:<9} {name}：不得办理：{why}"),
                &format!("   {principal:<9} {name}: not permitted: {why}"),
            )?;
            // That it was tried is written down a moment later.
            while self.head().await? == before {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            return Ok(());
        }
        let outcome = answer?.into_inner().outcome.unwrap_or_default();
        match outcome.result {
            Some(wire::outcome::Result::Accepted(accepted)) => {
                let receipt = accepted.receipt.unwrap_or_default();
                self.say(
                    &format!(
                        "   {principal:<9} {name}：已记录（位置 {}）",
                        receipt.position
                    ),
                    &format!("   {principal:<9} {name}: recorded at {}", receipt.position),
                )
            }
            Some(wire::outcome::Result::Refused(refused)) => {
                for reason in &refused.reasons {
                    let why = reason_line(reason, self.lang);
                    self.say(
                        &format!("   {principal:<9} {name}：不予受理：{why}"),
                        &format!("   {principal:<9} {name}: refused: {why}"),
                    )?;
                }
                Ok(())
            }
            Some(wire::outcome::Result::Rejected(_)) | None => Err(Failure::new(
                "DEMO_DIFFERS",
                format!("{name}未获受理"),
                format!("{name} was rejected"),
            )),
        }
    }

    /// The position of the last event.
    async fn head(&self) -> Result<u64, Failure> {
        let mut audit = self.client.audit();
        let head = audit.get_head(wire::GetHeadRequest {}).await?;
        Ok(head.into_inner().position)
    }

    async fn verify(&self) -> Result<(PathBuf, Hash), Failure> {
        let mut audit = self.client.audit();
        let head = audit.get_head(wire::GetHeadRequest {}).await?.into_inner();
        let hash: [u8; 32] = head
            .chain_head
            .try_into()
            .map_err(|_| Failure::new("ERROR", "链头长度不对", "the head is not 32 bytes"))?;
        let hash = Hash::from_bytes(hash);
        let ledger = Uuid::try_parse(&head.ledger_id).map_err(anyhow::Error::from)?;
        let path = self.dir.join("audit.luzhang");
        let file = fs::File::create(&path).map_err(|error| Failure::file(&path, &error))?;
        let mut writer = ExportWriter::new(std::io::BufWriter::new(file), LedgerId::new(ledger))?;
        let request = wire::ExportBlocksRequest { from: 1 };
        let mut answers = audit.export_blocks(request).await?.into_inner();
        while let Some(answer) = answers.next().await {
            for block in answer?.blocks {
                writer.block(&block.bytes)?;
            }
        }
        writer.finish()?;
        let anchor = Anchor {
            hash,
            position: Position::new(head.position),
        };
        let report = verify_file(&path, Some(anchor), self.lang)?;
        self.say(
            "\n⑤ 审计：导出全部区块，凭链头核验，无需信任本系统",
            "\n5. The audit: all blocks exported and verified against the head, trusting nobody",
        )?;
        output::line(&format!("   {}", verdict_line(&report, self.lang)))?;
        output::line(&format!("   {}:{hash}", head.position))?;
        if report.verdict != Verdict::Intact {
            return Err(Failure::new(
                "DEMO_DIFFERS",
                "核验未通过",
                "verification did not end in `intact`",
            ));
        }
        Ok((path, hash))
    }

    async fn rebuild(&self) -> Result<(), Failure> {
        let mut projections = self.client.projections();
        let running = projections
            .list(wire::ListRequest {})
            .await?
            .into_inner()
            .projections;
        let mut answers = projections
            .rebuild(wire::RebuildRequest {})
            .await?
            .into_inner();
        let mut last = wire::RebuildResponse::default();
        while let Some(answer) = answers.next().await {
            last = answer?;
        }
        self.say(
            "\n⑥ 报表作业：从零重建投影，与运行中的摘要比较",
            "\n6. The reporting job: projections rebuilt from nothing, digests compared",
        )?;
        for row in rebuild::projection_rows(&last.projections) {
            if let [name, _, position, digest] = row.as_slice() {
                output::line(&format!(
                    "   {name:<10} {position:>4}  {}…",
                    digest.get(..32).unwrap_or(digest)
                ))?;
            }
        }
        if !last.matches || running != last.projections {
            return Err(Failure::new(
                "DIGEST_DIFFERS",
                "重建的摘要与运行中的不一致",
                "the rebuilt digests differ from the running ones",
            ));
        }
        self.say("   全部一致", "   all equal")
    }

    async fn totals(&self) -> Result<(), Failure> {
        let (_, sums, conflicts) = report::sums(self.client).await?;
        self.say("\n⑦ 已承诺金额（元）", "\n7. Committed, in yuan")?;
        for ((programme, year), (grants, amount)) in sums {
            let amount = Fen::new(amount).map_or_else(|_| amount.to_string(), |a| a.to_string());
            output::line(&format!(
                "   {programme:<20} {year} {grants:>4} {amount:>14}"
            ))?;
        }
        self.say(
            &format!("   迟报的失业保险金与 {conflicts} 笔补助冲突，已记录，待追回"),
            &format!("   benefit periods reported late contradict {conflicts} grants: recorded"),
        )
    }

    /// Changes one byte of one event in a copy.
    fn tamper(&self, export: &Path, head: Hash) -> Result<(), Failure> {
        let mut bytes = fs::read(export).map_err(|error| Failure::file(export, &error))?;
        let (offset, victim) = some_event(&bytes).ok_or_else(|| {
            Failure::new(
                "DEMO_DIFFERS",
                "没有可改动的事件",
                "there is no event to change",
            )
        })?;
        if let Some(byte) = bytes.get_mut(offset) {
            *byte ^= 0x01;
        }
        let copy = self.dir.join("tampered.luzhang");
        fs::write(&copy, &bytes).map_err(|error| Failure::file(&copy, &error))?;
        let anchor = Anchor {
            hash: head,
            position: None,
        };
        let report = verify_file(&copy, Some(anchor), self.lang)?;
        self.say(
            &format!("\n⑨ 篡改：把副本中事件 {victim} 的一个比特改掉（文件第 {offset} 字节）"),
            &format!("\n9. Tampering: one bit of event {victim} changed in a copy (byte {offset})"),
        )?;
        output::line(&format!("   {}", verdict_line(&report, self.lang)))?;
        if let Some(finding) = &report.finding {
            output::line(&format!("   {}: {}", finding.place, finding.detail))?;
        }
        if report.verdict != Verdict::Tampered || report.first_bad_position() != Some(victim) {
            return Err(Failure::new(
                "DEMO_DIFFERS",
                "没有找到被改动的事件",
                "the changed event was not found",
            ));
        }
        Ok(())
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the story has no others")]
fn step_name(body: &Body, lang: Lang) -> &'static str {
    let (zh, en) = match body {
        Body::Review(_) => ("审核", "review"),
        Body::Approval(_) => ("审批", "approval"),
        Body::Notice(_) => ("公示", "notice"),
        Body::NoticeClosing(_) => ("公示期满", "notice closed"),
        Body::Batch(_) => ("拨付批次", "payment batch"),
        Body::BatchLocking(_) => ("批次锁定", "batch locked"),
        Body::BatchSubmission(_) => ("送交银行", "sent to the bank"),
        Body::Settlement(_) => ("支付成功", "paid"),
        _ => ("其他", "another step"),
    };
    lang.pick(zh, en)
}

/// A byte in the middle of an event in the middle of an export.
fn some_event(export: &[u8]) -> Option<(usize, Position)> {
    let mut offset = 32;
    let mut found = None;
    loop {
        let length: [u8; 4] = export.get(offset..offset + 4)?.try_into().ok()?;
        let length = usize::try_from(u32::from_le_bytes(length)).ok()?;
        if length == 0 {
            return found;
        }
        let block = export.get(offset + 4..offset + 4 + length)?;
        let view = BlockView::parse(block).ok()?;
        let mut at = offset + 4 + HEADER_LEN;
        for frame in view.frames().map_while(Result::ok) {
            let middle = at + FRAME_HEADER_LEN + frame.event.len() / 2;
            // The last block's middle: far from both ends of the file.
            if frame.position.number() <= view.first.number() + u64::from(view.count) / 2 {
                found = Some((middle, frame.position));
            }
            at += FRAME_HEADER_LEN + frame.event.len();
        }
        offset += 4 + length;
    }
}

fn farewell(lang: Lang, data: &Path, millis: u128) -> String {
    let data = data.display();
    let (seconds, tenths) = (millis / 1000, millis % 1000 / 100);
    match lang {
        Lang::Zh => format!(
            "\n用时 {seconds}.{tenths} 秒。接下来可以试试：\n   \
             luzhang report execution --data-dir {data} --lang zh\n   \
             luzhang case list --data-dir {data} --lang zh\n   \
             luzhang explain {TOLD} --lang zh\n   \
             luzhang policy show --lang zh\n   \
             luzhang serve --data-dir {data}"
        ),
        Lang::En => format!(
            "\nDone in {seconds}.{tenths} s. What to try next:\n   \
             luzhang report execution --data-dir {data}\n   \
             luzhang case list --data-dir {data}\n   \
             luzhang explain {TOLD}\n   \
             luzhang policy show\n   \
             luzhang serve --data-dir {data}"
        ),
    }
}
