//! docs/ACCESS.md, over the wire: every method and every kind of command, asked for
//! by every role.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use luzhang_ledger::{
    access::{Mandate, Role, Roles},
    text::Principal,
};
use luzhang_proto::{
    DESCRIPTORS, event as stored,
    wire::{self, command::Body},
};
use prost::Message as _;
use tokio_stream::StreamExt as _;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::{Bytes, http::uri::PathAndQuery},
    metadata::MetadataValue,
};
use tonic_types::StatusExt as _;

use crate::{
    commands::{
        OFFICE, allowance, appropriation, attendance, command, course, day, fresh_id, listed,
        person, receipt,
    },
    each_kind::each,
    site::{Plan, Site, test},
};

/// A table of docs/ACCESS.md: for each row who has a mark in it.
fn table(first: &str) -> BTreeMap<String, BTreeSet<Role>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = fs::read_to_string(root.join("docs/ACCESS.md")).unwrap();
    let mut lines = text
        .lines()
        .skip_while(|line| !line.starts_with(&format!("| {first} |")));
    let columns: Vec<Option<Role>> = cells(lines.next().unwrap()).map(Role::parse).collect();
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    rows.map(|line| {
        let mut cells = cells(line);
        let name = cells.next().unwrap().trim_matches('`').to_owned();
        let marked = cells.zip(&columns[1..]).filter(|(cell, _)| *cell == "●");
        (name, marked.filter_map(|(_, role)| *role).collect())
    })
    .collect()
}

fn cells(line: &str) -> impl Iterator<Item = &str> {
    line.trim_matches('|').split('|').map(str::trim)
}

/// Two administrators, and a principal a role with its name.
pub(crate) fn mandates() -> Vec<Mandate> {
    let everywhere = |name: &str, role| {
        let name = Principal::new(name).unwrap();
        Mandate::of_everything(name, Roles::of(&[role]))
    };
    let roles = Role::ALL
        .into_iter()
        .map(|role| everywhere(role.as_str(), role));
    roles
        .chain([everywhere("administrator-2", Role::Administrator)])
        .collect()
}

pub(crate) async fn governed() -> Site {
    Site::with(Plan {
        mandates: mandates(),
        ..Plan::default()
    })
    .await
}

/// Messages as they are.
#[derive(Clone, Debug, Default)]
struct Plain;

impl Codec for Plain {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Plain {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_slice(buffer, &item);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let length = bytes::Buf::remaining(buffer);
        Ok(Some(bytes::Buf::copy_to_bytes(buffer, length).to_vec()))
    }
}

/// The first answer of any method: on the wire one message is a stream of one.
async fn call(
    site: &Site,
    who: Option<&str>,
    method: &str,
    message: Vec<u8>,
) -> Result<Option<Vec<u8>>, Status> {
    let mut grpc = Grpc::new(site.channel().await).max_decoding_message_size(64 << 20);
    grpc.ready().await.unwrap();
    let path = PathAndQuery::from_maybe_shared(Bytes::from(format!("/luzhang.v1.{method}")));
    let mut request = Request::new(tokio_stream::once(message));
    if let Some(who) = who {
        let name: MetadataValue<_> = who.parse().unwrap();
        request.metadata_mut().insert("luzhang-principal", name);
    }
    let answer = grpc.streaming(request, path.unwrap(), Plain).await?;
    answer.into_inner().next().await.transpose()
}

/// The reason code of a status; empty if all is well.
fn reason<T>(answer: &Result<T, Status>) -> String {
    match answer {
        Ok(_) => String::new(),
        Err(status) => {
            let details = status.get_error_details();
            details.error_info().map_or_else(
                || format!("{:?}", status.code()),
                |info| info.reason.clone(),
            )
        }
    }
}

const DENIALS: [&str; 7] = [
    "PRINCIPAL_REQUIRED",
    "PRINCIPAL_UNKNOWN",
    "PRINCIPAL_REVOKED",
    "ROLE_REQUIRED",
    "SCOPE_OFFICE",
    "SCOPE_PROGRAMME",
    "SCOPE_WHOLE",
];

