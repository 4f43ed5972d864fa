//! Rust source as far as the tidy tests need it: code without comments and test modules, and the paths it names.

use std::fs;
use std::path::Path;

/// A text file of the repository.
pub(crate) struct File {
    /// Relative to the root of the repository, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
    /// A module that its parent declares under `#[cfg(test)]`.
    pub(crate) test_module: bool,
}

impl File {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), test_module: false }
    }
}

/// All text files of the repository that people write, in a stable order.
pub(crate) fn repository() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    walk(&root, "", &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let test_modules: Vec<String> = files.iter().flat_map(test_modules).collect();
    for file in &mut files {
        file.test_module = test_modules.iter().any(|module| belongs_to(&file.path, module));
    }
    files
}

/// Whether `path` is the file of the module at `module`, or in its folder.
pub(crate) fn belongs_to(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// The modules that `file` declares for tests: their paths without `.rs`.
fn test_modules(file: &File) -> Vec<String> {
    let stem = file.path.trim_end_matches(".rs");
    let folder = match stem.rsplit_once('/') {
        Some((folder, "lib" | "main" | "mod")) => folder,
        _ => stem,
    };
    let attributes = file.text.lines();
    let declarations = file.text.lines().skip(1);
    attributes
        .zip(declarations)
        .filter(|(attribute, _)| *attribute == "#[cfg(test)]")
        .filter_map(|(_, line)| line.strip_prefix("mod ")?.strip_suffix(';'))
        .map(|name| format!("{folder}/{name}"))
        .collect()
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<File>) {
    const SKIPPED: [&str; 6] = [".git", "demo", "node_modules", ".venv", "__pycache__", "Cargo.lock"];
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_str().unwrap().to_owned();
        if SKIPPED.contains(&name.as_str()) || (prefix.is_empty() && name.starts_with("target")) {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), &format!("{path}/"), files);
        } else if let Ok(text) = String::from_utf8(fs::read(entry.path()).unwrap()) {
            files.push(File { path, text, test_module: false });
        }
    }
}

/// The text without items under `#[cfg(test)]`; it relies on rustfmt, which ends an item with `}` in the first column.
pub(crate) fn production(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line != "#[cfg(test)]" {
            kept.push_str(line);
            kept.push('\n');
            continue;
        }
        let mut head = true;
        for skipped in lines.by_ref() {
            if skipped.starts_with("#[") {
                continue;
            }
            let one_line = head && (skipped.ends_with(';') || skipped.ends_with('}'));
            if one_line || skipped.starts_with('}') {
                break;
            }
            head = false;
        }
    }
    kept
}

/// The text without comments and without what stands in literals; lines stay where they are.
pub(crate) fn code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let mut out = String::new();
    let mut index = 0;
    while index < chars.len() {
        let end = match (at(index), at(index + 1)) {
            ('/', '/') => line_end(&chars, index),
            ('/', '*') => block_end(&chars, index),
            ('"', _) => text_end(&chars, index),
            ('r', '"' | '#') if !ident_before(&chars, index) => raw_end(&chars, index),
            ('\'', '\\') => text_end(&chars, index),
            ('\'', _) if at(index + 2) == '\'' => index + 3,
            _ => index,
        };
        if end == index {
            out.push(at(index));
            index += 1;
        } else {
            out.push(' ');
            out.extend(chars.iter().take(end).skip(index).filter(|c| **c == '\n'));
            index = end;
        }
    }
    out
}

fn ident_before(chars: &[char], index: usize) -> bool {
    let before = index.checked_sub(1).and_then(|at| chars.get(at)).copied().unwrap_or(' ');
    before != 'b' && before != 'c' && (before.is_alphanumeric() || before == '_')
}

fn line_end(chars: &[char], start: usize) -> usize {
    chars.iter().skip(start).position(|c| *c == '\n').map_or(chars.len(), |length| start + length)
}

fn block_end(chars: &[char], start: usize) -> usize {
    let mut depth = 0;
    let mut index = start;
    while let (Some(a), Some(b)) = (chars.get(index), chars.get(index + 1)) {
        match (a, b) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                index += 1;
                continue;
            }
        }
        index += 2;
        if depth == 0 {
            return index;
        }
    }
    chars.len()
}

/// End of a string or character literal with escapes.
fn text_end(chars: &[char], start: usize) -> usize {
    let quote = chars[start];
    let mut index = start + 1;
    while let Some(c) = chars.get(index) {
        match c {
            '\\' => index += 2,
            c if *c == quote => return index + 1,
            _ => index += 1,
        }
    }
    chars.len()
}

/// End of `r"…"` or `r#"…"#`; `start` itself where it is a raw identifier.
fn raw_end(chars: &[char], start: usize) -> usize {
    let hashes = chars.iter().skip(start + 1).take_while(|c| **c == '#').count();
    let open = start + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return start;
    }
    let mut index = open + 1;
    while let Some(c) = chars.get(index) {
        if *c == '"' && chars.iter().skip(index + 1).take_while(|c| **c == '#').count() >= hashes {
            return index + 1 + hashes;
        }
        index += 1;
    }
    chars.len()
}

/// A path that code names (`std::fs::read`), or a word of it that stands alone, and its line counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) line: usize,
    pub(crate) path: String,
    /// A `!` follows: a macro's name.
    pub(crate) bang: bool,
}

