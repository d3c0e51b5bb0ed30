//! A wire command to a request: identity numbers become pseudonyms here, and
//! everything malformed is found here.

use luzhang_ledger::{
    Body, Date, DateSet, Event, Fen, Office, Position, SubjectId, Window,
    access::{Erasure, Mandate, Role, Roles},
    calendar,
    claim::{
        BorrowerKind, BrandAward, Claim, InterestSubsidy, Loan, RatePpm, RecognitionLevel,
        ServiceSubsidy, SkillBase, SkillBaseKind, Spending, Subsidy, TrainingAllowance,
        TrainingSubsidy, TransportAid, TravelMode,
    },
    event::{Correction, PartyKind, RequestMark, Retraction},
    fact::{
        Appropriation, Attendance, Authority, AuthorityAmount, BrandLevel, BudgetYear, Certificate,
        CertificateKind, ContractEnd, Course, Fact, LoanSettlement, Plaque, PovertyStatus,
        Repayment, UnemploymentBenefit, UnemploymentBenefitRetraction,
    },
    identity::{CheckDigit, CreditCode, Details, DetailsError, IdentityKey, NationalId},
    malformed::{Problem, at},
    position::{StreamId, StreamKind},
    text::{
        BrandNo, CertificateNo, ClaimNo, CourseNo, DocumentNo, FundId, Label, LoanNo, Principal,
        ProgrammeId,
    },
};
use luzhang_projections::{
    Command, Rejection, access::Identity, decide::CommandBody, state::Found,
};
use luzhang_proto::{google::r#type::Date as WireDate, wire};
use tonic::Code;
use uuid::Uuid;

use super::{subject::subject, typed};
use crate::rejected::Rejected;

/// A well-formed command, ready to be decided.
#[derive(Debug)]
pub struct Request {
    /// Its id and content, blinded.
    pub mark: RequestMark,
    /// Who asks.
    pub by: Identity,
    /// What is asked.
    pub command: Command,
    /// The subjects that it names.
    pub parties: Vec<NamedParty>,
    /// The bank account that it binds, in memory only.
    pub account: Option<Details>,
    /// What the clerk should look at.
    pub warnings: Vec<Warning>,
}

/// A subject with its details in clear, in memory only.
#[derive(Debug)]
pub struct NamedParty {
    /// What kind of subject.
    pub kind: PartyKind,
    /// Its pseudonym.
    pub subject: SubjectId,
    /// Who it is.
    pub details: Details,
    /// Keyed digest of the details.
    pub digest: [u8; 8],
}

/// Something accepted that a clerk should look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// A credit code whose check digit does not match was accepted on demand.
    CheckDigitOverridden,
}

/// Parses a command.
///
/// `ledger` finds what the command refers to.
pub fn request(
    key: &IdentityKey,
    by: &Identity,
    mut command: wire::Command,
    ledger: &dyn References,
) -> Result<Request, Rejected> {
    let id = Uuid::try_parse(&command.request_id).map_err(|_| {
        Rejected::field(
            "request_id",
            "REQUEST_ID_INVALID",
            "请求编号不是 UUID",
            "is not a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057",
        )
    })?;
    command.request_id.clear();
    let (command, content) = typed::command(command)?;
    let mark = RequestMark {
        id: key.request(id.as_bytes()),
        content: key.content(&content),
    };
    let office = match command.office.as_str() {
        "" => Office::LUZHOU,
        text => text.parse().map_err(at("office"))?,
    };
    let mut parser = Parser {
        key,
        principal: &by.principal,
        ledger,
        parties: Vec::new(),
        account: None,
        warnings: Vec::new(),
    };
    let body = command.body.ok_or_else(|| {
        Rejected::new(
            Code::InvalidArgument,
            "COMMAND_EMPTY",
            "请求没有内容",
            "the command has no body",
        )
    })?;
    let body = parser.body(body)?;
    match &body {
        CommandBody::Fact(fact) => fact.check()?,
        CommandBody::Claim(claim) => claim.check()?,
        CommandBody::Correct(correction) => correction.now.check()?,
        CommandBody::Step(step, _) => step.check()?,
        CommandBody::ProposeMandate(mandate) => mandate.check()?,
        CommandBody::AdoptPolicy(_)
        | CommandBody::Retract(_)
        | CommandBody::BindAccount(..)
        | CommandBody::ConfirmMandate(..)
        | CommandBody::Erase(_) => {}
    }
    Ok(Request {
        mark,
        by: by.clone(),
        command: Command { office, body },
        parties: parser.parties,
        account: parser.account,
        warnings: parser.warnings,
    })
}

