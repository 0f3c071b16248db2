//! Seeded chance (splitmix64), and the names Kubernetes makes from chance and from hashes.

/// The alphabet of generated names: no vowels, so no words
/// (apimachinery `pkg/util/rand/rand.go`).
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn seeded(seed: u64) -> Random {
        Random(seed ^ 0x6d61_7374_6865_6164)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `from..to`, or `from` if that is empty.
    pub(super) fn between(&mut self, from: i64, to: i64) -> i64 {
        match u64::try_from(to - from) {
            Ok(width) if width > 0 => from + (self.next() % width) as i64,
            _ => from,
        }
    }

    /// What `generateName` appends.
    pub(super) fn suffix(&mut self, length: usize) -> String {
        let mut letter = || ALPHABET[(self.next() % ALPHABET.len() as u64) as usize] as char;
        (0..length).map(|_| letter()).collect()
    }

    pub(super) fn hex(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length + 16);
        while text.len() < length {
            text.push_str(&format!("{:016x}", self.next()));
        }
        text.truncate(length);
        text
    }

    /// A version 4 UUID.
    pub(super) fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            (b >> 48) & 0x3fff | 0x8000,
            b & 0xffff_ffff_ffff
        )
    }
}

/// A hash in Kubernetes' spelling: the decimal digits of 32 bits, each mapped into the alphabet
/// (apimachinery `rand.SafeEncodeString`). Ours hashes JSON where Go dumps the template, so the
/// values differ from a real cluster's while their shape and stability do not.
pub(super) fn template_hash(text: &str) -> String {
    let hash = fnv32(text.as_bytes()).to_string();
    hash.bytes().map(|digit| ALPHABET[digit as usize % ALPHABET.len()] as char).collect()
}

/// A digest which is the same whenever the text is.
pub(super) fn digest(text: &str) -> String {
    Random(u64::from(fnv32(text.as_bytes()))).hex(64)
}

fn fnv32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
