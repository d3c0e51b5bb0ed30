//! Policies: which texts are one, and who is enough.

use luzhang_ledger::proof::{
    Policy, SignedCheckpoint, SigningKey,
    note::{NoteError, Purpose, VerifierKeyError},
    policy::{Distrust, MAX_NAMES, MAX_POLICY, PolicyProblem, Trusted},
};

use crate::{Kept, key};

fn log(number: u8) -> SigningKey {
    key("log", Purpose::Author, number)
}

fn witness(number: u8) -> SigningKey {
    key(
        &format!("w{number}.example"),
        Purpose::Witness,
        100 + number,
    )
}

/// A policy's text in which `<L1>` stands for a log's key, and `<W1>` for a witness's.
fn text(short: &str) -> String {
    let mut text = short.to_owned();
    for number in 1..=6 {
        let place = format!("<L{number}>");
        text = text.replace(&place, &log(number).verifier().to_string());
        let place = format!("<W{number}>");
        text = text.replace(&place, &witness(number).verifier().to_string());
    }
    text
}

fn parse(short: &str) -> Result<Policy, (usize, PolicyProblem)> {
    text(short)
        .parse()
        .map_err(|luzhang_ledger::proof::policy::PolicyError { line, problem }| (line, problem))
}

#[test]
fn a_policy_is_read_that_says_something_else_to_others() {
    for sound in [
        "quorum none",
        "quorum none\n",
        "\n\n \t \nquorum none\n\n",
        "# a comment\n\t# another, \u{7532}\n  quorum \t none  ",
        "log <L1>\nquorum none",
        "quorum none\nlog <L1>\nwitness a <W1>",
        "log <L1> https://log.example/\nlog <L2>\nquorum none",
        "witness a <W1>\nquorum a",
        "witness a <W1> http://127.0.0.1:1\nquorum a",
        "witness \u{7532} <W1>\nquorum \u{7532}",
        "witness witness <W1>\nquorum witness",
        "witness # <W1>\nquorum #",
        "witness a <W1>\nwitness b <W2>\ngroup g any a b\nquorum g",
        "witness a <W1>\nwitness b <W2>\ngroup g all a b\nquorum g",
        "witness a <W1>\nwitness b <W2>\ngroup g 1 a b\nquorum g",
        "witness a <W1>\nwitness b <W2>\ngroup g 2 a b\nquorum g",
        "witness a <W1>\ngroup g 1 a\nquorum g",
        "witness a <W1>\ngroup g 1 a\ngroup h 1 g\nquorum h",
        // A name in a group may still be the quorum.
        "witness a <W1>\nwitness b <W2>\ngroup g all a b\nquorum a",
        "witness a <W1>\nwitness b <W2>\ngroup g any a\ngroup h all g b\nquorum g",
        // One key may be a log's and a witness's: the kinds differ.
        "log <L1>\nwitness a <W1>\nquorum none",
    ] {
        assert!(parse(sound).is_ok(), "{sound:?}: {:?}", parse(sound));
    }
}

#[test]
fn a_policy_is_read_that_is_none() {
    use PolicyProblem::{DuplicateName, Keyword, Quorum, Text, Threshold, UnknownName, Words};
    for (wrong, line, problem) in [
        ("", 1, Quorum),
        ("\n\n", 3, Quorum),
        ("log <L1>\n", 2, Quorum),
        ("quorum none\nquorum none", 2, Quorum),
        ("witness a <W1>\nquorum a\nquorum none", 3, Quorum),
        ("quorum none\r\n", 1, Text),
        ("# \u{0}\nquorum none", 1, Text),
        ("# \u{7f}\nquorum none", 1, Text),
        ("# \u{b}\nquorum none", 1, Text),
        ("Quorum none", 1, Keyword),
        ("quorumnone", 1, Keyword),
        ("quorum\u{a0}none", 1, Keyword),
        ("quorum none\nunknown x", 2, Keyword),
        ("\u{feff}quorum none", 1, Keyword),
        ("quorum", 1, Words),
        ("quorum none none", 1, Words),
        ("quorum none # so far", 1, Words),
        ("log", 1, Words),
        ("log <L1> a b\nquorum none", 1, Words),
        ("witness", 1, Words),
        ("witness a", 1, Words),
        ("witness a <W1> b c\nquorum none", 1, Words),
        ("group", 1, Words),
        ("group g", 1, Words),
        ("group g any", 1, Words),
        ("quorum a", 1, UnknownName),
        ("quorum a\nwitness a <W1>", 1, UnknownName),
        ("log <L1>\nquorum log", 2, UnknownName),
        ("witness a <W1>\nquorum A", 2, UnknownName),
        ("witness K <W1>\nquorum \u{212a}", 2, UnknownName),
        ("witness none <W1>\nquorum none", 1, DuplicateName),
        ("witness a <W1>\nwitness a <W2>\nquorum a", 2, DuplicateName),
        ("witness a <W1>\ngroup a any a\nquorum a", 2, DuplicateName),
        (
            "witness a <W1>\ngroup none any a\nquorum none",
            2,
            DuplicateName,
        ),
        ("group g any a\nwitness a <W1>\nquorum none", 1, UnknownName),
        ("group g any g\nquorum none", 1, UnknownName),
        (
            "witness a <W1>\ngroup g any none\nquorum none",
            2,
            UnknownName,
        ),
        ("witness a <W1>\ngroup g any a a\nquorum g", 2, UnknownName),
        (
            "witness a <W1>\ngroup g any a\ngroup h any a\nquorum g",
            3,
            UnknownName,
        ),
        (
            "witness a <W1>\ngroup g any a\ngroup h any g\ngroup i any g\nquorum h",
            4,
            UnknownName,
        ),
        ("witness a <W1>\ngroup g 0 a\nquorum g", 2, Threshold),
        ("witness a <W1>\ngroup g 2 a\nquorum g", 2, Threshold),
        ("witness a <W1>\ngroup g 01 a\nquorum g", 2, Threshold),
        ("witness a <W1>\ngroup g +1 a\nquorum g", 2, Threshold),
        ("witness a <W1>\ngroup g -1 a\nquorum g", 2, Threshold),
        ("witness a <W1>\ngroup g 1.0 a\nquorum g", 2, Threshold),
        ("witness a <W1>\ngroup g ALL a\nquorum g", 2, Threshold),
        (
            "witness a <W1>\ngroup g 18446744073709551616 a\nquorum g",
            2,
            Threshold,
        ),
    ] {
        assert_eq!(parse(wrong), Err((line, problem)), "{wrong:?}");
    }
}