fn mandate(wanted: wire::Mandate) -> Result<Mandate, Rejected> {
    let roles = wanted.roles.iter().map(|role| {
        Role::from_stored(value(*role, "roles")?).ok_or_else(|| Rejected::missing("roles"))
    });
    let roles = roles.collect::<Result<Roles, Rejected>>()?;
    let offices = wanted.offices.iter();
    let offices = offices.map(|code| code.parse().map_err(at("offices")));
    let programmes = wanted.programmes.into_iter();
    let programmes = programmes.map(|id| ProgrammeId::new(id).map_err(at("programmes")));
    let credentials = wanted.credentials.iter();
    let credentials = credentials.map(|digest| digest.parse().map_err(at("credentials")));
    let mandate = Mandate::new(
        Principal::new(wanted.principal).map_err(at("principal"))?,
        roles,
        (
            offices.collect::<Result<_, _>>()?,
            programmes.collect::<Result<_, _>>()?,
        ),
        credentials.collect::<Result<_, _>>()?,
    );
    Ok(mandate?)
}

/// Finds what commands refer to.
pub trait References {
    /// The grant with this programme (id or Chinese name) and claim number.
    fn numbered(&self, programme: &str, claim_no: &str) -> Found;

    /// A durable event.
    fn event(&self, position: Position) -> Result<Option<Event>, Rejected>;

    /// BLAKE3 of the masked list of these grants.
    fn notice_digest(&self, grants: &[Position]) -> Result<[u8; 32], Rejected>;
}

pub(super) struct Parser<'a> {
    key: &'a IdentityKey,
    pub(super) principal: &'a Principal,
    pub(super) ledger: &'a dyn References,
    parties: Vec<NamedParty>,
    account: Option<Details>,
    warnings: Vec<Warning>,
}

