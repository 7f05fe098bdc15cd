//! The command line in Swedish: clap's own headings, brackets and complaints, which are English.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::{Arg, ArgAction, Command};

const TEMPLATE: &str =
    "{before-help}{about-with-newline}\nAnvändning: {usage}\n\n{all-args}{after-help}";

/// The same command, with Swedish around what it says itself.
pub(super) fn in_swedish(command: Command) -> Command {
    let help = Arg::new("help")
        .short('h')
        .long("help")
        .action(ArgAction::Help)
        .help("Visar den här hjälpen")
        .help_heading("Val");
    let has_version = command.get_version().is_some();
    let mut command = command
        .help_template(TEMPLATE)
        .subcommand_help_heading("Kommandon")
        .subcommand_value_name("KOMMANDO")
        .disable_help_subcommand(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .mut_args(of_argument)
        .mut_subcommands(in_swedish)
        .arg(help);
    if has_version {
        let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
        command = command.arg(version.help("Visar versionen").help_heading("Val"));
    }
    command
}

fn of_argument(argument: Arg) -> Arg {
    let heading = if argument.is_positional() { "Argument" } else { "Val" };
    let takes_value = argument.get_action().takes_values();
    let possible = argument.get_possible_values();
    let possible: Vec<_> = possible.iter().filter(|value| !value.is_hide_set()).collect();
    let mut added = String::new();
    if takes_value && !argument.is_hide_possible_values_set() && !possible.is_empty() {
        let names: Vec<_> = possible.iter().map(|value| value.get_name()).collect();
        added += &format!(" [möjliga: {}]", names.join(", "));
    }
    let usual = argument.get_default_values();
    if takes_value && !argument.is_hide_default_value_set() && !usual.is_empty() {
        let usual: Vec<_> = usual.iter().map(|value| value.to_string_lossy()).collect();
        added += &format!(" [annars: {}]", usual.join(", "));
    }
    let with = |help: Option<&StyledStr>| help.map(|help| format!("{help}{added}"));
    let (short, long) = (with(argument.get_help()), with(argument.get_long_help()));
    let mut argument = argument.help_heading(heading);
    if takes_value {
        argument = argument.hide_possible_values(true).hide_default_value(true);
    }
    if let Some(short) = short {
        argument = argument.help(short);
    }
    if let Some(long) = long {
        argument = argument.long_help(long);
    }
    argument
}

/// What was wrong with a command line, in Swedish, with the mend; nothing where it is no complaint but help.
pub(super) fn complaint(error: &Error) -> Option<String> {
    let told = |kind| error.get(kind).map(words).unwrap_or_default();
    let (argument, value) = (told(ContextKind::InvalidArg), told(ContextKind::InvalidValue));
    let mut text = match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => return None,
        ErrorKind::InvalidValue if value.is_empty() => format!("{argument} saknar värde"),
        ErrorKind::InvalidValue => format!("värdet {value} går inte för {argument}"),
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            format!("värdet {value} går inte för {argument}: {why}")
        }
        ErrorKind::UnknownArgument => format!("argumentet {argument} finns inte"),
        ErrorKind::InvalidSubcommand => {
            format!("kommandot {} finns inte", told(ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingRequiredArgument => format!("det saknas: {argument}"),
        ErrorKind::MissingSubcommand => "det saknas ett kommando".to_owned(),
        ErrorKind::ArgumentConflict => {
            format!("{argument} går inte ihop med {}", told(ContextKind::PriorArg))
        }
        ErrorKind::NoEquals => format!("{argument} skrivs med likhetstecken"),
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("{argument} har för många eller för få värden")
        }
        ErrorKind::InvalidUtf8 => "ett argument är inte text i UTF-8".to_owned(),
        // Whatever else there is, in its own words.
        _ => error.to_string(),
    };
    let possible = told(ContextKind::ValidValue);
    if !possible.is_empty() {
        text += &format!("\nMöjliga värden: {possible}");
    }
    let meant =
        [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    let meant = meant.map(told).into_iter().find(|meant| !meant.is_empty());
    if let Some(meant) = meant {
        text += &format!("\nMenade du {}?", meant.replace(", ", " eller "));
    }
    if let Some(usage) = error.get(ContextKind::Usage) {
        text += &format!("\n\n{}", words(usage).replace("Usage:", "Användning:"));
    }
    Some(format!("{text}\n\nHjälp: --help"))
}

fn words(value: &ContextValue) -> String {
    match value {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => texts.join(", "),
        ContextValue::StyledStr(text) => text.to_string(),
        ContextValue::StyledStrs(texts) => {
            texts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
        ContextValue::Number(number) => number.to_string(),
        ContextValue::Bool(yes) => yes.to_string(),
        // A kind that came after this was written says nothing here.
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Arguments;

    fn refused(line: &str) -> String {
        let command = in_swedish(Arguments::command());
        let error = command.try_get_matches_from(line.split(' ')).expect_err("it is refused");
        complaint(&error).expect("a complaint")
    }

    #[test]
    fn what_is_wrong_with_a_line_is_told_in_swedish_with_the_mend() {
        let told = [
            ("uppsikt serv", "kommandot serv finns inte\nMenade du users eller serve?"),
            ("uppsikt evidence verify --jsn", "argumentet --jsn finns inte\nMenade du --json?"),
            ("uppsikt evidence show", "det saknas: <ID>"),
            ("uppsikt evidence show tre", "värdet tre går inte för <ID>: "),
            (
                "uppsikt evidence export 1 --out x --format pdf",
                "värdet pdf går inte för --format <FORMAT>\nMöjliga värden: zip, eark",
            ),
            ("uppsikt evidence export 1 --out", "--out <FIL> saknar värde"),
        ];
        for (line, words) in told {
            let complaint = refused(line);
            assert!(complaint.starts_with(words), "{line}: {complaint}");
            assert!(!complaint.contains("Usage") && complaint.ends_with("--help"), "{complaint}");
        }
    }

    #[test]
    fn help_of_every_command_is_in_swedish() {
        fn look(command: &mut Command, path: &str) {
            let help = command.render_long_help().to_string();
            for english in [
                "Usage",
                "Options",
                "Commands",
                "Print",
                "[default",
                "[possible",
                "Possible values",
            ] {
                assert!(!help.contains(english), "{path}: {help}");
            }
            assert!(
                help.contains("Användning: ") && help.contains("Visar den här hjälpen"),
                "{path}"
            );
            for command in command.get_subcommands_mut() {
                let path = format!("{path} {}", command.get_name());
                look(command, &path);
            }
        }
        let mut command = in_swedish(Arguments::command());
        command.build();
        look(&mut command, "uppsikt");
    }
}
