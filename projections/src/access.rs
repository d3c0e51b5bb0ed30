//! Who may do what: the mandates on the chain, and whether one extends to a
//! command. Mandates are facts like any other, so whoever folds the log can say
//! of every event whether the one who caused it was allowed to.

use std::collections::BTreeMap;

use luzhang_ledger::{
    Body, Event, Office, Position,
    access::{Credential, Mandate, Revealed, Role, Roles},
    fact::Fact,
    step::Step,
    text::Principal,
};
use thiserror::Error;

use crate::{
    decide::{Command, CommandBody},
    snapshot::record,
    state::State,
};

/// Everybody's mandates.
#[derive(Clone, Debug, Default)]
pub struct Access {
    mandates: BTreeMap<Box<str>, Held>,
    /// The newest proposal for each principal that is not confirmed.
    proposals: BTreeMap<Box<str>, Proposal>,
    /// Where the last mandate was adopted that nobody proposed.
    founded: Option<Position>,
}

record!(Access {
    mandates,
    proposals,
    founded
});

/// A mandate in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What it says.
    pub mandate: Mandate,
    /// Where it was adopted.
    pub position: Position,
}

record!(Held { mandate, position });

/// A mandate that waits for a second administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What it says.
    pub mandate: Mandate,
    /// Who proposed it.
    pub by: Principal,
    /// Where.
    pub position: Position,
}

record!(Proposal {
    mandate,
    by,
    position
});

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name.
    pub principal: Principal,
    /// The key of the certificate that says so; `None` if the name is believed.
    pub credential: Option<Credential>,
}

impl Identity {
    /// Somebody whose name is believed.
    pub fn believed(principal: Principal) -> Self {
        Self {
            principal,
            credential: None,
        }
    }
}

/// Why something is not permitted.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Denied {
    /// Nobody of this name has a mandate.
    #[error(
        "{principal} has no mandate in this ledger: two administrators can give one \
         (luzhang principal propose)"
    )]
    Unknown {
        /// The name.
        principal: Principal,
    },
    /// The mandate was taken back.
    #[error("the mandate of {principal} was taken back at {position}")]
    Revoked {
        /// The name.
        principal: Principal,
        /// Where.
        position: Position,
    },
    /// The certificate's key is not one of the mandate's.
    #[error(
        "the mandate of {principal} names the keys that it is used with, and that of this \
         certificate is not among them"
    )]
    Credential {
        /// The name.
        principal: Principal,
    },
    /// It takes another role.
    #[error("this takes the role {}, and {principal} has {}", names(*needed), names(*held))]
    Role {
        /// The name.
        principal: Principal,
        /// Any of these would do.
        needed: Roles,
        /// Those of the mandate.
        held: Roles,
    },
    /// Another office's.
    #[error("the mandate of {principal} does not extend to office {office}")]
    Office {
        /// The name.
        principal: Principal,
        /// The office.
        office: Office,
    },
    /// Another programme's.
    #[error("the mandate of {principal} does not extend to programme {programme}")]
    Programme {
        /// The name.
        principal: Principal,
        /// The programme.
        programme: String,
    },
    /// What is asked for is about all offices and programmes.
    #[error(
        "this is about all offices and programmes, and the mandate of {principal} extends to \
         some of them only"
    )]
    Part {
        /// The name.
        principal: Principal,
    },
}

fn names(roles: Roles) -> String {
    let names: Vec<&str> = roles.iter().map(Role::as_str).collect();
    if names.is_empty() {
        return "none".to_owned();
    }
    names.join(" or ")
}

fn zh_names(roles: Roles) -> String {
    let names: Vec<&str> = roles.iter().map(Role::zh).collect();
    if names.is_empty() {
        return "无".to_owned();
    }
    names.join("、")
}

impl Denied {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "PRINCIPAL_UNKNOWN",
            Self::Revoked { .. } => "PRINCIPAL_REVOKED",
            Self::Credential { .. } => "CREDENTIAL_UNKNOWN",
            Self::Role { .. } => "ROLE_REQUIRED",
            Self::Office { .. } => "SCOPE_OFFICE",
            Self::Programme { .. } => "SCOPE_PROGRAMME",
            Self::Part { .. } => "SCOPE_WHOLE",
        }
    }

    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Unknown { principal } => format!(
                "账户 {principal} 在本账本没有授权，需由两名系统管理员授权（luzhang principal propose）"
            ),
            Self::Revoked {
                principal,
                position,
            } => format!("账户 {principal} 的授权已在位置 {position} 收回"),
            Self::Credential { principal } => {
                format!("账户 {principal} 的授权限定了密钥，本证书的密钥不在其中")
            }
            Self::Role {
                principal,
                needed,
                held,
            } => format!(
                "此操作需要岗位：{}；账户 {principal} 的岗位：{}",
                zh_names(*needed),
                zh_names(*held)
            ),
            Self::Office { principal, office } => {
                format!("账户 {principal} 的授权不含经办机构 {office}")
            }
            Self::Programme {
                principal,
                programme,
            } => format!("账户 {principal} 的授权不含项目 {programme}"),
            Self::Part { principal } => {
                format!("此操作涉及全部机构和项目，账户 {principal} 的授权只含其中一部分")
            }
        }
    }
}

