//! Bodies that are packed files by themselves, whatever the answer's headers say: gzip, and zip with one file in it.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use crate::extract::decode::{Decoder, Refused, most};
use crate::plan::Limits;

const GZIP: &[u8] = b"\x1f\x8b\x08";
const ZIP: &[u8] = b"PK\x03\x04";
/// A zip without files.
const EMPTY: &[u8] = b"PK\x05\x06";

/// Why a packed body was not taken.
#[derive(Debug)]
pub(in crate::extract) enum Unpackable {
    Refused(Refused),
    /// A zip with so many files in it, and the first of their names.
    Files(usize, String),
}

/// The body, unpacked if it is packed.
pub(in crate::extract) fn unpacked(body: Vec<u8>, limits: &Limits) -> Result<Vec<u8>, Unpackable> {
    if body.starts_with(GZIP) {
        let mut decoder = Decoder::new(Some("gzip"), None, limits).map_err(Unpackable::Refused)?;
        decoder.push(&body).map_err(Unpackable::Refused)?;
        return decoder.finish().map_err(Unpackable::Refused);
    }
    if body.starts_with(ZIP) || body.starts_with(EMPTY) {
        return unzipped(body, limits);
    }
    Ok(body)
}

fn unzipped(body: Vec<u8>, limits: &Limits) -> Result<Vec<u8>, Unpackable> {
    let broken = |error: zip::result::ZipError| Unpackable::Refused(Refused::Broken(error.into()));
    let wire = u64::try_from(body.len()).unwrap_or(u64::MAX);
    let mut archive = ZipArchive::new(Cursor::new(body)).map_err(broken)?;
    let files: Vec<usize> = (0..archive.len())
        .filter(|index| archive.name_for_index(*index).is_some_and(|name| !name.ends_with('/')))
        .collect();
    let [only] = files.as_slice() else {
        let first = files.first().and_then(|index| archive.name_for_index(*index));
        return Err(Unpackable::Files(files.len(), first.unwrap_or_default().to_owned()));
    };
    let file = archive.by_index(*only).map_err(broken)?;
    let most = most(limits, wire);
    let mut body = Vec::new();
    file.take(most.saturating_add(1))
        .read_to_end(&mut body)
        .map_err(|error| Unpackable::Refused(Refused::Broken(error)))?;
    if u64::try_from(body.len()).is_ok_and(|length| length <= most) {
        return Ok(body);
    }
    let limit = if most < limits.body_bytes { "ratio" } else { "body" };
    Err(Unpackable::Refused(Refused::Beyond(limit, format!("more than {most} bytes from {wire}"))))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;
    use crate::plan::Plan;

    fn limits() -> Limits {
        Plan::for_tests(Vec::new()).client.limits
    }

    fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn files_are_known_by_their_first_bytes() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(b"[1]").unwrap();
        let gzip = gzip.finish().unwrap();
        for body in [b"[1]".to_vec(), gzip.clone(), zipped(&[("x/", b""), ("x/data.json", b"[1]")])] {
            assert_eq!(unpacked(body, &limits()).unwrap(), b"[1]");
        }
        let cut = unpacked(gzip[..gzip.len() - 3].to_vec(), &limits());
        assert!(matches!(cut, Err(Unpackable::Refused(Refused::Broken(_)))));
        let two = unpacked(zipped(&[("a", b"1"), ("b", b"2")]), &limits());
        assert!(matches!(two, Err(Unpackable::Files(2, name)) if name == "a"));
        assert!(matches!(unpacked(zipped(&[]), &limits()), Err(Unpackable::Files(0, _))));
        let garbage = unpacked(b"PK\x03\x04 and nothing else".to_vec(), &limits());
        assert!(matches!(garbage, Err(Unpackable::Refused(Refused::Broken(_)))));
    }

    #[test]
    fn what_unpacks_to_too_much_is_stopped() {
        let zeros = vec![b'0'; 32 << 20];
        let bomb = zipped(&[("zeros", &zeros)]);
        let found = unpacked(bomb.clone(), &limits());
        assert!(matches!(found, Err(Unpackable::Refused(Refused::Beyond("ratio", _)))));
        let small = Limits { body_bytes: 1 << 20, ..limits() };
        assert!(matches!(unpacked(bomb, &small), Err(Unpackable::Refused(Refused::Beyond("body", _)))));
    }
}
