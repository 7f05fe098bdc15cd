-- The whole first schema. Times are UTC milliseconds; hashes are 32 bytes; JSON is text.
--
-- Three of the design's invariants are said here a second time, so that no code path can forget
-- them: 1 (identity of items and versions), 2 (a removing action points to sealed evidence of the
-- very version it removes) and 4 (an action belongs to a decision and has one key).

create table accounts (
  id         integer primary key,
  key        text    not null unique,
  platform   text    not null,
  name       text    not null,
  simulated  integer not null check (simulated in (0, 1)),
  added_at   integer not null
) strict;

-- Where fetching stands. One row an account, made with it.
create table fetch_states (
  account_id  integer primary key references accounts (id),
  cursor      text,
  last_try_at integer,
  last_ok_at  integer,
  -- Consecutive failures since the last success; drives the back-off.
  failures    integer not null default 0,
  next_at     integer not null default 0,
  -- What is wrong, in Swedish; null when all is well.
  problem     text,
  -- Why items may be missing although fetching went well, in Swedish: a gap is never passed off
  -- as completeness. Kept until a person has seen to it.
  gap         text,
  -- A person must act before it is worth trying again.
  stopped     integer not null default 0 check (stopped in (0, 1))
) strict;

-- The supervision log (uppsiktslogg) of the machine: one row an account and hour.
create table looks (
  account_id   integer not null references accounts (id),
  hour         integer not null,
  n_ok         integer not null default 0,
  n_failed     integer not null default 0,
  n_items      integer not null default 0,
  last_ok_at   integer,
  last_problem text,
  primary key (account_id, hour)
) strict, without rowid;

create table posts (
  account_id  integer not null references accounts (id),
  platform_id text    not null,
  title       text,
  text        text    not null,
  created_at  integer,
  permalink   text,
  fetched_at  integer not null,
  primary key (account_id, platform_id)
) strict, without rowid;

create table items (
  id                 integer primary key,
  account_id         integer not null references accounts (id),
  platform_id        text    not null,
  kind               text    not null,
  post_id            text,
  parent_id          text,
  -- Written by the authority itself: context, never a case.
  by_us              integer not null check (by_us in (0, 1)),
  permalink          text,
  permalink_source   text,
  created_at         integer,
  created_raw        text,
  presence           text    not null check (presence in ('visible', 'hidden', 'binned', 'gone', 'unknown')),
  presence_at        integer not null,
  -- What the platform says cannot be done with this very item.
  barred             text    not null default '[]' check (json_valid(barred)),
  -- No copy may be made of it (regulation 2.2): metadata only from the moment of suspicion.
  no_copy            integer not null default 0 check (no_copy in (0, 1)),
  first_fetched_at   integer not null,
  last_fetched_at    integer not null,
  current_version_id integer references versions (id) deferrable initially deferred,
  unique (account_id, platform_id)
) strict;

create index items_by_thread on items (account_id, post_id);

create table versions (
  id           integer primary key,
  item_id      integer not null references items (id),
  number       integer not null check (number >= 1),
  content_hash blob    not null check (length(content_hash) = 32),
  text         text    not null,
  author       text    not null check (json_valid(author)),
  attachments  text    not null check (json_valid(attachments)),
  edited_at    integer,
  presence     text    not null,
  fetched_at   integer not null,
  payload      blob    not null,
  -- The lexicon of the newest verdict; null until assessed.
  assessed_by  text,
  unique (item_id, number),
  unique (id, item_id)
) strict;

create index versions_unassessed on versions (id) where assessed_by is null;

create table verdicts (
  version_id integer not null references versions (id),
  lexicon    text    not null,
  at         integer not null,
  verdict    text    not null check (json_valid(verdict)),
  primary key (version_id, lexicon)
) strict, without rowid;

-- Elements of answers that could not be decoded: kept, so that nothing fetched is lost.
create table unreadable (
  id         integer primary key,
  account_id integer not null references accounts (id),
  at         integer not null,
  place      text    not null,
  problem    text    not null,
  raw        blob    not null,
  raw_hash   blob    not null,
  unique (account_id, place, raw_hash)
) strict;

create table users (
  id            integer primary key,
  login         text    not null unique collate nocase,
  name          text    not null,
  title         text    not null default '',
  role          text    not null,
  password_hash text    not null,
  active        integer not null default 1 check (active in (0, 1)),
  added_at      integer not null
) strict;

