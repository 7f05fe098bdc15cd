//! What a package tells of a case, changed by somebody who has the key to sign it anew.

use std::collections::BTreeMap;
use std::fs::{self, File};

use super::{evidence_of, export, well_when_signed_anew};
use crate::domain::decision::Choice;
use crate::services::tests::harness::{Stage, THREAT};

const HIDDEN: &str = "bevis-1/arende.json";
const UNDONE: &str = "bevis-2/arende.json";
const POSTS: &str = "bevis-1/handelser.json";

type Files = BTreeMap<&'static str, Vec<u8>>;

type Tampering = (&'static str, fn(&mut Files));

/// Changes a file of JSON.
fn turn(files: &mut Files, name: &'static str, change: impl FnOnce(&mut serde_json::Value)) {
    let mut value = serde_json::from_slice(&files[name]).unwrap();
    change(&mut value);
    files.insert(name, value.to_string().into_bytes());
}

const TAMPERINGS: &[Tampering] = &[
    ("nothing is said to have happened", |f| drop(f.insert(POSTS, b"[]\n".to_vec()))),
    ("there is said to be no case", |f| drop(f.insert(HIDDEN, b"null\n".to_vec()))),
    ("there is said to be no case, and nothing happened", |f| {
        f.insert(HIDDEN, b"null\n".to_vec());
        f.remove(POSTS);
    }),
    ("a decision that was never made", |f| {
        turn(f, HIDDEN, |case| {
            let mut other = case["decisions"][0].clone();
            other["decision"] = 99.into();
            case["decisions"].as_array_mut().unwrap().push(other);
        });
    }),
    ("another choice", |f| {
        turn(f, HIDDEN, |case| {
            case["decisions"][0]["choices"][0] = serde_json::json!({ "choice": "delete" });
        });
    }),
    ("a choice more", |f| {
        turn(f, HIDDEN, |case| {
            let choices = case["decisions"][0]["choices"].as_array_mut().unwrap();
            choices.push(serde_json::json!({ "choice": "register" }));
        });
    }),
    ("a decision about another version", |f| {
        turn(f, HIDDEN, |case| case["decisions"][0]["version"] = 99.into());
    }),
    ("a decision that stands is said to be undone", |f| {
        turn(f, HIDDEN, |case| case["decisions"][0]["undone_at"] = "2026-11-01T10:00:00Z".into());
    }),
    ("a decision that was undone is said to stand", |f| {
        turn(f, UNDONE, |case| case["decisions"][0]["undone_at"] = serde_json::Value::Null);
    }),
    ("a decision is left out", |f| {
        turn(f, HIDDEN, |case| case["decisions"] = serde_json::json!([]));
    }),
    ("an action is left out", |f| {
        turn(f, HIDDEN, |case| case["actions"] = serde_json::json!([]));
    }),
    ("an action that never was", |f| {
        turn(f, HIDDEN, |case| {
            let mut other = case["actions"][0].clone();
            other["action"] = 99.into();
            case["actions"].as_array_mut().unwrap().push(other);
        });
    }),
    ("an action of another kind", |f| {
        turn(f, HIDDEN, |case| case["actions"][0]["kind"] = "delete".into());
    }),
    ("an action ended otherwise", |f| {
        turn(f, HIDDEN, |case| case["actions"][0]["state"]["state"] = "failed".into());
    }),
    ("an action that ended is said to wait", |f| {
        turn(f, HIDDEN, |case| case["actions"][0]["state"]["state"] = "pending".into());
    }),
    ("an action twice, once of another kind", |f| {
        turn(f, HIDDEN, |case| {
            let mut other = case["actions"][0].clone();
            other["kind"] = "delete".into();
            case["actions"].as_array_mut().unwrap().push(other);
        });
    }),
    ("a decision twice", |f| {
        turn(f, HIDDEN, |case| {
            let other = case["decisions"][0].clone();
            case["decisions"].as_array_mut().unwrap().push(other);
        });
    }),
    ("when it was undone is no time", |f| {
        turn(f, HIDDEN, |case| case["decisions"][0]["undone_at"] = "".into());
    }),
    ("whether it was undone is not said", |f| {
        turn(f, HIDDEN, |case| {
            drop(case["decisions"][0].as_object_mut().unwrap().remove("undone_at"))
        });
    }),
    ("the entry of an action is left out", |f| {
        turn(f, POSTS, |posts| drop(posts.as_array_mut().unwrap().pop()));
    }),
    ("another case's number", |f| turn(f, HIDDEN, |case| case["case"] = 99.into())),
];

#[tokio::test]
async fn what_is_told_of_a_case_is_what_the_log_holds_and_no_more() {
    let stage = Stage::new().await;
    let (_, hidden) = stage.written(THREAT).await;
    let (_, undone) = stage.written("Du är en jävla idiot som ska dö.").await;
    stage.decide(hidden, vec![Choice::Hide]).await;
    stage.act_after_undo().await;
    let decision = stage.decide(undone, vec![Choice::Dismiss]).await;
    stage.services.undo(&stage.editor, undone, decision).await.unwrap();
    let ids = [evidence_of(&stage, hidden).await, evidence_of(&stage, undone).await];
    assert_eq!(ids.map(|id| id.0), [1, 2]);
    export(&stage, &ids, "paket.zip").await.unwrap();
    let folder = stage.dir.path().join("uppackat");
    let unpack = || {
        drop(fs::remove_dir_all(&folder));
        let zip = File::open(stage.dir.path().join("paket.zip")).unwrap();
        zip::ZipArchive::new(zip).unwrap().extract(&folder).unwrap();
    };
    unpack();
    assert_eq!(well_when_signed_anew(&stage, &folder).await, (true, true), "as it is");
    let read = |name| (name, fs::read(folder.join(name)).unwrap());
    let files: Files = [HIDDEN, UNDONE, POSTS].into_iter().map(read).collect();
    for (what, tamper) in TAMPERINGS {
        let mut changed = files.clone();
        tamper(&mut changed);
        assert_ne!(changed, files, "{what}");
        unpack();
        for name in files.keys() {
            match changed.get(name) {
                Some(bytes) => fs::write(folder.join(name), bytes).unwrap(),
                None => fs::remove_file(folder.join(name)).unwrap(),
            }
        }
        assert_eq!(well_when_signed_anew(&stage, &folder).await, (false, false), "{what}");
    }
}
