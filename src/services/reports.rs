//! Reports for the committee (*nämnden*), by month and by year: page, table, PDF/A, and the lines that they are
//! counted from.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::account::PlatformKind;
use crate::domain::calendar::local;
use crate::domain::card::Flag;
use crate::domain::category::Category;
use crate::domain::dossier::{Chapter, Dossier, Fact};
use crate::domain::ground::Ground;
use crate::domain::person::Act;
use crate::domain::report::{BY_HAND, Counts, Facts, Span};
use crate::domain::supervision::{day_after, midnight};

use super::dossiers::rendered;
use super::{ServiceError, Services, Viewer};

/// One part of a report: its heading, what it counts, the figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// What has to be known to read it.
    pub note: &'static str,
    /// What is counted, and how many.
    pub rows: Vec<(String, String)>,
}

/// A report.
#[derive(Clone, Debug)]
pub struct Report {
    /// Of what.
    pub span: Span,
    /// Its first and last day.
    pub days: (Date, Date),
    /// When it was counted.
    pub at: Timestamp,
    /// Whether the span is not over, so that figures will change.
    pub is_under_way: bool,
    /// Its parts.
    pub sections: Vec<Section>,
    /// The figures themselves.
    pub counts: Counts,
}

fn row(what: impl Into<String>, n: u64) -> (String, String) {
    (what.into(), n.to_string())
}

impl Services {
    pub(super) async fn facts(&self, span: Span) -> Result<(Facts, (Date, Date)), ServiceError> {
        let days = span.days().ok_or(ServiceError::NotFound { what: "span" })?;
        let (from, to) = (midnight(days.0), day_after(days.1));
        Ok((self.inner.store.report_facts(from, to).await?, days))
    }

