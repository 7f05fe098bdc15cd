-- Who published a post, as the platform tells it, and which of the authority's people that is: by default they are
-- responsible (ansvarig) for what is written under it.

alter table posts add column published_by text;

create table publishers (
  account_id    integer not null references accounts (id),
  -- As the platform names its own user.
  platform_user text    not null,
  user_id       integer not null references users (id),
  set_at        integer not null,
  set_by        integer not null references users (id),
  primary key (account_id, platform_user)
) strict, without rowid;