/// Methods of the services, as `Service.Method`.
fn methods() -> BTreeSet<String> {
    let descriptors = prost_types::FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    let files = descriptors.file.iter();
    let files = files.filter(|file| file.package() == "luzhang.v1");
    let services = files.flat_map(|file| &file.service);
    services
        .flat_map(|service| {
            let methods = service.method.iter();
            methods.map(|method| format!("{}.{}", service.name(), method.name()))
        })
        .collect()
}

/// Kinds of commands, by their names on the wire.
fn kinds() -> BTreeSet<String> {
    let descriptors = prost_types::FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    let mut files = descriptors.file.iter();
    let file = files.find(|file| file.name().ends_with("luzhang/v1/command.proto"));
    let mut messages = file.unwrap().message_type.iter();
    let command = messages.find(|m| m.name() == "Command").unwrap();
    let fields = command.field.iter();
    let fields = fields.filter(|field| field.oneof_index.is_some());
    fields.map(|field| field.name().to_owned()).collect()
}

#[test]
fn every_method_answers_the_roles_of_the_table_and_no_others() {
    test(async {
        let site = governed().await;
        let rows = table("method");
        let listed: BTreeSet<String> = rows.keys().cloned().collect();
        assert_eq!(listed, methods(), "docs/ACCESS.md");
        for (method, roles) in &rows {
            let path = method.replace('.', "/");
            for role in Role::ALL {
                // An empty message is enough to be let in or not.
                let answer = call(&site, Some(role.as_str()), &path, Vec::new()).await;
                let code = reason(&answer);
                if roles.contains(&role) {
                    assert!(!DENIALS.contains(&&*code), "{method} by {role:?}: {code}");
                } else {
                    assert_eq!(code, "ROLE_REQUIRED", "{method} by {role:?}");
                    let status = answer.unwrap_err();
                    assert_eq!(status.code(), Code::PermissionDenied);
                    let details = status.get_error_details();
                    let zh = &details.localized_message().unwrap().message;
                    assert!(zh.contains("岗位"), "{zh}");
                }
            }
            let nobody = call(&site, None, &path, Vec::new()).await;
            assert_eq!(reason(&nobody), "PRINCIPAL_REQUIRED", "{method}");
            let stranger = call(&site, Some("nobody"), &path, Vec::new()).await;
            assert_eq!(reason(&stranger), "PRINCIPAL_UNKNOWN", "{method}");
        }
        let none = call(
            &site,
            Some("auditor"),
            "LedgerService/Obliterate",
            Vec::new(),
        )
        .await;
        assert_eq!(reason(&none), "ROLE_REQUIRED");
    });
}