impl Parser<'_> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "all others are steps")]
    fn body(&mut self, body: wire::command::Body) -> Result<CommandBody, Rejected> {
        use wire::command::Body as W;
        Ok(match body {
            W::Appropriation(fact) => CommandBody::Fact(appropriation(fact)?),
            W::PovertyStatus(fact) => CommandBody::Fact(self.poverty_status(fact)?),
            W::UnemploymentBenefit(fact) => CommandBody::Fact(self.unemployment_benefit(fact)?),
            W::UnemploymentBenefitRetraction(fact) => CommandBody::Fact(self.retraction(fact)?),
            W::Course(fact) => CommandBody::Fact(self.course(fact)?),
            W::Attendance(fact) => CommandBody::Fact(self.attendance(fact)?),
            W::Plaque(fact) => CommandBody::Fact(self.plaque(fact)?),
            W::LoanSettlement(fact) => CommandBody::Fact(loan_settlement(fact)?),
            W::TrainingAllowance(claim) => CommandBody::Claim(self.training_allowance(claim)?),
            W::SkillBase(claim) => CommandBody::Claim(self.skill_base(claim)?),
            W::ServiceSubsidy(claim) => CommandBody::Claim(self.service_subsidy(claim)?),
            W::BrandAward(claim) => CommandBody::Claim(brand_award(claim)?),
            W::Loan(claim) => CommandBody::Claim(self.loan(claim)?),
            W::InterestSubsidy(claim) => CommandBody::Claim(interest_subsidy(claim)?),
            W::PolicyPack(pack) => CommandBody::AdoptPolicy(pack.content.into_boxed_slice()),
            W::Certificate(fact) => CommandBody::Fact(self.certificate(fact)?),
            W::Authority(fact) => CommandBody::Fact(authority(fact)?),
            W::ContractEnd(fact) => CommandBody::Fact(self.contract_end(fact)?),
            W::Retraction(retraction) => self.retract(retraction)?,
            W::Correction(correction) => self.correct(correction)?,
            W::Account(account) => self.bind_account(account)?,
            W::TrainingSubsidy(claim) => CommandBody::Claim(self.training_subsidy(claim)?),
            W::TransportAid(claim) => CommandBody::Claim(self.transport_aid(claim)?),
            W::Subsidy(claim) => CommandBody::Claim(self.subsidy(claim)?),
            W::Mandate(wanted) => CommandBody::ProposeMandate(Box::new(mandate(wanted)?)),
            W::MandateConfirmation(confirmation) => {
                let proposal = Position::new(confirmation.proposal);
                let proposal = proposal.ok_or_else(|| Rejected::missing("proposal"))?;
                CommandBody::ConfirmMandate(proposal, self.principal.clone())
            }
            W::Erasure(erasure) => CommandBody::Erase(self.erasure(erasure)?),
            step => {
                let step = self.step(step)?;
                CommandBody::Step(Box::new(step), self.principal.clone())
            }
        })
    }

    fn erasure(&self, erasure: wire::Erasure) -> Result<Erasure, Rejected> {
        Ok(Erasure {
            subject: subject(self.key, erasure.subject)?,
            document: DocumentNo::new(erasure.document).map_err(at("document"))?,
        })
    }

    fn person(
        &mut self,
        person: Option<wire::Person>,
        field: &'static str,
    ) -> Result<SubjectId, Rejected> {
        let person = person.ok_or_else(|| Rejected::missing(field))?;
        let id = NationalId::parse(&person.national_id).map_err(|error| {
            let field = format!("{field}.national_id");
            Rejected::field(field, error.code(), error.zh(), error.to_string())
        })?;
        let details = Details::person(&person.name, &id).map_err(|error| {
            let field = format!("{field}.name");
            Rejected::field(field, error.code(), error.zh(), error.to_string())
        })?;
        Ok(self.party(PartyKind::Person, self.key.person(&id), details))
    }

    fn organisation(
        &mut self,
        organisation: Option<wire::Organisation>,
        field: &'static str,
    ) -> Result<SubjectId, Rejected> {
        let organisation = organisation.ok_or_else(|| Rejected::missing(field))?;
        let check = if organisation.accept_check_digit {
            CheckDigit::Overridden
        } else {
            CheckDigit::Required
        };
        let code = CreditCode::parse(&organisation.credit_code, check).map_err(|error| {
            let field = format!("{field}.credit_code");
            Rejected::field(field, error.code(), error.zh(), error.to_string())
        })?;
        if !code.check_digit_matches() {
            self.warnings.push(Warning::CheckDigitOverridden);
        }
        let details = Details::organisation(&organisation.name, &code).map_err(|error| {
            let field = format!("{field}.name");
            Rejected::field(field, error.code(), error.zh(), error.to_string())
        })?;
        Ok(self.party(
            PartyKind::Organisation,
            self.key.organisation(&code),
            details,
        ))
    }

    fn party(&mut self, kind: PartyKind, subject: SubjectId, details: Details) -> SubjectId {
        self.parties.push(NamedParty {
            kind,
            subject,
            digest: self.key.details_digest(&details),
            details,
        });
        subject
    }

    fn poverty_status(&mut self, fact: wire::PovertyStatus) -> Result<Fact, Rejected> {
        let from = date(fact.from, "from")?;
        Ok(Fact::PovertyStatus(PovertyStatus {
            person: self.person(fact.person, "person")?,
            window: window(from, optional_date(fact.until, "until")?)?,
            list_version: Label::new(fact.list_version).map_err(at("list_version"))?,
        }))
    }

    fn unemployment_benefit(&mut self, fact: wire::UnemploymentBenefit) -> Result<Fact, Rejected> {
        Ok(Fact::UnemploymentBenefit(UnemploymentBenefit {
            person: self.person(fact.person, "person")?,
            first_day: date(fact.first_day, "first_day")?,
            last_day: date(fact.last_day, "last_day")?,
            source: Label::new(fact.source).map_err(at("source"))?,
        }))
    }

    fn retraction(&mut self, fact: wire::UnemploymentBenefitRetraction) -> Result<Fact, Rejected> {
        Ok(Fact::UnemploymentBenefitRetraction(
            UnemploymentBenefitRetraction {
                person: self.person(fact.person, "person")?,
                asserted: Position::new(fact.asserted)
                    .ok_or_else(|| Rejected::missing("asserted"))?,
            },
        ))
    }

    fn course(&mut self, fact: wire::Course) -> Result<Fact, Rejected> {
        Ok(Fact::Course(Course {
            course_no: CourseNo::new(fact.course_no).map_err(at("course_no"))?,
            provider: self.organisation(fact.provider, "provider")?,
            trade: Label::new(fact.trade).map_err(at("trade"))?,
            first_day: date(fact.first_day, "first_day")?,
            last_day: date(fact.last_day, "last_day")?,
        }))
    }

    fn attendance(&mut self, fact: wire::Attendance) -> Result<Fact, Rejected> {
        Ok(Fact::Attendance(Attendance {
            course_no: CourseNo::new(fact.course_no).map_err(at("course_no"))?,
            person: self.person(fact.person, "person")?,
            dates: dates(fact.dates)?,
        }))
    }

    fn plaque(&mut self, fact: wire::Plaque) -> Result<Fact, Rejected> {
        let level = match value(fact.level, "level")? {
            wire::BrandLevel::City => BrandLevel::City,
            wire::BrandLevel::Provincial => BrandLevel::Provincial,
            wire::BrandLevel::County => BrandLevel::County,
            wire::BrandLevel::Unspecified => return Err(Rejected::missing("level")),
        };
        let applicant = self.organisation(fact.applicant, "applicant")?;
        let brand_no = BrandNo::new(fact.brand_no).map_err(at("brand_no"))?;
        let details = Details::brand(&fact.brand_name, &brand_no).map_err(|error| {
            Rejected::field("brand_name", error.code(), error.zh(), error.to_string())
        })?;
        let brand = StreamId::of(StreamKind::Brand, brand_no.as_str()).subject();
        self.party(PartyKind::Brand, brand, details);
        Ok(Fact::Plaque(Plaque {
            brand_no,
            level,
            applicant,
            awarded_on: date(fact.awarded_on, "awarded_on")?,
            document: DocumentNo::new(fact.document).map_err(at("document"))?,
        }))
    }

    fn training_allowance(&mut self, claim: wire::TrainingAllowance) -> Result<Claim, Rejected> {
        Ok(Claim::TrainingAllowance(TrainingAllowance {
            claim_no: claim_no(claim.claim_no)?,
            person: self.person(claim.person, "person")?,
            course_no: CourseNo::new(claim.course_no).map_err(at("course_no"))?,
            dates: dates(claim.dates)?,
            daily: Fen::new(claim.daily_fen).map_err(at("daily_fen"))?,
            amount: amount(claim.amount_fen)?,
            fund: fund(claim.fund)?,
        }))
    }

    fn skill_base(&mut self, claim: wire::SkillBase) -> Result<Claim, Rejected> {
        let kind = match value(claim.kind, "kind")? {
            wire::SkillBaseKind::TrainingBase => SkillBaseKind::TrainingBase,
            wire::SkillBaseKind::MasterStudio => SkillBaseKind::MasterStudio,
            wire::SkillBaseKind::Unspecified => return Err(Rejected::missing("kind")),
        };
        let level = match value(claim.level, "level")? {
            wire::RecognitionLevel::National => RecognitionLevel::National,
            wire::RecognitionLevel::Provincial => RecognitionLevel::Provincial,
            wire::RecognitionLevel::Unspecified => return Err(Rejected::missing("level")),
        };
        Ok(Claim::SkillBase(SkillBase {
            claim_no: claim_no(claim.claim_no)?,
            entity: self.organisation(claim.entity, "entity")?,
            kind,
            level,
            recognised_on: date(claim.recognised_on, "recognised_on")?,
            document: DocumentNo::new(claim.document).map_err(at("document"))?,
            amount: amount(claim.amount_fen)?,
            fund: fund(claim.fund)?,
        }))
    }

    fn service_subsidy(&mut self, claim: wire::ServiceSubsidy) -> Result<Claim, Rejected> {
        Ok(Claim::ServiceSubsidy(ServiceSubsidy {
            claim_no: claim_no(claim.claim_no)?,
            agency: self.organisation(claim.agency, "agency")?,
            worker: self.person(claim.worker, "worker")?,
            employer: self.organisation(claim.employer, "employer")?,
            contract_first_day: date(claim.contract_first_day, "contract_first_day")?,
            contract_last_day: date(claim.contract_last_day, "contract_last_day")?,
            insured_from: optional_date(claim.insured_from, "insured_from")?,
            amount: amount(claim.amount_fen)?,
            fund: fund(claim.fund)?,
        }))
    }

    fn certificate(&mut self, fact: wire::Certificate) -> Result<Fact, Rejected> {
        let kind = match value(fact.kind, "kind")? {
            wire::CertificateKind::Qualification => CertificateKind::Qualification,
            wire::CertificateKind::SkillLevel => CertificateKind::SkillLevel,
            wire::CertificateKind::SpecialAbility => CertificateKind::SpecialAbility,
            wire::CertificateKind::Training => CertificateKind::Training,
            wire::CertificateKind::Unspecified => return Err(Rejected::missing("kind")),
        };
        Ok(Fact::Certificate(Certificate {
            certificate_no: certificate_no(fact.certificate_no)?,
            person: self.person(fact.person, "person")?,
            kind,
            level: Label::new(fact.level).map_err(at("level"))?,
            issued_on: date(fact.issued_on, "issued_on")?,
        }))
    }

    fn contract_end(&mut self, fact: wire::ContractEnd) -> Result<Fact, Rejected> {
        Ok(Fact::ContractEnd(ContractEnd {
            worker: self.person(fact.worker, "worker")?,
            employer: self.organisation(fact.employer, "employer")?,
            contract_first_day: date(fact.contract_first_day, "contract_first_day")?,
            ended_on: date(fact.ended_on, "ended_on")?,
            source: Label::new(fact.source).map_err(at("source"))?,
        }))
    }

    /// The fact that is recorded at a position.
    fn recorded(&self, asserted: u64) -> Result<(Position, Fact), Rejected> {
        let position = Position::new(asserted).ok_or_else(|| Rejected::missing("asserted"))?;
        let event = self.ledger.event(position)?;
        match event.map(|event| event.body) {
            Some(Body::Fact(fact)) => Ok((position, fact)),
            Some(Body::FactCorrected(correction)) => Ok((position, correction.now)),
            Some(_) | None => Err(Rejection::UnknownFact { position }.into()),
        }
    }

    fn retract(&mut self, retraction: wire::Retraction) -> Result<CommandBody, Rejected> {
        let (asserted, fact) = self.recorded(retraction.asserted)?;
        Ok(CommandBody::Retract(Retraction {
            asserted,
            fact,
            reason: Label::new(retraction.reason).map_err(at("reason"))?,
        }))
    }

    fn correct(&mut self, correction: wire::Correction) -> Result<CommandBody, Rejected> {
        use wire::correction::Now as N;
        let (asserted, was) = self.recorded(correction.asserted)?;
        let now = correction.now.ok_or_else(|| Rejected::missing("now"))?;
        let now = match now {
            N::PovertyStatus(fact) => self.poverty_status(fact)?,
            N::UnemploymentBenefit(fact) => self.unemployment_benefit(fact)?,
            N::Course(fact) => self.course(fact)?,
            N::Attendance(fact) => self.attendance(fact)?,
            N::Plaque(fact) => self.plaque(fact)?,
            N::LoanSettlement(fact) => loan_settlement(fact)?,
            N::Certificate(fact) => self.certificate(fact)?,
            N::Authority(fact) => authority(fact)?,
            N::ContractEnd(fact) => self.contract_end(fact)?,
        };
        Ok(CommandBody::Correct(Box::new(Correction {
            asserted,
            was,
            now,
            reason: Label::new(correction.reason).map_err(at("reason"))?,
        })))
    }

    fn bind_account(&mut self, account: wire::Account) -> Result<CommandBody, Rejected> {
        use wire::account::Holder as H;
        let holder = account.holder.ok_or_else(|| Rejected::missing("holder"))?;
        let subject = match holder {
            H::Person(person) => self.person(Some(person), "person")?,
            H::Organisation(organisation) => {
                self.organisation(Some(organisation), "organisation")?
            }
        };
        let details = Details::account(&account.bank, &account.number).map_err(|error| {
            let number = matches!(error, DetailsError::AccountNumber);
            let field = if number { "number" } else { "bank" };
            Rejected::field(field, error.code(), error.zh(), error.to_string())
        })?;
        let digest = self.key.details_digest(&details);
        self.account = Some(details);
        Ok(CommandBody::BindAccount(subject, digest))
    }

    fn training_subsidy(&mut self, claim: wire::TrainingSubsidy) -> Result<Claim, Rejected> {
        Ok(Claim::TrainingSubsidy(TrainingSubsidy {
            claim_no: claim_no(claim.claim_no)?,
            person: self.person(claim.person, "person")?,
            course_no: CourseNo::new(claim.course_no).map_err(at("course_no"))?,
            certificate_no: certificate_no(claim.certificate_no)?,
            completed_on: None,
            amount: amount(claim.amount_fen)?,
            fund: fund(claim.fund)?,
        }))
    }

    fn transport_aid(&mut self, claim: wire::TransportAid) -> Result<Claim, Rejected> {
        let mode = match value(claim.mode, "mode")? {
            wire::TravelMode::Rail => TravelMode::Rail,
            wire::TravelMode::Road => TravelMode::Road,
            wire::TravelMode::Water => TravelMode::Water,
            wire::TravelMode::Unspecified => return Err(Rejected::missing("mode")),
        };
        Ok(Claim::TransportAid(TransportAid {
            claim_no: claim_no(claim.claim_no)?,
            person: self.person(claim.person, "person")?,
            province: claim.province.parse().map_err(at("province"))?,
            travelled_on: date(claim.travelled_on, "travelled_on")?,
            mode,
            amount: amount(claim.amount_fen)?,
            fund: fund(claim.fund)?,
        }))
    }

    fn subsidy(&mut self, claim: wire::Subsidy) -> Result<Claim, Rejected> {
        use wire::recipient::Kind as K;
        let recipient = claim.recipient.and_then(|recipient| recipient.kind);
        let recipient = match recipient.ok_or_else(|| Rejected::missing("recipient"))? {
            K::Person(person) => self.person(Some(person), "recipient.person")?,
            K::Organisation(organisation) => {
                self.organisation(Some(organisation), "recipient.organisation")?
            }
        };
        let spending = match claim.spending {
            None => None,
            Some(spending) => Some(Spending {
                previous: Fen::new(spending.previous_fen).map_err(at("spending.previous_fen"))?,
                current: Fen::new(spending.current_fen).map_err(at("spending.current_fen"))?,
            }),
        };
        Ok(Claim::Subsidy(Subsidy {
            claim_no: claim_no(claim.claim_no)?,
            programme: ProgrammeId::new(claim.programme).map_err(at("programme"))?,
            recipient,
            document: DocumentNo::new(claim.document).map_err(at("document"))?,
            due_on: date(claim.due_on, "due_on")?,
            spending,
            amount: amount(claim.amount_fen)?,
            fund: fund(claim.fund)?,
        }))
    }

    fn loan(&mut self, claim: wire::Loan) -> Result<Claim, Rejected> {
        let borrower = claim.borrower.and_then(|borrower| borrower.kind);
        let (borrower_kind, borrower) = match borrower {
            Some(wire::borrower::Kind::Person(person)) => (
                BorrowerKind::Person,
                self.person(Some(person), "borrower.person")?,
            ),
            Some(wire::borrower::Kind::SmallFirm(firm)) => (
                BorrowerKind::SmallFirm,
                self.organisation(Some(firm), "borrower.small_firm")?,
            ),
            None => return Err(Rejected::missing("borrower")),
        };
        Ok(Claim::Loan(Loan {
            loan_no: loan_no(claim.loan_no)?,
            borrower_kind,
            borrower,
            principal: Fen::new(claim.principal_fen).map_err(at("principal_fen"))?,
            rate: RatePpm::new(claim.rate_ppm).map_err(at("rate_ppm"))?,
            issued_on: date(claim.issued_on, "issued_on")?,
            due_on: date(claim.due_on, "due_on")?,
            bank: Label::new(claim.bank).map_err(at("bank"))?,
        }))
    }
}

