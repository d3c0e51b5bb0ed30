//! A person who claims in two counties is stopped, budgets hold, and neither a crash at
//! any point nor a ledger that is away makes it otherwise.

use std::collections::BTreeMap;

use crate::{
    commands::{Commanded as _, attendance, fresh_id, listed, shown},
    go_between::{Crash, GoBetween, Outcome, POINTS, Point, Unfinished, authority, payment},
    province::{Claim, DAILY, DAYS, Province, Reservation},
    site::test,
    support::{Dice, Person},
};

fn claim(number: &str, person: u32, day: &'static str, office: u32) -> Claim {
    Claim {
        request: fresh_id(),
        number: number.to_owned(),
        person,
        day,
        office,
    }
}

fn go_between(province: &Province, crash: Crash) -> GoBetween<'_> {
    GoBetween { province, crash }
}

const BOTH: i64 = 1_000_000;

#[test]
fn whoever_claims_in_two_counties_is_stopped_at_home() {
    test(async {
        let province = Province::new(3, 4, BOTH).await;
        let going = go_between(&province, Crash::Never);
        for person in 0..4 {
            // Whichever is the home, and whichever comes first.
            let first = claim(&format!("A{person}"), person, DAYS[0], 510_502 + person % 3);
            let outcome = going.claim(&first).await.unwrap();
            assert!(matches!(outcome, Outcome::Granted(..)), "{outcome:?}");
            for office in 510_502..510_505 {
                let again = claim(&format!("B{person}-{office}"), person, DAYS[0], office);
                let outcome = going.claim(&again).await.unwrap();
                let stopped = Outcome::NotEntitled(vec!["M04_DAY_DUP".to_owned()]);
                assert_eq!(outcome, stopped);
            }
            // Another day is another claim, of any office.
            let other = claim(&format!("C{person}"), person, DAYS[1], 510_502);
            let outcome = going.claim(&other).await.unwrap();
            assert!(matches!(outcome, Outcome::Granted(..)), "{outcome:?}");
            // The same request is the same claim.
            assert_eq!(going.claim(&other).await.unwrap(), outcome);
        }
        province.is_safe(BOTH).unwrap();
        province.is_settled().unwrap();
    });
}

/// So the test above can fail: offices that know nothing of each other pay twice.
#[test]
fn without_homes_the_same_day_is_paid_by_each_county() {
    test(async {
        let province = Province::new(2, 1, BOTH).await;
        let mut paid = 0;
        for (number, place) in province.places.iter().enumerate() {
            let site = place.site().unwrap();
            if province.home(0) != number {
                let facts = [
                    listed(0).command(),
                    attendance(0, "PX-1", DAYS[0]).command(),
                ];
                site.record(facts).await;
            }
            let claim = claim("A", 0, DAYS[0], place.office);
            paid += u32::from(shown(&site.submit(claim.reserve()).await.unwrap()) == "accepted");
        }
        assert_eq!(paid, 2);
    });
}

/// So the test below can fail: money before the entitlement, and a crash between.
#[test]
fn a_payment_before_the_reservation_is_unsafe() {
    test(async {
        let province = Province::new(2, 1, BOTH).await;
        let office = province.places[1].office;
        let site = province.places[1].site().unwrap();
        // What a reservation would be, of a position that home does not have.
        let told = province.told();
        let home = province.home(0);
        let person = *told[home].sealed.keys().next().unwrap();
        let reserved = Reservation {
            person,
            office,
            day: DAYS[0].to_owned(),
            amount: DAILY,
            stands: true,
        };
        let at = told[home].events + 1;
        let recipient = Person::number(0).wire();
        site.record([
            authority(home, at, &reserved, fresh_id()),
            payment(home, at, &reserved, recipient, fresh_id()),
        ])
        .await;
        let unsafe_now = province.is_safe(BOTH).unwrap_err();
        assert!(unsafe_now.contains("not reserved"), "{unsafe_now}");
    });
}

