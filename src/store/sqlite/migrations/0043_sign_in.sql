-- Two-factor log-in, log-in by the authority's own provider, and sessions that can be told apart and ended.

-- By what way a session was opened: a password alone is not enough for whoever has a second factor.
alter table sessions add column way text not null default 'password'
  check (way in ('password', 'code', 'provider', 'proxy'));

-- A user's second factor (RFC 6238). The secret is sealed with a key that lies beside the database.
create table second_factors (
  user_id     integer primary key references users (id),
  sealed      text    not null,
  since       integer not null,
  -- The time step of the last code that was taken: no code is taken twice, and none older.
  last_step   integer not null check (last_step >= 0),
  -- Wrong codes in a row, and until when no further one is tried.
  wrong       integer not null default 0 check (wrong >= 0),
  wrong_until integer
) strict;

-- Codes to get in by when the telephone is gone: hashes, each good once.
create table recovery_codes (
  user_id   integer not null references second_factors (user_id) on delete cascade,
  code_hash blob    not null check (length(code_hash) = 32),
  used_at   integer,
  primary key (user_id, code_hash)
) strict, without rowid;

create trigger a_used_code_stays_used before update of used_at on recovery_codes
when old.used_at is not null
begin select raise(abort, 'a recovery code is good once'); end;

create trigger codes_go_forward before update of last_step on second_factors
when new.last_step < old.last_step and new.sealed = old.sealed
begin select raise(abort, 'a code is good once'); end;

-- Users whom somebody else vouches for: who says so, and their name for the person, which never changes.
create table outside_users (
  user_id integer primary key references users (id),
  issuer  text    not null,
  subject text    not null,
  since   integer not null,
  unique (issuer, subject)
) strict;

create index sessions_of_users on sessions (user_id);
