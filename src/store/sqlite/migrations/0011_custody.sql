-- What happens around a record's evidence after it is sealed: who came near it, what may not be
-- disposed of, what was disposed of under which rule, and what the last verification found.

-- The events of a record are lines of the audit log, found by what they are about. There is no second
-- place for them.
create index audit_by_subject on audit (subject, id);

-- Exempt from disposal (undantag från gallring): set and lifted by a person, with a reason.
create table holds (
  id          integer primary key,
  case_id     integer not null references cases (id),
  set_at      integer not null,
  set_by      integer not null references users (id),
  reason      text    not null check (length(trim(reason)) > 0),
  set_seq     integer not null unique references log (seq),
  lifted_at   integer,
  lifted_by   integer references users (id),
  lift_reason text check (lift_reason is null or length(trim(lift_reason)) > 0),
  lift_seq    integer unique references log (seq),
  check ((lifted_at is null) = (lifted_by is null)),
  check ((lifted_at is null) = (lift_reason is null)),
  check ((lifted_at is null) = (lift_seq is null))
) strict;

create unique index holds_that_stand on holds (case_id) where lifted_at is null;
create index holds_by_case on holds (case_id, id);

create trigger holds_stay before update on holds
when old.lifted_at is not null or new.id is not old.id or new.case_id is not old.case_id
  or new.set_at is not old.set_at or new.set_by is not old.set_by or new.reason is not old.reason
  or new.set_seq is not old.set_seq
begin select raise(abort, 'what was exempted stays on record'); end;

create trigger holds_are_never_cut before delete on holds
begin select raise(abort, 'what was exempted stays on record'); end;

-- Kept by triggers, so that the queue finds the exempted few among a million.
alter table cases add column exempt integer not null default 0 check (exempt in (0, 1));

create trigger case_is_exempt after insert on holds begin
  update cases set exempt = 1 where id = new.case_id;
end;

create trigger case_is_exempt_no_more after update of lifted_at on holds when new.lifted_at is not null begin
  update cases set exempt = 0 where id = new.case_id;
end;

create index cases_exempt on cases (changed_at) where exempt = 1;

-- Which blobs a record rests on, its manifest among them: one that a living record shares is not
-- destroyed. Records from before this table are taken in from their manifests before anything is.
create table evidence_blobs (
  evidence_id integer not null references evidence (id),
  sha256      blob    not null check (length(sha256) = 32),
  primary key (evidence_id, sha256)
) strict, without rowid;

create index evidence_blobs_by_hash on evidence_blobs (sha256);

create trigger evidence_blobs_are_never_changed before update on evidence_blobs
begin select raise(abort, 'what a record rests on stays'); end;

create trigger evidence_blobs_are_never_cut before delete on evidence_blobs
begin select raise(abort, 'what a record rests on stays'); end;

-- Disposals (gallring), each with its protocol. Proposed by one person and, where the policy asks
-- for four eyes, approved by another; carried out in one transaction.
create table disposals (
  id            integer primary key,
  state         text    not null check (state in ('proposed', 'done', 'withdrawn')),
  -- As they were called then: the protocol is the same whenever it is written.
  authority     text    not null,
  -- Under which plan and decision, and the hash of the policy that names them.
  plan          text    not null check (length(trim(plan)) > 0),
  decision      text    not null check (length(trim(decision)) > 0),
  policy        blob    not null check (length(policy) = 32),
  four_eyes     integer not null check (four_eyes in (0, 1)),
  proposed_at   integer not null,
  -- Null where the command line did; the name says so.
  proposed_by   integer references users (id),
  proposed_name text    not null,
  ended_at      integer,
  ended_by      integer references users (id),
  ended_name    text,
  -- Why it was withdrawn.
  reason        text,
  log_seq       integer unique references log (seq),
  csv_sha256    blob check (csv_sha256 is null or length(csv_sha256) = 32),
  n_files       integer,
  n_bytes       integer,
  n_shared      integer,
  -- The files of the protocol lie beside the evidence.
  written       integer not null default 0 check (written in (0, 1)),
  check ((state = 'proposed') = (ended_at is null)),
  check ((ended_at is null) = (ended_name is null)),
  check ((state = 'done') = (log_seq is not null)),
  check ((state = 'done') = (csv_sha256 is not null)),
  -- Two persons, and both known.
  check (state <> 'done' or four_eyes = 0
    or (ended_by is not null and ended_by is not proposed_by))
) strict;

