//! Certificates, and how long they still hold.

use std::path::Path;

use jiff::Timestamp;
use luzhang_server::tls::{Files, Tls, certificate::Facts, pem};

use super::{
    Patient,
    finding::{Finding, Text},
};
use crate::{
    commands::cert::{Standing, days_left, of_server},
    transport::identity_files,
};

const CODE: &str = "DOCTOR_CERTIFICATE";

pub(super) async fn look(patient: &Patient) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(files) = &patient.tls {
        findings.extend(of_files(files, patient.now));
    }
    let identity = patient.servers.iter().find_map(|s| s.identity.as_ref());
    if let Some(prefix) = identity {
        findings.extend(of_file(&identity_files(prefix).0, patient.now));
    }
    for url in patient.servers.iter().flat_map(|server| server.urls.iter()) {
        if url.starts_with("https://")
            && let Ok(shown) = of_server(url).await
        {
            let first = shown.first();
            findings.extend(
                first.map(|found| judged(&found.place, &found.facts, patient.now, renew())),
            );
        }
    }
    findings
}

fn of_files(files: &Files, now: Timestamp) -> Vec<Finding> {
    // As a server would: the key must be the certificate's.
    if let Err(error) = Tls::load(files.clone()) {
        let seen = Text::new(
            format!("{}（{}）", error.zh(), error.code()),
            format!("{error} ({})", error.code()),
        );
        let remedy = Text::new(
            format!("运行 luzhang explain {} 查看说明", error.code()),
            format!("see `luzhang explain {}`", error.code()),
        );
        return vec![Finding::fail(CODE, seen, remedy)];
    }
    let of_both = [&files.cert, &files.client_ca].map(|file| of_file(file, now));
    of_both.into_iter().flatten().collect()
}

/// The certificates of a file.
pub(super) fn of_file(file: &Path, now: Timestamp) -> Vec<Finding> {
    match pem::certificates(file) {
        Ok(certificates) => {
            let facts = certificates.iter().filter_map(|der| Facts::read(der).ok());
            let place = file.display().to_string();
            facts
                .map(|facts| judged(&place, &facts, now, renew()))
                .collect()
        }
        Err(error) => vec![Finding::fail(
            CODE,
            Text::new(
                format!("{}（{}）", error.zh(), error.code()),
                format!("{error} ({})", error.code()),
            ),
            renew(),
        )],
    }
}

fn renew() -> Text {
    Text::new(
        "换上新证书：文件更换后服务会自行重新读取",
        "put a new certificate in its place: the server reads it again by itself",
    )
}

/// How long a certificate holds, and what to do before it does not.
pub(super) fn judged(place: &str, facts: &Facts, now: Timestamp, renew: Text) -> Finding {
    let Facts {
        subject, not_after, ..
    } = facts;
    let days = days_left(facts, now);
    let seen = Text::new(
        format!("{place}：{subject}，有效至 {not_after:.0}（还有 {days} 天）"),
        format!("{place}: {subject}, valid until {not_after:.0} ({days} days)"),
    );
    match Standing::of(facts, now) {
        Standing::Valid => Finding::ok(CODE, seen),
        Standing::Soon => Finding::warn(CODE, seen, renew),
        Standing::Expired | Standing::Early => Finding::fail(CODE, seen, renew),
    }
}
