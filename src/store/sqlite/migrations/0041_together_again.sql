-- What stands in a group of nearly the same texts leaves it when its text becomes another; acts on many cases
-- that are sent twice; cases that are back after resting.

create trigger item_leaves_its_group after delete on alikes begin
  update cases set group_id = null where item_id = old.item_id and group_id is not null;
end;

-- What stands in no group stands behind nothing. (`group_is_left` sees to those that it leaves.)
create trigger case_stands_alone after update of group_id on cases
when new.group_id is null and (new.behind = 1 or new.behind_here = 1) begin
  update cases set behind = 0, behind_here = 0 where id = new.id;
end;

-- Items whose text was another when they came into their group: whether they still belong there nobody knows.
delete from alikes where item_id in (
  select l.item_id from alikes l
    join items i on i.id = l.item_id
    join versions c on c.id = i.current_version_id
    join versions v on v.item_id = i.id and v.content_hash <> c.content_hash);

-- The same form sent twice is one act.
alter table bulks add column form text;
create unique index bulks_by_form on bulks (user_id, form) where form is not null;

-- A refusal that quoted the answer that it was about.
update bulk_cases set refused = 'Svaret behövde läsas en gång till innan det publicerades.'
where refused like '%Publicera ändå.';

-- When the time to rest was over and the case came back by itself; null again at its next step.
alter table cases add column rested_at integer;
