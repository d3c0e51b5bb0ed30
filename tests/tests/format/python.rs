//! Runs `verify_export.py`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What the script says of each of these export files.
pub(crate) fn python(files: &[Vec<u8>]) -> Vec<serde_json::Value> {
    const INSTALL: &str = "this test needs Python 3 and its package blake3: install Python 3 \
                           (python3 on the PATH), then run `python3 -m pip install blake3`";
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<PathBuf> = (0..files.len())
        .map(|number| PathBuf::from(format!("{number}.luzhang-export")))
        .collect();
    for (name, file) in names.iter().zip(files) {
        fs::write(dir.path().join(name), file).unwrap();
    }
    let output = Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("verify_export.py"))
        .args(&names)
        .current_dir(dir.path())
        .output()
        .unwrap_or_else(|error| panic!("{INSTALL} (python3 does not start: {error})"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        !complaint.contains("ModuleNotFoundError"),
        "{INSTALL} ({complaint})"
    );
    assert!(
        output.status.success(),
        "verify_export.py failed: {complaint}"
    );
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
