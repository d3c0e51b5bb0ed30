//! A claim as limits see it: with its subject, days and references looked up.

use std::cell::RefCell;

use luzhang_ledger::{
    Date, Fen, Office, StreamId, StreamKind,
    claim::{Claim, Form},
};

use crate::{
    pack::{Attribute, Pack, ParamIx},
    state::{
        Certificate, Course, Grant, Loan, Plaque, State, facts::certificate_name, streams::Ix,
    },
};

/// One claim in its surroundings.
pub(crate) struct Case<'a> {
    pub(crate) state: &'a State,
    pub(crate) pack: &'a Pack,
    pub(crate) claim: &'a Claim,
    pub(crate) office: Office,
    /// Whose history counts: the person, worker, entity, brand or borrower; of
    /// an interest subsidy the loan. `None` if it has no history.
    pub(crate) owner: Option<Ix>,
    /// The date that decides policy and budget year.
    pub(crate) basis: Date,
    /// The course of a training allowance, if registered.
    pub(crate) course: Option<(Ix, &'a Course)>,
    /// The plaque of a brand award, if the brand has one.
    pub(crate) plaque: Option<&'a Plaque>,
    /// The loan of an interest subsidy, if issued.
    pub(crate) loan: Option<(Ix, &'a Loan)>,
    /// The certificate of a training subsidy, if it is known.
    pub(crate) certificate: Option<(Ix, &'a Certificate)>,
    /// The grant that the claim takes the place of, with its amount: it counts
    /// against the claim nowhere.
    pub(crate) instead_of: Option<(u64, i64)>,
    /// Where limits are traced: the parameters that they asked for, and for which
    /// days. `None` where only failures matter.
    pub(crate) lookups: Option<RefCell<Vec<(ParamIx, Date)>>>,
    /// The basis date as a slice, for claims of a single day.
    single: [Date; 1],
}

impl<'a> Case<'a> {
    pub(crate) fn new(state: &'a State, pack: &'a Pack, claim: &'a Claim, office: Office) -> Self {
        let mut case = Self {
            state,
            pack,
            claim,
            office,
            owner: None,
            basis: claim.basis(),
            course: None,
            plaque: None,
            loan: None,
            certificate: None,
            instead_of: None,
            lookups: None,
            single: [claim.basis()],
        };
        case.owner = match claim {
            Claim::TrainingAllowance(claim) => {
                case.course = state.course(claim.course_no.as_str());
                state.find(claim.person)
            }
            Claim::SkillBase(claim) => state.find(claim.entity),
            Claim::ServiceSubsidy(claim) => state.find(claim.worker),
            Claim::BrandAward(claim) => {
                case.plaque = state.plaque(claim.brand_no.as_str());
                state.find(StreamId::of(StreamKind::Brand, claim.brand_no.as_str()))
            }
            Claim::Loan(claim) => state.find(claim.borrower),
            Claim::InterestSubsidy(claim) => {
                case.loan = state.loan(claim.loan_no.as_str());
                case.loan.map(|(ix, _)| ix)
            }
            Claim::TrainingSubsidy(claim) => {
                case.certificate = state.certificate(claim.certificate_no.as_str());
                state.find(claim.person)
            }
            Claim::TransportAid(claim) => state.find(claim.person),
            Claim::Subsidy(claim) => state.find(claim.recipient),
        };
        case
    }

    /// Standing grants of the claim's own kind to its owner, newest first.
    pub(crate) fn grants(&self) -> impl Iterator<Item = &'a Grant> {
        let own = self.instead_of.map(|(position, _)| position);
        let programme = if let Claim::Subsidy(claim) = self.claim {
            Some(self.state.programmes.find(claim.programme.as_str()))
        } else {
            None
        };
        self.state
            .grants(self.form(), self.owner)
            .filter(move |grant| Some(grant.position) != own)
            .filter(move |grant| programme.is_none_or(|p| p == Some(grant.programme)))
    }

    /// What the claim takes the place of, in fen.
    pub(crate) fn amount_before(&self) -> i64 {
        self.instead_of.map_or(0, |(_, fen)| fen)
    }

    pub(crate) fn form(&self) -> Form {
        self.claim.form()
    }

    pub(crate) fn amount(&self) -> Fen {
        self.claim.amount()
    }

    /// Every day that is judged by itself: the claimed days of a training
    /// allowance, else the basis date.
    pub(crate) fn days(&self) -> &[Date] {
        match self.claim {
            Claim::TrainingAllowance(claim) => claim.dates.days(),
            Claim::SkillBase(_)
            | Claim::ServiceSubsidy(_)
            | Claim::BrandAward(_)
            | Claim::Loan(_)
            | Claim::InterestSubsidy(_)
            | Claim::TrainingSubsidy(_)
            | Claim::TransportAid(_)
            | Claim::Subsidy(_) => &self.single,
        }
    }

    /// The date by which it counts per period; `None` if that is unknown.
    pub(crate) fn counted_on(&self) -> Option<Date> {
        match self.claim {
            Claim::TrainingAllowance(_) => Some(self.course?.1.first_day),
            Claim::SkillBase(_)
            | Claim::ServiceSubsidy(_)
            | Claim::BrandAward(_)
            | Claim::Loan(_)
            | Claim::InterestSubsidy(_)
            | Claim::TrainingSubsidy(_)
            | Claim::TransportAid(_)
            | Claim::Subsidy(_) => Some(self.basis),
        }
    }

    /// The number of an attribute; `None` if the claim has none, or if what
    /// would have it does not exist.
    pub(crate) fn attribute(&self, attribute: Attribute) -> Option<u32> {
        match (attribute, self.claim) {
            (Attribute::Kind, Claim::SkillBase(claim)) => Some(Attribute::kind(claim.kind)),
            (Attribute::Level, Claim::SkillBase(claim)) => Some(Attribute::level(claim.level)),
            (Attribute::BrandLevel, Claim::BrandAward(_)) => {
                Some(Attribute::brand_level(self.plaque?.level))
            }
            (Attribute::BorrowerKind, Claim::Loan(claim)) => {
                Some(Attribute::borrower_kind(claim.borrower_kind))
            }
            (Attribute::BorrowerKind, Claim::InterestSubsidy(_)) => {
                Some(Attribute::borrower_kind(self.loan?.1.kind))
            }
            // An employer without a stream has no history to compare with.
            (Attribute::Employer, Claim::ServiceSubsidy(claim)) => {
                Some(self.state.find(claim.employer).unwrap_or(Ix::MAX))
            }
            (Attribute::Certificate, Claim::TrainingSubsidy(claim)) => {
                let name = certificate_name(&claim.certificate_no);
                Some(self.state.find(name).unwrap_or(Ix::MAX))
            }
            (_, _) => None,
        }
    }
}
