//! Whether a server answers, and how fast.

use std::time::{Duration, Instant};

use luzhang_proto::wire;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};

use super::{
    Patient,
    finding::{Finding, Text},
};
use crate::{
    client::{Client, Target},
    failure::{Failure, exit},
    lang::Lang,
    servers::Named,
};

const CODE: &str = "DOCTOR_SERVER";
const ROUNDS: usize = 9;
/// From here on a caller notices.
const SLOW: Duration = Duration::from_millis(200);

pub(super) async fn look(patient: &Patient) -> Vec<Finding> {
    let mut findings = Vec::new();
    for server in &patient.servers {
        findings.extend(look_at(patient, server).await);
    }
    findings
}

async fn look_at(patient: &Patient, server: &Named) -> Vec<Finding> {
    let url = &server.urls;
    match ask(patient, Target::Server(server.clone())).await {
        Ok(Answers { serves: false, .. }) => {
            let seen = Text::new(
                format!("{url} 能应答，但健康检查不是 SERVING：它不再受理"),
                format!("{url} answers, and its health is not SERVING: it takes nothing"),
            );
            let remedy = Text::new(
                "查看服务日志中停止写入的原因，排除后重启服务",
                "see in the server's log why its writer stopped, mend that, and restart it",
            );
            vec![Finding::fail(CODE, seen, remedy)]
        }
        Ok(Answers {
            position,
            median,
            worst,
            ..
        }) => {
            let seen = Text::new(
                format!("{url} 有 {position} 个事件，应答中位 {median:.1?}，最长 {worst:.1?}"),
                format!(
                    "{url} has {position} events and answers in {median:.1?}, {worst:.1?} at worst"
                ),
            );
            if median > SLOW {
                let remedy = Text::new(
                    "查看 /metrics 中的 luzhang_queue_seconds 与 luzhang_flush_seconds",
                    "see luzhang_queue_seconds and luzhang_flush_seconds in its metrics",
                );
                return vec![Finding::warn(CODE, seen, remedy)];
            }
            vec![Finding::ok(CODE, seen)]
        }
        Err(failure) => {
            let seen = Text::new(
                format!("{url}：{}（{}）", failure.zh, failure.code),
                format!("{url}: {} ({})", failure.en, failure.code),
            );
            let remedy = Text::new(
                format!("运行 luzhang explain {} 查看说明", failure.code),
                format!("see `luzhang explain {}`", failure.code),
            );
            // Who may not ask has seen that it answers.
            if failure.exit == exit::NOT_PERMITTED {
                return vec![Finding::warn(CODE, seen, remedy)];
            }
            vec![Finding::fail(CODE, seen, remedy)]
        }
    }
}

/// What a server answered, and how soon.
struct Answers {
    serves: bool,
    position: u64,
    median: Duration,
    worst: Duration,
}

async fn ask(patient: &Patient, target: Target) -> Result<Answers, Failure> {
    let client = Client::open(&target, patient.principal.as_deref(), Lang::En).await?;
    let mut times = Vec::with_capacity(ROUNDS);
    let mut position = 0;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let head = client.audit().get_head(wire::GetHeadRequest {}).await?;
        times.push(begun.elapsed());
        position = head.into_inner().position;
    }
    let health = client.health().check(HealthCheckRequest::default()).await?;
    let serves = health.into_inner().status() == ServingStatus::Serving;
    client.close().await?;
    times.sort_unstable();
    let median = times.get(ROUNDS / 2).copied().unwrap_or_default();
    let worst = times.last().copied().unwrap_or_default();
    Ok(Answers {
        serves,
        position,
        median,
        worst,
    })
}
