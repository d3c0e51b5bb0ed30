//! Reading a bureau's tables, and handing them back with what became of each row.
//!
//! [`table`] reads a file into cells, [`cell`] says what a cell may be read as,
//! [`template`] finds the template by the header and turns a row into a command,
//! and [`annotate`] writes the copy that goes back to the clerk. Nothing here
//! knows of a server.

mod annotate;
mod cell;
mod table;
mod template;
