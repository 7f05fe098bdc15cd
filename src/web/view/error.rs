//! Errors as pages: what happened, what is safe, what to do, and a number to quote.

use askama::Template;

use crate::domain::person::{Act, Role};

use super::shell::{Place, Shell};

/// The page for an error.
#[derive(Clone, Debug, Template)]
#[template(path = "error.html", config = "src/web/askama.toml")]
pub struct ErrorPage {
    /// What surrounds it.
    pub shell: Shell,
    /// What happened.
    pub trouble: Trouble,
    /// The request's number, to be found in the log.
    pub number: Option<String>,
}

/// What can happen to a request, by what a person can do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is no such page or case.
    NotFound,
    /// The role does not allow it.
    NotPermitted(Act),
    /// A smaller circle opens the case; what may be known of it, in Swedish.
    Shut(String),
    /// Somebody else was first, or the item changed; what, in Swedish.
    Conflict(String),
    /// It cannot be done, whoever asks; why, in Swedish.
    Declined(String),
    /// Sealed evidence is no longer what was sealed; which file, in Swedish.
    Damaged(String),
    /// The address or the form is not one that our pages make.
    NotUnderstood,
    /// The form was old: another login, or a page from before a restart.
    StaleForm,
    /// The request came from another site.
    ForeignForm,
    /// More was sent than the page takes.
    TooLarge,
    /// Too many tries.
    TooMany {
        /// Seconds until the next try may be made.
        retry_after_s: u64,
    },
    /// Busy or stopping: works again soon.
    TryLater,
    /// The disk is full or cannot be written: nothing works until somebody mends it.
    DiskFull,
    /// A fault of ours.
    Broken,
}

