//! Stripe's list answers and error bodies.

use serde_json::{Map, Value, json};

use super::kinds::{Kind, TRANSACTION, TRANSACTIONS, nest_of};
use crate::message::{Request, Response};
use crate::world::World;

/// A refusal in Stripe's error form.
pub(super) struct Problem {
    status: u16,
    error: Value,
}

impl Problem {
    fn new(status: u16, kind: &str, code: Option<&str>, param: Option<&str>, message: String) -> Self {
        let mut error = Map::new();
        error.insert("type".to_owned(), json!(kind));
        if let Some(code) = code {
            error.insert("code".to_owned(), json!(code));
            error.insert(
                "doc_url".to_owned(),
                json!(format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-"))),
            );
        }
        error.insert("message".to_owned(), json!(message));
        if let Some(param) = param {
            error.insert("param".to_owned(), json!(param));
        }
        Self { status, error: Value::Object(error) }
    }

    pub(super) fn invalid(status: u16, code: Option<&str>, param: Option<&str>, message: String) -> Self {
        Self::new(status, "invalid_request_error", code, param, message)
    }

    pub(super) fn api_error(status: u16, message: String) -> Self {
        Self::new(status, "api_error", None, None, message)
    }

    pub(super) fn unauthorized(message: &str) -> Self {
        Self::invalid(401, None, None, message.to_owned())
    }

    pub(super) fn missing(param: &str) -> Self {
        Self::invalid(
            400,
            Some("parameter_missing"),
            Some(param),
            format!("Missing required param: {param}."),
        )
    }

    pub(super) fn no_such(status: u16, object: &str, id: &str, param: &str) -> Self {
        let noun = object.replace('_', " ");
        Self::invalid(status, Some("resource_missing"), Some(param), format!("No such {noun}: '{id}'"))
    }

    pub(super) fn unrecognized(request: &Request) -> Self {
        let message = format!(
            "Unrecognized request URL ({}: {}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.",
            request.method, request.path
        );
        Self::invalid(404, None, None, message)
    }

    pub(super) fn into_response(self) -> Response {
        Response::json(&json!({"error": self.error})).with_status(self.status)
    }
}

/// Which indexes a list shows; `None` is all.
pub(super) type Keep<'a> = Option<Box<dyn Fn(u64) -> bool + 'a>>;

/// Finds the index of an id.
type Find<'a> = Box<dyn Fn(&str) -> Option<u64> + 'a>;

/// A list: a run of indexes, the order in which it shows them, and what they are.
pub(super) struct Listing<'a> {
    pub(super) low: u64,
    pub(super) high: u64,
    pub(super) newest_first: bool,
    /// The value of `object` in its objects.
    pub(super) noun: &'static str,
    /// The index of an id that is there.
    pub(super) find: Find<'a>,
    pub(super) keep: Keep<'a>,
    pub(super) show: Box<dyn Fn(u64) -> Value + 'a>,
}

impl<'a> Listing<'a> {
    /// A run of objects of one kind, newest first.
    pub(super) fn of(world: &'a World, kind: &'static Kind, low: u64, high: u64, keep: Keep<'a>) -> Self {
        Self {
            low,
            high,
            newest_first: true,
            noun: kind.object,
            find: Box::new(move |id| kind.index(world, id).filter(|&index| is_there(world, kind, index))),
            keep: Some(Box::new(move |index| {
                keep.as_ref().is_none_or(|keep| keep(index)) && is_there(world, kind, index)
            })),
            show: Box::new(move |index| kind.show(world, index)),
        }
    }

    /// The index of a page cursor, which must name an object that still exists; a nested list knows only its own.
    fn cursor(&self, id: &str, param: &str) -> Result<u64, Problem> {
        let found = (self.find)(id);
        let found = found.filter(|index| self.newest_first || (self.low..self.high).contains(index));
        found.ok_or_else(|| Problem::no_such(400, self.noun, id, param))
    }
}

/// The bounds that `created` parameters set, in unix seconds: from the first (included) to the end (excluded).
pub(super) struct Created {
    from: i64,
    to: i64,
}

impl Created {
    pub(super) fn first(&self, world: &World, total: u64) -> u64 {
        world.first_at_or_after(total, self.from)
    }

    pub(super) fn end(&self, world: &World, total: u64) -> u64 {
        world.first_at_or_after(total, self.to)
    }

    pub(super) fn holds(&self, unix: i64) -> bool {
        (self.from..self.to).contains(&unix)
    }
}

