-- Full-text search over what items say. Nothing of their authors is in it: whoever searches finds texts,
-- never a selection of persons (dataskyddslagen 3:3).

-- The stems of each version's words, by the version. The program writes them with the version, in one
-- transaction, since the stems are its own; what leaves, leaves by the triggers below, whoever wipes.
-- Only whether a word is there is asked, never where or how often. Each version has its account's number as
-- a word, too (`§7`), with a sign that no stem has: one account among many is as quick as all of them.
create virtual table item_words using fts5 (
  words, tokenize = "unicode61 remove_diacritics 0 tokenchars '§'", detail = 'none', columnsize = 0,
  prefix = '3 4'
);

-- What is taken out is overwritten in the index too, not only marked as gone.
insert into item_words (item_words, rank) values ('secure-delete', 1);

-- Disposed of, or otherwise no longer what it was.
create trigger texts_leave_the_index after update of text on versions when new.text is not old.text begin
  delete from item_words where rowid = old.id;
end;

-- Suspected (regulation 2.2): nothing of it is shown, so nothing of it is found.
create trigger barred_texts_leave_the_index after update of no_copy on items when new.no_copy = 1 begin
  delete from item_words where rowid in (select id from versions where item_id = new.id);
end;
