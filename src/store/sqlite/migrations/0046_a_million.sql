-- What was slow with a million cases, measured by tests/e2e/load.py: each of these was a walk through a whole table.

-- When something of ours was last published on an account.
create index items_by_us on items (account_id, coalesce(created_at, first_fetched_at)) where by_us = 1;
create index posts_by_time on posts (account_id, coalesce(created_at, fetched_at));

-- How many deadlines have passed.
create index cases_due on cases (due_at) where state in ('waiting', 'returned') and outside = 0;

-- What a decision came to.
create index actions_by_decision on actions (decision_id);

-- The diary's page and its reports.
create index registrations_awaiting on registrations (id) where diary_number is null;
create index registrations_entered on registrations (entered_at) where diary_number is not null;
create index registrations_exported on registrations (exported_at);
