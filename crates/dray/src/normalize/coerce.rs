//! A JSON scalar meets a column: dlt's coercions (dlt.md §3.3), without its losses.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::column::{ColumnValues, DECIMAL_PRECISION};
use crate::json::{Document, Kind, NodeId};
use crate::schema::DataType;
use crate::timestamp;

/// Digits after the point of a decimal that no double can hold: dlt's default.
const DECIMAL_SCALE: i8 = 9;

/// Integers up to here are exact as a double.
pub(super) const EXACT: i64 = 1 << 53;

/// Digits that a double can have, written out to its end.
const DOUBLE_DIGITS: usize = 767;

/// A scalar, with what the tape knows of it.
#[derive(Clone, Copy)]
pub(super) struct Scalar<'a> {
    pub(super) document: &'a Document,
    pub(super) node: NodeId,
    pub(super) kind: Kind,
}

/// What became of a scalar that met a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is in the column.
    Fits,
    /// It is in the column, and is an integer that a double cannot hold.
    FitsInexact,
    /// A bigint column would have to become a double first.
    NeedsDouble,
    /// It belongs into a variant column of this type.
    Variant(DataType),
}

impl<'a> Scalar<'a> {
    fn raw(self) -> &'a [u8] {
        self.document.raw(self.node)
    }

    fn text(self) -> Cow<'a, str> {
        self.document.text(self.node).unwrap_or_default()
    }

    fn is_text(self) -> bool {
        matches!(self.kind, Kind::Plain | Kind::Escaped)
    }

    /// The type that a new column gets from its first value.
    pub(super) fn inferred(self) -> DataType {
        match self.kind {
            Kind::True | Kind::False => DataType::Bool,
            Kind::Integer if integer(self.raw()).is_some() => DataType::Bigint,
            Kind::Integer if decimal(self.raw(), 0).is_some() => DataType::Decimal { scale: 0 },
            Kind::Decimal if exact(self.raw()).is_some() => DataType::Double,
            Kind::Decimal if decimal(self.raw(), DECIMAL_SCALE).is_some() => {
                DataType::Decimal { scale: DECIMAL_SCALE }
            }
            Kind::Plain if is_timestamp(self.raw()) => DataType::Timestamp,
            Kind::Escaped if is_timestamp(self.text().as_bytes()) => DataType::Timestamp,
            _ => DataType::Text,
        }
    }

    /// The type of the variant column for a value that does not fit; timestamps are not guessed from text here.
    fn own_type(self) -> DataType {
        if self.is_text() { DataType::Text } else { self.inferred() }
    }

    /// Writes the value into row `row` of a column of type `data_type`, if it fits.
    pub(super) fn write(self, data_type: DataType, row: usize, values: &mut ColumnValues) -> Fit {
        let written = match data_type {
            DataType::Text => {
                self.write_text(row, values);
                true
            }
            DataType::Bigint => return self.write_bigint(row, values),
            DataType::Double => self.as_double().map(|value| values.push_double(row, value)).is_some(),
            DataType::Bool => self.as_bool().map(|value| values.push_bool(row, value)).is_some(),
            DataType::Timestamp => self.as_timestamp().map(|value| values.push_int(row, value)).is_some(),
            DataType::Date => self.as_date().map(|value| values.push_date(row, value)).is_some(),
            DataType::Time => {
                let time = if self.is_text() { timestamp::parse_time(self.text().as_bytes()) } else { None };
                time.map(|value| values.push_int(row, value)).is_some()
            }
            DataType::Decimal { scale } => {
                self.as_decimal(scale).map(|value| values.push_decimal(row, value)).is_some()
            }
            DataType::Json => {
                values.push_bytes(row, self.document.json(self.node).as_bytes());
                true
            }
            DataType::Binary => self.as_binary().map(|bytes| values.push_bytes(row, &bytes)).is_some(),
        };
        if written { Fit::Fits } else { Fit::Variant(self.own_type()) }
    }

    fn write_text(self, row: usize, values: &mut ColumnValues) {
        match self.kind {
            Kind::Escaped => values.push_bytes(row, self.text().as_bytes()),
            // As dlt writes them: Python's words.
            Kind::True => values.push_bytes(row, b"True"),
            Kind::False => values.push_bytes(row, b"False"),
            _ => values.push_bytes(row, self.raw()),
        }
    }

    fn write_bigint(self, row: usize, values: &mut ColumnValues) -> Fit {
        let value = match self.kind {
            Kind::Integer => integer(self.raw()),
            Kind::Decimal => whole(self.raw()),
            Kind::Plain | Kind::Escaped => number(self.text().trim()).and_then(integer),
            _ => None,
        };
        match value {
            Some(value) => {
                values.push_int(row, value);
                if value.abs_diff(0) <= EXACT.unsigned_abs() { Fit::Fits } else { Fit::FitsInexact }
            }
            None if self.kind == Kind::Decimal && exact(self.raw()).is_some() => Fit::NeedsDouble,
            None => Fit::Variant(self.own_type()),
        }
    }

    fn as_double(self) -> Option<f64> {
        match self.kind {
            Kind::Decimal => exact(self.raw()),
            Kind::Integer => exact_double(integer(self.raw())?),
            Kind::Plain | Kind::Escaped => number(self.text().trim()).and_then(exact),
            _ => None,
        }
    }

    fn as_bool(self) -> Option<bool> {
        match self.kind {
            Kind::True => Some(true),
            Kind::False => Some(false),
            Kind::Plain | Kind::Escaped => match self.text().trim().to_ascii_lowercase().as_str() {
                "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
                "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
                _ => None,
            },
            // Databases without booleans give these two; to dlt every other number is true as well.
            Kind::Integer => match self.raw() {
                b"1" => Some(true),
                b"0" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// Microseconds; a number is seconds since 1970, a date is its midnight.
    fn as_timestamp(self) -> Option<i64> {
        const DAY: i64 = 86_400_000_000;
        match self.kind {
            Kind::Plain | Kind::Escaped => {
                let text = self.text();
                let raw = text.as_bytes();
                timestamp::parse(raw).or_else(|| Some(i64::from(timestamp::parse_date(raw)?) * DAY))
            }
            Kind::Integer => integer(self.raw())?.checked_mul(1_000_000),
            Kind::Decimal => i64::try_from(decimal(self.raw(), 6)?).ok(),
            _ => None,
        }
    }

    fn as_date(self) -> Option<i32> {
        const DAY: i64 = 86_400_000_000;
        let text = self.text();
        timestamp::parse_date(text.as_bytes())
            .or_else(|| i32::try_from(timestamp::parse(text.as_bytes())?.div_euclid(DAY)).ok())
    }

    /// Bytes, which APIs write in base64, or in hexadecimal digits after `0x`.
    fn as_binary(self) -> Option<Vec<u8>> {
        if !self.is_text() {
            return None;
        }
        let text = self.text();
        let Some(digits) = text.strip_prefix("0x") else { return STANDARD.decode(text.as_bytes()).ok() };
        let pairs = digits.as_bytes().chunks(2);
        pairs
            .map(|pair| match pair {
                [high, low] => {
                    let digit =
                        |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                    Some(digit(*high)? * 16 + digit(*low)?)
                }
                _ => None,
            })
            .collect()
    }

    fn as_decimal(self, scale: i8) -> Option<i128> {
        match self.kind {
            Kind::Integer | Kind::Decimal => decimal(self.raw(), scale),
            Kind::Plain | Kind::Escaped => number(self.text().trim()).and_then(|text| decimal(text, scale)),
            _ => None,
        }
    }
}

/// Whether a text is taken for a timestamp unasked: not with a small `t` or `z`, as in dlt.
fn is_timestamp(text: &[u8]) -> bool {
    timestamp::parse(text).is_some() && !text.iter().any(u8::is_ascii_lowercase)
}

/// A text that may be read as a number: `007` is none, its zeros would be lost.
fn number(text: &str) -> Option<&[u8]> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let padded =
        digits.strip_prefix('0').is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_digit()));
    (!padded).then_some(text.as_bytes())
}

