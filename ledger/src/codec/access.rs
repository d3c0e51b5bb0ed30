//! Mandates, and what is said about their use.

use luzhang_proto::event as stored;

use super::{bytes, missing, subject, unknown};
use crate::{
    access::{Credential, Denial, Mandate, Reveal, Revealed, Role, Roles},
    malformed::{Malformed, at},
    office::Office,
    text::{BatchNo, Label, Principal, ProgrammeId},
};

pub(super) fn mandate_to_stored(mandate: &Mandate) -> stored::Mandate {
    stored::Mandate {
        principal: mandate.principal.to_string(),
        roles: mandate
            .roles
            .iter()
            .map(|role| stored::Role::from(role).into())
            .collect(),
        offices: mandate.offices.iter().map(|o| o.code()).collect(),
        programmes: mandate.programmes.iter().map(ToString::to_string).collect(),
        credentials: mandate
            .credentials
            .iter()
            .map(|credential| credential.as_bytes().to_vec())
            .collect(),
    }
}

impl From<Role> for stored::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Clerk => Self::Clerk,
            Role::Reviewer => Self::Reviewer,
            Role::Approver => Self::Approver,
            Role::Cashier => Self::Cashier,
            Role::Auditor => Self::Auditor,
            Role::Reporter => Self::Reporter,
            Role::Steward => Self::Steward,
            Role::Administrator => Self::Administrator,
        }
    }
}

impl Role {
    /// The role that a message names; `None` if it names none.
    #[must_use]
    pub fn from_stored(role: stored::Role) -> Option<Self> {
        Some(match role {
            stored::Role::Unspecified => return None,
            stored::Role::Clerk => Self::Clerk,
            stored::Role::Reviewer => Self::Reviewer,
            stored::Role::Approver => Self::Approver,
            stored::Role::Cashier => Self::Cashier,
            stored::Role::Auditor => Self::Auditor,
            stored::Role::Reporter => Self::Reporter,
            stored::Role::Steward => Self::Steward,
            stored::Role::Administrator => Self::Administrator,
        })
    }
}

pub(super) fn mandate_from_stored(mandate: stored::Mandate) -> Result<Mandate, Malformed> {
    let roles = mandate.roles.iter().map(|number| {
        // One that this version does not know is not passed over.
        let role = stored::Role::try_from(*number).map_err(|_| unknown("roles"))?;
        Role::from_stored(role).ok_or_else(|| unknown("roles"))
    });
    let roles = roles.collect::<Result<Roles, Malformed>>()?;
    let offices = mandate.offices.into_iter();
    let offices = offices.map(|code| Office::new(code).map_err(at("offices")));
    let programmes = mandate.programmes.into_iter();
    let programmes = programmes.map(|id| ProgrammeId::new(id).map_err(at("programmes")));
    let credentials = mandate.credentials.iter();
    let credentials =
        credentials.map(|credential| Ok(Credential::from_bytes(bytes(credential, "credentials")?)));
    Mandate::new(
        Principal::new(mandate.principal).map_err(at("principal"))?,
        roles,
        (
            offices.collect::<Result<_, _>>()?,
            programmes.collect::<Result<_, _>>()?,
        ),
        credentials.collect::<Result<_, Malformed>>()?,
    )
}

pub(super) fn denial_to_stored(denial: &Denial) -> stored::AccessDenied {
    stored::AccessDenied {
        principal: denial
            .principal
            .as_ref()
            .map_or_else(String::new, ToString::to_string),
        code: denial.code.to_string(),
        action: denial.action.to_string(),
        count: denial.count,
    }
}

pub(super) fn denial_from_stored(denied: stored::AccessDenied) -> Result<Denial, Malformed> {
    if denied.count == 0 {
        return Err(missing("count"));
    }
    Ok(Denial {
        principal: match denied.principal.as_str() {
            "" => None,
            name => Some(Principal::new(name).map_err(at("principal"))?),
        },
        code: Label::new(denied.code).map_err(at("code"))?,
        action: Label::new(denied.action).map_err(at("action"))?,
        count: denied.count,
    })
}

pub(super) fn reveal_to_stored(reveal: &Reveal) -> stored::DetailsRevealed {
    use stored::details_revealed::Of;
    stored::DetailsRevealed {
        of: Some(match &reveal.of {
            Revealed::Subject(subject) => Of::Subject(subject.as_bytes().to_vec()),
            Revealed::Batch(batch) => Of::BatchNo(batch.to_string()),
        }),
        purpose: reveal.purpose.to_string(),
    }
}

pub(super) fn reveal_from_stored(revealed: stored::DetailsRevealed) -> Result<Reveal, Malformed> {
    use stored::details_revealed::Of;
    Ok(Reveal {
        of: match revealed.of.ok_or(missing("of"))? {
            Of::Subject(id) => Revealed::Subject(subject(&id, "subject")?),
            Of::BatchNo(batch) => Revealed::Batch(BatchNo::new(batch).map_err(at("batch_no"))?),
        },
        purpose: Label::new(revealed.purpose).map_err(at("purpose"))?,
    })
}
