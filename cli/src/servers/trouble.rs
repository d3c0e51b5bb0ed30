//! What may come in place of an answer, and how long somebody puts up with it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::failure::{self, Failure, exit};

/// How often a server may say that it is busy before it is believed.
const ATTEMPTS: u32 = 6;
/// The longest that is waited between two attempts at a busy server.
const LONGEST: Duration = Duration::from_secs(10);
/// The pause before servers are asked once more, if they do not say; it grows.
const PAUSE: Duration = Duration::from_millis(200);
/// And the longest.
const LONG_PAUSE: Duration = Duration::from_secs(1);
/// How often in a row servers are followed that nobody has named.
const HOPS: usize = 3;

/// Why a request is to be asked again, here or elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The server is busy, and says when to come again.
    Busy(Duration),
    /// There is a server, and nobody who asks like this can use it.
    Unusable,
    /// Nobody answers. Nothing was sent.
    Away,
    /// Another server writes, and this one may say which. Nothing was done.
    Elsewhere(String),
    /// The server is gone, or has stopped. What became of the request is unknown.
    Lost,
}

impl Trouble {
    /// `None` if a status is an answer.
    pub(super) fn of(status: &Status) -> Option<Self> {
        if let Some(failure) = failure::behind(status) {
            return Some(if failure.exit == exit::UNKNOWN {
                Self::Away
            } else {
                Self::Unusable
            });
        }
        let details = status.get_error_details();
        let Some(info) = details.error_info() else {
            // Of the transport, or of something between here and the server.
            return failure::is_cut_off(status).then_some(Self::Lost);
        };
        match info.reason.as_str() {
            "NOT_THE_WRITER" => {
                let writer = info.metadata.get("writer");
                Some(Self::Elsewhere(writer.cloned().unwrap_or_default()))
            }
            "WRITER_STOPPED" | "SHUTTING_DOWN" => Some(Self::Lost),
            "QUEUE_FULL" | "RATE_LIMITED" => {
                let again = details.retry_info()?.retry_delay?;
                Some(Self::Busy(again))
            }
            _ => None,
        }
    }

    /// Whether it may pass.
    fn passes(&self) -> bool {
        match self {
            Self::Unusable => false,
            Self::Busy(_) | Self::Away | Self::Elsewhere(_) | Self::Lost => true,
        }
    }

    /// Of several, the one that is told in the end: what is unknown before what is known
    /// not to be done.
    fn weight(&self) -> u8 {
        match self {
            Self::Unusable => 0,
            Self::Away => 1,
            Self::Busy(_) | Self::Elsewhere(_) => 2,
            Self::Lost => 3,
        }
    }
}

/// One request, or one stream as long as nothing comes: who was asked for it, and since
/// when it has been in trouble.
#[derive(Debug, Default)]
pub(crate) struct Wait {
    since: Option<Instant>,
    /// Who was asked since the last pause, and the code that each of them gave.
    asked: Vec<(String, String)>,
    /// How many of those nobody had named.
    hops: usize,
    /// Whether any of them may be better soon.
    hopeful: bool,
    busy: u32,
    pauses: u32,
    /// The longest pause that a server has asked for.
    wanted: Duration,
    /// The gravest trouble so far.
    gravest: Option<(u8, Status)>,
}

impl Wait {
    /// Something has come: what was, is over.
    pub(crate) fn heard(&mut self) {
        *self = Self::default();
    }

    /// Notes what came of asking a server.
    pub(super) fn note(&mut self, url: &str, trouble: &Trouble, status: Status) {
        self.since.get_or_insert_with(Instant::now);
        self.hopeful |= trouble.passes();
        let again = status.get_details_retry_info();
        let again = again.and_then(|again| again.retry_delay);
        self.wanted = self.wanted.max(again.unwrap_or_default());
        let code = Failure::from(status.clone()).code;
        self.asked.push((url.to_owned(), code));
        let weight = trouble.weight();
        if self
            .gravest
            .as_ref()
            .is_none_or(|(than, _)| weight >= *than)
        {
            self.gravest = Some((weight, status));
        }
    }

    /// Whether a server was asked since the last pause.
    pub(super) fn has_asked(&self, url: &str) -> bool {
        self.asked.iter().any(|(asked, _)| asked == url)
    }