#[test]
fn a_policy_is_read_whose_keys_are_not_what_they_should_be() {
    use PolicyProblem::{DuplicateKey, Key, Purpose};
    for (wrong, line, problem) in [
        ("log <L1>\nlog <L1>\nquorum none", 2, DuplicateKey),
        ("log <L1> a\nlog <L1> b\nquorum none", 2, DuplicateKey),
        (
            "witness a <W1>\nwitness b <W1>\nquorum none",
            2,
            DuplicateKey,
        ),
        ("log <W1>\nquorum none", 1, Purpose),
        ("witness a <L1>\nquorum none", 1, Purpose),
        ("log x<L1>\nquorum none", 1, Key(VerifierKeyError::Id)),
        ("log <L1>x\nquorum none", 1, Key(VerifierKeyError::Form)),
        ("log x\nquorum none", 1, Key(VerifierKeyError::Form)),
        (
            "log example.com/ec+00000000+AjBZ\nquorum none",
            1,
            Key(VerifierKeyError::Kind),
        ),
        (
            "witness a example.com/pq+00000000+BgAA\nquorum a",
            1,
            Key(VerifierKeyError::Kind),
        ),
    ] {
        assert_eq!(parse(wrong), Err((line, problem)), "{wrong:?}");
    }
}

/// One key under two names is one party: it would count twice otherwise.
#[test]
fn one_witness_counts_as_two_under_two_names() {
    let one = key("one.example", Purpose::Witness, 9);
    let other = key("other.example", Purpose::Witness, 9);
    assert_ne!(one.verifier().id(), other.verifier().id());
    let both = format!(
        "witness a {}\nwitness b {}\ngroup g 2 a b\nquorum g\n",
        one.verifier(),
        other.verifier()
    );
    let problem = both.parse::<Policy>().unwrap_err();
    assert_eq!(
        (problem.line, problem.problem),
        (2, PolicyProblem::DuplicateKey)
    );
    let [one, other] = [1, 1].map(|number| key(&format!("l{number}"), Purpose::Author, number));
    let both = format!(
        "log {}\nlog {}\nquorum none\n",
        one.verifier(),
        other.verifier()
    );
    assert_eq!(
        both.parse::<Policy>().unwrap_err().problem,
        PolicyProblem::DuplicateKey
    );
}

#[test]
fn a_policy_is_too_large_or_too_deep_to_be_counted() {
    let filler = |length: usize| format!("quorum none\n#{}", "x".repeat(length));
    let most = MAX_POLICY - filler(0).len();
    assert!(filler(most).parse::<Policy>().is_ok());
    let larger = filler(most + 1).parse::<Policy>().unwrap_err();
    assert_eq!(larger.problem, PolicyProblem::Text);

    let deep = |groups: usize| {
        let group = |number| format!("group g{number} any g{}\n", number - 1);
        let groups_above: String = (1..=groups).map(group).collect();
        let policy = format!("witness g0 <W1>\n{groups_above}quorum g{groups}\n");
        text(&policy).parse::<Policy>()
    };
    let deepest = deep(MAX_NAMES - 1).unwrap();
    let mut signed = SignedCheckpoint::sign(Kept::events(1).head(1), &[&log(1)]).unwrap();
    signed.add(signed.cosign(&witness(1), 1));
    let cosigners = deepest.cosigners(&signed).unwrap();
    assert!(deepest.is_met_by(&cosigners));
    assert!(!deepest.is_met_by(&[]));
    let problem = deep(MAX_NAMES).unwrap_err().problem;
    assert_eq!(problem, PolicyProblem::TooMany);
}

