-- The call that a version was read by: request line and response headers, without secrets, as JSON. Null where
-- nobody noted it: what was fetched before this, pushed, or typed in. It goes with the payload when content goes.
alter table versions add column exchange text check (exchange is null or json_valid(exchange));
