//! Files of the cookbook, run as they stand there against scripted APIs.

mod auth;
mod lists;
mod records;
mod time;

use dray_sim::{Api, Options, Request, Response, Sim};
use serde_json::{Value, json};

use crate::documents::document;
use crate::support::{Bench, Ran};

/// The recipe's file, beside the API that it is run against.
struct Dish {
    bench: Bench,
}

/// The YAML below a heading of the cookbook.
fn recipe(name: &str) -> String {
    let document = document("docs/cookbook.md");
    let heading = format!("\n### {name}\n");
    let (_, rest) = document.split_once(&heading).unwrap_or_else(|| panic!("no recipe `{name}`"));
    let section = rest.split("\n### ").next().unwrap();
    let (_, yaml) = section.split_once("```yaml\n").unwrap();
    yaml.split_once("```").unwrap().0.to_owned()
}

impl Dish {
    fn new(name: &str, answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        let bench =
            Bench::new(Sim::start(Options { api: Api::custom(answer), ..Options::default() }).unwrap());
        bench.write("recipe.yaml", &recipe(name));
        Self { bench }
    }

    /// The same with secrets that the file looks up.
    fn with_secrets(mut self, secrets: &[(&str, &str)]) -> Self {
        self.bench.secrets.extend(secrets.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        self
    }

    #[track_caller]
    fn cooked(&self) -> Ran {
        self.cooked_with(&[])
    }

    #[track_caller]
    fn cooked_with(&self, more: &[&str]) -> Ran {
        let ran = self.bench.run("recipe.yaml", more);
        ran.succeeded();
        ran
    }

    /// The rows of a query, their values with `|` between them. `{}` is the dataset.
    fn rows(&self, sql: &str) -> Vec<String> {
        let rows = self.bench.query(&sql.replace("{}", "test_dataset"));
        rows.into_iter().map(|row| row.join("|")).collect()
    }

    /// The paths and queries that were asked for, in order.
    fn asked(&self) -> Vec<String> {
        let query = |request: &Request| {
            request.query.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
        };
        self.bench.sim.requests().iter().map(|one| format!("{}?{}", one.path, query(one))).collect()
    }
}

/// A page with these records under `data`.
fn data(records: &Value) -> Response {
    Response::json(&json!({"data": records}))
}

fn number(request: &Request, name: &str) -> Option<usize> {
    request.param(name).map(|text| text.parse().unwrap())
}

/// Records `{"id": n}` for a range of numbers.
fn ids(range: impl Iterator<Item = usize>) -> Vec<Value> {
    range.map(|id| json!({"id": id})).collect()
}

fn texts(numbers: impl Iterator<Item = usize>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}

#[test]
fn every_recipe_is_in_the_list_of_contents() {
    let document = document("docs/cookbook.md");
    let (contents, recipes) = document.split_once("\n## ").unwrap();
    let headings: Vec<_> = recipes.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    assert!(headings.len() > 40, "{}", headings.len());
    for heading in &headings {
        let words: String =
            heading.chars().filter(|letter| letter.is_alphanumeric() || *letter == ' ').collect();
        let anchor = format!("(#{})", words.to_lowercase().replace(' ', "-"));
        assert_eq!(contents.matches(&anchor).count(), 1, "{anchor}");
        recipe(heading);
    }
    assert_eq!(contents.matches("](#").count(), headings.len());
}
