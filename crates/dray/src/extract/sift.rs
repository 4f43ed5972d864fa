//! Records that cannot be loaded, taken out of their page so that the others can.

use super::Reject;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{Document, FlawKind, NodeId};

/// Bytes of a rejected record that are kept.
const KEPT: usize = 1 << 20;

/// The records of a page, sound and otherwise.
pub(super) struct Sifted {
    pub(super) sound: Vec<NodeId>,
    pub(super) rejects: Vec<Reject>,
}

/// Takes out the records that hold a flaw. `keep`: with their bytes.
///
/// # Errors
/// Where something outside the records is wrong: a page token or a total that is told there could not be relied on.
pub(super) fn sift(document: &Document, records: &[NodeId], keep: bool) -> Result<Sifted> {
    let mut sifted = Sifted { sound: records.to_vec(), rejects: Vec::new() };
    if document.flaws().is_empty() {
        return Ok(sifted);
    }
    // In the order of their places, as the flaws are; of one record only the first flaw counts.
    let mut spans: Vec<_> = records.iter().map(|id| (document.span(*id), *id)).collect();
    spans.sort_by_key(|(span, _)| span.start);
    let mut bad: Vec<NodeId> = Vec::new();
    for flaw in document.flaws() {
        let after = spans.partition_point(|(span, _)| span.start <= flaw.at);
        let around = after.checked_sub(1).and_then(|index| spans.get(index));
        let Some((span, id)) = around.filter(|(span, _)| span.contains(&flaw.at)) else {
            return Err(outside(document, flaw.kind, flaw.at));
        };
        if bad.last() == Some(id) {
            continue;
        }
        bad.push(*id);
        let raw = document.body().get(span.clone()).unwrap_or_default();
        sifted.rejects.push(Reject {
            reason: flaw.kind.words(),
            pointer: document.pointer(flaw.at),
            bytes: u64::try_from(raw.len()).unwrap_or(u64::MAX),
            raw: if keep { raw.get(..raw.len().min(KEPT)).unwrap_or_default().to_vec() } else { Vec::new() },
        });
    }
    bad.sort_unstable();
    sifted.sound.retain(|id| bad.binary_search(id).is_err());
    Ok(sifted)
}

fn outside(document: &Document, kind: FlawKind, at: usize) -> Error {
    Error::new(ErrorKind::Response, "the answer cannot be relied on: it is wrong outside of its records")
        .with("path", document.pointer(at))
        .with("found", kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Bounds;

    fn sifted(body: &[u8]) -> Result<(Vec<String>, Vec<String>)> {
        let document = Document::parse_within(body.to_vec(), &Bounds::default()).unwrap();
        let list = document.get(document.root(), "d").unwrap();
        let records: Vec<NodeId> = document.items(list).collect();
        let found = sift(&document, &records, true)?;
        let sound = found.sound.iter().map(|id| document.json(*id).to_owned()).collect();
        let rejects = found.rejects.iter();
        Ok((sound, rejects.map(|r| format!("{} {}", r.pointer, String::from_utf8_lossy(&r.raw))).collect()))
    }

    #[test]
    fn a_bad_record_is_taken_out_and_the_others_stay() {
        let (sound, rejects) =
            sifted(br#"{"d":[{"a":1},{"a":"\ud83d","b":NaN},{"a":2},"\ude00",3]}"#).unwrap();
        assert_eq!(sound, [r#"{"a":1}"#, r#"{"a":2}"#, "3"]);
        assert_eq!(rejects, [r#"/d/1/a {"a":"\ud83d","b":NaN}"#, r#"/d/3 "\ude00""#]);
    }

    #[test]
    fn what_is_wrong_outside_of_the_records_is_an_error() {
        let error = sifted(b"{\"d\":[1],\"next\":\"\xff\"}").unwrap_err();
        assert!(error.chain().contains("/next"), "{}", error.chain());
    }
}
