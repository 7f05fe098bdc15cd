//! A notice (*avisering*) as mail in plain text and HTML, and as Teams and Slack take it by webhook.
//!
//! Whoever makes a [`Letter`] decides what may stand in it; here it is only laid out, and escaped for
//! where it goes.

use serde_json::{Value, json};

/// What a notice says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The subject, and the heading.
    pub subject: String,
    /// Paragraphs.
    pub paragraphs: Vec<String>,
    /// Facts with their names, in a table.
    pub facts: Vec<(String, String)>,
    /// Words of a comment, masked, where the settings let them out.
    pub quote: Option<String>,
    /// What to press, and where it leads.
    pub link: (String, String),
    /// Who sends it and why.
    pub footer: String,
}

/// Longest line of plain text: what any mail program shows whole.
const LINE: usize = 76;

fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        // The list is never empty.
        let line = lines.last_mut().expect("a line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > LINE {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

/// Safe between tags and between double quotes.
fn escaped(text: &str) -> String {
    html_escape::encode_text(text).replace('"', "&quot;")
}

impl Letter {
    /// As plain text.
    pub fn plain(&self) -> String {
        let mut text = String::new();
        let mut block = |words: &str| {
            text.push_str(words);
            text.push_str("\n\n");
        };
        block(&wrapped(&self.subject));
        for paragraph in &self.paragraphs {
            block(&wrapped(paragraph));
        }
        if !self.facts.is_empty() {
            let lines: Vec<_> =
                self.facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            block(&lines.join("\n"));
        }
        if let Some(quote) = &self.quote {
            let lines: Vec<_> = wrapped(quote).lines().map(|line| format!("> {line}")).collect();
            block(&lines.join("\n"));
        }
        block(&format!("{}:\n{}", self.link.0, self.link.1));
        text.push_str("-- \n");
        text.push_str(&wrapped(&self.footer));
        text.push('\n');
        text
    }

    /// As HTML: no pictures, nothing from outside, readable in dark and without styles.
    pub fn html(&self) -> String {
        let mut body = format!("<h1 style=\"font-size:20px\">{}</h1>\n", escaped(&self.subject));
        for paragraph in &self.paragraphs {
            body.push_str(&format!("<p>{}</p>\n", escaped(paragraph)));
        }
        if !self.facts.is_empty() {
            body.push_str("<table cellpadding=\"4\">\n");
            for (name, value) in &self.facts {
                body.push_str(&format!(
                    "<tr><th scope=\"row\" align=\"left\">{}</th><td>{}</td></tr>\n",
                    escaped(name),
                    escaped(value)
                ));
            }
            body.push_str("</table>\n");
        }
        if let Some(quote) = &self.quote {
            body.push_str(&format!("<blockquote>{}</blockquote>\n", escaped(quote)));
        }
        let (words, address) = (escaped(&self.link.0), escaped(&self.link.1));
        body.push_str(&format!("<p><a href=\"{address}\">{words}</a></p>\n"));
        body.push_str(&format!("<hr>\n<p><small>{}</small></p>\n", escaped(&self.footer)));
        format!(
            "<!doctype html>\n<html lang=\"sv\">\n<head><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\"><title>{}</title></head>\n<body style=\"font-family:sans-serif;max-width:40em\">\n{body}</body>\n</html>\n",
            escaped(&self.subject)
        )
    }

    /// As a Teams workflow takes it: an Adaptive Card 1.4. Plain `TextBlock`s, whose markdown is
    /// disarmed.
    pub fn teams(&self) -> Value {
        let block = |text: &str| json!({"type": "TextBlock", "text": disarmed(text), "wrap": true});
        let heading = json!({"type": "TextBlock", "text": disarmed(&self.subject), "wrap": true,
            "weight": "Bolder", "size": "Medium"});
        let mut body = vec![heading];
        body.extend(self.paragraphs.iter().map(|paragraph| block(paragraph)));
        if !self.facts.is_empty() {
            let facts: Vec<_> = self
                .facts
                .iter()
                .map(|(name, value)| json!({"title": name, "value": disarmed(value)}))
                .collect();
            body.push(json!({"type": "FactSet", "facts": facts}));
        }
        body.extend(self.quote.iter().map(|quote| block(quote)));
        json!({
            "type": "message",
            "attachments": [{
                "contentType": "application/vnd.microsoft.card.adaptive",
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "lang": "sv",
                    "body": body,
                    "actions": [{"type": "Action.OpenUrl", "title": self.link.0, "url": self.link.1}],
                },
            }],
        })
    }

    /// As Slack's incoming webhooks take it: blocks, and the subject for those who hear it.
    pub fn slack(&self) -> Value {
        let plain = |text: &str| json!({"type": "plain_text", "text": text, "emoji": false});
        let mut blocks = vec![
            // Slack refuses headings over 150 characters.
            json!({"type": "header", "text": plain(&short(&self.subject, 150))}),
        ];
        let section = |text: &str| json!({"type": "section", "text": plain(&short(text, 3000))});
        blocks.extend(self.paragraphs.iter().map(|paragraph| section(paragraph)));
        if !self.facts.is_empty() {
            let facts: Vec<_> =
                self.facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            blocks.push(section(&facts.join("\n")));
        }
        blocks.extend(self.quote.iter().map(|quote| section(quote)));
        blocks.push(json!({"type": "actions", "elements": [
            {"type": "button", "text": plain(&self.link.0), "url": self.link.1},
        ]}));
        json!({"text": slack_escaped(&self.subject), "blocks": blocks})
    }
}

