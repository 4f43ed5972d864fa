//! Records that cannot be loaded, taken out of their page so that the others can.

use super::Reject;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{Document, FlawKind, NodeId};

/// Bytes of a rejected record that are kept.
pub(super) const KEPT: usize = 1 << 20;

/// Records that hold a flaw, in the order of their places.
#[derive(Default)]
pub(super) struct Bad(Vec<(NodeId, Reject)>);

impl Bad {
    /// Takes them out of the records that are left of a page, and gives those that were among them.
    pub(super) fn taken_out_of(self, records: &mut Vec<NodeId>) -> Vec<Reject> {
        let Self(mut bad) = self;
        if bad.is_empty() {
            return Vec::new();
        }
        bad.sort_by_key(|(id, _)| *id);
        let mut left = vec![false; bad.len()];
        records.retain(|id| match bad.binary_search_by_key(id, |(id, _)| *id) {
            Ok(found) => {
                left[found] = true;
                false
            }
            Err(_) => true,
        });
        bad.into_iter().zip(left).filter_map(|((_, reject), left)| left.then_some(reject)).collect()
    }
}

/// Finds the records that hold a flaw. `keep`: with their bytes.
///
/// # Errors
/// Where something outside the records is wrong: a page token or a total that is told there could not be relied on.
pub(super) fn sift(document: &Document, records: &[NodeId], keep: bool) -> Result<Bad> {
    if document.flaws().is_empty() {
        return Ok(Bad::default());
    }
    // In the order of their places, as the flaws are; of one record only the first flaw counts.
    let mut spans: Vec<_> = records.iter().map(|id| (document.span(*id), *id)).collect();
    spans.sort_by_key(|(span, _)| span.start);
    let list = list_of(document, records);
    let mut bad: Vec<(NodeId, Reject)> = Vec::new();
    for flaw in document.flaws() {
        let after = spans.partition_point(|(span, _)| span.start <= flaw.at);
        let around = after.checked_sub(1).and_then(|index| spans.get(index));
        let Some((span, id)) = around.filter(|(span, _)| span.contains(&flaw.at)) else {
            return Err(outside(document, flaw.kind, flaw.at));
        };
        if bad.last().is_some_and(|(last, _)| last == id) {
            continue;
        }
        let raw = document.body().get(span.clone()).unwrap_or_default();
        let way = match &list {
            Some(list) => format!("{list}/{}", after - 1),
            None => document.pointer_to(*id),
        };
        let reject = Reject {
            reason: flaw.kind.words().into(),
            pointer: way + &document.pointer(*id, flaw.at),
            bytes: u64::try_from(raw.len()).unwrap_or(u64::MAX),
            raw: if keep { raw.get(..raw.len().min(KEPT)).unwrap_or_default().to_vec() } else { Vec::new() },
        };
        bad.push((*id, reject));
    }
    Ok(Bad(bad))
}

/// The pointer to the list whose items the records are, all of them: then the way to each of them is known without a walk
/// past those before it.
fn list_of(document: &Document, records: &[NodeId]) -> Option<String> {
    let (first, last) = (document.pointer_to(*records.first()?), document.pointer_to(*records.last()?));
    let list = first.strip_suffix("/0")?;
    (last == format!("{list}/{}", records.len() - 1)).then(|| list.to_owned())
}

fn outside(document: &Document, kind: FlawKind, at: usize) -> Error {
    Error::new(ErrorKind::Response, "the answer cannot be relied on: it is wrong outside of its records")
        .with("path", document.pointer(document.root(), at))
        .with("found", kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Bounds;

    fn sifted(body: &[u8]) -> Result<(Vec<String>, Vec<String>)> {
        let document = Document::parse_within(body.to_vec(), &Bounds::default()).unwrap();
        let list = document.get(document.root(), "d").unwrap();
        let mut records: Vec<NodeId> = document.items(list).collect();
        let rejects = sift(&document, &records, true)?.taken_out_of(&mut records);
        let sound = records.iter().map(|id| document.json(*id).to_owned()).collect();
        let rejects = rejects.iter();
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
