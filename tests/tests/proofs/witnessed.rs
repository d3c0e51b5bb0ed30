//! What the operator alone cannot do: show one history to some and another to others.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use luzhang_ledger::proof::{Policy, SignedCheckpoint};
use serde_json::Value;

use crate::{
    http,
    ledgers::{checkpoint, copy, fund, grow, key, parse, put_back, signed, size, text, until},
    support::{Ledger, Server, Target, luzhang, run},
};

/// A witness as a process of its own. Dropping it kills it.
struct Witness {
    dir: PathBuf,
    key: String,
    /// Where it listens, also when it comes back.
    address: String,
    running: Option<Child>,
}

impl Witness {
    fn of(log: &str, dir: &Path, name: &str) -> Self {
        let place = text(dir);
        let init = ["witness", "init", place, "--name", name];
        let key = run(init).ended(0).out.trim().to_owned();
        run(["witness", "add-log", place, log]).ended(0);
        let mut witness = Self {
            dir: dir.to_owned(),
            key,
            address: "127.0.0.1:0".to_owned(),
            running: None,
        };
        witness.up();
        witness
    }

    fn up(&mut self) {
        let mut child = luzhang()
            .args(["witness", "serve", text(&self.dir)])
            .args(["--listen", &self.address])
            .env("LUZHANG_LOG", "off")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening http://");
        url.unwrap().clone_into(&mut self.address);
        self.running = Some(child);
    }

    fn down(&mut self) {
        if let Some(mut child) = self.running.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Size and root of the newest tree that it has cosigned.
    fn seen(&self) -> (u64, String) {
        let listed = run(["witness", "list", text(&self.dir), "-o", "json"]);
        let row = listed.ended(0).json()["rows"][0].clone();
        let root = row["root"].as_str().unwrap().to_owned();
        (row["size"].as_u64().unwrap(), root)
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.down();
    }
}

/// A ledger, three witnesses, and the policy that any two of them are enough.
struct Offices {
    ledger: Ledger,
    key: String,
    witnesses: Vec<Witness>,
    policy: PathBuf,
}

impl Offices {
    fn new() -> Self {
        let ledger = signed(10);
        let key = key(&ledger.target());
        let witnesses: Vec<Witness> = ["audit", "county", "bank"]
            .iter()
            .map(|name| Witness::of(&key, &ledger.file(name), &format!("{name}.example/w")))
            .collect();
        let mut lines = vec![format!("log {key}")];
        for (number, witness) in witnesses.iter().enumerate() {
            let (key, address) = (&witness.key, &witness.address);
            lines.push(format!("witness w{number} {key} http://{address}"));
        }
        lines.push("group offices 2 w0 w1 w2\nquorum offices\n".to_owned());
        let policy = ledger.file("policy");
        fs::write(&policy, lines.join("\n")).unwrap();
        Self {
            ledger,
            key,
            witnesses,
            policy,
        }
    }

    fn policy(&self) -> Policy {
        fs::read_to_string(&self.policy).unwrap().parse().unwrap()
    }

    fn serve(&self) -> (Server, String) {
        let witnesses = ["--witnesses", text(&self.policy)];
        let often = ["--checkpoint-every", "200ms"];
        Server::publishing(&self.ledger.dir(), witnesses.iter().chain(&often))
    }

