use luzhang_ledger::Fen;

use super::{
    Batch, EndToEnd, FileError, Item, Outcome, Party, Reported,
    reconcile::{Expected, Verdict, reconcile},
    results, write_csv, write_pain001,
};

const ID: &str = "LZ01890a5d-181-1";
const OTHER: &str = "LZ01890a5d-182-2";

fn id(text: &str) -> EndToEnd {
    EndToEnd::parse(text).unwrap()
}

fn day(text: &str) -> jiff::civil::Date {
    text.parse().unwrap()
}

fn fen(fen: i64) -> Fen {
    Fen::new(fen).unwrap()
}

fn party(name: &str) -> Party {
    Party {
        name: name.to_owned(),
        account: "6217000000000000001".to_owned(),
        bank: "某某银行泸州分行".to_owned(),
    }
}

fn batch(names: &[&str]) -> Batch {
    let items = (1_u32..).zip(names).map(|(attempt, name)| Item {
        id: id(&format!("LZ01890a5d-181-{attempt}")),
        payee: party(name),
        amount: fen(24_000 + i64::from(attempt)),
        remittance: format!("PX-{attempt}"),
    });
    Batch {
        number: "B<1>".to_owned(),
        created_at: "2024-10-20T09:30:00".parse().unwrap(),
        requested_on: day("2024-10-21"),
        debtor: party("某某局 & 财政"),
        items: items.collect(),
    }
}

#[test]
fn an_end_to_end_id_is_the_ledgers_own() {
    for (text, parsed) in [
        (ID, Some((181, 1))),
        (
            " LZ01890a5d-18446744073709551-1 ",
            Some((18_446_744_073_709_551, 1)),
        ),
        ("LZ01890a5d-181", None),
        ("LZ01890a5d-181-1-1", None),
        ("LZ01890a5-181-1", None),
        ("LZ01890a5x-181-1", None),
        ("LZ01890a5d-+181-1", None),
        ("LZ01890a5d-181--1", None),
        ("01890a5d-181-1", None),
        ("LZ01890a5d-18446744073709551615-4294967295", None),
        ("", None),
    ] {
        let found = EndToEnd::parse(text).map(|id| (id.grant, id.attempt));
        assert_eq!(found, parsed, "{text:?}");
    }
}

#[test]
fn a_table_for_the_bank_reads_back() {
    let bytes = write_csv(&batch(&["某甲", "=1+1", "a,\"b\"\nc"])).unwrap();
    assert!(bytes.starts_with("\u{feff}批次号,".as_bytes()));
    let rows: Vec<Vec<String>> = csv::Reader::from_reader(&bytes[3..])
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(
        rows[0],
        [
            "B<1>",
            ID,
            "某甲",
            "6217000000000000001",
            "某某银行泸州分行",
            "240.01",
            "PX-1"
        ]
    );
    // A spreadsheet runs nothing of it.
    assert_eq!(rows[1][2], "'=1+1");
    assert_eq!(rows[2][2], "a,\"b\"\nc");
}

/// The texts of all elements with this name.
#[expect(clippy::wildcard_enum_match_arm, reason = "only text counts")]
fn texts(xml: &str, name: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut inside, mut found, mut text) = (false, Vec::new(), String::new());
    loop {
        use quick_xml::events::Event as E;
        match reader.read_event().unwrap() {
            E::Start(start) => inside = start.local_name().as_ref() == name,
            E::Text(part) if inside => text.push_str(&part),
            E::GeneralRef(part) if inside => {
                text.push_str(match &*part {
                    "amp" => "&",
                    "lt" => "<",
                    "gt" => ">",
                    "quot" => "\"",
                    other => panic!("{other}"),
                });
            }
            E::End(end) if end.local_name().as_ref() == name => {
                found.push(std::mem::take(&mut text));
                inside = false;
            }
            E::Eof => return found,
            _ => {}
        }
    }
}

