//! The bank's answers, as a table and as pain.002.

use std::{collections::BTreeSet, fmt::Write as _};

use luzhang_ledger::Fen;

use super::{edits::edited, is_telling};
use crate::payment::{
    EndToEnd, FileError, Outcome, Reported, read,
    reconcile::{Expected, Verdict, reconcile},
};

const BATCH: &str = "B1";

fn expected() -> Vec<Expected> {
    let ids = [
        "LZ01890a5d-181-1",
        "LZ01890a5d-182-2",
        "LZ01890a5d-183-1",
        "LZ01890a5d-184-1",
    ];
    let expected = |id: &str| Expected {
        id: EndToEnd::parse(id).unwrap(),
        amount: Fen::new(24_000).unwrap(),
    };
    ids.map(expected).to_vec()
}

/// An answer of each form, a line an element.
const TABLE: &str = "批次号,端到端标识,状态,金额,日期,原因
B1,LZ01890a5d-181-1,成功,240.00,2024-10-21,
B1,LZ01890a5d-182-2,退票,240,2024/10/22,账号 & 户名不符
B1,LZ01890a5d-183-1,处理中,,,
B1,LZ01890a5d-999-1,成功,\"240.00\",2024-10-21,\"6217000000000000001\"
";
const MESSAGE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt>
<GrpHdr><MsgId>R1</MsgId>
<CreDtTm>2024-10-22T08:00:00</CreDtTm>
</GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>B1</OrgnlMsgId>
<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>
<GrpSts>PART</GrpSts>
</OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>B1</OrgnlPmtInfId>
<PmtInfSts>ACSC</PmtInfSts>
<TxInfAndSts>
<OrgnlEndToEndId>LZ01890a5d-181-1</OrgnlEndToEndId>
<TxSts>ACSC</TxSts>
<AccptncDtTm>2024-10-21T10:00:00+08:00</AccptncDtTm>
<OrgnlTxRef><Amt><InstdAmt Ccy=\"CNY\">240.00</InstdAmt></Amt></OrgnlTxRef>
</TxInfAndSts>
<TxInfAndSts>
<OrgnlEndToEndId>LZ01890a5d-182-2</OrgnlEndToEndId>
<TxSts>RJCT</TxSts>
<StsRsnInf><Rsn><Cd>AC01</Cd></Rsn><AddtlInf>账号 &amp; <![CDATA[户名]]>不&#31526;</AddtlInf></StsRsnInf>
</TxInfAndSts>
<TxInfAndSts>
<OrgnlEndToEndId>LZ01890a5d-183-1</OrgnlEndToEndId>
<TxSts>PDNG</TxSts>
<Dbtr><Nm>某某某某某某某某某某某某局</Nm></Dbtr>
</TxInfAndSts>
</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>
";

#[cfg(test)]
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![
        [b"r", TABLE.as_bytes()].concat(),
        [b"r", MESSAGE.as_bytes()].concat(),
        b"c".to_vec(),
        b"x".to_vec(),
        b"r<a><b></a>".to_vec(),
        b"r<!DOCTYPE x [<!ENTITY a \"b\">]><a>&a;</a>".to_vec(),
        [b"r", "<x>".repeat(40).as_bytes()].concat(),
    ];
    for place in 0..26 {
        seeds.push(vec![b'x', place % 4 + 4, 0, place, place + 1]);
    }
    for place in 0..5 {
        seeds.push(vec![b'c', place % 4 + 4, 0, place, place + 1]);
        seeds.push(vec![b'c', 0, 0, 40 + place * 11, 1]);
    }
    seeds
}

/// A file (`r`), and a sound table (`c`) or message (`x`) with some lines changed.
pub fn results(bytes: &[u8]) {
    match bytes {
        [b'r', file @ ..] => one(file),
        [b'c', edits @ ..] => one(&edited(TABLE.as_bytes(), MESSAGE.as_bytes(), edits)),
        [b'x', edits @ ..] => one(&edited(MESSAGE.as_bytes(), TABLE.as_bytes(), edits)),
        _ => {}
    }
}

