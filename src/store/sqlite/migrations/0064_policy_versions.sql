-- Versions of the policies (riktlinjer): each that ever ruled, whether it came from the file or was published on the
-- page, and those that wait for a second person. The one that began to rule last rules; what ruled before stays.
create table policy_versions (
  id           integer primary key,
  -- Whose own policy it is; none: the authority's.
  account_id   integer references accounts (id),
  name         text    not null check (length(trim(name)) > 0),
  text         text    not null,
  sha256       blob    not null check (length(sha256) = 32),
  -- Nobody: it was read from the file that the settings name.
  made_by      integer references users (id),
  made_at      integer not null,
  why          text    not null check (length(trim(why)) > 0),
  -- Whether a second person has to approve it, as the version before it says.
  four_eyes    integer not null check (four_eyes in (0, 1)),
  -- Whether deadlines of open cases are counted anew by it.
  recounts     integer not null check (recounts in (0, 1)),
  approved_by  integer references users (id),
  withdrawn_at integer,
  withdrawn_by integer references users (id),
  ruled_from   integer,
  seq          integer unique references log (seq),
  check ((ruled_from is null) = (seq is null)),
  check ((withdrawn_at is null) = (withdrawn_by is null)),
  check (ruled_from is null or withdrawn_at is null),
  check (ruled_from is null or four_eyes = 0 or (approved_by is not null and approved_by <> made_by))
) strict;

create index policy_versions_by_account on policy_versions (account_id, seq);
-- One proposal at a time for each policy.
create unique index policy_versions_that_wait on policy_versions (coalesce(account_id, 0))
  where ruled_from is null and withdrawn_at is null;

create trigger policy_versions_stay before update on policy_versions
when old.ruled_from is not null or old.withdrawn_at is not null
  or new.id is not old.id or new.account_id is not old.account_id or new.name is not old.name
  or new.text is not old.text or new.sha256 is not old.sha256 or new.made_by is not old.made_by
  or new.made_at is not old.made_at or new.why is not old.why or new.four_eyes is not old.four_eyes
  or new.recounts is not old.recounts
begin select raise(abort, 'a version of a policy stays as it is'); end;

create trigger policy_versions_are_never_cut before delete on policy_versions
begin select raise(abort, 'a version of a policy stays as it is'); end;
