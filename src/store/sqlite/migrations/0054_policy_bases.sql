-- The text that ruled when a version was written, by its hash: whoever approves it approves a change of that text and of
-- no other. Null in versions from before, and in those read from a file.
alter table policy_versions add column base_sha256 blob check (base_sha256 is null or length(base_sha256) = 32);

create trigger policy_versions_keep_their_base before update of base_sha256 on policy_versions
when new.base_sha256 is not old.base_sha256
begin select raise(abort, 'a version of a policy stays as it is'); end;

-- One proposal at a time; what is read from a file waits for nobody, also while one does.
drop index policy_versions_that_wait;
create unique index policy_versions_that_wait on policy_versions (coalesce(account_id, 0), rules)
  where ruled_from is null and withdrawn_at is null and made_by is not null;
