//! Reading files and the environment: the only part of this stage that touches either.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::diagnostics::{Diagnostic, Diagnostics};
use super::each;
use super::lists::{self, Lists};
use super::node::{Node, Value};
use super::parse::{Format, parse, parse_partly};
use super::secrets::SettingsFile;

/// A larger file is no configuration.
const MAX_BYTES: u64 = 16 << 20;

/// A file that was read and parsed.
#[derive(Clone)]
pub struct Loaded {
    /// Its content.
    pub root: Node,
    /// Its text, to show lines of it.
    pub source_text: String,
    /// Its name as it was given.
    pub file: String,
    /// Its format.
    pub format: Format,
    /// What is worth knowing about how it was read.
    pub notes: Vec<Diagnostic>,
    /// The lists that it names.
    pub lists: Lists,
}

impl fmt::Debug for Loaded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // People write secrets into files: neither text nor tree is shown.
        formatter
            .debug_struct("Loaded")
            .field("file", &self.file)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

/// Why a file could not be loaded. `Display` does not repeat the source.
#[non_exhaustive]
pub enum LoadError {
    /// It could not be read.
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Its extension says nothing about its format.
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// It is not what its format requires.
    Invalid {
        /// The file as it was named.
        file: String,
        /// Its text, for [`Diagnostics::render`].
        source_text: String,
        /// What is wrong.
        diagnostics: Diagnostics,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, .. } => write!(formatter, "cannot read {}", path.display()),
            Self::UnknownFormat { path } => {
                write!(
                    formatter,
                    "the format of {} is unknown, expected {}",
                    path.display(),
                    Format::EXTENSIONS
                )
            }
            Self::Invalid { file, diagnostics, .. } => match diagnostics.len() {
                1 => write!(formatter, "1 problem in {file}"),
                count => write!(formatter, "{count} problems in {file}"),
            },
        }
    }
}

impl fmt::Debug for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, source } => {
                formatter.debug_struct("Read").field("path", path).field("source", source).finish()
            }
            Self::UnknownFormat { path } => {
                formatter.debug_struct("UnknownFormat").field("path", path).finish()
            }
            Self::Invalid { file, diagnostics, .. } => {
                let mut shown = formatter.debug_struct("Invalid");
                shown.field("file", file).field("diagnostics", diagnostics).finish_non_exhaustive()
            }
        }
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { source, .. } => Some(source),
            Self::UnknownFormat { .. } => None,
            Self::Invalid { diagnostics, .. } => Some(diagnostics),
        }
    }
}

/// Reads a configuration; its extension says the format.
///
/// # Errors
/// If the file cannot be read, has an unknown extension, or is not well-formed.
pub fn read_file(path: &Path) -> Result<Loaded, LoadError> {
    let file = path.display().to_string();
    let Some(format) = Format::of_file(&file) else {
        return Err(LoadError::UnknownFormat { path: path.to_owned() });
    };
    let text = read_text(path)?;
    let mut loaded = read_text_as(file, text, format)?;
    loaded.lists = read_lists(&loaded.root, path.parent().unwrap_or(Path::new("")));
    Ok(loaded)
}

/// The lists of `for_each` that stand in files of their own, beside the configuration. What is wrong with one is said where
/// it is named.
fn read_lists(root: &Node, folder: &Path) -> Lists {
    let mut found = Lists::new();
    for name in each::files(root) {
        let items = match read_text(&folder.join(name)) {
            Ok(text) => lists::items(name, &text),
            Err(LoadError::Read { source, .. }) => Err(source.to_string()),
            Err(error) => Err(error.to_string()),
        };
        found.insert(name.to_owned(), items);
    }
    found
}

/// Reads a configuration as far as it can be read; what was left out of it are the problems beside it.
///
/// # Errors
/// If nothing can be read of it.
pub fn read_file_partly(path: &Path) -> Result<(Loaded, Diagnostics), LoadError> {
    let file = path.display().to_string();
    let Some(format) = Format::of_file(&file) else {
        return Err(LoadError::UnknownFormat { path: path.to_owned() });
    };
    let (mut loaded, problems) = read_text_partly(file, read_text(path)?, format)?;
    loaded.lists = read_lists(&loaded.root, path.parent().unwrap_or(Path::new("")));
    Ok((loaded, problems))
}

/// The same of a text that came from elsewhere.
///
/// # Errors
/// If nothing can be read of it.
pub fn read_text_partly(
    file: String,
    source_text: String,
    format: Format,
) -> Result<(Loaded, Diagnostics), LoadError> {
    let mut diagnostics = Diagnostics::new();
    let Some(root) = parse_partly(&source_text, format, &mut diagnostics) else {
        return Err(LoadError::Invalid { file, source_text, diagnostics });
    };
    let notes = diagnostics.notes().cloned().collect();
    Ok((Loaded { root, source_text, file, format, notes, lists: Lists::new() }, diagnostics))
}

