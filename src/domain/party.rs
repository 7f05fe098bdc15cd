//! Parties that a text may name, so that an authority can show that it silences none (*åsiktsbalans*). What is
//! counted is texts, never who wrote them (*dataskyddslagen 3:3*).

/// A party in parliament (*riksdagsparti*), in the order of the alphabet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// *Centerpartiet*.
    Centre,
    /// *Kristdemokraterna*.
    ChristianDemocrats,
    /// *Liberalerna*.
    Liberals,
    /// *Miljöpartiet*.
    Greens,
    /// *Moderaterna*.
    Moderates,
    /// *Socialdemokraterna*.
    SocialDemocrats,
    /// *Sverigedemokraterna*.
    SwedenDemocrats,
    /// *Vänsterpartiet*.
    Left,
}

impl Party {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Centre,
        Self::ChristianDemocrats,
        Self::Liberals,
        Self::Greens,
        Self::Moderates,
        Self::SocialDemocrats,
        Self::SwedenDemocrats,
        Self::Left,
    ];

    /// Its name.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Centre => "Centerpartiet",
            Self::ChristianDemocrats => "Kristdemokraterna",
            Self::Liberals => "Liberalerna",
            Self::Greens => "Miljöpartiet",
            Self::Moderates => "Moderaterna",
            Self::SocialDemocrats => "Socialdemokraterna",
            Self::SwedenDemocrats => "Sverigedemokraterna",
            Self::Left => "Vänsterpartiet",
        }
    }

    /// Words that name it and little else, each by itself. Single letters are left out: they stand for too much.
    pub const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Centre => &["centerpartiet", "centerpartist", "centern"],
            Self::ChristianDemocrats => &["kristdemokraterna", "kristdemokrat", "kd"],
            Self::Liberals => &["liberalerna", "folkpartiet"],
            Self::Greens => &["miljöpartiet", "miljöpartist", "mp"],
            Self::Moderates => &["moderaterna", "moderatpartiet"],
            Self::SocialDemocrats => &["socialdemokraterna", "socialdemokrat", "sossarna", "sosse"],
            Self::SwedenDemocrats => &["sverigedemokraterna", "sverigedemokrat", "sd"],
            Self::Left => &["vänsterpartiet", "vänsterpartist"],
        }
    }
}
