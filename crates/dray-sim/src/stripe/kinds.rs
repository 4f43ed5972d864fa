//! The kinds of Stripe's objects in one table: their lists, their ids, what changes of them are called.

use serde_json::{Value, json};

use super::{records, shape};
use crate::draw;
use crate::world::{Groups, World};

/// A kind of object.
pub(crate) struct Kind {
    /// What the resource is called here and in the connector.
    pub(super) name: &'static str,
    /// The path of its list and, with an id behind it, of one object.
    pub(super) path: &'static str,
    /// The value of `object`.
    pub(super) object: &'static str,
    pub(super) prefix: &'static str,
    /// What its list can be filtered by beside the parameters that every list takes.
    pub(super) filters: &'static [&'static str],
    /// The type of the event that tells of a change, and of the one that tells of a deletion.
    pub(super) events: Events,
    pub(super) record: fn(&World, &Self, u64) -> Value,
}

/// How changes of an object are told.
pub(super) struct Events {
    pub(super) changed: &'static str,
    pub(super) deleted: Deleted,
}

/// What becomes of an object that is deleted.
#[derive(Clone, Copy)]
pub(super) enum Deleted {
    /// It cannot be deleted, so nothing is told of it.
    Never,
    /// Its id answers with `deleted: true`; the event's type.
    Stub(&'static str),
    /// Its id is not known any more; the event's type.
    Gone(&'static str),
}

impl Kind {
    pub(super) fn id(&self, world: &World, index: u64) -> String {
        draw::id(self.prefix, world.seed, index)
    }

    pub(super) fn index(&self, world: &World, id: &str) -> Option<u64> {
        draw::index_of(self.prefix, world.seed, id)
    }

    pub(super) fn show(&self, world: &World, index: u64) -> Value {
        (self.record)(world, self, index)
    }

    /// What is left of a deleted object.
    pub(super) fn stub(&self, world: &World, index: u64) -> Value {
        json!({"id": self.id(world, index), "object": self.object, "deleted": true})
    }

    /// A kind of its own list, whose objects change as `<object>.updated` tells.
    const fn listed(
        name: &'static str,
        object: &'static str,
        prefix: &'static str,
        changed: &'static str,
    ) -> Self {
        Self {
            name,
            path: name,
            object,
            prefix,
            filters: DATED,
            events: Events { changed, deleted: Deleted::Never },
            record: shape::fill,
        }
    }

    const fn at(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    const fn filtered(self, filters: &'static [&'static str]) -> Self {
        Self { filters, ..self }
    }

    const fn written(self, record: fn(&World, &Self, u64) -> Value) -> Self {
        Self { record, ..self }
    }

    const fn deleted(self, deleted: Deleted) -> Self {
        Self { events: Events { changed: self.events.changed, deleted }, ..self }
    }
}

const DATED: &[&str] = &["created"];
const UNDATED: &[&str] = &[];

/// The kinds whose records are the world's top-level ones.
pub(super) static TOP: [Kind; 24] = [
    Kind::listed("charges", "charge", "ch_", "charge.updated")
        .written(|world, _, index| records::charge(world, index))
        .filtered(&["created", "customer"]),
    Kind::listed("customers", "customer", "cus_", "customer.updated")
        .written(|world, _, index| records::customer(world, index))
        .deleted(Deleted::Stub("customer.deleted")),
    Kind::listed("invoices", "invoice", "in_", "invoice.updated")
        .written(|world, _, index| records::invoice(world, index))
        .filtered(&["created", "customer"])
        .deleted(Deleted::Gone("invoice.deleted")),
    Kind::listed("subscriptions", "subscription", "sub_", "customer.subscription.updated")
        .written(|world, _, index| records::subscription(world, index))
        .filtered(&["created", "status"]),
    Kind::listed("payouts", "payout", "po_", "payout.updated")
        .written(|world, _, index| records::payout(world, index)),
    Kind::listed("payment_intents", "payment_intent", "pi_", "payment_intent.succeeded"),
    Kind::listed("setup_intents", "setup_intent", "seti_", "setup_intent.succeeded"),
    Kind::listed("refunds", "refund", "re_", "charge.refund.updated"),
    Kind::listed("disputes", "dispute", "dp_", "charge.dispute.updated"),
    Kind::listed("products", "product", "prod_", "product.updated").deleted(Deleted::Gone("product.deleted")),
    Kind::listed("prices", "price", "price_", "price.updated"),
    Kind::listed("plans", "plan", "plan_", "plan.updated").deleted(Deleted::Gone("plan.deleted")),
    Kind::listed("coupons", "coupon", "coupon_", "coupon.updated").deleted(Deleted::Gone("coupon.deleted")),
    Kind::listed("promotion_codes", "promotion_code", "promo_", "promotion_code.updated"),
    Kind::listed("tax_rates", "tax_rate", "txr_", "tax_rate.updated"),
    Kind::listed("shipping_rates", "shipping_rate", "shr_", ""),
    Kind::listed("invoice_items", "invoiceitem", "ii_", "invoiceitem.updated")
        .at("invoiceitems")
        .deleted(Deleted::Gone("invoiceitem.deleted")),
    Kind::listed("credit_notes", "credit_note", "cn_", "credit_note.updated").filtered(UNDATED),
    Kind::listed("checkout_sessions", "checkout.session", "cs_", "checkout.session.completed")
        .at("checkout/sessions"),
    Kind::listed(
        "subscription_schedules",
        "subscription_schedule",
        "sub_sched_",
        "subscription_schedule.updated",
    ),
    Kind::listed("transfers", "transfer", "tr_", "transfer.updated"),
    Kind::listed("top_ups", "topup", "tu_", "topup.succeeded").at("topups"),
    Kind::listed("application_fees", "application_fee", "fee_", "application_fee.refunded"),
    Kind::listed("reviews", "review", "prv_", "review.closed"),
];

/// The kind of top-level records with this name; the names that are asked for stand in the table.
pub(super) fn named(name: &str) -> Option<&'static Kind> {
    TOP.iter().find(|kind| kind.name == name)
}

/// The id of the record of a top-level kind.
pub(super) fn id_of(name: &str, world: &World, index: u64) -> String {
    named(name).map_or_else(String::new, |kind| kind.id(world, index))
}

/// A list that belongs to one object each.
pub(super) struct Nested {
    /// What the resource is called here and in the connector.
    pub(super) name: &'static str,
    pub(super) parents: &'static str,
    pub(super) asked: Asked,
    pub(super) newest_first: bool,
    /// How many each parent has.
    pub(super) groups: Groups,
    pub(super) kind: Kind,
}

/// How a nested list names its parent.
#[derive(Clone, Copy)]
pub(super) enum Asked {
    /// Below the parent's own path.
    Below(&'static str),
    /// By a parameter of the list at this path.
    By(&'static str, &'static str),
}

impl Nested {
    const fn new(
        name: &'static str,
        parents: &'static str,
        asked: Asked,
        object: &'static str,
        prefix: &'static str,
        groups: &'static [u64],
    ) -> Self {
        let kind = Kind::listed(name, object, prefix, "").filtered(UNDATED);
        Self { name, parents, asked, newest_first: true, groups: Groups(groups), kind }
    }

