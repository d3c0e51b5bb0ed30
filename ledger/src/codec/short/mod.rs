//! The short way between stored bytes and events, for logs of millions: between bytes
//! and the types of the domain, without a message in between.
//!
//! It knows what every log is full of, written as this format's writers write it:
//! fields in ascending order, each at most once. Whatever else it meets it leaves to
//! the long way ([`super::from_stored`], [`super::to_stored`]), which alone says what is
//! wrong. So it reads either the event that the long way reads, or none, and writes the
//! bytes that the long way writes.

mod read;
mod write;

#[cfg(test)]
mod tests;

pub(super) use self::{read::decode, write::encode};

/// The wire type of whatever has a length.
const LENGTH: u64 = 2;
