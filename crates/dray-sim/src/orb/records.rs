//! Orb's objects. Each is a pure function of the seed and the index.

use serde_json::{Value, json};

use super::{BALANCE, CUSTOMER, ENTRY, INVOICE, PLAN, SUBSCRIPTION};
use crate::clock::{date, iso};
use crate::draw::{self, Draw};
use crate::world::{Groups, World, mark_revision};

/// Ledger entries of customers: 100 in 10, four of ten have none, one needs a second page of 50.
pub(super) const LEDGER: Groups = Groups(&[0, 3, 0, 1, 62, 0, 8, 25, 0, 1]);

/// Credit blocks of customers: 8 in 10.
pub(super) const BLOCKS: Groups = Groups(&[0, 1, 0, 1, 3, 0, 1, 1, 0, 1]);

pub(super) fn customer(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "orb customer", index);
    let mut record = json!({
        "id": CUSTOMER.id(world, index),
        "external_customer_id": if draw.one_in(3) { Value::Null } else { json!(format!("{index:06}")) },
        "name": draw.company(),
        "email": format!("billing+{index}@example.com"),
        "timezone": draw.pick(&["Etc/UTC", "America/Los_Angeles", "Europe/Warsaw"]),
        "payment_provider": null,
        "payment_provider_id": null,
        "created_at": iso(world.created(index)),
        "shipping_address": null,
        "billing_address": if draw.one_in(2) { Value::Null } else {
            json!({"line1": "Żelazna 5", "line2": null, "city": "Warszawa", "state": null, "postal_code": "00-001", "country": "PL"})
        },
        "balance": format!("{}.{:02}", draw.below(900), draw.below(100)),
        "currency": "USD",
        "tax_id": null,
        "auto_collection": draw.one_in(2),
        "email_delivery": true,
        "additional_emails": if draw.one_in(3) { json!(["a@example.com", "b@example.com"]) } else { json!([]) },
        "portal_url": null,
        "metadata": {"segment": draw.pick(&["smb", "mid", "enterprise"])},
        "hierarchy": {"children": [], "parent": null},
    });
    if draw.one_in(4) {
        record["accounting_sync_configuration"] = json!({"excluded": false, "accounting_providers": []});
    }
    mark_revision(&mut record, world.revision("customers", index));
    record
}

pub(super) fn plan(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "orb plan", index);
    let prices: Vec<Value> = (0..draw.between(1, 3))
        .map(|at| {
            json!({
                "id": draw::id("prc_", world.seed, index * 4 + at),
                "name": format!("Price {at}"),
                "cadence": "monthly",
                "currency": "USD",
                "model_type": if at == 0 { "unit" } else { "tiered" },
                "unit_config": if at == 0 { json!({"unit_amount": "0.0125"}) } else { Value::Null },
                "tiered_config": if at == 0 { Value::Null } else {
                    json!({"tiers": [{"first_unit": 0, "last_unit": 1000, "unit_amount": "0.10"}, {"first_unit": 1000, "last_unit": null, "unit_amount": "0.05"}]})
                },
            })
        })
        .collect();
    let mut record = json!({
        "id": PLAN.id(world, index),
        "name": format!("Plan {index}"),
        "description": "",
        "external_plan_id": if draw.one_in(2) { Value::Null } else { json!(format!("plan-{index}")) },
        "created_at": iso(world.created(index)),
        "status": draw.pick(&["active", "archived", "draft"]),
        "currency": "USD",
        "net_terms": draw.below(60),
        "trial_config": {"trial_period": null, "trial_period_unit": "days"},
        "minimum": null,
        "maximum_amount": null,
        "prices": prices,
        "product": {"id": draw::id("prod_", world.seed, index % 7), "name": "Core", "created_at": iso(world.first_created)},
        "version": 1,
        "metadata": {},
    });
    mark_revision(&mut record, world.revision("plans", index));
    record
}

pub(super) fn subscription(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "orb subscription", index);
    let created = world.created(index);
    let customer = draw.below(index + 1);
    let mut record = json!({
        "id": SUBSCRIPTION.id(world, index),
        "status": draw.pick(&["active", "ended", "upcoming"]),
        "created_at": iso(created),
        "start_date": iso(created),
        "end_date": if draw.one_in(4) { json!(iso(created + 90 * 86_400)) } else { Value::Null },
        "current_billing_period_start_date": iso(created),
        "current_billing_period_end_date": iso(created + 30 * 86_400),
        "auto_collection": true,
        "billing_cycle_day": draw.between(1, 28),
        "net_terms": draw.below(60),
        "customer": {"id": CUSTOMER.id(world, customer), "external_customer_id": null},
        "plan": {"id": PLAN.id(world, draw.below(index + 1)), "external_plan_id": null},
        "fixed_fee_quantity_schedule": [
            {"price_id": draw::id("prc_", world.seed, index), "quantity": draw.between(1, 20), "start_date": iso(created), "end_date": null},
        ],
        "discount_intervals": [],
        "default_invoice_memo": null,
        "metadata": {},
    });
    mark_revision(&mut record, world.revision("subscriptions", index));
    record
}

