//! The table of operations against itself and the document.

use super::*;

#[test]
fn every_operation_has_its_own_name_and_is_described() {
    let operations = &table().operations;
    let mut ids: Vec<_> = operations.iter().map(|operation| operation.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), operations.len(), "two have the same name");
    for operation in operations {
        let named = operation.path.matches('{').count();
        let path = operation.parameters.iter().filter(|p| p.place == Place::Path).count();
        assert_eq!(named, path, "{}", operation.path);
        assert!(operation.parameters.iter().all(|p| !p.text.is_empty()), "{}", operation.path);
        let open = matches!(operation.path, "/openapi.json" | "/key");
        assert_eq!(operation.scope.is_none(), open, "{} demands no scope", operation.path);
        let once = operation.parameters.iter().any(|p| p.name == ONCE_HEADER);
        assert!(!once || operation.method == Method::POST, "{}", operation.path);
    }
}

#[test]
fn every_schema_that_is_pointed_to_is_known() {
    fn targets(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(target) = fields.get("$ref").and_then(Value::as_str) {
                    found.push(target.rsplit('/').next().unwrap_or_default().to_owned());
                }
                fields.values().for_each(|value| targets(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| targets(value, found)),
            _ => {}
        }
    }
    let known = &table().known.0;
    let mut found = Vec::new();
    known.values().for_each(|schema| targets(schema, &mut found));
    assert!(found.len() > 10, "{found:?}");
    for name in found {
        assert!(known.contains_key(name.as_str()), "{name} is not known");
    }
}

#[test]
fn paths_are_told_apart_from_those_beside_them() {
    let of = |path: &str| {
        let found = table().operations.iter().filter(|o| o.matches(path).is_some());
        found.map(|operation| operation.id).collect::<Vec<_>>()
    };
    assert_eq!(of("/cases"), ["listCases"]);
    assert_eq!(of("/cases/7"), ["readCase"]);
    assert_eq!(of("/cases/7/decisions/9/undo"), ["undo"]);
    assert_eq!(of("/cases/"), ["readCase"], "an empty number is refused by its schema");
    assert!(of("/cases/7/annat").is_empty() && of("").is_empty() && of("/").is_empty());
}
