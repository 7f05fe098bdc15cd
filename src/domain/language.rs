//! Languages that a comment may be written in.

macro_rules! languages {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $label:literal;)*) => {
        /// A language, as far as a text lets it be told.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Language {
            $($(#[$doc])* $name,)*
        }

        impl Language {
            /// Every language that is told apart.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code in output (ISO 639; the shortest that there is).
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The Swedish word that an editor sees.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label),* }
            }
        }
    };
}

languages! {
    /// What the rules are written for.
    Swedish = "sv", "svenska";
    /// Has rules of its own for the gravest categories.
    English = "en", "engelska";
    /// Both written forms.
    Norwegian = "no", "norska";
    /// Danish.
    Danish = "da", "danska";
    /// A minority language of Sweden; so is Meänkieli, which is not told apart from it.
    Finnish = "fi", "finska";
    /// German.
    German = "de", "tyska";
    /// French.
    French = "fr", "franska";
    /// Spanish.
    Spanish = "es", "spanska";
    /// Polish.
    Polish = "pl", "polska";
    /// Bosnian, Croatian, Montenegrin and Serbian.
    SerboCroatian = "sh", "bosniska, kroatiska eller serbiska";
    /// Albanian.
    Albanian = "sq", "albanska";
    /// Turkish.
    Turkish = "tr", "turkiska";
    /// Kurdish in Latin letters (Kurmanji).
    Kurdish = "ku", "kurdiska";
    /// Somali.
    Somali = "so", "somaliska";
    /// Romanian, and the Romance part of much Romani writing is not told apart from it.
    Romanian = "ro", "rumänska";
    /// Arabic.
    Arabic = "ar", "arabiska";
    /// Persian and Dari.
    Persian = "fa", "persiska eller dari";
    /// Kurdish in Arabic letters (Sorani).
    Sorani = "ckb", "sorani";
    /// Russian.
    Russian = "ru", "ryska";
    /// Ukrainian.
    Ukrainian = "uk", "ukrainska";
    /// Tigrinya and Amharic share their letters.
    Tigrinya = "ti", "tigrinska eller amhariska";
    /// Thai.
    Thai = "th", "thailändska";
    /// Greek.
    Greek = "el", "grekiska";
    /// Written in letters of which no language of this list is told.
    Other = "und", "ett annat språk";
}

impl Language {
    /// Whether the lexicon is written for it.
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Swedish)
    }
}
