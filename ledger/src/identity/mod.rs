//! Who a fact is about, without saying who.
//!
//! A number is parsed once, at the edge, into a [`NationalId`] or a
//! [`CreditCode`]. What goes into the log is its [`SubjectId`], made with the
//! ledger's [`IdentityKey`], and the subject's [`Details`] sealed under a
//! [`SubjectKey`] of its own. Destroying that one key makes the person
//! unreadable while the chain, the limits and the totals still hold.
//!
//! The clear text of a number or a name exists in memory only: every type here
//! that holds one, or a key, is wiped when dropped and prints as `***`, and no
//! error repeats what it was given.

pub mod credit_code;
pub mod details;
pub mod national_id;
pub mod pseudonym;
pub mod sealed;

pub use credit_code::{CheckDigit, CreditCode, CreditCodeError};
pub use details::{Details, DetailsError};
pub use national_id::{NationalId, NationalIdError};
pub use pseudonym::{IdentityKey, SubjectId, SubjectIdError};
pub use sealed::{OpenError, SubjectKey, open, seal};