/// Every path in `code`, with the trees of `use` written out, and `self` and `super` resolved from `module`.
pub(crate) fn paths(code: &str, module: &[&str]) -> Vec<Named> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut index = 0;
    while index < tokens.len() {
        index = if is_name(&tokens, index) { path(&tokens, index, "", &mut found) } else { index + 1 };
    }
    for named in &mut found {
        named.path = absolute(&named.path, module);
    }
    found
}

/// `crates/dray/src/plan/template.rs` is the module `crate::plan::template`.
pub(crate) fn module(path_in_src: &str) -> Vec<&str> {
    let stem = path_in_src.trim_end_matches(".rs");
    let inner = stem.split('/').filter(|part| !["lib", "main", "mod"].contains(part));
    std::iter::once("crate").chain(inner).collect()
}

fn absolute(path: &str, module: &[&str]) -> String {
    let mut base = module.to_vec();
    let mut rest = path;
    let mut relative = false;
    loop {
        if let Some(tail) = rest.strip_prefix("super::") {
            base.pop();
            rest = tail;
        } else if let Some(tail) = rest.strip_prefix("self::") {
            rest = tail;
        } else {
            break;
        }
        relative = true;
    }
    if relative { format!("{}::{rest}", base.join("::")) } else { path.to_owned() }
}

fn tokens(code: &str) -> Vec<(usize, String)> {
    let mut tokens: Vec<(usize, String)> = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let length = match word {
                0 if rest.starts_with("::") => 2,
                0 => first.len_utf8(),
                word => word,
            };
            let (token, tail) = rest.split_at(length);
            if !first.is_whitespace() {
                tokens.push((number + 1, token.to_owned()));
            }
            rest = tail;
        }
    }
    tokens
}

fn is(tokens: &[(usize, String)], index: usize, text: &str) -> bool {
    tokens.get(index).is_some_and(|(_, token)| token == text)
}

fn is_name(tokens: &[(usize, String)], index: usize) -> bool {
    let first = tokens.get(index).and_then(|(_, token)| token.chars().next());
    first.is_some_and(|c| c.is_alphabetic() || c == '_')
}

/// Adds the path, or the tree of paths, that starts at `start`; gives the index after it.
fn path(tokens: &[(usize, String)], start: usize, prefix: &str, found: &mut Vec<Named>) -> usize {
    let (line, word) = &tokens[start];
    let path_so_far = if prefix.is_empty() { word.clone() } else { format!("{prefix}::{word}") };
    let after = start + 2;
    if is(tokens, start + 1, "::") && (is_name(tokens, after) || is(tokens, after, "*")) {
        return path(tokens, after, &path_so_far, found);
    }
    if is(tokens, start + 1, "::") && is(tokens, after, "{") {
        let mut index = after + 1;
        while index < tokens.len() && !is(tokens, index, "}") {
            let entry = is_name(tokens, index) || is(tokens, index, "*");
            index = if entry { path(tokens, index, &path_so_far, found) } else { index + 1 };
        }
        return index + 1;
    }
    found.push(Named { line: *line, path: path_so_far, bang: is(tokens, start + 1, "!") });
    start + 1
}

#[test]
fn comments_literals_and_test_modules_are_not_code() {
    let text = "use a::b; // reqwest\n/* reqwest /* tokio */ */ fn f<'a>() { g('\"', \"reqwest\\\"\", r#\"tokio\"#) }\n\
                #[cfg(test)]\nmod fixtures;\n#[cfg(test)]\n#[expect(x)]\nmod tests {\n    use reqwest;\n}\nuse c;\n";
    let words: Vec<String> =
        paths(&code(&production(text)), &["crate"]).into_iter().map(|n| n.path).collect();
    assert_eq!(words, ["use", "a::b", "fn", "f", "a", "g", "use", "c"]);
}

#[test]
fn modules_for_tests_are_known_by_their_declaration() {
    let text = "mod a;\n#[cfg(test)]\nmod b;\n#[cfg(test)]\nmod c {\n}\n";
    assert_eq!(test_modules(&File::new("crates/x/src/plan/mod.rs", text)), ["crates/x/src/plan/b"]);
    assert_eq!(test_modules(&File::new("crates/x/src/plan.rs", text)), ["crates/x/src/plan/b"]);
    assert!(belongs_to("crates/x/src/plan/b/mod.rs", "crates/x/src/plan/b"));
    assert!(!belongs_to("crates/x/src/plan/bind.rs", "crates/x/src/plan/b"));
}

#[test]
fn trees_of_use_and_relative_paths_are_written_out() {
    let code = "use std::{io, fs::{self, File}};\nuse super::*;\nself::x::y!();";
    let found = paths(code, &module("plan/template.rs"));
    let words: Vec<&str> = found.iter().map(|named| named.path.as_str()).collect();
    assert_eq!(
        words,
        [
            "use",
            "std::io",
            "std::fs::self",
            "std::fs::File",
            "use",
            "crate::plan::*",
            "crate::plan::template::x::y"
        ]
    );
    assert_eq!(found.iter().map(|named| named.line).collect::<Vec<_>>(), [1, 1, 1, 1, 2, 2, 3]);
    assert!(found.iter().any(|named| named.bang));
}
