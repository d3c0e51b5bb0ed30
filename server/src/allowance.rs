//! What one caller may ask for at a time: commands a second, requests under way,
//! open streams. A caller is a principal.
//!
//! A single request beyond that is turned away and told when to come again. A
//! stream is slowed down instead: it waits until what it has taken is paid for.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use luzhang_ledger::text::Principal;
use parking_lot::Mutex;

use crate::rejected::Rejected;

/// What each principal may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Commands a second on average; a second's worth may come at once. Without
    /// it there is no such limit: turns are fair in any case, and an import is as
    /// fast as the ledger.
    pub rate: Option<NonZeroU32>,
    /// Single requests under way.
    pub requests: usize,
    /// Open streams.
    pub streams: usize,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            rate: None,
            // Half of the queue, so that one principal does not fill it.
            requests: 512,
            streams: 64,
        }
    }
}

/// The most principals that are remembered. Who has nothing under way and has paid
/// is forgotten before that.
const PRINCIPALS: usize = 10_000;

/// The most streams of all principals together. Some hold a thread while their
/// answers are not read, and of such threads there are 512.
const STREAMS: usize = 256;

/// How long to wait where nothing says how long.
const SHORTLY: Duration = Duration::from_millis(200);

/// A command, as it is paid for.
const COMMAND: i64 = 1_000_000;

/// What all of them have.
#[derive(Debug)]
pub(crate) struct Allowances {
    each: Allowance,
    accounts: Mutex<HashMap<Principal, Account>>,
    /// Streams of all.
    streams: AtomicUsize,
}

#[derive(Clone, Copy, Debug)]
struct Account {
    /// Millionths of commands that may still come; below zero what a stream has
    /// taken in advance.
    left: i64,
    /// When that was.
    at: Instant,
    requests: usize,
    streams: usize,
}

/// What counts while it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Request,
    Stream,
}

/// Something under way.
#[derive(Debug)]
pub(crate) struct UnderWay {
    allowances: Arc<Allowances>,
    principal: Principal,
    kind: Kind,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut accounts = self.allowances.accounts.lock();
        if self.kind == Kind::Stream {
            self.allowances.streams.fetch_sub(1, Ordering::Relaxed);
        }
        if let Some(account) = accounts.get_mut(&self.principal) {
            let count = account.count(self.kind);
            *count = count.saturating_sub(1);
        }
    }
}

impl Account {
    fn new(each: &Allowance, now: Instant) -> Self {
        Self {
            left: each.most(),
            at: now,
            requests: 0,
            streams: 0,
        }
    }

    fn count(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Request => &mut self.requests,
            Kind::Stream => &mut self.streams,
        }
    }

    /// Adds what has come since.
    fn earn(&mut self, each: &Allowance, now: Instant) {
        let Some(rate) = each.rate else {
            return;
        };
        let micros = now.saturating_duration_since(self.at).as_micros();
        let earned = micros.saturating_mul(u128::from(rate.get()));
        let earned = i64::try_from(earned).unwrap_or(i64::MAX);
        self.left = self.left.saturating_add(earned).min(each.most());
        self.at = now;
    }

    /// Whether forgetting it changes nothing.
    fn is_idle(&self, each: &Allowance) -> bool {
        self.requests == 0 && self.streams == 0 && self.left >= each.most()
    }
}

impl Allowance {
    /// A second's worth.
    fn most(&self) -> i64 {
        self.rate
            .map_or(0, |rate| i64::from(rate.get()).saturating_mul(COMMAND))
    }

    /// How long it takes until there is so much more.
    fn time(rate: NonZeroU32, missing: i64) -> Duration {
        let missing = u64::try_from(missing).unwrap_or(0);
        // Millionths at so many whole ones a second.
        Duration::from_micros(missing.div_ceil(u64::from(rate.get())))
    }
}

impl Allowances {
    pub(crate) fn new(each: Allowance) -> Self {
        Self {
            each,
            accounts: Mutex::default(),
            streams: AtomicUsize::new(0),
        }
    }

    /// A single request of one command.
    pub(crate) fn command(self: &Arc<Self>, who: &Principal) -> Result<UnderWay, Rejected> {
        self.with(who, Instant::now(), |account| {
            if let Some(rate) = self.each.rate
                && account.left < COMMAND
            {
                let missing = COMMAND.saturating_sub(account.left);
                return Err(limited(Allowance::time(rate, missing)));
            }
            self.begin(who, account, Kind::Request).inspect(|_| {
                if self.each.rate.is_some() {
                    account.left -= COMMAND;
                }
            })
        })
    }

    /// A single request that only reads.
    pub(crate) fn request(self: &Arc<Self>, who: &Principal) -> Result<UnderWay, Rejected> {
        self.with(who, Instant::now(), |account| {
            self.begin(who, account, Kind::Request)
        })
    }

    /// A stream.
    pub(crate) fn stream(self: &Arc<Self>, who: &Principal) -> Result<UnderWay, Rejected> {
        self.with(who, Instant::now(), |account| {
            self.begin(who, account, Kind::Stream)
        })
    }

