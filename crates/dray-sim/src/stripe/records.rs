//! Stripe's objects. Each is a pure function of the seed and the index.

use serde_json::{Value, json};

use super::kinds::{ITEMS, LINES, TRANSACTIONS, id_of};
use crate::draw::{self, Draw};
use crate::world::{World, int, mark_revision};

/// So many of a list are inside its parent.
pub(super) const EMBEDDED: usize = 10;
const CURRENCIES: &[&str] = &["usd", "eur", "gbp", "jpy"];

pub(super) fn is_canceled(subscription: u64) -> bool {
    subscription % 5 == 4
}

pub(super) fn subscription_status(subscription: u64) -> &'static str {
    match subscription % 5 {
        1 => "trialing",
        3 => "past_due",
        4 => "canceled",
        _ => "active",
    }
}

pub(super) fn is_manual(payout: u64) -> bool {
    payout % 4 == 3
}

/// The customer that record `index` of another kind belongs to: one that existed already.
pub(super) fn customer_of(seed: u64, index: u64) -> u64 {
    Draw::new(seed, "customer of", index).below(index + 1)
}

pub(super) fn charge(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "charge", index);
    let created = world.created(index);
    let amount = draw.between(50, 2_000_000);
    let refunded = if draw.one_in(9) { draw.below(amount) } else { 0 };
    let failed = draw.one_in(12);
    let name = draw.person();
    let mut record = json!({
        "id": id_of("charges", world, index),
        "object": "charge",
        "amount": amount,
        "amount_captured": if failed { 0 } else { amount },
        "amount_refunded": refunded,
        "application_fee_amount": null,
        "balance_transaction": if failed { Value::Null } else { json!(draw::id("txn_", world.seed, index)) },
        "billing_details": {
            "address": {
                "city": draw.pick(&["Łódź", "Berlin", "São Paulo", "東京", "Dublin"]),
                "country": draw.pick(&["PL", "DE", "BR", "JP", "IE"]),
                "line1": format!("{} Rue de l'Église", draw.between(1, 400)),
                "line2": null,
                "postal_code": format!("{:05}", draw.below(100_000)),
                "state": null,
            },
            "email": format!("user{index}@example.com"),
            "name": name,
            "phone": null,
        },
        "calculated_statement_descriptor": "SIM* STORE",
        "captured": !failed,
        "created": created,
        "currency": draw.pick(CURRENCIES),
        "customer": id_of("customers", world, customer_of(world.seed, index)),
        "description": if draw.one_in(3) { Value::Null } else { json!(format!("Order №{index} – “gift”\nline two")) },
        "disputed": draw.one_in(40),
        "failure_code": if failed { json!("card_declined") } else { Value::Null },
        "failure_message": if failed { json!("Your card was declined.") } else { Value::Null },
        "fraud_details": {},
        "invoice": null,
        "livemode": false,
        "metadata": {"order_id": index.to_string(), "channel": draw.pick(&["web", "pos", "app"])},
        "outcome": {
            "network_status": if failed { "declined_by_network" } else { "approved_by_network" },
            "reason": null,
            "risk_level": "normal",
            "risk_score": draw.below(65),
            "seller_message": "Payment complete.",
            "type": if failed { "issuer_declined" } else { "authorized" },
        },
        "paid": !failed,
        "payment_method": draw::id("pm_", world.seed, index),
        "payment_method_details": {
            "card": {
                "brand": draw.pick(&["visa", "mastercard", "amex"]),
                "checks": {"address_line1_check": null, "cvc_check": "pass"},
                "country": "US",
                "exp_month": draw.between(1, 12),
                "exp_year": draw.between(2026, 2031),
                "fingerprint": draw.hex(),
                "last4": format!("{:04}", draw.below(10_000)),
                "network": "visa",
                "three_d_secure": null,
            },
            "type": "card",
        },
        "receipt_email": null,
        "refunded": refunded > 0 && refunded == amount,
        "source": null,
        "status": if failed { "failed" } else { "succeeded" },
        "transfer_group": null,
    });
    if draw.one_in(5) {
        record["shipping"] = json!({"carrier": "DHL", "name": name, "tracking_number": draw.hex()});
    }
    mark_revision(&mut record, world.revision("charges", index));
    record
}

