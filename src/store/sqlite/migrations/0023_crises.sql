-- Crises (krisläge): begun by a person for all accounts or some, ended by a person or by themselves. At most one
-- stands at a time; what has ended stays on record, for it is part of the supervision log.

create table crises (
  id       integer primary key,
  why      text    not null check (length(trim(why)) > 0),
  began_at integer not null,
  began_by integer not null references users (id),
  until    integer not null,
  ended_at integer,
  -- Null where it ended by itself.
  ended_by integer references users (id),
  check (until > began_at),
  check (ended_at is null or ended_at >= began_at),
  check (ended_by is null or ended_at is not null)
) strict;

create unique index one_crisis_at_a_time on crises ((1)) where ended_at is null;

-- For which accounts; none: all of them.
create table crisis_accounts (
  crisis_id  integer not null references crises (id),
  account_id integer not null references accounts (id),
  primary key (crisis_id, account_id)
) strict, without rowid;

-- Who beside the accounts' own people is told of everything while it lasts.
create table crisis_people (
  crisis_id integer not null references crises (id),
  user_id   integer not null references users (id),
  primary key (crisis_id, user_id)
) strict, without rowid;

create trigger crises_stay before update on crises
when old.ended_at is not null or new.began_at is not old.began_at or new.began_by is not old.began_by
  or new.why is not old.why
begin select raise(abort, 'a crisis stays on record as it was'); end;

create trigger crises_are_never_cut before delete on crises
begin select raise(abort, 'a crisis stays on record'); end;
