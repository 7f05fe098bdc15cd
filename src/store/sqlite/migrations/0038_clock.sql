-- What the database has seen of the time: a sign a minute while the program runs. A gap of more than a day may be a
-- stop, or a clock that has gone ahead and makes everything due; nobody can tell which by looking at the clock.
create table clock_signs (
  id integer primary key check (id = 1),
  at integer not null
) strict;

-- A database from before begins where it was.
insert into clock_signs (id, at)
select 1, at from (select max(at) as at from (
  select max(at) as at from log union all select max(at) from audit)) where at is not null;

create table clock_jumps (
  id         integer primary key,
  from_at    integer not null,
  to_at      integer not null,
  settled_at integer,
  -- By a person, by a time stamp of an authority, or since the clock was set right.
  how        text check (how is null or how in ('person', 'stamp', 'back')),
  by_name    text,
  check ((settled_at is null) = (how is null))
) strict;

create unique index clock_jumps_that_stand on clock_jumps (1) where settled_at is null;
