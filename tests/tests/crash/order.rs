//! Messages of one stream are decided in their order or not at all, whatever the
//! moment at which nobody waits for them any more.

use luzhang_ledger::{LedgerId, log::memory::MemoryStore, text::Principal};
use luzhang_projections::{access::Identity, pack::LUZHOU_2023};
use luzhang_server::{
    Engine,
    convert::from_proto::{self, Request},
    engine::{Genesis, Listener, Options},
};
use uuid::Uuid;

use crate::support::journal::command;

#[tokio::test]
async fn a_message_without_a_reader_is_decided_as_long_as_the_stream_is_read() {
    let ledger = LedgerId::new(Uuid::from_u128(7));
    let scratch = tempfile::tempdir().unwrap();
    let genesis = Genesis {
        ledger,
        pack: Some(LUZHOU_2023.as_bytes().to_vec()),
        origin: None,
        mandates: Vec::new(),
    };
    let log = MemoryStore::new(ledger).open().unwrap();
    let engine = Engine::over(Box::new(log), scratch.path(), genesis, Options::default()).unwrap();
    let request = |index| -> Vec<Result<Request, _>> {
        let (key, principal) = (engine.vault().identity(), Principal::new("clerk").unwrap());
        vec![from_proto::request(
            key,
            &Identity::believed(principal.clone()),
            command(index),
            &engine,
        )]
    };
    let replayed = async |index| {
        let clerk = Principal::new("clerk").unwrap();
        let pending = engine.try_submit(&clerk, request(index)).unwrap();
        let outcomes = pending.outcomes().await;
        outcomes.unwrap().remove(0).unwrap().replayed
    };

    let listener = Listener::default();
    let stream = engine.stream(&Principal::new("clerk").unwrap(), &listener);
    // Its own answer is not waited for; the stream is still read.
    drop(engine.submit_for(&stream, request(0)).await.unwrap());
    let second = engine.submit_for(&stream, request(1)).await.unwrap();
    assert!(!second.outcomes().await.unwrap().remove(0).unwrap().replayed);
    drop(listener);
    // Somebody still waits for this one's answer, but nobody reads the stream.
    let third = engine.submit_for(&stream, request(2)).await.unwrap();
    assert_eq!(third.outcomes().await.unwrap_err().code, "SHUTTING_DOWN");
    let known = [replayed(0).await, replayed(1).await, replayed(2).await];
    assert_eq!(known, [true, true, false]);
}
