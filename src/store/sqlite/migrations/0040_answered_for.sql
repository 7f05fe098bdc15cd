-- By when a case was to be decided when it was: a case that comes back has another deadline.
alter table decisions add column due_at integer;

-- What the reports go by.
create index items_first_fetched on items (first_fetched_at) where by_us = 0;
create index cases_opened on cases (opened_at);
create index decisions_by_time on decisions (at);

-- The act names a fourth thing that has to be told: who can see what is written (lag 1998:112 3 §).
create table account_texts_anew (
  account_id integer not null references accounts (id),
  said       text    not null check (said in ('avsandare', 'synlighet', 'allman_handling', 'regler')),
  source     text    not null check (source in ('person', 'platform')),
  holds      integer not null check (holds in (0, 1)),
  at         integer not null,
  by_name    text    not null,
  primary key (account_id, said, source)
) strict, without rowid;

insert into account_texts_anew select account_id, said, source, holds, at, by_name from account_texts;
drop table account_texts;
alter table account_texts_anew rename to account_texts;
