//! One simulated API behind one face: what the server asks of each.

use std::time::Duration;

use serde_json::{Value, json};

use crate::message::{Request, Response};
use crate::sim::Api;
use crate::world::World;
use crate::zoho::Zoho;
use crate::{fastbill, orb, stripe, zoho};

pub(crate) enum Backend {
    Orb,
    FastBill,
    Zoho(Zoho),
    Stripe,
    Custom(Box<dyn Fn(&Request) -> Response + Send + Sync>),
}

impl Backend {
    pub(crate) fn new(api: Api, lifetime: Duration, uses: Option<u64>, origin: &str) -> Self {
        match api {
            Api::Orb => Self::Orb,
            Api::FastBill => Self::FastBill,
            Api::Zoho => Self::Zoho(Zoho::new(lifetime, uses, origin)),
            Api::Stripe => Self::Stripe,
            Api::Custom(answer) => Self::Custom(answer),
        }
    }

    pub(crate) fn base_path(&self) -> &'static str {
        match self {
            Self::Orb | Self::Stripe => "/v1/",
            Self::Zoho(_) => "/billing/v1/",
            Self::FastBill | Self::Custom(_) => "/",
        }
    }

    pub(crate) fn secrets(&self) -> Vec<(String, String)> {
        let pairs: &[(&str, &str)] = match self {
            Self::Orb => &[("api_key", orb::KEY)],
            Self::FastBill => &[("api_key", fastbill::KEY), ("email", fastbill::EMAIL)],
            Self::Zoho(_) => zoho::SECRETS,
            // The seed calls the same key `client_secret`.
            Self::Stripe => &[("api_key", stripe::KEY), ("client_secret", stripe::KEY)],
            Self::Custom(_) => &[],
        };
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    pub(crate) fn answer(&self, world: &World, request: &Request) -> Response {
        match self {
            Self::Orb => orb::answer(world, request),
            Self::FastBill => fastbill::answer(world, request),
            Self::Zoho(zoho) => zoho.answer(world, request),
            Self::Stripe => stripe::answer(world, request),
            Self::Custom(answer) => answer(request),
        }
    }

    /// An error in the API's own form.
    pub(crate) fn error(&self, status: u16) -> Response {
        let message = format!("simulated status {status}");
        match self {
            Self::Orb => orb::error(status, &message),
            Self::FastBill => fastbill::error(status, &message),
            Self::Zoho(_) => zoho::error(status, i64::from(status), &message),
            Self::Stripe => stripe::simulated_error(status, &message),
            Self::Custom(_) => Response::json(&json!({"error": message})).with_status(status),
        }
    }

    /// The 401 of a credential that is no longer good; issued tokens are forgotten.
    pub(crate) fn expired(&self) -> Response {
        match self {
            Self::Zoho(zoho) => zoho.expire(),
            other => other.error(401),
        }
    }

    /// Makes an answer name as next page the one that `request` asked for.
    pub(crate) fn repeat_cursor(&self, request: &Request, body: &mut Value) {
        match self {
            Self::Orb => orb::repeat_cursor(request, body),
            Self::Stripe => stripe::repeat_cursor(request, body),
            Self::Zoho(_) => zoho::repeat_cursor(body),
            // An offset has no token to repeat, and a script makes its own.
            Self::FastBill | Self::Custom(_) => {}
        }
    }

    pub(crate) fn resources(&self) -> &'static [&'static str] {
        match self {
            Self::Orb => orb::RESOURCES,
            Self::FastBill => fastbill::RESOURCES,
            Self::Zoho(_) => zoho::RESOURCES,
            Self::Stripe => stripe::RESOURCES,
            Self::Custom(_) => &[],
        }
    }

    /// All records of a resource with the ids of their parents.
    pub(crate) fn expected(&self, world: &World, resource: &str) -> Vec<(String, Value)> {
        match self {
            Self::Orb => orb::expected(world, resource),
            Self::FastBill => fastbill::expected(world, resource),
            Self::Zoho(_) => zoho::expected(world, resource),
            Self::Stripe => stripe::expected(world, resource),
            Self::Custom(_) => Vec::new(),
        }
    }
}
