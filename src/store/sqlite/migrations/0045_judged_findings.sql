-- What a person said of a rule's finding in a case: that it was wrong (fel träff). It changes neither verdict nor
-- decision; it is what a rule's precision is counted from. Said again it is taken back.
create table wrong_findings (
  version_id integer not null references versions (id),
  rule       text    not null check (length(rule) > 0),
  case_id    integer not null references cases (id),
  by         integer not null references users (id),
  at         integer not null,
  primary key (version_id, rule)
) strict, without rowid;

create index wrong_findings_by_time on wrong_findings (at);
