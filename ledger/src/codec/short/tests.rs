//! The short way beside the long one.

use luzhang_proto::event as stored;
use prost::{
    Message as _,
    encoding::{DecodeContext, decode_key, skip_field},
};

use super::*;
use crate::{
    amount::Fen,
    calendar::{self, Date, DateSet, Window},
    claim::{
        BorrowerKind, BrandAward, Claim, Form, InterestSubsidy, Loan, RatePpm, RecognitionLevel,
        ServiceSubsidy, SkillBase, SkillBaseKind, Spending, Subsidy, TrainingAllowance,
        TrainingSubsidy, TransportAid, TravelMode,
    },
    codec::{from_stored, to_stored},
    event::{
        Body, Compared, Correction, Event, Failure, Header, Party, PartyKind, Refusal, RequestMark,
        Value,
    },
    fact::{Attendance, Certificate, CertificateKind, Fact, PovertyStatus, UnemploymentBenefit},
    identity::SubjectId,
    office::Office,
    position::Position,
    step::Account,
    text::{ClaimNo, FundId, Label},
};

fn name<T: for<'a> TryFrom<&'a str>>(text: &str) -> T {
    T::try_from(text).ok().unwrap()
}

fn day(number: u32) -> Date {
    calendar::from_number(number).unwrap()
}

fn days() -> DateSet {
    DateSet::new(vec![day(20_240_102), day(20_240_103)]).unwrap()
}

fn fen(fen: i64) -> Fen {
    Fen::new(fen).unwrap()
}

fn who(byte: u8) -> SubjectId {
    SubjectId::from_bytes([byte; 16])
}

fn claims() -> Vec<Claim> {
    let (claim_no, amount, fund) = (name("A-泸-1"), fen(300), name("employment-city"));
    let claim_no: ClaimNo = claim_no;
    vec![
        Claim::TrainingAllowance(TrainingAllowance {
            claim_no: claim_no.clone(),
            person: who(1),
            course_no: name("PX-1"),
            dates: days(),
            daily: fen(150),
            amount,
            fund: FundId::clone(&fund),
        }),
        Claim::SkillBase(SkillBase {
            claim_no: claim_no.clone(),
            entity: who(2),
            kind: SkillBaseKind::MasterStudio,
            level: RecognitionLevel::Provincial,
            recognised_on: day(20_240_102),
            document: name("泸人社〔2024〕1号"),
            amount,
            fund: fund.clone(),
        }),
        Claim::ServiceSubsidy(ServiceSubsidy {
            claim_no: claim_no.clone(),
            agency: who(3),
            worker: who(4),
            employer: who(5),
            contract_first_day: day(20_240_102),
            contract_last_day: day(20_250_102),
            insured_from: None,
            amount,
            fund: fund.clone(),
        }),
        Claim::BrandAward(BrandAward {
            claim_no: claim_no.clone(),
            brand_no: name("B-1"),
            amount,
            paid_on: day(20_240_102),
            fund: fund.clone(),
        }),
        Claim::Loan(Loan {
            loan_no: name("L-1"),
            borrower_kind: BorrowerKind::SmallFirm,
            borrower: who(6),
            principal: fen(1_000_000),
            rate: RatePpm::new(31_000).unwrap(),
            issued_on: day(20_240_102),
            due_on: day(20_250_102),
            bank: name("泸州银行"),
        }),
        Claim::InterestSubsidy(InterestSubsidy {
            claim_no: claim_no.clone(),
            loan_no: name("L-1"),
            period: Window::new(day(20_240_102), Some(day(20_240_202))).unwrap(),
            interest: fen(600),
            amount,
            fund: fund.clone(),
        }),
        Claim::TrainingSubsidy(TrainingSubsidy {
            claim_no: claim_no.clone(),
            person: who(7),
            course_no: name("PX-1"),
            certificate_no: name("Z-1"),
            completed_on: Some(day(20_240_102)),
            amount,
            fund: fund.clone(),
        }),
        Claim::TransportAid(TransportAid {
            claim_no: claim_no.clone(),
            person: who(8),
            province: Office::new(440_000).unwrap(),
            travelled_on: day(20_240_102),
            mode: TravelMode::Rail,
            amount,
            fund: fund.clone(),
        }),
        Claim::Subsidy(Subsidy {
            claim_no,
            programme: name("other"),
            recipient: who(9),
            document: name("D-1"),
            due_on: day(20_240_102),
            spending: Some(Spending {
                previous: fen(0),
                current: fen(7),
            }),
            amount,
            fund,
        }),
    ]
}

fn facts() -> Vec<Fact> {
    vec![
        Fact::PovertyStatus(PovertyStatus {
            person: who(1),
            window: Window::new(day(20_200_101), None).unwrap(),
            list_version: name("2020-1"),
        }),
        Fact::UnemploymentBenefit(UnemploymentBenefit {
            person: who(1),
            first_day: day(20_200_101),
            last_day: day(20_200_131),
            source: name("失业保险经办机构"),
        }),
        Fact::Attendance(Attendance {
            course_no: name("PX-1"),
            person: who(1),
            dates: days(),
        }),
        Fact::Certificate(Certificate {
            certificate_no: name("Z-1"),
            person: who(1),
            kind: CertificateKind::SkillLevel,
            level: name("五级"),
            issued_on: day(20_240_102),
        }),
    ]
}

