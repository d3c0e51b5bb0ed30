//! To bytes.

use luzhang_proto::event as stored;
use prost::{Message as _, encoding};

use super::{super::body_to_stored, LENGTH};
use crate::{
    amount::Fen,
    calendar::{self, Date, DateSet},
    claim::{BorrowerKind, Claim, RecognitionLevel, SkillBaseKind, TravelMode},
    event::{Body, Event, Failure, Party, PartyKind, Value},
    fact::Fact,
    office::Office,
    position::Position,
};

/// The stored bytes of an event, appended to `out`: those that the long way gives.
pub(in crate::codec) fn encode(event: &Event, out: &mut Vec<u8>) {
    let header = &event.header;
    let number = |position: Option<Position>| position.map_or(0, Position::number);
    let mut fields = Out(out);
    fields.number(1, header.position.number());
    fields.slice(2, header.stream.as_bytes());
    fields.number(3, header.revision);
    fields.number(4, number(header.stream_previous));
    fields.number(5, header.recorded_at.cast_unsigned());
    if let Some(request) = &header.request {
        fields.slice(6, &request.id);
        fields.slice(7, &request.content);
    }
    fields.text(8, header.principal.as_str());
    fields.number(9, header.office.map_or(0, Office::code).into());
    fields.optional_day(10, header.basis);
    fields.number(11, number(header.policy));
    fields.number(12, number(header.cause));
    fields.slice(13, &header.salt);
    if let Some(credential) = &header.credential {
        fields.slice(14, credential);
    }
    if !encode_body(&event.body, &mut fields) {
        let body = Some(body_to_stored(&event.body));
        let only = stored::Event {
            body,
            ..stored::Event::default()
        };
        only.encode_raw(fields.0);
    }
}

/// Whether the body is one of those that the short way knows.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the long way knows the others"
)]
fn encode_body(body: &Body, fields: &mut Out<'_>) -> bool {
    match body {
        Body::PartyRegistered(party) => fields.message(22, |fields| fields.party(party)),
        Body::PartyCorrected(party) => fields.message(23, |fields| fields.party(party)),
        Body::AccountBound(account) => fields.message(24, |fields| {
            fields.slice(1, &account.sealed);
            fields.slice(2, &account.digest);
        }),
        Body::Fact(Fact::PovertyStatus(fact)) => fields.message(31, |fields| {
            fields.slice(1, fact.person.as_bytes());
            fields.day(2, fact.window.from());
            fields.optional_day(3, fact.window.until());
            fields.text(4, fact.list_version.as_str());
        }),
        Body::Fact(Fact::UnemploymentBenefit(fact)) => fields.message(32, |fields| {
            fields.slice(1, fact.person.as_bytes());
            fields.day(2, fact.first_day);
            fields.day(3, fact.last_day);
            fields.text(4, fact.source.as_str());
        }),
        Body::Fact(Fact::Attendance(fact)) => fields.message(35, |fields| {
            fields.text(1, fact.course_no.as_str());
            fields.slice(2, fact.person.as_bytes());
            fields.days(3, &fact.dates);
        }),
        Body::Granted(claim) => {
            let form = form(claim);
            fields.message(form.saturating_add(49), |fields| fields.claim(claim));
        }
        Body::Refused(refusal) => fields.message(80, |fields| {
            fields.message(form(&refusal.claim), |fields| fields.claim(&refusal.claim));
            for failure in &refusal.failures {
                fields.message(15, |fields| fields.failure(failure));
            }
        }),
        _ => return false,
    }
    true
}

/// A claim's number in a refusal.
fn form(claim: &Claim) -> u64 {
    match claim {
        Claim::TrainingAllowance(_) => 1,
        Claim::SkillBase(_) => 2,
        Claim::ServiceSubsidy(_) => 3,
        Claim::BrandAward(_) => 4,
        Claim::Loan(_) => 5,
        Claim::InterestSubsidy(_) => 6,
        Claim::TrainingSubsidy(_) => 7,
        Claim::TransportAid(_) => 8,
        Claim::Subsidy(_) => 9,
    }
}