create table sessions (
  token_hash blob    primary key check (length(token_hash) = 32),
  user_id    integer not null references users (id),
  csrf       text    not null,
  opened_at  integer not null,
  seen_at    integer not null,
  expires_at integer not null,
  address    text    not null
) strict, without rowid;

create table cases (
  id            integer primary key,
  item_id       integer not null unique references items (id),
  version_id    integer not null,
  state         text    not null check (state in ('waiting', 'returned', 'held', 'decided', 'awaiting_diary', 'closed')),
  state_json    text    not null check (json_valid(state_json)),
  -- 0 came back, 1 threat to somebody, 2 the rest; within a rank by deadline.
  rank          integer not null check (rank between 0 and 2),
  -- 0 none, 1 low, 2 medium, 3 high.
  severity      integer not null check (severity between 0 and 3),
  category      text,
  opened_at     integer not null,
  due_at        integer not null,
  claimed_by    integer references users (id),
  claimed_until integer,
  revision      integer not null default 1,
  changed_at    integer not null,
  check ((claimed_by is null) = (claimed_until is null)),
  foreign key (version_id, item_id) references versions (id, item_id)
) strict;

create index cases_queue on cases (rank, due_at, id) where state in ('waiting', 'returned');
create index cases_by_state on cases (state, changed_at);

-- Counts per state, kept by triggers: counting a million rows at every page load is not free.
create table case_counts (
  state text    primary key,
  n     integer not null
) strict, without rowid;

insert into case_counts (state, n)
values ('waiting', 0), ('returned', 0), ('held', 0), ('decided', 0), ('awaiting_diary', 0), ('closed', 0);

create trigger case_counted after insert on cases begin
  update case_counts set n = n + 1 where state = new.state;
end;

create trigger case_recounted after update of state on cases when old.state <> new.state begin
  update case_counts set n = n - 1 where state = old.state;
  update case_counts set n = n + 1 where state = new.state;
end;

-- The history of a case: what happened, by whom, in words. Only grows.
create table case_events (
  id        integer primary key,
  case_id   integer not null references cases (id),
  at        integer not null,
  user_id   integer references users (id),
  user_name text,
  what      text    not null,
  detail    text
) strict;

create index case_events_by_case on case_events (case_id, id);

create table evidence (
  id            integer primary key,
  version_id    integer not null unique,
  item_id       integer not null,
  state         text    not null check (state in ('wanted', 'sealed', 'disposed')),
  priority      integer not null,
  wanted_at     integer not null,
  next_at       integer not null,
  attempts      integer not null default 0,
  problem       text,
  manifest_hash blob check (manifest_hash is null or length(manifest_hash) = 32),
  log_seq       integer references log (seq),
  sealed_at     integer,
  unique (id, version_id),
  foreign key (version_id, item_id) references versions (id, item_id),
  check ((state = 'wanted') = (manifest_hash is null)),
  check ((manifest_hash is null) = (log_seq is null)),
  check ((manifest_hash is null) = (sealed_at is null))
) strict;

create index evidence_wanted on evidence (priority, next_at) where state = 'wanted';

create trigger sealed_evidence_stays before update on evidence
when old.state <> 'wanted' and (
  new.version_id is not old.version_id or new.item_id is not old.item_id
  or new.manifest_hash is not old.manifest_hash or new.log_seq is not old.log_seq
  or new.sealed_at is not old.sealed_at or new.state = 'wanted')
begin select raise(abort, 'sealed evidence cannot be changed'); end;

create trigger evidence_is_never_deleted before delete on evidence
begin select raise(abort, 'evidence is never deleted'); end;

create table decisions (
  id         integer primary key,
  case_id    integer not null references cases (id),
  version_id integer not null references versions (id),
  -- A person decides (invariant 3); the one automatic policy, where allowed, is named instead.
  user_id    integer references users (id),
  policy     text,
  at         integer not null,
  choices    text    not null check (json_valid(choices)),
  ground     text,
  note       text,
  undo_until integer not null,
  undone_at  integer,
  check ((user_id is null) <> (policy is null))
) strict;

create index decisions_by_case on decisions (case_id, id);

