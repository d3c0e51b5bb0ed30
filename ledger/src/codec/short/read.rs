//! From bytes.

use luzhang_proto::event as stored;
use prost::{Message as _, encoding};

use super::{super::body_from_stored, LENGTH};
use crate::{
    amount::Fen,
    calendar::{self, Date, DateSet, Window},
    claim::{
        BorrowerKind, BrandAward, Claim, InterestSubsidy, Loan, RatePpm, RecognitionLevel,
        ServiceSubsidy, SkillBase, SkillBaseKind, Spending, Subsidy, TrainingAllowance,
        TrainingSubsidy, TransportAid, TravelMode,
    },
    event::{
        Body, Compared, Event, Failure, Header, Party, PartyKind, Refusal, RequestMark, Value,
    },
    fact::{Attendance, Certificate, CertificateKind, Fact, PovertyStatus, UnemploymentBenefit},
    identity::SubjectId,
    office::Office,
    position::{Position, StreamId},
    step::Account,
};

/// An event, if it is one of those.
pub(in crate::codec) fn decode(bytes: &[u8]) -> Option<Event> {
    let mut fields = Fields(bytes);
    let position = Position::new(fields.number(1)?)?;
    let stream = StreamId::from_bytes(fields.array(2)?);
    let revision = fields.number(3)?;
    let stream_previous = Position::new(fields.number(4)?);
    let recorded_at = fields.number(5)?.cast_signed();
    let request = match (fields.slice(6)?, fields.slice(7)?) {
        ([], []) => None,
        (id, content) => Some(RequestMark {
            id: id.try_into().ok()?,
            content: content.try_into().ok()?,
        }),
    };
    let header = Header {
        position,
        stream,
        revision,
        stream_previous,
        recorded_at,
        request,
        principal: fields.name(8)?,
        office: match fields.small(9)? {
            0 => None,
            code => Some(Office::new(code).ok()?),
        },
        basis: fields.optional_day(10)?,
        policy: Position::new(fields.number(11)?),
        cause: Position::new(fields.number(12)?),
        salt: fields.array(13)?,
        credential: match fields.slice(14)? {
            [] => None,
            credential => Some(credential.try_into().ok()?),
        },
    };
    let body = fields.0;
    let key = fields.varint()?;
    let message = fields.rest_of_length()?;
    let body = match (key >> 3, key & 7) {
        (tag @ 22..=23, LENGTH) => {
            let party = party(stream, message)?;
            if tag == 22 {
                Body::PartyRegistered(party)
            } else {
                Body::PartyCorrected(party)
            }
        }
        (24, LENGTH) => account(stream, message)?,
        (31, LENGTH) => Body::Fact(poverty_status(message)?),
        (32, LENGTH) => Body::Fact(unemployment_benefit(message)?),
        (35, LENGTH) => Body::Fact(attendance(message)?),
        (38, LENGTH) => Body::Fact(certificate(message)?),
        (tag @ 50..=58, LENGTH) => Body::Granted(claim(tag.saturating_sub(49), message)?),
        (80, LENGTH) => Body::Refused(refusal(message)?),
        // The one field that is left, and so the body or nothing known.
        (_, LENGTH) => {
            let message = stored::Event::decode(body).ok()?;
            body_from_stored(message.body?, stream).ok()?
        }
        _ => return None,
    };
    Some(Event { header, body })
}

fn party(stream: StreamId, message: &[u8]) -> Option<Party> {
    let mut fields = Fields(message);
    let party = Party {
        kind: match fields.number(1)? {
            1 => PartyKind::Person,
            2 => PartyKind::Organisation,
            3 => PartyKind::Brand,
            _ => return None,
        },
        subject: stream.subject(),
        sealed: fields.slice(2)?.into(),
        digest: fields.array(3)?,
    };
    fields.end(party)
}

fn account(stream: StreamId, message: &[u8]) -> Option<Body> {
    let mut fields = Fields(message);
    let account = Account {
        sealed: fields.slice(1)?.into(),
        digest: fields.array(2)?,
        subject: stream.subject(),
    };
    fields.end(Body::AccountBound(account))
}

