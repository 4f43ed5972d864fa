//! Zoho Billing's list rows (summaries). Each is a pure function of the seed and the index; none has an `id`.

use serde_json::{Value, json};

use crate::clock::{date, zoho};
use crate::draw::Draw;
use crate::world::{World, int};

/// Ids are long numbers in strings.
fn id(base: u64, index: u64) -> String {
    (903_000_000_000_000 + base * 1_000_000_000 + index).to_string()
}

fn created(world: &World, index: u64) -> String {
    zoho(world.created(index))
}

/// A changed record's time of modification moves by an hour for each change.
fn modified(world: &World, resource: &str, index: u64) -> String {
    zoho(world.created(index) + 3_600 * int(world.revision(resource, index)))
}

/// A text that tells how often a record was changed, for those without a time of modification.
fn changed(world: &World, resource: &str, index: u64, text: &str) -> String {
    match world.revision(resource, index) {
        0 => format!("{text} {index}"),
        revision => format!("{text} {index} rev {revision}"),
    }
}

/// An amount as a number: whole, or with cents.
fn amount(draw: &mut Draw, below: u32) -> Value {
    let whole = u32::try_from(draw.below(u64::from(below))).unwrap_or(0);
    if draw.one_in(3) { json!(whole) } else { json!(f64::from(whole) + 0.75) }
}

pub(super) fn product(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "zoho product", index);
    json!({
        "product_id": id(1, index),
        "name": format!("{} {index}", draw.pick(&["Basic", "Größe", "प्रीमियम"])),
        "description": "",
        "email_ids": "billing@example.com",
        "redirect_url": "",
        "status": draw.pick(&["active", "inactive"]),
        "created_time": created(world, index),
        "updated_time": modified(world, "products", index),
    })
}

pub(super) fn plan(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "zoho plan", index);
    json!({
        "plan_code": format!("plan-{index:04}"),
        "name": format!("Plan {index}"),
        "recurring_price": amount(draw, 500),
        "setup_fee": 0,
        "interval": 1,
        "interval_unit": draw.pick(&["months", "years", "weeks"]),
        "billing_cycles": -1,
        "trial_period": draw.below(30),
        "product_id": id(1, draw.below(index + 1)),
        "tax_id": "",
        "status": "active",
        "addons": if draw.one_in(3) { json!([{"addon_code": format!("addon-{index:04}"), "name": "Extra"}]) } else { json!([]) },
        "custom_fields": [],
        "created_time": created(world, index),
        "updated_time": modified(world, "plans", index),
    })
}

pub(super) fn addon(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "zoho addon", index);
    json!({
        "addon_code": format!("addon-{index:04}"),
        "name": format!("Add-on {index}"),
        "type": draw.pick(&["one_time", "recurring"]),
        "unit_name": "seat",
        "pricing_scheme": "tier",
        "price_brackets": [
            {"start_quantity": 1, "end_quantity": 10, "price": amount(draw, 90)},
            {"start_quantity": 11, "price": amount(draw, 40)},
        ],
        "applicable_to_all_plans": draw.one_in(2),
        "product_id": id(1, draw.below(index + 1)),
        "status": "active",
        "created_time": created(world, index),
        "updated_time": modified(world, "addons", index),
    })
}

pub(super) fn coupon(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "zoho coupon", index);
    json!({
        "coupon_code": format!("{:04}", index),
        "name": format!("{}% off", draw.between(5, 50)),
        "type": "one_time",
        "status": draw.pick(&["active", "expired"]),
        "discount_by": "percentage",
        "discount_value": draw.between(5, 50),
        "max_redemption": if draw.one_in(2) { json!("") } else { json!(draw.between(1, 100)) },
        "redemption_count": draw.below(50),
        "expiry_at": date(world.created(index) + 90 * 86_400),
        "created_time": created(world, index),
        "updated_time": modified(world, "coupons", index),
    })
}

pub(super) fn customer(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "zoho customer", index);
    json!({
        "customer_id": id(5, index),
        "display_name": draw.person(),
        "company_name": draw.company(),
        "email": format!("kunde{index}@example.com"),
        "phone": "",
        "currency_code": draw.pick(&["USD", "EUR", "INR"]),
        "outstanding": amount(draw, 900),
        "unused_credits": amount(draw, 90),
        "is_gapps_customer": false,
        "payment_terms_label": "Due on Receipt",
        "billing_address": {"street": "Łąkowa 1", "city": "Kraków", "zip": "030001", "country": "PL", "fax": ""},
        "custom_fields": if draw.one_in(3) { json!([{"label": "VAT", "value": format!("PL{index}"), "data_type": "text"}]) } else { json!([]) },
        "created_time": created(world, index),
        "updated_time": modified(world, "customers", index),
    })
}