create unique index disposals_proposed on disposals (state) where state = 'proposed';
create index disposals_to_write on disposals (id) where state = 'done' and written = 0;

create trigger disposals_stay before update on disposals
when old.state <> 'proposed' and not (
  new.id is old.id and new.authority is old.authority and new.state is old.state and new.plan is old.plan and new.decision is old.decision
  and new.policy is old.policy and new.four_eyes is old.four_eyes and new.proposed_at is old.proposed_at
  and new.proposed_by is old.proposed_by and new.proposed_name is old.proposed_name
  and new.ended_at is old.ended_at and new.ended_by is old.ended_by and new.ended_name is old.ended_name
  and new.reason is old.reason and new.log_seq is old.log_seq and new.csv_sha256 is old.csv_sha256
  and new.n_files is old.n_files and new.n_bytes is old.n_bytes and new.n_shared is old.n_shared)
begin select raise(abort, 'a protocol of disposal stays'); end;

create trigger disposals_are_never_cut before delete on disposals
begin select raise(abort, 'a protocol of disposal stays'); end;

-- What a disposal is about: one line a record.
create table disposal_lines (
  disposal_id integer not null references disposals (id),
  evidence_id integer not null references evidence (id),
  case_id     integer not null references cases (id),
  account     text    not null,
  class       text    not null,
  months      integer not null check (months >= 0),
  why         text    not null,
  closed_at   integer not null,
  due_at      integer not null,
  primary key (disposal_id, evidence_id)
) strict, without rowid;

create index disposal_lines_by_evidence on disposal_lines (evidence_id);

create trigger disposal_lines_are_never_changed before update on disposal_lines
begin select raise(abort, 'a protocol of disposal stays'); end;

create trigger disposal_lines_are_never_cut before delete on disposal_lines
begin select raise(abort, 'a protocol of disposal stays'); end;

-- A record is disposed of under a protocol that names it, and never while its case is exempt or its
-- item may show abuse of a child. And what was disposed of does not come back.
create trigger disposal_needs_a_protocol before update of state on evidence
when new.state = 'disposed' and old.state <> 'disposed' and not exists (
  select 1 from disposal_lines l join disposals d on d.id = l.disposal_id
  where l.evidence_id = old.id and d.state = 'done')
begin select raise(abort, 'evidence is disposed of under a protocol alone'); end;

create trigger disposal_spares_the_exempt before update of state on evidence
when new.state = 'disposed' and old.state <> 'disposed' and exists (
  select 1 from cases k where k.item_id = old.item_id and k.exempt = 1)
begin select raise(abort, 'the case is exempt from disposal'); end;

create trigger disposal_spares_the_barred before update of state on evidence
when new.state = 'disposed' and old.state <> 'disposed' and exists (
  select 1 from items i where i.id = old.item_id and i.no_copy = 1)
begin select raise(abort, 'what may not be copied is not disposed of by rule'); end;

create trigger disposed_evidence_stays_so before update of state on evidence
when old.state = 'disposed' and new.state <> 'disposed'
begin select raise(abort, 'what was disposed of does not come back'); end;

-- Blobs to be destroyed: written with the disposal, taken away one by one after it, so that whoever
-- dies in between goes on there.
create table doomed_blobs (
  sha256      blob    primary key check (length(sha256) = 32),
  disposal_id integer not null references disposals (id)
) strict, without rowid;

-- What verification of the whole found, for the page.
create table verifications (
  id       integer primary key,
  began_at integer not null,
  ended_at integer not null,
  -- Who asked for it.
  by_name  text    not null,
  whole    integer not null check (whole in (0, 1)),
  -- The report as JSON: see `evidence::verify::Report`.
  report   text    not null check (json_valid(report))
) strict;
