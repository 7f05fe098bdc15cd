//! What is written on a simulated Page, and when.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One of the Page's own posts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptPost {
    /// Named by comments.
    pub key: String,
    /// First line of the post.
    pub title: String,
    /// The rest.
    pub text: String,
}

/// One comment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptComment {
    /// Named by answers.
    pub key: String,
    /// The post it stands under.
    pub post: String,
    /// The comment it answers.
    #[serde(default)]
    pub parent: Option<String>,
    /// Shown name; empty where the platform withholds it.
    pub name: String,
    /// Text.
    pub text: String,
    /// When, in seconds after the start. Those with 0 were written before it.
    pub after_s: u32,
    /// A later change of the text.
    #[serde(default)]
    pub edit: Option<ScriptEdit>,
    /// When its author deletes it, in seconds after the start.
    #[serde(default)]
    pub delete_after_s: Option<u32>,
}

/// A change of a comment's text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptEdit {
    /// When, in seconds after the start.
    pub after_s: u32,
    /// The new text.
    pub text: String,
}

/// Everything that happens on a simulated Page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// The posts, newest first.
    pub posts: Vec<ScriptPost>,
    /// The comments; answers after what they answer.
    pub comments: Vec<ScriptComment>,
}

/// The script cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadScript {
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The posts are not the expected JSON.
    #[error("the posts are not a list of objects with key, title and text")]
    Posts(#[source] serde_json::Error),
    /// A line is not the expected JSON.
    #[error("line {line}: not a comment with key, post, name, text and after_s")]
    Line {
        /// Counted from one.
        line: usize,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A line says something that cannot be.
    #[error("line {line}: {problem}")]
    Sense {
        /// Counted from one.
        line: usize,
        /// What, and how to mend it.
        problem: String,
    },
}

impl Script {
    /// Reads posts (a JSON list) and comments (JSON lines).
    ///
    /// # Errors
    /// [`BadScript`] with the line.
    pub fn read(posts: &str, comments: &str) -> Result<Self, BadScript> {
        let posts: Vec<ScriptPost> = serde_json::from_str(posts).map_err(BadScript::Posts)?;
        let post_keys: BTreeSet<_> = posts.iter().map(|post| post.key.as_str()).collect();
        let mut read: Vec<ScriptComment> = Vec::new();
        let mut keys = BTreeSet::new();
        for (index, text) in comments.lines().enumerate() {
            let line = index + 1;
            if text.trim().is_empty() {
                continue;
            }
            let comment: ScriptComment =
                serde_json::from_str(text).map_err(|source| BadScript::Line { line, source })?;
            let sense = |problem: String| Err(BadScript::Sense { line, problem });
            if !post_keys.contains(comment.post.as_str()) {
                return sense(format!("there is no post `{}`", comment.post));
            }
            if let Some(parent) = &comment.parent
                && !keys.contains(parent)
            {
                return sense(format!("`{parent}` has to stand on an earlier line"));
            }
            let later = [comment.edit.as_ref().map(|edit| edit.after_s), comment.delete_after_s];
            if later.into_iter().flatten().any(|at| at < comment.after_s) {
                return sense("edit and deletion come after the comment: raise their time".into());
            }
            if !keys.insert(comment.key.clone()) {
                return sense(format!("the key `{}` is taken", comment.key));
            }
            read.push(comment);
        }
        Ok(Self { posts, comments: read })
    }

    /// Reads `posts.json` and `demo.jsonl` in a directory.
    ///
    /// # Errors
    /// [`BadScript`] with file or line.
    pub fn from_directory(directory: &Path) -> Result<Self, BadScript> {
        let read = |name: &str| {
            let path = directory.join(name);
            std::fs::read_to_string(&path).map_err(|source| BadScript::File { path, source })
        };
        Self::read(&read("posts.json")?, &read("demo.jsonl")?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_told_with_their_line() {
        let posts = r#"[{"key":"p","title":"t","text":"x"}]"#;
        let good = r#"{"key":"a","post":"p","name":"Kim","text":"x","after_s":5}"#;
        let table = [
            ("{", "line 2: not a comment with key, post, name, text and after_s"),
            (
                r#"{"key":"b","post":"q","name":"","text":"x","after_s":0}"#,
                "line 2: there is no post `q`",
            ),
            (
                r#"{"key":"b","post":"p","parent":"c","name":"","text":"x","after_s":0}"#,
                "line 2: `c` has to stand on an earlier line",
            ),
            (
                r#"{"key":"a","post":"p","name":"","text":"x","after_s":0}"#,
                "line 2: the key `a` is taken",
            ),
            (
                r#"{"key":"b","post":"p","name":"","text":"x","after_s":9,"delete_after_s":8}"#,
                "line 2: edit and deletion come after the comment: raise their time",
            ),
        ];
        for (line, expected) in table {
            let error = Script::read(posts, &format!("{good}\n{line}\n")).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        assert_eq!(Script::read(posts, good).unwrap().comments.len(), 1);
    }
}
