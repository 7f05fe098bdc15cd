-- What retention and handing out rest on.

-- When a case was closed. `changed_at` moves with whatever happens to it afterwards (an exemption, a mended
-- diary number, a report to the police), and none of that is a new closing.
alter table cases add column closed_at integer;
update cases set closed_at = changed_at where state = 'closed';
create index cases_closed on cases (closed_at, id) where closed_at is not null;

create trigger a_closed_case_has_its_time before update of state on cases
when (new.state = 'closed') <> (new.closed_at is not null)
begin select raise(abort, 'a case is closed at a time'); end;

-- The records of an item: asked for each case that is due, and for each line of a proposal.
create index evidence_by_item on evidence (item_id, state);

-- Under which provision sender and link of a record are left out; null where they go out.
alter table release_records add column sender_withheld text
  check (sender_withheld is null or length(trim(sender_withheld)) > 0);
-- What was masked, as the log has it once the request has ended: a hash over the phrases and a number drawn at
-- random. When the record is disposed of phrases and number go, and nobody can guess what was masked.
alter table release_records add column mask_salt blob check (mask_salt is null or length(mask_salt) = 32);
alter table release_records add column masks_sha256 blob
  check (masks_sha256 is null or length(masks_sha256) = 32);

drop trigger release_records_stay;

create trigger release_records_stay before update on release_records
when new.release_id is not old.release_id or new.evidence_id is not old.evidence_id
  or (select ended_at from releases r where r.id = old.release_id) is not null
    and not (old.masks_sha256 is not null and new.masks_sha256 is old.masks_sha256
      and new.masks = '[]' and new.mask_salt is null and new.case_id is old.case_id
      and new.added_at is old.added_at and new.withheld is old.withheld
      and new.sender_withheld is old.sender_withheld
      and (select state from evidence e where e.id = old.evidence_id) = 'disposed')
begin select raise(abort, 'what was handed out stays on record'); end;
