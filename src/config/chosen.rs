//! `[policy]` of the settings: which policy, and what is said beside it.

use std::path::Path;

use jiff::SignedDuration;

use super::complaint::ConfigError;
use super::policy::ready::{Ready, standard};
use super::policy::{load, office as office_of, undo as undo_of};
use super::reader::Table;
use crate::domain::calendar::OfficeHours;
use crate::domain::policy::Policy;

/// The policy that a table names: a ready one by `name`, or one of the authority's own by `file`.
/// Nothing where it names none; an error where that one has faults, which are told then.
pub(super) fn named_policy(
    table: &mut Table<'_, '_>,
    by_name: &'static str,
    by_file: &'static str,
    folder: &Path,
) -> Result<Option<Policy>, ()> {
    let written = table.has(by_name) || table.has(by_file);
    let name = table.text(by_name);
    let file = table.text(by_file);
    if let (Some(_), Some(at)) = (&name, &file) {
        table.complain(at, format!("`{by_name}` och `{by_file}` går inte ihop: ta bort den ena"));
        return Err(());
    }
    let words: Vec<_> = Ready::ALL.iter().map(|ready| (ready.id(), *ready)).collect();
    let read = match (name, file) {
        (Some(at), _) => table.one_of(by_name, &at, &words).ok_or(())?.read(),
        (None, Some(at)) => {
            let file = folder.join(&at.value);
            let read = load(&file);
            if let Err(ConfigError::Unreadable { path, .. }) = &read {
                let what = format!(
                    "kan inte läsa riktlinjen {}: kontrollera att filen finns",
                    path.display()
                );
                table.complain(&at, what);
            }
            read
        }
        (None, None) => return if written { Err(()) } else { Ok(None) },
    };
    read.map(Some).map_err(|error| match error {
        ConfigError::Refused(complaints) => table.source.absorb(complaints),
        // Told above; a ready one is part of the program, so there is no file to miss.
        ConfigError::Unreadable { .. } => {}
    })
}

/// What `[policy]` says otherwise than the policy's own text; it holds for every version of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    undo: Option<SignedDuration>,
    office: Option<OfficeHours>,
}

impl Beside {
    /// The policy with it.
    pub fn on(self, mut policy: Policy) -> Policy {
        policy.undo = self.undo.unwrap_or(policy.undo);
        policy.office = self.office.unwrap_or(policy.office);
        policy
    }
}

/// The authority's policy, and what the section says beside it.
pub(super) fn chosen_policy(table: &mut Table<'_, '_>, folder: &Path) -> Option<(Policy, Beside)> {
    let read = match named_policy(table, "name", "file", folder) {
        Ok(Some(policy)) => Ok(policy),
        Ok(None) => standard().map_err(|error| match error {
            ConfigError::Refused(complaints) => table.source.absorb(complaints),
            ConfigError::Unreadable { .. } => {}
        }),
        Err(()) => Err(()),
    };
    // The rest of the section is checked against defaults even if the policy is refused.
    let (default_undo_s, default_office) = match &read {
        Ok(policy) => (policy.undo.as_secs().unsigned_abs(), policy.office),
        Err(()) => (0, Default::default()),
    };
    let undo = undo_of(table, default_undo_s);
    let office = office_of(table, default_office);
    let policy = read.ok()?;
    let (undo, office) = (undo?, office?);
    // What says the same as the policy does not hold against a later version of it.
    let beside = Beside {
        undo: (undo != policy.undo).then_some(undo),
        office: (office != policy.office).then_some(office),
    };
    Some((beside.on(policy), beside))
}
