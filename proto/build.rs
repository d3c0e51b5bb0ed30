//! Compiles the `.proto` files with protox, so that no system `protoc` is needed.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=luzhang");
    println!("cargo:rerun-if-changed=google");
    let descriptors = protox::compile(
        [
            "luzhang/event/v1/event.proto",
            "luzhang/v1/command.proto",
            "luzhang/v1/ledger.proto",
            "luzhang/v1/audit.proto",
            "luzhang/v1/projection.proto",
            "luzhang/v1/case.proto",
            "luzhang/v1/proof.proto",
        ],
        ["."],
    )?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .bytes(".luzhang.v1.Block")
        .compile_fds(descriptors)?;
    Ok(())
}
