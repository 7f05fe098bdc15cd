//! The stream under a mailbox. A server may send what it likes, and what it announces is made room for before it comes:
//! so the stream gives no more than a round may take, and breaks off before a line or a piece that is too large reaches
//! the parser. It counts what comes, so that a slow line is told from a dead one.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What one connection may send: what a round takes, twice.
const MOST_SENT_BYTES: u64 = 160 * 1024 * 1024;
/// The largest piece (*literal*) that may be announced: the largest mail that is read, and what servers err about sizes.
const MOST_PIECE_BYTES: u64 = 40 * 1024 * 1024;
/// The longest line: numbers of some hundred mails are the longest that are asked for.
const MOST_LINE_BYTES: usize = 1024 * 1024;
/// So much of a line's beginning says what it is.
const HEAD_BYTES: usize = 64;
/// So much of its end may announce a piece: `{`, a number, `+}` and the line's end.
const TAIL_BYTES: usize = 26;

/// What carries bytes.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug> Wire for T {}

/// How many bytes have come.
#[derive(Clone, Debug, Default)]
pub(super) struct Came(Arc<AtomicU64>);

impl Came {
    pub(super) fn so_far(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why the stream breaks off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TooLarge;

/// Where the answers stand: in a line, or in a piece that the line before announced.
#[derive(Debug, Default)]
struct Lines {
    /// Of the piece that is coming.
    piece_left: u64,
    /// Of the line that is coming.
    line_bytes: usize,
    /// The beginning of the answer, which goes on after each piece.
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Lines {
    fn take(&mut self, mut bytes: &[u8]) -> Result<(), TooLarge> {
        while !bytes.is_empty() {
            if self.piece_left > 0 {
                let skipped =
                    bytes.len().min(usize::try_from(self.piece_left).unwrap_or(usize::MAX));
                self.piece_left -= skipped as u64;
                bytes = &bytes[skipped..];
                continue;
            }
            let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
            let (line, rest) = bytes.split_at(end);
            self.grow(line)?;
            if line.ends_with(b"\n") {
                self.line_ends()?;
            }
            bytes = rest;
        }
        Ok(())
    }

    fn grow(&mut self, line: &[u8]) -> Result<(), TooLarge> {
        self.line_bytes = self.line_bytes.saturating_add(line.len());
        if self.line_bytes > MOST_LINE_BYTES {
            return Err(TooLarge);
        }
        let room = HEAD_BYTES.saturating_sub(self.head.len());
        self.head.extend_from_slice(&line[..line.len().min(room)]);
        self.tail.extend_from_slice(&line[line.len().saturating_sub(TAIL_BYTES)..]);
        self.tail.drain(..self.tail.len().saturating_sub(TAIL_BYTES));
        Ok(())
    }

    fn line_ends(&mut self) -> Result<(), TooLarge> {
        let announced = announced(&self.tail)?;
        self.line_bytes = 0;
        self.tail.clear();
        match announced {
            None => self.head.clear(),
            // Words for people announce nothing; who reads them so and who does not would part here.
            Some(bytes) if bytes > MOST_PIECE_BYTES || is_words(&self.head) => {
                return Err(TooLarge);
            }
            Some(bytes) => self.piece_left = bytes,
        }
        Ok(())
    }
}

/// What the end of a line announces (RFC 3501 4.3; `+` by RFC 7888).
fn announced(tail: &[u8]) -> Result<Option<u64>, TooLarge> {
    let Some(before) = tail.strip_suffix(b"}\r\n") else { return Ok(None) };
    let before = before.strip_suffix(b"+").unwrap_or(before);
    let digits = before.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (rest, digits) = before.split_at(before.len() - digits);
    if digits.is_empty() {
        return Ok(None);
    }
    match rest.last() {
        Some(b'{') => {
            let digits = std::str::from_utf8(digits).map_err(|_| TooLarge)?;
            digits.parse().map(Some).map_err(|_| TooLarge)
        }
        Some(_) => Ok(None),
        // More digits than a line's end is kept of.
        None => Err(TooLarge),
    }
}

/// Whether an answer is one whose rest is words: how a command ended, or a greeting.
fn is_words(head: &[u8]) -> bool {
    let mut parts = head.split(|byte| *byte == b' ' || *byte == b'\r');
    let (tag, state) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let states: [&[u8]; 5] = [b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"];
    tag == b"+" || states.iter().any(|one| state.eq_ignore_ascii_case(one))
}

/// A stream that gives so much and no more.
#[derive(Debug)]
pub(super) struct Bounded {
    inner: Box<dyn Wire>,
    left: u64,
    lines: Lines,
    came: Came,
}

impl Bounded {
    pub(super) fn new(inner: Box<dyn Wire>, came: Came) -> Self {
        Self { inner, left: MOST_SENT_BYTES, lines: Lines::default(), came }
    }

    pub(super) fn into_inner(self) -> Box<dyn Wire> {
        self.inner
    }
}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let too_large =
            || Poll::Ready(Err(io::Error::other("the server sends more than is taken")));
        if self.left == 0 {
            return too_large();
        }
        let before = buf.filled().len();
        let ready = Pin::new(&mut self.inner).poll_read(cx, buf);
        let n = (buf.filled().len() - before) as u64;
        self.left = self.left.saturating_sub(n);
        self.came.0.fetch_add(n, Ordering::Relaxed);
        match self.lines.take(&buf.filled()[before..]) {
            Ok(()) => ready,
            Err(TooLarge) => too_large(),
        }
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> bool {
        let whole = Lines::default().take(text.as_bytes()).is_ok();
        let mut by_bytes = Lines::default();
        let bytewise = text.as_bytes().iter().all(|byte| by_bytes.take(&[*byte]).is_ok());
        assert_eq!(whole, bytewise, "{text:?}");
        whole
    }

    #[test]
    fn what_is_too_large_is_broken_off_where_it_is_announced() {
        let long = "0".repeat(40);
        for (text, goes) in [
            ("* OK ready\r\n* 1 FETCH (UID 1 BODY[] {5}\r\nhello)\r\nA1 OK done\r\n", true),
            ("* 1 FETCH (BODY[] {41943040}\r\n", true),
            ("* 1 FETCH (BODY[] {41943041}\r\n", false),
            ("* 1 FETCH (BODY[] {41943041+}\r\n", false),
            ("* 1 FETCH (BODY[] {99999999999999999999999}\r\n", false),
            (&format!("* 1 FETCH (BODY[] {{{long}}}\r\n"), false),
            // A mail may say what it likes.
            ("* 1 FETCH (BODY[] {13}\r\n{999999999}\r\n)\r\n", true),
            // What comes after it is a line again.
            ("* 1 FETCH (BODY[] {2}\r\nab BODY[HEADER] {999999999}\r\n", false),
            // Words for people announce nothing, and hide no piece behind one.
            ("* OK [ALERT] hello {5}\r\n", false),
            ("A1 no such {5}\r\n", false),
            ("+ idling {5}\r\n", false),
            ("* OK nothing {}\r\n* OK {5} in the midst\r\n", true),
        ] {
            assert_eq!(all(text), goes, "{text:?}");
        }
        let line = format!("* SEARCH{}", " 1".repeat(MOST_LINE_BYTES / 2));
        assert_eq!(Lines::default().take(line.as_bytes()), Err(TooLarge));
    }
}