fn refusal() -> Refusal {
    let compared = [
        ("a", Value::Fen(-3)),
        ("b", Value::Count(0)),
        ("c", Value::Dates(days())),
        ("d", Value::Text("泸".to_owned())),
    ];
    let failure = |facts: &[u64]| Failure {
        limit: "limit".to_owned(),
        code: "M15_CAP".to_owned(),
        compared: compared
            .iter()
            .map(|(name, value)| Compared {
                name: (*name).to_owned(),
                value: value.clone(),
            })
            .collect(),
        facts: facts
            .iter()
            .map(|number| Position::new(*number).unwrap())
            .collect(),
    };
    Refusal {
        claim: claims().remove(2),
        failures: vec![failure(&[3, 900]), failure(&[])],
    }
}

/// Bodies that the short way knows, and one that it leaves to messages.
fn bodies() -> Vec<Body> {
    let party = |kind| Party {
        kind,
        subject: who(1),
        sealed: vec![9; 40].into(),
        digest: [8; 8],
    };
    let mut bodies = vec![
        Body::PartyRegistered(party(PartyKind::Person)),
        Body::PartyCorrected(party(PartyKind::Brand)),
        Body::AccountBound(Account {
            subject: who(1),
            sealed: vec![9; 40].into(),
            digest: [8; 8],
        }),
        Body::Refused(refusal()),
        Body::FactCorrected(Correction {
            asserted: Position::FIRST,
            was: facts().remove(0),
            now: facts().remove(1),
            reason: name::<Label>("更正"),
        }),
    ];
    bodies.extend(facts().into_iter().map(Body::Fact));
    bodies.extend(claims().into_iter().map(Body::Granted));
    bodies
}

fn events() -> Vec<Event> {
    let full = Header {
        position: Position::new(1_000_000).unwrap(),
        stream: who(1).into(),
        revision: 3,
        stream_previous: Position::new(77),
        recorded_at: 1_700_000_000_000_000,
        request: Some(RequestMark {
            id: [1; 16],
            content: [2; 16],
        }),
        principal: name("local"),
        office: Some(Office::LUZHOU),
        basis: Some(day(20_240_102)),
        policy: Position::new(2),
        cause: Position::new(5),
        salt: [7; 16],
        credential: Some([4; 16]),
    };
    let bare = Header {
        position: Position::FIRST,
        revision: 0,
        stream_previous: None,
        recorded_at: -1,
        request: None,
        office: None,
        basis: None,
        policy: None,
        cause: None,
        credential: None,
        ..full.clone()
    };
    let of = |header: &Header, body| Event {
        header: header.clone(),
        body,
    };
    let bodies = bodies();
    let all = bodies.iter().map(|body| of(&full, body.clone()));
    all.chain(bodies.iter().take(3).map(|body| of(&bare, body.clone())))
        .collect()
}

fn long(bytes: &[u8]) -> Option<Event> {
    from_stored(stored::Event::decode(bytes).ok()?).ok()
}

/// Top-level fields, or those of the body if there is one.
fn fields(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let whole = bytes;
        let (tag, wire_type) = decode_key(&mut bytes).unwrap();
        skip_field(wire_type, tag, &mut bytes, DecodeContext::default()).unwrap();
        let length = whole.len().saturating_sub(bytes.len());
        fields.push(whole[..length].to_vec());
    }
    fields
}

/// The event's bytes with each way of spoiling them.
fn spoilt(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for place in 0..bytes.len() {
        for bits in [0x01, 0x02, 0x07, 0x08, 0x10, 0x80, 0xff] {
            let mut bent = bytes.to_vec();
            bent[place] ^= bits;
            all.push(bent);
        }
        all.push(bytes[..place].to_vec());
        let (before, after) = bytes.split_at(place);
        all.push([before, &[0], after].concat());
        all.push([before, &[0x80], after].concat());
        all.push([before, &after[1..]].concat());
    }
    let fields = fields(bytes);
    for one in 0..fields.len() {
        for other in 0..fields.len() {
            let mut swapped = fields.clone();
            swapped.swap(one, other);
            all.push(swapped.concat());
            let mut twice = fields.clone();
            twice.insert(other, fields[one].clone());
            all.push(twice.concat());
        }
        let mut without = fields.clone();
        without.remove(one);
        all.push(without.concat());
    }
    all
}

#[test]
fn the_short_way_writes_and_reads_what_the_long_way_does() {
    assert_eq!(claims().len(), Form::ALL.len());
    for event in events() {
        let mut bytes = Vec::new();
        encode(&event, &mut bytes);
        assert_eq!(bytes, to_stored(&event).encode_to_vec(), "{event:?}");
        assert_eq!(decode(&bytes).as_ref(), Some(&event));
        assert_eq!(long(&bytes).as_ref(), Some(&event));
    }
}

#[test]
fn the_short_way_gives_what_the_long_way_gives_or_nothing() {
    let mut read = 0_u32;
    for event in events() {
        let mut bytes = Vec::new();
        encode(&event, &mut bytes);
        for spoilt in spoilt(&bytes) {
            if let Some(short) = decode(&spoilt) {
                assert_eq!(Some(short), long(&spoilt), "{spoilt:02x?}");
                read += 1;
            }
        }
    }
    // Bits of salts, amounts and pseudonyms are nobody's mistake.
    assert!(read > 1_000, "{read}");
}
