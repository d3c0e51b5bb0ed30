//! `CaseService`: the list to publish, the payments to make.

use std::sync::Arc;

use luzhang_ledger::{
    Body, Position, StreamId, StreamKind, SubjectId,
    access::{Reveal, Revealed},
    step::Step,
    text::{BatchNo, Label},
};
use luzhang_projections::{
    Rejection, access,
    projection::Projections,
    state::{BatchView, PaymentView},
};
use luzhang_proto::wire::{self, case_service_server::CaseService, get_notice_list_request::Of};
use tonic::{Request, Response, Status};

use super::Context;
use crate::{
    convert::from_proto::References as _, engine::Engine, gate::Visitor, references,
    rejected::Rejected, sequencer::Said,
};

/// The most grants of a list.
const MAX_GRANTS: usize = Step::MAX_GRANTS;
/// The most subjects of one question.
const MAX_SUBJECTS: usize = 1_000;

#[tonic::async_trait]
impl CaseService for Context {
    async fn get_notice_list(
        &self,
        request: Request<wire::GetNoticeListRequest>,
    ) -> Result<Response<wire::GetNoticeListResponse>, Status> {
        let visitor = Visitor::of(request.extensions())?.clone();
        let of = request.into_inner().of;
        let of = of.ok_or_else(|| Rejected::missing("of").into_status())?;
        let engine = Arc::clone(&self.engine);
        aside(move || notice_list(&engine, &visitor, of)).await
    }

    async fn get_masked_details(
        &self,
        request: Request<wire::GetMaskedDetailsRequest>,
    ) -> Result<Response<wire::GetMaskedDetailsResponse>, Status> {
        let request = request.into_inner();
        let engine = Arc::clone(&self.engine);
        aside(move || masked_details(&engine, &request)).await
    }

    async fn get_batch(
        &self,
        request: Request<wire::GetBatchRequest>,
    ) -> Result<Response<wire::GetBatchResponse>, Status> {
        let visitor = Visitor::of(request.extensions())?.clone();
        let request = request.into_inner();
        let number = BatchNo::new(request.batch_no).map_err(|error| {
            let malformed = luzhang_ledger::malformed::at("batch_no")(error);
            Rejected::from(malformed).into_status()
        })?;
        let with = if request.with_details {
            let purpose = purpose(request.purpose)?;
            let of = Revealed::Batch(number.clone());
            let is_there =
                |projections: &Projections| projections.state.batch(number.as_str()).is_some();
            if self.engine.peek(is_there) {
                self.say_revealed(&visitor, of, purpose).await?;
            }
            Details::Clear
        } else {
            Details::Hidden
        };
        let engine = Arc::clone(&self.engine);
        aside(move || batch(&engine, &visitor, number.as_str(), with)).await
    }

    async fn reveal_details(
        &self,
        request: Request<wire::RevealDetailsRequest>,
    ) -> Result<Response<wire::RevealDetailsResponse>, Status> {
        let visitor = Visitor::of(request.extensions())?.clone();
        let request = request.into_inner();
        let subject = self.subject(request.subject)?;
        let purpose = purpose(request.purpose)?;
        let (known, erased) = self.engine.peek(|projections| {
            let state = &projections.state;
            (state.party(subject).is_some(), state.is_erased(subject))
        });
        if !known {
            let why = if erased {
                Rejection::Erased
            } else {
                Rejection::UnknownSubject
            };
            return Err(Rejected::from(why).into_status());
        }
        let of = Revealed::Subject(subject);
        let position = self.say_revealed(&visitor, of, purpose).await?;
        let engine = Arc::clone(&self.engine);
        aside(move || revealed(&engine, subject, position)).await
    }
}