#[test]
fn a_message_for_the_bank_says_what_the_batch_says() {
    let batch = batch(&["某甲", "<某>&\"乙\"", "]]>"]);
    let bytes = write_pain001(&batch).unwrap();
    assert_eq!(bytes, write_pain001(&batch).unwrap(), "the same bytes");
    let xml = String::from_utf8(bytes).unwrap();
    assert_eq!(texts(&xml, "MsgId"), ["B<1>"]);
    assert_eq!(texts(&xml, "NbOfTxs"), ["3", "3"]);
    assert_eq!(texts(&xml, "CtrlSum"), ["720.06", "720.06"]);
    assert_eq!(texts(&xml, "InstdAmt"), ["240.01", "240.02", "240.03"]);
    let names = texts(&xml, "Nm");
    for name in ["某甲", "<某>&\"乙\"", "]]>", "某某局 & 财政"] {
        assert!(
            names.iter().any(|n| n == name),
            "{name} is not in {names:?}"
        );
    }
    assert_eq!(texts(&xml, "CreDtTm"), ["2024-10-20T09:30:00"]);
    assert_eq!(texts(&xml, "Dt"), ["2024-10-21"]);
}

#[test]
fn what_a_bank_cannot_pay_is_named_before_a_file_is_written() {
    let check = |change: fn(&mut Batch), code: &str, field: &str| {
        let mut batch = batch(&["某甲"]);
        change(&mut batch);
        for written in [write_csv(&batch), write_pain001(&batch)] {
            let error = written.unwrap_err();
            assert_eq!(error.code(), code);
            assert!(error.to_string().contains(field), "{error}");
            assert!(error.zh().contains(field), "{}", error.zh());
            assert!(!error.to_string().contains("62170"), "{error}");
        }
    };
    check(
        |b| b.items[0].payee.account.clear(),
        "PAYMENT_INCOMPLETE",
        "收款账号",
    );
    check(
        |b| b.items[0].payee.name.clear(),
        "PAYMENT_INCOMPLETE",
        "收款人",
    );
    check(
        |b| b.items[0].payee.bank.clear(),
        "PAYMENT_INCOMPLETE",
        "开户银行",
    );
    check(
        |b| b.items[0].payee.name = "某".repeat(141),
        "PAYMENT_TOO_LONG",
        "收款人",
    );
    check(
        |b| b.items[0].remittance = "x".repeat(141),
        "PAYMENT_TOO_LONG",
        "附言",
    );
    let debug = format!("{:?}", batch(&["某甲"]).items[0]);
    assert!(
        !debug.contains("某甲") && !debug.contains("62170"),
        "{debug}"
    );
}

fn read(text: &str) -> Result<Vec<Reported>, FileError> {
    let expected = [id(ID), id(OTHER)];
    results::read(text.as_bytes().to_vec(), "B1", &expected)
}

#[test]
fn a_table_of_results() {
    let head = "批次号,端到端标识,状态,金额,日期,原因\n";
    let one = |row: &str| read(&format!("{head}{row}\n"));
    let settled = Outcome::Settled {
        on: day("2024-10-21"),
    };
    let bounced = Outcome::Bounced {
        on: day("2024-10-22"),
        reason: "账号不存在".to_owned(),
    };
    for (row, outcome, amount) in [
        (
            format!("B1,{ID},成功,240.00,2024-10-21,"),
            settled.clone(),
            Some(fen(24_000)),
        ),
        (format!("B1,{ID},成功,,2024/10/21,"), settled, None),
        (
            format!("B1,{ID},退票,240,2024-10-22,账号不存在"),
            bounced,
            Some(fen(24_000)),
        ),
        (
            format!("B1,{ID},处理中,240,,"),
            Outcome::Pending,
            Some(fen(24_000)),
        ),
    ] {
        let expected = Reported {
            place: 1,
            id: id(ID),
            outcome,
            amount,
        };
        assert_eq!(one(&row).unwrap(), [expected], "{row}");
    }
    for (row, code) in [
        (
            format!("B2,{ID},成功,240.00,2024-10-21,"),
            "RESULTS_OTHER_BATCH",
        ),
        ("B1,42,成功,240.00,2024-10-21,".to_owned(), "RESULT_INVALID"),
        (format!("B1,{ID},好,240.00,2024-10-21,"), "RESULT_INVALID"),
        (
            format!("B1,{ID},成功,240.001,2024-10-21,"),
            "RESULT_INVALID",
        ),
        (format!("B1,{ID},成功,240.00,2024-13-21,"), "RESULT_INVALID"),
        (
            format!("B1,{ID},处理中,,,\nB1,{ID},处理中,,,"),
            "RESULT_REPEATED",
        ),
    ] {
        let error = one(&row).unwrap_err();
        assert_eq!(error.code(), code, "{row}");
        assert!(!error.zh().is_empty());
    }
    for text in ["", "a,b\n1,2\n", "批次号,端到端标识\n"] {
        assert_eq!(
            read(text).unwrap_err().code(),
            "RESULTS_UNREADABLE",
            "{text:?}"
        );
    }
}

