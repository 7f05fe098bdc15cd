-- The authority's register of its accounts (kontoregister): what each is for, where its duties text stands,
-- who confirmed it in the yearly inventory, how it was closed. Who answers for an account and when people are
-- away stands where 0013 put it.

create table account_cards (
  account_id       integer primary key references accounts (id),
  purpose          text    not null,
  audience         text    not null,
  unit             text    not null,
  address          text    not null,
  rules_link       text    not null,
  owner_is_manager integer not null check (owner_is_manager in (0, 1)),
  care             text    not null check (care in ('vanligt', 'skola', 'skyddat')),
  listed           integer not null check (listed in (0, 1)),
  -- When purpose and audience were last looked over, as a Swedish date.
  reviewed         text    not null check (reviewed glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
  changed_at       integer not null
) strict;

-- What of the duties text (lag 1998:112 3 §) stands on the account, by the word of a person, or by what the
-- platform gave as its description.
create table account_texts (
  account_id integer not null references accounts (id),
  said       text    not null check (said in ('avsandare', 'allman_handling', 'regler')),
  source     text    not null check (source in ('person', 'platform')),
  holds      integer not null check (holds in (0, 1)),
  at         integer not null,
  by_name    text    not null,
  primary key (account_id, said, source)
) strict, without rowid;

-- What was changed, by whom and when.
create table account_history (
  id         integer primary key,
  account_id integer not null references accounts (id),
  at         integer not null,
  by_name    text    not null,
  what       text    not null check (length(trim(what)) > 0)
) strict;

create index account_history_of on account_history (account_id, id);

create trigger account_history_stays before update on account_history
begin select raise(abort, 'the history of an account only grows'); end;

create trigger account_history_is_never_cut before delete on account_history
begin select raise(abort, 'the history of an account only grows'); end;

-- The yearly inventory (årlig genomgång): who said that the account is active, or that it is not.
create table account_confirmations (
  account_id integer not null references accounts (id),
  year       integer not null check (year between 2000 and 9999),
  at         integer not null,
  user_id    integer not null references users (id),
  active     integer not null check (active in (0, 1)),
  note       text    not null,
  primary key (account_id, year)
) strict, without rowid;

create trigger account_confirmations_stay before update on account_confirmations
begin select raise(abort, 'what was confirmed stays so'); end;

create trigger account_confirmations_are_never_cut before delete on account_confirmations
begin select raise(abort, 'what was confirmed stays so'); end;

-- An account that closes. The steps before it stand beside; it cannot be closed without them.
create table account_closings (
  id           integer primary key,
  account_id   integer not null references accounts (id),
  announced    text    not null check (announced glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
  why          text    not null check (length(trim(why)) > 0),
  elsewhere    text    not null,
  by_name      text    not null,
  at           integer not null,
  closed_at    integer,
  closed_by    text,
  withdrawn_at integer,
  withdrawn_why text,
  check ((closed_at is null) = (closed_by is null)),
  check ((withdrawn_at is null) = (withdrawn_why is null))
) strict;

create unique index account_closes_once on account_closings (account_id) where withdrawn_at is null;

create table closing_steps (
  closing_id integer not null references account_closings (id),
  step       text    not null check (step in ('besked', 'arkiv', 'diarium', 'kommunikation')),
  at         integer not null,
  by_name    text    not null,
  note       text    not null,
  primary key (closing_id, step)
) strict, without rowid;

create trigger closing_needs_its_steps before update of closed_at on account_closings
when new.closed_at is not null
  and (select count(*) from closing_steps s where s.closing_id = new.id) < 4
begin select raise(abort, 'an account is closed when its steps are done'); end;

-- What was handed to the archive of a whole account, with the receipt, until the program does it itself.
create table account_archivings (
  id         integer primary key,
  account_id integer not null references accounts (id),
  day        text    not null check (day glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
  what       text    not null check (length(trim(what)) > 0),
  receipt    text    not null,
  at         integer not null,
  by_name    text    not null
) strict;

create index account_archivings_of on account_archivings (account_id, day);
