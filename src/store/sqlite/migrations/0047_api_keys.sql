-- Keys by which programs do what one of the users may (issue 6: the interface for programs). Of a key only its hash is
-- kept, and what is shown of it; it goes by the role of its user, and with them.

create table api_keys (
  id         integer primary key,
  -- What is shown of it, and what it is found by.
  prefix     text    not null unique check (length(prefix) = 8),
  digest     blob    not null check (length(digest) = 32),
  name       text    not null check (length(trim(name)) > 0),
  -- For whom it acts: a person decides.
  user_id    integer not null references users (id),
  -- Identifiers, each with a blank between.
  scopes     text    not null check (length(trim(scopes)) > 0),
  per_min    integer not null check (per_min between 1 and 6000),
  made_at    integer not null,
  made_by    text    not null,
  expires_at integer not null,
  used_at    integer,
  revoked_at integer,
  revoked_by text,
  check ((revoked_at is null) = (revoked_by is null))
) strict;

create trigger api_keys_stay before update on api_keys
when old.revoked_at is not null or new.prefix is not old.prefix or new.digest is not old.digest
  or new.user_id is not old.user_id or new.scopes is not old.scopes or new.expires_at is not old.expires_at
begin select raise(abort, 'a key stays as it was made, and a revoked one stays revoked'); end;

create trigger api_keys_are_never_deleted before delete on api_keys
begin select raise(abort, 'keys stay on record'); end;

-- The accounts that a key is for; none here: all.
create table api_key_accounts (
  key_id     integer not null references api_keys (id),
  account_id integer not null references accounts (id),
  primary key (key_id, account_id)
) strict, without rowid;

-- What an act that may be sent again was answered with, for a day.
create table api_answers (
  key_id  integer not null references api_keys (id),
  token   text    not null,
  -- Of address and body: the same token for something else is a mistake.
  request blob    not null check (length(request) = 32),
  at      integer not null,
  -- Nothing while the act is in hand, or where the program died in it.
  status  integer,
  body    text,
  primary key (key_id, token)
) strict, without rowid;

create index api_answers_by_age on api_answers (at);
