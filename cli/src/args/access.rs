//! Commands for who may do what.

use clap::{Args, Subcommand};
use luzhang_ledger::{
    Office,
    access::{Credential, Role},
    text::{Principal, ProgrammeId},
};

#[derive(Debug, Subcommand)]
pub(crate) enum PrincipalCommand {
    /// Everybody's mandate, and what waits for a second administrator
    List,
    /// Propose a mandate, in place of the one that the account has
    Propose {
        /// The account
        #[arg(value_parser = principal)]
        name: Principal,
        #[command(flatten)]
        mandate: MandateArgs,
    },
    /// Propose to take a mandate back
    Revoke {
        /// The account
        #[arg(value_parser = principal)]
        name: Principal,
    },
    /// Confirm what another administrator proposed
    Confirm {
        /// The position of the proposal
        position: u64,
    },
    /// Give the first mandates in a data directory that has none
    Found {
        /// An administrator, by account; give two or more
        #[arg(
            long = "administrator",
            value_name = "NAME",
            value_parser = principal,
            required = true
        )]
        administrators: Vec<Principal>,
    },
    /// What was asked for and not permitted
    Denials,
}

/// What a mandate says.
#[derive(Clone, Debug, Args)]
pub(crate) struct MandateArgs {
    /// clerk, reviewer, approver, cashier, auditor, reporter, steward, administrator
    #[arg(long = "role", value_name = "ROLE", value_delimiter = ',', value_parser = role, required = true)]
    pub(crate) roles: Vec<Role>,
    /// For this office only, by its GB/T 2260 code; all by default
    #[arg(long = "office", value_name = "CODE", value_delimiter = ',', value_parser = office)]
    pub(crate) offices: Vec<Office>,
    /// For this programme only, by its id; all by default
    #[arg(long = "programme", value_name = "ID", value_delimiter = ',', value_parser = programme)]
    pub(crate) programmes: Vec<ProgrammeId>,
    /// With this certificate's key only, as `luzhang cert show` prints it; every key
    /// that is certified for the account by default
    #[arg(long = "credential", value_name = "HEX", value_delimiter = ',', value_parser = credential)]
    pub(crate) credentials: Vec<Credential>,
}

pub(crate) fn principal(text: &str) -> Result<Principal, String> {
    Principal::new(text).map_err(|error| error.to_string())
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| {
        let known: Vec<&str> = Role::ALL.into_iter().map(Role::as_str).collect();
        format!("one of {}", known.join(", "))
    })
}

fn office(text: &str) -> Result<Office, String> {
    text.parse::<Office>().map_err(|error| error.to_string())
}

fn programme(text: &str) -> Result<ProgrammeId, String> {
    ProgrammeId::new(text).map_err(|error| error.to_string())
}

fn credential(text: &str) -> Result<Credential, String> {
    let read = text.parse();
    read.map_err(|_| "64 hexadecimal digits, as `luzhang cert show` prints them".to_owned())
}
