//! Edges of every limit.
