//! Before every method: who asks, and whether their mandate has a role for it.
//! What a method is about (an office, a programme, a kind of command) is judged
//! where that is known: by the sequencer for commands, by [`Visitor`] for reads.

use std::sync::Arc;

use luzhang_ledger::{
    Office, Position,
    access::{Mandate, Role, Roles},
    text::Principal,
};
use luzhang_projections::access::{Denied, HANDLERS, Identity, PAYERS};
use tonic::{Code, Status, codegen::http};

use crate::{
    caller::Caller, denials::Denials, engine::Engine, figures::Figures, rejected::Rejected,
};

/// Who asks for commands to be decided.
const COMMANDERS: Roles = Roles::of(&[
    Role::Clerk,
    Role::Reviewer,
    Role::Approver,
    Role::Cashier,
    Role::Steward,
    Role::Administrator,
]);
/// Who shows persons to others, masked.
const SHOWERS: Roles = Roles::of(&[
    Role::Clerk,
    Role::Reviewer,
    Role::Approver,
    Role::Cashier,
    Role::Auditor,
    Role::Reporter,
]);
/// Who deals with what is published.
const PUBLISHERS: Roles = Roles::of(&[Role::Clerk, Role::Reviewer, Role::Approver, Role::Auditor]);
/// Who looks at everything.
const READERS: Roles = Roles::of(&[
    Role::Auditor,
    Role::Reporter,
    Role::Steward,
    Role::Administrator,
]);
/// Who checks everything.
const CHECKERS: Roles = Roles::of(&[Role::Auditor, Role::Reporter, Role::Administrator]);
const ADMINISTRATORS: Roles = Roles::of(&[Role::Administrator]);

/// What a method takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    /// Any of these roles.
    Any(Roles),
    /// Any of these roles, for all offices and programmes.
    Whole(Roles),
}

/// Every method, by its service's and its own name.
const METHODS: [(&str, Takes); 23] = [
    ("LedgerService.Submit", Takes::Any(COMMANDERS)),
    ("LedgerService.SubmitBatch", Takes::Any(COMMANDERS)),
    ("LedgerService.Evaluate", Takes::Any(COMMANDERS)),
    ("LedgerService.GetEvent", Takes::Any(Roles::ALL)),
    ("LedgerService.ReadEvents", Takes::Any(Roles::ALL)),
    ("LedgerService.GetSubject", Takes::Any(HANDLERS)),
    ("LedgerService.ListPolicies", Takes::Any(Roles::ALL)),
    ("CaseService.GetNoticeList", Takes::Any(PUBLISHERS)),
    ("CaseService.GetBatch", Takes::Any(PAYERS)),
    ("CaseService.GetMaskedDetails", Takes::Any(SHOWERS)),
    ("CaseService.RevealDetails", Takes::Any(HANDLERS)),
    ("AuditService.GetHead", Takes::Any(Roles::ALL)),
    ("AuditService.ExportBlocks", Takes::Whole(READERS)),
    ("ProjectionService.List", Takes::Any(Roles::ALL)),
    ("ProjectionService.Query", Takes::Any(Roles::ALL)),
    ("ProjectionService.Follow", Takes::Any(Roles::ALL)),
    ("ProjectionService.Rebuild", Takes::Whole(CHECKERS)),
    ("ProofService.GetCheckpoint", Takes::Any(Roles::ALL)),
    ("ProofService.Attest", Takes::Whole(CHECKERS)),
    ("ProofService.GetReceipt", Takes::Any(Roles::ALL)),
    ("ProofService.GetConsistency", Takes::Any(Roles::ALL)),
    ("ProofService.ListKeys", Takes::Any(Roles::ALL)),
    ("ProofService.RotateKey", Takes::Whole(ADMINISTRATORS)),
];

/// What anybody may ask without a name: whether the server is well, and what its
/// messages look like.
const PUBLIC: [&str; 2] = ["/grpc.health.v1.", "/grpc.reflection."];
const PACKAGE: &str = "/luzhang.v1.";

/// Lets in who may come in.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    engine: Arc<Engine>,
}

/// Who came in, and for what; an extension of the request.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// Who asks.
    pub(crate) who: Identity,
    /// Whether it is this process itself.
    embedded: bool,
    method: &'static str,
    takes: Takes,
    engine: Arc<Engine>,
}

