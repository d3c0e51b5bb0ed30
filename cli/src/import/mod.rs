//! Reading a bureau's tables, and handing them back with what became of each row.
//!
//! [`table`] reads a file into cells, [`cell`] says what a cell may be read as,
//! [`template`] finds the template by the header and turns a row into a command,
//! [`submit`] sends them to the ledger, and [`annotate`] writes the copy that goes
//! back to the clerk.

pub(crate) mod annotate;
pub(crate) mod cell;
mod submit;
pub(crate) mod table;
mod template;

#[cfg(any(test, fuzzing))]
pub(crate) use self::template::{CORRECTION_COLUMNS, row::RowError};
pub(crate) use self::{
    annotate::{Outcome, Reason, RowResult, write_annotated},
    submit::{Job, Submission},
    table::{Row, Table},
    template::{Template, layout::Layout, row::ParsedRow},
};