pub(super) fn customer(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "customer", index);
    let mut record = json!({
        "id": id_of("customers", world, index),
        "object": "customer",
        "address": if draw.one_in(4) { Value::Null } else { json!({"city": "Køge", "country": "DK", "postal_code": "04600"}) },
        "balance": int(draw.below(20_000)) - 10_000,
        "created": world.created(index),
        "currency": draw.pick(CURRENCIES),
        "default_source": null,
        "delinquent": draw.one_in(15),
        "description": if draw.one_in(2) { Value::Null } else { json!(draw.company()) },
        "discount": null,
        "email": format!("customer{index}@example.com"),
        "invoice_prefix": draw.hex(),
        "invoice_settings": {
            "custom_fields": if draw.one_in(3) { json!([{"name": "VAT", "value": format!("DK{index}")}]) } else { Value::Null },
            "default_payment_method": null,
            "footer": null,
        },
        "livemode": false,
        "metadata": {},
        "name": draw.person(),
        "next_invoice_sequence": draw.between(1, 90),
        "phone": null,
        "preferred_locales": if draw.one_in(2) { json!(["da", "en-GB"]) } else { json!([]) },
        "shipping": null,
        "tax_exempt": draw.pick(&["none", "exempt", "reverse"]),
    });
    mark_revision(&mut record, world.revision("customers", index));
    record
}

pub(super) fn invoice(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "invoice", index);
    let created = world.created(index);
    let id = id_of("invoices", world, index);
    let count = LINES.count(index);
    let first = LINES.before(index);
    let lines: Vec<Value> =
        (first..first + count).take(EMBEDDED).map(|line_at| line(world, line_at)).collect();
    let total: u64 = (first..first + count).map(|line_at| line_amount(world, line_at)).sum();
    let paid = !draw.one_in(6);
    let mut record = json!({
        "id": id,
        "object": "invoice",
        "account_country": "US",
        "amount_due": total,
        "amount_paid": if paid { total } else { 0 },
        "amount_remaining": if paid { 0 } else { total },
        "attempt_count": draw.below(4),
        "attempted": true,
        "auto_advance": false,
        "billing_reason": "subscription_cycle",
        "collection_method": "charge_automatically",
        "created": created,
        "currency": "usd",
        "custom_fields": null,
        "customer": id_of("customers", world, customer_of(world.seed, index)),
        "customer_name": draw.person(),
        "default_tax_rates": [],
        "discounts": if draw.one_in(7) { json!([draw::id("di_", world.seed, index)]) } else { json!([]) },
        "due_date": if paid { Value::Null } else { json!(created + 30 * 86_400) },
        "lines": {
            "object": "list",
            "data": lines,
            "has_more": count > 10,
            "total_count": count,
            "url": format!("/v1/invoices/{id}/lines"),
        },
        "livemode": false,
        "metadata": {},
        "number": format!("{:08X}-{index:04}", draw.below(0xFFFF_FFFF)),
        "paid": paid,
        "period_end": created,
        "period_start": created - 30 * 86_400,
        "status": if paid { "paid" } else { "open" },
        "status_transitions": {
            "finalized_at": created + 3_600,
            "marked_uncollectible_at": null,
            "paid_at": if paid { json!(created + 3_700) } else { Value::Null },
            "voided_at": null,
        },
        "subscription": id_of("subscriptions", world, index),
        "subtotal": total,
        "tax": null,
        "total": total,
        "total_tax_amounts": [],
        "webhooks_delivered_at": null,
    });
    mark_revision(&mut record, world.revision("invoices", index));
    record
}

fn line_amount(world: &World, index: u64) -> u64 {
    Draw::new(world.seed, "line amount", index).between(0, 90_000)
}

pub(super) fn line(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "line", index);
    let invoice = LINES.parent(index);
    let created = world.created(invoice);
    let prorated = draw.one_in(4);
    json!({
        "id": draw::id("il_", world.seed, index),
        "object": "line_item",
        "amount": line_amount(world, index),
        "amount_excluding_tax": line_amount(world, index),
        "currency": "usd",
        "description": format!("{} × Seat (at $10.00 / month)", draw.between(1, 9)),
        "discount_amounts": [],
        "discountable": !prorated,
        "discounts": [],
        "livemode": false,
        "metadata": {},
        "period": {"end": created, "start": created - 30 * 86_400},
        "price": price(world, draw.below(12)),
        "proration": prorated,
        "proration_details": {"credited_items": null},
        "quantity": draw.between(1, 9),
        "subscription": id_of("subscriptions", world, invoice),
        "tax_amounts": if draw.one_in(3) { json!([{"amount": draw.below(900), "inclusive": false, "tax_rate": "txr_1"}]) } else { json!([]) },
        "tax_rates": [],
        "type": "subscription",
        "unit_amount_excluding_tax": format!("{}.{:04}", draw.below(1_000), draw.below(10_000)),
    })
}