    fn begin(
        self: &Arc<Self>,
        who: &Principal,
        account: &mut Account,
        kind: Kind,
    ) -> Result<UnderWay, Rejected> {
        let (most, full) = match kind {
            Kind::Request => (self.each.requests, false),
            // Counted while the accounts are locked.
            Kind::Stream => (
                self.each.streams,
                self.streams.load(Ordering::Relaxed) >= STREAMS,
            ),
        };
        let count = account.count(kind);
        if *count >= most || full {
            return Err(limited(SHORTLY));
        }
        *count += 1;
        if kind == Kind::Stream {
            self.streams.fetch_add(1, Ordering::Relaxed);
        }
        Ok(UnderWay {
            allowances: Arc::clone(self),
            principal: who.clone(),
            kind,
        })
    }

    /// Takes so many commands of a stream: how long it must wait before they are
    /// decided.
    pub(crate) fn take(&self, who: &Principal, commands: usize) -> Duration {
        let Some(rate) = self.each.rate else {
            return Duration::ZERO;
        };
        let commands = i64::try_from(commands).unwrap_or(i64::MAX);
        let taken = self.with(who, Instant::now(), |account| {
            account.left = account
                .left
                .saturating_sub(commands.saturating_mul(COMMAND));
            Ok(Allowance::time(rate, account.left.saturating_neg()))
        });
        // Whoever has a stream is remembered.
        taken.unwrap_or(SHORTLY)
    }

    fn with<R>(
        &self,
        who: &Principal,
        now: Instant,
        what: impl FnOnce(&mut Account) -> Result<R, Rejected>,
    ) -> Result<R, Rejected> {
        let mut accounts = self.accounts.lock();
        if !accounts.contains_key(who) && accounts.len() >= PRINCIPALS {
            accounts.retain(|_, account| {
                account.earn(&self.each, now);
                !account.is_idle(&self.each)
            });
            if accounts.len() >= PRINCIPALS {
                return Err(limited(SHORTLY));
            }
        }
        let account = accounts
            .entry(who.clone())
            .or_insert_with(|| Account::new(&self.each, now));
        account.earn(&self.each, now);
        what(account)
    }
}

fn limited(again: Duration) -> Rejected {
    // Rounded up: whoever comes back then is not too early.
    Rejected::rate_limited(again + Duration::from_millis(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(name: &str) -> Principal {
        Principal::new(name).unwrap()
    }

    fn allowances(rate: Option<u32>) -> Arc<Allowances> {
        Arc::new(Allowances::new(Allowance {
            rate: rate.and_then(NonZeroU32::new),
            requests: 2,
            streams: 1,
        }))
    }

    #[test]
    fn an_account_earns_its_rate_and_no_more_than_a_second_of_it() {
        let each = allowances(Some(10)).each;
        let began = Instant::now();
        let mut account = Account::new(&each, began);
        account.left = 0;
        for (millis, left) in [
            (0, 0),
            (50, 500_000),
            (100, 1_000_000),
            (60_000, 10_000_000),
        ] {
            account.earn(&each, began + Duration::from_millis(millis));
            assert_eq!(account.left, left, "{millis}");
        }
    }

    #[test]
    fn who_asks_too_much_is_told_when_to_come_again_and_others_are_not() {
        let allowances = allowances(Some(3));
        for _ in 0..3 {
            allowances.command(&who("a")).unwrap();
        }
        let turned = allowances.command(&who("a")).unwrap_err();
        assert_eq!(turned.code, "RATE_LIMITED");
        let again = turned.retry_millis.unwrap().get();
        assert!((101..=334).contains(&again), "{again}");
        allowances.command(&who("b")).unwrap();
    }

    #[test]
    fn a_stream_takes_in_advance_and_waits() {
        let allowances = allowances(Some(100));
        assert_eq!(allowances.take(&who("a"), 100), Duration::ZERO);
        let wait = allowances.take(&who("a"), 1_000);
        assert!(wait > Duration::from_secs(9) && wait <= Duration::from_secs(10));
        assert!(allowances.command(&who("a")).is_err(), "it is in debt");
    }

    #[test]
    fn what_is_under_way_counts_until_it_ends() {
        let allowances = allowances(None);
        let first = allowances.command(&who("a")).unwrap();
        let _second = allowances.request(&who("a")).unwrap();
        assert!(allowances.request(&who("a")).is_err());
        let _stream = allowances.stream(&who("a")).unwrap();
        assert!(allowances.stream(&who("a")).is_err());
        drop(first);
        allowances.command(&who("a")).unwrap();
    }

    #[test]
    fn all_together_have_so_many_streams_and_no_more() {
        let allowances = allowances(None);
        let mut streams = Vec::new();
        for number in 0..STREAMS {
            streams.push(allowances.stream(&who(&number.to_string())).unwrap());
        }
        assert!(allowances.stream(&who("late")).is_err());
        streams.pop();
        allowances.stream(&who("late")).unwrap();
    }

    #[test]
    fn names_without_end_are_not_remembered() {
        let allowances = allowances(None);
        for number in 0..2 * PRINCIPALS {
            allowances.command(&who(&number.to_string())).unwrap();
        }
        assert!(allowances.accounts.lock().len() <= PRINCIPALS);
    }
}
