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
    /// When the node closes the connection, is silent, or answers in another way than HTTP/1.1.
    pub fn exchange(&mut self, request: &[u8]) -> io::Result<&[u8]> {
        self.stream.write_all(request)?;
        self.buffer.clear();
        let head = loop {
            self.fill()?;
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
        };
        match length_of(&self.buffer[..head])? {
            Length::Known(length) => {
                while self.buffer.len() < head + length {
                    self.fill()?;
                }
                Ok(&self.buffer[head..head + length])
            }
            Length::Chunked => self.chunks(head),
        }
    }

    /// Reads a body in chunks and leaves it without their sizes at the end of the head.
    fn chunks(&mut self, head: usize) -> io::Result<&[u8]> {
        let (mut end, mut at) = (head, head);
        loop {
            let line = self.line(at)?;
            let digits = String::from_utf8_lossy(&self.buffer[at..line]).into_owned();
            let size = usize::from_str_radix(digits.split(';').next().unwrap_or_default().trim(), 16)
                .map_err(|_| io::Error::other(format!("{digits:?} is no size of a chunk")))?;
            let start = line + 2;
            while self.buffer.len() < start + size + 2 {
                self.fill()?;
            }
            if size == 0 {
                return Ok(&self.buffer[head..end]);
            }
            self.buffer.copy_within(start..start + size, end);
            (end, at) = (end + size, start + size + 2);
        }
    }

    /// Where the line that begins at `at` ends.
    fn line(&mut self, at: usize) -> io::Result<usize> {
        loop {
            if let Some(end) = find(&self.buffer[at..], b"\r\n") {
                return Ok(at + end);
            }
            self.fill()?;
        }
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

/// How an answer says where its body ends.
#[derive(Debug, PartialEq, Eq)]
enum Length {
    Known(usize),
    Chunked,
}

fn length_of(head: &[u8]) -> io::Result<Length> {
    let text = std::str::from_utf8(head).map_err(io::Error::other)?;
    let headers = || text.lines().filter_map(|line| line.split_once(':'));
    let value = |name: &str| {
        headers().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    if value("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        return Ok(Length::Chunked);
    }
    value("content-length")
        .and_then(|length| length.parse().ok())
        .map(Length::Known)
        .ok_or_else(|| io::Error::other(format!("an answer of unknown length: {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_found_whatever_the_case_of_its_header() {
        let head = b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 42\r\n\r\n";
        assert_eq!(length_of(head).ok(), Some(Length::Known(42)));
        assert!(length_of(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }

    #[test]
    fn a_body_in_chunks_is_put_together() -> io::Result<()> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let host = listener.local_addr()?.to_string();
        let server = std::thread::spawn(move || -> io::Result<()> {
            let (mut stream, _) = listener.accept()?;
            let mut read = [0; 1024];
            for answer in ["3\r\nabc\r\n5;x=1\r\ndefgh\r\n0\r\n\r\n", "1\r\nz\r\n0\r\n\r\n"] {
                let _ = stream.read(&mut read)?;
                let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
                stream.write_all(format!("{head}{answer}").as_bytes())?;
            }
            Ok(())
        });
        let mut connection = Connection::open(&host)?;
        assert_eq!(connection.exchange(b"one")?, b"abcdefgh");
        assert_eq!(connection.exchange(b"two")?, b"z");
        server.join().expect("the server panicked")
    }
}
