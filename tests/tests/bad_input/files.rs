//! Files that are no table, or not the whole of one.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
};

use super::{Words, import, outcomes, says_in_both};
use crate::support::{Ledger, Person, Server, Sheet};

const MIB: usize = 1 << 20;

/// 40 MiB that begin like this.
fn garbage(path: &Path, beginning: &[u8], filler: Filler) {
    let mut noise = blake3::Hasher::new().update(beginning).finalize_xof();
    let mut file = BufWriter::new(File::create(path).unwrap());
    file.write_all(beginning).unwrap();
    let mut chunk = vec![0; MIB];
    for _ in 0..40 {
        if filler == Filler::Noise {
            noise.fill(&mut chunk);
        }
        file.write_all(&chunk).unwrap();
    }
    file.flush().unwrap();
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Filler {
    Noise,
    Zeros,
}

fn good(ledger: &Ledger, name: &str, index: u32) -> String {
    let Person { name: of, number } = Person::number(index);
    let row = format!("{of},{number},2014-11-30,,v1");
    let path = ledger.file(name);
    Sheet::of("poverty-status", [row]).write(&path);
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_file_that_is_no_table_is_left_alone() {
    let ledger = Ledger::new();
    let server = Server::start(&ledger.dir());
    let target = server.target();
    let not_a_workbook = Words {
        zh: &["garbage.xlsx", "不能作为表格读取", "XLSX"],
        en: &[
            "garbage.xlsx",
            "cannot be read as a table",
            "save it as XLSX",
        ],
    };
    let local_header = b"PK\x03\x04\x14\x00\x00\x00\x08\x00".as_slice();
    let end_of_directory = b"PK\x05\x06".as_slice();
    let ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice();
    for (index, (beginning, filler)) in (1..).zip([
        (b"".as_slice(), Filler::Noise),
        (b"", Filler::Zeros),
        (local_header, Filler::Noise),
        (local_header, Filler::Zeros),
        (end_of_directory, Filler::Noise),
        (ole, Filler::Noise),
    ]) {
        let path = ledger.file("garbage.xlsx");
        garbage(&path, beginning, filler);
        let before = target.head();
        let file = path.to_str().unwrap();
        let ran = import(&target, &path);
        ran.failed(1, "FILE_UNREADABLE");
        says_in_both(
            &target,
            &["import", file],
            "FILE_UNREADABLE",
            not_a_workbook,
        );
        assert_eq!(target.head(), before, "something was written");
        // What stands before it is imported, and the server goes on.
        let fine = good(&ledger, "fine.csv", index);
        let ran = target.run(["import", &fine, file, "-o", "ndjson"]);
        assert_eq!((ran.code, outcomes(&ran)), (1, vec!["accepted".to_owned()]));
        assert!(ran.err.contains("FILE_UNREADABLE"), "{}", ran.err);
        assert_eq!(
            outcomes(&import(&target, Path::new(&fine)).ended(0)),
            ["replayed"]
        );
    }
    assert_eq!(server.terminate().code, 0);
}

#[test]
fn a_table_without_a_column_is_left_alone_and_the_column_named() {
    let ledger = Ledger::new();
    let server = Server::start(&ledger.dir());
    let target = server.target();
    let Person { name, number } = Person::number(1);
    let whole = Sheet::of(
        "poverty-status",
        [format!("{name},{number},2014-11-30,,v1")],
    );
    let before = target.head();
    for missing in ["身份证号码", "截止日期", "名册版本"] {
        let mut sheet = whole.clone();
        let place = sheet
            .header
            .iter()
            .position(|column| column == missing)
            .unwrap();
        for row in [&mut sheet.header].into_iter().chain(&mut sheet.rows) {
            row.remove(place);
        }
        for ending in ["csv", "xlsx"] {
            let path = ledger.file(&format!("short.{ending}"));
            if ending == "csv" {
                sheet.write(&path);
            } else {
                sheet.write_workbook(&path);
            }
            import(&target, &path).failed(1, "COLUMN_MISSING");
            let words = Words {
                zh: &["short.", "脱贫人口名册", "缺少", missing],
                en: &["short.", "poverty-status", "lacks", missing],
            };
            let file = path.to_str().unwrap();
            says_in_both(&target, &["import", file], "COLUMN_MISSING", words);
        }
    }
    assert_eq!(target.head(), before, "something was written");
    let path = ledger.file("whole.csv");
    whole.write(&path);
    assert_eq!(outcomes(&import(&target, &path).ended(0)), ["accepted"]);
    assert_eq!(server.terminate().code, 0);
}
