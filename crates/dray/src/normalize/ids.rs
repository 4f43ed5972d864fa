//! `_dlt_id`: ten bytes as fourteen characters (dlt.md §3.6).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha3::Shake128;
use sha3::digest::{ExtendableOutput, Update, XofReader};

/// A row id.
pub(super) type RowId = [u8; 14];

fn encode(bytes: [u8; 10]) -> RowId {
    let mut id = [0; 14];
    // Ten bytes are always fourteen characters: there is room.
    if STANDARD_NO_PAD.encode_slice(bytes, &mut id).is_err() {
        id = *b"______________";
    }
    id
}

/// The id of a root row: random.
pub(super) fn random(generator: &mut fastrand::Rng) -> RowId {
    let mut bytes = [0; 10];
    generator.fill(&mut bytes);
    encode(bytes)
}

/// The id of a nested row: made of its parent's id, its table and its place, so the same row always has the same.
pub(super) fn nested(parent: &RowId, table: &str, index: usize) -> RowId {
    let mut hasher = Shake128::default();
    hasher.update(parent);
    hasher.update(b"_");
    hasher.update(table.as_bytes());
    hasher.update(b"_");
    hasher.update(index.to_string().as_bytes());
    let mut bytes = [0; 10];
    hasher.finalize_xof().read(&mut bytes);
    encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_ids_are_a_digest_of_parent_table_and_place() {
        // python: base64.b64encode(hashlib.shake_128(b"abcdefghijklmn_t__items_0").digest(10)).rstrip(b"=")
        assert_eq!(&nested(b"abcdefghijklmn", "t__items", 0), b"MAfi/WYGLM7zDA");
    }
}
