//! A body from its wire bytes: decompressed piece by piece, so that no bomb is ever unpacked.

use std::io::{Error as IoError, ErrorKind as IoKind, Result as IoResult, Write};

use brotli_decompressor::DecompressorWriter;
use flate2::write::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, Operation as _};

use crate::plan::Limits;

/// A body may be so large before its ratio counts: small ones compress well without being bombs.
const RATIO_FROM: u64 = 8 << 20;
/// Bytes unpacked at a time.
const STEP: usize = 64 << 10;
/// Largest window of a zstd frame, as a power of two: what RFC 9659 allows on the web.
const ZSTD_WINDOW: u32 = 23;

/// What is said to a server that is not told otherwise.
pub(super) const ACCEPTED: &str = "gzip, deflate, br, zstd";

/// Why a body was not taken.
#[derive(Debug)]
pub(super) enum Refused {
    /// It is not what its encoding says, or not all of it came.
    Broken(IoError),
    /// It is more than the key of `client.limits` allows; the text says how much that is.
    Beyond(&'static str, String),
    /// The encoding is none that this program reads.
    Unknown(String),
}

/// A body that grows.
#[derive(Debug)]
pub(super) struct Decoder {
    codec: Codec,
    wire: u64,
    limits: Limits,
}

enum Codec {
    Plain(Sink),
    Gzip(Box<MultiGzDecoder<Sink>>),
    /// zlib's frame or none: servers mean either by `deflate`, the first byte tells.
    Deflate {
        inflate: Option<Decompress>,
        ended: bool,
        sink: Sink,
    },
    Brotli(Box<DecompressorWriter<Sink>>),
    Zstd {
        decoder: Box<ZstdDecoder<'static>>,
        inside: bool,
        sink: Sink,
    },
}

impl std::fmt::Debug for Codec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain",
            Self::Gzip(_) => "Gzip",
            Self::Deflate { .. } => "Deflate",
            Self::Brotli(_) => "Brotli",
            Self::Zstd { .. } => "Zstd",
        })
    }
}

