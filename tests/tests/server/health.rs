//! Health and reflection: what a load balancer and a curious client ask.

use luzhang_ledger::log::memory::Failure;
use luzhang_proto::wire;
use tokio_stream::StreamExt as _;
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::{
    commands::{Commanded as _, course},
    site::{Plan, Site, test},
};

const SERVICES: [&str; 3] = [
    "luzhang.v1.LedgerService",
    "luzhang.v1.AuditService",
    "luzhang.v1.ProjectionService",
];

fn about(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

#[test]
fn health_says_whether_the_writer_works() {
    test(async {
        let (site, gate) = Site::gated(Plan::default()).await;
        let mut health = HealthClient::new(site.channel().await);
        let watched = SERVICES.into_iter().chain([""]);
        let mut watches = Vec::new();
        for service in watched.clone() {
            let answer = health.check(about(service)).await.unwrap().into_inner();
            assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
            let mut watch = health.watch(about(service)).await.unwrap().into_inner();
            assert_eq!(
                watch.next().await.unwrap().unwrap().status(),
                ServingStatus::Serving
            );
            watches.push(watch);
        }
        let unknown = health
            .check(about("luzhang.v1.NoService"))
            .await
            .unwrap_err();
        assert_eq!(unknown.code(), Code::NotFound);
        gate.fail_next(Failure::BeforeStored);
        site.submit(course("PX-1").command()).await.unwrap_err();
        for mut watch in watches {
            assert_eq!(
                watch.next().await.unwrap().unwrap().status(),
                ServingStatus::NotServing
            );
        }
        for service in watched {
            let answer = health.check(about(service)).await.unwrap().into_inner();
            assert_eq!(answer.status(), ServingStatus::NotServing, "{service}");
        }
    });
}

#[test]
fn reflection_lists_the_services_and_their_messages() {
    test(async {
        let site = Site::new().await;
        let mut reflection = ServerReflectionClient::new(site.channel().await);
        let mut ask = async |request: MessageRequest| {
            let request = ServerReflectionRequest {
                host: String::new(),
                message_request: Some(request),
            };
            let answers = reflection
                .server_reflection_info(tokio_stream::once(request))
                .await;
            let answer = answers.unwrap().into_inner().next().await.unwrap().unwrap();
            answer.message_response.unwrap()
        };
        let listed = match ask(MessageRequest::ListServices(String::new())).await {
            MessageResponse::ListServicesResponse(services) => services.service,
            other => panic!("{other:?}"),
        };
        let listed: Vec<_> = listed.iter().map(|service| &*service.name).collect();
        let others = [
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
        ];
        for service in SERVICES.into_iter().chain(others) {
            assert!(listed.contains(&service), "{service} is not in {listed:?}");
        }
        let symbols = SERVICES
            .into_iter()
            .chain(["luzhang.v1.Command", "luzhang.event.v1.Event"]);
        for symbol in symbols {
            match ask(MessageRequest::FileContainingSymbol(symbol.to_owned())).await {
                MessageResponse::FileDescriptorResponse(files) => {
                    assert!(!files.file_descriptor_proto.is_empty(), "{symbol}");
                }
                other => panic!("{symbol}: {other:?}"),
            }
        }
        // It disturbs nothing.
        let list = wire::ListPoliciesRequest {};
        assert_eq!(
            site.ledger()
                .list_policies(list)
                .await
                .unwrap()
                .into_inner()
                .policies
                .len(),
            1
        );
    });
}