/// Fields of a message that is being written. What has the value of an absent field
/// is absent.
struct Out<'a>(&'a mut Vec<u8>);

impl Out<'_> {
    #[inline]
    fn key(&mut self, field: u8, wire_type: u8) {
        self.0
            .push(field.saturating_mul(8).saturating_add(wire_type));
    }

    #[inline]
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            let [low, ..] = value.to_le_bytes();
            self.0.push(low | 0x80);
            value >>= 7;
        }
        let [low, ..] = value.to_le_bytes();
        self.0.push(low);
    }

    #[inline]
    fn number(&mut self, field: u8, value: u64) {
        if value != 0 {
            self.key(field, 0);
            self.varint(value);
        }
    }

    #[inline]
    fn slice(&mut self, field: u8, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.key(field, 2);
            self.varint(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            self.0.extend_from_slice(bytes);
        }
    }

    #[inline]
    fn text(&mut self, field: u8, text: &str) {
        self.slice(field, text.as_bytes());
    }

    #[inline]
    fn fen(&mut self, field: u8, fen: Fen) {
        self.number(field, fen.fen().cast_unsigned());
    }

    #[inline]
    fn day(&mut self, field: u8, day: Date) {
        self.number(field, calendar::to_number(day).into());
    }

    #[inline]
    fn optional_day(&mut self, field: u8, day: Option<Date>) {
        if let Some(day) = day {
            self.day(field, day);
        }
    }

    fn days(&mut self, field: u8, days: &DateSet) {
        self.message(field.into(), |fields| {
            for day in days.days() {
                fields.varint(calendar::to_number(*day).into());
            }
        });
    }

    /// Something with a length, which is known when it is written.
    fn message(&mut self, field: u64, write: impl FnOnce(&mut Out<'_>)) {
        self.varint(field.saturating_mul(8).saturating_add(LENGTH));
        let start = self.0.len();
        write(&mut Out(self.0));
        let length = self.0.len().saturating_sub(start);
        let mut prefix = [0_u8; 10];
        let mut rest = &mut prefix[..];
        encoding::encode_varint(u64::try_from(length).unwrap_or(u64::MAX), &mut rest);
        let free = rest.len();
        let used = prefix.len().saturating_sub(free);
        let prefix = prefix.into_iter().take(used);
        self.0.splice(start..start, prefix);
    }

    fn party(&mut self, party: &Party) {
        let kind = match party.kind {
            PartyKind::Person => 1,
            PartyKind::Organisation => 2,
            PartyKind::Brand => 3,
        };
        self.number(1, kind);
        self.slice(2, &party.sealed);
        self.slice(3, &party.digest);
    }

    fn failure(&mut self, failure: &Failure) {
        self.text(1, &failure.limit);
        self.text(2, &failure.code);
        for compared in &failure.compared {
            self.message(3, |fields| {
                fields.text(1, &compared.name);
                match &compared.value {
                    Value::Fen(fen) => fields.chosen(2, *fen),
                    Value::Count(count) => fields.chosen(3, *count),
                    Value::Dates(days) => fields.message(4, |fields| fields.days(1, days)),
                    Value::Text(text) => fields.message(5, |fields| {
                        fields.0.extend_from_slice(text.as_bytes());
                    }),
                }
            });
        }
        if !failure.facts.is_empty() {
            self.message(4, |fields| {
                for position in &failure.facts {
                    fields.varint(position.number());
                }
            });
        }
    }

    /// A number that is written even if it is zero: it says which one was chosen.
    fn chosen(&mut self, field: u8, value: i64) {
        self.key(field, 0);
        self.varint(value.cast_unsigned());
    }

    #[expect(clippy::too_many_lines, reason = "one arm a message")]
    fn claim(&mut self, claim: &Claim) {
        match claim {
            Claim::TrainingAllowance(claim) => {
                self.text(1, claim.claim_no.as_str());
                self.slice(2, claim.person.as_bytes());
                self.text(3, claim.course_no.as_str());
                self.days(4, &claim.dates);
                self.fen(5, claim.daily);
                self.fen(6, claim.amount);
                self.text(7, claim.fund.as_str());
            }
            Claim::SkillBase(claim) => {
                self.text(1, claim.claim_no.as_str());
                self.slice(2, claim.entity.as_bytes());
                self.number(
                    3,
                    match claim.kind {
                        SkillBaseKind::TrainingBase => 1,
                        SkillBaseKind::MasterStudio => 2,
                    },
                );
                self.number(
                    4,
                    match claim.level {
                        RecognitionLevel::National => 1,
                        RecognitionLevel::Provincial => 2,
                    },
                );
                self.day(5, claim.recognised_on);
                self.text(6, claim.document.as_str());
                self.fen(7, claim.amount);
                self.text(8, claim.fund.as_str());
            }
            Claim::ServiceSubsidy(claim) => {
                self.text(1, claim.claim_no.as_str());
                self.slice(2, claim.agency.as_bytes());
                self.slice(3, claim.worker.as_bytes());
                self.slice(4, claim.employer.as_bytes());
                self.day(5, claim.contract_first_day);
                self.day(6, claim.contract_last_day);
                self.optional_day(7, claim.insured_from);
                self.fen(8, claim.amount);
                self.text(9, claim.fund.as_str());
            }
            Claim::BrandAward(claim) => {
                self.text(1, claim.claim_no.as_str());
                self.text(2, claim.brand_no.as_str());
                self.fen(3, claim.amount);
                self.day(4, claim.paid_on);
                self.text(5, claim.fund.as_str());
            }
            Claim::Loan(claim) => {
                self.text(1, claim.loan_no.as_str());
                self.number(
                    2,
                    match claim.borrower_kind {
                        BorrowerKind::Person => 1,
                        BorrowerKind::SmallFirm => 2,
                    },
                );
                self.slice(3, claim.borrower.as_bytes());
                self.fen(4, claim.principal);
                self.number(5, claim.rate.ppm().into());
                self.day(6, claim.issued_on);
                self.day(7, claim.due_on);
                self.text(8, claim.bank.as_str());
            }
            Claim::InterestSubsidy(claim) => {
                self.text(1, claim.claim_no.as_str());
                self.text(2, claim.loan_no.as_str());
                self.day(3, claim.period.from());
                self.optional_day(4, claim.period.until());
                self.fen(5, claim.interest);
                self.fen(6, claim.amount);
                self.text(7, claim.fund.as_str());
            }
            Claim::TrainingSubsidy(claim) => {
                self.text(1, claim.claim_no.as_str());
                self.slice(2, claim.person.as_bytes());
                self.text(3, claim.course_no.as_str());
                self.text(4, claim.certificate_no.as_str());
                self.optional_day(5, claim.completed_on);
                self.fen(6, claim.amount);
                self.text(7, claim.fund.as_str());
            }
            Claim::TransportAid(claim) => {
                self.text(1, claim.claim_no.as_str());
                self.slice(2, claim.person.as_bytes());
                self.number(3, claim.province.code().into());
                self.day(4, claim.travelled_on);
                self.number(
                    5,
                    match claim.mode {
                        TravelMode::Rail => 1,
                        TravelMode::Road => 2,
                        TravelMode::Water => 3,
                    },
                );
                self.fen(6, claim.amount);
                self.text(7, claim.fund.as_str());
            }
            Claim::Subsidy(claim) => {
                self.text(1, claim.claim_no.as_str());
                self.text(2, claim.programme.as_str());
                self.slice(3, claim.recipient.as_bytes());
                self.text(4, claim.document.as_str());
                self.day(5, claim.due_on);
                if let Some(spending) = &claim.spending {
                    self.message(6, |fields| {
                        fields.fen(1, spending.previous);
                        fields.fen(2, spending.current);
                    });
                }
                self.fen(7, claim.amount);
                self.text(8, claim.fund.as_str());
            }
        }
    }
}
