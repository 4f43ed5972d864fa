//! Bodies in the encodings that HTTP knows.

use std::io::{Result, Write as _};

use flate2::Compression;

/// The encodings, as `Content-Encoding` names them.
pub const ENCODINGS: [&str; 4] = ["gzip", "deflate", "br", "zstd"];

/// A body in an encoding; as it is where that is none of [`ENCODINGS`].
///
/// # Errors
/// Never in practice: it is written into memory.
pub fn pack(encoding: &str, body: &[u8]) -> Result<Vec<u8>> {
    pack_repeated(encoding, body, 1)
}

/// `piece` so often, in an encoding, without ever being there as a whole.
///
/// # Errors
/// As [`pack`].
pub fn pack_repeated(encoding: &str, piece: &[u8], times: u64) -> Result<Vec<u8>> {
    match encoding {
        "gzip" => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
            for _ in 0..times {
                writer.write_all(piece)?;
            }
            writer.finish()
        }
        "deflate" => {
            let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
            for _ in 0..times {
                writer.write_all(piece)?;
            }
            writer.finish()
        }
        "br" => {
            let mut writer = brotli::CompressorWriter::new(Vec::new(), 1 << 16, 5, 22);
            for _ in 0..times {
                writer.write_all(piece)?;
            }
            writer.flush()?;
            Ok(writer.into_inner())
        }
        "zstd" => {
            let mut writer = zstd::stream::write::Encoder::new(Vec::new(), 3)?;
            for _ in 0..times {
                writer.write_all(piece)?;
            }
            writer.finish()
        }
        _ => Ok(piece.repeat(usize::try_from(times).unwrap_or(usize::MAX))),
    }
}
