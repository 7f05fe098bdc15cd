-- Under which version of the policy a decision was made, by the hash of its text; null: made before this was kept.
alter table decisions add column policy_sha256 blob check (policy_sha256 is null or length(policy_sha256) = 32);

create trigger decisions_keep_their_policy before update of policy_sha256 on decisions
when new.policy_sha256 is not old.policy_sha256
begin select raise(abort, 'a decision keeps the policy that it was made under'); end;
