//! A witness is killed again and again while two histories of each of its logs
//! race to be cosigned. Every cosignature that it ever gave is kept, and in the
//! end all of one log must be of one history.

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Mutex,
        mpsc::{self, Sender},
    },
    thread,
};

use luzhang_ledger::proof::{SignedCheckpoint, note::SignatureLine, tree};
use luzhang_server::witness::OriginHash;

use crate::{
    history::History,
    running::Office,
    support::Dice,
    wire::{Reply, Wire},
};

const KILLS: usize = 64;
const LOGS: usize = 16;
/// Leaves of each history.
const LEAVES: u64 = 60;
/// Before a kill, at most so many answers.
const ANSWERS: u64 = 25;
const CALLERS: usize = 4;

/// A log that forks, and all that the witness has cosigned of it.
#[derive(Debug)]
struct Forked {
    histories: [History; 2],
    cosigned: Mutex<Vec<SignedCheckpoint>>,
}

impl Forked {
    fn new(number: usize, dice: &mut Dice) -> Self {
        let history = History::new(&format!("log.example/{number}"), LEAVES);
        let other = history.fork(dice.below(8));
        Self {
            histories: [history, other],
            cosigned: Mutex::default(),
        }
    }

    fn keep(&self, office: &Office, mut checkpoint: SignedCheckpoint, line: SignatureLine) {
        office.holds(&checkpoint, &line);
        checkpoint.add(line);
        self.cosigned.lock().unwrap().push(checkpoint);
    }

    /// Asks once for one of the histories, from where the witness stands.
    fn ask(&self, office: &Office, wire: &mut Wire, dice: &mut Dice) -> io::Result<Reply> {
        let side = usize::from(dice.below(2) == 1);
        let history = &self.histories[side];
        let mut seen = 0;
        let mut new = 1 + dice.below(3);
        let mut add = |old, new| wire.ask("POST", "/add-checkpoint", &history.request(old, new));
        let mut reply = add(seen, new)?;
        if reply.status == 409 {
            seen = reply.body.trim_end().parse().unwrap();
            // 0 asks for the same again.
            new = (seen + dice.below(4)).min(LEAVES);
            reply = add(seen, new)?;
        }
        if reply.status == 200 {
            let line = reply.body.trim_end().parse().unwrap();
            self.keep(office, history.checkpoint(new), line);
        }
        if dice.below(4) == 0 {
            self.look(office, wire)?;
        }
        Ok(reply)
    }

    /// What is published was given out as well.
    fn look(&self, office: &Office, wire: &mut Wire) -> io::Result<()> {
        let origin = OriginHash::of(self.histories[0].origin());
        let newest = wire.ask("GET", &format!("/{origin}/checkpoint"), b"")?;
        if newest.status == 200 {
            let newest = SignedCheckpoint::parse(newest.body.as_bytes()).unwrap();
            let lines = newest.note().signatures().iter();
            let mut own = lines.filter(|line| line.name() == office.key.name());
            let line = own.next().unwrap().clone();
            self.keep(office, newest, line);
        }
        Ok(())
    }

    /// The history that was cosigned: every two of its heads are consistent.
    fn winner(&self) -> usize {
        let mut cosigned = self.cosigned.lock().unwrap();
        cosigned.sort_by_key(|checkpoint| checkpoint.head().size);
        let is_of = |history: &History| {
            let mut heads = cosigned.iter().map(SignedCheckpoint::head);
            heads.all(|head| head == history.head(head.size))
        };
        let of: Vec<usize> = (0..2)
            .filter(|side| is_of(&self.histories[*side]))
            .collect();
        let [winner] = of.as_slice() else {
            panic!("of one history, and of which is known by now: {of:?} {cosigned:#?}");
        };
        for pair in cosigned.windows(2) {
            let (old, new) = (pair[0].head(), pair[1].head());
            let proof = self.histories[*winner].proof(old.size, new.size);
            tree::verify_consistency(&old, &new, &proof).unwrap();
        }
        *winner
    }
}

/// Asks until the witness is gone, and says so each time.
fn call(logs: &[Forked], office: &Office, url: &str, mut dice: Dice, answered: &Sender<u16>) {
    let Ok(mut wire) = Wire::connect(url) else {
        return;
    };
    loop {
        let log = &logs[usize::try_from(dice.below(LOGS as u64)).unwrap()];
        let Ok(reply) = log.ask(office, &mut wire, &mut dice) else {
            return;
        };
        if answered.send(reply.status).is_err() {
            return;
        }
    }
}

#[test]
fn whenever_it_is_killed_all_that_it_cosigned_of_a_log_is_one_history() {
    let mut dice = Dice::new("witness");
    let logs: Vec<Forked> = (0..LOGS).map(|n| Forked::new(n, &mut dice)).collect();
    let office = Office::watching(logs.iter().map(|log| log.histories[0].verifier()));
    let mut answers: BTreeMap<u16, u64> = BTreeMap::new();
    for kill in 0..KILLS {
        let witness = office.start();
        let url = witness.url.clone();
        let (answered, heard) = mpsc::channel();
        thread::scope(|scope| {
            for caller in 0..CALLERS {
                let dice = Dice::new(&format!("{kill} {caller}"));
                let (logs, office, url) = (&logs, &office, &url);
                let answered = answered.clone();
                scope.spawn(move || call(logs, office, url, dice, &answered));
            }
            // The others are in the middle of something when one is answered.
            for _ in 0..dice.below(ANSWERS) {
                *answers.entry(heard.recv().unwrap()).or_default() += 1;
            }
            witness.kill();
        });
        drop(answered);
        for status in heard {
            *answers.entry(status).or_default() += 1;
        }
    }
    let mut won = [0; 2];
    for log in &logs {
        won[log.winner()] += 1;
    }
    let cosigned: usize = logs
        .iter()
        .map(|log| log.cosigned.lock().unwrap().len())
        .sum();
    println!("{KILLS} kills, answers {answers:?}, {cosigned} cosignatures, won {won:?}");
    let expected = answers
        .keys()
        .all(|status| [200, 409, 422].contains(status));
    assert!(expected, "{answers:?}");
    assert!(
        cosigned > KILLS && won[0] > 0 && won[1] > 0,
        "{cosigned} {won:?}"
    );
    // And it goes on.
    let witness = office.start();
    let log = &logs[0].histories[logs[0].winner()];
    let seen = witness.add_checkpoint(&log.request(0, LEAVES));
    let seen: u64 = seen.body.trim_end().parse().unwrap();
    let reply = witness.add_checkpoint(&log.request(seen, LEAVES));
    office.cosigned(&log.checkpoint(LEAVES), &reply);
}
