-- Two things that a page asks for at every load and that a scan of a million rows is too slow for.

-- How many items an account has, kept by a trigger like the counts of cases. Items are never
-- deleted.
alter table fetch_states add column n_items integer not null default 0;

update fetch_states set n_items = (select count(*) from items i where i.account_id = fetch_states.account_id);

create trigger item_counted after insert on items begin
  update fetch_states set n_items = n_items + 1 where account_id = new.account_id;
end;

-- The earlier cases of one author, for the case page. It serves dates and outcomes; no category
-- can be reached through it (invariant 8).
create index versions_by_author on versions (json_extract(author, '$.platform_id'), item_id);
