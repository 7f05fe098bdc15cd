-- Reports from the public (anmälan utifrån), and cases about what stands outside our control.

create table public_reports (
  id             integer primary key,
  -- What whoever sent it was told; says nothing of how many there are.
  receipt        text    not null unique check (length(receipt) >= 8),
  received_at    integer not null,
  -- The Swedish day, so that a day's number is found at once.
  day            text    not null check (day glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
  -- Gone when it has been disposed of; its hash stays.
  link           text    check (link is null or length(link) <= 2100),
  reason         text    check (reason is null or length(reason) <= 3000),
  contact        text    check (contact is null or length(contact) <= 200),
  content_sha256 blob    not null check (length(content_sha256) = 32),
  state          text    not null check (state in ('new', 'joined', 'read', 'set_aside')),
  case_id        integer references cases (id),
  ended_at       integer,
  ended_by       integer references users (id),
  words          text,
  disposed_at    integer,
  -- The same sent twice in a day is one report.
  unique (day, content_sha256),
  check (state <> 'joined' or case_id is not null),
  check (state <> 'new' or case_id is null),
  check ((state in ('read', 'set_aside')) = (ended_at is not null)),
  check ((disposed_at is null) = (reason is not null))
) strict;

create index public_reports_waiting on public_reports (id) where state in ('new', 'joined');
create index public_reports_by_case on public_reports (case_id) where case_id is not null;
create index public_reports_kept on public_reports (received_at) where disposed_at is null;

create trigger public_reports_stay before update on public_reports
when new.id is not old.id or new.receipt is not old.receipt or new.received_at is not old.received_at
  or new.content_sha256 is not old.content_sha256
  or (new.reason is not old.reason and new.reason is not null)
  or (new.link is not old.link and new.link is not null)
  or (new.contact is not old.contact and new.contact is not null)
begin select raise(abort, 'an incoming document stays as it came'); end;

create trigger public_reports_are_never_cut before delete on public_reports
begin select raise(abort, 'an incoming document stays on record'); end;

-- By link, for what somebody outside points at.
create index items_by_permalink on items (permalink) where permalink is not null;

-- What we cannot take away ourselves, such as somebody's own share. The newest of a case stands.
create table outside_control (
  id        integer primary key,
  case_id   integer not null references cases (id),
  at        integer not null,
  user_id   integer not null references users (id),
  reason    text    not null check (length(trim(reason)) > 0),
  lifted_at integer,
  lifted_by integer references users (id),
  check ((lifted_at is null) = (lifted_by is null))
) strict;

create unique index outside_control_once on outside_control (case_id) where lifted_at is null;

create trigger outside_control_stays before update on outside_control
when old.lifted_at is not null or new.case_id is not old.case_id or new.at is not old.at
  or new.user_id is not old.user_id or new.reason is not old.reason
begin select raise(abort, 'a mark stays on record'); end;

create trigger outside_control_is_never_cut before delete on outside_control
begin select raise(abort, 'a mark stays on record'); end;

-- Kept with the case, so that every list and clock can ask at once.
alter table cases add column outside integer not null default 0 check (outside in (0, 1));

create trigger outside_control_marks after insert on outside_control begin
  update cases set outside = 1, revision = revision + 1, changed_at = new.at where id = new.case_id;
end;

create trigger outside_control_unmarks after update of lifted_at on outside_control
when new.lifted_at is not null begin
  update cases set outside = 0, revision = revision + 1, changed_at = new.lifted_at where id = new.case_id;
  -- Its deadline runs again, and somebody may have to be told.
  insert into notice_due (case_id, since)
  select id, new.lifted_at from cases where id = new.case_id and state in ('waiting', 'returned', 'held')
  on conflict (case_id) do update set since = excluded.since, n = n + 1, not_before = 0;
end;
