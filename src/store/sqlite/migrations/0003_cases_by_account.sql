-- The queue of one account. Asking every case for its item's account took half a second with a
-- million cases, so a case says it itself; an item never moves to another account.
alter table cases add column account_id integer references accounts (id);

update cases set account_id = (select account_id from items i where i.id = cases.item_id);

create trigger case_of_its_account before insert on cases
when new.account_id is not (select account_id from items i where i.id = new.item_id) begin
  select raise(abort, 'a case belongs to the account of its item');
end;

create trigger case_keeps_its_account before update of account_id, item_id on cases
when new.account_id is not (select account_id from items i where i.id = new.item_id) begin
  select raise(abort, 'a case belongs to the account of its item');
end;

create index cases_queue_of_account on cases (account_id, rank, due_at, id) where state in ('waiting', 'returned');
create index cases_of_account_by_state on cases (account_id, state, changed_at);
