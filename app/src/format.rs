//! Pure text: ages, CPU, memory, lists, as kubectl prints them.

use std::borrow::Cow;

use crate::api::{
    ResourceList, Text, Timestamp,
    resource_list::{CPU, EPHEMERAL_STORAGE, HUGE_PAGES, MEMORY},
};

/// The AGE cell: `<unknown>` without a stamp, else [`duration`] since it
/// (`pkg/printers/internalversion/printers.go`, `translateTimestampSince`).
pub fn age(since: Option<Timestamp>, now: Timestamp) -> String {
    match since {
        None => "<unknown>".to_owned(),
        Some(since) => duration(now.0.saturating_sub(since.0)),
    }
}

/// apimachinery `pkg/util/duration`, `HumanDuration`, of whole seconds.
pub fn duration(seconds: i64) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    const YEAR: i64 = 365 * DAY;
    const LONGEST: i64 = i64::MAX / 1_000_000_000;
    let two = |big: i64, big_unit: char, small: i64, small_unit: char| {
        if small == 0 { format!("{big}{big_unit}") } else { format!("{big}{big_unit}{small}{small_unit}") }
    };
    // Go's durations end at 292 years (`time.Sub`)
    match seconds.clamp(-LONGEST, LONGEST) {
        ..-1 => "<invalid>".to_owned(),
        -1..0 => "0s".to_owned(),
        s if s < 2 * MINUTE => format!("{s}s"),
        s if s < 10 * MINUTE => two(s / MINUTE, 'm', s % MINUTE, 's'),
        s if s < 3 * HOUR => format!("{}m", s / MINUTE),
        s if s < 8 * HOUR => two(s / HOUR, 'h', s % HOUR / MINUTE, 'm'),
        s if s < 2 * DAY => format!("{}h", s / HOUR),
        s if s < 8 * DAY => two(s / DAY, 'd', s % DAY / HOUR, 'h'),
        s if s < 2 * YEAR => format!("{}d", s / DAY),
        s if s < 8 * YEAR => two(s / YEAR, 'y', s % YEAR / DAY, 'd'),
        s => format!("{}y", s / YEAR),
    }
}

/// `<none>` where kubectl prints that for an empty string.
pub fn or_none(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(if text.is_empty() { "<none>" } else { text })
}

/// CONTAINERS: the names, comma-joined.
pub fn containers(images: &[(Text, Text)]) -> String {
    images.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(",")
}

/// IMAGES: the images, comma-joined.
pub fn images(images: &[(Text, Text)]) -> String {
    images.iter().map(|(_, image)| image.as_str()).collect::<Vec<_>>().join(",")
}

/// CPU in thousandths of a core, as people write it: `250m`, `2`, `1500m`.
pub fn cpu(milli: u64) -> String {
    if milli.is_multiple_of(1000) { (milli / 1000).to_string() } else { format!("{milli}m") }
}

/// Bytes with a binary unit and at most one decimal: `512 MiB`, `1.5 GiB`.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let text = format!("{value:.1}");
    format!("{} {}", text.strip_suffix(".0").unwrap_or(&text), UNITS[unit])
}

/// An amount of a resource, as people write it.
pub fn amount(resource: &str, amount: u64) -> String {
    match resource {
        CPU => cpu(amount),
        MEMORY | EPHEMERAL_STORAGE => bytes(amount),
        name if name.starts_with(HUGE_PAGES) => bytes(amount),
        _ => amount.to_string(),
    }
}

/// `500m CPU, 1 GiB memory, 2 example.com/gpu`; without any `nothing`.
pub fn resources(list: &ResourceList) -> String {
    let name = |name: &str| if name == CPU { "CPU".to_owned() } else { name.to_owned() };
    let amounts: Vec<_> =
        list.iter().map(|(of, much)| format!("{} {}", amount(of, much), name(of))).collect();
    if amounts.is_empty() { "nothing".to_owned() } else { amounts.join(", ") }
}

/// Control and bidirectional-override characters as visible escapes, so that cluster data cannot
/// pretend to be something else; everything else as it is.
pub fn visible(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    text.chars()
        .map(|c| if hidden(c) { c.escape_unicode().to_string() } else { c.to_string() })
        .collect::<String>()
        .into()
}

/// A long name cut in the middle: `example-deploy…-x7k2p`. At most `limit` characters.
pub fn middle(name: &str, limit: usize) -> Cow<'_, str> {
    let length = name.chars().count();
    if length <= limit || limit < 3 {
        return Cow::Borrowed(name);
    }
    let tail = (limit - 1) * 2 / 5;
    let head = limit - 1 - tail;
    let start: String = name.chars().take(head).collect();
    let end: String = name.chars().skip(length - tail).collect();
    format!("{start}…{end}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_print_as_human_duration_does() {
        let (m, h, d) = (60, 3600, 86_400);
        for (seconds, text) in [
            (-3600, "<invalid>"),
            (-2, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (2 * m, "2m"),
            (2 * m + 1, "2m1s"),
            (10 * m - 1, "9m59s"),
            (10 * m, "10m"),
            (3 * h - 1, "179m"),
            (3 * h, "3h"),
            (3 * h + m, "3h1m"),
            (8 * h - 1, "7h59m"),
            (8 * h, "8h"),
            (2 * d - 1, "47h"),
            (2 * d, "2d"),
            (2 * d + h, "2d1h"),
            (8 * d - 1, "7d23h"),
            (8 * d, "8d"),
            (2 * 365 * d - 1, "729d"),
            (2 * 365 * d, "2y"),
            (2 * 365 * d + d, "2y1d"),
            (8 * 365 * d - 1, "7y364d"),
            (8 * 365 * d, "8y"),
            (80 * 365 * d, "80y"),
        ] {
            assert_eq!(duration(seconds), text, "{seconds} s");
        }
        assert_eq!(age(None, Timestamp(0)), "<unknown>");
        assert_eq!(age(Some(Timestamp(i64::MIN)), Timestamp(i64::MAX)), duration(i64::MAX));
    }

    #[test]
    fn quantities_read_as_people_write_them() {
        assert_eq!(cpu(250), "250m");
        assert_eq!(cpu(2000), "2");
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(512 << 20), "512 MiB");
        assert_eq!(bytes(3 << 29), "1.5 GiB");
        assert_eq!(bytes(u64::MAX), "16777216 TiB");
    }

    #[test]
    fn hidden_characters_become_visible() {
        assert_eq!(visible("plain\ttext"), "plain\ttext");
        assert_eq!(visible("a\u{202e}b\u{1b}[31m"), "a\\u{202e}b\\u{1b}[31m");
    }

    #[test]
    fn long_names_keep_both_ends() {
        assert_eq!(middle("short", 12), "short");
        assert_eq!(middle("example-deployment-randomforest-x7k2p", 15), "example-d…x7k2p");
    }
}
