//! Files in and files out: encodings, workbooks, annotated copies, rubbish.

use std::{fs, path::Path};

use crate::{
    desk::{Desk, appropriation, outcomes, row, rows, studio},
    support::{Bureau, Ledger, Server, Sheet},
};

/// What the clerk gets back can be corrected and imported again as it is.
#[test]
fn the_annotated_copy_says_what_became_of_each_row_and_can_be_imported() {
    let desk = Desk::new();
    desk.import(&appropriation("演1", "100000.00"), &[], 0);
    let claims = Sheet::of(
        "skill-base",
        [
            studio("甲", 1, "100000.00"),
            studio("乙", 2, "90000.00"),
            studio("丙", 3, "1.234"),
        ],
    );
    let done = desk.import(&claims, &[], 1);
    let at = |row: usize| done[row].2.map_or(String::new(), |at| at.to_string());
    for (name, lang, labels) in [
        (
            "back.csv",
            "zh",
            ["已办理（重复提交）", "已办理（重复提交）", "退回修改"],
        ),
        (
            "back.xlsx",
            "zh",
            ["已办理（重复提交）", "已办理（重复提交）", "退回修改"],
        ),
        (
            "back.XLSX",
            "en",
            [
                "already done (submitted again)",
                "already done (submitted again)",
                "rejected",
            ],
        ),
    ] {
        let back = desk.ledger.file(name);
        let result = back.to_str().unwrap();
        desk.writes_nothing(|| desk.import(&claims, &["--result", result, "--lang", lang], 1));
        let copy = Sheet::read(&back);
        let mut header = claims.header.clone();
        header.extend(["结果", "原因", "位置"].map(str::to_owned));
        assert_eq!(copy.header, header, "{name}");
        for (copied, original) in copy.rows.iter().zip(&claims.rows) {
            assert_eq!(copied[..original.len()], original[..], "{name}");
        }
        assert_eq!(copy.column("结果"), labels, "{name}");
        assert_eq!(copy.column("位置"), [at(0), at(1), at(2)], "{name}");
        let reasons = copy.column("原因");
        assert_eq!(reasons[0], "", "{name}");
        assert!(reasons[1].starts_with("BUDGET_EXCEEDED ") && reasons[1].contains("M05_AMOUNT "));
        assert!(
            reasons[2].starts_with("AMOUNT_DECIMALS "),
            "{name}: {reasons:?}"
        );
        assert!(reasons[1].contains(if lang == "zh" {
            "措施第5条"
        } else {
            "measure 5"
        }));

        // The copy itself goes in again, and its copy has no more columns.
        let again = desk.ledger.file(&format!("again-{name}"));
        let arguments = ["--result", again.to_str().unwrap(), "--lang", lang];
        let ran = desk.writes_nothing(|| desk.run(&[&back], &arguments));
        assert_eq!(
            rows(&ran.ended(1))[..2],
            [
                row("replayed", &[], done[0].2),
                row("replayed", &["BUDGET_EXCEEDED", "M05_AMOUNT"], done[1].2),
            ]
        );
        assert_eq!(Sheet::read(&again), copy, "{name}");
    }
    // Corrected in the copy, as a clerk does.
    desk.import(&appropriation("演2", "200000.00"), &[], 0);
    let mut corrected = Sheet::read(&desk.ledger.file("back.xlsx"));
    for row in &mut corrected.rows {
        "100000".clone_into(&mut row[7]);
    }
    let file = desk.ledger.file("corrected.xlsx");
    corrected.write_workbook(&file);
    let ran = desk.run(&[&file], &["--resubmit"]).ended(0);
    assert_eq!(outcomes(&rows(&ran)), ["replayed", "accepted", "accepted"]);

    // Several files have a directory for their copies.
    let (one, two) = (desk.file("one.csv", &claims), desk.file("two.csv", &claims));
    let copies = desk.ledger.file("copies");
    let result = ["--result", copies.to_str().unwrap()];
    desk.writes_nothing(|| desk.run(&[&one, &two], &result).ended(1));
    for name in ["one.csv", "two.csv"] {
        assert_eq!(Sheet::read(&copies.join(name)).rows.len(), 3);
    }
    // Never over the table itself, and then nothing is imported either.
    let fresh = Sheet::of("skill-base", [studio("丁", 4, "100000.00")]);
    let file = desk.file("fresh.csv", &fresh);
    let over = ["--result", file.to_str().unwrap()];
    desk.writes_nothing(|| desk.run(&[&file], &over))
        .failed(2, "USAGE");
    assert_eq!(Sheet::read(&file), fresh);
}