impl Context {
    /// Records that somebody is about to see details in clear: what is not on the log
    /// is shown to nobody. Whoever may open the data directory needs a mandate too, so
    /// that the log speaks of people.
    async fn say_revealed(
        &self,
        visitor: &Visitor,
        of: Revealed,
        purpose: Label,
    ) -> Result<Position, Status> {
        let stream = match &of {
            Revealed::Subject(subject) => StreamId::from(*subject),
            Revealed::Batch(number) => StreamId::of(StreamKind::Batch, number.as_str()),
        };
        let said_of = of.clone();
        let said = Said {
            by: visitor.who.clone(),
            stream,
            body: Body::DetailsRevealed(Reveal { of, purpose }),
        };
        let (who, whose) = (visitor.who.clone(), said_of.clone());
        let say = move |projections: &Projections| {
            // Asked where it is written down, so that an auditor finds the same.
            match access::may_look(&projections.state, &who, &whose) {
                Ok(()) => vec![said],
                Err(_) => Vec::new(),
            }
        };
        let recorded = self.engine.record(Box::new(say)).await;
        if let Some(position) = recorded.map_err(Rejected::into_status)? {
            return Ok(position);
        }
        let looked = self
            .engine
            .peek(|projections| access::may_look(&projections.state, &visitor.who, &said_of));
        // Who got a mandate in the meantime asks again.
        let why = looked.map_or_else(|denied| visitor.denied(denied), |()| Rejected::queue_full());
        Err(why.into_status())
    }
}

fn purpose(text: String) -> Result<Label, Status> {
    Label::new(text).map_err(|error| {
        let malformed = luzhang_ledger::malformed::at("purpose")(error);
        Rejected::from(malformed).into_status()
    })
}

fn revealed(
    engine: &Engine,
    subject: SubjectId,
    position: Position,
) -> Result<wire::RevealDetailsResponse, Rejected> {
    let details = references::details(engine, subject)?;
    let (_, details) = details.ok_or_else(|| Rejected::from(Rejection::Erased))?;
    let account = references::account(engine, subject)?;
    let of_account = |part: fn(&luzhang_ledger::identity::Details) -> &str| {
        account
            .as_ref()
            .map_or_else(String::new, |account| part(account).to_owned())
    };
    Ok(wire::RevealDetailsResponse {
        subject_id: subject.as_bytes().to_vec(),
        name: details.name().to_owned(),
        number: details.number().to_owned(),
        bank: of_account(luzhang_ledger::identity::Details::name),
        account: of_account(luzhang_ledger::identity::Details::number),
        position: position.number(),
    })
}

/// Whether a batch is shown with names and accounts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Details {
    Clear,
    Hidden,
}

/// Work that reads many events, away from the runtime's own threads.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Rejected> + Send + 'static,
) -> Result<Response<T>, Status> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.unwrap_or_else(|_| Err(Rejected::shutting_down()));
    done.map(Response::new).map_err(Rejected::into_status)
}

fn masked_details(
    engine: &Engine,
    request: &wire::GetMaskedDetailsRequest,
) -> Result<wire::GetMaskedDetailsResponse, Rejected> {
    if request.subject_ids.len() > MAX_SUBJECTS {
        let problem = luzhang_ledger::malformed::Problem::TooMany { max: MAX_SUBJECTS };
        return Err(luzhang_ledger::malformed::at("subject_ids")(problem).into());
    }
    let until = Position::new(request.position).unwrap_or(Position::LAST);
    let mut subjects = Vec::with_capacity(request.subject_ids.len());
    for id in &request.subject_ids {
        let Ok(bytes) = <[u8; 16]>::try_from(&id[..]) else {
            return Err(Rejected::field(
                "subject_ids",
                "BYTE_LENGTH",
                "应为 16 字节",
                "must have 16 bytes",
            ));
        };
        let subject = SubjectId::from_bytes(bytes);
        let Some(shown) = references::masked_details(engine, subject, until)? else {
            continue;
        };
        subjects.push(wire::MaskedDetails {
            subject_id: id.clone(),
            name: shown.name,
            identity: shown.identity,
            account: shown.account,
        });
    }
    Ok(wire::GetMaskedDetailsResponse { subjects })
}