fn price(world: &World, index: u64) -> Value {
    json!({
        "id": draw::id("price_", world.seed, index),
        "object": "price",
        "active": true,
        "billing_scheme": "per_unit",
        "created": world.first_created,
        "currency": "usd",
        "product": draw::id("prod_", world.seed, index),
        "recurring": {"interval": "month", "interval_count": 1, "trial_period_days": null, "usage_type": "licensed"},
        "type": "recurring",
        "unit_amount": 1_000 + index,
        "unit_amount_decimal": format!("{}.5", 1_000 + index),
    })
}

pub(super) fn subscription(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "subscription", index);
    let created = world.created(index);
    let id = id_of("subscriptions", world, index);
    let count = ITEMS.count(index);
    let first = ITEMS.before(index);
    let items: Vec<Value> =
        (first..first + count).take(EMBEDDED).map(|item_at| item(world, item_at)).collect();
    let canceled = if is_canceled(index) { json!(created + 86_400) } else { Value::Null };
    let mut record = json!({
        "id": id,
        "object": "subscription",
        "application_fee_percent": if draw.one_in(3) { json!(2.5) } else { Value::Null },
        "automatic_tax": {"enabled": draw.one_in(2)},
        "billing_cycle_anchor": created,
        "cancel_at_period_end": draw.one_in(8),
        "canceled_at": canceled,
        "collection_method": "charge_automatically",
        "created": created,
        "currency": "usd",
        "current_period_end": created + 30 * 86_400,
        "current_period_start": created,
        "customer": id_of("customers", world, customer_of(world.seed, index)),
        "ended_at": canceled,
        "items": {
            "object": "list",
            "data": items,
            "has_more": count > 10,
            "total_count": count,
            "url": format!("/v1/subscription_items?subscription={id}"),
        },
        "latest_invoice": id_of("invoices", world, index),
        "livemode": false,
        "metadata": {"plan tier": draw.pick(&["gold", "silver"])},
        "start_date": created,
        "status": subscription_status(index),
        "trial_end": null,
    });
    mark_revision(&mut record, world.revision("subscriptions", index));
    record
}

pub(super) fn item(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "item", index);
    let subscription = ITEMS.parent(index);
    json!({
        "id": draw::id("si_", world.seed, index),
        "object": "subscription_item",
        "billing_thresholds": null,
        "created": world.created(subscription),
        "metadata": {},
        "price": price(world, draw.below(12)),
        "quantity": draw.between(1, 40),
        "subscription": id_of("subscriptions", world, subscription),
        "tax_rates": [],
    })
}

pub(super) fn payout(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "payout", index);
    let created = world.created(index);
    let mut record = json!({
        "id": id_of("payouts", world, index),
        "object": "payout",
        "amount": draw.between(1_000, 9_000_000),
        "arrival_date": created + 2 * 86_400,
        "automatic": !is_manual(index),
        "balance_transaction": draw::id("txn_p", world.seed, index),
        "created": created,
        "currency": "usd",
        "description": "STRIPE PAYOUT",
        "destination": draw::id("ba_", world.seed, index),
        "failure_balance_transaction": null,
        "failure_code": null,
        "livemode": false,
        "metadata": {},
        "method": "standard",
        "reconciliation_status": if is_manual(index) { "not_applicable" } else { "completed" },
        "source_type": "card",
        "statement_descriptor": null,
        "status": draw.pick(&["paid", "paid", "in_transit"]),
        "type": "bank_account",
    });
    mark_revision(&mut record, world.revision("payouts", index));
    record
}

pub(super) fn transaction(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "transaction", index);
    let created = world.created(TRANSACTIONS.parent(index));
    let amount = int(draw.between(100, 500_000));
    let fee = amount * 29 / 1_000 + 30;
    json!({
        "id": draw::id("txn_", world.seed, index),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": created + 2 * 86_400,
        "created": created,
        "currency": "usd",
        "description": null,
        "exchange_rate": if draw.one_in(6) { json!(1.08345) } else { Value::Null },
        "fee": fee,
        "fee_details": [{"amount": fee, "application": null, "currency": "usd", "description": "Stripe processing fees", "type": "stripe_fee"}],
        "net": amount - fee,
        "reporting_category": "charge",
        "source": draw::id("ch_", world.seed, index),
        "status": "available",
        "type": "charge",
    })
}
