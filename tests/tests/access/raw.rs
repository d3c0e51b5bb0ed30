//! Connections without a client that behaves.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{ClientConnection, StreamOwned, pki_types::ServerName};

use crate::support::Pki;

/// With these bytes HTTP/2 begins, and with empty settings.
pub(crate) const PREFACE: &[u8] =
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";

/// A connection to a server's port.
pub(crate) fn connect(url: &str) -> TcpStream {
    let (_, address) = url.split_once("://").unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    stream
}

/// With TLS, and a certificate.
pub(crate) fn secure(
    url: &str,
    pki: &Pki,
    identity: &Path,
) -> StreamOwned<ClientConnection, TcpStream> {
    let name = ServerName::try_from("localhost").unwrap();
    let client = ClientConnection::new(Arc::new(pki.client(identity)), name).unwrap();
    let mut stream = StreamOwned::new(client, connect(url));
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).unwrap();
    }
    stream
}

/// Reads until the server closes the connection, and says how long that took.
#[track_caller]
pub(crate) fn closed(stream: &mut impl Read) -> Duration {
    let begun = Instant::now();
    let mut heard = [0; 4096];
    loop {
        match stream.read(&mut heard) {
            Ok(0) => return begun.elapsed(),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                panic!("still open after {:?}", begun.elapsed())
            }
            // Reset, or closed without the last words of TLS.
            Err(_) => return begun.elapsed(),
        }
    }
}

/// Says this; who has closed already does not hear it.
pub(crate) fn say(stream: &mut impl Write, bytes: &[u8]) {
    let _unheard = stream.write_all(bytes).and_then(|()| stream.flush());
}
