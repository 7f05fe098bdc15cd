-- Who answers for an account and how they are reached; what they are told of by mail and webhook, and
-- whether it came through; deadlines that go on to the next person; who looked at what.

-- Where a user is written to. A user without a row is not.
create table contacts (
  user_id    integer primary key references users (id),
  mail       text    not null check (instr(mail, '@') > 1),
  changed_at integer not null
) strict;

-- Who answers for an account (kontoansvarig), works with it, and steps in (ersättare).
create table account_people (
  account_id integer not null references accounts (id),
  user_id    integer not null references users (id),
  part       text    not null check (part in ('owner', 'editor', 'substitute')),
  since      integer not null,
  primary key (account_id, user_id)
) strict, without rowid;

create unique index account_has_one_owner on account_people (account_id) where part = 'owner';

-- Days on which somebody is away, both included, as Swedish dates.
create table absences (
  id      integer primary key,
  user_id integer not null references users (id),
  first   text    not null check (first glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
  last    text    not null check (last glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
  set_at  integer not null,
  check (first <= last),
  unique (user_id, first, last)
) strict;

-- Cases of which somebody may have to be told. Triggers write it, so that it is in the transaction of
-- whatever happened to the case, and a crash between loses nothing.
create table notice_due (
  case_id integer primary key references cases (id),
  since   integer not null
) strict;

create trigger notice_of_a_new_case after insert on cases
when new.state in ('waiting', 'returned', 'held') begin
  insert into notice_due (case_id, since) values (new.id, new.changed_at)
  on conflict (case_id) do update set since = excluded.since;
end;

create trigger notice_of_a_changed_case after update of state, version_id, rank, severity, due_at on cases
when new.state in ('waiting', 'returned', 'held')
  and (new.version_id is not old.version_id or new.rank < old.rank or new.due_at is not old.due_at
       or (new.state in ('waiting', 'returned') and old.state in ('decided', 'awaiting_diary', 'closed')))
begin
  insert into notice_due (case_id, since) values (new.id, new.changed_at)
  on conflict (case_id) do update set since = excluded.since;
end;

-- What somebody is told. No comment's text and no address of a webhook: the text is read when it is
-- sent, the address stands in the settings.
create table notices (
  id        integer primary key,
  -- The same thing is told the same person once.
  key       text    not null unique,
  kind      text    not null check (length(kind) > 0),
  case_id   integer references cases (id),
  urgent    integer not null check (urgent in (0, 1)),
  channel   text    not null check (channel in ('mail', 'webhook')),
  -- The mail address, or the webhook's name; empty where nobody could be found.
  recipient text    not null,
  -- For whom, in words.
  who       text    not null check (length(trim(who)) > 0),
  subject   text    not null check (length(trim(subject)) > 0),
  body      text    not null,
  made_at   integer not null,
  -- When to try next; null when there is nothing more to do.
  due_at    integer,
  attempts  integer not null default 0,
  state     text    not null check (state in ('waiting', 'sent', 'undeliverable', 'seen_to')),
  problem   text,
  ended_at  integer,
  ended_by  integer references users (id),
  check ((state = 'waiting') = (due_at is not null)),
  check (state <> 'undeliverable' or problem is not null),
  check ((state = 'seen_to') = (ended_by is not null))
) strict;

create index notices_waiting on notices (due_at) where state = 'waiting';
create index notices_in_trouble on notices (id) where state = 'undeliverable';

-- What was sent, or given up, stays so; nothing is cut out.
create trigger notices_stay before update on notices
when old.state in ('sent', 'seen_to') or new.id is not old.id or new.key is not old.key
  or new.recipient is not old.recipient or new.made_at is not old.made_at
begin select raise(abort, 'a notice stays as it was sent'); end;

create trigger notices_are_never_cut before delete on notices
begin select raise(abort, 'a notice stays on record'); end;

-- Deadlines that went on to the next person: once for each deadline of a case and each step.
create table escalations (
  case_id integer not null references cases (id),
  due_at  integer not null,
  step    text    not null check (step in ('owner', 'substitute', 'administrator')),
  at      integer not null,
  told    text    not null check (length(trim(told)) > 0),
  primary key (case_id, due_at, step)
) strict, without rowid;

create trigger escalations_stay before update on escalations
begin select raise(abort, 'a step that was taken stays on record'); end;

create trigger escalations_are_never_cut before delete on escalations
begin select raise(abort, 'a step that was taken stays on record'); end;

-- When the next step of a case is due.
create table escalation_clocks (
  case_id integer primary key references cases (id),
  at      integer not null
) strict;

create index escalation_clocks_by_time on escalation_clocks (at);

-- The supervision log's second half: when a person looked, at one account or (0) at all of them. The
-- first, `looks`, is the machine's.
create table person_looks (
  slot       integer not null,
  account_id integer not null,
  user_id    integer not null references users (id),
  at         integer not null,
  primary key (slot, account_id, user_id)
) strict, without rowid;

create trigger person_looks_stay before update on person_looks
begin select raise(abort, 'the supervision log only grows'); end;

create trigger person_looks_are_never_cut before delete on person_looks
begin select raise(abort, 'the supervision log only grows'); end;