fn notice_list(
    engine: &Engine,
    visitor: &Visitor,
    of: Of,
) -> Result<wire::GetNoticeListResponse, Rejected> {
    let (notice_no, grants, published_digest) = match of {
        Of::NoticeNo(number) => {
            let notice = engine.peek(|projections| projections.state.notice(&number));
            let notice = notice.ok_or_else(|| Rejection::UnknownNotice {
                number: number.clone(),
            })?;
            let event = engine.event(notice.position)?;
            let digest = match event.map(|event| event.body) {
                Some(Body::Step(Step::Notice(notice))) => notice.list_digest.to_vec(),
                Some(_) | None => Vec::new(),
            };
            (number, notice.grants, digest)
        }
        Of::Grants(grants) => {
            if grants.positions.len() > MAX_GRANTS {
                let problem = luzhang_ledger::malformed::Problem::TooMany { max: MAX_GRANTS };
                return Err(luzhang_ledger::malformed::at("grants")(problem).into());
            }
            let positions = grants.positions.into_iter().filter_map(Position::new);
            (String::new(), positions.collect(), Vec::new())
        }
    };
    visitor.may_see_grants(&grants)?;
    let list = references::notice_list(engine, &grants)?;
    Ok(wire::GetNoticeListResponse {
        notice_no,
        list_digest: blake3::hash(&list).as_bytes().to_vec(),
        list,
        published_digest,
    })
}

fn batch(
    engine: &Engine,
    visitor: &Visitor,
    number: &str,
    with: Details,
) -> Result<wire::GetBatchResponse, Rejected> {
    let view = engine.peek(|projections| {
        let state = &projections.state;
        let view = state.batch(number)?;
        let packs = state.packs().iter().rev();
        let mut funds = packs.filter_map(|adopted| adopted.pack.fund(&view.fund));
        let name = funds.next().map(|fund| fund.name.zh.clone());
        Some((view, name.unwrap_or_default()))
    });
    let unknown = || Rejection::UnknownBatch {
        number: number.to_owned(),
    };
    let (view, fund_name) = view.ok_or_else(unknown)?;
    let BatchView {
        position,
        fund,
        locked,
        submitted,
        payments,
    } = view;
    let made = engine.event(position)?.ok_or_else(unknown)?.header;
    let grants: Vec<Position> = payments.iter().map(|payment| payment.grant).collect();
    visitor.may_see_grants(&grants)?;
    let ledger_id = engine.ledger().to_string();
    let payments = payments
        .into_iter()
        .map(|payment| in_full(engine, &ledger_id, payment, with))
        .collect::<Result<Vec<_>, Rejected>>()?;
    Ok(wire::GetBatchResponse {
        ledger_id,
        batch_no: number.to_owned(),
        office: made
            .office
            .map_or(String::new(), |office| office.to_string()),
        fund,
        fund_name,
        created_at: made.recorded_at,
        locked: locked.is_some(),
        submitted: submitted.is_some(),
        payments,
    })
}

fn in_full(
    engine: &Engine,
    ledger_id: &str,
    payment: PaymentView,
    with: Details,
) -> Result<wire::BatchPayment, Rejected> {
    let granted = references::granted(engine, payment.grant)?;
    let payee = references::payee(engine, &granted.claim);
    let (mut name, mut account, mut bank) = (String::new(), String::new(), String::new());
    if let (Some(payee), Details::Hidden) = (payee, with) {
        let shown = references::masked_details(engine, payee, Position::LAST)?;
        if let Some(shown) = shown {
            (name, account) = (shown.name, shown.account);
        }
        if let Some(details) = references::account(engine, payee)? {
            details.name().clone_into(&mut bank);
        }
    } else if let Some(payee) = payee {
        if let Some((_, details)) = references::details(engine, payee)? {
            details.name().clone_into(&mut name);
        }
        if let Some(details) = references::account(engine, payee)? {
            details.name().clone_into(&mut bank);
            details.number().clone_into(&mut account);
        }
    }
    let ledger: String = ledger_id.chars().filter(|c| *c != '-').take(8).collect();
    Ok(wire::BatchPayment {
        grant: payment.grant.number(),
        attempt: payment.attempt,
        end_to_end_id: format!("LZ{ledger}-{}-{}", payment.grant, payment.attempt),
        claim_no: granted.claim.number().to_owned(),
        payee: name,
        account,
        bank,
        amount_fen: payment.fen,
        stage: payment.stage.to_owned(),
    })
}
