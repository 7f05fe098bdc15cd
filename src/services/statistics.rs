//! How the work goes (*statistik*): a page with charts and their tables, the same as a table to fetch, and a report
//! for the public. Counted from the facts of [`reports`](super::reports), by the same code.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::calendar::local;
use crate::domain::category::Category;
use crate::domain::dossier::{Chapter, Dossier};
use crate::domain::ground::Ground;
use crate::domain::person::Act;
use crate::domain::report::{Counts, Facts, Span};
use crate::domain::statistics::{
    PartyFact, Share, Spread, Statistics, Took, length_words, suppressed,
};
use crate::domain::supervision::{day_after, midnight};
use crate::domain::text::capitalised;

use super::dossiers::rendered;
use super::{ServiceError, Services, Viewer};

/// One row of a table with its bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What is counted.
    pub label: String,
    /// The figures, in the order of the columns.
    pub figures: Vec<String>,
    /// The bar: so much.
    pub bar: u64,
}

/// How a part is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// Columns beside each other, over time.
    OverTime,
    /// A bar in each row.
    Rows,
}

/// One part of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Identifier in addresses and tables.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What has to be known to read it.
    pub note: String,
    /// How it is drawn.
    pub drawn: Drawn,
    /// Headings of the columns, the first for the labels.
    pub columns: Vec<&'static str>,
    /// The rows.
    pub rows: Vec<Row>,
    /// The greatest that a bar can be.
    pub full: u64,
}

/// The page.
#[derive(Clone, Debug)]
pub struct Board {
    /// Of what.
    pub span: Span,
    /// Its first and last day.
    pub days: (Date, Date),
    /// When it was counted.
    pub at: Timestamp,
    /// Whether the span is not over.
    pub is_under_way: bool,
    /// Its parts.
    pub parts: Vec<Part>,
}

fn category_words(category: Option<Category>) -> String {
    category.map_or_else(|| "utan träff".to_owned(), |category| category.label().to_owned())
}

fn part(
    id: &'static str,
    title: &'static str,
    note: impl Into<String>,
    columns: Vec<&'static str>,
    rows: Vec<Row>,
) -> Part {
    let full = rows.iter().map(|row| row.bar).max().unwrap_or_default().max(1);
    Part { id, title, note: note.into(), drawn: Drawn::Rows, columns, rows, full }
}

fn counted(label: impl Into<String>, n: u64) -> Row {
    Row { label: label.into(), figures: vec![n.to_string()], bar: n }
}

fn shared(label: impl Into<String>, share: Share) -> Row {
    let figures = vec![share.all.to_string(), share.of_kind.to_string(), share.words()];
    Row { label: label.into(), figures, bar: share.per_mille().unwrap_or_default() }
}

/// Shares are drawn against the whole, so that a small one looks small.
fn of_the_whole(part: Part) -> Part {
    Part { full: 1_000, ..part }
}

fn spread(id: &'static str, title: &'static str, what: &str, spread: &Spread) -> Part {
    let median = spread.median.map(length_words);
    let note = match median {
        Some(median) => format!("{what} Hälften tog högst {median}."),
        None => what.to_owned(),
    };
    let of = |took: &Took| spread.counts.get(took).copied().unwrap_or_default();
    let rows = Took::ALL.iter().map(|took| counted(took.label(), of(took))).collect();
    part(id, title, note, vec!["Tid", "Ärenden"], rows)
}

/// What the public is told: heading, rows with figures that may be left out.
type Told = Vec<(String, Vec<(String, String)>)>;

const TOO_FEW: &str = "färre än 5, eller utelämnat";

fn told(rows: Vec<(String, u64)>) -> Vec<(String, String)> {
    let figures: Vec<_> = rows.iter().map(|(_, n)| *n).collect();
    let kept = suppressed(&figures);
    let words = |n: Option<u64>| n.map_or_else(|| TOO_FEW.to_owned(), |n| n.to_string());
    rows.into_iter().zip(kept).map(|((label, _), n)| (label, words(n))).collect()
}

