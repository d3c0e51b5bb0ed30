//! A log with two histories, both signed: one of them is cosigned, and once it
//! is, never the other.

use std::{sync::Barrier, thread};

use crate::{history::History, running::Office, wire};

#[test]
fn a_fork_is_not_cosigned_in_either_order_nor_after_a_restart() {
    for (parts_after, first, size) in [(0, 1, 1), (0, 4, 9), (3, 4, 5), (4, 8, 9), (7, 8, 20)] {
        let one = History::new("log.example/forks", 20);
        let other = one.fork(parts_after);
        for (cosigned, fork) in [(&one, &other), (&other, &one)] {
            let office = Office::watching([one.verifier()]);
            let mut witness = office.start();
            let reply = witness.add_checkpoint(&cosigned.request(0, first));
            office.cosigned(&cosigned.checkpoint(first), &reply);
            for _ in 0..2 {
                for old in 0..=first {
                    for new in [first, first + 1, size, 20] {
                        let reply = witness.add_checkpoint(&fork.request(old, new));
                        let refused = matches!(reply.status, 400 | 409 | 422);
                        assert!(refused, "{parts_after} {first} {old} {new}: {reply:?}");
                    }
                }
                // A proof that is right for one history and a head of the other.
                let mut mixed = fork.extension(first, 20);
                mixed.proof = cosigned.proof(first, 20);
                let reply = witness.add_checkpoint(mixed.to_string().as_bytes());
                assert_eq!(reply.status, 422, "{reply:?}");
                witness.kill();
                witness = office.start();
            }
            let reply = witness.add_checkpoint(&cosigned.request(first, 20));
            office.cosigned(&cosigned.checkpoint(20), &reply);
        }
    }
}

#[test]
fn what_both_histories_have_is_cosigned_for_either() {
    let one = History::new("log.example/forks", 20);
    let other = one.fork(6);
    let office = Office::watching([one.verifier()]);
    let witness = office.start();
    for (old, new) in [(0, 2), (2, 5), (5, 6)] {
        let reply = witness.add_checkpoint(&other.request(old, new));
        office.cosigned(&one.checkpoint(new), &reply);
    }
    let reply = witness.add_checkpoint(&one.request(6, 7));
    office.cosigned(&one.checkpoint(7), &reply);
    assert_eq!(witness.add_checkpoint(&other.request(6, 7)).body, "7\n");
    assert_eq!(witness.add_checkpoint(&other.request(7, 7)).status, 422);
}

/// Of two that ask from the same size at the same time, one is told that it comes
/// too late, whatever they ask for.
#[test]
fn two_at_a_time_one_wins() {
    let one = History::new("log.example/forks", 200);
    let other = one.fork(0);
    let office = Office::watching([one.verifier()]);
    let witness = office.start();
    let mut standing = &one;
    let mut old = 0;
    let mut won = [0; 2];
    for round in 0..60 {
        // The same, a larger one, and at first also another history.
        let rivals = match round {
            0 => [(&one, 1), (&other, 1)],
            _ if round % 2 == 0 => [(standing, old + 1), (standing, old + 1)],
            _ => [(standing, old + 1), (standing, old + 2)],
        };
        let barrier = Barrier::new(2);
        let replies = thread::scope(|scope| {
            let asking = rivals.map(|(history, new)| {
                let (barrier, url) = (&barrier, &witness.url);
                scope.spawn(move || {
                    let request = history.request(old, new);
                    barrier.wait();
                    wire::add_checkpoint(url, &request).unwrap()
                })
            });
            asking.map(|asking| asking.join().unwrap())
        });
        let winner = usize::from(replies[0].status != 200);
        let (history, new) = rivals[winner];
        office.cosigned(&history.checkpoint(new), &replies[winner]);
        let loser = &replies[1 - winner];
        assert_eq!(loser.status, 409, "{round}: {replies:?}");
        assert_eq!(loser.body, format!("{new}\n"), "{round}");
        won[winner] += 1;
        (standing, old) = (history, new);
    }
    println!("the first won {}, the second {}", won[0], won[1]);
}
