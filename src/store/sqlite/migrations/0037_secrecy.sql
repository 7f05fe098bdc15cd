-- Secrecy marks (sekretessmarkering, offentlighets- och sekretesslagen 5 kap. 5 §): set and lifted by a person,
-- each a leaf in the log. While one stands a smaller circle opens the case.
create table secrecies (
  id          integer primary key,
  case_id     integer not null references cases (id),
  set_at      integer not null,
  set_by      integer not null references users (id),
  -- The provision that is likely to apply; the law demands it, with date and authority.
  provision   text    not null check (length(trim(provision)) > 0),
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

create unique index secrecies_that_stand on secrecies (case_id) where lifted_at is null;
create index secrecies_by_case on secrecies (case_id, id);

create trigger secrecies_stay before update on secrecies
when old.lifted_at is not null or new.id is not old.id or new.case_id is not old.case_id
  or new.set_at is not old.set_at or new.set_by is not old.set_by or new.provision is not old.provision
  or new.reason is not old.reason or new.set_seq is not old.set_seq
begin select raise(abort, 'what was marked stays on record'); end;

create trigger secrecies_are_never_cut before delete on secrecies
begin select raise(abort, 'what was marked stays on record'); end;

-- Who was let into the circle of a case by name, beside those whose task it is. Gone with the mark; who was in it
-- when stands in history and audit log.
create table circles (
  case_id  integer not null references cases (id),
  user_id  integer not null references users (id),
  added_at integer not null,
  added_by integer not null references users (id),
  primary key (case_id, user_id)
) strict, without rowid;

-- Kept by triggers, so that the queue knows it of each line without a look-up.
alter table cases add column secret integer not null default 0 check (secret in (0, 1));

create trigger case_is_secret after insert on secrecies begin
  update cases set secret = 1 where id = new.case_id;
end;

create trigger case_is_secret_no_more after update of lifted_at on secrecies when new.lifted_at is not null begin
  update cases set secret = 0 where id = new.case_id;
end;

create index cases_secret on cases (changed_at) where secret = 1;
