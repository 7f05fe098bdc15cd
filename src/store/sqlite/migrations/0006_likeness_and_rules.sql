-- What assessing an item leaves for those after it: fingerprints by which nearly equal texts are
-- found, and how often each rule fires.
--
-- `prints`, `print_bands` and `attacks` are short-lived (see `domain::likeness`): no text can be made
-- of them again, they hold no category, and they are read only for an item that is being assessed.

create table prints (
  item_id    integer primary key references items (id),
  account_id integer not null references accounts (id),
  -- A number for the author; null where the platform gives none.
  author     integer,
  at         integer not null,
  sketch     blob    not null
) strict;

create index prints_by_age on prints (at);

create table print_bands (
  band    integer not null,
  item_id integer not null references prints (item_id) on delete cascade,
  primary key (band, item_id)
) strict, without rowid;

create index print_bands_by_item on print_bands (item_id);

-- Who has gone for whom: numbers for both, never a name.
create table attacks (
  author  integer not null,
  target  integer not null,
  item_id integer not null references items (id),
  at      integer not null,
  primary key (author, target, item_id)
) strict, without rowid;

create index attacks_by_age on attacks (at);

-- Items of nearly the same text carry the number of the first of them. Kept as long as the items.
create table alikes (
  item_id  integer primary key references items (id),
  group_id integer not null,
  author   integer
) strict;

create index alikes_by_group on alikes (group_id, item_id);

-- How often each rule has fired, by UTC day; the rule '*' counts all texts.
create table rule_days (
  day       integer not null,
  rule      text    not null,
  n         integer not null,
  n_shadow  integer not null,
  primary key (rule, day)
) strict, without rowid;

-- Rules that are counted and not shown although the lexicon says nothing of the kind.
create table shadowed_rules (
  rule text    primary key,
  at   integer not null,
  why  text    not null,
  -- Who set it; null where the program did.
  by   text
) strict, without rowid;

-- A rule fired far above its past. One a rule and day; it may grow into shadow the same day.
create table rule_alarms (
  rule     text    not null,
  day      integer not null,
  at       integer not null,
  fired    integer not null,
  expected integer not null,
  shadowed integer not null check (shadowed in (0, 1)),
  primary key (rule, day)
) strict, without rowid;

create index rule_alarms_by_day on rule_alarms (day);

-- Once suspected, never copied (regulation 2.2): nothing takes the mark off an item again.
create trigger no_copy_stays before update of no_copy on items
when old.no_copy = 1 and new.no_copy = 0
begin select raise(abort, 'what may not be copied stays so'); end;

-- A picture of a page shows all that stands on it, so the few that may not be copied must be found.
create index items_not_to_copy on items (account_id) where no_copy = 1;

-- `cases.rank` from here on: 0 came back, or somebody's life; 1 threat, 2 the rest.
