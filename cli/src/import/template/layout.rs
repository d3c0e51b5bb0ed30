//! Which template a header is, and where its columns are.

use thiserror::Error;

use super::{
    CORRECTION_COLUMNS, RESULT_COLUMNS, Template,
    row::{Fields, ParsedRow, RowError},
};
use crate::import::table::{Row, Table};

/// A template, and where a table has its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(super) template: Template,
    /// Position in the table of each of the template's columns.
    pub(super) places: Vec<usize>,
    /// Positions of the two columns of a correction.
    pub(super) correction: Option<[usize; 2]>,
    /// Positions of the result columns of an annotated copy.
    pub(super) results: Vec<usize>,
}

/// Why a header is not that of a template. Names no more of the file than the
/// columns that stand beside a template's own: a file without a header begins
/// with a person.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum TemplateError {
    #[error(
        "the header is not that of a template; its first row must be one of: {}",
        known_en()
    )]
    Unknown,
    #[error(
        "the header is that of template {} ({}), but it lacks: {}",
        .template.id(), .template.title(), .missing.join(", ")
    )]
    Missing {
        template: Template,
        missing: Vec<&'static str>,
    },
    #[error(
        "the header is that of template {} ({}), but it has more columns, which would be lost; \
         remove them: {}",
        .template.id(), .template.title(), .unknown.join(", ")
    )]
    ColumnUnknown {
        template: Template,
        unknown: Vec<String>,
    },
    #[error(
        "the header of template {} ({}) names a column twice: {column}",
        .template.id(), .template.title()
    )]
    ColumnRepeated {
        template: Template,
        column: &'static str,
    },
}

impl Layout {
    /// Finds the template whose columns a table has, in any order. The three
    /// result columns of an annotated copy and columns without a name are passed
    /// over.
    pub(crate) fn find(table: &Table) -> Result<Self, TemplateError> {
        let names: Vec<&str> = table.header().iter().map(String::as_str).collect();
        let nearest = Template::ALL
            .into_iter()
            .reduce(|best, next| {
                if is_nearer(next, best, &names) {
                    next
                } else {
                    best
                }
            })
            .filter(|best| shared(*best, &names) * 2 >= best.columns().len())
            .ok_or(TemplateError::Unknown)?;
        Self::of(nearest, table.header())
    }

    fn of(template: Template, header: &[String]) -> Result<Self, TemplateError> {
        let columns = template.columns();
        let mut missing = Vec::new();
        let mut places_of = |columns: &[&'static str]| {
            let mut places = Vec::with_capacity(columns.len());
            for column in columns {
                let mut found = header.iter().enumerate().filter(|(_, name)| name == column);
                match (found.next(), found.next()) {
                    (Some((place, _)), None) => places.push(place),
                    (Some(_), Some(_)) => {
                        return Err(TemplateError::ColumnRepeated { template, column });
                    }
                    (None, _) => missing.push(*column),
                }
            }
            Ok(places)
        };
        let places = places_of(columns)?;
        let corrects = template.is_correctable()
            && CORRECTION_COLUMNS
                .iter()
                .any(|name| header.iter().any(|h| h == name));
        let correction = if corrects {
            places_of(&CORRECTION_COLUMNS)?
        } else {
            Vec::new()
        };
        if !missing.is_empty() {
            return Err(TemplateError::Missing { template, missing });
        }
        let known = |name: &str| {
            name.is_empty()
                || columns.contains(&name)
                || (corrects && CORRECTION_COLUMNS.contains(&name))
                || RESULT_COLUMNS.contains(&name)
        };
        let unknown: Vec<String> = header
            .iter()
            .filter(|name| !known(name))
            .map(|name| name.chars().take(20).collect())
            .collect();
        if !unknown.is_empty() {
            return Err(TemplateError::ColumnUnknown { template, unknown });
        }
        let results = (0..)
            .zip(header)
            .filter(|(_, name)| RESULT_COLUMNS.contains(&name.as_str()))
            .map(|(place, _)| place)
            .collect();
        Ok(Self {
            template,
            places,
            correction: correction.try_into().ok(),
            results,
        })
    }

    /// The template.
    pub(crate) fn template(&self) -> Template {
        self.template
    }

    /// Reads a row.
    ///
    /// # Errors
    ///
    /// All that is wrong with it, in the order of the template's columns.
    pub(crate) fn row(&self, row: &Row) -> Result<ParsedRow, Vec<RowError>> {
        let mut fields = Fields::new(self, row)?;
        let body = self.template.body(&mut fields);
        match self.correction {
            None => fields.finish(body),
            Some(_) => fields.finish_correction(body),
        }
    }

    /// The key of a row, as far as it can be read: a row with errors has one too.
    pub(crate) fn key(&self, row: &Row) -> String {
        Fields::key(self, row)
    }
}

impl TemplateError {
    /// The stable reason code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "TEMPLATE_UNKNOWN",
            Self::Missing { .. } => "COLUMN_MISSING",
            Self::ColumnUnknown { .. } => "COLUMN_UNKNOWN",
            Self::ColumnRepeated { .. } => "COLUMN_REPEATED",
        }
    }

    /// The message in Chinese.
    pub(crate) fn zh(&self) -> String {
        match self {
            Self::Unknown => {
                let known: Vec<String> = Template::ALL
                    .into_iter()
                    .map(|template| {
                        format!("{}（{}）", template.title(), template.columns().join(","))
                    })
                    .collect();
                format!(
                    "表头不是任何模板的表头，第一行应为下列之一：{}",
                    known.join("；")
                )
            }
            Self::Missing { template, missing } => format!(
                "表头像是“{}”（{}），但缺少：{}",
                template.title(),
                template.id(),
                missing.join("、")
            ),
            Self::ColumnUnknown { template, unknown } => format!(
                "表头是“{}”（{}），但多出不会被导入的列，请删除：{}",
                template.title(),
                template.id(),
                unknown.join("、")
            ),
            Self::ColumnRepeated { template, column } => format!(
                "“{}”（{}）的表头中“{column}”出现了两次",
                template.title(),
                template.id()
            ),
        }
    }
}

fn known_en() -> String {
    let known: Vec<String> = Template::ALL
        .into_iter()
        .map(|template| format!("{} ({})", template.id(), template.columns().join(",")))
        .collect();
    known.join("; ")
}

/// How many of a template's columns are named.
fn shared(template: Template, names: &[&str]) -> usize {
    let columns = template.columns().iter();
    columns.filter(|column| names.contains(column)).count()
}

/// Whether more of what both have is shared (the Jaccard index, by cross
/// multiplication).
fn is_nearer(one: Template, other: Template, names: &[&str]) -> bool {
    let [(ours, our_union), (theirs, their_union)] = [one, other].map(|template| {
        let shared = shared(template, names);
        (shared, template.columns().len() + names.len() - shared)
    });
    ours * their_union > theirs * our_union
}

#[cfg(test)]
mod tests;
