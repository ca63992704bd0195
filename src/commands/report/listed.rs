//! A list that is cut off, so that memory does not grow with the store.

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

/// The first items of a list, and how many there are.
pub struct Listed<T> {
    pub items: Vec<T>,
    pub total: u64,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { items: Vec::new(), total: 0 }
    }
}

impl<T> Listed<T> {
    pub fn add(&mut self, limit: usize, item: impl FnOnce() -> T) {
        self.total += 1;
        if self.items.len() < limit {
            self.items.push(item());
        }
    }

    pub const fn left_out(&self) -> u64 {
        self.total - self.items.len() as u64
    }
}

impl<T: Serialize> Serialize for Listed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut listed = serializer.serialize_struct("Listed", 2)?;
        listed.serialize_field("total", &self.total)?;
        listed.serialize_field("listed", &self.items)?;
        listed.end()
    }
}