    /// The report of a month or a year.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where it lies ahead.
    pub async fn committee_report(
        &self,
        viewer: &Viewer,
        span: Span,
    ) -> Result<Report, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let now = self.inner.clock.now();
        let today = local(now).date();
        let (facts, days) = self.facts(span).await?;
        if days.0 > today {
            return Err(ServiceError::Refused {
                why: "Tiden ligger framåt. Välj en annan.".into(),
            });
        }
        let counts = Counts::of(&facts, now);
        let entries = self.register(viewer).await?;
        let name = |key: &str| {
            if key == BY_HAND {
                return "Inlagt för hand".to_owned();
            }
            let entry = entries.iter().find(|entry| entry.account.key.as_str() == key);
            entry.map_or_else(|| key.to_owned(), |entry| entry.account.name.clone())
        };
        let mut inflow: Vec<_> = counts
            .inflow
            .iter()
            .map(|(key, (all, private))| match private {
                0 => row(name(key), *all),
                n => (name(key), format!("{all}, varav {n} privata meddelanden")),
            })
            .collect();
        inflow.push(row("Totalt", facts.items.len() as u64));
        let mut categories: Vec<_> = counts
            .categories
            .iter()
            .map(|(id, n)| {
                let known = id.and_then(|id| id.parse::<Category>().ok());
                row(known.map_or("utan träff", |category| category.label()), *n)
            })
            .collect();
        categories.push(row("Totalt", facts.cases.len() as u64));
        let mut removals: Vec<_> = counts
            .removals
            .iter()
            .map(|(code, (hidden, deleted))| {
                let ground = code.and_then(Ground::from_code);
                let words = ground.map_or_else(
                    || "utan angiven grund".to_owned(),
                    |ground| format!("{} ({})", ground.label(), ground.force().label()),
                );
                (words, format!("{hidden} dolda, {deleted} borttagna"))
            })
            .collect();
        removals.push(row("Totalt", facts.removals.len() as u64));
        let kept = counts.deadlines;
        let mut deadlines = vec![
            row("Beslutade i tid", kept.kept),
            row("Beslutade för sent", kept.late),
            row("Inte beslutade, fristen ute", kept.overdue),
            row("Inte beslutade, tid kvar", kept.open),
            row("Skulle beslutas genast", kept.at_once),
            row("Varav beslutade inom en timme, alltså i tid", kept.within_an_hour),
            row("Varav inte beslutade, timmen inte ute", kept.hour_open),
            row("Utanför vår kontroll, utan frist", kept.outside),
        ];
        if let Some(percent) = counts.kept_percent() {
            deadlines.push(("Andel i tid".into(), format!("{percent} procent")));
        }
        let logs = self.supervision(viewer, days.0, days.1).await?;
        let watched = logs.iter().filter(|log| log.platform != PlatformKind::Manual);
        let gaps = watched.map(|log| {
            let (gaps, wanted) = (log.n_gaps(), log.n_wanted());
            (log.name.clone(), format!("{gaps} luckor av {wanted} dagar"))
        });
        let own = || entries.iter().filter(|e| e.account.platform != PlatformKind::Manual);
        let with =
            |is: fn(&Flag) -> bool| own().filter(|entry| entry.flags.iter().any(is)).count() as u64;
        let state = vec![
            row("Konton", own().filter(|entry| !entry.known.is_closed).count() as u64),
            row("Stängda konton", own().filter(|entry| entry.known.is_closed).count() as u64),
            row("Utan kontoansvarig", with(|flag| *flag == Flag::NoOwner)),
            row(
                "Kapade eller förlorade, inte avslutade",
                with(|flag| matches!(flag, Flag::Incident(_))),
            ),
            row("Med för få personer", with(|flag| matches!(flag, Flag::FewHolders { .. }))),
            row("Inaktiva", with(|flag| matches!(flag, Flag::Inactive { .. }))),
            row(
                "Utan fullständig text på kontot",
                with(|flag| matches!(flag, Flag::NoText { .. })),
            ),
            row(
                "Inte bekräftade i årets genomgång",
                with(|flag| matches!(flag, Flag::Unconfirmed { .. })),
            ),
        ];
        let (handed, numbered) = counts.registered;
        let sections = vec![
            Section {
                title: "Inkommet",
                note: "Kommentarer, inlägg och meddelanden från andra, efter när Uppsikt hämtade dem.",
                rows: inflow,
            },
            Section {
                title: "Ärenden efter kategori",
                note: "Det som en person skulle ta ställning till, efter den gravaste träffen.",
                rows: categories,
            },
            Section {
                title: "Borttaget och dolt",
                note: "Åtgärder som har genomförts, efter grunden i beslutet och när det fattades. Det som först doldes och sedan togs bort räknas i båda. Kritik mot kommunen är aldrig en grund.",
                rows: removals,
            },
            Section {
                title: "Frister",
                note: "Ärenden som öppnades under tiden. Beslutet räknas, inte när det genomfördes. Det som skulle beslutas genast står för sig och är i tid om det beslutades inom en timme från att ärendet öppnades. Andelen i tid räknas av alla ärenden som har beslutats eller vars tid har gått ut, även de som skulle beslutas genast.",
                rows: deadlines,
            },
            Section {
                title: "Diarieföring och gallring",
                note: "",
                rows: vec![
                    row("Lämnade till diariet", handed),
                    row("Varav med diarienummer", numbered),
                    row("Gallrade bevis", counts.disposed),
                ],
            },
            Section {
                title: "Uppsikt",
                note: "Dagar då riktlinjen kräver tillsyn men ingen tittade, eller tittade för sällan (lag 1998:112, 4 §).",
                rows: gaps.collect(),
            },
            Section { title: "Kontonas skick", note: "Så som det är i dag.", rows: state },
        ];
        let is_under_way = days.1 >= today;
        Ok(Report { span, days, at: now, is_under_way, sections, counts })
    }

    /// The same as a table.
    ///
    /// # Errors
    /// As [`Services::committee_report`].
    pub async fn report_csv(&self, viewer: &Viewer, span: Span) -> Result<Vec<u8>, ServiceError> {
        let report = self.committee_report(viewer, span).await?;
        let of = span.id();
        let cells = report.sections.into_iter().flat_map(|section| {
            let of = of.clone();
            section
                .rows
                .into_iter()
                .map(move |(what, figure)| vec![of.clone(), section.title.to_owned(), what, figure])
        });
        Ok(crate::formats::protocol::table(&["tid", "avsnitt", "vad", "antal"], cells))
    }

    /// The lines that it is counted from.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn report_lines(&self, viewer: &Viewer, span: Span) -> Result<Vec<u8>, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let (facts, _) = self.facts(span).await?;
        Ok(crate::formats::report::json_lines(&facts))
    }

    /// The same as PDF/A.
    ///
    /// # Errors
    /// As [`Services::committee_report`].
    pub async fn report_pdf(&self, viewer: &Viewer, span: Span) -> Result<Vec<u8>, ServiceError> {
        let report = self.committee_report(viewer, span).await?;
        let mut facts: Vec<Fact> =
            vec![("Tid".into(), format!("{} till {}", report.days.0, report.days.1))];
        if let Some(percent) = report.counts.kept_percent() {
            facts.push(("Frister som hölls".into(), format!("{percent} procent")));
        }
        let mut notes =
            vec!["Rapporten innehåller bara antal och inga personuppgifter.".to_owned()];
        if report.is_under_way {
            notes.insert(0, "Tiden är inte slut: siffrorna kommer att ändras.".into());
        }
        let rows = report.sections.iter().flat_map(|section| {
            section
                .rows
                .iter()
                .map(|(what, figure)| vec![section.title.to_owned(), what.clone(), figure.clone()])
        });
        let rows = rows.collect();
        rendered(Dossier {
            title: format!("Sociala medier, {}", report.span.label()),
            authority: self.inner.settings.authority.clone(),
            at: report.at,
            ident: format!("rapport/{}/{}", report.span.id(), report.at.as_millisecond()),
            heading: "Rapport till nämnden",
            facts,
            notes,
            columns: vec!["Avsnitt", "Vad", "Antal"],
            rows,
            chapters: Vec::<Chapter>::new(),
            files: Vec::new(),
        })
        .await
    }
}
