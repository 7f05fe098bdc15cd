//! The files of who signs: the private key in use, and what it remembers of what it signed last.
//! Without the memory a log could be rewritten with all that lies beside it, and be signed on.

use std::io;

use super::{Report, in_swedish};
use crate::domain::checkpoint::notes;
use crate::evidence::{EvidenceError, EvidenceStore};
use crate::runtime::private;
use crate::store::error::StoreError;

const PLACE: &str = "undertecknandet";

/// Holds the files against the log. A copy of the archive without them is verified all the same:
/// private keys stay with the service, so that the whole folder is missing is told and no fault.
pub(super) async fn verify(
    evidence: &EvidenceStore,
    report: &mut Report,
) -> Result<(), EvidenceError> {
    match evidence.store.newest_key().await {
        Ok(Some(_)) => {}
        // A row of keys that cannot be read is named where the tree is verified.
        Ok(None) | Err(StoreError::Row { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let memory = evidence.memory_file();
    let read = private::read_text(&memory);
    let is_reachable = memory.parent().is_some_and(|folder| std::fs::read_dir(folder).is_ok());
    if !is_reachable {
        report.note("Mappen keys med den privata nyckeln finns inte här eller går inte att läsa. Det som är undertecknat är prövat mot de öppna nycklarna; att Uppsikt kan underteckna mer är inte prövat.");
        return Ok(());
    }
    match evidence.known_signer().await {
        Ok(_) => {}
        Err(EvidenceError::KeyLost { id }) => report.fault(
            PLACE,
            format!("den privata nyckeln {id} saknas i mappen keys; lägg tillbaka filen, eller ta en ny i bruk med uppsikt evidence keys replace"),
        ),
        Err(EvidenceError::Key { path, .. }) => report.fault(
            PLACE,
            format!("{} är inte den privata nyckel som loggen undertecknas med; lägg tillbaka den rätta filen", path.display()),
        ),
        Err(error) => report.fault(PLACE, in_swedish(&error)),
    }
    match read {
        Ok(text) if notes(&text).iter().any(|(_, note)| note.is_ok()) => {
            match evidence.hold_signed().await {
                // What the database, the file beside it and the witnesses say is named where they are verified.
                Err(EvidenceError::Rewritten { place, signed, .. })
                    if place == memory.display().to_string() =>
                {
                    report.fault(
                        PLACE,
                        format!("loggen är inte den som undertecknades senast: keys/signed.txt minns {signed} poster med ett annat innehåll, eller en annan installations logg"),
                    );
                }
                Ok(())
                | Err(
                    EvidenceError::Rewritten { .. }
                    | EvidenceError::Heads { .. }
                    | EvidenceError::Key { .. }
                    | EvidenceError::Store(StoreError::Row { .. }),
                ) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(_) => report.fault(
            PLACE,
            "keys/signed.txt, minnet av vad som senast undertecknades, går inte att tolka",
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if evidence.store.newest_checkpoint().await?.is_some() {
                report.fault(PLACE, "keys/signed.txt, minnet av vad som senast undertecknades, saknas: utan den märks det inte om loggen har skrivits om och undertecknats på nytt");
            }
        }
        Err(_) => report.fault(PLACE, "keys/signed.txt går inte att läsa"),
    }
    Ok(())
}
