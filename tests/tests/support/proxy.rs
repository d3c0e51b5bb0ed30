//! A line between a client and a server that breaks.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
};

/// What happens after the line broke for the last time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// It holds.
    Well,
    /// Nobody is there any more.
    Gone,
}

/// Passes connections on to a server, and breaks each of the first `cuts` when so many
/// bytes of answers have passed. Returns its own address.
pub(crate) fn breaking(server: &str, (cuts, bytes): (usize, usize), then: Then) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let to = server.strip_prefix("http://").unwrap().to_owned();
    // It ends with the test.
    thread::spawn(move || {
        for (number, client) in listener.incoming().enumerate() {
            let left = match then {
                _ if number < cuts => bytes,
                Then::Well => usize::MAX,
                Then::Gone => continue,
            };
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(&to)) else {
                continue;
            };
            for stream in [&client, &server] {
                stream.set_nodelay(true).unwrap();
            }
            let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || pass(client, server, usize::MAX));
            thread::spawn(move || pass(back.0, back.1, left));
        }
    });
    url
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut left: usize) {
    let mut buffer = [0; 16 * 1024];
    while left > 0 {
        let Ok(read @ 1..) = from.read(&mut buffer) else {
            break;
        };
        let passed = read.min(left);
        left -= passed;
        if to.write_all(&buffer[..passed]).is_err() {
            break;
        }
    }
    for stream in [from, to] {
        // The other end may be gone already.
        let _gone = stream.shutdown(Shutdown::Both);
    }
}
