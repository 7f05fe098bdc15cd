-- Internal notes are steps of the case's history; here stands who was named in one (@namn), whether they were
-- told, and whether they have seen it.

create table mentions (
  id         integer primary key,
  event_id   integer not null references case_events (id),
  case_id    integer not null references cases (id),
  user_id    integer not null references users (id),
  at         integer not null,
  noticed_at integer,
  seen_at    integer,
  unique (event_id, user_id)
) strict;

create index mentions_of_user on mentions (user_id, id);
create index mentions_to_tell on mentions (id) where noticed_at is null;

create trigger mentions_stay before update on mentions
when new.event_id is not old.event_id or new.case_id is not old.case_id or new.user_id is not old.user_id
  or new.at is not old.at
begin select raise(abort, 'a mention stays as it was'); end;

create trigger mentions_are_never_cut before delete on mentions
begin select raise(abort, 'a mention stays on record'); end;