fn appropriation(fact: wire::Appropriation) -> Result<Fact, Rejected> {
    Ok(Fact::Appropriation(Appropriation {
        document: DocumentNo::new(fact.document).map_err(at("document"))?,
        fund: fund(fact.fund)?,
        programme: ProgrammeId::new(fact.programme).map_err(at("programme"))?,
        office: fact.office.parse().map_err(at("appropriation.office"))?,
        year: BudgetYear::new(fact.year.into()).map_err(at("year"))?,
        amount: amount(fact.amount_fen)?,
    }))
}

fn authority(fact: wire::Authority) -> Result<Fact, Rejected> {
    let stated = match value(fact.stated, "stated")? {
        wire::AuthorityAmount::Exactly => AuthorityAmount::Exactly,
        wire::AuthorityAmount::AtMost => AuthorityAmount::AtMost,
        wire::AuthorityAmount::Unspecified => return Err(Rejected::missing("stated")),
    };
    let from = date(fact.from, "from")?;
    Ok(Fact::Authority(Authority {
        document: DocumentNo::new(fact.document).map_err(at("document"))?,
        programme: ProgrammeId::new(fact.programme).map_err(at("programme"))?,
        office: fact.office.parse().map_err(at("authority.office"))?,
        window: window(from, optional_date(fact.until, "until")?)?,
        amount: amount(fact.amount_fen)?,
        stated,
    }))
}

