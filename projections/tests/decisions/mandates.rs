//! Who may do what: mandates given, changed and taken back by two administrators,
//! and whether one extends to a command.

use luzhang_ledger::{
    Body, Event, Header, Office, Position, StreamId, StreamKind,
    access::{Credential, Erasure, Mandate, Reveal, Revealed, Role, Roles},
    step::{
        Batch, BatchLocking, Duty, Judgement, Notice, Opinion, Override, Reversal, Step as Life,
    },
    text::{BatchNo, DocumentNo, FundId, Label, NoticeNo, Principal, ProgrammeId},
};
use luzhang_projections::{
    Command, State,
    access::{Action, Denied, Identity, permits},
    decide::CommandBody,
    redecide::Redecider,
};

use crate::{
    given::{given, outcome, rejected},
    ledger::Ledger,
    steps::{
        LI, OFFICE, Step, WANG, allowance, attended, base, budget, course, day, fen, listed, office,
    },
    transitions::{after, by, position, step},
};

fn name(name: &str) -> Principal {
    Principal::new(name).unwrap()
}

fn identity(principal: &str) -> Identity {
    Identity::believed(name(principal))
}

fn mandate(principal: &str, roles: &[Role], offices: &[u32], programmes: &[&str]) -> Mandate {
    let offices = offices.iter().map(|code| office(*code)).collect();
    let programmes = programmes.iter().map(|id| ProgrammeId::new(*id).unwrap());
    let lists = (offices, programmes.collect());
    Mandate::new(name(principal), Roles::of(roles), lists, Vec::new()).unwrap()
}

fn everywhere(principal: &str, role: Role) -> Mandate {
    Mandate::of_everything(name(principal), Roles::of(&[role]))
}

/// Adopts a mandate that nobody proposed.
fn found(ledger: &mut Ledger, mandate: Mandate) -> Position {
    let stream = StreamId::of(StreamKind::Principal, mandate.principal.as_str());
    let header = Header {
        principal: Principal::ledger(),
        ..ledger.header(stream)
    };
    let body = Body::MandateAdopted(Box::new(mandate));
    ledger.fold(Event { header, body })
}

/// A ledger with the administrators `a` and `b`, and one principal a role, by its
/// name.
fn governed() -> Ledger {
    let mut ledger = Ledger::new();
    for administrator in ["a", "b"] {
        found(&mut ledger, everywhere(administrator, Role::Administrator));
    }
    for role in Role::ALL {
        if role != Role::Administrator {
            found(&mut ledger, everywhere(role.as_str(), role));
        }
    }
    ledger
}

fn command(body: CommandBody) -> Command {
    Command {
        office: Office::LUZHOU,
        body,
    }
}

/// Decides as the server does, and writes under the principal's name.
fn act(ledger: &mut Ledger, who: &str, body: CommandBody) -> Result<Position, String> {
    let command = command(body);
    let permitted = permits(ledger.state(), &identity(who), &command);
    permitted.map_err(|denied| denied.code().to_owned())?;
    let decision = luzhang_projections::decide(ledger.state(), command);
    let decision = decision.map_err(|rejection| rejection.code().to_owned())?;
    let (revision, stream_previous) = ledger.state().stream_end(decision.stream);
    let header = Header {
        principal: name(who),
        revision: revision + 1,
        stream_previous,
        office: Some(Office::LUZHOU),
        cause: decision.cause,
        ..ledger.header(decision.stream)
    };
    let body = decision.body;
    Ok(ledger.fold(Event { header, body }))
}

fn propose(mandate: Mandate) -> CommandBody {
    CommandBody::ProposeMandate(Box::new(mandate))
}

fn confirm(position: Position, who: &str) -> CommandBody {
    CommandBody::ConfirmMandate(position, name(who))
}

fn code(denied: Result<(), Denied>) -> &'static str {
    denied.map_or_else(|denied| denied.code(), |()| "")
}

#[test]
fn while_nobody_has_a_mandate_everybody_may_do_everything() {
    let ledger = Ledger::new();
    assert!(!ledger.state().access.is_governed());
    let claim = allowance(WANG, "K1", "2024-03-04").command;
    assert_eq!(
        permits(ledger.state(), &identity("anybody"), &claim),
        Ok(())
    );
    let proposal = Step {
        command: command(propose(everywhere("x", Role::Clerk))),
    };
    ledger.when(proposal).then(rejected("PRINCIPALS_NONE"));
}