    /// Takes one more step to a server that nobody has named, if there was no end of
    /// them yet.
    pub(super) fn hop(&mut self) -> bool {
        self.hops += 1;
        self.hops <= HOPS
    }

    /// Who was asked, and what they said.
    pub(super) fn said(&self, between: &str) -> String {
        let said = self.asked.iter().map(|(url, code)| format!("{url} {code}"));
        said.collect::<Vec<_>>().join(between)
    }

    /// Whether nobody has been waited for yet.
    pub(super) fn is_first(&self) -> bool {
        self.pauses == 0
    }

    /// How long to pause before all are asked once more; `None` if that is no use, or
    /// somebody's patience is at its end.
    pub(super) fn pause(&self, patience: Duration) -> Option<Duration> {
        let waited = self.since.map_or(Duration::ZERO, |since| since.elapsed());
        let left = patience.checked_sub(waited).filter(|left| !left.is_zero());
        let left = left.filter(|_| self.hopeful)?;
        let pause = PAUSE.saturating_mul(1 << self.pauses.min(8));
        Some(pause.min(LONG_PAUSE).max(self.wanted).min(left))
    }

    /// All may be asked again.
    pub(super) fn begin_again(&mut self) {
        self.pauses += 1;
        self.asked.clear();
        self.hops = 0;
        self.wanted = Duration::ZERO;
        self.hopeful = false;
    }

    /// What is told in the end, in place of the last trouble.
    pub(super) fn give_up(&mut self, last: Status) -> Status {
        let waited = self.since.map_or(Duration::ZERO, |since| since.elapsed());
        let gravest = self.gravest.take().map_or(last, |(_, status)| status);
        if self.pauses == 0 && self.asked.len() < 2 {
            return gravest;
        }
        let code = gravest.code();
        let mut failure = Failure::from(gravest);
        let seconds = waited.as_secs();
        let (zh, en) = (self.said("，"), self.said(", "));
        failure.zh = format!("{}（等候了 {seconds} 秒；最后问过：{zh}）", failure.zh);
        failure.en = format!("{} (waited {seconds} s; asked last: {en})", failure.en);
        as_status(code, failure)
    }

    /// Waits as a busy server asks for, longer each time, so that many who wait do not
    /// come back at once for ever.
    pub(super) async fn busy(&mut self, again: Duration, status: Status) -> Result<(), Status> {
        self.busy += 1;
        if self.busy >= ATTEMPTS {
            return Err(status);
        }
        let times = 1 << (self.busy - 1);
        tokio::time::sleep(again.saturating_mul(times).min(LONGEST)).await;
        Ok(())
    }
}

/// A failure on its way through what knows statuses only.
pub(super) fn as_status(code: Code, failure: Failure) -> Status {
    let mut status = Status::new(code, failure.en.clone());
    status.set_source(Arc::new(failure));
    status
}

/// A failure to reach a server.
pub(super) fn unreached(failure: Failure) -> Status {
    let code = if failure.exit == exit::UNKNOWN {
        Code::Unavailable
    } else {
        Code::Unknown
    };
    as_status(code, failure)
}

#[cfg(test)]
mod tests {
    use luzhang_server::Rejected;

    use super::*;

    fn away() -> Status {
        unreached(Failure {
            exit: exit::UNKNOWN,
            ..Failure::new("SERVER_UNREACHABLE", "无法连接", "cannot reach it")
        })
    }

    fn unusable() -> Status {
        unreached(Failure {
            exit: exit::NOT_PERMITTED,
            ..Failure::new("SERVER_UNTRUSTED", "不可信", "not believed")
        })
    }

