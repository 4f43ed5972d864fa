//! The pipeline state as `_dlt_pipeline_state` holds it (dlt.md §3.7): `state` is base64 of zlib of JSON.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde_json::Value;
use sha3::{Digest as _, Sha3_256};

use crate::error::{Error, ErrorKind, Result};
use crate::schema::stored::sorted_json;

/// dlt's version of the format.
pub const ENGINE_VERSION: i64 = 4;

/// Bytes of a state: one that unpacks to more was not stored by a pipeline, and what is cut off is no JSON.
const MOST: u64 = 1 << 30;

/// A state with its version.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredState {
    /// Grows by one with each change.
    pub version: i64,
    /// dlt's hash of the content.
    pub hash: String,
    /// The JSON.
    pub value: Value,
}

/// The first `most` bytes of what was packed.
fn unpacked(packed: &[u8], most: u64) -> std::io::Result<Vec<u8>> {
    let mut json = Vec::new();
    ZlibDecoder::new(packed).take(most).read_to_end(&mut json)?;
    Ok(json)
}

/// Reads a cell of the column `state`: packed, or plain JSON as older versions of dlt wrote it.
///
/// # Errors
/// [`ErrorKind::State`] where it is neither, of a newer version of the format, or no version can follow it.
pub fn parse(text: &str) -> Result<StoredState> {
    let unreadable = || Error::new(ErrorKind::State, "the stored pipeline state cannot be read");
    let value: Value = if text.trim_start().starts_with('{') {
        serde_json::from_str(text)
    } else {
        let packed = STANDARD.decode(text.trim()).map_err(|cause| unreadable().caused_by(cause))?;
        let json = unpacked(&packed, MOST).map_err(|cause| unreadable().caused_by(cause))?;
        serde_json::from_slice(&json)
    }
    .map_err(|cause| unreadable().caused_by(cause))?;
    let number = |key: &str| value.get(key).and_then(Value::as_i64).unwrap_or(0);
    if number("_state_engine_version") > ENGINE_VERSION {
        let message = format!("the stored pipeline state is of a newer version than {ENGINE_VERSION}");
        return Err(Error::new(ErrorKind::State, message)
            .hint("use a newer version of dray, or another pipeline name"));
    }
    let version = number("_state_version");
    if version == i64::MAX {
        let message = "the stored pipeline state has the last version that there is";
        return Err(Error::new(ErrorKind::State, message));
    }
    Ok(StoredState { version, hash: content_hash(&value), value })
}

/// The state to store after `newest`: of the next version where its content differs.
#[must_use]
pub fn seal(state: &Value, newest: Option<&StoredState>) -> StoredState {
    let hash = content_hash(state);
    let version = newest.map_or(1, |newest| newest.version + i64::from(newest.hash != hash));
    let mut value = state.clone();
    if let Some(object) = value.as_object_mut() {
        object.shift_remove("_local");
        object.insert("_state_version".to_owned(), version.into());
        object.insert("_state_engine_version".to_owned(), ENGINE_VERSION.into());
        object.insert("_version_hash".to_owned(), hash.clone().into());
    }
    StoredState { version, hash, value }
}

/// The text of a cell of the column `state`.
///
/// # Errors
/// Where it cannot be packed, which is a bug.
pub fn text(state: &StoredState) -> Result<String> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let packed = encoder.write_all(state.value.to_string().as_bytes()).and_then(|()| encoder.finish());
    let packed = packed
        .map_err(|cause| Error::new(ErrorKind::Bug, "cannot pack the pipeline state").caused_by(cause))?;
    Ok(STANDARD.encode(packed))
}

fn content_hash(state: &Value) -> String {
    let mut content = state.clone();
    if let Some(object) = content.as_object_mut() {
        for key in ["_state_version", "_state_engine_version", "_version_hash", "_local"] {
            object.shift_remove(key);
        }
    }
    STANDARD.encode(Sha3_256::digest(sorted_json(&content)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_none_can_follow_is_refused() {
        let text = format!("{{\"_state_version\": {}}}", i64::MAX);
        assert!(parse(&text).unwrap_err().chain().contains("the last version"));
    }

    #[test]
    fn a_state_is_unpacked_within_bounds() {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&[b' '; 5000]).unwrap();
        let packed = encoder.finish().unwrap();
        assert_eq!(unpacked(&packed, 1000).unwrap().len(), 1000);
        assert_eq!(unpacked(&packed, MOST).unwrap().len(), 5000);
    }
}
