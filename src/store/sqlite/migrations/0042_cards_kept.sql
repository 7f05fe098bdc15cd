-- What a card looked like to whoever changes it; and what stays on record stays as it was written.

alter table account_cards add column revision integer not null default 1;

create trigger crisis_accounts_stay before update on crisis_accounts
begin select raise(abort, 'a crisis stays on record as it was'); end;
create trigger crisis_accounts_are_never_cut before delete on crisis_accounts
begin select raise(abort, 'a crisis stays on record'); end;
create trigger crisis_accounts_of_what_is_over before insert on crisis_accounts
when (select ended_at from crises where id = new.crisis_id) is not null
begin select raise(abort, 'a crisis that is over gets no accounts'); end;

create trigger crisis_people_stay before update on crisis_people
begin select raise(abort, 'a crisis stays on record as it was'); end;
create trigger crisis_people_are_never_cut before delete on crisis_people
begin select raise(abort, 'a crisis stays on record'); end;
create trigger crisis_people_of_what_is_over before insert on crisis_people
when (select ended_at from crises where id = new.crisis_id) is not null
begin select raise(abort, 'a crisis that is over gets no people'); end;

create trigger closing_steps_stay before update on closing_steps
begin select raise(abort, 'a step of a closing stays as it was noted'); end;
create trigger closing_steps_are_never_cut before delete on closing_steps
begin select raise(abort, 'a step of a closing stays on record'); end;

create trigger account_archivings_stay before update on account_archivings
begin select raise(abort, 'a delivery to the archive stays as it was noted'); end;
create trigger account_archivings_are_never_cut before delete on account_archivings
begin select raise(abort, 'a delivery to the archive stays on record'); end;
