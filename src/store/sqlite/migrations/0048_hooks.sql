-- Webhooks to other systems (issue 6: signed, kept until they come through). A message is a row from the transaction of
-- what it tells on, and holds ids alone.

create table hooks (
  id       integer primary key,
  name     text    not null unique check (length(trim(name)) > 0),
  url      text    not null,
  -- Identifiers of events, with a blank before, between and after.
  events   text    not null check (length(trim(events)) > 0),
  -- Secrets are made of this number and the secret beside the database: a new one for each.
  turn     integer not null default 1 check (turn >= 1),
  -- Until when the secret before this one signs as well.
  turned_until integer,
  made_at  integer not null,
  made_by  text    not null,
  ended_at integer
) strict;

create table hook_messages (
  id       integer primary key,
  hook_id  integer not null references hooks (id),
  -- What tells it from all others, the same at each try.
  token    text    not null unique default (lower(hex(randomblob(16)))),
  event    text    not null,
  case_id  integer not null references cases (id),
  -- The decision, registration or record that it is about.
  ref_id   integer,
  at       integer not null,
  -- As it was first sent, so that each try says the same.
  body     text,
  state    text    not null default 'waiting' check (state in ('waiting', 'sent', 'dead', 'dropped')),
  due_at   integer,
  attempts integer not null default 0,
  tried_since integer,
  -- What the other side answered last, and what went wrong in words.
  status   integer,
  problem  text,
  ended_at integer,
  check ((state = 'waiting') = (due_at is not null))
) strict;

create index hook_messages_waiting on hook_messages (hook_id, due_at) where state = 'waiting';
create index hook_messages_by_hook on hook_messages (hook_id, id);

-- Deadlines that were told: each once.
create table hook_deadlines (
  case_id integer not null references cases (id),
  due_at  integer not null,
  primary key (case_id, due_at)
) strict, without rowid;

create trigger hooks_hear_of_cases after insert on cases begin
  insert into hook_messages (hook_id, event, case_id, at, due_at)
  select h.id, 'case.opened', new.id, new.opened_at, new.opened_at
  from hooks h where h.ended_at is null and instr(h.events, ' case.opened ') > 0;
end;

create trigger hooks_hear_of_decisions after insert on decisions begin
  insert into hook_messages (hook_id, event, case_id, ref_id, at, due_at)
  select h.id, 'case.decided', new.case_id, new.id, new.at, new.at
  from hooks h where h.ended_at is null and instr(h.events, ' case.decided ') > 0;
end;

create trigger hooks_hear_of_undoing after update of undone_at on decisions
when old.undone_at is null and new.undone_at is not null begin
  insert into hook_messages (hook_id, event, case_id, ref_id, at, due_at)
  select h.id, 'case.undone', new.case_id, new.id, new.undone_at, new.undone_at
  from hooks h where h.ended_at is null and instr(h.events, ' case.undone ') > 0;
end;

create trigger hooks_hear_of_numbers after update of diary_number on registrations
when old.diary_number is null and new.diary_number is not null begin
  insert into hook_messages (hook_id, event, case_id, ref_id, at, due_at)
  select h.id, 'case.registered', new.case_id, new.id, new.entered_at, new.entered_at
  from hooks h where h.ended_at is null and instr(h.events, ' case.registered ') > 0;
end;

create trigger hooks_hear_of_seals after update of state on evidence
when old.state = 'wanted' and new.state = 'sealed' begin
  insert into hook_messages (hook_id, event, case_id, ref_id, at, due_at)
  select h.id, 'evidence.sealed', c.id, new.id, new.sealed_at, new.sealed_at
  from hooks h join cases c on c.item_id = new.item_id
  where h.ended_at is null and instr(h.events, ' evidence.sealed ') > 0;
end;