/// Where bytes end up, and how many may.
#[derive(Debug, Default)]
struct Sink {
    body: Vec<u8>,
    most: u64,
    full: bool,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> IoResult<usize> {
        if size(self.body.len() + bytes.len()) > self.most {
            self.full = true;
            return Err(IoError::other("more than is allowed"));
        }
        self.body.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> IoResult<()> {
        Ok(())
    }
}

fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Bytes that a body may have of which so many came over the wire.
pub(super) fn most(limits: &Limits, wire: u64) -> u64 {
    limits.body_bytes.min(limits.ratio.saturating_mul(wire).max(RATIO_FROM))
}

impl Decoder {
    /// A decoder for `Content-Encoding`, and room for the bytes that `Content-Length` announces.
    pub(super) fn new(
        encoding: Option<&str>,
        announced: Option<u64>,
        limits: &Limits,
    ) -> Result<Self, Refused> {
        let sink = Sink::default();
        let codec = match encoding.map(|name| name.trim().to_ascii_lowercase()).as_deref() {
            None | Some("" | "identity") => {
                let room = announced.unwrap_or_default().min(limits.body_bytes);
                let body = Vec::with_capacity(usize::try_from(room).unwrap_or_default());
                Codec::Plain(Sink { body, ..sink })
            }
            Some("gzip" | "x-gzip") => Codec::Gzip(Box::new(MultiGzDecoder::new(sink))),
            Some("deflate") => Codec::Deflate { inflate: None, ended: false, sink },
            Some("br") => Codec::Brotli(Box::new(DecompressorWriter::new(sink, STEP))),
            Some("zstd") => {
                let mut decoder = ZstdDecoder::new().map_err(Refused::Broken)?;
                decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW)).map_err(Refused::Broken)?;
                Codec::Zstd { decoder: Box::new(decoder), inside: false, sink }
            }
            Some(other) => return Err(Refused::Unknown(other.to_owned())),
        };
        let decoder = Self { codec, wire: 0, limits: *limits };
        match announced {
            Some(announced) if announced > limits.wire_bytes => Err(decoder.beyond_wire()),
            _ => Ok(decoder),
        }
    }

    /// Takes a piece as it came over the wire.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), Refused> {
        self.wire += size(piece.len());
        if self.wire > self.limits.wire_bytes {
            return Err(self.beyond_wire());
        }
        let most = self.most();
        self.sink().most = most;
        let done = match &mut self.codec {
            Codec::Plain(sink) => sink.write_all(piece),
            Codec::Gzip(gzip) => gzip.write_all(piece),
            Codec::Brotli(brotli) => brotli.write_all(piece),
            Codec::Deflate { inflate, ended, sink } => unpack(inflate, ended, piece, sink),
            Codec::Zstd { decoder, inside, sink } => unframe(decoder, inside, piece, sink),
        };
        done.map_err(|error| self.refused(error))
    }

    /// The whole body.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, Refused> {
        // What no byte came of is no frame, and nothing is missing from it.
        let done = match &mut self.codec {
            _ if self.wire == 0 => Ok(()),
            Codec::Plain(_) => Ok(()),
            Codec::Gzip(gzip) => gzip.try_finish(),
            Codec::Brotli(brotli) => brotli.close(),
            Codec::Deflate { ended: whole, .. } if *whole => Ok(()),
            Codec::Zstd { inside: false, .. } => Ok(()),
            Codec::Deflate { .. } | Codec::Zstd { .. } => Err(IoError::from(IoKind::UnexpectedEof)),
        };
        done.map_err(|error| self.refused(error))?;
        Ok(std::mem::take(&mut self.sink().body))
    }

    fn sink(&mut self) -> &mut Sink {
        match &mut self.codec {
            Codec::Plain(sink) | Codec::Deflate { sink, .. } | Codec::Zstd { sink, .. } => sink,
            Codec::Gzip(gzip) => gzip.get_mut(),
            Codec::Brotli(brotli) => brotli.get_mut(),
        }
    }

    fn most(&self) -> u64 {
        most(&self.limits, self.wire)
    }

    fn refused(&mut self, error: IoError) -> Refused {
        if !self.sink().full {
            return Refused::Broken(error);
        }
        if self.most() < self.limits.body_bytes {
            let ratio = self.limits.ratio;
            Refused::Beyond("ratio", format!("more than {ratio} times its {} bytes on the wire", self.wire))
        } else {
            Refused::Beyond("body", format!("more than {} bytes", self.limits.body_bytes))
        }
    }

    fn beyond_wire(&self) -> Refused {
        Refused::Beyond("wire", format!("more than {} bytes on the wire", self.limits.wire_bytes))
    }
}

fn unpack(
    inflate: &mut Option<Decompress>,
    ended: &mut bool,
    mut piece: &[u8],
    sink: &mut Sink,
) -> IoResult<()> {
    let Some(first) = piece.first() else { return Ok(()) };
    let inflate = inflate.get_or_insert_with(|| Decompress::new(first & 0x0F == 8 && first >> 4 <= 7));
    let mut step = vec![0; STEP];
    loop {
        if *ended {
            return if piece.is_empty() { Ok(()) } else { Err(IoError::other("bytes after the end")) };
        }
        let (read, written) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(piece, &mut step, FlushDecompress::None)?;
        let read = usize::try_from(inflate.total_in() - read).unwrap_or_default();
        let written = usize::try_from(inflate.total_out() - written).unwrap_or_default();
        sink.write_all(step.get(..written).unwrap_or_default())?;
        piece = piece.get(read..).unwrap_or_default();
        *ended = status == Status::StreamEnd;
        if !*ended && read == 0 && written == 0 {
            return if piece.is_empty() { Ok(()) } else { Err(IoError::other("it makes no progress")) };
        }
    }
}