fn one(file: &[u8]) {
    let expected = expected();
    let ids: Vec<EndToEnd> = expected.iter().map(|payment| payment.id.clone()).collect();
    let reported = match read(file.to_vec(), BATCH, &ids) {
        Ok(reported) => reported,
        Err(error) => return quiet(file, &error),
    };
    let mut seen = BTreeSet::new();
    for found in &reported {
        let again = EndToEnd::parse(&found.id.to_string()).unwrap();
        assert_eq!(again, found.id);
        assert!(seen.insert(found.id.clone()), "{} twice", found.id);
        assert!(found.place > 0);
        assert!(found.amount.is_none_or(|amount| amount.fen() >= 0));
        if let Outcome::Bounced { reason, .. } = &found.outcome {
            assert!(!reason.is_empty() && reason.chars().count() <= 200);
        }
    }
    let lines = reconcile(&expected, &reported);
    let unexpected = lines
        .iter()
        .filter(|line| line.verdict == Verdict::Unexpected);
    let known = reported
        .iter()
        .filter(|found| ids.contains(&found.id))
        .count();
    assert_eq!(unexpected.count(), reported.len() - known);
    assert_eq!(lines.len(), expected.len() + reported.len() - known);
    // What a table can say a message can say, and the other way round.
    for written in [as_table(&reported), as_message(&reported)] {
        let Some(written) = written else { continue };
        let again = read(written.clone().into_bytes(), BATCH, &ids);
        let again = again.unwrap_or_else(|error| panic!("{error}\n{written}"));
        let plain = |all: &[Reported]| -> Vec<_> {
            let all = all
                .iter()
                .map(|r| (r.id.clone(), r.outcome.clone(), r.amount));
            all.collect()
        };
        assert_eq!(plain(&again), plain(&reported), "{written}");
    }
}

fn as_table(reported: &[Reported]) -> Option<String> {
    if reported.is_empty() {
        return None;
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let head = ["批次号", "端到端标识", "状态", "金额", "日期", "原因"];
    writer.write_record(head).unwrap();
    for found in reported {
        let (word, on, reason) = match &found.outcome {
            Outcome::Settled { on } => ("成功", on.to_string(), String::new()),
            Outcome::Bounced { on, reason } => ("退票", on.to_string(), reason.clone()),
            Outcome::Pending => ("处理中", String::new(), String::new()),
        };
        // What a spreadsheet takes for a formula is written behind an apostrophe.
        let reason = crate::import::annotate::escape(reason.into()).into_owned();
        let id = found.id.to_string();
        let amount = found
            .amount
            .map_or(String::new(), |amount| amount.to_string());
        let row = [BATCH, &id, word, &amount, &on, &reason];
        writer.write_record(row).unwrap();
    }
    let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
    // A table holds no NUL, and trims what stands in a cell.
    is_plain(reported).then_some(text)
}

fn as_message(reported: &[Reported]) -> Option<String> {
    if reported.is_empty() || !is_plain(reported) {
        return None;
    }
    let mut text = format!(
        "<D><GrpHdr><CreDtTm>2024-10-22</CreDtTm></GrpHdr>\
         <OrgnlGrpInfAndSts><OrgnlMsgId>{BATCH}</OrgnlMsgId></OrgnlGrpInfAndSts>"
    );
    for found in reported {
        let (status, on, reason) = match &found.outcome {
            Outcome::Settled { on } => ("ACSC", on.to_string(), ""),
            Outcome::Bounced { on, reason } => ("RJCT", on.to_string(), &**reason),
            Outcome::Pending => ("PDNG", String::new(), ""),
        };
        let reason = reason.replace('&', "&amp;").replace('<', "&lt;");
        write!(
            text,
            "<TxInfAndSts><OrgnlEndToEndId>{}</OrgnlEndToEndId><TxSts>{status}</TxSts>\
             <AccptncDtTm>{on}</AccptncDtTm>\
             <StsRsnInf><AddtlInf>{reason}</AddtlInf></StsRsnInf>",
            found.id
        )
        .unwrap();
        if let Some(amount) = found.amount {
            write!(
                text,
                "<OrgnlTxRef><Amt><InstdAmt Ccy=\"CNY\">{amount}</InstdAmt></Amt></OrgnlTxRef>"
            )
            .unwrap();
        }
        text.push_str("</TxInfAndSts>");
    }
    text.push_str("</D>");
    Some(text)
}

/// Whether the reasons are such as both forms can hold.
fn is_plain(reported: &[Reported]) -> bool {
    reported.iter().all(|found| match &found.outcome {
        Outcome::Bounced { reason, .. } => {
            let control = reason.chars().any(char::is_control);
            !control && reason.trim() == reason && !reason.starts_with('\'')
        }
        Outcome::Settled { .. } | Outcome::Pending => true,
    })
}

/// What is said of a file repeats nothing of it but a payment's own number.
fn quiet(file: &[u8], error: &FileError) {
    assert!(error.code().starts_with("RESULT"), "{}", error.code());
    let text = String::from_utf8_lossy(file);
    let ends = |c: char| matches!(c, ',' | ';' | '\t' | '\n' | '\r' | '"' | '<' | '>' | '/');
    for piece in text.split(ends).map(str::trim) {
        let repeated = matches!(error, FileError::Repeated { id, .. } if id.contains(piece));
        // Our own word, or a part of it that happens to stand in the file.
        let ours = "OrgnlEndToEndId".contains(piece) || repeated;
        if !is_telling(piece) || ours {
            continue;
        }
        for said in [error.zh(), error.to_string()] {
            assert!(!said.contains(piece), "{piece:?} in {said}");
        }
    }
}