/// Text whose markdown shows as it stands: a comment can make no link of its own.
fn disarmed(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '[' | ']' | '(' | ')' | '*' | '_' | '`' | '#' | '<' | '>' | '~') {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

/// What Slack asks to be replaced in text that may hold its own marks.
fn slack_escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> Letter {
        Letter {
            subject: "Hot: ärende 12 på Åbadet & co väntar på beslut".into(),
            paragraphs: vec!["En kommentar har bedömts som hot. Läs den och besluta.".into()],
            facts: vec![
                ("Konto".into(), "Åbadet & co <Facebook>".into()),
                ("Klart senast".into(), "måndag 23 november kl. 14:05".into()),
            ],
            quote: Some("<b>[klicka](https://ond.example)</b> *nu* ring ***-*** ** **".into()),
            link: ("Öppna ärendet".into(), "https://uppsikt.exempelstad.example/arende/12".into()),
            footer: "Skickat av Uppsikt hos Exempelstads kommun.".into(),
        }
    }

    #[test]
    fn a_letter_reads_as_plain_text() {
        insta::assert_snapshot!(letter().plain(), @r"
        Hot: ärende 12 på Åbadet & co väntar på beslut

        En kommentar har bedömts som hot. Läs den och besluta.

        Konto: Åbadet & co <Facebook>
        Klart senast: måndag 23 november kl. 14:05

        > <b>[klicka](https://ond.example)</b> *nu* ring ***-*** ** **

        Öppna ärendet:
        https://uppsikt.exempelstad.example/arende/12

        -- 
        Skickat av Uppsikt hos Exempelstads kommun.
        ");
    }

    #[test]
    fn html_holds_what_a_comment_says_as_text_alone() {
        insta::assert_snapshot!(letter().html(), @r#"
        <!doctype html>
        <html lang="sv">
        <head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Hot: ärende 12 på Åbadet &amp; co väntar på beslut</title></head>
        <body style="font-family:sans-serif;max-width:40em">
        <h1 style="font-size:20px">Hot: ärende 12 på Åbadet &amp; co väntar på beslut</h1>
        <p>En kommentar har bedömts som hot. Läs den och besluta.</p>
        <table cellpadding="4">
        <tr><th scope="row" align="left">Konto</th><td>Åbadet &amp; co &lt;Facebook&gt;</td></tr>
        <tr><th scope="row" align="left">Klart senast</th><td>måndag 23 november kl. 14:05</td></tr>
        </table>
        <blockquote>&lt;b&gt;[klicka](https://ond.example)&lt;/b&gt; *nu* ring ***-*** ** **</blockquote>
        <p><a href="https://uppsikt.exempelstad.example/arende/12">Öppna ärendet</a></p>
        <hr>
        <p><small>Skickat av Uppsikt hos Exempelstads kommun.</small></p>
        </body>
        </html>
        "#);
        assert!(!letter().html().contains("<b>"));
    }

    #[test]
    fn teams_gets_a_card_and_no_link_of_a_comments() {
        let card = letter().teams();
        let content = &card["attachments"][0]["content"];
        assert_eq!(content["type"], "AdaptiveCard");
        let quote = content["body"].as_array().unwrap().last().unwrap()["text"].as_str().unwrap();
        assert!(quote.starts_with(r"\<b\>\[klicka\]\(https"), "{quote}");
        assert_eq!(content["actions"][0]["url"], "https://uppsikt.exempelstad.example/arende/12");
    }

    #[test]
    fn slack_gets_plain_blocks_within_its_bounds() {
        let long = Letter { subject: "å".repeat(400), ..letter() };
        let message = long.slack();
        let heading = message["blocks"][0]["text"]["text"].as_str().unwrap();
        assert_eq!(heading.chars().count(), 150);
        let kinds: Vec<_> = message["blocks"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|block| block.pointer("/text/type").and_then(Value::as_str))
            .collect();
        assert!(kinds.iter().all(|kind| *kind == "plain_text"), "{kinds:?}");
        assert!(letter().slack()["text"].as_str().unwrap().contains("&amp;"));
    }
}
