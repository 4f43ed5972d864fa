//! Compressed bodies.

use std::io::Write as _;

use dray::extract::door;
use dray::plan::Plan;
use fastrand::Rng;

use super::{Check, Target, text};
use crate::fuzz::{joined, parts};
use crate::load::plan;

/// The target.
pub(super) const TARGET: Target = Target {
    name: "packed",
    seeds,
    words: &[
        "gzip", "deflate", "br", "zstd", "x-gzip", "identity", "gzip, br", "\u{1e}", "\x1f", "\x08", "\x28",
    ],
    finish,
    start,
};

/// More than this no body may have here.
const MOST: u64 = 16 << 20;

fn seeds() -> Vec<Vec<u8>> {
    let bodies = [&b""[..], b"[{\"id\":1}]", &[b'0'; 9_000], &[b'[', 0xFF, 0xFE, 0, 1, 2, 3]];
    let encodings = ["gzip", "deflate", "br", "zstd", "zlib"];
    let each = |body: &'static [u8]| {
        encodings.map(|encoding| joined(&[encoding.as_bytes(), &packed(encoding, body)]))
    };
    let mut seeds: Vec<Vec<u8>> = bodies.into_iter().flat_map(each).collect();
    for encoding in ["gzip", "zstd"] {
        // Two members, and a bomb that is mostly not sent.
        let twice = packed(encoding, b"[1]").repeat(2);
        seeds.push(joined(&[encoding.as_bytes(), &twice]));
        seeds.push(joined(&[encoding.as_bytes(), &packed(encoding, &vec![b' '; 1 << 20])]));
    }
    seeds
}

/// A body in an encoding; in its own where the encoding is none of these.
fn packed(encoding: &str, body: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::fast();
    let done = match encoding {
        "gzip" => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), level);
            writer.write_all(body).and_then(|()| writer.finish())
        }
        "deflate" => {
            let mut writer = flate2::write::DeflateEncoder::new(Vec::new(), level);
            writer.write_all(body).and_then(|()| writer.finish())
        }
        "zlib" => {
            let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), level);
            writer.write_all(body).and_then(|()| writer.finish())
        }
        "br" => {
            let mut packed = Vec::new();
            let parameters = brotli::enc::BrotliEncoderParams { quality: 1, ..Default::default() };
            brotli::BrotliCompress(&mut &*body, &mut packed, &parameters).map(|_| packed)
        }
        "zstd" => zstd::bulk::compress(body, 1),
        _ => Ok(body.to_vec()),
    };
    done.unwrap_or_default()
}

/// Half of the inputs are sound frames of what a mutation made, so that what is inside is reached too.
fn finish(random: &mut Rng, input: Vec<u8>) -> Vec<u8> {
    if random.bool() {
        return input;
    }
    let [encoding, body] = parts(&input);
    joined(&[encoding, &packed(&text(encoding), body)])
}

fn start() -> Result<Check, String> {
    let config = "client: {base_url: \"https://api.example\"}\nresources: [a]\n";
    let plan = plan(config, &[]).map_err(|error| error.chain())?;
    Ok(Box::new(move |input| check(&plan, input)))
}

fn check(plan: &Plan, input: &[u8]) -> Result<(), String> {
    let [encoding, wire] = parts(input);
    let encoding = text(encoding);
    let encoding = if encoding == "zlib" { "deflate" } else { &encoding };
    let limits = dray::plan::Limits { body_bytes: MOST, ..plan.client.limits };
    let whole = door::unpack(Some(encoding), None, &limits, (wire, usize::MAX));
    // Where the pieces end says nothing of the body. But libzstd holds the size that a frame announces against an empty
    // last block only where all of the frame comes at once.
    let piece = 1 + wire.len() / 7;
    let pieces = door::unpack(Some(encoding), Some(wire.len() as u64), &limits, (wire, piece));
    let zstd = encoding.trim() == "zstd" && whole.as_ref().is_err_and(|error| error.contains("corruption"));
    if whole.as_ref().ok() != pieces.as_ref().ok() && !zstd && !is_bounded(&whole, &pieces) {
        let shown = |body: &Result<Vec<u8>, String>| body.as_ref().map(Vec::len).map_err(Clone::clone);
        return Err(format!("at once {:?}, in pieces {:?}", shown(&whole), shown(&pieces)));
    }
    match whole {
        Ok(body) if body.len() as u64 > MOST => Err(format!("{} bytes", body.len())),
        _ => Ok(()),
    }
}

/// How large a body may be depends on how much of it came, so the ratio may stop it in pieces only.
fn is_bounded(whole: &Result<Vec<u8>, String>, pieces: &Result<Vec<u8>, String>) -> bool {
    let bounded = |body: &Result<Vec<u8>, String>| body.as_ref().is_err_and(|error| error.contains("Beyond"));
    bounded(whole) || bounded(pieces)
}
