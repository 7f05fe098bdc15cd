-- Packages that go to the diary by mail or by a signed call beside the export folder, each tried until it came
-- through or a person took over; and numbers that the diary system itself gives back.

create table diary_handovers (
  id              integer primary key,
  registration_id integer not null references registrations (id),
  way             text    not null check (way in ('mail', 'webhook')),
  -- 1, and one more each time a person wants it handed over anew.
  n               integer not null default 1 check (n >= 1),
  state           text    not null check (state in ('waiting', 'sending', 'handed', 'failed', 'moot')),
  queued_at       integer not null,
  -- When to try next; of one that is being tried, when it is taken to have died.
  next_at         integer,
  attempts        integer not null default 0,
  -- An earlier try may have come through without our hearing of it: the next one says so.
  perhaps         integer not null default 0 check (perhaps in (0, 1)),
  tried_since     integer,
  problem         text,
  ended_at        integer,
  asked_by        integer references users (id),
  unique (registration_id, way, n),
  check ((state in ('waiting', 'sending')) = (next_at is not null)),
  check ((state in ('handed', 'failed', 'moot')) = (ended_at is not null)),
  check (state <> 'failed' or problem is not null)
) strict;

create index diary_handovers_due on diary_handovers (next_at) where next_at is not null;

create trigger diary_handovers_stay before update on diary_handovers
when old.state in ('handed', 'failed', 'moot') or new.registration_id is not old.registration_id
  or new.way is not old.way or new.n is not old.n
begin select raise(abort, 'a hand-over stays as it ended'); end;

create trigger diary_handovers_are_never_cut before delete on diary_handovers
begin select raise(abort, 'a hand-over stays on record'); end;

create index registrations_by_package on registrations (package);
