-- Notices that reach somebody: of what came back, counted from when they were first tried, and in spite of a
-- case that cannot be read.

-- Since when a notice is being tried: from its first failure on, and anew when a person wants it tried
-- again. Until then it was never tried.
alter table notices add column tried_since integer;

-- Since when a case waits under its present deadline; null: since it was opened.
alter table cases add column waits_since integer;

create trigger case_waits_anew after update of state, due_at on cases
when new.state in ('waiting', 'returned', 'held')
  and (new.due_at is not old.due_at
       or old.state in ('decided', 'awaiting_diary', 'closed')
       or (old.state = 'held' and new.state <> 'held'))
begin
  update cases set waits_since = new.changed_at where id = new.id;
end;

-- Marks are told apart by a number, since two may bear the same time.
alter table notice_due add column n integer not null default 0;
-- The revision at which the case came back from where nobody waited for it any more.
alter table notice_due add column came_back integer;
-- Not looked at before then: the case could not be read.
alter table notice_due add column not_before integer not null default 0;

drop trigger notice_of_a_new_case;
create trigger notice_of_a_new_case after insert on cases
when new.state in ('waiting', 'returned', 'held') begin
  insert into notice_due (case_id, since) values (new.id, new.changed_at)
  on conflict (case_id) do update set since = excluded.since, n = n + 1, not_before = 0;
end;

drop trigger notice_of_a_changed_case;
create trigger notice_of_a_changed_case after update of state, version_id, rank, severity, due_at on cases
when new.state in ('waiting', 'returned', 'held')
  and (new.version_id is not old.version_id or new.rank < old.rank or new.severity > old.severity
       or new.due_at is not old.due_at
       or (new.state in ('waiting', 'returned') and old.state in ('decided', 'awaiting_diary', 'closed', 'held')))
begin
  insert into notice_due (case_id, since, came_back)
  values (new.id, new.changed_at,
          case when new.state = 'returned' and old.state in ('decided', 'awaiting_diary', 'closed', 'held')
               then new.revision end)
  on conflict (case_id) do update set since = excluded.since, n = n + 1, not_before = 0,
    came_back = coalesce(excluded.came_back, came_back);
end;
