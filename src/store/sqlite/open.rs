//! The one opener: pragmas, upgrade in one transaction, a newer database refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, Migrations};

use super::value::{at, rows};
use crate::runtime::private;
use crate::store::Condition;
use crate::store::error::StoreError;

/// Numbered, never edited after a release; each file says why it is there. A database counts how many it has
/// had, so a new one stands last: put between two, it would never run where these have.
const MIGRATIONS: &[M<'static>] = &[
    M::up(include_str!("migrations/0001_ground.sql")),
    M::up(include_str!("migrations/0002_counts_and_authors.sql")),
    M::up(include_str!("migrations/0003_cases_by_account.sql")),
    M::up(include_str!("migrations/0004_line_chains.sql")),
    M::up(include_str!("migrations/0005_seen_signatures.sql")),
    M::up(include_str!("migrations/0006_likeness_and_rules.sql")),
    M::up(include_str!("migrations/0007_tree.sql")),
    M::up(include_str!("migrations/0008_places_and_lifts.sql")),
    M::up(include_str!("migrations/0009_bars.sql")),
    M::up(include_str!("migrations/0011_custody.sql")),
    M::up(include_str!("migrations/0012_claims.sql")),
    M::up(include_str!("migrations/0013_notices.sql")),
    M::up(include_str!("migrations/0014_handed_out.sql")),
    M::up(include_str!("migrations/0015_search.sql")),
    M::up(include_str!("migrations/0018_rules_at_hand.sql")),
    M::up(include_str!("migrations/0019_kept.sql")),
    M::up(include_str!("migrations/0020_swept.sql")),
    M::up(include_str!("migrations/0022_account_cards.sql")),
    M::up(include_str!("migrations/0023_crises.sql")),
    M::up(include_str!("migrations/0024_together.sql")),
    M::up(include_str!("migrations/0030_notices_again.sql")),
    M::up(include_str!("migrations/0031_police_version.sql")),
    M::up(include_str!("migrations/0032_recorded_by.sql")),
    M::up(include_str!("migrations/0040_answered_for.sql")),
    M::up(include_str!("migrations/0033_exchanges.sql")),
    M::up(include_str!("migrations/0035_archive_runs.sql")),
    M::up(include_str!("migrations/0037_secrecy.sql")),
    M::up(include_str!("migrations/0038_clock.sql")),
    M::up(include_str!("migrations/0039_vanished.sql")),
    M::up(include_str!("migrations/0041_together_again.sql")),
    M::up(include_str!("migrations/0042_cards_kept.sql")),
    M::up(include_str!("migrations/0050_handovers.sql")),
    M::up(include_str!("migrations/0051_public_reports.sql")),
    M::up(include_str!("migrations/0052_subjects.sql")),
    M::up(include_str!("migrations/0053_veiled.sql")),
    M::up(include_str!("migrations/0060_saved_replies.sql")),
    M::up(include_str!("migrations/0061_saved_filters.sql")),
    M::up(include_str!("migrations/0062_publishers.sql")),
    M::up(include_str!("migrations/0063_mentions.sql")),
    M::up(include_str!("migrations/0070_connections.sql")),
    M::up(include_str!("migrations/0075_read_again.sql")),
    M::up(include_str!("migrations/0076_audit_by_name.sql")),
    M::up(include_str!("migrations/0043_sign_in.sql")),
    M::up(include_str!("migrations/0047_api_keys.sql")),
    M::up(include_str!("migrations/0048_hooks.sql")),
    M::up(include_str!("migrations/0064_policy_versions.sql")),
    M::up(include_str!("migrations/0065_decided_under.sql")),
    M::up(include_str!("migrations/0077_hooks_are_quick.sql")),
    M::up(include_str!("migrations/0066_pointed_at.sql")),
    M::up(include_str!("migrations/0044_rule_versions.sql")),
    M::up(include_str!("migrations/0045_judged_findings.sql")),
    M::up(include_str!("migrations/0049_report_mails.sql")),
    M::up(include_str!("migrations/0054_policy_bases.sql")),
    M::up(include_str!("migrations/0055_account_safety.sql")),
    M::up(include_str!("migrations/0067_incident_steps.sql")),
    M::up(include_str!("migrations/0046_a_million.sql")),
    M::up(include_str!("migrations/0080_log_by_case.sql")),
];

/// Databases that have had fewer of them were written without `secure_delete`.
const OVERWRITING_SINCE: u32 = 16;

/// How long a connection waits for another process's lock. Only a backup or a person with
/// `sqlite3` can hold one: the daemon's own lock keeps other daemons out.
const BUSY_MS: u64 = 5_000;

/// What each reading connection keeps of the file, in kB. With a million cases four of 16 MB were a third of what the
/// service held at rest, and no page was quicker by it.
const READER_KB: i64 = 4_000;