/// What is about all offices takes a mandate for all of them.
#[test]
fn a_county_is_shown_its_own() {
    test(async {
        let all = Roles::of(&[
            Role::Clerk,
            Role::Cashier,
            Role::Auditor,
            Role::Reporter,
            Role::Administrator,
        ]);
        let county = |name: &str, code: u32| Mandate {
            offices: Box::new([luzhang_ledger::Office::new(code).unwrap()]),
            ..Mandate::of_everything(Principal::new(name).unwrap(), all)
        };
        let mut mandates = mandates();
        mandates.extend([county("own", 510_502), county("other", 510_521)]);
        let plan = Plan {
            mandates,
            ..Plan::default()
        };
        let site = Site::with(plan).await;
        let (_, grant) = granted(&site).await;
        let event = wire::GetEventRequest { position: grant }.encode_to_vec();
        let kinds = vec!["training_allowance_granted".to_owned()];
        let events = wire::ReadEventsRequest {
            kinds,
            ..wire::ReadEventsRequest::default()
        };
        let rows = |name: &str| {
            let request = wire::QueryRequest {
                name: name.to_owned(),
                ..wire::QueryRequest::default()
            };
            request.encode_to_vec()
        };
        for (who, seen) in [("own", true), ("other", false), ("auditor", true)] {
            let who = Some(who);
            let one = call(&site, who, "LedgerService/GetEvent", event.clone()).await;
            assert_eq!(reason(&one), if seen { "" } else { "SCOPE_OFFICE" });
            let read = call(
                &site,
                who,
                "LedgerService/ReadEvents",
                events.encode_to_vec(),
            )
            .await;
            let read = wire::ReadEventsResponse::decode(&read.unwrap().unwrap()[..]).unwrap();
            assert_eq!(read.events.len(), usize::from(seen), "{who:?}");
            let totals = call(&site, who, "ProjectionService/Query", rows("totals")).await;
            let totals = wire::QueryResponse::decode(&totals.unwrap().unwrap()[..]).unwrap();
            assert_eq!(totals.rows.len(), usize::from(seen), "{who:?}");
            let subject = wire::GetSubjectRequest {
                subject: Some(wire::get_subject_request::Subject::NationalId(
                    person(1).national_id,
                )),
                on: Some(day("2024-06-01")),
                ..wire::GetSubjectRequest::default()
            };
            let subject = subject.encode_to_vec();
            let subject = call(&site, who, "LedgerService/GetSubject", subject).await;
            let subject = wire::GetSubjectResponse::decode(&subject.unwrap().unwrap()[..]);
            let subject = subject.unwrap();
            let of_offices = subject
                .history
                .iter()
                .filter(|event| event.event.as_ref().is_some_and(|event| event.office != 0));
            assert_eq!(of_offices.count() > 0, seen, "{who:?}");
            // What is left is left, whoever asks.
            let once = subject
                .entitlements
                .iter()
                .find(|left| left.limit == "M04-ONCE");
            assert_eq!(once.map(|left| left.used), Some(1), "{who:?}");
        }
        for (method, message) in [
            ("AuditService/ExportBlocks", Vec::new()),
            ("ProjectionService/Rebuild", Vec::new()),
            ("ProofService/Attest", Vec::new()),
            ("ProofService/RotateKey", Vec::new()),
            ("ProjectionService/Query", rows("refusals")),
        ] {
            let part = call(&site, Some("own"), method, message).await;
            assert_eq!(reason(&part), "SCOPE_WHOLE", "{method}");
        }
    });
}

/// A grant by the clerk, and the fact that it rests on.
async fn granted(site: &Site) -> (u64, u64) {
    let clerk = "clerk";
    let positions = site
        .record_as([
            (
                "steward",
                command(Body::Appropriation(appropriation(
                    "演1号",
                    "training-allowance",
                ))),
            ),
            (clerk, command(Body::PovertyStatus(listed(1)))),
            (clerk, command(Body::Course(course("PX-1")))),
            (
                clerk,
                command(Body::Attendance(attendance(
                    1,
                    "PX-1",
                    "2024-03-04 2024-03-05",
                ))),
            ),
            (
                clerk,
                command(Body::TrainingAllowance(allowance(
                    "SB-1",
                    1,
                    "PX-1",
                    "2024-03-04",
                ))),
            ),
        ])
        .await;
    (positions[1], positions[4])
}