/// A number of digits and an optional sign, if it fits 64 bits.
pub(super) fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first()? {
        (b'-', digits) => (true, digits),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value: i64 = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_sub(i64::from(digit))?;
    }
    if negative { Some(value) } else { value.checked_neg() }
}

/// `2.0` and `1e3` as integers; none where there is a fraction.
fn whole(text: &[u8]) -> Option<i64> {
    i64::try_from(decimal(text, 0)?).ok()
}

/// The number as a double; none where the double, written with as many digits, would not give the number back.
///
/// Up to 15 digits always come back. What a program wrote from a double of its own does too, however many digits it
/// wrote; a decimal of 20 digits does not, and would be changed in silence.
fn exact(text: &[u8]) -> Option<f64> {
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    if text.len() <= 15 && value.is_normal() {
        return Some(value);
    }
    let (digits, power) = significant(text)?;
    if digits.is_empty() {
        return Some(value);
    }
    if !value.is_finite() || value == 0.0 || digits.len() > DOUBLE_DIGITS {
        return None;
    }
    if digits.len() <= 15 && value.is_normal() {
        return Some(value);
    }
    let written = format!("{value:.*e}", digits.len() - 1);
    let (own, own_power) = significant(written.as_bytes())?;
    (own == digits && own_power == power).then_some(value)
}

