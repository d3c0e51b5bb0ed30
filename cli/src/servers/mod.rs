//! One ledger, and the servers that have it: where a request goes, and where it goes
//! next when nobody is there or another one writes.
//!
//! All that a command asks of a server passes here, as gRPC's own messages, so that no
//! command has to know. A request is sent again byte for byte, with the request ids that
//! are in it: what was decided is not decided twice. What is in a stream that has begun
//! is for its reader to ask for again ([`Servers::again`]).

mod trouble;
mod writer;

use std::{
    convert::Infallible,
    future::Future,
    path::PathBuf,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use luzhang_proto::wire::{self, audit_service_client::AuditServiceClient};
use tonic::{
    Request, Status, TimeoutExpired,
    body::Body,
    codegen::{Service, http},
    transport::Channel,
};
use tower::ServiceExt as _;

pub(crate) use self::trouble::Wait;
use self::{
    trouble::{Trouble, unreached},
    writer::{Place, follow},
};
use crate::{
    args::servers::ServerList,
    client::{As, MAX_ANSWER, Remote},
    failure::{Failure, exit},
    lang::Lang,
    output,
    transport::{Dialer, PATIENCE, has_source},
};

/// How long a server may take to be reached where there is another one to ask.
const AMONG_OTHERS: Duration = Duration::from_secs(5);

/// The servers of a ledger, as the options name them, and the means to talk to them.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) urls: ServerList,
    /// The files of the certificate and the key to show, without their endings.
    pub(crate) identity: Option<PathBuf>,
    /// The file of the CAs whose servers are believed.
    pub(crate) ca: Option<PathBuf>,
    /// How long they are waited for.
    pub(crate) patience: Duration,
}

impl Named {
    fn remote(&self, url: &str) -> Remote {
        Remote {
            url: url.to_owned(),
            identity: self.identity.clone(),
            ca: self.ca.clone(),
        }
    }
}

/// Where requests go.
#[derive(Clone, Debug)]
pub(crate) enum Servers {
    /// To this process itself.
    Embedded(Channel),
    /// To a server.
    Several(Arc<Several>),
}

/// The servers of one ledger.
#[derive(Debug)]
pub(crate) struct Several {
    named: Named,
    dialers: Vec<Arc<Dialer>>,
    principal: As,
    lang: Lang,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Who is asked now: one of those that were named, or one that they follow.
    at: Arc<Dialer>,
    /// The connection to it.
    channel: Option<Channel>,
    /// Which ledger they have, if that was asked.
    ledger: Option<String>,
}

/// What a method's messages are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// One question, one answer; asked again it does no more than it did.
    Question,
    /// The same, but asked again it would be done again.
    Once,
    /// One question, many answers.
    Reading,
    /// Many questions, many answers.
    Talk,
}

impl Shape {
    fn of(path: &str) -> Self {
        match path.strip_prefix("/luzhang.v1.").unwrap_or_default() {
            "LedgerService/SubmitBatch" => Self::Talk,
            "LedgerService/ReadEvents"
            | "AuditService/ExportBlocks"
            | "ProjectionService/Follow"
            | "ProjectionService/Rebuild" => Self::Reading,
            "ProofService/RotateKey" => Self::Once,
            _ => Self::Question,
        }
    }
}

impl Servers {
    /// Makes a connection to the first that can be reached.
    pub(crate) async fn reach(named: &Named, principal: As, lang: Lang) -> Result<Self, Failure> {
        let dialers = named.urls.iter().map(|url| Dialer::new(&named.remote(url)));
        let dialers = dialers.collect::<Result<Vec<_>, _>>()?;
        let first = dialers.first().cloned();
        let first = first.ok_or_else(|| Failure::usage("没有服务地址", "there is no server"))?;
        let several = Arc::new(Several {
            named: named.clone(),
            dialers,
            principal,
            lang,
            state: Mutex::new(State {
                at: first,
                channel: None,
                ledger: None,
            }),
        });
        several.reached(&mut Wait::default()).await?;
        Ok(Self::Several(several))
    }

    /// After a stream ended with this status: waits, if it may go on here or elsewhere,
    /// and then whoever read it asks for the rest. Else the status, to be told.
    pub(crate) async fn again(&self, wait: &mut Wait, status: Status) -> Result<(), Status> {
        match self {
            Self::Several(several) => several.after(wait, status).await,
            Self::Embedded(_) => match Trouble::of(&status) {
                Some(Trouble::Busy(again)) => wait.busy(again, status).await,
                Some(_) | None => Err(status),
            },
        }
    }
}

/// Whether nothing was done of a request because another server writes.
pub(crate) fn was_not_taken(status: &Status) -> bool {
    matches!(Trouble::of(status), Some(Trouble::Elsewhere(_)))
}

