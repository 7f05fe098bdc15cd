-- Archive runs: the capture of an account's whole page, layout and content. A run is wanted first and is one only
-- when it has ended: what a crash leaves half done was never recorded, and is begun anew.
create table archive_runs (
  id           integer primary key,
  account_id   integer not null references accounts (id),
  occasion     text    not null check (occasion in ('plan', 'ombyggnad', 'avslut', 'annat')),
  -- The policy's day, as a Swedish date.
  due          text    check (due glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
  wanted_at    integer not null,
  wanted_by    text    not null check (length(trim(wanted_by)) > 0),
  note         text    not null,
  tries        integer not null default 0 check (tries >= 0),
  next_at      integer not null,
  problem      text,
  -- All of what follows at once, when it has ended.
  content_from integer,
  content_to   integer,
  ended_at     integer,
  manifest     blob    check (length(manifest) = 32),
  log_seq      integer unique references log (seq),
  check ((occasion = 'plan') = (due is not null)),
  check ((ended_at is null) = (manifest is null)),
  check ((ended_at is null) = (log_seq is null)),
  check ((ended_at is null) = (content_from is null)),
  check ((ended_at is null) = (content_to is null))
) strict;

-- One at a time for an account, and one for each day of the policy.
create unique index archive_run_under_way on archive_runs (account_id) where ended_at is null;
create unique index archive_run_of_a_day on archive_runs (account_id, due) where due is not null;
create index archive_runs_of on archive_runs (account_id, id);

create trigger archive_runs_stay before update on archive_runs
when old.ended_at is not null
  or new.id is not old.id or new.account_id is not old.account_id or new.occasion is not old.occasion
  or new.due is not old.due or new.wanted_at is not old.wanted_at or new.wanted_by is not old.wanted_by
  or new.note is not old.note
begin select raise(abort, 'an archive run that has ended stays as it is'); end;

create trigger archive_runs_are_never_cut before delete on archive_runs
begin select raise(abort, 'archive runs stay on record'); end;

-- Which files a run rests on: they lie beside the evidence, under their hash.
create table archive_run_files (
  run_id integer not null references archive_runs (id),
  sha256 blob    not null check (length(sha256) = 32),
  primary key (run_id, sha256)
) strict, without rowid;

create trigger archive_run_files_stay before update on archive_run_files
begin select raise(abort, 'the files of an archive run stay on record'); end;

create trigger archive_run_files_are_never_cut before delete on archive_run_files
begin select raise(abort, 'the files of an archive run stay on record'); end;

-- Which run was handed to the archive, with the delivery's receipt in account_archivings.
create table archive_run_deliveries (
  run_id       integer not null primary key references archive_runs (id),
  archiving_id integer not null references account_archivings (id)
) strict;

create trigger only_ended_runs_are_delivered before insert on archive_run_deliveries
when (select ended_at from archive_runs r where r.id = new.run_id) is null
begin select raise(abort, 'an archive run is handed over when it has ended'); end;