fn poverty_status(message: &[u8]) -> Option<Fact> {
    let mut fields = Fields(message);
    let fact = Fact::PovertyStatus(PovertyStatus {
        person: fields.subject(1)?,
        window: Window::new(fields.day(2)?, fields.optional_day(3)?).ok()?,
        list_version: fields.name(4)?,
    });
    fact.check().ok()?;
    fields.end(fact)
}

fn unemployment_benefit(message: &[u8]) -> Option<Fact> {
    let mut fields = Fields(message);
    let fact = Fact::UnemploymentBenefit(UnemploymentBenefit {
        person: fields.subject(1)?,
        first_day: fields.day(2)?,
        last_day: fields.day(3)?,
        source: fields.name(4)?,
    });
    fact.check().ok()?;
    fields.end(fact)
}

fn attendance(message: &[u8]) -> Option<Fact> {
    let mut fields = Fields(message);
    let fact = Fact::Attendance(Attendance {
        course_no: fields.name(1)?,
        person: fields.subject(2)?,
        dates: fields.days(3)?,
    });
    fact.check().ok()?;
    fields.end(fact)
}

fn certificate(message: &[u8]) -> Option<Fact> {
    let mut fields = Fields(message);
    let fact = Fact::Certificate(Certificate {
        certificate_no: fields.name(1)?,
        person: fields.subject(2)?,
        kind: match fields.number(3)? {
            1 => CertificateKind::Qualification,
            2 => CertificateKind::SkillLevel,
            3 => CertificateKind::SpecialAbility,
            4 => CertificateKind::Training,
            _ => return None,
        },
        level: fields.name(4)?,
        issued_on: fields.day(5)?,
    });
    fact.check().ok()?;
    fields.end(fact)
}

fn refusal(message: &[u8]) -> Option<Refusal> {
    let mut fields = Fields(message);
    let key = fields.varint()?;
    if key & 7 != LENGTH {
        return None;
    }
    let length = fields.length()?;
    let claim = claim(key >> 3, fields.split(length)?)?;
    let mut failures = Vec::new();
    while fields.is(15, 2) {
        let length = fields.length()?;
        failures.push(failure(fields.split(length)?)?);
    }
    if failures.is_empty() {
        return None;
    }
    fields.end(Refusal { claim, failures })
}

fn failure(message: &[u8]) -> Option<Failure> {
    let mut fields = Fields(message);
    let limit = fields.text(1)?.to_owned();
    let code = fields.text(2)?.to_owned();
    let mut compared = Vec::new();
    while fields.is(3, 2) {
        let length = fields.length()?;
        compared.push(one_compared(fields.split(length)?)?);
    }
    let mut numbers = Fields(fields.slice(4)?);
    let mut facts = Vec::new();
    while !numbers.0.is_empty() {
        facts.push(Position::new(numbers.varint()?)?);
    }
    fields.end(Failure {
        limit,
        code,
        compared,
        facts,
    })
}

fn one_compared(message: &[u8]) -> Option<Compared> {
    let mut fields = Fields(message);
    let name = fields.text(1)?.to_owned();
    let value = if fields.is(2, 0) {
        Value::Fen(fields.varint()?.cast_signed())
    } else if fields.is(3, 0) {
        Value::Count(fields.varint()?.cast_signed())
    } else if fields.is(4, 2) {
        let length = fields.length()?;
        let mut dates = Fields(fields.split(length)?);
        let days = dates.days(1)?;
        dates.end(Value::Dates(days))?
    } else if fields.is(5, 2) {
        let length = fields.length()?;
        Value::Text(std::str::from_utf8(fields.split(length)?).ok()?.to_owned())
    } else {
        return None;
    };
    fields.end(Compared { name, value })
}