fn certificate_no(text: String) -> Result<CertificateNo, Rejected> {
    Ok(CertificateNo::new(text).map_err(at("certificate_no"))?)
}

fn loan_settlement(fact: wire::LoanSettlement) -> Result<Fact, Rejected> {
    let repayment = match value(fact.repayment, "repayment")? {
        wire::Repayment::OnTime => Repayment::OnTime,
        wire::Repayment::Overdue => Repayment::Overdue,
        wire::Repayment::Unspecified => return Err(Rejected::missing("repayment")),
    };
    Ok(Fact::LoanSettlement(LoanSettlement {
        loan_no: loan_no(fact.loan_no)?,
        settled_on: date(fact.settled_on, "settled_on")?,
        repayment,
    }))
}

fn brand_award(claim: wire::BrandAward) -> Result<Claim, Rejected> {
    Ok(Claim::BrandAward(BrandAward {
        claim_no: claim_no(claim.claim_no)?,
        brand_no: BrandNo::new(claim.brand_no).map_err(at("brand_no"))?,
        amount: amount(claim.amount_fen)?,
        paid_on: date(claim.paid_on, "paid_on")?,
        fund: fund(claim.fund)?,
    }))
}

fn interest_subsidy(claim: wire::InterestSubsidy) -> Result<Claim, Rejected> {
    let from = date(claim.from, "from")?;
    let until = date(claim.until, "until")?;
    Ok(Claim::InterestSubsidy(InterestSubsidy {
        claim_no: claim_no(claim.claim_no)?,
        loan_no: loan_no(claim.loan_no)?,
        period: window(from, Some(until))?,
        interest: Fen::new(claim.interest_fen).map_err(at("interest_fen"))?,
        amount: amount(claim.amount_fen)?,
        fund: fund(claim.fund)?,
    }))
}

