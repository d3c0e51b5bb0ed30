//! The tree over HTTP: `checkpoint`, `tile/<L>/<N>[.p/<W>]` and
//! `tile/entries/<N>[.p/<W>]`, for whoever wants to check without asking for
//! anything else. Entries are hashes of salted events: nothing can be read from
//! them.
//!
//! Source: C2SP tlog-tiles.

use std::{future::Future, sync::Arc};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use luzhang_ledger::{
    Hash, Position,
    proof::{
        Node,
        tile::{Resource, Tile, Tiles as _, bytes_of, entries_of, is_under},
    },
};
use tokio::net::TcpListener;
use tower_http::compression::CompressionLayer;

use crate::{
    door,
    engine::{Engine, Tree},
    replay,
    tls::Tls,
};

/// Nothing under this name ever changes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// The newest checkpoint is new every few seconds.
const BRIEFLY: HeaderValue = HeaderValue::from_static("public, max-age=2");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");
/// Pages of any origin may check.
const ANYBODY: HeaderValue = HeaderValue::from_static("*");

/// Serves the tree until `stop`.
///
/// With TLS by the server's certificate; callers need none.
pub async fn serve(
    engine: Arc<Engine>,
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    stop: impl Future<Output = ()>,
) {
    let routes = Router::new()
        .route("/checkpoint", get(checkpoint))
        .route("/tile/{*path}", get(resource))
        .layer(CompressionLayer::new().gzip(true))
        .with_state(engine);
    door::serve(routes, listener, tls, stop).await;
}

async fn checkpoint(State(engine): State<Arc<Engine>>) -> Response {
    let published = engine.tree().ok().and_then(Tree::published);
    match published {
        Some(checkpoint) => answer(TEXT, BRIEFLY, checkpoint.to_string().into_bytes()),
        None => missing(),
    }
}

async fn resource(State(engine): State<Arc<Engine>>, Path(path): Path<String>) -> Response {
    let resource: Option<Resource> = format!("tile/{path}").parse().ok();
    let Some(resource) = resource else {
        return missing();
    };
    // Disks may be slow, and bundles of entries are hashed anew.
    let reading = Arc::clone(&engine);
    let read = tokio::task::spawn_blocking(move || read(&reading, resource)).await;
    match read {
        Ok(Found::Bytes(bytes)) => answer(BYTES, FOR_EVER, bytes),
        Ok(Found::Nothing) => missing(),
        Ok(Found::Damage) => {
            // Never under this name, which would keep it for a year.
            if let Err(why) = engine.rebuild_tree().await {
                tracing::error!(why = %why.en, "damaged tiles are not made anew");
            }
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// What was found.
enum Found {
    Bytes(Vec<u8>),
    /// The published tree does not have it.
    Nothing,
    /// It is there, and does not lead to the published root.
    Damage,
}

fn read(engine: &Engine, resource: Resource) -> Found {
    let published = engine.tree().ok().and_then(|tree| {
        let head = tree.published()?.head();
        Some((tree, head))
    });
    let (Some((tree, head)), Resource::Tile(tile) | Resource::Entries(tile)) =
        (published, resource)
    else {
        return Found::Nothing;
    };
    if !tile.is_in(head.size) {
        return Found::Nothing;
    }
    let nodes = match resource {
        Resource::Entries(tile) => entries(engine, tile).map(|events| {
            let leaves = events.iter().copied().map(Node::of_event).collect();
            (leaves, entries_of(&events))
        }),
        Resource::Tile(_) | Resource::Checkpoint => tree.tiles.tile(tile).ok().map(|nodes| {
            let bytes = bytes_of(&nodes);
            (nodes, bytes)
        }),
    };
    let Some((nodes, bytes)): Option<(Vec<Node>, Vec<u8>)> = nodes else {
        return Found::Nothing;
    };
    match is_under(tile, &nodes, &tree.tiles, &head) {
        Ok(true) => Found::Bytes(bytes),
        Ok(false) | Err(_) => Found::Damage,
    }
}

fn entries(engine: &Engine, tile: Tile) -> Option<Vec<Hash>> {
    let first = Position::new(tile.first().saturating_add(1))?;
    let hashes = replay::event_hashes(&**engine.reader(), first, usize::from(tile.width())).ok()?;
    (hashes.len() == usize::from(tile.width())).then_some(hashes)
}

fn answer(content: HeaderValue, cache: HeaderValue, body: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content),
        (header::CACHE_CONTROL, cache),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, ANYBODY),
    ];
    (headers, body).into_response()
}

/// What is not there yet may be soon.
fn missing() -> Response {
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, ANYBODY),
    ];
    (StatusCode::NOT_FOUND, headers).into_response()
}