#[test]
fn what_one_administrator_proposes_another_confirms() {
    let mut ledger = governed();
    let clerk = everywhere("new", Role::Clerk);
    let proposal = act(&mut ledger, "a", propose(clerk.clone())).unwrap();
    let claim = allowance(WANG, "K1", "2024-03-04").command;
    // A proposal gives nothing.
    let may = |ledger: &Ledger| code(permits(ledger.state(), &identity("new"), &claim));
    assert_eq!(may(&ledger), "PRINCIPAL_UNKNOWN");
    let own = act(&mut ledger, "a", confirm(proposal, "a"));
    assert_eq!(own, Err("SECOND_ADMINISTRATOR".to_owned()));
    let other = act(&mut ledger, "steward", confirm(proposal, "steward"));
    assert_eq!(other, Err("ROLE_REQUIRED".to_owned()));
    let adopted = act(&mut ledger, "b", confirm(proposal, "b")).unwrap();
    assert_eq!(may(&ledger), "");
    let event = ledger.log.last().unwrap();
    assert_eq!(event.body, Body::MandateAdopted(Box::new(clerk)));
    assert_eq!(event.header.cause, Some(proposal));
    // Once is enough.
    let again = act(&mut ledger, "b", confirm(proposal, "b"));
    assert_eq!(again, Err("UNKNOWN_PROPOSAL".to_owned()));

    let nothing = mandate("new", &[], &[], &[]);
    let proposal = act(&mut ledger, "b", propose(nothing)).unwrap();
    assert_eq!(may(&ledger), "");
    act(&mut ledger, "a", confirm(proposal, "a")).unwrap();
    assert_eq!(may(&ledger), "PRINCIPAL_REVOKED");
    assert!(adopted < proposal);
}

#[test]
fn a_later_proposal_takes_the_place_of_an_earlier_one() {
    let mut ledger = governed();
    let first = act(&mut ledger, "a", propose(everywhere("x", Role::Cashier))).unwrap();
    let second = act(&mut ledger, "b", propose(everywhere("x", Role::Clerk))).unwrap();
    let stale = act(&mut ledger, "b", confirm(first, "b"));
    assert_eq!(stale, Err("UNKNOWN_PROPOSAL".to_owned()));
    act(&mut ledger, "a", confirm(second, "a")).unwrap();
    let held = ledger.state().access.held(&identity("x")).unwrap().unwrap();
    assert_eq!(held.roles, Roles::of(&[Role::Clerk]));
}

#[test]
fn there_are_always_two_administrators() {
    let mut ledger = governed();
    let too_few = Err("ADMINISTRATORS_TOO_FEW".to_owned());
    for lesser in [mandate("b", &[], &[], &[]), everywhere("b", Role::Clerk)] {
        assert_eq!(act(&mut ledger, "a", propose(lesser)), too_few);
    }
    let third = act(
        &mut ledger,
        "a",
        propose(everywhere("c", Role::Administrator)),
    );
    act(&mut ledger, "b", confirm(third.unwrap(), "b")).unwrap();
    // Two that each leave two, and together one.
    let b = act(&mut ledger, "a", propose(mandate("b", &[], &[], &[]))).unwrap();
    let c = act(&mut ledger, "a", propose(mandate("c", &[], &[], &[]))).unwrap();
    act(&mut ledger, "c", confirm(b, "c")).unwrap();
    assert_eq!(act(&mut ledger, "c", confirm(c, "c")), too_few);
}

#[test]
fn what_somebody_proposed_is_void_when_they_are_no_administrator_any_more() {
    let mut ledger = governed();
    let third = act(
        &mut ledger,
        "a",
        propose(everywhere("c", Role::Administrator)),
    );
    act(&mut ledger, "b", confirm(third.unwrap(), "b")).unwrap();
    let last_wish = act(
        &mut ledger,
        "c",
        propose(everywhere("d", Role::Administrator)),
    );
    let gone = act(&mut ledger, "a", propose(mandate("c", &[], &[], &[]))).unwrap();
    act(&mut ledger, "b", confirm(gone, "b")).unwrap();
    let confirmed = act(&mut ledger, "b", confirm(last_wish.unwrap(), "b"));
    assert_eq!(confirmed, Err("UNKNOWN_PROPOSAL".to_owned()));
}

#[test]
fn a_mandate_is_for_programmes_that_exist() {
    let mut ledger = governed();
    let wrong = mandate("x", &[Role::Clerk], &[OFFICE], &["training-allowence"]);
    let proposed = act(&mut ledger, "a", propose(wrong));
    assert_eq!(proposed, Err("UNKNOWN_PROGRAMME".to_owned()));
}

