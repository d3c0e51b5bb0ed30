//! What is not a pack at all.

use luzhang_projections::{
    Pack,
    pack::{LUZHOU_2023, MAX_PACK, PackError},
};

use crate::changed;

#[test]
fn what_is_not_a_pack_at_all() {
    for (from, to, named) in [
        // A key that is not known, in every kind of table.
        (
            "id = \"luzhou-2023\"",
            "name = \"x\"\nid = \"luzhou-2023\"",
            "name",
        ),
        ("[[fund]]", "[[fund]]\nbank = \"x\"", "bank"),
        ("[[programme]]", "[[programme]]\nbudget = 1", "budget"),
        ("[[reading]]", "[[reading]]\nby = \"x\"", "by"),
        ("[[param]]", "[[param]]\nmax = 1", "max"),
        ("v = 5000,", "v = 5000, w = 1,", "w"),
        ("[[limit]]", "[[limit]]\nscript = \"x\"", "script"),
        ("[[limit]]", "[[rule]]\nid = \"x\"\n\n[[limit]]", "rule"),
        // A value outside a closed list.
        ("kind = \"window\"", "kind = \"windows\"", "windows"),
        ("unit = \"fen\"", "unit = \"yuan\"", "yuan"),
        ("unit = \"course\"", "unit = \"courses\"", "courses"),
        ("period = \"ever\"", "period = \"month\"", "month"),
        ("fact = \"loan\"", "fact = \"loans\"", "loans"),
        ("form = \"loan\"", "form = \"loans\"", "loans"),
        ("per = [\"employer\"]", "per = [\"agency\"]", "agency"),
        // A key that is missing, of the wrong type, or there twice.
        ("basis = \"补贴日期 paid date\"\n", "", "basis"),
        ("v = 5000,", "v = 50.0,", "50.0"),
        ("v = 5000,", "v = \"5000\",", "5000"),
        (
            "v = 5000,",
            "v = 99999999999999999999,",
            "v = 99999999999999999999",
        ),
        (
            "id = \"luzhou-2023\"",
            "id = \"luzhou-2023\"\nid = \"x\"",
            "duplicate",
        ),
        ("[pack]", "", "unknown field"),
    ] {
        let error = Pack::load(changed(from, to).as_bytes()).unwrap_err();
        assert!(matches!(error, PackError::Toml(_)), "{to}: {error}");
        assert!(error.to_string().contains(named), "{to}: {error}");
    }
    for text in [&b""[..], b"[pack]", b"\xff\xfe", b"{}", b"a = ["] {
        let error = Pack::load(text).unwrap_err();
        assert!(matches!(error, PackError::Toml(_)), "{error}");
    }
}

#[test]
fn a_pack_fits_one_block() {
    let padded = |length: usize| {
        let mut text = LUZHOU_2023.to_owned();
        text.push_str(&"#".repeat(length - text.len()));
        text
    };
    assert!(Pack::load(padded(MAX_PACK).as_bytes()).is_ok());
    let error = Pack::load(padded(MAX_PACK + 1).as_bytes()).unwrap_err();
    assert!(matches!(error, PackError::TooLarge));
}
