//! Making JSON. (Of the macro `json!` each field is code of its own, and there are a hundred.)

use std::borrow::Cow;
use std::path::Path;

use serde_json::Value;

/// An object of fields.
pub(super) fn object(fields: &mut [(&str, Value)]) -> Value {
    Value::Object(
        fields.iter_mut().map(|(name, value)| ((*name).to_owned(), std::mem::take(value))).collect(),
    )
}

/// Adds a field to an object.
pub(super) fn put(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(name.to_owned(), value);
    }
}

/// A text.
pub(super) fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

/// A text, or null.
pub(super) fn optional(text: Option<&str>) -> Value {
    text.map_or(Value::Null, self::text)
}

/// A path. What of it is not UTF-8 is replaced.
pub(super) fn path(path: &Path) -> Value {
    Value::String(path.to_string_lossy().into_owned())
}

/// A list of texts.
pub(super) fn texts<'a>(texts: &mut dyn Iterator<Item = Cow<'a, str>>) -> Value {
    Value::Array(texts.map(|text| Value::String(text.into_owned())).collect())
}

/// A document, as people can read it as well.
pub(super) fn document(document: &Value) -> String {
    format!("{document:#}\n")
}
