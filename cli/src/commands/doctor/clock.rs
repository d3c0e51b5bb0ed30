//! The clock: it stamps every event, and decides when certificates expire.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
    time::UNIX_EPOCH,
};

use jiff::Timestamp;
use luzhang_proto::wire;

use super::{
    Dir, Patient,
    finding::{Finding, Text, span},
};
use crate::{
    client::{Client, Target},
    lang::Lang,
    servers::Named,
};

const CODE: &str = "DOCTOR_CLOCK";
/// What two looks at clocks may differ by.
const LEEWAY: i64 = 2;
/// The program is newer.
const BEGINNING: i64 = 1_767_225_600;

pub(super) async fn look(patient: &Patient) -> Vec<Finding> {
    let mut newest = patient.dir.as_ref().and_then(newest_file);
    for server in &patient.servers {
        newest = newest.max(newest_event(patient, server).await);
    }
    vec![judged(patient.now, newest), kept(patient.now)]
}

/// When something was written last, by the same clock that stamps events.
fn newest_file(dir: &Dir) -> Option<i64> {
    let files = ["head", "mark", "db/db", "tree/checkpoint", "lock"];
    let seconds = files.iter().filter_map(|file| {
        let written = fs::metadata(dir.path.join(file)).and_then(|file| file.modified());
        let since = written.ok()?.duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(since.as_secs()).ok()
    });
    seconds.max()
}

/// When a server recorded its newest event, if it tells.
async fn newest_event(patient: &Patient, server: &Named) -> Option<i64> {
    let target = Target::Server(server.clone());
    let client = Client::open(&target, patient.principal.as_deref(), Lang::En)
        .await
        .ok()?;
    let head = client
        .audit()
        .get_head(wire::GetHeadRequest {})
        .await
        .ok()?;
    let position = head.into_inner().position;
    let asked = wire::GetEventRequest { position };
    let event = client.ledger().get_event(asked).await.ok()?.into_inner();
    Some(event.event?.event?.recorded_at / 1_000_000)
}

fn judged(now: Timestamp, newest: Option<i64>) -> Finding {
    let seen = Text::new(format!("现在是 {now:.0}"), format!("it is {now:.0}"));
    let seconds = now.as_second();
    let behind = newest.map_or(0, |newest| newest.saturating_sub(seconds));
    if behind > LEEWAY || seconds < BEGINNING {
        let by = span(behind);
        let seen = Text::new(
            format!("{}，比最近一次写入早 {}", seen.zh, by.zh),
            format!("{}, {} before what was written last", seen.en, by.en),
        );
        let remedy = Text::new(
            "时钟倒退了：先校准时间，再启动服务；在此期间记入的事件，时间会停在最后一个事件之后",
            "the clock was set back: put it right before the server starts; until then events are \
             stamped just after the last one",
        );
        return Finding::fail(CODE, seen, remedy);
    }
    Finding::ok(CODE, seen)
}

/// Whether something keeps the clock right, as far as this machine knows.
fn kept(now: Timestamp) -> Finding {
    match synchronized() {
        Some((true, by)) => Finding::ok(
            CODE,
            Text::new(
                format!("时钟已同步（{by}）"),
                format!("the clock is synchronized ({by})"),
            ),
        ),
        Some((false, by)) => Finding::warn(
            CODE,
            Text::new(
                format!("时钟没有同步（{by}），现在是 {now:.0}"),
                format!("the clock is not synchronized ({by}); it is {now:.0}"),
            ),
            keep_it(),
        ),
        None => Finding::warn(
            CODE,
            Text::new(
                "本机没有可查的时钟同步服务",
                "nothing on this machine says whether the clock is synchronized",
            ),
            keep_it(),
        ),
    }
}

fn keep_it() -> Text {
    Text::new(
        "启用 systemd-timesyncd 或 chrony，指向单位内网的时间源",
        "run systemd-timesyncd or chrony, with a time source of the bureau's network",
    )
}

/// Asks who would know, none of them over the network.
fn synchronized() -> Option<(bool, &'static str)> {
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        return Some((true, "systemd-timesyncd"));
    }
    let show = ["show", "--property=NTPSynchronized", "--value"];
    if let Some(said) = said_by("timedatectl", &show) {
        match said.trim() {
            "yes" => return Some((true, "timedatectl")),
            "no" => return Some((false, "timedatectl")),
            _ => {}
        }
    }
    // The last of its fields is the leap status.
    let said = said_by("chronyc", &["-c", "tracking"])?;
    let status = said.trim().rsplit(',').next()?;
    Some((status != "Not synchronised", "chronyc"))
}

fn said_by(program: &str, arguments: &[&str]) -> Option<String> {
    let paths = env::var_os("PATH")?;
    // Looked for first: a machine without it is not told so.
    let file = env::split_paths(&paths).map(|dir| dir.join(program));
    let file = file.into_iter().find(|file| file.is_file())?;
    let output = Command::new(file)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_is_found() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        for (newest, state) in [
            (None, State::Ok),
            (Some(1_799_999_000), State::Ok),
            (Some(1_800_000_002), State::Ok),
            (Some(1_800_000_003), State::Fail),
        ] {
            assert_eq!(judged(now, newest).state, state, "{newest:?}");
        }
        let early = Timestamp::from_second(0).unwrap();
        assert_eq!(judged(early, None).state, State::Fail);
    }
}
