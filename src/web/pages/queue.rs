//! `/`: the queue, with one case beside it on wide screens.

use axum::extract::{Query, RawQuery, State};
use axum::response::Response;
use serde::Deserialize;

use crate::domain::account::PlatformKind;
use crate::domain::ids::CaseId;
use crate::domain::person::Act;
use crate::services::claims::Look;
use crate::services::filters::Query as Wanted;
use crate::services::queue::{Filter as Shown, Watch};
use crate::web::pages::case::{kept, lost, warned};
use crate::web::pages::filters;
use crate::web::present::{self, Extent};
use crate::web::state::{Inside, Site, page};
use crate::web::view::case::UndoBar;
use crate::web::view::queue::{AccountOption, Filter, QueuePage};
use crate::web::view::shell::Place;

/// What the address says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    konto: String,
    sida: u32,
    arende: Option<i64>,
    angra: Option<i64>,
}

/// The deepest page: beyond it nobody leafs, and an offset costs what it skips.
const LAST_PAGE: u32 = 200;

/// So many warnings of rules stand above the queue; the rest is folded.
const MOST_ALARMS: usize = 2;

pub(super) const fn label(shown: Shown) -> &'static str {
    match shown {
        Shown::Open => "Väntar på beslut",
        Shown::Held => "Vilande",
        Shown::Decided => "Genomförs",
        Shown::AwaitingDiary => "Väntar på diarienummer",
        Shown::Closed => "Avslutade",
        Shown::Exempt => "Undantagna från gallring",
        Shown::Secret => "Sekretessmarkerade",
    }
}

/// The accounts to choose between, all of them together first.
pub(super) fn accounts(watches: &[Watch], chosen: &str) -> Vec<AccountOption> {
    let mut accounts = vec![AccountOption {
        key: String::new(),
        label: "Alla konton".into(),
        selected: chosen.is_empty(),
    }];
    accounts.extend(watches.iter().map(|watch| AccountOption {
        key: watch.account.key.as_str().to_owned(),
        label: format!("{} ({})", watch.account.name, watch.account.platform.label()),
        selected: watch.account.key.as_str() == chosen,
    }));
    accounts
}

fn href(wanted: &Wanted, page: u32) -> String {
    let wanted = wanted.written();
    if page > 0 { format!("/?{wanted}&sida={page}") } else { format!("/?{wanted}") }
}

/// The queue.
pub async fn show(
    State(site): State<Site>,
    inside: Inside,
    Query(asked): Query<Asked>,
    RawQuery(said): RawQuery,
) -> Result<Response, Response> {
    let services = &site.services;
    let viewer = &inside.viewer;
    let fail = |e| site.error(e);
    let now = services.clock().now();
    let wanted = Wanted::read(said.as_deref().unwrap_or_default());
    let shown = wanted.shown;
    let number = asked.sida.min(LAST_PAGE);
    let selected = match asked.arende {
        Some(id) => {
            let opened = services.case_opened(viewer, CaseId(id), inside.look()).await;
            let file = opened.map_err(fail)?;
            Some(present::case(
                &file,
                Extent::Part,
                kept(&site, &inside, file.id).map(|again| warned(&site, again)),
                viewer.user,
                now,
            ))
        }
        None => {
            // Back at the list: what was only looked at is free again.
            if !inside.is_script() {
                services.leave_all(viewer).await.map_err(fail)?;
            }
            None
        }
    };
    // After the case is opened, so that its row says who is on it.
    let queue = services.sifted(viewer, &wanted, number).await.map_err(fail)?;
    let saved = services.saved_filters(viewer).await.map_err(fail)?;
    let watches = services.watches(viewer).await.map_err(fail)?;
    // A tab that follows the queue by itself is no person who looks.
    if shown == Shown::Open && inside.look() == Look::Opens {
        let only = watches.iter().find(|watch| watch.account.key.as_str() == asked.konto);
        if asked.konto.is_empty() || only.is_some() {
            services.looked(viewer, only.map(|watch| watch.account.id)).await;
        }
    }
    let notice = match inside.is_script() {
        true => None,
        false => lost(&site, &inside).await?,
    };
    let mut undos = Vec::new();
    if let Some(case) = asked.angra {
        undos.extend(undo_bar(&site, &inside, CaseId(case)).await?);
    }
    // An empty list of exceptions would only stand in the way.
    let offered = |filter: &&Shown| {
        let rare = matches!(filter, Shown::Exempt | Shown::Secret);
        !rare || shown == **filter || queue.counts.of(**filter) > 0
    };
    let filters = Shown::ALL.iter().filter(offered).map(|filter| Filter {
        label: label(*filter),
        count: usize::try_from(queue.counts.of(*filter)).unwrap_or(usize::MAX),
        href: href(&Wanted { shown: *filter, ..wanted.clone() }, 0),
        current: *filter == shown,
    });
    let mut accounts = accounts(&watches, &asked.konto);
    let unknown_account = !asked.konto.is_empty() && !accounts.iter().any(|option| option.selected);
    // One account needs no picker.
    if watches.len() < 2 {
        accounts.clear();
    }
    let mut alarms = services.rule_notices(viewer).await.map_err(fail)?;
    let more_alarms = alarms.split_off(alarms.len().min(MOST_ALARMS));
    let view = QueuePage {
        shell: inside.shell(&site, Place::Queue)?,
        notice,
        alarms,
        more_alarms,
        undos,
        filters: filters.collect(),
        mentions: services.n_mentions(viewer).await.map_err(fail)?,
        tasks: services.n_tasks(viewer).await.map_err(fail)?,
        accounts,
        unknown_account,
        sieve: filters::view(&wanted, &saved, &inside),
        filter: shown.id(),
        marks: shown == Shown::Open && viewer.may(Act::Decide),
        account: asked.konto.clone(),
        rows: queue.lines.iter().map(|line| present::row(line, viewer.user, now)).collect(),
        next: (queue.more && number < LAST_PAGE).then(|| href(&wanted, number + 1)),
        previous: (number > 0).then(|| href(&wanted, number - 1)),
        looked: watches
            .iter()
            // Nobody looks there but people, and they say so by recording.
            .filter(|watch| watch.account.platform != PlatformKind::Manual)
            .map(|watch| present::look(watch, now))
            .collect(),
        selected,
    };
    Ok(page(&site, &view))
}

/// The bar that undoes the decision just made, if that is still possible.
async fn undo_bar(site: &Site, inside: &Inside, case: CaseId) -> Result<Option<UndoBar>, Response> {
    let file = site.services.case_file(&inside.viewer, case).await.map_err(|e| site.error(e))?;
    let now = site.services.clock().now();
    Ok(present::case(&file, Extent::Part, None, inside.viewer.user, now).undo)
}
