//! Secrecy marks (*sekretessmarkering*) and the smaller circle that opens a case under one.
//!
//! Offentlighets- och sekretesslagen 5 kap. 5 §: a record that is likely not to be handed out may be marked, with
//! the provision, the date and the authority. The mark is a warning and no decision: each request is tried by
//! itself. Inside the authority too nobody reads more than their task asks for (GDPR art. 5.1 c and 32).
//!
//! By their task may open it: the registrar (records with secrecy are always registered, 5 kap. 1 §), the archivist
//! (arkivlagen 6 §: protects it and tries requests), who answers for the account and their substitute, and who set
//! the mark. The auditor is not among them: they read who opened what, which needs none of the content; where the
//! audit itself needs it, somebody names them. Running the system gives nobody a right to read.
//!
//! Suspected abuse of a child (regulation 2.2) is smaller from the first moment, without anybody marking it: those who
//! have to act on it, which is the people of the account or, where nobody is written down there, those who decide;
//! and the registrar.

use jiff::Timestamp;

use super::ids::{CaseId, UserId};
use super::notice::Part;
use super::person::{Act, Role};

/// What stands in a list in place of a text under a mark.
pub const WITHHELD: &str = "[Sekretess: visas bara i ärendet, för dem som får öppna det.]";

/// A mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its row.
    pub id: i64,
    /// The case.
    pub case: CaseId,
    /// When it was set.
    pub set_at: Timestamp,
    /// Who set it.
    pub set_by: (UserId, String),
    /// The provision that is likely to apply: `OSL 25 kap. 1 §`.
    pub provision: String,
    /// Why.
    pub reason: String,
}

/// What the circle of a case follows from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grounds {
    /// The mark that stands.
    pub mark: Option<Mark>,
    /// It is suspected to show abuse of a child.
    pub no_copy: bool,
    /// Who was let in by name.
    pub named: Vec<(UserId, String)>,
    /// The people of the account who may log in.
    pub people: Vec<(UserId, String, Part)>,
}

/// Who opens a case under a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circle {
    /// All who have such a role.
    pub roles: Vec<Role>,
    /// These persons.
    pub users: Vec<(UserId, String)>,
}

impl Circle {
    /// Whether this person is in it. Nobody is whose role may not read sealed texts at all.
    pub fn holds(&self, user: UserId, role: Role) -> bool {
        role.may(Act::ReadEvidence)
            && (self.roles.contains(&role) || self.users.iter().any(|(known, _)| *known == user))
    }

    /// Who they are: `Kim Exempel, registratorer och arkivarier`.
    pub fn words(&self) -> String {
        let names = self.users.iter().map(|(_, name)| name.as_str());
        let words: Vec<_> = names.chain(self.roles.iter().map(|role| role.plural())).collect();
        match words.as_slice() {
            [] => "ingen".to_owned(),
            [one] => (*one).to_owned(),
            [first @ .., last] => format!("{} och {last}", first.join(", ")),
        }
    }
}

/// The circle of a case; none where everybody opens it whose role may.
pub fn circle(grounds: &Grounds) -> Option<Circle> {
    let (mut roles, mut users) = (Vec::new(), Vec::new());
    let mut add = |user: UserId, name: &str| {
        if !users.iter().any(|(known, _)| *known == user) {
            users.push((user, name.to_owned()));
        }
    };
    match (&grounds.mark, grounds.no_copy) {
        (None, false) => return None,
        (None, true) => {
            grounds.people.iter().for_each(|(user, name, _)| add(*user, name));
            if grounds.people.is_empty() {
                roles.extend([Role::Editor, Role::Owner]);
            }
            roles.push(Role::Registrar);
        }
        // A suspicion beside a mark lets in nobody whom the mark keeps out.
        (Some(_), no_copy) => {
            let answers = |part: &Part| match part {
                Part::Owner | Part::Substitute => true,
                Part::Editor => false,
            };
            let answering = grounds.people.iter().filter(|(_, _, part)| answers(part));
            answering.for_each(|(user, name, _)| add(*user, name));
            if !grounds.people.iter().any(|(_, _, part)| *part == Part::Owner) {
                roles.push(Role::Owner);
            }
            roles.push(Role::Registrar);
            if !no_copy {
                roles.push(Role::Archivist);
            }
        }
    }
    if let Some(mark) = &grounds.mark {
        add(mark.set_by.0, &mark.set_by.1);
    }
    grounds.named.iter().for_each(|(user, name)| add(*user, name));
    Some(Circle { roles, users })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark() -> Option<Mark> {
        Some(Mark {
            id: 1,
            case: CaseId(1),
            set_at: Timestamp::UNIX_EPOCH,
            set_by: (UserId(1), "Kim Exempel".into()),
            provision: "OSL 26 kap. 1 §".into(),
            reason: "Prov.".into(),
        })
    }

    /// Which roles open it, as somebody else (nine) and as somebody who is named (two).
    fn open(grounds: &Grounds) -> String {
        let Some(circle) = circle(grounds) else { return "alla".into() };
        let of = |user| {
            let may = Role::ALL.iter().filter(|role| circle.holds(UserId(user), **role));
            may.map(|role| role.id()).collect::<Vec<_>>().join(" ")
        };
        format!("{} | {}", of(9), of(2))
    }

    #[test]
    fn the_circle_is_those_whose_task_it_is_and_those_who_are_named() {
        let owner = || (UserId(3), "Ö".to_owned(), Part::Owner);
        let editor = || (UserId(2), "E".to_owned(), Part::Editor);
        let named = || vec![(UserId(2), "N".to_owned())];
        let none = Grounds::default;
        let all = "redaktor kontoansvarig registrator arkivarie granskare";
        for (grounds, expected) in [
            (none(), "alla".to_owned()),
            (
                Grounds { mark: mark(), ..none() },
                "kontoansvarig registrator arkivarie | kontoansvarig registrator arkivarie".into(),
            ),
            // Who answers is written down: no other account's owner.
            (
                Grounds { mark: mark(), people: vec![owner(), editor()], ..none() },
                "registrator arkivarie | registrator arkivarie".into(),
            ),
            (
                Grounds { mark: mark(), people: vec![owner()], named: named(), ..none() },
                format!("registrator arkivarie | {all}"),
            ),
            (
                Grounds { no_copy: true, ..none() },
                "redaktor kontoansvarig registrator | redaktor kontoansvarig registrator".into(),
            ),
            (
                Grounds { no_copy: true, people: vec![owner(), editor()], ..none() },
                format!("registrator | {all}"),
            ),
            (
                Grounds { no_copy: true, mark: mark(), people: vec![owner()], ..none() },
                "registrator | registrator".into(),
            ),
            // A suspicion lets nobody in whom the mark keeps out.
            (
                Grounds { no_copy: true, mark: mark(), people: vec![owner(), editor()], ..none() },
                "registrator | registrator".into(),
            ),
            (
                Grounds { no_copy: true, mark: mark(), ..none() },
                "kontoansvarig registrator | kontoansvarig registrator".into(),
            ),
        ] {
            assert_eq!(open(&grounds), expected, "{grounds:?}");
        }
        // A name gives an administrator nothing: the role may not read sealed texts.
        let circle = circle(&Grounds { mark: mark(), named: named(), ..none() }).expect("one");
        assert!(!circle.holds(UserId(2), Role::Administrator));
        assert_eq!(circle.words(), "Kim Exempel, N, kontoansvariga, registratorer och arkivarier");
    }
}
