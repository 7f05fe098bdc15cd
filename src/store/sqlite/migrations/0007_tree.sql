-- The Merkle tree over the log, what was signed of it, and who stamped that with the time.

-- Heads of the perfect subtrees above the leaves, in the order in which they come to be (see
-- `domain::tree::place`), so that the table grows at its end alone. The leaves are `log.leaf_hash`.
-- A log from before this file is taken in when the database is opened.
create table log_nodes (
  place integer primary key check (place >= 0),
  hash  blob    not null check (length(hash) = 32)
) strict;

create trigger log_nodes_are_never_changed before update on log_nodes
begin select raise(abort, 'the log only grows'); end;

create trigger log_nodes_are_never_cut before delete on log_nodes
begin select raise(abort, 'the log only grows'); end;

-- Public keys, old ones kept for what they signed. The private ones are files.
create table log_keys (
  id         text    primary key check (length(id) = 8),
  public     blob    not null check (length(public) = 32),
  made_at    integer not null,
  -- The entry by which the log took it in.
  log_seq    integer not null unique references log (seq),
  -- The key before it; none for the first.
  previous   text    references log_keys (id),
  -- The key before says that this one follows; none where it was lost.
  signature  blob    check (signature is null or length(signature) = 64)
) strict;

create trigger log_keys_are_never_changed before update on log_keys
begin select raise(abort, 'keys are only added'); end;

create trigger log_keys_are_never_cut before delete on log_keys
begin select raise(abort, 'keys are only added'); end;

create table checkpoints (
  -- How many entries of the log it holds.
  size   integer primary key check (size >= 1),
  at     integer not null,
  root   blob    not null check (length(root) = 32),
  key_id text    not null references log_keys (id),
  -- The very text with its signature.
  note   text    not null
) strict;

create trigger checkpoints_are_never_changed before update on checkpoints
begin select raise(abort, 'checkpoints are only added'); end;

create trigger checkpoints_are_never_cut before delete on checkpoints
begin select raise(abort, 'checkpoints are only added'); end;

-- Time stamps (RFC 3161): wanted from the moment of the checkpoint, kept when an answer held.
create table stamps (
  size       integer primary key references checkpoints (size),
  state      text    not null check (state in ('wanted', 'kept')),
  attempts   integer not null default 0,
  next_at    integer not null,
  -- Why the last attempt came to nothing, in Swedish.
  problem    text,
  -- Who answered, the answer byte for byte, the time it states, and the root (PEM) it was held against.
  authority  text,
  answer     blob,
  stamped_at integer,
  ca_pem     text,
  check ((state = 'kept') = (answer is not null)),
  check ((state = 'kept') = (stamped_at is not null)),
  check ((state = 'kept') = (ca_pem is not null))
) strict;

create index stamps_wanted on stamps (next_at) where state = 'wanted';

create trigger kept_stamps_stay before update on stamps when old.state = 'kept'
begin select raise(abort, 'a stamp that was kept stays'); end;

create trigger stamps_are_never_cut before delete on stamps
begin select raise(abort, 'stamps are only added'); end;