fn unframe(
    decoder: &mut ZstdDecoder<'static>,
    inside: &mut bool,
    mut piece: &[u8],
    sink: &mut Sink,
) -> IoResult<()> {
    let mut step = vec![0; STEP];
    loop {
        let status = decoder.run_on_buffers(piece, &mut step)?;
        sink.write_all(step.get(..status.bytes_written).unwrap_or_default())?;
        piece = piece.get(status.bytes_read..).unwrap_or_default();
        if status.bytes_read > 0 || status.bytes_written > 0 {
            *inside = status.remaining > 0;
        }
        let more = status.bytes_written == STEP || (!piece.is_empty() && status.bytes_read > 0);
        if !more {
            return if piece.is_empty() { Ok(()) } else { Err(IoError::other("it makes no progress")) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    fn packed(encoding: &str, body: &[u8]) -> Vec<u8> {
        let level = flate2::Compression::default();
        match encoding {
            "gzip" => {
                let mut writer = flate2::write::GzEncoder::new(Vec::new(), level);
                writer.write_all(body).unwrap();
                writer.finish().unwrap()
            }
            "zlib" => {
                let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), level);
                writer.write_all(body).unwrap();
                writer.finish().unwrap()
            }
            "deflate" => {
                let mut writer = flate2::write::DeflateEncoder::new(Vec::new(), level);
                writer.write_all(body).unwrap();
                writer.finish().unwrap()
            }
            "br" => {
                let mut packed = Vec::new();
                let parameters = brotli::enc::BrotliEncoderParams { quality: 5, ..Default::default() };
                brotli::BrotliCompress(&mut &*body, &mut packed, &parameters).unwrap();
                packed
            }
            _ => zstd::bulk::compress(body, 3).unwrap(),
        }
    }

    const ALL: [&str; 5] = ["gzip", "zlib", "deflate", "br", "zstd"];

    fn name(encoding: &str) -> &str {
        if encoding == "zlib" { "deflate" } else { encoding }
    }

    fn unpacked(encoding: &str, wire: &[u8], limits: &Limits) -> Result<Vec<u8>, Refused> {
        let mut decoder = Decoder::new(Some(name(encoding)), None, limits)?;
        for piece in wire.chunks(1000) {
            decoder.push(piece)?;
        }
        decoder.finish()
    }

    fn limits() -> Limits {
        Plan::for_tests(Vec::new()).client.limits
    }

    #[test]
    fn every_encoding_is_read_and_a_lost_end_is_noticed() {
        let body: Vec<u8> = (0..50_000_u32).flat_map(|n| (n * n).to_le_bytes()).collect();
        for encoding in ALL {
            let wire = packed(encoding, &body);
            assert_eq!(unpacked(encoding, &wire, &limits()).unwrap(), body, "{encoding}");
            for lost in [1, 4, 100, wire.len() - 1] {
                let short = unpacked(encoding, &wire[..wire.len() - lost], &limits());
                assert!(matches!(short, Err(Refused::Broken(_))), "{encoding} without its last {lost}");
            }
            let long = [&*wire, b"garbage"].concat();
            let long = unpacked(encoding, &long, &limits());
            assert!(matches!(long, Err(Refused::Broken(_))), "{encoding} with more: {long:?}");
        }
    }

    #[test]
    fn what_unpacks_to_too_much_is_stopped() {
        let zeros = vec![b'0'; 32 << 20];
        for encoding in ALL {
            let wire = packed(encoding, &zeros);
            let bomb = unpacked(encoding, &wire, &limits());
            assert!(matches!(bomb, Err(Refused::Beyond("ratio", _))), "{encoding}");
            let small = Limits { body_bytes: 1 << 20, ..limits() };
            assert!(matches!(unpacked(encoding, &wire, &small), Err(Refused::Beyond("body", _))));
            let short = Limits { wire_bytes: 10, ..limits() };
            assert!(matches!(unpacked(encoding, &wire, &short), Err(Refused::Beyond("wire", _))));
        }
        assert!(matches!(Decoder::new(Some("lzma"), None, &limits()), Err(Refused::Unknown(_))));
        assert!(matches!(Decoder::new(None, Some(1 << 40), &limits()), Err(Refused::Beyond("wire", _))));
    }
}
