-- What a disposal rests on is held fast when it is proposed, and what a person answered on the diary is
-- kept with the decision that it led to.

-- The newest version there was when the disposal was proposed: of the cases it names nothing newer is
-- destroyed with it. A proposal from before this column is proposed anew.
alter table disposals add column last_version integer not null default 0;

-- The answers to the questions on the diary, as JSON; nothing where none was asked.
alter table decisions add column answered text check (answered is null or json_valid(answered));
