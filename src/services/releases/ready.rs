//! Whether records can be handed out as they stand, and what of them is proposed to be masked.

use super::{ReleaseItem, refused};
use crate::domain::category::Category;
use crate::domain::evidence::Manifest;
use crate::services::ServiceError;

/// That the records of a request can be handed out as they stand. A marked one of which nothing is masked goes out
/// only where somebody says that its secrecy was tried: the mark is no decision on the request, and no slip past it
/// either.
pub(super) fn ready(items: &[ReleaseItem], secrecy_tried: bool) -> Result<(), ServiceError> {
    if items.is_empty() {
        return Err(refused("Begäran har inga handlingar att lämna ut."));
    }
    for item in items {
        let evidence = item.record.evidence;
        if item.no_copy.is_some() && item.record.withheld.is_none() {
            return Err(refused(format!(
                "Bevis {evidence} har ett innehåll som inte får kopieras. Ange på vilket lagrum det undantas, eller ta bort det ur begäran. Rådgör först med den som ansvarar för kontot."
            )));
        }
        if item.record.withheld.is_some() {
            continue;
        }
        if item.record.masks.iter().any(|mask| mask.provision.is_empty()) {
            return Err(refused(format!(
                "Bevis {evidence} har maskeringar utan lagrum. Ange lagrum, eller ta bort raderna om uppgifterna ska lämnas ut."
            )));
        }
        if let Some(phrase) = item.nowhere.first() {
            return Err(refused(format!(
                "”{}” ska maskeras i bevis {evidence} men står inte där. Rätta stavningen, eller ta bort raden.",
                phrase.chars().take(60).collect::<String>()
            )));
        }
        if item.secrecy.is_some() && item.grounds.is_empty() && !secrecy_tried {
            return Err(refused(format!(
                "Ärendet med bevis {evidence} är sekretessmarkerat, och inget är maskat i handlingen. Maska det som omfattas, undanta texten, eller kryssa i att sekretessen är prövad."
            )));
        }
    }
    if items.iter().all(ReleaseItem::is_withheld) {
        return Err(refused(
            "Ingen text lämnas ut. Avsluta begäran som avslagen i stället, så får den som begärde ett besked som kan överklagas.",
        ));
    }
    Ok(())
}

/// The longer words at which the sealed assessment found sensitive data: proposed to be masked.
pub(super) fn sensitive(manifest: &Manifest, text: &str) -> Vec<String> {
    let findings = manifest.verdict.iter().flat_map(|verdict| &verdict.findings);
    let about = findings.filter(|finding| finding.category == Category::SensitiveData);
    let spans = about.flat_map(|finding| &finding.spans);
    let words = spans.filter_map(|span| text.get(span.start as usize..span.end as usize));
    words.map(str::trim).filter(|words| words.chars().count() > 4).map(str::to_owned).collect()
}
