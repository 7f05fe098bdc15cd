-- The circuit breaker of an account: which kind of failure it is in, how many of that kind came in a row, and
-- since when it rests. And what its platform tells of its login.

alter table fetch_states add column class text
  check (class in ('no_answer', 'asked', 'expired', 'login', 'barred', 'unreadable', 'here'));
alter table fetch_states add column alike integer not null default 0 check (alike >= 0);
-- Set while the breaker is open or half open. The rest ends at next_at.
alter table fetch_states add column open_since integer;

create trigger an_open_breaker_has_a_reason before update of open_since on fetch_states
when new.open_since is not null and new.class is null
begin select raise(abort, 'an account rests for a reason'); end;

create index resting_accounts on fetch_states (open_since) where open_since is not null;

create table credentials (
  account_id integer primary key references accounts (id),
  -- When the platform last answered who we are and what we may do.
  asked_at   integer not null,
  -- When the login ends; null where the platform tells of no end.
  ends_at    integer,
  -- What is missing for full service, in Swedish, one a line.
  lacks      text    not null default ''
) strict;