/// A kind of command, and who may give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// Its name on the wire.
    pub name: &'static str,
    /// Any of these roles will do.
    pub roles: Roles,
}

const CLERK: Roles = Roles::of(&[Role::Clerk]);
const REVIEWER: Roles = Roles::of(&[Role::Reviewer]);
const APPROVER: Roles = Roles::of(&[Role::Approver]);
const JUDGES: Roles = Roles::of(&[Role::Reviewer, Role::Approver]);
const CASHIER: Roles = Roles::of(&[Role::Cashier]);
const STEWARD: Roles = Roles::of(&[Role::Steward]);
const ADMINISTRATOR: Roles = Roles::of(&[Role::Administrator]);
const COUNTER: Roles = Roles::of(&[Role::Clerk, Role::Reviewer]);

impl Action {
    /// What a command is.
    pub fn of(body: &CommandBody) -> Self {
        let action = |name, roles| Self { name, roles };
        match body {
            CommandBody::Fact(fact) => Self::of_fact(fact),
            // What is taken back or put right is whose it was to say.
            CommandBody::Retract(retraction) => {
                action("retraction", Self::of_fact(&retraction.fact).roles)
            }
            CommandBody::Correct(correction) => {
                action("correction", Self::of_fact(&correction.was).roles)
            }
            CommandBody::Claim(claim) => {
                use luzhang_ledger::claim::Claim;
                let name = match claim {
                    Claim::TrainingAllowance(_) => "training_allowance",
                    Claim::SkillBase(_) => "skill_base",
                    Claim::ServiceSubsidy(_) => "service_subsidy",
                    Claim::BrandAward(_) => "brand_award",
                    Claim::Loan(_) => "loan",
                    Claim::InterestSubsidy(_) => "interest_subsidy",
                    Claim::TrainingSubsidy(_) => "training_subsidy",
                    Claim::TransportAid(_) => "transport_aid",
                    Claim::Subsidy(_) => "subsidy",
                };
                action(name, CLERK)
            }
            CommandBody::AdoptPolicy(_) => action("policy_pack", STEWARD),
            CommandBody::BindAccount(..) => action("account", CLERK),
            CommandBody::Step(step, _) => Self::of_step(step),
            CommandBody::ProposeMandate(_) => action("mandate", ADMINISTRATOR),
            CommandBody::ConfirmMandate(..) => action("mandate_confirmation", ADMINISTRATOR),
            CommandBody::Erase(_) => action("erasure", ADMINISTRATOR),
        }
    }

    fn of_fact(fact: &Fact) -> Self {
        let (name, roles) = match fact {
            Fact::Appropriation(_) => ("appropriation", STEWARD),
            Fact::Authority(_) => ("authority", STEWARD),
            Fact::PovertyStatus(_) => ("poverty_status", CLERK),
            Fact::UnemploymentBenefit(_) => ("unemployment_benefit", CLERK),
            Fact::UnemploymentBenefitRetraction(_) => ("unemployment_benefit_retraction", CLERK),
            Fact::Course(_) => ("course", CLERK),
            Fact::Attendance(_) => ("attendance", CLERK),
            Fact::Plaque(_) => ("plaque", CLERK),
            Fact::LoanSettlement(_) => ("loan_settlement", CLERK),
            Fact::Certificate(_) => ("certificate", CLERK),
            Fact::ContractEnd(_) => ("contract_end", CLERK),
        };
        Self { name, roles }
    }

    fn of_step(step: &Step) -> Self {
        let (name, roles) = match step {
            Step::Review(_) => ("review", REVIEWER),
            Step::Approval(_) => ("approval", APPROVER),
            Step::Override(_) => ("override", APPROVER),
            Step::Notice(_) => ("notice", JUDGES),
            Step::Objection(_) => ("objection", COUNTER),
            Step::ObjectionResolution(_) => ("objection_resolution", JUDGES),
            Step::NoticeClosing(_) => ("notice_closing", JUDGES),
            Step::Batch(_) => ("batch", CASHIER),
            Step::BatchWithdrawal(_) => ("batch_withdrawal", CASHIER),
            Step::BatchLocking(_) => ("batch_locking", CASHIER),
            Step::BatchSubmission(_) => ("batch_submission", CASHIER),
            Step::Settlement(_) => ("settlement", CASHIER),
            Step::Bounce(_) => ("bounce", CASHIER),
            Step::Reissue(_) => ("reissue", CASHIER),
            Step::Refund(_) => ("refund", CASHIER),
            Step::RecoveryReceipt(_) => ("recovery_receipt", CASHIER),
            Step::Restoration(_) => ("restoration", CASHIER),
            Step::Reversal(_) => ("reversal", APPROVER),
            Step::Adjustment(_) => ("adjustment", APPROVER),
            Step::RecoveryOpening(_) => ("recovery_opening", APPROVER),
            Step::RecoveryClosing(_) => ("recovery_closing", APPROVER),
            Step::PlaqueChange(_) => ("plaque_change", APPROVER),
            Step::AppropriationChange(_) => ("appropriation_change", STEWARD),
        };
        Self { name, roles }
    }
}

