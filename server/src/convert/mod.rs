//! Between the wire and the domain: the only place that knows both.

pub mod from_proto;
mod steps;
pub(crate) mod subject;
pub mod to_proto;
pub(crate) mod typed;
