-- What platforms' pushes point at (issue 4): kept until it has been read, so that a stop between answer and reading loses
-- nothing. What mentions the authority elsewhere no walk would find again.
create table pointed_at (
  account_id  integer not null references accounts (id),
  platform_id text    not null check (length(platform_id) > 0),
  kind        text    not null,
  post_id     text,
  parent_id   text,
  at          integer not null,
  -- How often it could not be read.
  tries       integer not null default 0,
  primary key (account_id, platform_id)
) strict, without rowid;
