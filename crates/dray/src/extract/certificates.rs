//! Files with certificates: the only files that are read while a run begins.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result};

/// A larger file holds no certificates.
const MAX_BYTES: u64 = 4 << 20;

/// The file that `key` of the configuration names.
pub(super) fn read(key: &str, file: &Path) -> Result<Vec<u8>> {
    let failed = |error| {
        wrong(key, file, "cannot be read")
            .caused_by(error)
            .hint("the path is meant from the folder that the program runs in")
    };
    if std::fs::metadata(file).map_err(failed)?.len() > MAX_BYTES {
        return Err(wrong(key, file, "is larger than 4 MiB"));
    }
    std::fs::read(file).map_err(failed)
}

/// What is wrong with the file that `key` names.
pub(super) fn wrong(key: &str, file: &Path, message: &str) -> Error {
    Error::new(ErrorKind::Config, format!("the file that `{key}` names {message}"))
        .with("file", file.display())
}