#[test]
fn a_crash_at_any_point_is_finished_by_whoever_comes_next() {
    let crashes = POINTS
        .into_iter()
        .flat_map(|point| [Crash::Before(point), Crash::After(point)]);
    for crash in crashes {
        for (each, enough) in [(BOTH, true), (DAILY - 1, false)] {
            for retried in [true, false] {
                test(async {
                    let province = Province::new(2, 2, each).await;
                    // One of them at home where the budget is, one elsewhere.
                    for person in 0..2 {
                        let claim = claim(&format!("A{person}"), person, DAYS[0], 510_502);
                        let died = go_between(&province, crash).claim(&claim).await;
                        province.is_safe(each).unwrap();
                        let going = go_between(&province, Crash::Never);
                        let outcome = if retried {
                            // The client comes again, with the same id.
                            Some(going.claim(&claim).await.unwrap())
                        } else {
                            going.sweep().await.unwrap();
                            None
                        };
                        province.is_safe(each).unwrap();
                        province.is_settled().unwrap();
                        // Whatever comes later, the outcome is the same.
                        let asked = going.claim(&claim).await.unwrap();
                        let later = going.claim(&claim).await.unwrap();
                        assert_eq!(asked, later, "{crash:?}");
                        if let Some(outcome) = outcome {
                            assert_eq!(outcome, later, "{crash:?}");
                        }
                        match (enough, &later) {
                            (true, Outcome::Granted(..)) => {}
                            (false, Outcome::NoMoney(why)) => {
                                assert_eq!(why, &["BUDGET_EXCEEDED"]);
                                // The entitlement is free again.
                                let again = claim_of(person, 510_503);
                                let outcome = going.claim(&again).await.unwrap();
                                assert!(matches!(outcome, Outcome::NoMoney(_)), "{outcome:?}");
                            }
                            (_, other) => panic!("{crash:?}, {enough}: {other:?}"),
                        }
                        // With money there is nothing to release, and no crash there.
                        let unreached = enough && crash.at() == Some(Point::Release);
                        assert_eq!(died.is_ok(), unreached, "{crash:?}");
                    }
                    province.is_safe(each).unwrap();
                    province.is_settled().unwrap();
                });
            }
        }
    }
}

fn claim_of(person: u32, office: u32) -> Claim {
    claim(&format!("Z{person}"), person, DAYS[0], office)
}

#[test]
fn a_ledger_that_is_away_keeps_its_own_waiting_and_nobody_else() {
    test(async {
        let mut province = Province::new(3, 12, BOTH).await;
        let away = 1;
        province.places[away].goes().await;
        let (mut waited, mut served) = (Vec::new(), 0);
        for person in 0..12 {
            for office in [510_502, 510_503, 510_504] {
                let day = DAYS[usize::try_from(office - 510_502).unwrap()];
                let claim = claim(&format!("A{person}-{office}"), person, day, office);
                let needed = [province.home(person), province.place_of(office)];
                let outcome = go_between(&province, Crash::Never).claim(&claim).await;
                match outcome {
                    Ok(outcome) => {
                        assert!(!needed.contains(&away), "{claim:?}");
                        assert!(matches!(outcome, Outcome::Granted(..)), "{outcome:?}");
                        served += 1;
                    }
                    Err(Unfinished::Away) => {
                        assert!(needed.contains(&away), "{claim:?}");
                        waited.push(claim);
                    }
                    Err(Unfinished::Crashed) => unreachable!(),
                }
            }
            province.is_safe(BOTH).unwrap();
        }
        assert!(served > 5 && waited.len() > 5, "{served} {}", waited.len());
        // What was reserved meanwhile is reserved: no other county grants that day.
        let reserved = waited
            .iter()
            .find(|claim| province.home(claim.person) != away)
            .unwrap();
        let office = province.places[(away + 1) % 3].office;
        let again = claim("再", reserved.person, reserved.day, office);
        let outcome = go_between(&province, Crash::Never)
            .claim(&again)
            .await
            .unwrap();
        assert_eq!(
            outcome,
            Outcome::NotEntitled(vec!["M04_DAY_DUP".to_owned()])
        );

        province.places[away].comes_back().await;
        let going = go_between(&province, Crash::Never);
        going.sweep().await.unwrap();
        province.is_safe(BOTH).unwrap();
        province.is_settled().unwrap();
        for claim in &waited {
            let outcome = going.claim(claim).await.unwrap();
            assert!(matches!(outcome, Outcome::Granted(..)), "{outcome:?}");
        }
        province.is_safe(BOTH).unwrap();
        province.is_settled().unwrap();
    });
}