create table actions (
  id          integer primary key,
  key         text    not null unique,
  decision_id integer not null references decisions (id),
  case_id     integer not null references cases (id),
  item_id     integer not null references items (id),
  version_id  integer not null references versions (id),
  evidence_id integer,
  kind        text    not null check (kind in ('hide', 'unhide', 'delete', 'reply', 'report', 'register', 'forward')),
  payload     text    not null check (json_valid(payload)),
  state       text    not null check (state in ('pending', 'under_way', 'retrying', 'done', 'moot', 'failed', 'cancelled')),
  state_json  text    not null check (json_valid(state_json)),
  -- When the outbox is to look at it; null when settled.
  due_at      integer,
  -- Invariant 2: nothing is removed without evidence of exactly that version.
  check (kind not in ('hide', 'delete') or evidence_id is not null),
  check ((due_at is null) = (state in ('done', 'moot', 'failed', 'cancelled'))),
  foreign key (evidence_id, version_id) references evidence (id, version_id)
) strict;

create index actions_due on actions (due_at) where due_at is not null;
create index actions_by_case on actions (case_id, id);

create trigger removal_needs_a_seal before insert on actions
when new.kind in ('hide', 'delete')
  and not exists (select 1 from evidence where id = new.evidence_id and version_id = new.version_id and state = 'sealed')
begin select raise(abort, 'a removal needs sealed evidence of the very version'); end;

create trigger removal_keeps_its_seal before update of kind, evidence_id, version_id on actions
when new.kind in ('hide', 'delete')
  and not exists (select 1 from evidence where id = new.evidence_id and version_id = new.version_id and state = 'sealed')
begin select raise(abort, 'a removal needs sealed evidence of the very version'); end;

create table registrations (
  id             integer primary key,
  action_id      integer not null unique references actions (id),
  case_id        integer not null references cases (id),
  package        text    not null,
  package_sha256 blob    not null check (length(package_sha256) = 32),
  exported_at    integer not null,
  diary_number   text,
  entered_at     integer,
  entered_by     integer references users (id),
  check ((diary_number is null) = (entered_at is null)),
  check ((diary_number is null) = (entered_by is null))
) strict;

create index registrations_by_case on registrations (case_id);

-- The hash-chained log (invariant 5). leaf_hash = SHA-256(0x00 ‖ body), as in RFC 6962, so that a
-- tree can be laid over the same leaves; chain_hash = SHA-256(0x02 ‖ previous chain ‖ leaf).
create table log (
  seq        integer primary key check (seq >= 1),
  at         integer not null,
  kind       text    not null,
  body       text    not null check (json_valid(body)),
  leaf_hash  blob    not null check (length(leaf_hash) = 32),
  chain_hash blob    not null check (length(chain_hash) = 32)
) strict;

create trigger log_grows_by_one before insert on log
when new.seq <> (select coalesce(max(seq), 0) + 1 from log)
begin select raise(abort, 'the log grows by one'); end;

create trigger log_is_never_changed before update on log
begin select raise(abort, 'the log only grows'); end;

create trigger log_is_never_cut before delete on log
begin select raise(abort, 'the log only grows'); end;

-- The audit log (invariant 6): every act of a person.
create table audit (
  id        integer primary key,
  at        integer not null,
  user_id   integer,
  user_name text    not null,
  act       text    not null,
  subject   text    not null,
  address   text    not null,
  detail    text
) strict;

create trigger audit_is_never_changed before update on audit
begin select raise(abort, 'the audit log only grows'); end;

create trigger audit_is_never_cut before delete on audit
begin select raise(abort, 'the audit log only grows'); end;

create trigger case_events_are_never_changed before update on case_events
begin select raise(abort, 'the history of a case only grows'); end;

create trigger case_events_are_never_cut before delete on case_events
begin select raise(abort, 'the history of a case only grows'); end;

-- Pushes that have been answered: the same delivery gets the same answer (platform sheet, 15).
create table deliveries (
  account_id integer not null references accounts (id),
  delivery   text    not null,
  at         integer not null,
  body_hash  blob    not null,
  answer     text    not null,
  primary key (account_id, delivery)
) strict, without rowid;

create index deliveries_by_age on deliveries (at);

-- Facts about this installation: its id, the public key of its log.
create table facts (
  name  text primary key,
  value text not null
) strict, without rowid;
