-- Saved filters of the queue: what somebody wants to see often, for themselves or for everybody. The query is as
-- it stands in the page's address; it names no person. One that is taken away can be brought back.

create table saved_filters (
  id         integer primary key,
  -- Null: for everybody.
  owner_id   integer references users (id),
  name       text    not null check (length(trim(name)) > 0),
  query      text    not null,
  changed_at integer not null,
  changed_by integer not null references users (id),
  removed_at integer
) strict;

create index saved_filters_standing on saved_filters (owner_id) where removed_at is null;