/// What a policy says of a checkpoint that these have signed.
fn check(policy: &str, logs: &[&SigningKey], witnesses: &[u8]) -> Result<Vec<String>, Distrust> {
    let mut signed = SignedCheckpoint::sign(Kept::events(7).head(7), logs).unwrap();
    for number in witnesses {
        let line = signed.cosign(&witness(*number), u64::from(*number));
        signed.add(line);
    }
    let Trusted {
        origin,
        head,
        log,
        cosigners,
    } = parse(policy).unwrap().check(&signed)?;
    assert_eq!((origin.as_str(), head), ("log", signed.head()));
    assert!(logs.iter().any(|key| *key.verifier() == log));
    let names = cosigners.iter().map(|one| one.key.name().to_string());
    for one in &cosigners {
        assert_eq!(one.key.name().as_str(), format!("w{}.example", one.time));
    }
    Ok(names.collect())
}

#[test]
fn too_few_witnesses_are_enough_or_enough_are_too_few() {
    let two_of_three = "log <L1>\nwitness a <W1>\nwitness b <W2>\nwitness c <W3>\n\
        group g 2 a b c\nquorum g";
    let offices = "log <L1>\nwitness a <W1>\nwitness b <W2>\nwitness c <W3>\ngroup x 2 a b c\n\
        witness d <W4>\nwitness e <W5>\ngroup y any d e\ngroup all all x y\nquorum all";
    let one_in_a_group = "log <L1>\nwitness a <W1>\nwitness b <W2>\ngroup g all a b\nquorum a";
    for (policy, witnesses, expected) in [
        ("log <L1>\nquorum none", &[][..], Ok(0)),
        ("log <L1>\nquorum none", &[1, 2], Ok(0)),
        ("log <L1>\nwitness a <W1>\nquorum none", &[1, 2], Ok(1)),
        ("log <L1>\nwitness a <W1>\nquorum a", &[], Err(0)),
        ("log <L1>\nwitness a <W1>\nquorum a", &[2], Err(0)),
        ("log <L1>\nwitness a <W1>\nquorum a", &[1], Ok(1)),
        (two_of_three, &[], Err(0)),
        (two_of_three, &[1], Err(1)),
        (two_of_three, &[1, 4, 5], Err(1)),
        (two_of_three, &[1, 3], Ok(2)),
        (two_of_three, &[3, 2, 1], Ok(3)),
        (offices, &[1, 2, 3], Err(3)),
        (offices, &[4, 5], Err(2)),
        (offices, &[1, 4, 5], Err(3)),
        (offices, &[1, 2, 5], Ok(3)),
        (offices, &[1, 2, 3, 4, 5], Ok(5)),
        (one_in_a_group, &[2], Err(1)),
        (one_in_a_group, &[1], Ok(1)),
    ] {
        let found = check(policy, &[&log(1)], witnesses).map(|names| names.len());
        let expected = expected.map_err(|found| Distrust::Quorum { found });
        assert_eq!(found, expected, "{policy} by {witnesses:?}");
    }
}

#[test]
fn a_log_is_believed_about_another_ones_tree() {
    let stranger = key("other", Purpose::Author, 1);
    let found = || "other".to_owned();
    let none = |origin| Err(Distrust::Origin { found: origin });
    assert_eq!(
        check("quorum none", &[&log(1)], &[]),
        none("log".to_owned())
    );
    assert_eq!(
        check("log <L1>\nquorum none", &[&stranger], &[]),
        none(found())
    );
    assert_eq!(
        check("log <L1>\nlog <L2>\nquorum none", &[&log(2)], &[]),
        Ok(vec![])
    );
    assert_eq!(
        check("log <L1>\nquorum none", &[&log(2), &log(1)], &[]),
        Ok(vec![])
    );
    let unsigned = Err(Distrust::Note(NoteError::Unsigned));
    assert_eq!(check("log <L1>\nquorum none", &[&log(3)], &[]), unsigned);

    let signed = SignedCheckpoint::sign(Kept::events(7).head(7), &[&log(1)]).unwrap();
    let policy = Policy::of_key(log(1).verifier().clone());
    assert_eq!(policy.check(&signed).unwrap().head.size, 7);
    let policy = policy.for_logs([log(2).verifier().clone()]);
    assert_eq!(policy.logs().len(), 1);
    assert!(policy.check(&signed).is_err());
}

#[test]
fn a_forged_cosignature_is_passed_over() {
    let policy = parse("log <L1>\nwitness a <W1>\nwitness b <W2>\nquorum a").unwrap();
    let head = Kept::events(7).head(7);
    let mut signed = SignedCheckpoint::sign(head, &[&log(1)]).unwrap();
    signed.add(signed.cosign(&witness(1), 5));
    assert_eq!(policy.check(&signed).unwrap().cosigners[0].time, 5);
    // A cosignature of the same witness for another checkpoint.
    let other = SignedCheckpoint::sign(Kept::events(8).head(8), &[&log(1)]).unwrap();
    signed.add(other.cosign(&witness(2), 5));
    let forged = NoteError::Forged(witness(2).verifier().name().clone());
    assert_eq!(policy.check(&signed), Err(Distrust::Note(forged)));
}
