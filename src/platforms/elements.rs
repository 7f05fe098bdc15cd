//! Reading the elements of a list one by one, so that one that is damaged hides none of the others.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::domain::item::{Batch, Unreadable};
use crate::platforms::json;

/// Which list it is, for whoever has to find the fault.
#[derive(Clone, Copy, Debug)]
pub struct List<'a> {
    /// Its name at the platform, and the page where that is known.
    pub name: &'a str,
    /// What its elements should look like, in Swedish: "Facebooks beskrivning av ett inlägg".
    pub shape: &'a str,
}

impl List<'_> {
    /// What could not be read, as it came. `index` counts from nought.
    pub fn unreadable(&self, index: usize, error: &serde_json::Error, raw: &[u8]) -> Unreadable {
        Unreadable {
            place: format!("{}, element {}", self.name, index + 1),
            problem: format!("svarar inte mot {}: {}", self.shape, json::place(error)),
            raw: raw.to_vec(),
        }
    }

    /// Each element with its bytes as received. What cannot be read is kept in the batch.
    pub fn read<'t, T: DeserializeOwned>(
        &self,
        elements: &[&'t RawValue],
        batch: &mut Batch,
    ) -> Vec<(T, &'t [u8])> {
        let mut read = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            let raw = element.get().as_bytes();
            match json::decode(element.get()) {
                Ok(value) => read.push((value, raw)),
                Err(error) => batch.unreadable.push(self.unreadable(index, &error, raw)),
            }
        }
        read
    }
}

/// Those elements that can be read, where something is looked for among them and nothing is kept.
pub fn readable<'t, T: DeserializeOwned>(
    elements: &[&'t RawValue],
) -> impl DoubleEndedIterator<Item = (T, &'t [u8])> {
    elements
        .iter()
        .filter_map(|element| Some((json::decode(element.get()).ok()?, element.get().as_bytes())))
}
