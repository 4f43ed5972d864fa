//! The values of one column on their way to Arrow.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, Field};

use crate::schema::{Column, DataType};

/// Digits of the widest decimal.
pub(super) const DECIMAL_PRECISION: u8 = 38;

/// The values of one column of the rows that are not yet handed on.
///
/// Nulls are added late: a row that has no value for the column costs nothing until the next one that has.
#[derive(Debug)]
pub(super) struct ColumnValues {
    valid: Vec<bool>,
    any: bool,
    values: Values,
}

#[derive(Debug)]
enum Values {
    /// Text, JSON and binary.
    Bytes {
        offsets: Vec<i32>,
        data: Vec<u8>,
    },
    /// Bigint, timestamp and time.
    Int(Vec<i64>),
    Double(Vec<f64>),
    Bool(Vec<bool>),
    Date(Vec<i32>),
    Decimal(Vec<i128>),
}

impl ColumnValues {
    pub(super) fn new(data_type: DataType) -> Self {
        let values = match data_type {
            DataType::Text | DataType::Json | DataType::Binary => {
                Values::Bytes { offsets: vec![0], data: Vec::new() }
            }
            DataType::Bigint | DataType::Timestamp | DataType::Time => Values::Int(Vec::new()),
            DataType::Double => Values::Double(Vec::new()),
            DataType::Bool => Values::Bool(Vec::new()),
            DataType::Date => Values::Date(Vec::new()),
            DataType::Decimal { .. } => Values::Decimal(Vec::new()),
        };
        Self { valid: Vec::new(), any: false, values }
    }

    /// Rows that have a value or a null here so far.
    pub(super) fn len(&self) -> usize {
        self.valid.len()
    }

    /// Whether there is a value at all.
    pub(super) fn any(&self) -> bool {
        self.any
    }

    pub(super) fn push_bytes(&mut self, row: usize, bytes: &[u8]) {
        self.prepare(row);
        if let Values::Bytes { offsets, data } = &mut self.values {
            data.extend_from_slice(bytes);
            // A batch is handed on long before 2 GiB.
            offsets.push(i32::try_from(data.len()).unwrap_or(i32::MAX));
        }
    }

    pub(super) fn push_int(&mut self, row: usize, value: i64) {
        self.prepare(row);
        if let Values::Int(values) = &mut self.values {
            values.push(value);
        }
    }

    pub(super) fn push_double(&mut self, row: usize, value: f64) {
        self.prepare(row);
        if let Values::Double(values) = &mut self.values {
            values.push(value);
        }
    }

    pub(super) fn push_bool(&mut self, row: usize, value: bool) {
        self.prepare(row);
        if let Values::Bool(values) = &mut self.values {
            values.push(value);
        }
    }

    pub(super) fn push_date(&mut self, row: usize, value: i32) {
        self.prepare(row);
        if let Values::Date(values) = &mut self.values {
            values.push(value);
        }
    }

    pub(super) fn push_decimal(&mut self, row: usize, value: i128) {
        self.prepare(row);
        if let Values::Decimal(values) = &mut self.values {
            values.push(value);
        }
    }

    /// A bigint column goes on as a double.
    #[expect(clippy::cast_precision_loss, reason = "the caller knows that every value is exact")]
    pub(super) fn widen_to_double(&mut self) {
        if let Values::Int(values) = &self.values {
            self.values = Values::Double(values.iter().map(|value| *value as f64).collect());
        }
    }

    /// Drops what the row `row` already has (a doubled key: the last one counts) and everything after it.
    pub(super) fn truncate(&mut self, row: usize) {
        if row >= self.valid.len() {
            return;
        }
        self.valid.truncate(row);
        match &mut self.values {
            Values::Bytes { offsets, data } => {
                offsets.truncate(row + 1);
                data.truncate(offsets.last().and_then(|end| usize::try_from(*end).ok()).unwrap_or(0));
            }
            Values::Int(values) => values.truncate(row),
            Values::Double(values) => values.truncate(row),
            Values::Bool(values) => values.truncate(row),
            Values::Date(values) => values.truncate(row),
            Values::Decimal(values) => values.truncate(row),
        }
    }

    /// Fills up with nulls to `row`, and notes that a value follows.
    fn prepare(&mut self, row: usize) {
        if self.valid.len() != row {
            self.truncate(row);
            self.pad(row);
        }
        self.valid.push(true);
        self.any = true;
    }

    fn pad(&mut self, rows: usize) {
        self.valid.resize(rows, false);
        match &mut self.values {
            Values::Bytes { offsets, data } => {
                offsets.resize(rows + 1, i32::try_from(data.len()).unwrap_or(i32::MAX));
            }
            Values::Int(values) => values.resize(rows, 0),
            Values::Double(values) => values.resize(rows, 0.0),
            Values::Bool(values) => values.resize(rows, false),
            Values::Date(values) => values.resize(rows, 0),
            Values::Decimal(values) => values.resize(rows, 0),
        }
    }

    /// Hands on `rows` rows and starts again, empty.
    pub(super) fn finish(&mut self, rows: usize, column: &Column) -> Result<(Field, ArrayRef), ArrowError> {
        self.pad(rows);
        let taken = std::mem::replace(self, Self::new(column.data_type));
        let nulls = if taken.valid.contains(&false) {
            Some(NullBuffer::new(BooleanBuffer::from(taken.valid)))
        } else {
            None
        };
        let array: ArrayRef = match taken.values {
            Values::Bytes { offsets, data } => {
                let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
                let data = Buffer::from_vec(data);
                if column.data_type == DataType::Binary {
                    Arc::new(BinaryArray::try_new(offsets, data, nulls)?)
                } else {
                    Arc::new(StringArray::try_new(offsets, data, nulls)?)
                }
            }
            Values::Int(values) => match column.data_type {
                DataType::Timestamp => {
                    Arc::new(TimestampMicrosecondArray::try_new(values.into(), nulls)?.with_timezone("UTC"))
                }
                DataType::Time => Arc::new(Time64MicrosecondArray::try_new(values.into(), nulls)?),
                _ => Arc::new(Int64Array::try_new(values.into(), nulls)?),
            },
            Values::Double(values) => Arc::new(Float64Array::try_new(values.into(), nulls)?),
            Values::Bool(values) => Arc::new(BooleanArray::new(BooleanBuffer::from(values), nulls)),
            Values::Date(values) => Arc::new(Date32Array::try_new(values.into(), nulls)?),
            Values::Decimal(values) => {
                let scale = if let DataType::Decimal { scale } = column.data_type { scale } else { 0 };
                let array = Decimal128Array::try_new(values.into(), nulls)?;
                Arc::new(array.with_precision_and_scale(DECIMAL_PRECISION, scale)?)
            }
        };
        Ok((Field::new(&column.name, array.data_type().clone(), true), array))
    }
}