/// An invoice that is changed is void, and a draft after another change: what no list shows unasked.
pub(super) fn invoice_status(world: &World, index: u64) -> &'static str {
    match world.revision("invoices", index) {
        0 => Draw::new(world.seed, "orb invoice status", index).pick(&["issued", "paid", "synced"]),
        1 => "void",
        _ => "draft",
    }
}

pub(super) fn invoice(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "orb invoice", index);
    let issued = world.created(index);
    let customer = draw.below(index + 1);
    let lines: Vec<Value> = (0..draw.below(4)).map(|at| line(world, index * 4 + at)).collect();
    let mut record = json!({
        "id": INVOICE.id(world, index),
        "invoice_number": format!("SIM-{index:05}"),
        "status": invoice_status(world, index),
        "invoice_date": iso(issued),
        "due_date": iso(issued + 30 * 86_400),
        "created_at": iso(issued),
        "currency": "USD",
        "customer": {"id": CUSTOMER.id(world, customer), "external_customer_id": null},
        "subscription": {"id": SUBSCRIPTION.id(world, index)},
        "subtotal": format!("{}.00", draw.below(5_000)),
        "total": format!("{}.{:02}", draw.below(5_000), draw.below(100)),
        "amount_due": format!("{}.{:02}", draw.below(5_000), draw.below(100)),
        "credit_notes": [],
        "line_items": lines,
        "discounts": [],
        "invoice_pdf": null,
        "memo": if draw.one_in(5) { json!("Dziękujemy ☺") } else { Value::Null },
        "paid_at": null,
        "will_auto_issue": false,
        "metadata": {},
    });
    mark_revision(&mut record, world.revision("invoices", index));
    record
}

fn line(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "orb line", index);
    let start = world.created(index / 4);
    let tax_amounts: Vec<Value> = (0..draw.below(3))
        .map(|at| {
            json!({
                "tax_rate_description": if at == 0 { "State tax" } else { "City tax" },
                "tax_rate_percentage": if at == 0 { json!("8.25") } else { Value::Null },
                "amount": format!("{}.{:02}", draw.below(50), draw.below(100)),
            })
        })
        .collect();
    json!({
        "id": draw::id("li_", world.seed, index),
        "name": "Usage: API calls",
        "quantity": draw.below(900),
        "amount": format!("{}.{:02}", draw.below(900), draw.below(100)),
        "subtotal": format!("{}.{:02}", draw.below(900), draw.below(100)),
        "start_date": iso(start),
        "end_date": iso(start + 30 * 86_400),
        "grouping": null,
        "tax_amounts": tax_amounts,
        "sub_line_items": [
            {"type": "tier", "name": "0 to 1000", "quantity": draw.below(1_000), "amount": "1.50", "tier_config": {"first_unit": 0, "last_unit": 1000, "unit_amount": "0.0015"}},
        ],
        "price": {"id": draw::id("prc_", world.seed, index), "model_type": "tiered"},
    })
}

pub(super) fn entry(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "orb entry", index);
    let customer = LEDGER.parent(index);
    let created = world.created(customer);
    // Beyond 2^53, so that a client which reads numbers as doubles is caught.
    let sequence = 9_007_199_254_740_993 + index;
    let amount = draw.between(1, 500);
    let increment = index == LEDGER.before(customer);
    json!({
        "id": ENTRY.id(world, index),
        "ledger_sequence_number": sequence,
        "entry_status": "committed",
        "entry_type": if increment { "increment" } else { "decrement" },
        "customer": {"id": CUSTOMER.id(world, customer), "external_customer_id": null},
        "currency": "USD",
        "starting_balance": if increment { json!(0) } else { json!(draw.between(500, 900)) },
        "ending_balance": f64::from(u32::try_from(draw.below(1_000)).unwrap_or(0)) + 0.5,
        "amount": amount,
        "created_at": iso(created),
        "description": if draw.one_in(3) { Value::Null } else { json!("Prepaid credits – Ω") },
        "credit_block": {
            "id": draw::id("blk_", world.seed, customer),
            "expiry_date": if draw.one_in(2) { Value::Null } else { json!(date(created + 365 * 86_400)) },
            "per_unit_cost_basis": "1.00",
        },
        "event_id": if increment { Value::Null } else { json!(draw.hex()) },
        "metadata": null,
    })
}

/// Every fourth block is used up.
pub(super) fn used_up(index: u64) -> bool {
    index % 4 == 3
}

pub(super) fn balance(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "orb balance", index);
    let created = world.created(BLOCKS.parent(index));
    let most = draw.between(100, 900);
    json!({
        "id": BALANCE.id(world, index),
        "balance": if used_up(index) { 0 } else { most / 2 },
        "effective_date": iso(created),
        "expiry_date": if draw.one_in(2) { Value::Null } else { json!(iso(created + 365 * 86_400)) },
        "filters": [],
        "maximum_initial_balance": most,
        "metadata": {},
        "per_unit_cost_basis": "1.00",
        "status": "active",
    })
}
