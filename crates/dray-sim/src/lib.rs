//! Simulated REST APIs on `127.0.0.1`: real HTTP/1.1, deterministic data of any size, faults to order.
//!
//! [`Sim::start`] serves one API from its own thread until the [`Sim`] is dropped. Record `i` of a resource is a
//! pure function of the seed and `i`, so nothing is stored, and [`Sim::expected`] tells what a complete load must
//! hold without going through any paging code.
//!
//! ```
//! let sim = dray_sim::Sim::start(dray_sim::Options {
//!     api: dray_sim::Api::Stripe,
//!     size: 25,
//!     ..Default::default()
//! })?;
//! sim.fault(dray_sim::Fault::status(503).on("/v1/charges").times(2));
//! assert_eq!(sim.expected("charges").len(), 25);
//! # Ok::<(), std::io::Error>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![expect(clippy::disallowed_methods, reason = "a simulated server has a clock of its own")]

mod backend;
mod clock;
mod draw;
mod fastbill;
mod fault;
mod message;
mod orb;
mod payload;
mod server;
mod sim;
mod stripe;
mod world;
mod zoho;

pub use clock::http_date;
pub use fault::Fault;
pub use message::{Request, Response};
pub use sim::{Api, Options, RateLimit, Sim};
