-- The safety of the authority's accounts: when the password was changed, that the login has two steps, who has left since
-- (T18), and incidents (T25). What was noted stays.
create table account_safety (
  id         integer primary key,
  account_id integer not null references accounts (id),
  kind       text    not null check (kind in ('losenord', 'tvasteg', 'lamnade', 'incident')),
  -- The Swedish day that it is about.
  day        text    not null check (day glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
  note       text    not null,
  at         integer not null,
  by_name    text    not null,
  check (kind <> 'incident' or length(trim(note)) > 0)
) strict;

create index account_safety_of on account_safety (account_id, kind, day);

create trigger account_safety_stays before update on account_safety
begin select raise(abort, 'what was noted of an account stays so'); end;

create trigger account_safety_is_never_cut before delete on account_safety
begin select raise(abort, 'what was noted of an account stays so'); end;
