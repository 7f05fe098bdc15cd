//! Numbers that mean somebody or something: proven by their own rules, never guessed by looks.

pub mod personal_number;
pub mod spelled;