/// The value of an enumeration. A number that this version does not know is
/// not the same as none.
pub(super) fn value<E: TryFrom<i32>>(number: i32, field: &'static str) -> Result<E, Rejected> {
    Ok(E::try_from(number).map_err(|_| at(field)(Problem::UnknownValue))?)
}

fn claim_no(text: String) -> Result<ClaimNo, Rejected> {
    Ok(ClaimNo::new(text).map_err(at("claim_no"))?)
}

fn loan_no(text: String) -> Result<LoanNo, Rejected> {
    Ok(LoanNo::new(text).map_err(at("loan_no"))?)
}

fn fund(text: String) -> Result<FundId, Rejected> {
    Ok(FundId::new(text).map_err(at("fund"))?)
}

pub(super) fn amount(fen: i64) -> Result<Fen, Rejected> {
    Ok(Fen::new(fen).map_err(at("amount_fen"))?)
}

fn window(from: Date, until: Option<Date>) -> Result<Window, Rejected> {
    let window = Window::new(from, until);
    Ok(window.map_err(|_| at("until")(Problem::Reversed { begins: from }))?)
}

fn dates(dates: Vec<WireDate>) -> Result<DateSet, Rejected> {
    let days = dates
        .into_iter()
        .map(|day| date(Some(day), "dates"))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(DateSet::new(days).map_err(at("dates"))?)
}

pub(super) fn optional_date(
    date_: Option<WireDate>,
    field: &'static str,
) -> Result<Option<Date>, Rejected> {
    date_.map(|day| date(Some(day), field)).transpose()
}

/// A civil date from the wire.
pub fn date(date: Option<WireDate>, field: &'static str) -> Result<Date, Rejected> {
    let date = date.ok_or_else(|| Rejected::missing(field))?;
    let part = |value: i32| i8::try_from(value).map_err(|_| calendar::CalendarError::NoSuchDay);
    let checked = || {
        let year = i16::try_from(date.year).map_err(|_| calendar::CalendarError::NoSuchDay)?;
        calendar::date(year, part(date.month)?, part(date.day)?)
    };
    Ok(checked().map_err(at(field))?)
}
