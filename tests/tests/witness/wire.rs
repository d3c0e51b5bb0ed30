//! HTTP by hand, so that tests see what is on the wire.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) allow: String,
    pub(crate) body: String,
}

/// A connection, kept open.
#[derive(Debug)]
pub(crate) struct Wire(BufReader<TcpStream>);

impl Wire {
    pub(crate) fn connect(url: &str) -> io::Result<Self> {
        let address = url.strip_prefix("http://").unwrap();
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends bytes as they are.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// Reads one answer. What follows it stays.
    pub(crate) fn receive(&mut self) -> io::Result<Reply> {
        let gone = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let mut reply = Reply {
            status: 0,
            content_type: String::new(),
            allow: String::new(),
            body: String::new(),
        };
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err(gone());
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if reply.status == 0 {
                let status = line.strip_prefix("HTTP/1.1 ").unwrap();
                reply.status = status[..3].parse().unwrap();
                continue;
            }
            let (name, value) = line.split_once(": ").unwrap();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "content-type" => value.clone_into(&mut reply.content_type),
                "allow" => value.clone_into(&mut reply.allow),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        reply.body = String::from_utf8(body).unwrap();
        Ok(reply)
    }

    pub(crate) fn ask(&mut self, method: &str, path: &str, body: &[u8]) -> io::Result<Reply> {
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: witness\r\ncontent-length: {length}\r\n\r\n"
        );
        // In one piece: a server may answer, and close, before it has read all.
        self.send(&[head.as_bytes(), body].concat())?;
        self.receive()
    }
}

/// One request on a connection of its own.
pub(crate) fn ask(url: &str, method: &str, path: &str, body: &[u8]) -> io::Result<Reply> {
    Wire::connect(url)?.ask(method, path, body)
}

/// Asks for a cosignature.
pub(crate) fn add_checkpoint(url: &str, body: &[u8]) -> io::Result<Reply> {
    ask(url, "POST", "/add-checkpoint", body)
}
