//! The conventions of ARCHITECTURE.md, held by tests: who may import what, how long a file is, what may not be left.

use crate::source::{File, belongs_to, code, module, paths, production, repository};

/// Longest file, without its test modules.
const LONGEST: usize = 600;

/// What a part of the library may not name.
struct Rule {
    /// Paths (and what lies below them) or keywords.
    what: &'static [&'static str],
    /// Modules and files of `crates/dray/src`; empty: all of them.
    inside: &'static [&'static str],
    /// Where it may be named all the same.
    except: &'static [&'static str],
    why: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        what: &[
            "reqwest",
            "hyper",
            "tokio",
            "adbc_core",
            "adbc_driver_manager",
            "std::net",
            "async",
            "await",
        ],
        inside: &["config", "plan", "schema", "normalize", "json", "transform"],
        except: &[],
        why: "this stage is a function of its input: no HTTP, no database, nothing async",
    },
    Rule {
        what: &["std::fs", "std::process", "fs_err"],
        inside: &["config", "plan", "schema", "normalize", "json", "transform", "extract"],
        except: &["config/load.rs", "extract/certificates.rs", "extract/auth/kept.rs"],
        why: "files are read in config/load.rs, certificates in extract/certificates.rs; extract/auth/kept.rs keeps a \
              refresh token",
    },
    Rule {
        what: &["reqwest", "hyper"],
        inside: &[],
        except: &["extract/client.rs"],
        why: "extract/client.rs is the only file that knows the HTTP library",
    },
    Rule {
        what: &["adbc_core", "adbc_driver_manager"],
        inside: &[],
        except: &["destination"],
        why: "only a destination knows how its database is spoken to",
    },
    Rule {
        what: &["http", "async", "await"],
        inside: &["load", "destination", "state"],
        except: &[],
        why: "after extract nobody sees HTTP, and loading runs on its own thread",
    },
    Rule {
        what: &["crate::config"],
        inside: &[],
        except: &["config", "plan", "pipeline", "lib.rs"],
        why: "after plan nobody sees the configuration as written",
    },
    Rule {
        what: &["crate::extract", "crate::normalize", "crate::load", "crate::destination", "crate::state"],
        inside: &["config", "plan", "schema", "json", "transform"],
        except: &[],
        why: "data moves in one direction, and this comes before the first request",
    },
    Rule {
        what: &["crate::normalize", "crate::load", "crate::destination"],
        inside: &["extract"],
        except: &[],
        why: "extract hands pages on and does not know to whom",
    },
    Rule {
        what: &["crate::extract", "crate::normalize", "crate::load"],
        inside: &["destination"],
        except: &[],
        why: "a destination takes batches and does not know where they come from",
    },
    Rule {
        what: &["jaq_core", "jaq_json", "jaq_std"],
        inside: &[],
        except: &["transform"],
        why: "only transform/ knows the interpreter of programs",
    },
    Rule {
        what: &["crate::plan"],
        inside: &["transform"],
        except: &[],
        why: "a step knows the record and nothing of the resource",
    },
    Rule {
        what: &["crate::pipeline"],
        inside: &[],
        except: &["pipeline", "lib.rs"],
        why: "the pipeline sees the stages, never the other way round",
    },
];

/// Texts that belong to one machine, not to the project. Split, so that this file passes.
const PLACES: [&str; 2] = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];

/// Marks of unfinished work; what is missing is said in words, in the changelog or an issue.
const MARKS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Words that praise instead of describing.
const PRAISE: [&str; 4] =
    [concat!("blaz", "ing"), concat!("seam", "less"), concat!("power", "ful"), concat!("effort", "lessly")];

/// All problems of a file, each with its place.
fn problems(file: &File) -> Vec<String> {
    let mut found = Vec::new();
    words(file, &mut found);
    merges(file, &mut found);
    if file.path.ends_with(".rs") {
        leftovers(file, &mut found);
        names(file, &mut found);
        if file.path.contains("/src/") && !file.test_module {
            layout(file, &mut found);
            imports(file, &mut found);
        }
    }
    found
}

/// What a merge leaves where two changed one place.
fn merges(file: &File, found: &mut Vec<String>) {
    for (number, line) in file.text.lines().enumerate() {
        if ["<<<<<<<", ">>>>>>>"].iter().any(|mark| line.starts_with(mark)) {
            found.push(format!("{}:{}: a merge is unfinished", file.path, number + 1));
        }
    }
}