impl Gate {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    /// Whoever makes a request, if they may ask for its method at all; `None` if
    /// anybody may.
    pub(crate) fn admit<B>(&self, request: &http::Request<B>) -> Result<Option<Visitor>, Rejected> {
        let path = request.uri().path();
        if PUBLIC.iter().any(|public| path.starts_with(public)) {
            return Ok(None);
        }
        let (method, takes) = method(path);
        // Every connection says who is at its other end.
        let caller = request.extensions().get().unwrap_or(&Caller::Local);
        let embedded = *caller == Caller::Embedded;
        let who = caller.identity(request.headers()).inspect_err(|why| {
            self.denials().note(None, why.code, method);
        })?;
        let governed = self.engine.access().is_governed();
        let who = match who {
            Some(who) => who,
            // Whoever may open the directory may read it.
            None if embedded || !governed => Identity::believed(Principal::local()),
            None => {
                self.denials().note(None, "PRINCIPAL_REQUIRED", method);
                return Err(no_principal());
            }
        };
        let visitor = Visitor {
            who,
            embedded,
            method,
            takes,
            engine: Arc::clone(&self.engine),
        };
        visitor.is_welcome()?;
        Ok(Some(visitor))
    }

    fn denials(&self) -> &Denials {
        self.engine.denials()
    }
}

/// The method of a path. What is not in the table is answered by nobody, and
/// takes what no mandate has.
fn method(path: &str) -> (&'static str, Takes) {
    let name = path.strip_prefix(PACKAGE).unwrap_or_default();
    let (service, method) = name.split_once('/').unwrap_or_default();
    let is_it = |known: &&(&'static str, Takes)| known.0.split_once('.') == Some((service, method));
    let unknown = ("unknown", Takes::Whole(Roles::NONE));
    METHODS.iter().find(is_it).copied().unwrap_or(unknown)
}

fn no_principal() -> Rejected {
    Rejected::new(
        Code::Unauthenticated,
        "PRINCIPAL_REQUIRED",
        "请说明账户：启用 TLS 时用证书（--identity），未启用时用 --principal",
        "say who asks: by a certificate (`--identity`) where there is TLS, by `--principal` where \
         there is none",
    )
}

impl Visitor {
    /// Who is behind a request.
    pub(crate) fn of(extensions: &http::Extensions) -> Result<&Self, Status> {
        // The gate is around every method; without it nobody is let in.
        extensions.get().ok_or_else(|| no_principal().into_status())
    }

    /// What was asked for, by its name in the table.
    pub(crate) fn method(&self) -> &'static str {
        self.method
    }

    /// Where what is answered is counted.
    pub(crate) fn figures(&self) -> Arc<Figures> {
        Arc::clone(self.engine.figures())
    }

    /// Whether the mandate, as it is now, has a role for the method.
    pub(crate) fn is_welcome(&self) -> Result<(), Rejected> {
        self.mandate().map(|_| ())
    }

    /// The mandate as it is now, if it limits anything; else a denial, which is
    /// noted.
    pub(crate) fn mandate(&self) -> Result<Option<Mandate>, Rejected> {
        let access = self.engine.access();
        // Whoever may open the directory may read it; commands are judged all the same.
        if self.embedded || !access.is_governed() {
            return Ok(None);
        }
        let needed = match self.takes {
            Takes::Any(roles) | Takes::Whole(roles) => roles,
        };
        let mandate = access
            .held_as(&self.who, needed)
            .map_err(|denied| self.denied(denied))?;
        match (mandate, self.takes) {
            (Some(mandate), Takes::Whole(_)) if !mandate.is_whole() => {
                Err(self.denied(self.part()))
            }
            (mandate, _) => Ok(mandate.filter(|mandate| !mandate.is_whole()).cloned()),
        }
    }

    /// What is about an office, or none in particular.
    pub(crate) fn may_see(&self, office: Option<Office>) -> Result<(), Rejected> {
        let (Some(mandate), Some(office)) = (self.mandate()?, office) else {
            return Ok(());
        };
        if mandate.covers_office(office) {
            return Ok(());
        }
        Err(self.denied(Denied::Office {
            principal: self.who.principal.clone(),
            office,
        }))
    }

    /// What is about these grants.
    pub(crate) fn may_see_grants(&self, grants: &[Position]) -> Result<(), Rejected> {
        let Some(mandate) = self.mandate()? else {
            return Ok(());
        };
        let covered = self
            .engine
            .peek(|projections| projections.state.covers_grants(&self.who, &mandate, grants));
        covered.map_err(|denied| self.denied(denied))
    }

    /// What is about everything.
    pub(crate) fn part(&self) -> Denied {
        Denied::Part {
            principal: self.who.principal.clone(),
        }
    }

    /// A denial, noted.
    pub(crate) fn denied(&self, denied: Denied) -> Rejected {
        let denials = self.engine.denials();
        denials.note(Some(&self.who.principal), denied.code(), self.method);
        denied.into()
    }
}
