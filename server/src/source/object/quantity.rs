//! Quantities: `100m`, `1.5Gi`, `2e3` (apimachinery `pkg/api/resource/quantity.go`, `ParseQuantity`).

use std::fmt;

use app::api::Text;
use serde::{Deserialize, Deserializer, de::Visitor};

/// A quantity as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quantity(pub Text);

impl Quantity {
    /// Kubernetes' `MilliValue()`: thousandths, rounded up. `None` if it is no quantity or negative.
    pub fn milli(&self) -> Option<u64> {
        parse(&self.0, 3)
    }

    /// Kubernetes' `Value()`: whole units, rounded up. `None` if it is no quantity or negative.
    pub fn value(&self) -> Option<u64> {
        parse(&self.0, 0)
    }
}

/// `text` times ten to the power of `scale`, rounded up, at most what Kubernetes' int64 holds.
fn parse(text: &str, scale: i32) -> Option<u64> {
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.contains('.') || text.is_empty() {
        return None;
    }
    let (base, exponent) = multiplier(suffix)?;
    let digits = format!("{whole}{}", fraction.trim_end_matches('0'));
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    let tens = scale - fraction.trim_end_matches('0').len() as i32 + if base == 10 { exponent } else { 0 };
    let twos = if base == 2 { exponent } else { 0 };
    Some(scaled(digits, tens, twos))
}

/// `digits` · 10^`tens` · 2^`twos`, rounded up and capped. Not zero, without leading zeros.
fn scaled(digits: &str, tens: i32, twos: i32) -> u64 {
    const MOST: u64 = i64::MAX as u64;
    if digits.len() as i32 + tens > 19 {
        return MOST;
    }
    // Digits beyond what an i128 can hold lie below the last place kept; any of them rounds up.
    let kept = digits.len().min(22);
    let (head, tail) = digits.split_at(kept);
    let tens = tens + tail.len() as i32;
    let Ok(mut value) = head.parse::<u128>() else { return MOST };
    let mut inexact = tail.bytes().any(|digit| digit != b'0');
    value = match value.checked_mul(1 << twos) {
        Some(value) => value,
        None => return MOST,
    };
    for _ in 0..tens.unsigned_abs().min(60) {
        if tens > 0 {
            value = value.saturating_mul(10);
        } else {
            inexact |= !value.is_multiple_of(10);
            value /= 10;
        }
    }
    value = value.saturating_add(u128::from(inexact));
    u64::try_from(value).unwrap_or(MOST).min(MOST)
}

/// Base and exponent of a suffix (`pkg/api/resource/suffix.go`).
fn multiplier(suffix: &str) -> Option<(u32, i32)> {
    Some(match suffix {
        "n" => (10, -9),
        "u" => (10, -6),
        "m" => (10, -3),
        "" => (10, 0),
        "k" => (10, 3),
        "M" => (10, 6),
        "G" => (10, 9),
        "T" => (10, 12),
        "P" => (10, 15),
        "E" => (10, 18),
        "Ki" => (2, 10),
        "Mi" => (2, 20),
        "Gi" => (2, 30),
        "Ti" => (2, 40),
        "Pi" => (2, 50),
        "Ei" => (2, 60),
        _ => (10, suffix.strip_prefix(['e', 'E'])?.parse::<i32>().ok()?.clamp(-1000, 1000)),
    })
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Quantity, D::Error> {
        deserializer.deserialize_any(QuantityVisitor)
    }
}

struct QuantityVisitor;

impl Visitor<'_> for QuantityVisitor {
    type Value = Quantity;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quantity")
    }

    fn visit_str<E>(self, text: &str) -> Result<Quantity, E> {
        Ok(Quantity(text.trim().into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Quantity, E> {
        Ok(Quantity(number.to_string().into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Quantity, E> {
        Ok(Quantity(number.to_string().into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Quantity, E> {
        Ok(Quantity(number.to_string().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_round_up_as_in_kubernetes() {
        const MOST: u64 = i64::MAX as u64;
        for (text, milli, value) in [
            ("0", Some(0), Some(0)),
            ("0.0", Some(0), Some(0)),
            ("000.50", Some(500), Some(1)),
            ("1", Some(1000), Some(1)),
            ("+1", Some(1000), Some(1)),
            ("100m", Some(100), Some(1)),
            ("1500m", Some(1500), Some(2)),
            ("0.1", Some(100), Some(1)),
            (".5", Some(500), Some(1)),
            ("1.", Some(1000), Some(1)),
            ("1n", Some(1), Some(1)),
            ("1000001n", Some(2), Some(1)),
            ("250u", Some(1), Some(1)),
            ("1k", Some(1_000_000), Some(1000)),
            ("2e3", Some(2_000_000), Some(2000)),
            ("2E3", Some(2_000_000), Some(2000)),
            ("25e-1", Some(2500), Some(3)),
            ("1E", Some(MOST), Some(1_000_000_000_000_000_000)),
            ("1.5Gi", Some(1_610_612_736_000), Some(1_610_612_736)),
            ("0.1Ki", Some(102_400), Some(103)),
            ("128974848", Some(128_974_848_000), Some(128_974_848)),
            ("129M", Some(129_000_000_000), Some(129_000_000)),
            ("7Ei", Some(MOST), Some(7 << 60)),
            ("8Ei", Some(MOST), Some(MOST)),
            ("99999999999999999999999999999999", Some(MOST), Some(MOST)),
            ("0.000000000000000000000000000000000001", Some(1), Some(1)),
            ("1e99999999", Some(MOST), Some(MOST)),
            ("1e-99999999", Some(1), Some(1)),
            ("1e-99", Some(1), Some(1)),
            ("", None, None),
            (".", Some(0), Some(0)),
            ("1.2.3", None, None),
            ("m", Some(0), Some(0)),
            ("-1", None, None),
            ("1KB", None, None),
            ("1 Gi", None, None),
            ("one", None, None),
        ] {
            let quantity = Quantity(text.into());

            assert_eq!((quantity.milli(), quantity.value()), (milli, value), "{text}");
        }
    }

    #[test]
    fn bare_numbers_are_quantities_too() {
        let quantity: Quantity = serde_json::from_str("2").expect("a number");
        assert_eq!(quantity.milli(), Some(2000));
        assert!(serde_json::from_str::<Quantity>("{}").is_err());
    }
}