impl Access {
    /// Takes the next event.
    pub(crate) fn apply(&mut self, event: &Event) {
        let position = event.header.position;
        if let Body::MandateProposed(mandate) = &event.body {
            let proposal = Proposal {
                mandate: (**mandate).clone(),
                by: event.header.principal.clone(),
                position,
            };
            self.proposals
                .insert(mandate.principal.as_str().into(), proposal);
        } else if let Body::MandateAdopted(mandate) = &event.body {
            if event.header.cause.is_none() {
                self.founded = Some(position);
            }
            let name = mandate.principal.as_str();
            self.proposals.remove(name);
            if !mandate.roles.contains(Role::Administrator) {
                // What somebody proposed is worth what they are.
                self.proposals
                    .retain(|_, proposal| proposal.by.as_str() != name);
            }
            let mandate = (**mandate).clone();
            self.mandates
                .insert(name.into(), Held { mandate, position });
        }
    }

    /// Whether anybody has ever had a mandate. Until then everybody may do
    /// everything, and a server listens to its own machine only.
    pub fn is_governed(&self) -> bool {
        !self.mandates.is_empty()
    }

    /// Whether a mandate may be adopted at a position that nobody proposed: the
    /// first ones, which stand one after the other.
    pub(crate) fn may_be_founded(&self, position: Position) -> bool {
        match self.founded {
            None => !self.is_governed(),
            Some(last) => last.next() == position,
        }
    }

    /// Those that hold a mandate, or held one, by name.
    pub fn mandates(&self) -> impl Iterator<Item = &Held> {
        self.mandates.values()
    }

    /// What waits for a second administrator, by name.
    pub fn proposals(&self) -> impl Iterator<Item = &Proposal> {
        self.proposals.values()
    }

    /// The proposal that was made at a position, if it still waits.
    pub(crate) fn proposal(&self, position: Position) -> Option<&Proposal> {
        self.proposals()
            .find(|waiting| waiting.position == position)
    }

    /// How many administrators there would be under another mandate.
    pub(crate) fn administrators_with(&self, other: &Mandate) -> usize {
        let is_one = |mandate: &Mandate| mandate.roles.contains(Role::Administrator);
        let others = self
            .mandates()
            .filter(|held| held.mandate.principal != other.principal && is_one(&held.mandate));
        others.count().saturating_add(usize::from(is_one(other)))
    }

    /// The mandate of whoever asks; `None` while nobody has one.
    pub fn held(&self, who: &Identity) -> Result<Option<&Mandate>, Denied> {
        if !self.is_governed() {
            return Ok(None);
        }
        let principal = || who.principal.clone();
        let Some(held) = self.mandates.get(who.principal.as_str()) else {
            return Err(Denied::Unknown {
                principal: principal(),
            });
        };
        let mandate = &held.mandate;
        if mandate.roles.is_empty() {
            return Err(Denied::Revoked {
                principal: principal(),
                position: held.position,
            });
        }
        let accepted = |credential| mandate.credentials.contains(&credential);
        if !mandate.credentials.is_empty() && !who.credential.is_none_or(accepted) {
            return Err(Denied::Credential {
                principal: principal(),
            });
        }
        Ok(Some(mandate))
    }

    /// The mandate of whoever asks, if it has one of these roles.
    pub fn held_as(&self, who: &Identity, needed: Roles) -> Result<Option<&Mandate>, Denied> {
        let Some(mandate) = self.held(who)? else {
            return Ok(None);
        };
        if !mandate.roles.meets(needed) {
            return Err(Denied::Role {
                principal: who.principal.clone(),
                needed,
                held: mandate.roles,
            });
        }
        Ok(Some(mandate))
    }
}

/// Who deals with persons, and so may look at one.
pub const HANDLERS: Roles = Roles::of(&[
    Role::Clerk,
    Role::Reviewer,
    Role::Approver,
    Role::Cashier,
    Role::Auditor,
]);
/// Who deals with payments, and so may look at all payees of a batch.
pub const PAYERS: Roles = Roles::of(&[Role::Cashier, Role::Auditor]);

