-- Whether the log's entry holds the wording that a decision about a report rests on. Those before do not.
alter table police_decisions add column holds_version integer not null default 0
  check (holds_version in (0, 1));