impl Services {
    /// The figures of a month or a year.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where it lies ahead.
    pub async fn statistics(&self, viewer: &Viewer, span: Span) -> Result<Board, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let now = self.inner.clock.now();
        let (facts, days) = self.begun(span).await?;
        let counts = Counts::of(&facts, now);
        let figures = Statistics::of(span, &facts);
        let parties = self.parties(days).await?;
        let names = self.account_names(viewer).await?;
        let over_time = figures.over_time.iter().map(|stretch| Row {
            label: stretch.label.clone(),
            figures: [stretch.items, stretch.cases, stretch.decided]
                .map(|n| n.to_string())
                .to_vec(),
            bar: stretch.items,
        });
        let over_time = part(
            "inflode",
            "Inflöde",
            "Kommentarer, inlägg och meddelanden från andra, efter när Uppsikt hämtade dem.",
            vec!["Tid", "Inkommet", "Nya ärenden", "Beslut"],
            over_time.collect(),
        );
        let accounts = counts.inflow.iter().map(|(key, (n, _))| {
            let name = names.iter().find(|(known, _)| known == key.as_ref());
            counted(name.map_or_else(|| key.to_string(), |(_, name)| name.clone()), *n)
        });
        let categories =
            figures.removed.iter().map(|(c, share)| counted(category_words(*c), share.all));
        let kept = counts.deadlines;
        let deadlines = vec![
            counted("beslutade i tid", kept.kept),
            counted("beslutade för sent", kept.late),
            counted("inte beslutade, fristen ute", kept.overdue),
            counted("inte beslutade, tid kvar", kept.open),
            counted("genast, beslutade inom en timme", kept.within_an_hour),
            counted(
                "genast, senare eller inte än",
                kept.at_once.saturating_sub(kept.within_an_hour),
            ),
        ];
        let kept_note = match counts.kept_percent() {
            Some(percent) => format!(
                "Av de ärenden som har beslutats eller vars frist har gått ut beslutades {percent} procent i tid. Det som skulle beslutas genast är i tid om det beslutades inom en timme."
            ),
            None => "Ingen frist har gått ut än.".to_owned(),
        };
        let workload = figures.weekdays.iter().map(|(day, opened, decided)| Row {
            label: (*day).to_owned(),
            figures: vec![opened.to_string(), decided.to_string()],
            bar: *opened,
        });
        let by = |map: &std::collections::BTreeMap<Option<Category>, Share>| {
            map.iter().map(|(c, share)| shared(category_words(*c), *share)).collect::<Vec<_>>()
        };
        let parts = vec![
            Part { drawn: Drawn::OverTime, ..over_time },
            part("konton", "Per konto", "", vec!["Konto", "Inkommet"], accounts.collect()),
            part(
                "kategorier",
                "Ärenden efter kategori",
                "Efter den gravaste träffen.",
                vec!["Kategori", "Ärenden"],
                categories.collect(),
            ),
            spread(
                "titt",
                "Tid till första titt",
                "Från att ärendet öppnades tills någon först läste det.",
                &figures.first_look,
            ),
            spread(
                "beslut",
                "Tid till beslut",
                "Från att ärendet öppnades tills någon först beslutade.",
                &figures.decision,
            ),
            part("frister", "Frister", kept_note, vec!["Utfall", "Ärenden"], deadlines),
            of_the_whole(part(
                "falsklarm",
                "Falska larm",
                "Beslutade ärenden, och hur många av dem som avfärdades.",
                vec!["Kategori", "Beslutade", "Avfärdade", "Andel"],
                by(&figures.dismissed),
            )),
            part(
                "arbete",
                "Arbetsmängd",
                "Nya ärenden och beslut efter veckodag. Ingen räknas för sig.",
                vec!["Veckodag", "Nya ärenden", "Beslut"],
                workload.collect(),
            ),
            of_the_whole(part(
                "balans-kategori",
                "Åsiktsbalans: dolt eller borttaget efter kategori",
                "Andelen av ärendena som doldes eller togs bort.",
                vec!["Kategori", "Ärenden", "Dolda eller borttagna", "Andel"],
                by(&figures.removed),
            )),
            of_the_whole(part(
                "balans-parti",
                "Åsiktsbalans: dolt eller borttaget efter parti som nämns",
                "Allt som har kommit in och som nämner partiet vid namn, också det som aldrig blev ett ärende. Texter räknas, aldrig personer. Gallrade och spärrade texter är inte med.",
                vec!["Parti", "Texter", "Dolda eller borttagna", "Andel"],
                parties.iter().map(|fact| shared(fact.party.label(), fact.share)).collect(),
            )),
        ];
        let is_under_way = days.1 >= local(now).date();
        Ok(Board { span, days, at: now, is_under_way, parts })
    }

    /// The facts of a span that has begun.
    async fn begun(&self, span: Span) -> Result<(Facts, (Date, Date)), ServiceError> {
        let (facts, days) = self.facts(span).await?;
        if days.0 > local(self.inner.clock.now()).date() {
            return Err(ServiceError::Refused {
                why: "Tiden ligger framåt. Välj en annan.".into(),
            });
        }
        Ok((facts, days))
    }

    async fn parties(&self, days: (Date, Date)) -> Result<Vec<PartyFact>, ServiceError> {
        let (from, to) = (midnight(days.0), day_after(days.1));
        Ok(self.inner.store.party_facts(from, to).await?)
    }

    /// The page as a table.
    ///
    /// # Errors
    /// As [`Services::statistics`].
    pub async fn statistics_csv(
        &self,
        viewer: &Viewer,
        span: Span,
    ) -> Result<Vec<u8>, ServiceError> {
        let board = self.statistics(viewer, span).await?;
        let of = span.id();
        let mut cells = Vec::new();
        for part in board.parts {
            for row in part.rows {
                for (column, figure) in part.columns.iter().skip(1).zip(row.figures) {
                    let cells_of = [of.as_str(), part.title, row.label.as_str(), column, &figure];
                    cells.push(cells_of.map(str::to_owned).to_vec());
                }
            }
        }
        let head = ["tid", "avsnitt", "vad", "mått", "värde"];
        Ok(crate::formats::protocol::table(&head, cells))
    }

    /// What the public may be told: no figure that could point at somebody.
    async fn told_to_public(&self, viewer: &Viewer, span: Span) -> Result<Told, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let (facts, days) = self.begun(span).await?;
        let counts = Counts::of(&facts, self.inner.clock.now());
        let figures = Statistics::of(span, &facts);
        let parties = self.parties(days).await?;
        let categories = |of: fn(&Share) -> u64| {
            let rows = figures.removed.iter().map(|(c, share)| (category_words(*c), of(share)));
            told(rows.collect())
        };
        let grounds = counts.removals.iter().map(|(code, (hidden, deleted))| {
            let ground = code.and_then(Ground::from_code);
            let words = ground.map_or("utan angiven grund", Ground::label);
            (words.to_owned(), hidden + deleted)
        });
        let named = |of: fn(&Share) -> u64| {
            told(
                parties
                    .iter()
                    .map(|fact| (fact.party.label().to_owned(), of(&fact.share)))
                    .collect(),
            )
        };
        let kept = counts.kept_percent().map_or_else(|| "–".to_owned(), |n| format!("{n} procent"));
        let total = told(vec![
            ("Inkommet".into(), facts.items.len() as u64),
            ("Ärenden".into(), facts.cases.len() as u64),
        ]);
        let total = total.into_iter().chain([("Frister som hölls".to_owned(), kept)]).collect();
        Ok(vec![
            ("Sammanlagt".into(), total),
            ("Ärenden efter kategori".into(), categories(|share| share.all)),
            ("Dolt eller borttaget efter kategori".into(), categories(|share| share.of_kind)),
            ("Dolt eller borttaget efter grund".into(), told(grounds.collect())),
            ("Texter som nämner ett parti".into(), named(|share| share.all)),
            ("Av dem dolda eller borttagna".into(), named(|share| share.of_kind)),
        ])
    }

    /// The report for the public as a table.
    ///
    /// # Errors
    /// As [`Services::statistics`].
    pub async fn transparency_csv(
        &self,
        viewer: &Viewer,
        span: Span,
    ) -> Result<Vec<u8>, ServiceError> {
        let of = span.id();
        let told = self.told_to_public(viewer, span).await?;
        let cells = told.into_iter().flat_map(|(title, rows)| {
            let of = of.clone();
            rows.into_iter().map(move |(what, n)| vec![of.clone(), title.clone(), what, n])
        });
        Ok(crate::formats::protocol::table(&["tid", "avsnitt", "vad", "antal"], cells))
    }

    /// The report for the public as PDF/A.
    ///
    /// # Errors
    /// As [`Services::statistics`].
    pub async fn transparency_pdf(
        &self,
        viewer: &Viewer,
        span: Span,
    ) -> Result<Vec<u8>, ServiceError> {
        let told = self.told_to_public(viewer, span).await?;
        let days = span.days().ok_or(ServiceError::NotFound { what: "span" })?;
        let at = self.inner.clock.now();
        let rows = told.into_iter().flat_map(|(title, rows)| {
            rows.into_iter().map(move |(what, n)| vec![title.clone(), what, n])
        });
        rendered(Dossier {
            title: format!("Öppenhetsrapport, {}", span.label()),
            authority: self.inner.settings.authority.clone(),
            at,
            ident: format!("oppenhet/{}/{}", span.id(), at.as_millisecond()),
            heading: "Öppenhetsrapport om sociala medier",
            facts: vec![("Tid".into(), format!("{} till {}", days.0, days.1))],
            notes: vec![
                "Rapporten innehåller inga personuppgifter. Antal under fem visas inte, och där ett sådant annars hade gått att räkna ut är ett till utelämnat.".into(),
                "Kritik mot kommunen är aldrig en grund för att dölja eller ta bort. Texter som nämner ett parti räknas vilka som än har skrivit dem.".into(),
            ],
            columns: vec!["Avsnitt", "Vad", "Antal"],
            rows: rows.collect(),
            chapters: Vec::<Chapter>::new(),
            files: Vec::new(),
        })
        .await
    }

    /// Every account's key and name.
    async fn account_names(&self, viewer: &Viewer) -> Result<Vec<(String, String)>, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let accounts = self.inner.store.accounts().await?.into_iter();
        let mut names: Vec<_> =
            accounts.map(|account| (account.key.as_str().to_owned(), account.name)).collect();
        names.push((crate::domain::report::BY_HAND.to_owned(), capitalised("inlagt för hand")));
        Ok(names)
    }
}