/// A pain.002.001.10 message with these transactions.
fn answer(group: &str, transactions: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt>\
         <GrpHdr><MsgId>R1</MsgId><CreDtTm>2024-10-22T08:00:00</CreDtTm></GrpHdr>\
         <OrgnlGrpInfAndSts><OrgnlMsgId>B1</OrgnlMsgId>\
         <OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{group}</OrgnlGrpInfAndSts>\
         <OrgnlPmtInfAndSts><OrgnlPmtInfId>B1</OrgnlPmtInfId>{transactions}</OrgnlPmtInfAndSts>\
         </CstmrPmtStsRpt></Document>"
    )
}

fn transaction(id: &str, status: &str, more: &str) -> String {
    format!(
        "<TxInfAndSts><OrgnlEndToEndId>{id}</OrgnlEndToEndId><TxSts>{status}</TxSts>{more}</TxInfAndSts>"
    )
}

#[test]
fn a_message_of_results() {
    let settled = |on| Outcome::Settled { on: day(on) };
    let amount = "<OrgnlTxRef><Amt><InstdAmt Ccy=\"CNY\">240.00</InstdAmt></Amt></OrgnlTxRef>";
    let at = "<AccptncDtTm>2024-10-21T10:00:00+08:00</AccptncDtTm>";
    let why =
        "<StsRsnInf><Rsn><Cd>AC01</Cd></Rsn><AddtlInf>账号 &amp; 户名不符</AddtlInf></StsRsnInf>";
    for (status, more, outcome, fen_) in [
        ("ACSC", String::new(), settled("2024-10-22"), None),
        (
            "ACSC",
            format!("{at}{amount}"),
            settled("2024-10-21"),
            Some(fen(24_000)),
        ),
        ("PDNG", String::new(), Outcome::Pending, None),
        ("ACSP", String::new(), Outcome::Pending, None),
        (
            "RJCT",
            why.to_owned(),
            Outcome::Bounced {
                on: day("2024-10-22"),
                reason: "AC01 账号 & 户名不符".to_owned(),
            },
            None,
        ),
    ] {
        let found = read(&answer("", &transaction(ID, status, &more))).unwrap();
        let expected = Reported {
            place: 1,
            id: id(ID),
            outcome,
            amount: fen_,
        };
        assert_eq!(found, [expected], "{status}");
    }
    // One word for all.
    let all = read(&answer("<GrpSts>ACSC</GrpSts>", "")).unwrap();
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|r| r.outcome == settled("2024-10-22")));
    for (text, code) in [
        (answer("", &transaction("x", "ACSC", "")), "RESULT_INVALID"),
        (answer("", &transaction(ID, "WHAT", "")), "RESULT_INVALID"),
        (
            answer("", &transaction(ID, "ACSC", &amount.replace("CNY", "USD"))),
            "RESULT_INVALID",
        ),
        (
            answer(
                "",
                &transaction(ID, "ACSC", &amount.replace("240.00", "240.001")),
            ),
            "RESULT_INVALID",
        ),
        (
            answer("", "").replace(">B1</OrgnlMsgId>", ">B2</OrgnlMsgId>"),
            "RESULTS_OTHER_BATCH",
        ),
        ("<Document/>".to_owned(), "RESULTS_UNREADABLE"),
        ("<a><b></a>".to_owned(), "RESULTS_UNREADABLE"),
        (
            format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{}", answer("", "")),
            "RESULTS_UNREADABLE",
        ),
        (
            answer("", &transaction(ID, "&bomb;", "")),
            "RESULTS_UNREADABLE",
        ),
        ("<x>".repeat(100), "RESULTS_UNREADABLE"),
    ] {
        assert_eq!(read(&text).unwrap_err().code(), code, "{text}");
    }
}

