//! The outcome of an earlier request, read back from the log.

use std::sync::Arc;

use luzhang_ledger::{
    Body, LedgerId, Position,
    event::{Failure, RequestMark},
    log::Reader,
    text::Principal,
};
use luzhang_projections::{Pack, projection::Projections};

use crate::{
    convert::to_proto::{LoggedEvent, Outcome, Receipt},
    rejected::Rejected,
    replay,
};

/// Finds earlier events. A repeated import asks for neighbours, so the block
/// that was read last is kept.
pub(crate) struct Recall {
    ledger: LedgerId,
    reader: Arc<dyn Reader>,
    block: Vec<LoggedEvent>,
}

impl Recall {
    pub(crate) fn new(ledger: LedgerId, reader: Arc<dyn Reader>) -> Self {
        Self {
            ledger,
            reader,
            block: Vec::new(),
        }
    }

    /// What became of the request whose event is at `position`, and whose it is.
    pub(crate) fn outcome(
        &mut self,
        projections: &Projections,
        position: u64,
    ) -> Result<(RequestMark, Principal, Outcome), Rejected> {
        let unreadable = |detail: &str| Rejected::unreadable(detail);
        let position =
            Position::new(position).ok_or_else(|| unreadable("position 0 has no event"))?;
        let ledger = self.ledger;
        let logged = self
            .event(position)?
            .ok_or_else(|| unreadable("an indexed event is missing"))?;
        let header = &logged.event.header;
        let mark = header
            .request
            .ok_or_else(|| unreadable("an indexed event has no request"))?;
        let by = header.principal.clone();
        let receipt = Receipt {
            ledger,
            position,
            event_hash: logged.hash,
            recorded_at: header.recorded_at,
        };
        let refused = refused(projections, header.policy, &logged.event.body);
        let (conflicts, cleared) = self.consequences(position)?;
        let outcome = Outcome {
            receipt,
            refused,
            conflicts,
            cleared,
            replayed: true,
            warnings: Vec::new(),
        };
        Ok((mark, by, outcome))
    }

    /// The conflicts that an event raised or cleared stand right behind it.
    fn consequences(&mut self, of: Position) -> Result<(Vec<Position>, Vec<Position>), Rejected> {
        let (mut conflicts, mut cleared) = (Vec::new(), Vec::new());
        let mut next = of.next();
        while let Some(following) = self.event(next)?
            && following.event.header.cause == Some(of)
            && following.event.header.request.is_none()
        {
            if matches!(following.event.body, Body::Conflict(_)) {
                conflicts.push(next);
            } else if matches!(following.event.body, Body::ConflictCleared(_)) {
                cleared.push(next);
            } else {
                break;
            }
            next = next.next();
        }
        Ok((conflicts, cleared))
    }

    fn event(&mut self, position: Position) -> Result<Option<&LoggedEvent>, Rejected> {
        let there = |logged: &LoggedEvent| logged.event.header.position == position;
        if !self.block.iter().any(there) {
            let unreadable = |detail: String| Rejected::unreadable(&detail);
            let block = self.reader.block_with(position);
            let Some(block) = block.map_err(|e| unreadable(e.to_string()))? else {
                return Ok(None);
            };
            self.block = replay::block_events(&block).map_err(|e| unreadable(e.to_string()))?;
        }
        Ok(self.block.iter().find(|logged| there(logged)))
    }
}

/// Why a body is a refusal, with the pack that says so.
pub(crate) fn refused(
    projections: &Projections,
    policy: Option<Position>,
    body: &Body,
) -> Option<(Arc<Pack>, Vec<Failure>)> {
    let failures = if let Body::Refused(refusal) = body {
        &refusal.failures
    } else if let Body::StepRefused(refusal) = body {
        &refusal.failures
    } else {
        return None;
    };
    // A step about many grants is refused in the words of each limit's own pack.
    let state = &projections.state;
    let named = policy.and_then(|policy| state.pack_at(policy));
    let pack = named.or_else(|| state.packs().last().map(|adopted| &adopted.pack))?;
    Some((Arc::clone(pack), failures.clone()))
}
