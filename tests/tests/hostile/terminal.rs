//! What a terminal is given to show: nothing that it would act on, wherever the text
//! is from. Programs get what there is.

use std::{fs, net::TcpListener, thread};

use axum::Router;
use serde_json::Value;
use tonic::{Status, body::Body};

use crate::support::{Ledger, Person, Ran, Sheet, Target, run};

#[track_caller]
fn harmless(ran: &Ran) {
    for text in [&ran.out, &ran.err] {
        let acted_on = |c: char| {
            (c.is_control() && !matches!(c, '\n' | '\t'))
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!text.contains(acted_on), "{text:?}");
    }
}

const NAME: &str = "t\u{1b}]0;mine\u{7}\u{1b}[2J\u{202e}.csv";

#[test]
fn a_files_name_and_its_content_are_shown_and_not_obeyed() {
    let ledger = Ledger::new();
    let file = ledger.file(NAME);
    let path = file.to_str().unwrap();
    let target = ledger.target();
    let ran = target.run(["import", path]);
    harmless(&ran);
    assert!(ran.err.contains("\\u001b]0;mine\\u0007"), "{}", ran.err);
    // No table; a table without its columns; one with a bad row.
    for content in ["\0", "\u{1b}[31m列,b\u{202e}\n1,2\n"] {
        fs::write(&file, content).unwrap();
        harmless(&target.run(["import", path]));
    }
    let Person { name, number } = Person::number(1);
    let rows = [
        format!("{name}\u{1b}[31m,{number},2014-11-30,,v1"),
        format!("{name},{number},2014-11-30,,v\u{202e}1"),
        format!("\u{202e}{name},{number},2014-11-30,,v1"),
    ];
    Sheet::of("poverty-status", rows).write(&file);
    let ran = target.run(["import", path]);
    harmless(&ran);
    assert!(ran.out.contains("NAME_CHARACTER") || ran.err.contains("NAME_CHARACTER"));
    // As JSON it is the same name, and harmless too.
    let ran = target.run(["import", path, "-o", "json"]);
    harmless(&ran);
    let said: Value = ran.json();
    assert!(
        said.to_string().contains(&*Value::from(NAME).to_string()),
        "{said}"
    );
}

#[test]
fn what_a_server_says_is_shown_and_not_obeyed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let said = || async {
                Status::not_found("gone\u{1b}[2J\u{202e}\u{9b}31m").into_http::<Body>()
            };
            let routes = tonic::service::Routes::from(Router::new().fallback(said));
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
            tonic::transport::Server::builder()
                .add_routes(routes)
                .serve_with_incoming(incoming)
                .await
                .unwrap();
        });
    });
    let target = Target::server(&url);
    for arguments in [&["audit", "head"][..], &["audit", "head", "-o", "json"]] {
        let ran = target.run(arguments);
        assert_ne!(ran.code, 0, "{arguments:?} {ran:?}");
        harmless(&ran);
        assert!(
            ran.err.contains("gone\\u001b[2J\\u202e\\u009b31m"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn an_argument_that_is_repeated_is_shown_and_not_obeyed() {
    let ran = run(["audit", "verify", "--file", "\u{1b}[2J\u{202e}x"]);
    assert_ne!(ran.code, 0);
    harmless(&ran);
}
