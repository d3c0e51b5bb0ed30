//! Ids of funds and programmes by small numbers.

use std::io;

use hashbrown::HashMap;

use crate::snapshot::{Reader, Writer};

/// A growing list of names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    numbers: HashMap<Box<str>, u16, foldhash::fast::FixedState>,
    names: Vec<Box<str>>,
}

impl Names {
    pub(crate) fn find(&self, name: &str) -> Option<u16> {
        self.numbers.get(name).copied()
    }

    pub(crate) fn intern(&mut self, name: &str) -> u16 {
        if let Some(number) = self.find(name) {
            return number;
        }
        self.add(name.into())
    }

    fn add(&mut self, name: Box<str>) -> u16 {
        // A ledger knows a few dozen funds and programmes.
        let number = u16::try_from(self.names.len()).unwrap_or(u16::MAX);
        self.numbers.insert(name.clone(), number);
        self.names.push(name);
        number
    }

    pub(crate) fn write(&self, section: &str, to: &mut Writer<'_>) -> io::Result<()> {
        let Self { numbers: _, names } = self;
        to.column(section, names)
    }

    pub(crate) fn read(section: &str, from: &Reader<'_>) -> io::Result<Self> {
        let mut all = Self::default();
        for name in from.column(section)? {
            all.add(name);
        }
        Ok(all)
    }

    pub(crate) fn name(&self, number: u16) -> &str {
        self.names.get(usize::from(number)).map_or("", |name| name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }
}