#[test]
fn every_kind_of_command_is_for_the_roles_of_the_table_and_no_others() {
    test(async {
        let site = governed().await;
        let (fact, grant) = granted(&site).await;
        let authority = wire::Authority {
            document: "演9号".to_owned(),
            programme: "rent-relief".to_owned(),
            office: OFFICE.to_owned(),
            from: Some(day("2024-01-01")),
            until: None,
            amount_fen: 5,
            stated: wire::AuthorityAmount::AtMost.into(),
        };
        let money = site
            .record_as([("steward", command(Body::Authority(authority)))])
            .await;
        let rows = table("command");
        let listed: BTreeSet<String> = rows.keys().cloned().collect();
        assert_eq!(listed, kinds(), "docs/ACCESS.md");
        let mut tried = BTreeMap::<&str, BTreeSet<Role>>::new();
        let head = site.engine.head();
        for (kind, body) in each(fact, money[0], grant) {
            let may = tried.entry(kind).or_default();
            for role in Role::ALL {
                let command = wire::Command {
                    request_id: fresh_id(),
                    office: OFFICE.to_owned(),
                    body: Some(body.clone()),
                };
                let request = wire::EvaluateRequest {
                    command: Some(command.clone()),
                };
                let who = Some(role.as_str());
                let evaluated = call(
                    &site,
                    who,
                    "LedgerService/Evaluate",
                    request.encode_to_vec(),
                )
                .await;
                let code = reason(&evaluated);
                if matches!(role, Role::Auditor | Role::Reporter) || code == "ROLE_REQUIRED" {
                    assert_eq!(code, "ROLE_REQUIRED", "{kind} by {role:?}");
                    let submitted = wire::SubmitRequest {
                        command: Some(command.clone()),
                        receipt: false,
                    };
                    let submitted = submitted.encode_to_vec();
                    let submitted = call(&site, who, "LedgerService/Submit", submitted).await;
                    assert_eq!(reason(&submitted), "ROLE_REQUIRED", "{kind} by {role:?}");
                } else {
                    assert!(!DENIALS.contains(&&*code), "{kind} by {role:?}: {code}");
                    may.insert(role);
                }
            }
        }
        let tried: BTreeMap<String, BTreeSet<Role>> = tried
            .into_iter()
            .map(|(kind, roles)| (kind.to_owned(), roles))
            .collect();
        assert_eq!(tried, rows);
        // Nothing of it is on the log but that it was denied.
        let reader = site.engine.reader();
        let mut kinds = BTreeSet::new();
        let from = head.position.unwrap().next();
        let end = site.engine.head().position.unwrap();
        let mut position = from;
        while position <= end {
            let event = luzhang_server::replay::event_at(&**reader, position).unwrap();
            kinds.insert(event.unwrap().event.body.kind());
            position = position.next();
        }
        assert_eq!(kinds, BTreeSet::from(["access_denied"]));
    });
}

#[test]
fn what_was_denied_is_on_the_chain_and_few_events_say_so() {
    test(async {
        let site = governed().await;
        for _ in 0..500 {
            let denied = site
                .submit_as("auditor", command(Body::Course(course("PX-1"))))
                .await;
            assert_eq!(reason(&denied), "ROLE_REQUIRED");
        }
        let url = site.url().to_owned();
        assert!(url.starts_with("http://127.0.0.1"));
        let engine = std::sync::Arc::clone(&site.engine);
        let before = engine.head().position.unwrap();
        site.stop().ended().await;
        let mut said = Vec::new();
        let mut position = luzhang_ledger::Position::FIRST;
        let end = engine.head().position.unwrap();
        while position <= end {
            let event = luzhang_server::replay::event_at(&**engine.reader(), position).unwrap();
            if let luzhang_ledger::Body::AccessDenied(denial) = event.unwrap().event.body {
                said.push(denial);
            }
            position = position.next();
        }
        assert!((1..=2).contains(&said.len()), "{said:?} from {before}");
        let count: u64 = said.iter().map(|denial| denial.count).sum();
        assert_eq!(count, 500);
        for denial in said {
            assert_eq!(denial.principal.unwrap().as_str(), "auditor");
            assert_eq!(denial.code.as_str(), "ROLE_REQUIRED");
            assert_eq!(denial.action.as_str(), "LedgerService.Submit");
        }
    });
}