#[test]
fn a_role_does_its_own_work_and_no_other() {
    let ledger = governed();
    let grant = Position::FIRST;
    let review = CommandBody::Step(
        Box::new(Life::Review(Judgement {
            grant,
            opinion: Opinion::Passed,
            note: None,
        })),
        name("x"),
    );
    let let_them = CommandBody::Step(
        Box::new(Life::Override(Override {
            grant,
            duty: Duty::Approval,
            principal: name("x"),
            reason: Label::new("只有两人").unwrap(),
        })),
        name("y"),
    );
    for (body, roles) in [
        (allowance(WANG, "K1", "2024-03-04").command.body, "clerk"),
        (listed(WANG, "2020-01-01..").command.body, "clerk"),
        (budget("skill-base", 2024, 1).command.body, "steward"),
        (CommandBody::AdoptPolicy(Box::new([])), "steward"),
        (review, "reviewer"),
        (let_them, "approver"),
        (propose(everywhere("x", Role::Clerk)), "administrator"),
        (
            CommandBody::Erase(Erasure {
                subject: WANG,
                document: DocumentNo::new("删1").unwrap(),
            }),
            "administrator",
        ),
    ] {
        let action = Action::of(&body);
        let command = command(body);
        for role in Role::ALL {
            let who = if role == Role::Administrator {
                "a"
            } else {
                role.as_str()
            };
            let expected = if role.as_str() == roles {
                ""
            } else {
                "ROLE_REQUIRED"
            };
            let permitted = permits(ledger.state(), &identity(who), &command);
            assert_eq!(code(permitted), expected, "{} by {who}", action.name);
        }
    }
}

#[test]
fn a_county_does_its_own_cases_whoever_says_that_they_are_its_own() {
    let mut ledger = given([
        budget("training-allowance", 2024, 1_000_000),
        listed(WANG, "2020-01-01.."),
        course("K1", "2024-03-04", "2024-03-08"),
        attended(WANG, "K1", "2024-03-04..2024-03-07"),
        allowance(WANG, "K1", "2024-03-04 2024-03-05"),
    ]);
    let grant = ledger.state().position().unwrap();
    for administrator in ["a", "b"] {
        found(&mut ledger, everywhere(administrator, Role::Administrator));
    }
    let every_role = [
        Role::Clerk,
        Role::Reviewer,
        Role::Approver,
        Role::Cashier,
        Role::Steward,
    ];
    let elsewhere = 510_521;
    found(&mut ledger, mandate("own", &every_role, &[OFFICE], &[]));
    found(
        &mut ledger,
        mandate("other", &every_role, &[elsewhere], &[]),
    );
    found(&mut ledger, mandate("city", &every_role, &[510_500], &[]));
    found(
        &mut ledger,
        mandate("bases", &every_role, &[510_500], &["skill-base"]),
    );
    let as_of = |who: &str, at: u32, body: CommandBody| {
        let command = Command {
            office: office(at),
            body,
        };
        code(permits(ledger.state(), &identity(who), &command))
    };
    let life = |step: Life| CommandBody::Step(Box::new(step), name("x"));
    let judgement = Judgement {
        grant,
        opinion: Opinion::Passed,
        note: None,
    };
    let about_the_grant = [
        life(Life::Review(judgement.clone())),
        life(Life::Approval(judgement)),
        life(Life::Notice(Notice {
            notice_no: NoticeNo::new("N1").unwrap(),
            grants: vec![grant],
            first_day: day("2024-09-27"),
            last_day: None,
            list_digest: [0; 32],
        })),
        life(Life::Batch(Batch {
            batch_no: BatchNo::new("B1").unwrap(),
            fund: FundId::new("employment-provincial").unwrap(),
            grants: vec![grant],
            amounts: Vec::new(),
        })),
        life(Life::Reversal(Reversal {
            grant,
            extent: luzhang_ledger::step::Extent::Whole,
            reason: Label::new("重复").unwrap(),
        })),
    ];
    for body in about_the_grant {
        assert_eq!(as_of("own", OFFICE, body.clone()), "");
        assert_eq!(as_of("city", 510_500, body.clone()), "");
        // Neither in another's name, nor in one's own.
        assert_eq!(as_of("other", OFFICE, body.clone()), "SCOPE_OFFICE");
        assert_eq!(as_of("other", elsewhere, body.clone()), "SCOPE_OFFICE");
        assert_eq!(as_of("bases", 510_500, body), "SCOPE_PROGRAMME");
    }
    let claim = || allowance(WANG, "K1", "2024-03-04").command.body;
    assert_eq!(as_of("own", OFFICE, claim()), "");
    assert_eq!(as_of("own", 510_500, claim()), "SCOPE_OFFICE");
    assert_eq!(as_of("bases", OFFICE, claim()), "SCOPE_PROGRAMME");
    let studio = base(
        luzhang_ledger::claim::SkillBaseKind::MasterStudio,
        luzhang_ledger::claim::RecognitionLevel::National,
        1,
    );
    assert_eq!(as_of("bases", OFFICE, studio.command.body), "");
    // Money for another office is another office's money.
    let money = || budget("training-allowance", 2024, 5).command.body;
    assert_eq!(as_of("own", OFFICE, money()), "");
    assert_eq!(as_of("other", elsewhere, money()), "SCOPE_OFFICE");
    assert_eq!(as_of("bases", 510_500, money()), "SCOPE_PROGRAMME");
}

