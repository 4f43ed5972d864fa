//! A configuration of one list, from its answers.

use dray::config::diagnostics::Diagnostics;
use dray::config::node::Node;
use dray::config::parse::{Format, parse};
use dray::config::write::Comments;
use dray::error::{Error, ErrorKind, Result};
use dray::plan::propose::{
    Draft, Guess, Listing, cursor, limit_param, listing, paginators, primary_key, text,
};
use dray::secret::SafeUrl;
use serde_json::{Value as Json, json};
use url::Url;

use super::asked::Asked;
use super::auth::{auth, header};
use crate::args::Init;
use crate::printer::Printer;

/// Paginators that are tried, each with two requests.
const TRIED: usize = 6;
/// Records of a page that is asked for to see whether another follows.
const FEW: u64 = 2;
/// Records of a page in the configuration, where the API takes so many.
const MANY: u64 = 100;
/// What the number of records of a page is sent as, if the page does not say.
const LIMITS: [&str; 3] = ["limit", "per_page", "page_size"];

/// What was found of how pages follow each other.
struct Paging {
    keys: Vec<(&'static str, Json)>,
    comment: String,
}

pub(super) fn configuration(args: &Init, url: &Url, printer: &Printer) -> Result<(Node, Comments)> {
    let (base_url, mut draft) = Draft::of_url(url);
    if let Some(body) = &args.json {
        let read = parse(body, Format::Json, &mut Diagnostics::new());
        draft.json = Some(read.ok_or_else(|| {
            Error::new(ErrorKind::Config, "--json is not JSON").hint("write --json '{\"query\": \"...\"}'")
        })?);
    }
    let mut asked = Asked::new(base_url, printer)?;
    asked.headers = args.headers.iter().map(|written| header(written)).collect::<Result<_>>()?;
    asked.auth = args.auth.as_deref().map(auth).transpose()?;
    draft.paginator = vec![("type", json!("single_page"))];
    draft.selector = Some("$".to_owned());

    let looked = asked.first(&draft, true).map_err(|error| match error.kind() {
        ErrorKind::Auth => error.hint("say how requests are authenticated with --auth: dray init --help"),
        _ => error,
    })?;
    let body = body_of(&looked.body, url)?;
    let mut comments = Comments::default();
    if let Some(found) = listing(&body, &draft.name) {
        of_list(&mut asked, &mut draft, &body, looked.linked, &found, &mut comments, printer)?;
    } else {
        draft.selector = None;
        draft.disposition = Some("replace");
        comments.add("resources[0].endpoint.paginator", "The answer is one object.");
    }
    let shown = SafeUrl(url).to_string();
    comments.add(
        "",
        &format!(
            "Written by dray init from {} requests to {shown}. Look it through, then: dray run FILE",
            asked.requests
        ),
    );
    printer.talk(&format!("{} requests to {shown}", asked.requests));
    Ok((asked.tree(&draft), comments))
}

fn body_of(body: &[u8], url: &Url) -> Result<Json> {
    serde_json::from_slice(body).map_err(|error| {
        Error::new(ErrorKind::Response, "the answer is not JSON")
            .with("url", SafeUrl(url))
            .hint("the address of a list in JSON is needed; some APIs want --header Accept=application/json")
            .caused_by(error)
    })
}

fn of_list(
    asked: &mut Asked<'_>,
    draft: &mut Draft,
    body: &Json,
    linked: bool,
    found: &Listing,
    comments: &mut Comments,
    printer: &Printer,
) -> Result<()> {
    draft.selector = Some(found.selector.clone());
    let count = found.records.len();
    comments.add("resources[0].endpoint.data_selector", &format!("The first page had {count} records here."));
    let key = primary_key(&found.records, &draft.name);
    match &key {
        Some(key) => {
            draft.primary_key = vec![key.field.clone()];
            draft.disposition = Some("merge");
            let said = if key.sure {
                "In every record of the first page, and different in all of them."
            } else {
                "Not sure: the first page had one record."
            };
            comments.add("resources[0].primary_key", said);
        }
        None => {
            draft.disposition = Some("replace");
            comments.add("resources[0].write_disposition", "No field tells the records apart, so each run replaces them all. With a primary_key, merge keeps what is there.");
        }
    }
    if let Some((field, format)) = cursor(&found.records) {
        let format = format.map_or(String::new(), |format| format!(", format: {format}"));
        comments.add(
            "resources[0]",
            &format!(
                "`{field}` tells when a record changed or was made. If the API can be asked for what is new, add to the endpoint: \
                 incremental: {{cursor_path: {field}, start_param: ITS PARAMETER{format}}}"
            ),
        );
    }
    let paging =
        paging(asked, draft, body, linked, key.as_ref().map(|key| key.field.as_str()), count, printer)?;
    draft.paginator = paging.keys;
    comments.add("resources[0].endpoint.paginator", &paging.comment);
    Ok(())
}

/// Finds out how pages follow each other: by a page that is small enough for another to follow, and by asking for that one.
fn paging(
    asked: &mut Asked<'_>,
    draft: &Draft,
    body: &Json,
    linked: bool,
    key: Option<&str>,
    count: usize,
    printer: &Printer,
) -> Result<Paging> {
    let mut small = None;
    for name in limit_names(draft, body) {
        let Some(shown) = few(asked, draft, &name, count)? else { continue };
        small = Some((name, shown));
        break;
    }
    let (limit, (body, linked)) = match &small {
        Some((name, (body, linked))) => (Some(name.as_str()), (body, *linked)),
        None => (None, (body, linked)),
    };
    let counted = limit.is_some() || (count >= 10 && count.is_multiple_of(5));
    let guesses = paginators(body, linked, key, counted);
    for guess in guesses.iter().take(TRIED) {
        let mut draft = unlimited(draft, limit);
        draft.paginator = with_limit(guess, limit, limit.map(|_| FEW), count);
        if matches!(kind(guess), "offset" | "page_number") {
            draft.paginator.push(("drift", json!("off")));
        }
        let why = match asked.two_pages(&draft) {
            Ok(pages) if follow(&pages) => return Ok(settled(asked, &draft, guess, limit, count)),
            Ok(_) => "the second page was empty or like the first".to_owned(),
            Err(error) => error.to_string(),
        };
        printer.talk(&format!("not so: {} ({why})", guess.why));
    }
    let one_page = guesses.iter().all(|guess| matches!(kind(guess), "offset" | "page_number"));
    Ok(if one_page {
        Paging {
            keys: vec![("type", json!("single_page"))],
            comment: "Nothing tells of further pages. If the API has them, say how: docs/configuration.md, Paginators.".to_owned(),
        }
    } else {
        Paging {
            keys: vec![("type", json!("auto"))],
            comment: "Not confirmed: there may be more pages, and none of what was tried gave a second one. `auto` looks at each first \
                      page, and fails where more follow in a way that it does not know."
                .to_owned(),
        }
    })
}

fn kind(guess: &Guess) -> &str {
    guess.keys.first().and_then(|(_, kind)| kind.as_str()).unwrap_or_default()
}

/// The paginator that was confirmed, with as many records a page as the API takes.
fn settled(asked: &mut Asked<'_>, draft: &Draft, guess: &Guess, limit: Option<&str>, count: usize) -> Paging {
    let comment = format!("Confirmed by a second page: {}.", guess.why);
    let mut draft = draft.clone();
    for many in [limit.map(|_| MANY), None] {
        draft.paginator = with_limit(guess, limit, many, count);
        if many.is_none() || asked.first(&draft, false).is_ok() {
            break;
        }
    }
    Paging { keys: draft.paginator, comment }
}

/// The keys of a guess, and how many records a page has.
fn with_limit(
    guess: &Guess,
    limit: Option<&str>,
    many: Option<u64>,
    count: usize,
) -> Vec<(&'static str, Json)> {
    let mut keys = guess.keys.clone();
    match (limit, many) {
        (Some(name), Some(many)) => keys.extend([("limit_param", json!(name)), ("limit", json!(many))]),
        // Offsets are counted by it.
        _ if kind(guess) == "offset" => keys.push(("limit", json!(count))),
        _ => {}
    }
    keys
}

/// Names that the number of records may be sent as: what the URL has, what the page repeats, the usual ones.
fn limit_names(draft: &Draft, body: &Json) -> Vec<String> {
    let given =
        draft.params.iter().map(|(name, _)| name.clone()).filter(|name| LIMITS.contains(&name.as_str()));
    let mut names: Vec<String> = given.chain(limit_param(body)).collect();
    for name in LIMITS {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// A page of two records, if this parameter gives one: its body, and whether it is linked to the next.
fn few(asked: &mut Asked<'_>, draft: &Draft, name: &str, count: usize) -> Result<Option<(Json, bool)>> {
    if u64::try_from(count).unwrap_or(u64::MAX) <= FEW {
        return Ok(None);
    }
    let mut draft = unlimited(draft, Some(name));
    draft.params.push((name.to_owned(), text(&FEW.to_string())));
    draft.paginator = vec![("type", json!("single_page"))];
    // An API that does not know the parameter may refuse it.
    let Ok(looked) = asked.first(&draft, false) else { return Ok(None) };
    let Ok(body) = serde_json::from_slice::<Json>(&looked.body) else { return Ok(None) };
    let found = listing(&body, &draft.name).map(|found| found.records.len());
    Ok((found == usize::try_from(FEW).ok()).then_some((body, looked.linked)))
}

/// A draft whose paginator sends the limit.
fn unlimited(draft: &Draft, limit: Option<&str>) -> Draft {
    let mut draft = draft.clone();
    draft.params.retain(|(name, _)| Some(name.as_str()) != limit);
    draft
}

/// Whether a second page has records, and others than the first.
fn follow(pages: &[Vec<Json>]) -> bool {
    match pages {
        [first, second] => !second.is_empty() && second.iter().all(|record| !first.contains(record)),
        _ => false,
    }
}