fn words(file: &File, found: &mut Vec<String>) {
    for (number, line) in file.text.lines().enumerate() {
        let lower = line.to_lowercase();
        let has =
            |line: &str, word: &str| line.split(|c: char| !c.is_alphanumeric()).any(|part| part == word);
        let places = PLACES.iter().filter(|text| line.contains(**text));
        let marks = MARKS.iter().filter(|word| has(line, word));
        let praise = PRAISE.iter().filter(|word| has(&lower, word));
        for text in places.chain(marks).chain(praise) {
            found.push(format!("{}:{}: `{text}` does not belong here", file.path, number + 1));
        }
    }
}

fn names(file: &File, found: &mut Vec<String>) {
    let path = &file.path;
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    if folders.split('/').any(|folder| ["utils", "helpers", "common", "types"].contains(&folder)) {
        found.push(format!(
            "{path}: a folder is named after what it is about, never `utils`, `helpers`, `common`, `types`"
        ));
    }
    if ["utils.rs", "util.rs", "helpers.rs", "common.rs"].contains(&name) {
        found.push(format!("{path}: a file is named after what it is about"));
    }
}

fn layout(file: &File, found: &mut Vec<String>) {
    let path = &file.path;
    if !file.text.starts_with("//!") {
        found.push(format!("{path}:1: a file begins with `//!` and says what it is for"));
    }
    let length = production(&file.text).lines().count();
    if length > LONGEST {
        found.push(format!("{path}: {length} lines without tests, at most {LONGEST}"));
    }
}

fn leftovers(file: &File, found: &mut Vec<String>) {
    let path = &file.path;
    let code = code(&file.text);
    for named in paths(&code, &["crate"]) {
        if named.bang && ["todo", "unimplemented", "dbg"].contains(&named.path.as_str()) {
            found.push(format!("{path}:{}: `{}!` is left over", named.line, named.path));
        }
    }
    for (number, line) in code.lines().enumerate() {
        if line.contains("#[ignore") {
            found.push(format!("{path}:{}: an ignored test proves nothing: mend or remove it", number + 1));
        }
        let line = line.trim();
        if line.starts_with("pub use") && line.ends_with("*;") {
            found.push(format!("{path}:{}: `pub use` names what it exports", number + 1));
        }
    }
}

fn imports(file: &File, found: &mut Vec<String>) {
    let Some(path) = file.path.strip_prefix("crates/dray/src/") else { return };
    let named = paths(&code(&production(&file.text)), &module(path));
    for rule in RULES {
        let inside = rule.inside.is_empty() || rule.inside.iter().any(|part| within(path, part));
        if !inside || rule.except.iter().any(|part| within(path, part)) {
            continue;
        }
        for named in &named {
            let hit = |what: &&&str| {
                named.path.strip_prefix(**what).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            };
            if let Some(what) = rule.what.iter().find(hit) {
                found.push(format!(
                    "{}:{}: `{what}` may not be named here: {}",
                    file.path, named.line, rule.why
                ));
            }
        }
    }
}

/// Whether `path` is the file `part`, or belongs to the module `part`.
fn within(path: &str, part: &str) -> bool {
    path == part || belongs_to(path, part)
}

#[test]
fn the_repository_is_tidy() {
    let files = repository();
    for expected in ["crates/dray/src/lib.rs", "crates/dray/src/normalize/table.rs", "README.md", ".ci/run"] {
        assert!(files.iter().any(|file| file.path == expected), "{expected} was not scanned");
    }
    let found: Vec<String> = files.iter().flat_map(problems).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn links_between_documents_lead_somewhere() {
    let files = repository();
    let mut seen = 0;
    for file in files.iter().filter(|file| file.path.ends_with(".md")) {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for target in file.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = target.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            seen += 1;
            let path =
                std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder).join(target);
            assert!(path.exists(), "{}: `{target}` is not there", file.path);
        }
    }
    assert!(seen > 5, "only {seen} links were found");
}

