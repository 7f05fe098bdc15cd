-- Closed cases whose text and names are no longer shown unasked, since the policy's time has gone: nothing is lost
-- by it, but nobody comes upon them, by the pages or by the search.

alter table cases add column veiled_at integer;

create index cases_to_veil on cases (closed_at) where state = 'closed' and veiled_at is null;

create trigger veiled_texts_leave_the_index after update of veiled_at on cases
when new.veiled_at is not null and old.veiled_at is null begin
  delete from item_words where rowid in (select id from versions where item_id = new.item_id);
end;

-- What comes back is worked on again. Its earlier texts stay out of the search; a new one comes in by itself.
create trigger what_comes_back_is_veiled_no_more after update of state on cases
when old.state = 'closed' and new.state <> 'closed' and new.veiled_at is not null begin
  update cases set veiled_at = null where id = new.id;
end;