/// A column too many or too few puts a name or an account where a number is looked
/// for.
#[test]
fn an_error_does_not_repeat_what_stands_in_the_file() {
    let head = "批次号,端到端标识,状态,金额,日期,原因\n";
    let secret = "6217000000000000001";
    let settled = transaction(ID, "ACSC", "");
    for text in [
        format!("{head}{secret},{ID},成功,240.00,2024-10-21,\n"),
        format!("{head}B1,{secret},成功,240.00,2024-10-21,\n"),
        format!("{head}B1,{ID},{secret},240.00,2024-10-21,\n"),
        format!("{head}B1,{ID},成功,a{secret},2024-10-21,\n"),
        format!("{head}B1,{ID},成功,240.00,{secret},\n"),
        answer("", &settled).replace(">B1</OrgnlMsgId>", &format!(">{secret}</OrgnlMsgId>")),
        answer("", &settled).replace("</TxSts>", &format!("</{secret}>")),
        answer(
            "",
            &transaction(ID, "ACSC", &format!("<InstdAmt {secret}>1</InstdAmt>")),
        ),
        answer("", &transaction(ID, &format!("&{secret};"), "")),
        answer("", &transaction(secret, secret, secret)),
    ] {
        let error = read(&text).unwrap_err();
        let said = format!("{error} {}", error.zh());
        assert!(!said.contains(secret), "{said}");
    }
}

#[test]
fn every_payment_of_either_side_has_one_line() {
    let expected = [(ID, 24_000), (OTHER, 100)].map(|(text, amount)| Expected {
        id: id(text),
        amount: fen(amount),
    });
    let reported = |text: &str, amount: Option<i64>, outcome: Outcome| Reported {
        place: 1,
        id: id(text),
        outcome,
        amount: amount.map(fen),
    };
    let settled = || Outcome::Settled {
        on: day("2024-10-21"),
    };
    let bounced = || Outcome::Bounced {
        on: day("2024-10-21"),
        reason: "x".to_owned(),
    };
    let third = "LZ01890a5d-183-1";
    for (reports, verdicts) in [
        (vec![], vec![Verdict::Missing, Verdict::Missing]),
        (
            vec![
                reported(OTHER, None, bounced()),
                reported(ID, Some(24_000), settled()),
            ],
            vec![Verdict::Settled, Verdict::Bounced],
        ),
        (
            vec![
                reported(ID, Some(23_999), settled()),
                reported(OTHER, None, Outcome::Pending),
                reported(third, None, settled()),
            ],
            vec![
                Verdict::AmountDiffers,
                Verdict::Pending,
                Verdict::Unexpected,
            ],
        ),
    ] {
        let lines = reconcile(&expected, &reports);
        let found: Vec<Verdict> = lines.iter().map(|line| line.verdict).collect();
        assert_eq!(found, verdicts);
        assert_eq!(lines, reconcile(&expected, &reports));
    }
}

/// The structure of the public schemas, by programs that were made from them:
/// `tests/payment_schema.py` says which.
#[test]
fn both_messages_keep_to_the_public_schemas() {
    let scratch = tempfile::tempdir().unwrap();
    let initiation = scratch.path().join("pain001.xml");
    std::fs::write(
        &initiation,
        write_pain001(&batch(&["某甲", "<某>&乙"])).unwrap(),
    )
    .unwrap();
    let status = scratch.path().join("pain002.xml");
    let why = "<StsRsnInf><Rsn><Cd>AC01</Cd></Rsn><AddtlInf>账号不符</AddtlInf></StsRsnInf>";
    let at = "<AccptncDtTm>2024-10-21T10:00:00+08:00</AccptncDtTm>";
    let amount = "<OrgnlTxRef><Amt><InstdAmt Ccy=\"CNY\">240.00</InstdAmt></Amt></OrgnlTxRef>";
    let transactions =
        transaction(ID, "ACSC", &format!("{at}{amount}")) + &transaction(OTHER, "RJCT", why);
    std::fs::write(&status, answer("<GrpSts>PART</GrpSts>", &transactions)).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/payment_schema.py");
    let ran = std::process::Command::new("python3")
        .arg(script)
        .args([&initiation, &status])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    let needs = "scripts/test installs what this needs";
    assert!(ran.status.success(), "{needs}\n{said}");
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "2 files are sound\n");
}
