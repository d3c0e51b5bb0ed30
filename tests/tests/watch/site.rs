//! A server on loopback, in this process: of published trees, and of whoever is
//! told of findings.

use std::{
    collections::{BTreeMap, HashMap},
    net::TcpListener,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{Method, StatusCode, Uri},
};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::history::Published;

/// How long a test waits for a request.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Site {
    url: String,
    shelf: Arc<Shelf>,
    stop: Option<oneshot::Sender<()>>,
}

#[derive(Debug, Default)]
struct Shelf {
    state: Mutex<Shown>,
    asked: Condvar,
}

#[derive(Debug, Default)]
struct Shown {
    files: BTreeMap<String, Vec<u8>>,
    /// Answered with instead, so many times.
    instead: HashMap<String, (Vec<u8>, usize)>,
    /// The status of every answer, if it is not that of the file.
    status: Option<u16>,
    /// Paths that were asked for.
    asked: Vec<String>,
    /// Bodies that were posted.
    posted: Vec<Value>,
}

impl Site {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shelf = Arc::new(Shelf::default());
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shelf));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    served = axum::serve(listener, router) => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        Self {
            url,
            shelf,
            stop: Some(stop),
        }
    }

    /// Where something below this path is.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Shows this below a path, instead of what was there.
    pub(crate) fn show(&self, path: &str, published: &Published) {
        let below = format!("{path}/");
        self.shown()
            .files
            .retain(|path, _| !path.starts_with(&below));
        self.add(path, published);
    }

    /// Shows this below a path, beside what was there.
    pub(crate) fn add(&self, path: &str, published: &Published) {
        let files = published.files.iter();
        let files = files.map(|(file, bytes)| (format!("{path}/{file}"), bytes.clone()));
        self.shown().files.extend(files);
    }

    /// Answers with this instead, so many times.
    pub(crate) fn instead(&self, path: &str, bytes: Vec<u8>, times: usize) {
        self.shown().instead.insert(path.to_owned(), (bytes, times));
    }

    /// Answers with this status whatever is asked; with `None` as it should.
    pub(crate) fn refuse(&self, status: Option<u16>) {
        self.shown().status = status;
    }

    /// Waits until paths that end so have been asked for so many times more.
    pub(crate) fn wait_for(&self, ending: &str, times: usize) {
        let count = |shown: &Shown| {
            shown
                .asked
                .iter()
                .filter(|path| path.ends_with(ending))
                .count()
        };
        let shown = self.shown();
        let enough = count(&shown) + times;
        let waited = self
            .shelf
            .asked
            .wait_timeout_while(shown, PATIENCE, |shown| count(shown) < enough);
        assert!(!waited.unwrap().1.timed_out(), "nobody asks for {ending}");
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        let shown = self.shown();
        shown.asked.iter().filter(|asked| *asked == path).count()
    }

    /// What was posted.
    pub(crate) fn posted(&self) -> Vec<Value> {
        self.shown().posted.clone()
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shelf.state.lock().unwrap()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may have ended by itself.
            let _ended = stop.send(());
        }
    }
}

async fn answer(
    State(shelf): State<Arc<Shelf>>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> (StatusCode, Vec<u8>) {
    let mut shown = shelf.state.lock().unwrap();
    let path = uri.path().to_owned();
    shown.asked.push(path.clone());
    shelf.asked.notify_all();
    if method == Method::POST {
        shown.posted.push(serde_json::from_slice(&body).unwrap());
    }
    if let Some(status) = shown.status {
        return (StatusCode::from_u16(status).unwrap(), Vec::new());
    }
    if method == Method::POST {
        return (StatusCode::NO_CONTENT, Vec::new());
    }
    if let Some((bytes, times)) = shown.instead.get_mut(&path)
        && *times > 0
    {
        *times -= 1;
        return (StatusCode::OK, bytes.clone());
    }
    match shown.files.get(&path) {
        Some(bytes) => (StatusCode::OK, bytes.clone()),
        None => (StatusCode::NOT_FOUND, Vec::new()),
    }
}