    const fn oldest_first(self, record: fn(&World, &Kind, u64) -> Value) -> Self {
        Self { newest_first: false, kind: self.kind.written(record), ..self }
    }

    /// The indexes of one parent's children.
    pub(super) fn children(&self, parent: u64) -> std::ops::Range<u64> {
        self.groups.before(parent)..self.groups.before(parent + 1)
    }
}

/// Lines of invoices: 60 in 10, three of ten invoices have ten or more.
pub(super) const LINES: Groups = Groups(&[1, 2, 25, 3, 1, 11, 2, 10, 1, 4]);
/// Items of subscriptions: 25 in 10.
pub(super) const ITEMS: Groups = Groups(&[1, 2, 1, 3, 1, 1, 2, 12, 1, 1]);
/// Balance transactions of payouts: 150 in 10, one of ten needs a second page of 100.
pub(super) const TRANSACTIONS: Groups = Groups(&[3, 1, 12, 0, 2, 5, 1, 120, 4, 2]);

/// Every list that is asked for parent by parent, but the transactions of payouts, which are a filter on all of them.
pub(super) static NESTED: [Nested; 8] = [
    Nested::new("invoice_line_items", "invoices", Asked::Below("lines"), "line_item", "il_", LINES.0)
        .oldest_first(|world, _, index| records::line(world, index)),
    Nested::new(
        "subscription_items",
        "subscriptions",
        Asked::By("subscription_items", "subscription"),
        "subscription_item",
        "si_",
        ITEMS.0,
    )
    .oldest_first(|world, _, index| records::item(world, index)),
    Nested::new(
        "payment_methods",
        "customers",
        Asked::Below("payment_methods"),
        "payment_method",
        "pm_",
        &[1, 0, 2, 1, 1],
    ),
    Nested::new(
        "customer_balance_transactions",
        "customers",
        Asked::Below("balance_transactions"),
        "customer_balance_transaction",
        "cbtxn_",
        &[0, 2, 0, 1, 12],
    ),
    Nested::new(
        "checkout_session_line_items",
        "checkout_sessions",
        Asked::Below("line_items"),
        "item",
        "li_",
        &[1, 2, 1, 1],
    ),
    Nested::new(
        "credit_note_line_items",
        "credit_notes",
        Asked::Below("lines"),
        "credit_note_line_item",
        "cnli_",
        &[1, 3],
    ),
    Nested::new(
        "transfer_reversals",
        "transfers",
        Asked::Below("reversals"),
        "transfer_reversal",
        "trr_",
        &[0, 12, 1],
    ),
    Nested::new(
        "setup_attempts",
        "setup_intents",
        Asked::By("setup_attempts", "setup_intent"),
        "setup_attempt",
        "setatt_",
        &[1, 2],
    ),
];

/// The transactions of the balance, which no payout owns.
pub(super) static TRANSACTION: Kind = Kind::listed("balance_transactions", "balance_transaction", "txn_", "")
    .written(|world, _, index| records::transaction(world, index))
    .filtered(&["created", "payout"]);

/// The nested list of a child's kind.
pub(super) fn nest_of(object: &str) -> Option<&'static Nested> {
    NESTED.iter().find(|nested| nested.kind.object == object)
}