/// A claim by its number in a refusal. Fields are read in the order of the literal.
#[expect(clippy::too_many_lines, reason = "one arm a message")]
fn claim(form: u64, message: &[u8]) -> Option<Claim> {
    let mut fields = Fields(message);
    let claim = match form {
        1 => Claim::TrainingAllowance(TrainingAllowance {
            claim_no: fields.name(1)?,
            person: fields.subject(2)?,
            course_no: fields.name(3)?,
            dates: fields.days(4)?,
            daily: fields.fen(5)?,
            amount: fields.fen(6)?,
            fund: fields.name(7)?,
        }),
        2 => Claim::SkillBase(SkillBase {
            claim_no: fields.name(1)?,
            entity: fields.subject(2)?,
            kind: match fields.number(3)? {
                1 => SkillBaseKind::TrainingBase,
                2 => SkillBaseKind::MasterStudio,
                _ => return None,
            },
            level: match fields.number(4)? {
                1 => RecognitionLevel::National,
                2 => RecognitionLevel::Provincial,
                _ => return None,
            },
            recognised_on: fields.day(5)?,
            document: fields.name(6)?,
            amount: fields.fen(7)?,
            fund: fields.name(8)?,
        }),
        3 => Claim::ServiceSubsidy(ServiceSubsidy {
            claim_no: fields.name(1)?,
            agency: fields.subject(2)?,
            worker: fields.subject(3)?,
            employer: fields.subject(4)?,
            contract_first_day: fields.day(5)?,
            contract_last_day: fields.day(6)?,
            insured_from: fields.optional_day(7)?,
            amount: fields.fen(8)?,
            fund: fields.name(9)?,
        }),
        4 => Claim::BrandAward(BrandAward {
            claim_no: fields.name(1)?,
            brand_no: fields.name(2)?,
            amount: fields.fen(3)?,
            paid_on: fields.day(4)?,
            fund: fields.name(5)?,
        }),
        5 => Claim::Loan(Loan {
            loan_no: fields.name(1)?,
            borrower_kind: match fields.number(2)? {
                1 => BorrowerKind::Person,
                2 => BorrowerKind::SmallFirm,
                _ => return None,
            },
            borrower: fields.subject(3)?,
            principal: fields.fen(4)?,
            rate: RatePpm::new(fields.small(5)?).ok()?,
            issued_on: fields.day(6)?,
            due_on: fields.day(7)?,
            bank: fields.name(8)?,
        }),
        6 => Claim::InterestSubsidy(InterestSubsidy {
            claim_no: fields.name(1)?,
            loan_no: fields.name(2)?,
            period: Window::new(fields.day(3)?, fields.optional_day(4)?).ok()?,
            interest: fields.fen(5)?,
            amount: fields.fen(6)?,
            fund: fields.name(7)?,
        }),
        7 => Claim::TrainingSubsidy(TrainingSubsidy {
            claim_no: fields.name(1)?,
            person: fields.subject(2)?,
            course_no: fields.name(3)?,
            certificate_no: fields.name(4)?,
            completed_on: Some(fields.day(5)?),
            amount: fields.fen(6)?,
            fund: fields.name(7)?,
        }),
        8 => Claim::TransportAid(TransportAid {
            claim_no: fields.name(1)?,
            person: fields.subject(2)?,
            province: Office::new(fields.small(3)?).ok()?,
            travelled_on: fields.day(4)?,
            mode: match fields.number(5)? {
                1 => TravelMode::Rail,
                2 => TravelMode::Road,
                3 => TravelMode::Water,
                _ => return None,
            },
            amount: fields.fen(6)?,
            fund: fields.name(7)?,
        }),
        9 => Claim::Subsidy(Subsidy {
            claim_no: fields.name(1)?,
            programme: fields.name(2)?,
            recipient: fields.subject(3)?,
            document: fields.name(4)?,
            due_on: fields.day(5)?,
            spending: if fields.is(6, 2) {
                let length = fields.length()?;
                let mut spending = Fields(fields.split(length)?);
                let (previous, current) = (spending.fen(1)?, spending.fen(2)?);
                Some(spending.end(Spending { previous, current })?)
            } else {
                None
            },
            amount: fields.fen(7)?,
            fund: fields.name(8)?,
        }),
        _ => return None,
    };
    claim.check().ok()?;
    fields.end(claim)
}

