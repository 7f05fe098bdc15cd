//! Sealed records, and the diary.

use jiff::Timestamp;
use serde_json::json;

use super::problem::Problem;
use super::{Ask, Operation, Told};
use crate::domain::api_key::Scope;
use crate::domain::ids::{EvidenceId, RegistrationId};
use crate::services::queue::DiaryLine;
use crate::web::pages::evidence::sent;
use axum::http::Method;
use axum::response::Response;

shape! {
    "En fil i ett bevis"
    Part {
        "Vad den är" kind: String,
        "Namn i paketet" name: String,
        "Medietyp" media_type: String,
        "SHA-256 av innehållet, 64 hexadecimala siffror" sha256: String,
        "Storlek i byte" size_bytes: u64,
    }
}

shape! {
    "Något som inte kunde säkras"
    Missing {
        "Vad som saknas" kind: String,
        "Varför" reason: String,
    }
}

shape! {
    "Ett säkrat bevis"
    Record {
        "Bevisets nummer" evidence: i64,
        "Ärendet som det hör till" case: Option<i64>,
        "När det säkrades" sealed_at: Timestamp,
        "Plats i loggen" log_entry: u64,
        "Manifestets SHA-256" manifest_sha256: String,
        "Om filerna är vad som säkrades" intact: bool,
        "Vad som är fel, när de inte är det" problem: Option<String>,
        "Filerna" parts: Vec<Part>,
        "Det som inte kunde säkras" missing: Vec<Missing>,
    }
}

shape! {
    "En handling som har lämnats till diariet"
    Registration {
        "Diarieföringens nummer" registration: i64,
        "Ärendet" case: i64,
        "Kontots nyckel" account: String,
        "Paketets filnamn" package: String,
        "När paketet skrevs" exported_at: Timestamp,
        "Diarienumret, när det har kommit" number: Option<String>,
        "När numret skrevs in" entered_at: Option<Timestamp>,
    }
}

shape! {
    "Diarielistan"
    RegistrationList {
        "De som väntar på sitt nummer, äldst först" waiting: Vec<Registration>,
        "De som senast fick sitt nummer" recent: Vec<Registration>,
    }
}

shape! {
    "Ett diarienummer"
    NumberIn { "Numret, till exempel KS 2026/123" number: String = json!({ "minLength": 3, "maxLength": 60 }) }
}

shape! {
    "Numret som skrevs in"
    NumberNow {
        "Diarieföringens nummer" registration: i64,
        "Ärendet" case: i64,
        "Diarienumret" number: String,
    }
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/evidence/{evidence}", "readEvidence", "Ett säkrat bevis: filer, summor och om de är hela")
            .about("Visningen skrivs i granskningsloggen.")
            .scope(Scope::EvidenceRead)
            .reads(record),
        Operation::get("/evidence/{evidence}/package", "fetchPackage", "Ett bevis som paket (zip)")
            .about("Paketet kan kontrolleras utan Uppsikt; det står hur i LASMIG.txt. Hämtningen är en händelse i beviset.")
            .scope(Scope::EvidenceRead)
            .packs(package),
        Operation::get("/registrations", "listRegistrations", "Diarielistan")
            .scope(Scope::RegisterWrite)
            .reads(registrations),
        Operation::new(
            Method::PUT,
            "/registrations/{registration}/number",
            "enterNumber",
            "Skriv in ett diarienummer",
        )
        .about("Ett nummer som redan står där ändras inte härifrån: det rättas på sidan Diarieföring, med ett skäl.")
        .scope(Scope::RegisterWrite)
        .takes(number),
    ]
}

async fn record(ask: Ask) -> Result<Told<Record>, Problem> {
    let (services, viewer) = (&ask.site.services, &ask.caller.viewer);
    let id = services.record_within(&ask.caller, EvidenceId(ask.id("evidence"))).await?;
    let (sealed, case) = services.evidence_record(viewer, id).await?;
    let (parts, missing, problem) = match sealed.manifest {
        Ok(manifest) => {
            let parts = manifest.parts.into_iter().map(|part| Part {
                kind: part.kind.id().to_owned(),
                name: part.name,
                media_type: part.media_type,
                sha256: part.sha256.to_hex(),
                size_bytes: part.size_bytes,
            });
            let missing = manifest.missing.into_iter();
            let missing =
                missing.map(|m| Missing { kind: m.kind.id().to_owned(), reason: m.reason });
            (parts.collect(), missing.collect(), None)
        }
        Err(problem) => (Vec::new(), Vec::new(), Some(problem)),
    };
    Ok(Record {
        evidence: id.0,
        case: case.map(|case| case.0),
        sealed_at: sealed.sealed_at,
        log_entry: sealed.log_seq,
        manifest_sha256: sealed.manifest_hash.to_hex(),
        intact: problem.is_none(),
        problem,
        parts,
        missing,
    }
    .into())
}

async fn package(ask: Ask) -> Result<Response, Problem> {
    let services = &ask.site.services;
    let id = services.record_within(&ask.caller, EvidenceId(ask.id("evidence"))).await?;
    Ok(sent(services.package(&ask.caller.viewer, &[id], &[]).await?)?)
}

fn registration(line: DiaryLine) -> Registration {
    let (number, entered_at) = match line.number {
        Some((number, at, _)) => (Some(number.as_str().to_owned()), Some(at)),
        None => (None, None),
    };
    Registration {
        registration: line.registration.0,
        case: line.line.case.0,
        account: line.line.account.key.as_str().to_owned(),
        package: line.package,
        exported_at: line.exported_at,
        number,
        entered_at,
    }
}

async fn registrations(ask: Ask) -> Result<Told<RegistrationList>, Problem> {
    let (waiting, recent) = ask.site.services.diary(&ask.caller.viewer).await?;
    let listed = |lines: Vec<DiaryLine>| {
        let lines = lines.into_iter().filter(|line| ask.caller.reaches(line.line.account.id));
        lines.map(registration).collect()
    };
    Ok(RegistrationList { waiting: listed(waiting), recent: listed(recent) }.into())
}

async fn number(ask: Ask, typed: NumberIn) -> Result<Told<NumberNow>, Problem> {
    let (services, viewer) = (&ask.site.services, &ask.caller.viewer);
    let registration = RegistrationId(ask.id("registration"));
    let case = services.registration_within(&ask.caller, registration).await?;
    let number = services.enter_diary_number(viewer, case, &typed.number).await?;
    let number = number.as_str().to_owned();
    Ok(NumberNow { registration: registration.0, case: case.0, number }.into())
}
