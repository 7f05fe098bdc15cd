-- What may not be copied (regulation 2.2): since when, by whom, and which version was suspected. Until
-- now the item's mark alone told of it.

-- One suspicion of one version. Kept for ever; `ended` where the item's mark is taken off again.
create table bars (
  id         integer primary key,
  item_id    integer not null,
  version_id integer not null,
  at         integer not null,
  -- Who; null where the program did.
  user_id    integer references users (id),
  -- Its place in the log; null for what was barred before this file.
  log_seq    integer references log (seq),
  ended      integer not null default 0 check (ended in (0, 1)),
  foreign key (version_id, item_id) references versions (id, item_id)
) strict;

create unique index bars_that_stand on bars (item_id, version_id) where ended = 0;

create trigger bars_stay before update on bars
when old.ended = 1 or new.id is not old.id or new.item_id is not old.item_id
  or new.version_id is not old.version_id or new.at is not old.at
  or new.user_id is not old.user_id or new.log_seq is not old.log_seq
begin select raise(abort, 'a suspicion stays on record'); end;

create trigger bars_are_never_cut before delete on bars
begin select raise(abort, 'a suspicion stays on record'); end;

create trigger bars_end_with_the_mark after update of no_copy on items
when old.no_copy = 1 and new.no_copy = 0
begin update bars set ended = 1 where item_id = old.id and ended = 0; end;

-- Which version it was is not known any more: every one of that time counts.
insert into bars (item_id, version_id, at)
select i.id, v.id, v.fetched_at from items i join versions v on v.item_id = i.id where i.no_copy = 1;

-- What stands at the top of the item's thread, see `domain::item`.
alter table items add column page text;

-- The same item on another account of ours is found by what it is called there.
create index items_barred_by_id on items (platform_id) where no_copy = 1;
create index items_barred_by_link on items (permalink) where no_copy = 1;

-- 1 where the text could not be assessed and nobody has looked at it yet.
alter table versions add column unread integer not null default 0 check (unread in (0, 1));

-- The answers under an item, asked for at every case page: by the post all mentions and messages, which
-- have none, were walked.
create index items_by_parent on items (account_id, parent_id) where parent_id is not null;

-- What somebody holds who is shut out.
create index cases_by_holder on cases (claimed_by) where claimed_by is not null;

-- Numbers for persons were made of their names alone, and those in `alikes` were never forgotten. From
-- here on they stand under a secret beside the database; the old ones go.
delete from attacks;
update prints set author = null;

-- By how many authors texts that are alike were, when who they were is forgotten.
create table alike_groups (
  group_id  integer primary key,
  n_authors integer not null
) strict;

insert into alike_groups (group_id, n_authors)
select group_id, count(distinct author) from alikes where author is not null group by group_id;

update alikes set author = null;

create index alikes_with_author on alikes (item_id) where author is not null;

-- What may be missing although fetching went well: each by itself, from when to when. One text for an
-- account was overwritten by the next, and never went away.
create table gaps (
  id         integer primary key,
  account_id integer not null references accounts (id),
  what       text    not null,
  since      integer not null,
  seen_at    integer not null,
  closed_at  integer
) strict;

create index gaps_open on gaps (account_id, seen_at) where closed_at is null;

insert into gaps (account_id, what, since, seen_at)
select account_id, gap, coalesce(last_ok_at, 0), coalesce(last_ok_at, 0) from fetch_states where gap is not null;

update fetch_states set gap = null;