#[test]
fn a_batch_is_of_everybody_whose_grants_are_in_it() {
    let (mut ledger, _) = after("review approve notice-1 close-notice batch-1");
    found(&mut ledger, everywhere("a", Role::Administrator));
    found(
        &mut ledger,
        mandate("other", &[Role::Cashier], &[510_521], &[]),
    );
    let locking = CommandBody::Step(
        Box::new(Life::BatchLocking(BatchLocking {
            batch_no: BatchNo::new("B1").unwrap(),
            count: 1,
            total: fen(1),
        })),
        name("other"),
    );
    let command = Command {
        office: office(510_521),
        body: locking,
    };
    let permitted = permits(ledger.state(), &identity("other"), &command);
    assert_eq!(code(permitted), "SCOPE_OFFICE");
}

#[test]
fn a_mandate_that_names_keys_is_used_with_those() {
    let mut ledger = governed();
    let key = Credential::from_bytes([7; 32]);
    let bound = Mandate {
        credentials: Box::new([key]),
        ..everywhere("bound", Role::Clerk)
    };
    found(&mut ledger, bound);
    let claim = allowance(WANG, "K1", "2024-03-04").command;
    let with = |credential| {
        let who = Identity {
            principal: name("bound"),
            credential,
        };
        code(permits(ledger.state(), &who, &claim))
    };
    assert_eq!(with(Some(key)), "");
    assert_eq!(
        with(Some(Credential::from_bytes([8; 32]))),
        "CREDENTIAL_UNKNOWN"
    );
    // Where names are believed, keys are not asked for.
    assert_eq!(with(None), "");
}

#[test]
fn whoever_lets_another_take_a_second_duty_is_yet_another_person() {
    // `c` lets the reviewer approve as well, and may not pay then.
    let (ledger, grant) = after("review");
    let overriding = by(
        "c",
        Life::Override(Override {
            grant: position(grant),
            duty: Duty::Approval,
            principal: name("reviewer"),
            reason: Label::new("只有两人").unwrap(),
        }),
    );
    let ledger = ledger.and([overriding, step_as("reviewer", "approve", grant)]);
    let ledger = ledger.and([step("notice-1", grant), step("close-notice", grant)]);
    ledger.when(step_as("c", "batch", grant)).then("FOUR_EYES");
    ledger
        .when(step("batch", grant))
        .then(crate::given::RECORDED);
}

fn step_as(who: &str, what: &str, grant: u64) -> Step {
    let mut step = step(what, grant);
    if let CommandBody::Step(_, by) = &mut step.command.body {
        *by = name(who);
    }
    step
}

