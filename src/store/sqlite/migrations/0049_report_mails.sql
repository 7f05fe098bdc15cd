-- Mails that were taken in from the mailbox for reports. A mail that is met again, because the machine stopped between
-- taking it and moving it, or because the server has numbered its mails anew, is known by all that it holds.

-- Mails have a number of their own for each day: they never keep the form from being open.
alter table public_reports add column by_mail integer not null default 0 check (by_mail in (0, 1));

create trigger public_reports_keep_their_way before update of by_mail on public_reports
when new.by_mail is not old.by_mail
begin select raise(abort, 'an incoming document stays as it came'); end;

create table report_mails (
  sha256      blob    primary key check (length(sha256) = 32),
  -- Of its head alone, by which it is found where it was moved to.
  head_sha256 blob    not null check (length(head_sha256) = 32),
  became      text    not null check (became in ('report', 'automatic', 'faulty')),
  report_id   integer references public_reports (id),
  taken_at    integer not null,
  -- When it was disposed of, by the plan.
  disposed_at integer,
  check ((became = 'report') = (report_id is not null))
) strict, without rowid;

create index report_mails_by_head on report_mails (head_sha256);
create index report_mails_kept on report_mails (taken_at) where disposed_at is null;

create trigger report_mails_stay before update on report_mails
when new.sha256 is not old.sha256 or new.head_sha256 is not old.head_sha256 or new.became is not old.became
  or new.report_id is not old.report_id or new.taken_at is not old.taken_at or old.disposed_at is not null
begin select raise(abort, 'what was taken in stays on record'); end;

create trigger report_mails_are_never_cut before delete on report_mails
begin select raise(abort, 'what was taken in stays on record'); end;
