-- Who recorded an item by hand: nothing else vouches for it, so that is told wherever it is shown.
alter table items add column recorded_by integer references users (id);

update items set recorded_by = (
  select min(u.id) from versions v
  join users u on u.name = case when json_valid(cast(v.payload as text))
    then json_extract(cast(v.payload as text), '$.recorded_by') end
  where v.item_id = items.id and v.number = 1)
where account_id in (select id from accounts where platform = 'manual');

-- Nobody has looked whether it can be seen.
update items set presence = 'unknown'
where presence = 'visible' and account_id in (select id from accounts where platform = 'manual');
