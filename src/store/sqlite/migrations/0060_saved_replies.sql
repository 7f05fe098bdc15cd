-- Saved replies (sparade svar), for every account or for one. Each change, also taking one away, is a version of
-- its own, so that nothing that was ever offered is lost and every change can be taken back.

create table saved_replies (
  id         integer primary key,
  -- Null: for every account.
  account_id integer references accounts (id)
) strict;

create table saved_reply_versions (
  reply_id integer not null references saved_replies (id),
  number   integer not null check (number > 0),
  title    text    not null check (length(trim(title)) > 0),
  text     text    not null check (length(trim(text)) > 0),
  -- 0 where this version takes it away.
  offered  integer not null check (offered in (0, 1)),
  at       integer not null,
  by_id    integer not null references users (id),
  primary key (reply_id, number)
) strict, without rowid;

create trigger saved_replies_stay before update on saved_replies
begin select raise(abort, 'a saved reply keeps its account'); end;

create trigger saved_replies_are_never_cut before delete on saved_replies
begin select raise(abort, 'a saved reply stays on record'); end;

create trigger saved_reply_versions_stay before update on saved_reply_versions
begin select raise(abort, 'a version of a saved reply stays as it was'); end;

create trigger saved_reply_versions_are_never_cut before delete on saved_reply_versions
begin select raise(abort, 'a version of a saved reply stays on record'); end;