/// The digits of a number from its first to its last that is not zero, and the power of ten of the first.
fn significant(text: &[u8]) -> Option<(Vec<u8>, i64)> {
    let end = text.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(text.len());
    let (mantissa, exponent) = text.split_at_checked(end)?;
    let exponent: i64 = match exponent.get(1..) {
        Some(exponent) => std::str::from_utf8(exponent).ok()?.parse().ok()?,
        None => 0,
    };
    let (mut digits, mut power, mut fraction) = (Vec::new(), exponent, false);
    for byte in mantissa {
        match byte {
            b'.' => fraction = true,
            b'0' if digits.is_empty() => power -= i64::from(fraction),
            b'0'..=b'9' => {
                // The first digit stands for ten to `power`; each further one before the point raises it.
                if digits.is_empty() {
                    power -= i64::from(fraction);
                } else {
                    power += i64::from(!fraction);
                }
                digits.push(*byte);
            }
            b'-' | b'+' => {}
            _ => return None,
        }
    }
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    Some((digits, power))
}

#[expect(clippy::cast_precision_loss, reason = "checked to be exact")]
fn exact_double(value: i64) -> Option<f64> {
    (value.abs_diff(0) <= EXACT.unsigned_abs()).then_some(value as f64)
}

/// The number times ten to `scale`, from its digits; none where a digit would be lost or there are more than 38.
pub(super) fn decimal(text: &[u8], scale: i8) -> Option<i128> {
    let (mantissa, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => {
            let (mantissa, exponent) = text.split_at_checked(at)?;
            let exponent = std::str::from_utf8(exponent.get(1..)?).ok()?;
            (mantissa, exponent.parse::<i32>().ok()?)
        }
        None => (text, 0),
    };
    let (negative, mantissa) = match mantissa.split_first()? {
        (b'-', digits) => (true, digits),
        _ => (false, mantissa),
    };
    let mut value: i128 = 0;
    let mut shift = i32::from(scale).checked_add(exponent)?;
    let mut fraction = false;
    let mut any = false;
    for byte in mantissa {
        match byte {
            b'.' if !fraction => fraction = true,
            b'0'..=b'9' => {
                any = true;
                value = value.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
                if fraction {
                    shift -= 1;
                }
            }
            _ => return None,
        }
    }
    if !any {
        return None;
    }
    while shift > 0 && value != 0 {
        value = value.checked_mul(10)?;
        shift -= 1;
    }
    while shift < 0 && value != 0 {
        if value % 10 != 0 {
            return None;
        }
        value /= 10;
        shift += 1;
    }
    let limit = 10_i128.pow(u32::from(DECIMAL_PRECISION));
    (value < limit).then_some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_keep_to_64_bits() {
        assert_eq!(integer(b"9223372036854775807"), Some(i64::MAX));
        assert_eq!(integer(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!(integer(b"9223372036854775808"), None);
        assert_eq!(integer(b""), None);
        assert_eq!(integer(b"1x"), None);
    }

    #[test]
    fn a_double_is_taken_where_it_gives_the_number_back() {
        for same in [
            "0.1",
            "-1.50",
            "0.30000000000000004",
            "0.10000000000000001",
            "1e308",
            "2.5e-8",
            "0.0",
            "-0e9",
            "0.1000000000000000055511151231257827",
            "100.0",
            "1.7976931348623157e308",
            "5e-324",
        ] {
            let value: f64 = same.parse().unwrap();
            assert_eq!(exact(same.as_bytes()), Some(value), "{same}");
        }
        for changed in [
            "12345678901234567.89",
            "0.12345678901234567890",
            "1e400",
            "-1e400",
            "1e-400",
            "123456789012345678e3",
            "1.23456789012e-320",
            "1234567890123456789012345678901234567890.5",
            "nan",
            "inf",
            "1e",
            "",
        ] {
            assert_eq!(exact(changed.as_bytes()), None, "{changed}");
        }
        assert_eq!(exact(format!("0.{}", "7".repeat(100_000)).as_bytes()), None);
    }

    #[test]
    fn decimals_come_from_their_digits() {
        assert_eq!(decimal(b"18446744073709551616", 0), Some(18_446_744_073_709_551_616));
        assert_eq!(decimal(b"-0.10", 9), Some(-100_000_000));
        assert_eq!(decimal(b"1.5e3", 0), Some(1500));
        assert_eq!(decimal(b"1.5", 0), None);
        assert_eq!(decimal(b"2.0", 0), Some(2));
        assert_eq!(decimal(&[b'9'; 39], 0), None);
        assert_eq!(decimal(b"0e999999", 0), Some(0));
    }
}
