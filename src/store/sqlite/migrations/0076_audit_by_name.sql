-- The audit log is read by person.
create index audit_by_name on audit (user_name, id);
