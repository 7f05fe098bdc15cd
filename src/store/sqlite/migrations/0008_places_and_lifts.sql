-- A place of its own in the queue for somebody's life, and a way back from a wrong suspicion.

-- `cases.rank` had three values, and a cry for help shared the first with whatever came back because
-- a platform had refused something. From here on: 0 somebody's life, 1 came back, 2 threat, 3 the rest.
drop index cases_queue;
drop index cases_queue_of_account;

alter table cases add column place integer not null default 3 check (place between 0 and 3);

update cases set place = case
  when rank = 0 and exists (
    select 1 from versions v
    join verdicts d on d.version_id = v.id and d.lexicon = v.assessed_by
    join json_each(d.verdict, '$.findings') f
    where v.id = cases.version_id
      and json_extract(f.value, '$.category') = 'case' and json_extract(f.value, '$.severity') = 'high')
  then 0
  else rank + 1 end;

alter table cases drop column rank;
alter table cases rename column place to rank;

create index cases_queue on cases (rank, due_at, id) where state in ('waiting', 'returned');
create index cases_queue_of_account on cases (account_id, rank, due_at, id) where state in ('waiting', 'returned');

-- The mark on what may not be copied (regulation 2.2) was for ever. Where the suspicion was wrong a
-- person lifts it, in writing; the program by itself still cannot. One row lifts one mark once: a
-- new suspicion sets the mark again, and takes a new row to lift.
create table copy_lifts (
  id      integer primary key,
  item_id integer not null references items (id),
  user_id integer not null references users (id),
  at      integer not null,
  reason  text    not null check (length(trim(reason)) > 0),
  spent   integer not null default 0 check (spent in (0, 1))
) strict;

create index copy_lifts_by_item on copy_lifts (item_id);

create trigger copy_lifts_stay before update on copy_lifts
when old.spent = 1 or new.spent = 0 or new.id is not old.id or new.item_id is not old.item_id
  or new.user_id is not old.user_id or new.at is not old.at or new.reason is not old.reason
begin select raise(abort, 'what was lifted stays on record'); end;

create trigger copy_lifts_are_never_cut before delete on copy_lifts
begin select raise(abort, 'what was lifted stays on record'); end;

drop trigger no_copy_stays;

create trigger no_copy_stays before update of no_copy on items
when old.no_copy = 1 and new.no_copy = 0
  and not exists (select 1 from copy_lifts l where l.item_id = old.id and l.spent = 0)
begin select raise(abort, 'what may not be copied stays so until a person lifts it'); end;

create trigger no_copy_lift_is_spent after update of no_copy on items
when old.no_copy = 1 and new.no_copy = 0
begin update copy_lifts set spent = 1 where item_id = old.id and spent = 0; end;