#[test]
fn an_auditor_finds_who_acted_without_a_mandate() {
    let mut ledger = governed();
    let money = budget("training-allowance", 2024, 1_000_000);
    act(&mut ledger, "steward", money.command.body.clone()).unwrap();
    let proposal = act(&mut ledger, "a", propose(everywhere("x", Role::Clerk))).unwrap();
    act(&mut ledger, "b", confirm(proposal, "b")).unwrap();
    let differences = |log: &[Event]| {
        let mut redecider = Redecider::default();
        let found: Vec<_> = log
            .iter()
            .flat_map(|event| redecider.apply(event))
            .collect();
        let line = |d: luzhang_projections::redecide::Difference| {
            let aspects: Vec<&str> = d.aspects.iter().map(|a| a.name()).collect();
            format!(
                "{} {} {}",
                d.position,
                aspects.join("+"),
                d.recomputed.reasons().join(",")
            )
        };
        found.into_iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(differences(&ledger.log), [""; 0]);
    let count = ledger.log.len();
    let changed = |place: usize, change: &dyn Fn(&mut Event)| {
        let mut log = ledger.log.clone();
        change(&mut log[place]);
        differences(&log)
    };
    let at = |place: usize| ledger.log[place].header.position;
    // The clerk made money.
    let by_clerk = changed(count - 3, &|event| event.header.principal = name("clerk"));
    assert_eq!(
        by_clerk,
        [format!("{} mandate ROLE_REQUIRED", at(count - 3))]
    );
    // One administrator did both.
    let alone = changed(count - 1, &|event| event.header.principal = name("a"));
    assert_eq!(
        alone,
        [format!("{} body SECOND_ADMINISTRATOR", at(count - 1))]
    );
    // Nobody proposed it.
    let from_nowhere = changed(count - 1, &|event| event.header.cause = None);
    assert_eq!(from_nowhere, [format!("{} cause ", at(count - 1))]);
    // It is more than was proposed.
    let more = changed(count - 1, &|event| {
        event.body = Body::MandateAdopted(Box::new(everywhere("x", Role::Cashier)));
    });
    assert_eq!(more, [format!("{} body ", at(count - 1))]);
}

#[test]
fn an_auditor_finds_who_looked_at_a_person_without_a_mandate() {
    let mut ledger = governed();
    let reveal = |ledger: &mut Ledger, who: &str| {
        let header = Header {
            principal: name(who),
            ..ledger.header(WANG.into())
        };
        let body = Body::DetailsRevealed(Reveal {
            of: Revealed::Subject(WANG),
            purpose: Label::new("电话核实").unwrap(),
        });
        ledger.fold(Event { header, body })
    };
    reveal(&mut ledger, "clerk");
    reveal(&mut ledger, "auditor");
    let at = reveal(&mut ledger, "a");
    let mut redecider = Redecider::default();
    let found = ledger.log.iter().flat_map(|event| redecider.apply(event));
    let found: Vec<_> = found
        .map(|d| (d.position, d.recomputed.reasons()))
        .collect();
    assert_eq!(found, [(at, vec!["ROLE_REQUIRED".to_owned()])]);
}

#[test]
fn whose_details_are_erased_is_a_stranger_with_a_history() {
    let mut ledger = given([
        budget("training-allowance", 2024, 1_000_000),
        listed(WANG, "2020-01-01.."),
    ]);
    let erase = |subject| {
        CommandBody::Erase(Erasure {
            subject,
            document: DocumentNo::new("删〔2026〕1号").unwrap(),
        })
    };
    let decided = |ledger: &Ledger, subject| {
        outcome(&luzhang_projections::decide(
            ledger.state(),
            command(erase(subject)),
        ))
    };
    // No details were ever given of either.
    assert_eq!(decided(&ledger, LI), rejected("SUBJECT_NOT_FOUND"));
    register(&mut ledger, WANG);
    let ledger = &mut ledger;
    let position = act(ledger, "anybody", erase(WANG)).unwrap();
    let event = ledger.log.last().unwrap();
    assert_eq!(event.header.stream, WANG.into());
    assert!(matches!(&event.body, Body::SubjectErased(erased) if erased.subject == WANG));
    let known = |state: &State| (state.party(WANG).is_some(), state.is_erased(WANG));
    assert_eq!(known(ledger.state()), (false, true));
    assert_eq!(decided(ledger, WANG), rejected("SUBJECT_ERASED"));
    assert_eq!(ledger.state().stream_end(WANG.into()).1, Some(position));
    // Whoever comes back is known again.
    register(ledger, WANG);
    assert_eq!(known(ledger.state()), (true, false));
    assert_eq!(ledger.state().erasures(), 1);
}

#[test]
fn nobody_is_erased_to_whom_money_is_on_its_way() {
    let (mut ledger, grant) = after("review approve notice-1 close-notice batch-1 lock submit");
    register(&mut ledger, WANG);
    let erase = command(CommandBody::Erase(Erasure {
        subject: WANG,
        document: DocumentNo::new("删1").unwrap(),
    }));
    let decided =
        |ledger: &Ledger| outcome(&luzhang_projections::decide(ledger.state(), erase.clone()));
    assert_eq!(decided(&ledger), rejected("SUBJECT_UNFINISHED"));
    let ledger = ledger.and([step("settle", grant)]);
    assert_eq!(decided(&ledger), crate::given::RECORDED);
}

fn register(ledger: &mut Ledger, subject: luzhang_ledger::SubjectId) {
    let stream = StreamId::from(subject);
    let (revision, stream_previous) = ledger.state().stream_end(stream);
    let header = Header {
        revision: revision + 1,
        stream_previous,
        ..ledger.header(stream)
    };
    let body = Body::PartyRegistered(luzhang_ledger::event::Party {
        kind: luzhang_ledger::event::PartyKind::Person,
        subject,
        sealed: Box::new([1; 80]),
        digest: [9; 8],
    });
    ledger.fold(Event { header, body });
}
