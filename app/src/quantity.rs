//! Quantities: `100m`, `1.5Gi`, `2e3` (apimachinery `pkg/api/resource/quantity.go`, `ParseQuantity`).

/// What Kubernetes' int64 holds.
const MOST: u128 = i64::MAX as u128;
/// Billionths in a whole; nothing finer is kept.
pub const NANO: u128 = 1_000_000_000;

/// Kubernetes' `MilliValue()`: thousandths, rounded up. `None` if it is no quantity or negative.
pub fn milli(text: &str) -> Option<u64> {
    parse(text, 3, MOST).map(|value| value as u64)
}

/// Kubernetes' `Value()`: whole units, rounded up. `None` if it is no quantity or negative.
pub fn value(text: &str) -> Option<u64> {
    parse(text, 0, MOST).map(|value| value as u64)
}

/// Billionths, to be added up before they are rounded. `None` if it is no quantity or negative.
pub fn nano(text: &str) -> Option<u128> {
    parse(text, 9, MOST * NANO)
}

/// `text` times ten to the power of `scale`, rounded up and at most `most`.
fn parse(text: &str, scale: i32, most: u128) -> Option<u128> {
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
    Some(scaled(digits, tens, twos).min(most))
}

/// `digits` · 10^`tens` · 2^`twos`, rounded up; beyond what a u128 holds, its largest. Not zero, without leading
/// zeros.
fn scaled(digits: &str, tens: i32, twos: i32) -> u128 {
    const MOST: u128 = u128::MAX;
    if digits.len() as i32 + tens > 38 {
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
    value.saturating_add(u128::from(inexact))
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
            assert_eq!((super::milli(text), super::value(text)), (milli, value), "{text}");
        }
    }

    #[test]
    fn sums_are_exact() {
        assert_eq!(nano("1.5"), Some(1_500_000_000));
        assert_eq!(nano("1n"), Some(1));
        assert_eq!(nano("1p"), None);
        assert_eq!(nano("16Ei"), Some(MOST * NANO));
        assert_eq!(nano("4Ei"), Some((4 << 60) * NANO));
    }
}