impl Service<http::Request<Body>> for Servers {
    type Response = http::Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Status>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let servers = self.clone();
        Box::pin(async move { servers.ask(request).await })
    }
}

impl Servers {
    async fn ask(self, request: http::Request<Body>) -> Result<http::Response<Body>, Status> {
        let shape = Shape::of(request.uri().path());
        let (parts, body) = request.into_parts();
        let mut wait = Wait::default();
        if shape == Shape::Talk {
            // It can be said once; until somebody listens nothing is.
            let channel = self.reached(&mut wait).await?;
            return sent(channel, http::Request::from_parts(parts, body), shape).await;
        }
        let body = body.collect().await?.to_bytes();
        loop {
            let body = Body::new(Full::new(body.clone()));
            let request = http::Request::from_parts(parts.clone(), body);
            let answer = match self.channel().await {
                Ok(channel) => sent(channel, request, shape).await,
                Err(status) => Err(status),
            };
            match answer {
                Ok(answer) => return Ok(answer),
                Err(status)
                    if shape == Shape::Once && Trouble::of(&status) == Some(Trouble::Lost) =>
                {
                    return Err(status);
                }
                Err(status) => self.again(&mut wait, status).await?,
            }
        }
    }

    async fn reached(&self, wait: &mut Wait) -> Result<Channel, Status> {
        match self {
            Self::Embedded(channel) => Ok(channel.clone()),
            Self::Several(several) => several.reached(wait).await,
        }
    }

    async fn channel(&self) -> Result<Channel, Status> {
        match self {
            Self::Embedded(channel) => Ok(channel.clone()),
            Self::Several(several) => several.channel().await,
        }
    }
}

/// What a server answers; a status that is none of an answer is an error.
async fn sent(
    channel: Channel,
    request: http::Request<Body>,
    shape: Shape,
) -> Result<http::Response<Body>, Status> {
    let answer = channel.oneshot(request).await.map_err(|error| {
        if has_source::<TimeoutExpired>(&error) {
            // The caller's own.
            return Status::deadline_exceeded("the deadline passed");
        }
        Status::from_error(Box::new(error))
    })?;
    if matches!(answer.status().as_u16(), 429 | 502..=504) {
        // Said by something between here and the server.
        return Err(Status::unavailable(answer.status().to_string()));
    }
    is_answer(answer.headers())?;
    if matches!(shape, Shape::Reading | Shape::Talk) {
        return Ok(answer);
    }
    // As long as half of it is on its way, it is not there.
    let (parts, body) = answer.into_parts();
    // A message may be as long, and has a few bytes around it.
    let whole = Limited::new(body, MAX_ANSWER + 1024).collect().await;
    let whole = whole.map_err(|error| {
        if error.is::<LengthLimitError>() {
            return Status::out_of_range(format!("the answer has more than {MAX_ANSWER} bytes"));
        }
        Status::from_error(error)
    })?;
    if let Some(trailers) = whole.trailers() {
        is_answer(trailers)?;
    }
    let whole = whole.map_err(|never: Infallible| match never {});
    Ok(http::Response::from_parts(parts, Body::new(whole)))
}

fn is_answer(headers: &http::HeaderMap) -> Result<(), Status> {
    match Status::from_header_map(headers) {
        Some(status) if Trouble::of(&status).is_some() => Err(status),
        Some(_) | None => Ok(()),
    }
}

impl Several {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is done while it is held that could fail half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection to whoever is asked now, made if there is none.
    async fn channel(&self) -> Result<Channel, Status> {
        let (at, channel) = {
            let state = self.state();
            (Arc::clone(&state.at), state.channel.clone())
        };
        if let Some(channel) = channel {
            return Ok(channel);
        }
        let is_named = self.dialers.iter().any(|known| known.url() == at.url());
        let alone = is_named && self.dialers.len() == 1;
        let within = if alone { PATIENCE } else { AMONG_OTHERS };
        let channel = at.connect(within).await.map_err(unreached)?;
        if !alone {
            self.same_ledger(&channel, &at).await?;
        }
        let mut state = self.state();
        if state.at.url() == at.url() {
            state.channel = Some(channel.clone());
        }
        Ok(channel)
    }

    /// The same, as long as somebody's patience lasts.
    async fn reached(&self, wait: &mut Wait) -> Result<Channel, Status> {
        loop {
            match self.channel().await {
                Ok(channel) => return Ok(channel),
                Err(status) => self.after(wait, status).await?,
            }
        }
    }

