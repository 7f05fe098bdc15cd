-- Texts that never became a case, and whose time ran out by the policy of their account: how many went, from
-- when, and on which decision. The texts themselves are gone; each row has its leaf in the log.
create table sweeps (
  id         integer primary key,
  account_id integer not null references accounts (id),
  at         integer not null,
  plan       text    not null check (length(trim(plan)) > 0),
  decision   text    not null check (length(trim(decision)) > 0),
  policy     blob    not null check (length(policy) = 32),
  -- What was fetched for the last time before then.
  before     integer not null,
  n_items    integer not null check (n_items > 0),
  log_seq    integer not null unique references log (seq)
) strict;

create trigger sweeps_stay before update on sweeps
begin select raise(abort, 'what was disposed of stays on record'); end;

create trigger sweeps_are_never_cut before delete on sweeps
begin select raise(abort, 'what was disposed of stays on record'); end;
