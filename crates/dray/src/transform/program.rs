//! Programs in jq: compiled once, run for each record.
//!
//! They see the record, `$run` and the clock of the run, and nothing else of the world: what reads the environment, further
//! input or local time, and what writes or halts, is not there.

use std::fmt;
use std::sync::Arc;

use jaq_core::compile::Undefined;
use jaq_core::data::{DataT, HasLut};
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::native::{Fun, bome, run, v};
use jaq_core::{Compiler, Ctx, Exn, Lut, Vars};
use jaq_json::Val;

use super::bound::{Fuel, STEPS, STEPS_A_BYTE, Stopped, catch, on_deep_stack};
use super::value::as_text;
use crate::error::{Error, ErrorKind};

/// Bytes of a program's text: each may be a level of nesting.
const LONGEST: usize = 16 << 10;

/// Native filters that reach out of the program.
const OUTSIDE: [&str; 7] =
    ["env", "halt", "now", "debug_empty", "stderr_empty", "localtime", "strflocaltime"];

/// Definitions made of them.
const MADE_OF_THEM: [&str; 4] = ["debug", "stderr", "halt", "halt_error"];

/// Words of jq that are refused by name, not as unknown.
const REFUSED: [&str; 14] = [
    "env",
    "$ENV",
    "input",
    "inputs",
    "input_line_number",
    "input_filename",
    "debug",
    "stderr",
    "halt",
    "halt_error",
    "localtime",
    "strflocaltime",
    "get_search_list",
    "$__prog_args",
];

/// What programs may use beside jq's own: what code in Python means where jq means another thing.
const OWN: &str = r#"
def number: if type == "number" then . else error("a number is expected") end;
def text: if type == "string" then . else error("a text is expected") end;
def truthy: . != null and . != false and . != 0 and . != "" and . != [] and . != {};
def among(list): . as $x | any(list[]; . == $x);
def holds($x): if type == "string" then ($x | text) as $x | contains($x) elif type == "object" then has($x)
               elif type == "array" then any(.[]; . == $x) else error("a list is expected") end;
def whole: if . < 0 then ceil else floor end;
"#;

/// What programs may know of the run.
#[derive(Clone, Debug)]
pub struct Facts {
    /// When it began.
    pub now: jiff::Timestamp,
}

/// A program. Its text is shown, and is what tells it from others.
#[derive(Clone)]
pub struct Program {
    text: Arc<str>,
    filter: Arc<jaq_core::Filter<Jq>>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

/// What is wrong with a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In words, with the place in the program.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// Why a program gave nothing for a record.
#[derive(Debug)]
pub(super) enum Failure {
    /// The record is not what the program expects: words that hold no value of the record.
    Record(String),
    /// The program is at fault, whatever the record.
    Program(Error),
}

/// The interpreter's types: values are JSON, and beside the table there is what bounds a run.
pub(super) struct Jq;

impl DataT for Jq {
    type V<'a> = Val;
    type Data<'a> = Under<'a>;
}

/// A run under way.
#[derive(Clone, Copy)]
pub(super) struct Under<'a> {
    lut: &'a Lut<Jq>,
    fuel: &'a Fuel,
    now: f64,
}

impl<'a> HasLut<'a, Jq> for Under<'a> {
    fn lut(&self) -> &'a Lut<Jq> {
        self.fuel.burn();
        self.lut
    }
}

