-- What people ask about their own personal data: register extracts, rectification, erasure. Whom it is about and who
-- asks are personal data themselves: they stand here alone, never in the audit log, and go by the plan for what
-- never became a case.

create table subject_requests (
  id           integer primary key,
  kind         text    not null check (kind in ('access', 'rectification', 'erasure')),
  -- Names and accounts to look for; null when they have been disposed of.
  whom         text    check (whom is null or length(trim(whom)) > 0),
  -- How the answer reaches them.
  asker        text,
  received_at  integer not null,
  opened_at    integer not null,
  opened_by    integer not null references users (id),
  due_at       integer not null,
  -- Why the time was made longer.
  extended     text    check (extended is null or length(trim(extended)) > 0),
  ended_at     integer,
  ended_by     integer references users (id),
  outcome      text    check (outcome in ('granted', 'partly', 'refused', 'withdrawn')),
  words        text,
  pdf          blob,
  pdf_sha256   blob    check (pdf_sha256 is null or length(pdf_sha256) = 32),
  forgotten_at integer,
  check ((ended_at is null) = (ended_by is null)),
  check ((ended_at is null) = (outcome is null)),
  check (whom is not null or forgotten_at is not null),
  check (forgotten_at is null or (ended_at is not null and asker is null and words is null and pdf is null))
) strict;

create index subject_requests_open on subject_requests (due_at) where ended_at is null;

create trigger subject_requests_stay before update on subject_requests
when new.id is not old.id or new.kind is not old.kind or new.received_at is not old.received_at
  or new.opened_by is not old.opened_by
  or (old.ended_at is not null and (new.ended_at is not old.ended_at or new.outcome is not old.outcome
      or new.pdf_sha256 is not old.pdf_sha256 or new.due_at is not old.due_at
      or (new.whom is not null and new.whom is not old.whom)
      or (new.words is not null and new.words is not old.words)
      or (new.pdf is not null and new.pdf is not old.pdf)))
begin select raise(abort, 'a request stays on record'); end;

create trigger subject_requests_are_never_cut before delete on subject_requests
begin select raise(abort, 'a request stays on record'); end;

-- Which items a request is about.
create table subject_items (
  request_id integer not null references subject_requests (id),
  item_id    integer not null references items (id),
  case_id    integer references cases (id),
  -- Whether the person wrote it, or is spoken of in it.
  wrote      integer not null check (wrote in (0, 1)),
  added_at   integer not null,
  -- The exemption from disposal that was set because of it.
  hold_id    integer references holds (id),
  -- What is wrong in it, in their words, joined to the case.
  note       text    check (note is null or length(trim(note)) > 0),
  primary key (request_id, item_id)
) strict, without rowid;

create index subject_items_by_item on subject_items (item_id);

create trigger subject_items_stay before update on subject_items
when (select ended_at from subject_requests r where r.id = old.request_id) is not null
  and (new.note is not null or new.request_id is not old.request_id or new.item_id is not old.item_id
       or new.case_id is not old.case_id or new.wrote is not old.wrote)
begin select raise(abort, 'what was answered stays on record'); end;

create trigger subject_items_are_never_cut before delete on subject_items
when (select ended_at from subject_requests r where r.id = old.request_id) is not null
begin select raise(abort, 'what was answered stays on record'); end;

-- Whoever lifts an exemption, nothing that somebody waits for an answer about is disposed of.
create trigger disposal_spares_what_a_person_asks_about before update of state on evidence
when new.state = 'disposed' and old.state <> 'disposed' and exists (
  select 1 from subject_items s join subject_requests r on r.id = s.request_id
  where s.item_id = old.item_id and r.ended_at is null)
begin select raise(abort, 'somebody has asked about the record'); end;