/// Parses a text that came from elsewhere (built into the program) as if it were a file.
///
/// # Errors
/// If the text is not well-formed.
pub fn read_text_as(file: String, source_text: String, format: Format) -> Result<Loaded, LoadError> {
    let mut diagnostics = Diagnostics::new();
    match parse(&source_text, format, &mut diagnostics) {
        Some(root) if diagnostics.is_empty() => {
            let notes = diagnostics.notes().cloned().collect();
            Ok(Loaded { root, source_text, file, format, notes, lists: Lists::new() })
        }
        _ => Err(LoadError::Invalid { file, source_text, diagnostics }),
    }
}

/// The text of a file.
///
/// # Errors
/// If it cannot be read, is not UTF-8, or is larger than any configuration.
pub fn read_text(path: &Path) -> Result<String, LoadError> {
    let failed = |source| LoadError::Read { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut text = String::new();
    let read = file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
    if u64::try_from(read).is_ok_and(|read| read > MAX_BYTES) {
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 16 MiB")));
    }
    Ok(text)
}

/// The environment of the process; what is not Unicode is left out.
#[must_use]
pub fn read_environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Reads the settings files of a folder: `.dray/secrets.toml`, `.dlt/secrets.toml`, and the
/// `config.toml` beside each. A missing file is no error; that it is missing is kept for messages.
///
/// # Errors
/// If a file is there but cannot be read or is not TOML.
pub fn read_secret_files(folder: &Path) -> Result<Vec<SettingsFile>, LoadError> {
    let mut files = Vec::new();
    for (name, holds_secrets) in [
        (".dray/secrets.toml", true),
        (".dlt/secrets.toml", true),
        (".dray/config.toml", false),
        (".dlt/config.toml", false),
    ] {
        let path = folder.join(name);
        let text = match read_text(&path) {
            Ok(text) => text,
            Err(LoadError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                files.push(SettingsFile { name: name.to_owned(), holds_secrets, content: None });
                continue;
            }
            Err(error) => return Err(error),
        };
        if holds_secrets && is_readable_by_others(&path) {
            tracing::warn!("other users of this machine can read the secrets in {name}: chmod 600 {name}");
        }
        let content = match read_text_as(path.display().to_string(), text, Format::Toml)?.root.value {
            Value::Map(map) => Some(map),
            _ => None,
        };
        files.push(SettingsFile { name: name.to_owned(), holds_secrets, content });
    }
    Ok(files)
}

#[cfg(unix)]
fn is_readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o044 != 0)
}

#[cfg(not(unix))]
fn is_readable_by_others(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::node::Place;

    #[test]
    fn a_file_is_read_by_its_extension() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.yaml");
        std::fs::write(&path, "client: {base_url: x}\n").unwrap();
        let loaded = read_file(&path).unwrap();
        assert_eq!(loaded.format, Format::Yaml);
        assert_eq!(loaded.root.place, Place::new(1, 1));

        std::fs::write(&path, "a: [\n").unwrap();
        let Err(LoadError::Invalid { diagnostics, .. }) = read_file(&path) else { panic!() };
        assert_eq!(diagnostics.len(), 1);
        let missing = read_file(&folder.path().join("none.toml")).unwrap_err();
        assert!(matches!(missing, LoadError::Read { .. }));
        let unknown = read_file(&folder.path().join("a.xml")).unwrap_err();
        assert!(
            unknown.to_string().ends_with("is unknown, expected .yaml, .yml, .json, .toml, .py, .md, .txt")
        );
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(matches!(read_file(&path), Err(LoadError::Read { .. })));
    }

    #[test]
    fn lists_are_read_from_beside_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.yaml");
        let resource = "resources: [{name: a, for_each: {x: {file: x.txt}, y: {file: none.csv}, z: [1]}}]";
        std::fs::write(&path, resource).unwrap();
        std::fs::write(folder.path().join("x.txt"), "b\nc\n").unwrap();
        let lists = read_file(&path).unwrap().lists;
        assert_eq!(lists.keys().collect::<Vec<_>>(), ["none.csv", "x.txt"]);
        assert_eq!(lists["x.txt"].as_ref().unwrap().len(), 2);
        assert!(lists["none.csv"].as_ref().unwrap_err().contains("No such file"));
    }

    #[test]
    fn secret_files_may_be_missing_but_not_broken() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".dlt")).unwrap();
        std::fs::write(folder.path().join(".dlt/secrets.toml"), "api_key = 'sk_1'").unwrap();
        let files = read_secret_files(folder.path()).unwrap();
        let found: Vec<(&str, bool)> =
            files.iter().map(|file| (file.name.as_str(), file.content.is_some())).collect();
        assert_eq!(
            found,
            [
                (".dray/secrets.toml", false),
                (".dlt/secrets.toml", true),
                (".dray/config.toml", false),
                (".dlt/config.toml", false),
            ]
        );
        std::fs::write(folder.path().join(".dlt/secrets.toml"), "api_key = sk_1").unwrap();
        let error = read_secret_files(folder.path()).unwrap_err();
        let LoadError::Invalid { file, source_text, diagnostics } = error else { panic!() };
        let shown = diagnostics.render(&file, &source_text);
        assert!(!shown.contains("sk_1"), "{shown}");
        assert!(!format!("{:?}", read_secret_files(folder.path())).contains("sk_1"));
    }
}
