//! `dray convert`: what people have becomes YAML that does the same.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dray::config::load::{Loaded, read_file, read_file_partly, read_text_as, read_text_partly};
use dray::config::parse::Format;
use dray::config::secrets::Sources;
use dray::plan::{Plan, convert, prepare};
use dray_sim::{Api, Options, Sim};

use crate::corpus::python;
use crate::support::{Bench, shared};

/// The plan of a file with these variables set, if it is accepted.
fn planned(loaded: Loaded, environment: &BTreeMap<String, String>) -> Option<(Option<String>, Plan)> {
    let mut sources = Sources::new("2026-01-01T00:00:00Z".parse().unwrap());
    sources.environment.clone_from(environment);
    sources.placeholders = true;
    let prepared = prepare(loaded, &[], &sources);
    Some((prepared.name, prepared.plan?))
}

/// Converts a text that is accepted, and compares what the two do. The answer is false where it is not accepted.
fn same(name: &str, text: &str, format: Format, environment: &BTreeMap<String, String>) -> bool {
    let Ok(loaded) = read_text_as(name.to_owned(), text.to_owned(), format) else { return false };
    let Some((source, mut plan)) = planned(loaded, environment) else { return false };
    let (loaded, problems) = read_text_partly(name.to_owned(), text.to_owned(), format).unwrap();
    let converted = convert(loaded, &problems);
    assert!(converted.left_out.is_empty(), "{name}: {}\n{}", converted.left_out, converted.yaml);
    let yaml = read_text_as("converted.yaml".to_owned(), converted.yaml.clone(), Format::Yaml);
    let yaml = yaml.unwrap_or_else(|error| panic!("{name}: {error:?}\n{}", converted.yaml));
    let Some((source_again, mut again)) = planned(yaml, environment) else {
        panic!("{name}: what was written is not accepted\n{}", converted.yaml)
    };
    assert_eq!(source, source_again, "{name}");
    let digests = |plan: &Plan| -> Vec<(String, String)> {
        plan.resources.iter().map(|one| (one.name.clone(), one.fingerprint.clone())).collect()
    };
    if converted.moved.is_empty() {
        assert_eq!(digests(&plan), digests(&again), "{name}\n{}", converted.yaml);
        plan.notes.clear();
        again.notes.clear();
        assert_eq!(format!("{plan:#?}"), format!("{again:#?}"), "{name}\n{}", converted.yaml);
    } else {
        // A secret that is looked up is sent as one that stood in the file; only its spelling differs.
        let names = |plan: &Plan| plan.resources.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&plan), names(&again), "{name}");
    }
    true
}

fn files(folder: &str) -> Vec<PathBuf> {
    let Some(folder) = shared(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.is_file());
    files.sort();
    files
}

#[test]
#[expect(clippy::print_stdout, reason = "the count is what this test is for")]
fn what_people_have_does_the_same_as_yaml() {
    let (mut all, mut accepted) = (0, 0);
    for file in files("corpus") {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let tree = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let (text, writer) = python(&tree);
        let mut environment = BTreeMap::new();
        for known in &writer.looked_up {
            let value = if known.to_lowercase().contains("url") { "https://api.example.com/" } else { "7" };
            environment.insert(known.clone(), value.to_owned());
            environment.insert(known.to_uppercase().replace('.', "__"), value.to_owned());
        }
        all += 1;
        accepted += u32::from(same(&name, &text, Format::Python, &environment));
    }
    for file in files("dialect").into_iter().chain(files("seeds")) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let Some(format) = Format::of_file(&name) else { continue };
        all += 1;
        accepted +=
            u32::from(same(&name, &std::fs::read_to_string(&file).unwrap(), format, &BTreeMap::new()));
    }
    println!("{accepted} of {all} files are accepted and do the same as YAML");
    assert!(all == 0 || accepted > 150, "{accepted} of {all}");
}

/// What is refused is written all the same, as far as it can be read, and what was written is read again.
#[test]
fn what_is_refused_is_marked() {
    for file in files("corpus") {
        let tree = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let (text, _) = python(&tree);
        let Ok((loaded, problems)) = read_text_partly("x.py".to_owned(), text, Format::Python) else {
            continue;
        };
        let converted = convert(loaded, &problems);
        assert_eq!(
            converted.yaml.contains("# NOT CONVERTED: "),
            !converted.left_out.is_empty(),
            "{}",
            converted.yaml
        );
        let again = read_text_as("x.yaml".to_owned(), converted.yaml.clone(), Format::Yaml);
        assert!(again.is_ok(), "{}: {again:?}\n{}", file.display(), converted.yaml);
    }
}

#[test]
fn a_converted_file_loads() {
    let bench = Bench::new(Sim::start(Options { api: Api::Stripe, size: 30, ..Options::default() }).unwrap());
    bench.write(
        "shop.py",
        "rest_api_source({'client': {'base_url': 'https://api.stripe.com/v1/', 'auth': {'token': dlt.secrets['api_key']}},\n\
         'resources': [{'name': 'charges', 'primary_key': 'id', 'write_disposition': 'merge', 'processing_steps': [{'map': clean}],\n\
         'endpoint': {'path': 'charges', 'data_selector': 'data', 'paginator': {'type': 'cursor', 'limit': 10,\n\
         'cursor_param': 'starting_after', 'cursor_field': 'id', 'has_more_path': 'has_more'}}}]})\n",
    );
    let output = bench.dray(&["convert", "shop.py", "-o", "shop.yaml"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("shop.py:2:"), "{said}");
    assert!(
        said.ends_with("1 part is not converted: look for NOT CONVERTED in what was written\n"),
        "{said}"
    );
    bench.run("shop.yaml", &[]).succeeded();
    assert_eq!(
        bench.column("SELECT id FROM test_dataset.charges ORDER BY id"),
        bench.expected("charges", "id")
    );

    // Nothing is overwritten.
    let output = bench.dray(&["convert", "shop.py", "-o", "shop.yaml"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("nothing is overwritten"), "{said}");
    // What is right goes through as data, and the exit code says so.
    let output = bench.dray(&["convert", "stripe"]);
    assert_eq!(output.status.code(), Some(0));
    bench.write("stripe.yaml", &String::from_utf8(output.stdout).unwrap());
    assert!(read_file(&bench.path("stripe.yaml")).is_ok());
    // A file of which nothing can be read is not written.
    bench.write("broken.py", "def f(:\n");
    let output = bench.dray(&["convert", "broken.py", "-o", "broken.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!bench.path("broken.yaml").exists());
    assert!(read_file_partly(&bench.path("broken.py")).is_err());
}
