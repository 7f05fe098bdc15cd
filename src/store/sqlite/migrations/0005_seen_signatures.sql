-- What was signed of each push that was answered. A delivery's identity is not signed: without this,
-- somebody who saw a push could send its old text again under a new identity, after a newer one.
create table seen_signatures (
  account_id integer not null references accounts (id),
  -- SHA-256 of the signed bytes: time and body.
  signed     blob    not null check (length(signed) = 32),
  at         integer not null,
  delivery   text    not null,
  primary key (account_id, signed)
) strict, without rowid;

create index seen_signatures_by_age on seen_signatures (at);