impl Program {
    /// Compiles a program.
    ///
    /// # Errors
    /// Where it is no program, or names what is not there.
    pub fn compile(text: &str) -> Result<Self, Fault> {
        if text.len() > LONGEST {
            let message = format!("the jq program is longer than {LONGEST} bytes");
            return Err(Fault { message, hint: "make several steps of it".to_owned() });
        }
        let compiled = on_deep_stack(|| catch(|| compile(text)));
        let filter = match compiled {
            Ok(Ok(filter)) => filter?,
            Ok(Err(_)) | Err(_) => {
                return Err(Fault {
                    message: "the jq program cannot be compiled".to_owned(),
                    hint: "it may be nested too deep: make several steps of it".to_owned(),
                });
            }
        };
        Ok(Self { text: text.into(), filter: Arc::new(filter) })
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Runs it on a value, and gives what comes out to `take` until that has enough.
    pub(super) fn run(
        &self,
        value: Val,
        facts: &Facts,
        fuel: &Fuel,
        mut take: impl FnMut(Val) -> Result<Going, Failure>,
    ) -> Result<(), Failure> {
        #[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 fit")]
        let now = facts.now.as_microsecond() as f64 / 1e6;
        let ran = catch(|| {
            let under = Under { lut: &self.filter.lut, fuel, now };
            let context = Ctx::<Jq>::new(under, Vars::new([facts.value()]));
            for output in self.filter.id.run((context, value)) {
                let output = output.map_err(|error| Failure::Record(self.words(error)))?;
                if take(output)? == Going::Enough {
                    break;
                }
            }
            Ok(())
        });
        ran.unwrap_or_else(|stopped| Err(self.stopped(stopped)))
    }

    /// What a program failed with, without the values that it failed on.
    fn words(&self, error: Exn<'_, Val>) -> String {
        let Ok(error) = error.get_err() else { return "it left a label that is not there".to_owned() };
        let value = error.into_val();
        let Some(said) = as_text(&value) else { return "it raised an error".to_owned() };
        // A message that stands in the program is the user's own.
        if !said.is_empty() && (self.text.contains(said) || OWN.contains(&format!("\"{said}\""))) {
            return said.to_owned();
        }
        const BEGINNINGS: [(&str, &str); 7] = [
            ("cannot index ", "it cannot index a value of this kind"),
            ("cannot calculate ", "it cannot calculate with values of these kinds"),
            ("index ", "an index is out of bounds"),
            ("cannot parse ", "a text cannot be parsed"),
            ("invalid path ", "it changes what is no path"),
            ("invalid regex", "a regular expression is invalid"),
            ("split input", "split needs texts"),
        ];
        if let Some((_, kind)) = said.rsplit_once(" as ").filter(|_| said.starts_with("cannot use "))
            && !kind.contains(|letter: char| letter.is_ascii_digit() || letter == '"')
        {
            return format!("it cannot use a value as {kind}");
        }
        let known = BEGINNINGS.into_iter().find(|(beginning, _)| said.starts_with(beginning));
        known.map_or("it raised an error", |(_, words)| words).to_owned()
    }

    fn stopped(&self, stopped: Stopped) -> Failure {
        let (message, hint) = match stopped {
            Stopped::Steps => (
                format!(
                    "a program takes more than {STEPS} steps and {STEPS_A_BYTE} for each byte of the record"
                ),
                "it may not end: look for a definition that calls itself, `repeat`, `until` or a large `range`",
            ),
            Stopped::Calls => (
                "a program calls itself too deep".to_owned(),
                "look for a definition that calls itself, and let it stop",
            ),
            Stopped::Broken => return Failure::Record("the jq interpreter failed".to_owned()),
        };
        Failure::Program(Error::new(ErrorKind::Response, message).with("program", &*self.text).hint(hint))
    }
}

/// Whether more is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Going {
    On,
    Enough,
}

impl Facts {
    /// As `$run`.
    fn value(&self) -> Val {
        let day = self.now.strftime("%Y-%m-%d").to_string();
        let entries = [("now", self.now.to_string()), ("today", day)];
        Val::obj(
            entries.into_iter().map(|(key, value)| (Val::from(key.to_owned()), Val::from(value))).collect(),
        )
    }
}

fn compile(text: &str) -> Result<jaq_core::Filter<Jq>, Fault> {
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let defs = defs.filter(|def| !MADE_OF_THEM.contains(&def.name));
    let defs = defs.chain(load::parse(OWN, |parser| parser.defs()).unwrap_or_default());
    let funs = jaq_core::funs::<Jq>().chain(jaq_std::funs()).chain(jaq_json::funs());
    let funs = funs.filter(|(name, ..)| !OUTSIDE.contains(name) && *name != "range").chain(own());
    let arena = Arena::default();
    let modules = Loader::new(defs)
        .load(&arena, File { code: text, path: () })
        .map_err(|errors| unreadable(text, errors))?;
    Compiler::default()
        .with_funs(funs)
        .with_global_vars(["$run"])
        .compile(modules)
        .map_err(|errors| undefined(text, errors))
}

