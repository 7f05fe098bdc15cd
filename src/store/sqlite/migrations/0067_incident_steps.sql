-- What was done about an account that was taken over or lost (T25), step by step, each with its time and who noted it.
-- What was noted stays.
create table incident_steps (
  id          integer primary key,
  -- The row of account_safety by which it was noted.
  incident_id integer not null references account_safety (id),
  step        text    not null check (step in ('anmald', 'kommunikation', 'atertaget', 'anmald_imy', 'inte_imy', 'avslutad')),
  -- When it was done, by whoever notes it.
  done_at     integer not null,
  note        text    not null,
  at          integer not null,
  by_name     text    not null,
  unique (incident_id, step),
  -- Not reporting to the data protection authority is a decision with its reason.
  check (step <> 'inte_imy' or length(trim(note)) > 0)
) strict;

create trigger incident_steps_are_of_incidents before insert on incident_steps
when not exists (select 1 from account_safety s where s.id = new.incident_id and s.kind = 'incident')
begin select raise(abort, 'a step belongs to an incident'); end;

create trigger incident_steps_end before insert on incident_steps
when exists (select 1 from incident_steps s where s.incident_id = new.incident_id and s.step = 'avslutad')
begin select raise(abort, 'an incident that is ended stays so'); end;

create trigger incident_steps_stay before update on incident_steps
begin select raise(abort, 'what was noted of an incident stays so'); end;

create trigger incident_steps_are_never_cut before delete on incident_steps
begin select raise(abort, 'what was noted of an incident stays so'); end;
