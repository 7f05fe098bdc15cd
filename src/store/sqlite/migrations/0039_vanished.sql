-- An item with a seal that is no longer on its platform, by no call of ours: its author, the platform or somebody
-- else removed it. A leaf in the log that points to the seal, as a changed text's own seal points to the one before.
create table vanishings (
  id          integer primary key,
  item_id     integer not null references items (id),
  evidence_id integer not null references evidence (id),
  at          integer not null,
  log_seq     integer not null unique references log (seq)
) strict;

create index vanishings_by_item on vanishings (item_id);

create trigger vanishings_stay before update on vanishings
begin select raise(abort, 'what vanished stays on record'); end;

create trigger vanishings_are_never_cut before delete on vanishings
begin select raise(abort, 'what vanished stays on record'); end;

-- Checkpoints that are mailed to a witness: queued until the mail server took them.
create table witness_mails (
  size      integer not null references checkpoints (size),
  recipient text    not null check (instr(recipient, '@') > 1),
  queued_at integer not null,
  next_at   integer not null,
  attempts  integer not null default 0,
  problem   text,
  sent_at   integer,
  primary key (size, recipient)
) strict, without rowid;

create index witness_mails_due on witness_mails (next_at) where sent_at is null;
