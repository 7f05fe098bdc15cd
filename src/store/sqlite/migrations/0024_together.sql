-- Similar cases as one line of the queue, and cases decided together.

-- The group of nearly the same texts that the case's item is in; see `alikes`.
alter table cases add column group_id integer;
-- Whether an open case stands behind another of its group, over all accounts and within its own. Kept by the
-- triggers below, so that a page of the queue costs what it holds also when a campaign of thousands is in it.
alter table cases add column behind integer not null default 0 check (behind in (0, 1));
alter table cases add column behind_here integer not null default 0 check (behind_here in (0, 1));

update cases set group_id = (select l.group_id from alikes l where l.item_id = cases.item_id);

-- Who is first of a group.
create index cases_of_group on cases (group_id, rank, due_at, id)
where state in ('waiting', 'returned') and group_id is not null;
create index cases_of_group_here on cases (group_id, account_id, rank, due_at, id)
where state in ('waiting', 'returned') and group_id is not null;
-- Who stands as the first of a group: `behind` is in it so that it is looked up and not gone through.
create index cases_leading on cases (group_id, behind, id)
where state in ('waiting', 'returned') and group_id is not null;
create index cases_leading_here on cases (group_id, account_id, behind_here, id)
where state in ('waiting', 'returned') and group_id is not null;

update cases set
  behind = id <> (select g.id from cases g where g.group_id = cases.group_id
                    and g.state in ('waiting', 'returned') order by g.rank, g.due_at, g.id limit 1),
  behind_here = id <> (select g.id from cases g where g.group_id = cases.group_id
                    and g.account_id = cases.account_id and g.state in ('waiting', 'returned')
                    order by g.rank, g.due_at, g.id limit 1)
where group_id is not null and state in ('waiting', 'returned');

-- The queue's page: one line of each group.
create index cases_front on cases (rank, due_at, id)
where state in ('waiting', 'returned') and behind = 0;
create index cases_front_of_account on cases (account_id, rank, due_at, id)
where state in ('waiting', 'returned') and behind_here = 0;

create trigger case_enters_its_group after insert on cases
when exists (select 1 from alikes l where l.item_id = new.item_id) begin
  update cases set group_id = (select l.group_id from alikes l where l.item_id = new.item_id)
  where id = new.id;
end;

create trigger item_enters_a_group after insert on alikes begin
  update cases set group_id = new.group_id where item_id = new.item_id and group_id is not new.group_id;
end;

create trigger item_changes_its_group after update of group_id on alikes begin
  update cases set group_id = new.group_id where item_id = new.item_id and group_id is not new.group_id;
end;

create trigger group_is_ordered after update of state, rank, due_at, group_id on cases
when new.group_id is not null begin
  update cases set behind = 1
  where group_id = new.group_id and behind = 0 and state in ('waiting', 'returned')
    and id <> (select g.id from cases g where g.group_id = new.group_id
                 and g.state in ('waiting', 'returned') order by g.rank, g.due_at, g.id limit 1);
  update cases set behind = 0
  where behind = 1
    and id = (select g.id from cases g where g.group_id = new.group_id
                and g.state in ('waiting', 'returned') order by g.rank, g.due_at, g.id limit 1);
  update cases set behind_here = 1
  where group_id = new.group_id and account_id = new.account_id and behind_here = 0
    and state in ('waiting', 'returned')
    and id <> (select g.id from cases g where g.group_id = new.group_id and g.account_id = new.account_id
                 and g.state in ('waiting', 'returned') order by g.rank, g.due_at, g.id limit 1);
  update cases set behind_here = 0
  where behind_here = 1
    and id = (select g.id from cases g where g.group_id = new.group_id and g.account_id = new.account_id
                and g.state in ('waiting', 'returned') order by g.rank, g.due_at, g.id limit 1);
end;

-- A group that a case leaves for another: groups are only ever joined, so the whole of it goes, one by one.
create trigger group_is_left after update of group_id on cases
when old.group_id is not null and old.group_id is not new.group_id begin
  update cases set behind = 0
  where behind = 1
    and id = (select g.id from cases g where g.group_id = old.group_id
                and g.state in ('waiting', 'returned') order by g.rank, g.due_at, g.id limit 1);
  update cases set behind_here = 0
  where behind_here = 1
    and id = (select g.id from cases g where g.group_id = old.group_id and g.account_id = new.account_id
                and g.state in ('waiting', 'returned') order by g.rank, g.due_at, g.id limit 1);
end;

-- An act that decided many cases. Written before the first of them is decided, so that what a crash leaves
-- undecided can be told.
create table bulks (
  id         integer primary key,
  user_id    integer not null references users (id),
  at         integer not null,
  undo_until integer not null
) strict;

create table bulk_cases (
  bulk_id integer not null references bulks (id),
  case_id integer not null references cases (id),
  place   integer not null,
  -- Why it was not decided, in Swedish; null where it was, or was not come to.
  refused text,
  -- Why it was not undone with the others, in Swedish.
  stays   text,
  primary key (bulk_id, case_id)
) strict, without rowid;

alter table decisions add column bulk_id integer references bulks (id);
create index decisions_of_bulk on decisions (bulk_id, case_id) where bulk_id is not null;