impl Trouble {
    /// HTTP status.
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::NotPermitted(_) | Self::Shut(_) | Self::StaleForm | Self::ForeignForm => 403,
            Self::Conflict(_) | Self::Declined(_) => 409,
            Self::NotUnderstood => 400,
            Self::TooLarge => 413,
            Self::TooMany { .. } => 429,
            Self::TryLater | Self::DiskFull => 503,
            Self::Damaged(_) | Self::Broken => 500,
        }
    }

    /// What happened.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::NotFound => "Sidan finns inte",
            Self::NotPermitted(_) => "Din roll får inte göra det här",
            Self::Shut(_) => "Ärendet öppnas av en mindre krets",
            Self::Conflict(_) => "Ärendet har ändrats",
            Self::Declined(_) => "Det går inte att göra",
            Self::Damaged(_) => "Beviset är inte helt",
            Self::NotUnderstood => "Begäran gick inte att läsa",
            Self::StaleForm => "Formuläret hann bli för gammalt",
            Self::ForeignForm => "Begäran kom från en annan webbplats",
            Self::TooLarge => "Texten är för lång",
            Self::TooMany { .. } => "För många försök",
            Self::TryLater => "Uppsikt hinner inte svara just nu",
            Self::DiskFull => "Disken är full",
            Self::Broken => "Ett fel i Uppsikt stoppade begäran",
        }
    }

    /// What happened, in more words.
    pub fn what(&self) -> String {
        match self {
            Self::NotFound => "Adressen leder inte till någon sida eller något ärende.".to_owned(),
            Self::NotPermitted(act) => {
                let roles: Vec<_> = act.roles().map(Role::plural).collect();
                format!("Din roll får inte {}. Det får {}.", act.label(), listed(&roles))
            }
            Self::Shut(why) | Self::Conflict(why) | Self::Declined(why) | Self::Damaged(why) => {
                why.clone()
            },
            Self::NotUnderstood => {
                "Adressen eller formuläret saknar något eller är felskrivet.".to_owned()
            }
            Self::StaleForm => "Du har loggat in på nytt eller ut sedan sidan öppnades.".to_owned(),
            Self::ForeignForm => "Uppsikt tar bara emot formulär från sina egna sidor.".to_owned(),
            Self::TooLarge => "Det du skickade är större än vad sidan tar emot.".to_owned(),
            Self::TooMany { retry_after_s } => {
                format!("Vänta {} och försök igen.", wait_words(*retry_after_s))
            }
            Self::TryLater => "Servern är upptagen eller håller på att starta om.".to_owned(),
            Self::DiskFull => "Servern som Uppsikt körs på kan inte spara något: disken är full eller går inte att skriva på.".to_owned(),
            Self::Broken => "Felet är antecknat i loggen.".to_owned(),
        }
    }

    /// What is safe.
    pub const fn safe(&self) -> &'static str {
        match self {
            Self::NotFound => "Inget har ändrats.",
            Self::NotPermitted(_)
            | Self::Shut(_)
            | Self::Conflict(_)
            | Self::Declined(_)
            | Self::NotUnderstood
            | Self::StaleForm
            | Self::ForeignForm
            | Self::TooLarge
            | Self::TooMany { .. } => "Inget har sparats och inget har ändrats.",
            Self::TryLater => {
                "Allt som är beslutat sedan tidigare ligger sparat och genomförs. \
                 Det du nyss skickade kan ha sparats: se efter i ärendets historik."
            }
            Self::DiskFull => {
                "Det du nyss skickade sparades inte. Allt som är beslutat sedan tidigare ligger kvar."
            }
            Self::Damaged(_) => {
                "Inget har ändrats av att du öppnade det. Uppsikt döljer och tar inte bort något med stöd av ett bevis som inte är helt."
            }
            Self::Broken => {
                "Allt som är beslutat sedan tidigare ligger sparat. \
                 Det du nyss skickade kan ha sparats: se efter i ärendets historik."
            }
        }
    }

    /// What to do.
    pub const fn mend(&self) -> &'static str {
        match self {
            Self::NotFound => "Gå till kön och öppna ärendet därifrån.",
            Self::NotPermitted(_) => {
                "Be någon av dem göra det. Behöver du själv kunna det, be den som administrerar Uppsikt om en annan roll."
            }
            Self::Shut(_) => {
                "Behöver du ärendet i ditt arbete, be någon av dem att göra det som behövs eller att lägga till dig."
            }
            Self::Conflict(_) => "Öppna ärendet igen, läs vad som har hänt och besluta på nytt.",
            Self::Declined(_) => "Gå tillbaka till ärendet och läs vad som står där.",
            Self::Damaged(_) => {
                "Den som sköter servern ser med kommandot uppsikt evidence verify vad som är fel, och kan lägga tillbaka filen ur en säkerhetskopia."
            }
            Self::NotUnderstood => "Gå till kön och öppna sidan därifrån.",
            Self::StaleForm | Self::ForeignForm => "Gå tillbaka, ladda om sidan och gör om det.",
            Self::TooLarge => "Gå tillbaka, korta texten och skicka igen.",
            Self::TooMany { .. } => {
                "Har du glömt lösenordet, vänd dig till den som administrerar Uppsikt."
            }
            Self::DiskFull => {
                "Säg till den som sköter servern. Försök igen när det finns plats på disken."
            }
            Self::TryLater => "Vänta en halv minut och ladda om sidan.",
            Self::Broken => {
                "Försök igen. Händer det på nytt, vänd dig till den som administrerar Uppsikt och ange numret."
            }
        }
    }
}

/// `redaktörer och kontoansvariga`, `redaktörer, kontoansvariga och registratorer`.
pub fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} och {last}", first.join(", ")),
    }
}

/// `20 sekunder`, `3 minuter`: rounded up, never less than a second.
pub fn wait_words(seconds: u64) -> String {
    match seconds {
        0 | 1 => "1 sekund".to_owned(),
        2..=90 => format!("{seconds} sekunder"),
        _ => format!("{} minuter", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_not_is_told_what_and_who_may() {
        let words = |act| Trouble::NotPermitted(act).what();
        assert_eq!(
            words(Act::Decide),
            "Din roll får inte ta, besluta i eller ångra ärenden. Det får redaktörer och kontoansvariga."
        );
        assert_eq!(
            words(Act::EnterDiaryNumber),
            "Din roll får inte skriva in diarienummer. Det får redaktörer, kontoansvariga och registratorer."
        );
        assert_eq!(
            words(Act::LiftCopyBar),
            "Din roll får inte häva spärren mot kopiering. Det får kontoansvariga."
        );
        for act in Act::ALL {
            assert!(act.roles().count() > 0, "{act:?}");
        }
    }

    #[test]
    fn waiting_is_said_in_whole_words() {
        assert_eq!(wait_words(0), "1 sekund");
        assert_eq!(wait_words(45), "45 sekunder");
        assert_eq!(wait_words(91), "2 minuter");
    }
}