/// Reads `created`, `created[gt]`, `created[gte]`, `created[lt]` and `created[lte]`.
pub(super) fn created(request: &Request) -> Result<Created, Problem> {
    let mut bounds = Created { from: i64::MIN, to: i64::MAX };
    for (name, value) in &request.query {
        let Some(operator) = name.strip_prefix("created") else { continue };
        let unix = value.parse::<i64>().map_err(|_| {
            let message = format!("Invalid integer: {value}");
            Problem::invalid(400, Some("parameter_invalid_integer"), Some(name), message)
        })?;
        let next = unix.saturating_add(1);
        match operator {
            "" => bounds = Created { from: bounds.from.max(unix), to: bounds.to.min(next) },
            "[gt]" => bounds.from = bounds.from.max(next),
            "[gte]" => bounds.from = bounds.from.max(unix),
            "[lt]" => bounds.to = bounds.to.min(unix),
            "[lte]" => bounds.to = bounds.to.min(next),
            _ => return Err(unknown(name)),
        }
    }
    Ok(bounds)
}

/// One page: `limit` records from `starting_after` or `ending_before` on.
pub(super) fn answer(
    world: &World,
    request: &Request,
    mut listing: Listing<'_>,
    params: &[&str],
) -> Result<Response, Problem> {
    check_params(request, params)?;
    let limit = limit(request)?;
    let after = request.param("starting_after");
    let before = request.param("ending_before");
    if after.is_some() && before.is_some() {
        let message = "You cannot use both 'starting_after' and 'ending_before' parameters.".to_owned();
        return Err(Problem::invalid(400, None, Some("starting_after"), message));
    }
    let newest_first = listing.newest_first;
    if let Some(id) = after {
        let index = listing.cursor(id, "starting_after")?;
        if newest_first {
            listing.high = listing.high.min(index);
        } else {
            listing.low = listing.low.max(index + 1);
        }
    }
    if let Some(id) = before {
        let index = listing.cursor(id, "ending_before")?;
        if newest_first {
            listing.low = listing.low.max(index + 1);
        } else {
            listing.high = listing.high.min(index);
        }
    }

    let shown = |index: &u64| listing.keep.as_ref().is_none_or(|keep| keep(*index));
    let take = usize::try_from(world.capped(limit)).unwrap_or(usize::MAX - 1);
    // `ending_before` shows the records nearest to it, so it walks the list from its far end.
    let mut page: Vec<u64> = if newest_first == before.is_none() {
        (listing.low..listing.high).rev().filter(shown).take(take + 1).collect()
    } else {
        (listing.low..listing.high).filter(shown).take(take + 1).collect()
    };
    let has_more = page.len() > take;
    page.truncate(take);
    if before.is_some() {
        page.reverse();
    }
    let data: Vec<Value> = page.into_iter().map(|index| (listing.show)(index)).collect();
    Ok(Response::json(&json!({"object": "list", "data": data, "has_more": has_more, "url": request.path})))
}

/// Stripe refuses parameters it does not know.
fn check_params(request: &Request, params: &[&str]) -> Result<(), Problem> {
    for (name, _) in &request.query {
        let base = name.split('[').next().unwrap_or("");
        if !["limit", "starting_after", "ending_before", "expand"].contains(&base) && !params.contains(&base)
        {
            return Err(unknown(name));
        }
    }
    Ok(())
}

fn unknown(param: &str) -> Problem {
    let message = format!("Received unknown parameter: {param}");
    Problem::invalid(400, Some("parameter_unknown"), Some(param), message)
}

fn limit(request: &Request) -> Result<u64, Problem> {
    let Some(text) = request.param("limit") else { return Ok(10) };
    let message = match text.parse::<u64>() {
        Ok(limit @ 1..=100) => return Ok(limit),
        Ok(0) => "This value must be greater than or equal to 1.".to_owned(),
        Ok(_) => "This value must be less than or equal to 100.".to_owned(),
        Err(_) => format!("Invalid integer: {text}"),
    };
    Err(Problem::invalid(400, Some("parameter_invalid_integer"), Some("limit"), message))
}

fn is_there(world: &World, kind: &Kind, index: u64) -> bool {
    if nest_of(kind.object).is_some() {
        return true;
    }
    if kind.object == TRANSACTION.object {
        return index < TRANSACTIONS.before(world.size);
    }
    world.exists(kind.name, index)
}