    /// Goes to whoever is to be asked next, now or after a pause.
    async fn after(&self, wait: &mut Wait, status: Status) -> Result<(), Status> {
        let Some(trouble) = Trouble::of(&status) else {
            return Err(status);
        };
        if let Trouble::Busy(again) = trouble {
            return wait.busy(again, status).await;
        }
        let (at, channel) = {
            let mut state = self.state();
            (Arc::clone(&state.at), state.channel.take())
        };
        wait.note(at.url(), &trouble, status.clone());
        let mut next = None;
        if let Trouble::Elsewhere(writer) = &trouble {
            next = self.writer(writer, (&at, channel), wait).await;
        }
        let unasked = || {
            self.dialers
                .iter()
                .find(|known| !wait.has_asked(known.url()))
        };
        if let Some(next) = next.or_else(|| unasked().cloned()) {
            self.state().at = next;
            return Ok(());
        }
        let Some(pause) = wait.pause(self.named.patience) else {
            return Err(wait.give_up(status));
        };
        if wait.is_first() {
            self.tell(wait);
        }
        tokio::time::sleep(pause).await;
        wait.begin_again();
        // Whoever has answered will know first. One that cannot be reached costs time.
        if !matches!(trouble, Trouble::Elsewhere(_))
            && let Some(first) = self.dialers.first()
        {
            self.state().at = Arc::clone(first);
        }
        Ok(())
    }

    /// Says, once, what is waited for.
    fn tell(&self, wait: &Wait) {
        let seconds = self.named.patience.as_secs_f32();
        match self.lang {
            Lang::Zh => output::note!(
                "暂无可用的服务（{}），最多等候 {seconds} 秒（--patience）",
                wait.said("，")
            ),
            Lang::En => output::note!(
                "no server takes it now ({}): waiting for one, {seconds} s at most (--patience)",
                wait.said(", ")
            ),
        }
    }

    /// The server that another one calls the writer, if it may be followed and has not
    /// been asked yet.
    async fn writer(
        &self,
        writer: &str,
        (by, channel): (&Dialer, Option<Channel>),
        wait: &mut Wait,
    ) -> Option<Arc<Dialer>> {
        let named = self.dialers.iter();
        let places: Vec<Place> = named.filter_map(|known| Place::of(known.url())).collect();
        let url = follow(writer, &Place::of(by.url())?, &places)?;
        let place = Place::of(&url);
        let mut named = self.dialers.iter();
        if let Some(known) = named.find(|known| Place::of(known.url()) == place) {
            return (!wait.has_asked(known.url())).then(|| Arc::clone(known));
        }
        if wait.has_asked(&url) || !wait.hop() {
            return None;
        }
        // Without knowing which ledger this is, it cannot be told from another one there.
        self.same_ledger(&channel?, by).await.ok()?;
        self.state().ledger.as_ref()?;
        Dialer::new(&self.named.remote(&url)).ok()
    }

    /// Nobody's rows get into another ledger because its server stands in the list, or
    /// has taken over an address.
    async fn same_ledger(&self, channel: &Channel, at: &Dialer) -> Result<(), Status> {
        let mut audit =
            AuditServiceClient::with_interceptor(channel.clone(), self.principal.clone());
        let mut request = Request::new(wire::GetHeadRequest {});
        request.set_timeout(AMONG_OTHERS);
        let found = match audit.get_head(request).await {
            Ok(answer) => answer.into_inner().ledger_id,
            // The request itself was not sent.
            Err(status) if Trouble::of(&status) == Some(Trouble::Lost) => {
                return Err(unreached(at.failure(&status)));
            }
            Err(status) if Trouble::of(&status).is_some() => return Err(status),
            // Who may not even ask this may do nothing there.
            Err(_) => return Ok(()),
        };
        let mut state = self.state();
        let known = state.ledger.get_or_insert_with(|| found.clone());
        if *known == found {
            return Ok(());
        }
        let url = at.url();
        Err(unreached(Failure {
            exit: exit::CONFLICT,
            ..Failure::new(
                "SERVER_OTHER_LEDGER",
                format!("{url} 是账本 {found}，而不是先前所问的 {known}：没有向它提交任何内容"),
                format!("{url} has ledger {found}, not {known} as before: nothing was sent there"),
            )
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A method that is new is found here.
    #[test]
    fn every_method_has_the_shape_that_it_is_declared_with() {
        let pool = prost_reflect::DescriptorPool::decode(luzhang_proto::DESCRIPTORS).unwrap();
        let ours = pool
            .services()
            .filter(|service| service.package_name() == "luzhang.v1");
        let mut methods = 0;
        for service in ours {
            for method in service.methods() {
                let path = format!("/{}/{}", service.full_name(), method.name());
                let shape = Shape::of(&path);
                let talks = method.is_client_streaming();
                assert_eq!(shape == Shape::Talk, talks, "{path}");
                let reads = method.is_server_streaming() && !talks;
                assert_eq!(shape == Shape::Reading, reads, "{path}");
                methods += 1;
            }
        }
        assert_eq!(methods, 23);
    }
}
