//! The policies that are built into the program: a sensible default, and those of five municipalities.

use super::parse;
use crate::config::complaint::ConfigError;
use crate::domain::policy::Policy;

macro_rules! ready {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $what:literal;)*) => {
        /// A policy that is built into the program.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Ready {
            $($(#[$doc])* $name,)*
        }

        impl Ready {
            /// All of them, the default first.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// What it is called in settings and on the command line.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id),* }
            }

            /// What it is, in Swedish.
            pub const fn what(self) -> &'static str {
                match self { $(Self::$name => $what),* }
            }

            /// Its file in the program's folder.
            pub const fn file(self) -> &'static str {
                match self { $(Self::$name => concat!("lexicons/policies/", $id, ".toml")),* }
            }

            /// Its text.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => {
                        include_str!(concat!("../../../lexicons/policies/", $id, ".toml"))
                    }),*
                }
            }
        }
    };
}

ready! {
    /// For whoever has none of their own yet.
    Standard = "standard", "en förnuftig utgångspunkt för den som inte har någon egen";
    /// Jönköping.
    Jonkoping = "jonkoping", "Jönköpings kommun och dess bolag";
    /// Nässjö.
    Nassjo = "nassjo", "Nässjö kommun";
    /// Smedjebacken.
    Smedjebacken = "smedjebacken", "Smedjebackens kommun";
    /// Kungälv.
    Kungalv = "kungalv", "Kungälvs kommun";
    /// Finspång.
    Finspang = "finspang", "Finspångs kommun";
}

impl Ready {
    /// The one with this name.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|ready| ready.id() == id)
    }

    /// Reads it.
    ///
    /// # Errors
    /// None as released: a test reads each. A changed one is refused like any other file.
    pub fn read(self) -> Result<Policy, ConfigError> {
        parse(self.file(), self.text())
    }
}

/// The default.
///
/// # Errors
/// As [`Ready::read`].
pub fn standard() -> Result<Policy, ConfigError> {
    Ready::Standard.read()
}