/// Whether whoever asks may be shown details in clear.
pub fn may_look(state: &State, who: &Identity, of: &Revealed) -> Result<(), Denied> {
    let needed = match of {
        Revealed::Subject(_) => HANDLERS,
        Revealed::Batch(_) => PAYERS,
    };
    let Some(mandate) = state.access.held_as(who, needed)? else {
        return Ok(());
    };
    if let Revealed::Batch(number) = of
        && let Some(batch) = state.batch(number.as_str())
    {
        let grants: Vec<Position> = batch.payments.iter().map(|p| p.grant).collect();
        return state.covers_grants(who, mandate, &grants);
    }
    Ok(())
}

/// Whether whoever asks may give a command: by role, and for every office and
/// programme that it is about.
pub fn permits(state: &State, who: &Identity, command: &Command) -> Result<(), Denied> {
    let needed = Action::of(&command.body).roles;
    let Some(mandate) = state.access.held_as(who, needed)? else {
        return Ok(());
    };
    if mandate.is_whole() {
        return Ok(());
    }
    let own = Target {
        office: command.office,
        programme: programme_of(state, &command.body),
    };
    let mut targets = std::iter::once(own).chain(targets(state, &command.body));
    targets.try_for_each(|target| covers(who, mandate, &target))
}

impl State {
    /// Whether a mandate extends to what these grants were made for.
    pub fn covers_grants(
        &self,
        who: &Identity,
        mandate: &Mandate,
        grants: &[Position],
    ) -> Result<(), Denied> {
        let lines = grants.iter().filter_map(|grant| {
            let row = self.cases.row(self.cases.find(*grant)?)?;
            target(self, row.line)
        });
        let mut lines = lines;
        lines.try_for_each(|line| covers(who, mandate, &line))
    }
}

fn target(state: &State, line: u32) -> Option<Target<'_>> {
    let key = state.budget.key(line)?;
    Some(Target {
        office: key.office,
        programme: Some(state.programmes.name(key.programme)),
    })
}

fn covers(who: &Identity, mandate: &Mandate, target: &Target<'_>) -> Result<(), Denied> {
    let principal = || who.principal.clone();
    if !mandate.covers_office(target.office) {
        return Err(Denied::Office {
            principal: principal(),
            office: target.office,
        });
    }
    match target.programme {
        Some(programme) if !mandate.covers_programme(programme) => Err(Denied::Programme {
            principal: principal(),
            programme: programme.to_owned(),
        }),
        Some(_) | None => Ok(()),
    }
}

/// What a command is about.
struct Target<'a> {
    office: Office,
    programme: Option<&'a str>,
}

/// The programme that a command names itself.
fn programme_of<'a>(state: &'a State, body: &'a CommandBody) -> Option<&'a str> {
    let CommandBody::Claim(claim) = body else {
        return None;
    };
    let packs = state.packs().iter().rev();
    let mut known = packs.filter_map(|adopted| adopted.pack.programme(claim));
    known.next().map(|programme| programme.id.as_str())
}

/// The budget lines that a command touches beside its own office's.
fn targets<'a>(
    state: &'a State,
    body: &'a CommandBody,
) -> Box<dyn Iterator<Item = Target<'a>> + 'a> {
    let of_fact = |fact: &'a Fact| -> Box<dyn Iterator<Item = Target<'a>> + 'a> {
        match fact {
            Fact::Appropriation(fact) => Box::new(std::iter::once(Target {
                office: fact.office,
                programme: Some(fact.programme.as_str()),
            })),
            Fact::Authority(fact) => Box::new(std::iter::once(Target {
                office: fact.office,
                programme: Some(fact.programme.as_str()),
            })),
            Fact::PovertyStatus(_)
            | Fact::UnemploymentBenefit(_)
            | Fact::UnemploymentBenefitRetraction(_)
            | Fact::Course(_)
            | Fact::Attendance(_)
            | Fact::Plaque(_)
            | Fact::LoanSettlement(_)
            | Fact::Certificate(_)
            | Fact::ContractEnd(_) => Box::new(std::iter::empty()),
        }
    };
    match body {
        CommandBody::Fact(fact) => of_fact(fact),
        CommandBody::Retract(retraction) => of_fact(&retraction.fact),
        CommandBody::Correct(correction) => {
            Box::new(of_fact(&correction.was).chain(of_fact(&correction.now)))
        }
        CommandBody::Step(step, _) => Box::new(
            state
                .lines_of(step)
                .into_iter()
                .filter_map(|line| target(state, line)),
        ),
        CommandBody::Claim(_)
        | CommandBody::AdoptPolicy(_)
        | CommandBody::BindAccount(..)
        | CommandBody::ProposeMandate(_)
        | CommandBody::ConfirmMandate(..)
        | CommandBody::Erase(_) => Box::new(std::iter::empty()),
    }
}