    #[test]
    fn what_a_server_answers_is_told_from_what_keeps_it_from_answering() {
        let elsewhere = |writer: &str| Some(Trouble::Elsewhere(writer.to_owned()));
        for (status, trouble) in [
            (
                Rejected::not_the_writer("two:1").into_status(),
                elsewhere("two:1"),
            ),
            (Rejected::not_the_writer("").into_status(), elsewhere("")),
            (Rejected::shutting_down().into_status(), Some(Trouble::Lost)),
            (
                Rejected::queue_full().into_status(),
                Some(Trouble::Busy(Duration::from_millis(200))),
            ),
            (Rejected::missing("x").into_status(), None),
            (Rejected::deadline_passed().into_status(), None),
            // Waiting does not mend what it says.
            (
                Rejected::new(Code::Unavailable, "QUORUM_NOT_MET", "", "").into_status(),
                None,
            ),
            (Status::unavailable("broken pipe"), Some(Trouble::Lost)),
            (Status::unknown("h2 protocol error"), Some(Trouble::Lost)),
            (Status::deadline_exceeded("too late"), None),
            (Status::unimplemented("what?"), None),
            (away(), Some(Trouble::Away)),
            (unusable(), Some(Trouble::Unusable)),
        ] {
            assert_eq!(Trouble::of(&status), trouble, "{status:?}");
        }
    }

    fn asked(troubles: &[Status]) -> Wait {
        let mut wait = Wait::default();
        for (number, status) in troubles.iter().enumerate() {
            let trouble = Trouble::of(status).unwrap();
            wait.note(&format!("http://{number}"), &trouble, status.clone());
        }
        wait
    }

    #[test]
    fn nobody_waits_for_what_does_not_pass() {
        let patience = Duration::from_secs(30);
        for (troubles, waits) in [
            (&[away()][..], true),
            (&[unusable()], false),
            (&[unusable(), away()], true),
            (
                &[Rejected::not_the_writer("").into_status(), unusable()],
                true,
            ),
        ] {
            let wait = asked(troubles);
            assert_eq!(wait.pause(patience).is_some(), waits, "{troubles:?}");
            assert_eq!(wait.pause(Duration::ZERO), None);
        }
    }

    #[test]
    fn pauses_grow_and_end_with_patience() {
        let mut wait = asked(&[away()]);
        let mut pauses = Vec::new();
        for _ in 0..4 {
            pauses.push(wait.pause(Duration::from_secs(30)).unwrap().as_millis());
            wait.begin_again();
            wait.note("http://0", &Trouble::Away, away());
        }
        assert_eq!(pauses, [200, 400, 800, 1_000]);
        assert!(wait.pause(Duration::from_millis(90)).unwrap().as_millis() <= 90);
        // Who says when to come again is not asked before.
        let mut status = Rejected::not_the_writer("");
        status.retry_millis = std::num::NonZeroU32::new(3_000);
        let wait = asked(&[status.into_status()]);
        let pause = wait.pause(Duration::from_secs(30));
        assert_eq!(pause, Some(Duration::from_secs(3)));
    }

    /// Servers that send one to each other are not followed for ever.
    #[test]
    fn steps_to_servers_that_nobody_named_are_few() {
        let mut wait = Wait::default();
        for _ in 0..2 {
            let steps = (0..10).filter(|_| wait.hop()).count();
            assert_eq!(steps, HOPS);
            wait.begin_again();
        }
    }

    /// Whoever is told that nothing was written must be able to believe it.
    #[test]
    fn what_is_unknown_is_told_before_what_is_known() {
        let lost = Status::unavailable("connection reset");
        let elsewhere = Rejected::not_the_writer("two:1").into_status();
        for (troubles, code) in [
            (
                &[lost.clone(), elsewhere.clone(), away()][..],
                "CONNECTION_LOST",
            ),
            (&[elsewhere.clone(), away()], "NOT_THE_WRITER"),
            (&[away(), unusable()], "SERVER_UNREACHABLE"),
            (&[unusable()], "SERVER_UNTRUSTED"),
        ] {
            let mut wait = asked(troubles);
            let told = Failure::from(wait.give_up(away()));
            assert_eq!(told.code, code);
            let all = troubles.len() > 1;
            assert_eq!(told.en.contains("http://0"), all, "{}", told.en);
        }
        // Nor is it forgotten over a pause.
        let mut wait = asked(&[lost]);
        wait.begin_again();
        wait.note("http://1", &Trouble::Elsewhere(String::new()), elsewhere);
        let told = Failure::from(wait.give_up(away()));
        assert_eq!(
            (told.code.as_str(), told.exit),
            ("CONNECTION_LOST", exit::UNKNOWN)
        );
    }
}
