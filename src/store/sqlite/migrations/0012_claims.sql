-- Who works on a case, how firmly, and who was it taken from.

-- What was only opened is let go by moving on; what is written in, or was taken on purpose, stays while
-- its lease lasts.
alter table cases add column claim_kept integer not null default 0 check (claim_kept in (0, 1));

-- Until now a case was taken on purpose alone.
update cases set claim_kept = 1 where claimed_by is not null;

-- A case taken over: whoever held it is told once, on the next page that they open.
create table handovers (
  id        integer primary key,
  case_id   integer not null references cases (id),
  from_user integer not null references users (id),
  to_user   integer not null references users (id),
  at        integer not null,
  told_at   integer,
  check (from_user <> to_user)
) strict;

create index handovers_to_tell on handovers (from_user, id) where told_at is null;
