-- The authority's own rules and words (egna regler) are changed as the policies are: version by version, with a reason,
-- a second person where the policy says so, and a leaf of the log. So they are versions of the same table.
alter table policy_versions add column rules integer not null default 0
  check (rules in (0, 1) and (rules = 0 or account_id is null));

drop index policy_versions_that_wait;
create unique index policy_versions_that_wait on policy_versions (coalesce(account_id, 0), rules)
  where ruled_from is null and withdrawn_at is null;

drop trigger policy_versions_stay;
create trigger policy_versions_stay before update on policy_versions
when old.ruled_from is not null or old.withdrawn_at is not null
  or new.id is not old.id or new.account_id is not old.account_id or new.name is not old.name
  or new.text is not old.text or new.sha256 is not old.sha256 or new.made_by is not old.made_by
  or new.made_at is not old.made_at or new.why is not old.why or new.four_eyes is not old.four_eyes
  or new.recounts is not old.recounts or new.rules is not old.rules
begin select raise(abort, 'a version of a policy stays as it is'); end;
