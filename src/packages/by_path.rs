//! Values by paths.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Values by paths, in the paths' order. (One kind of map for all kinds of values: each kind of `BTreeMap` is code of its own.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByPath<T> {
    places: BTreeMap<PathBuf, usize>,
    values: Vec<T>,
}

impl<T> Default for ByPath<T> {
    fn default() -> ByPath<T> {
        ByPath { places: BTreeMap::new(), values: Vec::new() }
    }
}

impl<T> ByPath<T> {
    /// The value of a path.
    pub fn get(&self, path: &Path) -> Option<&T> {
        self.values.get(*self.places.get(path)?)
    }

    /// The value of a path, which is made if there is none.
    pub fn get_or(&mut self, path: PathBuf, make: impl FnOnce() -> T) -> Option<&mut T> {
        let place = *self.places.entry(path).or_insert(self.values.len());
        if place == self.values.len() {
            self.values.push(make());
        }
        self.values.get_mut(place)
    }

    /// Sets the value of a path.
    pub fn insert(&mut self, path: PathBuf, value: T) {
        let place = self.values.len();
        self.values.push(value);
        self.places.insert(path, place);
    }

    /// The paths with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &T)> {
        self.places.iter().filter_map(|(path, place)| Some((path.as_path(), self.values.get(*place)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_a_path_is_its_value_and_the_first_one_that_is_made() {
        let mut values = ByPath::default();
        values.insert("/b".into(), 1);
        values.insert("/a".into(), 2);
        values.insert("/b".into(), 3);
        assert_eq!(values.get_or("/b".into(), || 9), Some(&mut 3));
        assert_eq!(values.get_or("/c".into(), || 4), Some(&mut 4));
        let all: Vec<_> = values.iter().collect();
        assert_eq!(all, [(Path::new("/a"), &2), (Path::new("/b"), &3), (Path::new("/c"), &4)]);
        assert_eq!(values.get(Path::new("/d")), None);
    }
}