#[test]
fn a_principal_that_is_sent_away_gets_no_further() {
    test(async {
        let site = governed().await;
        // A stream of commands, and one of events, while the mandate is taken back.
        let (send, receive) = tokio::sync::mpsc::channel(1);
        let messages = tokio_stream::wrappers::ReceiverStream::new(receive);
        let mut request = Request::new(messages);
        let clerk = MetadataValue::from_static("clerk");
        request
            .metadata_mut()
            .insert("luzhang-principal", clerk.clone());
        let mut outcomes = site
            .ledger()
            .submit_batch(request)
            .await
            .unwrap()
            .into_inner();
        let mut follow = Request::new(wire::ReadEventsRequest {
            follow: true,
            ..wire::ReadEventsRequest::default()
        });
        follow.metadata_mut().insert("luzhang-principal", clerk);
        let mut events = site
            .ledger()
            .read_events(follow)
            .await
            .unwrap()
            .into_inner();
        let one = |number: &str| wire::SubmitBatchRequest {
            commands: vec![command(Body::Course(course(number)))],
        };
        send.send(one("PX-1")).await.unwrap();
        let first = outcomes.message().await.unwrap().unwrap();
        assert_eq!(crate::commands::shown(&first.outcomes[0]), "accepted");
        let nothing = wire::Mandate {
            principal: "clerk".to_owned(),
            ..wire::Mandate::default()
        };
        let proposed = site
            .submit_as("administrator", command(Body::Mandate(nothing)))
            .await;
        let proposal = receipt(&proposed.unwrap()).position;
        let confirm = || {
            command(Body::MandateConfirmation(wire::MandateConfirmation {
                proposal,
            }))
        };
        let own = site.submit_as("administrator", confirm()).await;
        assert_eq!(reason(&own), "SECOND_ADMINISTRATOR");
        site.submit_as("administrator-2", confirm()).await.unwrap();
        send.send(one("PX-2")).await.unwrap();
        let ended = outcomes.message().await;
        assert_eq!(reason(&ended), "PRINCIPAL_REVOKED");
        let ended = loop {
            match events.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it ended without a reason"),
                Err(status) => break status,
            }
        };
        assert_eq!(reason::<()>(&Err(ended)), "PRINCIPAL_REVOKED");
        let later = site
            .submit_as("clerk", command(Body::Course(course("PX-3"))))
            .await;
        assert_eq!(reason(&later), "PRINCIPAL_REVOKED");
    });
}

#[test]
fn a_request_of_another_is_answered_to_that_one_alone() {
    test(async {
        let site = governed().await;
        let command = command(Body::Course(course("PX-1")));
        let first = site.submit_as("clerk", command.clone()).await.unwrap();
        let again = site.submit_as("clerk", command.clone()).await.unwrap();
        assert!(again.replayed);
        let mut mandates = wire::Mandate {
            principal: "clerk-2".to_owned(),
            roles: vec![stored::Role::Clerk.into()],
            offices: vec!["510500".to_owned()],
            ..wire::Mandate::default()
        };
        mandates.programmes.clear();
        let proposed = site
            .submit_as(
                "administrator",
                crate::commands::command(Body::Mandate(mandates)),
            )
            .await;
        let proposal = receipt(&proposed.unwrap()).position;
        let confirmation = wire::MandateConfirmation { proposal };
        let confirmation = crate::commands::command(Body::MandateConfirmation(confirmation));
        site.submit_as("administrator-2", confirmation)
            .await
            .unwrap();
        let other = site.submit_as("clerk-2", command.clone()).await;
        assert_eq!(reason(&other), "REQUEST_OF_ANOTHER");
        let status = other.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied);
        let position = receipt(&first).position.to_string();
        assert!(status.message().contains(&position), "{}", status.message());
        // Whether the content is the same, they do not learn either.
        let mut changed = command;
        changed.body = Some(Body::Course(course("PX-9")));
        let other = site.submit_as("clerk-2", changed.clone()).await;
        assert_eq!(reason(&other), "REQUEST_OF_ANOTHER");
        let own = site.submit_as("clerk", changed).await;
        assert_eq!(reason(&own), "REQUEST_ID_REUSED");
    });
}

#[test]
fn nobody_else_may_be_let_in_while_there_are_mandates() {
    test(async {
        let site = governed().await;
        let founded = site.engine.found(mandates()).await;
        assert_eq!(founded.unwrap_err().code, "PRINCIPALS_EXIST");
        let open = Site::new().await;
        let few = mandates().split_off(8);
        assert_eq!(few.len(), 1);
        let founded = open.engine.found(few).await;
        assert_eq!(founded.unwrap_err().code, "ADMINISTRATORS_TOO_FEW");
        open.submit_as("anybody", command(Body::Course(course("PX-1"))))
            .await
            .unwrap();
        open.engine.found(mandates()).await.unwrap();
        let now = open
            .submit_as("anybody", command(Body::Course(course("PX-2"))))
            .await;
        assert_eq!(reason(&now), "PRINCIPAL_UNKNOWN");
        open.submit_as("clerk", command(Body::Course(course("PX-2"))))
            .await
            .unwrap();
    });
}