pub(super) fn estimate(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "zoho estimate", index);
    json!({
        "estimate_id": id(6, index),
        "estimate_number": format!("EST-{index:06}"),
        "customer_id": id(5, draw.below(index + 1)),
        "customer_name": draw.person(),
        "status": draw.pick(&["draft", "sent", "accepted"]),
        "date": date(world.created(index)),
        "expiry_date": "",
        "total": amount(draw, 9_000),
        "created_time": created(world, index),
        "last_modified_time": modified(world, "quotes", index),
    })
}

pub(super) fn invoice(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "zoho invoice", index);
    json!({
        "invoice_id": id(7, index),
        "invoice_number": format!("INV-{index:06}"),
        "number": format!("INV-{index:06}"),
        "customer_id": id(5, draw.below(index + 1)),
        "customer_name": draw.person(),
        "status": draw.pick(&["paid", "sent", "overdue", "void"]),
        "invoice_date": date(world.created(index)),
        "due_date": date(world.created(index) + 15 * 86_400),
        "currency_code": "USD",
        "total": amount(draw, 9_000),
        "balance": amount(draw, 900),
        "transaction_type": "renewal",
        "subscriptions": [{"subscription_id": id(9, index)}],
        "created_time": created(world, index),
        "updated_time": modified(world, "invoices", index),
    })
}

pub(super) fn expense(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "zoho expense", index);
    json!({
        "expense_id": id(8, index),
        "date": date(world.created(index)),
        "account_name": draw.pick(&["Travel", "Office", "Büro"]),
        "description": "",
        "currency_code": "EUR",
        "bcy_total": amount(draw, 900),
        "total": amount(draw, 900),
        "is_billable": draw.one_in(2),
        "status": "unbilled",
        "created_time": created(world, index),
        "last_modified_time": modified(world, "expenses", index),
    })
}

pub(super) fn subscription(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "zoho subscription", index);
    json!({
        "subscription_id": id(9, index),
        "subscription_number": format!("SUB-{index:05}"),
        "name": format!("Plan for {}", draw.company()),
        "customer_id": id(5, draw.below(index + 1)),
        "customer_name": draw.person(),
        "email": format!("kunde{index}@example.com"),
        "plan_code": format!("plan-{:04}", draw.below(index + 1)),
        "status": draw.pick(&["live", "trial", "cancelled", "non_renewing"]),
        "amount": amount(draw, 900),
        "currency_code": "USD",
        "interval": 1,
        "interval_unit": "months",
        "auto_collect": draw.one_in(2),
        "created_at": date(world.created(index)),
        "activated_at": date(world.created(index)),
        "current_term_ends_at": date(world.created(index) + 30 * 86_400),
        "created_time": created(world, index),
        "updated_time": modified(world, "subscriptions", index),
    })
}

pub(super) fn tax(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "zoho tax", index);
    json!({
        "tax_id": id(10, index),
        "tax_name": changed(world, "taxes", index, "VAT"),
        "tax_percentage": if draw.one_in(2) { json!(19) } else { json!(8.5) },
        "tax_type": "tax",
        "is_value_added": true,
        "is_editable": draw.one_in(2),
    })
}

pub(super) fn transaction(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "zoho transaction", index);
    json!({
        "transaction_id": id(11, index),
        "type": draw.pick(&["invoice", "payment", "creditnote"]),
        "reference_id": id(7, draw.below(index + 1)),
        "customer_id": id(5, draw.below(index + 1)),
        "amount": amount(draw, 900),
        "date": date(world.created(index)),
        "reference_number": changed(world, "transactions", index, "REF"),
        "status": "success",
        "error_code": null,
    })
}

pub(super) fn recurring_expense(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "zoho recurring expense", index);
    json!({
        "recurring_expense_id": id(12, index),
        "recurrence_name": format!("Rent {index}"),
        "recurrence_frequency": "months",
        "repeat_every": draw.between(1, 12),
        "account_name": "Rent",
        "last_created_date": "",
        "next_expense_date": date(world.created(index) + 30 * 86_400),
        "status": draw.pick(&["active", "stopped"]),
        "total": amount(draw, 2_000),
        "created_time": created(world, index),
        "last_modified_time": modified(world, "recurring_expenses", index),
    })
}
