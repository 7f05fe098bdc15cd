//! Archive runs → what their pages show.

use jiff::Timestamp;

use super::view::archive::{ArchivePage, ArchiveRunPage, RunLine};
use super::view::shell::{Notice, Shell};
use super::view::times::Moment;
use super::view::visible::Visible;
use super::view::words::{count, size};
use crate::domain::archive_run::Occasion;
use crate::domain::calendar::local;
use crate::domain::person::Act;
use crate::domain::text::capitalised;
use crate::services::Viewer;
use crate::services::archive_runs::{MANIFEST, Run, Runs};

/// What anybody wrote, with hidden characters marked.
fn shown(text: &str) -> String {
    Visible::new(text).into_line()
}

fn line(run: &Run, now: Timestamp) -> RunLine {
    let row = &run.row;
    let counts = |said: &crate::domain::archive_run::RunManifest| {
        (said.files.len(), said.not_captured.len())
    };
    RunLine {
        id: row.id.0,
        account: run.account.name.clone(),
        occasion: row.occasion.label(),
        state: run.state(),
        is_done: row.ended.is_some(),
        at: Moment::new(row.ended.map_or(row.wanted.0, |end| end.at), now),
        counts: run.manifest.as_ref().map(counts),
        problem: row.problem.clone(),
    }
}

/// The list.
pub fn list(shell: Shell, notice: Option<Notice>, runs: Runs, now: Timestamp) -> ArchivePage {
    let accounts = runs.accounts.into_iter().map(|(account, next)| {
        (account.key.as_str().to_owned(), account.name, next.map(|day| day.to_string()))
    });
    let occasions = Occasion::BY_HAND.iter().map(|occasion| (occasion.id(), occasion.label()));
    ArchivePage {
        shell,
        notice,
        accounts: accounts.collect(),
        occasions: occasions.collect(),
        runs: runs.runs.iter().map(|run| line(run, now)).collect(),
    }
}

/// One run.
pub fn one(
    shell: Shell,
    notice: Option<Notice>,
    run: Run,
    viewer: &Viewer,
    now: Timestamp,
) -> ArchiveRunPage {
    let day = |at: Timestamp| local(at).date().to_string();
    let row = &run.row;
    let mut facts = vec![
        ("Varför", capitalised(row.occasion.label())),
        ("Begärd", format!("{} av {}", day(row.wanted.0), row.wanted.1)),
    ];
    if let Some(due) = row.due {
        facts.push(("Riktlinjens dag", due.to_string()));
    }
    if !row.note.is_empty() {
        facts.push(("Anteckning", shown(&row.note)));
    }
    if let Some(end) = row.ended {
        facts.push(("Innehåll", format!("{} till {}", day(end.content_from), day(end.content_to))));
        facts.push(("I loggen", format!("post {}", end.log_seq)));
    }
    if let Some(said) = &run.manifest {
        let n = format!("{} egna inlägg, {} andra texter", said.n_posts, said.n_items);
        facts.push(("Omfattning", n));
        if said.n_filled > 0 {
            let texts =
                count(usize::try_from(said.n_filled).unwrap_or(usize::MAX), "text", "texter");
            facts.push(("Hämtat i efterhand", texts));
        }
    }
    let said = run.manifest.as_ref();
    let files = said.map_or(&[][..], |said| said.files.as_slice()).iter().map(|file| {
        let size = size(file.size_bytes);
        (file.name.clone(), file.kind.label(), size, file.sha256.to_hex())
    });
    let gaps = said.map_or(&[][..], |said| said.not_captured.as_slice());
    ArchiveRunPage {
        shell,
        notice,
        run: line(&run, now),
        key: run.account.key.as_str().to_owned(),
        facts,
        files: files.collect(),
        manifest: MANIFEST,
        gaps: gaps.iter().map(|gap| (shown(&gap.what), shown(&gap.why))).collect(),
        cut_off: run.cut_off,
        may_fetch: viewer.may(Act::ReadEvidence),
        delivered: row.delivered.as_ref().map(|(day, receipt)| (day.to_string(), shown(receipt))),
        may_edit: run.may_edit,
        today: day(now),
    }
}