/// Opens for writing and brings the schema up to date.
pub(in crate::store) fn for_writing(path: &Path) -> Result<Connection, StoreError> {
    let open = |source| StoreError::Open { path: path.to_owned(), source };
    // Made here, since SQLite would let everybody on the machine read it; its side files get the
    // same mode. Where that fails, opening fails too and tells why.
    drop(private::options().write(true).create(true).truncate(false).open(path));
    let mut connection = Connection::open(path).map_err(open)?;
    prepare(&connection).map_err(open)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(open)?;
    // FULL: a seal, a decision or an audit line that was acknowledged survives a power cut.
    connection.pragma_update(None, "synchronous", "FULL").map_err(open)?;
    // Freed space is overwritten, from the first page on: SQLite leaves copies of what it moves, and what is
    // disposed of would lie there in clear.
    connection.pragma_update(None, "secure_delete", true).map_err(open)?;
    let had: u32 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(open)?;
    // Before it is brought up to date, so that a crash between leaves a database that says it is still to be done.
    if (1..OVERWRITING_SINCE).contains(&had) {
        connection.execute_batch("vacuum").map_err(open)?;
    }
    let migrations = Migrations::from_slice(MIGRATIONS);
    migrations.to_latest(&mut connection).map_err(|source| match source {
        rusqlite_migration::Error::MigrationDefinition(
            rusqlite_migration::MigrationDefinitionError::DatabaseTooFarAhead,
        ) => StoreError::Newer { path: path.to_owned() },
        source => StoreError::Upgrade { path: path.to_owned(), source },
    })?;
    connection.pragma_update(None, "foreign_keys", true).map_err(open)?;
    Ok(connection)
}

/// Opens for reading alone.
pub(in crate::store) fn for_reading(path: &Path) -> Result<Connection, StoreError> {
    let open = |source| StoreError::Open { path: path.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(open)?;
    prepare(&connection).map_err(open)?;
    connection.pragma_update(None, "query_only", true).map_err(open)?;
    // Beside the writer's: there are several, and what one has not the system's own cache has.
    connection.pragma_update(None, "cache_size", -READER_KB).map_err(open)?;
    Ok(connection)
}

/// The same, but opened as if for writing: of what is opened for reading alone SQLite keeps no constraints in mind,
/// and so holds no row against them.
pub(in crate::store) fn for_checking(path: &Path) -> Result<Connection, StoreError> {
    let open = |source| StoreError::Open { path: path.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(open)?;
    prepare(&connection).map_err(open)?;
    connection.pragma_update(None, "query_only", true).map_err(open)?;
    Ok(connection)
}

/// Tables, indexes and triggers as the program makes them, or as they are: what each is called, and its words.
fn schema(c: &Connection) -> Result<BTreeMap<String, String>, StoreError> {
    let sql = "select type || ' ' || name, sql from sqlite_master where sql is not null";
    Ok(rows(&mut c.prepare_cached(sql)?, [], |row| Ok((row.get(0)?, row.get(1)?)))?
        .into_iter()
        .collect())
}

/// What is wrong with the database itself, in Swedish: pages and indexes that contradict one another, and tables,
/// indexes and triggers that are not those the program makes. Reads all of it.
pub(in crate::store) fn damage(c: &Connection) -> Result<Vec<String>, StoreError> {
    const MOST: usize = 10;
    let mut found: Vec<String> =
        rows(&mut c.prepare_cached("pragma integrity_check(10)")?, [], |row| {
            Ok(row.get::<_, String>(0)?)
        })?;
    // The words for searching are taken in a while after what they are of, and are made anew from it.
    found.retain(|line| line != "ok" && !line.starts_with("fts5:"));
    let mut found: Vec<_> = found.iter().map(|line| format!("SQLite: {line}")).collect();
    let lost = "select \"table\", rowid, parent from pragma_foreign_key_check() limit 11";
    found.extend(rows(&mut c.prepare_cached(lost)?, [], |row| {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        let number = row.get::<_, Option<i64>>(1)?.map_or(String::new(), |n| format!(", rad {n}"));
        Ok(format!("tabellen {table}{number}: det som den hör till i {parent} saknas"))
    })?);
    let mut own = Connection::open_in_memory()?;
    let made = Migrations::from_slice(MIGRATIONS).to_latest(&mut own);
    made.map_err(|source| StoreError::Upgrade { path: PathBuf::from(":memory:"), source })?;
    let (ours, theirs) = (schema(&own)?, schema(c)?);
    for (name, words) in &ours {
        match theirs.get(name) {
            Some(known) if known == words => {}
            Some(_) => found.push(format!("{name} är ändrad")),
            None => found.push(format!("{name} saknas")),
        }
    }
    let strange = theirs.keys().filter(|name| !ours.contains_key(*name));
    found.extend(strange.map(|name| format!("{name} hör inte till Uppsikt")));
    if found.len() > MOST {
        let more = found.len() - MOST;
        found.truncate(MOST);
        found.push(format!("och {more} till"));
    }
    Ok(found)
}

/// How a database lies there. Opens it for reading alone, and makes none.
pub(in crate::store) fn condition(path: &Path) -> Result<Condition, StoreError> {
    if !path.exists() {
        return Ok(Condition { exists: false, pending: 0, last_seen: None });
    }
    let c = for_reading(path)?;
    let have: u64 = c.query_row("pragma user_version", [], |row| row.get(0))?;
    let pending = (MIGRATIONS.len() as u64).saturating_sub(have);
    // What an older one has no table for it knows nothing of.
    let newest =
        |sql: &str| c.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).ok().flatten();
    let seen = [
        "select max(at) from (select at from log order by seq desc limit 1)",
        "select max(at) from (select at from audit order by id desc limit 1)",
        "select max(hour) from looks",
    ];
    let last_seen = seen.into_iter().filter_map(newest).max().map(at).transpose()?;
    Ok(Condition { exists: true, pending, last_seen })
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_millis(BUSY_MS))?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "cache_size", -16_000)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(())
}
