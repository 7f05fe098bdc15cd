-- What was read and sealed once more right before an item was removed: a version of its own beside the current one,
-- with the same text. Null for what was fetched.
alter table versions add column read_for integer references actions (id);

create index versions_read_for on versions (read_for) where read_for is not null;