/// Fields of a message that are still to come. What is absent has the value that
/// protobuf gives it: zero, or nothing.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// Whether the next field is this one, of fewer than 16; steps over its key.
    #[inline]
    fn is(&mut self, field: u8, wire_type: u8) -> bool {
        let key = field.saturating_mul(8).saturating_add(wire_type);
        match self.0.split_first() {
            Some((next, rest)) if *next == key => {
                self.0 = rest;
                true
            }
            Some(_) | None => false,
        }
    }

    #[inline]
    fn varint(&mut self) -> Option<u64> {
        // Dates have four bytes, times eight.
        let (mut value, mut shift) = (0_u64, 0_u32);
        let mut rest = self.0;
        while let Some((byte, after)) = rest.split_first() {
            if shift > 56 {
                break;
            }
            rest = after;
            value |= u64::from(byte & 0x7f).wrapping_shl(shift);
            if *byte < 0x80 {
                self.0 = rest;
                return Some(value);
            }
            shift = shift.saturating_add(7);
        }
        encoding::decode_varint(&mut self.0).ok()
    }

    #[inline]
    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.varint()?).ok()
    }

    fn split(&mut self, length: usize) -> Option<&'a [u8]> {
        let (field, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(field)
    }

    /// The rest, if it has the length that comes first.
    fn rest_of_length(&mut self) -> Option<&'a [u8]> {
        (self.length()? == self.0.len()).then_some(self.0)
    }

    /// The value, if no field is left.
    fn end<T>(&self, value: T) -> Option<T> {
        self.0.is_empty().then_some(value)
    }

    #[inline]
    fn number(&mut self, field: u8) -> Option<u64> {
        if self.is(field, 0) {
            self.varint()
        } else {
            Some(0)
        }
    }

    #[inline]
    fn small(&mut self, field: u8) -> Option<u32> {
        u32::try_from(self.number(field)?).ok()
    }

    #[inline]
    fn slice(&mut self, field: u8) -> Option<&'a [u8]> {
        if !self.is(field, 2) {
            return Some(&[]);
        }
        let length = self.length()?;
        self.split(length)
    }

    #[inline]
    fn array<const N: usize>(&mut self, field: u8) -> Option<[u8; N]> {
        self.slice(field)?.try_into().ok()
    }

    #[inline]
    fn text(&mut self, field: u8) -> Option<&'a str> {
        std::str::from_utf8(self.slice(field)?).ok()
    }

    #[inline]
    fn name<T: TryFrom<&'a str>>(&mut self, field: u8) -> Option<T> {
        T::try_from(self.text(field)?).ok()
    }

    #[inline]
    fn subject(&mut self, field: u8) -> Option<SubjectId> {
        Some(SubjectId::from_bytes(self.array(field)?))
    }

    #[inline]
    fn fen(&mut self, field: u8) -> Option<Fen> {
        Fen::new(self.number(field)?.cast_signed()).ok()
    }

    #[inline]
    fn day(&mut self, field: u8) -> Option<Date> {
        calendar::from_number(self.small(field)?).ok()
    }

    #[expect(clippy::option_option, reason = "no day is one of the things to read")]
    #[inline]
    fn optional_day(&mut self, field: u8) -> Option<Option<Date>> {
        match self.small(field)? {
            0 => Some(None),
            number => calendar::from_number(number).ok().map(Some),
        }
    }

    fn days(&mut self, field: u8) -> Option<DateSet> {
        let mut numbers = Fields(self.slice(field)?);
        let mut days = Vec::new();
        while !numbers.0.is_empty() {
            let number = u32::try_from(numbers.varint()?).ok()?;
            days.push(calendar::from_number(number).ok()?);
        }
        DateSet::new(days).ok()
    }
}