/// The clock of the run, and ranges that are counted.
fn own() -> [Fun<Jq>; 4] {
    [
        run(("now", v(0), |cv| bome(Ok(Val::from(cv.0.data().now))))),
        run(("lower", v(0), |cv| bome(cased(cv.1, str::to_lowercase)))),
        run(("upper", v(0), |cv| bome(cased(cv.1, str::to_uppercase)))),
        run(("range", v(3), |mut cv| {
            let fuel = cv.0.data().fuel;
            let (by, to, from) = (cv.0.pop_var(), cv.0.pop_var(), cv.0.pop_var());
            Box::new(range(fuel, from, to, by))
        })),
    ]
}

/// A text in the case of any alphabet: jq's own filters know the letters of English.
fn cased(value: Val, to: fn(&str) -> String) -> Result<Val, jaq_json::Error> {
    match as_text(&value) {
        Some(text) => Ok(Val::from(to(text))),
        None => Err(jaq_json::Error::typ(value, "string")),
    }
}

/// `range(from; to; by)` as jq defines it.
fn range<'a>(
    fuel: &'a Fuel,
    from: Val,
    to: Val,
    by: Val,
) -> impl Iterator<Item = Result<Val, Exn<'a, Val>>> + 'a {
    let zero = Val::from(0_usize);
    let mut next = Some(from);
    std::iter::from_fn(move || {
        fuel.burn();
        let at = next.take()?;
        let goes_on = match by.cmp(&zero) {
            std::cmp::Ordering::Greater => at < to,
            std::cmp::Ordering::Less => at > to,
            std::cmp::Ordering::Equal => at != to,
        };
        if !goes_on {
            return None;
        }
        match at.clone() + by.clone() {
            Ok(following) => next = Some(following),
            Err(error) => return Some(Err(Exn::from(error))),
        }
        Some(Ok(at))
    })
}

fn at(text: &str, part: &str) -> String {
    let before = load::span(text, part).start.min(text.len());
    let column = text.get(..before).map_or(0, |before| before.chars().count()) + 1;
    format!("at character {column} of the jq program")
}

fn unreadable(text: &str, errors: load::Errors<&str, ()>) -> Fault {
    let hint = "the language is that of jq 1.7: https://jqlang.org/manual/".to_owned();
    let first = errors.into_iter().next().map(|(_, error)| error);
    let message = match first {
        Some(load::Error::Lex(errors)) => errors
            .first()
            .map(|(expected, part)| format!("{}: expected {}", at(text, part), expected.as_str())),
        Some(load::Error::Parse(errors)) => errors.first().map(|(expected, part)| {
            let found = if part.is_empty() { "its end".to_owned() } else { format!("`{part}`") };
            format!("{}: expected {}, found {found}", at(text, part), expected.as_str())
        }),
        Some(load::Error::Io(errors)) => errors
            .first()
            .map(|(part, _)| format!("{}: there are no modules to include or import", at(text, part))),
        None => None,
    };
    Fault { message: message.unwrap_or_else(|| "the jq program cannot be read".to_owned()), hint }
}

fn undefined(text: &str, errors: jaq_core::compile::Errors<&str, ()>) -> Fault {
    let first = errors.into_iter().flat_map(|(_, errors)| errors).next();
    let Some((name, what)) = first else {
        return Fault { message: "the jq program cannot be compiled".to_owned(), hint: String::new() };
    };
    if REFUSED.contains(&name) {
        return Fault {
            message: format!("{}: `{name}` reaches out of the record", at(text, name)),
            hint: "a program sees its record, `$run.now`, `$run.today` and `now`".to_owned(),
        };
    }
    let what = match what {
        Undefined::Filter(0) => "a filter without arguments".to_owned(),
        Undefined::Filter(count) => format!("a filter with {count} arguments"),
        other => format!("a {}", other.as_str()),
    };
    Fault {
        message: format!("{}: there is no `{name}` ({what})", at(text, name)),
        hint: "a field is written with its dot: `.name`; filters are those of jq 1.7".to_owned(),
    }
}
