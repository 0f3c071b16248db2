//! Quantities as they stand in an object; what they mean is in [`app::quantity`].

use std::fmt;

use app::{api::Text, quantity};
use serde::{Deserialize, Deserializer, de::Visitor};

/// A quantity as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quantity(pub Text);

impl Quantity {
    /// Kubernetes' `MilliValue()`: thousandths, rounded up. `None` if it is no quantity or negative.
    pub fn milli(&self) -> Option<u64> {
        quantity::milli(&self.0)
    }

    /// Kubernetes' `Value()`: whole units, rounded up. `None` if it is no quantity or negative.
    pub fn value(&self) -> Option<u64> {
        quantity::value(&self.0)
    }

    /// Billionths, to be added up before they are rounded. `None` if it is no quantity or negative.
    pub fn nano(&self) -> Option<u128> {
        quantity::nano(&self.0)
    }
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
    fn bare_numbers_are_quantities_too() {
        let quantity: Quantity = serde_json::from_str("2").expect("a number");
        assert_eq!(quantity.milli(), Some(2000));
        assert!(serde_json::from_str::<Quantity>("{}").is_err());
    }
}
