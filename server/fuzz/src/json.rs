//! Changes JSON as JSON. Bytes changed by chance are hardly ever JSON again, and an object that cannot be read says
//! little about what is made of those that can.

use serde_json::{Map, Value, json};

/// Values that have gone wrong somewhere before.
fn odd(chance: &mut Chance) -> Value {
    let all = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(i32::MIN),
        json!(i32::MAX),
        json!(0.5),
        json!(""),
        json!("a"),
        json!("a\nb\t\u{1b}[31m\u{202e}"),
        json!("100%"),
        json!("-9223372036854775808%"),
        json!("1e999"),
        json!("9Ei"),
        json!("0001-01-01T00:00:00Z"),
        json!("-009999-01-01T00:00:00Z"),
        json!("9999-12-31T23:59:59.999999999-23:59"),
        json!("<zz"),
        json!("e\u{301}\u{fffd}\u{10ffff}"),
        json!("a".repeat(70)),
        json!([]),
        json!({}),
    ];
    all[chance.below(all.len())].clone()
}

/// Numbers by chance, the same for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % most.max(1) as u64).unwrap_or_default()
    }
}

/// A line of JSON behind its first byte, changed; nothing where it is no JSON. Of several lines one is chosen.
pub fn changed(text: &str, seed: u32) -> Option<String> {
    let mut chance = Chance((u64::from(seed) << 16) | 0x9e37);
    chance.below(1);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let (one, other) = (chance.below(lines.len()), chance.below(lines.len()));
    let second = json_of(lines.get(other)?);
    let line = lines.get_mut(one)?;
    let mut value = json_of(line)?;
    let before = value.clone();
    for _ in 0..=chance.below(4) {
        let from = if chance.below(2) == 0 { &before } else { second.as_ref().unwrap_or(&before) };
        change(&mut value, from, &mut chance);
    }
    let head = line.chars().next()?;
    *line = format!("{head}{value}");
    if chance.below(8) == 0 {
        let copy = lines[other].clone();
        lines.insert(one, copy);
    }
    Some(lines.join("\n"))
}

/// What stands behind the first byte of a line, and of the first line behind that.
fn json_of(line: &str) -> Option<Value> {
    serde_json::from_str(line.get(1..)?).ok()
}

fn change(value: &mut Value, from: &Value, chance: &mut Chance) {
    let count = size(value);
    let at = chance.below(count);
    let node = nth(value, &mut { at }).expect("it has so many");
    match chance.below(6) {
        0 | 1 => *node = odd(chance),
        2 => {
            let mut from = from.clone();
            let at = chance.below(size(&from));
            *node = nth(&mut from, &mut { at }).expect("it has so many").take();
        }
        3 => match node {
            Value::Array(items) if !items.is_empty() => {
                let item = items[chance.below(items.len())].clone();
                items.push(item);
            }
            Value::String(text) => {
                let twice = text.repeat(2);
                *text = twice;
            }
            _ => *node = odd(chance),
        },
        4 => match node {
            Value::Array(items) if !items.is_empty() => _ = items.remove(chance.below(items.len())),
            Value::Object(fields) if !fields.is_empty() => remove(fields, chance),
            _ => *node = Value::Null,
        },
        _ => match node {
            Value::Object(fields) => add(fields, from, chance),
            Value::Number(_) => *node = json!(chance.below(300)),
            _ => *node = odd(chance),
        },
    }
}

fn remove(fields: &mut Map<String, Value>, chance: &mut Chance) {
    let at = chance.below(fields.len());
    if let Some(key) = fields.keys().nth(at).cloned() {
        fields.remove(&key);
    }
}

/// A field that some other object has.
fn add(fields: &mut Map<String, Value>, from: &Value, chance: &mut Chance) {
    let mut from = from.clone();
    let at = chance.below(size(&from));
    if let Some(Value::Object(others)) = nth(&mut from, &mut { at }) {
        fields.extend(std::mem::take(others));
    }
}

fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields.values().map(size).sum(),
        _ => 0,
    }
}

/// The node at a place, counted from the root.
fn nth<'a>(value: &'a mut Value, at: &mut usize) -> Option<&'a mut Value> {
    if *at == 0 {
        return Some(value);
    }
    *at -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, at)),
        Value::Object(fields) => fields.values_mut().find_map(|field| nth(field, at)),
        _ => None,
    }
}
