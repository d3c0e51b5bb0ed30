//! Generated protobuf messages. Nothing is written by hand here.
//!
//! - [`event`]: what is stored and hashed (`luzhang.event.v1`).
//! - `wire`: what is spoken over gRPC (`luzhang.v1`), behind the `wire` feature.

// The generated code refers to other packages by relative path, so the modules
// mirror the package names.
#[allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated; the documentation is in the .proto files"
)]
mod luzhang {
    #[cfg(feature = "wire")]
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/luzhang.v1.rs"));
    }
    pub mod event {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/luzhang.event.v1.rs"));
        }
    }
}

#[cfg(feature = "wire")]
#[allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated")]
pub mod google {
    //! `google.type`: the civil date of the wire.
    pub mod r#type {
        //! `google.type`.
        include!(concat!(env!("OUT_DIR"), "/google.r#type.rs"));
    }
}

pub use luzhang::event::v1 as event;
#[cfg(feature = "wire")]
pub use luzhang::v1 as wire;

/// The descriptors of all files, for reflection and for JSON output.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