/// One sample for each rule: a scan that finds nothing anywhere must not pass.
#[test]
fn each_rule_finds_what_it_forbids() {
    let samples = [
        ("crates/dray/src/plan/x.rs", "//! x\nuse tokio::time;\n", "`tokio`"),
        ("crates/dray/src/schema.rs", "//! x\nfn f() { async {} }\n", "`async`"),
        ("crates/dray/src/normalize/x.rs", "//! x\nuse std::{fmt, fs::File};\n", "`std::fs`"),
        ("crates/dray/src/config/read/x.rs", "//! x\nfn f() { std::fs::read(\"x\") }\n", "`std::fs`"),
        ("crates/dray/src/extract/retry.rs", "//! x\nuse reqwest::Error;\n", "`reqwest`"),
        ("crates/dray/src/load/x.rs", "//! x\nuse adbc_core::Statement;\n", "`adbc_core`"),
        ("crates/dray/src/destination/duckdb/x.rs", "//! x\nuse http::Uri;\n", "`http`"),
        ("crates/dray/src/extract/x.rs", "//! x\nuse crate::config::model::Config;\n", "`crate::config`"),
        ("crates/dray/src/normalize/x.rs", "//! x\nuse super::super::config;\n", "`crate::config`"),
        ("crates/dray/src/plan/x.rs", "//! x\nuse crate::{error, extract::Page};\n", "`crate::extract`"),
        (
            "crates/dray/src/extract/x.rs",
            "//! x\nuse crate::destination::Destination;\n",
            "`crate::destination`",
        ),
        ("crates/dray/src/destination/x.rs", "//! x\nuse crate::normalize::Rows;\n", "`crate::normalize`"),
        ("crates/dray/src/transform/x.rs", "//! x\nuse crate::plan::Plan;\n", "`crate::plan`"),
        ("crates/dray/src/plan/x.rs", "//! x\nuse jaq_core::Ctx;\n", "`jaq_core`"),
        ("crates/dray/src/report.rs", "//! x\nuse crate::pipeline::Run;\n", "`crate::pipeline`"),
        ("crates/dray-cli/src/x.rs", "fn f() {}\n", "begins with"),
        ("crates/dray-cli/src/utils/x.rs", "//! x\n", "a folder is named"),
        ("crates/dray/src/common.rs", "//! x\n", "a file is named"),
        ("crates/dray/src/x.rs", "//! x\nfn f() { todo!() }\n", "`todo!`"),
        ("crates/dray/tests/it/x.rs", "//! x\n#[test]\n#[ignore = \"slow\"]\nfn f() {}\n", "an ignored test"),
        ("crates/dray/src/x.rs", "//! x\npub use a::*;\n", "names what it exports"),
        ("docs/x.md", concat!("a\n<<<<", "<<< HEAD\n"), "a merge is unfinished"),
        ("docs/x.md", concat!("see /wo", "rk/x\n"), "does not belong"),
        ("Makefile", concat!("# TO", "DO: later\n"), "does not belong"),
        ("README.md", concat!("A Power", "ful tool.\n"), "does not belong"),
    ];
    for (path, text, expected) in samples {
        let found = problems(&File::new(path, text));
        assert_eq!(found.len(), 1, "{path}: {text}\n{found:?}");
        assert!(found.iter().all(|problem| problem.contains(expected)), "{found:?} lacks {expected}");
    }

    let long = format!("//! x\n{}", "fn f() {}\n".repeat(LONGEST));
    assert_eq!(
        problems(&File::new("crates/dray/src/x.rs", &long)),
        ["crates/dray/src/x.rs: 601 lines without tests, at most 600"]
    );
}

#[test]
fn what_is_allowed_passes() {
    let samples = [
        ("crates/dray/src/config/load.rs", "//! x\nuse std::fs;\n"),
        ("crates/dray/src/extract/client.rs", "//! x\nuse reqwest::Client;\nasync fn f() {}\n"),
        (
            "crates/dray/src/destination/duckdb/x.rs",
            "//! x\nuse adbc_core::Statement;\nuse crate::schema::Table;\n",
        ),
        ("crates/dray/src/pipeline.rs", "//! x\nuse crate::{config, extract, load};\n"),
        (
            "crates/dray/src/plan/x.rs",
            "//! reqwest\n// tokio\nconst A: &str = \"async\";\n#[cfg(test)]\nmod tests {\n    use tokio;\n}\n",
        ),
        (
            "crates/dray/src/x.rs",
            &format!("//! x\n#[cfg(test)]\nmod tests {{\n{}}}\n", "    fn f() {}\n".repeat(LONGEST)),
        ),
    ];
    for (path, text) in samples {
        assert_eq!(problems(&File::new(path, text)), [""; 0]);
    }
}
