-- One running hash over the audit log and one over the histories of cases, so that a line that was
-- changed, taken away or put in between is found out. Every entry of the hash-chained log carries
-- them as they stood. Lines from before this file are taken in at the first line after it.
create table line_chains (
  name    text    primary key check (name in ('audit', 'history')),
  n       integer not null,
  last_id integer not null,
  hash    blob    not null check (length(hash) = 32)
) strict, without rowid;
