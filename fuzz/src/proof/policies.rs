//! Policies.

use luzhang_ledger::proof::{
    Policy, SigningKey,
    note::{KeyName, Purpose},
    policy::Cosigner,
};

const WITNESSES: usize = 6;

fn witness(number: usize) -> SigningKey {
    let name = KeyName::new(format!("w{number}.example")).unwrap();
    SigningKey::from_seed(name, Purpose::Witness, &[50 + number as u8; 32])
}

fn cosigners(of: impl Iterator<Item = usize>) -> Vec<Cosigner> {
    of.map(|number| Cosigner {
        key: witness(number).verifier().clone(),
        time: 1,
    })
    .collect()
}

pub fn seeds() -> Vec<Vec<u8>> {
    let [a, b] = [0, 1].map(|number| witness(number).verifier().to_string());
    let log = SigningKey::from_seed(KeyName::new("log").unwrap(), Purpose::Author, &[1; 32]);
    let policy = format!(
        "p# a policy\nlog {} https://log.example/\nwitness a {a}\n\twitness b {b} u\n\
         group g 1 a b\ngroup h all g\nquorum h\n",
        log.verifier()
    );
    vec![
        policy.into_bytes(),
        b"pquorum none\n".to_vec(),
        b"q\x03\x02\x01\x03\x01\x06\x07\x08\x3f".to_vec(),
        b"q\x01\x01\x01\x02".to_vec(),
        b"q\x04\x02\x02\x00\x01\x01\x01\x06\x02\x02\x02\x03\x02\x02\x07\x08\x09".to_vec(),
    ]
}

/// What can be said of every policy: all its witnesses are enough, and one more
/// does no harm.
pub fn text(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let Ok(policy) = text.parse::<Policy>() else {
        return;
    };
    let all: Vec<Cosigner> = policy
        .witnesses()
        .iter()
        .map(|party| Cosigner {
            key: party.key.clone(),
            time: 1,
        })
        .collect();
    assert!(policy.is_met_by(&all));
    let mut met = policy.is_met_by(&[]);
    for count in 0..all.len() {
        let more = policy.is_met_by(&all[..=count]);
        assert!(more || !met);
        met = more;
    }
    let named = text.lines().any(|line| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        words == ["quorum", "none"]
    });
    assert_eq!(policy.is_met_by(&[]), named);
}

/// A group: how many of which names. Names are numbers: of witnesses, then of
/// groups.
struct Group {
    least: usize,
    members: Vec<usize>,
}

/// A policy that was put together from choices, and what it should mean.
pub fn built(choices: &[u8]) {
    let mut choices = choices.iter().map(|choice| usize::from(*choice));
    let mut next = || choices.next();
    let count = next().unwrap_or(0) % 8;
    let mut groups: Vec<Group> = Vec::new();
    for _ in 0..count {
        let (Some(least), Some(size)) = (next(), next()) else {
            break;
        };
        let members = (0..size % 5).map_while(|_| next()).collect();
        groups.push(Group {
            least: least % 6,
            members,
        });
    }
    let quorum = next().unwrap_or(0) % (WITNESSES + 9);

    let mut policy = String::new();
    for number in 0..WITNESSES {
        policy += &format!("witness n{number} {}\n", witness(number).verifier());
    }
    let mut sound = quorum < WITNESSES + groups.len();
    let mut taken = Vec::new();
    for (number, group) in groups.iter_mut().enumerate() {
        let name = WITNESSES + number;
        policy += &format!("group n{name} {}", group.least);
        for member in &mut group.members {
            *member %= WITNESSES + 9;
            policy += &format!(" n{member}");
            sound &= *member < name && !taken.contains(member);
            taken.push(*member);
        }
        policy.push('\n');
        sound &= (1..=group.members.len()).contains(&group.least);
    }
    policy += &format!("quorum n{quorum}\n");
    let read = policy.parse::<Policy>();
    assert_eq!(read.is_ok(), sound, "{policy}{read:?}");
    let Ok(read) = read else {
        return;
    };
    for chosen in 0..1_u32 << WITNESSES {
        let has = |number: usize| chosen >> number & 1 == 1;
        let cosigners = cosigners((0..WITNESSES).filter(|number| has(*number)));
        let met = is_met(&groups, quorum, &has);
        assert_eq!(read.is_met_by(&cosigners), met, "{policy}{chosen:b}");
    }
}

fn is_met(groups: &[Group], name: usize, has: &impl Fn(usize) -> bool) -> bool {
    let Some(group) = name.checked_sub(WITNESSES) else {
        return has(name);
    };
    let Group { least, members } = &groups[group];
    let met = members
        .iter()
        .filter(|member| is_met(groups, **member, has));
    met.count() >= *least
}
