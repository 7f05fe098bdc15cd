// Every flow: its name, what it proves, and how. Those that decide come after those that look.
import { everyPageIsAccessible } from "./accessible.mjs";
import { tickedRemovalIsNotDropped } from "./awaits.mjs";
import { recordedByHand } from "./by_hand.mjs";
import { colleagueFirst } from "./colleague_first.mjs";
import { numberPutRight } from "./corrected.mjs";
import { diaryAnswersCount } from "./diary.mjs";
import { editedWhileAway } from "./edited.mjs";
import { failedActionIsShown } from "./failed.mjs";
import { lightFirstLoad, refusedLogIn } from "./first_load.mjs";
import { handedOut } from "./handed_out.mjs";
import { keyboardOnly, undo } from "./keyboard.mjs";
import { newCaseAnnouncesItself } from "./live.mjs";
import { everyWayOfShowing } from "./looks.mjs";
import { savedReplies } from "./replies.mjs";
import { caseRests } from "./rests.mjs";
import { otherRoles } from "./roles.mjs";
import { rulesByKeyboard, rulesWithoutScript } from "./rules.mjs";
import { searched, searchedWithoutScript } from "./search.mjs";
import { atTheProvider, secondFactor } from "./second_factor.mjs";
import { sessionEnded } from "./session_ended.mjs";
import { manyAtOnce, manyAtOnceWithoutScript } from "./together.mjs";
import { twoEditors, twoEditorsWithoutScript } from "./two_editors.mjs";
import { undosDoNotStack } from "./undos.mjs";
import { withoutScript } from "./without_script.mjs";

export const flows = [
  { name: "accessible", proves: "every page, wide and narrow, light and dark, passes axe and reflows", run: everyPageIsAccessible },
  { name: "looks", proves: "forced colours, paper and 320 px show what they must", run: everyWayOfShowing },
  { name: "roles", proves: "who may not is told what and who may, and nothing untrue of the findings", run: otherRoles },
  { name: "log-in", proves: "a refused log-in says so and keeps the name alone", run: refusedLogIn },
  { name: "second-factor", proves: "a second factor is set up by keyboard, asked for, stood in for by a recovery code without a script, and taken away", run: secondFactor },
  { name: "provider", proves: "somebody logs in at the authority's own provider and is back where they wanted to be", run: atTheProvider },
  { name: "light", proves: "the queue's first load is light and asks nobody else", run: lightFirstLoad },
  { name: "failed", proves: "a failed action comes back on top with its reason", run: failedActionIsShown },
  { name: "rules", proves: "a text is tried, and rules are written, mended, tried and published by keyboard, and rule at once", run: rulesByKeyboard },
  { name: "rules-without-script", proves: "the same page without JavaScript: seen by an editor, a finding called wrong, and the rules put back", run: rulesWithoutScript },
  { name: "search", proves: "what was written is found in any form by keyboard, masked and without names", run: searched },
  { name: "search-without-script", proves: "the same without JavaScript", run: searchedWithoutScript },
  { name: "live", proves: "a new case announces itself and pushes nothing", run: newCaseAnnouncesItself },
  { name: "edited", proves: "a decision on an edited text is never offered beside the text before it", run: editedWhileAway },
  { name: "awaits", proves: "a ticked removal that waits for its evidence is never left out in silence", run: tickedRemovalIsNotDropped },
  { name: "diary", proves: "answers on the diary count however the decision is sent, and the proposal keeps what is filled in", run: diaryAnswersCount },
  { name: "replies", proves: "a saved reply comes in at the cursor and out again, and a draft to whoever wrote follows what is ticked", run: savedReplies },
  { name: "keyboard", proves: "a whole case can be worked by keyboard alone", run: keyboardOnly },
  { name: "undo", proves: "a decision can be undone with z", run: undo },
  { name: "undos", proves: "quick decisions leave one bar to undo by, and the others a click away", run: undosDoNotStack },
  { name: "rests", proves: "a case put aside is found with its time, and that is undone", run: caseRests },
  { name: "together", proves: "rows marked by keyboard are summed up, decided and undone in one act", run: manyAtOnce },
  { name: "together-without-script", proves: "the same without JavaScript at 320 px", run: manyAtOnceWithoutScript },
  { name: "by-hand", proves: "what is recorded by hand is decided like all else, and ends when a person says so", run: recordedByHand },
  { name: "corrected", proves: "a diary number is put right with a reason, and both stay in the history", run: numberPutRight },
  { name: "handed-out", proves: "a report to the police is decided and a record is handed out to somebody unnamed, without a script", run: handedOut },
  { name: "colleague-first", proves: "a decision after a colleague's stays refused on the page, with what was written", run: colleagueFirst },
  { name: "two-editors", proves: "who has a case is shown, it is taken over by one act, and nothing typed is lost", run: twoEditors },
  { name: "two-editors-without-script", proves: "the same without JavaScript", run: twoEditorsWithoutScript },
  { name: "session-ended", proves: "a decision after the session's end is not lost without a word", run: sessionEnded },
  { name: "without-script", proves: "a case can be worked without JavaScript", run: withoutScript },
];