    /// What is published, once it covers so much and the witnesses vouch for it.
    fn published(&self, tiles: &str, over: u64) -> SignedCheckpoint {
        until("a cosigned checkpoint", || {
            let answer = http::get(tiles, "checkpoint", &[]);
            let note = parse(&String::from_utf8(answer.body).unwrap());
            let vouched = note.head().size >= over && self.policy().check(&note).is_ok();
            vouched.then_some(note)
        })
    }
}

fn last(target: &Target) -> String {
    size(target).to_string()
}

#[test]
fn what_is_published_was_seen_by_enough_witnesses() {
    let mut offices = Offices::new();
    let (server, tiles) = offices.serve();
    let target = server.target();
    fund(&target, "件1").ended(0);
    let note = offices.published(&tiles, size(&target));
    let cosigners = offices.policy().check(&note).unwrap().cosigners;
    assert!(cosigners.len() >= 2, "{cosigners:?}");

    // A receipt carries them, and is checked without anybody.
    let receipt = offices.ledger.file("receipt");
    let get = ["proof", "get", &last(&target), "--out", text(&receipt)];
    target.run(get).ended(0);
    let check = ["proof", "check", text(&receipt), "-o", "json"];
    let policy = ["--policy", text(&offices.policy)];
    let said = run(check.iter().chain(&policy)).ended(0).json();
    let named: Vec<&Value> = said["checkpoint"]["cosigners"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cosigner| &cosigner["key"])
        .collect();
    assert!(named.len() >= 2, "{said}");
    let keys: Vec<&str> = offices.witnesses.iter().map(|w| w.key.as_str()).collect();
    assert!(
        named
            .iter()
            .all(|key| keys.contains(&key.as_str().unwrap()))
    );
    for cosigner in said["checkpoint"]["cosigners"].as_array().unwrap() {
        assert!(
            cosigner["time"].as_u64() > Some(1_700_000_000),
            "{cosigner}"
        );
    }
    // Whoever asks for all three may or may not get them; for two, always.
    let strict = fs::read_to_string(&offices.policy).unwrap();
    let strict = strict.replace("group offices 2", "group offices all");
    let all = offices.ledger.file("all");
    fs::write(&all, strict).unwrap();
    let ran = run(check.iter().chain(&["--policy", text(&all)]));
    assert!(
        named.len() == 3 && ran.code == 0 || ran.code == 11,
        "{ran:?}"
    );

    // One is down.
    offices.witnesses[0].down();
    fund(&target, "件2").ended(0);
    let over = last(&target);
    let two = offices.published(&tiles, size(&target));
    assert_eq!(offices.policy().check(&two).unwrap().cosigners.len(), 2);
    target
        .run(["checkpoint", "show", "--covering", &over])
        .ended(0);

    // Two are down: what is published stays as it is, commands are decided.
    offices.witnesses[1].down();
    let stays = offices.published(&tiles, size(&target));
    for document in ["件3", "件4"] {
        fund(&target, document).ended(0);
    }
    let over = last(&target);
    let ran = target.run(["checkpoint", "show", "--covering", &over]);
    ran.failed(7, "QUORUM_NOT_MET");
    target
        .run(["proof", "get", &over])
        .failed(7, "QUORUM_NOT_MET");
    target.run(["proof", "get", "5"]).ended(0);
    let answer = http::get(&tiles, "checkpoint", &[]);
    let now = parse(&String::from_utf8(answer.body).unwrap());
    assert_eq!(now.head(), stays.head());
    let shown = target.run(["checkpoint", "show"]).ended(0);
    assert_eq!(parse(&shown.out).head(), stays.head());
    assert!(shown.err.contains("cosigned"), "{}", shown.err);

    // Back up.
    offices.witnesses[1].up();
    until("the quorum", || {
        let ran = target.run(["checkpoint", "show", "--covering", &over]);
        (ran.code == 0).then_some(())
    });
    let note = offices.published(&tiles, size(&target));
    assert!(note.head().size > stays.head().size);
    // And it stays published over a restart, with nobody up.
    for witness in &mut offices.witnesses {
        witness.down();
    }
    server.terminate();
    let (server, tiles) = offices.serve();
    let again = offices.published(&tiles, note.head().size);
    assert_eq!(again, note);
    fund(&server.target(), "件5").ended(0);
    server.terminate();
}

/// The operator puts back an older copy of everything, keys and tree included, so
/// that nothing at hand contradicts it, and issues another history under the same
/// key.
#[test]
fn a_second_history_is_never_cosigned_and_is_found_by_whoever_saw_the_first() {
    let offices = Offices::new();
    let (ledger, key) = (&offices.ledger, offices.key.as_str());
    let (server, tiles) = offices.serve();
    offices.published(&tiles, size(&server.target()));
    server.terminate();
    let shared = ledger.file("shared");
    copy(&ledger.dir(), &shared);

    // The history that everybody saw.
    let (server, tiles) = offices.serve();
    grow(&server.target(), "此", size(&server.target()) + 5);
    let note = offices.published(&tiles, size(&server.target()));
    let seen = ledger.file("seen");
    fs::write(&seen, note.to_string()).unwrap();
    let state = ledger.file("state");
    let watch = |tiles: &str, state: &Path| {
        let watch = ["audit", "watch", "--once", tiles, "--key", key, "--state"];
        run(watch.iter().chain(&[text(state)]))
    };
    watch(&tiles, &state).ended(0);
    let receipt = ledger.file("receipt");
    let of = note.head().size.to_string();
    let get = ["proof", "get", &of, "--out", text(&receipt)];
    server.target().run(get).ended(0);
    server.terminate();
    let witnessed: Vec<(u64, String)> = offices.witnesses.iter().map(Witness::seen).collect();

    // The other one, longer.
    put_back(&shared, &ledger.dir());
    let (server, tiles) = offices.serve();
    let target = server.target();
    grow(&target, "彼", note.head().size + 20);
    let over = last(&target);
    let ran = target.run(["checkpoint", "show", "--covering", &over]);
    ran.failed(7, "QUORUM_NOT_MET");
    let answer = http::get(&tiles, "checkpoint", &[]);
    let stale = parse(&String::from_utf8(answer.body).unwrap());
    assert!(stale.head().size < note.head().size, "it was published");
    let ended = server.terminate();
    assert_eq!(ended.code, 0, "{}", ended.err);
    let now: Vec<(u64, String)> = offices.witnesses.iter().map(Witness::seen).collect();
    for (before, now) in witnessed.iter().zip(&now) {
        // One may have been slower than the quorum before; none saw the other.
        assert!(
            now.0 <= note.head().size && before.0 <= now.0,
            "{before:?} {now:?}"
        );
    }

    // Without witnesses the operator can sign it. Whoever saw the first is not fooled.
    let often = ["--checkpoint-every", "200ms"];
    let (server, tiles) = Server::publishing(&ledger.dir(), often);
    let target = server.target();
    let forged = checkpoint(&target);
    assert!(forged.head().size > note.head().size);
    let own: Policy = format!("log {key}\nquorum none\n").parse().unwrap();
    own.check(&forged).unwrap();
    assert!(offices.policy().check(&forged).is_err());
    let alarm = watch(&tiles, &state).ended(10);
    assert!(alarm.out.contains("fork"), "{alarm:?}");
    // Again and again.
    watch(&tiles, &state).ended(10);

    // An auditor who came later was shown the second one only, and finds nothing by
    // looking at it.
    watch(&tiles, &ledger.file("fresh")).ended(0);
    let fresh = ledger.file("forged");
    fs::write(&fresh, forged.to_string()).unwrap();
    let verify = ["audit", "verify", "--key", key, "--checkpoint"];
    target.run(verify.iter().chain(&[text(&fresh)])).ended(0);
    // Two auditors compare what they were shown.
    let ran = target.run(verify.iter().chain(&[text(&seen), "-o", "json"]));
    assert_eq!(ran.ended(10).json()["verdict"], "forked");
    let consistency = ["proof", "consistency", text(&seen), "--key", key];
    target.run(consistency).failed(10, "PROOF_REFUTED");
    let ran = target.run(["audit", "verify", "--receipt", text(&receipt), "-o", "json"]);
    assert_eq!(ran.ended(10).json()["verdict"], "forked");
    server.terminate();

    // No file that joins the two can be made: not from the tiles of either.
    for (dir, tag) in [(&ledger.dir(), "second"), (&shared, "shared")] {
        let honest = ledger.file(&format!("{tag}.consistency"));
        let target = Target::data_dir(dir);
        let smaller = ledger.file(&format!("{tag}.checkpoint"));
        fs::write(&smaller, checkpoint(&target).to_string()).unwrap();
        if tag == "shared" {
            grow(&target, "他", 40);
        }
        let consistency = ["proof", "consistency", text(&smaller), "--key", key];
        let out = ["--out", text(&honest)];
        target.run(consistency.iter().chain(&out)).ended(0);
        let check = |old: &Path| {
            let check = ["proof", "check", text(&honest), "--key", key, "--old"];
            run(check.iter().chain(&[text(old)]))
        };
        check(&smaller).ended(0);
        check(&seen).failed(10, "PROOF_REFUTED");
    }
}
