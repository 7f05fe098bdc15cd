-- What leaves the house by a decision: reports to the police, and public records that somebody asked for
-- (utlämnande av allmän handling).

-- A manager's decisions whether to report to the police. The newest stands; the earlier ones stay.
create table police_decisions (
  id         integer primary key,
  case_id    integer not null references cases (id),
  version_id integer not null references versions (id),
  user_id    integer not null references users (id),
  at         integer not null,
  reported   integer not null check (reported in (0, 1)),
  ground     text    not null,
  -- Who was hurt and what they want, where anybody has said so.
  injured    text,
  reason     text    not null check (length(trim(reason)) > 0),
  log_seq    integer not null unique references log (seq)
) strict;

create index police_decisions_by_case on police_decisions (case_id, id);

create trigger police_decisions_stay before update on police_decisions
begin select raise(abort, 'a decision about a report stays'); end;

create trigger police_decisions_are_never_cut before delete on police_decisions
begin select raise(abort, 'a decision about a report stays'); end;

-- Requests for public records. Who asks need not say who they are (tryckfrihetsförordningen 2 kap. 18 §), so
-- that column may always be empty.
create table releases (
  id         integer primary key,
  -- What is asked for.
  subject    text    not null check (length(trim(subject)) > 0),
  asker      text,
  opened_at  integer not null,
  opened_by  integer not null references users (id),
  ended_at   integer,
  ended_by   integer references users (id),
  outcome    text    check (outcome in ('released', 'refused', 'withdrawn')),
  -- How it was handed over, or why not.
  words      text,
  pdf_sha256 blob    check (pdf_sha256 is null or length(pdf_sha256) = 32),
  log_seq    integer unique references log (seq),
  check ((ended_at is null) = (ended_by is null)),
  check ((ended_at is null) = (outcome is null)),
  check ((ended_at is null) = (words is null)),
  check ((ended_at is null) = (log_seq is null)),
  check ((outcome is 'released') = (pdf_sha256 is not null))
) strict;

create index releases_open on releases (id) where ended_at is null;

create trigger releases_stay before update on releases
when old.ended_at is not null or new.id is not old.id or new.subject is not old.subject or new.asker is not old.asker
  or new.opened_at is not old.opened_at or new.opened_by is not old.opened_by
begin select raise(abort, 'a request stays on record'); end;

create trigger releases_are_never_cut before delete on releases
begin select raise(abort, 'a request stays on record'); end;

-- Which records a request is about, and what of each is masked on which ground.
create table release_records (
  release_id  integer not null references releases (id),
  evidence_id integer not null references evidence (id),
  case_id     integer not null references cases (id),
  added_at    integer not null,
  -- The provision under which nothing of its content is handed out; null where it is.
  withheld    text    check (withheld is null or length(trim(withheld)) > 0),
  -- JSON: see `domain::release::Mask`.
  masks       text    not null check (json_valid(masks)),
  primary key (release_id, evidence_id)
) strict, without rowid;

create index release_records_by_case on release_records (case_id);

create trigger release_records_stay before update on release_records
when (select ended_at from releases r where r.id = old.release_id) is not null
  or new.release_id is not old.release_id or new.evidence_id is not old.evidence_id
begin select raise(abort, 'what was handed out stays on record'); end;

create trigger release_records_are_never_cut before delete on release_records
when (select ended_at from releases r where r.id = old.release_id) is not null
begin select raise(abort, 'what was handed out stays on record'); end;

-- What a pending request touches is exempt from disposal. The exemption is one like any other, which says by
-- which request it was set.
alter table holds add column release_id integer references releases (id);

-- Whoever lifts it, nothing that is asked for is disposed of.
create trigger disposal_spares_what_is_asked_for before update of state on evidence
when new.state = 'disposed' and old.state <> 'disposed' and exists (
  select 1 from release_records r join releases x on x.id = r.release_id join cases k on k.id = r.case_id
  where k.item_id = old.item_id and x.ended_at is null)
begin select raise(abort, 'somebody has asked for the record'); end;
