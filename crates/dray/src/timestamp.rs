//! ISO 8601 timestamps, without allocation. What counts as one is dlt's rule (dlt.md §3.1): a date and a time.

const MICROS: i64 = 1_000_000;

/// Microseconds since 1970 of a timestamp with date and time; digits below a microsecond are cut off, a missing offset is UTC.
#[must_use]
pub(crate) fn parse(text: &[u8]) -> Option<i64> {
    let mut reader = Reader { rest: text };
    let days = reader.date()?;
    if !matches!(reader.take(), Some(b'T' | b't' | b' ')) {
        return None;
    }
    let micros = reader.time()?;
    let offset = reader.offset()?;
    if reader.rest.is_empty() { Some(days * 86_400 * MICROS + micros - offset) } else { None }
}

/// Days since 1970 of `YYYY-MM-DD`.
#[must_use]
pub(crate) fn parse_date(text: &[u8]) -> Option<i32> {
    let mut reader = Reader { rest: text };
    let days = reader.date()?;
    if reader.rest.is_empty() { i32::try_from(days).ok() } else { None }
}

/// Microseconds since midnight of `HH:MM[:SS[.f]]`.
#[must_use]
pub(crate) fn parse_time(text: &[u8]) -> Option<i64> {
    let mut reader = Reader { rest: text };
    let micros = reader.time()?;
    if reader.rest.is_empty() { Some(micros) } else { None }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn take(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn take_if(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.take();
        }
        found
    }

    fn number(&mut self, digits: usize) -> Option<i64> {
        let (number, rest) = self.rest.split_at_checked(digits)?;
        let mut value = 0;
        for byte in number {
            if !byte.is_ascii_digit() {
                return None;
            }
            value = value * 10 + i64::from(byte - b'0');
        }
        self.rest = rest;
        Some(value)
    }

    fn two(&mut self, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        self.number(2).filter(|value| range.contains(value))
    }

    /// Days since 1970, by Howard Hinnant's count from civil dates.
    fn date(&mut self) -> Option<i64> {
        let year = self.number(4).filter(|year| *year >= 1)?;
        let dashes = self.take_if(b'-');
        let month = self.two(1..=12)?;
        if self.take_if(b'-') != dashes {
            return None;
        }
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 => 28 + i64::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let day = self.two(1..=length)?;
        let year = if month <= 2 { year - 1 } else { year };
        let era = year / 400;
        let year_of_era = year % 400;
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
    }

    /// Microseconds since midnight.
    fn time(&mut self) -> Option<i64> {
        let hour = self.two(0..=23)?;
        let colons = self.peek() == Some(b':');
        let mut micros = hour * 3600 * MICROS;
        if !(colons || self.peek().is_some_and(|byte| byte.is_ascii_digit())) {
            return Some(micros);
        }
        self.take_if(b':');
        micros += self.two(0..=59)? * 60 * MICROS;
        let seconds =
            if colons { self.take_if(b':') } else { self.peek().is_some_and(|byte| byte.is_ascii_digit()) };
        if seconds {
            micros += self.two(0..=59)? * MICROS + self.fraction()?;
        }
        Some(micros)
    }

    fn fraction(&mut self) -> Option<i64> {
        if !matches!(self.peek(), Some(b'.' | b',')) {
            return Some(0);
        }
        self.take();
        let mut unit = MICROS / 10;
        let mut micros = 0;
        let before = self.rest.len();
        while let Some(byte) = self.peek().filter(u8::is_ascii_digit) {
            micros += i64::from(byte - b'0') * unit;
            unit /= 10;
            self.take();
        }
        if self.rest.len() == before { None } else { Some(micros) }
    }

    fn offset(&mut self) -> Option<i64> {
        match self.take() {
            None | Some(b'Z' | b'z') => Some(0),
            Some(sign @ (b'+' | b'-')) => {
                let hours = self.two(0..=23)?;
                self.take_if(b':');
                let minutes = if self.rest.is_empty() { 0 } else { self.two(0..=59)? };
                let offset = (hours * 60 + minutes) * 60 * MICROS;
                Some(if sign == b'-' { -offset } else { offset })
            }
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dlt_takes_for_a_timestamp() {
        // Seconds from `date -u -d ... +%s`.
        for (text, seconds) in [
            ("2024-01-01T00:00:00Z", 1_704_067_200),
            ("2024-01-01 00:00:00", 1_704_067_200),
            ("2024-01-01T02:00:00+02:00", 1_704_067_200),
            ("2016-06-05T17:38:06-0700", 1_465_173_486),
            ("2024-01-01T00:00", 1_704_067_200),
            ("20240101T000000Z", 1_704_067_200),
            ("20240101T00", 1_704_067_200),
            ("1969-12-31T23:59:59Z", -1),
            ("2024-02-29T12:00:00Z", 1_709_208_000),
        ] {
            assert_eq!(parse(text.as_bytes()), Some(seconds * MICROS), "{text}");
        }
        assert_eq!(parse(b"1970-01-01T00:00:00.123456789Z"), Some(123_456));
    }

    #[test]
    fn what_stays_text() {
        for text in [
            "2024-01-01",
            "20240101",
            "2024",
            "2024-01",
            "2024/01/02",
            "12:30:00",
            "2024-W01-1",
            "2024-001",
            "1700000000",
            "P1D",
            "2024-01-01T24:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-01-01T00:00:00 x",
            "",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn dates_and_times() {
        assert_eq!(parse_date(b"2024-01-01"), Some(19_723));
        assert_eq!(parse_time(b"01:02:03.5"), Some(3_723_500_000));
    }
}
