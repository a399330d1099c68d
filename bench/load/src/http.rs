//! One keep-alive HTTP connection with one request at a time: as little work a request as a client can do.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

const READ_BYTES: usize = 64 * 1024;
/// A node that is silent for longer is counted as broken.
const ANSWER_SECONDS_MAX: u64 = 120;

/// An open connection to `host:port`.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    host: String,
    buffer: Vec<u8>,
}

/// `host:port` of an `http://host:port` address.
///
/// # Errors
/// A sentence when the address has another form.
pub fn host_of(url: &str) -> Result<String, String> {
    url.strip_prefix("http://")
        .map(|rest| rest.trim_end_matches('/').to_owned())
        .ok_or_else(|| format!("{url} is no address of the form http://host:port"))
}

/// A POST request with its body, ready to be written as it is.
#[must_use]
pub fn request(host: &str, body: &str) -> Vec<u8> {
    format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn open(host: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(ANSWER_SECONDS_MAX)))?;
        Ok(Self { stream, host: host.to_owned(), buffer: Vec::with_capacity(READ_BYTES) })
    }

    /// Writes a prepared request and reads its answer's body.
    ///
    /// # Errors
    /// When the node closes the connection, is silent, or answers in another way than HTTP/1.1 with a length.
    pub fn exchange(&mut self, request: &[u8]) -> io::Result<&[u8]> {
        self.stream.write_all(request)?;
        self.buffer.clear();
        let head = loop {
            self.fill()?;
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
        };
        let total = head + content_length(&self.buffer[..head])?;
        while self.buffer.len() < total {
            self.fill()?;
        }
        Ok(&self.buffer[head..total])
    }

    /// One JSON-RPC call; gives `result`.
    ///
    /// # Errors
    /// As `exchange`; an error object becomes an error with its text.
    pub fn call(&mut self, method: &str, params: &Value) -> io::Result<Value> {
        let body =
            serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let prepared = request(&self.host, &body);
        let mut answer: Value = serde_json::from_slice(self.exchange(&prepared)?)?;
        match answer.get("error") {
            Some(error) => Err(io::Error::other(format!("{method}: {error}"))),
            None => Ok(answer["result"].take()),
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let start = self.buffer.len();
        self.buffer.resize(start + READ_BYTES, 0);
        let read = self.stream.read(&mut self.buffer[start..])?;
        self.buffer.truncate(start + read);
        if read == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the node closed the connection"));
        }
        Ok(())
    }
}

/// Position of `needle` in `haystack`.
#[must_use]
pub fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn content_length(head: &[u8]) -> io::Result<usize> {
    let text = std::str::from_utf8(head).map_err(io::Error::other)?;
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, length)| length.trim().parse().ok())
        .ok_or_else(|| io::Error::other(format!("an answer without Content-Length: {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_found_whatever_the_case_of_its_header() {
        let head = b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 42\r\n\r\n";
        assert_eq!(content_length(head).ok(), Some(42));
        assert!(content_length(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
    }
}