#[test]
fn claims_crashes_absences_and_sweeps_in_any_order_are_safe_and_settle() {
    const LEDGERS: u32 = 3;
    const PERSONS: u32 = 6;
    for seed in 0..4 {
        test(async {
            let mut dice = Dice::new(&format!("province {seed}"));
            // Less than what they are entitled to.
            let each = 5 * DAILY;
            let mut province = Province::new(LEDGERS, PERSONS, each).await;
            let mut begun: Vec<Claim> = Vec::new();
            let mut known: BTreeMap<String, Outcome> = BTreeMap::new();
            let mut roll = |end: u32| u32::try_from(dice.below(u64::from(end))).unwrap();
            for number in 0..80 {
                let place = usize::try_from(roll(LEDGERS)).unwrap();
                match roll(12) {
                    0 => province.places[place].goes().await,
                    1 | 2 => province.places[place].comes_back().await,
                    3 => {
                        let swept = go_between(&province, Crash::Never).sweep().await;
                        assert!(swept.is_ok());
                    }
                    what => {
                        // A new claim, or one that a client sends again.
                        let again = (what < 6 && !begun.is_empty()).then(|| {
                            begun[roll(u32::try_from(begun.len()).unwrap()) as usize].clone()
                        });
                        let claim = again.unwrap_or_else(|| {
                            let day = DAYS[roll(5) as usize];
                            let office = 510_502 + roll(LEDGERS);
                            claim(&format!("S{seed}-{number}"), roll(PERSONS), day, office)
                        });
                        let point = POINTS[roll(4) as usize];
                        let crash = match roll(4) {
                            0 => Crash::Before(point),
                            1 => Crash::After(point),
                            _ => Crash::Never,
                        };
                        if let Ok(outcome) = go_between(&province, crash).claim(&claim).await {
                            let before = known.insert(claim.request.clone(), outcome.clone());
                            assert!(before.is_none_or(|before| before == outcome));
                        }
                        begun.push(claim);
                    }
                }
                province
                    .is_safe(each)
                    .unwrap_or_else(|why| panic!("{seed}/{number}: {why}"));
            }
            for place in &mut province.places {
                place.comes_back().await;
            }
            let going = go_between(&province, Crash::Never);
            going.sweep().await.unwrap();
            province.is_safe(each).unwrap();
            province.is_settled().unwrap();
            let mut kinds = [0; 3];
            for claim in &begun {
                let outcome = going.claim(claim).await.unwrap();
                kinds[match outcome {
                    Outcome::Granted(..) => 0,
                    Outcome::NotEntitled(_) => 1,
                    Outcome::NoMoney(_) => 2,
                }] += 1;
                if let Some(before) = known.get(&claim.request) {
                    assert_eq!(*before, outcome);
                }
            }
            province.is_safe(each).unwrap();
            province.is_settled().unwrap();
            assert!(kinds.iter().all(|count| *count > 3), "{kinds:?}");
        });
    }
}

/// What it costs: events, by which ledgers are measured.
#[test]
fn a_claim_costs_three_decisions_and_four_if_there_is_no_money() {
    const CLAIMS: u32 = 12;
    for (each, decisions) in [(BOTH, 3), (DAILY - 1, 4)] {
        test(async {
            let province = Province::new(3, CLAIMS, each).await;
            let count = |province: &Province| -> u64 {
                province.told().iter().map(|told| told.events).sum()
            };
            let parties = |province: &Province| -> usize {
                province.told().iter().map(|told| told.sealed.len()).sum()
            };
            let (before, known) = (count(&province), parties(&province));
            let going = go_between(&province, Crash::Never);
            for person in 0..CLAIMS {
                let office = 510_502 + person % 3;
                let claim = claim(&format!("K{person}"), person, DAYS[0], office);
                going.claim(&claim).await.unwrap();
            }
            // That a person is known there too is an event the first time.
            let introduced = u64::try_from(parties(&province) - known).unwrap();
            let events = count(&province) - before - introduced;
            assert_eq!(events, decisions * u64::from(CLAIMS));
        });
    }
}