/// How a table is written to a file.
type Write = fn(&Sheet, &Path);

/// Whatever a table was saved as, it is the same table.
#[test]
fn every_file_format_is_the_same_requests() {
    let ledger = Ledger::new();
    let server = Server::start(&ledger.dir());
    let target = server.target();
    let bureau = Bureau::demo();
    let first = bureau.import(&target, &["-o", "ndjson"]).ended(3);
    let head = target.head();
    let formats: [(&str, Write); 3] = [
        ("utf-8.csv", Sheet::write),
        ("gb18030.csv", Sheet::write_gb18030),
        ("workbook.xlsx", Sheet::write_workbook),
    ];
    for (ending, write) in formats {
        let mut files = Vec::new();
        for (name, sheet) in bureau.sheets() {
            let file = ledger.file(&format!("{name}.{ending}"));
            write(&sheet, &file);
            files.push(file.into_os_string());
        }
        let options = ["-o", "ndjson"].map(Into::into);
        let ran = target.run(["import".into()].into_iter().chain(files).chain(options));
        for (one, two) in first.lines().iter().zip(ran.ended(0).lines()) {
            assert_eq!(two["outcome"], "replayed", "{ending}: {two}");
            assert_eq!(one["position"], two["position"], "{ending}: {two}");
            assert_eq!(one["key"], two["key"], "{ending}: {two}");
        }
        assert_eq!(target.head(), head, "{ending}");
    }
}

#[test]
fn a_file_that_is_no_table_is_refused_whole() {
    let desk = Desk::new();
    let noise = {
        let mut bytes = vec![0; 40_000_000];
        blake3::Hasher::new().finalize_xof().fill(&mut bytes);
        bytes
    };
    let zip = [b"PK\x03\x04".as_slice(), &noise].concat();
    let header = Sheet::of("skill-base", [studio("甲", 1, "100000.00")]);
    let lacking = Sheet {
        header: header.header[..9].to_vec(),
        rows: vec![header.rows[0][..9].to_vec()],
    };
    let repeated = Sheet {
        header: [&header.header[..], &["金额".to_owned()]].concat(),
        rows: vec![],
    };
    let text = |sheet: &Sheet| fs::read(desk.file("text.csv", sheet)).unwrap();
    let files: [(&str, Vec<u8>, &str); 10] = [
        ("noise.xlsx", noise, "FILE_UNREADABLE"),
        ("zip.xlsx", zip, "FILE_UNREADABLE"),
        ("empty.csv", vec![], "FILE_EMPTY"),
        ("blank.csv", b" \n,,\n".to_vec(), "FILE_EMPTY"),
        ("utf-16.csv", b"\xff\xfe\x00\x00".to_vec(), "FILE_ENCODING"),
        ("latin.csv", b"stra\xdfe\n\xff\n".to_vec(), "FILE_ENCODING"),
        ("other.csv", "一,二,三\n1,2,3\n".into(), "TEMPLATE_UNKNOWN"),
        ("lacking.csv", text(&lacking), "COLUMN_MISSING"),
        ("repeated.csv", text(&repeated), "COLUMN_REPEATED"),
        (
            "quote.csv",
            [&text(&header)[..], b"\"a\n"].concat(),
            "FILE_QUOTES",
        ),
    ];
    for (name, bytes, code) in files {
        let file = desk.ledger.file(name);
        fs::write(&file, bytes).unwrap();
        let ran = desk.writes_nothing(|| desk.run(&[&file], &[]));
        ran.failed(1, code);
        assert!(ran.err.contains(name), "{}", ran.err);
    }
    desk.run(&[&desk.ledger.file("missing.csv")], &[])
        .failed(1, "FILE_IO");
}
